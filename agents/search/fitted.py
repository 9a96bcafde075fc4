"""A scorer that is fitted: which words go with which move, counted on training tasks."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from graphenv.agents.search.scorers import TOPIC
from graphenv.agents.search.tree import Path
from graphenv.envs import make
from graphenv.envs.kgqa import KGQAEnv, parse_program
from graphenv.errors import ConfigError
from graphenv.knowledge import TripleStore
from graphenv.seeding import rng

__all__ = ["FittedScorer", "training_pairs"]

STOP = "$"
START = "^^"


def training_pairs(env: KGQAEnv, count: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return (question, gold path) of `count` tasks of the *train* split of `env`'s source.

    Whatever split `env` plays, gold is read from the train split alone. Tasks whose gold is more
    than a plain path are left out.

    Raises
    ------
    ConfigError
        If the source has no such tasks.
    """
    train = make(env.env_id, **{**env.kwargs, "split": "train", "reward": "exact"})
    source = train.source
    pairs: list[tuple[str, str, tuple[str, ...]]] = []
    for index in rng("search fit", source.fingerprint).permutation(len(source)).tolist():
        if len(pairs) == count:
            break
        task = source[index]
        program = parse_program(task.target.program or "")[0]
        if program is None or len(program.branches) != 1 or program.count:
            continue
        moves = program.branches[0].moves
        plain = tuple(move for move in moves if isinstance(move, str))
        if len(plain) == len(moves):
            pairs.append((str(task.meta["question"]), task.meta["topics"][0], plain))
    if not pairs:
        raise ConfigError(
            "search(fit=...): the train split of this source holds no gold paths to learn from; "
            "leave fit=0 for the training-free scorer"
        )
    return [(masked(question, topic), path) for question, topic, path in pairs]


def masked(question: str, topic: str) -> str:
    """Return the question with its topic entity written as `<topic>`.

    >>> masked("who made [Heat]", "Heat")
    'who made <topic>'
    """
    for form in (f"[{topic}]", topic):
        if form in question:
            return question.replace(form, TOPIC)
    return question


class FittedScorer:
    """Naive Bayes over the words of the question, one decision a move.

    P(next move | move before, question) is proportional to P(move | move before) times the product
    over the question's words (single and in pairs) of P(word | move before, move), add-`smoothing`
    estimates, tempered by the number of words. A path scores the geometric mean of its decisions;
    the decision to stop belongs to finished paths. Not training-free: shown apart in every table.

    >>> scorer = FittedScorer([("who made <topic>", ("made_by",)), ("what is it", ("kind",))])
    >>> paths = [Path(("made_by",)), Path(("kind",))]
    >>> a, b = scorer("who made <topic>", paths, None, finished=True)
    >>> a > b
    True
    """

    def __init__(
        self, pairs: Iterable[tuple[str, tuple[str, ...]]], *, smoothing: float = 0.1
    ) -> None:
        self._smoothing = smoothing
        self._words: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._next: dict[str, Counter[str]] = defaultdict(Counter)
        vocabulary: set[str] = set()
        for question, path in pairs:
            features = _features(question)
            vocabulary.update(features)
            before = START
            for i, move in enumerate((*path, STOP)):
                self._next[before][move] += 1
                self._words[before, move].update(features)
                before = f"{i}{move}"
        self._size = len(vocabulary)
        self._cache: dict[tuple[str, str], dict[str, float]] = {}

    def __call__(
        self,
        question: str,
        paths: Sequence[Path],
        world: TripleStore | None,
        *,
        finished: bool,
    ) -> list[float]:
        """Return the scores of `paths`, each in [0, 1]."""
        return [self._score(question, path.moves, finished=finished) for path in paths]

    def _score(self, question: str, moves: tuple[str, ...], *, finished: bool) -> float:
        before, total = START, 0.0
        decisions = (*moves, STOP) if finished else moves
        for i, move in enumerate(decisions):
            total += math.log(self._decision(question, before).get(move, 1e-9))
            before = f"{i}{move}"
        return math.exp(total / max(1, len(decisions)))

    def _decision(self, question: str, before: str) -> dict[str, float]:
        key = (question, before)
        if key not in self._cache:
            if len(self._cache) > 4_096:
                self._cache.clear()
            self._cache[key] = self._posterior(_features(question), before)
        return self._cache[key]

    def _posterior(self, features: tuple[str, ...], before: str) -> dict[str, float]:
        logs: dict[str, float] = {}
        for move, count in self._next.get(before, Counter()).items():
            words = self._words[before, move]
            total = words.total() + self._smoothing * (self._size + 1)
            log = sum(math.log((words[f] + self._smoothing) / total) for f in features)
            # Words are far from independent: their product is taken to the power 4 / words.
            logs[move] = math.log(count) + 4 * log / max(4, len(features))
        if not logs:
            return {}
        top = max(logs.values())
        weights = {move: math.exp(log - top) for move, log in logs.items()}
        norm = sum(weights.values())
        return {move: weight / norm for move, weight in weights.items()}


def _features(question: str) -> tuple[str, ...]:
    words = question.lower().split()
    return (*words, *(f"{a} {b}" for a, b in pairwise(words)))
