"""Rewards: facts to numbers. Small terms, composed by a safe expression language."""

from __future__ import annotations

from graphenv.errors import ConfigError, UnknownNameError, did_you_mean
from graphenv.facts import FAMILIES
from graphenv.rewards.expression import ExpressionReward, parse
from graphenv.rewards.presets import PRESETS, preset
from graphenv.rewards.registry import TERMS, make_term, term_class
from graphenv.rewards.terms import CostTerm, EndTerm, Grade, ShapingTerm, StepTerm, Term

__all__ = [
    "PRESETS",
    "TERMS",
    "CostTerm",
    "EndTerm",
    "ExpressionReward",
    "Grade",
    "ShapingTerm",
    "StepTerm",
    "Term",
    "check_provided",
    "make_term",
    "names",
    "parse",
    "preset",
    "term_class",
]


def names(family: str | None = None) -> list[str]:
    """Return the names of all terms, or of those that a family can feed.

    Raises
    ------
    UnknownNameError
        If `family` is not a family (see `graphenv.facts.FAMILIES`).

    >>> "path_similarity" in names(family="kgqa")
    True
    """
    if family is None:
        return list(TERMS)
    if family not in FAMILIES:
        raise UnknownNameError(f"family {family!r} is unknown.{did_you_mean(family, FAMILIES)}")
    return _fed_by(FAMILIES[family])


def _fed_by(provides: frozenset[str]) -> list[str]:
    return [name for name in TERMS if term_class(name).needs <= provides]


def check_provided(reward: ExpressionReward, provides: frozenset[str], family: str) -> None:
    """Refuse a reward whose terms read facts that a family or its source lacks.

    Raises
    ------
    ConfigError
        Naming the term, the family and what is missing.
    """
    for text, needs in reward.term_needs().items():
        missing = sorted(needs - provides)
        if missing:
            raise ConfigError(
                f"reward term {text!r} needs {', '.join(missing)}, which {family} does not "
                f"provide. Terms that work here: {', '.join(_fed_by(provides))}."
            )
