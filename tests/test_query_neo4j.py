"""Neo4j by its driver: the form of its values and errors, and a server where one is named."""

from __future__ import annotations

import dataclasses
import datetime
import os
import pickle
import socket

import pytest

from graphenv.envs.queries.engines.backend import backend
from graphenv.envs.queries.engines.protocol import Database, Limits, QueryBackend
from graphenv.errors import ConfigError, DataError
from graphenv.query.results import QueryError, Rows

neo4j = pytest.importorskip("neo4j", reason="the driver of Neo4j is not installed")

from neo4j import graph, spatial, time  # noqa: E402

from graphenv.envs.queries.engines.neo4j import error, value  # noqa: E402

URL = os.environ.get("GRAPHENV_NEO4J_URL")
needs_server = pytest.mark.skipif(
    not URL, reason="GRAPHENV_NEO4J_URL is not set: it names a Neo4j server to run queries on"
)


def elements() -> tuple[graph.Node, graph.Relationship, graph.Path]:
    """Two nodes and a relationship, as the driver builds them from a server's answer."""
    hydrated = graph.Graph()
    first = graph.Node(hydrated, "4:x:0", 0, ["Person", "Actor"], {"name": "Ann", "born": 1970})
    second = graph.Node(hydrated, "4:x:1", 1, ["Film"], {"tags": ["a", "b"]})
    relation = hydrated.relationship_type("ACTED_IN")(
        hydrated, "5:x:0", 0, {"since": time.Date(2020, 1, 2)}
    )
    relation._start_node, relation._end_node = first, second
    return first, relation, graph.Path(first, relation)


def test_elements_have_no_ids() -> None:
    first, relation, path = elements()
    node = ("Actor&Person", ("born", 1970), ("name", "Ann"))
    assert value(first) == node
    assert value(relation) == ("ACTED_IN", ("since", "2020-01-02"))
    assert value(path) == ("path", node, value(relation), ("Film", ("tags", ("a", "b"))))
    assert value([first, {"b": None, "a": relation}]) == (
        node,
        (("a", value(relation)), ("b", None)),
    )


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, None),
        (True, True),
        (2**60, 2**60),
        ("a", "a"),
        (b"\xaa", "aa"),
        (time.DateTime(2020, 1, 2, 3, 4, 5), "2020-01-02T03:04:05"),
        (time.DateTime(2020, 1, 2, tzinfo=datetime.UTC), "2020-01-02T00:00:00+00:00"),
        (time.DateTime(2020, 1, 2, 3, 4, 5, 123_456_789), "2020-01-02T03:04:05.123456789"),
        (time.Time(1, 2, 3), "01:02:03"),
        (time.Duration(months=14, days=3, seconds=4), "P14M3DT4S"),
        (time.Duration(days=3), "P3DT0S"),
        (spatial.WGS84Point((1.0, 2.5)), ("point", 4326, 1.0, 2.5)),
        (spatial.CartesianPoint((1, 2)), ("point", 7203, 1.0, 2.0)),
        ([[1], []], ((1,), ())),
        ({}, ()),
    ],
)
def test_cells_of_the_driver_become_values(cell: object, expected: object) -> None:
    found = value(cell)
    assert found == expected and type(found) is type(expected)
    hash(found)


def test_a_span_of_time_is_written_as_the_other_engines_write_it() -> None:
    from graphenv.envs.queries.engines.values import canonical

    span = datetime.timedelta(days=3, seconds=4.5)
    assert value(time.Duration(days=3, seconds=4, milliseconds=500)) == canonical(span)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("Neo.ClientError.Statement.SyntaxError", "Invalid input 'RETUR'\n\"MATCH\"", "syntax"),
        ("Neo.ClientError.Statement.SyntaxError", "Unknown function 'foo'", "unsupported"),
        ("Neo.ClientError.Procedure.ProcedureNotFound", "There is no procedure", "unsupported"),
        ("Neo.ClientError.Statement.TypeError", "Expected a Number", "runtime"),
        ("Neo.ClientError.Statement.ArithmeticError", "/ by zero", "runtime"),
        ("Neo.ClientError.Statement.AccessMode", "Writing in read access mode", "refused"),
        ("Neo.ClientError.Security.Forbidden", "Not allowed", "refused"),
        ("Neo.ClientError.Transaction.TransactionTimedOut", "Timed out", "timeout"),
        (
            "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
            "Timed out",
            "timeout",
        ),
        ("Neo.TransientError.General.MemoryPoolOutOfMemoryError", "Too much", "memory"),
    ],
)
def test_errors_of_a_server_have_a_kind(code: str, message: str, kind: str) -> None:
    assert error(code, message) == QueryError(kind, message.split("\n")[0])  # type: ignore[arg-type]


def test_where_nothing_listens_the_user_is_told() -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else can answer there
        taken.bind(("127.0.0.1", 0))
        url = f"bolt://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(DataError, match=r"(?s)connect.*GRAPHENV_NEO4J_USER"):
            backend(Database("neo4j", url, "x")).run("RETURN 1")


def test_something_else_than_a_server_is_told() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        closed = Database("neo4j", f"bolt://127.0.0.1:{listening.getsockname()[1]}", "x")
        import threading

        def hang_up() -> None:
            connection, _ = listening.accept()
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(DataError, match="cannot be opened"):
            backend(closed).run("RETURN 1")
        thread.join()


@pytest.mark.parametrize("url", ["gopher://x", "bolt://"])
def test_a_wrong_url_is_told(url: str) -> None:
    with pytest.raises(DataError, match="cannot be opened"):
        backend(Database("neo4j", url, "x")).run("RETURN 1")


def test_a_url_holds_no_password() -> None:
    with pytest.raises(ConfigError) as caught:
        backend(Database("neo4j", "bolt://eve:secret@127.0.0.1:1", "x"))
    assert "secret" not in str(caught.value) and "GRAPHENV_NEO4J_PASSWORD" in str(caught.value)


def test_the_guard_stands_before_the_server() -> None:
    nowhere = backend(Database("neo4j", "bolt://127.0.0.1:1", "x"))
    for query in ("CREATE (:X)", "CALL dbms.components()", "LOAD CSV FROM 'x' AS r RETURN r"):
        refused = nowhere.run(query)
        assert isinstance(refused, QueryError) and refused.kind == "refused"
    assert not nowhere.counts_work
    assert pickle.loads(pickle.dumps(nowhere)).database == nowhere.database


@pytest.fixture
def server() -> QueryBackend:
    assert URL
    return backend(Database("neo4j", URL, "test"), limits=Limits(seconds=3))


@needs_server
def test_a_server_answers(server: QueryBackend) -> None:
    result = server.run("UNWIND [1, 2] AS x RETURN x, {b: date('2020-01-02')} AS m")
    assert result == Rows(
        ("x", "m"), ((1, (("b", "2020-01-02"),)), (2, (("b", "2020-01-02"),)))
    )  # fmt: skip
    plan = server.check("RETURN 1 AS x")
    assert isinstance(plan, Rows) and plan.rows


@needs_server
@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("MATCH (n RETURN n)", "syntax"),
        ("RETURN nosuchfunction(1)", "unsupported"),
        ("RETURN 1 / 0", "runtime"),
        ("UNWIND range(1, 100000) AS x RETURN x", "size"),
        (
            "UNWIND range(1, 1000000) AS x UNWIND range(1, 1000000) AS y RETURN sum(x * y)",
            "timeout",
        ),
    ],
)
def test_a_server_refuses(server: QueryBackend, query: str, kind: str) -> None:
    result = server.run(query)
    assert isinstance(result, QueryError) and result.kind == kind


@needs_server
def test_a_server_writes_nothing_even_without_the_guard(
    server: QueryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphenv.envs.queries.engines.backend import ENGINES

    asleep = dataclasses.replace(ENGINES["neo4j"], guard=f"{__name__}:let_through")
    monkeypatch.setitem(ENGINES, "neo4j", asleep)
    result = server.run("CREATE (:GraphenvCanary) RETURN 1")
    assert isinstance(result, QueryError) and result.kind == "refused"


def let_through(query: str) -> None:
    """A guard that is asleep."""
