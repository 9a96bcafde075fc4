"""Measure floors of targets and heuristics of forests; write `results.json` and `results.md`."""

from __future__ import annotations

from graphenv.benchmarks.subgraph.forests import forest_heuristics, tree_heuristics
from graphenv.benchmarks.subgraph.report import markdown
from graphenv.benchmarks.subgraph.targets import target_floors
from graphenv.benchmarks.suite import Suite

SUITE = Suite(
    name="subgraph",
    about=__doc__,
    sections={"targets": target_floors, "forests": forest_heuristics, "trees": tree_heuristics},
    markdown=markdown,
    packages=("graphenv", "numpy", "networkx", "scipy"),
)

if __name__ == "__main__":
    SUITE.main()
