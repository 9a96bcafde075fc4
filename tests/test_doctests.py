"""Every example in a docstring runs.

By module name: `pytest --doctest-modules envs` would import each module a second time.
"""

from __future__ import annotations

import doctest
import importlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# What the extras bring: a module that needs one of these is skipped where it is missing.
OPTIONAL = {
    *("accelerate", "datasets", "duckdb", "jinja2", "ladybug", "matplotlib", "numba", "peft"),
    *("rich", "safetensors", "sqlglot", "textblob", "tokenizers", "torch", "torch_geometric"),
    *("tqdm", "transformers", "trl", "yaml"),
}


def _modules() -> list[str]:
    folders: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]
    found = []
    for package, folder in folders.items():
        for path in (ROOT / folder).rglob("*.py"):
            inner = path.relative_to(ROOT / folder).with_suffix("").parts
            parts = [package, *(part for part in inner if part != "__init__")]
            found.append(".".join(parts))
    return sorted(name for name in found if not name.endswith("__main__"))


@pytest.mark.parametrize("name", _modules())
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in OPTIONAL:
            pytest.skip(f"{name} needs {error.name}, which is not installed")
        raise
    monkeypatch.chdir(tmp_path)  # an example that writes a file writes it here
    result = doctest.testmod(module)
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples failed, see above"
