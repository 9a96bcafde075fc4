"""Measure the speed of graph scorers; write `results.json` and `results.md`."""

from __future__ import annotations

from graphenv.benchmarks.scorer.report import markdown
from graphenv.benchmarks.scorer.speed import scoring_speed
from graphenv.benchmarks.suite import Suite

SUITE = Suite(
    name="scorer",
    about=__doc__,
    sections={"values": scoring_speed},
    markdown=markdown,
    packages=("graphenv", "numpy", "torch", "torch-geometric"),
)

if __name__ == "__main__":
    SUITE.main()
