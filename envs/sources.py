"""A family's sources by name: from a row of its table and arguments to the source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from graphenv.errors import UnknownNameError, did_you_mean
from graphenv.references import check_keywords, load_row
from graphenv.task import TaskSource

__all__ = ["named_source"]

S = TypeVar("S", bound=TaskSource)


def named_source(
    kind: type[S],
    rows: Mapping[str, str],
    name: str,
    arguments: Mapping[str, Any],
    *,
    what: str,
    also: Iterable[str] = (),
    positional: tuple[Any, ...] = (),
) -> S:
    """Return the source `name` of a table, made with these arguments.

    Parameters
    ----------
    kind
        The class that all sources of the table have.
    rows
        The table: names, and where the classes stand.
    arguments, positional
        What the class takes by name, and in order.
    what
        The family, in messages.
    also
        Further arguments that are offered when one is misspelt: those of the environment.

    Raises
    ------
    UnknownNameError
        If there is no such source.
    ConfigError
        If an argument is unknown or missing.
    """
    if name not in rows:
        raise UnknownNameError(f"{what}: source {name!r} is unknown.{did_you_mean(name, rows)}")
    cls = load_row(rows[name])
    check_keywords(f"{what}: source={name!r}", cls, arguments, also=also)
    source = cls(*positional, **arguments)
    assert isinstance(source, kind)
    return source
