"""Which turn earned what: from the scores of a group of episodes to an advantage for every turn.

A *group* is several episodes of one task. Notation used everywhere below: G episodes in the group,
T_i turns of episode i, r[i, t] what its turn t earned (`Score.steps`), R[i] their sum. A credit
gives C[i, t], what turn t of episode i is held responsible for; `advantages` compares those within
the group. Numbers and keys only: no model, no tensors.
"""

from graphenv.agents.credit.base import Credit, Floats, to_go
from graphenv.agents.credit.compared import EPSILON, Scale, advantages
from graphenv.agents.credit.gated import GatedCredit
from graphenv.agents.credit.min_form import MinFormCredit
from graphenv.agents.credit.outcome import OutcomeCredit
from graphenv.agents.credit.prefix_tree import PrefixTreeCredit
from graphenv.agents.credit.registry import CREDITS, TRANSFORMS, check_credit, make_credit
from graphenv.agents.credit.siblings import SiblingsCredit, shares
from graphenv.agents.credit.trajectory import Trajectory
from graphenv.agents.credit.trajectory_graph import TrajectoryGraphCredit
from graphenv.agents.credit.transforms import Clip, Delta, Par, Transform, Transformed
from graphenv.agents.credit.turn import TurnCredit

__all__ = [
    "CREDITS",
    "EPSILON",
    "TRANSFORMS",
    "Clip",
    "Credit",
    "Delta",
    "Floats",
    "GatedCredit",
    "MinFormCredit",
    "OutcomeCredit",
    "Par",
    "PrefixTreeCredit",
    "Scale",
    "SiblingsCredit",
    "Trajectory",
    "TrajectoryGraphCredit",
    "Transform",
    "Transformed",
    "TurnCredit",
    "advantages",
    "check_credit",
    "make_credit",
    "shares",
    "to_go",
]
