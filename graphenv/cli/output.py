"""What commands print: JSON, plain aligned tables, and progress only to a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["print_json", "print_table", "progress", "share"]


def print_json(value: Any) -> None:
    """Print `value` as JSON, whatever numpy numbers it holds."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=float))


def share(value: float | None) -> str:
    """Return a number in [0, 1] as text, a dash for none.

    >>> share(0.5), share(None)
    ('0.500', '-')
    """
    return "-" if value is None else f"{value:.3f}"


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """Print an aligned table; numbers (and dashes) to the right, words to the left.

    >>> print_table(["term", "value"], [["exact", "0.5"], ["hits", "-"]])
    term   value
    exact    0.5
    hits       -
    """
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(head), *cells]) for i in range(len(head))]
    right = [bool(cells) and all(_numeric(row[i]) for row in cells) for i in range(len(head))]
    if title:
        print(f"{title}\n")
    for row in [list(head), *cells]:
        line = "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        print(line.rstrip())


def _numeric(cell: str) -> bool:
    return cell == "-" or cell.lstrip("+-").replace(".", "", 1).rstrip("%").isdigit()


@contextmanager
def progress(total: int, label: str) -> Iterator[Callable[..., None]]:
    """A progress bar on stderr; what it gives is called once per step. Silent elsewhere."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ModuleNotFoundError:  # a bare install has no progress bars
        yield lambda *_: None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda *_: bar.advance(task)
