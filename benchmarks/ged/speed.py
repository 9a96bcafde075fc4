"""Part 2: beside networkx on the same pairs, and on the published sets."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphenv.benchmarks.ged.data import published
from graphenv.benchmarks.ged.generate import Pair, pairs
from graphenv.benchmarks.ged.peers import LIMIT, Timed, networkx_ged, to_networkx
from graphenv.benchmarks.ged.stopwatch import ALWAYS, measure
from graphenv.rewards.ged import ged
from graphenv.seeding import rng, sample

__all__ = ["beside_networkx", "on_published"]

REPEATS = 5  # of a single call; its median counts

# Name, nodes, share of edits, pairs that networkx gets, aim of the ratio.
GENERATED: tuple[tuple[str, int, float | None, int, int | None], ...] = (
    ("5 nodes, 25 % edits", 5, 0.25, 100, 100),
    ("5 nodes, unrelated", 5, None, 100, None),
    ("8 nodes, 25 % edits", 8, 0.25, 40, 2_000),
    ("8 nodes, unrelated", 8, None, 8, None),
)
PUBLISHED_PAIRS = {
    "AIDS700nef": 20,
    "AIDS700nef with valences": 8,
    "LINUX": 10,
    "IMDB": 8,
}
AIMS = {"AIDS700nef": 20_000}


def beside_networkx(folder: Path | None, *, quick: bool) -> list[dict[str, Any]]:
    """Return median times of both on the same pairs, their ratio, and networkx's time-outs."""
    limit = 1.0 if quick else LIMIT
    rows = []
    for name, nodes, share, count, aim in GENERATED:
        dice = rng("ged benchmark", "speed", name)
        made = pairs(dice, nodes, max(3, count // 20) if quick else count, share)
        rows.append({"set": name, "aim": aim, **_compare(made, limit)})
        print(rows[-1], flush=True)
    if folder is not None:
        for data in published(folder, imdb_count=1_000):
            size = 2 if quick else PUBLISHED_PAIRS[data.name]
            picked = [data.pairs[k] for k in sample(len(data.pairs), size, "networkx", data.name)]
            rows.append({"set": data.name, "aim": AIMS.get(data.name), **_compare(picked, limit)})
            print(rows[-1], flush=True)
    return rows


def _compare(made: Sequence[Pair], limit: float) -> dict[str, Any]:
    """Time both; where networkx came to an end, the values have to be equal."""
    theirs: list[Timed] = []
    alone = []
    mismatches = 0
    for a, b in made:
        theirs.append(networkx_ged(to_networkx(a), to_networkx(b), limit=limit))
        took = []
        for _ in range(REPEATS):
            start = time.process_time()
            result = ged(a, b, budget=ALWAYS)
            took.append(time.process_time() - start)
        alone.append(statistics.median(took))
        best = theirs[-1].value  # of a search that was cut off, an upper bound
        right = best >= result.upper - 1e-6 if theirs[-1].timed_out else best == result.upper
        mismatches += not (right and result.exact)
    ours = measure(made, rounds=REPEATS)
    median = statistics.median(t.seconds for t in theirs)
    batch = ours.whole / ours.distinct * 1e6
    return {
        "pairs": len(made),
        "networkx_median_ms": median * 1e3,
        "networkx_mean_ms": statistics.fmean(t.seconds for t in theirs) * 1e3,
        "networkx_time_outs": sum(t.timed_out for t in theirs),
        "limit_s": limit,
        "batch_us": batch,
        "core_median_us": ours.core_median_us,
        "batch_mean_us": ours.mean_us,
        "call_median_us": statistics.median(alone) * 1e6,
        "ratio": median * 1e6 / batch,
        "core_ratio": median * 1e6 / ours.core_median_us,
        "call_ratio": median / statistics.median(alone),
        "mean_ratio": statistics.fmean(t.seconds for t in theirs) * 1e6 / ours.mean_us,
        "mismatches": mismatches,
    }


def on_published(folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return mean microseconds per pair of whole exact batches, beside the published solver."""
    rows = []
    counts = (50, 50) if quick else (1_000, 3_000)
    for data in published(folder, counts[0], imdb_count=counts[1]):
        ours = measure(data.pairs, rounds=1 if quick else 3)
        work = sorted(result.expansions for result in ours.results)
        rows.append(
            {
                "set": data.name,
                "pairs": len(data.pairs),
                "distinct": ours.distinct,
                "mean_us": ours.mean_us,
                "call_us": ours.whole / len(data.pairs) * 1e6,
                "solver_mean_us": float(ours.solver.mean()) * 1e6,
                "median_us": ours.median_us,
                "peer_mean_us": data.peer_us,
                "exact": sum(result.exact for result in ours.results) / len(ours.results),
                "work_median": work[len(work) // 2],
                "work_max": work[-1],
            }
        )
        print(rows[-1], flush=True)
    return rows
