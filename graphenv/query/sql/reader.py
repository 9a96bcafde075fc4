"""`read_sql`: SQL text as a `Query`, or why it is none."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from graphenv.errors import ConfigError
from graphenv.query.model import Query, QueryIssue
from graphenv.query.schema import Schema
from graphenv.query.sql.catalogue import catalogue
from graphenv.query.sql.limits import Unreadable

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["read_sql"]


class _Library(NamedTuple):
    """The modules that need sqlglot."""

    parse: ModuleType
    scopes: ModuleType


@cache
def _library() -> _Library:
    try:
        from graphenv.query.sql import parse, scopes
    except ImportError as error:
        raise ConfigError(
            f"SQL is read by sqlglot, which cannot be imported ({error}). "
            'Install it: pip install "graphenv[query]"'
        ) from None
    return _Library(parse, scopes)


def read_sql(
    text: str, schema: Schema | None = None, dialect: str = "sqlite"
) -> Query | QueryIssue:
    """Return the query that an SQL text says, in the form of `graphenv.query.model`.

    Any text ends in a `Query` or a `QueryIssue`, in time bounded by 4,000 characters, 50 levels and
    5,000 parts once subqueries are written out.

    What is made the same, beyond what the model says:

    - A subquery in FROM or WITH that only passes rows on is merged with what stands around it; a
      SELECT that only repeats a subquery is that subquery. WITH is written out where it is used.
    - Columns made equal by an inner join are one column: the key that the others refer to (unless
      the schema gives them different types: in SQLite '1' and 1 can be equal keys).
    - Grouping by just what is selected, without aggregates, is DISTINCT. DISTINCT is left out where
      it adds nothing, ORDER BY where nobody sees the order: in IN, EXISTS, on sides of UNION.
    - A name in double quotes that is no column is text, as SQLite takes it (with a schema only).
    - Without a schema, and for names that it lacks, names are in lower case.

    What is kept apart though it often returns the same: IN and OR, a join and IN or EXISTS,
    COUNT(x) and COUNT(*), a LIMIT of one row and MAX.

    A condition of an outer join that is no equality of columns is an operator `optional` in
    `where`. `filter`, `over` (with `partition by`, `order by`) and `desc` are what SQL calls so.

    Parameters
    ----------
    text
        One SELECT statement.
    schema
        Tables, columns and keys. Without it, joins are named by their columns, and a column without
        a table beside several tables belongs to none.
    dialect
        sqlglot's name of the dialect: `sqlite` or `duckdb`; others may be read as well.

    Raises
    ------
    ConfigError
        If sqlglot is missing or has no such dialect.

    Examples
    --------
    >>> text = "SELECT f.title FROM film f JOIN award a ON f.id = a.film WHERE 1990 < year"
    >>> query = read_sql(text)
    >>> [entity.name for entity in query.scope.entities], query.scope.relations[0].name
    (['film', 'award'], 'award.film=film.id')
    >>> query.scope.where[0].name
    '>'
    >>> read_sql("DROP TABLE film")
    QueryIssue(kind='unsupported', reason='DROP is not read; write a query with SELECT')
    """
    library = _library()
    parsed = library.parse.parse(text, dialect)
    if isinstance(parsed, QueryIssue):
        return parsed
    if not library.parse.is_query(parsed.root):
        word = parsed.root.key.upper()
        return QueryIssue("unsupported", f"{word} is not read; write a query with SELECT")
    book = None if schema is None else catalogue(schema)
    reader = library.scopes.ScopeReader(book, dialect, parsed.double)
    try:
        scope = reader.query(parsed.root).scope
    except Unreadable as issue:
        return QueryIssue(issue.kind, issue.reason)
    except RecursionError:
        return QueryIssue("limit", "nested too deep to be read")
    unknown = tuple(reader.unknown) if book is not None else ()
    return Query("sql", text, scope, unknown)
