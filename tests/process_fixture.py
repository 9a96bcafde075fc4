"""Scorers without a network: a rule by size, arbitrary opinions, little knowledge, a broken one.

Saved as real scorers are: `folder(KIND)` holds a description that names the kind.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphenv.graph import Triple
from graphenv.scorers import SCORER_FILE, SCORERS, Judged, View
from graphenv.seeding import stable_hash

PLAUSIBLE = {
    ("man", "rides", "horse"),
    ("man", "wears", "hat"),
    ("horse", "near", "hat"),
    ("man", "feeds", "horse"),
    ("x", "r", "x"),
}
"""Edges that the rule finds likely: those of the gold graphs of the conformance table."""


class BySize:
    """p = e / (e + 2) with e distinct edges; an edge has 3/4 if it is `PLAUSIBLE`, else 1/4."""

    name = "by-size"

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.calls: list[int] = []

    @classmethod
    def load(cls, folder: str) -> BySize:
        return cls(folder)

    @property
    def fingerprint(self) -> str:
        return f"fake-{self.name}"

    def values(self, views: Sequence[View]) -> list[Judged]:
        self.calls.append(len(views))
        return [self.value(view) for view in views]

    def links(self, views: Sequence[View], triples: Sequence[Triple]) -> list[Judged]:
        self.calls.append(len(views))
        return [self.link(*pair) for pair in zip(views, triples, strict=True)]

    def value(self, view: View) -> Judged:
        edges = len(set(view.graph.triples))
        return Judged(edges / (edges + 2))

    def link(self, view: View, triple: Triple) -> Judged:
        label = {node.id: node.label.casefold() for node in view.graph.nodes}
        head, relation, tail = label[triple[0]], triple[1], label[triple[2]]
        either = {(head, relation, tail)}
        if not view.graph.directed:
            either.add((tail, relation, head))
        return Judged(0.75 if either & PLAUSIBLE else 0.25)


class Arbitrary(BySize):
    """A number from a hash for every state and edge: what holds for it holds for every scorer."""

    name = "arbitrary"

    def value(self, view: View) -> Judged:
        seen = (self.folder[-1], sorted(view.graph.triples), sorted(view.graph.labels))
        return Judged(stable_hash(*map(repr, seen)) / 2**64)

    def link(self, view: View, triple: Triple) -> Judged:
        return Judged(stable_hash(self.folder[-1], view.graph.wl_hash(), *triple) / 2**64)


class Narrow(BySize):
    """Knows no entity that is called Thief, and no question about Spanish."""

    name = "narrow"

    def value(self, view: View) -> Judged:
        if "Spanish" in view.question:
            return Judged(None, "the entity type 'language' is unknown")
        if "Thief" in view.graph.labels:
            return Judged(None, "the entity type of 'Thief' is unknown")
        return super().value(view)

    def link(self, view: View, triple: Triple) -> Judged:
        if "hat" in (triple[0], triple[2]):
            return Judged(None, "'hat' is unknown")
        return super().link(view, triple)


class Broken(BySize):
    """Crashes on a graph that holds Thief; gives 3/2 to one that holds Alien."""

    name = "broken"

    def value(self, view: View) -> Judged:
        if "Thief" in view.graph.labels:
            raise ArithmeticError("weights hold no number")
        return Judged(1.5) if "Alien" in view.graph.labels else super().value(view)


class Constant(BySize):
    """Sure of success and of every edge, whatever is built."""

    name = "constant"

    def value(self, view: View) -> Judged:
        return Judged(1.0)

    def link(self, view: View, triple: Triple) -> Judged:
        return Judged(1.0)


KINDS = (BySize, Arbitrary, Narrow, Broken, Constant)
SCORERS.update({kind.name: f"process_fixture:{kind.__name__}" for kind in KINDS})


def folder(kind: str, *, under: Path | None = None, seed: int = 0) -> str:
    """Return a folder with a saved scorer of a kind."""
    place = (under or _root()) / f"{kind}-{seed}"
    place.mkdir(parents=True, exist_ok=True)
    described: dict[str, Any] = {"kind": kind, "schema": {"seed": seed}}
    (place / SCORER_FILE).write_text(json.dumps(described), encoding="utf-8")
    return str(place)


_made: list[Path] = []


def _root() -> Path:
    if not _made:
        _made.append(Path(tempfile.mkdtemp(prefix="graphenv-scorers-")))
        atexit.register(shutil.rmtree, _made[0], ignore_errors=True)
    return _made[0]


BY_SIZE = str(Path(__file__).parent / "fake_scorer")
"""The scorer behind the values of the conformance tables."""
