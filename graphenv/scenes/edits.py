"""What a correction changed: the facts of a draft, of what became of it, and of the gold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import lru_cache

from graphenv.scenes.model import IS, Scene
from graphenv.text import normalize

__all__ = ["Fact", "SceneEdit", "fact_level", "fact_set", "kind_of"]

Fact = tuple[str, ...]
"""(object,), (object, "is", attribute) or (head, relation, tail), normalised; of four parts, the
first of them empty, if it is a dangling relation."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """The distinct facts of a scene, and how often it states each thing.

    An object that is alone is counted under its label also where another of its label is told of.
    """

    stated: frozenset[Fact]
    counts: Counter[Fact]


def _made(scene: Scene) -> _Facts:
    labels = [normalize(thing.label) for thing in scene.objects]
    ends = {end for r in scene.relations for end in (r.head, r.tail)}
    counts: Counter[Fact] = Counter()
    told = {labels[end] for end in ends}
    for at, thing in enumerate(scene.objects):
        if thing.attributes:
            told.add(labels[at])
            counts.update((labels[at], IS, normalize(attribute)) for attribute in thing.attributes)
        elif at not in ends:
            counts[(labels[at],)] += 1
    counts.update((labels[r.head], normalize(r.relation), labels[r.tail]) for r in scene.relations)
    counts.update(("", *map(normalize, triple)) for triple in scene.dangling)
    return _Facts(frozenset(f for f in counts if len(f) != 1 or f[0] not in told), counts)


_facts = lru_cache(maxsize=256)(_made)  # gold and draft come back with their group


def fact_set(scene: Scene) -> Set[Fact]:
    """Return the distinct facts of a scene, as `graphenv.scenes.truths.scene_truth` has them.

    >>> sorted(fact_set(Scene.from_triples([("Man", "ride", "horse"), ("tree",)])))
    [('man', 'ride', 'horse'), ('tree',)]
    """
    return _facts(scene).stated


def kind_of(fact: Fact) -> str:
    """Return `objects`, `attributes` or `relations`: what a fact is about.

    >>> kind_of(("dog",)), kind_of(("dog", "is", "brown")), kind_of(("man", "walk", "dog"))
    ('objects', 'attributes', 'relations')
    """
    if len(fact) == 1:
        return "objects"
    return "attributes" if len(fact) == 3 and fact[1] == IS else "relations"


def fact_level(scene: Scene, gold: Scene) -> float:
    """Return the F1 of the facts of a scene, in which a fact told again is a wrong fact.

    2|P and G| / (|P| + |G| + c), where c counts copies: what P says more often than G, and more
    than once. It is the truth of the scene where there are none. 1 if both state nothing.

    >>> gold = Scene.from_triples([("man", "ride", "horse")])
    >>> fact_level(Scene.from_triples([("man", "ride", "horse"), ("tree",)]), gold)
    0.6666666666666666
    """
    ours, theirs = _facts(scene), _facts(gold)
    copies = sum(
        max(0, count - max(theirs.counts[fact], fact in ours.stated))
        for fact, count in ours.counts.items()
    )
    size = len(ours.stated) + copies + len(theirs.stated)
    return 2.0 * len(ours.stated & theirs.stated) / size if size else 1.0


@dataclass(frozen=True, slots=True)
class SceneEdit:
    """The way from a draft to a final scene, seen from the gold.

    >>> gold = Scene.from_triples([("man", "ride", "horse"), ("horse", "is", "brown")])
    >>> draft = Scene.from_triples([("man", "ride", "dog")])
    >>> edit = SceneEdit(draft, Scene.from_triples([("man", "ride", "horse")]), gold)
    >>> edit.counts()["right_additions"], edit.counts()["right_removals"], edit.gain
    (1, 1, 0.6666666666666666)
    """

    draft: Scene
    final: Scene
    gold: Scene

    @property
    def before(self) -> float:
        """The level of the draft."""
        return fact_level(self.draft, self.gold)

    @property
    def after(self) -> float:
        """The level of the final scene."""
        return fact_level(self.final, self.gold)

    @property
    def gain(self) -> float:
        """How much higher the final scene stands than the draft, in [-1, 1]."""
        return self.after - self.before

    def changes(self) -> dict[str, list[Fact]]:
        """Return the facts added and removed, right and wrong, each in sorted order."""
        was, now, true = fact_set(self.draft), fact_set(self.final), fact_set(self.gold)
        return {
            "right_additions": sorted((now - was) & true),
            "wrong_additions": sorted((now - was) - true),
            "right_removals": sorted((was - now) - true),
            "wrong_removals": sorted((was - now) & true),
        }

    def counts(self) -> dict[str, int]:
        """Return how many facts of each kind of `changes`."""
        return {name: len(facts) for name, facts in self.changes().items()}

    def by_kind(self) -> dict[str, dict[str, int]]:
        """Return `counts` for objects, attributes and relations apart."""
        changes = self.changes()
        return {
            kind: {name: _counted(facts, kind) for name, facts in changes.items()}
            for kind in ("objects", "attributes", "relations")
        }


def _counted(facts: Iterable[Fact], kind: str) -> int:
    return sum(kind_of(fact) == kind for fact in facts)
