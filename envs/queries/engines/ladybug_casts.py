"""The casts to text that ladybug forgets: without them it reads numbers as addresses of text.

`n.born STARTS WITH '19'` turns a number into text first; `n.born =~ '19.*'`, `regexp_replace`,
`split_part` and `string_split` do not (ladybug 0.22). This ends in a segfault or, on few rows, in a
wrong answer. `with_casts` writes the cast that the engine itself adds elsewhere.
"""

from __future__ import annotations

from graphenv.envs.queries.engines.cypher_words import Word, words

__all__ = ["with_casts"]

# `WHERE (a) =~ 'x'` is no call.
_NOT_CALLED = (
    *("AND", "AS", "BY", "CASE", "DISTINCT", "ELSE", "IN", "NOT", "OR", "RETURN", "THEN", "WHEN"),
    *("WHERE", "WITH", "XOR"),
)
_OPENING = {")": "(", "]": "[", "}": "{"}
# Function -> how many of its first arguments are text.
_UNCHECKED = {
    "REGEXP_FULL_MATCH": 2,
    "REGEXP_REPLACE": 4,
    "SPLIT_PART": 2,
    "STRING_SPLIT": 2,
    "STRING_TO_ARRAY": 2,
    "STR_SPLIT": 2,
}


def with_casts(query: str) -> str:
    """Return the query with operands of `=~` and of the unchecked functions cast to text.

    Text constants stay as they are. The query is one that the guard let pass.

    Examples
    --------
    >>> with_casts("MATCH (n) WHERE n.born =~ '19.*' RETURN n")
    "MATCH (n) WHERE STRING(n.born) =~ '19.*' RETURN n"
    >>> with_casts("MATCH (n) RETURN split_part(n.name, ' ', 1)")
    "MATCH (n) RETURN split_part(STRING(n.name), ' ', 1)"
    """
    folded = query.upper()
    if "=~" not in query and not any(name in folded for name in _UNCHECKED):
        return query
    found = words(query)
    spans: list[tuple[int, int]] = []
    for at, word in enumerate(found):
        if word.text == "=~" and 0 < at < len(found) - 1:
            spans.append((_operand_start(found, at - 1), at - 1))
            spans.append((at + 1, _operand_end(found, at + 1)))
        elif at + 1 < len(found) and found[at + 1].text == "(":
            texts = _UNCHECKED.get(word.text.strip("`").upper(), 0)
            spans += _arguments(found, at + 1)[:texts]
    return _insert(query, found, spans)


def _insert(query: str, found: list[Word], spans: list[tuple[int, int]]) -> str:
    marks: list[tuple[int, int, str]] = []
    for first, last in spans:
        if first == last and found[first].kind == "string":
            continue
        # At one place, what closes stands before what opens.
        marks.append((found[first].start, 1, "STRING("))
        marks.append((found[last].end, 0, ")"))
    pieces: list[str] = []
    at = 0
    for place, _, text in sorted(marks):
        pieces += (query[at:place], text)
        at = place
    return "".join((*pieces, query[at:]))


def _operand_start(found: list[Word], last: int) -> int:
    """Return where the operand that ends at `last` begins: an atom with `.name` after it."""
    at = last
    while at > 1 and found[at - 1].text == "." and found[at].text not in _OPENING:
        at -= 2
    word = found[at]
    if word.is_name("END"):
        depth = 0
        for start in range(at, -1, -1):
            depth += found[start].is_name("END") - found[start].is_name("CASE")
            if depth == 0:
                return start
        return at
    if word.text not in _OPENING:
        return at
    depth = 0
    for start in range(at, -1, -1):
        text = found[start].text
        depth += (text in _OPENING) - (text in _OPENING.values())
        if depth == 0:
            break
    called = start > 0 and found[start].text == "(" and found[start - 1].kind in ("name", "quoted")
    if called and not found[start - 1].is_name(*_NOT_CALLED):
        return _operand_start(found, start - 1)
    return start


def _operand_end(found: list[Word], first: int) -> int:
    """Return where the operand that begins at `first` ends."""
    at = first
    if found[at].is_name("CASE"):
        depth = 0
        for at in range(first, len(found)):
            depth += found[at].is_name("CASE") - found[at].is_name("END")
            if depth == 0:
                return at
        return first
    if found[at].kind in ("name", "quoted") and _text(found, at + 1) == "(":
        at = _closing(found, at + 1)
    elif found[at].text in _OPENING.values():
        at = _closing(found, at)
    while _text(found, at + 1) == "." and at + 2 < len(found):
        at += 2
    return at


def _text(found: list[Word], at: int) -> str:
    return found[at].text if at < len(found) else ""


def _closing(found: list[Word], opening: int) -> int:
    depth = 0
    for at in range(opening, len(found)):
        text = found[at].text
        depth += (text in _OPENING.values()) - (text in _OPENING)
        if depth == 0:
            return at
    return len(found) - 1


def _arguments(found: list[Word], opening: int) -> list[tuple[int, int]]:
    """Return the first and last word of every argument of a call."""
    closing = _closing(found, opening)
    spans: list[tuple[int, int]] = []
    first, depth = opening + 1, 0
    for at in range(opening + 1, closing + 1):
        text = found[at].text
        if (text == "," and depth == 0) or at == closing:
            if at > first:
                spans.append((first, at - 1))
            first = at + 1
        depth += (text in _OPENING.values()) - (text in _OPENING)
    return spans
