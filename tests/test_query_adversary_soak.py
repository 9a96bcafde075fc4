"""Reward without being right, and queries that would break the trainer: the large searches.

pytest -m soak -s tests/test_query_adversary_soak.py
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import query_hunt as hunt
from attack_tables import people, read_attacks
from cage_films import SECRET, fill, kind
from query_hunt import FLOORS, OURS
from test_query_adversary import BOTH, bound
from test_query_cage_soak import PLAIN, mutated
from test_query_ladybug_soak import GOOD, mutate

from graphenv.envs.queries.engines import backend as module
from graphenv.envs.queries.engines.backend import backend
from graphenv.envs.queries.engines.cache import ResultCache
from graphenv.envs.queries.engines.pool import close_all, worker_pids
from graphenv.envs.queries.engines.protocol import Database, Limits
from graphenv.envs.queries.files.ladybug import write_ladybug
from graphenv.query.model import Language
from graphenv.query.results import Rows
from graphenv.seeding import rng

pytestmark = pytest.mark.soak
Report = Callable[[str, object], None]


def table(rows: dict[str, dict[str, float]]) -> str:
    """Return rewards by strategy as text."""
    lines = [" " * 28 + "".join(f"{term:>16}" for term in FLOORS)]
    lines += [
        f"{name:28}" + "".join(f"{means[term]:16.3f}" for term in FLOORS)
        for name, means in rows.items()
    ]
    return "\n".join(lines)


@pytest.mark.parametrize("language", BOTH)
def test_floors(language: Language, record_property: Report) -> None:
    found = hunt.floors(language, 200)
    best = hunt.fixed(language, 100, 100)
    record_property("report", f"{language}\n{table({**found, 'best fixed gold': best})}")
    for means in (*found.values(), best):
        assert means["execution"] == 0.0
        assert means[OURS] < 0.2


@pytest.mark.parametrize("language", BOTH)
def test_padding(language: Language, record_property: Report) -> None:
    paid = hunt.padded(language, 150)
    most = {
        term: max((v, name) for (name, t), (v, _) in paid.most.items() if t == term)
        for term in {term for _, term in paid.most}
    }
    record_property("report", f"{language}: {sum(paid.tried.values()):,} padded queries, {most}")
    assert paid.wronged == []
    too_much = {k: v for k, v in paid.most.items() if v[0] > bound(*k)}
    assert not too_much, "\n".join(f"{k} {v}" for k, v in too_much.items())


@pytest.mark.parametrize("language", BOTH)
def test_climbing(language: Language, record_property: Report) -> None:
    found = hunt.climbed(language, 40, 400)
    best = max(wrong for wrong, _, _ in found)
    mean = sum(wrong for wrong, _, _ in found) / len(found)
    right = sum(right for _, right, _ in found)
    record_property(
        "report",
        f"{language}: {40 * 400:,} changes at most; best wrong query {best:.3f}, mean of the best "
        f"{mean:.3f} of 0.5; {right} of 40 climbs came to a right one",
    )
    assert best <= 0.5


@pytest.mark.parametrize("language", BOTH)
def test_mutants(language: Language, record_property: Report) -> None:
    found = hunt.mutants(language, 300)
    lines = [
        f"{name}: {whole:,} wrong, {main:.1%} pass on the main database, {every:.1%} on all"
        for name, (whole, main, every) in (
            ("all", found.rates()),
            ("beside a boundary", found.rates(True)),
            ("other", found.rates(False)),
        )
    ]
    left = dict(found.passed.most_common(8))
    record_property("report", f"{language}: {'; '.join(lines)}; left {left}; equal {found.equal}")
    assert found.rates()[2] < 0.06 and found.rates(False)[2] < 0.03


@pytest.mark.parametrize("engine", ["sqlite", "duckdb", "ladybug"])
def test_two_processes_answer_alike(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Report
) -> None:
    """Nothing of the memory, the time or the queries before is in an answer."""
    monkeypatch.setattr(module, "_cache", ResultCache(cells=1))
    folder = tmp_path / "films"
    folder.mkdir()
    canary = folder / "canary.csv"
    canary.write_text(SECRET)
    names = {"canary": canary, "out": folder / "out", "folder": folder}
    if engine == "ladybug":
        database: Database = write_ladybug(people(), folder / "people.lbug")
        names["db"] = database.path
        tables, plain, change = ["cypher.txt"], GOOD * 30, mutate
    else:
        database = fill(engine, folder / "films.db")
        tables, plain, change = ["sql.txt", f"{engine}.txt"], PLAIN * 60, mutated
    attacks = [a for name in tables for a in read_attacks(name, **names)]
    slow = {"timeout", "memory"}
    seeds = plain + [
        a.query for a in attacks if not a.slow and not a.allowed & slow and len(a.query) < 1_000
    ]
    one = backend(database, limits=Limits(seconds=1.0, work=300_000))
    two = backend(database, limits=Limits(seconds=1.01, work=300_000))
    seen: Counter[str] = Counter()
    for batch in range(200):
        dice = rng("alike", engine, batch)
        texts = [change(dice, seeds) for _ in range(100)]
        answers = one.run_many(texts)
        others = two.run_many(texts[::-1])[::-1]
        for text, a, b in zip(texts, answers, others, strict=True):
            seen[kind(a)] += 1
            if not {kind(a), kind(b)} & {"timeout", "crash", "memory"}:
                assert repr(a) == repr(b), text
        if batch % 10 == 9:
            close_all()
    record_property("report", f"{engine}: 20,000 queries twice, all alike: {dict(seen)}")


def test_a_thousand_kills(tmp_path: Path, record_property: Report) -> None:
    """No zombie, no descriptor, no worker too many, and no query that pays for it."""
    queries = backend(fill("sqlite", tmp_path / "films.db"))
    assert isinstance(queries.run("SELECT 1"), Rows)
    before = len(os.listdir("/proc/self/fd"))
    started = time.monotonic()
    for i in range(1_000):
        for pid in worker_pids():
            os.kill(pid, signal.SIGKILL)
        result = queries.run(f"SELECT {i}")
        assert isinstance(result, Rows) and result.rows == ((i,),)
    took = time.monotonic() - started
    assert len(os.listdir("/proc/self/fd")) <= before
    assert len(worker_pids()) == 1 and len(_children()) == 1
    close_all()
    assert _children() == []
    record_property("report", f"1,000 kills in {took:.0f} s, {before} descriptors at the end too")


def _children() -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == os.getpid():
                found.append(entry.name)
    return found
