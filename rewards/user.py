"""A verdict of the user's own, named as text so that a reward stays a string."""

from __future__ import annotations

from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.references import load_attribute
from graphenv.rewards.terms import EndTerm

__all__ = ["User"]


class User(EndTerm):
    """A function of the user's: `user(function="module:attribute")`.

    The function takes an `Episode` and returns a number in [0, 1], or `None` if it does not apply.
    """

    def __init__(self, *, function: str) -> None:
        self.function = function
        if not callable(load_attribute(function)):
            raise ConfigError(f"user(function={function!r}): not callable")

    def score(self, episode: Episode) -> float | None:
        """Return what the function says."""
        value = load_attribute(self.function)(episode)
        return None if value is None else float(value)
