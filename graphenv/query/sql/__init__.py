"""SQL text to a `Query`, by sqlglot."""

from graphenv.query.sql.reader import read_sql
from graphenv.query.sql.spider_tables import spider_schema

__all__ = ["read_sql", "spider_schema"]
