"""`ChatServer`: asks an OpenAI-compatible server (vLLM and others) for chat completions."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from graphenv.errors import ConfigError, GraphEnvError
from graphenv.seeding import rng
from graphenv.text import bounded

__all__ = ["ChatServer", "ServerError", "reply_message", "reply_text"]

PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses that may pass: they are tried again."""
MAX_WAIT = 60.0
MAX_REPLY_BYTES = 16_000_000


class ServerError(GraphEnvError, RuntimeError):
    """A model server that cannot be reached, keeps failing, or does not speak the protocol."""


class ChatServer:
    """`base_url`/chat/completions, with patience: what may pass is tried again.

    Picklable, and safe to use from several threads at once.

    Parameters
    ----------
    base_url
        Up to and including `/v1`.
    api_key_env
        Name of the environment variable that holds the key; `None` sends no key. The key itself
        is never an argument, so it cannot end up in a log.
    timeout
        Seconds that one request may take.
    retries, backoff
        How often a request is tried again after a connection error or a status that may pass
        (408, 409, 425, 429, 500, 502, 503, 504), and the first wait in seconds; it doubles each
        time, and a `Retry-After` header goes first. No wait is longer than a minute.
    who
        How messages call the one who asks.

    Raises
    ------
    ConfigError
        If an argument cannot work.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key_env: str | None = None,
        timeout: float = 120.0,
        retries: int = 4,
        backoff: float = 1.0,
        who: str = "openai",
    ) -> None:
        address = urlsplit(base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigError(f"{who}: base_url={base_url!r} is no http(s) address")
        if address.username or address.password:
            raise ConfigError(f"{who}: base_url must hold no credentials; use api_key_env")
        if retries < 0 or timeout <= 0 or backoff < 0:
            raise ConfigError(
                f"{who}: retries={retries!r} and backoff={backoff!r} must be >= 0, "
                f"timeout={timeout!r} > 0"
            )
        if api_key_env is not None and not os.environ.get(api_key_env):
            raise ConfigError(
                f"{who}: the environment variable {api_key_env} is not set. Put the key there; "
                "api_key_env takes the variable's name, never the key."
            )
        self.url = f"{base_url.rstrip('/')}/chat/completions"
        self._host = address.hostname
        self._api_key_env = api_key_env
        self._timeout = timeout
        self._retries = retries
        self._backoff = backoff
        self._who = who

    def post(self, body: Mapping[str, Any]) -> Any:
        """Return the server's reply to a request, as JSON.

        Raises
        ------
        ConfigError
            If the server refuses the request (4xx).
        ServerError
            If it cannot be reached, still fails after the retries, or answers no JSON.
        """
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
                    return self._json(reply)
            except HTTPError as error:
                with error:
                    said = error.read(4_096).decode("utf-8", "replace")
                    asked_wait = error.headers.get("Retry-After")
                said = bounded(said.replace(key, "***") if key else said, 300)
                problem = f"{self.url} answered {error.code}: {said}"
                if error.code not in PASSING:
                    raise ConfigError(
                        f"{self._who}: {problem} (check base_url, model, key and extra fields)"
                    ) from None
            except (URLError, HTTPException, OSError) as error:
                problem = f"{self.url} cannot be reached: {getattr(error, 'reason', error)!r}"
            if attempt < self._retries:
                time.sleep(self._wait(attempt, asked_wait, data))
        tries = self._retries + 1
        raise ServerError(
            f"{self._who}: {problem} ({tries} tries). Is the server up, at this address?"
        )

    def _wait(self, attempt: int, asked: str | None, data: bytes) -> float:
        """Seconds before the next try: spread, so that parallel requests do not return at once."""
        if asked is not None and re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", asked.strip()):
            return min(float(asked), MAX_WAIT)
        spread = float(rng("openai backoff", attempt, data).uniform(0.5, 1.5))
        return min(self._backoff * 2.0**attempt * spread, MAX_WAIT)

    def _json(self, reply: HTTPResponse) -> Any:
        raw = reply.read(MAX_REPLY_BYTES)
        try:
            return json.loads(raw)
        except ValueError as error:
            start = bounded(raw[:400].decode("utf-8", "replace"), 300)
            raise ServerError(
                f"{self._who}: {self.url} answered no JSON ({error}): {start}"
            ) from None


class _NoRedirect(HTTPRedirectHandler):
    """Refuses redirects: urllib would carry the key to wherever they point."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _opener(host: str) -> OpenerDirector:
    # A proxy of the environment cannot reach this machine's own servers.
    local = host in ("localhost", "::1") or host.startswith("127.")
    return build_opener(_NoRedirect, *([ProxyHandler({})] if local else []))


def reply_message(reply: Any, url: str = "the server") -> Mapping[str, Any]:
    """Return the message of a chat completion.

    Raises
    ------
    ServerError
        If the reply is no chat completion.
    """
    try:
        message = reply["choices"][0]["message"]
        message.get("content")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise _no_completion(reply, url) from None
    found: Mapping[str, Any] = message
    return found


def reply_text(reply: Any, url: str = "the server") -> str:
    """Return the text of a chat completion.

    Raises
    ------
    ServerError
        If the reply is no chat completion.

    >>> reply_text({"choices": [{"message": {"content": "yes"}}]})
    'yes'
    """
    content = reply_message(reply, url).get("content") or ""
    if isinstance(content, list):  # content parts
        try:
            content = "".join(str(part.get("text", "")) for part in content)
        except AttributeError:
            raise _no_completion(reply, url) from None
    return str(content)


def _no_completion(reply: Any, url: str) -> ServerError:
    start = bounded(json.dumps(reply), 300)
    return ServerError(f"openai: {url} answered no chat completion: {start}")
