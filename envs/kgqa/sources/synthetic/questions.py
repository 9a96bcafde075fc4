"""From a program to a question: frames around nested noun phrases, some frames held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from graphenv.envs.kgqa.program import Filter
from graphenv.envs.kgqa.sources.synthetic.schema import RELATIONS, Relation, Words

__all__ = ["FRAMES", "Choose", "noun_phrase", "question", "words_of"]

Choose = Callable[[int], int]
"""Returns a number below the one given: the only source of chance in a wording."""

FRAMES: dict[tuple[str, str], tuple[str, ...]] = {
    ("plain", "seen"): (
        "what are {}",
        "name {}",
        "which are {}",
        "please list {}",
        "can you tell me {}",
    ),
    ("plain", "unseen"): ("i am looking for {}", "give me {} please", "{} , who or what are they"),
    ("count", "seen"): (
        "how many are {}",
        "count {}",
        "what is the number of {}",
        "how large is a list of {}",
        "tell me how numerous are {}",
    ),
    ("count", "unseen"): ("i need a head count of {}", "{} , how many are they"),
    ("both", "seen"): (
        "what do {} and {} have in common",
        "what is found among {} and also among {}",
        "name all that is both among {} and among {}",
        "which are at once {} and {}",
        "list what {} share with {}",
    ),
    ("both", "unseen"): ("where do {} and {} overlap", "take {} and keep only {}"),
    ("both count", "seen"): (
        "how many things do {} and {} have in common",
        "count what is found among {} and also among {}",
        "how many are both among {} and among {}",
        "count all that {} share with {}",
        "how large is what {} and {} have in common",
    ),
    ("both count", "unseen"): ("how big is an overlap of {} and {}",),
}
"""Question frames by kind. `unseen` ones occur in `heldout` only, so that success there can be
split by the wording (`meta["wording"]`). Plain seen questions may also open with a relation's own
`ask` words instead of a frame ("which genres have the films directed by ...")."""


@lru_cache(maxsize=1)
def words_of() -> dict[str, tuple[Words, Relation]]:
    """Return the words of every move."""
    table: dict[str, tuple[Words, Relation]] = {}
    for relation in RELATIONS:
        table[relation.name] = relation.forth, relation
        if relation.back is not None:
            table[f"^{relation.name}"] = relation.back, relation
    return table


def noun_phrase(topic: str, path: Sequence[str | Filter], choose: Choose) -> str:
    """Return the phrase that names the end of a path.

    >>> noun_phrase("Ida", ["^directed_by", Filter("release_year", "<", "1990")], lambda n: 0)
    'the films released before 1990 directed by [Ida]'
    """
    table = words_of()
    phrase = f"[{topic}]"
    condition = ""
    # Read backwards a filter comes before the move whose end it restricts.
    pieces: list[str] = []
    for move in reversed(path):
        if isinstance(move, Filter):
            relation = table[move.relation][1]
            comparison = relation.less if move.operator == "<" else relation.more
            condition = f" {comparison} {move.value}"
            continue
        noun, _, rest = table[move][0].phrases[choose(2)].partition("|")
        pieces.append(f"the {noun}{condition} {rest}")
        condition = ""
    return " ".join([*pieces, phrase])


def question(
    branches: Sequence[tuple[str, Sequence[str | Filter]]],
    *,
    count: bool,
    wording: str,
    choose: Choose,
) -> str:
    """Return a question for a program.

    Parameters
    ----------
    branches
        One or two of (topic name, moves and filters).
    count
        Whether the number of answers is asked for.
    wording
        `seen` or `unseen`: which frames to use.
    choose
        Where the choices come from.

    Examples
    --------
    >>> question([("Ida", ["^directed_by", "has_genre"])], count=False, wording="seen",
    ...          choose=lambda n: n - 1)
    'which genres have the films made under [Ida]'
    """
    kind = ("plain", "count")[count] if len(branches) == 1 else ("both", "both count")[count]
    pool = FRAMES[kind, wording]
    topic, path = branches[0]
    last = path[-1]
    # The words of a relation's own question have no room for a filter.
    own = kind == "plain" and wording == "seen" and not isinstance(last, Filter)
    pick = choose(len(pool) + own)
    if pick == len(pool) and not isinstance(last, Filter):
        rest = noun_phrase(topic, path[:-1], choose) if len(path) > 1 else f"[{topic}]"
        return f"{words_of()[last][0].ask} {rest}"
    return pool[pick].format(*(noun_phrase(name, moves, choose) for name, moves in branches))
