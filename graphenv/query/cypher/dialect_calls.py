"""Functions of Neo4j in the words of ladybug 0.22; what it has no words for is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from graphenv.query.cypher.dialect_words import refuse
from graphenv.query.cypher.tree import Term

if TYPE_CHECKING:
    from graphenv.query.cypher.dialect import Dialect

__all__ = ["DATE_PARTS", "call"]

_SAME = frozenset(
    (
        *("abs", "acos", "asin", "atan", "atan2", "avg", "ceil", "ceiling", "coalesce", "collect"),
        *("concat", "cos", "cot", "count", "degrees", "floor", "id", "ifnull", "label", "left"),
        *("list_contains", "list_distinct", "list_max", "list_min", "list_sort", "list_sum"),
        *("ln", "log10", "log2", "lower", "lpad", "ltrim", "max", "min", "monthname", "dayname"),
        *("nullif", "percentilecont", "percentiledisc", "pi", "pow", "radians", "range", "replace"),
        *("right", "rpad", "rtrim", "sign", "sin", "sqrt", "string_split", "sum", "tan"),
        *("tolower", "toupper", "trim", "upper", "date_part", "regexp_matches", "regexp_replace"),
        *("regexp_extract", "list_reverse", "to_int64", "to_double", "to_string", "end_node"),
        *("start_node", "starts_with", "ends_with", "contains", "make_date", "list_concat"),
    )
)
_RENAMED = {
    "log": "ln",
    "split": "string_split",
    "startnode": "start_node",
    "endnode": "end_node",
    "elementid": "id",
    "type": "label",
    "char_length": "size",
    "character_length": "size",
}
DATE_PARTS = frozenset(("year", "quarter", "month", "week", "day", "hour", "minute", "second"))
_UNITS = ("years", "months", "weeks", "days", "hours", "minutes", "seconds")
_ISO = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)
_DATE = re.compile(r"'\d{4}-\d{1,2}-\d{1,2}'")
_TIME = re.compile(r"'\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?Z?'")


def call(write: Dialect, term: Term) -> str:
    """Return a function call in the words of ladybug."""
    name = term.name.lower()
    args = term.args
    special = _SPECIAL.get(name)
    if special is not None:
        return special(write, args)
    if name in _RENAMED and args:
        return f"{_RENAMED[name]}({_each(write, args)})"
    if name not in _SAME:
        refuse(f"the engine has no function {term.name[:40]!a}; write the query without it")
    distinct = "DISTINCT " if term.kind == "distinct" else ""
    if args and args[0].kind == "star":
        return "count(*)"
    return f"{term.name}({distinct}{_each(write, args)})"


def _each(write: Dialect, args: Sequence[Term]) -> str:
    return ", ".join(write.expr(arg) for arg in args)


def _one(args: Sequence[Term], name: str) -> Term:
    if len(args) != 1:
        refuse(f"{name} takes one argument here")
    return args[0]


def _head(write: Dialect, args: Sequence[Term]) -> str:
    return write.item(_one(args, "head"), 0)


def _last(write: Dialect, args: Sequence[Term]) -> str:
    return write.item(_one(args, "last"), -1)


def _tail(write: Dialect, args: Sequence[Term]) -> str:
    return f"{write.inner(_one(args, 'tail'))}[2:]"


def _labels(write: Dialect, args: Sequence[Term]) -> str:
    return f"[label({write.expr(_one(args, 'labels'))})]"


def _size(write: Dialect, args: Sequence[Term]) -> str:
    of = _one(args, "size")
    if of.kind == "pattern" and of.path is not None and not of.path.shortest:
        return write.counted(of)
    kind = write.kinds.of(of).name
    if kind == "path" or (kind == "rels" and of.kind == "variable"):
        return f"length({write.name(of.name)})"
    if of.kind == "comprehension" and of.name == "list":
        return f"size({write.filtered(of)})"
    return f"size({write.expr(of)})"


def _exists(write: Dialect, args: Sequence[Term]) -> str:
    of = _one(args, "exists")
    return write.expr(of) if of.kind == "pattern" else f"{write.inner(of)} IS NOT NULL"


def _of_path(word: str) -> Callable[[Dialect, Sequence[Term]], str]:
    def write_it(write: Dialect, args: Sequence[Term]) -> str:
        of = _one(args, word)
        kind = write.kinds.of(of)
        if kind.name != "path" or kind.optional or of.kind != "variable":
            refuse(f"{word}() of something else than a path that MATCH found is not run")
        return f"{word}({write.name(of.name)})"

    return write_it


def _substring(write: Dialect, args: Sequence[Term]) -> str:
    if len(args) not in (2, 3):
        refuse("substring takes two or three arguments")
    text, start = write.expr(args[0]), args[1]
    first = str(int(start.name) + 1) if _whole(start) else f"{write.inner(start)} + 1"
    count = write.expr(args[2]) if len(args) == 3 else f"size({text})"
    return f"substring({text}, {first}, {count})"


def _whole(term: Term) -> bool:
    return term.kind == "literal" and term.name.isdecimal()


def _integer(write: Dialect, args: Sequence[Term]) -> str:
    of = _one(args, "toInteger")
    text = write.expr(of)
    if write.kinds.of(of).name == "integer":
        return text
    # A cast rounds, toInteger cuts; text may hold a fraction.
    real = f"CAST({text} AS DOUBLE)"
    return f"CAST(sign({real}) * floor(abs({real})) AS INT64)"


def _float(write: Dialect, args: Sequence[Term]) -> str:
    return f"CAST({write.expr(_one(args, 'toFloat'))} AS DOUBLE)"


def _string(write: Dialect, args: Sequence[Term]) -> str:
    of = _one(args, "toString")
    kind, text = write.kinds.of(of).name, write.expr(of)
    if kind == "text":
        return text
    if kind == "real":
        refuse("the engine writes fractions as text in another way than Neo4j (toString)")
    return f"lower(CAST({text} AS STRING))" if kind == "boolean" else f"CAST({text} AS STRING)"


def _boolean(write: Dialect, args: Sequence[Term]) -> str:
    return f"CAST({write.expr(_one(args, 'toBoolean'))} AS BOOL)"


def _round(write: Dialect, args: Sequence[Term]) -> str:
    if len(args) > 2 or not args:
        refuse("round with a mode is not run")
    if len(args) == 2:
        return f"round({_each(write, args)})"
    return f"floor({write.inner(args[0])} + 0.5)"  # half goes up, also below zero


def _reverse(write: Dialect, args: Sequence[Term]) -> str:
    of = _one(args, "reverse")
    kind = write.kinds.of(of).name
    if kind in ("list", "nodes", "rels"):
        return f"list_reverse({write.expr(of)})"
    if kind != "text":
        refuse("reverse() of something that is not known to be text or a list is not run")
    return f"reverse({write.expr(of)})"


def _date(write: Dialect, args: Sequence[Term]) -> str:
    if not args:
        return "current_date()"
    of = _one(args, "date")
    if of.kind == "map":
        return _date_of_map(write, of)
    if write.kinds.of(of).name in ("date", "timestamp"):  # a date of the schema may have a time
        return f"CAST({write.expr(of)} AS DATE)"
    if of.kind == "literal" and not _DATE.fullmatch(of.name):
        refuse(f"the engine reads dates written as '2020-12-31', not {of.name[:40]!a}")
    return f"date({write.expr(of)})"


def _date_of_map(write: Dialect, of: Term) -> str:
    parts = dict(zip(of.names, of.args, strict=True))
    if not parts.keys() <= {"year", "month", "day"} or "year" not in parts:
        refuse("date({...}) is run with year, month and day only")
    one = Term("literal", "1")
    texts = (write.expr(parts.get(part, one)) for part in ("year", "month", "day"))
    return f"make_date({', '.join(texts)})"


def _datetime(write: Dialect, args: Sequence[Term]) -> str:
    if not args:
        return "current_timestamp()"
    of = _one(args, "datetime")
    if of.kind == "map":
        return f"CAST({_date_of_map(write, of)} AS TIMESTAMP)"
    if write.kinds.of(of).name in ("date", "timestamp"):
        return f"CAST({write.expr(of)} AS TIMESTAMP)"
    if of.kind == "literal" and not _TIME.fullmatch(of.name):
        # The engine takes no notice of an offset.
        refuse(f"the engine reads times written as '2020-12-31T23:59:59Z', not {of.name[:40]!a}")
    return f"timestamp({write.expr(of)})"


def _duration(_: Dialect, args: Sequence[Term]) -> str:
    of = _one(args, "duration")
    counts: dict[str, str] = {}
    if of.kind == "map":
        for unit, value in zip(of.names, of.args, strict=True):
            if unit not in _UNITS or not _whole(value):
                refuse("duration({...}) is run with whole numbers of years to seconds only")
            counts[unit] = value.name
    elif of.kind == "literal" and (found := _ISO.fullmatch(of.name[1:-1])):
        counts = {u: n for u, n in zip(_UNITS, found.groups(), strict=True) if n is not None}
    if not counts:
        refuse("this duration is not run; write it as duration({days: 3})")
    return "interval('" + " ".join(f"{n} {unit}" for unit, n in counts.items()) + "')"


def _truncate(write: Dialect, args: Sequence[Term]) -> str:
    if len(args) != 2 or args[0].kind != "literal":
        refuse("truncate is run with a unit and a date only")
    return f"date_trunc({_each(write, args)})"


def _empty(write: Dialect, args: Sequence[Term]) -> str:
    return f"size({write.expr(_one(args, 'isEmpty'))}) = 0"


_SPECIAL: dict[str, Callable[[Dialect, Sequence[Term]], str]] = {
    "head": _head,
    "last": _last,
    "tail": _tail,
    "labels": _labels,
    "size": _size,
    "length": _size,
    "exists": _exists,
    "nodes": _of_path("nodes"),
    "relationships": _of_path("rels"),
    "rels": _of_path("rels"),
    "substring": _substring,
    "tointeger": _integer,
    "tointegerornull": _integer,
    "tofloat": _float,
    "tofloatornull": _float,
    "tostring": _string,
    "tostringornull": _string,
    "toboolean": _boolean,
    "tobooleanornull": _boolean,
    "round": _round,
    "reverse": _reverse,
    "date": _date,
    "datetime": _datetime,
    "localdatetime": _datetime,
    "duration": _duration,
    "date.truncate": _truncate,
    "datetime.truncate": _truncate,
    "isempty": _empty,
}
