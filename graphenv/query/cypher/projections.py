"""WITH and RETURN: which of them can be one scope, and what is grouped by what."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

from graphenv.query.cypher.atoms import AGGREGATES
from graphenv.query.cypher.normal import STAR, aggregated, is_constant
from graphenv.query.cypher.parts import Part, Slot
from graphenv.query.cypher.tokens import Stop
from graphenv.query.cypher.tree import Projection, Term
from graphenv.query.cypher.values import Values
from graphenv.query.model import Expr, Order, QueryIssue
from graphenv.query.schema import Schema

__all__ = ["Projections"]


class Projections(Values):
    """Keeps the scope that is being built and closes it where a WITH cannot be merged."""

    def __init__(self, schema: Schema | None) -> None:
        super().__init__(schema)
        self.part = Part()

    @abstractmethod
    def slot(self, optional: bool = False) -> Slot:
        """Return a new node or relationship of this part."""

    def next_part(self) -> None:
        """Close the current part; what it computed is the input of the next."""
        done = self.part
        self.part = Part((done.scope(),))
        for name, value in self.env.items():
            if _computed(value):
                self.env[name] = Expr("input", "", (value,))

    def project(self, clause: Projection) -> None:
        """Apply WITH or RETURN."""
        if self._counts_distinct(clause):
            return
        if self._needs_next(clause):
            self.next_part()
        part, before = self.part, self.env
        part_was_grouped = part.grouped
        items = self.each([item.term for item in clause.items])
        named = dict(before) if clause.star else {}
        for item, value in zip(clause.items, items, strict=True):
            if not (item.alias or clause.final or item.term.kind == "variable"):
                self._no_alias(item.name)
            named[item.name] = value
        if clause.star:
            items = (STAR, *items) if clause.final else tuple(dict.fromkeys(named.values()))
        part.select = items
        keys = tuple(
            dict.fromkeys(
                i for i in items if not aggregated(i) and not is_constant(i) and i != STAR
            )
        )
        if clause.aggregating:
            part.grouped, part.group = True, keys
        elif clause.distinct and clause.final:
            part.distinct = True
        elif clause.distinct and not part_was_grouped:
            # One row for each value; RETURN may still take other things of the same rows.
            part.grouped, part.group, part.by_distinct = True, keys, True
        # Sort keys and conditions see the new names and, behind them, the old ones.
        self.env = {**before, **named} if clause.order or clause.where else named
        if clause.order:
            part.order = self._order(clause.order)
        if clause.skip is not None:
            part.offset = self.value(clause.skip)
        if clause.limit is not None:
            part.limit = self.value(clause.limit)
        if clause.where is not None:
            self._filter(clause.where, named)
        self.env = named

    def _filter(self, where: Term, named: dict[str, Expr]) -> None:
        """Apply the WHERE of a WITH."""
        part = self.part
        if part.cut:
            old = self.env
            self.env = named
            self.next_part()
            named.update(self.env)
            self.env = {**old, **named}
            part = self.part
        for condition in self.conditions(where):
            if aggregated(condition) or (part.grouped and not part.group):
                part.having[condition] = None
            else:  # keys are the same in all rows of a group
                part.where[condition] = None

    def _order(self, keys: Sequence[tuple[Term, bool]]) -> tuple[Order, ...]:
        found: dict[Expr, bool] = {}
        for term, descending in keys:
            found.setdefault(self.value(term), descending)
        return tuple(Order(key, descending) for key, descending in found.items())

    def _needs_next(self, clause: Projection) -> bool:
        """Whether the current part cannot also say what this projection says."""
        part = self.part
        if part.distinct:
            return True
        if part.cut:
            return bool(
                clause.aggregating or clause.distinct or clause.skip or clause.limit
            ) or bool(clause.order and not self._same_order(clause))
        if clause.aggregating:
            return part.grouped or bool(part.order and _collects(clause))
        if clause.distinct and part.grouped and not clause.final:
            return not self._keeps_groups(clause)
        return False

    def _counts_distinct(self, clause: Projection) -> bool:
        """Fold `WITH DISTINCT x RETURN count(x)` into `RETURN count(DISTINCT x)`."""
        part, items = self.part, clause.items
        if not (part.by_distinct and clause.aggregating and len(items) == len(part.group) == 1):
            return False
        term, key = items[0].term, part.group[0]
        if part.cut or part.order or part.having or clause.order or clause.where or clause.star:
            return False
        if term.kind not in ("call", "distinct") or term.name.lower() not in AGGREGATES:
            return False
        if len(term.args) != 1 or self.value(term.args[0]) != key:
            return False
        part.grouped, part.by_distinct, part.group = False, False, ()
        self.project(
            clause._replace(items=(items[0]._replace(term=term._replace(kind="distinct")),))
        )
        return True

    def _same_order(self, clause: Projection) -> bool:
        """Whether ORDER BY only says again how the rows come."""
        before = self.env
        self.env = {
            **before,
            **{i.name: self.value(i.term) for i in clause.items if i.alias},
        }
        order = self._order(clause.order)
        self.env = before
        return order == self.part.order

    def _keeps_groups(self, clause: Projection) -> bool:
        if clause.star:
            return True
        return set(self.part.group) <= {self.value(item.term) for item in clause.items}

    def _no_alias(self, text: str) -> None:
        reason = f"the expression {text[:60]!a} in WITH needs a name (AS ...)"
        raise Stop(QueryIssue("syntax", reason))


def _computed(value: Expr) -> bool:
    """Whether a value must be computed before the next part: its rows are other rows."""
    return any(part.kind in ("aggregate", "input") for part in value.walk())


def _collects(clause: Projection) -> bool:
    """Whether the order of rows matters to an aggregate."""
    return any(
        term.kind in ("call", "distinct") and term.name.lower() == "collect"
        for item in clause.items
        for term in _terms(item.term)
    )


def _terms(term: Term) -> Iterator[Term]:
    yield term
    for part in term.args:
        yield from _terms(part)
