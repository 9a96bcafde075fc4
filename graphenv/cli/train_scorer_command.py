"""`graphenv train-scorer`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphenv.cli.options import (
    Parser,
    add_environment,
    add_output,
    env_kwargs,
    environment_name,
    parse_pairs,
)
from graphenv.cli.output import print_json, print_table, progress, share
from graphenv.errors import ConfigError

if TYPE_CHECKING:
    from graphenv.agents.gnn.training import ScorerConfig

TEST_WORLDS = {"validation": (1_000, 1_001), "heldout": (2_000, 2_001, 2_002)}


def run(words: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "train-scorer",
        "Train a graph network that says how promising a half-built graph is: a process reward\n"
        "model. It plays tasks (gold, gold with mistakes, random moves, mixtures), continues from\n"
        "every state that it meets to see how it ends, and fits a network to that. Then it\n"
        "searches states that the network overrates, and trains on them too. It is assessed on\n"
        "tasks, worlds and sizes that it has not met, beside size, degree, distance to the seeds\n"
        "and a network without edges; the last line says whether it is worth anything.\n\n"
        "Use it in a reward: potential(gnn_value(scorer=FOLDER)) or gnn_process(scorer=FOLDER).",
        [
            "graphenv train-scorer kgqa --out runs/scorer",
            "graphenv train-scorer kgqa --hops 1 --tasks 100 --encoder gine --out runs/s1",
            "graphenv train-scorer subgraph --worlds 2 --tasks 200 --out runs/s2",
            "graphenv train-scorer kgqa --source metaqa --root DIR --worlds 0 --out runs/s3",
            "graphenv train kgqa --mode tools --credit turn "
            "--reward \"exact + potential(gnn_value(scorer='runs/scorer'))\"",
        ],
    )
    add_environment(parser)
    _add_states(parser)
    _add_network(parser)
    add_output(parser, out="folder for the scorer, assessment.json, config.json, calibration.png")
    args, extra = parser.split(words)
    if not args.out:
        parser.error("--out FOLDER is needed: a reward names the scorer by its folder")
    config = _config(args, extra)

    from graphenv.agents.gnn.sets import task_count
    from graphenv.agents.gnn.training import train_scorer

    steps = task_count(config.worlds) + config.fit.epochs * (2 + config.baselines)
    with progress(steps, "train-scorer") as tick:
        found = train_scorer(config, args.out, on_stage=_ticking(tick))
    told = {"folder": str(found.folder), "fingerprint": found.scorer.fingerprint, **found.report}
    if args.json:
        print_json(told)
    else:
        _show(found.report, found.folder)
    return 0


def _ticking(tick: Callable[..., None]) -> Callable[[str], None]:
    return lambda stage: tick() if stage in ("task", "epoch") else None


def _add_states(parser: Parser) -> None:
    parser.add_argument("--tasks", type=int, default=400, help="training tasks (default 400)")
    parser.add_argument(
        "--test_tasks", type=int, default=120, help="tasks of each other set (default 120)"
    )
    parser.add_argument(
        "--worlds",
        type=int,
        help="training worlds, by the source's argument seed (default 4; 0: the one world that "
        "the arguments name, which is the default where a source takes no seed)",
    )
    parser.add_argument(
        "--larger",
        action="append",
        metavar="KEY=VALUE",
        help="argument that makes tasks larger, for a test set of such (kgqa: hops=3); none "
        "for no such set",
    )
    parser.add_argument(
        "--continuations", type=int, default=4, help="episodes from each state (default 4)"
    )
    parser.add_argument(
        "--epsilon",
        type=float,
        default=0.15,
        help="chance of a stray turn before each gold one, when continuing (default 0.15)",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        help="outcome from which a state is a success (default 0.5; the median where nearly all "
        "states lie on one side of it)",
    )


def _add_network(parser: Parser) -> None:
    parser.add_argument(
        "--encoder", default="rgcn", help="rgcn (default), gine, gps; controls: mlp, none"
    )
    parser.add_argument("--hidden", type=int, default=64, help="length of vectors (default 64)")
    parser.add_argument("--layers", type=int, default=3, help="layers (default 3)")
    parser.add_argument(
        "--text",
        default="hashed:128",
        help="how words become vectors: hashed:SIZE (default hashed:128), embedding:NAME",
    )
    parser.add_argument("--epochs", type=int, default=16, help="passes at most (default 16)")
    parser.add_argument(
        "--hard_negatives",
        type=int,
        default=1,
        help="rounds of training on overrated states (default 1)",
    )
    parser.add_argument(
        "--no_baselines", action="store_true", help="do not train the network without edges"
    )


def _config(args: argparse.Namespace, extra: Mapping[str, Any]) -> ScorerConfig:
    from graphenv.agents.gnn.examples import Rollouts
    from graphenv.agents.gnn.fitting import FitConfig
    from graphenv.agents.gnn.model import ModelConfig
    from graphenv.agents.gnn.sets import LARGER, Worlds
    from graphenv.agents.gnn.training import ScorerConfig

    name = environment_name(args.environment)
    kwargs = env_kwargs(args, extra)
    count = args.worlds
    if count is None:
        count = 4 if _takes_seed(name, kwargs) else 0
    if count < 0:
        raise ConfigError("--worlds must be at least 0")
    larger = LARGER.get(name, {}) if not kwargs else {}
    if args.larger:
        larger = {} if args.larger == ["none"] else parse_pairs(args.larger)
    worlds = Worlds(
        environment=name,
        env_kwargs=kwargs,
        train=tuple(range(count)),
        validation=TEST_WORLDS["validation"] if count else (),
        heldout=TEST_WORLDS["heldout"] if count else (),
        tasks=args.tasks,
        test_tasks=args.test_tasks,
        larger=larger,
    )
    return ScorerConfig(
        worlds=worlds,
        rollouts=Rollouts(continuations=args.continuations, epsilon=args.epsilon, seed=args.seed),
        model=ModelConfig(encoder=args.encoder, hidden=args.hidden, layers=args.layers),
        fit=FitConfig(epochs=args.epochs, seed=args.seed),
        text=args.text,
        hard_negatives=args.hard_negatives,
        baselines=not args.no_baselines,
        threshold=args.threshold,
    )


def _takes_seed(name: str, kwargs: Mapping[str, Any]) -> bool:
    """Whether the source has worlds of its own making. Other mistakes are told here and now."""
    from graphenv import envs

    if "seed" in kwargs:
        return False
    envs.make(name, **{**kwargs, "split": "train"})
    try:
        envs.make(name, **{**kwargs, "split": "train", "seed": 0})
    except ConfigError:
        return False
    return True


def _show(report: Mapping[str, Any], folder: Path) -> None:
    for name, found in report["sets"].items():
        rows = [
            [
                rater,
                share(row["auc"]),
                _signed(row["progress"]),
                _signed(row["progress_within_tasks"]),
                share(row["calibration_error"]),
            ]
            for rater, row in found["raters"].items()
        ]
        title = (
            f"{name}: {found['states']} states of {found['tasks']} tasks, "
            f"{found['successes']:.0%} lead to success"
        )
        head = ["", "AUC", "progress", "within tasks", "calibration error"]
        print_table(head, rows, title=title)
        print()
    before, after = report["adversary"]["before"], report["adversary"]["after"]
    told = (
        f"attacked failures rated as successes: {before['fooled_after']:.0%} (as they were: "
        f"{before['fooled_before']:.0%})"
    )
    if after != before:  # there were rounds of hard negatives
        told += (
            f"; after training on such states {after['fooled_after']:.0%} "
            f"({after['fooled_before']:.0%})"
        )
    print(told)
    print(f"\n{report['verdict']}\nscorer: {folder}")


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"
