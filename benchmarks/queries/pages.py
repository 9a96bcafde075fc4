"""The tables of `docs/queries.md` that come out of the kept figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphenv.benchmarks.suite import fill

__all__ = ["fill_page"]


def fill_page(page: str, results: dict[str, Any]) -> str:
    """Return the documentation page with the tables of these results between their marks.

    Sections that were not run keep what they have.
    """
    measured = {n: table(results[n]) for n, table in _TABLES.items() if results.get(n)}
    return fill(page, "queries", measured)


def _truth(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| gold | wrong queries | pass on one database | pass with variations |"]
    lines.append("|---|---|---|---|")
    for row in rows:
        if row["mistake"] == "all":
            alone, varied = (f"{row[k] / row['tried']:.1%}" for k in ("alone", "varied"))
            lines.append(f"| {row['source']} | {row['tried']:,} | {alone} | {varied} |")
    return lines


def _agreement(rows: list[dict[str, Any]]) -> list[str]:
    """One row for all kinds that agree everywhere, then those that do not."""
    lines = ["| kind of question | questions | same graph | likeness |", "|---|---|---|---|"]
    agree = [row for row in rows if row["same"] == row["questions"]]
    whole = sum(row["questions"] for row in agree)
    lines.append(f"| {len(agree)} of {len(rows)} kinds | {whole:,} | 100% | 1.000 |")
    for row in rows:
        if row not in agree:
            share = row["same"] / row["questions"]
            cells = (f"{row['questions']:,}", f"{share:.0%}", f"{row['likeness']:.3f}")
            lines.append(f"| `{row['kind']}` | {' | '.join(cells)} |")
    return lines


def _speed(rows: list[dict[str, Any]]) -> list[str]:
    ways = {
        "fresh": "fresh connection",
        "one": "cage",
        "batch_2": "cage, batch on 2 workers",
        "cached": "the same texts again",
    }
    lines = [f"| engine | query | {' | '.join(ways.values())} |", "|---" * (2 + len(ways)) + "|"]
    for row in rows:
        rates = " | ".join(f"{1e6 / row['us'][way]:,.0f}" for way in ways)
        lines.append(f"| {row['engine']} | {row['shape']} | {rates} |")
    return lines


_TABLES: dict[str, Callable[[list[dict[str, Any]]], list[str]]] = {
    "truth": _truth,
    "agreement": _agreement,
    "speed": _speed,
}
