"""Relations of made scenes: those that boxes decide, and those that only a caption can tell.

The rule: a relation that boxes decide may be told only if `holds` says so of the two boxes. Of the
others, head and tail must be of classes that fit. Every unordered pair of objects is told at most
one relation, so that nothing told follows from anything else told about the same pair (of "left of"
and "right of", which say the same, at most one is gold).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphenv.envs.scenes.sources.synthetic.vocabulary import LABELS
from graphenv.scenes import Box

__all__ = ["DRAWN", "OPPOSITE", "PHRASES", "SPATIAL", "SYMMETRIC", "Phrase", "fits", "holds"]

SPATIAL = (
    *("left of", "right of", "above", "below", "inside", "around", "overlapping", "near"),
    *("far from", "larger than", "smaller than", "taller than", "shorter than", "wider than"),
    "narrower than",
)
"""What boxes decide: see `holds`."""

OPPOSITE = {
    one: other
    for pair in (
        *(("left of", "right of"), ("above", "below"), ("inside", "around")),
        *(("larger than", "smaller than"), ("taller than", "shorter than")),
        ("wider than", "narrower than"),
    )
    for one, other in (pair, pair[::-1])
}
"""Relation -> what then holds the other way round; neither ever holds both ways."""

SYMMETRIC = frozenset({"overlapping", "near", "far from"})
"""Relations that hold both ways or not at all."""

_LIVING = ("person", "animal", "mount")
_THINGS = ("furniture", "vehicle", "fixture")
DRAWN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "hold": (("person",), ("carried", "food")),
    "carry": (("person",), ("carried", "food", "clothing", "fabric")),
    "wear": (("person",), ("clothing",)),
    "ride": (("person",), ("mount", "cycle")),
    "push": (("person",), ("cycle", "vehicle")),
    "watch": (_LIVING, (*_LIVING, "vehicle")),
    "sit on": (("person", "animal"), ("furniture",)),
    "stand on": (_LIVING, ("furniture", "fabric")),
    "lean against": (("person",), (*_THINGS, "plant")),
    "eat": (("person", "animal"), ("food",)),
    "follow": (_LIVING, (*_LIVING, "vehicle", "cycle")),
}
"""What no box decides -> classes of heads and of tails. The picture shows it as a named arrow."""


def fits(relation: str, head: str, tail: str) -> bool:
    """Return whether labels are of the classes that a relation of `DRAWN` joins.

    >>> fits("wear", "man", "hat"), fits("wear", "hat", "man")
    (True, False)
    """
    heads, tails = DRAWN[relation]
    return LABELS[head].group in heads and LABELS[tail].group in tails


def holds(relation: str, a: Box, b: Box, width: float) -> bool:
    """Return whether boxes stand in a relation of `SPATIAL`, in a picture so many pixels wide.

    Boxes are left, top, right, bottom; y grows downwards; edges may touch. The gap of two boxes is
    the larger of the distances between their projections on the two axes.

    - left of: `a` ends before `b` begins, at whatever height; right of, above, below likewise.
    - inside: `a` lies within `b`, and they are not the same; around: the other way round.
    - overlapping: they share area, and neither is inside the other.
    - near: they share no area, and the gap is at most a sixteenth of the width.
    - far from: the gap is at least half of the width.
    - larger than: at least twice the area; taller than, wider than: at least one and a half times
      the height or width; smaller than, shorter than, narrower than: the other way round.

    Raises
    ------
    KeyError
        If it is no relation of `SPATIAL`.

    >>> holds("left of", (0, 0, 10, 10), (10, 40, 30, 50), 100)
    True
    >>> holds("overlapping", (2, 2, 8, 8), (0, 0, 10, 10), 100)
    False
    """
    if relation in _BACKWARDS:
        return _CHECKS[OPPOSITE[relation]](b, a, width)
    return _CHECKS[relation](a, b, width)


def _gap(a: Box, b: Box) -> float:
    return max(a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3])


def _within(a: Box, b: Box) -> bool:
    return a != b and a[0] >= b[0] and a[1] >= b[1] and a[2] <= b[2] and a[3] <= b[3]


def _area(a: Box) -> float:
    return (a[2] - a[0]) * (a[3] - a[1])


_CHECKS: dict[str, Callable[[Box, Box, float], bool]] = {
    "left of": lambda a, b, w: a[2] <= b[0],
    "above": lambda a, b, w: a[3] <= b[1],
    "inside": lambda a, b, w: _within(a, b),
    "overlapping": lambda a, b, w: _gap(a, b) < 0 and not _within(a, b) and not _within(b, a),
    "near": lambda a, b, w: 0 <= _gap(a, b) <= w / 16,
    "far from": lambda a, b, w: _gap(a, b) >= w / 2,
    "larger than": lambda a, b, w: _area(a) >= 2 * _area(b),
    "taller than": lambda a, b, w: a[3] - a[1] >= 1.5 * (b[3] - b[1]),
    "wider than": lambda a, b, w: a[2] - a[0] >= 1.5 * (b[2] - b[0]),
}
_BACKWARDS = frozenset(SPATIAL) - _CHECKS.keys()


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand behind "is": `the dog is {words} the ball`.

    `passive` words stand the other way round: the grammatical subject is the relation's tail.
    `unseen` ones occur in held-out captions only.
    """

    words: str
    relation: str
    passive: bool = False
    unseen: bool = False


_WORDS = """
left of: left of | to the left of | on the left side of | on the left of | further left than
  ~ on the left hand of
right of: right of | to the right of | on the right side of | on the right of | further right than
  ~ on the right hand of
above: above | higher up than | up above | over | higher in the picture than ~ situated above
below: below | lower down than | beneath | underneath | lower in the picture than ~ situated below
inside: inside | within | in | contained in | enclosed in ~ within the bounds of
around: around | enclosing | containing | surrounding | all around ~ encircling
overlapping: overlapping | partly covering | overlapping with | crossing | in part on top of
  ~ intersecting with
near: near | close to | right next to | beside | at a short distance from ~ adjacent to
far from: far from | far away from | at a long distance from | distant from | nowhere near
  ~ remote from
larger than: larger than | bigger than | much larger than | much bigger than | of greater size than
  ~ larger by far than
smaller than: smaller than | littler than | much smaller than | much littler than
  | of lesser size than ~ smaller by far than
taller than: taller than | much taller than | greater in height than | of greater height than
  | higher from foot to top than ~ taller by far than
shorter than: shorter than | much shorter than | lesser in height than | of lesser height than
  | lower from foot to top than ~ shorter by far than
wider than: wider than | much wider than | broader than | much broader than | of greater width than
  ~ wider by far than
narrower than: narrower than | much narrower than | less wide than | less broad than
  | of lesser width than ~ narrower by far than
hold: holding | gripping | holding on to | *held by | *gripped by ~ grasping | *grasped by
carry: carrying | lugging | carrying along | *carried by | *lugged by ~ hauling | *hauled by
wear: wearing | dressed in | clad in | *worn by | *put on by ~ sporting | *sported by
ride: riding | riding on | mounted on | *ridden by | *mounted by ~ astride
push: pushing | shoving | pushing along | *pushed by | *shoved by ~ *pushed along by
watch: watching | looking at | gazing at | *watched by | *looked at by ~ staring at
sit on: sitting on | seated on | sitting down on | *sat on by | *used as a seat by ~ perched on
stand on: standing on | standing up on | upright on | *stood on by | *stood upon by
  ~ on two feet on
lean against: leaning against | leaning on | propped against | *leaned on by | *leaned against by
  ~ resting against
eat: eating | munching | biting into | *eaten by | *munched by ~ devouring | *devoured by
follow: following | walking after | going after | *followed by | *trailed by ~ trailing
"""


def _phrases() -> tuple[Phrase, ...]:
    lines = _WORDS.replace("\n  ", " ").strip().splitlines()
    found = []
    for line in lines:
        relation, _, rest = line.partition(": ")
        for unseen, part in enumerate(rest.split("~")):
            found += [
                Phrase(words.lstrip("*"), relation, words[0] == "*", bool(unseen))
                for words in map(str.strip, part.split("|"))
            ]
    return tuple(found)


PHRASES = _phrases()
"""How relations are worded: five ways each that training uses, and at least one held out.

The first of a relation is its plainest, and active."""
