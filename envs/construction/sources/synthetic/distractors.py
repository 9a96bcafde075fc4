"""Sentences that state no fact of the vocabulary: small talk, other ties, and denials."""

from __future__ import annotations

__all__ = ["DENIALS", "OTHER_TIES", "SMALL_TALK"]

_WORK = (
    "{s} took longer to finish than planned",
    "{s} divided the critics",
    "{s} has been restored twice",
    "{s} is often quoted",
    "{s} found its public late",
)
_PLACE = (
    "{s} is at its busiest in spring",
    "{s} draws many visitors",
    "{s} gets a lot of rain",
    "{s} has seen better days",
    "{s} was hit by a storm some time ago",
)
_GROUP = (
    "{s} changed its emblem twice",
    "{s} keeps an archive that few have seen",
    "{s} celebrates its anniversaries quietly",
    "{s} has been through hard times",
    "{s} rarely gives interviews",
)
SMALL_TALK: dict[str, tuple[str, ...]] = {
    "person": (
        "{s} kept a diary for many years",
        "{s} is fond of long walks",
        "{s} seldom talks about money",
        "{s} collects old maps",
        "{s} gets up before sunrise",
    ),
    **dict.fromkeys(("film", "book", "song", "painting", "award"), _WORK),
    **dict.fromkeys(("city", "country"), _PLACE),
    **dict.fromkeys(("company", "band", "university", "team"), _GROUP),
}
"""Type of the subject `{s}` -> sentences about it that name nobody else."""

OTHER_TIES = (
    "{s} is often compared with {o}",
    "{s} appears next to {o} in many lists",
    "{s} is sometimes mistaken for {o}",
    "{s} and {o} were once discussed in the same article",
    "{s} is remembered together with {o}",
)
"""Sentences that tie two things by nothing that the vocabulary has a relation for."""

DENIALS = (
    "it is not true that {fact}",
    "early reports that {fact} turned out to be wrong",
    "nobody has ever shown that {fact}",
    "a rumour that {fact} has no basis",
    "do not believe those who say that {fact}",
)
"""Frames around a sentence that would state a fact, if they did not deny it."""
