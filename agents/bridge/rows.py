"""Rows of a training set: `{prompt, environment, index}`, and mixtures of environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphenv.agents.chats import images_apart
from graphenv.envs.base import GraphEnv
from graphenv.errors import ConfigError
from graphenv.seeding import rng

__all__ = ["Share", "draw_names", "make_dataset", "make_rows", "parse_mixture"]


@dataclass(frozen=True)
class Share:
    """One environment of a mixture: the family it is of, and its weight."""

    family: str
    weight: float


def parse_mixture(text: str) -> dict[str, Share]:
    """Return the environments of a mixture by name.

    A piece is `family`, `family:weight` or `name=family:weight`; the last form lets two
    environments of one family (two sources, say) stand in a mixture.

    Raises
    ------
    ConfigError
        If a weight is not a positive number or a name stands twice.

    >>> parse_mixture("text2sql, text2cypher:2")["text2cypher"]
    Share(family='text2cypher', weight=2.0)
    >>> list(parse_mixture("movies=kgqa:1, toy=kgqa:1"))
    ['movies', 'toy']
    """
    found: dict[str, Share] = {}
    for piece in text.split(","):
        rest, _, number = piece.strip().partition(":")
        name, given, family = rest.partition("=")
        try:
            weight = float(number) if number else 1.0
        except ValueError:
            weight = 0.0
        if not name or (given and not family) or not 0 < weight < float("inf") or name in found:
            raise ConfigError(
                f"mixture {text!r}: write FAMILY, FAMILY:WEIGHT or NAME=FAMILY:WEIGHT, separated "
                "by commas, each name once and each weight a positive number"
            )
        found[name] = Share(family or name, weight)
    return found


def draw_names(
    weights: Mapping[str, float], count: int, generator: np.random.Generator
) -> list[str]:
    """Return `count` names drawn by weight; the order in which they are given does not matter."""
    names = sorted(weights)
    total = sum(weights.values())
    picks = generator.choice(len(names), size=count, p=[weights[n] / total for n in names])
    return [names[pick] for pick in picks.tolist()]


def make_rows(
    envs: Mapping[str, GraphEnv], weights: Mapping[str, float], count: int, seed: int
) -> list[dict[str, Any]]:
    """Return `count` rows drawn from environments by weight; within one, tasks do not repeat
    before all have been used. A row's prompt is the opening chat of its task.

    If a prompt holds an image, every row has `images` too (files, none for a prompt of text), and
    the prompt is text: the form that TRL takes for vision-language models.
    """
    generator = rng("rows", seed)
    orders: dict[str, list[int]] = {name: [] for name in envs}
    rows = []
    for name in draw_names(weights, count, generator):
        if not orders[name]:
            # A fresh order each time round; large sources are sampled, not shuffled whole.
            size = len(envs[name].tasks)
            drawn = generator.choice(size, size=min(size, count), replace=False)
            orders[name] = [int(i) for i in drawn]
        index = orders[name].pop()
        messages, images = images_apart(envs[name].tasks[index].messages)
        rows.append({"prompt": messages, "environment": name, "index": index, "images": images})
    if not any(row["images"] for row in rows):
        for row in rows:
            del row["images"]
    return rows


def make_dataset(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return rows as the `datasets.Dataset` that TRL trains on; images are opened when read."""
    from datasets import Dataset, Image, List

    found = Dataset.from_list([dict(row) for row in rows])
    return found.cast_column("images", List(Image())) if "images" in found.features else found
