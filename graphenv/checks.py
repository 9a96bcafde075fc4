"""Checks that many arguments share: `is_...` answers, the others raise `ConfigError`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeGuard

from graphenv.errors import ConfigError, did_you_mean

__all__ = ["flag", "is_number", "is_whole", "one_of", "whole"]


def is_whole(value: object, low: float = -math.inf, high: float = math.inf) -> TypeGuard[int]:
    """Return whether `value` is an int (and no truth value, which Python counts as one) in range.

    >>> is_whole(3, 1), is_whole(True), is_whole(2.0), is_whole(0, 1)
    (True, False, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_number(value: object, low: float, high: float) -> TypeGuard[float]:
    """Return whether `value` is a number (and no truth value) from `low` to `high`.

    >>> is_number(0.5, 0, 1), is_number(True, 0, 1), is_number("0.5", 0, 1), is_number(2, 0, 1)
    (True, False, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def whole(where: str, name: str, value: object, low: float, high: float = math.inf) -> int:
    """Return `value` if it is a whole number from `low` to `high`.

    Raises
    ------
    ConfigError
        If it is not; the message begins with `where`.

    >>> whole("demo", "steps", 0, 1)
    Traceback (most recent call last):
    ...
    graphenv.errors.ConfigError: demo: steps=0 must be a whole number >= 1
    """
    if not is_whole(value, low, high):
        wanted = f">= {low}" if high == math.inf else f"from {low} to {high}"
        raise ConfigError(f"{where}: {name}={value!r} must be a whole number {wanted}")
    return value


def one_of(where: str, name: str, value: object, known: Iterable[str]) -> str:
    """Return `value` if it is one of the names `known`.

    Raises
    ------
    ConfigError
        If it is not; the message begins with `where` and offers the nearest name.

    >>> one_of("demo", "mode", "tool", ("tools", "program"))
    Traceback (most recent call last):
    ...
    graphenv.errors.ConfigError: demo: mode='tool' is not one of tools, program. \
Did you mean 'tools'?
    """
    names = list(known)
    if not isinstance(value, str) or value not in names:
        hint = did_you_mean(str(value), names)
        near = f".{hint}" if "Did you mean" in hint else ""
        raise ConfigError(f"{where}: {name}={value!r} is not one of {', '.join(names)}{near}")
    return value


def flag(where: str, name: str, value: object) -> bool:
    """Return `value` if it is `True` or `False`: what is merely truthy is a mistake.

    Raises
    ------
    ConfigError
        If it is not; the message begins with `where`.
    """
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: {name}={value!r} must be true or false")
    return value
