"""What questions of a world can be made of: paths, and options for each part of a question."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import accumulate, combinations
from typing import Any

from graphenv.envs.queries.sources.synthetic.evaluate import Tables
from graphenv.envs.queries.sources.synthetic.plan import Filter, Pattern, Step
from graphenv.envs.queries.sources.synthetic.world import World

__all__ = ["Options", "Path"]

Path = Pattern
"""A pattern without conditions."""

_CUTS = 8  # values of a numeric property that conditions compare with


class Extras:
    """Lists of conditions, one per entity of a path, as one list that is never written out."""

    def __init__(self, lists: Iterable[list[Filter]]) -> None:
        self._lists = tuple(lists)
        self._ends = tuple(accumulate(map(len, self._lists)))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, place: int) -> Filter:
        at = bisect_right(self._ends, place)
        found = self._lists[at][place - self._ends[at]]
        return replace(found, at=at)


class Options:
    """The options of a world. Their order and number depend on the world alone."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tables = tuple(Tables(contents) for contents in world.contents)
        self._paths: dict[tuple[str, int], list[Path]] = {}
        self._lists: dict[tuple[str, str], list[Any]] = {}

    # -- paths ----------------------------------------------------------------------------------

    @cached_property
    def steps(self) -> dict[str, list[tuple[Step, str]]]:
        """Label -> the steps from there, each with the label that it leads to."""
        found: dict[str, list[tuple[Step, str]]] = {label: [] for label in self.world.things}
        for link in self.world.links.values():
            found[link.head].append((Step(0, link.name, True), link.tail))
            found[link.tail].append((Step(0, link.name, False), link.head))
        return found

    def end(self, label: str, step: Step) -> str:
        """Return the label that a step from `label` leads to."""
        link = self.world.links[step.relation]
        return link.tail if step.forward else link.head

    def several(self, step: Step) -> bool:
        """Return whether a step may lead to several entities."""
        single = self.world.links[step.relation].single and step.forward
        return not single or step.hops is not None

    def always(self, step: Step) -> bool:
        """Return whether a step leads to an entity from everywhere."""
        return step.forward and self.world.links[step.relation].complete

    def paths(self, hops: int) -> list[Path]:
        """Return the paths of that many steps; none uses a relation twice."""
        return self._kept("paths", hops, lambda: self._chains(hops))

    def _kept(self, name: str, hops: int, make: Any) -> list[Path]:
        if (name, hops) not in self._paths:
            self._paths[name, hops] = make()
        return self._paths[name, hops]

    def _chains(self, hops: int) -> list[Path]:
        if hops == 0:
            return [Pattern((label,)) for label in self.world.things]
        longer = []
        for path in self.paths(hops - 1):
            used = {step.relation for step in path.steps}
            for step, label in self.steps[path.types[-1]]:
                if step.relation not in used:
                    there = Step(hops - 1, step.relation, step.forward)
                    longer.append(Pattern((*path.types, label), (*path.steps, there)))
        return longer

    def shorter_paths(self, hops: int) -> list[Path]:
        """Return the paths with one step less, for questions that add a branch."""
        return self.paths(hops - 1)

    def narrow_paths(self, hops: int) -> list[Path]:
        """Return the paths on which an entity 0 comes up once, if the last one is named."""
        return [p for p in self.paths(hops) if not any(map(self.several, p.steps[:-1]))]

    def optional_paths(self, hops: int) -> list[Path]:
        """Return the forks whose last step does not lead anywhere from some entities."""
        return [
            path
            for path in self.forked_paths(hops)
            if not self.always(path.steps[-1]) and not any(map(self.several, path.steps[:-2]))
        ]

    def forked_paths(self, hops: int) -> list[Path]:
        """Return paths of one step less with one more step from entity 0 at the end."""
        return self._kept("forked", hops, lambda: self._forks(hops))

    def _forks(self, hops: int) -> list[Path]:
        return [
            Pattern((*path.types, label), (*path.steps, step))
            for path in self.paths(hops - 1)
            for step, label in self.steps[path.types[0]]
            if step.relation not in {other.relation for other in path.steps}
        ]

    def tree_paths(self, hops: int) -> list[Path]:
        """Return the paths whose last step goes along a tree."""
        trees = {link.name for link in self.world.links.values() if link.kind.many == "tree"}
        made = self.paths(hops)
        return self._kept("tree", hops, lambda: [p for p in made if p.steps[-1].relation in trees])

    def there_and_back(self, hops: int) -> list[Path]:
        """Return the paths that go one step and back along the same relation."""
        found = []
        for path in self.paths(1):
            step = path.steps[0]
            link = self.world.links[step.relation]
            # From the many to the one and back; along a link table either way.
            if link.head != link.tail and (step.forward or not link.single):
                back = Step(1, step.relation, not step.forward)
                found.append(Pattern((*path.types, path.types[0]), (step, back)))
        return found

    # -- options of a part ----------------------------------------------------------------------

    def of(self, part: str, path: Path) -> Sequence[Any]:
        """Return the options for a part of a question on a path."""
        first, last = path.types[0], path.types[-1]
        before = path.types[-2] if len(path.types) > 1 else first
        if part == "anchor":
            return self._list("name and filter" if path.steps else "filter", last)
        if part == "narrow_anchor" and path.steps and self.several(path.steps[-1]):
            return self._list("name", last)
        if part == "narrow_anchor":
            return self.of("anchor", path)
        if part == "maybe_anchor":
            return self._list("name and filter", last) if path.steps else [None]
        if part == "before":
            # On a fork the anchor stands before the step that was added.
            if len(path.steps) > 1 and self.several(path.steps[-2]):
                return self._list("name", before)
            return self._list("name and filter" if len(path.steps) > 1 else "filter", before)
        if part == "maybe_before":
            return self._list("name and filter", before) if len(path.steps) > 1 else [None]
        if part == "maybe_last":
            return [None, *self._list("filter", last)]
        if part == "name":
            return self._list("name", last)
        if part == "tree_name":
            return self._in_tree(path.steps[-1], last)
        if part == "own_name":
            return self._list("name", first)
        if part == "own":
            return self._list("filter", first)
        if part == "by":
            return [""] if path.steps else self._list("by", first)
        if part == "branch":
            return self._list("branch", first)
        if part in _FIXED:
            return _FIXED[part]
        return self._list(part, first)

    def extras(self, path: Path, closed: int) -> Extras:
        """Return the further conditions that a question on a path may have.

        Without those on the last `closed` entities, for which the question has no words.
        """
        return Extras(
            self._list("filter" if at == 0 else "inner filter", label)
            for at, label in enumerate(path.types[: len(path.types) - closed])
        )

    def _in_tree(self, step: Step, label: str) -> list[Filter]:
        """Return the names below (or above) which there are several others in all databases."""
        place, back = (step.relation, str(step.forward)), not step.forward
        far = replace(step, hops=(1, None))
        if place not in self._lists:
            self._lists[place] = [
                condition
                for condition in self._list("name", label)
                if all(
                    len(table.follow(table.names[label][condition.value], far, back)) > 2
                    for table in self.tables
                )
            ]
        return self._lists[place]

    def _list(self, part: str, label: str) -> list[Any]:
        if (part, label) not in self._lists:
            self._lists[part, label] = self._make(part, label)
        return self._lists[part, label]

    def _make(self, part: str, label: str) -> list[Any]:
        thing = self.world.things[label]
        kinds = thing.properties
        measurable = [name for name, kind in kinds.items() if kind.measurable]
        if part == "name":
            return [Filter(0, thing.title, "=", name) for name in thing.core]
        if part == "name and filter":
            return [*self._list("name", label), *self._list("inner filter", label)]
        if part == "inner filter":
            return [f for name in kinds for f in self._filters(label, name)]
        if part == "filter":
            return [*self._list("inner filter", label), *self._starts(label)]
        if part == "unlike":
            return [
                Filter(0, name, "<>", word)
                for name, kind in kinds.items()
                if kind.kind == "choice"
                for word in kind.words
            ]
        if part == "column":
            return [name for name, kind in kinds.items() if kind.kind != "flag"]
        if part == "measure":
            return measurable
        if part == "amount":
            return [name for name in measurable if kinds[name].kind == "amount"]
        if part == "by":
            return [name for name, kind in kinds.items() if kind.kind == "choice"]
        if part == "total":
            # Tenths are not added up: the sum would depend on the order in the last digit.
            return [
                (fn, name)
                for name in measurable
                for fn in ("min", "max", "sum", "avg")
                if fn in ("min", "max") or kinds[name].kind == "amount"
            ]
        assert part == "branch", part
        return [
            (step, condition)
            for step, there in self.steps[label]
            for condition in self._list("inner filter", there)
        ]

    def _filters(self, label: str, name: str) -> list[Filter]:
        kind = self.world.things[label].properties[name]
        if kind.kind == "flag":
            return [Filter(0, name, "=", value) for value in (True, False)]
        gone = [Filter(0, name, "missing")] if kind.missing else []
        if kind.kind == "choice":
            pairs = list(combinations(kind.words, 2)) if len(kind.words) > 2 else []
            found = [Filter(0, name, "=", word) for word in kind.words]
            return [*found, *(Filter(0, name, "in", pair) for pair in pairs), *gone]
        table = self.tables[0]
        column = table.columns[label][name]
        values = sorted({row[column] for row in table.rows[label] if row[column] is not None})
        inner = values[1:-1]
        cuts = [inner[(2 * i + 1) * len(inner) // (2 * _CUTS)] for i in range(_CUTS)]
        cuts = list(dict.fromkeys(cuts))
        found = [Filter(0, name, op, cut) for op in ("<", ">", "<=", ">=") for cut in cuts]
        spans = [(a, b) for a, b in zip(cuts, cuts[2:], strict=False)]
        return [*found, *(Filter(0, name, "between", span) for span in spans), *gone]

    def _starts(self, label: str) -> list[Filter]:
        """Return conditions on how a name begins, where upper and lower case make no difference."""
        thing = self.world.things[label]
        begins = sorted({name[:length] for name in thing.core for length in (1, 2)})
        everything = [name for table in self.tables for name in table.names[label]]
        return [
            Filter(0, thing.title, "starts", begin)
            for begin in begins
            if begin.isascii() and begin.isalpha()
            and all(n.startswith(begin) == n.lower().startswith(begin.lower()) for n in everything)
        ]  # fmt: skip


_FIXED: dict[str, list[Any]] = {
    "down": [True, False],
    "sign": ["<", ">"],
    "limit": [1, 2, 3],
    "one": [1],
    "number": [(op, n) for op in (">", ">=", "=") for n in (1, 2, 3, 4, 5) if (op, n) != (">=", 1)],
    "hops": [(1, None), (1, 2), (1, 3), (2, 3), (2, 2)],
}
