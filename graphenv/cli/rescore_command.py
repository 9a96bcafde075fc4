"""`graphenv rescore`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from graphenv.cli.options import Parser
from graphenv.cli.output import print_json, print_table, progress, share


def log_file(path: str) -> Path:
    """Return the episode log that `path` names: the file, or the one in a run folder."""
    file = Path(path)
    return file / "episodes.jsonl" if file.is_dir() else file


def run(words: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "rescore",
        "Play stored episodes again and grade them under other rewards, without training: what\n"
        "each reward gives to right and wrong answers, and how its ranking agrees with the truth.\n"
        "Episodes whose replay differs from the log are counted and not graded (exit code 1).",
        [
            'graphenv rescore runs/train --rewards exact answer_f1 "gate(format, exact)"',
            "graphenv rescore runs/eval/episodes.jsonl --rewards hits --json",
        ],
    )
    parser.add_argument("log", help="episodes.jsonl, or the run folder that holds it")
    parser.add_argument("--rewards", nargs="+", required=True, help="reward expressions")
    parser.add_argument("--limit", type=int, help="only the first episodes")
    parser.add_argument("--json", action="store_true", help="print JSON, with every value")
    parser.add_argument("--out", help="write the JSON to this file as well")
    args = parser.parse_args(words)

    from graphenv.benchmarks.rescore import rescore
    from graphenv.episode import read_records

    records = list(read_records(log_file(args.log)))[: args.limit]
    with progress(len(records) * len(args.rewards), "episodes") as tick:
        result = rescore(records, args.rewards, on_record=tick)
    told = result.to_json()
    if args.out:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        Path(args.out).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    if args.json:
        print_json(told)
        return 1 if result.mismatches else 0
    rows = [
        [
            row["reward"],
            str(row["graded"]),
            share(row["mean"]),
            share(row["mean_right"]),
            share(row["mean_wrong"]),
            share(row["rank_correlation"]),
            str(row["errors"]),
        ]
        for row in told["rewards"]
    ]
    title = f"{len(records)} episodes, truth {share(told['truth'])}"
    head = ["reward", "graded", "mean", "if right", "if wrong", "rank corr.", "errors"]
    print_table(head, rows, title=title)
    if result.mismatches:
        place, why = next(iter(result.mismatches.items()))
        print(f"\nreplay_mismatch: {len(result.mismatches)} episodes not graded")
        print(f"first, episode {place}: {why}")
    return 1 if result.mismatches else 0
