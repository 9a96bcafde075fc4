"""Measure scenes and documents; write `results.json` and `results.md`.

Sections: speed of matching, truth of untrained players, how rewards order what they wrote.
Published data come from `GRAPHENV_DATA`.
"""

from __future__ import annotations

from graphenv.benchmarks.scenes.floors import floors, rankings
from graphenv.benchmarks.scenes.report import markdown
from graphenv.benchmarks.scenes.speed import matching_speed
from graphenv.benchmarks.suite import Suite

SUITE = Suite(
    name="scenes",
    about=__doc__,
    sections={"matching": matching_speed, "floors": floors, "rankings": rankings},
    markdown=markdown,
    packages=("graphenv", "numpy", "scipy", "rapidfuzz"),
)

if __name__ == "__main__":
    SUITE.main()
