"""Prizes of proteins, in the files of Omics Integrator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from graphenv.envs.files import need
from graphenv.errors import DataError

__all__ = ["LAYOUT", "prize_files", "read_prizes"]

LAYOUT = "ppi_iref13/prizes/ with files *.txt and *.terminal of rows protein<TAB>number"


def prize_files(root: Path, names: Sequence[str], asked: str) -> dict[str, Path]:
    """Return all prize files of a folder, by name without ending.

    Raises
    ------
    DataError
        If the folder or one of `names` is missing.
    """
    folder = root / "ppi_iref13"
    folder = (folder if folder.is_dir() else root) / "prizes"
    need(folder, asked=asked, layout=LAYOUT, folder=True)
    found = {p.stem: p for p in sorted(folder.iterdir()) if p.suffix in (".txt", ".terminal")}
    for name in names:
        need(found.get(name, folder / f"{name}.txt"), asked=asked, layout=LAYOUT)
    return found


def read_prizes(path: Path) -> dict[str, float]:
    """Return the numbers of a prize file by protein, without their signs; the largest of several.

    Changes have a sign, prizes do not: what went down matters as much as what went up.

    Raises
    ------
    DataError
        If a row is no name with a number (file, line and text).
    """
    found: dict[str, float] = {}
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            name, _, text = line.strip().replace("\t", " ").rpartition(" ")
            try:
                value = abs(float(text))
            except ValueError:
                value = math.nan
            if not name.strip() or not math.isfinite(value):
                raise DataError(
                    f"{path}, line {number}: expected protein<TAB>number, found "
                    f"{line.strip()[:120]!r}"
                )
            name = name.strip()
            found[name] = max(value, found.get(name, 0.0))
    return found
