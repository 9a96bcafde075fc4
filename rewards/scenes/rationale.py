"""Terms that compare stated reasons with a reference graph: ours, and the published one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Set
from typing import Any, ClassVar

from graphenv.episode import Episode
from graphenv.graph import Graph
from graphenv.rewards.graphs import bag_f1
from graphenv.rewards.terms import EndTerm, Grade
from graphenv.text import normalize

__all__ = ["Chexpo", "RationaleF1"]


class RationaleF1(EndTerm):
    """F1 of the facts of a rationale, less what speaks against its own answer; in [0, 1].

    Facts are entities (name and type) and triples, together one bag: a fact said twice is a wrong
    fact. The F1 is multiplied by 1 - c, where c is how far the answer speaks against the reasons: 1
    if they state all that the gold answer follows from and the answer is another; else the share of
    the items answered that they do not name, if the gold rationale names the whole gold answer
    (numbers and "yes" stand in no graph).

    0 without a rationale, and for an empty one; `None` if the gold rationale is empty or missing.
    The info has precision and recall, the share of triples that are hallucinated (in no gold scene,
    or in no gold rationale where there is no scene) and c.

    Blind to whether the answer is right: use it beside `exact`.

    Source: ours; the facts are those of CheXPO-v2.

    >>> from graphenv.rewards import parse
    >>> parse("rationale_f1").range
    (0.0, 1.0)
    """

    needs: ClassVar[frozenset[str]] = frozenset(
        {"outcome.rationale", "target.rationale", "outcome.answer", "target.answer"}
    )

    def score(self, episode: Episode) -> float | Grade | None:
        """Return the value in [0, 1]."""
        target = episode.task.target
        gold = _facts(target.rationale) if target.rationale is not None else None
        if not gold or target.rationale is None:
            return None
        stated = episode.outcome.rationale if episode.outcome is not None else None
        if stated is None or not len(stated):
            return 0.0
        facts = _facts(stated)
        hits = (facts & gold).total()
        against = _against(episode, stated, target.rationale, complete=hits == gold.total())
        info: dict[str, Any] = {
            "precision": hits / facts.total(),
            "recall": hits / gold.total(),
            "hallucinated": _hallucinated(stated, episode),
            "contradiction": against,
        }
        return Grade(bag_f1(facts, gold) * (1.0 - against), info)


class Chexpo(EndTerm):
    """CheXPO-v2's consistency: the mean of two Jaccard indices, in [0, 1].

    0.5 J(entities with types) + 0.5 J(triples); an index of two empty sets is 1, as published. So
    a rationale without content earns 0.5 wherever the gold has no triple, and 1 where it has
    nothing; what is said twice is said once. For comparison: `rationale_f1` has neither defect.
    `None` if there is no gold rationale, 0 if there is none to read.

    Source: CheXPO-v2.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.rationale", "target.rationale"})

    def score(self, episode: Episode) -> float | None:
        """Return the value in [0, 1]."""
        gold = episode.task.target.rationale
        if gold is None:
            return None
        stated = episode.outcome.rationale if episode.outcome is not None else None
        if stated is None:
            return 0.0
        ours, theirs = (_facts(graph).keys() for graph in (stated, gold))
        entities = _jaccard(*({f for f in side if _is_entity(f)} for side in (ours, theirs)))
        triples = _jaccard(*({f for f in side if not _is_entity(f)} for side in (ours, theirs)))
        return (entities + triples) / 2


def _is_entity(fact: Hashable) -> bool:
    return isinstance(fact, tuple) and len(fact) == 2


def _facts(graph: Graph) -> Counter[Hashable]:
    """Return (name, type) of each node and (head, relation, tail) of each edge, normalised."""
    facts: Counter[Hashable] = Counter(
        (normalize(node.label), normalize(node.kind)) for node in graph.nodes
    )
    facts.update(tuple(map(normalize, triple)) for triple in graph.triples)
    return facts


def _jaccard(first: Set[Hashable], second: Set[Hashable]) -> float:
    either = first | second
    return len(first & second) / len(either) if either else 1.0


def _against(episode: Episode, stated: Graph, gold: Graph, *, complete: bool) -> float:
    right = episode.task.target.answer
    answer = episode.outcome.answer if episode.outcome is not None else None
    if right is None or answer is None:
        return 0.0
    if complete and set(map(normalize, answer)) != set(map(normalize, right)):
        return 1.0
    return 0.0 if _unnamed(right, gold) else _unnamed(answer, stated)


def _unnamed(answer: tuple[str, ...], graph: Graph) -> float:
    """Return the share of items that are the label of no node."""
    named = {normalize(node.label) for node in graph.nodes}
    items = {normalize(item) for item in answer}
    return len(items - named) / len(items) if items else 0.0


def _hallucinated(stated: Graph, episode: Episode) -> float:
    target = episode.task.target
    whole = target.scene.graph if target.scene is not None else target.rationale
    assert whole is not None
    real = {tuple(map(normalize, triple)) for triple in whole.triples}
    said = [tuple(map(normalize, triple)) for triple in stated.triples]
    return sum(triple not in real for triple in said) / len(said) if said else 0.0
