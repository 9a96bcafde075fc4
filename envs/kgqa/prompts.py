"""The words around a question. A change here bumps the environment's version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphenv.envs.tools import ToolSpec
from graphenv.task import Message

__all__ = ["chat", "system_text"]

MAX_LISTED_RELATIONS = 300

_PROGRAM = """\
You answer questions over a knowledge graph by writing a relation path program.
A program is a list of moves, separated by " > ", that starts at the topic entity. Each move \
replaces the entities reached so far by those that a relation leads to; put ^ before a relation to \
walk it backwards. The answer is the set of entities reached at the end."""
_FILTER = "A filter [relation operator value] between moves keeps the entities that fit."
_BRANCH = "Two paths joined by & answer what both reach; {entity} before a path starts it there."
_COUNT = 'The word "count" before the program answers with the number of entities.'
_PROGRAM_END = "Write only the program, or put it into <program>...</program>."
_TOOLS = """\
You answer questions over a knowledge graph by walking it with tools. You stand on a frontier, a \
set of entities that is the topic entity at first. Call a tool by writing
<tool_call>{"name": "follow", "arguments": {"relation": "..."}}</tool_call>
and read what it answers. End with answer_frontier, or by writing <answer>["...", "..."]</answer>.
Tools:"""
_DROP = "After each move the topic entity itself is left out."


def chat(question: str, topics: Sequence[str], system: str | None) -> tuple[Message, ...]:
    """Return the opening chat of an episode; `system` is what `system_text` wrote."""
    if system is None:
        return ({"role": "user", "content": question},)
    topic = ", ".join(topics)
    label = "Topic entity" if len(topics) == 1 else "Topic entities"
    user: Message = {"role": "user", "content": f"Question: {question}\n{label}: {topic}"}
    return ({"role": "system", "content": system}, user)


def system_text(
    *,
    mode: str,
    instructions: str,
    tools: Iterable[ToolSpec],
    relations: Sequence[str],
    features: frozenset[str],
    drop_topic: bool,
) -> str | None:
    """Return the instructions, the same for every task; `None` for the bare question."""
    if instructions == "none":
        return None
    if instructions == "short":
        return "Write a relation path program." if mode == "program" else "Walk with the tools."
    if mode == "program":
        lines = [_PROGRAM]
        lines += [
            t
            for f, t in (("filter", _FILTER), ("branch", _BRANCH), ("count", _COUNT))
            if f in features
        ]
        listed = ", ".join(relations[:MAX_LISTED_RELATIONS])
        more = len(relations) - MAX_LISTED_RELATIONS
        lines.append(f"Relations: {listed}{f' ... and {more} more' if more > 0 else ''}")
        end = _PROGRAM_END
    else:
        lines = [_TOOLS, *(f"- {spec.usage}" for spec in tools)]
        end = ""
    if drop_topic:
        lines.append(_DROP)
    if end:
        lines.append(end)
    return "\n".join(lines)
