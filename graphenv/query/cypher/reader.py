"""`read_cypher`: Cypher text to a `Query`."""

from __future__ import annotations

from graphenv.query.cypher.clauses import ClauseReader
from graphenv.query.cypher.scopes import Scopes
from graphenv.query.cypher.tokens import MAX_CHARS, MAX_DEPTH, Stop
from graphenv.query.cypher.tree import Body
from graphenv.query.model import Query, QueryIssue
from graphenv.query.schema import Schema

__all__ = ["parse", "read_cypher"]


def parse(
    text: str, *, max_chars: int = MAX_CHARS, max_depth: int = MAX_DEPTH
) -> Body | QueryIssue:
    """Return the clauses of a query, or why it cannot be read; never raises on any text."""
    if len(text) > max_chars:
        reason = f"the query has {len(text)} characters; at most {max_chars} are read"
        return QueryIssue("limit", reason)
    if not text.strip():
        return QueryIssue("empty", "there is no query")
    try:
        reader = ClauseReader(text, max_depth)
        if not reader.tokens[0]:
            return QueryIssue("empty", "there is no query, only comments")
        return reader.statement()
    except Stop as stop:
        return stop.issue


def read_cypher(
    text: str,
    schema: Schema | None = None,
    *,
    max_chars: int = MAX_CHARS,
    max_depth: int = MAX_DEPTH,
) -> Query | QueryIssue:
    """Return a query in the form that it shares with SQL, or why it cannot be read.

    Never raises on any text; time is linear in its length.

    Parameters
    ----------
    text
        One reading query in Cypher, as Neo4j takes it.
    schema
        If given, `Query.unknown` lists what it does not have: `("label", name)`,
        `("property", "Label.name")` (or only `"name"` where no label is known), `("relation",
        name)`, `("relation", "Head-NAME->Tail")` where the relation joins other labels, and
        `("direction", "Head-NAME->Tail")` where it points the other way. Variables that nothing
        defines are listed as `("variable", name)`, with and without a schema.
    max_chars, max_depth
        Longer texts and brackets nested deeper are an issue of the kind `limit`.

    Examples
    --------
    >>> one = read_cypher("MATCH (a:Film)<-[:MADE]-(b {name: 'Ann'}) RETURN a.title AS t")
    >>> two = read_cypher("MATCH (x:Film)<-[:MADE]-(y) WHERE 'Ann' = y.name RETURN x.title")
    >>> one.scope == two.scope
    True
    >>> read_cypher("CREATE (n)").kind
    'unsupported'
    """
    body = parse(text, max_chars=max_chars, max_depth=max_depth)
    if isinstance(body, QueryIssue):
        return body
    scopes = Scopes(schema)
    try:
        scope = scopes.query(body)
    except Stop as stop:
        return stop.issue
    unknown = tuple(("variable", name) for name in scopes.undefined)
    if scopes.names is not None:
        unknown += scopes.names.unknown
    return Query("cypher", text, scope, unknown)
