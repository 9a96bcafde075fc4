"""How well does a path fit a question? By its words alone: nothing is learned."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from graphenv.agents.search.tree import Path
from graphenv.knowledge import TripleStore
from graphenv.seeding import stable_hash

__all__ = ["TOPIC", "LexicalScorer", "RandomScorer", "mentions", "relation_words", "similarity"]

TOPIC = "<topic>"
_WORD = re.compile(r"<topic>|[^\W_]+(?:'[^\W_]+)?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Function words of English: they hold a sentence together and name no relation.
_FUNCTION_WORDS = """
a about all also an and any are as at be been both by can did do does each for from had has have he
her his how i in is it its itself list me many name much no not of on or other out same she some
such tell than that the their them there these they this those to was we were what when where which
who whom whose why will with would you"""
STOPWORDS = frozenset(_FUNCTION_WORDS.split())
# What a question word asks for, where it is a word of its own in relation names.
ASKED = {"when": ("date", "time", "year"), "where": ("place", "location"), "who": ("person",)}
NOISE = 0.25
"""Similarity below which two words have nothing to do with each other."""

BACKWARD = 0.1
"""What it costs to end on the inverse of the relation that the question's focus names."""


@lru_cache(maxsize=65_536)
def similarity(a: str, b: str) -> float:
    """Return the cosine of two words' character n-grams (n = 2, 3, 4).

    Beginnings weigh twice: English inflects at the end, so "acted" is nearer to "actors" than to
    "directed".

    >>> similarity("directed", "director") > 0.5 > similarity("directed", "genre")
    True
    """
    x, y = _grams(a), _grams(b)
    dot = sum(count * y[gram] for gram, count in x.items())
    norm = math.sqrt(sum(c * c for c in x.values()) * sum(c * c for c in y.values()))
    return dot / norm if norm else 0.0


@lru_cache(maxsize=65_536)
def _grams(word: str) -> Counter[str]:
    marked = f"^{word}"
    grams = Counter(marked[i : i + n] for n in (2, 3, 4) for i in range(len(marked) - n + 1))
    return grams + Counter(gram for gram in grams if gram[0] == "^" and len(gram) > 2)


@lru_cache(maxsize=65_536)
def relation_words(move: str) -> tuple[str, ...]:
    """Return the content words of a move's relation.

    >>> relation_words("^people.person.placeOfBirth")
    ('people', 'person', 'place', 'birth')
    """
    words = _WORD.findall(_CAMEL.sub(" ", move.removeprefix("^")).replace("_", " ").lower())
    kept = tuple(dict.fromkeys(word for word in words if word not in STOPWORDS))
    return kept or tuple(words)


@lru_cache(maxsize=1_024)
def mentions(question: str) -> tuple[str, ...]:
    """Return the content words of a question in the order in which a path meets them.

    The decomposition: English puts the relation nearest to the topic entity next to it and goes
    outwards. So first the word right after the topic ("the [Heat] director"), then the words
    before it from last to first, then the others after it.

    >>> mentions("who wrote the films directed by the director of <topic>")
    ('director', 'directed', 'films', 'wrote')
    """
    words = _WORD.findall(question.lower())
    place = words.index(TOPIC) if TOPIC in words else 0
    before, after = words[:place][::-1], words[place + 1 :] if TOPIC in words else words
    near = 1 if after and after[0] not in STOPWORDS else 0
    ordered = [*after[:near], *before, *after[near:]]
    return tuple(word for word in ordered if word not in STOPWORDS)


def _asked(question: str) -> tuple[str, ...]:
    """What the question word asks for: the end of the path."""
    return ASKED.get(question.split(maxsplit=1)[0].lower(), ()) if question.strip() else ()


class LexicalScorer:
    """Aligns the words of a question with the moves of a path, in order.

    A dynamic program gives every word to one move, never stepping back, so that similar words meet
    and as many moves as possible are met. The score is the mean of *recall*, the share of the
    words' best similarity to any relation of the graph that the path realises, and *precision*,
    the share of moves that a word speaks for. A move without a word counts half if it walks its
    neighbour's relation the other way ("films that share directors": there and back). A relation
    names what it leads to, so if the outermost word of the question (or what its question word
    asks for) names a relation, a path that ends on an inverse move costs `BACKWARD`.

    Rare words of the graph's relation names count more than frequent ones (inverse document
    frequency). Nothing is learned, and only the names of relations are read.
    """

    def __init__(self) -> None:
        self._vocabulary: tuple[tuple[str, ...], dict[str, float]] | None = None

    def __call__(
        self, question: str, paths: Sequence[Path], world: TripleStore, *, finished: bool
    ) -> list[float]:
        """Return the scores of `paths`, each in [0, 1]."""
        relations, idf = self._read(world)
        words = [
            (w, best) for w in mentions(question) if (best := _best(w, relations, idf)) > NOISE
        ]
        return [self._score(words, path.moves, idf, finished=finished) for path in paths]

    def _read(self, world: TripleStore) -> tuple[tuple[str, ...], dict[str, float]]:
        names = world.relation_names
        if self._vocabulary is None or self._vocabulary[0] != names:
            counts = Counter(word for name in names for word in relation_words(name))
            rarest = math.log(1 + len(names))
            idf = {word: math.log(1 + len(names) / n) / rarest for word, n in counts.items()}
            self._vocabulary = names, idf
        return self._vocabulary

    def _score(
        self,
        words: Sequence[tuple[str, float]],
        moves: tuple[str, ...],
        idf: dict[str, float],
        *,
        finished: bool,
    ) -> float:
        if not words or not moves:
            return 0.0
        # rows[t] = (similarity won, moves met) of the best alignment that ends at move t
        rows: list[tuple[float, tuple[bool, ...]]] = []
        bare = (False,) * len(moves)
        won, promised, answers = [(0.0, bare)], 0.0, 0.0
        for word, best in words:
            promised += best
            rows = []
            for t, move in enumerate(moves):
                near = _near(word, move, idf)
                gained, met = max(won[: t + 1], key=_merit)
                if near > NOISE:
                    met = (*met[:t], True, *met[t + 1 :])
                    gained += near
                rows.append((gained, met))
            won = rows
            gained, met = max(rows, key=_merit)
            score = (gained / promised + _precision(moves, met)) / 2
            answers = score if finished else max(answers, score)
        return min(1.0, answers)


def _merit(row: tuple[float, tuple[bool, ...]]) -> float:
    return row[0] + 0.5 * sum(row[1])


def _precision(moves: tuple[str, ...], met: tuple[bool, ...]) -> float:
    spoken = 0.0
    for t, is_met in enumerate(met):
        if is_met:
            spoken += 1.0
        elif any(
            0 <= u < len(moves)
            and met[u]
            and moves[u].removeprefix("^") == moves[t].removeprefix("^")
            for u in (t - 1, t + 1)
        ):
            spoken += 0.5
    return spoken / len(moves)


def _near(word: str, move: str, idf: dict[str, float]) -> float:
    return max(idf.get(part, 1.0) * similarity(word, part) for part in relation_words(move))


def _best(word: str, relations: Sequence[str], idf: dict[str, float]) -> float:
    return max((_near(word, relation, idf) for relation in relations), default=0.0)


class RandomScorer:
    """Knows nothing: a number in [0, 1) for every (seed, question, path). The control."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def __call__(
        self, question: str, paths: Sequence[Path], world: TripleStore, *, finished: bool
    ) -> list[float]:
        """Return the numbers."""
        key = "finished" if finished else "begun"
        return [
            stable_hash("random scorer", self.seed, key, question, *path.moves, bits=32) / 2**32
            for path in paths
        ]
