"""What players reach that were not trained, on scenes and documents, and how rewards order it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from graphenv import agents, envs
from graphenv.agents.base import rollout_batch, task_indices
from graphenv.benchmarks.comparison.stats import rank_correlation
from graphenv.benchmarks.suite import data_folder
from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode
from graphenv.rewards import parse
from graphenv.text import normalize

__all__ = ["PLAYERS", "RANKED", "floors", "rankings"]

PLAYERS = ("oracle", "random", "rules")


class _Played(NamedTuple):
    """A source that is played: its environment, its folder under `GRAPHENV_DATA`, its reward."""

    env: str
    source: str
    folder: str | None = None

    def make(self, reward: str | None = None) -> GraphEnv | None:
        """Return its held-out tasks, `None` and a word on standard error without its data."""
        kwargs: dict[str, Any] = {"source": self.source, "split": "heldout"}
        if self.folder is not None:
            above = data_folder(str(Path(self.folder).parent))
            root = None if above is None else above / Path(self.folder).name
            if root is None or not root.is_dir():
                print(f"GRAPHENV_DATA/{self.folder} is not there: left out", file=sys.stderr)
                return None
            kwargs["root"] = str(root)
        return envs.make(self.env, **kwargs, **({} if reward is None else {"reward": reward}))


_SCENES = (
    _Played("scene-graph", "synthetic"),
    _Played("scene-graph", "factual", "scene_graph/factual"),
)
_DOCUMENTS = _Played("kg-construction", "synthetic")
_EVERY = (
    *_SCENES,
    _DOCUMENTS,
    _Played("kg-construction", "webnlg", "kg_construction/webnlg_v1.6_en"),
    _Played("kg-construction", "conll04", "kg_construction/conll04"),
    _Played("kg-construction", "redocred", "kg_construction/re_docred"),
    _Played("kg-construction", "retrieval", "kg_construction/2wiki_retrieval"),
)
_PARTS = ("object_f1", "attribute_f1", "relation_f1", "entity_f1")

RANKED: dict[str, tuple[str, ...]] = {
    "scene-graph": (
        "triple_f1",
        "soft_match",
        "object_f1 + attribute_f1 + relation_f1",
        "ged",
        "r1-sgg",
    ),
    "kg-construction": (
        "kg_f1",
        "graphenv-construction",
        "ged",
        "autograph-index",
        "autograph-carrier",
        "carrier",
        "grounding",
    ),
}
"""The rewards whose order is compared with that of the truth."""


def floors(*, quick: bool) -> list[dict[str, Any]]:
    """Return, for every source and player, the truth on held-out tasks and the metrics of parts.

    500 tasks, drawn the same in every run, or all; a source without gold triples has no oracle.
    """
    rows = []
    for played in _EVERY:
        env = played.make()
        if env is None:
            continue
        indices = _some(env, 10 if quick else 500)
        for player in PLAYERS:
            if player == "oracle" and "target.graph" not in env.provides:
                continue
            episodes = _episodes(env, player, indices)
            rows.append(
                {
                    "env": played.env,
                    "source": played.source,
                    "player": player,
                    "tasks": len(indices),
                    "of": len(env.tasks),
                    "truth": _mean([e.success or 0.0 for e in episodes]),
                    "parts": {
                        name: _mean([e.metrics[name] for e in episodes if name in e.metrics])
                        for name in _PARTS
                        if any(name in e.metrics for e in episodes)
                    },
                }
            )
            print(rows[-1], flush=True)
    return rows


def rankings(*, quick: bool) -> list[dict[str, Any]]:
    """Return the rank correlation of rewards with the truth, on what the agent `rules` wrote.

    Held-out tasks, 500 of scenes and 300 of documents. "No twins": those in whose gold scene no two
    objects have one label. `grounded` and `wrong` are the mean share of triples that are grounded,
    and that are not gold.
    """
    rows: list[dict[str, Any]] = []
    for played, most in (*((scenes, 500) for scenes in _SCENES), (_DOCUMENTS, 300)):
        rewards = RANKED[played.env]
        env = played.make(" + ".join(parse(text).name for text in rewards))
        if env is None:
            continue
        episodes = _episodes(env, "rules", _some(env, 10 if quick else most))
        rows.append(_ranked(played.env, played.source, episodes))
        if played.env == "scene-graph" and played.source == "synthetic":
            alone = [episode for episode in episodes if not _twins(episode)]
            rows.append(_ranked(played.env, f"{played.source}, no twins", alone))
        if played is _DOCUMENTS:
            grounded = [score.value or 0.0 for score in parse("grounding")(episodes)]
            rows[-1]["grounded"] = _mean(grounded)
            rows[-1]["wrong"] = _mean([1.0 - e.metrics["precision"] for e in episodes])
        print(*rows[-2:], sep="\n", flush=True)
    return rows


def _ranked(env: str, source: str, episodes: Sequence[Episode]) -> dict[str, Any]:
    truth = [episode.success or 0.0 for episode in episodes]
    return {
        "env": env,
        "source": source,
        "tasks": len(episodes),
        "correlation": {text: _correlation(text, episodes, truth) for text in RANKED[env]},
    }


def _correlation(text: str, episodes: Sequence[Episode], truth: Sequence[float]) -> float | None:
    """Return Spearman's correlation over the episodes to which a reward applies."""
    pairs = [
        (score.value, true)
        for score, true in zip(parse(text)(episodes), truth, strict=True)
        if score.value is not None
    ]
    return rank_correlation([value for value, _ in pairs], [true for _, true in pairs])


def _twins(episode: Episode) -> bool:
    scene = episode.task.target.scene
    assert scene is not None
    labels = [normalize(thing.label) for thing in scene.objects]
    return len(set(labels)) < len(labels)


def _episodes(env: GraphEnv, player: str, indices: Sequence[int]) -> list[Episode]:
    drawn = {"seed": 0} if player == "random" else {}
    return rollout_batch(env, agents.make(player, env, **drawn), indices)


def _some(env: GraphEnv, most: int) -> list[int]:
    """Return the tasks that `graphenv eval` plays."""
    return task_indices(len(env.tasks), most, "heldout")


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
