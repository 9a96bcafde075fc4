"""The words around a network. A change here bumps the environment's version."""

from __future__ import annotations

from collections.abc import Iterable

from graphenv.envs.tools import ToolSpec
from graphenv.task import Message
from graphenv.text import format_call

__all__ = ["chat", "system_text"]

_ABOUT = (
    "You design networks. A network is given as its nodes with their neighbours; edges have no "
    "direction. {rule} The better the objective that the task names, the better the design."
)
_RULES = {
    "build": "You add edges between nodes that have none, at most as many as the task says.",
    "repair": "You move edges, at most as many as the task says: for each edge that you add, "
    "remove one first.",
}
# Names that networks hardly have: copying an example must build nothing.
_EXAMPLES = {
    "build": '```json\n[["p", "q"], ["p", "r"]]\n```',
    "repair": '```json\n{"remove": [["p", "q"]], "add": [["p", "r"]]}\n```',
}


def system_text(
    *, mode: str, goal: str, instructions: str, tools: Iterable[ToolSpec]
) -> str | None:
    """Return the instructions, the same for every task; `None` for the bare network."""
    if instructions == "none":
        return None
    what = "the edges to add" if goal == "build" else "the edges to remove and to add"
    example = _EXAMPLES[goal]
    if instructions == "short":
        return f"Write {what} as JSON in one ```json block, such as\n{example}"
    about = _ABOUT.format(rule=_RULES[goal])
    if mode == "single":
        return f"{about} Answer with {what} as JSON in one block, in this form:\n{example}"
    call = format_call("add_edge", a="p", b="q")
    listed = "\n".join(f"- {spec.usage}" for spec in tools)
    return (
        f"{about} Use tools: call one by writing\n{call}\nand read what it answers. End with "
        f"submit. Tools:\n{listed}\nOr write {what} in one block, in a turn without tool calls, "
        f"which ends the design, too:\n{example}"
    )


def chat(shown: str, system: str | None) -> tuple[Message, ...]:
    """Return the opening chat of an episode."""
    user: Message = {"role": "user", "content": shown}
    return (user,) if system is None else ({"role": "system", "content": system}, user)
