"""`graphenv validate`."""

from __future__ import annotations

from collections.abc import Sequence

from graphenv.cli.options import Parser, add_environment, add_output, env_kwargs, environment_name
from graphenv.cli.output import print_json, print_table, progress, share
from graphenv.envs.base import GraphEnv
from graphenv.errors import ConfigError

GRADED = (
    *("0.5*answer_f1 + 0.5*path_similarity", "0.5*answer_f1 + 0.5*rationale_f1", "answer_f1"),
    *("graphenv-query", "0.5*query_ged + 0.5*component_f1"),
)
"""Rewards that grade by degrees, the most telling first; the first that the source can feed."""


def run(words: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "validate",
        "Let players whose order is known play a source: gold answers, an oracle with 0 to 5\n"
        "planted errors, random moves, the prompt as answer, everything as answer. They must come\n"
        "out in that order. Exit code 1 if they do not.",
        [
            "graphenv validate kgqa",
            "graphenv validate kgqa --source metaqa --root DIR --hops 3 --tasks 200",
            "graphenv validate kgqa --mode program --reward answer_f1 --json",
        ],
    )
    add_environment(parser)
    parser.add_argument("--tasks", type=int, default=100, help="tasks to play (default 100)")
    parser.add_argument(
        "--reward", help="what ranks the players (default: one that grades by degrees)"
    )
    add_output(parser)
    args, extra = parser.split(words)
    if args.tasks < 1:
        parser.error("--tasks must be at least 1")
    kwargs = env_kwargs(args, extra)
    env = _make(environment_name(args.environment), kwargs, args.reward)

    from graphenv.agents.base import task_indices
    from graphenv.benchmarks.validate import BLIND, ERRORS, validate

    indices = task_indices(len(env.tasks), args.tasks, env.kwargs["split"])
    with progress(len(ERRORS) + len(BLIND) + 2, "players") as tick:
        result = validate(env, indices, seed=args.seed, on_player=tick)
    if args.json:
        print_json(result.to_json())
        return 0 if result.ok else 1
    rows = [
        [
            player.name,
            share(player.success.value),
            f"{player.success.low:.3f} to {player.success.high:.3f}",
            share(player.reward),
            ", ".join(f"{status} {count}" for status, count in player.statuses.items()),
        ]
        for player in result.players
    ]
    title = f"{env.env_id}, {result.tasks} tasks, reward {result.reward}"
    print_table(["player", "truth", "95% interval", "reward", "ended"], rows, title=title)
    print()
    for problem in result.problems:
        print(f"NOT as it must be: {problem}")
    if result.ok:
        print("in order")
    return 0 if result.ok else 1


def _make(name: str, kwargs: dict[str, object], reward: str | None) -> GraphEnv:
    from graphenv import envs

    if reward is not None:
        return envs.make(name, **{**kwargs, "reward": reward})
    plain = envs.make(name, **kwargs)
    for graded in GRADED:
        try:
            return envs.make(name, **{**kwargs, "reward": graded})
        except ConfigError:
            continue  # the family or the source lacks what this reward needs
    return plain
