"""Measure correctness, speed and exactness of `ged`; write `results.json`, `.md` and a picture.

A whole run into the default folder also writes the budget table of `docs/ged.md`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graphenv.benchmarks.ged.correctness import agreement
from graphenv.benchmarks.ged.data import data_folder
from graphenv.benchmarks.ged.extremes import cold_start, oversized
from graphenv.benchmarks.ged.generate import Shape
from graphenv.benchmarks.ged.plots import figure
from graphenv.benchmarks.ged.quality import curves, exactness
from graphenv.benchmarks.ged.report import fill_page, markdown
from graphenv.benchmarks.ged.speed import beside_networkx, on_published
from graphenv.benchmarks.ged.step import step_share
from graphenv.benchmarks.ged.throughput import throughput
from graphenv.benchmarks.machine import machine
from graphenv.rewards.ged import warmup

SECTIONS = (
    "correctness",
    "networkx",
    "published",
    "exactness",
    "throughput",
    "curves",
    "cold",
    "oversized",
    "step",
)
PACKAGES = ("graphenv", "numpy", "numba", "networkx", "scipy")
HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "ged.md"


def measure_all(sections: list[str], *, quick: bool) -> dict[str, Any]:
    """Return the figures of some sections, each under its name; says on stderr what is skipped."""
    folder = data_folder()
    if folder is None:
        print("GRAPHENV_DATA/ged is not there: AIDS, LINUX and IMDB are left out", file=sys.stderr)
    parts: dict[str, Callable[[], Any]] = {
        "correctness": lambda: agreement(folder, quick=quick),
        "networkx": lambda: beside_networkx(folder, quick=quick),
        "published": lambda: on_published(folder, quick=quick) if folder is not None else [],
        "exactness": lambda: exactness(quick=quick),
        "throughput": lambda: throughput(quick=quick),
        "curves": lambda: curves(quick=quick),
        "cold": lambda: cold_start(quick=quick),
        "oversized": oversized,
        "step": lambda: step_share(quick=quick),
    }
    warmup()
    found: dict[str, Any] = {}
    for name in sections:
        print(f"== {name}", flush=True)
        start = time.perf_counter()
        found[name] = parts[name]()
        print(f"== {name}: {time.perf_counter() - start:.0f} s", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="graphenv.benchmarks.ged", description=__doc__)
    parser.add_argument("--out", type=Path, help=f"output folder (default: {HERE})")
    parser.add_argument(
        "--only", nargs="+", choices=SECTIONS, metavar="SECTION",
        help=f"some of {', '.join(SECTIONS)}; only printed, unless --out is given",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="a smoke run; figures mean nothing")
    parser.add_argument("--note", action="append", default=[], help="a remark to keep with them")
    arguments = parser.parse_args()
    start = time.perf_counter()
    shape = Shape()
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(*PACKAGES),
        "notes": arguments.note,
        "shape": {
            "labels": shape.labels, "relations": shape.relations, "density": shape.density
        },
        **measure_all(arguments.only or list(SECTIONS), quick=arguments.quick),
    }  # fmt: skip
    results["minutes"] = (time.perf_counter() - start) / 60
    page = markdown(results)
    # What is kept comes out of one whole run.
    out = arguments.out or (None if arguments.only or arguments.quick else HERE)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        if figure(results, out / "ged.png"):
            page += "\n![Cost curves](ged.png)\n"
        (out / "results.md").write_text(page, encoding="utf-8")
    if out == HERE and PAGE.is_file():  # in a checkout the page shows the kept figures
        text = fill_page(PAGE.read_text(encoding="utf-8"), results)
        PAGE.write_text(text, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
