"""Results: what is equal, how nearly, and when a query is right."""

from __future__ import annotations

import math
import time
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphenv.query.matching import (
    cypher_row_match,
    execution_match,
    mean_row_f1,
    row_f1,
    same_rows,
    suite_match,
)
from graphenv.query.results import QueryError, Rows, Value
from graphenv.seeding import rng


def rows(*given: tuple[Value, ...]) -> Rows:
    return Rows(tuple(f"c{i}" for i in range(len(given[0]))) if given else ("c0",), given)


NONE = rows()
ERROR = QueryError("syntax", "no such thing")

CELLS: list[tuple[Value, Value, bool, str]] = [
    (1, 1.0, True, "a whole number and its float"),
    (1, "1", False, "text is no number"),
    (1, True, False, "a truth value is no number"),
    (0, None, False, "null is no zero"),
    (None, None, True, "null is null"),
    ("", None, False, "empty text is no null"),
    ("Ann", "ann", False, "case counts in data"),
    ("Ann", "Ann ", False, "so does space"),
    (0.1 + 0.2, 0.3, True, "sums in another order"),
    (0.333, 1 / 3, False, "rounding is a difference"),
    (10**15, 10**15 + 1, False, "whole numbers are exact"),
    (1e15, 1e15 + 1, True, "floats are not"),
    (10**400, 1e300, False, "an integer beyond all floats"),
    (math.nan, math.nan, True, "not a number, twice"),
    (math.inf, -math.inf, False, "signs of infinity"),
    (-0.0, 0, True, "zero has no sign"),
    ((1, 2), (2, 1), True, "lists are bags"),
    ((1, 1, 2), (1, 2, 2), False, "bags count"),
    ((1, (2.0, "x")), (("x", 2), 1), True, "nested"),
    (("A",), "A", False, "a list is no cell"),
]


@pytest.mark.parametrize(("a", "b", "equal", "why"), CELLS, ids=[row[3] for row in CELLS])
def test_cells(a: Value, b: Value, equal: bool, why: str):
    assert same_rows(rows((a,)), rows((b,))) is equal, why
    assert same_rows(rows((b,)), rows((a,))) is equal, why
    assert (row_f1(rows((a,)), rows((b,))) == 1.0) is equal, why


def test_too_deep_equals_nothing():
    deep: Value = 1
    for _ in range(600):
        deep = (deep,)
    assert not same_rows(rows((deep,)), rows((deep,)))


tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.tuples(*[st.sampled_from([0, 1, 2, "a", "b", None, 0.5])] * width),
        min_size=1,
        max_size=6,
    )
)


def _same_by_brute_force(a: Rows, b: Rows, ordered: bool) -> bool:
    """Try every order of the columns."""
    if len(a.rows[0]) != len(b.rows[0]):
        return False
    for order in permutations(range(len(a.rows[0]))):
        turned = [tuple(row[c] for c in order) for row in a.rows]
        if (
            turned == list(b.rows)
            if ordered
            else sorted(map(repr, turned)) == sorted(map(repr, b.rows))
        ):
            return True
    return False


@given(tables, st.data())
def test_any_order_of_columns_and_rows_is_found(
    table: list[tuple[Value, ...]], data: st.DataObject
):
    columns = data.draw(st.permutations(range(len(table[0]))))
    turned = [tuple(row[c] for c in columns) for row in table]
    moved = data.draw(st.permutations(turned))
    assert same_rows(rows(*moved), rows(*table))
    assert same_rows(rows(*turned), rows(*table), ordered=True)
    assert row_f1(rows(*moved), rows(*table)) == 1.0


@given(tables, tables, st.booleans())
def test_same_rows_is_the_brute_force(
    a: list[tuple[Value, ...]], b: list[tuple[Value, ...]], o: bool
):
    assert same_rows(rows(*a), rows(*b), o) is _same_by_brute_force(rows(*a), rows(*b), o)


@given(tables, tables)
def test_row_f1_is_bounded_and_1_only_for_equal_rows(
    a: list[tuple[Value, ...]], b: list[tuple[Value, ...]]
):
    value = row_f1(rows(*a), rows(*b))
    assert 0.0 <= value <= 1.0
    assert (value == 1.0) is same_rows(rows(*a), rows(*b))


def test_the_same_values_in_other_columns_are_no_match():
    gold = rows((1, 2), (2, 1), (3, 3))
    assert same_rows(rows((2, 1), (1, 2), (3, 3)), gold)
    assert not same_rows(rows((1, 1), (2, 2), (3, 3)), gold)


GOLD = rows(*((i, f"name {i}") for i in range(10)))


def test_order_counts_where_it_was_asked_for():
    turned = Rows(GOLD.columns, GOLD.rows[::-1])
    assert same_rows(turned, GOLD) and not same_rows(turned, GOLD, ordered=True)


def test_surplus_is_charged():
    def over(count: int) -> Rows:
        return Rows(GOLD.columns, (*GOLD.rows, *((-i, "?") for i in range(count))))

    values = [row_f1(over(n), GOLD) for n in (0, 1, 10, 1000)]
    assert values[0] == 1.0 and values == sorted(set(values), reverse=True)
    assert values[1] == pytest.approx(2 * 20 / 42)
    wide = [row_f1(rows(*((*r, *range(n)) for r in GOLD.rows)), GOLD) for n in (0, 1, 10, 1000)]
    assert wide[0] == 1.0 and wide == sorted(set(wide), reverse=True)
    assert wide[1] == pytest.approx(2 * 20 / 50)
    twice = Rows(GOLD.columns, GOLD.rows * 2)
    assert row_f1(twice, GOLD) == pytest.approx(2 / 3) and not same_rows(twice, GOLD)


def test_partial_rows():
    assert row_f1(rows(*((r[1],) for r in GOLD.rows)), GOLD) == pytest.approx(2 / 3)
    assert row_f1(Rows(GOLD.columns, GOLD.rows[:5]), GOLD) == pytest.approx(2 / 3)
    assert row_f1(rows(*((r[0], "?") for r in GOLD.rows)), GOLD) == pytest.approx(1 / 2)
    assert row_f1(rows(("?", "?")), GOLD) == row_f1(NONE, GOLD) == row_f1(GOLD, NONE) == 0.0
    assert row_f1(NONE, NONE) == 1.0


@pytest.mark.parametrize("kind", ["same", "binary", "shuffled", "latin", "wide"])
def test_no_prediction_takes_long(kind: str):
    """A thousand columns, and columns that hold the same values in other places."""
    generator = rng("tests.matching", kind)
    if kind == "same":
        gold = rows(*((1,) * 600,) * 300)
        predicted = gold
    elif kind == "binary":  # all columns balanced: every bag of values is the same

        def column() -> list[int]:
            return [int(v) for v in generator.permutation([0, 1] * 32)]

        gold = rows(*zip(*(column() for _ in range(200)), strict=True))
        predicted = rows(*zip(*(column() for _ in range(200)), strict=True))
    elif kind == "latin":
        gold = rows(*(tuple((i + j) % 40 for i in range(40)) for j in range(40)))
        predicted = rows(*(tuple((i * 3 + j) % 40 for i in range(40)) for j in range(40)))
    elif kind == "shuffled":
        table = generator.integers(0, 3, size=(400, 60))
        gold = rows(*map(tuple, table.tolist()))
        mixed = table[generator.permutation(400)][:, generator.permutation(60)]
        predicted = rows(*map(tuple, mixed.tolist()))
    else:
        gold, predicted = GOLD, rows(*((7,) * 1000 for _ in range(1000)))
    start = time.process_time()
    found = same_rows(predicted, gold)
    value = row_f1(predicted, gold)
    assert time.process_time() - start < 20  # an outer guard: a search without bounds takes years
    assert found is (kind in ("same", "shuffled", "latin"))
    assert (value == 1.0) is found


# -- several databases ----------------------------------------------------------------------------


def test_empty_is_never_right_for_being_empty():
    assert not execution_match([NONE], [NONE])
    assert not execution_match([NONE, NONE], [NONE, NONE])
    assert execution_match([GOLD, NONE], [GOLD, NONE])
    assert not execution_match([NONE, NONE], [GOLD, NONE])
    assert not execution_match([GOLD, GOLD], [GOLD, NONE]), "rows where the gold has none"
    assert not execution_match([], [])
    assert not execution_match([], [GOLD])


def test_a_lucky_query_fails_on_a_variation():
    lucky, other = rows((3,)), rows((4,))
    assert execution_match([lucky], [lucky])
    assert not execution_match([lucky, lucky], [lucky, other])


def test_errors():
    assert not execution_match([ERROR], [GOLD])
    assert not execution_match([GOLD, ERROR], [GOLD, NONE])
    assert execution_match([GOLD, ERROR], [GOLD, ERROR]), "a gold that fails decides nothing"
    assert not execution_match([ERROR], [ERROR])
    assert mean_row_f1([ERROR, GOLD], [GOLD, GOLD]) == 0.5


def test_accepted_results_are_right_too():
    tied = rows((1, "b"))
    assert not execution_match([tied], [rows((1, "a"))])
    assert execution_match([tied], [rows((1, "a"))], [[tied]])
    assert not execution_match([tied], [NONE], [[tied]]), "the gold still has to find something"


def test_mean_row_f1_pays_nothing_for_agreeing_on_nothing():
    assert mean_row_f1([GOLD, NONE], [GOLD, NONE]) == 1.0
    assert mean_row_f1([NONE, NONE], [GOLD, NONE]) == 0.0
    assert mean_row_f1([GOLD, GOLD], [GOLD, NONE]) == 0.5


def test_published_metrics_and_what_is_wrong_with_them():
    assert suite_match([NONE, NONE], [NONE, NONE]) and not execution_match([NONE] * 2, [NONE] * 2)
    assert suite_match([GOLD], [GOLD]) and not suite_match([ERROR], [ERROR])
    assert cypher_row_match(NONE, NONE)
    assert not cypher_row_match(ERROR, ERROR)
    turned = rows(*(row[::-1] for row in GOLD.rows))
    assert not cypher_row_match(turned, GOLD) and execution_match([turned], [GOLD])
