"""`collect`: play an environment, meet states, and see how episodes end that go on from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from graphenv.agents.base import policy_for
from graphenv.agents.families import MAX_ERRORS, Family, family_of
from graphenv.agents.gnn.examples import Collection, Example, Rollouts
from graphenv.agents.oracle import gold_turns, planted_turns
from graphenv.envs import make
from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode, State
from graphenv.errors import ConfigError
from graphenv.rewards import ExpressionReward, parse
from graphenv.scorers import view_of
from graphenv.seeding import rng
from graphenv.task import Task

__all__ = ["collect", "watched"]

MAX_SUFFIXES = 6
"""Gold turns up to which every suffix of them is tried as the way on."""


class _Watching(ExpressionReward):
    """A reward that is never asked for a score: it only says which facts must be kept."""

    def __init__(self, base: str, needs: frozenset[str]) -> None:
        parsed = parse(base)
        super().__init__(parsed._root, parsed.name)
        self._needs = parsed.needs | needs


def watched(env: GraphEnv) -> GraphEnv:
    """Return a twin of `env` whose steps keep their graphs, and their nearness where there is one.

    Raises
    ------
    ConfigError
        If the family has no graph so far (`step.graph`), as in modes of a single turn.

    >>> from graphenv import envs
    >>> watched(envs.make("kgqa")).play(0, []).start_graph
    Graph(nodes=(), edges=(), directed=True)
    """
    if "step.graph" not in env.provides or env.max_turns == 1:
        raise ConfigError(
            f"{env.env_id}: no graph is built turn by turn here, so there are no states to score. "
            "Families with step.graph have it where an episode has more than one turn."
        )
    twin = make(env.env_id, **env.kwargs)
    kept = frozenset({"step.graph", "step.reach", "target.graph"}) & env.provides
    twin.reward = _Watching(env.reward.name, kept)
    return twin


def collect(
    env: GraphEnv,
    indices: Sequence[int],
    rollouts: Rollouts | None = None,
    *,
    on_task: Callable[[], object] = lambda: None,
) -> Collection:
    """Play tasks of `env` and return the states met, each with its Monte-Carlo outcome.

    From every state that is not yet an end, `continuations` episodes are played by an
    epsilon-oracle and their truth is averaged. What gold has left to say there is the suffix of
    the gold turns (or those of them that were not said) that ends best without strays; where even
    the best ends at 0 the outcome is 0 and nothing more is played. Equal views of one task are one
    example. A pure function of its arguments; work is counted in turns.

    >>> from graphenv import envs
    >>> found = collect(envs.make("kgqa"), [0], Rollouts(players={"oracle": 1}, epsilon=0))
    >>> [(example.turns, example.outcome) for example in found.examples]
    [(0, 1.0), (1, 1.0), (2, 1.0)]
    """
    collector = _Collector(env, rollouts or Rollouts())
    examples: list[Example] = []
    for index in indices:
        examples += collector.task(index)
        on_task()
    return Collection(tuple(examples), collector.turns_played, collector.left_out)


class _Collector:
    def __init__(self, env: GraphEnv, rollouts: Rollouts) -> None:
        self._watched = watched(env)
        self._env = make(env.env_id, **env.kwargs)  # for rollouts, of which only the end counts
        self._settings = rollouts
        self._family: Family = family_of(env, "oracle")
        self.turns_played = 0
        self.left_out = 0

    def task(self, index: int) -> list[Example]:
        """Return the distinct states of one task."""
        gold = gold_turns(self._env, index)
        met: dict[Any, Example] = {}
        for origin, turns in self._played(index, gold):
            episode = self._watched.play(index, turns)
            self.turns_played += len(episode)
            for t in range(len(episode) + (not episode.ended)):
                view = view_of(episode.task, episode.state(t))
                if view is None or view.graph in met:
                    continue
                if len(view.graph) > self._settings.max_nodes:
                    self.left_out += 1
                    continue
                outcome, count = self._outcome(index, turns[:t], gold, t)
                met[view.graph] = Example(
                    view=view,
                    outcome=outcome,
                    group=f"{episode.fingerprint[:12]}/{episode.task.id}",
                    origin=origin,
                    turns=t,
                    continuations=count,
                    progress=_progress(episode.task, episode.state(t)),
                    seeds=_seeds(episode.task),
                    label=str(episode.task.meta.get(self._settings.label, "")),
                )
        return list(met.values())

    def _played(self, index: int, gold: list[str]) -> Iterator[tuple[str, list[str]]]:
        """Yield (player, turns) of the episodes that states are taken from."""
        for player, count in self._settings.players.items():
            for k in range(count):
                draw = rng("scorer examples", self._settings.seed, player, index, k)
                if player == "oracle":
                    yield player, gold
                elif player == "planted":
                    errors = int(draw.integers(1, MAX_ERRORS + 1))
                    yield player, planted_turns(self._env, index, errors)
                elif player == "mixed":
                    yield player, self._mixed(index, gold, self._settings.strays, draw)
                else:
                    yield player, self._by_agent(player, index, int(draw.integers(2**31)))

    def _by_agent(self, player: str, index: int, seed: int) -> list[str]:
        session = self._env.begin(index)
        if player == "search":
            from graphenv.agents import make as make_agent

            policy = policy_for(make_agent("search", self._env), session)
        else:
            policy = self._family.random(session.world, seed, 4)
        while session.outcome is None:
            session.turn(policy.act(session.episode().messages))
        self.turns_played += len(session.steps)
        return [step.text for step in session.steps]

    def _mixed(
        self, index: int, gold: Sequence[str], share: float, draw: np.random.Generator
    ) -> list[str]:
        """Return turns in which a stray one replaces the next gold one, with a probability."""
        session = self._env.begin(index)
        for turn in gold[:-1]:
            if session.outcome is not None:
                break
            strays = draw.random() < share
            session.turn(self._family.stray(session, draw) if strays else turn)
        self.turns_played += len(session.steps)
        return [step.text for step in session.steps]

    # -- what becomes of a state --------------------------------------------------------------

    def _outcome(
        self, index: int, prefix: Sequence[str], gold: list[str], turns: int
    ) -> tuple[float, int]:
        """Return (mean truth, episodes) of what follows `prefix`."""
        best, rest = 0.0, gold
        for candidate in _ways_on(gold, prefix):
            success = self._truth(self._play(index, [*prefix, *candidate]))
            if success > best:
                best, rest = success, candidate
        if best == 0.0:
            return 0.0, 1
        total = 0.0
        for k in range(self._settings.continuations):
            draw = rng("scorer outcome", self._settings.seed, index, turns, k, *prefix)
            total += self._truth(self._careless(index, prefix, rest, draw))
        return total / self._settings.continuations, self._settings.continuations

    def _careless(
        self, index: int, prefix: Sequence[str], rest: Sequence[str], draw: np.random.Generator
    ) -> Episode:
        session = self._env.begin(index)
        session.play(prefix)
        for turn in rest:
            if session.outcome is None and draw.random() < self._settings.epsilon:
                session.turn(self._family.stray(session, draw))
            if session.outcome is None:
                session.turn(turn)
        self.turns_played += len(session.steps)
        return session.episode()

    def _play(self, index: int, turns: Sequence[str]) -> Episode:
        episode = self._env.play(index, turns)
        self.turns_played += len(episode)
        return episode

    @staticmethod
    def _truth(episode: Episode) -> float:
        return episode.success or 0.0  # not ended: out of gold turns


def _ways_on(gold: list[str], prefix: Sequence[str]) -> list[list[str]]:
    """Return what may follow: what of the gold was not said, then suffixes, short ones first."""
    said = list(prefix)
    unsaid = []
    for turn in gold:
        if turn in said:
            said.remove(turn)
        else:
            unsaid.append(turn)
    ways = [unsaid] if unsaid else []
    if len(gold) <= MAX_SUFFIXES:
        ways += [gold[j:] for j in reversed(range(len(gold)))]
    return [way for i, way in enumerate(ways) if way not in ways[:i]]


def _progress(task: Task, state: State) -> float | None:
    """Return the family's nearness to the gold, else the F1 of the triples."""
    if "reach" in state.values:
        return state.values["reach"]
    if task.target.graph is None or state.graph is None:
        return None
    found, gold = set(state.graph.triples), set(task.target.graph.triples)
    return 2 * len(found & gold) / (len(found) + len(gold)) if gold else None


def _seeds(task: Task) -> tuple[str, ...]:
    return tuple(str(name) for name in task.meta.get("seeds") or task.meta.get("topics") or ())
