"""What all benchmarks share: command line, sections, kept figures, tables in the documentation."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from graphenv.benchmarks.machine import machine

__all__ = ["Picture", "Section", "Suite", "data_folder", "fill", "keep", "opening", "tables"]

Results = dict[str, Any]
_HERE = Path(__file__).parent
_DOCS = _HERE.parent / "docs"
_END = "<!-- end -->"


class Section(Protocol):
    """Measures one thing; a quick run only shows that it works."""

    def __call__(self, *, quick: bool) -> Any: ...


class Picture(NamedTuple):
    """A drawing of the results: file name, caption, and what draws it (`False`: it cannot)."""

    file: str
    caption: str
    draw: Callable[[Results, Path], bool]


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A benchmark as a table of sections; `main()` is its command line.

    Parameters
    ----------
    name
        Its folder under `benchmarks/`, and of its page in `docs/` if it fills one.
    about
        What `--help` says.
    sections
        Name to what measures it, in the order of a whole run.
    markdown
        Results to the page that is kept beside them.
    packages
        Whose versions the figures depend on.
    setting
        What else is kept beside the figures: sizes, shapes.
    prepare
        Done once before the first section: compile, say which data are missing.
    picture
        A drawing of the results.
    fill_page
        Returns the page of `docs/` with the tables of these results in it.
    """

    name: str
    about: str | None
    sections: Mapping[str, Section]
    markdown: Callable[[Results], str]
    packages: Sequence[str]
    setting: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[[], object] = lambda: None
    picture: Picture | None = None
    fill_page: Callable[[str, Results], str] | None = None

    def main(self) -> None:
        """Measure what the command line asks for; print it, and keep it where it says.

        Without `--out`, only a whole run is kept, in the folder of the suite; that one also fills
        the page of the documentation.
        """
        home = _HERE / self.name
        arguments = self._arguments(home)
        results = self.measure(
            arguments.only or self.sections, quick=arguments.quick, notes=arguments.note
        )
        partly = arguments.only or arguments.quick
        out: Path | None = arguments.out or (None if partly else home)
        page = self.markdown(results)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            if self.picture and self.picture.draw(results, out / self.picture.file):
                page += f"\n![{self.picture.caption}]({self.picture.file})\n"
            keep(out, results, page)
        shown = _DOCS / f"{self.name}.md"
        if self.fill_page and out == home and shown.is_file():  # there is one in a checkout
            text = self.fill_page(shown.read_text(encoding="utf-8"), results)
            shown.write_text(text, encoding="utf-8")
        print(page)

    def measure(self, names: Iterable[str], *, quick: bool, notes: Sequence[str] = ()) -> Results:
        """Return the results of some sections, with date, machine, notes and minutes."""
        start = time.perf_counter()
        results: Results = {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine(*self.packages),
            "notes": list(notes),
            **self.setting,
        }
        self.prepare()
        for name in names:
            print(f"== {name}", flush=True)
            began = time.perf_counter()
            results[name] = self.sections[name](quick=quick)
            print(f"== {name}: {time.perf_counter() - began:.0f} s", flush=True)
        results["minutes"] = (time.perf_counter() - start) / 60
        return results

    def _arguments(self, home: Path) -> argparse.Namespace:
        parser = argparse.ArgumentParser(
            prog=f"python -m graphenv.benchmarks.{self.name}", description=self.about
        )
        parser.add_argument("--out", type=Path, help=f"output folder (default: {home})")
        parser.add_argument(
            "--only", nargs="+", choices=self.sections, metavar="SECTION",
            help=f"some of {', '.join(self.sections)}; only printed, unless --out is given",
        )  # fmt: skip
        parser.add_argument(
            "--quick", action="store_true", help="a smoke run; figures mean nothing"
        )
        parser.add_argument(
            "--note", action="append", default=[], help="a remark to keep with them"
        )
        return parser.parse_args()


def data_folder(name: str) -> Path | None:
    """Return that folder of `GRAPHENV_DATA`; `None` without the variable or the folder."""
    root = os.environ.get("GRAPHENV_DATA")
    folder = Path(root) / name if root else None
    return folder if folder is not None and folder.is_dir() else None


def opening(results: Results) -> list[str]:
    """Return the lines of a page that say when, where and with what it was measured."""
    on = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in on["versions"].items())
    minutes = results.get("minutes")
    took = ""
    if minutes is not None:
        took = f"; the run took {minutes:.{0 if minutes >= 5 else 1}f} minutes"
    lines = [f"{results['date']}; {on['cpu']}, {on['cores']} cores; {versions}{took}.\n"]
    return lines + [f"Note: {note}\n" for note in results.get("notes", ())]


def tables(results: Results, written: Mapping[str, Callable[[Results], list[str]]]) -> list[str]:
    """Return the lines of every section that was measured, in the order of `written`.

    >>> tables({"speed": [1]}, {"gold": lambda found: ["never"], "speed": lambda found: ["| 1 |"]})
    ['| 1 |']
    """
    measured = [table(results) for name, table in written.items() if results.get(name)]
    return [line for lines in measured for line in lines]


def fill(page: str, suite: str, shown: Mapping[str, Sequence[str]]) -> str:
    """Return a page with each table between its marks; what is not in `shown` stays.

    Raises
    ------
    ValueError
        If the page lacks the marks of a table.

    >>> page = "<!-- a: written by python -m graphenv.benchmarks.ged -->\\nold\\n<!-- end -->"
    >>> print(fill(page, "ged", {"a": ["| new |"]}))
    <!-- a: written by python -m graphenv.benchmarks.ged -->
    | new |
    <!-- end -->
    """
    for name, table in shown.items():
        begin = f"<!-- {name}: written by python -m graphenv.benchmarks.{suite} -->"
        before, mark, rest = page.partition(begin)
        _, end, after = rest.partition(_END)
        if not (mark and end):
            raise ValueError(f"the page has no {begin} ... {_END}")
        page = "\n".join([before + mark, *table, end + after])
    return page


def keep(folder: Path, results: Results, page: str, *, stem: str = "results") -> None:
    """Write `results.json` and `results.md` into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1) + "\n"
    (folder / f"{stem}.json").write_text(text, encoding="utf-8")
    (folder / f"{stem}.md").write_text(page, encoding="utf-8")
