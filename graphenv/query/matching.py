"""Whether results are the same, how nearly, and what that says about a query.

Rows are a bag; their order counts only where it was asked for. Columns may stand in any order, and
their names mean nothing. Which cells are equal is said in `graphenv.query.cells`. All work is
bounded: predictions may have a thousand columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from graphenv.query.cells import UNKNOWN, Columns, coded
from graphenv.query.results import Result, Rows

__all__ = [
    "cypher_row_match",
    "execution_match",
    "has_verdict",
    "mean_row_f1",
    "row_f1",
    "same_rows",
    "suite_match",
]

BUDGET = 1_000_000
"""Cells that a search for the order of columns may visit."""
MAX_COLUMNS = 48
"""Columns of either side that `row_f1` looks at; the others are charged all the same."""

Classes = list[int]


def same_rows(predicted: Rows, gold: Rows, ordered: bool = False) -> bool:
    """Return whether two results hold the same rows under some order of the columns.

    Empty results are equal here, whatever their columns: see `execution_match` for what that is
    worth. `ordered` compares the rows in their order, also where a sort key left it open. What is
    not shown to be equal within a budget of counted work is not equal; it takes dozens of columns
    with the same values in other places to get there.

    >>> a = Rows(("name", "age"), (("Ann", 30), ("Bob", 25)))
    >>> same_rows(Rows(("x", "y"), ((25.0, "Bob"), (30, "Ann"))), a)
    True
    >>> same_rows(Rows(("x", "y"), ((25, "Ann"), (30, "Bob"))), a)
    False
    >>> same_rows(Rows(("x", "y"), (("Bob", 25), ("Ann", 30))), a, ordered=True)
    False
    """
    if len(predicted.rows) != len(gold.rows):
        return False
    if not gold.rows:
        return True
    if len(predicted.rows[0]) != len(gold.rows[0]):
        return False
    ours, theirs = coded(predicted, gold)
    if any(UNKNOWN in column for column in ours):
        return False
    if ordered:
        return Counter(map(tuple, ours)) == Counter(map(tuple, theirs))
    return _Pairing(ours, theirs).exists()


class _Pairing:
    """A search for an order of our columns under which the rows are theirs, as bags.

    Their columns are taken one by one, those with the fewest candidates first. After each the
    beginnings of the rows must agree as bags, so a wrong choice shows at once unless columns hold
    the same values in other places.
    """

    def __init__(self, ours: Columns, theirs: Columns) -> None:
        self._ours = ours
        self._bags = [tuple(sorted(column)) for column in ours]
        self._wanted = [tuple(sorted(column)) for column in theirs]
        few = Counter(self._wanted)
        self._order = sorted(range(len(theirs)), key=lambda c: (few[self._wanted[c]], c))
        self._theirs = theirs
        self._used = [False] * len(ours)
        self._budget = BUDGET

    def exists(self) -> bool:
        if Counter(self._bags) != Counter(self._wanted):
            return False
        start = [0] * len(self._theirs[0])
        # A stack of open choices: there may be more columns than Python has levels.
        open_choices = [self._choices(0, start, start)]
        chosen: list[int] = []
        while open_choices:
            step = next(open_choices[-1], None)
            if step is None:
                open_choices.pop()
                if chosen:
                    self._used[chosen.pop()] = False
                continue
            column, ours, theirs = step
            self._used[column] = True
            chosen.append(column)
            if len(chosen) == len(self._order):
                return True
            open_choices.append(self._choices(len(chosen), ours, theirs))
        return False

    def _choices(
        self, depth: int, ours: Classes, theirs: Classes
    ) -> Iterator[tuple[int, Classes, Classes]]:
        """Yield each column of ours that may stand at a depth, and the classes of rows with it."""
        at = self._order[depth]
        tried: set[tuple[int, ...]] = set()
        for column, content in enumerate(self._ours):
            if self._used[column] or self._bags[column] != self._wanted[at]:
                continue
            if self._budget < 0:
                return
            self._budget -= len(content)
            if tuple(content) in tried:  # what a copy of it cannot do, it cannot
                continue
            tried.add(tuple(content))
            left, right = _joined(ours, content, theirs, self._theirs[at])
            if Counter(left) == Counter(right):
                yield column, left, right


def _joined(
    ours: Classes, our_column: Classes, theirs: Classes, their_column: Classes
) -> tuple[Classes, Classes]:
    """Return the classes of rows after one more column: equal numbers on both sides are equal.

    Rows of ours that equal none of theirs get numbers of their own, below 0.
    """
    names: dict[tuple[int, int], int] = {}
    right = [names.setdefault(p, len(names)) for p in zip(theirs, their_column, strict=True)]
    pairs = zip(ours, our_column, strict=True)
    return [names.get(pair, -1 - i) for i, pair in enumerate(pairs)], right


def row_f1(predicted: Rows, gold: Rows) -> float:
    """Return how much of the gold's rows is there, in [0, 1]: F1 over the cells of equal rows.

    2 m k / (cells predicted + cells of the gold), where k columns are paired one to one and m rows
    agree in all k of them, as a bag. Pairs are taken greedily, what keeps most rows first, and the
    best k counts. So a wrong column leaves the others their worth, and every surplus row, column
    and duplicate is charged. A column that says the same in every row, where the gold's does not,
    earns nothing by itself: it can be written without a look at the data. 1 if and only if
    `same_rows`. Two empty results give 1, one empty result gives 0. The order of rows is not looked
    at. Work is bounded as in `same_rows`; what lies beyond earns nothing.

    >>> gold = Rows(("name", "age"), (("Ann", 30), ("Bob", 25)))
    >>> row_f1(Rows(("name",), (("Ann",), ("Bob",))), gold)
    0.6666666666666666
    >>> row_f1(Rows(("name", "age"), (("Ann", 30), ("Bob", 25), ("Cy", 1), ("Di", 2))), gold)
    0.6666666666666666
    """
    if not predicted.rows or not gold.rows:
        return float(len(predicted.rows) == len(gold.rows))
    if same_rows(predicted, gold):
        return 1.0
    ours, theirs = coded(predicted, gold)
    cells = sum(map(len, ours)) + sum(map(len, theirs))
    # By content, so that the value does not depend on where a column stands.
    ours = sorted(ours, key=sorted)[-MAX_COLUMNS:]
    counts = [Counter(column) for column in ours]
    alone = {
        (i, j): (counts[i] & bag).total()
        for j, bag in enumerate(map(Counter, theirs[:MAX_COLUMNS]))
        for i in range(len(ours))
    }
    pairs = sorted((p for p, n in alone.items() if n), key=lambda p: (-alone[p], p))
    flat = {i for i, bag in enumerate(counts) if len(bag) == 1 < bag.total()}
    varied = {j for j, column in enumerate(theirs[:MAX_COLUMNS]) if len(set(column)) > 1}
    mine, yours = [0] * len(predicted.rows), [0] * len(gold.rows)
    best = paired = 0
    budget = BUDGET
    while pairs and budget > 0:
        most = 0
        for i, j in pairs:
            # Pairs stand in the order of what they keep alone; together it is never more.
            if alone[i, j] <= most or budget <= 0:
                break
            if not paired and i in flat and j in varied:
                continue
            budget -= len(mine) + len(yours)
            left, right = _joined(mine, ours[i], yours, theirs[j])
            kept = (Counter(left) & Counter(right)).total()
            if kept > most:
                most, taken, classes = kept, (i, j), (left, right)
        if not most:
            break
        paired += 1
        best = max(best, most * paired)
        mine, yours = classes
        pairs = [p for p in pairs if p[0] != taken[0] and p[1] != taken[1]]
    return 2.0 * best / cells


# -- several databases ----------------------------------------------------------------------------


def has_verdict(gold: Sequence[Result]) -> bool:
    """Return whether results of the gold can tell right from wrong: one of them has rows."""
    return any(isinstance(result, Rows) and result.rows for result in gold)


def execution_match(
    predicted: Sequence[Result],
    gold: Sequence[Result],
    accepted: Sequence[Sequence[Result]] = (),
    *,
    ordered: bool = False,
) -> bool:
    """Return whether a query is right, by what it returns on each database.

    Right if on every database on which the gold runs it returns the rows of the gold or of one of
    the `accepted` queries, and the gold has rows on at least one of them: a query that finds
    nothing is never right for that alone.

    Parameters
    ----------
    predicted, gold
        A result per database, in the same order.
    accepted
        Results of further right queries, each like `gold`.
    ordered
        Whether the order of rows was asked for.

    Examples
    --------
    >>> one, none = Rows(("n",), ((1,),)), Rows(("n",), ())
    >>> execution_match([one, none], [one, none]), execution_match([none], [none])
    (True, False)
    """
    if not has_verdict(gold) or len(predicted) != len(gold):
        return False
    for at, (ours, theirs) in enumerate(zip(predicted, gold, strict=True)):
        if not isinstance(theirs, Rows):
            continue
        right = [theirs, *(result for other in accepted for result in other[at : at + 1])]
        if not isinstance(ours, Rows) or not any(
            isinstance(rows, Rows) and same_rows(ours, rows, ordered) for rows in right
        ):
            return False
    return True


def mean_row_f1(predicted: Sequence[Result], gold: Sequence[Result]) -> float:
    """Return the mean of `row_f1` over the databases where either side has rows, in [0, 1].

    Where the gold does not run nothing is compared; a prediction that does not run has no rows.
    """
    values = []
    for theirs, ours in zip(gold, predicted, strict=True):
        if isinstance(theirs, Rows):
            rows = ours if isinstance(ours, Rows) else Rows((), ())
            if rows.rows or theirs.rows:
                values.append(row_f1(rows, theirs))
    return sum(values) / len(values) if values else 0.0


# -- published metrics, beside the truth ----------------------------------------------------------


def suite_match(
    predicted: Sequence[Result], gold: Sequence[Result], *, ordered: bool = False
) -> bool:
    """Return the verdict of the Spider test suites: equal on every database, empty or not.

    Zhong et al., Semantic evaluation for text-to-SQL with distilled test suites, EMNLP 2020. Two
    empty results are equal there: where the gold finds nothing on any database, so may anything.

    >>> suite_match([Rows(("a",), ())], [Rows(("b",), ())])
    True
    """
    return len(predicted) == len(gold) > 0 and all(
        isinstance(a, Rows) and isinstance(b, Rows) and same_rows(a, b, ordered)
        for a, b in zip(predicted, gold, strict=True)
    )


def cypher_row_match(predicted: Result, gold: Result) -> bool:
    """Return whether one database gives the same bag of rows, columns in the order written.

    The execution accuracy of text-to-Cypher sets: empty equals empty, and a query with the right
    columns in another order is wrong.

    >>> gold = Rows(("a", "b"), ((1, 2),))
    >>> cypher_row_match(gold, gold), cypher_row_match(Rows(("b", "a"), ((2, 1),)), gold)
    (True, False)
    """
    if not (isinstance(predicted, Rows) and isinstance(gold, Rows)):
        return False
    if len(predicted.rows) != len(gold.rows):
        return False
    ours, theirs = coded(predicted, gold)
    return len(ours) == len(theirs) and (
        Counter(zip(*ours, strict=True)) == Counter(zip(*theirs, strict=True))
    )
