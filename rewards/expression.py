"""Rewards as text: `"gate(format, exact + 0.2*triple_f1)"` parsed by a whitelist, never evaluated.

Grammar: numbers, term names with keyword constants, `+ - *`, division by a number, and the
operators `gate(condition, reward, threshold=1.0)`, `cap(reward, limit)`, `potential(term)`.
`preset('name')` stands for the expression of that name.
"""

from __future__ import annotations

import ast
import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from graphenv.episode import Episode
from graphenv.errors import ConfigError, RewardError, UnknownNameError, did_you_mean
from graphenv.rewards.operators import (
    Cap,
    Constant,
    Gate,
    Leaf,
    Node,
    Potential,
    Product,
    Scale,
    Sum,
)
from graphenv.rewards.presets import PRESETS, preset
from graphenv.rewards.registry import TERMS, make_term, term_class
from graphenv.rewards.terms import Crash, EndTerm, Grade, ShapingTerm, StepTerm, Term, grade_all
from graphenv.score import Part, Score
from graphenv.text import bounded

__all__ = ["ExpressionReward", "parse"]

MAX_EXPRESSION_CHARS = 2_000
MAX_DEPTH = 64
_OPERATORS = {"gate", "cap", "potential"}


class ExpressionReward:
    """A reward made of terms by operators; what `parse` returns.

    Parameters
    ----------
    root
        The expression tree.
    name
        Its canonical text.
    """

    def __init__(self, root: Node, name: str) -> None:
        self._root = root
        self._name = name
        leaves = {leaf.text: leaf for leaf in root.leaves()}
        self._end = {t: leaf.term for t, leaf in leaves.items() if isinstance(leaf.term, EndTerm)}
        self._step_leaves = [leaf for text, leaf in leaves.items() if text not in self._end]
        # The tree never changes, and these are asked for with every episode.
        self._weights = root.weights()
        self._terms = tuple(leaves)
        self._range = root.range
        self._needs = frozenset[str]().union(*(leaf.term.needs for leaf in leaves.values()))

    @property
    def name(self) -> str:
        """Canonical text of the expression."""
        return self._name

    @property
    def range(self) -> tuple[float, float]:
        """The interval that every value lies in, by interval arithmetic over the terms."""
        return self._range

    @property
    def needs(self) -> frozenset[str]:
        """The facts that the terms read."""
        return self._needs

    @property
    def has_shaping(self) -> bool:
        """Whether a potential is among the terms."""
        return any(isinstance(leaf.term, ShapingTerm) for leaf in self._root.leaves())

    @property
    def terms(self) -> tuple[str, ...]:
        """The texts of the distinct terms, in order of appearance."""
        return self._terms

    @property
    def weights(self) -> dict[str, float]:
        """The nominal weight of each term: the product of the factors above it."""
        return dict(self._weights)

    def term_needs(self) -> dict[str, frozenset[str]]:
        """The facts that each term reads, by its text."""
        return {leaf.text: leaf.term.needs for leaf in self._root.leaves()}

    def prepare(self) -> None:
        """Let every term do now what its first use would otherwise wait for."""
        for leaf in self._root.leaves():
            leaf.term.prepare()

    def __call__(self, episodes: Sequence[Episode]) -> list[Score]:
        """Return one score per episode, in order; each distinct term grades the batch once."""
        ended = [i for i, episode in enumerate(episodes) if episode.ended]
        grades: list[dict[str, Grade | Crash]] = [{} for _ in episodes]
        for text, term in self._end.items():
            graded = grade_all(term, [episodes[i] for i in ended]) if ended else []
            for i, grade in zip(ended, graded, strict=True):
                grades[i][text] = grade
        self.look(episodes)
        return [self._score(e, g) for e, g in zip(episodes, grades, strict=True)]

    def look(self, episodes: Sequence[Episode]) -> None:
        """Let step terms and potentials ask once for a whole batch; changes no value.

        Worth it before `last_step` of several running episodes.
        """
        for leaf in self._step_leaves:
            # A crash comes again where the episode that causes it is read, and costs no other.
            with contextlib.suppress(Exception):
                leaf.term.look(episodes)

    def _score(self, episode: Episode, grades: dict[str, Grade | Crash]) -> Score:
        crashes: dict[str, str] = {}
        values: dict[str, float | None] = {}
        info: dict[str, Mapping[str, Any]] = {}
        for text, grade in grades.items():
            if isinstance(grade, Crash):
                crashes[text] = grade.reason
                continue
            values[text] = grade.value
            if grade.info:
                info[text] = grade.info
        steps: list[float] | None = None
        settled = 0.0
        if not crashes:
            try:
                steps = self._root.steps(episode, values)
                settled = self._root.settled(episode, values) if steps else 0.0
                for leaf in self._step_leaves:
                    values[leaf.text] = leaf.total(episode)
                    if details := leaf.term.details(episode):
                        info[leaf.text] = details
            except Exception as error:  # noqa: BLE001 - a crash is a status, as in grade_all
                crashes["step terms"] = f"{type(error).__name__}: {error}"
        parts = {t: Part(values.get(t), self._weights[t]) for t in self._terms}
        if crashes:
            reason = "; ".join(f"{term}: {why}" for term, why in crashes.items())
            return Score(None, (), parts, "error", reason, info)
        if steps is None:
            return Score(None, (), parts, "not_applicable", "no term applies to this task", info)
        low, high = self._range
        total = float(sum(steps))
        if not steps:
            # Nothing was played: there is no turn to pay.
            total = min(max(0.0, low), high)
        return Score(total, tuple(steps), parts, "ok", "", info, settled)

    def last_step(self, episode: Episode) -> float:
        """Return the reward of the latest turn of an episode.

        For a running episode only step terms count; nothing earlier is graded again.

        Raises
        ------
        RewardError
            If a term crashes.
        """
        if episode.ended:
            score = self([episode])[0]
            if score.status == "error":
                raise RewardError(f"reward {self.name!r} crashed: {score.reason}")
            return score.steps[-1] if score.steps else 0.0
        try:
            return self._root.running_step(episode, len(episode.steps) - 1)
        except Exception as error:
            raise RewardError(f"reward {self.name!r} crashed: {error}") from error

    def __repr__(self) -> str:
        return f"parse({self._name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExpressionReward) and other._name == self._name

    def __hash__(self) -> int:
        return hash(("ExpressionReward", self._name))


def parse(text: str) -> ExpressionReward:
    """Return the reward that an expression names.

    Parameters
    ----------
    text
        Numbers, term names (`graphenv list terms`) with keyword constants (`hits(k=3)`), `+ - *`
        (two terms that are multiplied cannot be negative: making one 0 would cancel what the other
        charges), division by a number, and three operators: `gate(condition, reward,
        threshold=1.0)` pays the reward where the condition reaches the threshold, `cap(reward,
        limit)` bounds it from above, `potential(term)` turns a progress term into potential-based
        shaping. A preset
        (`graphenv.rewards.PRESETS`) is written `preset('name')`, or its name alone as the whole
        text; the reward's name then spells it out.

    Raises
    ------
    ConfigError
        If the text is not in the grammar, or operators are put together in a way that has no
        meaning (a potential inside a gate, a verdict inside `potential`) or an escape (a product
        with a cost).
    UnknownNameError
        If a term is unknown; the message offers the nearest names.

    Examples
    --------
    >>> reward = parse("0.7*answer_f1 + 0.3*exact")
    >>> reward.range, sorted(reward.weights.items())
    ((0.0, 1.0), [('answer_f1', 0.7), ('exact', 0.3)])
    >>> parse("gate(format, exact)").name
    'gate(format, exact)'
    """
    if not isinstance(text, str) or not text.strip():
        raise ConfigError(
            f"a reward is an expression such as 'exact + 0.3*answer_f1'; got {text!r}"
        )
    if len(text) > MAX_EXPRESSION_CHARS:
        raise ConfigError(f"a reward expression has at most {MAX_EXPRESSION_CHARS} characters")
    if text.strip() in PRESETS:
        text = preset(text.strip())
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError, UnicodeError) as error:
        raise ConfigError(
            f"reward {bounded(text, 200)!r} is not an expression "
            f"({getattr(error, 'msg', error)}). "
            "Example: 'exact + 0.3*answer_f1'"
        ) from error
    _check_depth(tree)
    tree = _Presets().visit(tree)
    _check_depth(tree)
    node = _node(tree)
    if not isinstance(node, Node):
        raise ConfigError(f"reward {text!r} is a number; it needs at least one term")
    if not list(node.leaves()):
        raise ConfigError(f"reward {text!r} holds no term.{did_you_mean('', TERMS)}")
    reward = ExpressionReward(node, ast.unparse(tree))
    if not all(map(math.isfinite, (*reward.range, *reward.weights.values()))):
        raise ConfigError(f"reward {bounded(text, 200)!r}: its numbers grow beyond all bounds")
    return reward


def _check_depth(tree: ast.expr) -> None:
    """Keep every recursion over the expression, here and later, far from Python's limit."""
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise ConfigError(
        f"a reward expression nests at most {MAX_DEPTH} levels deep; a sum of n terms counts as n"
    )


class _Presets(ast.NodeTransformer):
    """Writes the expression of a preset where its name stands."""

    def visit_Call(self, tree: ast.Call) -> ast.AST:
        if isinstance(tree.func, ast.Name) and tree.func.id == "preset":
            if len(tree.args) == 1 and not tree.keywords:
                return ast.parse(preset(_constant(tree.args[0])), mode="eval").body
            raise ConfigError(f"{ast.unparse(tree)!r}: the form is preset('name')")
        return self.generic_visit(tree)


def _node(tree: ast.expr) -> Node | float:
    if isinstance(tree, ast.Constant):
        if isinstance(tree.value, bool) or not isinstance(tree.value, int | float):
            raise ConfigError(f"{tree.value!r} cannot stand alone in a reward expression")
        return _number(tree.value, "a factor")
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub | ast.UAdd):
        inner = _node(tree.operand)
        sign = -1.0 if isinstance(tree.op, ast.USub) else 1.0
        return sign * inner if isinstance(inner, float) else Scale(sign, inner)
    if isinstance(tree, ast.BinOp):
        return _binary(tree)
    if isinstance(tree, ast.Name):
        return _leaf(tree, tree.id, {})
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        return _call(tree, tree.func.id)
    raise ConfigError(
        f"{ast.unparse(tree)!r} is not allowed in a reward expression: only numbers, terms, "
        "+ - * /, gate(), cap() and potential(). Code of your own enters as "
        "user(function='module:attribute')."
    )


def _binary(tree: ast.BinOp) -> Node | float:
    left, right = _node(tree.left), _node(tree.right)
    if isinstance(tree.op, ast.Add | ast.Sub):
        sign = -1.0 if isinstance(tree.op, ast.Sub) else 1.0
        if isinstance(left, float) and isinstance(right, float):
            return left + sign * right
        first = Constant(left) if isinstance(left, float) else left
        if isinstance(right, float):
            second: Node = Constant(sign * right)
        else:
            second = right if sign > 0 else Scale(-1.0, right)
        # One flat sum, so that the order of writing does not matter to terms that do not apply.
        return Sum(
            tuple(
                part
                for node in (first, second)
                for part in (node.inner if isinstance(node, Sum) else (node,))
            )
        )
    if isinstance(tree.op, ast.Mult):
        if isinstance(left, float):
            return left * right if isinstance(right, float) else Scale(left, right)
        return Scale(right, left) if isinstance(right, float) else Product(left, right)
    if isinstance(tree.op, ast.Div) and isinstance(right, float) and right != 0:
        return left / right if isinstance(left, float) else Scale(1.0 / right, left)
    raise ConfigError(f"{ast.unparse(tree)!r}: only + - * and division by a non-zero number")


def _call(tree: ast.Call, name: str) -> Node:
    given = [k.arg for k in tree.keywords]
    if len(set(given)) < len(given):
        raise ConfigError(f"{ast.unparse(tree)!r}: an argument is given twice")
    if name not in _OPERATORS:
        if tree.args and name in TERMS:
            raise ConfigError(
                f"{ast.unparse(tree)!r}: a term takes keyword constants only, as in hits(k=3)"
            )
        return _leaf(tree, name, {k.arg or "**": _constant(k.value) for k in tree.keywords})
    options = {k.arg or "**": _constant(k.value) for k in tree.keywords}
    operands = [_node(a) for a in tree.args]
    if name == "potential" and len(operands) == 1 and not options:
        return _as_potential(operands[0], ast.unparse(tree))
    if name == "cap" and len(operands) == 2 and not options:
        inner, limit = operands
        if isinstance(inner, Node) and isinstance(limit, float):
            return Cap(inner, limit)
    if name == "gate" and len(operands) == 2 and set(options) <= {"threshold"}:
        condition, inner = operands
        if isinstance(condition, Node) and isinstance(inner, Node):
            threshold = _number(options.get("threshold", 1.0), "gate: threshold")
            return Gate(condition, inner, threshold)
    raise ConfigError(
        f"{ast.unparse(tree)!r}: the forms are gate(condition, reward, threshold=1.0), "
        "cap(reward, limit) and potential(term)"
    )


def _as_potential(node: Node | float, text: str) -> Node:
    if isinstance(node, Potential):
        return node
    raise ConfigError(
        f"{text!r}: only a shaping term has a potential, because it must be defined on every "
        f"state. Shaping terms: {', '.join(n for n in TERMS if term_class(n).kind == 'shaping')}"
    )


def _leaf(tree: ast.expr, name: str, arguments: dict[str, Any]) -> Node:
    if name not in TERMS:
        hint = did_you_mean(name, [*TERMS, *_OPERATORS, "preset"])
        if name in ("success", "truth"):
            hint = (
                " The truth is no reward: it is measured beside it, whatever the reward is." + hint
            )
        raise UnknownNameError(f"reward term {name!r} is unknown.{hint}")
    term: Term = make_term(name, arguments)
    text = ast.unparse(tree)
    if isinstance(term, ShapingTerm):
        return Potential(Leaf(text, term))
    if isinstance(term, EndTerm | StepTerm):
        return Leaf(text, term)
    raise ConfigError(f"term {name!r} is of no known kind")


def _number(value: Any, what: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise ConfigError(f"{what} is a finite number, not {bounded(repr(value), 60)}")


def _constant(tree: ast.expr) -> Any:
    try:
        return ast.literal_eval(tree)
    except (ValueError, TypeError):
        raise ConfigError(
            f"{ast.unparse(tree)!r} is not a constant; arguments of terms are numbers, strings, "
            "booleans or lists of them"
        ) from None
