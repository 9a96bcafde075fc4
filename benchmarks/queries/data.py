"""Published gold queries with their schemas, from `$GRAPHENV_DATA/query`, and invented ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from graphenv.envs.queries.sources.neo4j_labs import Neo4jText2Cypher, csv_rows
from graphenv.envs.queries.sources.spider import read_schemas
from graphenv.envs.queries.sources.synthetic.cypher import write_cypher
from graphenv.envs.queries.sources.synthetic.source import SyntheticQueries
from graphenv.envs.queries.sources.synthetic.sql import write_sql
from graphenv.envs.queries.sources.zograscope import ZograscopeQueries
from graphenv.query.model import Language
from graphenv.query.schema import Schema
from graphenv.task import SPLITS

__all__ = ["Gold", "GoldSet", "gold_sets", "published"]


class Gold(NamedTuple):
    """A gold query and the schema of its database."""

    text: str
    schema: Schema


class GoldSet(NamedTuple):
    """Gold queries of one source."""

    name: str
    language: Language
    gold: list[Gold]


def published(folder: Path | None) -> dict[str, dict[str, Any]]:
    """Return the arguments of the published sources that are there and have data to execute on."""
    found: dict[str, dict[str, Any]] = {}
    if folder is None:
        return found
    spider, pole = folder / "spider", folder / "zograscope"
    if spider.is_dir():
        names = [name for name in ("database", "database_en") if (spider / name).is_dir()]
        found["spider"] = {"root": str(spider), "databases": names[0]} if names else {}
    if pole.is_dir():
        found["zograscope"] = {"root": str(pole)}
    return {name: arguments for name, arguments in found.items() if arguments}


def gold_sets(folder: Path | None, *, quick: bool) -> list[GoldSet]:
    """Return what there is: Spider dev, ZOGRASCOPE train, neo4j-labs; else the synthetic source."""
    most = 40 if quick else None
    sets = [GoldSet(s.name, s.language, s.gold[:most]) for s in _published_sets(folder)]
    source = SyntheticQueries("sql", "train")
    problems = [source.problem(index) for index in range(40 if quick else 500)]
    sql = [Gold(write_sql(p.plan, p.world), p.world.sql_schema) for p in problems]
    cypher = [Gold(write_cypher(p.plan), p.world.graph_schema) for p in problems]
    return [
        *sets,
        GoldSet("synthetic, SQL", "sql", sql),
        GoldSet("synthetic, Cypher", "cypher", cypher),
    ]


def _published_sets(folder: Path | None) -> Iterator[GoldSet]:
    if folder is None:
        return
    spider = folder / "spider"
    if (spider / "dev.json").is_file():
        schemas = read_schemas(spider / "tables.json")
        rows = json.loads((spider / "dev.json").read_text(encoding="utf-8"))
        gold = [Gold(row["query"], schemas[row["db_id"]]) for row in rows]
        yield GoldSet("Spider dev", "sql", gold)
    pole = folder / "zograscope"
    if (pole / "zograscope_train_v1.csv").is_file():
        source = ZograscopeQueries(split="train", root=str(pole), variations=0)
        rows = csv_rows(pole / "zograscope_train_v1.csv")
        gold = [Gold(str(row["mr"]), source.schema(0)) for _, row in rows]
        yield GoldSet("ZOGRASCOPE train", "cypher", gold)
    labs = folder / "neo4j_labs_text2cypher"
    if labs.is_dir():
        gold = []
        for split in SPLITS:
            tasks = Neo4jText2Cypher(split=split, root=str(labs), ambiguous="accept")
            gold += [Gold(str(task.target.program), tasks.schema(task.index)) for task in tasks]
        yield GoldSet("neo4j-labs", "cypher", gold)
