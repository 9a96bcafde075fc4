"""Patterns of Neo4j in the words of ladybug 0.22."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from graphenv.query.cypher.dialect_words import all_of, quoted, refuse
from graphenv.query.cypher.kinds import Kind
from graphenv.query.cypher.tree import Node, Path, Step, Term

if TYPE_CHECKING:
    from graphenv.query.cypher.dialect import Dialect

__all__ = ["MAX_HOPS", "Patterns"]

MAX_HOPS = 30  # the engine's own limit; it stands for an open end


class Patterns:
    """The patterns of one MATCH."""

    def __init__(self, write: Dialect, optional: bool) -> None:
        self.write = write
        self.optional = optional
        self._late: list[Term] = []
        self._texts: list[str] = []
        self._rels: list[tuple[str, bool, frozenset[str]]] = []

    def conditions(self) -> list[str]:
        """Return the conditions in the patterns, once all their variables are known."""
        where = [self.write.condition(t) for term in self._late for t in all_of(term)]
        return self._texts + where

    def path(self, path: Path) -> str:
        if path.shortest and len(path.steps) != 1:
            refuse("a shortest path is run between two nodes only")
        parts = [self._node(path.nodes[0])]
        for step, node in zip(path.steps, path.nodes[1:], strict=True):
            parts.append(self._step(step, path.shortest))
            parts.append(self._node(node))
        text = "".join(parts)
        if not path.variable:
            return text
        self.write.kinds.env[path.variable] = Kind("path", (), self.optional)
        return f"{self.write.name(path.variable)} = {text}"

    def _node(self, node: Node) -> str:
        write, labels, name = self.write, node.labels, node.variable
        known = write.kinds.env.get(name) if name else None
        if known is not None and known.name not in ("node", "other"):
            refuse(f"{name[:40]!a} stands for something that is no node")
        if not name and (node.where is not None or (labels is not None and not labels.any_of)):
            name = write.fresh()
        text = ""
        if labels is not None:
            write.known("label", labels.names)
            if labels.any_of:
                text = ":" + "|".join(map(quoted, labels.names))
            elif labels.text != "%":
                self._texts.append(write.labelled(f"label({write.name(name)})", labels))
        if name:
            plain = (labels.any_of or labels.all_of) if labels is not None else ()
            if known is None:
                write.kinds.env[name] = Kind("node", plain, self.optional)
            elif plain and not known.labels:
                write.kinds.env[name] = Kind("node", plain, known.optional)
            text = write.name(name) + text
        if node.where is not None:
            self._late.append(node.where)
        return f"({text}{self._properties(node.properties)})"

    def _properties(self, term: Term | None) -> str:
        if term is None:
            return ""
        if term.kind != "map":
            refuse("a parameter as the properties of a pattern is not run")
        return " " + self.write.map_text(term) if term.args else ""

    def _step(self, step: Step, shortest: str) -> str:
        write = self.write
        shortest = shortest or step.selector
        several = step.hops is not None or bool(shortest)
        name = step.variable
        known = write.kinds.env.get(name) if name else None
        if known is not None:
            refuse(f"the relationship {name[:40]!a} is matched again; use another name")
        if step.where is not None and several:
            refuse("WHERE inside a pattern of variable length is not run")
        name = name or write.fresh()
        types = step.types
        plain: tuple[str, ...] = ()
        text = write.name(name)
        if types is not None:
            write.known("relation", types.names)
            if not types.any_of:
                refuse(f"the relationship type {types.text[:60]!a} is not run")
            plain = types.any_of
            text += ":" + "|".join(map(quoted, types.names))
        if several:
            text += _hops(step.hops or (1, 1), shortest)
        if not shortest:
            self._rels.append((write.name(name), several, frozenset(plain)))
        write.kinds.env[name] = Kind("rels" if several else "rel", plain, self.optional)
        text += self._properties(step.properties)
        if step.where is not None:
            self._late.append(step.where)
        left = "<-" if step.arrow == "<" else "-"
        right = "->" if step.arrow == ">" else "-"
        return f"{left}[{text}]{right}"

    def trail(self) -> Iterator[str]:
        """Yield what Neo4j takes for granted: no relationship is met twice in one MATCH."""
        for (one, one_long, types), (other, other_long, others) in combinations(self._rels, 2):
            if types and others and not types & others:
                continue
            if one_long and other_long:
                ids = f"properties(rels({one}), '_ID'), properties(rels({other}), '_ID')"
                both = f"size(list_distinct(list_concat({ids})))"
                yield f"{both} = length({one}) + length({other})"
            elif one_long or other_long:
                single, several = (other, one) if one_long else (one, other)
                yield f"NOT id({single}) IN properties(rels({several}), '_ID')"
            else:
                yield f"id({one}) <> id({other})"


def _hops(hops: tuple[int, int | None], shortest: str) -> str:
    least, most = hops
    most = MAX_HOPS if most is None else most
    if most > MAX_HOPS or least > most:
        refuse(f"a pattern of {least} to {most} steps is not run; the engine follows {MAX_HOPS}")
    if not shortest:
        return f"* TRAIL {least}..{most}"
    if least != 1:
        refuse("a shortest path is run from one step on only")
    return f"* {'ALL ' if shortest == 'all' else ''}SHORTEST 1..{most}"
