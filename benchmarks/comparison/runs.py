"""Reading run folders: what training wrote down, as arrays.

S is the number of seeds, T the number of tasks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from graphenv.errors import DataError

__all__ = ["Evaluated", "Run", "load_run", "read_jsonl", "task_table"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evaluated:
    """Truth and reward per task at one step of one run; a task without reward has NaN.

    `metrics` are means over the tasks of what the family publishes beside the truth.
    """

    step: int
    indices: tuple[int, ...]
    successes: Array
    rewards: Array
    statuses: Mapping[str, int]
    metrics: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Evaluated:
        """Return what a line of `eval.jsonl`, or `final.json`, says."""
        rewards = [float("nan") if value is None else value for value in row["rewards"]]
        return cls(
            step=int(row["step"]),
            indices=tuple(row["indices"]),
            successes=np.array(row["successes"], dtype=float),
            rewards=np.array(rewards, dtype=float),
            statuses=dict(row.get("statuses", {})),
            metrics=dict(row.get("metrics", {})),
        )


@dataclass(frozen=True)
class Run:
    """One finished run."""

    folder: Path
    seed: int
    config: Mapping[str, Any]
    metrics: list[dict[str, Any]]
    evals: list[Evaluated]
    final: Evaluated

    def mean_of(self, name: str) -> float | None:
        """Mean of a metric over the logged steps that have it."""
        values = [row[name] for row in self.metrics if row.get(name) is not None]
        return float(np.mean(values)) if values else None


def read_jsonl(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a JSONL file; none if there is no file.

    Raises
    ------
    DataError
        If a line is not JSON, with its number. A last line cut short by a kill is left out.
    """
    if not file.is_file():
        return []
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            if number < len(lines):
                raise DataError(f"{file}, line {number}: not JSON: {error}") from error
    return rows


def load_run(folder: Path, seed: int) -> Run:
    """Return the run in `folder`.

    Raises
    ------
    DataError
        If it is not complete or a file is broken.
    """
    final = folder / "final.json"
    if not final.is_file():
        raise DataError(f"{folder} holds no final.json: the run has not been trained to its end")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return Run(
            folder=folder,
            seed=seed,
            config=config,
            metrics=read_jsonl(folder / "metrics.jsonl"),
            evals=[Evaluated.from_json(row) for row in read_jsonl(folder / "eval.jsonl")],
            final=Evaluated.from_json(json.loads(final.read_text(encoding="utf-8"))),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder} is no readable run folder: {error!r}") from error


def task_table(evaluated: Sequence[Evaluated]) -> Array:
    """Return the truth of S evaluations on the same T tasks, (S, T).

    Raises
    ------
    DataError
        If they are not on the same tasks.
    """
    if len({e.indices for e in evaluated}) != 1:
        raise DataError("these runs were evaluated on different tasks and cannot be compared")
    return np.stack([e.successes for e in evaluated])
