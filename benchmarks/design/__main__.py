"""Measure designers of networks; write `results.json` and `results.md`."""

from __future__ import annotations

from graphenv.benchmarks.design.report import markdown
from graphenv.benchmarks.design.sections import baselines, learned
from graphenv.benchmarks.suite import Suite

SUITE = Suite(
    name="design",
    about=__doc__,
    sections={"baselines": baselines, "learned": learned},
    markdown=markdown,
    packages=("graphenv", "numpy", "torch", "torch-geometric"),
)

if __name__ == "__main__":
    SUITE.main()
