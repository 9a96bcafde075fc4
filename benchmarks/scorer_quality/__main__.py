"""Train graph scorers and assess them; write `results.json` and `results.md`."""

from __future__ import annotations

from graphenv.benchmarks.scorer_quality.quality import encoders, kgqa, subgraph
from graphenv.benchmarks.scorer_quality.report import markdown
from graphenv.benchmarks.suite import Suite

SUITE = Suite(
    name="scorer_quality",
    about=__doc__,
    sections={"kgqa": kgqa, "subgraph": subgraph, "encoders": encoders},
    markdown=markdown,
    packages=("graphenv", "numpy", "torch", "torch-geometric"),
)

if __name__ == "__main__":
    SUITE.main()
