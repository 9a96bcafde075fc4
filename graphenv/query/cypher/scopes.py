"""Clauses in canonical form: one scope for what one SELECT could say."""

from __future__ import annotations

from collections.abc import Sequence

from graphenv.query.cypher.normal import STAR, aggregated, compare
from graphenv.query.cypher.parts import Part, Slot
from graphenv.query.cypher.projections import Projections
from graphenv.query.cypher.tokens import Stop
from graphenv.query.cypher.tree import (
    Body,
    Call,
    Clause,
    Labels,
    Match,
    Node,
    Path,
    Projection,
    Step,
    Term,
    Unwind,
)
from graphenv.query.model import Expr, QueryIssue, Scope

__all__ = ["Scopes"]

_TRUE = Term("literal", "true")
_Deferred = list[tuple[Slot, Term | None, Term | None]]


class Scopes(Projections):
    """Turns the clauses of a query into scopes."""

    def query(self, body: Body) -> Scope:
        """Return the scope of a whole query."""
        scope = self._body(body)
        if self.names is not None:
            for slot in self.slots:
                if slot.ends is not None and slot.hops is None:
                    head, tail = (self.slots[end] for end in slot.ends)
                    self.names.relation(slot, head, tail, slot.directed)
        return scope

    def _body(self, body: Body) -> Scope:
        outer = self.env
        self.env = dict(outer)  # what one side of a UNION names, the other does not see
        scope = self._branch(body.branches[0])
        for union, branch in zip(body.unions, body.branches[1:], strict=True):
            first, self.env = self.env, dict(outer)
            scope = Scope(combine=union, inputs=(scope, self._branch(branch)))
            self.env = first
        return scope

    def _branch(self, clauses: Sequence[Clause]) -> Scope:
        outer_part, self.part = self.part, Part()
        for clause in clauses:
            if isinstance(clause, Match):
                self.match(clause)
            elif isinstance(clause, Projection):
                self.project(clause)
            elif isinstance(clause, Unwind):
                self._unwind(clause)
            else:
                self._call_body(clause)
        if not (isinstance(clauses[-1], Projection) and clauses[-1].final):
            raise Stop(QueryIssue("syntax", "the query does not end with RETURN"))
        scope = self.part.scope()
        self.part = outer_part
        return scope

    def slot(self, optional: bool = False) -> Slot:
        """Return a new node or relationship of this part."""
        slot = Slot(len(self.slots), self.part, optional)
        self.slots.append(slot)
        self.part.slots.append(slot)
        return slot

    # Patterns

    def match(self, clause: Match) -> None:
        """Add the patterns and conditions of MATCH to the current part."""
        if not self.part.open:
            self.next_part()
        self.patterns(clause.paths, clause.where, clause.optional)

    def patterns(self, paths: Sequence[Path], where: Term | None, optional: bool) -> None:
        """Add patterns and conditions to the current part."""
        deferred: _Deferred = []
        first = len(self.slots)
        for path in paths:
            self._path(path, optional, first, deferred)
        # Conditions in a pattern may speak of what stands behind them.
        for slot, properties, condition in deferred:
            if properties is not None:
                self._holds(self._properties(slot, properties), optional)
            if condition is not None:
                self._holds(self.conditions(condition), optional)
        if where is not None:
            for term in _all_of(where):
                if not self._as_label(term, optional):
                    self._holds(self.conditions(term), optional)

    def _holds(self, conditions: Sequence[Expr], optional: bool) -> None:
        if optional:  # a condition on what is found, not on the rows
            conditions = [Expr("operator", "optional", (c,)) for c in conditions]
        self.part.holds(conditions)

    def _path(self, path: Path, optional: bool, first: int, deferred: _Deferred) -> Expr:
        last = self._node(path.nodes[0], optional, first, deferred)
        elements = [last.element]
        for step, node in zip(path.steps, path.nodes[1:], strict=True):
            relation = self.slot(optional)
            relation.ends = (last.handle, last.handle)
            following = self._node(node, optional, first, deferred)
            self._step(relation, step, last, following, path.shortest, deferred)
            elements += (relation.element, following.element)
            last = following
        whole = Expr("call", "path", tuple(elements))
        if path.variable:
            self.env[path.variable] = whole
        return whole

    def _node(self, node: Node, optional: bool, first: int, deferred: _Deferred) -> Slot:
        known = self.env.get(node.variable) if node.variable else None
        if known is None:
            slot = self.slot(optional)
            if node.variable:
                self.env[node.variable] = slot.element
        else:
            slot = self._bound(known, optional)
        if node.labels is not None:
            self._labels(slot, node.labels, optional, first)
        if node.properties is not None or node.where is not None:
            deferred.append((slot, node.properties, node.where))
        return slot

    def _bound(self, known: Expr, optional: bool) -> Slot:
        """Return the node that a variable of a pattern is already bound to."""
        if known.kind == "element" and known.of is not None and self.slots[known.of].ends is None:
            return self.slots[known.of]
        if known.kind == "element" or known.kind == "literal":
            reason = "a variable of a node pattern stands for something that is no node"
            raise Stop(QueryIssue("syntax", reason))
        slot = self.slot(optional)  # a node that an expression gives
        self.part.holds((Expr("operator", "=", (slot.element, known)),))
        return slot

    def _labels(self, slot: Slot, labels: Labels, optional: bool, first: int) -> None:
        if self.names is not None:
            (self.names.types if slot.is_relation else self.names.labels)(labels.names)
        if slot.handle >= first or (slot.part is self.part and not optional and not slot.optional):
            slot.label(labels)
        elif slot.name != labels.text:
            test = Expr("operator", "label", (slot.element, Expr("literal", f"'{labels.text}'")))
            self._holds((test,), optional)

    def _step(
        self, slot: Slot, step: Step, last: Slot, following: Slot, shortest: str, late: _Deferred
    ) -> None:
        ends = (last.handle, following.handle)
        slot.directed = step.arrow != "-"
        if step.arrow == "<" or (not slot.directed and ends[1] < ends[0]):
            ends = (ends[1], ends[0])
        slot.ends = ends
        slot.shortest = bool(shortest or step.selector)
        if step.hops != (1, 1) or step.variable:
            slot.hops = step.hops
        if step.types is not None:
            slot.label(step.types)
            if self.names is not None:
                self.names.types(step.types.names)
        if step.variable:
            known = self.env.get(step.variable)
            if known is None:
                self.env[step.variable] = slot.element
            else:  # the same relationship again
                self.part.holds((Expr("operator", "=", (known, slot.element)),))
        if step.properties is not None or step.where is not None:
            late.append((slot, step.properties, step.where))

    def _properties(self, slot: Slot, properties: Term) -> list[Expr]:
        if properties.kind != "map":
            everything = Expr("call", "properties", (slot.element,))
            return [Expr("operator", "=", (everything, self.value(properties)))]
        signs = []
        for key, term in zip(properties.names, properties.args, strict=True):
            signs.append(compare("=", self.of(slot.handle, key), self.value(term)))
        return signs

    def _as_label(self, term: Term, optional: bool) -> bool:
        """Whether a condition was a label of a node of this part, and has been given to it."""
        labels = term.labels
        if optional or labels is None or term.args[0].kind != "variable":
            return False
        of = self.value(term.args[0]).of
        slot = self.slots[of] if of is not None else None
        if slot is None or slot.part is not self.part or slot.optional or slot.items is not None:
            return False
        self._labels(slot, labels, False, slot.handle)
        return True

    # Other clauses

    def _unwind(self, clause: Unwind) -> None:
        if not self.part.open:
            self.next_part()
        items = self.value(clause.term)
        slot = self.slot()
        slot.items = items
        self.env[clause.variable] = slot.element

    def _call_body(self, clause: Call) -> None:
        if not self.part.open:
            self.next_part()
        outer = self.env
        if clause.imports is not None:
            if "*" not in clause.imports:
                known = {name: Term("variable", name) for name in clause.imports}
                self.env = {name: self.value(term) for name, term in known.items()}
        elif not isinstance(clause.body.branches[0][0], Projection):
            self.env = {}
        self.env = dict(self.env)
        slot = self.slot(clause.optional)
        slot.scope = self._body(clause.body)
        found = self.env
        self.env = dict(outer)
        plain = not clause.body.unions
        for name, value in found.items():
            inside = aggregated(value) or not plain
            self.env[name] = Expr("input", "", (value,), slot.handle) if inside else value

    # Subqueries

    def nested(self, body: Body | None, purpose: str) -> Scope:
        """Return the scope of EXISTS, COUNT or COLLECT."""
        assert body is not None  # the reader gives every such term its body
        last = body.branches[0][-1]
        outer, self.env = self.env, dict(self.env)
        if isinstance(last, Projection) and last.final:
            scope = self._counted(self._body(body), purpose)
        else:
            scope = self._part_of(body.branches[0], purpose)
        self.env = outer
        return scope

    def _part_of(self, clauses: Sequence[Clause], purpose: str) -> Scope:
        """Return the scope of clauses without RETURN."""
        outer_part, self.part = self.part, Part()
        for clause in clauses:
            if isinstance(clause, Match):
                self.match(clause)
            elif isinstance(clause, Unwind):
                self._unwind(clause)
            elif isinstance(clause, Projection):
                self.project(clause)
            else:
                self._call_body(clause)
        if purpose == "collect":
            raise Stop(QueryIssue("syntax", "COLLECT { } needs a RETURN"))
        if self.part.cut or (self.part.grouped and purpose != "exists"):
            self.next_part()
        self._purpose(purpose, None)
        scope = self.part.scope()
        self.part = outer_part
        return scope

    def _purpose(self, purpose: str, value: Expr | None) -> None:
        part = self.part
        if purpose == "count":
            part.select = (Expr("aggregate", "count", (STAR,)),)
        elif purpose == "collect" and value is not None:
            part.select = (Expr("aggregate", "collect", (value,)),)
        elif purpose == "path" and value is not None:
            part.select = (value,)
        else:
            part.select = ()

    def _counted(self, scope: Scope, purpose: str) -> Scope:
        """Return the scope of a subquery with RETURN as EXISTS, COUNT or COLLECT see it."""
        plain = not (scope.combine or scope.group or scope.having or scope.limit or scope.offset)
        plain = plain and not any(aggregated(item) for item in scope.select)
        if purpose == "exists" and plain:
            return _selecting(scope, (), distinct=False)
        if purpose == "exists":
            return scope
        if purpose == "collect":
            value, name = scope.select[:1] or (STAR,), "collect"
        else:
            value, name = (STAR,), "count"
        if not plain or (scope.distinct and len(scope.select) != 1):
            return Scope(select=(Expr("aggregate", name, value),), inputs=(scope,))
        if scope.distinct:
            value = scope.select
        return _selecting(scope, (Expr("aggregate", name, value, distinct=scope.distinct),))

    def searched(self, path: Path, where: Term, value: Term | None, purpose: str) -> Scope:
        """Return the scope of a pattern that stands in an expression."""
        outer, self.env = self.env, dict(self.env)
        outer_part, self.part = self.part, Part()
        self.patterns((path,), None if where == _TRUE else where, False)
        if purpose == "path":
            self._purpose(purpose, self._whole(path))
        else:
            self._purpose(purpose, self.value(value) if value is not None else None)
        scope = self.part.scope()
        self.part = outer_part
        self.env = outer
        return scope

    def _whole(self, path: Path) -> Expr:
        """Return the path of the one relationship in this part."""
        relation = next(slot for slot in self.part.slots if slot.ends is not None)
        assert relation.ends is not None
        head, tail = (self.slots[end].element for end in relation.ends)
        return Expr("call", "path", (head, relation.element, tail))


def _selecting(scope: Scope, select: tuple[Expr, ...], distinct: bool = False) -> Scope:
    return Scope(
        entities=scope.entities,
        relations=scope.relations,
        where=scope.where,
        select=select,
        distinct=distinct,
        inputs=scope.inputs,
        order=scope.order if select and select[0].name == "collect" else (),
    )


def _all_of(term: Term) -> tuple[Term, ...]:
    """Return the conditions of a conjunction, before their names are resolved."""
    if term.kind == "operator" and term.name == "and":
        return tuple(part for arg in term.args for part in _all_of(arg))
    return (term,)
