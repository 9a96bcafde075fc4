"""Compare credits with exact advantages; write `results.json` and `results.md`."""

from __future__ import annotations

from graphenv.benchmarks.credit.measure import GROUP, GROUPS, credits_of_tasks
from graphenv.benchmarks.credit.report import fill_page, markdown
from graphenv.benchmarks.suite import Suite

SUITE = Suite(
    name="credit",
    about=__doc__,
    sections={"credits": credits_of_tasks},
    markdown=markdown,
    packages=("graphenv", "numpy"),
    setting={"group": GROUP, "groups": GROUPS},
    fill_page=fill_page,
)

if __name__ == "__main__":
    SUITE.main()
