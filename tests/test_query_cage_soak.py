"""SQLite and DuckDB under 50,000 mutated queries each, and every attack with its time.

make soak-queries          (or: pytest -m soak tests/test_query_cage_soak.py)
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from attack_tables import read_attacks
from cage_films import SECRET, digest, fill, kind

from graphenv.envs.queries.engines import backend as module
from graphenv.envs.queries.engines.backend import backend
from graphenv.envs.queries.engines.cache import ResultCache
from graphenv.envs.queries.engines.pool import close_all, worker_pids
from graphenv.envs.queries.engines.protocol import Database, Limits
from graphenv.query.results import Rows
from graphenv.seeding import rng

pytestmark = pytest.mark.soak

QUERIES, BATCH = 50_000, 250
KEYWORDS = """
SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT OFFSET DISTINCT UNION ALL EXCEPT INTERSECT WITH AS
RECURSIVE JOIN LEFT OUTER CROSS NATURAL ON USING AND OR NOT IN LIKE BETWEEN IS NULL EXISTS CASE WHEN
THEN ELSE END CAST OVER PARTITION FILTER
"""
SIGNS = (
    "* ( ) , . ; ' \" ` [ ] { } -- /* */ = <> < > <= || -> ->> :: $$ + - / % & | ~ << >> ? $1 @x"
)
OPERATORS = "= <> < > <= || + - / % & | << >> LIKE IS IN AND OR"
NAMES = "film title year id f g a b x rowid sqlite_master main temp json_each pragma_table_info"
CALLS = """
count sum avg max min abs length substr round date strftime coalesce group_concat lag lead
row_number ntile nth_value replace hex char instr trim upper printf random total json_extract
json_array quote typeof range unnest list_value list_sum repeat string_agg median lpad rpad hash
md5 to_json greatest reverse regexp_replace regexp_matches date_trunc datediff strptime
struct_pack map list_sort concat array_slice list_aggregate histogram quantile bit_and mode
arg_max first approx_count_distinct
"""
CONSTANTS = """
0 1 -1 2 0.5 100 9223372036854775807 -9223372036854775808 1e308 NULL '' '%' '\\' x'00' 'film\t1'
'2020-01-01' '[1,2]' '{"a":1}' 'now' '$.a' [1,2] {'a':1}
"""
PLAIN = """
SELECT title FROM film WHERE year > 1950 AND id < 100 ORDER BY title DESC LIMIT 5
SELECT year, count(*), max(title) FROM film GROUP BY year HAVING count(*) > 1 ORDER BY 2 DESC
SELECT a.title, b.title FROM film AS a JOIN film AS b ON a.year = b.year WHERE a.id < b.id LIMIT 9
SELECT title FROM film WHERE id IN (SELECT id FROM film WHERE title LIKE 'film 1%') OR year IS NULL
WITH old AS (SELECT * FROM film WHERE year < 1910) SELECT count(*), avg(year) FROM old
SELECT CASE WHEN year > 1950 THEN 'new' ELSE 'old' END AS age, count(*) FROM film GROUP BY 1
SELECT id FROM film EXCEPT SELECT id FROM film WHERE year BETWEEN 1900 AND 1950 ORDER BY id
SELECT title, row_number() OVER (PARTITION BY year ORDER BY id) FROM film LIMIT 20
SELECT substr(title, 1, 4) || '-' || CAST(year AS VARCHAR), round(year / 7.0, 2) FROM film LIMIT 3
SELECT f.title FROM film f WHERE NOT EXISTS (SELECT 1 FROM film g WHERE g.id > f.id)
""".strip().splitlines()
TOKEN = re.compile(r"\s+|'[^']*'|\w+|.", re.S)
KIND = re.compile(rf"(?!(?:{'|'.join(KEYWORDS.split())})$)\w+|'.*|[=<>+*/%-]", re.S | re.I)
LIKE_IT = (  # a token of a kind is mostly replaced by another of it
    (re.compile(r"'.*|\d.*", re.S), CONSTANTS.split()),
    (re.compile("|".join(CALLS.split()), re.I), CALLS.split()),
    (re.compile(r"\w+"), NAMES.split()),
    (re.compile(r"\S"), OPERATORS.split()),
)
ANYTHING = " ".join((KEYWORDS, SIGNS, NAMES, CALLS, CONSTANTS)).split()


def mutated(dice: np.random.Generator, seeds: list[str]) -> str:
    """Return a query with a few changes: mostly words for others of their kind, sometimes worse."""

    def one(items: list[str]) -> str:
        return items[int(dice.integers(len(items)))]

    tokens = TOKEN.findall(one(seeds))
    for _ in range(int(dice.integers(1, 4))):
        where = int(dice.integers(len(tokens) + 1))
        match int(dice.integers(40)):
            case 0:
                del tokens[where : where + int(dice.integers(1, 4))]
            case 1:
                tokens[where:where] = tokens[where : where + int(dice.integers(1, 8))] * 2
            case 2:
                tokens.insert(where, f" {one(ANYTHING)} ")
            case 3:
                other = TOKEN.findall(one(seeds))
                tokens = tokens[:where] + other[int(dice.integers(len(other) + 1)) :]
            case 4:
                tokens.insert(where, chr(int(dice.integers(1, 0x3000))))
            case 5:  # a subquery, or a call, in the place of a word
                inner = one(seeds) if dice.integers(2) else f"{one(NAMES.split())}"
                call = "" if inner.startswith("SELECT") else one(CALLS.split())
                tokens[where : where + 1] = [f"{call}({inner})"]
            case _:
                words = [i for i, token in enumerate(tokens) if KIND.fullmatch(token)]
                if words:
                    i = words[int(dice.integers(len(words)))]
                    tokens[i] = next(
                        (one(kind) for form, kind in LIKE_IT if form.fullmatch(tokens[i])), "0"
                    )
    return "".join(tokens)[:6_000]


def resident(pids: list[int]) -> float:
    """Return the largest memory of the processes, in MB."""
    sizes = []
    for pid in pids:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        assert found
        sizes.append(int(found[1]) / 1024)
    return max(sizes)


@pytest.fixture(params=["sqlite", "duckdb"])
def films(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    folder = tmp_path / "films"
    folder.mkdir()
    return fill(request.param, folder / "films.db")


def names(films: Database) -> dict[str, Path]:
    folder = Path(films.location).parent
    return {"canary": folder / "canary.csv", "out": folder / "out", "folder": folder}


def check_nothing_happened(films: Database) -> None:
    folder = Path(films.location).parent
    assert sorted(path.name for path in folder.iterdir()) == ["canary.csv", "films.db"]
    assert digest(Path(films.location)) == films.digest
    assert SECRET in (folder / "canary.csv").read_text()


def test_mutated_queries(
    films: Database,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    monkeypatch.setattr(module, "_cache", ResultCache(cells=1))  # every query runs
    names(films)["canary"].write_text(SECRET)
    seeds = PLAIN * 60 + [
        attack.query
        for table in ("sql.txt", f"{films.engine}.txt")
        for attack in read_attacks(table, **names(films))
        if not attack.slow and "timeout" not in attack.allowed and len(attack.query) < 1_000
    ]
    limits = Limits(seconds=0.5, work=300_000)
    queries = backend(films, workers=2, limits=limits)
    normal = queries.run("SELECT count(*) FROM film")
    seen: Counter[str] = Counter()
    crashes, early = [], 0.0
    started = time.monotonic()
    for batch in range(QUERIES // BATCH):
        dice = rng("cage soak", batch)
        texts = [mutated(dice, seeds) for _ in range(BATCH)]
        results = queries.run_many(texts)
        assert len(results) == BATCH
        seen.update(map(kind, results))
        assert SECRET not in repr(results)
        crashes += [t for t, r in zip(texts, results, strict=True) if kind(r) == "crash"]
        after = queries.run(f"SELECT count(*) FROM film -- {batch}")
        assert isinstance(after, Rows) and isinstance(normal, Rows)
        assert replace(after, columns=()) == replace(normal, columns=())
        assert len(worker_pids()) <= 2
        if batch == 20:
            early = resident(worker_pids())
    took = time.monotonic() - started
    late = resident(worker_pids())
    check_nothing_happened(films)
    record_property(
        "report",
        f"{films.engine}: {QUERIES:,} mutated queries in {took:.0f} s, {dict(seen.most_common())}, "
        f"worker {early:.0f} MB after {20 * BATCH:,}, {late:.0f} MB at the end; "
        f"crashes: {crashes[:5]}",
    )
    assert seen["rows"] > QUERIES / 50
    assert len(crashes) < QUERIES / 1_000
    assert late < early + 60
    close_all()


def test_every_attack_with_its_time(
    films: Database, record_property: Callable[[str, object], None]
) -> None:
    names(films)["canary"].write_text(SECRET)
    queries = backend(films, limits=Limits(seconds=2.0))
    attacks = [
        attack
        for table in ("sql.txt", f"{films.engine}.txt")
        for attack in read_attacks(table, **names(films))
    ]
    wrong, longest = [], 0.0
    for attack in attacks:
        begun = time.monotonic()
        result = queries.run(attack.query)
        longest = max(longest, time.monotonic() - begun)
        if not attack.ends_well(result) or SECRET in repr(result):
            wrong.append((attack.name, result))
    assert wrong == []
    check_nothing_happened(films)
    record_property(
        "report", f"{films.engine}: {len(attacks)} attacks, the longest took {longest:.1f} s of 2"
    )
    assert longest < 6
    close_all()
