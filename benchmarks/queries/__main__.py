"""Measure the query families; write `results.json` and `results.md`.

Sections: the cage's speed, its start, reading, distance of graphs, share of a GRPO step, gold,
agreement of the languages, wrong queries. Published data come from `GRAPHENV_DATA`; databases are
made once, in `GRAPHENV_CACHE`. A whole run into the default folder also writes the tables of
`docs/queries.md`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphenv.benchmarks.queries.agreement import agreement
from graphenv.benchmarks.queries.databases import databases, the_world
from graphenv.benchmarks.queries.distance import beside_networkx
from graphenv.benchmarks.queries.gold import gold_scores
from graphenv.benchmarks.queries.pages import fill_page
from graphenv.benchmarks.queries.reading import reading
from graphenv.benchmarks.queries.report import markdown
from graphenv.benchmarks.queries.speed import queries_per_second
from graphenv.benchmarks.queries.starting import starting
from graphenv.benchmarks.queries.step import step_share
from graphenv.benchmarks.queries.truth import wrong_queries
from graphenv.benchmarks.suite import Section, Suite, data_folder

DATA = data_folder("query")
SIZE = 2_000  # rows of the world that speed is measured on


def _prepare() -> None:
    if DATA is None:
        print("GRAPHENV_DATA/query is not there: published sets are left out", file=sys.stderr)


def _in_a_world(measure: Callable[..., Any]) -> Section:
    """Return a section that is measured on one world, as a file for every engine."""

    def section(*, quick: bool) -> Any:
        world = the_world(200 if quick else SIZE)
        with tempfile.TemporaryDirectory() as work:
            return measure(world, databases(world, Path(work)), quick=quick)

    return section


SUITE = Suite(
    name="queries",
    about=__doc__,
    sections={
        "speed": _in_a_world(queries_per_second),
        "starting": _in_a_world(starting),
        "reading": lambda *, quick: reading(DATA, quick=quick),
        "distance": lambda *, quick: beside_networkx(DATA, quick=quick),
        "step": step_share,
        "gold": lambda *, quick: gold_scores(DATA, quick=quick),
        "agreement": agreement,
        "truth": lambda *, quick: wrong_queries(DATA, quick=quick),
    },
    markdown=markdown,
    packages=("graphenv", "numpy", "duckdb", "ladybug", "sqlglot", "networkx", "numba", "torch"),
    setting={"size": SIZE},
    prepare=_prepare,
    fill_page=fill_page,
)

if __name__ == "__main__":
    SUITE.main()
