"""Our chats in the roles that a server or a chat template knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphenv.task import Message

__all__ = ["plain_messages", "plain_roles"]


def plain_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return a chat of the roles that every server knows: system, user, assistant.

    Observations of tools become user messages, and neighbours of one role are joined, because many
    chat templates insist on alternating roles.
    """
    chat: list[dict[str, Any]] = []
    for message in messages:
        role = "user" if message["role"] == "tool" else str(message["role"])
        if chat and chat[-1]["role"] == role == "user":
            chat[-1]["content"] += f"\n{message['content']}"
        else:
            chat.append({"role": role, "content": str(message["content"])})
    return chat


def plain_roles(tokenizer: Any, messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return `messages` in roles that the tokenizer's chat template renders.

    Templates without a `tool` role get `plain_messages`; templates that know no system message get
    it merged into the first user message.
    """
    template = tokenizer.chat_template or ""
    plain = "tool" not in template
    chat = plain_messages(messages) if plain else [dict(message) for message in messages]
    if chat and chat[0]["role"] == "system" and "system" not in template:
        first, second, *rest = chat
        merged = f"{first['content']}\n\n{second['content']}"
        chat = [{"role": "user", "content": merged}, *rest]
    return chat
