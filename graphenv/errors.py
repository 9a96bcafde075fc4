"""Every exception that graphenv raises on purpose.

Bad input from a *user* is one of these; bad input from a *model* is a status, never an exception.
Messages say what was asked, what was found, the likely cause and the next step.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ConfigError",
    "DataError",
    "GraphEnvError",
    "ReplayMismatch",
    "RewardError",
    "UnknownNameError",
    "did_you_mean",
]


class GraphEnvError(Exception):
    """Base class of all errors of this package."""


class ConfigError(GraphEnvError, ValueError):
    """An argument, reward expression or combination of settings that cannot work."""


class DataError(GraphEnvError, ValueError):
    """A data file or folder that is missing, broken or in another layout than asked for."""


class UnknownNameError(GraphEnvError, KeyError):
    """A name (entity, relation, reward term, source ...) that is not known here."""

    def __str__(self) -> str:
        # KeyError prints repr(args[0]), which would show a message with escaped newlines.
        return str(self.args[0]) if self.args else ""


class RewardError(GraphEnvError, RuntimeError):
    """A verifier's own crash: never a wrong answer, never a zero."""


class ReplayMismatch(GraphEnvError, RuntimeError):
    """A stored episode whose replay gives other facts than those recorded."""


def did_you_mean(asked: str, known: Iterable[str], *, n: int = 3) -> str:
    """Return `" Did you mean 'x', 'y'?"` for the nearest known names, or a list of what is known.

    >>> did_you_mean("exakt", ["exact", "hits"])
    " Did you mean 'exact'?"
    >>> did_you_mean("GED", ["ged", "hits"])
    " Did you mean 'ged'?"
    >>> did_you_mean("zzz", ["exact", "hits"])
    ' Known: exact, hits.'
    """
    names = sorted(known)
    folded = {name.lower(): name for name in reversed(names)}
    close = [folded[m] for m in get_close_matches(asked[:80].lower(), folded, n=n, cutoff=0.6)]
    if close:
        return f" Did you mean {', '.join(repr(name) for name in close)}?"
    shown = ", ".join(names[:30]) + (f", ... ({len(names)} in all)" if len(names) > 30 else "")
    return f" Known: {shown}." if names else ""
