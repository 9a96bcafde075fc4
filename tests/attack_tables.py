"""Reads the tables of attacks on engines in tests/attacks; a graph that attacks are made on."""

from __future__ import annotations

import hashlib
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from graphenv.envs.queries.engines.protocol import Database
from graphenv.envs.queries.files.contents import Contents
from graphenv.query.results import QueryError, Result
from graphenv.query.schema import EntityType, Property, RelationType, Schema

TABLES = Path(__file__).parent / "attacks"


@dataclass(frozen=True)
class Attack:
    """A query and the ways in which it may end."""

    line: int
    allowed: frozenset[str]
    query: str
    slow: bool

    @property
    def name(self) -> str:
        return f"line {self.line}: {self.query[:60]!r}"

    def ends_well(self, result: Result) -> bool:
        kind = result.kind if isinstance(result, QueryError) else "rows"
        return kind in self.allowed or ("any" in self.allowed and kind != "crash")


def read_attacks(table: str, **names: object) -> list[Attack]:
    """Return the attacks of a table, with `{name}` replaced by the names given here."""
    attacks = []
    for number, line in enumerate((TABLES / table).read_text("utf-8").split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        ends, query = re.split(r" \| ?", line, maxsplit=1)
        ends = ends.strip()
        for name, value in names.items():
            query = query.replace("{" + name + "}", str(value))
        query = re.sub("<<U\\+([0-9A-F]{4,6})>>", lambda m: chr(int(m[1], 16)), query)
        query = re.sub("<<(.+?)\\*([0-9]+)>>", lambda m: m[1] * int(m[2]), query)
        allowed = frozenset(ends.lstrip("!").split("|"))
        attacks.append(Attack(number, allowed, query, ends.startswith("!")))
    return attacks


SECRET = "pearl-4711"
PROBE = "MATCH (n:Person) RETURN count(*) AS n, min(n.name) AS low, sum(n.born) AS years"


def people(count: int = 60) -> Contents:
    """People who know ten others each, which makes long patterns explode."""
    person = EntityType("Person", (Property("name"), Property("born", "integer")), ("name",))
    schema = Schema("people", (person,), (RelationType("KNOWS", "Person", "Person"),))
    return Contents(
        schema,
        {"Person": tuple((f"p{i}", 1900 + i) for i in range(count))},
        {
            "KNOWS": tuple(
                (f"p{i}", f"p{(i * 7 + k * k + 1) % count}")
                for i in range(count)
                for k in range(10)
            )
        },
    )


def state(folder: Path, database: Database) -> tuple[object, ...]:
    """What no query may change."""
    return (
        sorted(path.name for path in folder.iterdir()),
        hashlib.sha256(database.path.read_bytes()).hexdigest(),
        stat.S_IMODE(database.path.stat().st_mode),
    )
