"""The kept figures as text."""

from __future__ import annotations

from typing import Any

from graphenv.benchmarks.suite import opening

_HEAD = """\
# Triple store: measured

Written by `python -m graphenv.benchmarks.knowledge`; do not edit.

Walks start from random entities and take random moves that have an edge; a walk of h hops follows
h moves one after another, each from the set the last one reached. Both sides of a ratio walk the
same paths in alternating blocks in one process; figures are medians over the rounds, microseconds a
walk. A ratio above 1 means that graphenv is faster.

- **networkx**: `MultiDiGraph` with integer nodes, edges keyed by relation, set comprehensions over
  the bare adjacency dictionaries (its fastest form). Its index is the growth of resident memory
  when the graph is built from integer arrays; its load is text to graph, garbage collector off.
- **dict of dicts**: `{move: {head: [tails]}}`, written by hand for exactly this job.
- **ladybug**: one Cypher query a hop, one table a relation, all threads; rows fetched as Python
  ints. Its index is the database file; its load is COPY from CSV files of ids already split by
  relation (the splitting is not timed).
- **graphenv**: load is text to index; its index is the sum of its arrays, names apart.
"""


def markdown(results: dict[str, Any]) -> str:
    """Return the results as a Markdown page."""
    parts = [_HEAD, *opening(results)]
    for label, data in results["datasets"].items():
        parts.append(
            f"\n## {label}: {data['triples']:,} triples, {data['entities']:,} entities, "
            f"{data['relations']} relations\n"
        )
        parts.append(
            "| | load s | peak MiB | index bytes per triple | times ours |\n|---|---|---|---|---|"
        )
        mine = data["load"]["graphenv"]["index_bytes_per_triple"]
        for name, load in data["load"].items():
            index = load["index_bytes_per_triple"]
            parts.append(
                f"| {name} | {load['load_seconds']:.2f} | {load['peak_mb']:,.0f} | {index:.1f} "
                f"| {index / mine:.1f} |"
            )
        names = data["load"]["graphenv"]["names_bytes_per_triple"]
        parts.append(f"\nOur names take another {names:.1f} bytes per triple.\n")
        parts += _walks(data["follow"])
    return "\n".join(parts) + "\n"


def _walks(rows: list[dict[str, Any]]) -> list[str]:
    others = list(dict.fromkeys(row["other"] for row in rows))
    by_key = {(row["other"], row["frontier"], row["hops"]): row for row in rows}
    head = "| frontier | hops | answers | graphenv us |"
    for name in others:
        head += f" {name} us | ratio |"
    lines = [head, "|---|---|---|---|" + "---|---|" * len(others)]
    for frontier, hops in dict.fromkeys((row["frontier"], row["hops"]) for row in rows):
        first = by_key[others[0], frontier, hops]
        line = f"| {frontier:,} | {hops} | {first['answers']:,.0f} | {first['ours_us']:,.1f} |"
        for name in others:
            row = by_key[name, frontier, hops]
            line += f" {row['other_us']:,.1f} | {row['ratio']:.2f} |"
        lines.append(line)
    return lines
