"""The conformance table: every reward term over every corner case, with the value it must give.

A later family adds a table, a later term a column, a later case a row; the tests in
`test_rewards_conformance.py` fail until each has its values. The values stand in
`conformance_tables/`, each beside its reason. In that of KGQA an episode has at most `MAX_TURNS`
turns; `progress` and `ged_progress` are minus the potential of the start, a constant of the task (0
where nothing is built yet), and `turn_cost` minus the share of turns used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import kgqa_fixture as fx
import pytest

from graphenv.envs.registry import ENVIRONMENTS
from graphenv.episode import Episode, Outcome, Step
from graphenv.graph import Edge, Graph, Node
from graphenv.rewards import parse
from graphenv.rewards.expression import ExpressionReward
from graphenv.score import Score
from graphenv.task import Target, Task
from graphenv.text import format_answer, format_call

MAX_TURNS = 4
TABLES = {
    "kgqa": "kgqa",
    "text2sql": "queries",
    "text2cypher": "queries",
    "scene-graph": "scenes",
    "caption-correction": "captions",
    "kg-construction": "construction",
}
"""The table of each family. Graph terms, which every family with graphs has, have their own."""

QUERY_PRESETS = (
    "execution",
    "graphenv-query",
    "reasoning-sql",
    "execution + 0.3*query_ged",
    "execution + 0.2*schema_linking + 0.2*component_f1",
    "gate(syntax, execution + 0.5*row_f1)",
)
PRESETS: dict[str, tuple[str, ...]] = {
    "kgqa": (
        "exact",
        "answer_f1",
        "hits",
        "exact + 0.3*path_similarity",
        "exact + 0.3*answer_f1",
        "0.7*answer_f1 + 0.3*triple_f1",
        "0.7*answer_f1 + 0.3*ged",
        "0.5*exact + 0.3*node_f1 + 0.2*edge_f1",
        "gate(format, exact + 0.2*triple_f1)",
        "cap(exact + 0.5*answer_f1, 1.2)",
        "exact*format + 0.1*path_validity",
        "exact + progress + 0.1*turn_cost",
        "exact + potential(ged_progress)",
    ),
    "text2sql": QUERY_PRESETS,
    "text2cypher": QUERY_PRESETS,
    "scene-graph": (
        "triple_f1",
        "ged",
        "0.5*ged + 0.5*edge_f1",
        "0.7*triple_f1 + 0.3*node_f1",
        "0.3*object_f1 + 0.7*relation_f1",
        "gate(format, 0.5*triple_f1 + 0.5*soft_match)",
        "triple_f1 + potential(ged_progress) + 0.1*turn_cost",
    ),
    "caption-correction": (
        "correction",
        "0.5*correction + 0.5*triple_f1",
        "correction + 0.2*ged",
    ),
    "kg-construction": (
        "triple_f1",
        "0.7*triple_f1 + 0.3*node_f1",
        "0.5*triple_f1 + 0.5*ged",
        "gate(format, triple_f1)",
        "triple_f1 + potential(ged_progress)",
        "graphenv-construction",
        "kg_f1*grounding",
        "carrier",
        "passage_recall",
    ),
}
"""Rewards that documentation and commands show; each must pay over-generation less."""

MODES: dict[str, tuple[dict[str, Any], ...]] = {
    "graphenv/KGQA-v0": ({"mode": "tools"}, {"mode": "program"}),
    "graphenv/Text2SQL-v0": (
        {"mode": "single", "worlds": 1, "size": 200},
        {"mode": "tools", "worlds": 1, "size": 200},
    ),
    "graphenv/Text2Cypher-v0": (
        {"mode": "single", "worlds": 1, "size": 200},
        {"mode": "tools", "worlds": 1, "size": 200},
    ),
    "graphenv/SceneGraph-v0": (
        {"mode": "single"},
        {"mode": "steps", "objects": [2, 3], "relations": 2},
    ),
    "graphenv/CaptionCorrection-v0": ({"draft": "planted"}, {"draft": "own"}),
    "graphenv/KGConstruction-v0": (
        {"mode": "single", "worlds": 1, "tasks": 200, "facts": 2},
        {"mode": "turns", "worlds": 1, "tasks": 200, "facts": 2},
    ),
}
"""The modes of every registered id; the registry tests fail for an id without its row."""

VERDICTS = {
    "kgqa": "exact",
    "text2sql": "execution",
    "text2cypher": "execution",
    "scene-graph": "triple_f1",
    "caption-correction": "correction",
    "kg-construction": "triple_f1",
}
"""The default reward of each family."""

ENVIRONMENT_MODES = [(row.id, mode) for row in ENVIRONMENTS for mode in MODES.get(row.id, ({},))]

EXPRESSIONS = {
    "user": "user(function='kgqa_fixture:constant_half')",
    "judge": "judge(function='query_terms_fixture:undecided')",
}
"""How a term is written where its bare name is not enough."""

SECTION_0 = (
    *("gold", "renamed", "reordered", "empty_answer", "both_empty", "duplicates"),
    *("over_1", "over_10", "over_1000", "list_everything", "dangling", "wrong_direction"),
    *("parallel_edge", "self_loop", "wrong_wrapper_answer", "wrong_wrapper_program"),
    *("copied_topic", "copied_question", "substring_of_gold", "gold_is_substring", "unicode"),
    *("case", "whitespace", "huge", "deep_nesting", "timeout"),
)
"""Rows that every family has (beside the malformed texts, and a verifier that raises)."""

MALFORMED: dict[str, str] = {
    "nothing": "",
    "blank": " \n\t ",
    "open_answer": '<answer>["Crime", "Drama"]',
    "close_answer": '["Crime", "Drama"]</answer>',
    "empty_answer": "<answer></answer>",
    "two_answers": '<answer>["Crime"]</answer><answer>["Drama"]</answer>',
    "json_object": '<answer>{"answer": ["Crime", "Drama"]}</answer>',
    "nested_list": '<answer>[["Crime", "Drama"]]</answer>',
    "cut_json": '<answer>["Crime", "Dra</answer>',
    "single_quotes": "<answer>['Crime', 'Drama']</answer>",
    "null_item": '<answer>["Crime", "Drama", null]</answer>',
    "bool_item": '<answer>["Crime", "Drama", true]</answer>',
    "nan_item": '<answer>["Crime", "Drama", NaN]</answer>',
    "empty_item": '<answer>["Crime", "Drama", ""]</answer>',
    "crossed_tags": '<answer>["Crime", "Drama"]</tool_call>',
    "tag_in_tag": '<answer><answer>["Crime", "Drama"]</answer></answer>',
    "only_thought": '<think>the answer is ["Crime", "Drama"]</think>',
    "open_thought": '<think>hm <answer>["Crime", "Drama"]</answer>',
    "answer_in_thought": '<think><answer>["Crime", "Drama"]</answer></think>',
    "open_call": '<tool_call>{"name": "answer_frontier"}',
    "call_is_list": '<tool_call>["answer_frontier"]</tool_call>',
    "call_without_name": '<tool_call>{"arguments": {}}</tool_call>',
    "huge_turn": '<answer>["Crime", "Drama"]</answer>' + "x" * 1_000_000,
    "deep_json": "<answer>" + "[" * 50_000 + "]" * 50_000 + "</answer>",
}
"""Turns that cannot be read, most of them with the right answer inside."""


@dataclass(frozen=True)
class Case:
    """How to play an episode: the question, the turns, the mode; or a function that plays it."""

    index: int
    turns: tuple[str, ...]
    mode: str = "tools"
    play: Callable[[Any], Episode] | None = None


def _walked(index: int, *items: str) -> Case:
    return Case(index, (*fx.walk_to_gold(index), format_answer(items)))


def _program(index: int, text: str) -> Case:
    return Case(index, (text,), "program")


def _timeout(env: Any) -> Episode:
    session = env.begin(fx.GENRES)
    session.turn(fx.follow("^directed_by")[0])
    session.time_out(fx.follow("has_genre")[0], "the engine gave up")
    episode: Episode = session.episode()
    return episode


def _wrong(count: int) -> list[str]:
    return [f"Filler {i}" for i in range(count)]


def _everything() -> list[str]:
    return fx.world().entity_names(range(fx.world().num_entities))


GOLD = ("Crime", "Drama")
QUESTION = str(fx.QUESTIONS[fx.GENRES]["question"])

CASES: dict[str, Case] = {
    "gold": _walked(fx.GENRES, *GOLD),
    "gold_frontier": Case(fx.GENRES, (*fx.walk_to_gold(fx.GENRES), format_call("answer_frontier"))),
    "gold_program": _program(fx.GENRES, "^directed_by > has_genre"),
    "gold_unwalked": Case(fx.GENRES, (format_answer(GOLD),)),
    "renamed": _walked(fx.GENRES, "crime", "DRAMA"),
    "reordered": _walked(fx.GENRES, "Drama", "Crime"),
    "partial": _walked(fx.GENRES, "Crime"),
    "empty_answer": _walked(fx.GENRES),
    "both_empty": Case(fx.EMPTY, (format_answer([]),)),
    "both_empty_unanswered": Case(fx.EMPTY, ("",) * MAX_TURNS),
    "both_empty_infeasible": _program(fx.EMPTY, "no_such_relation"),
    "duplicates": _walked(fx.GENRES, "Crime", "Crime", "crime", "Drama"),
    "over_1": _walked(fx.GENRES, *GOLD, *_wrong(1)),
    "over_10": _walked(fx.GENRES, *GOLD, *_wrong(10)),
    "over_1000": _walked(fx.GENRES, *GOLD, *_wrong(1000)),
    "list_everything": _walked(fx.GENRES, *GOLD, *_everything()),
    "dangling": _walked(fx.GENRES, *GOLD, "Nowhere to be found"),
    "wrong_direction": _program(fx.GENRES, "directed_by > has_genre"),
    "parallel_edge": _program(fx.GENRES, "^written_by > has_genre"),
    "detour": _program(fx.GENRES, "^directed_by > directed_by > ^directed_by > has_genre"),
    "too_short": _program(fx.GENRES, "^directed_by"),
    "filter_padding": _program(
        fx.GENRES, "^directed_by > [release_year > 0] > [release_year > 1] > no_such_relation"
    ),
    "self_loop": _program(fx.OUROBOROS, "remake_of"),
    "self_loop_twice": _program(fx.OUROBOROS, "remake_of > remake_of"),
    "wrong_wrapper_answer": _program(fx.GENRES, "<answer>^directed_by > has_genre</answer>"),
    "wrong_wrapper_program": Case(
        fx.GENRES, ('<program>["Crime", "Drama"]</program>',) * MAX_TURNS
    ),
    "wrong_wrapper_call": _program(fx.GENRES, format_call("follow", relation="^directed_by")),
    "copied_topic": Case(fx.GENRES, (format_answer(["Michael Mann"]),)),
    "copied_frontier": Case(fx.GENRES, (format_call("answer_frontier"),)),
    "copied_question": _program(fx.GENRES, QUESTION),
    "substring_of_gold": _walked(fx.SPANISH, "N"),
    "gold_is_substring": _walked(fx.SPANISH, "Know"),
    "unicode": _walked(fx.AMELIE, "Ame\u0301lie"),
    "case": _walked(fx.AMELIE, "AMÉLIE"),
    "whitespace": _walked(fx.GENRES, "  Crime\n", "\u00a0Drama "),
    "huge": Case(fx.GENRES, ("x" * 1_000_000,) * MAX_TURNS),
    "deep_nesting": Case(fx.GENRES, ("<answer>" + "[" * 90_000,) * MAX_TURNS),
    "timeout": Case(fx.GENRES, (), play=_timeout),
    "no_answer": Case(fx.GENRES, (format_call("relations"),) * MAX_TURNS),
    "good_turns_bad_end": Case(
        fx.GENRES, (*fx.walk_to_gold(fx.GENRES), "<answer>[", "<answer>{}</answer>")
    ),
    "bad_turn_good_end": Case(
        fx.GENRES,
        (fx.follow("^directed_by")[0], "oops", fx.follow("has_genre")[0], fx.answer(*GOLD)),
    ),
    "code": Case(fx.GENRES, ("<answer>__import__('os').getcwd()</answer>",)),
}


# -- graph terms, in every family -----------------------------------------------------------------

_LABELS = ["man", "horse", "hat"]
_EDGES = [(0, "rides", 1), (0, "wears", 2), (1, "near", 2)]
_GOLD = Graph.from_edges(_LABELS, _EDGES)


def _over(count: int) -> Graph:
    labels = [*_LABELS, *(f"thing {i}" for i in range(count))]
    return Graph.from_edges(labels, [*_EDGES, *((0, "near", 3 + i) for i in range(count))])


def _undirected(edges: list[tuple[int, str, int]]) -> Graph:
    return Graph.from_edges(_LABELS, edges, directed=False)


_RENAMED = Graph(
    tuple(Node(f"node-{i}", label) for i, label in enumerate(_LABELS)),
    tuple(Edge(h, r, t) for h, r, t in _EDGES),
)
_TWO_MEN = Graph.from_edges(["man", "man", "hat"], [(0, "wears", 2), (1, "wears", 2)])
_ONE_MAN = Graph.from_edges(["man", "hat"], [(0, "wears", 1)])

GRAPHS: dict[str, tuple[Graph | None, Graph]] = {
    "gold": (_GOLD, _GOLD),
    "renamed": (_RENAMED, _GOLD),
    "reordered": (
        Graph.from_edges(
            ["hat", "man", "horse"], [(2, "near", 0), (1, "wears", 0), (1, "rides", 2)]
        ),
        _GOLD,
    ),
    "case": (Graph.from_edges([x.upper() for x in _LABELS], _EDGES), _GOLD),
    "nothing": (None, _GOLD),
    "empty": (Graph(), _GOLD),
    "both_empty": (Graph(), Graph()),
    "nothing_for_empty": (None, Graph()),
    "no_edges": (Graph.from_edges(_LABELS), _GOLD),
    "missing_edge": (Graph.from_edges(_LABELS, _EDGES[:2]), _GOLD),
    "duplicate_edge": (Graph.from_edges(_LABELS, [*_EDGES, _EDGES[0]]), _GOLD),
    "over_1": (_over(1), _GOLD),
    "over_10": (_over(10), _GOLD),
    "over_1000": (_over(1000), _GOLD),
    "wrong_direction": (Graph.from_edges(_LABELS, [(t, r, h) for h, r, t in _EDGES]), _GOLD),
    "wrong_relation": (Graph.from_edges(_LABELS, [(h, "is", t) for h, _, t in _EDGES]), _GOLD),
    "one_of_two_parallel": (
        Graph.from_edges(_LABELS, [(0, "rides", 1)]),
        Graph.from_edges(_LABELS, [(0, "rides", 1), (0, "feeds", 1)]),
    ),
    "both_parallel": (
        Graph.from_edges(_LABELS, [(0, "feeds", 1), (0, "rides", 1)]),
        Graph.from_edges(_LABELS, [(0, "rides", 1), (0, "feeds", 1)]),
    ),
    "self_loop": (Graph.from_edges(["x"], [(0, "r", 0)]), Graph.from_edges(["x"], [(0, "r", 0)])),
    "self_loop_missed": (Graph.from_edges(["x"]), Graph.from_edges(["x"], [(0, "r", 0)])),
    "undirected_reversed": (
        _undirected([(t, r, h) for h, r, t in _EDGES]),
        _undirected(_EDGES),
    ),
    "two_of_a_label": (_TWO_MEN, _TWO_MEN),
    "one_of_two_of_a_label": (_ONE_MAN, _TWO_MEN),
    "lone_nodes": (Graph.from_edges(_LABELS), Graph.from_edges(_LABELS[::-1])),
    "lone_node_missed": (Graph.from_edges(_LABELS[:2]), Graph.from_edges(_LABELS)),
    "empty_for_lone_nodes": (Graph(), Graph.from_edges(_LABELS)),
    "edges_for_lone_nodes": (_GOLD, Graph.from_edges(_LABELS)),
    "substring_labels": (Graph.from_edges(["ma", "horses", "chat"], _EDGES), _GOLD),
}

GRAPH_SECTION_0 = (
    *("gold", "renamed", "reordered", "empty", "both_empty", "duplicate_edge"),
    *("over_1", "over_10", "over_1000", "wrong_direction", "one_of_two_parallel", "self_loop"),
)


# -- reading the tables ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """Expected values by case and term, and why."""

    terms: tuple[str, ...]
    values: dict[str, dict[str, float | None]]
    why: dict[str, str]

    @cached_property
    def reward(self) -> ExpressionReward:
        """The sum of all terms of the table."""
        return parse(" + ".join(EXPRESSIONS.get(term, term) for term in self.terms))

    def found(self, score: Score) -> dict[str, float | None]:
        """Return what each term gave."""
        return {term: score.parts[EXPRESSIONS.get(term, term)].value for term in self.terms}

    def check(self, case: str, episode: Episode) -> None:
        """Check that every term gives an episode the value of a case."""
        score = self.reward([episode])[0]
        assert score.status in ("ok", "not_applicable"), score.reason
        expected = {term: close(value) for term, value in self.values[case].items()}
        assert self.found(score) == expected, self.why[case]

    def check_rows(self, cases: Iterable[str], needed: Iterable[str] = ()) -> None:
        """Check that all cases have values and reasons, and that the needed ones are among them."""
        assert set(self.values) == set(cases) >= set(needed)
        assert all(self.why.values())


def close(value: float | None) -> Any:
    """Return what a value may be compared with."""
    return None if value is None else pytest.approx(value, abs=1e-9)


def read_table(name: str) -> Table:
    """Return the table in `conformance_tables/{name}.txt`; `-` stands for "does not apply"."""
    text = (Path(__file__).parent / "conformance_tables" / f"{name}.txt").read_text("utf-8")
    head, *rows = (line.partition("|") for line in text.splitlines() if line.strip())
    terms = tuple(head[0].split()[1:])
    values: dict[str, dict[str, float | None]] = {}
    why: dict[str, str] = {}
    for cells, _, reason in rows:
        case, *numbers = cells.split()
        assert case not in values, f"{name}: {case} stands twice"
        assert len(numbers) == len(terms), f"{name}, {case}: a term without a value"
        row = zip(terms, numbers, strict=True)
        values[case] = {t: None if n == "-" else float(Fraction(n)) for t, n in row}
        why[case] = reason.strip()
    return Table(terms, values, why)


def graph_episode(predicted: Graph | None, gold: Graph) -> Episode:
    """Return a finished episode that predicts one graph where another is gold."""
    task = Task("graph", 0, ({"role": "user", "content": "?"},), Target(graph=gold))
    step = Step("x", (), "", {"moves": []})
    return Episode("any", {}, "", task, 1, steps=(step,), outcome=Outcome("ok", graph=predicted))
