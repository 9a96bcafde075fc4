"""A hand-made network with a task for every corner, and the rows of the conformance table."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from unittest.mock import patch

from graphenv import envs
from graphenv.envs.base import GraphEnv
from graphenv.envs.subgraph.sources import SOURCES, Play, SubgraphSource, subgraph_task
from graphenv.envs.subgraph.sources.base import edge_actions
from graphenv.envs.subgraph.truths import graph_truth, ranking_truth
from graphenv.envs.subgraph.world import World
from graphenv.episode import Episode
from graphenv.graph import Graph, Triple
from graphenv.knowledge import KnowledgeGraph
from graphenv.task import Task
from graphenv.text import format_call

FILLERS = 1_100
MAX_TURNS = 6
TRIPLES: list[Triple] = [
    ("aspirin", "inhibits", "COX-1"),
    ("aspirin", "inhibits", "COX-2"),
    ("COX-1", "causes", "pain"),
    ("COX-2", "causes", "pain"),
    ("ibuprofen", "inhibits", "COX-1"),
    ("ibuprofen", "treats", "pain"),
    ("pain", "causes", "insomnia"),
    ("café Zoë", "sells", 'crème "brûlée", cold'),
    ("café Zoë", "sells", "tea"),
    ("prion", "folds", "prion"),  # a self-loop
    ("lock", "fits", "key"),
    ("lock", "turns", "key"),  # a second edge between the same two
    ("pain", "hurts", "No"),
    ("pain", "hurts", "Know"),
    *(("hub", "links", f"leaf {i}") for i in range(FILLERS)),
]
TYPES = {
    "aspirin": "drug", "ibuprofen": "drug", "COX-1": "enzyme", "COX-2": "enzyme",
    "pain": "symptom", "insomnia": "symptom",
}  # fmt: skip
TASKS: list[dict[str, Any]] = [
    {
        "question": "How does [aspirin] act on pain?",
        "seeds": ["aspirin"],
        "gold": TRIPLES[:4],
    },
    {"question": "What cold sweet does [café Zoë] sell?", "seeds": ["café Zoë"],
     "gold": [TRIPLES[7]]},
    {"question": "Of what is a [prion] made?", "seeds": ["prion"], "gold": [TRIPLES[9]]},
    {"question": "What does [insomnia] cause?", "seeds": ["insomnia"], "gold": []},
    {"question": "How do [lock] and key go together?", "seeds": ["lock"], "gold": TRIPLES[10:12]},
    {"question": "Whom does [pain] not know?", "seeds": ["pain"], "gold": [TRIPLES[12]]},
    {
        "question": "Which enzymes matter most for [pain]?",
        "seeds": ["pain"],
        "ranking": ["COX-1", "COX-2"],
    },
]  # fmt: skip
PAIN, CAFE, PRION, NOTHING, LOCK, KNOW, ENZYMES = range(7)
GOLD: list[Triple] = TASKS[PAIN]["gold"]
MISSING: Triple = ("aspirin", "treats", "pain")


@lru_cache(maxsize=1)
def world() -> World:
    store = KnowledgeGraph.from_triples(TRIPLES)
    return World(store, TYPES, {"aspirin": "An old drug."})


class FixtureSource(SubgraphSource):
    """The tasks above; every split holds all of them."""

    def __init__(self, *, split: str) -> None:
        super().__init__(split)

    @property
    def fingerprint(self) -> str:
        return f"fixture/{self.split}"

    @property
    def provides(self) -> frozenset[str]:
        return frozenset({"target.graph", "target.answer"})

    def __len__(self) -> int:
        return len(TASKS)

    @property
    def ranked(self) -> bool:
        return True  # one of the tasks does

    def missing(self, index: int) -> frozenset[Triple]:
        return frozenset({MISSING}) if index == PAIN else frozenset()

    def world(self, index: int) -> World:
        return world()

    def __getitem__(self, index: int) -> Task:
        row = TASKS[index]
        gold = row.get("gold")
        return subgraph_task(
            id=f"fixture/{index}",
            index=index,
            question=row["question"],
            seeds=row["seeds"],
            goal="graph" if gold is not None else "ranking",
            max_nodes=8,
            max_edges=6,
            graph=None if gold is None else world().graph(gold, row["seeds"], row["seeds"]),
            answer=row.get("ranking"),
        )

    def play(self, index: int) -> Play:
        row = TASKS[index]
        if "gold" not in row:
            actions = edge_actions(world(), row["seeds"], TRIPLES[2:4])
            return Play(actions, tuple(row["ranking"]))
        return Play(edge_actions(world(), row["seeds"], row["gold"]))

    def truth(
        self, task: Task, graph: Graph, ranking: Sequence[str] | None
    ) -> tuple[float, dict[str, float]]:
        if task.target.graph is not None:
            return graph_truth(graph, task.target.graph, task.meta["seeds"])
        metrics = ranking_truth(ranking, task.target.answer or (), ks=(2,))
        return metrics["p@2"], metrics


def make_env(**kwargs: Any) -> GraphEnv:
    """Return an environment over the hand-made network."""
    with patch.dict(SOURCES, fixture="subgraph_fixture:FixtureSource"):
        return envs.make("subgraph", **{"source": "fixture", **kwargs})


def add(*edges: Triple) -> str:
    """Return the calls that add edges."""
    return "".join(format_call("add_edge", head=h, relation=r, tail=t) for h, r, t in edges)


SUBMIT = format_call("submit", ranking="")


def answer(edges: Sequence[Sequence[str]], **more: Any) -> str:
    """Return a final answer: edges, and what else stands beside them."""
    listed = [list(edge) for edge in edges]
    told: Any = {"edges": listed, **more} if more else listed
    return f"```json\n{json.dumps(told, ensure_ascii=False)}\n```"


# -- the rows of the conformance table ------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """How to play an episode: the task, the turns, the mode; or a function that plays it."""

    index: int
    turns: tuple[str, ...]
    mode: str = "tools"
    play: Callable[[Any], Episode] | None = None


def _single(edges: Sequence[Sequence[str]], index: int = PAIN, **more: Any) -> Case:
    return Case(index, (answer(edges, **more),), "single")


def _timeout(env: Any) -> Episode:
    session = env.begin(PAIN)
    session.turn(add(GOLD[0]))
    session.time_out(add(GOLD[1]), "the engine gave up")
    episode: Episode = session.episode()
    return episode


def _wrong(count: int) -> list[Triple]:
    return [("hub", "links", f"leaf {i}") for i in range(count)]


def _renamed(edges: Sequence[Triple]) -> list[Triple]:
    return [(h.upper(), r.upper(), t.upper()) for h, r, t in edges]


def _ranked(*names: str) -> Case:
    return Case(ENZYMES, (format_call("submit", ranking=json.dumps(names)),))


QUESTION = str(TASKS[PAIN]["question"])
_BUILT = (add(*GOLD[:2]), add(*GOLD[2:]))

CASES: dict[str, Case] = {
    "gold": Case(PAIN, (*_BUILT, SUBMIT)),
    "gold_expanded": Case(
        PAIN,
        (
            format_call("expand", node="aspirin", relation="inhibits"),
            format_call("expand", node="COX-1", relation="causes"),
            format_call("expand", node="COX-2", relation="causes"),
            SUBMIT,
        ),
    ),
    "gold_written": Case(PAIN, (answer(GOLD),)),
    "gold_single": _single(GOLD),
    "renamed": _single(_renamed(GOLD)),
    "reordered": _single(GOLD[::-1]),
    "case": _single([("Aspirin", "Inhibits", "cox-1"), *GOLD[1:]]),
    "whitespace": _single([(f" {h}\n", f"{r} ", f"\u00a0{t}") for h, r, t in GOLD]),
    "unicode": _single([("cafe\u0301 Zoe\u0308", "sells", TRIPLES[7][2])], CAFE),
    "partial": Case(PAIN, (add(*GOLD[:2]), SUBMIT)),
    "one_wrong": Case(PAIN, (*_BUILT[:1], add(GOLD[2], TRIPLES[4]), SUBMIT)),
    "detour_removed": Case(
        PAIN, (add(TRIPLES[4]), format_call("remove", node="ibuprofen"), *_BUILT, SUBMIT)
    ),
    "tried_in_vain": Case(
        PAIN,
        (add(("aspirin", "treats", "pain")), add(("aspirin", "heals", "pain")), *_BUILT, SUBMIT),
    ),
    "empty_answer": Case(PAIN, (SUBMIT,)),
    "empty_single": _single([]),
    "lone_nodes": Case(
        PAIN, (format_call("add_node", node="COX-1") + format_call("add_node", node="pain"), SUBMIT)
    ),
    "both_empty": Case(NOTHING, (SUBMIT,)),
    "both_empty_unanswered": Case(NOTHING, ("",) * MAX_TURNS),
    "something_for_empty": Case(NOTHING, (add(TRIPLES[6]), SUBMIT)),
    "duplicates": _single([*GOLD, *GOLD]),
    "duplicate_calls": Case(PAIN, (*_BUILT, add(*GOLD), SUBMIT)),
    "over_1": _single([*GOLD, *_wrong(1)]),
    "over_10": _single([*GOLD, *_wrong(10)]),
    "over_1000": _single([*GOLD, *_wrong(1_000)]),
    "over_budget": Case(
        PAIN, (*_BUILT, format_call("expand", node="hub", relation="links"), SUBMIT)
    ),
    "list_everything": _single(TRIPLES),
    "dangling": _single([*GOLD, ("COX-1", "causes", "nothing like it")]),
    "invented_edge": _single([*GOLD, ("aspirin", "treats", "pain")]),
    "proposed": _single(GOLD, proposed=[("aspirin", "treats", "pain")]),
    "wrong_direction": _single([(t, r, h) for h, r, t in GOLD]),
    "inverse_relation": _single([(t, f"^{r}", h) for h, r, t in GOLD]),
    "wrong_relation": _single([(h, "hurts", t) for h, _, t in GOLD]),
    "parallel_edge": _single([TRIPLES[10], TRIPLES[11]], LOCK),
    "one_of_two_parallel": _single([TRIPLES[10]], LOCK),
    "self_loop": Case(PRION, (add(TRIPLES[9]), SUBMIT)),
    "self_loop_missed": Case(PRION, (SUBMIT,)),
    "wrong_wrapper_answer": Case(PAIN, (f"<program>{json.dumps(GOLD)}</program>",), "single"),
    "wrong_wrapper_program": Case(PAIN, (f"```sql\n{json.dumps(GOLD)}\n```",), "single"),
    "wrong_wrapper_call": Case(PAIN, (add(*GOLD),), "single"),
    "copied_topic": _single([["aspirin", "inhibits", "aspirin"]]),
    "copied_question": _single([[QUESTION, "is", QUESTION]]),
    "substring_of_gold": _single([("pain", "hurts", "N")], KNOW),
    "gold_is_substring": _single([("pain", "hurts", "Know")], KNOW),
    "huge": Case(PAIN, ("x" * 1_000_000,) * MAX_TURNS),
    "deep_nesting": Case(PAIN, ("<answer>" + "[" * 90_000,) * MAX_TURNS),
    "timeout": Case(PAIN, (), play=_timeout),
    "no_end": Case(PAIN, (*_BUILT, *(format_call("candidates"),) * MAX_TURNS)),
    "ranking": _ranked("COX-1", "COX-2"),
    "ranking_reordered": _ranked("COX-2", "cox-1"),
    "ranking_listed": Case(ENZYMES, ('<answer>["COX-1", "COX-2"]</answer>',)),
    "ranking_partial": _ranked("COX-2"),
    "ranking_repeated": _ranked("COX-2", "COX-2", "cox-2"),
    "ranking_late": _ranked("aspirin", "COX-1"),
    "ranking_unknown": _ranked("COX-1", "COX-9", "COX-2"),
    "ranking_everything": _ranked("COX-1", "COX-2", *(f"leaf {i}" for i in range(FILLERS))),
    "ranking_missing": Case(ENZYMES, (SUBMIT,) * MAX_TURNS),
}
