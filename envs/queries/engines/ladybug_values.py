"""What ladybug returns, in the form of `graphenv.query.results`: cells, errors and plans."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from graphenv.envs.queries.engines.values import canonical, say
from graphenv.query.results import ErrorKind, QueryError, Value

__all__ = ["Types", "error", "plan", "value"]

# label -> property -> type as the database spells it
Types = Mapping[str, Mapping[str, str]]

_INTERNAL = frozenset(("_ID", "_LABEL", "_SRC", "_DST"))


def value(cell: Any, types: Types) -> Value:
    """Return a cell as a value that can be compared and hashed.

    A node or relationship is (label, (property, value), ...) with the properties that it has, in
    the order of their names. A path is ("path", node, relationship, node, ...), the relationships
    of a variable-length pattern are a tuple of them, lists are tuples and maps tuples of pairs
    sorted by key. Other cells are as `canonical` has them.
    """
    if isinstance(cell, dict):
        return _mapping(cell, types)
    if isinstance(cell, (list, tuple)):
        return tuple([value(item, types) for item in cell])
    return canonical(cell)


def _mapping(cell: dict[Any, Any], types: Types) -> Value:
    if len(cell) == 2 and "_NODES" in cell and "_RELS" in cell:
        nodes = tuple([value(node, types) for node in cell["_NODES"]])
        relations = tuple([value(relation, types) for relation in cell["_RELS"]])
        if len(nodes) != len(relations) + 1:
            return relations
        return (
            "path",
            nodes[0],
            *(x for pair in zip(relations, nodes[1:], strict=True) for x in pair),
        )
    if "_ID" in cell and "_LABEL" in cell:
        label = str(cell["_LABEL"])
        # A pattern of several labels has one column per property name. Where their types differ
        # it is text, so the same node would differ from itself.
        kinds = types.get(label, {})
        owned = sorted(k for k, v in cell.items() if k not in _INTERNAL and v is not None)
        return (label, *((k, _typed(value(cell[k], types), kinds.get(k, ""))) for k in owned))
    pairs = [(value(key, types), value(item, types)) for key, item in cell.items()]
    # Keys of one map may be of several types, which do not compare.
    return tuple(sorted(pairs, key=lambda pair: (type(pair[0]).__name__, repr(pair[0]))))


def _typed(cell: Value, kind: str) -> Value:
    if not isinstance(cell, str) or not kind or kind == "STRING":
        return cell
    if kind == "BOOL":
        return cell.lower() == "true"
    convert = float if kind in ("DOUBLE", "FLOAT") else int if "INT" in kind else None
    return convert(cell) if convert and "[" not in kind else cell


# Beginnings of the engine's messages, most special first.
_KINDS: tuple[tuple[str, ErrorKind], ...] = (
    (r"Parser exception|Connection exception: Query is empty", "syntax"),
    (r"Binder exception: (Table|Cannot find property|.* does not exist|.*No .*table)", "schema"),
    (r"Binder exception: Variable .* not in scope", "syntax"),
    (r"Catalog exception: [Ff]unction", "unsupported"),
    (r"Catalog exception", "schema"),
    (r"Interrupted", "timeout"),
    (r"Buffer manager exception|std::bad_alloc|.*[Uu]nable to allocate", "memory"),
    (r"Connection exception: Cannot execute write|IO exception", "refused"),
)
_KINDS_COMPILED = tuple((re.compile(pattern), kind) for pattern, kind in _KINDS)


def error(message: str) -> QueryError:
    """Return what the engine said as a kind and a short reason.

    >>> error("Binder exception: Cannot find property age for n.")
    QueryError(kind='schema', reason='Cannot find property age for n.')
    """
    kind: ErrorKind = next((k for p, k in _KINDS_COMPILED if p.match(message)), "runtime")
    if kind == "timeout":
        return QueryError("timeout", "The query took too long; ask for less.")
    if kind == "memory":
        return QueryError("memory", "The query needs too much memory; ask for less.")
    # Behind the first line stand the query again, or all signatures of a function.
    first = re.split(r"\n *(?=Expected)|\n\"| Supported inputs are", message)[0]
    first = re.sub(r"^\w+(?: \w+)? exception: ", "", first)
    first = re.sub(r"expected rule \w+ ", "nothing continues it so ", first)
    if kind == "syntax" and (place := re.match(r"Invalid input <(.*)>: .*", first, re.DOTALL)):
        first = f"It cannot be read after: {place.group(1)[-80:]}"
    return QueryError(kind, say(first))


_DROPPED = re.compile(r"^(NumOutputTuples|ExecutionTime|TotalTime|WallClockTime|-+$)")


def plan(drawing: str) -> tuple[tuple[Value, ...], ...]:
    """Return a plan that was drawn with boxes as rows (operator, details), last step first.

    Times are left out: they are another in every run.
    """
    boxes: list[tuple[int, int, list[str]]] = []
    open_boxes: dict[int, tuple[int, list[str]]] = {}
    for number, line in enumerate(drawing.splitlines()):
        for match in re.finditer(r"[┌└][─┬┴┼]*[┐┘]", line):
            if match.group()[0] == "┌":
                open_boxes[match.start()] = (match.end(), [])
            elif match.start() in open_boxes:
                _, lines = open_boxes.pop(match.start())
                boxes.append((number - len(lines), match.start(), lines))
        for start, (end, lines) in open_boxes.items():
            text = line[start + 1 : end - 1].strip()
            if line[start : start + 1] == "│" and text:
                lines.append(text)
    boxes.sort(key=lambda box: box[:2])
    rows: list[tuple[Value, ...]] = []
    for _, _, lines in boxes:
        details = [text for text in lines[1:] if not _DROPPED.match(text)]
        # The first box holds a box with the title.
        if lines and not any(char in "┌│└" for char in lines[0]) and lines[0] != "Physical Plan":
            rows.append((re.sub(r"\[\d+\]$", "", lines[0]), " ".join(details)))
    return tuple(rows)
