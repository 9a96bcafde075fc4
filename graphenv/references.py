"""Things named by text: `module:attribute`, and the keyword arguments that they take."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from graphenv.errors import ConfigError, did_you_mean

__all__ = ["check_keywords", "load_attribute", "load_row"]


def load_row(entry: str) -> Any:
    """Return what a `"module:attribute"` entry of one of our own tables names.

    An import that fails stays what it is: it names the extra that is not installed.
    """
    module, _, attribute = entry.partition(":")
    return getattr(import_module(module), attribute)


def load_attribute(reference: str) -> Any:
    """Return what a `"module:attribute"` string of a user's names.

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
    except ImportError as error:
        raise ConfigError(
            f"{reference!r} cannot be loaded ({error}). Is the module on the Python path? For a "
            "file in this folder, put PYTHONPATH=. before the command."
        ) from error
    except AttributeError as error:
        raise ConfigError(f"{reference!r} cannot be loaded ({error}). Is it spelt so?") from error
    return found


def check_keywords(
    what: str, call: Callable[..., Any], given: Iterable[str], *, also: Iterable[str] = ()
) -> None:
    """Check the names of arguments against the keyword-only parameters of `call`.

    Parameters
    ----------
    what
        How the message calls it.
    also
        Further names that are offered when one is misspelt.

    Raises
    ------
    ConfigError
        If one is unknown, with the nearest names, or missing.

    >>> def hits(*, k=1): ...
    >>> check_keywords("hits", hits, ["n"])
    Traceback (most recent call last):
    ...
    graphenv.errors.ConfigError: hits: unknown argument 'n'. Known: k.
    """
    accepted = {
        p.name: p for p in inspect.signature(call).parameters.values() if p.kind == p.KEYWORD_ONLY
    }
    given = set(given)
    for name in sorted(given - set(accepted)):
        hint = did_you_mean(name, {*accepted, *also}) or " It takes none."
        raise ConfigError(f"{what}: unknown argument {name!r}.{hint}")
    missing = [n for n, p in accepted.items() if p.default is p.empty and n not in given]
    if missing:
        raise ConfigError(f"{what} needs {', '.join(f'{n}=' for n in missing)}")
