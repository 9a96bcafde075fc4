"""Ladybug's cage for hours: mutated queries by the ten thousand, then the slow attacks."""

from __future__ import annotations

import dataclasses
import os
import re
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from attack_tables import PROBE, SECRET, people, read_attacks, state

from graphenv.envs.queries.engines.backend import backend
from graphenv.envs.queries.engines.cypher_words import Unreadable, words
from graphenv.envs.queries.engines.guard_cypher import refuse_cypher
from graphenv.envs.queries.engines.pool import _pools
from graphenv.envs.queries.engines.protocol import Database, Limits
from graphenv.envs.queries.files.ladybug import write_ladybug
from graphenv.query.results import QueryError, Rows
from graphenv.seeding import rng

pytest.importorskip("ladybug", reason="the engine ladybug is not installed")
pytestmark = pytest.mark.soak

COUNT = int(os.environ.get("GRAPHENV_SOAK", "50000"))
LIMITS = Limits(seconds=0.5, memory_mb=2_048)

GOOD = [
    "MATCH (n:Person) WHERE n.born > 1920 AND NOT n.name = 'p1' RETURN n.name ORDER BY n.born",
    "MATCH (a:Person)-[r:KNOWS]->(b:Person) RETURN a.name, count(DISTINCT b) AS n ORDER BY n DESC",
    "MATCH p = (a:Person {name: 'p3'})-[:KNOWS*1..2]->(b) RETURN b.born, length(p) LIMIT 3",
    "MATCH (n:Person) WITH n.born % 10 AS d, collect(n.name) AS names RETURN d, names[1]",
    "MATCH (n:Person) OPTIONAL MATCH (n)<-[:KNOWS]-(m) WHERE m.born < 1910 RETURN n.name, m.name",
    "MATCH (n:Person) WHERE EXISTS { MATCH (n)-[:KNOWS]->(:Person {name: 'p7'}) } RETURN count(*)",
    "UNWIND [1, 2, NULL] AS x RETURN x, CASE WHEN x > 1 THEN 'a' ELSE toupper('b') END",
    "MATCH (n:Person) RETURN n.name UNION MATCH (m:Person) RETURN m.name AS `n.name`",
    "MATCH (n:Person) WHERE n.name =~ 'p[0-9]' RETURN list_transform([n.born], x -> x + 1)",
    "RETURN date('2020-01-02') + interval('3 days'), cast('1.5' AS DOUBLE), {a: [1], b: 'c'}.a",
    "MATCH (n:Person) RETURN avg(n.born), min(n.name), substring(n.name, 1, 1), label(n) LIMIT 9",
]
SIGNS = "( ) [ ] { } , . : ; | - > < = <> =~ + * / % ^ .. -> <- // /* */ ` ' \" \\ \0"
KEYWORDS = (
    "MATCH WHERE RETURN WITH AS ORDER BY LIMIT SKIP UNWIND UNION ALL DISTINCT AND OR NOT XOR IN IS"
    " CASE WHEN THEN ELSE END EXISTS COUNT OPTIONAL SHORTEST CALL CREATE SET DELETE LOAD COPY x->x"
)
NAMES = (
    "n a b m x r p n.born n.name Person KNOWS count collect size sum range repeat list_sort reverse"
    " regexp_replace substring split_part map date label nodes rels keys id coalesce properties"
    " list_extract concat cast lower tail head struct_pack list_filter upper ceil abs pow hash md5"
)
VALUES = "NULL 0 -1 1.5 9223372036854775807 1e308 '' 'x' \"y\" true [] [1] ['a'] {} {a:1} $x é"
SPICE = f"{SIGNS} {KEYWORDS} {NAMES} {VALUES}".split(" ")
LIKE = {
    "name": NAMES.split(" "),
    "quoted": NAMES.split(" "),
    "string": VALUES.split(" "),
    "number": VALUES.split(" "),
    "sign": SIGNS.split(" "),
}


def mutate(generator: np.random.Generator, seeds: list[str]) -> str:
    """Change a query a little: words for words of their kind, whole words, characters."""
    query = seeds[generator.integers(len(seeds))]
    try:
        found = words(query)
    except Unreadable:
        found = []
    # A word with the space behind it.
    ends = [*(word.start for word in found[1:]), len(query)][: len(found)]
    parts = [query[w.start : end] for w, end in zip(found, ends, strict=True)] or list(query)
    if found and generator.random() < 0.6:
        for _ in range(1 + int(generator.random() < 0.4)):
            at = int(generator.integers(len(found)))
            pool = LIKE.get(found[at].kind, SPICE)
            if found[at].kind != "sign" and found[at].text not in KEYWORDS:
                parts[at] = pool[generator.integers(len(pool))] + " "
        return "".join(parts)
    for _ in range(1 + generator.poisson(0.7)):
        at = int(generator.integers(len(parts) + 1))
        kind = generator.random()
        if kind < 0.3:
            parts.insert(at, f" {SPICE[generator.integers(len(SPICE))]} ")
        elif kind < 0.5 and parts:
            parts[at % len(parts)] = f" {SPICE[generator.integers(len(SPICE))]} "
        elif kind < 0.65 and parts:
            del parts[at % len(parts)]
        elif kind < 0.75 and parts:
            first, other = at % len(parts), int(generator.integers(len(parts)))
            parts[first], parts[other] = parts[other], parts[first]
        elif kind < 0.85:
            parts[at:at] = parts[at : at + int(generator.integers(1, 6))]
        elif kind < 0.95:
            donor = seeds[generator.integers(len(seeds))].split()
            parts[at:] = [" ".join(donor[int(generator.integers(len(donor) + 1)) :])]
        elif parts:
            word = parts[at % len(parts)]
            cut = int(generator.integers(len(word) + 1))
            parts[at % len(parts)] = word[:cut] + chr(int(generator.integers(0x300))) + word[cut:]
    return "".join(parts)


def memory_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ladybug-soak")


@pytest.fixture(scope="module")
def database(folder: Path) -> Database:
    (folder / "canary.csv").write_text(f"{SECRET}\n")
    return write_ladybug(people(), folder / "people.lbug")


def test_mutated_queries(folder: Path, database: Database) -> None:
    queries = backend(database, workers=2, limits=LIMITS)
    expected = queries.run(PROBE)
    assert isinstance(expected, Rows)
    before = state(folder, database)
    names = {"canary": folder / "canary.csv", "out": folder / "out", "folder": folder}
    table = read_attacks("cypher.txt", db=database.location, **names)
    # Attacks that end in a timeout would do so again thousands of times.
    quick = [a.query for a in table if not a.slow and not a.allowed & {"timeout", "memory"}]
    quick = [query for query in quick if len(query) < 300]
    # Most of what the guard refuses it refuses still when mutated, so those are the fewest.
    through = [query for query in quick if refuse_cypher(query) is None]
    seeds = GOOD * 30 + through + quick[::5]
    generator = rng("ladybug soak")
    kinds: Counter[str] = Counter()
    deadly: list[str] = []
    memory: list[tuple[float, float]] = []
    descriptors: list[int] = []
    started = time.perf_counter()
    for done in range(0, COUNT, 500):
        batch = [mutate(generator, seeds) for _ in range(min(500, COUNT - done))]
        at = time.perf_counter()
        results = queries.run_many(batch)
        took = time.perf_counter() - at
        for query, result in zip(batch, results, strict=True):
            kind = result.kind if isinstance(result, QueryError) else "rows"
            kinds[kind] += 1
            assert SECRET not in repr(result), query
            if kind == "crash":
                deadly.append(query)
        slow = sum(isinstance(r, QueryError) and r.kind in ("timeout", "crash") for r in results)
        assert took < 60 + 2 * slow, f"a batch of 500 took {took:.0f} s"
        assert queries.run(f"{PROBE} // {done}") == expected
        pids = [pid for pool in _pools.values() for pid in pool.pids()]
        assert pids
        memory.append((memory_mb(os.getpid()), max(map(memory_mb, pids))))
        descriptors.append(len(list(Path("/proc/self/fd").iterdir())))
    rate = COUNT / (time.perf_counter() - started)
    print(f"\n{COUNT} queries, {rate:.0f} a second: {dict(kinds)}")
    print(f"memory of trainer and largest worker, MB: first {memory[0]}, last {memory[-1]}")
    print(f"largest worker ever {max(worker for _, worker in memory):.0f} MB")
    known = re.compile(r"(?i)\w+ *\( *NULL|290000|-> ")
    for query in [query for query in deadly if not known.search(query)][:60]:
        print("crash:", repr(query[:200]))
    assert kinds["rows"] > COUNT / 10, "the mutations leave too little that runs"
    assert state(folder, database) == before
    settled = len(memory) // 5
    growth = memory[-1][0] - memory[settled][0]
    assert growth < 60, f"the trainer grew by {growth:.0f} MB"  # the cache of results is bounded
    assert descriptors[-1] <= max(descriptors[: settled + 1]) + 2
    assert max(worker for _, worker in memory) < 700


def test_a_worker_does_not_grow(database: Database) -> None:
    queries = backend(dataclasses.replace(database, digest="growth"), limits=LIMITS)
    sizes = []
    for turn in range(10):
        queries.run_many(
            [
                f"MATCH (a:Person)-[:KNOWS]->(b) WHERE a.born > {1900 + i % 50}"
                f" AND b.born <> {turn} RETURN a, b, {i} LIMIT 50"
                for i in range(500)
            ]
        )
        [pid] = next(pool.pids() for key, pool in _pools.items() if "growth" in repr(key))
        sizes.append(memory_mb(pid))
    print("\nmemory of a worker after each 500 queries, MB:", [round(size) for size in sizes])
    assert sizes[-1] - sizes[3] < 30


def test_slow_attacks(folder: Path, database: Database) -> None:
    names = {"canary": folder / "canary.csv", "out": folder / "out", "folder": folder}
    table = read_attacks("cypher.txt", db=database.location, **names)
    assert sum(attack.slow for attack in table) > 10
    for limits in (LIMITS, Limits(seconds=2, memory_mb=2_048)):
        queries = backend(dataclasses.replace(database, digest=f"{limits}"), limits=limits)
        wrong: list[object] = []
        for attack in table:
            started = time.perf_counter()
            result = queries.run(attack.query)
            took = time.perf_counter() - started
            if not attack.ends_well(result) or took > limits.seconds + 5:
                wrong.append((attack.name, result, round(took, 2)))
        assert not wrong
