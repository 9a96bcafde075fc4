"""Reads the tables of attacks on engines in tests/attacks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from graphenv.query.results import QueryError, Result

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
