"""Bad text from a model is a status and a helpful observation; from a user, one clear error."""

from __future__ import annotations

import json
import sys
from collections import Counter
from functools import lru_cache
from typing import Any

import gymnasium as gym
import kgqa_fixture as fx
import pytest
from conformance import ENVIRONMENT_MODES as CASES
from conformance import VERDICTS
from fuzz import fuzz_texts

from graphenv import envs
from graphenv.envs.arguments import offered
from graphenv.envs.base import GraphEnv
from graphenv.envs.kgqa import KGQAEnv
from graphenv.envs.registry import ENVIRONMENTS
from graphenv.episode import STATUSES
from graphenv.errors import ConfigError, DataError, GraphEnvError, UnknownNameError
from graphenv.text import MAX_COMPLETION_CHARS, format_answer, format_call

BOTH = pytest.mark.parametrize("mode", ["tools", "program"])


@lru_cache(maxsize=4)
def env_for(mode: str) -> GraphEnv:
    verdicts = "exact + answer_f1 + path_similarity + triple_f1"
    return fx.make_env(
        mode=mode, reward=f"{verdicts} + format + path_validity + progress + turn_cost"
    )


# -- model text -----------------------------------------------------------------------------------

TEXTS: dict[str, str] = {
    "megabyte": "x" * 1_000_000,
    "megabyte_in_tag": "<answer>" + "x" * 1_000_000 + "</answer>",
    "just_too_long": "x" * (MAX_COMPLETION_CHARS + 1),
    "deep_list": "<answer>" + "[" * 90_000 + "]" * 90_000 + "</answer>",
    "deep_object": "<tool_call>" + '{"name":' * 20_000 + "</tool_call>",
    "deep_arguments": '<tool_call>{"name": "follow", "arguments": "'
    + "[" * 5_000
    + '"}</tool_call>',
    "unicode": "žluťoučký 🐎 \u202e\u200b\ufeff",
    "control": "\0\x1b[2J\x07",
    "surrogate": "\ud800 <answer>\udfff</answer>",
    "surrogate_escape": '<answer>["\\ud800"]</answer>',
    "half_tag": "<answer",
    "half_close": "answer></answer>",
    "open_tag": "<answer>",
    "several_answers": format_answer(["a"]) * 3,
    "unknown_tool": format_call("folow", relation="directed_by"),
    "dunder_tool": format_call("__init__"),
    "private_tool": format_call("_world"),
    "session_method_as_tool": format_call("finish", status="ok", reason="x"),
    "no_name": '<tool_call>{"arguments": {}}</tool_call>',
    "wrong_type_list": format_call("follow", relation=["directed_by"]),
    "wrong_type_none": format_call("follow", relation=None),
    "wrong_type_bool": format_call("follow", relation=True),
    "wrong_type_page": format_call("frontier", page="first"),
    "huge_page": format_call("frontier", page=10**30),
    "float_page": format_call("frontier", page=1.5),
    "missing_argument": format_call("follow"),
    "surplus_argument": format_call("follow", relation="directed_by", speed=3),
    "unknown_relation": format_call("follow", relation="directed"),
    "unknown_entity": format_call("relations", entity="Micheal Man"),
    "unknown_operator": format_call("keep", relation="release_year", operator="~", value="1"),
    "empty_strings": format_call("neighbors", entity="", relation=""),
    "long_name": format_call("relations", entity="x" * 100_000),
    "many_calls": format_call("relations") * 64,
    "too_many_calls": format_call("relations") * 65,
    "long_tool_name": format_call("x" * 100_000),
    "many_items": format_answer([str(i) for i in range(19_000)]),
    "too_many_items": format_answer([str(i) for i in range(20_001)]),
    "combining": "<answer>a" + "\u0301\u0316" * 90_000 + "</answer>",
    "program_in_tools": "<program>^directed_by > has_genre</program>",
    "call_in_program": format_call("answer_frontier"),
    "prose": "The answer is of course Crime and Drama.",
    "markdown": '```json\n["Crime", "Drama"]\n```',
    "json_bare": '["Crime", "Drama"]',
    "code": "__import__('os').system('true')",
    "format_string": "{0.__class__} %s %n $HOME",
    "html": "<script>alert(1)</script>",
}


@BOTH
@pytest.mark.parametrize("kind", TEXTS)
def test_bad_text_is_a_status_and_a_helpful_observation(kind: str, mode: str):
    env = env_for(mode)
    env.reset(options={"index": 0})
    observation, reward, terminated, truncated, info = env.step(TEXTS[kind])
    check(env, info)
    assert isinstance(reward, float)
    assert not truncated
    if not terminated:
        assert observation, "a running episode always answers"
        if info["turn_status"] == "malformed":
            assert (
                "Write" in observation
                or "Use" in observation
                or "Known" in observation
                or ("Did you mean" in observation or "asked for" in observation)
            )
    elif mode == "program":
        assert info["status"] in ("ok", "malformed", "infeasible")
    right = (kind, mode) == ("program_in_tools", "program")
    assert info["success"] == (1.0 if right else 0.0 if terminated else None)


def check(env: GraphEnv, info: dict[str, Any]) -> None:
    """Check what must hold after any turn: statuses, bounds, encodable chat, finite numbers."""
    step = env.episode.steps[-1]
    assert step.status in STATUSES and step.status != "error"
    assert len(step.observation) <= env.max_observation + 40
    heard = [str(message["content"]) for message in step.messages[1:]]
    assert sum(map(len, heard)) <= env.max_observation + 120 * max(1, len(step.calls))
    assert len(step.reason) <= 500
    assert len(json.dumps(step.facts)) <= 30_000
    for text in (
        step.observation,
        step.reason,
        *heard,
        *(str(m.get("name", "")) for m in step.messages[1:]),
    ):
        text.encode()
    shown = {key: value for key, value in info.items() if key != "messages"}
    json.dumps(shown, ensure_ascii=False, allow_nan=False).encode()
    outcome = env.episode.outcome
    if outcome is not None and outcome.answer is not None:
        "".join(outcome.answer).encode()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (format_call("folow", relation="x"), "Did you mean 'follow'"),
        (format_call("relations", entity="Micheal Man"), "Nearest: 'Michael Mann'"),
        (format_call("follow", relation="directed"), "Nearest: directed_by"),
        (format_call("follow", relation="^directed"), "Nearest: ^directed_by"),
        (format_call("neighbors", entity="Heat", relation="genre"), "Nearest: has_genre"),
        (format_call("follow", relation="has_genre"), "Relations: ^directed_by"),
        (format_call("follow", rel="x"), "follow(relation)"),
        (format_call("follow"), "needs the argument 'relation'"),
        (format_call("frontier", page="x"), "a integer is asked for"),
        ("hello", "relations, neighbors, follow"),
        ("<answer>[", "never closed"),
        ('<answer>{"a": 1}</answer>', "a JSON list of strings"),
    ],
)
def test_the_observation_says_what_to_do_instead(text: str, hint: str):
    assert hint in env_for("tools").play(0, [text]).steps[0].observation


def test_a_bad_call_does_not_undo_the_good_ones_beside_it():
    turn = fx.follow("^directed_by")[0] + "<tool_call>{</tool_call>" + format_call("frontier")
    step = env_for("tools").play(0, [turn]).steps[0]
    assert [call.status for call in step.calls] == ["ok", "malformed", "ok"]
    assert step.status == "malformed" and 'Frontier (2): "Heat"' in step.calls[2].result


def test_tools_are_reached_by_table_only(monkeypatch: pytest.MonkeyPatch):
    """A model names a tool; no name may reach another method of the session."""
    env = env_for("tools")
    for name in dir(env.begin(0)):
        if name not in env.tools:
            step = env.play(0, [format_call(name)]).steps[0]
            assert step.calls[0].status == "malformed" and "There is no tool" in step.observation


# -- work grows no faster than text ---------------------------------------------------------------


def _calls(text: str, mode: str) -> int:
    """Return the number of Python calls and C calls that a turn takes."""
    env = env_for(mode)
    session, count = env.begin(0), 0

    def profile(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        session.turn(text)
    finally:
        sys.setprofile(None)
    return count


@BOTH
@pytest.mark.parametrize(
    "piece",
    [
        "x",
        " ",
        "[",
        "<answer>",
        "</think>",
        '"',
        "a > ",
        "a & ",
        "{",
        "[a < ",
        "\u0301\u0316",
        "<think>",
        "&",
        '<tool_call>{"name": "back"}</tool_call>',
    ],
)
def test_work_is_linear_in_the_text(piece: str, mode: str):
    """Counted in calls, not seconds: four times the text, at most five times the calls."""
    _calls(piece, mode)
    short, long = (_calls(piece * n, mode) for n in (1_000, 4_000))
    assert long <= 5 * short + 2_000


# -- fuzz -----------------------------------------------------------------------------------------


VALIDITY = {
    "kgqa": "path_validity",
    "text2sql": "query_ged",
    "text2cypher": "schema_linking",
    "scene-graph": "ged",
    "caption-correction": "triple_f1",
    "kg-construction": "node_f1",
    "subgraph": "path_validity",
    "graph-design": "objective_value",
}
NEVER_INFEASIBLE = {"graphenv/KGConstruction-v0"}
"""Where whatever can be read can also be said."""


def fuzz(id: str, kwargs: dict[str, Any], count: int) -> Counter[str]:
    """Feed `count` generated turns to an environment; return how its turns went."""
    family = next(row.name for row in ENVIRONMENTS if row.id == id)
    graded = f"{VERDICTS[family]} + format + {VALIDITY[family]} + 0.1*turn_cost"
    env = gym.make(id, reward=graded, **kwargs).unwrapped
    assert isinstance(env, GraphEnv)
    statuses: Counter[str] = Counter()
    ended, index = True, -1
    for place, text in fuzz_texts(env, count):
        if ended or place != index:
            index = place
            env.reset(options={"index": index})
        _, reward, terminated, truncated, info = env.step(text)
        ended = terminated or truncated
        check(env, info)
        low, high = env.reward.range
        assert low - 1 <= float(reward) <= high + 1
        statuses[info["turn_status"]] += 1
    return statuses


@pytest.mark.parametrize(("id", "kwargs"), CASES)
def test_fuzz_slice(id: str, kwargs: dict[str, Any]):
    statuses = fuzz(id, kwargs, 750 if "KGQA" in id else 400)  # an engine takes its time
    possible = ("ok", "malformed") if id in NEVER_INFEASIBLE else ("ok", "malformed", "infeasible")
    assert min(statuses[s] for s in possible) > 20, statuses


@pytest.mark.soak
@pytest.mark.parametrize(("id", "kwargs"), CASES)
def test_fuzz_100k(id: str, kwargs: dict[str, Any], record_property: Any):
    statuses = fuzz(id, kwargs, 100_000 // len(CASES))
    record_property("report", f"fuzz {id} {kwargs}: {dict(statuses)}")


def test_fuzz_is_the_same_in_every_run():
    env = fx.make_env()
    assert list(fuzz_texts(env, 60)) == list(fuzz_texts(env, 60))
    assert len(set(fuzz_texts(env, 300))) > 250


# -- what users get wrong -------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], type[GraphEnvError], str]] = [
    ({"soruce": "synthetic"}, ConfigError, "'soruce'.*Did you mean 'source'"),
    ({"max_turn": 3}, ConfigError, "'max_turn'.*Did you mean 'max_turns'"),
    ({"pagesize": 3}, ConfigError, "Did you mean 'page_size'"),
    ({"source": "metaqaa"}, UnknownNameError, "Did you mean 'metaqa'"),
    ({"source": "metaqa"}, ConfigError, "needs root="),
    ({"source": "metaqa", "root": "/no/such/folder"}, DataError, "does not exist.*Expected layout"),
    ({"split": "test"}, ConfigError, "train, validation, heldout"),
    ({"mode": "chat"}, ConfigError, "not one of tools, program"),
    ({"mode": "program", "max_turns": 5}, ConfigError, "one turn"),
    ({"max_turns": 0}, ConfigError, "max_turns=0"),
    ({"max_turns": "5"}, ConfigError, "max_turns='5'"),
    ({"max_turns": True}, ConfigError, "max_turns=True"),
    ({"page_size": True}, ConfigError, "page_size=True"),
    ({"page_size": 0}, ConfigError, "page_size=0"),
    ({"page_size": 2.5}, ConfigError, "page_size=2.5"),
    ({"max_observation": 10}, ConfigError, "max_observation=10"),
    ({"max_observation": "much"}, ConfigError, "max_observation='much'"),
    ({"encoding": "tripels"}, ConfigError, "Did you mean 'triples'"),
    ({"instructions": "long"}, ConfigError, "full, short, none"),
    ({"render_mode": "human"}, ConfigError, "only 'ansi'"),
    ({"reward": "exakt"}, UnknownNameError, "Did you mean 'exact'"),
    ({"reward": "exact +"}, ConfigError, "not an expression"),
    ({"reward": None}, ConfigError, "expression"),
    ({"reward": "user(function='nowhere:f')"}, ConfigError, "cannot be loaded"),
]


@pytest.mark.parametrize(("kwargs", "error", "match"), WRONG, ids=lambda x: str(x)[:40])
def test_wrong_arguments_are_one_clear_error(
    kwargs: dict[str, Any], error: type[Exception], match: str
):
    with pytest.raises(error, match=f"(?s){match}"):
        envs.make("kgqa", **kwargs)
    if "render_mode" not in kwargs:
        with pytest.raises(error, match=f"(?s){match}"):
            gym.make("graphenv/KGQA-v0", **kwargs)


@pytest.mark.parametrize("argument", offered(KGQAEnv))
def test_every_argument_of_the_environment_is_offered(argument: str):
    with pytest.raises(ConfigError, match=f"'{argument}_'.*Did you mean.*'{argument}'"):
        envs.make("kgqa", **{f"{argument}_": 1})


def test_every_argument_is_on_record():
    assert [*envs.make("kgqa").kwargs, "render_mode"] == offered(KGQAEnv)
    assert list(envs.make("kgqa", hops=1, split="heldout").kwargs)[-1] == "hops"


@pytest.mark.data
def test_a_source_without_paths_cannot_feed_path_rewards(graphenv_data: Any, tmp_path: Any):
    lines = (graphenv_data / "kgqa" / "metaqa" / "1hop_dev_official.txt").read_text().splitlines()
    (tmp_path / "1hop_dev_official.txt").write_text(
        "\n".join(line.rsplit("\t", 1)[0] if line.count("\t") > 1 else line for line in lines[:50])
    )
    (tmp_path / "kb.txt").write_bytes((graphenv_data / "kgqa" / "metaqa" / "kb.txt").read_bytes())
    arguments = {"source": "metaqa", "root": str(tmp_path), "hops": 1}
    assert len(envs.make("kgqa", **arguments).tasks) > 5
    with pytest.raises(ConfigError, match=r"'path_similarity' needs target\.path"):
        envs.make("kgqa", reward="exact + path_similarity", **arguments)
