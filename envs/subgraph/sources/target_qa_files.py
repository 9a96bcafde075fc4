"""The files of Target-QA, as the programs of its authors read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphenv.envs.files import load_json, need
from graphenv.errors import DataError

__all__ = ["LAYOUT", "Sample", "read_samples"]

LAYOUT = (
    "multi_sample_qa_info_k{K}_bm{B}_tr.json and ..._te.json, each an object of sample id -> "
    '{"cell_line_name", "disease", "input": {"top_k_gene", "top_k_transcript", "top_k_protein": '
    '{"hgnc_symbols": [...]}, "knowledge_graph": {"disease_protein": {"hgnc_symbols": [...]}, '
    '"protein_relationships": ["A -> B", ...]}}, "ground_truth_answer": {"top_bm_gene": '
    '{"hgnc_symbols": [...]}}}'
)
_LISTS = ("top_k_gene", "top_k_transcript", "top_k_protein")
_NAME = re.compile(r"multi_sample_qa_info_k\d+_bm\d+_(tr|te)\.json")


@dataclass(frozen=True, slots=True)
class Sample:
    """A cell line, its three ranked lists, what a graph says of it, and the published genes."""

    id: str
    cell_line: str
    disease: str
    lists: tuple[tuple[str, ...], ...]
    associated: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    gold: tuple[str, ...]


def read_samples(root: Path, part: str, asked: str) -> list[Sample]:
    """Return the samples of the training (`tr`) or test (`te`) file of a folder, by their ids.

    Raises
    ------
    DataError
        If the file is missing, stands there twice, or a sample is not of this layout.
    """
    path = _file(root, part, asked)
    samples = load_json(path, dict, "an object of samples")
    return [_sample(path, key, samples[key]) for key in sorted(samples)]


def _file(root: Path, part: str, asked: str) -> Path:
    folder = root / "QA_Data" if (root / "QA_Data").is_dir() else root
    need(folder, asked=asked, layout=LAYOUT, folder=True)
    names = sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name))
    mine = [name for name in names if name.endswith(f"_{part}.json")]
    if len(mine) > 1:
        raise DataError(f"{asked}: {folder} holds {', '.join(mine)}; keep one of them")
    return need(
        folder / (mine[0] if mine else f"multi_sample_qa_info_k100_bm100_{part}.json"),
        asked=asked,
        layout=LAYOUT,
    )


def _sample(path: Path, key: str, row: Any) -> Sample:
    where = f"{path}, sample {key!r}"
    pairs = []
    for text in _at(where, row, "input", "knowledge_graph", "protein_relationships"):
        head, arrow, tail = str(text).partition("->")
        if not arrow or not head.strip() or not tail.strip():
            raise DataError(f"{where}: expected a relationship 'A -> B', found {str(text)[:80]!r}")
        pairs.append((head.strip(), tail.strip()))
    gold = _symbols(where, row, "ground_truth_answer", "top_bm_gene")
    if not gold:
        raise DataError(f"{where}: ground_truth_answer names no gene")
    return Sample(
        key,
        _text(where, row, "cell_line_name"),
        _text(where, row, "disease"),
        tuple(_symbols(where, row, "input", name) for name in _LISTS),
        _symbols(where, row, "input", "knowledge_graph", "disease_protein"),
        tuple(pairs),
        gold,
    )


def _at(where: str, row: Any, *keys: str) -> list[Any]:
    value = row
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, list):
        raise DataError(f"{where}: {'.'.join(keys)} must be a list. Expected layout: {LAYOUT}")
    return value


def _symbols(where: str, row: Any, *keys: str) -> tuple[str, ...]:
    names = _at(where, row, *keys, "hgnc_symbols")
    kept = (name.strip() for name in names if isinstance(name, str))  # NaN where none is known
    return tuple(dict.fromkeys(filter(None, kept)))


def _text(where: str, row: Any, key: str) -> str:
    value = row.get(key) if isinstance(row, Mapping) else None
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{where}: {key!r} must hold text. Expected layout: {LAYOUT}")
    return value.strip()
