"""`ged` and `ged_batch`: graph edit distance, exact or as a certified interval."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from graphenv.errors import ConfigError
from graphenv.graph import Graph
from graphenv.rewards.ged.costs import GRID, EditCosts
from graphenv.rewards.ged.encoding import Encoder, node_costs
from graphenv.rewards.ged.result import GEDResult
from graphenv.text import normalize

__all__ = ["Method", "Similarity", "ged", "ged_batch", "require_core", "warmup"]

Method = Literal["search", "bipartite", "counts"]
Similarity = str | Callable[[str, str], float] | npt.NDArray[Any]

BUDGET = 1_000
PER_THREAD = 24  # pairs below which a thread costs more than it brings
MIN_NODES, MIN_EDGES, TIMES = 64, 256, 3
MAX_ASSIGNED = 1 << 16  # nodes of one graph times nodes of the other
MAX_UNITS = 1 << 26  # of all costs together, so that doubled and scaled sums fit into int32


def require_core() -> Any:
    """Import the compiled core.

    Raises
    ------
    ConfigError
        If numba is missing.
    """
    try:
        from graphenv.rewards.ged.core import batch
    except ImportError as error:
        raise ConfigError(
            f"graph edit distance needs numba, which cannot be imported ({error}). Install it "
            'with: pip install "graphenv[ged]"'
        ) from error
    return batch


def warmup() -> None:
    """Compile the core, or load it from its cache.

    The first `ged` of a process does this too; the first one on a machine compiles for about half
    a minute. Trainers call it before they start, so that no step pays for it.
    """
    ged(Graph.from_triples([("a", "r", "b")]), Graph.from_triples([("a", "s", "c")]))


def ged(
    g1: Graph,
    g2: Graph,
    *,
    costs: EditCosts | None = None,
    similarity: Similarity | None = None,
    budget: int = BUDGET,
    method: Method = "search",
    normalized: bool = False,
    time_limit: float | None = None,
) -> GEDResult:
    """Return the graph edit distance of two labelled multigraphs, or an interval that holds it.

    The distance is the least cost of edits that turn `g1` into `g2`: insert, delete and relabel
    nodes and edges. Node ids mean nothing; labels, kinds, relations, directions, parallel edges
    and self-loops do.

    Parameters
    ----------
    costs
        The cost model (default: 1 for every edit).
    similarity
        How alike two node labels are: `None` (equal or not), `"string"` (edit distance of the
        texts), `"module:function"`, a function of two labels, or an (n1, n2) array; values in
        [0, 1]. Substituting a node costs (1 - similarity) times its cost. A function must give 1
        for equal labels.
    budget
        Work before the search gives up, counted in bounded search nodes: the same input gives the
        same result on every machine, and a larger budget never a wider interval. 1,000 is some
        milliseconds for pairs of a dozen nodes that have little in common; similar pairs need a
        fraction of it.
    method
        `"search"`; `"bipartite"`: a single assignment of nodes with their edges (Riesen and Bunke,
        2009, with the lower bound of BRANCH, Blumenthal and Gamper, 2018), improved by swaps;
        `"counts"`: label counts and a greedy mapping, in linear time.
    normalized
        Whether labels, kinds and relations are compared by `graphenv.text.normalize`.
    time_limit
        Seconds after which the search stops wherever it is: an outer guard, which makes the
        interval depend on the machine.

    Raises
    ------
    ConfigError
        If one graph is directed and the other is not, an argument is not as said above, or numba
        is missing.

    Notes
    -----
    Pairs where one graph has more than max(64, 3 n) nodes or max(256, 3 m) edges (n, m: those of
    the other), or more than 65,536 pairs of nodes, are bounded by counts; above about two million
    node triples a single assignment takes the place of the search. `reason` tells.

    Examples
    --------
    >>> a = Graph.from_triples([("Heat", "directed_by", "Mann")])
    >>> b = Graph.from_triples([("Heat", "written_by", "Mann")])
    >>> result = ged(a, b)
    >>> result
    GEDResult(1, exact, similarity=0.667)
    >>> print(*result.edit_path)
    change the relation of 'Heat' -[directed_by]-> 'Mann' to 'written_by'
    """
    return ged_batch(
        [(g1, g2)],
        costs=costs,
        similarity=similarity,
        budget=budget,
        method=method,
        normalized=normalized,
        time_limit=time_limit,
        threads=1,
    )[0]


def ged_batch(
    pairs: Iterable[tuple[Graph, Graph]],
    *,
    costs: EditCosts | None = None,
    similarity: Similarity | None = None,
    budget: int = BUDGET,
    method: Method = "search",
    normalized: bool = False,
    time_limit: float | None = None,
    threads: int | None = None,
) -> list[GEDResult]:
    """Return `ged` of every pair, in order: faster than one by one, with the same results.

    A graph that appears in several pairs is encoded once, a pair that appears twice is solved once.
    `threads` run without the GIL (default: `OMP_NUM_THREADS` or all cores, fewer for small
    batches); the result does not depend on them. `time_limit` is for the whole batch. Other
    parameters as in `ged`; a similarity array is for a single pair.
    """
    core = require_core()
    model = EditCosts() if costs is None else costs
    _check(budget, method, time_limit, threads)
    given = list(pairs)
    if isinstance(similarity, np.ndarray) and len(given) != 1:
        raise ConfigError("a similarity array belongs to one pair; give a function for a batch")
    key = normalize if normalized else _as_is
    model = model.keyed(key)
    encoder = Encoder(model, key, isinstance(similarity, np.ndarray))
    numbers: list[int] = []
    distinct: dict[tuple[int, int], int] = {}
    for a, b in given:
        if a.directed != b.directed:
            raise ConfigError(
                "ged compares two directed or two undirected graphs; here one is "
                f"{'' if a.directed else 'un'}directed and the other is not"
            )
        numbers.append(distinct.setdefault((encoder.add(a), encoder.add(b)), len(distinct)))
    if not distinct:
        return []
    batch = _Batch(encoder, list(distinct), model, similarity, key)
    solved = batch.solve(core, budget, method, time_limit, threads)
    return [solved[number] for number in numbers]


class _Batch:
    """The distinct pairs of a call, on their way through the core."""

    def __init__(
        self,
        encoder: Encoder,
        pairs: list[tuple[int, int]],
        costs: EditCosts,
        similarity: Similarity | None,
        key: Callable[[str], str],
    ) -> None:
        self.graphs = encoder.graphs
        self.pairs = pairs
        self.costs = costs
        self.key = key
        self.flat = encoder.arrays()
        self.matrices: list[npt.NDArray[np.int32]] | None = None
        if similarity is not None:
            ask = similarity if isinstance(similarity, np.ndarray) else _cached(similarity)
            self.matrices = [self._matrix(i, j, ask) for i, j in pairs]

    def _matrix(self, i: int, j: int, ask: Any) -> npt.NDArray[np.int32]:
        a, b = self.graphs[i], self.graphs[j]
        if isinstance(ask, np.ndarray):
            if ask.shape != (len(a), len(b)):
                raise ConfigError(
                    f"the similarity array has shape {ask.shape}; the graphs have "
                    f"({len(a)}, {len(b)}) nodes"
                )
            if not bool(np.all((ask >= 0) & (ask <= 1))):
                raise ConfigError("the similarity array holds values outside [0, 1]")
            return node_costs(a, b, self.costs, self.key, lambda x, y: float(ask[x, y]))
        key = self.key
        one, two = [key(n.label) for n in a.nodes], [key(n.label) for n in b.nodes]
        return node_costs(a, b, self.costs, key, lambda x, y: ask(one[x], two[y]))

    def solve(
        self, core: Any, budget: int, method: Method, limit: float | None, threads: int | None
    ) -> list[GEDResult]:
        flat = self.flat
        nodes, edges = flat["nodes"], flat["edges"]
        n, m = np.diff(nodes), np.diff(edges)
        first, second = np.array(self.pairs, np.int64).T.copy()
        edge_sub, edge_del, edge_ins = self.costs.edge_grid()
        # Everything in the largest unit that divides all costs.
        unit = gcd(edge_sub, edge_del, edge_ins)
        unit = gcd(unit, *(int(v) for key in ("sub", "delete", "insert") for v in flat[key]))
        given, given_at = np.zeros(1, np.int32), np.full(len(first), -1, np.int64)
        if self.matrices is not None:
            given = np.concatenate([*self.matrices, given])
            sizes = [matrix.size for matrix in self.matrices]
            given_at = np.concatenate([[0], np.cumsum(sizes)])[:-1].astype(np.int64)
            unit = gcd(unit, int(np.gcd.reduce(given)))
        unit = unit or 1
        class_sub, class_del, class_ins = (flat[key] // unit for key in ("sub", "delete", "insert"))
        edge_sub, edge_del, edge_ins = edge_sub // unit, edge_del // unit, edge_ins // unit
        removed = np.concatenate([[0], np.cumsum(class_del[flat["classes"]])])
        inserted = np.concatenate([[0], np.cumsum(class_ins[flat["classes"]])])
        out, into = (
            removed[nodes[1:]] - removed[nodes[:-1]],
            inserted[nodes[1:]] - inserted[nodes[:-1]],
        )
        out_edges, in_edges = m * edge_del, m * edge_ins
        sizes = np.maximum(out[first], into[second]) + np.maximum(
            out_edges[first], in_edges[second]
        )
        total = out[first] + into[second] + out_edges[first] + in_edges[second]
        large = (
            _far(n[first], n[second], MIN_NODES)
            | _far(m[first], m[second], MIN_EDGES)
            | (n[first] * n[second] > MAX_ASSIGNED)
            | (total > MAX_UNITS)
        )
        if method == "counts":
            large[:] = True
        plain = self.matrices is None and not self.costs.kind_weights
        work = 1 if method == "bipartite" else budget

        searched = np.zeros(len(n), bool)
        searched[first[~large]] = searched[second[~large]] = True
        which = np.flatnonzero(searched)
        squares = np.concatenate([[0], np.cumsum(np.where(searched, n * n, 0))]).astype(np.int64)
        encoded = (
            np.empty(nodes[-1], np.int32),
            np.empty(nodes[-1], np.int32),
            np.empty(squares[-1], np.int32),
            squares,
            np.empty(2 * edges[-1] + 3 * len(n), np.int32),
            np.empty(2 * edges[-1], np.int32),
            np.empty(nodes[-1], np.int32),
            np.zeros(len(n), np.uint64),
        )
        names = ("classes", "nodes", "heads", "rels", "tails", "edges")
        raw = (*(flat[key] for key in names), flat["directed"])
        raw = (*raw, flat["class_hash"], flat["rel_hash"])
        image_at = np.concatenate([[0], np.cumsum(n[first])]).astype(np.int64)
        images = np.full(image_at[-1], -1, np.int32)
        lower, upper, spent = (np.zeros(len(first), np.int64) for _ in range(3))
        stop = np.zeros(1, np.uint8)
        fixed = (
            *raw, *encoded, class_sub, class_del, class_ins, plain, given // unit, given_at,
            edge_sub, edge_del, edge_ins, work, stop, lower, upper, spent, images, image_at,
        )  # fmt: skip
        methods = large.astype(np.uint8)

        def encode(part: npt.NDArray[np.int64]) -> None:
            core.encode_run(part, *raw, *encoded)

        def search(part: npt.NDArray[np.int64]) -> None:
            core.solve_run(part, first, second, methods, *fixed)

        timer = None
        if limit is not None:
            timer = threading.Timer(limit, stop.fill, (1,))
            timer.daemon = True
            timer.start()
        try:
            _spread(encode, which, threads)
            _spread(search, np.arange(len(first)), threads)
        finally:
            if timer is not None:
                timer.cancel()

        scale = unit / GRID
        results = []
        for p, (i, j) in enumerate(self.pairs):
            lo, up = int(lower[p]), int(upper[p])
            reason = ""
            if lo != up:
                if large[p]:
                    reason = "method" if method == "counts" else "size"
                elif stop[0]:
                    reason = "time limit"
                elif method == "bipartite":
                    reason = "method"
                else:
                    reason = "budget" if spent[p] >= budget else "size"
            matrix = None if self.matrices is None or large[p] else self.matrices[p]
            a, b = self.graphs[i], self.graphs[j]
            results.append(
                GEDResult(
                    lo * unit / GRID,
                    up * unit / GRID,
                    int(spent[p]),
                    reason,
                    float(sizes[p]) * scale,
                    (a, b),
                    images[image_at[p] : image_at[p + 1]],
                    _PairCosts(a, b, self.costs, matrix, self.key),
                )
            )
        return results


@dataclass(frozen=True, eq=False)
class _PairCosts:
    """The `NodeCost` of one pair."""

    g1: Graph
    g2: Graph
    costs: EditCosts
    matrix: npt.NDArray[np.int32] | None
    key: Callable[[str], str]

    def node(self, i: int | None, j: int | None) -> int:
        a = None if i is None else self.costs.node_grid(self.key(self.g1.nodes[i].kind))
        b = None if j is None else self.costs.node_grid(self.key(self.g2.nodes[j].kind))
        if a is None or b is None:
            return (b[2] if b else 0) if a is None else a[1]
        if self.matrix is not None:
            assert i is not None and j is not None
            return int(self.matrix[i * len(self.g2) + j])
        return min(max(a[0], b[0]), a[1] + b[2])

    def same(self, a: str, b: str) -> bool:
        return a == b or self.key(a) == self.key(b)

    @cached_property
    def edge(self) -> tuple[int, int, int]:
        return self.costs.edge_grid()


def _as_is(name: str) -> str:
    return name


def _far(a: npt.NDArray[Any], b: npt.NDArray[Any], least: int) -> npt.NDArray[np.bool_]:
    """Return where one size is far above the other."""
    few, many = np.minimum(a, b), np.maximum(a, b)
    return np.asarray(many > np.maximum(least, TIMES * few))


def _cached(similarity: Similarity) -> Callable[[str, str], float]:
    # Imported here: graphenv.rewards.similarity holds what is made from `ged`.
    from graphenv.rewards.similarity.labels import label_similarity

    ask: Callable[[str, str], float] = label_similarity(similarity)
    known: dict[tuple[str, str], float] = {}

    def cached(a: str, b: str) -> float:
        found = known.get((a, b))
        if found is None:
            found = known[a, b] = ask(a, b)
        return found

    return cached


def _check(budget: int, method: str, limit: float | None, threads: int | None) -> None:
    if method not in ("search", "bipartite", "counts"):
        raise ConfigError(f"ged: method={method!r} is none of search, bipartite, counts")
    if not isinstance(budget, int) or isinstance(budget, bool) or budget < 1:
        raise ConfigError(f"ged: budget={budget!r} is not a whole number from 1")
    if limit is not None and not limit > 0:
        raise ConfigError(f"ged: time_limit={limit!r} is not a number of seconds above 0")
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise ConfigError(f"ged: threads={threads!r} is not a whole number from 1")


def _cores() -> int:
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _spread(
    run: Callable[[npt.NDArray[np.int64]], None], which: npt.NDArray[np.int64], threads: int | None
) -> None:
    """Call `run` on all of `which`, in parts on several threads where that pays."""
    count = min(_cores(), len(which) // PER_THREAD) if threads is None else threads
    count = min(count, len(which))
    if count <= 1:
        if len(which):
            run(which)
        return
    # Several parts a thread: a dear pair does not leave the others idle.
    # (Copied, as the core is compiled for contiguous arrays.)
    parts = [which[k :: 4 * count].copy() for k in range(4 * count)]
    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(run, part) for part in parts if len(part)]:
            done.result()
