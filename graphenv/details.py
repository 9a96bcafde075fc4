"""How the details of a reward term are told to a person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

__all__ = ["MAX_LISTED", "Told", "brief", "listed", "tell"]

Told = tuple[str, list[str]]
MAX_LISTED = 20
"""Lines that a list among the details has; one more says how many follow."""
DEAR = frozenset({"edit_path"})
"""Details that cost more to make than the value they explain: made only for a reader."""


def brief(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the details that cost nothing.

    >>> brief({"interval": [3.0, 3.0], "edit_path": ["add 'x'"]})
    {'interval': [3.0, 3.0]}
    """
    return {key: details[key] for key in details if key not in DEAR}


def listed(texts: Iterable[str], count: int) -> list[str]:
    """Return the first `MAX_LISTED` of `count` texts, and how many follow.

    >>> listed((f"edit {i}" for i in range(5_000)), 5_000)[-2:]
    ['edit 19', '... and 4,980 more']
    """
    lines = list(islice(texts, MAX_LISTED))
    return [*lines, f"... and {count - MAX_LISTED:,} more"] if count > MAX_LISTED else lines


def tell(details: Mapping[str, Any]) -> Told:
    """Return a headline and the lines below it.

    Known keys: `interval` (lower, upper) of a distance, with its name in `measure`, `exact` and, if
    it is not, a `reason`; `edit_path`, what would have to change. All else is shown as JSON.

    >>> tell({"measure": "GED", "interval": [3.0, 3.0], "exact": True, "edit_path": ["add 'x'"]})
    ('GED 3 (exact)', ["add 'x'"])
    >>> tell({"measure": "GED", "interval": [4.0, 6.5], "exact": False, "reason": "budget"})
    ('GED between 4 and 6.5 (stopped by budget)', [])
    """
    rest = dict(details)
    headline = ""
    measure = rest.pop("measure", "distance")
    if "interval" in rest:
        low, high = rest.pop("interval")
        reason = rest.pop("reason", "")
        if rest.pop("exact", low == high):
            headline = f"{measure} {high:g} (exact)"
        else:
            headline = f"{measure} between {low:g} and {high:g}"
            headline += f" (stopped by {reason})" if reason else ""
    lines = [str(edit) for edit in rest.pop("edit_path", ())]
    lines += [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in rest.items()]
    return headline, lines
