"""`graphenv eval`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphenv.cli.options import Parser, add_environment, add_output, environment_name, make_env
from graphenv.cli.output import print_json, print_table, progress, share
from graphenv.text import bounded

if TYPE_CHECKING:
    from graphenv.benchmarks.comparison.stats import Interval
    from graphenv.benchmarks.evaluate import EvalResult


def run(words: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "eval",
        "Measure how often an agent or model is right. With --k it samples k episodes per task\n"
        "and reports pass@k, maj@k, and best-of-k under the reward. A trained model is played\n"
        "under the environment's arguments of its run, unless you give others.",
        [
            "graphenv eval kgqa --agent oracle --split heldout",
            "graphenv eval kgqa --agent runs/train/checkpoint --hops 2 --tasks 1000",
            "graphenv eval kgqa --agent DIR --k 8 --temperature 1 --reward answer_f1 --out runs/e",
        ],
    )
    add_environment(parser)
    parser.add_argument("--agent", default="random", help="an agent's name, or a model's folder")
    parser.add_argument("--tasks", type=int, default=200, help="tasks to play (default 200)")
    parser.add_argument("--k", type=int, default=1, help="episodes per task (default 1)")
    parser.add_argument("--temperature", type=float, help="sampling temperature of a model")
    parser.add_argument("--max_new_tokens", type=int, help="longest turn of a model, in tokens")
    parser.add_argument("--batch_size", type=int, default=64, help="episodes at a time")
    add_output(parser, out="folder for eval.json and episodes.jsonl")
    args, extra = parser.split(words)
    if args.tasks < 1 or args.k < 1 or args.batch_size < 1:
        parser.error("--tasks, --k and --batch_size must be at least 1")

    from graphenv.agents.base import task_indices
    from graphenv.benchmarks.evaluate import evaluate
    from graphenv.cli.agent import make_agent, trained_under

    defaults = trained_under(args.agent, environment_name(args.environment))
    env = make_env(args, extra, **{**defaults, "split": "heldout"})
    if defaults and sys.stderr.isatty():
        told = " ".join(f"{k}={v}" for k, v in defaults.items())
        print(f"defaults of the run: {told}", file=sys.stderr)

    options = {"temperature": args.temperature, "max_new_tokens": args.max_new_tokens}
    agent = make_agent(args.agent, env, seed=args.seed, options=options)
    indices = task_indices(len(env.tasks), args.tasks, env.kwargs["split"])
    with progress(len(indices) * args.k, "episodes") as tick:
        result = evaluate(
            env, agent, indices, samples=args.k, batch_size=args.batch_size, on_episode=tick
        )
    summary = {
        "environment": env.env_id,
        "env_kwargs": env.kwargs,
        "agent": args.agent,
        "seed": args.seed,
        **result.to_json(),
    }
    if args.out:
        _store(Path(args.out), summary, result)
    if args.json:
        print_json(summary)
    else:
        _show(f"{args.agent} on {env.env_id}, {len(indices)} tasks", result)
    return 0


def _store(folder: Path, told: object, result: EvalResult) -> None:
    import json

    from graphenv.episode import write_records

    folder.mkdir(parents=True, exist_ok=True)
    write_records(folder / "episodes.jsonl", (e.record() for row in result.episodes for e in row))
    text = json.dumps(told, indent=2, ensure_ascii=False)
    (folder / "eval.json").write_text(text + "\n", encoding="utf-8")


def _show(title: str, result: EvalResult) -> None:
    def row(name: str, interval: Interval) -> list[str]:
        return [name, share(interval.value), f"{interval.low:.3f} to {interval.high:.3f}"]

    rows = [row("success (truth)", result.success)]
    if result.samples > 1:
        rows += [row(f"pass@{k}", result.pass_at(k)) for k in result.ks() if k > 1]
        rows.append(row(f"maj@{result.samples}", result.majority()))
        rows.append(row(f"best of {result.samples} under {result.reward}", result.best_of()))
    print_table(["", "value", "95% interval"], rows, title=title)
    print()
    rest = [[f"reward {bounded(result.reward, 60)}", share(result.mean_reward)]]
    rest += [[f"  {name}", share(value)] for name, value in result.parts.items()]
    rest += [[f"metric {name}", share(value)] for name, value in result.metrics.items()]
    rest += [[f"ended {status}", str(count)] for status, count in result.statuses.items()]
    crashes = [s.reason for row in result.scores for s in row if s.status == "error"]
    if crashes:
        rest.append(["reward crashed", str(len(crashes))])
    print_table(["", "mean or count"], rest)
    if crashes:
        print(f"\nfirst crash of the reward: {crashes[0]}")
