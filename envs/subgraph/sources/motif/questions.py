"""From a pattern to a question in words; some frames are held out."""

from __future__ import annotations

from collections.abc import Sequence

from graphenv.choices import Choices
from graphenv.envs.subgraph.sources.motif.patterns import Constraint, Pattern
from graphenv.envs.subgraph.sources.motif.schema import FEATURES, RELATIONS

__all__ = ["FRAMES", "NOUNS", "WORDINGS", "question"]

WORDINGS = ("sentences", "short")
_LETTERS = "XYZUVW"

FRAMES: dict[str, tuple[str, ...]] = {
    "seen": (
        "Find the {noun} in which {told}.",
        "Which {noun} is it where {told}? Give its edges.",
        "Cut out the {noun} in which {told}.",
        "In one {noun} of this network, {told}. Return that {noun}.",
        "It is known that {told}. Which edges make up this {noun}?",
    ),
    "unseen": (
        "I need the {noun} for which it holds that {told}.",
        "Somewhere in here {told}; show me that {noun}, edge by edge.",
    ),
}
"""`unseen` frames occur in `heldout` only (`meta["wording"]`)."""

NOUNS = {
    "edge": ("link", "edge"),
    "path2": ("chain of two edges", "path with one stop"),
    "path3": ("chain of three edges", "path with two stops"),
    "star3": ("star of three edges", "hub with three neighbours"),
    "triangle": ("triangle", "trio joined all round"),
    "cycle4": ("ring of four edges", "cycle through four entities"),
    "diamond": ("diamond", "pair of parallel paths with the same ends"),
}

_RULES = {
    "trait": ("described as {what}", "that is said to be {what}"),
    "above": ("with {what} above {bound}", "whose {what} is more than {bound}"),
    "below": ("with {what} below {bound}", "whose {what} is less than {bound}"),
}


def question(
    pattern: Pattern,
    shape: str,
    names: Sequence[str],
    types: Sequence[str],
    choose: Choices,
    *,
    wording: str,
    frames: str,
) -> str:
    """Return the question that a pattern puts.

    Parameters
    ----------
    pattern, shape
        What is asked for.
    names
        Names of entities by id.
    types
        Type of each variable.
    choose
        Where the choices come from.
    wording
        `sentences`, or `short` for a list of edges with variables.
    frames
        `seen` or `unseen`.
    """
    letters = iter(_LETTERS)
    said: dict[int, str] = {}

    def mention(variable: int) -> str:
        if variable in said:
            return said[variable]
        known = pattern.named.get(variable)
        rules = [r for r in pattern.constraints if r.variable == variable]
        if known is not None:
            said[variable] = f"[{names[known]}]"
            first = said[variable]
        else:
            said[variable] = next(letters)
            kind = types[variable]
            article = "an" if kind[0] in "aeiou" else "a"
            first = f"{article} {kind} {said[variable]}" if wording != "short" else said[variable]
        if not rules:
            return first
        if wording == "short":
            return f"{first} ({', '.join(map(_short, rules))})"
        return f"{first} {' and '.join(_worded(rule, choose) for rule in rules)}"

    clauses = []
    for a, row, b in pattern.edges:
        relation = RELATIONS[row]
        if wording == "short":
            clauses.append(f"{mention(a)} {relation.name} {mention(b)}")
        elif choose(2):
            clauses.append(f"{mention(a)} {relation.forth} {mention(b)}")
        else:
            clauses.append(f"{mention(b)} {relation.back} {mention(a)}")
    if wording == "short":
        return "; ".join(clauses)
    told = clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"
    frame = choose.of(FRAMES[frames])
    return frame.format(noun=choose.of(NOUNS[shape]), told=told)


def _bound(rule: Constraint) -> str:
    unit = FEATURES[rule.what][2]
    return str(rule.bound) if unit == 1 else f"{rule.bound / unit:.2f}"


def _worded(rule: Constraint, choose: Choices) -> str:
    bound = "" if rule.kind == "trait" else _bound(rule)
    return choose.of(_RULES[rule.kind]).format(what=rule.what, bound=bound)


def _short(rule: Constraint) -> str:
    if rule.kind == "trait":
        return rule.what
    return f"{rule.what} {'>' if rule.kind == 'above' else '<'} {_bound(rule)}"
