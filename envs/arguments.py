"""What constructors of environments share: their arguments on record, and the limit of turns."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from graphenv.errors import ConfigError

__all__ = ["offered", "recorded", "turn_limit"]

_NOT_RECORDED = {"self", "__class__", "env_id", "render_mode"}
"""Names the environment itself, or changes nothing that happens in it."""


def recorded(local: Mapping[str, Any], rest: str = "source_arguments") -> dict[str, Any]:
    """Return a constructor's `locals()` as the arguments that make the environment again.

    To be called in its first line, when it has no other names yet; `rest` is its `**` parameter.

    >>> def constructor(*, source="made", split="train", env_id="X", **source_arguments):
    ...     return recorded(locals())
    >>> constructor(split="heldout", hops=2, env_id="Y")
    {'source': 'made', 'split': 'heldout', 'hops': 2}
    """
    own = {n: value for n, value in local.items() if n not in _NOT_RECORDED and n != rest}
    return {**own, **local.get(rest, {})}


def offered(cls: type) -> list[str]:
    """Return the arguments that a class takes by name: to be offered when one is misspelt."""
    parameters = inspect.signature(cls).parameters.values()
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "env_id"]


def turn_limit(env_id: str, max_turns: int | None, default: int, *, mode: str, single: str) -> int:
    """Return how many turns an episode has: one in mode `single`, else `default` if not given.

    Raises
    ------
    ConfigError
        If more turns are asked for in a mode that has one.

    >>> turn_limit("X", None, 12, mode="tools", single="program")
    12
    >>> turn_limit("X", None, 12, mode="program", single="program")
    1
    """
    if mode != single:
        return default if max_turns is None else max_turns
    if max_turns not in (None, 1):
        raise ConfigError(f"{env_id}: {single} mode has one turn; max_turns={max_turns!r}")
    return 1
