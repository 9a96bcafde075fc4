"""The words around a subgraph task. A change here bumps the environment's version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphenv.envs.tools import ToolSpec
from graphenv.task import Message, Task
from graphenv.text import format_call, text_of

__all__ = ["chat", "system_text"]

MAX_LISTED_RELATIONS = 100

_TASKS = {
    "graph": "You cut the part out of a network that a question asks for: its edges, all of them "
    "and no others.",
    "ranking": "You rank entities of a network. A subgraph around the seeds, built beforehand, is "
    "your evidence.",
    "objective": "You build a subgraph of a network that is worth as much as possible.",
}
_SEEDS = "The graph begins with the seeds."
_EXAMPLE = {
    "graph": '[["robot 7", "built_by", "Ada"], ["Ada", "lives_in", "Oslo"]]',
    "ranking": '["robot 7", "Ada"]',
    "objective": '[["robot 7", "built_by", "Ada"]]',
}
_FORM = {
    "graph": "the edges as a JSON list of [head, relation, tail]",
    "ranking": "a JSON list of names, best first",
    "objective": "the edges as a JSON list of [head, relation, tail]",
}
_UNDIRECTED = "Edges have no direction."
_PROPOSALS = (
    "An edge that the network does not have may be added where its relation fits the types: it is "
    "kept as a proposal, apart from the graph."
)
_PROPOSED = 'A proposed edge goes into an object: {"edges": [...], "proposed": [...]}.'
_SHORT = {
    "graph": "Find the edges that are asked for.",
    "ranking": "Rank the entities that are asked for.",
    "objective": "Build the graph that is asked for.",
}


def system_text(
    *,
    mode: str,
    goal: str,
    instructions: str,
    tools: Iterable[ToolSpec],
    relations: Sequence[str],
    undirected: bool,
    proposals: bool,
) -> str | None:
    """Return the instructions, the same for every task; `None` for the bare question."""
    if instructions == "none":
        return None
    form = f"{_FORM[goal]} in one block"
    if instructions == "short":
        how = f"Answer with {form}." if mode == "single" else "Use the tools; end with submit."
        return f"{_SHORT[goal]} {how}"
    example = f"```json\n{_EXAMPLE[goal]}\n```"
    lines = [_TASKS[goal]]
    if undirected:
        lines.append(_UNDIRECTED)
    if mode == "single":
        if proposals:
            lines.append(_PROPOSED)
        lines.append(
            f"A part of the network is shown. Answer with {form}, in this form:\n{example}"
        )
        return "\n".join(lines)
    if proposals:
        lines.append(_PROPOSALS)
    call = format_call("add_edge", head="robot 7", relation="built_by", tail="Ada")
    end = " with the ranking" if goal == "ranking" else ""
    lines.append(
        f"{_SEEDS} Let it grow with tools. Call a tool by writing\n{call}\nand read what it "
        f"answers. End with submit{end}. Tools:"
    )
    lines += [f"- {spec.usage}" for spec in tools]
    lines.append(f"Or write {form}, in a turn without tool calls:\n{example}")
    listed = ", ".join(relations[:MAX_LISTED_RELATIONS])
    more = len(relations) - MAX_LISTED_RELATIONS
    lines.append(f"Relations: {listed}{f' ... and {more} more' if more > 0 else ''}")
    return "\n".join(lines)


def chat(task: Task, shown: str, system: str | None) -> tuple[Message, ...]:
    """Return the opening chat of an episode; `shown` is the neighbourhood, "" where it is none."""
    question = text_of(task.messages[0]["content"])
    parts = [question]
    if system is not None:
        budget = task.meta["budget"]
        seeds = ", ".join(task.meta["seeds"])
        told = f"Seeds: {seeds}\nBudget: {budget['nodes']} nodes, {budget['edges']} edges"
        parts = [f"Question: {question}\n{told}"]
    if shown:
        parts.append(shown)
    user: Message = {"role": "user", "content": "\n\n".join(parts)}
    return (user,) if system is None else ({"role": "system", "content": system}, user)
