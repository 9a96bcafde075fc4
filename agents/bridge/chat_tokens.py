"""How a chat template writes a conversation, piece by piece, around the turns of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphenv.agents.chats import plain_roles
from graphenv.task import Message

__all__ = ["ChatTokens"]

_MARK = "\u3016turn\u3017"  # stands for an assistant turn while what follows it is rendered


class ChatTokens:
    """How a tokenizer's chat template writes a conversation, piece by piece.

    The tokens that a model sampled are kept as they are; only what comes between two of its turns
    is rendered. For text whose tokens are the tokenizer's own choice, the pieces together are the
    ids of the whole conversation, because templates put special tokens at the seams.

    Parameters
    ----------
    tokenizer
        A tokenizer with a chat template.
    end_ids
        The ids that end a turn.
    template_kwargs
        Further variables of the chat template (TRL's `chat_template_kwargs`).
    """

    def __init__(
        self, tokenizer: Any, end_ids: Sequence[int], template_kwargs: Mapping[str, Any]
    ) -> None:
        self.tokenizer = tokenizer
        self.end_ids = frozenset(end_ids)
        self.template_kwargs = dict(template_kwargs)

    def prompt(
        self, messages: Sequence[Message], tools: list[dict[str, Any]] | None = None
    ) -> list[int]:
        """Return the ids of the opening chat, up to where the assistant begins to write."""
        rendered = self.tokenizer.apply_chat_template(
            plain_roles(self.tokenizer, messages),
            tools=tools or None,
            add_generation_prompt=True,
            return_dict=True,
            **self.template_kwargs,
        )
        ids: list[int] = rendered["input_ids"]
        return list(ids)

    def text(self, turn: Sequence[int]) -> str:
        """Return what a sampled turn says."""
        said: str = self.tokenizer.decode(turn, skip_special_tokens=True)
        return said

    def between(self, turn: Sequence[int], heard: Sequence[Message]) -> list[int]:
        """Return the ids from the end of a sampled turn to where the next turn begins.

        A turn that was cut before it ended is closed here, so that the model reads the same chat
        as in evaluation.
        """
        # Rendered behind a marked assistant turn and cut at the mark: many templates write a turn
        # in another way when it is the last, or strip earlier thoughts, so prefixes do not match.
        chat = [
            {"role": "user", "content": "-"},
            {"role": "assistant", "content": _MARK},
            *heard,
        ]
        rendered: str = self.tokenizer.apply_chat_template(
            plain_roles(self.tokenizer, chat),
            add_generation_prompt=True,
            tokenize=False,
            **self.template_kwargs,
        )
        rest = rendered.partition(_MARK)[2]
        ids: list[int] = self.tokenizer(rest, add_special_tokens=False)["input_ids"]
        if turn and turn[-1] in self.end_ids and ids and ids[0] == turn[-1]:
            return ids[1:]
        return ids
