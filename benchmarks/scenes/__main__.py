"""Measure the matching of scenes; write `results.json` and `results.md`."""

from __future__ import annotations

from graphenv.benchmarks.scenes.report import markdown
from graphenv.benchmarks.scenes.speed import matching_speed
from graphenv.benchmarks.suite import Suite

SUITE = Suite(
    name="scenes",
    about=__doc__,
    sections={"matching": matching_speed},
    markdown=markdown,
    packages=("graphenv", "numpy", "scipy", "rapidfuzz"),
)

if __name__ == "__main__":
    SUITE.main()
