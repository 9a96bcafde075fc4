"""Fenced blocks in model text, as Markdown writes them, and the one that a turn is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass

from graphenv.text import NO_BLOCK, ParsedTurn

__all__ = ["Asked", "fenced", "fenced_blocks", "find_block"]

_TICKS = re.compile(r"[ \t]*(`{3,})[ \t]*(.*)")


def fenced(text: str, mark: str) -> str:
    """Return a text in a block.

    >>> fenced("SELECT 1", "sql")
    '```sql\\nSELECT 1\\n```'
    """
    return f"```{mark}\n{text}\n```"


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


@dataclass(frozen=True)
class Asked:
    """What a turn is asked for.

    Parameters
    ----------
    what
        In words, for reasons.
    marks
        What its block may be marked as, in lower case; the first is the name that is told.
    opening
        How it begins, where it stands without a block.
    programs
        Whether it may stand in `<program>` tags too.
    """

    what: str
    marks: tuple[str, ...]
    opening: re.Pattern[str]
    programs: bool = False


def find_block(turn: ParsedTurn, asked: Asked) -> tuple[str | None, str]:
    """Return the text that a turn gives, or `None` and the reason why there is none.

    It stands in one fenced block, or in tags, or is all that the turn holds. Tags go before blocks
    beside them: a draft is no answer. More than one of either is a hedge, which is malformed.

    >>> from graphenv.text import parse_turn
    >>> rows = Asked("a list", ("json",), re.compile(r"\\["))
    >>> find_block(parse_turn("So:\\n```json\\n[1]\\n```"), rows)
    ('[1]', '')
    >>> find_block(parse_turn("```json\\n[1]\\n```\\nNo: <answer>[2, 3]</answer>"), rows)
    ('[2, 3]', '')
    >>> find_block(parse_turn("Nothing."), rows)
    (None, 'no ```json block')
    """
    if turn.reason and turn.reason != NO_BLOCK:
        return None, turn.reason
    if turn.calls:
        return None, f"there are no tools here; {asked.what} is asked for"
    if turn.programs and not asked.programs:
        return None, "a <program> block is not read here"
    tagged = [*turn.programs]
    if turn.answer is not None:
        if not turn.answer.text:
            return None, turn.answer.reason or "the answer is empty"
        tagged.append(turn.answer.content)
    if len(tagged) > 1:
        return None, f"more than one block; {asked.what} is asked for"
    body = tagged[0] if tagged else turn.bare
    name = asked.marks[0]
    blocks = fenced_blocks(body, asked.marks, asked.opening.match)
    if len(blocks) > 1:
        return None, f"{len(blocks)} fenced blocks; write exactly one"
    if blocks:
        mark, found = blocks[0]
        if found is None:
            return None, "the block is never closed"
        if mark and mark.lower() not in asked.marks:
            return None, f"the block is marked as {mark[:20]!r}; {name} is asked for"
        text = found.strip()
    else:
        text = body.strip()
        if not tagged and not asked.opening.match(text):
            return None, f"no ```{name} block"
    return (text, "") if text else (None, "the block is empty")
