"""F1 of the objects, attributes and relations of a scene, objects matched one to one.

All three share one matching. A pair of objects is worth sim(label, label), times how near their
boxes are if `boxes` is given; the Hungarian method maximises the sum. Objects that look alike are
told apart by their attributes and relations. Labels are compared normalised, ids mean nothing.

What is too much costs as what is missing does: a second "man" where the gold has one is a wrong
object, a dangling relation a wrong relation. Each term sees one kind of part, and too much of
another is free: add all three. Objects match objects, attributes match attributes: a "brown" that
is listed as an object is a wrong object and not the attribute of a horse.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from graphenv.details import listed
from graphenv.episode import Episode
from graphenv.rewards.scenes.boxes import Boxes
from graphenv.rewards.scenes.matching import SceneMatch, Settings, matcher
from graphenv.rewards.terms import EndTerm, Grade
from graphenv.scenes.model import Scene, SceneRelation
from graphenv.text import bounded

__all__ = ["AttributeF1", "ObjectF1", "RelationF1", "SceneTerm"]


class SceneTerm(EndTerm):
    """What the three terms share: their arguments, and the match behind them.

    `None` if the task has no gold scene, 0 if none was given. Two scenes without attributes or
    relations get their F1 of objects for it: else the empty scene would earn 1 wherever the gold
    has objects alone. Two empty scenes get 1.

    Parameters
    ----------
    similarity
        Of labels, attributes and relation names: `None` (equal or not), `"string"`,
        `"embedding:NAME"` or `"module:function"` (`graphenv.rewards.similarity.label_similarity`).
    boxes
        How near two boxes are, a factor in [0, 1]: `None` (not looked at), `"iou"`, `"giou"`
        ((1 + GIoU) / 2) or `"published"` ((2 IoU + 5 exp(-L1)) / 7, coordinates divided by the
        furthest edges of gold boxes). With `"giou"` a box of any size around the gold one, or
        inside it, is half right: add `hard` or `"iou"`. Where the gold has no box the factor is 1;
        where it has one and the prediction has none, 0.
    hard
        A pair counts 1 if its labels are equal and, where the gold has a box, IoU >= 0.5 (if
        `boxes` is given), and 0 else.

    Raises
    ------
    ConfigError
        If a value is unknown, `hard` stands beside `similarity`, or scipy is missing.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.scene", "target.scene"})

    def __init__(
        self, *, similarity: str | None = None, boxes: Boxes | None = None, hard: bool = False
    ) -> None:
        self.settings = Settings(similarity=similarity, boxes=boxes, hard=hard)

    def prepare(self) -> None:
        """Load the embedding model, if there is one, and scipy."""
        matcher(self.settings).prepare()

    def scores(self, episodes: Sequence[Episode]) -> list[float | Grade | None]:
        """Return a value in [0, 1] for each episode, `None` where there is no gold scene."""
        solve = matcher(self.settings)
        found: list[float | Grade | None] = []
        for episode in episodes:
            gold = episode.task.target.scene
            predicted = episode.outcome.scene if episode.outcome is not None else None
            if gold is None:
                found.append(None)
            elif predicted is None:
                found.append(0.0)
            else:
                match = solve.match(predicted, gold)
                found.append(Grade(self.value(match), _Details(match, predicted, gold)))
        return found

    @abstractmethod
    def value(self, match: SceneMatch) -> float:
        """Return the value of a match."""


class ObjectF1(SceneTerm):
    """2 * (sum over matched objects of sim(label) * box) / (n1 + n2), n objects of either scene.

    In [0, 1]. Info lists what was missed, what was too much, and what was matched though not equal.
    Blind to attributes and relations.

    Source: the matching of R1-SGG (arXiv 2504.13617), which counts recall only and takes the label
    alone; here one value for label and box, and precision.

    >>> from graphenv.rewards import parse
    >>> parse("object_f1(similarity='string', boxes='giou')").range
    (0.0, 1.0)
    """

    def value(self, match: SceneMatch) -> float:
        """Return the F1 of objects."""
        return match.object_f1


class AttributeF1(SceneTerm):
    """2 * (sum over matched objects of their value times matched attributes) / (a1 + a2).

    The attributes of two matched objects are matched one to one by sim(attribute). In [0, 1]; a
    right attribute on an object that has no counterpart is a wrong attribute, and so is one said
    twice. Blind to relations, and to objects without attributes.

    >>> from graphenv.rewards import parse
    >>> parse("attribute_f1").range
    (0.0, 1.0)
    """

    def value(self, match: SceneMatch) -> float:
        """Return the F1 of attributes."""
        return match.attribute_f1


class RelationF1(SceneTerm):
    """2 * (sum of value(subject) * sim(relation) * value(object)) / (m1 + m2), m relations.

    The relations between two pairs of matched objects are matched one to one, so parallel ones do
    not overwrite each other. In [0, 1]; a dangling relation counts in m and matches nothing. Blind
    to attributes, and to objects without relations.

    `relation_f1(hard=True, boxes='iou')`: a relation counts if all three names are equal and both
    boxes overlap with IoU >= 0.5, which is what Recall@K counts.

    >>> from graphenv.rewards import parse
    >>> parse("0.5*object_f1 + 0.5*relation_f1(boxes='iou', hard=True)").range
    (0.0, 1.0)
    """

    def value(self, match: SceneMatch) -> float:
        """Return the F1 of relations."""
        return match.relation_f1


class _Details(Mapping[str, Any]):
    """What did not match; made when it is looked at, which a training step does not."""

    __slots__ = ("_made", "_of")

    def __init__(self, match: SceneMatch, predicted: Scene, gold: Scene) -> None:
        self._of = (match, predicted, gold)
        self._made: dict[str, Any] | None = None

    def _all(self) -> dict[str, Any]:
        if self._made is None:
            self._made = _told(*self._of)
        return self._made

    def __getitem__(self, key: str) -> Any:
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return repr(self._all())

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (self._all(),)


def _told(match: SceneMatch, predicted: Scene, gold: Scene) -> dict[str, Any]:
    images = match.images
    matched = set(images)
    ends = {(r.head, r.tail) for r in gold.relations}
    here = {(images[r.head], images[r.tail]) for r in predicted.relations}
    texts = {
        "objects missed": [_name(gold, j) for j in range(len(gold.objects)) if j not in matched],
        "objects too many": [_name(predicted, i) for i, j in enumerate(images) if j < 0],
        "objects alike": [
            f"{_name(predicted, i)} for {_name(gold, j)}: {match.values[i]:.2f}"
            for i, j in enumerate(images)
            if j >= 0 and match.values[i] < 1.0
        ],
        "pairs without a relation": [
            _relation(gold, r) for r in gold.relations if (r.head, r.tail) not in here
        ],
        "pairs with one too many": [
            _relation(predicted, r)
            for r in predicted.relations
            if (images[r.head], images[r.tail]) not in ends
        ],
        "dangling": [" ".join(bounded(part, 60) for part in r) for r in predicted.dangling],
    }
    told: dict[str, Any] = {
        "object_f1": match.object_f1,
        "attribute_f1": match.attribute_f1,
        "relation_f1": match.relation_f1,
    }
    return told | {name: listed(rows, len(rows)) for name, rows in texts.items() if rows}


def _name(scene: Scene, at: int) -> str:
    return bounded(scene.objects[at].label, 60)


def _relation(scene: Scene, relation: SceneRelation) -> str:
    middle = bounded(relation.relation, 60)
    return f"{_name(scene, relation.head)} -[{middle}]-> {_name(scene, relation.tail)}"
