"""The query graph of one question, drawn: `python -m graphenv.benchmarks.queries.picture [file]`.

Gold SQL and gold Cypher of the question have this one graph; the script checks that.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from graphenv.graph import Graph
from graphenv.query.cypher import read_cypher
from graphenv.query.graphs import query_graph
from graphenv.query.model import Query
from graphenv.query.schema import EntityType, Property, RelationType, Schema
from graphenv.query.sql import read_sql

__all__ = ["CYPHER", "SCHEMA", "SQL", "draw", "example"]

PAGE = Path(__file__).parent.parent.parent / "docs" / "query-graph.png"
QUESTION = "Which three directors made most films after 1990, and how many?"
SCHEMA = Schema(
    "cinema",
    (
        EntityType(
            "Film",
            (Property("id", "integer"), Property("title"), Property("year", "integer")),
            ("id",),
        ),
        EntityType("Director", (Property("id", "integer"), Property("name")), ("id",)),
    ),
    (
        RelationType(
            "DIRECTED_BY", "Film", "Director", joins=(("Film.director_id", "Director.id"),)
        ),
    ),
)
SQL = (
    "SELECT d.name, COUNT(*) FROM Film AS f JOIN Director AS d ON f.director_id = d.id\n"
    "WHERE f.year > 1990 GROUP BY d.name ORDER BY COUNT(*) DESC LIMIT 3"
)
CYPHER = (
    "MATCH (d:Director)<-[:DIRECTED_BY]-(f:Film) WHERE f.year > 1990\n"
    "RETURN d.name, count(*) AS films ORDER BY films DESC LIMIT 3"
)

_COLOURS = {
    "scope": "#444444",
    "limit": "#8a6d3b",
    "order": "#8a6d3b",
    "aggregate": "#7b4ea3",
    "predicate": "#b04040",
    "literal": "#777777",
    "star": "#777777",
    "property": "#3a8f5c",
    "entity": "#3a6ea5",
    "relation": "#1f3f66",
}
_PLACES = {
    ("scope", ""): (2.0, 1.5),
    ("order", "desc"): (0.5, 2.25),
    ("limit", "3"): (0.5, 0.75),
    ("aggregate", "count"): (2.0, 3.0),
    ("star", "*"): (0.5, 3.3),
    ("predicate", ">"): (2.0, 0.0),
    ("literal", "1990"): (0.5, -0.3),
    ("property", "name"): (3.6, 3.0),
    ("property", "year"): (3.6, 0.0),
    ("entity", "Director"): (5.2, 2.25),
    ("entity", "Film"): (5.2, 0.75),
    ("relation", "DIRECTED_BY"): (6.6, 1.5),
}


def example() -> Graph:
    """Return the graph of the question, the same from both languages."""
    sql, cypher = read_sql(SQL, SCHEMA), read_cypher(CYPHER, SCHEMA)
    assert isinstance(sql, Query) and isinstance(cypher, Query)
    graph = query_graph(sql)
    if not graph.isomorphic_to(query_graph(cypher)):
        raise AssertionError("the two queries have different graphs")
    return graph


def draw(graph: Graph, path: Path) -> None:
    """Draw the example."""
    from matplotlib.figure import Figure

    picture = Figure(figsize=(11, 5.4), layout="constrained")
    axes = picture.subplots()
    axes.set_xlim(0.1, 7.2)
    axes.set_ylim(-0.6, 3.6)
    axes.axis("off")
    boxes = []
    for node in graph.nodes:
        text = f"{node.label}\n{node.kind}" if node.label else node.kind
        place = _PLACES[node.kind, node.label]
        boxes.append(_boxed(axes, text, place, 10, "white", _COLOURS[node.kind], 0.45))
    picture.canvas.draw()  # boxes get their sizes
    between: dict[tuple[int, int], list[str]] = {}
    for edge in graph.edges:
        between.setdefault((edge.head, edge.tail), []).append(edge.relation)
    for ends, roles in between.items():
        (x, y), (u, v) = (boxes[at].get_position() for at in ends)
        axes.annotate(
            "",
            (u, v),
            (x, y),
            arrowprops={
                "arrowstyle": "-|>",
                "color": "#888888",
                "patchA": boxes[ends[0]].get_bbox_patch(),
                "patchB": boxes[ends[1]].get_bbox_patch(),
            },
            zorder=1,
        )
        _boxed(axes, ", ".join(roles), ((x + u) / 2, (y + v) / 2), 9, "#222222", "white", 0.1)
    axes.set_title(QUESTION, fontsize=12, loc="left")
    for x, text in ((0.0, SQL), (0.54, CYPHER)):
        axes.text(
            x, -0.02, text, transform=axes.transAxes, fontsize=8, family="monospace", va="top"
        )
    picture.savefig(path, dpi=110)


def _boxed(
    axes: Any,
    text: str,
    place: tuple[float, float],
    size: float,
    colour: str,
    face: str,
    pad: float,
) -> Any:
    return axes.text(
        *place,
        text,
        ha="center",
        va="center",
        fontsize=size,
        color=colour,
        bbox={"boxstyle": f"round,pad={pad}", "facecolor": face, "linewidth": 0},
    )


if __name__ == "__main__":
    draw(example(), Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE)
