"""Graph edit distance that a reward can stand on: exact or certified, fast, bounded.

Usable alone: `ged(g1, g2)` gives an interval that holds the distance, a mapping of nodes and the
edits that prove the upper end. See docs/ged.md for how it works and what it costs.
"""

from graphenv.rewards.ged.costs import EditCosts
from graphenv.rewards.ged.edits import EditOp, apply_edits
from graphenv.rewards.ged.result import GEDResult
from graphenv.rewards.ged.solver import ged, ged_batch, warmup

__all__ = ["EditCosts", "EditOp", "GEDResult", "apply_edits", "ged", "ged_batch", "warmup"]
