"""The words around a question. A change here bumps the environment's version."""

from __future__ import annotations

from collections.abc import Iterable

from graphenv.envs.tools import ToolSpec
from graphenv.query.model import Language
from graphenv.task import Message
from graphenv.text import format_call

__all__ = ["chat", "system_text"]

_NAMES = {"sql": "SQL", "cypher": "Cypher"}
_SINGLE = """\
You translate a question into one {name} query that answers it. The query only reads.{graph} \
Names are spelt as in the schema. Write the query in one block:
```{language}
...
```"""
_TOOLS = """\
You translate a question into one {name} query that answers it. The query only reads.{graph} \
You can look at the database with tools before you answer. Call a tool by writing
{example}
and read what it answers. End with the final query in one block, in a turn without tool calls:
```{language}
...
```
Tools:"""
_GRAPH = " The database is a property graph; nodes and relationships are listed as patterns."


def system_text(
    language: Language, *, mode: str, instructions: str, tools: Iterable[ToolSpec]
) -> str | None:
    """Return the instructions, the same for every task; `None` for the bare question."""
    if instructions == "none":
        return None
    name = _NAMES[language]
    if instructions == "short":
        return f"Write one {name} query."
    graph = _GRAPH if language == "cypher" else ""
    if mode == "single":
        return _SINGLE.format(name=name, language=language, graph=graph)
    offered = list(tools)
    runs = any(spec.name == "run" for spec in offered)
    example = format_call("run", query="...") if runs else format_call("schema", name="...")
    text = _TOOLS.format(name=name, language=language, graph=graph, example=example)
    return "\n".join([text, *(f"- {spec.usage}" for spec in offered)])


def chat(question: str, schema: str | None, system: str | None) -> tuple[Message, ...]:
    """Return the opening chat of an episode, with the schema if there is one to show."""
    shown = f"Schema:\n{schema}\n\n" if schema is not None else ""
    user: Message = {"role": "user", "content": f"{shown}Question: {question}"}
    return (user,) if system is None else ({"role": "system", "content": system}, user)
