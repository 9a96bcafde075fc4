"""Rows of a training set: `{prompt, environment, index}`, and mixtures of environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphenv.envs.base import GraphEnv
from graphenv.errors import ConfigError
from graphenv.seeding import rng

__all__ = ["make_rows", "parse_mixture"]


def parse_mixture(text: str) -> dict[str, float]:
    """Return the weights of a mixture.

    Raises
    ------
    ConfigError
        If a weight is not a positive number or a name stands twice.

    >>> parse_mixture("text2sql:1, text2cypher:2")
    {'text2sql': 1.0, 'text2cypher': 2.0}
    >>> parse_mixture("kgqa")
    {'kgqa': 1.0}
    """
    weights: dict[str, float] = {}
    for piece in text.split(","):
        name, _, number = piece.strip().partition(":")
        try:
            weight = float(number) if number else 1.0
        except ValueError:
            weight = 0.0
        if not name or not weight > 0 or name in weights:
            raise ConfigError(
                f"mixture {text!r}: write NAME or NAME:WEIGHT, separated by commas, each name once "
                "and each weight a positive number"
            )
        weights[name] = weight
    return weights


def make_rows(
    envs: Mapping[str, GraphEnv], weights: Mapping[str, float], count: int, seed: int
) -> list[dict[str, Any]]:
    """Return `count` rows drawn from environments by weight; within one, tasks do not repeat
    before all have been used. A row's prompt is the opening chat of its task.
    """
    names: Sequence[str] = sorted(envs)
    total = sum(weights[name] for name in names)
    generator = rng("rows", seed)
    shares = [weights[name] / total for name in names]
    picks = generator.choice(len(names), size=count, p=shares)
    orders: dict[str, list[int]] = {name: [] for name in names}
    rows = []
    for pick in picks:
        name = names[int(pick)]
        if not orders[name]:
            # A fresh order each time round; large sources are sampled, not shuffled whole.
            size = len(envs[name].tasks)
            drawn = generator.choice(size, size=min(size, count), replace=False)
            orders[name] = [int(i) for i in drawn]
        index = orders[name].pop()
        messages = [dict(message) for message in envs[name].tasks[index].messages]
        rows.append({"prompt": messages, "environment": name, "index": index})
    return rows
