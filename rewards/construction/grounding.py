"""`grounding`: the share of triples whose names stand in the documents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from graphenv.corpus import Corpus
from graphenv.details import listed
from graphenv.episode import Episode
from graphenv.graph import Graph
from graphenv.rewards.construction.evidence import grounds, part_of
from graphenv.rewards.terms import EndTerm, Grade
from graphenv.score import Kind
from graphenv.text import bounded

__all__ = ["Grounding", "PassRate", "gold_pass_rate", "grounded"]


def grounded(graph: Graph, corpus: Corpus) -> Graph:
    """Return the triples whose two names stand in one passage; the others are dropped one by one.

    How names are found is said in `graphenv.rewards.construction.wording`: spelling, numbers, dates
    and the aliases of the corpus do not matter, names of more than 12 words stand nowhere, and a
    name by itself (a loop) states nothing.

    >>> from graphenv.corpus import Passage
    >>> corpus = Corpus((Passage("Heat", "It was directed by Michael Mann in 1995."),))
    >>> built = Graph.from_triples([("Heat", "by", "Michael_Mann"), ("Heat", "with", "De Niro")])
    >>> grounded(built, corpus).triples
    (('Heat', 'by', 'Michael_Mann'),)
    """
    return part_of(graph, [i for i, mask in enumerate(grounds(graph, corpus)) if mask])


class Grounding(EndTerm):
    """The share of triples of the built graph whose two names stand in one passage.

    In [0, 1]. A graph without triples earns 1 where the gold graph is known to have none, else 0;
    no graph earns 0. `None` if the task has no documents. The gold triples themselves pass:

    | | names verbatim | ours |
    |---|---|---|
    | WebNLG dev (6,779) | .58 | .87 |
    | CoNLL04 dev (331) | 1.0 | 1.0 |
    | Re-DocRED dev (17,207) | .97 | .999 |

    (`gold_pass_rate`, each text of WebNLG by itself; what is left there is mostly said in other
    words, such as `English language`.) Hence it drops triples and is no veto.

    Blind to relations, to directions and to what a passage says of two names: all pairs of names
    of a passage pass. It says that nothing was made up, not that anything was understood; use it
    as a gate or a factor, never alone.

    >>> from graphenv.rewards import parse
    >>> parse("gate(grounding, triple_f1, threshold=0.8)").range
    (0.0, 1.0)
    """

    kind: ClassVar[Kind] = "validity"
    needs: ClassVar[frozenset[str]] = frozenset({"outcome.graph", "target.passages"})

    def score(self, episode: Episode) -> float | Grade | None:
        """Return the share, with the triples that are not grounded."""
        target, outcome = episode.task.target, episode.outcome
        if target.corpus is None:
            return None
        graph = outcome.graph if outcome is not None else None
        if graph is None:
            return 0.0
        if not graph.num_edges:
            return float(target.graph is not None and not target.graph.num_edges)
        masks = grounds(graph, target.corpus)
        loose = [i for i, mask in enumerate(masks) if not mask]
        share = 1.0 - len(loose) / len(masks)
        if not loose:
            return share
        texts = (" | ".join(bounded(name, 60) for name in graph.triples[i]) for i in loose)
        return Grade(share, {"ungrounded": listed(texts, len(loose))})


@dataclass(frozen=True)
class PassRate:
    """How many gold triples have both names in the text: verbatim, and by our matching."""

    triples: int
    verbatim: float
    ours: float


def gold_pass_rate(golds: Iterable[tuple[Graph, Corpus]]) -> PassRate:
    """Return what share of gold triples is grounded: what a veto would cost.

    Verbatim: one of the names of either end is a substring of the texts, case included.

    >>> from graphenv.corpus import Passage
    >>> corpus = Corpus((Passage("", "The airport's runway is 2,702 m long."),))
    >>> gold = Graph.from_triples([("Airport", "runwayLength", "2702.0")])
    >>> gold_pass_rate([(gold, corpus)])
    PassRate(triples=1, verbatim=0.0, ours=1.0)
    """
    count = verbatim = ours = 0
    for graph, corpus in golds:
        groups = {name: group for group in corpus.aliases for name in group}
        text = "\n".join(f"{passage.title}\n{passage.text}" for passage in corpus.passages)
        stands = [
            any(name in text for name in (n.id, n.label, *groups.get(n.label, ())))
            for n in graph.nodes
        ]
        count += graph.num_edges
        verbatim += sum(stands[edge.head] and stands[edge.tail] for edge in graph.edges)
        ours += sum(mask != 0 for mask in grounds(graph, corpus))
    return PassRate(count, verbatim / max(count, 1), ours / max(count, 1))
