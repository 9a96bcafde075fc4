"""`Script`: an agent that says turns fixed beforehand; and what chats say about their question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from graphenv.agents.base import Agent
from graphenv.envs.base import GraphEnv
from graphenv.envs.kgqa import KGQAEnv
from graphenv.envs.kgqa.program import Filter, Program
from graphenv.envs.kgqa.session import MAX_NAME
from graphenv.errors import ConfigError
from graphenv.knowledge import TripleStore
from graphenv.task import Message
from graphenv.text import format_call, text_of

__all__ = [
    "Script",
    "kgqa_env",
    "opening",
    "question_of",
    "tool_turns",
    "topics_of",
]

_TOPIC_LINE = re.compile(r"^Topic entit(?:y|ies): (.+)$", re.MULTILINE)
_QUESTION_LINE = re.compile(r"^Question: (.+)$", re.MULTILINE)
MAX_LINKED_WORDS = 12


class Script(Agent):
    """Says `turns` one after another; which one is next, the chat tells.

    >>> script = Script(["first", "second"])
    >>> script.act([{"role": "user", "content": "?"}, {"role": "assistant", "content": "first"}])
    'second'
    """

    def __init__(self, turns: Sequence[str]) -> None:
        if not turns:
            raise ConfigError("a script needs at least one turn")
        self.turns = tuple(turns)

    def act(self, messages: Sequence[Message]) -> str:
        """Return the turn that follows those said so far; the last one again after the end."""
        said: int = sum(message["role"] == "assistant" for message in messages)
        return self.turns[min(said, len(self.turns) - 1)]


def kgqa_env(env: GraphEnv, agent: str) -> KGQAEnv:
    """Return `env`, which the agent named `agent` needs to be of the KGQA family.

    Raises
    ------
    ConfigError
        If it is not.
    """
    if not isinstance(env, KGQAEnv):
        raise ConfigError(f"agent {agent!r} does not know how to play the family {env.family!r}")
    return env


def opening(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages before the first assistant turn: the prompt."""
    prompt: list[Message] = []
    for message in messages:
        if message["role"] == "assistant":
            break
        prompt.append(message)
    return tuple(prompt)


def question_of(messages: Sequence[Message]) -> str:
    """Return the question of a prompt, without the words that the environment puts around it.

    >>> question_of([{"role": "user", "content": "Question: who made [Heat]\\nTopic entity: Heat"}])
    'who made [Heat]'
    """
    text = _user_text(messages)
    labelled = _QUESTION_LINE.search(text)
    return labelled[1].strip() if labelled else text.strip()


def topics_of(messages: Sequence[Message], world: TripleStore) -> list[str]:
    """Return the entities that a prompt names: from its topic line, brackets, or the words.

    Without line and brackets the longest runs of words that are entity names are taken, so common
    words that are also names can mislead; an empty list means that nothing was found.
    """
    text = _user_text(messages)
    line = _TOPIC_LINE.search(text)
    if line:
        found = _listed(line[1].strip(), world)
        if found:
            return found
    question = question_of(messages)
    bracketed = [m for m in re.findall(r"\[(.+?)\](?![^\[]*\])", question) if _known(m, world)]
    return bracketed or _linked(question, world)


def _user_text(messages: Sequence[Message]) -> str:
    return next((text_of(m["content"]) for m in opening(messages) if m["role"] == "user"), "")


def _known(name: str, world: TripleStore) -> bool:
    return len(name) <= MAX_NAME and world.find_entity(name) is not None


def _listed(names: str, world: TripleStore) -> list[str]:
    """Split "a, b, c" where names may hold commas themselves: longest entity names first."""
    pieces = names.split(", ")
    found, i = [], 0
    while i < len(pieces):
        for j in range(len(pieces), i, -1):
            name = ", ".join(pieces[i:j])
            if _known(name, world):
                found.append(name)
                i = j
                break
        else:
            i += 1
    return found


def _linked(question: str, world: TripleStore) -> list[str]:
    words = question.rstrip("?!. ").split()
    for size in range(min(len(words), MAX_LINKED_WORDS), 0, -1):
        for i in range(len(words) - size + 1):
            name = " ".join(words[i : i + size])
            for form in (name, name.strip(",;:\"'?")):
                if _known(form, world):
                    rest = " ".join(words[:i]), " ".join(words[i + size :])
                    return [form, *(n for part in rest for n in _linked(part, world))]
    return []


def tool_turns(program: Program, topic: str = "") -> list[str]:
    """Return the tool calls, one a turn, that walk `program` and answer.

    `topic` is where branches without a start of their own begin; the first stands there anyway.
    """
    turns: list[str] = []
    for i, branch in enumerate(program.branches):
        if i:
            start = branch.start if branch.start is not None else topic
            turns.append(format_call("start_at", entity=start))
        for move in branch.moves:
            if isinstance(move, Filter):
                turns.append(
                    format_call(
                        "keep", relation=move.relation, operator=move.operator, value=move.value
                    )
                )
            else:
                turns.append(format_call("follow", relation=move))
    return [*turns, format_call("answer_count" if program.count else "answer_frontier")]
