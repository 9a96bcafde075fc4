"""`graphenv demo`: the main job in minutes, on generated questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphenv.cli.compare_command import tell
from graphenv.cli.options import Parser

DEMO: dict[str, Any] = {
    "rewards": ["exact", "exact + 0.3*path_similarity"],
    "seeds": 3,
    "jobs": 2,
    "config": {
        "environments": "kgqa",
        "env_kwargs": {"mode": "program", "hops": 2, "relations": 12, "instructions": "none"},
        "size": "s",
        "warmup": 64,
        "steps": 100,
        "eval_every": 20,
        "eval_tasks": 200,
        "heldout_tasks": 500,
        "max_new_tokens": 16,
        "grpo": {"max_completion_length": 16},
    },
}
"""What the demo trains: two rewards, three seeds, at most eight minutes on two cores."""


def run(words: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "demo",
        "Watch a small language model learn to answer questions over a knowledge graph under two\n"
        "rewards, and get a report that says which taught it more. Illustrative: three seeds.",
        ["graphenv demo --out runs/demo", "graphenv demo --steps 40 --seed 7"],
    )
    parser.add_argument("--out", default="runs/demo", help="folder (default runs/demo)")
    parser.add_argument("--seed", type=int, default=0, help="the first of three seeds")
    parser.add_argument("--steps", type=int, help="GRPO steps of a run; fewer are faster")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    args = parser.parse_args(words)

    from graphenv.agents.bridge.config import TrainConfig
    from graphenv.benchmarks.comparison.compare import compare

    base = TrainConfig.from_json({**DEMO["config"], "seed": args.seed, "out": args.out})
    if args.steps is not None:
        base = base.with_(steps=args.steps)
    result = compare(base, DEMO["rewards"], seeds=DEMO["seeds"], parallel=DEMO["jobs"])
    return tell(result, Path(args.out), as_json=args.json)
