"""Edit distance under load: 100,000 truncated runs whose interval must hold, and known values.

make soak          (or: pytest -m soak tests/test_ged_soak.py)
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from graphenv.benchmarks.ged.data import Published, aids, imdb
from graphenv.benchmarks.ged.generate import Pair, multigraph
from graphenv.benchmarks.ged.peers import brute_force
from graphenv.benchmarks.ged.report import fill_page
from graphenv.rewards.ged import EditCosts, GEDResult, apply_edits, ged_batch
from graphenv.rewards.ged.solver import Method
from graphenv.seeding import rng

pytest.importorskip("numba")
pytestmark = pytest.mark.soak

Alike = Callable[[str, str], float]
PAGE = Path(__file__).parent.parent / "docs" / "ged.md"
CHUNKS, PAIRS, BUDGETS_EACH, MOST_NODES = 50, 100, 8, 11
ALWAYS = 10**9


def alike(a: str, b: str) -> float:
    """Return 1 for equal labels, a half for neighbours; labels are n0, n1, n2."""
    return 1.0 - min(2, abs(int(a[1:]) - int(b[1:]))) / 2


def random_costs(dice: np.random.Generator) -> EditCosts:
    """Return costs in steps of 0.1, zeros among them; a substitution never exceeds the others."""

    def one() -> tuple[float, float, float]:
        insert, delete = (int(x) for x in dice.integers(0, 21, 2))
        substitute = int(dice.integers(0, insert + delete + 1))
        return substitute / 10, insert / 10, delete / 10

    weights = {"literal": int(dice.integers(0, 9)) / 4} if dice.random() < 0.5 else {}
    if dice.random() < 0.2:
        return EditCosts(kind_weights=weights)
    return EditCosts(*one(), *one(), kind_weights=weights)


def check(pair: Pair, result: GEDResult, truth: float, what: object) -> None:
    assert result.lower - 1e-9 <= truth <= result.upper + 1e-9, (what, result, truth, pair)


def check_path(pair: Pair, result: GEDResult) -> None:
    path = result.edit_path
    assert sum(edit.cost for edit in path) == pytest.approx(result.upper, abs=1e-9), (pair, result)
    assert apply_edits(pair[0], path).isomorphic_to(pair[1]), (pair, path)


def test_a_hundred_thousand_truncated_runs(record_property: Callable[[str, object], None]):
    start = time.perf_counter()
    runs = opened = paths = judged = 0
    for chunk in range(CHUNKS):
        dice = rng("ged soak", chunk)
        costs = random_costs(dice)
        similarity: Alike | None = alike if dice.random() < 0.3 else None
        pairs = []
        for k in range(PAIRS):
            most = MOST_NODES if k % 4 else 4  # every fourth is small enough for brute force
            a, b = (multigraph(dice, most, directed=k % 2 == 0) for _ in range(2))
            pairs += [(a, b), (b, a)]
        exact = ged_batch(pairs, costs=costs, similarity=similarity, budget=ALWAYS)
        truths = [result.upper for result in exact]
        for k, (pair, result) in enumerate(zip(pairs, exact, strict=True)):
            assert result.exact, (pair, costs)
            if k % 8 < 2 and max(map(len, pair)) <= 4:
                best = brute_force(*pair, costs, similarity)
                assert result.upper == pytest.approx(best, abs=1e-6), (pair, costs, similarity)
                judged += 1
            if costs.symmetric:
                assert result.upper == pytest.approx(truths[k ^ 1], abs=1e-9), (pair, costs)
        budgets = sorted({int(x) for x in dice.integers(1, 51, 4 * BUDGETS_EACH)})
        chosen = [budgets[k * len(budgets) // BUDGETS_EACH] for k in range(BUDGETS_EACH)]
        how: list[tuple[Method, int]] = [("counts", 1), ("bipartite", 1)]
        how += [("search", budget) for budget in chosen]
        found = []
        for method, budget in how:
            results = ged_batch(
                pairs, costs=costs, similarity=similarity, budget=budget, method=method
            )
            found.append(results)
            for k, (pair, result) in enumerate(zip(pairs, results, strict=True)):
                check(pair, result, truths[k], (method, budget, costs, similarity))
                opened += not result.exact
                if (k + budget) % 20 == 0:
                    check_path(pair, result)
                    paths += 1
            runs += len(results)
        for less, more in itertools.pairwise(found[1:]):  # one assignment is a budget of 1
            for pair, wide, narrow in zip(pairs, less, more, strict=True):
                assert wide.lower <= narrow.lower <= narrow.upper <= wide.upper, (pair, costs)
    assert runs >= 100_000
    assert opened > runs // 20  # or nothing was truncated and nothing was tested
    record_property(
        "report",
        f"ged soak: {runs:,} truncated runs, {opened:,} intervals open, none violated; {judged:,} "
        f"pairs judged by brute force; {paths:,} edit paths applied; "
        f"{time.perf_counter() - start:.0f} s",
    )


SETS: dict[str, Callable[[Path], Published]] = {
    "aids": lambda folder: aids(folder, 1_000, valences=False),
    "aids with valences": lambda folder: aids(folder, 1_000, valences=True),
    "imdb": lambda folder: imdb(folder, 100_000),
}


@pytest.mark.data
@pytest.mark.parametrize("name", SETS)
def test_every_known_value(
    name: str, graphenv_data: Path, record_property: Callable[[str, object], None]
):
    data = SETS[name](graphenv_data / "ged")
    assert data.distances is not None
    start = time.perf_counter()
    results = ged_batch(data.pairs, budget=ALWAYS)
    seconds = time.perf_counter() - start
    wrong = [
        (k, result, known)
        for k, (result, known) in enumerate(zip(results, data.distances, strict=True))
        if not (result.exact and result.upper == known)
    ]
    assert wrong == []
    truncated = 0
    for budget in (1, 5, 50):
        for pair, result, known in zip(
            data.pairs, ged_batch(data.pairs, budget=budget), data.distances, strict=True
        ):
            check(pair, result, known, budget)
            truncated += 1
    record_property(
        "report",
        f"ged soak: {name}: {len(results):,} known values equal in {seconds:.0f} s, "
        f"{truncated:,} truncated runs in order",
    )


def test_benchmark_runs_and_reports(tmp_path: Path):
    command = [sys.executable, "-m", "graphenv.benchmarks.ged", "--quick", "--note", "a note"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert all(row["mismatches"] == row["violations"] == 0 for row in results["correctness"])
    assert all(row["mismatches"] == 0 for row in results["networkx"])
    page = (tmp_path / "results.md").read_text()
    for told in ("a note", "## Aims", "Beside networkx", "GRPO-like", "far too large"):
        assert told in page
    filled = fill_page(PAGE.read_text(), results)
    assert filled.count("| budget 1,000 |") == 1
    assert fill_page(filled, results) == filled
