"""Environments: text to facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphenv.envs.registry import ENVIRONMENTS, register_all

if TYPE_CHECKING:
    from graphenv.envs.base import GraphEnv

__all__ = ["ENVIRONMENTS", "make", "register_all"]


def make(name: str, **kwargs: Any) -> GraphEnv:
    """Return a bare environment by short name or id, without Gymnasium's wrappers.

    Raises
    ------
    UnknownNameError
        If no environment has that name.

    >>> make("kgqa", mode="program").env_id
    'graphenv/KGQA-v0'
    """
    from graphenv.errors import UnknownNameError, did_you_mean
    from graphenv.references import load_row

    rows = {key: row for row in ENVIRONMENTS for key in (row.name, row.id)}
    if name not in rows:
        raise UnknownNameError(f"environment {name!r} is unknown.{did_you_mean(name, rows)}")
    env: GraphEnv = load_row(rows[name].entry_point)(env_id=rows[name].id, **kwargs)
    return env
