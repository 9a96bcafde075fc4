"""The first layer of the cage for Cypher: what never reaches an engine.

`refuse_cypher` looks at words, not at a parse, so that it also judges text which the reader of this
project cannot read. It refuses what changes data or settings, reaches files or the network, is not
the same in every run, or is known to harm the engine. It is one layer of five and need not be
complete: behind it are a read-only file, a process without rights, the engine's and the parent's
clock.
"""

from __future__ import annotations

import unicodedata

from graphenv.envs.queries.engines.cypher_words import Unreadable, Word, words
from graphenv.query.results import QueryError

__all__ = ["MAX_CASES", "MAX_CHARS", "MAX_DEPTH", "refuse_cypher"]

MAX_CHARS = 4_000
MAX_DEPTH = 50
# Ladybug's parser takes time exponential in nested CASE.
MAX_CASES = 12


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


FIRST = ("MATCH", "OPTIONAL", "RETURN", "UNWIND", "WITH")
DENIED = _set(
    "ALTER ANALYZE ATTACH BEGIN CALL CHECKPOINT COMMENT COMMIT COPY CREATE CYPHER DATABASE DELETE"
    " DENY DETACH DROP EXPLAIN EXPORT EXTENSION FOREACH FORK FREE GRANT IMPORT INSERT INSTALL LOAD"
    " MACRO MERGE PERIODIC PROFILE PROJECT REMOVE RENAME REVOKE ROLLBACK SET SHOW START STOP"
    " TERMINATE TRANSACTION TRANSACTIONS UNINSTALL UPDATE USE"
)
# After these an operand follows, so a denied word is somebody's variable: `RETURN call`.
_BEFORE_OPERAND = _set(
    "AND AS BY CASE CONTAINS DISTINCT ELSE IN NOT OR RETURN THEN UNWIND WHEN WHERE XOR"
)
# After these signs no clause can begin. `*`, `)`, `]` and `}` can end one; `{` opens a subquery.
_INSIDE = _set(". : | & ! ( [ , = < > <= >= <> =~ + - / % ^ $ ..")

CHANGING = _set(
    "RAND RANDOM RANDOMUUID GEN_RANDOM_UUID SETSEED CURRENT_DATE CURRENT_TIMESTAMP CURRENT_TIME"
    " NEXTVAL CURRVAL NOW TODAY"
)
# With an argument these convert, without one they are the time of day.
CLOCKS = _set("DATE DATETIME TIME LOCALTIME LOCALDATETIME TIMESTAMP")
CLOCK_PARTS = _set("TRANSACTION STATEMENT REALTIME")
# Reads memory as text (or returns an address) where the function returns another type than the
# items have; nothing checks that.
UNSAFE = _set("LIST_REDUCE")
# Namespaces of functions that may run text as a query or look around in the server, and those of
# apoc that only compute.
SERVER = _set("APOC DBMS DB GDS")
PLAIN = _set("AGG COLL CONVERT DATE MAP MATH NUMBER TEMPORAL TEXT")

_OPENING = {"(": ")", "[": "]", "{": "}"}


def refuse_cypher(query: str) -> QueryError | None:
    """Return why a query must not reach an engine, `None` if it may.

    Kind `refused`, or `syntax` for text that is no query at all (empty, an open quote).

    Examples
    --------
    >>> refuse_cypher("MATCH (call:Call) WHERE call.note = 'CREATE' RETURN count(call) AS n")
    >>> refuse_cypher("LOAD FROM 'file' RETURN *").reason
    'A query begins with MATCH, OPTIONAL, RETURN, UNWIND or WITH, not with LOAD.'
    """
    if len(query) > MAX_CHARS:
        return _refused(f"The query has {len(query)} characters; {MAX_CHARS} are allowed.")
    try:
        found = words(query)
    except Unreadable as error:
        return QueryError("syntax", str(error))
    if found and found[-1].text == ";":
        found.pop()
    if not found:
        return QueryError("syntax", "The query is empty.")
    if not found[0].is_name(*FIRST):
        first = f"{', '.join(FIRST[:-1])} or {FIRST[-1]}"
        return _refused(f"A query begins with {first}, not with {found[0].text[:30]}.")
    return _nesting(found) or next(
        (issue for at in range(len(found)) if (issue := _word(found, at))), None
    )


def _nesting(found: list[Word]) -> QueryError | None:
    closing: list[str] = []
    cases = 0
    for word in found:
        if word.text in _OPENING:
            closing.append(_OPENING[word.text])
        elif (
            word.kind == "sign"
            and word.text in ")]}"
            and (not closing or closing.pop() != word.text)
        ):
            return QueryError(
                "syntax", f"{word.text} at character {word.start + 1} closes nothing."
            )
        cases += word.is_name("CASE")
        if len(closing) > MAX_DEPTH or cases > MAX_CASES:
            return _refused(
                f"The query nests deeper than {MAX_DEPTH} brackets or has more than {MAX_CASES}"
                " CASE; write it simpler."
            )
    if closing:
        return QueryError("syntax", f"A {closing[-1]} is missing at the end.")
    return None


def _word(found: list[Word], at: int) -> QueryError | None:
    word = found[at]
    following = found[at + 1].text if at + 1 < len(found) else ""
    if word.text == ";":
        return _refused("Write one query, not several.")
    if word.kind == "parameter":
        return _refused(f"{word.text[:30]} has no value here; write the value itself.")
    if word.kind not in ("name", "quoted"):
        return None
    # A back-tick name can be a function's name, never a clause. Look-alike letters are folded.
    name = unicodedata.normalize("NFKC", word.text.strip("`")).casefold().upper().strip()
    previous = found[at - 1] if at else None
    if following == "(":
        part = previous is not None and previous.text == "."
        if name in CHANGING or (
            found[at + 2].text == ")" and (name in CLOCKS or (part and name in CLOCK_PARTS))
        ):
            return _refused(f"{name.lower()}() gives another value in every run; write a constant.")
        if name in UNSAFE:
            return _refused(f"{name.lower()} is not allowed here; use another function.")
    if following == "." and name in SERVER and not _only_computes(found, at):
        return _refused(f"Functions of {name.lower()} are not allowed here.")
    if word.kind == "quoted" or name not in DENIED or _is_variable(found, at):
        return None
    if name == "CALL" and following in ("{", "("):
        return None  # a subquery of Neo4j: its words are looked at like all others
    return _refused(f"{name} is not allowed: the database is only read, by a plain query.")


def _only_computes(found: list[Word], at: int) -> bool:
    """Whether the dotted name that begins here, of a server's namespace, is harmless."""
    parts = [found[at].text.upper()]
    while at + 2 < len(found) and found[at + 1].text == ".":
        at += 2
        parts.append(found[at].text.upper())
    if at + 1 == len(found) or found[at + 1].text != "(":
        return True  # a property of a variable of this name
    changing = parts[-1].startswith(("RANDOM", "SHUFFLE", "CURRENT"))
    return parts[0] == "APOC" and parts[1] in PLAIN and not changing


def _is_variable(found: list[Word], at: int) -> bool:
    """Whether a word stands where a name does: `(call:Call)`, `x.set`, `RETURN call`."""
    if at + 1 < len(found) and found[at + 1].text in (":", "."):
        return True
    if at == 0:
        return False
    previous = found[at - 1]
    if previous.kind == "sign":
        return previous.text in _INSIDE
    if not previous.is_name(*_BEFORE_OPERAND) or found[at].is_name("TRANSACTIONS"):
        return False
    # `x.return CALL ...`: a name that looks like the keyword is not one.
    return at == 1 or not (found[at - 2].text in (".", ":") or found[at - 2].is_name("AS"))


def _refused(reason: str) -> QueryError:
    return QueryError("refused", reason)
