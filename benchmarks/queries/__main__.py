"""Measure the query families; write `results.json` and `results.md`.

Sections: the cage's speed, its start, reading, distance of graphs, share of a GRPO step, gold,
agreement of the languages, wrong queries. Published data come from `GRAPHENV_DATA`; databases are
made once, in `GRAPHENV_CACHE`. A whole run into the default folder also writes the tables of
`docs/queries.md`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graphenv.benchmarks.machine import machine
from graphenv.benchmarks.queries.agreement import agreement
from graphenv.benchmarks.queries.data import data_folder
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

SECTIONS = (*("speed", "starting", "reading", "distance", "step", "gold", "agreement", "truth"),)
PACKAGES = ("graphenv", "numpy", "duckdb", "ladybug", "sqlglot", "networkx", "numba", "torch")
SIZE = 2_000  # rows of the world that speed is measured on
HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "queries.md"


def measure_all(sections: list[str], *, quick: bool) -> dict[str, Any]:
    """Return the figures of some sections, each under its name; says on stderr what is skipped."""
    folder = data_folder()
    if folder is None:
        print("GRAPHENV_DATA/query is not there: published sets are left out", file=sys.stderr)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as work:
        world = the_world(200 if quick else SIZE)
        timed = {"speed", "starting"}.intersection(sections)
        files = databases(world, Path(work)) if timed else {}
        parts: dict[str, Callable[[], Any]] = {
            "speed": lambda: queries_per_second(world, files, quick=quick),
            "starting": lambda: starting(world, files, quick=quick),
            "reading": lambda: reading(folder, quick=quick),
            "distance": lambda: beside_networkx(folder, quick=quick),
            "step": lambda: step_share(quick=quick),
            "gold": lambda: gold_scores(folder, quick=quick),
            "agreement": lambda: agreement(quick=quick),
            "truth": lambda: wrong_queries(folder, quick=quick),
        }
        for name in sections:
            print(f"== {name}", flush=True)
            start = time.perf_counter()
            found[name] = parts[name]()
            print(f"== {name}: {time.perf_counter() - start:.0f} s", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="graphenv.benchmarks.queries", description=__doc__)
    parser.add_argument("--out", type=Path, help=f"output folder (default: {HERE})")
    parser.add_argument(
        "--only", nargs="+", choices=SECTIONS, metavar="SECTION",
        help=f"some of {', '.join(SECTIONS)}; only printed, unless --out is given",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="a smoke run; figures mean nothing")
    parser.add_argument("--note", action="append", default=[], help="a remark to keep with them")
    arguments = parser.parse_args()
    start = time.perf_counter()
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(*PACKAGES),
        "notes": arguments.note,
        "size": SIZE,
        **measure_all(arguments.only or list(SECTIONS), quick=arguments.quick),
    }
    results["minutes"] = (time.perf_counter() - start) / 60
    page = markdown(results)
    # What is kept comes out of one whole run.
    out = arguments.out or (None if arguments.only or arguments.quick else HERE)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        (out / "results.md").write_text(page, encoding="utf-8")
    if out == HERE and PAGE.is_file():  # in a checkout the page shows the kept figures
        PAGE.write_text(fill_page(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
