"""The same job, follow a path of moves from a set of entities, by four means.

Every contender works on the same integer ids. Frontiers are given in the form each likes best
(array, set, list), so that no conversion is timed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from graphenv.knowledge import KnowledgeGraph

Columns = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]


class Contender(Protocol):
    """Follow paths of move ids (``m >= R`` is the inverse of ``m - R``)."""

    name: str

    def prepare(self, frontier: NDArray[np.int32]) -> Any:
        """Return the frontier in the contender's own form (not timed)."""
        ...

    def walk(self, frontier: Any, path: Sequence[int]) -> Iterable[int]:
        """Return the distinct entities at the end of a path (timed)."""
        ...


class Ours:
    """`KnowledgeGraph.follow`, move by move."""

    name = "graphenv"

    def __init__(self, kg: KnowledgeGraph) -> None:
        self.kg = kg

    def prepare(self, frontier: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the sorted array itself."""
        return frontier

    def walk(self, frontier: NDArray[np.int32], path: Sequence[int]) -> NDArray[np.int32]:
        """Follow move by move."""
        for move in path:
            frontier = self.kg.follow(frontier, move)
        return frontier


def networkx_graph(columns: Columns) -> nx.MultiDiGraph[int]:
    """Return a MultiDiGraph with integer nodes, edges keyed by the relation's id."""
    graph: Any = nx.MultiDiGraph()
    heads, relations, tails = columns
    for at in range(0, len(heads), 100_000):
        part = slice(at, at + 100_000)
        graph.add_edges_from(
            zip(heads[part].tolist(), tails[part].tolist(), relations[part].tolist(), strict=True)
        )
    built: nx.MultiDiGraph[int] = graph
    return built


class NetworkX:
    """Set comprehensions over the bare adjacency dictionaries: networkx's fastest form.

    The public views (``G.adj``, ``G.out_edges``) do the same several times slower.
    """

    name = "networkx"

    def __init__(self, graph: nx.MultiDiGraph[int], num_relations: int) -> None:
        bare: Any = graph
        self._succ: dict[int, dict[int, dict[int, Any]]] = bare._succ
        self._pred: dict[int, dict[int, dict[int, Any]]] = bare._pred
        self._relations = num_relations

    def prepare(self, frontier: NDArray[np.int32]) -> set[int]:
        """Return a set of ints."""
        return set(frontier.tolist())

    def walk(self, frontier: set[int], path: Sequence[int]) -> set[int]:
        """Follow move by move, a set at a time."""
        count = self._relations
        for move in path:
            adjacent = self._succ if move < count else self._pred
            key = move if move < count else move - count
            frontier = {v for u in frontier for v, keys in adjacent[u].items() if key in keys}
        return frontier


class Dictionaries:
    """``{move: {head: tails}}``: what one would write by hand for exactly this job."""

    name = "dict of dicts"

    def __init__(self, columns: Columns, num_relations: int) -> None:
        heads, relations, tails = (c.tolist() for c in columns)
        index: list[dict[int, list[int]]] = [{} for _ in range(2 * num_relations)]
        for h, r, t in zip(heads, relations, tails, strict=True):
            index[r].setdefault(h, []).append(t)
            index[r + num_relations].setdefault(t, []).append(h)
        self._index = index

    def prepare(self, frontier: NDArray[np.int32]) -> set[int]:
        """Return a set of ints."""
        return set(frontier.tolist())

    def walk(self, frontier: set[int], path: Sequence[int]) -> set[int]:
        """Follow move by move, a set at a time."""
        for move in path:
            rows = self._index[move]
            frontier = {v for u in frontier if u in rows for v in rows[u]}
        return frontier


class Ladybug:
    """One relation table a relation, one Cypher query a hop.

    Of six forms tried (one query or one a hop; ``=``, ``IN`` or ``UNWIND``; with and without
    ``WITH DISTINCT``) the one used at each size was the fastest there, or within 1.3 of it. One
    query without ``DISTINCT`` between hops is faster on thin paths, but a path through a hub fills
    the buffer pool and fails.
    """

    name = "ladybug"

    def __init__(self, folder: Path, num_relations: int) -> None:
        import ladybug

        self._relations = num_relations
        self._database = ladybug.Database(str(folder / "graph.db"))
        self._connection = ladybug.Connection(self._database)

    def create(self, columns: Columns, num_entities: int, folder: Path) -> float:
        """Create the tables and return the seconds spent in COPY (writing the CSV is not timed)."""
        heads, relations, tails = columns
        run = self._connection.execute
        run("CREATE NODE TABLE E(id INT64, PRIMARY KEY(id))")
        nodes = folder / "nodes.csv"
        nodes.write_text("\n".join(map(str, range(num_entities))))
        seconds = -time.perf_counter()
        run(f"COPY E FROM '{nodes}'")
        seconds += time.perf_counter()
        bounds = np.searchsorted(relations, np.arange(self._relations + 1)).tolist()
        for r in range(self._relations):
            part = slice(bounds[r], bounds[r + 1])
            rows = zip(heads[part].tolist(), tails[part].tolist(), strict=True)
            file = folder / "edges.csv"
            file.write_text("\n".join(f"{h},{t}" for h, t in rows))
            run(f"CREATE REL TABLE r{r}(FROM E TO E)")
            seconds -= time.perf_counter()
            run(f"COPY r{r} FROM '{file}'")
            seconds += time.perf_counter()
            file.unlink()
        nodes.unlink()
        return seconds

    def close(self) -> None:
        """Close the database (checkpoints it)."""
        self._connection.close()
        self._database.close()

    def prepare(self, frontier: NDArray[np.int32]) -> list[int]:
        """Return a list of ints."""
        ids: list[int] = frontier.tolist()
        return ids

    def walk(self, frontier: list[int], path: Sequence[int]) -> list[int]:
        """Run one query a hop; the ids in between pass through Python."""
        for move in path:
            if move < self._relations:
                step = f"(a:E)-[:r{move}]->(b:E)"
            else:
                step = f"(a:E)<-[:r{move - self._relations}]-(b:E)"
            given: int | list[int] = frontier
            if len(frontier) == 1:
                given, text = frontier[0], f"MATCH {step} WHERE a.id = $ids"
            elif len(frontier) <= 1000:
                text = f"MATCH {step} WHERE a.id IN $ids"
            else:
                text = f"UNWIND $ids AS i MATCH {step} WHERE a.id = i"
            answer = self._connection.execute(f"{text} RETURN DISTINCT b.id", {"ids": given})
            frontier = [row[0] for row in answer.get_all()]
        return frontier
