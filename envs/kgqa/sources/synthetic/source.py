"""The embedded default: procedural questions over a procedural world."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphenv.checks import flag, is_number, whole
from graphenv.choices import Choices, mix
from graphenv.envs.arguments import recorded
from graphenv.envs.kgqa.program import Filter
from graphenv.envs.kgqa.sources.base import KGQASource, hop_list, question_task
from graphenv.envs.kgqa.sources.synthetic.questions import FRAMES, question
from graphenv.envs.kgqa.sources.synthetic.schema import DISTRACTORS, RELATIONS
from graphenv.envs.kgqa.sources.synthetic.space import Space, make_space
from graphenv.envs.kgqa.sources.synthetic.world import make_world
from graphenv.envs.kgqa.walk import Walk
from graphenv.envs.sources import check_paraphrases
from graphenv.errors import ConfigError
from graphenv.knowledge import TripleStore
from graphenv.seeding import stable_hash
from graphenv.task import Task

__all__ = ["SIZES", "SyntheticSource"]

SIZES = {"train": 50_000, "validation": 5_000, "heldout": 5_000}
_MAX_HOPS = 4
_TRIES = 400  # problems looked at before a question kind is given up for an index
_PICKY_TRIES = 120  # of those, how many may be left out because their count is too common
_RARE_COUNT = 8  # counts from here on are always asked for


@dataclass(frozen=True, slots=True)
class _Problem:
    branches: tuple[tuple[str, tuple[str | Filter, ...]], ...]
    path: tuple[str, ...]
    program: str
    answers: tuple[str, ...]
    kind: str


class SyntheticSource(KGQASource):
    """Templated multi-hop questions over an invented world of people, films, cities ...

    Task `i` is made when asked for, in constant time: index -> rank -> (topic, path), through a
    keyed permutation of all problems. Splits own disjoint ranks, so that they share no
    (topic, path), whatever filter, second path or count stands on it. Within a split an index owns
    ranks of its own too, and so problems do not repeat until a split has fewer valid problems than
    tasks (1-hop questions of a small world); then they repeat in another wording.

    The same world (`seed`, `entities`, `relations`, `distractors`) stands behind all splits.
    Questions are put together from a phrase per move, so the text determines the path.
    `heldout` words half of its questions by frames that no other split uses
    (`meta["wording"]` is `seen` or `unseen`).

    Parameters
    ----------
    split
        `train` (50,000 tasks), `validation` or `heldout` (5,000 each).
    hops
        Moves of a question, 1 to 4, or several as a list (an equal share each).
    entities
        Named entities of the world, from 300; numbers come on top.
    relations
        Relations that questions ask for, 8 to 66.
    distractors
        Further relations of the graph that no question asks for, 0 to 16.
    constraints
        Share in [0, 1] of questions with a filter ("released before 1990").
    intersections
        Share in [0, 1] of questions whose answers lie at the end of two paths.
    counts
        Share in [0, 1] of questions that ask for the number of answers.
    paraphrases
        `split`: as said above; `seen`: only frames that training uses; `unseen` (with `heldout`):
        only the held-out ones.
    drop_topic
        MetaQA's rule: the topic leaves the frontier after every move.
    max_answers
        Largest answer set of a question.
    seed
        Which world, and which questions.

    Raises
    ------
    ConfigError
        If an argument is out of range, or the world is too small for the questions asked for.

    Examples
    --------
    >>> task = SyntheticSource(split="train")[0]
    >>> len(task.target.path), task.meta["hops"]
    (2, 2)
    """

    def __init__(
        self,
        *,
        split: str,
        hops: int | list[int] = 2,
        entities: int = 2_400,
        relations: int = 36,
        distractors: int = 8,
        constraints: float = 0.0,
        intersections: float = 0.0,
        counts: float = 0.0,
        paraphrases: str = "split",
        drop_topic: bool = False,
        max_answers: int = 50,
        seed: int = 0,
    ) -> None:
        super().__init__(split)
        self._arguments = recorded(locals())
        lengths = hop_list(hops, "synthetic", most=_MAX_HOPS)
        for name, share in (
            ("constraints", constraints), ("intersections", intersections), ("counts", counts)
        ):  # fmt: skip
            _check_share(name, share)
        if constraints + intersections > 1:
            raise ConfigError(
                f"synthetic: constraints={constraints} and intersections={intersections} are "
                "shares of the same questions; together they must not exceed 1"
            )
        whole("synthetic", "max_answers", max_answers, 1)
        self.drop_topic = flag("synthetic", "drop_topic", drop_topic)
        self.features = frozenset(
            feature
            for feature, share in (
                ("filter", constraints), ("branch", intersections), ("count", counts)
            )
            if share > 0
        )  # fmt: skip
        size: dict[str, Any] = {"entities": entities, "relations": relations}
        size |= {"seed": seed, "distractors": distractors}
        self._made = make_world(**size)
        self._spaces = [make_space(**size, hops=h, max_answers=max_answers) for h in lengths]
        self._shares = constraints, intersections, counts
        self._paraphrases = check_paraphrases(paraphrases, split)
        self._max_answers = max_answers
        self._key = stable_hash("synthetic tasks", seed, split)
        self._regions = [space.region(split) for space in self._spaces]
        for hop, (_, room) in zip(lengths, self._regions, strict=True):
            if room == 0:
                raise ConfigError(
                    f"synthetic: this world has no {hop}-hop question for split {split!r}; raise "
                    "max_answers, relations or entities"
                )
        self._filters = {
            kind: [r.name for r in self._made.relations if r.numeric and r.head == kind]
            for kind in {r.head for r in self._made.relations}
        }
        self._fingerprint: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # The world is cheaper to make again than to send.
        return partial(SyntheticSource, **self._arguments), ()

    @property
    def fingerprint(self) -> str:
        if self._fingerprint is None:
            words = stable_hash(RELATIONS, DISTRACTORS, tuple(FRAMES.items()))
            text = f"synthetic/0 {self._made.graph.fingerprint} {words} {self._arguments}"
            self._fingerprint = hashlib.sha256(text.encode()).hexdigest()
        return self._fingerprint

    def __len__(self) -> int:
        return SIZES[self.split]

    def world(self, index: int) -> TripleStore:
        return self._made.graph

    def __getitem__(self, index: int) -> Task:
        if not 0 <= index < len(self):
            raise IndexError(f"task index {index} is outside the {len(self)} tasks of this split")
        choose = Choices(mix(index, self._key))
        constraints, intersections, counts = self._shares
        point, counted = choose.share(), choose.share() < counts
        kind = "plain"
        if point < constraints + intersections:
            kind = "filter" if point < constraints else "intersection"
        group = index % len(self._spaces)
        space = self._spaces[group]
        problem = self._problem(group, index // len(self._spaces), kind, counted)
        wording = {"split": "seen", "seen": "seen", "unseen": "unseen"}[self._paraphrases]
        if self.split == "heldout" and self._paraphrases == "split":
            wording = ("seen", "unseen")[choose(2)]
        text = question(problem.branches, count=counted, wording=wording, choose=choose)
        return question_task(
            id=f"synthetic/{self.split}/{index}",
            index=index,
            question=text,
            topics=[name for name, _ in problem.branches],
            answers=problem.answers,
            path=problem.path,
            program=problem.program,
            hops=len(space.paths[0]),
            kind=problem.kind,
            wording=wording,
        )

    # -- from an index to a problem -------------------------------------------------------------

    def _problem(self, group: int, index: int, kind: str, count: bool) -> _Problem:
        space = self._spaces[group]
        low, room = self._regions[group]
        length = -(-len(self) // len(self._spaces))
        for attempt in range(2 * _TRIES):
            # Ranks index, index + length, ... belong to this index alone; when they are used up,
            # any rank of the split will do.
            at = index + attempt * length
            if at >= room:
                at = index % room if attempt == 0 else mix(at, self._key) % room
            topic, path = space.problem(low + at)
            # Where a kind of question does not exist in this world, a plain one stands in.
            wanted = kind if attempt < _TRIES else "plain"
            choose = Choices(mix(low + at, 1))
            found = self._ask(space, topic, path, wanted, count, choose)
            if found is not None and count and attempt < _PICKY_TRIES:
                found = found if choose.share() < _share_asked(found) else None
            if found is not None:
                return found
        raise ConfigError(
            f"synthetic: no question with 1 to {self._max_answers} answers was found for task "
            f"{index} of split {self.split!r}; raise max_answers, relations or entities"
        )

    def _ask(
        self,
        space: Space,
        topic: int,
        path: tuple[str, ...],
        kind: str,
        count: bool,
        choose: Choices,
    ) -> _Problem | None:
        """Return the problem on a (topic, path), or `None` if it makes no good question."""
        graph = self._made.graph
        if kind == "filter" and not any(self._filters.get(space.moves[m].end) for m in path):
            return None
        walk = Walk(graph, topic, drop_topic=self.drop_topic)
        for move in path:
            if not walk.follow(move):
                return None
        plain = walk.frontier
        topics = [graph.entity_name(topic)]
        if kind == "filter":
            filtered = self._filtered(space, topic, path, choose)
            if filtered is None or len(filtered.frontier) == len(plain):
                return None
            walk = filtered
        elif kind == "intersection":
            if len(plain) < 2:
                return None
            # Counted are wide ones, because most second paths have but one entity in common.
            second = self._second_path(space, walk, path, choose, wide=count)
            if second is None:
                return None
            other, move = second
            walk.begin(other)
            if not walk.follow(move) or not 0 < len(walk.entities) < min(
                len(plain), len(walk.frontier)
            ):
                return None
            topics.append(graph.entity_name(other))
        ends = walk.entities
        # "1" would be right too often to be worth asking for, and a path back to its topic is none.
        fewest = 2 if count else 1
        if not fewest <= len(ends) <= self._max_answers or (len(ends) == 1 and ends[0] == topic):
            return None
        answers = (str(len(ends)),) if count else tuple(graph.entity_names(ends))
        if kind == "plain" and not count:
            # No relation name of ours needs the care that writing a program takes in general.
            return _Problem(((topics[0], path),), path, " > ".join(path), answers, kind)
        program = walk.program(count=count)
        branches = tuple((n, b.moves) for n, b in zip(topics, program.branches, strict=True))
        return _Problem(branches, program.path, str(program), answers, kind)

    def _filtered(
        self, space: Space, topic: int, path: tuple[str, ...], choose: Choices
    ) -> Walk | None:
        """Return the walk along `path` with a filter that leaves some entities and drops some."""
        graph = self._made.graph
        places = [
            (at, relation)
            for at, move in enumerate(path)
            for relation in self._filters.get(space.moves[move].end, ())
        ]
        if not places:
            return None
        place, relation = places[choose(len(places))]
        walk = Walk(graph, topic, drop_topic=self.drop_topic)
        for at, move in enumerate(path):
            if not walk.follow(move):
                return None
            if at == place:
                numbers = self._made.numbers[relation]
                values = sorted({numbers[e] for e in walk.frontier.tolist() if e in numbers})
                if len(values) < 2:
                    return None
                less = choose(2) == 0
                value = (values[1:] if less else values[:-1])[choose(len(values) - 1)]
                if not walk.keep(Filter(relation, "<" if less else ">", str(value))):
                    return None
        return walk

    def _second_path(
        self, space: Space, walk: Walk, path: tuple[str, ...], choose: Choices, *, wide: bool
    ) -> tuple[int, str] | None:
        """Return another topic and a move from it to one of the entities that `walk` reached.

        With `wide` the move is one of those that lead to most entities.
        """
        end = space.moves[path[-1]].end
        moves = [m for m in space.moves.values() if m.end == end]
        if wide:
            moves = sorted(moves, key=lambda m: (-m.fan, m.name))[:3]
        move = moves[choose(len(moves))].name
        inverse = move[1:] if move.startswith("^") else f"^{move}"
        answer = int(walk.frontier[choose(len(walk.frontier))])
        starts = self._made.graph.neighbors(answer, inverse)
        if not len(starts):
            return None
        other = int(starts[choose(len(starts))])
        if other == walk.topic:
            return None
        # Of two one-hop paths either may come first: both ways round must be in this split.
        if len(path) == 1 and not space.in_split(other, (move,), self.split):
            return None
        return other, move


def _share_asked(problem: _Problem) -> float:
    """Return the share of counting problems to keep of those with this answer.

    Most frontiers are small: four counts in ten are 2 (eight of intersections), and a policy that
    always says "2" would be right that often without reading anything. Sizes fall off about as
    n**-2, so the small ones are thinned out by as much.
    """
    return min(1.0, (int(problem.answers[0]) / _RARE_COUNT) ** 2)


def _check_share(name: str, share: Any) -> None:
    if not is_number(share, 0, 1):
        raise ConfigError(f"synthetic: {name}={share!r} is a share of questions, from 0 to 1")
