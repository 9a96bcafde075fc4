"""Small environments of scene graphs, played by hand: task 0 says that a goat eats a red hat."""

from __future__ import annotations

import json
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import scene_layouts as layouts

from graphenv import envs
from graphenv.envs.scenes import SceneGraphEnv
from graphenv.episode import Episode

__all__ = ["GOLD", "asked", "block", "env_with", "related"]

_FOLDER = tempfile.TemporaryDirectory(prefix="graphenv-scenes-", ignore_cleanup_errors=True)


@lru_cache(maxsize=1)
def _roots() -> dict[str, str]:
    folder = Path(_FOLDER.name)
    rows = [
        layouts.caption_row(
            "d1", "a goat eats a red hat", ["goat", "eat", "hat"], ["hat", "is", "red"]
        ),
        layouts.caption_row("d2", "a kite", ["kite"]),
    ]
    factual = layouts.factual(folder / "factual", dev__jsonl=rows)
    return {"factual": factual, "vrd": layouts.vrd(folder / "vrd")}


def env_with(source: str = "factual", **kwargs: Any) -> SceneGraphEnv:
    """Return an environment over the small layouts, or over made scenes; made once."""
    root = {"root": _roots()[source]} if source in _roots() else {}
    return _env(json.dumps({"split": "heldout", "source": source, **root, **kwargs}))


@lru_cache(maxsize=32)
def _env(kwargs: str) -> SceneGraphEnv:
    env = envs.make("scene-graph", **json.loads(kwargs))
    assert isinstance(env, SceneGraphEnv)
    return env


def block(value: Any) -> str:
    """Return a JSON value, or text, in a fenced block."""
    return f"```json\n{value if isinstance(value, str) else json.dumps(value)}\n```"


def related(subject: str, predicate: str, object: str) -> dict[str, str]:
    """Return a relationship of an answer."""
    return {"subject": subject, "predicate": predicate, "object": object}


GOLD: dict[str, Any] = {
    "objects": [{"id": "goat.1"}, {"id": "hat.1", "attributes": ["red"]}],
    "relationships": [related("goat.1", "eat", "hat.1")],
}
"""The gold of task 0 of `factual`."""


def asked(text: str, **kwargs: Any) -> Episode:
    """Return the episode of task 0 that answers with a text."""
    return env_with(**kwargs).play(0, [text])
