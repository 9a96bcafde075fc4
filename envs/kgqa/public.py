"""The world of a question as an agent may read it: the knowledge graph and nothing behind it."""

from __future__ import annotations

from typing import Any, cast

from graphenv.knowledge import TripleStore

__all__ = ["public_world"]

_OFFERED = frozenset(name for name in vars(TripleStore) if not name.startswith("_"))


class _Public:
    """Passes on what `TripleStore` promises; a view's list of hidden edges is the gold."""

    __slots__ = ("__world",)

    def __init__(self, world: TripleStore) -> None:
        self.__world = world

    def __len__(self) -> int:
        return len(self.__world)

    def __getattr__(self, name: str) -> Any:
        if name not in _OFFERED:
            raise AttributeError(f"a public world has no {name!r}")
        return getattr(self.__world, name)


def public_world(world: TripleStore) -> TripleStore:
    """Return `world` with the methods of `TripleStore` alone.

    A `KnowledgeView` that masks the edge a question asks for also tells which edges it hides
    (`hidden`) and what lies below (`base`). A search agent gets neither.

    >>> from graphenv.knowledge import KnowledgeGraph, KnowledgeView
    >>> kg = KnowledgeGraph.from_triples([("a", "r", "b"), ("a", "s", "c")])
    >>> world = public_world(KnowledgeView(kg, [(0, 0, 1)]))
    >>> world.moves([0]), hasattr(world, "hidden"), hasattr(world, "base")
    (['s'], False, False)
    """
    return cast(TripleStore, _Public(world))
