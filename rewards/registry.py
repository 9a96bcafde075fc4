"""The table of reward terms: one row a term, imported when first asked for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from graphenv.errors import ConfigError, UnknownNameError, did_you_mean
from graphenv.rewards.terms import Term

__all__ = ["TERMS", "make_term", "term_class"]

TERMS: dict[str, str] = {
    # content
    "exact": "graphenv.rewards.answers:Exact",
    "answer_f1": "graphenv.rewards.answers:AnswerF1",
    "hits": "graphenv.rewards.answers:Hits",
    "node_f1": "graphenv.rewards.graphs:NodeF1",
    "edge_f1": "graphenv.rewards.graphs:EdgeF1",
    "triple_f1": "graphenv.rewards.graphs:TripleF1",
    "path_similarity": "graphenv.rewards.paths:PathSimilarity",
    "user": "graphenv.rewards.user:User",
    # form
    "format": "graphenv.rewards.form:Format",
    "path_validity": "graphenv.rewards.paths:PathValidity",
    # step terms
    "progress": "graphenv.rewards.paths:Progress",
    "turn_cost": "graphenv.rewards.form:TurnCost",
}


def term_class(name: str) -> type[Term]:
    """Return the class behind a term's name.

    Raises
    ------
    UnknownNameError
        If the name is not in `TERMS`; the message offers the nearest ones.
    """
    if name not in TERMS:
        raise UnknownNameError(f"reward term {name!r} is unknown.{did_you_mean(name, TERMS)}")
    module, _, attribute = TERMS[name].partition(":")
    found = getattr(import_module(module), attribute)
    assert isinstance(found, type) and issubclass(found, Term)
    return found


def make_term(name: str, arguments: Mapping[str, Any]) -> Term:
    """Return the term `name` made with keyword constants.

    Raises
    ------
    ConfigError
        If an argument is unknown or missing; the message lists those that exist.
    """
    cls = term_class(name)
    accepted = {
        p.name: p for p in inspect.signature(cls).parameters.values() if p.kind == p.KEYWORD_ONLY
    }
    for argument in arguments:
        if argument not in accepted:
            hint = did_you_mean(argument, accepted) or " It takes none."
            raise ConfigError(f"{name}: unknown argument {argument!r}.{hint}")
    missing = [n for n, p in accepted.items() if p.default is p.empty and n not in arguments]
    if missing:
        raise ConfigError(f"{name}: missing argument(s) {', '.join(missing)}")
    return cls(**arguments)
