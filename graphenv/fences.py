"""Fenced blocks in model text, as Markdown writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Container

__all__ = ["fenced_blocks"]

_TICKS = re.compile(r"[ \t]*(`{3,})[ \t]*(.*)")


def fenced_blocks(
    text: str, marks: Container[str], opens: Callable[[str], object]
) -> list[tuple[str, str | None]]:
    """Return (mark, content) of the fenced blocks; the content is `None` if one is never closed.

    As in Markdown: a block opens with three or more backticks at the start of a line, the first
    word behind them is its mark, and it closes with as many. They may also stand behind the last
    line, and a block may be all in one line: its first word is its mark then if it is one of
    `marks` (lower case) or the line does not begin as a content does (`opens`).

    >>> fenced_blocks("so\\n```json\\n[1]\\n```", ("json",), str.isdigit)
    [('json', '[1]\\n')]
    """
    found: list[tuple[str, str | None]] = []
    ticks, mark = "", ""
    inside: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if not ticks:
            opened = _TICKS.match(line)
            if opened is None:
                continue
            rest = opened[2].rstrip()
            if rest.endswith(opened[1]):
                content = rest[: -len(opened[1])].strip()
                first, _, behind = content.partition(" ")
                marked = first.lower() in marks or not opens(content)
                found.append((first, behind) if marked else ("", content))
            elif "`" not in rest:
                ticks, mark, inside = opened[1], (rest.split() or [""])[0], []
            continue
        end = line.rstrip()
        if end.endswith(ticks):
            end = end.rstrip("`") if not end.strip("` \t") else end[: -len(ticks)]
            found.append((mark, "\n".join([*inside, end])))
            ticks = ""
        else:
            inside.append(line)
    return [*found, (mark, None)] if ticks else found
