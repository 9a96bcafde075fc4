"""A few trajectories worth reading: solved, missed, and rewarded without being right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graphenv.benchmarks.comparison.runs import Run
from graphenv.envs.replay import EnvCache, replay
from graphenv.episode import Episode, EpisodeRecord, Outcome, read_records
from graphenv.errors import GraphEnvError
from graphenv.score import Score
from graphenv.task import Task
from graphenv.text import bounded, readable, text_of

__all__ = ["episode_json", "pick_examples"]

MAX_TEXT = 700


def pick_examples(runs: Mapping[str, Sequence[Run]]) -> list[dict[str, Any]]:
    """Return up to three trajectories of each variant's first run, played again and graded.

    `best` is right with the most turns, `worst` wrong with the least reward, `rewarded, but wrong`
    the wrong one with the most reward, which is where a reward shows what it can be talked into.
    """
    return [example for name, own in runs.items() if own for example in _of_run(name, own[0])]


def _of_run(variant: str, run: Run) -> list[dict[str, Any]]:
    file = run.folder / "episodes.jsonl"
    if not file.is_file():
        return []
    records = list(read_records(file))
    values = {i: float(v) for i, v in zip(run.final.indices, run.final.rewards, strict=True)}
    right = [r for r in records if (r.success or 0.0) >= 1.0]
    wrong = [r for r in records if (r.success or 0.0) < 1.0]
    picked: list[tuple[str, EpisodeRecord]] = []
    if right:
        picked.append(("best", max(right, key=lambda r: len(r.turns))))
    if wrong:
        tricked = max(wrong, key=lambda r: values.get(r.index, 0.0))
        picked.append(("worst", min(wrong, key=lambda r: values.get(r.index, 0.0))))
        if values.get(tricked.index, 0.0) > values.get(picked[-1][1].index, 0.0):
            picked.append(("rewarded, but wrong", tricked))
    cache = EnvCache()
    return [
        {"variant": variant, "seed": run.seed, "kind": kind, **_told(record, cache, run.folder)}
        for kind, record in picked
    ]


def _told(record: EpisodeRecord, cache: EnvCache, folder: Path) -> dict[str, Any]:
    try:
        env = cache.env_for(record)
        episode = replay(record, env)
        return episode_json(episode, env.reward([episode])[0])
    except GraphEnvError as error:
        # The data may lie elsewhere by now; what was said can still be shown.
        return {
            "task_id": record.task_id,
            "index": record.index,
            "question": "",
            "turns": [{"text": bounded(t, MAX_TEXT), "observation": ""} for t in record.turns],
            "status": record.status,
            "reason": f"{record.reason} (not replayed: {error})",
            "success": record.success,
            "folder": folder.name,
        }


def episode_json(episode: Episode, score: Score) -> dict[str, Any]:
    """Return what a reader wants to see of an episode: turns, answers, gold, parts.

    Numbers per turn are the reward that the turn was paid.
    """
    paid = score.steps or (0.0,) * len(episode.steps)
    end, target = episode.outcome, episode.task.target
    return {
        "task_id": episode.task.id,
        "index": episode.task.index,
        "question": _question(episode.task),
        "turns": [
            {
                "text": bounded(readable(step.text), MAX_TEXT),
                "observation": bounded(step.observation, MAX_TEXT),
                "status": step.status,
                "paid": value,
            }
            for step, value in zip(episode.steps, paid, strict=False)
        ],
        "status": episode.status,
        "reason": end.reason if end else "",
        "answer": _answered(end),
        "gold": _listed(target.answer),
        "gold_program": target.program,
        "success": episode.success,
        "value": score.value,
        "parts": {n: {"value": p.value, "weight": p.weight} for n, p in score.parts.items()},
        "info": {name: dict(details) for name, details in score.info.items()},
    }


def _question(task: Task) -> str:
    # Behind the schema, where the prompt shows one.
    asked = task.meta.get("question") or text_of(task.messages[-1]["content"])
    return str(asked).rpartition("Question: ")[2]


def _answered(end: Outcome | None) -> str | None:
    if end is None or end.answer is not None or end.program is None:
        return _listed(end.answer if end else None)
    return bounded(end.program, MAX_TEXT)


def _listed(items: tuple[str, ...] | None) -> str | None:
    return None if items is None else bounded(", ".join(items), 300)
