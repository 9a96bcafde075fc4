"""The embedded default: invented databases, and questions with gold in both languages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from graphenv.checks import is_whole, one_of, whole
from graphenv.choices import Choices, Permutation, mix
from graphenv.envs.arguments import recorded
from graphenv.envs.cache import cache_folder, cached
from graphenv.envs.queries.engines.protocol import Database
from graphenv.envs.queries.files.contents import Contents
from graphenv.envs.queries.files.sqlite import contents_digest, write_sqlite
from graphenv.envs.queries.sources.base import QuerySource
from graphenv.envs.queries.sources.synthetic.cypher import write_cypher
from graphenv.envs.queries.sources.synthetic.evaluate import Answer
from graphenv.envs.queries.sources.synthetic.frames import FRAMES
from graphenv.envs.queries.sources.synthetic.kinds import FEATURES, KINDS, Kind
from graphenv.envs.queries.sources.synthetic.plan import Plan
from graphenv.envs.queries.sources.synthetic.space import Space, make_space
from graphenv.envs.queries.sources.synthetic.sql import write_sql
from graphenv.envs.queries.sources.synthetic.wording import word
from graphenv.envs.queries.sources.synthetic.world import World, make_world
from graphenv.envs.sources import check_paraphrases
from graphenv.errors import ConfigError, did_you_mean
from graphenv.query.model import Language
from graphenv.query.schema import Schema
from graphenv.seeding import stable_hash
from graphenv.task import Target, Task

__all__ = ["SIZES", "WORLDS", "Problem", "SyntheticQueries"]

SIZES = {"train": 50_000, "validation": 5_000, "heldout": 5_000}
WORLDS = {"train": 16, "validation": 6, "heldout": 8}
SCHEMAS = ("unseen", "seen")
_EXTRAS = (0, 1, 0, 1, 2)  # further filters of five questions
_DETOURS = 3  # kinds tried instead of one that has no good question left, without repetitions
_TRIES = 60  # questions of a cell looked at before another is tried
_ROOMY: set[tuple[object, ...]] = set()
"""Arguments that were seen to have all their questions: the same are asked for many times."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What task `i` asks, before it has words: the same for both languages."""

    world: World
    plan: Plan
    answers: tuple[Answer, ...]
    kind: Kind
    hops: int


class SyntheticQueries(QuerySource):
    """Questions about invented databases, with gold SQL or gold Cypher over the same world.

    Task `i` is made when asked for: index -> world, kind of question, number of joins -> a plan,
    through a keyed permutation of all plans of that kind. Wording, both gold queries and the
    answer all come from the plan, so task `i` is the same question in both languages.

    A plan is taken only if its answer, computed in plain Python on the main database and on two
    seeded variations of it, is nowhere empty, everything or decided by ties, is another one on each
    variation, and if each condition makes a difference.

    Splits share no question: training uses ten twelfths of the plans of its worlds, the other two
    are `schemas="seen"` of validation and held-out. By default (`schemas="unseen"`) these have
    worlds of their own, from domains of which training has none.

    Parameters
    ----------
    language
        `sql` or `cypher`.
    split
        `train`, `validation` or `heldout`.
    seed
        Which worlds, and which questions.
    hops
        Joins of a question, 0 to 3, or several as a list (an equal share each).
    features
        What questions may use besides filters and joins: `all`, or a list of `aggregation`,
        `grouping`, `negation`, `nesting`, `optional`, `ordering`, `set_operations`,
        `variable_length`; an empty list allows none.
    paraphrases
        `split`: `heldout` words half of its questions by frames that no other split uses
        (`meta["wording"]` is `seen` or `unseen`); `seen`: only frames that training uses; `unseen`
        (with `heldout`): only the held-out ones.
    schemas
        `unseen`: validation and held-out have worlds that training never sees; `seen`: they ask new
        questions about the worlds of training.
    size
        Rows of the entity tables of a world, 200 to 5,000.
    worlds
        Number of worlds, from 1; by default 16 (train), 6 (validation), 8 (held-out).
    tasks
        Number of tasks, from 1; by default 50,000 (train), 5,000 (validation, held-out).

    Raises
    ------
    ConfigError
        If an argument is out of range, or the worlds are too small for the questions asked for.

    Examples
    --------
    >>> sql = SyntheticQueries("sql", "train", worlds=1, tasks=100)
    >>> cypher = SyntheticQueries("cypher", "train", worlds=1, tasks=100)
    >>> sql[3].messages == cypher[3].messages, sql[3].target.program == cypher[3].target.program
    (True, False)
    """

    def __init__(
        self,
        language: Language,
        split: str,
        *,
        seed: int = 0,
        hops: int | list[int] = [0, 1, 2, 3],  # noqa: B006 (never changed)
        features: str | list[str] = "all",
        paraphrases: str = "split",
        schemas: str = "unseen",
        size: int = 400,
        worlds: int | None = None,
        tasks: int | None = None,
    ) -> None:
        arguments = recorded(locals())
        self._arguments = {k: arguments[k] for k in sorted(arguments)}
        one_of("synthetic", "language", language, ("sql", "cypher"))
        super().__init__(language, split)
        self._hops = _hop_list(hops)
        self._kinds = _kinds(self._hops, features)
        whole("synthetic", "size", size, 200, 5_000)
        whole("synthetic", "seed", seed, 0, 2**63)
        own = split if schemas == "unseen" else "train"
        self._worlds = (
            WORLDS[own] if worlds is None else whole("synthetic", "worlds", worlds, 1, 1_000)
        )
        self._tasks = (
            SIZES[split] if tasks is None else whole("synthetic", "tasks", tasks, 1, 10_000_000)
        )
        one_of("synthetic", "schemas", schemas, SCHEMAS)
        self._paraphrases = check_paraphrases(paraphrases, split)
        self._size, self._seed = size, seed
        self._own = own
        # In worlds that training shares a split owns its twelfths, elsewhere everything.
        self._region = split if own == "train" else None
        self._key = stable_hash("synthetic queries", seed, split)
        self._order = Permutation(self._tasks, "synthetic queries", seed, split)
        self._fingerprint: str | None = None
        if (worlds, tasks, hops, features, size) != (None, None, [0, 1, 2, 3], "all", 400):
            self._check_room()  # the defaults have been tried

    def __reduce__(self) -> tuple[Any, ...]:
        # Worlds are cheaper to make again than to send.
        return partial(SyntheticQueries, **self._arguments), ()

    @property
    def fingerprint(self) -> str:
        if self._fingerprint is None:
            words = stable_hash(FRAMES, *(_digests(self._world(n)) for n in range(self._worlds)))
            text = f"synthetic queries/0 {words} {self._arguments}"
            self._fingerprint = hashlib.sha256(text.encode()).hexdigest()
        return self._fingerprint

    def __len__(self) -> int:
        return self._tasks

    def __getitem__(self, index: int) -> Task:
        problem = self.problem(index)
        choose = Choices(mix(index, self._key))
        wording = "unseen" if self._paraphrases == "unseen" else "seen"
        if self.split == "heldout" and self._paraphrases == "split":
            wording = ("seen", "unseen")[choose(2)]
        plan, world = problem.plan, problem.world
        program = write_sql(plan, world) if self.language == "sql" else write_cypher(plan)
        return Task(
            id=f"synthetic/{self.language}/{self.split}/{index}",
            index=index,
            messages=({"role": "user", "content": word(plan, world, wording, choose)},),
            target=Target(program=program),
            meta={
                "database": world.name,
                "ordered": bool(plan.order),
                "kind": plan.kind,
                "hops": problem.hops,
                "features": list(problem.kind.features),
                "filters": len(plan.pattern.filters),
                "wording": wording,
            },
        )

    def schema(self, index: int) -> Schema:
        world = self._world(self._place(index)[0])
        return world.sql_schema if self.language == "sql" else world.graph_schema

    def databases(self, index: int) -> tuple[Database, ...]:
        # The folder is part of what is asked: files made for one cache are in no other.
        return _databases(self._world(self._place(index)[0]), self.language, cache_folder())

    # -- from an index to a problem -------------------------------------------------------------

    def _world(self, number: int) -> World:
        return make_world(self._own, number, self._seed, self._size)

    def _place(self, index: int) -> tuple[int, int, int, int]:
        """Return the world, number of joins, kind (as a place in its list) and turn of a task."""
        if not 0 <= index < self._tasks:
            raise IndexError(f"task index {index} is outside the {self._tasks} tasks of this split")
        rest, world = divmod(self._order(index), self._worlds)
        rest, at = divmod(rest, len(self._hops))
        turn, kind = divmod(rest, len(self._kinds[self._hops[at]]))
        return world, self._hops[at], kind, turn

    def problem(self, index: int) -> Problem:
        """Return what task `index` asks, and the answers that make it a good question."""
        world, hops, at, turn = self._place(index)
        # In a space that is nearly used up a few tasks find nothing of their own and repeat others.
        for other in range(_TRIES):
            mine = turn if other == 0 else mix(other, turn) % (turn + 1)
            found = self._problem(world, hops, at, mine, self._tasks)
            if found is not None:
                return found
        raise ConfigError(
            f"synthetic: no good question was found for task {index} of split {self.split!r}; "
            "raise size or worlds, allow more hops or features, or lower tasks"
        )

    def _check_room(self) -> None:
        """Refuse more tasks than there are questions now, and not in the middle of a training."""
        kinds = tuple((n, kind.name) for n, kinds in self._kinds.items() for kind in kinds)
        asked = (self.split, self._own, self._worlds, self._seed, self._size, self._tasks, kinds)
        if asked in _ROOMY:
            return
        if self._fits(self._tasks):
            _ROOMY.add(asked)
            return
        fewer = self._tasks // 2
        while fewer > 1 and not self._fits(fewer):
            fewer //= 2
        raise ConfigError(
            f"synthetic: split {self.split!r} has no {self._tasks} good questions under these "
            f"arguments, but some {fewer}. Set tasks={fewer}, raise worlds or size, or allow more "
            "hops or features."
        )

    def _fits(self, tasks: int) -> bool:
        """Return whether the last question of each kind is found in the first world."""
        for hops in self._hops:
            kinds = self._kinds[hops]
            last = (tasks - 1) // (self._worlds * len(self._hops) * len(kinds))
            for at in range(len(kinds)):
                for turn in range(max(0, last - 2), last + 1):
                    if self._problem(0, hops, at, turn, tasks) is None:
                        return False
        return True

    def _problem(self, number: int, hops: int, at: int, turn: int, tasks: int) -> Problem | None:
        space = make_space(self._own, number, self._seed, self._size)
        kinds = self._kinds[hops]
        # Turns of one kind own ranks of their own: turn, turn + length, turn + 2 length ...
        length = tasks // (self._worlds * len(self._hops) * len(kinds)) + 1
        stride = (_DETOURS + 1) * length
        for detour in range(len(kinds)):
            kind = kinds[(at + detour) % len(kinds)]
            wanted = min(_EXTRAS[turn % len(_EXTRAS)], kind.extras)
            # Tasks that take a detour own ranks behind those of the kind's own tasks.
            mine = turn + min(detour, _DETOURS) * length
            for extras in dict.fromkeys((wanted, *range(1, kind.extras + 1), 0)):
                found = self._look(space, kind, hops, extras, mine, stride)
                if found is not None:
                    return Problem(space.world, *found, kind, hops)
        return None

    def _look(
        self, space: Space, kind: Kind, hops: int, extras: int, first: int, stride: int
    ) -> tuple[Plan, tuple[Answer, ...]] | None:
        cell = space.cell(kind, hops, extras)
        low, room = (0, cell.offsets[-1]) if self._region is None else cell.region(self._region)
        for rank in range(first, min(room, first + _TRIES * stride), stride):
            plan = space.plan(cell, low + rank)
            if plan is not None:
                answers = space.answers(plan)
                if answers is not None:
                    return plan, answers
        return None


@lru_cache(maxsize=64)
def _digests(world: World) -> tuple[str, ...]:
    return tuple(map(contents_digest, world.contents))


@lru_cache(maxsize=64)
def _databases(world: World, language: Language, folder: Path) -> tuple[Database, ...]:  # noqa: ARG001
    made = []
    for number, (contents, digest) in enumerate(zip(world.contents, _digests(world), strict=True)):
        name = f"{world.name}_{number}.{'sqlite' if language == 'sql' else 'ladybug'}"
        if language == "sql":
            path = cached(name, digest, partial(write_sqlite, contents))
            made.append(Database("sqlite", str(path), digest))
        else:
            graph = Contents(world.graph_schema, contents.entities, contents.links)
            path = cached(name, digest, partial(_write_graph, graph))
            made.append(Database("ladybug", str(path), digest))
    return tuple(made)


def _write_graph(contents: Contents, path: Path) -> None:
    from graphenv.envs.queries.files.ladybug import write_ladybug

    write_ladybug(contents, path)


def _hop_list(hops: Any) -> tuple[int, ...]:
    numbers = hops if isinstance(hops, list | tuple) else [hops]
    if not numbers or not all(is_whole(n, 0, 3) for n in numbers):
        raise ConfigError(
            f"synthetic: hops={hops!r} must be a whole number from 0 to 3 or a list of them"
        )
    return tuple(sorted(set(numbers)))


def _kinds(hops: tuple[int, ...], features: Any) -> dict[int, tuple[Kind, ...]]:
    if features == "all":
        features = list(FEATURES)
    if not isinstance(features, list | tuple) or not all(isinstance(f, str) for f in features):
        raise ConfigError(f"synthetic: features={features!r} must be 'all' or a list of names")
    for name in features:
        if name not in FEATURES:
            raise ConfigError(
                f"synthetic: {name!r} is no feature of questions.{did_you_mean(name, FEATURES)}"
            )
    return {
        n: tuple(
            kind for kind in KINDS
            if kind.hops[0] <= n <= kind.hops[1] and set(kind.features) <= set(features)
        )
        for n in hops
    }  # fmt: skip
