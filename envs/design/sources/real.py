"""Networks of the user's: edge lists in files, as they are or in connected parts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphenv.checks import whole
from graphenv.envs.arguments import recorded
from graphenv.envs.design.network import MAX_NODES, Network, pair
from graphenv.envs.design.sources.base import DesignSource, Start
from graphenv.envs.files import need
from graphenv.errors import ConfigError, DataError
from graphenv.seeding import rng
from graphenv.task import carve_split

__all__ = ["RealNetworks", "read_edges"]

_LAYOUT = "text files with one edge a line: two names, separated by spaces, tabs, commas or ';'"
_BETWEEN = re.compile(r"[\s,;]+")
_VERSION = 0


class RealNetworks(DesignSource):
    """Networks from edge lists: one a file, or connected parts of it.

    A line names the two ends of an edge; what follows them (a weight) is not read, nor are lines
    that begin with # or %. Directions, loops and repeated edges are dropped, and of a network in
    pieces the largest component is kept. A start belongs to the split that its Weisfeiler-Leman
    hash names, so a split may be empty where there are few networks; the parts of one file in two
    splits are never isomorphic, but may share nodes.

    Parameters
    ----------
    split
        One of `graphenv.task.SPLITS`.
    files
        A file, or a list of files.
    nodes
        Size of the parts, 4 to 100: as many nodes as a search from a random node meets first, with
        all edges between them. Without, a task is a whole network (at most 100 nodes).
    parts
        Parts drawn of each file, over all splits (default 300); isomorphic ones count once.
    objective, goal, percent, budget, orders
        See `DesignSource`.
    seed
        Which parts.

    Raises
    ------
    DataError
        If a file is missing or broken, or the split is empty.
    ConfigError
        If an argument is out of range.
    """

    def __init__(
        self,
        *,
        split: str,
        files: str | Sequence[str],
        nodes: int | None = None,
        parts: int = 300,
        objective: str = "robustness_random",
        goal: str = "build",
        percent: float = 1,
        budget: int | None = None,
        orders: int = 2,
        seed: int = 0,
    ) -> None:
        arguments: dict[str, Any] = recorded(locals())
        super().__init__(
            split, objective=objective, goal=goal, percent=percent, budget=budget, orders=orders
        )
        named = [files] if isinstance(files, str) else list(files)
        if not named or not all(isinstance(name, str) for name in named):
            raise ConfigError(f"real: files={files!r} must be a path, or a list of paths")
        if nodes is not None:
            whole("real", "nodes", nodes, 4, MAX_NODES)
        whole("real", "parts", parts, 1)
        whole("real", "seed", seed, 0)
        rest = {name: given for name, given in arguments.items() if name != "files"}
        digest = hashlib.sha256(f"real/{_VERSION} {rest}".encode())
        self._networks: list[tuple[str, Start]] = []
        seen: set[str] = set()
        for name in named:
            path = Path(name)
            need(path, asked="source 'real'", layout=_LAYOUT)
            digest.update(path.read_bytes())
            whole_one = largest(read_edges(path))
            if nodes is None:
                self._take(path.stem, whole_one, seen)
                continue
            for number in range(parts):
                draw = rng("part of a network", path.stem, seed, number)
                part = _part(whole_one, nodes, draw)
                if part is None:
                    self.left_out["fewer nodes than nodes="] += 1
                    break
                self._take(f"{path.stem}/{number}", part, seen)
        self._fingerprint = digest.hexdigest()
        self.note = "A start belongs to the split that its Weisfeiler-Leman hash names."
        if not self._networks:
            raise self.without("network", ", ".join(named[:3]))

    def _take(self, name: str, network: Network, seen: set[str]) -> None:
        if not 4 <= len(network) <= MAX_NODES:
            self.left_out[f"not 4 to {MAX_NODES} nodes (give nodes= for parts)"] += 1
            return
        if not network.missing:
            self.left_out["complete: no room for an edge"] += 1
            return
        start = self.damaged(network, f"real/{name}")
        shape = start.network.shape
        if carve_split("design", shape) != self.split:
            self.left_out["of another split"] += 1
        elif shape in seen:
            self.left_out["isomorphic to one before"] += 1
        else:
            seen.add(shape)
            self._networks.append((name, start))

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def __len__(self) -> int:
        return len(self._networks)

    def name(self, index: int) -> str:
        return f"real/{self._networks[index][0]}"

    def make(self, index: int) -> Start:
        return self._networks[index][1]


def read_edges(path: Path) -> Network:
    """Return the network of an edge list.

    Raises
    ------
    DataError
        If the text is not UTF-8, or a line names fewer than two ends.
    """
    numbers: dict[str, int] = {}
    edges = set()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error}); convert it to UTF-8") from error
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text[0] in "#%":
            continue
        ends = [end for end in _BETWEEN.split(text) if end][:2]
        if len(ends) < 2:
            raise DataError(
                f"{path}, line {number}: an edge names two ends: {text[:160]!r}. "
                f"Expected layout: {_LAYOUT}"
            )
        one, other = (numbers.setdefault(end, len(numbers)) for end in ends)
        if one != other:
            edges.add(pair(one, other))
    return Network(tuple(numbers), tuple(sorted(edges)))


def largest(network: Network) -> Network:
    """Return the largest component of a network, the first of equals."""
    around: list[list[int]] = [[] for _ in network.names]
    for a, b in network.edges:
        around[a].append(b)
        around[b].append(a)
    left, best = dict.fromkeys(range(len(network))), list[int]()
    while left:
        met = _met(around, next(iter(left)))
        for node in met:
            del left[node]
        if len(met) > len(best):
            best = met
    return _induced(network, best)


def _met(around: Sequence[Sequence[int]], start: int) -> list[int]:
    met = {start: None}
    queue = [start]
    for node in queue:
        fresh = [other for other in around[node] if other not in met]
        met.update(dict.fromkeys(fresh))
        queue += fresh
    return queue


def _induced(network: Network, nodes: Sequence[int]) -> Network:
    kept = sorted(nodes)
    place = {node: at for at, node in enumerate(kept)}
    edges = sorted((place[a], place[b]) for a, b in network.edges if a in place and b in place)
    return Network(tuple(network.names[node] for node in kept), tuple(edges))


def _part(network: Network, nodes: int, draw: np.random.Generator) -> Network | None:
    """Return the part that a search from a random node meets first, `None` if it is too small."""
    if len(network) < nodes:
        return None
    around: list[list[int]] = [[] for _ in network.names]
    for a, b in network.edges:
        around[a].append(b)
        around[b].append(a)
    queue = [int(draw.integers(len(network)))]
    met = set(queue)
    for node in queue:
        fresh = [around[node][at] for at in draw.permutation(len(around[node])).tolist()]
        for other in fresh:
            if other not in met and len(met) < nodes:
                met.add(other)
                queue.append(other)
    return _induced(network, queue)
