"""`openai` against a small server on this machine: protocol, failures, and a real tiny model."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from graphenv import agents, envs
from graphenv.agents.base import policy_for
from graphenv.agents.openai import OpenAIAgent, ServerError, native_messages, turn_text
from graphenv.envs.base import GraphEnv
from graphenv.errors import ConfigError
from graphenv.text import format_call, parse_turn

Reply = tuple[int, dict[str, str], str]
Answer = Callable[[dict[str, Any], dict[str, str]], Reply]


def completion(content: str | None, *calls: tuple[str, str]) -> Reply:
    """Return a chat completion in the servers' form; calls are (name, arguments as JSON)."""
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if calls:
        message["tool_calls"] = [
            {"id": str(i), "type": "function", "function": {"name": n, "arguments": a}}
            for i, (n, a) in enumerate(calls)
        ]
    return 200, {}, json.dumps({"choices": [{"index": 0, "message": message}]})


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Serve `answer` as a chat completions endpoint; yield the base url."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            body = json.loads(self.rfile.read(size))
            assert self.path == "/v1/chat/completions"
            status, headers, text = answer(body, dict(self.headers))
            data = text.encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def env() -> GraphEnv:
    return envs.make("kgqa", mode="tools", split="heldout")


HELLO = [{"role": "user", "content": "hello"}]


def test_an_episode_in_text_and_in_native_calls(env: GraphEnv) -> None:
    """The server plays the oracle's moves; both forms give the same transcript."""
    oracle = agents.make("oracle", env)
    seen: list[dict[str, Any]] = []
    for native in (False, True):
        session = env.begin(4)
        gold = policy_for(oracle, session)

        def answer(body: dict[str, Any], _: dict[str, str], gold: Any = gold) -> Reply:
            seen.append(body)
            turn = gold.act(body["messages"])
            if "tools" not in body:
                return completion(turn)
            [call] = parse_turn(turn).calls
            assert call.name
            return completion(None, (call.name, json.dumps(call.arguments)))

        with serving(answer) as url:
            agent = agents.make("openai", env, model="m", base_url=url, native_tools=native, seed=7)
            episode = agents.rollout(env, agent, index=4)
        assert episode.success == 1.0
        assert [step.text for step in episode.steps] == list(gold.turns)  # type: ignore[attr-defined]
    plain, native_body = seen[1], seen[-1]
    assert (plain["model"], plain["temperature"], plain["seed"]) == ("m", 0.0, 7)
    assert {m["role"] for m in plain["messages"]} == {"system", "user", "assistant"}
    assert [t["function"]["name"] for t in native_body["tools"]] == list(env.tools)
    said = [m for m in native_body["messages"] if m["role"] == "assistant"]
    heard = [m for m in native_body["messages"] if m["role"] == "tool"]
    assert [m["tool_calls"][0]["id"] for m in said] == [m["tool_call_id"] for m in heard]
    assert said[0]["content"] == ""


def test_malformed_calls_stay_text() -> None:
    good = format_call("back")
    chat = [
        *HELLO,
        {"role": "assistant", "content": f"so <tool_call>{{broken</tool_call> {good}"},
        {"role": "tool", "name": "", "content": "Malformed"},
        {"role": "tool", "name": "back", "content": "ok"},
    ]
    _, said, heard, notice = native_messages(chat)
    assert [c["function"]["name"] for c in said["tool_calls"]] == ["back"]
    assert "{broken" in said["content"]
    assert (heard["role"], heard["content"]) == ("tool", "ok")
    assert (notice["role"], notice["content"]) == ("user", "Malformed")
    broken = {"function": {"name": "follow", "arguments": "{oops"}}
    turn = turn_text({"choices": [{"message": {"content": "hm", "tool_calls": [broken]}}]})
    assert turn.startswith("hm\n<tool_call>")
    assert "not valid JSON" in parse_turn(turn).calls[0].reason


def test_chats_of_a_batch_keep_their_order_and_overlap(env: GraphEnv) -> None:
    barrier = threading.Barrier(4, timeout=20)  # passes only if four requests are open at once

    def answer(body: dict[str, Any], _: dict[str, str]) -> Reply:
        barrier.wait()
        return completion(body["messages"][0]["content"].upper())

    with serving(answer) as url:
        agent = OpenAIAgent(env, model="m", base_url=url, concurrency=4)
        chats = [[{"role": "user", "content": f"q{i}"}] for i in range(8)]
        assert agent.act_batch(chats) == [f"Q{i}" for i in range(8)]
        assert agent.act_batch([]) == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_failures_are_tried_again(env: GraphEnv, status: int) -> None:
    replies: list[Reply] = [
        (status, {"Retry-After": "0"}, "busy"),
        (status, {}, "busy"),
        completion("done"),
    ]
    with serving(lambda *_: replies.pop(0)) as url:
        agent = OpenAIAgent(env, model="m", base_url=url, backoff=0.001)
        assert agent.act(HELLO) == "done"
    assert not replies


def test_lasting_failures_say_where_and_what(env: GraphEnv) -> None:
    with serving(lambda *_: (503, {}, "x" * 5_000)) as url:
        agent = OpenAIAgent(env, model="m", base_url=url, retries=2, backoff=0.001)
        with pytest.raises(ServerError, match=r"chat/completions answered 503: x+.*3 tries") as e:
            agent.act(HELLO)
        assert len(str(e.value)) < 600
    agent = OpenAIAgent(env, model="m", base_url=url, retries=1, backoff=0.001, timeout=5)
    with pytest.raises(ServerError, match="cannot be reached"):  # the server is gone
        agent.act(HELLO)


def test_refusals_are_not_tried_again(env: GraphEnv) -> None:
    asked = []

    def answer(body: dict[str, Any], _: dict[str, str]) -> Reply:
        asked.append(body)
        return 404, {}, '{"error": "no such model"}'

    with serving(answer) as url, pytest.raises(ConfigError, match=r"404.*no such model"):
        OpenAIAgent(env, model="m", base_url=url).act(HELLO)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "text", ["no json", "{}", '{"choices": []}', '{"choices": [{"message": null}]}', "[1]"]
)
def test_other_answers_are_an_error(env: GraphEnv, text: str) -> None:
    with serving(lambda *_: (200, {}, text)) as url, pytest.raises(ServerError, match="answered"):
        OpenAIAgent(env, model="m", base_url=url, retries=0).act(HELLO)


def test_the_key_comes_from_the_environment_and_goes_nowhere_else(
    env: GraphEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(ConfigError, match="MY_KEY is not set"):
        OpenAIAgent(env, model="m", api_key_env="MY_KEY")
    monkeypatch.setenv("MY_KEY", "s3cret")
    elsewhere: list[dict[str, str]] = []

    def thief(_: dict[str, Any], headers: dict[str, str]) -> Reply:
        elsewhere.append(headers)
        return completion("thanks")

    with serving(thief) as other:

        def answer(_: dict[str, Any], headers: dict[str, str]) -> Reply:
            if "Authorization" not in headers:
                return completion("none")
            if headers["Authorization"] == "Bearer s3cret":
                return 307, {"Location": f"{other}/chat/completions"}, "you sent s3cret"
            return 500, {}, ""

        with serving(answer) as url:
            agent = OpenAIAgent(env, model="m", base_url=url, api_key_env="MY_KEY")
            with pytest.raises(ConfigError, match="307") as error:
                agent.act(HELLO)
            assert OpenAIAgent(env, model="m", base_url=url).act(HELLO) == "none"
    assert not elsewhere
    assert "s3cret" not in str(error.value) + repr(vars(agent))


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"base_url": "file:///etc/passwd"}, "http"),
        ({"base_url": "127.0.0.1:8000"}, "http"),
        ({"base_url": "http://user:pass@host/v1"}, "credentials"),
        ({"concurrency": 0}, "concurrency"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_arguments_are_checked(env: GraphEnv, kwargs: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        OpenAIAgent(env, model="m", **kwargs)


@pytest.mark.runs("openai")
@pytest.mark.train
def test_a_model_behind_a_server_plays_as_it_does_at_home(tmp_path: Path) -> None:
    """The same tiny model through transformers and through HTTP gives the same episodes."""
    from graphenv.agents.llm import LLMAgent
    from graphenv.agents.tiny import make_tiny

    env = envs.make("kgqa", mode="tools", max_turns=2, instructions="short", split="heldout")
    texts = [task.prompt for task in env.tasks[:50]]
    folder = make_tiny(texts, tmp_path / "tiny", size="s")
    model = LLMAgent(env, model=str(folder), max_new_tokens=8, device="cpu")
    lock = threading.Lock()

    def answer(body: dict[str, Any], _: dict[str, str]) -> Reply:
        with lock:
            return completion(model.act(body["messages"]))

    with serving(answer) as url:
        remote = OpenAIAgent(env, model="tiny", base_url=url, concurrency=2)
        over_http = agents.rollout_batch(env, remote, [0, 1, 2])
    at_home = agents.rollout_batch(env, model, [0, 1, 2], batch_size=1)
    assert [[s.text for s in e.steps] for e in over_http] == [
        [s.text for s in e.steps] for e in at_home
    ]
