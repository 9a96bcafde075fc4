"""The documentation, and the README, keep their word: Python blocks run, links lead somewhere.

A block of text right after a block of Python is what that one prints. The blocks of a page share
their names. `GRAPHENV_UPDATE_DOCS=1 pytest tests/test_docs.py` writes what is printed.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {
    "../README.md": ("numba", "sqlglot", "ladybug"),
    "construction.md": ("scipy",),
    "credit.md": (),
    "design.md": (),
    "ged.md": ("numba",),
    "process-rewards.md": (),
    "queries.md": ("numba", "sqlglot", "ladybug"),
    "scenes.md": ("numba", "scipy", "PIL"),
    "scorers.md": ("torch_geometric",),
    "subgraph.md": (),
}
"""Pages with code, and the optional packages that it needs."""
BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", re.M | re.S)


@pytest.mark.parametrize("page", PAGES)
def test_code_runs_and_prints_what_it_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in PAGES[page]:
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    path = DOCS / page
    text = path.read_text(encoding="utf-8")
    module = ModuleType("page")  # as in a script, what a block defines can be named and imported
    monkeypatch.setitem(sys.modules, "page", module)
    names: dict[str, Any] = module.__dict__
    pieces, end = [], 0
    for block in BLOCK.finditer(text):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(block[1], f"{page}, a block", "exec"), names)  # noqa: S102 (our own page)
        if block[2] is not None:
            pieces += [text[end : block.start(2)], out.getvalue()]
            end = block.end(2)
    fresh = "".join([*pieces, text[end:]])
    if os.environ.get("GRAPHENV_UPDATE_DOCS"):
        path.write_text(fresh, encoding="utf-8")
    assert fresh == text, "run GRAPHENV_UPDATE_DOCS=1 pytest tests/test_docs.py and look at it"


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_and_pictures_exist(page: str) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)\)", (DOCS / page).read_text(encoding="utf-8")):
        if "://" not in target:
            assert (DOCS / target).exists(), target
