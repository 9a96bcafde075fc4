"""A search for states that a scorer overrates: hubs, junk, duplicates, padding, echoes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from graphenv.agents.gnn.edits import EDITS
from graphenv.agents.gnn.examples import Example
from graphenv.checks import whole
from graphenv.scorers import View
from graphenv.seeding import rng

__all__ = ["Attack", "AttackConfig", "Overrated", "attack", "hard_negatives"]

Floats = NDArray[np.float64]
Values = Callable[[Sequence[View]], Floats]
"""Gives each state a value in [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class AttackConfig:
    """How long and how wide the search is; its work is counted in states scored.

    Parameters
    ----------
    states
        States that are attacked: failures, drawn from those given.
    rounds
        Edits on top of each other.
    proposals
        Edits tried on every state of the beam in a round.
    beam
        States kept of each attacked one.
    max_added
        Nodes and edges that may be added in all.
    below
        A state is a failure if its outcome is below this, and fooled if its value is not.
    seed
        Of all that is drawn.
    """

    states: int = 100
    rounds: int = 4
    proposals: int = 8
    beam: int = 2
    max_added: int = 40
    below: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("states", "rounds", "proposals", "beam", "max_added"):
            whole("AttackConfig", name, getattr(self, name), 1)


class Overrated(NamedTuple):
    """An attacked state: the example, its value, and the edited state with the highest value."""

    example: Example
    before: float
    view: View
    after: float
    edits: tuple[str, ...]
    tried: tuple[View, ...]
    """The best state of every round."""


@dataclass(frozen=True)
class Attack:
    """What a search found."""

    found: tuple[Overrated, ...]
    below: float
    scored: int

    def to_json(self) -> dict[str, Any]:
        """Return its figures: mean values and shares of fooled states, before and after."""
        before = np.array([state.before for state in self.found])
        after = np.array([state.after for state in self.found])
        used = [name for state in self.found for name in state.edits]
        return {
            "states": len(self.found),
            "scored": self.scored,
            "mean_before": float(before.mean()) if len(before) else 0.0,
            "mean_after": float(after.mean()) if len(after) else 0.0,
            "fooled_before": float((before >= self.below).mean()) if len(before) else 0.0,
            "fooled_after": float((after >= self.below).mean()) if len(after) else 0.0,
            "edits": {name: used.count(name) for name in EDITS},
        }


def attack(
    values: Values,
    examples: Sequence[Example],
    donors: Sequence[Example],
    config: AttackConfig | None = None,
) -> Attack:
    """Search edits of failed states that raise their value; none of them can raise their outcome.

    An edit adds nodes and edges that have nothing to do with the task (they come from `donors`,
    states of other tasks, and touch nothing that is there), or repeats edges. So the outcome of the
    edited state is at most that of the state it was made from. Beam search: in every round each
    state of the beam is edited `proposals` times, and the best are kept. A pure function of its
    arguments.

    Raises
    ------
    ConfigError
        If a setting is out of range.
    """
    config = config or AttackConfig()
    victims = _victims(examples, config)
    others = [d for d in donors if d.view.graph.num_edges]
    starts = values([example.view for example in victims]) if victims else np.zeros(0)
    beams = [[_Held(v.view, float(x), ())] for v, x in zip(victims, starts, strict=True)]
    best = [beam[0] for beam in beams]
    tried: list[list[View]] = [[] for _ in victims]
    scored = len(victims)
    for turn in range(config.rounds):
        made = [
            _edited(beam, victim, others, config, place, turn)
            for place, (beam, victim) in enumerate(zip(beams, victims, strict=True))
        ]
        flat = [view for rows in made for view, _ in rows]
        if not flat:
            break
        worth = iter(values(flat).tolist())
        scored += len(flat)
        for i, rows in enumerate(made):
            new = [_Held(view, next(worth), edits) for view, edits in rows]
            beams[i] = sorted([*new, *beams[i]], key=lambda held: -held.value)[: config.beam]
            if new:
                tried[i].append(max(new, key=lambda held: held.value).view)
            best[i] = beams[i][0]
    found = [
        Overrated(victim, float(x), held.view, held.value, held.edits, tuple(met))
        for victim, x, held, met in zip(victims, starts, best, tried, strict=True)
    ]
    return Attack(tuple(found), config.below, scored)


def hard_negatives(found: Attack) -> list[Example]:
    """Return the edited states as examples with the outcome of what they were made from."""
    made: list[Example] = []
    for state in found.found:
        views = dict.fromkeys((*state.tried, state.view))
        views.pop(state.example.view, None)
        made += [
            replace(state.example, view=view, origin="adversary", continuations=0, progress=None)
            for view in views
        ]
    return made


class _Held(NamedTuple):
    view: View
    value: float
    edits: tuple[str, ...]


def _victims(examples: Sequence[Example], config: AttackConfig) -> list[Example]:
    failed = [example for example in examples if example.outcome < config.below]
    draw = rng("scorer adversary", config.seed)
    order = draw.permutation(len(failed))[: config.states]
    return [failed[i] for i in sorted(order.tolist())]


def _edited(
    beam: Sequence[_Held],
    victim: Example,
    donors: Sequence[Example],
    config: AttackConfig,
    place: int,
    turn: int,
) -> list[tuple[View, tuple[str, ...]]]:
    limit = victim.size + config.max_added
    names = list(EDITS)
    made: list[tuple[View, tuple[str, ...]]] = []
    for k, held in enumerate(beam):
        draw = rng("adversary edits", config.seed, place, turn, k)
        for _ in range(config.proposals):
            name = names[int(draw.integers(len(names)))]
            donor = _donor(victim, donors, draw)
            if donor is None:
                return made
            graph = EDITS[name](held.view, donor.view.graph, draw)
            if graph != held.view.graph and len(graph) + graph.num_edges <= limit:
                view = View(held.view.question, graph)
                made.append((view, (*held.edits, name)))
    return made


def _donor(victim: Example, donors: Sequence[Example], draw: np.random.Generator) -> Example | None:
    for _ in range(8):
        if not donors:
            return None
        donor = donors[int(draw.integers(len(donors)))]
        if donor.group != victim.group:
            return donor
    return None
