"""The tables of credits and transforms, their text form, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from graphenv.agents.credit.base import Credit
from graphenv.agents.credit.gated import GatedCredit
from graphenv.agents.credit.min_form import MinFormCredit
from graphenv.agents.credit.outcome import OutcomeCredit
from graphenv.agents.credit.prefix_tree import PrefixTreeCredit
from graphenv.agents.credit.siblings import SiblingsCredit
from graphenv.agents.credit.trajectory_graph import TrajectoryGraphCredit
from graphenv.agents.credit.transforms import Clip, Delta, Par, Transform, Transformed
from graphenv.agents.credit.turn import TurnCredit
from graphenv.errors import ConfigError, UnknownNameError, did_you_mean
from graphenv.score import Reward
from graphenv.text import bounded

__all__ = ["CREDITS", "TRANSFORMS", "check_credit", "make_credit"]

CREDITS: dict[str, type[Credit]] = {
    "outcome": OutcomeCredit,
    "turn": TurnCredit,
    "min-form": MinFormCredit,
    "trajectory-graph": TrajectoryGraphCredit,
    "prefix-tree": PrefixTreeCredit,
    "siblings": SiblingsCredit,
    "gated": GatedCredit,
}
"""Every credit by name; one row each."""

TRANSFORMS: dict[str, type[Transform]] = {"delta": Delta, "clip": Clip, "par": Par}
"""Every transform of what turns earned, by name; written behind a credit and a bar."""

_PIECE = re.compile(r"([\w-]+)(?:\(([\w\s.,=+-]*)\))?")
_ARGUMENT = re.compile(r"(\w+)\s*=\s*([\w.+-]+)")
_MAX_CHARS = 200
_Made = TypeVar("_Made")


def make_credit(credit: str | Credit) -> Credit:
    """Return a credit by its text; a made one stays as it is.

    The text is a name of `CREDITS`, with arguments in brackets if need be, and names of
    `TRANSFORMS` behind bars, the first one applied first: `outcome`, `turn(lam=0.9)`,
    `turn(lam=1)|clip(eta=0.1)`.

    Raises
    ------
    UnknownNameError
        If there is no credit or transform of that name.
    ConfigError
        If the text cannot be read, or it does not take that argument or value.

    >>> make_credit("turn(lam=0.9)")
    TurnCredit(lam=0.9)
    >>> make_credit("min-form|delta").name
    'min-form|delta'
    """
    if not isinstance(credit, str):
        return credit
    first, *others = credit.split("|") if len(credit) <= _MAX_CHARS else [credit]
    transforms = [_made("transform", text, TRANSFORMS) for text in others]
    made = _made("credit", first, CREDITS)
    for transform in reversed(transforms):  # the innermost is the last to change the group
        made = Transformed(made, transform)
    return made


def _made(what: str, text: str, table: Mapping[str, type[_Made]]) -> _Made:
    match = _PIECE.fullmatch(text.strip())
    arguments = (match[2] or "").strip() if match is not None else ""
    pairs = [_ARGUMENT.fullmatch(part.strip()) for part in arguments.split(",") if arguments]
    if match is None or not all(pairs):
        raise ConfigError(
            f"{what} {bounded(text, 80)!r} is not of the form NAME or NAME(ARGUMENT=VALUE); "
            "transforms stand behind a bar: turn(lam=0.9)|delta"
        )
    name = match[1]
    if name not in table:
        raise UnknownNameError(f"{what} {name!r} is unknown.{did_you_mean(name, table)}")
    found: dict[str, Any] = {}
    kinds = {field.name: field.type for field in fields(table[name])}  # type: ignore[arg-type]
    for pair in pairs:
        assert pair is not None
        argument, value = pair.groups()
        if argument not in kinds or argument in found:
            hint = did_you_mean(argument, kinds) or " It takes none."
            raise ConfigError(f"{what} {name!r}: unknown argument {argument!r}.{hint}")
        found[argument] = _value(f"{what} {name!r}", argument, value, str(kinds[argument]))
    return table[name](**found)


def _value(who: str, argument: str, value: str, kind: str) -> float | int | str:
    try:
        read = {"float": float, "int": int}.get(kind, str)(value)
    except ValueError as error:
        raise ConfigError(f"{who}: {argument}={value} is no number") from error
    if isinstance(read, float) and not abs(read) < 1e6:
        raise ConfigError(f"{who}: {argument}={value} is beyond all bounds")
    return read  # type: ignore[no-any-return]


def check_credit(credit: Credit, rewards: Iterable[Reward], *, control: bool = False) -> None:
    """Refuse a shaping potential under a credit that cannot see it.

    Parameters
    ----------
    credit
        How scores become advantages.
    rewards
        The rewards in use.
    control
        Let it pass: an experiment that runs the pair on purpose, to see that nothing changes.

    Raises
    ------
    ConfigError
        With the reason, and what to do.
    """
    if credit.sees_turns or control:
        return
    seeing = ", ".join(repr(name) for name, made in CREDITS.items() if made().sees_turns)
    for reward in rewards:
        if reward.has_shaping:
            raise ConfigError(
                f"reward {reward.name!r} holds a shaping potential, but credit={credit.name!r} "
                "sees only the return of an episode. A potential telescopes to the same constant "
                "for every episode of a task, so it cancels within the group and teaches nothing. "
                "Use credit='turn', which is made for it, or another one that sees what single "
                f"turns earn ({seeing}), or drop the potential; to run the pair as a control that "
                "must change nothing, set control=True."
            )
