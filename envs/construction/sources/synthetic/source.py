"""`SyntheticDocuments`: the embedded source of documents."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

from graphenv.checks import flag, is_whole, whole
from graphenv.choices import Choices, Permutation, mix
from graphenv.corpus import CorpusQuestion, Passage
from graphenv.envs.arguments import recorded
from graphenv.envs.construction.sources.base import DocumentSource, document_task
from graphenv.envs.construction.sources.synthetic import distractors as asides
from graphenv.envs.construction.sources.synthetic.mentions import INTRODUCTIONS, Cast
from graphenv.envs.construction.sources.synthetic.plan import (
    Draft,
    Terrain,
    make_terrain,
    plan_documents,
)
from graphenv.envs.construction.sources.synthetic.questions import Stated
from graphenv.envs.construction.sources.synthetic.wording import WORDINGS
from graphenv.envs.construction.sources.synthetic.writing import Writer
from graphenv.envs.kgqa.sources.synthetic.questions import FRAMES
from graphenv.envs.kgqa.sources.synthetic.schema import RELATIONS
from graphenv.envs.kgqa.sources.synthetic.space import Space, make_space
from graphenv.envs.sources import check_paraphrases
from graphenv.errors import ConfigError
from graphenv.graph import Triple
from graphenv.seeding import stable_hash
from graphenv.task import Task

__all__ = ["SIZES", "WORLDS", "SyntheticDocuments"]

SIZES = {"train": 50_000, "validation": 5_000, "heldout": 5_000}
WORLDS = {"train": 8, "validation": 2, "heldout": 2}
_QUESTIONS = 3
_MOST_ANSWERS = 50  # of a path in the whole world; what documents state is a small part of it
_ROOM = 4  # problems of a world for each of its tasks, at least: about one in two is a good one
_MOST_RELATIONS = len({relation for relation, _ in WORDINGS})


class SyntheticDocuments(DocumentSource):
    """Short documents about an invented world of people, films, cities ..., with all they state.

    Task `i` is made when asked for: index -> world, number of hops -> a topic and a path, through a
    keyed permutation of all of them; the facts of one walk along the path go to documents of their
    own, other facts around them are added, and each fact becomes a sentence. Gold is exactly what
    the sentences state, also that of documents beside the point; a text denies things, too, and
    ties names together by what no relation stands for.

    The first question of a task is its path, up to two more are found in what is stated. A question
    is answered by the facts of all documents together, and by no single document.

    Splits have worlds of their own, so they share no named entity but by chance, and no document.
    Within a split every task has its own (topic, path). `heldout` words half of its tasks by
    sentences that no other split uses (`meta["wording"]` is `seen` or `unseen`).

    Parameters
    ----------
    split
        `train` (50,000 tasks), `validation` or `heldout` (5,000 each).
    documents
        Documents that hang together, 2 to 6; at least the largest of `hops`. Those of `distractors`
        come on top: two with the one of the default make three.
    facts
        Facts of a document, 1 to 12; fewer where the world knows no more.
    aliases
        Whether half of the documents bring in another name of what they are about ("Ida Monroe,
        also called the Tin Owl,"), which all documents then use.
    coreference
        Whether "she", "it" or "the film" may stand for what a document is about.
    distractors
        How much stands beside the point, 0 to 4: so many documents about other entities, and so
        many sentences of each document that state no relation.
    hops
        Moves of a question, 2 or 3, or both as a list (an equal share each).
    entities
        Named entities of a world, from 300; numbers come on top.
    relations
        Relations of a world, 8 to 36.
    paraphrases
        `split`: as said above; `seen`: only sentences that training uses; `unseen` (with
        `heldout`): only the held-out ones.
    seed
        Which worlds, and which documents.
    tasks
        Number of tasks, from 1; by default as said at `split`.
    worlds
        Number of worlds, from 1; by default 8 (train), 2 (validation, held-out).

    Raises
    ------
    ConfigError
        If an argument is out of range, or the worlds are too small for so many tasks.

    Examples
    --------
    >>> source = SyntheticDocuments(split="train", documents=2, distractors=0)
    >>> task = source[0]
    >>> len(task.target.corpus.passages), len(task.target.corpus.questions[0].path)
    (2, 2)
    """

    def __init__(
        self,
        *,
        split: str,
        documents: int = 3,
        facts: int = 4,
        aliases: bool = True,
        coreference: bool = True,
        distractors: int = 1,
        hops: int | list[int] = 2,
        entities: int = 2_400,
        relations: int = _MOST_RELATIONS,
        paraphrases: str = "split",
        seed: int = 0,
        tasks: int | None = None,
        worlds: int | None = None,
    ) -> None:
        arguments = recorded(locals())
        self._arguments = {k: arguments[k] for k in sorted(arguments)}
        super().__init__(split)
        self._documents = whole("synthetic", "documents", documents, 2, 6)
        self._facts = whole("synthetic", "facts", facts, 1, 12)
        self._distractors = whole("synthetic", "distractors", distractors, 0, 4)
        self._entities = whole("synthetic", "entities", entities, 300, 100_000)
        self._relations = whole("synthetic", "relations", relations, 8, _MOST_RELATIONS)
        self._seed = whole("synthetic", "seed", seed, 0, 2**63)
        self._tasks = (
            SIZES[split] if tasks is None else whole("synthetic", "tasks", tasks, 1, 10_000_000)
        )
        self._worlds = (
            WORLDS[split] if worlds is None else whole("synthetic", "worlds", worlds, 1, 1_000)
        )
        self._hops = _hop_list(hops)
        if self._hops[-1] > documents:
            raise ConfigError(
                f"synthetic: hops={hops!r} with documents={documents}: each fact of a question "
                "stands in a document of its own; set documents to the largest of hops or more"
            )
        self._aliases = flag("synthetic", "aliases", aliases)
        self._coreference = flag("synthetic", "coreference", coreference)
        self._paraphrases = check_paraphrases(paraphrases, split)
        self._key = stable_hash("synthetic documents", seed, split)
        self._order = Permutation(self._tasks, "synthetic documents", seed, split)
        self._turns = -(-self._tasks // (self._worlds * len(self._hops)))
        self._names = tuple(sorted(relation.name for relation in RELATIONS[:relations]))
        self._fingerprint: str | None = None
        self._spaces: dict[tuple[int, int], Space] = {}
        self._check_room()

    def __reduce__(self) -> tuple[Any, ...]:
        # Worlds are cheaper to make again than to send.
        return partial(SyntheticDocuments, **self._arguments), ()

    @property
    def fingerprint(self) -> str:
        if self._fingerprint is None:
            tables = (WORDINGS, INTRODUCTIONS, FRAMES, asides.DENIALS, asides.OTHER_TIES)
            words = stable_hash(*tables, asides.SMALL_TALK)
            worlds = [self._terrain(number).fingerprint for number in range(self._worlds)]
            text = f"synthetic documents/0 {words} {worlds} {self._arguments}"
            self._fingerprint = hashlib.sha256(text.encode()).hexdigest()
        return self._fingerprint

    @property
    def provides(self) -> frozenset[str]:
        return super().provides | {"target.questions", "target.supporting"}

    def __len__(self) -> int:
        return self._tasks

    def relations(self, index: int) -> tuple[str, ...]:
        return self._names

    def __getitem__(self, index: int) -> Task:
        if not 0 <= index < self._tasks:
            raise IndexError(f"task index {index} is outside the {self._tasks} tasks of this split")
        rest, world = divmod(self._order(index), self._worlds)
        turn, at = divmod(rest, len(self._hops))
        choose = Choices(mix(index, self._key))
        wording = "unseen" if self._paraphrases == "unseen" else "seen"
        if self.split == "heldout" and self._paraphrases == "split":
            wording = ("seen", "unseen")[choose(2)]
        terrain, space = self._terrain(world), self._space(world, self._hops[at])
        # Ranks turn, turn + turns, ... belong to this task alone.
        for rank in range(turn, space.size, self._turns):
            drafts, questions = self._look(terrain, *space.problem(rank), wording, choose)
            if questions:
                break
        else:
            raise ConfigError(
                f"synthetic: no documents were found for task {index} of split {self.split!r}; "
                "raise entities, relations or worlds, or lower documents, distractors or tasks"
            )
        cast = self._cast(terrain, drafts, choose)
        passages = self._write(terrain, drafts, cast, wording, choose)
        return document_task(
            id=f"synthetic/{self.split}/{index}",
            index=index,
            passages=passages,
            triples=[triple for draft in drafts for triple in _triples(terrain, draft)],
            questions=questions,
            aliases=cast.groups(),
            relations=self._names,
            world=world,
            hops=self._hops[at],
            wording=wording,
        )

    # -- from an index to documents -------------------------------------------------------------

    def _world_seed(self, number: int) -> int:
        return stable_hash("synthetic documents", self._seed, self.split, number, bits=62)

    def _terrain(self, number: int) -> Terrain:
        seed = self._world_seed(number)
        return make_terrain(seed=seed, entities=self._entities, relations=self._relations)

    def _space(self, number: int, hops: int) -> Space:
        # Kept here, because the shared cache is too small for several splits and lengths.
        if (number, hops) not in self._spaces:
            self._spaces[number, hops] = make_space(
                seed=self._world_seed(number),
                entities=self._entities,
                relations=self._relations,
                distractors=0,
                hops=hops,
                max_answers=_MOST_ANSWERS,
            )
        return self._spaces[number, hops]

    def _check_room(self) -> None:
        """Refuse more tasks than there are problems now, and not in the middle of a training."""
        for hops in self._hops:
            room = self._space(0, hops).size // _ROOM
            if room < self._turns:
                fewer = room * self._worlds * len(self._hops)
                raise ConfigError(
                    f"synthetic: {self._worlds} worlds of {self._entities} entities have no "
                    f"{self._tasks} different tasks, but some {fewer}. Set tasks={fewer}, or raise "
                    "worlds, entities or relations."
                )

    def _look(
        self,
        terrain: Terrain,
        topic: int,
        path: tuple[str, ...],
        wording: str,
        choose: Choices,
    ) -> tuple[list[Draft], tuple[CorpusQuestion, ...]]:
        """Return documents for a path and questions about them; no questions if it is no good."""
        drafts = plan_documents(
            terrain,
            topic,
            path,
            documents=self._documents,
            facts=self._facts,
            distractors=self._distractors,
            choose=choose,
        )
        if drafts is None:
            return [], ()
        stated = Stated([_triples(terrain, draft) for draft in drafts])
        titles = [terrain.names[draft.title] for draft in drafts]
        first = terrain.names[topic], path
        return drafts, stated.questions(first, titles, self._hops, _QUESTIONS, wording, choose)

    def _cast(self, terrain: Terrain, drafts: list[Draft], choose: Choices) -> Cast:
        names = {end for draft in drafts for h, _, t in _triples(terrain, draft) for end in (h, t)}
        for draft in drafts:
            for aside in draft.asides:
                names |= {aside.other} - {""}
                names |= set(aside.denied[::2] if aside.denied else ())
        kinds = {terrain.names[draft.title]: terrain.kinds[draft.title] for draft in drafts}
        return Cast.make(kinds, names, choose, aliases=self._aliases)

    def _write(
        self, terrain: Terrain, drafts: list[Draft], cast: Cast, wording: str, choose: Choices
    ) -> list[Passage]:
        writer = Writer(terrain, cast, wording, coreference=self._coreference, choose=choose)
        return [writer.write(draft) for draft in drafts]


def _triples(terrain: Terrain, draft: Draft) -> list[Triple]:
    return [terrain.triple(fact) for fact in draft.facts]


def _hop_list(hops: Any) -> tuple[int, ...]:
    numbers = hops if isinstance(hops, list | tuple) else [hops]
    if not numbers or not all(is_whole(n, 2, 3) for n in numbers):
        raise ConfigError(f"synthetic: hops={hops!r} must be 2, 3 or a list of them")
    return tuple(sorted(set(numbers)))
