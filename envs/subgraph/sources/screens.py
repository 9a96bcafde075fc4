"""Gene dependencies of cell lines, as files and as counts: what screens say about a context."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graphenv.envs.files import broken_row, need, read_rows, text_in
from graphenv.errors import ConfigError, DataError
from graphenv.task import carve_split

__all__ = ["LAYOUT", "CellLine", "Counts", "Screens", "held_out_tissues", "load_screens"]

LAYOUT = (
    "gene_dependency/ with cell_lines*.jsonl (rows with cell_line_id, name, tissue, cancer_type, "
    "cancer_type_detail, selective_dependencies), gene_universe.txt (a gene a line) and "
    "pan_essential.tsv (gene<TAB>tier)"
)
_PUBLISHED = ("Breast", "Large Intestine")


@dataclass(frozen=True, slots=True)
class CellLine:
    """A cell line: its context in words, and the genes that it selectively depends on."""

    id: str
    name: str
    tissue: str
    cancer: str
    detail: str
    genes: frozenset[str]

    @property
    def groups(self) -> tuple[tuple[str, str], ...]:
        """The groups of lines that it belongs to, the most specific first.

        The last is the kind of cancer: the last word of its type, such as `Carcinoma`.
        """
        words = self.cancer.split()
        return (
            ("cancer type", self.cancer),
            ("tissue", self.tissue),
            ("kind of cancer", words[-1] if words else ""),
        )


@dataclass(frozen=True)
class Screens:
    """The cell lines of a folder, the genes that were screened, and those that all lines need."""

    lines: tuple[CellLine, ...]
    screened: frozenset[str]
    essential: dict[str, str]


class Counts:
    """How many of some cell lines depend on each gene, altogether and by group.

    Parameters
    ----------
    lines
        The lines that are counted: those of the training split.
    genes
        The genes in the order of every array below, shape (G,).

    Attributes
    ----------
    counted
        The ids of these lines.
    total
        How many of them depend on each gene, shape (G,).

    Examples
    --------
    >>> line = CellLine("1", "A", "Lung", "Small Carcinoma", "", frozenset({"KRAS"}))
    >>> counts = Counts([line], ["KRAS", "TP53"])
    >>> counts.total.tolist(), counts.size
    ([1, 0], 1)
    >>> counts.share(line.groups[0], leaving=line).tolist()  # of no line at all
    [nan, nan]
    """

    def __init__(self, lines: Iterable[CellLine], genes: Sequence[str]) -> None:
        self.genes = tuple(genes)
        self._place = {gene: i for i, gene in enumerate(self.genes)}
        self.counted: set[str] = set()
        self.total = np.zeros(len(self.genes), np.int64)
        self._groups: dict[tuple[str, str], NDArray[np.int64]] = {}
        self._sizes: dict[tuple[str, str], int] = {}
        for line in lines:
            self.counted.add(line.id)
            row = self.row(line)
            self.total += row
            for group in line.groups:
                known = self._groups.get(group)
                self._groups[group] = row.copy() if known is None else known + row
                self._sizes[group] = self._sizes.get(group, 0) + 1

    def row(self, line: CellLine) -> NDArray[np.int64]:
        """Return 1 for each gene that a line depends on, else 0, shape (G,)."""
        row = np.zeros(len(self.genes), np.int64)
        row[[self._place[gene] for gene in line.genes if gene in self._place]] = 1
        return row

    @property
    def size(self) -> int:
        """Number of lines that are counted."""
        return len(self.counted)

    def size_of(self, group: tuple[str, str] | None, leaving: CellLine | None = None) -> int:
        """Return the number of lines of a group (`None`: of all), without the line `leaving`."""
        count = self.size if group is None else self._sizes.get(group, 0)
        return count - self._holds(group, leaving)

    def share(
        self, group: tuple[str, str] | None, leaving: CellLine | None = None
    ) -> NDArray[np.float64]:
        """Return the share of lines that depend on each gene, shape (G,), NaN of no lines.

        A line that is asked about leaves the counts, or its own dependencies would be told.
        """
        size = self.size_of(group, leaving)
        if size <= 0:
            return np.full(len(self.genes), np.nan)
        counts = self.total if group is None else self._groups[group]
        if leaving is not None and self._holds(group, leaving):
            counts = counts - self.row(leaving)
        return counts / size

    def _holds(self, group: tuple[str, str] | None, line: CellLine | None) -> bool:
        if line is None or line.id not in self.counted:
            return False
        return group is None or group in line.groups


def load_screens(root: str | Path, asked: str) -> Screens:
    """Return what the files of a folder hold (`LAYOUT`); read once while they stay the same.

    Raises
    ------
    DataError
        If a file is missing, a row is broken, or a cell line stands there twice.
    """
    folder = Path(root)
    need(folder, asked=asked, layout=LAYOUT, folder=True)
    folder = folder / "gene_dependency" if (folder / "gene_dependency").is_dir() else folder
    files = sorted(folder.glob("cell_lines*.jsonl"))
    files = files or [need(folder / "cell_lines_visible.jsonl", asked=asked, layout=LAYOUT)]
    for name in ("gene_universe.txt", "pan_essential.tsv"):
        files.append(need(folder / name, asked=asked, layout=LAYOUT))
    return _load(tuple(str(f.resolve()) for f in files), tuple(f.stat().st_mtime_ns for f in files))


@lru_cache(maxsize=2)
def _load(paths: tuple[str, ...], _modified: tuple[int, ...]) -> Screens:
    *line_files, universe, essential = map(Path, paths)
    tiers = {}
    for number, text in enumerate(_rows(essential), 1):
        gene, _, tier = text.partition("\t")
        if number > 1 or gene != "gene":
            tiers[gene.strip()] = tier.strip()
    lines: dict[str, CellLine] = {}
    for path in line_files:
        for line in _lines(path):
            if line.id in lines:
                raise DataError(f"{path}: the cell line {line.id!r} stands in the files twice")
            lines[line.id] = line
    ordered = tuple(lines[key] for key in sorted(lines))
    return Screens(ordered, frozenset(_rows(universe)), tiers)


def _rows(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8-sig")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _lines(path: Path) -> Iterable[CellLine]:
    for number, row in read_rows(path):
        genes = row.get("selective_dependencies")
        if not isinstance(genes, list) or not all(isinstance(gene, str) for gene in genes):
            broken_row(path, number, row, "'selective_dependencies' must be a list of gene symbols")
        detail = row.get("cancer_type_detail")
        yield CellLine(
            id=text_in(path, number, row, "cell_line_id"),
            name=text_in(path, number, row, "name"),
            tissue=text_in(path, number, row, "tissue"),
            cancer=text_in(path, number, row, "cancer_type"),
            detail=detail.strip() if isinstance(detail, str) else "",
            genes=frozenset(genes),
        )


def held_out_tissues(screens: Screens, asked: Sequence[str] | None) -> tuple[frozenset[str], str]:
    """Return the tissues of the held-out split, and in words how they were chosen.

    Raises
    ------
    ConfigError
        If a tissue that is asked for has no cell line.
    """
    known = {line.tissue for line in screens.lines}
    if asked is not None:
        unknown = sorted(set(asked) - known)
        if unknown:
            raise ConfigError(
                f"targets: held_out names {unknown}, of which there is no cell line; the files "
                f"have {sorted(known)}"
            )
        return frozenset(asked), f"Held out by tissue: {', '.join(sorted(asked))}."
    published = known.intersection(_PUBLISHED)
    if published:
        return frozenset(published), f"Held out by tissue: {', '.join(sorted(published))}."
    chosen = {
        tissue
        for tissue in known
        if carve_split("targets", "tissue", tissue, validation=0.0) == "heldout"
    }
    return frozenset(chosen), (
        f"The files have no cell line of {' or '.join(_PUBLISHED)}, which the data set holds out; "
        f"tissues chosen by a hash stand in: {', '.join(sorted(chosen))}."
    )
