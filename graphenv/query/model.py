"""One form for queries of both languages: scopes of entities, relations and expressions.

A reader turns query text into a `Query`; from here on nobody asks which language it was. Names are
spelled as in the schema, aliases and variables are replaced by what they stand for, and what may be
written in several ways has one form:

- A join on a key pair and a relationship pattern are both a `Relation`, from the holder of the key
  (or the start of the arrow) to what it refers to. Inner joins, commas with a condition, `<-` and
  inline property maps are gone.
- `b > a` is `a < b`, with the constant on the right; `and`, `or` are flat; `not` is pushed into
  comparisons, and double negations are gone; `!=` is `<>`; `between` is two comparisons.
- Implicit grouping (Cypher) is an explicit `group`; a filter on aggregates is `having`.
- Parts that only pass variables on are merged with what follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["Entity", "Expr", "Language", "Order", "Query", "QueryIssue", "Relation", "Scope"]

Language = Literal["sql", "cypher"]
ExprKind = Literal[
    "property",  # `name` of the entity or relation with the handle `of`, else of the value args[0]
    "element",  # the entity or relation `of` itself (Cypher returns, counts and compares nodes)
    "literal",  # canonical text in `name`: 'text' quoted, 1, 1.5, true, null
    "star",  # all columns
    "operator",  # `name`: = <> < <= like in and or not + - ... with `args`
    "call",  # a scalar function `name` (lower case) of `args`
    "aggregate",  # `name`: count sum avg min max collect ... of `args`, perhaps `distinct`
    "case",  # args: condition, value, condition, value ..., else
    "list",  # args: items
    "subquery",  # `scope` as a value
    "exists",  # whether `scope` has a row
    "parameter",  # $name
    "input",  # args[0] as computed by the part before, or by the subquery entity `of`
    "map",  # args: key (a literal), value, key, value ...
    "comprehension",  # `name`: list any all none single reduce; args: list, condition, value ...
    "variable",  # an item in a comprehension; `name`: how many comprehensions stand around it
]


@dataclass(frozen=True, slots=True)
class Entity:
    """An occurrence of a table or of a node pattern; a subquery in FROM has a `scope`.

    `name` is the table or label as the schema spells it; several labels are sorted and joined by
    `&` or `|`; `""` where none is given. `handle` is unique in the whole query. `items` is the list
    whose items are the rows (UNWIND).
    """

    handle: int
    name: str
    optional: bool = False
    scope: Scope | None = None
    items: Expr | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A join on a key pair or a relationship pattern between two entities (their handles).

    `name` is the relation as the schema names it, alternatives sorted and joined by `|`, `""` for
    any. A join that is no relation of the schema is named by its columns, `film.year=award.year`.
    `hops` is (least, most) of a variable-length pattern, most `None` where open. An undirected
    pattern has `directed=False` and its ends sorted by handle.
    """

    handle: int
    name: str
    head: int
    tail: int
    directed: bool = True
    optional: bool = False
    hops: tuple[int, int | None] | None = None
    shortest: bool = False


@dataclass(frozen=True, slots=True)
class Expr:
    """An expression; see `ExprKind` for which fields a kind uses."""

    kind: ExprKind
    name: str = ""
    args: tuple[Expr, ...] = ()
    of: int | None = None
    distinct: bool = False
    scope: Scope | None = None

    def walk(self) -> Iterator[Expr]:
        """Yield this expression and all below it, without those of subqueries."""
        yield self
        for part in self.args:
            yield from part.walk()


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key."""

    key: Expr
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """One SELECT, or one part of a Cypher query up to its WITH or RETURN.

    `where` and `having` are conjunctions. `inputs` are the scopes that this one reads from: the
    part before it, or the two sides of a `union`, `union all`, `intersect` or `except` in
    `combine` (in which case only `order`, `limit` and `offset` are used beside it).
    """

    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    where: tuple[Expr, ...] = ()
    select: tuple[Expr, ...] = ()
    distinct: bool = False
    group: tuple[Expr, ...] = ()
    having: tuple[Expr, ...] = ()
    order: tuple[Order, ...] = ()
    limit: Expr | None = None
    offset: Expr | None = None
    combine: str = ""
    inputs: tuple[Scope, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A query that could be read.

    `unknown` are names of tables, labels, columns, properties and relations that the schema does
    not have, as (what, name); empty if no schema was given.
    """

    language: Language
    text: str
    scope: Scope
    unknown: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class QueryIssue:
    """Why a text is no query, in words for the one who wrote it.

    `kind`: `empty`, `syntax`, `unsupported` (valid, but nothing that this reader knows), `limit`
    (too long, too deep).
    """

    kind: Literal["empty", "syntax", "unsupported", "limit"]
    reason: str
