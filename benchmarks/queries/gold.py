"""Does gold score 1.0, and does who knows nothing score the minimum? Counts over whole sources."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

from graphenv import agents, envs
from graphenv.benchmarks.queries.data import published
from graphenv.envs.base import GraphEnv
from graphenv.envs.queries.engines.pool import close_all
from graphenv.envs.queries.env import Text2CypherEnv, Text2SQLEnv
from graphenv.episode import Episode
from graphenv.fences import fenced
from graphenv.query.cypher import read_cypher
from graphenv.query.graphs import query_graph
from graphenv.query.model import Query
from graphenv.query.sql import read_sql
from graphenv.seeding import sample
from graphenv.task import SPLITS

__all__ = ["gold_scores"]

NOTHING = {
    "no text": {"sql": "", "cypher": ""},
    "a query without rows": {"sql": "SELECT 1 WHERE 1 = 0", "cypher": "RETURN 1 LIMIT 0"},
    "a constant": {"sql": "SELECT 1", "cypher": "RETURN 1"},
}


def gold_scores(folder: Path | None, *, quick: bool) -> list[dict[str, Any]]:
    """Return, for every source, how much gold is right and what players earn that know nothing.

    Published sources whole, all splits; of the synthetic one a sample of each split.
    """
    plans: list[tuple[str, str, dict[str, Any], int | None]] = []
    for name, arguments in published(folder).items():
        env = "text2sql" if name == "spider" else "text2cypher"
        plans.append((name, env, {"source": name, **arguments}, 20 if quick else None))
    # Few worlds: starting workers is not what is looked at.
    some = 20 if quick else 150
    plans += [("synthetic", env, {"worlds": 2}, some) for env in ("text2sql", "text2cypher")]
    rows = []
    for name, env, arguments, most in plans:
        start = time.perf_counter()
        row = {"source": name, "env": env, **_source(env, arguments, most, quick)}
        row["seconds"] = time.perf_counter() - start
        rows.append(row)
        print(row, flush=True)
    return rows


def _source(name: str, arguments: dict[str, Any], most: int | None, quick: bool) -> dict[str, Any]:
    tasks = right = full = 0
    left: Counter[str] = Counter()
    databases: Counter[int] = Counter()
    blind: dict[str, dict[str, float]] = {}
    for split in SPLITS:
        env = envs.make(name, split=split, reward="execution", **arguments)
        assert isinstance(env, Text2SQLEnv | Text2CypherEnv)
        for reason, count in env.query_source.left_out.items():
            # Questions without a database are of no split, and every split counts them.
            everywhere = reason == "database file missing"
            left[reason] = count if everywhere else left[reason] + count
        indices = _some(len(env.tasks), most, split)
        for index in indices:
            session = env.begin(index)
            session.play([fenced(str(session.task.target.program), env.language)])
            episode = session.episode()
            tasks += 1
            right += episode.success == 1.0
            full += env.reward([episode])[0].value == 1.0
            databases[len(env.query_source.databases(index))] += 1
        for player, values in _blind(
            env, _some(len(env.tasks), 5 if quick else 100, split)
        ).items():
            known = blind.setdefault(player, {"episodes": 0, "above": 0, "gold": 0})
            known["episodes"] += len(values)
            paid = [is_gold for value, is_gold in values if value > env.reward.range[0]]
            known["above"] += len(paid)
            known["gold"] += sum(paid)
    close_all()
    return {
        "tasks": tasks,
        "right": right,
        "full": full,
        "left_out": dict(sorted(left.items())),
        "databases": {str(k): v for k, v in sorted(databases.items())},
        "blind": blind,
    }


def _some(size: int, most: int | None, split: str) -> list[int]:
    if most is None or most >= size:
        return list(range(size))
    return sample(size, most, "queries benchmark", "gold", split)


def _blind(env: GraphEnv, indices: list[int]) -> dict[str, list[tuple[float, bool]]]:
    """Return what every player earns that knows nothing, and whether it happened to write gold.

    A query counts as gold if their query graphs are equal.
    """
    assert isinstance(env, Text2SQLEnv | Text2CypherEnv)
    played = {
        player: [
            env.play(index, [fenced(text, env.language) if (text := said[env.language]) else ""])
            for index in indices
        ]
        for player, said in NOTHING.items()
    }
    played["random"] = agents.rollout_batch(env, agents.make("random", env, seed=0), indices)
    return {
        player: [
            (score.value or 0.0, bool(score.value) and _is_gold(env, episode))
            for score, episode in zip(env.reward(episodes), episodes, strict=True)
        ]
        for player, episodes in played.items()
    }


def _is_gold(env: Text2SQLEnv | Text2CypherEnv, episode: Episode) -> bool:
    read = read_sql if env.language == "sql" else read_cypher
    schema = env.query_source.schema(episode.task.index)
    assert episode.outcome is not None
    said = read(str(episode.outcome.program), schema)
    gold = read(str(episode.task.target.program), schema)
    if not (isinstance(said, Query) and isinstance(gold, Query)):
        return False
    return query_graph(said).isomorphic_to(query_graph(gold))
