"""`gnn_process`: turns are paid for the change of a level; published formulas beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from graphenv.checks import one_of, whole
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.rewards.process.levels import ConfidenceAndValidity, Level, LinksAndGold, Value
from graphenv.rewards.process.opinions import Scored
from graphenv.rewards.process.published import Galax, Graphia
from graphenv.rewards.terms import StepTerm, published

__all__ = ["GnnProcess"]

SHAPES: dict[str, Callable[[int], Level]] = {
    "progress": lambda at: Value(),
    "galax": lambda at: ConfidenceAndValidity(),
    "graphia": LinksAndGold,
}
PAPERS: dict[str, Callable[[int], Galax | Graphia]] = {
    "galax": lambda at: Galax(),
    "graphia": Graphia,
}


class GnnProcess(Scored, StepTerm):
    """Turn t earns L(s_{t+1}) - L(s_t): how much it changed the level of the state, in [-1, 1].

    The level L in [0, 1] is what the shape says a state is worth. On the last turn L(s_T) is that
    of the graph which is handed in if the episode ended with an answer (status `ok`), and 0 if it
    ended in any other way. So the total is L(handed in) - L(start): it depends on the first and the
    last state alone (and under `galax` on how many turns tried the impossible). Going round, coming
    back, repeating a turn, standing still and trying many states earn nothing, whatever the scorer
    says, and running out of turns earns the least there is for the task. Unlike a potential it does
    change which policies are best: a graph that the scorer overrates is worth handing in. Use it
    beside a verdict.

    `progress`: L = p, the probability that the graph leads to success.

    `galax`: L = (2 p + 1 + V) / 3, V minus the share of `max_turns` on which a move was tried that
    the world does not have.

    `graphia`: L = (1 - c) P + c F1, P the mean link probability of the edges, F1 that of the
    triples against the gold graph, c = clip(0.01 at, 1, 5) / 5. It needs a gold graph.

    As a potential, write `gnn_value`. Where the scorer does not know the state before the first
    turn, the term does not apply; a later state that it does not know counts p = 0.

    Parameters
    ----------
    scorer
        Folder of a saved scorer (`graphenv train-scorer`).
    shape
        `progress`, `galax` or `graphia`.
    at
        The training step that Graphia's curriculum stands at. A reward knows no training step, so
        it is an argument: change it between stages of a run.
    paper
        `"galax"` or `"graphia"`: the published formula, for comparison. GALAX pays its state reward
        on every turn, so standing still in a good state pays again and again; Graphia sums over
        edges, so many likely edges outweigh the right one. Their ranges are [-1.5, 0.5] and
        [0, 1000 (1 + clip(0.01 at, 1, 5))].

    Raises
    ------
    DataError, ConfigError
        If there is no scorer, or one of an unknown kind; if `paper` stands beside a shape, or `at`
        where there is no curriculum.

    References
    ----------
    GALAX (graph process reward model), Graphia (link rewards with a curriculum): formulas and
    defects in docs/process-rewards.md.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"step.graph"})

    def __init__(
        self, *, scorer: str, shape: str = "progress", at: int = 0, paper: str | None = None
    ) -> None:
        if shape == "potential":
            raise ConfigError("gnn_process: the potential is a term of its own: gnn_value(scorer=)")
        one_of("gnn_process", "shape", shape, SHAPES)
        whole("gnn_process", "at", at, 0)
        if published("gnn_process", paper, list(PAPERS)) and shape != "progress":
            raise ConfigError(
                f"gnn_process(paper={paper!r}) is a shape of its own; leave out shape"
            )
        if at and "graphia" not in (shape, paper):
            raise ConfigError("gnn_process: at= is the step of Graphia's curriculum; leave it out")
        super().__init__(scorer=scorer)
        self.shape, self.at, self.paper = shape, at, paper
        self._level = SHAPES[shape](at)
        self._paper = PAPERS[paper](at) if paper else None
        form = self._paper or self._level
        self.needs = form.needs  # type: ignore[misc] # it depends on the shape
        if self._paper:
            self.range = self._paper.range

    def look(self, episodes: Sequence[Episode]) -> None:
        """Ask for all states and edges of a batch, in one call each."""
        super().look(episodes)
        form = self._paper or self._level
        pairs = [pair for episode in episodes for pair in form.pairs(episode)]
        if pairs:
            self.said.links(pairs)

    def details(self, episode: Episode) -> dict[str, Any]:
        """Return which scorer was asked, and which states and edges it did not know, and why."""
        judged = self.said.links((self._paper or self._level).pairs(episode))
        reasons = sorted({answer.reason for answer in judged if answer.value is None})
        return {**super().details(episode), **({"unknown_edges": reasons} if reasons else {})}

    def applies(self, episode: Episode) -> bool:
        """Return whether the scorer knows the start, and the task has the gold that is needed."""
        return (self._paper or self._level).asks(episode) and self.knows(episode)

    def pay(self, episode: Episode, t: int) -> float:
        """Return the change of the level on turn `t`, or what the paper pays."""
        if self._paper:
            return self._paper.pay(self.said, episode, t)
        return self._at(episode, t + 1) - self._at(episode, t)

    def pays(self, episode: Episode) -> list[float]:
        """Return `pay` of every turn; each level is read once."""
        if self._paper:
            return super().pays(episode)
        levels = [self._at(episode, turns) for turns in range(len(episode) + 1)]
        return [after - before for before, after in pairwise(levels)]

    def _at(self, episode: Episode, turns: int) -> float:
        if episode.ended and turns == len(episode) and episode.status != "ok":
            return 0.0
        return self._level.at(self.said, episode, turns)
