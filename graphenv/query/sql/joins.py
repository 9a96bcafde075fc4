"""Equal columns become relations, whichever of the ways to write a join was taken.

Columns that are equal in all rows form a class. A class of two is one relation; a larger one (a
student's key equal to that of a pet and of a friend, written as a chain or as a star) is spanned by
relations that the schema knows, as far as they go, and by joins named by their columns. Of the
columns of a class, expressions use one: the key that the others refer to, or the first by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import NamedTuple

from graphenv.query.model import Expr, Order, Relation, Scope
from graphenv.query.sql.catalogue import Catalogue
from graphenv.query.sql.normal import Change, rewrite
from graphenv.query.sql.sources import Equality, Frame

__all__ = ["join"]

_MOST = 24
"""Columns of a class up to which all pairs are looked at."""


class _Edge(NamedTuple):
    """A join in its direction. `known`: the schema has it; `half`: of a link table's relation."""

    name: str
    head: int
    tail: int
    directed: bool
    known: bool
    half: bool
    left: Expr
    right: Expr
    optional: bool


class _Joiner:
    def __init__(self, frame: Frame, names: dict[int, str], book: Catalogue | None) -> None:
        self.frame = frame
        self.names = names
        self.book = book
        self.replaced: dict[Expr, Expr] = {}

    def edges(self) -> list[_Edge]:
        inner = [e for e in self.frame.equalities if not e.optional]
        found = [
            self._edge(e.left, e.right, e.ends, True) for e in self.frame.equalities if e.optional
        ]
        for members, owners, equalities in _classes(inner):
            found += self._span(members, owners, equalities)
        return found

    def _span(
        self, members: list[Expr], owners: dict[Expr, int], equalities: list[Equality]
    ) -> list[_Edge]:
        """Return relations that span a class, and note which column stands for all."""
        if len(members) == 2 or len(members) > _MOST:
            edges = [self._edge(e.left, e.right, e.ends, False) for e in equalities]
            if len(members) == 2:
                edges = edges[:1]
        else:
            pairs = [
                self._edge(a, b, (owners[a], owners[b]), False)
                for a, b in combinations(members, 2)
                if owners[a] != owners[b]
            ]
            pairs.sort(key=lambda edge: (not edge.known, edge.name))
            edges = _spanning(pairs)
        self._stand_for(members, {edge.left for edge in edges if edge.known})
        return edges

    def _stand_for(self, members: list[Expr], holders: set[Expr]) -> None:
        if any(member.kind != "property" for member in members):
            return
        keys = [member for member in members if member not in holders] or members
        texts = [self._text(key) for key in keys]
        first = min(texts)
        # Two occurrences of one column (a self-join on it): neither comes first.
        if texts.count(first) == 1:
            chosen = keys[texts.index(first)]
            kind = self._type(chosen)
            self.replaced.update(
                (member, chosen)
                for member in members
                if member != chosen and (not kind or self._type(member) in (kind, ""))
            )

    def _type(self, column: Expr) -> str:
        """Return the type of a column, empty where nobody told it."""
        if self.book is None or column.of is None:
            return ""
        table = self.book.tables.get(self.names.get(column.of, "").lower())
        return table.types.get(column.name.lower(), "") if table is not None else ""

    def _edge(self, a: Expr, b: Expr, ends: tuple[int, int], optional: bool) -> _Edge:
        key = self._key(a, b)
        if key is not None:
            name, forward = key
            head, tail = ends if forward else (ends[1], ends[0])
            left, right = (a, b) if forward else (b, a)
            half = not name
            if half:
                name = "=".join(sorted((self._text(a), self._text(b))))
            return _Edge(name, head, tail, True, True, half, left, right, optional)
        first, second = self._text(a), self._text(b)
        if first == second:
            low, high = min(ends), max(ends)
            return _Edge(f"{first}={first}", low, high, False, False, False, a, b, optional)
        if second < first:
            a, b, first, second, ends = b, a, second, first, (ends[1], ends[0])
        return _Edge(f"{first}={second}", *ends, True, False, False, a, b, optional)

    def _key(self, a: Expr, b: Expr) -> tuple[str, bool] | None:
        if self.book is None or a.kind != "property" or b.kind != "property":
            return None
        left, right = (
            (self.names.get(-1 if e.of is None else e.of, "").lower(), e.name.lower())
            for e in (a, b)
        )
        return self.book.keys.get((left, right))

    def _text(self, expr: Expr) -> str:
        """Return the name of a column without aliases."""
        if expr.kind == "property" and not expr.args:
            table = "" if expr.of is None else self.names.get(expr.of, "")
            return f"{table}.{expr.name}" if table else expr.name
        if expr.kind == "input":
            return self._text(expr.args[0])
        if expr.kind == "star":
            return "*"
        args = ", ".join(self._text(arg) for arg in expr.args)
        return f"{expr.name or expr.kind}({args})" if args else expr.name

    def folded(self, edges: list[_Edge]) -> tuple[list[_Edge], list[Relation]]:
        """Return the edges without those of link tables, and the relations that these store."""
        links = self.book.links if self.book is not None else {}
        candidates = [h for h in self.frame.entities if self.names[h].lower() in links]
        if not candidates:
            return edges, []
        uses = _uses(self.frame)
        relations = []
        for handle in candidates:
            link = links[self.names[handle].lower()]
            own = [edge for edge in edges if handle in (edge.head, edge.tail)]
            ends = {
                edge.left.name.lower(): edge.tail
                for edge in own
                if edge.half and edge.head == handle
            }
            allowed = {p.name for p in link.relation.properties}
            if (
                len(own) != 2
                or set(ends) != {link.head, link.tail}
                or handle in ends.values()
                or not uses.get(handle, set()) <= allowed
                or not self._missing_together(handle, own)
            ):
                continue
            optional = any(edge.optional for edge in own)
            del self.frame.entities[handle]
            edges = [edge for edge in edges if edge not in own]
            relations.append(
                Relation(
                    *(handle, link.relation.name, ends[link.head], ends[link.tail]),
                    optional=optional,
                )
            )
        return edges, relations

    def _missing_together(self, handle: int, own: list[_Edge]) -> bool:
        """Return whether a link is missing in just the rows where what it leads to is missing."""
        entities, outer = self.frame.entities, [edge for edge in own if edge.optional]
        if not outer:
            return True
        if not entities[handle].optional:
            return False
        if len(outer) == 1:  # joined to one side before both were joined to the other
            inner = next(edge for edge in own if not edge.optional)
            end = entities.get(inner.tail)
            return end is not None and end.optional
        # One after the other: a condition on the second alone would leave links without an end.
        ends = {handle, *(edge.tail for edge in own)}
        conditions = [part for part in self.frame.where if part.name == "optional"]
        if any(element.of in ends for part in conditions for element in part.args[1:]):
            return False
        self.frame.outer.remove((handle,))
        return True


def join(
    frame: Frame, names: dict[int, str], book: Catalogue | None, new: Callable[[], int]
) -> tuple[Relation, ...]:
    """Return the relations of a frame; its expressions are rewritten to the columns kept.

    `names` are the tables behind handles, `new` makes a handle. A link table that joins both ends
    of its relation, and of which nothing but the relation's properties is used, is taken out of the
    entities: the relation has its handle.
    """
    if not frame.equalities and not frame.natural:
        return ()
    joiner = _Joiner(frame, names, book)
    edges = joiner.edges()
    if joiner.replaced:
        _rewrite(frame, joiner.replaced.get)
    edges, relations = joiner.folded(edges)
    for edge in dict.fromkeys(edges):
        relations.append(
            Relation(new(), edge.name, edge.head, edge.tail, edge.directed, edge.optional)
        )
    for left, right, optional in frame.natural:
        relations.append(Relation(new(), "natural", left, right, False, optional))
    return tuple(relations)


def _classes(
    equalities: list[Equality],
) -> list[tuple[list[Expr], dict[Expr, int], list[Equality]]]:
    """Return the classes of equal columns: members, whose they are, what made them equal."""
    owners: dict[Expr, int] = {}
    root: dict[Expr, Expr] = {}
    for equality in equalities:
        for side, owner in zip((equality.left, equality.right), equality.ends, strict=True):
            owners[side] = owner
            root.setdefault(side, side)
        _unite(root, equality.left, equality.right)
    members: dict[Expr, list[Expr]] = {}
    for side in root:
        members.setdefault(_find(root, side), []).append(side)
    made: dict[Expr, list[Equality]] = {}
    for equality in equalities:
        made.setdefault(_find(root, equality.left), []).append(equality)
    return [(sides, owners, made[top]) for top, sides in members.items()]


def _find(root: dict[Expr, Expr], side: Expr) -> Expr:
    while root[side] != side:
        root[side] = root[root[side]]
        side = root[side]
    return side


def _unite(root: dict[Expr, Expr], a: Expr, b: Expr) -> bool:
    first, second = _find(root, a), _find(root, b)
    root[second] = first
    return first != second


def _spanning(pairs: list[_Edge]) -> list[_Edge]:
    """Return the first of the pairs that connect all columns."""
    root = {side: side for pair in pairs for side in (pair.left, pair.right)}
    return [pair for pair in pairs if _unite(root, pair.left, pair.right)]


def _rewrite(frame: Frame, change: Change) -> None:
    def all_of(exprs: Iterable[Expr]) -> list[Expr]:
        return [rewrite(expr, change) for expr in exprs]

    frame.where = all_of(frame.where)
    frame.outputs = [(name, rewrite(expr, change)) for name, expr in frame.outputs]
    frame.group = tuple(all_of(frame.group))
    frame.having = tuple(all_of(frame.having))
    frame.order = tuple(Order(rewrite(o.key, change), o.descending) for o in frame.order)


def _uses(frame: Frame) -> dict[int, set[str]]:
    """Return what is used of each handle: properties, `*` for all, `=` for a join further in."""
    found: dict[int, set[str]] = {}
    todo: list[Expr | Scope] = [*frame.where, *frame.group, *frame.having]
    todo += [order.key for order in frame.order]
    todo += [expr for _, expr in frame.outputs]
    if any(expr.kind == "star" for _, expr in frame.outputs):
        found = {handle: {"*"} for handle in frame.entities}
    while todo:
        part = todo.pop()
        if isinstance(part, Scope):
            todo += [*part.where, *part.select, *part.group, *part.having, *part.inputs]
            todo += [order.key for order in part.order]
            todo += [entity.scope for entity in part.entities if entity.scope is not None]
            for relation in part.relations:
                for handle in (relation.head, relation.tail):
                    found.setdefault(handle, set()).add("=")
            continue
        if part.of is not None and part.kind != "element":
            name = "*" if part.kind == "star" else part.name
            found.setdefault(part.of, set()).add(name)
        todo += part.args
        if part.scope is not None:
            todo.append(part.scope)
    return found
