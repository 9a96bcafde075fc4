"""Multi-hop questions about what documents state: each needs facts of several documents."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from graphenv.choices import Choices
from graphenv.corpus import CorpusQuestion
from graphenv.envs.kgqa.sources.synthetic.questions import question, words_of
from graphenv.graph import Triple

__all__ = ["MAX_ANSWERS", "Stated"]

MAX_ANSWERS = 8
"""Most answers of a question."""


class Stated:
    """What documents state, to be walked.

    Parameters
    ----------
    documents
        The triples of each document; every triple stands in one document.

    Examples
    --------
    >>> stated = Stated([[("Ida", "directed_by", "Tom")], [("Tom", "born_in", "Mara")]])
    >>> stated.walk("Ida", ("directed_by", "born_in"))
    [{'Ida'}, {'Tom'}, {'Mara'}]
    >>> stated.supporting("Ida", ("directed_by", "born_in"))
    [0, 1]
    """

    def __init__(self, documents: Sequence[Sequence[Triple]]) -> None:
        self._count = len(documents)
        self._steps: dict[str, dict[str, list[tuple[str, int]]]] = {}
        for place, triples in enumerate(documents):
            for head, relation, tail in triples:
                for here, move, there in ((head, relation, tail), (tail, f"^{relation}", head)):
                    moves = self._steps.setdefault(here, {})
                    moves.setdefault(move, []).append((there, place))

    def _next(self, here: str, move: str) -> list[tuple[str, int]]:
        return self._steps.get(here, {}).get(move, [])

    def walk(self, topic: str, path: Sequence[str], document: int = -1) -> list[set[str]]:
        """Return where each move leads, from the topic on; within one document if it is given."""
        states = [{topic}]
        for move in path:
            states.append(
                {
                    there
                    for here in states[-1]
                    for there, place in self._next(here, move)
                    if document in (-1, place)
                }
            )
        return states

    def answers(self, topic: str, path: Sequence[str]) -> tuple[str, ...]:
        """Return the sorted answers if the question is a good one, else none.

        A good one has 1 to 8 answers, none of which is its topic, no answer within any single
        document, and no move that undoes the one before.
        """
        if any(_undoes(a, b) for a, b in pairwise(path)):
            return ()
        found = self.walk(topic, path)[-1]
        if not 0 < len(found) <= MAX_ANSWERS or topic in found:
            return ()
        if any(self.walk(topic, path, place)[-1] for place in range(self._count)):
            return ()
        return tuple(sorted(found))

    def supporting(self, topic: str, path: Sequence[str]) -> list[int]:
        """Return the documents that state a fact on a way from the topic to an answer."""
        states = self.walk(topic, path)
        needed, ends = set(), states[-1]
        for at in reversed(range(len(path))):
            before = set()
            for here in states[at]:
                for there, place in self._next(here, path[at]):
                    if there in ends:
                        before.add(here)
                        needed.add(place)
            ends = before
        return sorted(needed)

    def paths(self, topic: str, hops: int) -> list[tuple[str, ...]]:
        """Return the sequences of moves from a topic that lead somewhere and can be asked."""
        asked = words_of()
        found: list[tuple[tuple[str, ...], set[str]]] = [((), {topic})]
        for _ in range(hops):
            longer = []
            for path, states in found:
                moves = {move for here in states for move in self._steps.get(here, {})}
                for move in sorted(moves & asked.keys()):
                    if not path or not _undoes(path[-1], move):
                        ends = {there for here in states for there, _ in self._next(here, move)}
                        longer.append(((*path, move), ends))
            found = longer
        return [path for path, _ in found]

    def questions(
        self,
        first: tuple[str, tuple[str, ...]],
        titles: Sequence[str],
        hops: Sequence[int],
        count: int,
        wording: str,
        choose: Choices,
    ) -> tuple[CorpusQuestion, ...]:
        """Return up to `count` questions, `first` (topic, path) the first; none if that is bad.

        The others start from what documents are about, and have one of the lengths `hops`.
        """
        if not self.answers(*first):
            return ()
        problems = [first]
        for topic in choose.shuffled(titles):
            if len(problems) == count:
                break
            for path in choose.shuffled(self.paths(topic, choose.of(hops))):
                if (topic, path) not in problems and self.answers(topic, path):
                    problems.append((topic, path))
                    break
        return tuple(
            CorpusQuestion(
                _text(topic, path, wording, choose),
                (topic,),
                path,
                self.answers(topic, path),
                tuple(titles[place] for place in self.supporting(topic, path)),
            )
            for topic, path in problems
        )


def _undoes(move: str, following: str) -> bool:
    return move != following and move.removeprefix("^") == following.removeprefix("^")


def _text(topic: str, path: Sequence[str], wording: str, choose: Choices) -> str:
    # The brackets around names, by which KGQA tells topics, would stand in no document.
    text = question([(topic, path)], count=False, wording=wording, choose=choose)
    text = text.replace("[", "").replace("]", "").replace(" ,", ",")
    asks = text.startswith(("wh", "in which", "can ", "the "))
    return f"{text[0].upper()}{text[1:]}{'?' if asks else '.'}"
