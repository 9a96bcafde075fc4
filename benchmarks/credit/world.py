"""A question of a small knowledge graph, played through in the environment itself."""

from __future__ import annotations

from graphenv import envs
from graphenv.benchmarks.credit.tasks import Enumerated, Play
from graphenv.envs.base import GraphEnv
from graphenv.envs.kgqa.session import KGQASession
from graphenv.envs.session import Session
from graphenv.episode import Episode
from graphenv.seeding import rng
from graphenv.text import format_call

__all__ = ["question"]

TURNS, MOVES = 4, 4


def question(index: int | None = None) -> Enumerated:
    """Return a question of two moves with every episode that a few tools can make of it.

    In a state the agent can follow relations that lead on (at most four, those of the gold path
    among them), go back, look, or answer with where it stands. Episodes, states, verdicts and the
    potential are those of `graphenv/KGQA-v0` with the reward `exact + progress`.
    """
    env = envs.make(
        "kgqa",
        source="synthetic",
        mode="tools",
        entities=300,
        relations=8,
        max_turns=TURNS,
        reward="exact + progress",
    )
    tasks = range(len(env.tasks)) if index is None else [index]
    chosen = next(i for i in tasks if len(env.tasks[i].target.path or ()) == 2)
    gold = [format_call("follow", relation=str(r)) for r in env.tasks[chosen].target.path or ()]
    plays: list[Play] = []
    _play(env, chosen, (), plays)
    draw = rng("credit benchmark", "kgqa")
    logits: dict[tuple[str, str], float] = {}

    def logit(state: str, action: str) -> float:
        if (state, action) not in logits:
            bonus = 2.5 * (action in gold or action == format_call("answer_frontier"))
            logits[state, action] = float(draw.normal(0.0, 0.5)) + bonus
        return logits[state, action]

    return Enumerated(plays, logit)


def _play(env: GraphEnv, index: int, turns: tuple[str, ...], plays: list[Play]) -> None:
    session = env.begin(index)
    session.play(turns)
    episode = session.episode()
    if episode.ended:
        plays.append(_judged(env, episode))
        return
    for action in _open(session):
        _play(env, index, (*turns, action), plays)


def _open(session: Session) -> list[str]:
    assert isinstance(session, KGQASession)
    moves = session.world.moves(session.walk.frontier)
    gold = session.task.target.path or ()
    kept = sorted(sorted(moves, key=lambda move: (move not in gold, move))[:MOVES])
    calls = [format_call("follow", relation=move) for move in kept]
    return [*calls, *(format_call(name) for name in ("back", "frontier", "answer_frontier"))]


def _judged(env: GraphEnv, episode: Episode) -> Play:
    [score] = env.reward([episode])
    assert score.settled is not None
    levels = [episode.state(t).values["reach"] for t in range(len(episode) + 1)]
    texts = tuple(step.text for step in episode.steps)
    return Play(episode.state_keys(), texts, score.settled, tuple(levels))
