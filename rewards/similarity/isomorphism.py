"""A bounded search for an isomorphism, so that a copy of the gold is always matched as one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain

from graphenv.graph import Graph
from graphenv.rewards.similarity.wl import wl_colors

__all__ = ["isomorphism"]

_ROUNDS = 3
_STEPS_PER_NODE = 20  # candidates tried; regular graphs without labels may need more

_Around = list[dict[int, Counter[tuple[int, str]]]]


def isomorphism(g1: Graph, g2: Graph) -> list[int] | None:
    """Return the image of each node of `g1` under an isomorphism to `g2`, or `None`.

    `None` if there is none or the bounded search found none. Labels and relations are compared as
    given. Backtracking over nodes with equal colours, always beside what is mapped already: linear
    time wherever colours tell nodes apart up to symmetry.

    >>> g = Graph.from_edges(["a", "b"], [(0, "r", 1)])
    >>> isomorphism(g, Graph.from_edges(["b", "a"], [(1, "r", 0)]))
    [1, 0]
    """
    if (len(g1), g1.num_edges, g1.directed) != (len(g2), g2.num_edges, g2.directed):
        return None
    # The cheap test first: most predictions are no copy.
    for names in zip(*(((n.label, n.kind) for n in g.nodes) for g in (g1, g2)), strict=True):
        if names[0] != names[1]:
            break
    else:
        if g1.edges == g2.edges:
            return list(range(len(g1)))
    colors1, colors2 = wl_colors(g1, g2, _ROUNDS)[-1]
    if sorted(colors1) != sorted(colors2):
        return None
    search = _Search(_around(g1), _around(g2), colors1, colors2)
    return search.run(_STEPS_PER_NODE * (len(g1) + 10))


class _Search:
    """Depth first over the nodes of the first graph, without recursion."""

    def __init__(
        self, around1: _Around, around2: _Around, colors1: list[int], colors2: list[int]
    ) -> None:
        self.around1, self.around2 = around1, around2
        self.colors1 = colors1
        self.order, self.parent = _order(around1, colors1)
        self.images = [-1] * len(colors1)
        self.taken = [False] * len(colors2)
        # Where a node may go: the nodes of its colour, beside the image of its parent (-1: all).
        self.places: dict[tuple[int, int], list[int]] = defaultdict(list)
        for j, color in enumerate(colors2):
            self.places[-1, color].append(j)
            for other in around2[j]:
                self.places[other, color].append(j)
        self.used: Counter[tuple[int, int]] = Counter()

    def run(self, steps: int) -> list[int] | None:
        choices = [self._choices(0)] if self.order else []
        while choices:
            i = self.order[len(choices) - 1]
            if self.images[i] >= 0:  # back from a dead end
                self.taken[self.images[i]] = False
                self.images[i] = -1
            for j in choices[-1]:
                if self.taken[j]:
                    continue
                steps -= 1
                if steps < 0:
                    return None
                if self._fits(i, j):
                    self.images[i], self.taken[j] = j, True
                    break
            if self.images[i] < 0:
                choices.pop()
            elif len(choices) == len(self.order):
                return self.images
            else:
                choices.append(self._choices(len(choices)))
        return None if self.order else []

    def _choices(self, depth: int) -> Iterator[int]:
        node = self.order[depth]
        before = self.parent[node]
        key = (-1 if before < 0 else self.images[before], self.colors1[node])
        places = self.places[key]
        # A thousand twins take one place each: begin where the last one stopped.
        begin = self.used[key] % len(places) if places else 0
        self.used[key] += 1
        return chain(places[begin:], places[:begin])

    def _fits(self, i: int, j: int) -> bool:
        """Return whether i -> j keeps every edge to a node that is mapped."""
        first, second = self.around1[i], self.around2[j]
        if len(first) != len(second):
            return False
        known = 0
        for other, bag in first.items():
            image = j if other == i else self.images[other]
            if image >= 0:
                known += 1
                if second.get(image) != bag:
                    return False
        return known == sum(self.taken[other] or other == j for other in second)


def _around(graph: Graph) -> _Around:
    """Return for each node the bags of edges to each of its neighbours (itself for loops)."""
    around: _Around = [defaultdict(Counter) for _ in graph.nodes]
    out, back = (0, 1) if graph.directed else (2, 2)
    for edge in graph.edges:
        around[edge.head][edge.tail][out, edge.relation] += 1
        around[edge.tail][edge.head][back, edge.relation] += 1
    return around


def _order(around: _Around, colors: list[int]) -> tuple[list[int], list[int]]:
    """Return all nodes, each beside one that came before it (its parent) where there is one."""
    size = Counter(colors)
    order: list[int] = []
    parent = [-1] * len(colors)
    seen = [False] * len(colors)
    for start in sorted(range(len(colors)), key=lambda i: (size[colors[i]], i)):
        if seen[start]:
            continue
        seen[start] = True
        begin = len(order)
        order.append(start)
        while begin < len(order):
            node = order[begin]
            begin += 1
            for other in around[node]:
                if not seen[other]:
                    seen[other] = True
                    parent[other] = node
                    order.append(other)
    return order, parent
