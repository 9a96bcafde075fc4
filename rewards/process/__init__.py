"""Rewards by a learned scorer of states: what a half-built graph is worth, turn by turn.

`value` is a potential, `shapes` pays turns for the change of a state's level, `published` has the
formulas of the papers for comparison, `links` grades the structure of a final graph. All formulas,
with their sources and defects, stand in docs/process-rewards.md.
"""

from graphenv.rewards.process.links import Links
from graphenv.rewards.process.shapes import GnnProcess
from graphenv.rewards.process.value import GnnValue

__all__ = ["GnnProcess", "GnnValue", "Links"]
