"""A bounded search for an isomorphism, so that a copy of the gold is always matched as one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice

from graphenv.graph import Graph

__all__ = ["isomorphism"]

# What the search may cost, in edges looked at, some 0.3 us each: so much, and so much for each node
# and edge. A cell that is looked at costs as much as several edges.
_WORK = 40_000
_WORK_PER_PART = 50
_CELL = 5

_Sign = tuple[str, str, int, int]  # label, kind, self-loops, size of the component
_Arcs = list[list[tuple[int, int]]]  # for each node its neighbours, each with a colour of the edge


def isomorphism(g1: Graph, g2: Graph) -> list[int] | None:
    """Return the image of each node of `g1` under an isomorphism to `g2`, or `None`.

    `None` if there is none or the bounded search found none; what is returned has been compared
    edge by edge. Labels, kinds and relations are compared as given.

    Colours of the nodes of both graphs together are refined until the neighbours of equal nodes
    are equal. Then one node of the first graph and one of equal colour of the second get a colour
    of their own, and so on, until all nodes are told apart; as soon as the graphs differ in a
    colour another node is tried. m log n wherever nodes of one colour are alike by symmetry, as in
    trees, rings and grids; at worst some tenths of a second for thousands of nodes.

    References: McKay and Piperno, Practical graph isomorphism II, Journal of Symbolic Computation
    2014; the smaller half: Hopcroft, An n log n algorithm for minimizing states in a finite
    automaton, 1971.

    >>> g = Graph.from_edges(["a", "b"], [(0, "r", 1)])
    >>> isomorphism(g, Graph.from_edges(["b", "a"], [(1, "r", 0)]))
    [1, 0]
    """
    if (len(g1), g1.num_edges, g1.directed) != (len(g2), g2.num_edges, g2.directed):
        return None
    # The cheap tests first: most predictions are no copy.
    names1, names2 = ([(n.label, n.kind) for n in g.nodes] for g in (g1, g2))
    if names1 == names2 and g1.edges == g2.edges:
        return list(range(len(g1)))
    if Counter(names1) != Counter(names2) or _codes(g1, names1) != _codes(g2, names2):
        return None
    arcs, loops = _arcs((g1, g2))
    n = len(g1)
    # Refinement cannot tell one ring from two, so the sizes of components are told beforehand.
    sizes = _components(arcs)
    names = zip(names1 + names2, loops, sizes, strict=True)
    signs = [(label, kind, loop, size) for (label, kind), loop, size in names]
    search = _Search(arcs, n, _WORK + _WORK_PER_PART * (n + g1.num_edges))
    images = search.run(signs)
    if images is None or not _kept(arcs, signs, images):
        return None
    return images


def _codes(graph: Graph, names: list[tuple[str, str]]) -> Counter[tuple[object, ...]]:
    """Return the bag of edges by the names of their ends and their relation."""
    found: list[tuple[object, ...]] = []
    for edge in graph.edges:
        head, tail = names[edge.head], names[edge.tail]
        if not graph.directed and tail < head:
            head, tail = tail, head
        found.append((head, edge.relation, tail))
    return Counter(found)


def _arcs(graphs: tuple[Graph, Graph]) -> tuple[_Arcs, list[int]]:
    """Return the graphs side by side with one coloured arc from each node to each neighbour.

    And a colour of the self-loops of each node. A colour says all that lies between two nodes, in
    which direction and how often.
    """
    bags: list[dict[int, list[tuple[int, str]]]] = []
    for graph in graphs:
        begin = len(bags)
        bags += [defaultdict(list) for _ in graph.nodes]
        out, back = (0, 1) if graph.directed else (2, 2)
        for edge in graph.edges:
            head, tail = begin + edge.head, begin + edge.tail
            bags[head][tail].append((out, edge.relation))
            bags[tail][head].append((back, edge.relation))
    number: dict[tuple[tuple[int, str], ...], int] = {(): 0}
    arcs: _Arcs = []
    loops = []
    for node, around in enumerate(bags):
        colored = []
        loop = 0
        for other, bag in around.items():
            color = number.setdefault(tuple(sorted(bag)), len(number))
            if other == node:
                loop = color
            else:
                colored.append((other, color))
        arcs.append(colored)
        loops.append(loop)
    return arcs, loops


def _components(arcs: _Arcs) -> list[int]:
    """Return for each node the number of nodes that hang together with it."""
    sizes = [0] * len(arcs)
    for start in range(len(arcs)):
        if sizes[start]:
            continue
        found = [start]
        sizes[start] = 1
        for node in found:
            for other, _ in arcs[node]:
                if not sizes[other]:
                    sizes[other] = 1
                    found.append(other)
        for node in found:
            sizes[node] = len(found)
    return sizes


def _kept(arcs: _Arcs, signs: list[_Sign], images: list[int]) -> bool:
    """Return whether a one-to-one map of nodes keeps all names and arcs."""
    n = len(images)
    return sorted(images) == list(range(n)) and all(
        signs[i] == signs[n + j]
        and sorted((n + images[other], color) for other, color in arcs[i]) == sorted(arcs[n + j])
        for i, j in enumerate(images)
    )


class _Search:
    """The nodes of both graphs (those of the second numbered from n) in cells of equal colour.

    Every cell holds as many nodes of the first graph as of the second.
    """

    def __init__(self, arcs: _Arcs, n: int, work: int) -> None:
        self.arcs, self.n, self.work = arcs, n, work
        self.cells: list[dict[int, None]] = []  # dicts, as sets do not keep an order
        self.cell = [0] * (2 * n)
        self.trail: list[int] = []  # splits, the last cell being the newest: what was split

    def run(self, signs: list[_Sign]) -> list[int] | None:
        groups: dict[_Sign, dict[int, None]] = defaultdict(dict)
        for node, sign in enumerate(signs):
            groups[sign][node] = None
        # Small cells first: they are where a search branches least.
        self.cells = sorted(groups.values(), key=len)
        for number, members in enumerate(self.cells):
            if not self._even(members):
                return None
            for node in members:
                self.cell[node] = number
        if not self._refine(dict.fromkeys(range(len(self.cells)))):
            return None
        if any(len(members) > 2 for members in self.cells) and not self._by_triangles():
            return None
        return self._images() if self._choose() else None

    def _by_triangles(self) -> bool:
        """Tell nodes apart by their triangles, which colours do not see; `False` as `_refine`.

        Dense graphs of equal degrees differ in them.
        """
        around = [frozenset([other for other, _ in arcs]) for arcs in self.arcs]
        counts = [sum([len(near & around[k]) for k in near]) for near in around]
        todo: dict[int, None] = {}
        for number in range(len(self.cells)):
            groups: dict[int, list[int]] = defaultdict(list)
            for node in self.cells[number]:
                groups[counts[node]].append(node)
            if not all(map(self._even, groups.values())):
                return False
            for count in sorted(groups)[1:]:
                todo[self._split(number, groups[count])] = None
        return self._refine(todo)

    def _choose(self) -> bool:
        """Tell all nodes apart, one pair after the other; return whether that came to an end."""
        stack: list[tuple[int, int, int, Iterator[int]]] = []
        at = 0  # cells before this one hold one pair
        down = True
        while True:
            if down:
                while at < len(self.cells) and len(self.cells[at]) == 2:
                    at += 1
                if at == len(self.cells):
                    return True
                node = next(i for i in self.cells[at] if i < self.n)
                stack.append((at, len(self.trail), node, self._others(at)))
            at, mark, node, others = stack[-1]
            self._undo(mark)
            image = next(others, -1)
            if image < 0:
                stack.pop()
                if not stack:
                    return False
                down = False
                continue
            self.work -= 1
            down = self._refine({self._split(at, [node, image]): None})
            if self.work < 0:
                return False

    def _others(self, at: int) -> Iterator[int]:
        """Yield the nodes of the second graph in a cell, which is split and undone in between."""
        first = next(j for j in reversed(self.cells[at]) if j >= self.n)
        yield first
        self.work -= len(self.cells[at]) // 4
        # Listed only where the first one was wrong: a thousand twins would list a thousand each.
        yield from [j for j in self.cells[at] if j >= self.n and j != first]

    def _refine(self, todo: dict[int, None]) -> bool:
        """Split cells until all nodes of one have equal neighbours; `False` if graphs differ."""
        cell, cells, arcs = self.cell, self.cells, self.arcs
        while todo:
            splitter = next(iter(todo))
            del todo[splitter]
            seen: dict[int, dict[int, int]] = {}
            for node in cells[splitter]:
                around = arcs[node]
                self.work -= len(around) + 1
                for other, color in around:
                    hits = seen.get(color)
                    if hits is None:
                        hits = seen[color] = {}
                    hits[other] = hits.get(other, 0) + 1
            if self.work < 0:
                return False
            for hits in seen.values():
                # Cells by number of hits; a cell without rest and with one number stays whole.
                parts: dict[int, dict[int, list[int]]] = {}
                for other, count in hits.items():
                    parts.setdefault(cell[other], {}).setdefault(count, []).append(other)
                self.work -= _CELL * len(parts)
                for old, groups in parts.items():
                    if not all(map(self._even, groups.values())):
                        return False
                    whole = sum(map(len, groups.values())) == len(cells[old])
                    if whole and len(groups) == 1:
                        continue
                    pieces = sorted(groups.items(), key=lambda g: (len(g[1]), g[0]))
                    if whole:  # the largest keeps the number
                        pieces.pop()
                    new = [self._split(old, piece) for _, piece in pieces]
                    todo.update(dict.fromkeys(new))
                    if old not in todo:
                        # What all parts but one tell, the last one tells too.
                        largest = max((old, *new), key=lambda k: len(cells[k]))
                        todo[old] = None
                        del todo[largest]
        return True

    def _even(self, members: list[int] | dict[int, None]) -> bool:
        n = self.n
        return 2 * sum([node < n for node in members]) == len(members)

    def _split(self, old: int, piece: list[int]) -> int:
        """Move nodes of a cell into a new one; return its number."""
        new, members = len(self.cells), self.cells[old]
        for node in piece:
            del members[node]
            self.cell[node] = new
        self.cells.append(dict.fromkeys(piece))
        self.trail.append(old)
        return new

    def _undo(self, mark: int) -> None:
        """Take back all splits but the first `mark`."""
        while len(self.trail) > mark:
            old = self.trail.pop()
            members = self.cells.pop()
            self.cells[old].update(members)
            for node in members:
                self.cell[node] = old

    def _images(self) -> list[int]:
        images = [-1] * self.n
        for members in self.cells:
            node, image = islice(sorted(members), 2)
            images[node] = image - self.n
        return images
