"""The conformance table: every reward term over every corner case, with the value it must give.

A later family adds a table, a later term a column, a later case a row; the tests in
`test_rewards_conformance.py` fail until each has its values. The values stand in
`conformance_tables/`, each beside its reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import process_fixture
import pytest

from graphenv.envs.registry import ENVIRONMENTS
from graphenv.episode import Episode, Outcome, Step
from graphenv.graph import Edge, Graph, Node
from graphenv.rewards import parse
from graphenv.rewards.expression import ExpressionReward
from graphenv.score import Score
from graphenv.task import Target, Task

TABLES = {
    "kgqa": "kgqa",
    "text2sql": "queries",
    "text2cypher": "queries",
    "scene-graph": "scenes",
    "caption-correction": "captions",
    "kg-construction": "construction",
    "subgraph": "subgraph",
    "graph-design": "design",
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
        f"exact + gnn_value(scorer={process_fixture.BY_SIZE!r})",
    ),
    "text2sql": QUERY_PRESETS,
    "text2cypher": QUERY_PRESETS,
    "scene-graph": (
        "triple_f1",
        "ged",
        "0.5*ged + 0.5*edge_f1",
        "0.7*triple_f1 + 0.3*node_f1",
        "0.3*object_f1 + 0.2*attribute_f1 + 0.5*relation_f1",
        "gate(format, 0.5*triple_f1 + 0.5*soft_match)",
        "triple_f1 + potential(ged_progress) + 0.1*turn_cost",
    ),
    "caption-correction": (
        "correction",
        "0.5*correction + 0.5*triple_f1",
        "correction + 0.2*ged",
    ),
    "kg-construction": (
        "kg_f1",
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
    "subgraph": (
        "triple_f1",
        "0.7*triple_f1 + 0.3*node_f1",
        "0.5*triple_f1 + 0.5*ged",
        "gate(format, triple_f1)",
        "triple_f1 + progress + 0.1*turn_cost",
        "triple_f1 + potential(ged_progress)",
    ),
    "graph-design": (
        "objective",
        "gate(format, objective)",
        "objective + 0.1*turn_cost",
        "objective + potential(objective_value)",
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
    "graphenv/Subgraph-v0": (
        {"mode": "tools", "worlds": 1, "entities": 400},
        {"mode": "single", "worlds": 1, "entities": 400},
    ),
    "graphenv/GraphDesign-v0": (
        {"mode": "tools", "nodes": 8, "density": 40, "budget": 2},
        {"mode": "single", "nodes": 8, "density": 40, "budget": 2},
        {"mode": "tools", "nodes": 8, "density": 40, "budget": 2, "goal": "repair"},
    ),
}
"""The modes of every registered id; the registry tests fail for an id without its row."""

VERDICTS = {
    "kgqa": "exact",
    "text2sql": "execution",
    "text2cypher": "execution",
    "scene-graph": "triple_f1",
    "caption-correction": "correction",
    "kg-construction": "kg_f1",
    "subgraph": "triple_f1",
    "graph-design": "objective",
}
"""The default reward of each family."""

ENVIRONMENT_MODES = [(row.id, mode) for row in ENVIRONMENTS for mode in MODES.get(row.id, ({},))]

EXPRESSIONS = {
    "links": f"links(scorer={process_fixture.BY_SIZE!r})",
    "gnn_value": f"gnn_value(scorer={process_fixture.BY_SIZE!r})",
    "gnn_process": f"gnn_process(scorer={process_fixture.BY_SIZE!r})",
    "user": "user(function='kgqa_fixture:constant_half')",
    "judge": "judge(function='query_terms_fixture:undecided')",
}
"""How a term is written where its bare name is not enough.

The scorer of `links` and `gnn_...` knows sizes: e/(e + 2) for e edges. A level is as good as its
scorer, so `gnn_process` pays for too much there, and none of the three is a verdict.
"""

SECTION_0 = (
    *("gold", "renamed", "reordered", "empty_answer", "both_empty", "duplicates"),
    *("over_1", "over_10", "over_1000", "list_everything", "dangling", "wrong_direction"),
    *("parallel_edge", "self_loop", "wrong_wrapper_answer", "wrong_wrapper_program"),
    *("copied_topic", "copied_question", "substring_of_gold", "gold_is_substring", "unicode"),
    *("case", "whitespace", "huge", "deep_nesting", "timeout"),
)
"""Rows that every family has (beside the malformed texts, and a verifier that raises)."""


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
