"""`openai`: a language model behind any OpenAI-compatible server (vLLM and others)."""

from __future__ import annotations

import base64
import json
import mimetypes
import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphenv.agents.base import Agent
from graphenv.agents.chats import plain_messages
from graphenv.chat_server import ChatServer, ServerError, reply_message, reply_text
from graphenv.envs.base import GraphEnv
from graphenv.errors import ConfigError, DataError
from graphenv.task import Message
from graphenv.text import bounded, parse_turn, text_of

__all__ = ["OpenAIAgent", "ServerError", "image_url", "native_messages", "turn_text"]

_CALL_BLOCK = re.compile(r"<tool_call>.*?</tool_call>", re.DOTALL | re.IGNORECASE)


class OpenAIAgent(Agent):
    """Asks `base_url`/chat/completions for every turn; several chats at a time.

    Images of a prompt are sent as data URLs, to models that see.

    Parameters
    ----------
    env
        The environment to be played: its tools go to the server with `native_tools`.
    model
        The name under which the server knows the model.
    base_url
        Up to and including `/v1`.
    api_key_env
        Name of the environment variable that holds the key; `None` sends no key. The key itself
        is never an argument, so it cannot end up in a log.
    temperature, max_tokens, seed
        Sampling, as the server understands it; `None` leaves a field out. With a fixed `seed` a
        server may answer the same chat the same way every time.
    native_tools
        Send the tools as JSON schemas, and read the server's `tool_calls` as our text form. Else
        the model writes `<tool_call>` itself, as the prompt explains.
    extra
        Further fields of the request.
    concurrency
        Requests at a time.
    timeout
        Seconds that one request may take.
    retries, backoff
        How often a request is tried again after a connection error or a status that may pass
        (408, 409, 425, 429, 500, 502, 503, 504), and the first wait in seconds; it doubles each
        time, and a `Retry-After` header goes first. No wait is longer than a minute.

    Raises
    ------
    ConfigError
        If an argument cannot work, or the server refuses the request (4xx).
    ServerError
        If it cannot be reached, still fails after the retries, or answers something else.
    """

    def __init__(
        self,
        env: GraphEnv,
        *,
        model: str,
        base_url: str = "http://127.0.0.1:8000/v1",
        api_key_env: str | None = None,
        temperature: float | None = 0.0,
        max_tokens: int | None = 512,
        seed: int | None = None,
        native_tools: bool = False,
        extra: Mapping[str, Any] | None = None,
        concurrency: int = 8,
        timeout: float = 120.0,
        retries: int = 4,
        backoff: float = 1.0,
    ) -> None:
        if concurrency < 1:
            raise ConfigError(f"openai: concurrency={concurrency!r} must be >= 1")
        self._server = ChatServer(
            base_url, api_key_env=api_key_env, timeout=timeout, retries=retries, backoff=backoff
        )
        self._tools = [spec.to_json() for spec in env.tools.values()] if native_tools else []
        self._concurrency = concurrency
        fields = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
        self._body = {
            "model": model,
            **{name: value for name, value in fields.items() if value is not None},
            **({"tools": self._tools} if self._tools else {}),
            **(extra or {}),
        }

    def act(self, messages: Sequence[Message]) -> str:
        """Return the next assistant turn."""
        chat = native_messages(messages) if self._tools else plain_messages(messages)
        body = {**self._body, "messages": [_with_images(message) for message in chat]}
        return turn_text(self._server.post(body), self._server.url)

    def act_batch(self, chats: Sequence[Sequence[Message]]) -> list[str]:
        """Return the next turn of each chat, `concurrency` requests at a time."""
        if len(chats) < 2:
            return [self.act(messages) for messages in chats]
        with ThreadPoolExecutor(min(self._concurrency, len(chats))) as pool:
            return list(pool.map(self.act, chats))


# -- between our chats and theirs -----------------------------------------------------------------


def native_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return a chat in the servers' own form of tool calls, with ids.

    A call that cannot be read stays text, and what the environment said to it a user message.
    """
    chat: list[dict[str, Any]] = []
    open_ids: list[str | None] = []
    late: list[dict[str, Any]] = []
    for message in messages:
        content = text_of(message["content"])
        if message["role"] == "tool":
            call_id = open_ids.pop(0) if open_ids else None
            if call_id is None:
                late.append({"role": "user", "content": content})
            else:
                chat.append({"role": "tool", "tool_call_id": call_id, "content": content})
            continue
        chat += late
        late = []
        if message["role"] != "assistant":
            chat += plain_messages([message])
            continue
        calls = parse_turn(content).calls
        open_ids = [f"call_{len(chat)}_{i}" if c.name else None for i, c in enumerate(calls)]
        named = [
            {
                "id": call_id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for call, call_id in zip(calls, open_ids, strict=True)
            if call_id is not None
        ]
        readable = len(named) == len(calls)
        said: dict[str, Any] = {"role": "assistant", "content": content}
        if named:
            said["tool_calls"] = named
            said["content"] = _CALL_BLOCK.sub("", content).strip() if readable else content
        chat.append(said)
    return chat + late


def image_url(image: str) -> str:
    """Return an image as the servers take it: an address as it is, a file as a data URL.

    Raises
    ------
    DataError
        If there is no such file, or its name ends as no image's does.
    """
    if image.startswith(("http://", "https://", "data:")):
        return image
    try:
        return _data_url(image, os.stat(image).st_mtime_ns)
    except OSError as error:
        raise DataError(
            f"openai: the image {image!r} of a prompt cannot be read ({error}); was the cache "
            "folder (GRAPHENV_CACHE), or what image_root= named, moved or emptied?"
        ) from error


@lru_cache(maxsize=64)
def _data_url(path: str, changed: int) -> str:  # noqa: ARG001  (a changed file is another image)
    kind = mimetypes.guess_type(path)[0] or ""
    if not kind.startswith("image/"):
        raise DataError(f"openai: the image {path!r} of a prompt has no suffix of an image format")
    return f"data:{kind};base64,{base64.b64encode(Path(path).read_bytes()).decode('ascii')}"


def _with_images(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message with its image parts in the servers' form; text stays as it is."""
    if isinstance(message["content"], str):
        return message
    parts = [
        {"type": "image_url", "image_url": {"url": image_url(str(part["image"]))}}
        if part["type"] == "image"
        else part
        for part in message["content"]
    ]
    return {**message, "content": parts}


def turn_text(reply: Any, url: str = "the server") -> str:
    """Return the assistant turn of a chat completion: its text, then its tool calls as our text.

    Raises
    ------
    ServerError
        If the reply is no chat completion.

    >>> call = {"function": {"name": "follow", "arguments": '{"relation": "directed_by"}'}}
    >>> turn_text({"choices": [{"message": {"content": None, "tool_calls": [call]}}]})
    '<tool_call>{"name": "follow", "arguments": {"relation": "directed_by"}}</tool_call>'
    """
    try:
        content = reply_text(reply, url)
        calls = [call["function"] for call in reply_message(reply, url).get("tool_calls") or ()]
        pieces = [content] if content else []
        pieces += [_call_text(str(c["name"]), c.get("arguments") or "{}") for c in calls]
    except (KeyError, IndexError, TypeError, AttributeError):
        start = bounded(json.dumps(reply), 300)
        raise ServerError(f"openai: {url} answered no chat completion: {start}") from None
    return "\n".join(pieces)


def _call_text(name: str, arguments: Any) -> str:
    if isinstance(arguments, str):
        with suppress(ValueError):  # then it stays text: the environment says what is wrong
            arguments = json.loads(arguments)
    body = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return "<tool_call>" + body.replace("<", "\\u003c") + "</tool_call>"
