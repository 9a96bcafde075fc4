"""What a Cypher query says, clause by clause, before names are replaced by what they stand for."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "Body",
    "Call",
    "Clause",
    "Item",
    "Labels",
    "Match",
    "Node",
    "Path",
    "Projection",
    "Step",
    "Term",
    "Unwind",
]


class Term(NamedTuple):
    """An expression.

    kind: name, args
        `variable`: name; `literal`: canonical text; `parameter`: name; `star`; `property`: key,
        (of what,); `operator`: name, operands; `call`: name (as written), arguments; `distinct`:
        the same with DISTINCT; `list`: items; `map`: keys joined by a zero byte are `names`,
        values; `case`: (subject or the literal true, condition, value ..., else); `label`: (of
        what,) and `labels`; `comprehension`: its kind, (list, condition, value), `names` are its
        variables; `reduce`: (start, list, value), `names` are accumulator and item; `pattern`:
        `path`; `exists`, `count`, `collect`: `body`; `projection`: (of what, value ...), `names`
        are the keys.
    """

    kind: str
    name: str = ""
    args: tuple[Term, ...] = ()
    names: tuple[str, ...] = ()
    labels: Labels | None = None
    path: Path | None = None
    body: Body | None = None


class Labels(NamedTuple):
    """A label expression: its canonical text, and the names in it.

    `all_of` are the labels if it is a conjunction of plain labels, `any_of` if a disjunction.
    """

    text: str
    names: tuple[str, ...]
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()


class Node(NamedTuple):
    """A node pattern. `properties` is a map or a parameter."""

    variable: str
    labels: Labels | None
    properties: Term | None
    where: Term | None


class Step(NamedTuple):
    """A relationship pattern.

    `arrow` is `>`, `<` or `-`; `selector` is `one` or `all` for the search that a word after the
    star asks for (`* SHORTEST`).
    """

    variable: str
    types: Labels | None
    properties: Term | None
    where: Term | None
    arrow: str
    hops: tuple[int, int | None] | None
    selector: str = ""


class Path(NamedTuple):
    """Nodes and the steps between them. `shortest` is "", `one` or `all`."""

    variable: str
    nodes: tuple[Node, ...]
    steps: tuple[Step, ...]
    shortest: str = ""


class Item(NamedTuple):
    """An expression of a WITH or RETURN; `name` is its alias or the variable that it is."""

    term: Term
    name: str
    alias: bool


class Match(NamedTuple):
    """MATCH and OPTIONAL MATCH."""

    paths: tuple[Path, ...]
    where: Term | None
    optional: bool


class Unwind(NamedTuple):
    """UNWIND list AS variable."""

    term: Term
    variable: str


class Projection(NamedTuple):
    """WITH and RETURN (`final`)."""

    items: tuple[Item, ...]
    star: bool
    distinct: bool
    aggregating: bool
    order: tuple[tuple[Term, bool], ...]
    skip: Term | None
    limit: Term | None
    where: Term | None
    final: bool


class Call(NamedTuple):
    """CALL { ... }; `imports` are the variables of CALL (x, y) { ... }."""

    body: Body
    imports: tuple[str, ...] | None
    optional: bool


Clause = Match | Unwind | Projection | Call


class Body(NamedTuple):
    """Clauses, or several lists of them with what joins them (`union`, `union all`)."""

    branches: tuple[tuple[Clause, ...], ...]
    unions: tuple[str, ...] = ()
