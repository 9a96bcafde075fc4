"""From graded episodes to advantages of tokens: what the trainer puts in the place of TRL's."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import gather_object

from graphenv.agents.bridge.grading import Graded
from graphenv.agents.credit import Credit, Floats, Scale, Trajectory, advantages

__all__ = ["gathered_advantages", "over_tokens", "token_advantages", "turn_of_token"]


def token_advantages(
    credit: Credit,
    graded: Sequence[Graded],
    branches: Sequence[Sequence[Hashable]],
    ids: torch.Tensor,
    turn: torch.Tensor,
    group_size: int,
    scale: Scale,
) -> tuple[torch.Tensor, float]:
    """Return advantages (B, T), 0 outside of turns, and the share of groups that got only 0.

    Turns after the end of an episode (TRL's tool loop does not know the end) get 0 too: they
    changed nothing, so there is nothing to learn from them.

    Parameters
    ----------
    credit
        How scores become advantages.
    graded, branches
        The B episodes of this process, and the branches of their turns if rollouts were branched.
    ids, turn
        Token ids (B, T), and the turn of each token, -1 outside (`turn_of_token`).
    group_size
        Episodes of a task.
    scale
        TRL's `scale_rewards`.
    """
    mine = [Trajectory.of(g.episode, g.score, b) for g, b in zip(graded, branches, strict=True)]
    piece = turn
    if credit.by_token:
        lengths = torch.tensor([len(g.episode) for g in graded], device=turn.device)
        inside = (turn >= 0) & (turn < lengths.unsqueeze(1))
        piece = torch.where(inside, inside.cumsum(dim=1) - 1, -1)
        tokens = [row[kept].tolist() for row, kept in zip(ids, inside, strict=True)]
        # A row that is masked as a whole has no token to learn from, nor to compare with.
        mine = [one.by_token(t) if one and t else None for one, t in zip(mine, tokens, strict=True)]
    found, flat = gathered_advantages(credit, mine, group_size, scale)
    return over_tokens(found, piece), flat


def gathered_advantages(
    credit: Credit, mine: Sequence[Trajectory | None], group_size: int, scale: Scale
) -> tuple[list[Floats | None], float]:
    """Return the advantages of this process's episodes, and the share of groups that got only 0.

    A group can straddle processes, so every process compares all episodes and keeps its part.
    """
    everyone: list[Trajectory | None] = gather_object(list(mine))
    found = advantages(credit, everyone, group_size, scale=scale)
    groups = [found[i : i + group_size] for i in range(0, len(found), group_size)]
    flat = [all(v is None or np.allclose(v, 0) for v in group) for group in groups]
    begin = PartialState().process_index * len(mine)
    return found[begin : begin + len(mine)], float(np.mean(flat))


def over_tokens(found: Sequence[Floats | None], turn: torch.Tensor) -> torch.Tensor:
    """Return (B, T): for each token the number of its turn; 0 where there is none.

    >>> over_tokens([np.array([0.5, -1.0])], torch.tensor([[0, 0, -1, 1, 2]])).tolist()
    [[0.5, 0.5, 0.0, -1.0, 0.0]]
    """
    table = torch.zeros(len(found), max(int(turn.max()) + 1, 1))
    for row, values in enumerate(found):
        if values is not None:
            kept = values[: table.shape[1]]
            table[row, : len(kept)] = torch.from_numpy(kept)
    table = table.to(turn.device)
    return torch.where(turn >= 0, table.gather(1, turn.clamp(min=0)), 0.0)


def turn_of_token(mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (turn, counts) of model tokens marked 1 in `mask` of shape (B, T).

    A turn is a run of ones. `turn` (B, T) holds the number of each token's turn, from 0, and -1
    outside; `counts` (B,) the number of turns.

    >>> turn, counts = turn_of_token(torch.tensor([[1, 1, 0, 1, 0]]))
    >>> turn.tolist(), counts.tolist()
    ([[0, 0, -1, 1, -1]], [2])
    """
    inside = mask.bool()
    before = torch.nn.functional.pad(inside[:, :-1], (1, 0), value=False)
    starts = inside & ~before
    turn = starts.cumsum(dim=1) - 1
    return torch.where(inside, turn, -1), starts.sum(dim=1)
