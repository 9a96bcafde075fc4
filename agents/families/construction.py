"""How graph construction is played: gold triples, nested mistakes in them, random triples."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from graphenv.agents.base import Agent
from graphenv.agents.families.base import Family
from graphenv.corpus import Corpus
from graphenv.envs.construction import KGConstructionEnv
from graphenv.envs.construction.reading import MAX_TRIPLES, triples_json
from graphenv.envs.construction.session import PublicVocabulary
from graphenv.errors import ConfigError
from graphenv.fences import fenced
from graphenv.graph import Triple
from graphenv.seeding import rng
from graphenv.task import Message, Task
from graphenv.text import normalize, text_of

__all__ = ["ConstructionFamily", "names_in_text"]

_NAME = re.compile(r"[^\W\d_a-z][\w'’.-]*(?:\s+[^\W\d_a-z][\w'’.-]*)*|\d[\d.,/-]*")
_HEADING = re.compile(r"^(?:Relations|Documents|Document \d+):", re.MULTILINE)
_LONGEST = 100


class ConstructionFamily(Family):
    """Triples in a fenced block: all at once, or those of each document in its turn."""

    env: KGConstructionEnv

    def gold(self, index: int) -> list[str]:
        """Return the gold triples; in turns mode each with the first document that names its ends.

        Raises
        ------
        ConfigError
            If the task has no gold triples.
        """
        task = self.env.source[index]
        return self._written(task, _gold(task))

    def planted(self, index: int, errors: int) -> list[str]:
        """Return the gold with mistakes: a wrong relation, a surplus triple, a missing one, again.

        Where no right triple is left to spoil, a surplus one stands for it. A surplus triple names
        nobody whom the documents know.
        """
        task = self.env.source[index]
        triples = _gold(task)
        order = rng("planted triples", task.id).permutation(len(triples)).tolist()
        right = [triples[i] for i in order]
        wrong: list[Triple] = []
        for error in range(errors):
            kind = error % 3
            if kind == 1 or not right:
                wrong.append((f"Nobody {error}", "no_such_relation", f"Nothing {error}"))
                continue
            head, _, tail = right.pop()
            if kind == 0:
                wrong.append((head, f"no_such_relation_{error}", tail))
        return self._written(task, [*right, *wrong])

    def random(self, world: Any, seed: int, max_moves: int) -> Agent:
        """Return a policy that ties names of the text together at random, up to `max_moves` times.

        A name is a run of capitalised words, or a number.
        """
        return _RandomTriples(world, seed, max_moves)

    def everything(self, index: int) -> Sequence[Any]:
        """Return triples of all pairs of names of the documents, as many as may be written."""
        env = self.env
        task = env.source[index]
        corpus = _corpus(task)
        world: PublicVocabulary = env.begin(index).world
        names = names_in_text(corpus.text)
        relations = world.relations or ("related to",)
        pairs = [(h, t) for h in names for t in names if h != t]
        room = MAX_TRIPLES // (len(corpus.passages) if self.env.mode == "turns" else 1)
        draw = rng("all pairs", task.id)
        size = len(pairs) * len(relations)
        chosen = range(size) if size <= room else draw.choice(size, room, replace=False).tolist()
        found = []
        for at in chosen:
            (head, tail), relation = pairs[at // len(relations)], relations[at % len(relations)]
            found.append([head, relation, tail])
        return found

    def _written(self, task: Task, triples: Sequence[Triple]) -> list[str]:
        if self.env.mode == "single":
            return [_block(triples)]
        corpus = _corpus(task)
        parts: list[list[Triple]] = [[] for _ in corpus.passages]
        texts = [normalize(f"{p.title}\n{p.text}") for p in corpus.passages]
        names = {normalize(group[0]): [*map(normalize, group)] for group in corpus.aliases}
        for triple in triples:
            ends = [names.get(normalize(name), [normalize(name)]) for name in triple[::2]]
            known = (
                at
                for at, text in enumerate(texts)
                if all(any(name in text for name in end) for end in ends)
            )
            parts[next(known, len(parts) - 1)].append(triple)
        return [_block(part) for part in parts]


def _block(triples: Sequence[Triple]) -> str:
    return fenced(triples_json(triples), "json")


def names_in_text(text: str) -> list[str]:
    """Return runs of capitalised words and numbers of a text, without repeats.

    >>> names_in_text("Heat was directed by Michael Mann in 1995. It is long.")
    ['Heat', 'Michael Mann', '1995', 'It']
    """
    found = (match[0].rstrip(".,'-’/").strip() for match in _NAME.finditer(text))
    return list(dict.fromkeys(name for name in found if 0 < len(name) <= _LONGEST))


def _gold(task: Task) -> list[Triple]:
    if task.target.graph is None:
        raise ConfigError(
            f"task {task.id} has no gold triples, so no oracle can write them; the agents rules "
            "and random play this source, and so does a model (trained with warmup=0)"
        )
    return list(task.target.graph.triples)


def _corpus(task: Task) -> Corpus:
    assert task.target.corpus is not None  # every source of documents gives one
    return task.target.corpus


class _RandomTriples(Agent):
    def __init__(self, world: PublicVocabulary, seed: int, max_moves: int) -> None:
        self._relations = world.relations or ("related to",)
        self._seed = seed
        self._max_moves = max_moves

    def act(self, messages: Sequence[Message]) -> str:
        shown = next((text_of(m["content"]) for m in reversed(messages) if m["role"] == "user"), "")
        said = json.dumps([text_of(message["content"]) for message in messages])
        draw = rng("random agent", self._seed, said)
        start = shown.find("Document 1:")
        body = _HEADING.sub("", shown[max(start, 0) :])
        names = names_in_text(body)
        triples: list[Triple] = []
        for _ in range(int(draw.integers(1, self._max_moves + 1)) if len(names) > 1 else 0):
            head, tail = (names[i] for i in draw.choice(len(names), 2, replace=False).tolist())
            relation = self._relations[int(draw.integers(len(self._relations)))]
            triples.append((head, relation, tail))
        return _block(triples)
