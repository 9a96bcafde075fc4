"""Measure correctness, speed and exactness of `ged`; write `results.json`, `.md` and a picture.

A whole run into the default folder also writes the budget table of `docs/ged.md`.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from graphenv.benchmarks.ged.correctness import agreement
from graphenv.benchmarks.ged.extremes import cold_start, oversized
from graphenv.benchmarks.ged.generate import Shape
from graphenv.benchmarks.ged.plots import figure
from graphenv.benchmarks.ged.quality import curves, exactness
from graphenv.benchmarks.ged.report import fill_page, markdown
from graphenv.benchmarks.ged.speed import beside_networkx, on_published
from graphenv.benchmarks.ged.step import step_share
from graphenv.benchmarks.ged.throughput import throughput
from graphenv.benchmarks.suite import Picture, Suite, data_folder
from graphenv.rewards.ged import warmup

DATA = data_folder("ged")


def _prepare() -> None:
    if DATA is None:
        print("GRAPHENV_DATA/ged is not there: AIDS, LINUX and IMDB are left out", file=sys.stderr)
    warmup()


def _published(*, quick: bool) -> list[dict[str, Any]]:
    return [] if DATA is None else on_published(DATA, quick=quick)


SUITE = Suite(
    name="ged",
    about=__doc__,
    sections={
        "correctness": lambda *, quick: agreement(DATA, quick=quick),
        "networkx": lambda *, quick: beside_networkx(DATA, quick=quick),
        "published": _published,
        "exactness": exactness,
        "throughput": throughput,
        "curves": curves,
        "cold": cold_start,
        "oversized": lambda *, quick: oversized(),
        "step": step_share,
    },
    markdown=markdown,
    packages=("graphenv", "numpy", "numba", "networkx", "scipy"),
    setting={"shape": asdict(Shape())},
    prepare=_prepare,
    picture=Picture("ged.png", "Cost curves", figure),
    fill_page=fill_page,
)

if __name__ == "__main__":
    SUITE.main()
