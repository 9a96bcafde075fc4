"""Measure loading, memory and 1/2/3-hop walks; write ``results.json`` and ``results.md``."""

from __future__ import annotations

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import networkx as nx

from graphenv.benchmarks.knowledge.contenders import (
    Contender,
    Dictionaries,
    Ladybug,
    NetworkX,
    Ours,
    networkx_graph,
)
from graphenv.benchmarks.knowledge.data import Query, random_walks, write_synthetic
from graphenv.benchmarks.knowledge.report import markdown
from graphenv.benchmarks.machine import machine
from graphenv.benchmarks.suite import data_folder, keep
from graphenv.knowledge import KnowledgeGraph

SIZES = (1, 10, 100, 1_000, 10_000, 100_000)
HOPS = (1, 2, 3)
# Walks a block: enough for the clock at small sizes, seconds in all at large ones.
WALKS = {1: 1000, 10: 300, 100: 60, 1_000: 12, 10_000: 4, 100_000: 2}
SLOW_WALKS = {1: 20, 10: 20, 100: 10, 1_000: 4, 10_000: 2, 100_000: 1}
ROUNDS, SLOW_ROUNDS = 7, 3


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_load(contender: str, file: Path, folder: Path) -> dict[str, Any]:
    """Load one contender in this (fresh) process; return seconds and memory."""
    start = time.perf_counter()
    if contender == "graphenv":
        before = _rss_mb()
        kg = KnowledgeGraph.load(file)
        seconds = time.perf_counter() - start
        size = kg.nbytes
        return {
            "load_seconds": seconds,
            "peak_mb": _peak_mb(),
            "index_bytes_per_triple": size["index"] / len(kg),
            "names_bytes_per_triple": size["names"] / len(kg),
            "resident_bytes_per_triple": (_rss_mb() - before) * 2**20 / len(kg),
        }
    if contender == "networkx":
        graph_seconds, count, index_mb = _load_networkx(file)
        return {
            "load_seconds": graph_seconds,
            "peak_mb": _peak_mb(),
            "index_bytes_per_triple": index_mb * 2**20 / count,
        }
    kg = KnowledgeGraph.load(file)
    database = Ladybug(folder, kg.num_relations)
    seconds = database.create(kg.triple_arrays(), kg.num_entities, folder)
    database.close()
    disk = sum(f.stat().st_size for f in folder.iterdir() if f.is_file())
    return {
        "load_seconds": seconds,
        "peak_mb": _peak_mb(),
        "index_bytes_per_triple": disk / len(kg),
    }


def _load_networkx(file: Path) -> tuple[float, int, float]:
    """Return seconds from text to graph, the number of edges, and MiB of the bare graph."""
    # Millions of new dictionaries keep the collector busy for nothing: networkx at its best.
    gc.disable()
    kg = KnowledgeGraph.load(file)
    columns = kg.triple_arrays()
    del kg
    before = _rss_mb()
    graph = networkx_graph(columns)
    index_mb = _rss_mb() - before
    count = graph.number_of_edges()
    del graph
    separator = "|" if "|" in file.open(encoding="utf-8").readline() else "\t"
    start = time.perf_counter()
    ids: dict[str, int] = {}
    keys: dict[str, int] = {}
    fresh: Any = nx.MultiDiGraph()
    with file.open(encoding="utf-8") as lines:
        fresh.add_edges_from(
            (
                ids.setdefault(h, len(ids)),
                ids.setdefault(t, len(ids)),
                keys.setdefault(r, len(keys)),
            )
            for h, r, t in (line.rstrip("\n").split(separator) for line in lines)
        )
    return time.perf_counter() - start, count, index_mb


def _paired(
    ours: Contender, other: Contender, queries: Sequence[Query], hops: int, rounds: int
) -> dict[str, float]:
    """Time both on the same walks in alternating blocks; medians over the rounds."""
    mine = [(ours.prepare(f), p[:hops]) for f, p in queries]
    theirs = [(other.prepare(f), p[:hops]) for f, p in queries]
    for (f, p), (g, q) in list(zip(mine, theirs, strict=True))[:3]:
        if sorted(ours.walk(f, p)) != sorted(other.walk(g, q)):
            raise AssertionError(f"{ours.name} and {other.name} disagree on {p}")
    a, b = [], []
    for _ in range(rounds):
        t0 = time.perf_counter()
        for f, p in mine:
            ours.walk(f, p)
        t1 = time.perf_counter()
        for f, p in theirs:
            other.walk(f, p)
        t2 = time.perf_counter()
        a.append((t1 - t0) / len(queries) * 1e6)
        b.append((t2 - t1) / len(queries) * 1e6)
    return {
        "ours_us": statistics.median(a),
        "other_us": statistics.median(b),
        "ratio": statistics.median(y / x for x, y in zip(a, b, strict=True)),
        "answers": statistics.fmean(len(list(ours.walk(f, p))) for f, p in mine),
        "walks": len(queries),
        "rounds": rounds,
    }


def measure_follow(file: Path, folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """Walk the same random paths with every contender, paired with ours."""
    kg = KnowledgeGraph.load(file)
    ours = Ours(kg)
    columns, relations = kg.triple_arrays(), kg.num_relations

    def make(name: str) -> Contender:
        if name == "networkx":
            return NetworkX(networkx_graph(columns), relations)
        return Dictionaries(columns, relations) if name[0] == "d" else Ladybug(folder, relations)

    rows = []
    gc.disable()  # a pause for millions of dictionaries would be booked at random
    for name in names:
        other = make(name)
        for size in sorted({min(s, kg.num_entities) for s in SIZES}):
            slow = name == "ladybug"
            step = min(s for s in SIZES if s >= size)
            walks = (SLOW_WALKS if slow else WALKS)[step]
            queries = random_walks(kg, size, walks, max(HOPS), seed=size)
            for hops in HOPS:
                figures = _paired(ours, other, queries, hops, SLOW_ROUNDS if slow else ROUNDS)
                rows.append({"other": name, "frontier": size, "hops": hops, **figures})
                print(json.dumps(rows[-1]), flush=True)
        del other
    return {
        "entities": kg.num_entities,
        "relations": relations,
        "triples": len(kg),
        "follow": rows,
    }


def _child(task: str, contender: str, file: Path, folder: Path) -> dict[str, Any]:
    """Run one measurement in a process of its own: memory is only clean there."""
    command = [sys.executable, "-m", "graphenv.benchmarks.knowledge", "--task", task]
    command += ["--contender", contender, "--file", str(file), "--work", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m graphenv.benchmarks.knowledge")
    parser.add_argument("--triples", type=int, default=10_000_000, help="synthetic triples")
    parser.add_argument("--entities", type=int, default=1_500_000)
    parser.add_argument("--relations", type=int, default=200)
    parser.add_argument("--only", choices=["metaqa", "synthetic"])
    parser.add_argument("--without", nargs="*", default=[], help="contenders to leave out")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    for internal in ("--task", "--contender"):
        parser.add_argument(internal, help=argparse.SUPPRESS)
    for internal in ("--file", "--work"):
        parser.add_argument(internal, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.task == "load":
        print(json.dumps(measure_load(args.contender, args.file, args.work)))
        return
    if args.task == "follow":
        print(json.dumps(measure_follow(args.file, args.work, args.contender.split(","))))
        return

    others = [n for n in ("networkx", "dict of dicts", "ladybug") if n not in args.without]
    measured_on = machine("graphenv", "numpy", "networkx", "ladybug")
    if "ladybug" in others and measured_on["versions"]["ladybug"] == "not installed":
        print("ladybug is not installed: left out (pip install 'graphenv[query]')", file=sys.stderr)
        others.remove("ladybug")
    results: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": measured_on,
        "datasets": {},
    }
    with tempfile.TemporaryDirectory() as work:
        files: dict[str, Path] = {}
        if args.only != "synthetic":
            published = data_folder("kgqa")
            if published is not None:
                files["metaqa"] = published / "metaqa" / "kb.txt"
            else:
                print("GRAPHENV_DATA/kgqa is not there: MetaQA is left out", file=sys.stderr)
        if args.only != "metaqa":
            files["synthetic"] = Path(work) / "synthetic.tsv"
            write_synthetic(files["synthetic"], args.triples, args.entities, args.relations)
        for label, file in files.items():
            folder = Path(work) / label
            folder.mkdir()
            loads = {}
            for name in ("graphenv", *(n for n in others if n != "dict of dicts")):
                loads[name] = _child("load", name, file, folder)
                print(label, name, json.dumps(loads[name]), flush=True)
            # Hand-written dictionaries are a yardstick for speed on the small graph only.
            walked = [n for n in others if label == "metaqa" or n != "dict of dicts"]
            follow = _child("follow", ",".join(walked), file, folder)
            results["datasets"][label] = {"load": loads, **follow}
    page = markdown(results)
    keep(args.out, results, page)
    print(page)


if __name__ == "__main__":
    main()
