"""A verdict of the user's own, named as text so that a reward stays a string."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.rewards.terms import EndTerm

__all__ = ["User", "load_attribute"]


def load_attribute(reference: str) -> Any:
    """Return what a `"module:attribute"` string names.

    Raises
    ------
    ConfigError
        If it is no such string, or the module or attribute does not exist.

    >>> load_attribute("math:sqrt")(9.0)
    3.0
    """
    if not isinstance(reference, str) or reference.count(":") != 1:
        raise ConfigError(
            f"{reference!r} is not a reference; write 'module:attribute'. A lambda or closure "
            "cannot be stored with a run: put the function into an importable module."
        )
    module, _, attribute = reference.partition(":")
    if not module or module.startswith(".") or not attribute:
        raise ConfigError(f"{reference!r} is not a reference; write 'module:attribute' in full.")
    try:
        found: Any = import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"{reference!r} cannot be loaded ({error}). Is the module on the Python path?"
        ) from error
    return found


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
