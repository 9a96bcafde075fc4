"""The house's frame: which packages there are, who may import whom, what gets installed."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = PROJECT["tool"]["setuptools"]["packages"]
FOLDERS: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]

# Slow to import and not a base dependency: never at the top of a module ...
HEAVY = {
    *("accelerate", "datasets", "matplotlib", "pandas", "peft", "torch", "torch_geometric"),
    *("transformers", "trl"),
}
# ... except in these modules and what lies below them, which nothing imports before it is asked.
MAY_IMPORT_HEAVY = [
    "graphenv.agents.bridge",
    "graphenv.agents.design.learning",
    "graphenv.agents.design.picker",
    "graphenv.agents.gnn",
    "graphenv.agents.tiny",
]

# Layer -> the layers it may import. `face` is graphenv/__init__.py and graphenv/cli.
ARROWS = {
    "core": {"core"},
    "rewards": {"core", "rewards"},
    "envs": {"core", "rewards", "envs"},
    "agents": {"core", "rewards", "envs", "agents"},
    "benchmarks": {"core", "rewards", "envs", "agents", "benchmarks", "face"},
    "face": {"core", "rewards", "envs", "agents", "benchmarks", "face"},
}


def _modules() -> dict[str, Path]:
    found = {}
    for package, folder in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            inner = path.relative_to(ROOT / folder).with_suffix("").parts
            name = ".".join([package, *(part for part in inner if part != "__init__")])
            found[name] = path
    return found


MODULES = _modules()


def _layer(module: str) -> str:
    parts = module.split(".")
    if parts in (["graphenv"], ["graphenv", "__main__"]) or parts[1] == "cli":
        return "face"
    return parts[1] if parts[1] in ARROWS else "core"


# What must work with the base dependencies alone. (A __main__ would run when imported.)
TORCH_FREE = [
    name
    for name in MODULES
    if _layer(name) in ("core", "rewards", "envs") and not name.endswith("__main__")
]


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _imports(node: ast.AST, *, running: bool) -> Iterator[tuple[int, str]]:
    """Yield (line, module) of every import below `node`.

    `running=True` keeps to what runs when the module is imported: no function bodies, nothing
    under TYPE_CHECKING.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((child.lineno, alias.name) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                yield child.lineno, "." * child.level + base
            elif base == "graphenv":  # from graphenv import envs
                for alias in child.names:
                    name = f"graphenv.{alias.name}"
                    yield child.lineno, name if name in MODULES else "graphenv"
            else:
                yield child.lineno, base
        elif running and (
            isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            or _is_type_checking(child)
        ):
            continue
        else:
            yield from _imports(child, running=running)


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _run(code: str, cwd: Path, **env: str) -> str:
    """Run `code` in a fresh interpreter with `cwd` as its folder and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_package_is_listed() -> None:
    in_tree = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    assert set(PACKAGES) == in_tree, "tool.setuptools.packages and the tree differ"
    homeless = [
        str(path.relative_to(ROOT))
        for path in MODULES.values()
        if not (path.parent / "__init__.py").exists()
    ]
    assert not homeless, "these folders have no __init__.py"


def test_links_for_type_checkers() -> None:
    links = {path.name: path for path in (ROOT / "typings" / "graphenv").iterdir()}
    assert {f"graphenv.{name}" for name in links} == set(FOLDERS) - {"graphenv"}
    for name, link in links.items():
        assert link.is_symlink()
        assert not os.path.isabs(os.readlink(link))
        assert link.resolve() == (ROOT / FOLDERS[f"graphenv.{name}"]).resolve()


@pytest.mark.parametrize("layer", ARROWS)
def test_arrows(layer: str) -> None:
    wrong = []
    for module, path in MODULES.items():
        if _layer(module) != layer:
            continue
        for line, target in _imports(_parse(path), running=False):
            where = f"{path.relative_to(ROOT)}:{line} imports {target}"
            if target.startswith("."):
                wrong.append(f"{where}: write the absolute name")
            elif target.partition(".")[0] == "graphenv" and _layer(target) not in ARROWS[layer]:
                wrong.append(f"{where}: {layer} may not import {_layer(target)}")
    assert not wrong, "\n".join(wrong)


def test_nothing_heavy_at_the_top_of_a_module() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {target}"
        for module, path in MODULES.items()
        if not any(f"{module}.".startswith(f"{name}.") for name in MAY_IMPORT_HEAVY)
        for line, target in _imports(_parse(path), running=True)
        if target.partition(".")[0] in HEAVY
    ]
    assert not wrong, "import inside the function that needs it:\n" + "\n".join(wrong)


def test_import_is_light(tmp_path: Path) -> None:
    code = "import json, sys, graphenv; print(json.dumps(sorted(sys.modules)))"
    loaded = {name.partition(".")[0] for name in json.loads(_run(code, tmp_path))}
    assert not loaded & HEAVY


# A finder that goes first and refuses what the `train` and `gnn` extras would bring.
WITHOUT_EXTRAS = f"""
import importlib, importlib.abc, json, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(HEAVY)!r}:
            raise ModuleNotFoundError(f"{{name}} is blocked in this test", name=name)

sys.meta_path.insert(0, Refuse())
"""


def test_core_rewards_and_envs_need_no_torch(tmp_path: Path) -> None:
    needed = [*TORCH_FREE, "graphenv", "graphenv.agents", "graphenv.benchmarks", "graphenv.cli"]
    code = f"{WITHOUT_EXTRAS}\nfor name in {needed!r}: importlib.import_module(name)"
    _run(code, tmp_path)


def test_every_environment_runs_without_torch(tmp_path: Path) -> None:
    code = f"""{WITHOUT_EXTRAS}
import gymnasium, graphenv
ids = sorted(i for i in gymnasium.registry if i.startswith("graphenv/"))
for i in ids:
    env = gymnasium.make(i)
    observation, info = env.reset(seed=0)
    assert isinstance(observation, str) and observation, i
    env.step("<answer>nothing</answer>")
    env.close()
print(json.dumps(ids))
"""
    assert "graphenv/KGQA-v0" in json.loads(_run(code, tmp_path))


def test_import_time_is_reported(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Only reported: seconds depend on the machine, a benchmark keeps them."""
    code = "import time; t = time.perf_counter(); import graphenv; print(time.perf_counter() - t)"
    seconds = min(float(_run(code, tmp_path)) for _ in range(3))
    record_property("report", f"import graphenv: {seconds:.3f} s (best of 3 fresh interpreters)")
    assert seconds > 0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel from a copy of the sources (no stale build/ folder) and unpack it."""
    pytest.importorskip("setuptools", reason="the wheel test builds with setuptools")
    source = tmp_path_factory.mktemp("source")
    for folder in FOLDERS.values():
        shutil.copytree(
            ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    _run("from setuptools.build_meta import build_wheel; build_wheel('dist')", source)
    [built] = (source / "dist").glob("*.whl")
    target = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(target)
    return target


def test_wheel_holds_the_tree_and_one_top_level_name(wheel: Path) -> None:
    top = {path.name for path in wheel.iterdir()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"graphenv"}
    expected = {
        str(Path(package.replace(".", "/")) / path.relative_to(ROOT / folder))
        for package, folder in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".typed", ".md", ".json", ".html", ".j2"}
        and "__pycache__" not in path.parts
    }
    shipped = {str(path.relative_to(wheel)) for path in wheel.rglob("*") if path.is_file()}
    assert expected <= shipped, f"missing from the wheel: {sorted(expected - shipped)}"


def test_wheel_imports_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    names = [*PACKAGES, *TORCH_FREE]
    code = f"""
import importlib
for name in {names!r}:
    print(importlib.import_module(name).__file__)
"""
    # An editable install beside it would answer for what the wheel lacks: compare the files too.
    for path in _run(code, tmp_path, PYTHONPATH=str(wheel)).split("\n"):
        assert not path or Path(path).is_relative_to(wheel), f"not from the wheel: {path}"
