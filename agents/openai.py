"""`openai`: a language model behind any OpenAI-compatible server (vLLM and others)."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from graphenv.agents.base import Agent
from graphenv.agents.chats import plain_messages
from graphenv.envs.base import GraphEnv
from graphenv.errors import ConfigError, GraphEnvError
from graphenv.seeding import rng
from graphenv.task import Message
from graphenv.text import bounded, parse_turn

__all__ = ["OpenAIAgent", "ServerError", "native_messages", "turn_text"]

PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses that may pass: they are tried again."""
MAX_WAIT = 60.0
MAX_REPLY_BYTES = 16_000_000
_CALL_BLOCK = re.compile(r"<tool_call>.*?</tool_call>", re.DOTALL | re.IGNORECASE)


class ServerError(GraphEnvError, RuntimeError):
    """A model server that cannot be reached, keeps failing, or does not speak the protocol."""


class OpenAIAgent(Agent):
    """Asks `base_url`/chat/completions for every turn; several chats at a time.

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
        address = urlsplit(base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigError(f"openai: base_url={base_url!r} is no http(s) address")
        if address.username or address.password:
            raise ConfigError("openai: base_url must hold no credentials; use api_key_env")
        if concurrency < 1 or retries < 0 or timeout <= 0 or backoff < 0:
            raise ConfigError(
                f"openai: concurrency={concurrency!r} must be >= 1, retries={retries!r} and "
                f"backoff={backoff!r} >= 0, timeout={timeout!r} > 0"
            )
        if api_key_env is not None and not os.environ.get(api_key_env):
            raise ConfigError(
                f"openai: the environment variable {api_key_env} is not set. Put the key there; "
                "api_key_env takes the variable's name, never the key."
            )
        self.url = f"{base_url.rstrip('/')}/chat/completions"
        self._host = address.hostname
        self._api_key_env = api_key_env
        self._tools = [spec.to_json() for spec in env.tools.values()] if native_tools else []
        self._concurrency = concurrency
        self._timeout = timeout
        self._retries = retries
        self._backoff = backoff
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
        return turn_text(self._post({**self._body, "messages": chat}), self.url)

    def act_batch(self, chats: Sequence[Sequence[Message]]) -> list[str]:
        """Return the next turn of each chat, `concurrency` requests at a time."""
        if len(chats) < 2:
            return [self.act(messages) for messages in chats]
        with ThreadPoolExecutor(min(self._concurrency, len(chats))) as pool:
            return list(pool.map(self.act, chats))

    def _post(self, body: Mapping[str, Any]) -> Any:
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        key = os.environ.get(self._api_key_env, "") if self._api_key_env else ""
        if key:
            headers["Authorization"] = f"Bearer {key}"
        opener = _opener(self._host)
        problem = ""
        for attempt in range(self._retries + 1):
            asked_wait: str | None = None
            try:
                request = Request(self.url, data=data, headers=headers, method="POST")
                with opener.open(request, timeout=self._timeout) as reply:
                    return _json(reply, self.url)
            except HTTPError as error:
                with error:
                    said = error.read(4_096).decode("utf-8", "replace")
                    asked_wait = error.headers.get("Retry-After")
                said = bounded(said.replace(key, "***") if key else said, 300)
                problem = f"{self.url} answered {error.code}: {said}"
                if error.code not in PASSING:
                    raise ConfigError(
                        f"openai: {problem} (check base_url, model, key and extra fields)"
                    ) from None
            except (URLError, HTTPException, OSError) as error:
                problem = f"{self.url} cannot be reached: {getattr(error, 'reason', error)!r}"
            if attempt < self._retries:
                time.sleep(self._wait(attempt, asked_wait, data))
        tries = self._retries + 1
        raise ServerError(f"openai: {problem} ({tries} tries). Is the server up, at this address?")

    def _wait(self, attempt: int, asked: str | None, data: bytes) -> float:
        """Seconds before the next try: spread, so that parallel requests do not return at once."""
        if asked is not None and re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", asked.strip()):
            return min(float(asked), MAX_WAIT)
        spread = float(rng("openai backoff", attempt, data).uniform(0.5, 1.5))
        return min(self._backoff * 2.0**attempt * spread, MAX_WAIT)


class _NoRedirect(HTTPRedirectHandler):
    """Refuses redirects: urllib would carry the key to wherever they point."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _opener(host: str) -> OpenerDirector:
    # A proxy of the environment cannot reach this machine's own servers.
    local = host in ("localhost", "::1") or host.startswith("127.")
    return build_opener(_NoRedirect, *([ProxyHandler({})] if local else []))


def _json(reply: HTTPResponse, url: str) -> Any:
    raw = reply.read(MAX_REPLY_BYTES)
    try:
        return json.loads(raw)
    except ValueError as error:
        start = bounded(raw[:400].decode("utf-8", "replace"), 300)
        raise ServerError(f"openai: {url} answered no JSON ({error}): {start}") from None


# -- between our chats and theirs -----------------------------------------------------------------


def native_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return a chat in the servers' own form of tool calls, with ids.

    A call that cannot be read stays text, and what the environment said to it a user message.
    """
    chat: list[dict[str, Any]] = []
    open_ids: list[str | None] = []
    late: list[dict[str, Any]] = []
    for message in messages:
        content = str(message["content"])
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
            chat.append({"role": str(message["role"]), "content": content})
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
        message = reply["choices"][0]["message"]
        content = message.get("content") or ""
        if isinstance(content, list):  # content parts
            content = "".join(str(part.get("text", "")) for part in content)
        calls = [call["function"] for call in message.get("tool_calls") or ()]
        pieces = [str(content)] if content else []
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
