"""What each of two processes runs to compare a batch; imports as little as it can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from accelerate import PartialState

from graphenv.agents.bridge.crediting import gathered_advantages
from graphenv.agents.credit import Scale, Trajectory, make_credit

__all__ = ["BATCH", "GATHERED", "SCALES", "batch", "gather"]

SCALES: tuple[Scale, ...] = ("group", "batch", "none")
BATCH = [
    ([0.0, 1.0], "sab", "xy", "pp"),
    ([0.25, 0.0, 0.5], "saac", "xzy", "pqq"),
    None,
    ([0.0, -0.25], "sad", "xw", "rr"),
    ([1.0], "se", "v", "t"),
    ([0.0, 0.0], "sab", "xy", "pp"),
    ([0.5, 0.5], "sac", "xu", "pq"),
    ([0.25], "sf", "k", "u"),
    ([0.0, 1.0, 0.0, 0.0], "sgggh", "abcd", "vvvv"),
    ([0.0, 0.75], "sgi", "ab", "wx"),
    ([0.0, 0.0], "sgi", "ab", "wy"),
    ([0.125], "sj", "z", "z"),
]
"""Three groups of four; with six a process, the second group straddles."""
GATHERED = [
    *("outcome", "turn", "min-form", "trajectory-graph", "prefix-tree", "siblings", "gated"),
    *("turn|delta", "turn|clip", "gated|par"),
]


def batch() -> list[Trajectory | None]:
    return [
        None if row is None else Trajectory(tuple(row[0]), None, *(tuple(keys) for keys in row[1:]))
        for row in BATCH
    ]


def gather(folder: str) -> None:
    """What each process runs: its half of the batch under every credit and scale."""
    state = PartialState(cpu=True)
    assert (state.num_processes, state.backend) == (2, "gloo")
    half = len(BATCH) // 2
    mine = batch()[state.process_index * half :][:half]
    found: dict[str, Any] = {}
    for text in GATHERED:
        for scale in SCALES:
            part, flat = gathered_advantages(make_credit(text), mine, 4, scale)
            rows = [None if turns is None else turns.tolist() for turns in part]
            found[f"{text} {scale}"] = {"rows": rows, "flat": flat}
    Path(folder, f"{state.process_index}.json").write_text(json.dumps(found))
    state.destroy_process_group()
