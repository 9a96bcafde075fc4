"""Our chats in the roles and forms that a server or a chat template knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from graphenv.errors import ConfigError
from graphenv.task import Message
from graphenv.text import text_of

__all__ = [
    "holds_images",
    "images_apart",
    "parts_of",
    "plain_messages",
    "plain_roles",
    "sees_images",
]


def parts_of(content: Any) -> list[dict[str, Any]]:
    """Return the content of a message as a list of parts.

    >>> parts_of("a dog")
    [{'type': 'text', 'text': 'a dog'}]
    """
    if isinstance(content, list | tuple):
        return [dict(part) for part in content]
    return [{"type": "text", "text": text_of(content)}]


def plain_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return a chat of the roles that every server knows: system, user, assistant.

    Observations of tools become user messages, and neighbours of one role are joined, because many
    chat templates insist on alternating roles. Images stay parts of their message.
    """
    chat: list[dict[str, Any]] = []
    for message in messages:
        role = "user" if message["role"] == "tool" else str(message["role"])
        content = message["content"]
        if chat and chat[-1]["role"] == role == "user":
            chat[-1]["content"] = _joined(chat[-1]["content"], content, "\n")
        else:
            chat.append({"role": role, "content": _own(content)})
    return chat


def plain_roles(tokenizer: Any, messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return `messages` in roles that the chat template of a tokenizer (or processor) renders.

    Templates without a `tool` role get `plain_messages`; templates that know no system message get
    it merged into the first user message. A processor that takes images gets every content as a
    list of parts; a tokenizer gets text, in which an image is a mark with its file.
    """
    template = tokenizer.chat_template or ""
    plain = "tool" not in template
    chat = plain_messages(messages) if plain else [dict(message) for message in messages]
    if chat and chat[0]["role"] == "system" and "system" not in template:
        first, second, *rest = chat
        merged = _joined(first["content"], second["content"], "\n\n")
        chat = [{"role": "user", "content": merged}, *rest]
    form = parts_of if sees_images(tokenizer) else text_of
    return [{**message, "content": form(message["content"])} for message in chat]


def sees_images(tokenizer: Any) -> bool:
    """Return whether this is the processor of a vision-language model."""
    return getattr(tokenizer, "image_processor", None) is not None


def holds_images(messages: Iterable[Message]) -> bool:
    """Return whether a chat holds an image."""
    return any(part["type"] == "image" for m in messages for part in parts_of(m["content"]))


def images_apart(messages: Iterable[Message]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a chat of plain text, and the images that go before its first user message.

    This is the form of a row for TRL's trainers: they put the `images` of a row in front of the
    first user message of its `prompt`, and a column of prompts must not mix text with parts.

    Raises
    ------
    ConfigError
        If an image stands anywhere else, because it would be moved.

    >>> parts = [{"type": "image", "image": "a.png"}, {"type": "text", "text": "What is this?"}]
    >>> images_apart([{"role": "user", "content": parts}])
    ([{'role': 'user', 'content': 'What is this?'}], ['a.png'])
    """
    chat: list[dict[str, Any]] = []
    images: list[str] = []
    asked = False
    for message in messages:
        parts = parts_of(message["content"])
        texts = [part for part in parts if part["type"] != "image"]
        here = [part["image"] for part in parts if part["type"] == "image"]
        first = message["role"] == "user" and not asked
        if here and not (first and parts[len(here) :] == texts):
            raise ConfigError(
                f"an image stands behind text, or in a later message ({here[0]!r}): TRL puts the "
                "images of a row in front of its first user message, so a prompt has them there"
            )
        asked = asked or message["role"] == "user"
        images += here
        chat.append({**message, "content": text_of(texts)})
    return chat, images


def _own(content: Any) -> Any:
    return parts_of(content) if isinstance(content, list | tuple) else text_of(content)


def _joined(first: Any, second: Any, between: str) -> Any:
    """Return two contents as one: text if both are, else the parts of both."""
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}{between}{second}"
    return parts_of(first) + parts_of(second)
