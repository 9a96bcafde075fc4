"""Where questions for queries come from: one row a source, with the languages of its gold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphenv.envs.queries.sources.base import QuerySource
from graphenv.envs.sources import named_source
from graphenv.errors import ConfigError
from graphenv.query.model import Language

__all__ = ["CYPHER_SOURCES", "LANGUAGES", "SOURCES", "SQL_SOURCES", "QuerySource", "make_source"]

SOURCES: dict[str, str] = {
    "synthetic": "graphenv.envs.queries.sources.synthetic.source:SyntheticQueries",
    "spider": "graphenv.envs.queries.sources.spider:SpiderQueries",
    "bird": "graphenv.envs.queries.sources.bird:BirdQueries",
    "zograscope": "graphenv.envs.queries.sources.zograscope:ZograscopeQueries",
    "neo4j_text2cypher": "graphenv.envs.queries.sources.neo4j_labs:Neo4jText2Cypher",
}

LANGUAGES: dict[str, tuple[Language, ...]] = {
    "synthetic": ("sql", "cypher"),
    "spider": ("sql",),
    "bird": ("sql",),
    "zograscope": ("cypher",),
    "neo4j_text2cypher": ("cypher",),
}
"""The languages that a source has gold in; one with several takes `language=`."""

SQL_SOURCES = {name: row for name, row in SOURCES.items() if "sql" in LANGUAGES[name]}
CYPHER_SOURCES = {name: row for name, row in SOURCES.items() if "cypher" in LANGUAGES[name]}


def make_source(
    name: str,
    language: Language,
    split: str,
    arguments: Mapping[str, Any],
    *,
    also: Iterable[str] = (),
) -> QuerySource:
    """Return the source `name` in a language, for a split.

    `also` is offered beside its own arguments when one is misspelt.

    Raises
    ------
    UnknownNameError
        If there is no such source.
    ConfigError
        If it has no gold in that language, or an argument is unknown or missing.

    Examples
    --------
    >>> make_source("spider", "cypher", "train", {})
    Traceback (most recent call last):
    ...
    graphenv.errors.ConfigError: The source 'spider' has gold in sql, not in cypher. In cypher: \
neo4j_text2cypher, synthetic, zograscope.
    """
    has = LANGUAGES.get(name, (language,))
    if language not in has:
        others = ", ".join(sorted(other for other, its in LANGUAGES.items() if language in its))
        raise ConfigError(
            f"The source {name!r} has gold in {', '.join(has)}, not in {language}. "
            f"In {language}: {others}."
        )
    positional = (language, split) if len(has) > 1 else ()
    source: QuerySource = named_source(
        SOURCES,
        name,
        arguments if positional else {**arguments, "split": split},
        what="queries",
        also=also,
        positional=positional,
    )
    return source
