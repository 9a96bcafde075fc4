"""`ged` and `ged_batch`: graph edit distance, exact or as a certified interval."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from graphenv.checks import is_whole, one_of, whole
from graphenv.errors import ConfigError
from graphenv.graph import Graph
from graphenv.rewards.ged.batch import Batch
from graphenv.rewards.ged.costs import EditCosts
from graphenv.rewards.ged.encoding import Encoder
from graphenv.rewards.ged.result import GEDResult
from graphenv.text import normalize

__all__ = ["Method", "Similarity", "ged", "ged_batch", "require_core", "warmup"]

Array = npt.NDArray[Any]
Method = Literal["search", "bipartite", "counts"]
Similarity = str | Callable[[str, str], float] | Array

METHODS = get_args(Method)
BUDGET = 1_000
UNIT_COSTS = EditCosts()


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
    the other), or more than 65,536 pairs of nodes, are bounded by counts; above about eight million
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
    model = UNIT_COSTS if costs is None else costs
    _check(budget, method, time_limit, threads)
    if not isinstance(model, EditCosts):
        raise ConfigError(
            f"ged: costs={costs!r} is no EditCosts; write costs=EditCosts(node_substitute=2), or "
            "whichever cost is not to be 1"
        )
    given = list(pairs)
    for pair in given:
        if not _is_pair(pair):
            raise ConfigError(_no_pair(pair))
    if isinstance(similarity, np.ndarray) and len(given) != 1:
        raise ConfigError("a similarity array belongs to one pair; give a function for a batch")
    key = normalize if normalized else _as_is
    model = model.keyed(key)
    encoder = Encoder(normalize if normalized else None, apart=isinstance(similarity, np.ndarray))
    numbers: list[int] = []
    distinct: dict[tuple[int, int], int] = {}
    for a, b in given:
        if a.directed != b.directed:
            raise ConfigError(
                "ged compares two directed or two undirected graphs; here the first is "
                f"{'' if a.directed else 'un'}directed and the second is not. Make both alike, "
                f"as with dataclasses.replace(first, directed={b.directed})"
            )
        numbers.append(distinct.setdefault((encoder.add(a), encoder.add(b)), len(distinct)))
    if not distinct:
        return []
    batch = Batch(encoder, list(distinct), model, _alike(similarity), key)
    solved = batch.solve(core, budget, method, time_limit, threads or _cores())
    return [batch.result(solved[k], *pair) for k, pair in zip(numbers, given, strict=True)]


def _as_is(name: str) -> str:
    return name


def _is_pair(pair: object) -> bool:
    return (
        isinstance(pair, tuple | list)
        and len(pair) == 2
        and isinstance(pair[0], Graph)
        and isinstance(pair[1], Graph)
    )


def _no_pair(pair: object) -> str:
    if not isinstance(pair, tuple | list):
        return f"ged_batch takes pairs of graphs, [(g1, g2), ...], not a {type(pair).__name__}"
    kinds = ", ".join(type(item).__name__ for item in pair)
    return f"ged compares two Graphs, not ({kinds}). From triples: Graph.from_triples(triples)"


def _alike(similarity: Similarity | None) -> Callable[[str, str], float] | str | Array | None:
    """Return the similarity, loaded and checked, as a function that asks once for each pair."""
    if similarity is None or isinstance(similarity, np.ndarray) or similarity == "string":
        return similarity
    # Imported here: graphenv.rewards.similarity holds what is made from `ged`.
    from graphenv.rewards.similarity.labels import label_similarity

    return label_similarity(similarity)


def _check(budget: int, method: str, limit: float | None, threads: int | None) -> None:
    one_of("ged", "method", method, METHODS)
    whole("ged", "budget", budget, 1)
    if limit is not None and not (isinstance(limit, int | float) and limit > 0):
        raise ConfigError(f"ged: time_limit={limit!r} is not a number of seconds above 0")
    if threads is not None and not is_whole(threads, 1):
        raise ConfigError(f"ged: threads={threads!r} is not a whole number from 1")


def _cores() -> int:
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
