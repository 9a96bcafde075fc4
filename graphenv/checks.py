"""Checks that many arguments share."""

from __future__ import annotations

import math
from typing import TypeGuard

__all__ = ["is_whole"]


def is_whole(value: object, low: float = -math.inf, high: float = math.inf) -> TypeGuard[int]:
    """Return whether `value` is an int (and no truth value, which Python counts as one) in range.

    >>> is_whole(3, 1), is_whole(True), is_whole(2.0), is_whole(0, 1)
    (True, False, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
