"""The cage around query engines: rights, clocks, replacements, caches; SQLite and DuckDB in it."""

from __future__ import annotations

import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from attack_tables import read_attacks
from cage_films import SECRET, digest, fill, kind
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv.envs.queries.engines import backend as module
from graphenv.envs.queries.engines.backend import ENGINES, backend
from graphenv.envs.queries.engines.cache import ResultCache
from graphenv.envs.queries.engines.guard_sql import check_duckdb, check_sqlite
from graphenv.envs.queries.engines.pool import close_all, worker_pids
from graphenv.envs.queries.engines.protocol import Database, Limits, QueryBackend
from graphenv.errors import ConfigError, DataError
from graphenv.query.results import QueryError, Result, Rows

Obedient = Callable[..., QueryBackend]


def cell(result: Result) -> object:
    assert isinstance(result, Rows), result
    return result.rows[0][0]


@pytest.fixture(scope="module", params=["sqlite", "duckdb"])
def films(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Database:
    return fill(request.param, tmp_path_factory.mktemp(request.param) / "films.db")


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Database:
    return fill("sqlite", tmp_path_factory.mktemp("lite") / "films.db")


@pytest.fixture
def obedient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Obedient:
    """Return what makes backends of an engine that does as it is told."""
    row = replace(ENGINES["sqlite"], engine="cage_engine:ObedientEngine", guard="builtins:_Nothing")
    monkeypatch.setitem(ENGINES, "sqlite", row)
    monkeypatch.setattr(module, "load_row", lambda _: lambda query: None)
    monkeypatch.setattr(module, "_cache", ResultCache())

    def make(name: str = "db", **kwargs: object) -> QueryBackend:
        path = tmp_path / name
        path.touch()
        kwargs.setdefault("limits", Limits(seconds=5.0, memory_mb=300))
        return backend(Database("sqlite", str(path), str(path)), **kwargs)  # type: ignore[arg-type]

    return make


@pytest.fixture(autouse=True)
def _no_worker_stays() -> Iterator[None]:
    close_all()  # other files leave idle workers to the tests that come after them
    yield
    close_all()
    assert worker_pids() == []


def gone(pid: int, seconds: float = 5.0) -> bool:
    """Wait for a process to end; a zombie has not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.02)
    return False


# -- rights ---------------------------------------------------------------------------------------


def test_a_worker_has_no_rights(obedient: Obedient, tmp_path: Path) -> None:
    canary, out = tmp_path / "canary", tmp_path / "out"
    canary.write_text(SECRET)
    queries = obedient()
    assert cell(queries.run("select limits")) == str([0, 0, 0, 0, 300 * 2**20])
    for query in (f"select read {canary}", f"select write {out}", "select connect"):
        assert queries.run(query) == QueryError("runtime", "OSError")
    assert not out.exists()
    assert cell(queries.run("select print nonsense")) == "printed"
    assert cell(queries.run("select echo still in step")) == "still in step"
    assert kind(queries.run("select fill 1000")) == "memory"
    assert cell(queries.run("select fill 50")) == str(50 * 2**20)


def test_a_worker_knows_nothing_of_the_trainer(
    obedient: Obedient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", SECRET)
    queries = obedient()
    shown = str(cell(queries.run("select environment")))
    assert "API_TOKEN" not in shown and "'/'" in shown and "('UTC', 'UTC')" in shown
    assert cell(queries.run("select modules numpy gymnasium torch networkx sqlglot")) == "[]"


# -- clocks, crashes, replacements ----------------------------------------------------------------


def test_one_stuck_query_costs_only_itself(obedient: Obedient) -> None:
    limits = Limits(seconds=0.3, memory_mb=300)
    queries = obedient(workers=2, limits=limits)
    batch = [f"select echo {i}" for i in range(20)]
    batch[7] = "select sleep 60"
    batch[11] = "select die SIGSEGV"
    started = time.monotonic()
    results = queries.run_many(batch)
    assert time.monotonic() - started < 5
    assert [kind(r) for r in results if kind(r) != "rows"] == ["timeout", "crash"]
    for i in set(range(20)) - {7, 11}:
        assert cell(results[i]) == str(i)


def test_a_killed_worker_is_soon_back(
    films: Database, record_property: Callable[[str, object], None]
) -> None:
    queries = backend(films, limits=Limits(seconds=0.2, work=10**12))
    assert kind(queries.run("SELECT 1")) == "rows"
    slow = "SELECT max(a.title || b.title || c.title) FROM film a, film b, film c, film d, film e"
    if films.engine == "duckdb":
        slow = "SELECT list_sum(range(200000000))"  # does not look at the engine's clock
    before = worker_pids()
    assert kind(queries.run(slow)) in ("timeout", "memory")
    started = time.monotonic()
    assert cell(queries.run("SELECT 'back'")) == "back"
    took = time.monotonic() - started
    assert worker_pids() != before
    record_property("report", f"{films.engine}: a killed worker is back in {1000 * took:.0f} ms")
    assert took < 3  # .5 s on a quiet machine


@pytest.mark.parametrize(
    "query", ["select die SIGSEGV", "select die SIGKILL", "select exit 3", "select raise bug"]
)
def test_a_crash_is_a_status_and_is_not_repeated(obedient: Obedient, query: str) -> None:
    queries = obedient()
    pid = int(str(cell(queries.run("select pid"))))
    first, second = queries.run(query), queries.run(query)
    assert kind(first) == kind(second) == "crash"
    assert isinstance(second, QueryError) and "was not run again" in second.reason
    assert gone(pid)  # and no zombie
    assert cell(queries.run("select echo on")) == "on"
    assert kind(queries.run(query + " ")) == "crash"


def test_an_idle_worker_that_died_is_replaced_without_blame(obedient: Obedient) -> None:
    queries = obedient()
    os.kill(int(str(cell(queries.run("select pid")))), signal.SIGKILL)
    time.sleep(0.1)
    assert cell(queries.run("select echo fine")) == "fine"


def test_what_cannot_be_opened_is_an_error_of_the_user(
    obedient: Obedient, lite: Database, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="cannot be opened by its engine: ValueError: cannot read"):
        obedient("bad").run("select echo x")
    with pytest.raises(DataError, match="the engine died of it"):
        obedient("deadly").run("select echo x")
    assert cell(obedient("good").run("select echo x")) == "x"
    with pytest.raises(DataError, match="is not there"):
        backend(Database("sqlite", str(tmp_path / "none"), "x"))
    with pytest.raises(ConfigError, match="Did you mean 'sqlite'"):
        backend(replace(lite, engine="sqlit"))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="at least one"):
        backend(lite, workers=0)


def test_a_package_that_is_missing_is_named(
    lite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "sqlite", replace(ENGINES["sqlite"], package="no_such_package"))
    with pytest.raises(ConfigError, match=r"pip install \"graphenv\[query\]\""):
        backend(lite)


def test_a_broken_file_is_an_error_of_the_user(tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(DataError, match="file is not a database"):
        backend(Database("sqlite", str(path), "broken")).run("SELECT 1")


def test_workers_end_with_the_trainer(lite: Database) -> None:
    program = (
        "import os, sys\n"
        "from graphenv.envs.queries.engines.backend import backend\n"
        "from graphenv.envs.queries.engines.pool import worker_pids\n"
        "from graphenv.envs.queries.engines.protocol import Database\n"
        f"backend(Database('sqlite', {lite.location!r}, 'x')).run('SELECT 1')\n"
        "print(*worker_pids(), flush=True)\n"
    )
    for end in ("os.kill(os.getpid(), 9)", ""):
        done = subprocess.run([sys.executable, "-c", program + end], capture_output=True, text=True)
        assert gone(int(done.stdout))
        assert done.stderr == ""


# -- processes and threads ------------------------------------------------------------------------


def test_a_copy_and_a_fork_have_workers_of_their_own(obedient: Obedient) -> None:
    queries = obedient()
    pid = cell(queries.run("select pid"))
    copy = pickle.loads(pickle.dumps(queries))
    assert copy.database == queries.database and copy.run("select echo 1") == queries.run(
        "select echo 1"
    )
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            own = cell(queries.run("select pid "))
            os.write(writer, f"{own} {cell(queries.run('select echo child'))}".encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    own, word = os.read(reader, 1000).decode().split()
    os.close(reader)
    os.close(writer)
    assert own != pid and word == "child"
    assert gone(int(own))
    assert cell(queries.run("select pid  ")) == pid


def test_threads_share_workers(obedient: Obedient) -> None:
    queries = obedient(workers=2)
    seen: dict[int, list[object]] = {}

    def work(thread: int) -> None:
        batch = [f"select echo {thread}-{i}" for i in range(30)]
        seen[thread] = [cell(result) for result in queries.run_many(batch)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {t: [f"{t}-{i}" for i in range(30)] for t in range(6)}
    assert 1 <= len(worker_pids()) <= 2


def test_an_interrupted_query_leaves_no_answer_behind(obedient: Obedient) -> None:
    queries = obedient()
    queries.run("select echo warm")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            queries.run("select sleep 3")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert cell(queries.run("select echo mine")) == "mine"


def test_idle_workers_of_other_databases_make_room(
    obedient: Obedient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "sqlite", replace(ENGINES["sqlite"], most=2))
    for i in range(5):
        assert cell(obedient(f"db{i}").run("select echo x")) == "x"
        assert len(worker_pids()) <= 2


# -- results --------------------------------------------------------------------------------------


def test_cached_results_are_those_of_a_fresh_run(
    films: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = backend(films)
    asked = ["SELECT title FROM film WHERE id = 3", "SELECT nope FROM film", "SELECT random()"]
    asked += ["SELECT count(*) FROM film a, film b", "SELECT * FROM film a, film b"]
    fresh = [queries.run(query) for query in asked]
    assert queries.run_many(asked + asked) == fresh + fresh
    monkeypatch.setattr(module, "_cache", ResultCache())
    assert [queries.run(query) for query in asked] == fresh
    assert [queries.counts_work] * 2 == [
        isinstance(r, Rows) and r.work is not None for r in (fresh[0], fresh[3])
    ]


def test_results_do_not_depend_on_the_process(lite: Database) -> None:
    program = (
        "from graphenv.envs.queries.engines.backend import backend\n"
        "from graphenv.envs.queries.engines.protocol import Database, Limits\n"
        f"b = backend(Database('sqlite', {lite.location!r}, 'x'), limits=Limits(work=300_000))\n"
        "print(b.run('SELECT year, count(*) FROM film GROUP BY 1 ORDER BY 2 LIMIT 3'))\n"
        "print(b.run('SELECT count(*) FROM film a, film b, film c'))\n"
    )
    shown = set()
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        shown.add(done.stdout)
    assert len(shown) == 1
    assert "work=" in shown.pop()


def test_a_timeout_of_the_clock_is_tried_again(obedient: Obedient) -> None:
    queries = obedient(limits=Limits(seconds=0.2, memory_mb=300))
    for _ in range(2):
        started = time.monotonic()
        assert kind(queries.run("select sleep 60")) == "timeout"
        assert time.monotonic() - started > 0.2


def test_the_cache_forgets_the_oldest() -> None:
    cache = ResultCache(cells=200)
    for i in range(100):
        cache.put("db", "run", b"%d" % i, Rows(("x",), ((i,),)), sure=True)
    assert cache.get("db", "run", b"0") is None
    assert cache.get("db", "run", b"99") == Rows(("x",), ((99,),))
    cache.put("db", "run", b"big", Rows(("x",), (("y" * 10_000,),)), sure=True)
    assert cache.get("db", "run", b"big") is None
    for kind_, kept in (("timeout", False), ("memory", False), ("schema", True)):
        error = QueryError(kind_, "why")  # type: ignore[arg-type]
        cache.put("db", "run", kind_.encode(), error, sure=False)
        assert (cache.get("db", "run", kind_.encode()) is not None) == kept


def test_limits_of_rows_text_and_work(films: Database) -> None:
    queries = backend(films)
    assert kind(queries.run("SELECT * FROM film", Limits(rows=199))) == "size"
    assert kind(queries.run("SELECT * FROM film", Limits(rows=200))) == "rows"
    assert kind(queries.run("SELECT * FROM film", Limits(chars=1000))) == "size"
    if queries.counts_work:
        cross = "SELECT count(*) FROM film a, film b WHERE a.id < b.id"
        stopped = queries.run(cross, Limits(work=1000))
        assert stopped == QueryError("timeout", "stopped after 1,000 steps of the engine")
        done = queries.run(cross)
        assert isinstance(done, Rows) and done.work is not None and done.work > 40_000


def test_plans(films: Database) -> None:
    queries = backend(films)
    plan = queries.check("SELECT title FROM film WHERE id = 3")
    assert isinstance(plan, Rows) and "film" in str(plan.rows)
    assert kind(queries.check("SELECT nope FROM film")) == "schema"
    assert kind(queries.check("DROP TABLE film")) == "refused"
    assert kind(queries.check("SELECT 1 FORM film")) == "syntax"


def test_values_and_reasons(films: Database) -> None:
    queries = backend(films)
    if films.engine == "duckdb":
        got = queries.run(
            "SELECT 1.5::DECIMAL(3, 1), 2::DECIMAL(3, 1), DATE '2020-01-02', [1, 2], {'a': 1}, "
            "'a'::BLOB, true, NULL, 'nan'::FLOAT, timestamptz '2020-01-01 00:00:00+00'"
        )
        assert isinstance(got, Rows)
        want = (1.5, 2, "2020-01-02", (1, 2), (("a", 1),), "61", True, None, None)
        assert got.rows[0][:9] == want
    else:
        got = queries.run("SELECT cast(x'ff41' AS text), x'00ff', 1e999, 'ü', NULL, 1.0, 1")
        assert isinstance(got, Rows)
        assert got.rows == (("\\xffA", "00ff", float("inf"), "ü", None, 1.0, 1),)
    assert [type(v) for v in queries.run("SELECT 1, 1.0").rows[0]] in (  # type: ignore[union-attr]
        [int, float],
        [int, int],
    )
    for query in ("SELECT nope FROM film", f"SELECT * FROM '{films.location}'"):
        result = queries.run(query)
        assert isinstance(result, QueryError)
        assert str(Path(films.location).parent) not in result.reason
        assert len(result.reason) <= 300 and "\n" not in result.reason


def test_dates_of_sqlite_are_its_own(lite: Database) -> None:
    queries = backend(lite)
    calls = (
        "date('2020-01-31', '+1 month')", "strftime('%Y-%j', 2459000.5)", "time('10:11:12')",
        "datetime('2020-01-01', '-1 second')", "julianday('2000-01-01')", "unixepoch('2000-01-01')",
        "date('x')", "date(NULL)", "strftime('%s', '2000-01-01')", "datetime(0, 'unixepoch')",
    )  # fmt: skip
    query = f"SELECT {', '.join(calls)}"
    with sqlite3.connect(":memory:") as connection:
        want = connection.execute(query).fetchall()
    connection.close()
    got = queries.run(query)
    assert isinstance(got, Rows) and list(got.rows) == want


# -- hostile text ---------------------------------------------------------------------------------


def test_attacks_end_with_a_status(
    films: Database, record_property: Callable[[str, object], None]
) -> None:
    folder = Path(films.location).parent
    canary, out = folder / "canary.csv", folder / "out"
    canary.write_text(f"a,b\n{SECRET},1\n")
    names = {"canary": canary, "out": out, "folder": folder}
    attacks = [
        attack
        for table in ("sql.txt", f"{films.engine}.txt")
        for attack in read_attacks(table, **names)
        if not attack.slow
    ]
    assert len(attacks) >= 200
    queries = backend(films, limits=Limits(seconds=0.4))
    probe = (
        "SELECT count(*), 'A' LIKE 'a', (SELECT group_concat(name) FROM sqlite_master) FROM film"
    )
    normal = queries.run(probe)
    wrong = []
    for number, attack in enumerate(attacks):
        result = queries.run(attack.query)
        if kind(result) == "timeout" and "timeout" not in attack.allowed:  # a busy machine
            result = queries.run(attack.query, Limits(seconds=10))
        if not attack.ends_well(result) or SECRET in repr(result):
            wrong.append((attack.name, result))
        if kind(result) == "rows" or number % 10 == 0:
            after = queries.run(f"{probe} -- {number}")
            if replace_work(after) != replace_work(normal):
                wrong.append((attack.name, after))
    assert wrong == []
    assert canary.read_text() == f"a,b\n{SECRET},1\n"
    canary.unlink()
    assert digest(Path(films.location)) == films.digest
    assert [path.name for path in folder.iterdir()] == ["films.db"]
    record_property("report", f"{films.engine}: {len(attacks)} attacks, none got through")


def replace_work(result: Result) -> Result:
    return replace(result, work=None) if isinstance(result, Rows) else result


@settings(max_examples=150)
@given(st.text(max_size=60), st.text(max_size=200))
def test_no_text_raises(lite: Database, start: str, rest: str) -> None:
    queries = backend(lite)
    for query in (start + rest, f"SELECT {rest}", f"SELECT {start} FROM film WHERE {rest}"):
        for guard in (check_sqlite, check_duckdb):
            answer = guard(query)
            assert answer is None or answer.kind in ("refused", "syntax")
        assert isinstance(queries.run(query), Rows | QueryError)


def test_the_guard_is_quick_on_any_text() -> None:
    started = time.monotonic()
    for text in ("'" * 3_999, "/*" * 2_000, "$$" * 2_000, "[" * 4_000, "e'\\" * 1_300, "$a" * 2_000,
                 '"`[' * 1_300, "-" * 4_000, "$a$b" * 1_000):  # fmt: skip
        for guard in (check_sqlite, check_duckdb):
            guard(text)
            guard(f"SELECT {text}")
    assert time.monotonic() - started < 1
