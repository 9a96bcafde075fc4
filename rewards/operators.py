"""The nodes of a reward expression: how term values become turn values.

T is the number of turns. A node gives `steps`, T numbers that sum to its value, or `None` if it
does not apply. `running_step` gives the number of one turn of a running episode; it equals the
entry of `steps` that the finished episode will have at that place (prefix consistency).
Operators that need the end (`gate`, `cap`, products) pay everything on the last turn, what turns
earned as well: the total of a cost or process term differs between episodes, so it means something
as one number. That of a potential does not, which is why these operators refuse one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.rewards.terms import ShapingTerm, StepTerm, Term

__all__ = ["Cap", "Constant", "Gate", "Leaf", "Node", "Potential", "Product", "Scale", "Sum"]

Values = Mapping[str, float | None]


class Node(ABC):
    """One node of a reward expression."""

    @property
    @abstractmethod
    def range(self) -> tuple[float, float]:
        """The interval of the node's value."""

    @abstractmethod
    def leaves(self) -> Iterator[Leaf]:
        """The terms below, in order of appearance."""

    @abstractmethod
    def steps(self, episode: Episode, values: Values) -> list[float] | None:
        """One number per turn, given the values of end terms; `None`: does not apply."""

    def running_step(self, episode: Episode, t: int) -> float:
        """The number of turn `t` while the episode runs."""
        return 0.0

    def settled(self, episode: Episode, values: Values) -> float:
        """What of the value is settled by the end, not earned turn by turn."""
        return sum(self.steps(episode, values) or ())

    def weights(self, factor: float = 1.0) -> dict[str, float]:
        """The nominal weight of each term below."""
        total: dict[str, float] = {}
        for child in self._children():
            for text, weight in child.weights(factor).items():
                total[text] = total.get(text, 0.0) + weight
        return total

    def _children(self) -> tuple[Node, ...]:
        return ()


def _settled(episode: Episode, total: float) -> list[float]:
    """Pay `total` on the last turn of a finished episode, nothing while it runs."""
    turns = len(episode.steps)
    steps = [0.0] * turns
    if episode.ended and turns:
        steps[-1] = total
    return steps


@dataclass(frozen=True)
class Leaf(Node):
    """A verdict, validity, cost or process term; `text` is how it stands in the expression."""

    text: str
    term: Term

    @property
    def range(self) -> tuple[float, float]:
        return self.term.range

    def leaves(self) -> Iterator[Leaf]:
        yield self

    def steps(self, episode: Episode, values: Values) -> list[float] | None:
        if isinstance(self.term, StepTerm):
            if not self.term.applies(episode):
                return None
            return self.term.pays(episode)
        if not episode.ended:
            return [0.0] * len(episode.steps)
        value = values[self.text]
        return None if value is None else _settled(episode, value)

    def running_step(self, episode: Episode, t: int) -> float:
        if isinstance(self.term, StepTerm) and self.term.applies(episode):
            return self.term.pay(episode, t)
        return 0.0

    def settled(self, episode: Episode, values: Values) -> float:
        return 0.0 if isinstance(self.term, StepTerm) else super().settled(episode, values)

    def total(self, episode: Episode) -> float | None:
        """The unweighted total of a step term or a potential, for `Score.parts`."""
        node = Potential(self) if isinstance(self.term, ShapingTerm) else self
        steps = node.steps(episode, {})
        return None if steps is None else sum(steps)

    def weights(self, factor: float = 1.0) -> dict[str, float]:
        return {self.text: factor}


@dataclass(frozen=True)
class Potential(Node):
    """Potential-based shaping of a state value phi, with gamma = 1 and phi = 0 at the end.

    Turn t pays F_t = phi(s_{t+1}) - phi(s_t). Why this changes no optimal policy: along any
    episode s_0 ... s_T the payments telescope to phi(s_T) - phi(s_0), and phi(s_T) is set to 0 at
    every end, whether answered or truncated. So the return of every episode of a task moves by the
    same constant -phi(s_0): it depends on the task alone, not on what the policy did. Adding a
    constant to all returns keeps their order. Were phi(s_T) not 0, a policy could earn it by
    stopping in a state that looks promising, which is the hole that this definition closes.
    (Ng, Harada, Russell, ICML 1999.) It also shows that a learner which sees only returns cannot
    see the shaping: it must be given the turns.
    """

    leaf: Leaf

    @property
    def range(self) -> tuple[float, float]:
        return (-1.0, 0.0)

    def leaves(self) -> Iterator[Leaf]:
        yield self.leaf

    def _phi(self, episode: Episode, turns: int) -> float | None:
        assert isinstance(self.leaf.term, ShapingTerm)
        return self.leaf.term.potential(episode.task, episode.state(turns))

    def steps(self, episode: Episode, values: Values) -> list[float] | None:
        first = self._phi(episode, 0)
        if first is None:
            return None
        levels = [first]
        turns = len(episode.steps)
        for t in range(1, turns + 1):
            at_end = episode.ended and t == turns
            levels.append(0.0 if at_end else self._phi(episode, t) or 0.0)
        return [after - before for before, after in pairwise(levels)]

    def running_step(self, episode: Episode, t: int) -> float:
        first = self._phi(episode, 0)
        if first is None:
            return 0.0
        before = first if t == 0 else self._phi(episode, t) or 0.0
        return (self._phi(episode, t + 1) or 0.0) - before

    def settled(self, episode: Episode, values: Values) -> float:
        return 0.0

    def weights(self, factor: float = 1.0) -> dict[str, float]:
        return {self.leaf.text: factor}


@dataclass(frozen=True)
class Constant(Node):
    """A number added to a reward, paid on the last turn."""

    value: float

    @property
    def range(self) -> tuple[float, float]:
        return (self.value, self.value)

    def leaves(self) -> Iterator[Leaf]:
        yield from ()

    def steps(self, episode: Episode, values: Values) -> list[float]:
        return _settled(episode, self.value)


@dataclass(frozen=True)
class Scale(Node):
    """A factor times a node."""

    factor: float
    inner: Node

    @property
    def range(self) -> tuple[float, float]:
        low, high = (self.factor * bound for bound in self.inner.range)
        return (min(low, high), max(low, high))

    def leaves(self) -> Iterator[Leaf]:
        return self.inner.leaves()

    def steps(self, episode: Episode, values: Values) -> list[float] | None:
        steps = self.inner.steps(episode, values)
        return None if steps is None else [self.factor * step for step in steps]

    def running_step(self, episode: Episode, t: int) -> float:
        return self.factor * self.inner.running_step(episode, t)

    def settled(self, episode: Episode, values: Values) -> float:
        return self.factor * self.inner.settled(episode, values)

    def weights(self, factor: float = 1.0) -> dict[str, float]:
        return self.inner.weights(factor * self.factor)


@dataclass(frozen=True)
class Sum(Node):
    """A sum. Terms that do not apply are left out; if none applies, neither does the sum."""

    inner: tuple[Node, ...]

    @property
    def range(self) -> tuple[float, float]:
        constants = [node.range for node in self.inner if isinstance(node, Constant)]
        ranges = [node.range for node in self.inner if not isinstance(node, Constant)]
        if len(ranges) > 1:  # each of them may be left out beside the others
            ranges = [(min(low, 0.0), max(high, 0.0)) for low, high in ranges]
        ranges += constants
        return (sum(low for low, _ in ranges), sum(high for _, high in ranges))

    def leaves(self) -> Iterator[Leaf]:
        for node in self.inner:
            yield from node.leaves()

    def steps(self, episode: Episode, values: Values) -> list[float] | None:
        parts = [(node, node.steps(episode, values)) for node in self.inner]
        given = [steps for _, steps in parts if steps is not None]
        if not any(s is not None and not isinstance(n, Constant) for n, s in parts):
            return None
        return [sum(column) for column in zip(*given, strict=True)]

    def running_step(self, episode: Episode, t: int) -> float:
        return sum(node.running_step(episode, t) for node in self.inner)

    def settled(self, episode: Episode, values: Values) -> float:
        return sum(node.settled(episode, values) for node in self.inner)

    def _children(self) -> tuple[Node, ...]:
        return self.inner


def _refuse_shaping(operator: str, *nodes: Node) -> None:
    for node in nodes:
        for leaf in node.leaves():
            if isinstance(leaf.term, ShapingTerm):
                raise ConfigError(
                    f"{operator} holds the shaping term {leaf.text!r}: an operator that settles at "
                    "the end would pay a potential in one lump, which is a constant. Add it "
                    f"outside: {operator} + {leaf.text}"
                )


@dataclass(frozen=True)
class Product(Node):
    """The product of two nodes' values, paid on the last turn.

    No factor can be negative: a policy would escape what it is charged by making the other 0.
    """

    left: Node
    right: Node

    def __post_init__(self) -> None:
        _refuse_shaping("a product", self.left, self.right)
        for node in (self.left, self.right):
            if node.range[0] < 0:
                names = " and ".join(dict.fromkeys(leaf.text for leaf in node.leaves()))
                raise ConfigError(
                    f"a product holds a factor that can be negative ({names}, at least "
                    f"{node.range[0]:g}): a policy escapes what it is charged by making the other "
                    "factor 0. Write gate(condition, reward), which lets charges through, or add "
                    "a constant that lifts the factor to 0"
                )

    @property
    def range(self) -> tuple[float, float]:
        corners = [a * b for a in self.left.range for b in self.right.range]
        return (min(corners), max(corners))

    def leaves(self) -> Iterator[Leaf]:
        yield from self.left.leaves()
        yield from self.right.leaves()

    def steps(self, episode: Episode, values: Values) -> list[float] | None:
        left, right = self.left.steps(episode, values), self.right.steps(episode, values)
        if left is None or right is None:
            return None
        return _settled(episode, sum(left) * sum(right))

    def _children(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True)
class Gate(Node):
    """`inner` if `condition` reaches `threshold`, else nothing of what it could have earned.

    A closed gate gives min(0, value): a policy cannot escape a cost by failing the condition.
    """

    condition: Node
    inner: Node
    threshold: float = 1.0

    def __post_init__(self) -> None:
        _refuse_shaping("gate(...)", self.condition, self.inner)

    @property
    def range(self) -> tuple[float, float]:
        low, high = self.inner.range
        return (min(0.0, low), max(0.0, high))

    def leaves(self) -> Iterator[Leaf]:
        yield from self.condition.leaves()
        yield from self.inner.leaves()

    def steps(self, episode: Episode, values: Values) -> list[float] | None:
        condition = self.condition.steps(episode, values)
        inner = self.inner.steps(episode, values)
        if condition is None or inner is None:
            return None
        total = sum(inner)
        is_open = sum(condition) >= self.threshold - 1e-12
        return _settled(episode, total if is_open else min(0.0, total))

    def weights(self, factor: float = 1.0) -> dict[str, float]:
        total = dict.fromkeys(self.condition.weights(0.0), 0.0)
        for text, weight in self.inner.weights(factor).items():
            total[text] = total.get(text, 0.0) + weight
        return total


@dataclass(frozen=True)
class Cap(Node):
    """`inner`, but at most `limit`, paid on the last turn."""

    inner: Node
    limit: float

    def __post_init__(self) -> None:
        _refuse_shaping("cap(...)", self.inner)

    @property
    def range(self) -> tuple[float, float]:
        low, high = self.inner.range
        return (min(low, self.limit), min(high, self.limit))

    def leaves(self) -> Iterator[Leaf]:
        return self.inner.leaves()

    def steps(self, episode: Episode, values: Values) -> list[float] | None:
        inner = self.inner.steps(episode, values)
        return None if inner is None else _settled(episode, min(sum(inner), self.limit))

    def _children(self) -> tuple[Node, ...]:
        return (self.inner,)
