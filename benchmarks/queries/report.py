"""The kept figures as text."""

from __future__ import annotations

from typing import Any

from graphenv.benchmarks.suite import opening, tables

__all__ = ["markdown"]

_HEAD = """\
# Query families: measured

Written by `python -m graphenv.benchmarks.queries`; do not edit. Wall clock, medians; ratios are
paired: both sides did the same work in turn in the same run.
"""

_SPEED = """
## Queries per second

One invented world ({size:,} rows of entities), the same questions for every engine. `point`: a row
by its key; `join`: a path over three tables, grouped and counted. Every query is new (its LIMIT
is), but those of "cached", which repeat the texts just asked.

- **fresh**: open the file in this process, ask, close. The obvious way, and no cage.
- **kept**: one open connection in this process, no cage: what the engine itself takes.
- **cage**: a worker process, one query at a time (`run`); **batch**: many at once (`run_many`) on 1
  or 2 workers.

| engine | query | fresh /s | kept /s | cage /s | batch, 1 worker /s | batch, 2 workers /s \
| cached /s | cage / fresh | batch 2 / fresh | 2 workers / 1 |
|---|---|---|---|---|---|---|---|---|---|---|"""

_STARTING = """
## What a worker costs

Seconds from nothing to the first answer; the same after a SIGKILL of the worker; resident memory
after the first answer and 200 joins later. "Imported": a process that imports the engine's module
by its package, which a worker does not.

| engine | first answer s | after a kill s | at most s | resident MiB | 200 queries later |
|---|---|---|---|---|---|"""

_READING = """
## Reading a query, and its graph

Microseconds per query, median (and 99th percentile). sqlglot: parse and qualify, on the same
queries; it stops at columns that it cannot resolve (`not qualified`). There is no counterpart for
Cypher that is kept up and fast.

| gold | queries | not read | read | graph | clauses | mentions | sqlglot | read / sqlglot \
| not qualified | nodes + edges, median, most |
|---|---|---|---|---|---|---|---|---|---|---|"""

_DISTANCE = """
## Distance of query graphs, beside networkx

`query_ged`'s own costs and budget, milliseconds per pair in a batch on one thread, beside
`networkx.graph_edit_distance` with a limit of {limit_s:g} s (a time-out counts as the limit).
`near`: gold with two planted mistakes; `far`: gold of another question about the same schema.
"networkx too high": finished, and its value is above a distance that was shown by edits (where a
substitution costs what deletion and insertion do, it misses the optimum).

| gold | pairs | | nodes + edges | ours ms | exact | networkx median ms | mean ms | time-outs \
| ratio of medians | of means | networkx too high | ours too high |
|---|---|---|---|---|---|---|---|---|---|---|---|---|"""

_STEP = """
## Share of a GRPO step

64 completions of the tiny policy, one thread. Policy: generating and updating. Play: reading and
running gold and predictions on the database and its two variations, nothing cached. Grade:
`execution + query_ged + schema_linking + component_f1`. Worlds: 1, or 16 (48
databases, a worker each, started when it is first needed).

| | policy s | tokens a completion | worlds | play s | grade s | share of the step |
|---|---|---|---|---|---|---|"""

_GOLD = """
## Gold, and who knows nothing

Gold played in single mode, all splits: right by the truth, and 1.0 under `execution`. Above the
minimum: episodes of players that know nothing which earn more than 0 under `execution`; "gold":
what they wrote has the query graph of the gold (`count(*)` of a table is a question of Spider).

| source | | tasks | right | reward 1.0 | left out | databases per task (tasks) | s |
|---|---|---|---|---|---|---|---|"""

_AGREEMENT = """
## One question, two languages

Gold SQL and gold Cypher of the same synthetic question: equal query graphs, and `query_ged` of the
others (mean over all, least). "Differ": what one graph has and the other has not, in all pairs.

| kind of question | questions | same graph | likeness, mean | least | differ |
|---|---|---|---|---|---|"""

_TRUTH = """
## Wrong queries that pass

Gold with one change each. One database: the published verdict, empty equals empty. With variations:
ours. Some changes leave the query right, so the last column is an upper bound.

| gold | change | tried | pass on one database | with variations |
|---|---|---|---|---|"""


def markdown(results: dict[str, Any]) -> str:
    """Return the results as a Markdown page; sections that were not run are left out."""
    lines = [_HEAD, *opening(results)]
    lines += tables(
        results,
        {
            "speed": _speed,
            "starting": _starting,
            "reading": _reading,
            "distance": _distance,
            "step": _step,
            "gold": _gold,
            "agreement": _agreement,
            "truth": _truth,
        },
    )
    return "\n".join(lines) + "\n"


def _speed(results: dict[str, Any]) -> list[str]:
    lines = [_SPEED.format(size=results["size"])]
    for row in results["speed"]:
        ways = ("fresh", "kept", "one", "batch_1", "batch_2", "cached")
        rates = " | ".join(f"{1e6 / row['us'][way]:,.0f}" for way in ways)
        over = row["fresh_over"]
        lines.append(
            f"| {row['engine']} | {row['shape']} | {rates} | {over['one']:.2f} "
            f"| {over['batch_2']:.2f} | {row['two_over_one']:.2f} |"
        )
    lines.append("\nA ratio above 1 means that the cage is faster.")
    return lines


def _starting(results: dict[str, Any]) -> list[str]:
    lines = [_STARTING]
    for row in results["starting"]:
        if row["engine"] == "imported":
            lines.append(f"| imported | {row['first_s']:.3f} | | | {row['resident_mb']:.0f} | |")
            continue
        lines.append(
            f"| {row['engine']} | {row['first_s']:.3f} | {row['back_s']:.3f} "
            f"| {row['back_most_s']:.3f} | {row['resident_mb']:.0f} "
            f"| {row['resident_after_200_mb']:.0f} |"
        )
    return lines


def _reading(results: dict[str, Any]) -> list[str]:
    lines = [_READING]
    for row in results["reading"]:
        cells = []
        for step in ("read", "graph", "components", "mentions", "sqlglot"):
            us = row["us"].get(step)
            cells.append(f"{us['median']:,.0f} ({us['p99']:,.0f})" if us else "")
        beside = f"{row['read_over_sqlglot']:.2f}" if "read_over_sqlglot" in row else ""
        lines.append(
            f"| {row['set']} | {row['queries']:,} | {row['unread']} | {' | '.join(cells)} "
            f"| {beside} | {row.get('unqualified', '')} "
            f"| {row['size_median']:.0f}, {row['size_most']} |"
        )
    return lines


def _distance(results: dict[str, Any]) -> list[str]:
    rows = results["distance"]
    lines = [_DISTANCE.format(**rows[0])]
    for row in rows:
        some = ">= " if row["time_outs"] else ""
        median = ">= " if row["time_outs"] > row["pairs"] / 2 else ""
        lines.append(
            f"| {row['set']} | {row['pairs']} | {row['kind']} | {row['size_median']:.0f} "
            f"| {row['ours_ms']:.2f} | {row['exact']:.0%} | {row['networkx_median_ms']:,.1f} "
            f"| {row['networkx_mean_ms']:,.1f} | {row['time_outs']} "
            f"| {median}{row['ratio_median']:,.0f} | {some}{row['ratio_mean']:,.0f} "
            f"| {row['networkx_too_high']} | {row['ours_too_high']} |"
        )
    return lines


def _step(results: dict[str, Any]) -> list[str]:
    lines = [_STEP]
    for name, row in results["step"].items():
        for worlds, found in row["worlds"].items():
            lines.append(
                f"| {name} | {row['policy_s']:.2f} | {row['tokens']:.0f} | {worlds} "
                f"| {found['play_s']:.3f} | {found['grade_s']:.3f} | {found['share']:.1%} |"
            )
    return lines


def _gold(results: dict[str, Any]) -> list[str]:
    lines = [_GOLD]
    players: list[str] = []
    for row in results["gold"]:
        left = ", ".join(f"{why}: {count}" for why, count in row["left_out"].items() if count)
        counts = ", ".join(f"{n} ({tasks:,})" for n, tasks in row["databases"].items())
        lines.append(
            f"| {row['source']} | {row['env']} | {row['tasks']:,} | {row['right']:,} "
            f"| {row['full']:,} | {left or 'nothing'} | {counts} | {row['seconds']:.0f} |"
        )
        players = list(row["blind"])
    lines += ["", f"| source | | {' | '.join(f'{p}: above the minimum' for p in players)} |"]
    lines.append("|---" * (2 + len(players)) + "|")
    for row in results["gold"]:
        cells = [_above(counts) for counts in row["blind"].values()]
        lines.append(f"| {row['source']} | {row['env']} | {' | '.join(cells)} |")
    return lines


def _above(counts: dict[str, int]) -> str:
    told = f"{counts['above']} of {counts['episodes']}"
    return f"{told}, {counts['gold']} of them gold" if counts["above"] else told


def _agreement(results: dict[str, Any]) -> list[str]:
    lines = [_AGREEMENT]
    for row in results["agreement"]:
        differ = ", ".join(f"{what} ({count})" for what, count in row["differ"].items())
        lines.append(
            f"| {row['kind']} | {row['questions']} | {row['same'] / row['questions']:.0%} "
            f"| {row['likeness']:.3f} | {row['least']:.3f} | {differ} |"
        )
    total = sum(row["questions"] for row in results["agreement"])
    same = sum(row["same"] for row in results["agreement"])
    mean = sum(row["likeness"] * row["questions"] for row in results["agreement"]) / total
    lines.append(f"| **all** | {total} | {same / total:.0%} | {mean:.3f} | | |")
    return lines


def _truth(results: dict[str, Any]) -> list[str]:
    lines = [_TRUTH]
    for row in results["truth"]:
        what = f"**{row['mistake']}**" if row["mistake"] == "all" else row["mistake"]
        tried = row["tried"]
        cells = [f"{row[k]:,} ({row[k] / tried:.1%})" if tried else "" for k in ("alone", "varied")]
        lines.append(f"| {row['source']} | {what} | {tried:,} | {' | '.join(cells)} |")
    return lines
