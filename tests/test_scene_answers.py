"""What is read of a turn as a scene graph, and what bad answers come to."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene_play import GOLD, asked, block, env_with, related

from graphenv.envs.scenes.reading import find_scene
from graphenv.episode import STATUSES
from graphenv.text import MAX_JSON_DEPTH, format_answer, parse_turn

# -- what is read; all ways to write a block are in test_query_turns -------------------------------

J = '{"objects": []}'
READ: dict[str, tuple[str, str | None, str]] = {
    "block": (block(J), J, ""),
    "bare": (f"\n {J} ", J, ""),
    "bare list": ('[["goat"]]', '[["goat"]]', ""),
    "answer": (f"<answer>{J}</answer>", J, ""),
    "answer around a block": (f"<answer>\n{block(J)}\n</answer>", J, ""),
    "block around an answer": (f"```json\n<answer>{J}</answer>\n```", J, ""),
    "answer as a list": (format_answer([J]), J, ""),
    "facts in an answer": ('<answer>[["a", "b", "c"]]</answer>', '[["a", "b", "c"]]', ""),
    "nothing": ("", None, "no ```json block"),
    "prose": ("There is a goat.", None, "no ```json block"),
    "two blocks": (f"{block(J)}\nor\n{block(J)}", None, "2 fenced blocks"),
    "answer beside a draft": (f"{block('[]')}\n<answer>{J}</answer>", J, ""),
    "open block": (f"```json\n{J}", None, "never closed"),
    "program": (f"<program>{J}</program>", None, "<program> block is not read"),
    "empty answer": ("<answer></answer>", None, "the answer is empty"),
}


@pytest.mark.parametrize("kind", READ)
def test_where_the_scene_stands(kind: str):
    turn, text, reason = READ[kind]
    found, why = find_scene(parse_turn(turn))
    assert found == text and (reason in why if reason else why == "")


BAD: dict[str, tuple[Any, str]] = {
    "no json": ("{goat}", "not valid JSON"),
    "cut off": (json.dumps(GOLD)[:-3], "not valid JSON"),
    "list instead": ([["goat", "eat", "hat"]], '"objects" and "relationships" is asked for'),
    "nested bomb": ("[" * 50_000, "is asked for"),
    "nested bomb in an object": ('{"objects": ' + "[" * 50_000, f"deeper than {MAX_JSON_DEPTH}"),
    "nested keys": ('{"objects":' * 10_000, f"deeper than {MAX_JSON_DEPTH}"),
    "no objects": ({"relationships": []}, '"objects" is not a list'),
    "objects as object": ({"objects": {}}, '"objects" is not a list'),
    "another key": ({**GOLD, "thoughts": "x"}, "unknown key 'thoughts'"),
    "duplicate ids": ({"objects": [{"id": "a"}, {"id": "a"}]}, "two objects have the id 'a'"),
    "no id": ({"objects": [{"label": "goat"}]}, "a null where a string"),
    "label is a number": ({"objects": [{"id": 3}]}, "a number where a string"),
    "label is a list": ({"objects": [{"id": ["goat"]}]}, "a list where a string"),
    "label is null": ({"objects": [{"id": "a", "label": None}]}, "a null where a string"),
    "label is empty": ({"objects": [{"id": " \u00a0"}]}, "an empty string"),
    "label is long": ({"objects": [{"id": "x" * 201}]}, "201 characters"),
    "object is a string": ({"objects": ["goat"]}, "an object is a JSON string"),
    "attributes as text": ({"objects": [{"id": "a", "attributes": "red"}]}, "no list of strings"),
    "attribute is a number": ({"objects": [{"id": "a", "attributes": [1]}]}, "a number where"),
    "inverted box": ({"objects": [{"id": "a", "bbox": [9, 1, 2, 4]}]}, "left < right"),
    "box of no size": ({"objects": [{"id": "a", "bbox": [1, 1, 1, 4]}]}, "left < right"),
    "short box": ({"objects": [{"id": "a", "bbox": [1, 2, 3]}]}, "list of four numbers"),
    "box of words": ({"objects": [{"id": "a", "bbox": ["1", 2, 3, 4]}]}, "holds a string"),
    "box of truths": ({"objects": [{"id": "a", "bbox": [True, 2, 3, 4]}]}, "holds a boolean"),
    "nan box": ('{"objects": [{"id": "a", "bbox": [NaN, 1, 2, 3]}]}', "NaN is not a JSON value"),
    "endless box": ('{"objects": [{"id": "a", "bbox": [1, 1, 1e999, 3]}]}', "beyond 1e+06"),
    "huge box": ({"objects": [{"id": "a", "bbox": [0, 0, 10**300, 3]}]}, "beyond 1e+06"),
    "relation of two": ({"objects": [], "relationships": [{"subject": "a"}]}, "exactly the keys"),
    "relation is a number": (
        {**GOLD, "relationships": [related("goat.1", 3, "hat.1")]},
        "a number where a string",
    ),
    "empty predicate": ({**GOLD, "relationships": [related("goat.1", "", "hat.1")]}, "an empty"),
    "1,001 objects": ({"objects": [{"id": f"a.{i}"} for i in range(1_001)]}, "1001 objects"),
    "100,000 objects": ('{"objects": [' + "{}," * 60_000 + "{}]}", "60001 objects; at most"),
    "5,001 relations": (
        {"objects": [{"id": "a"}], "relationships": [related("a", "r", "a")] * 3_000},
        "",
    ),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("mode", ["single", "steps"])
def test_bad_answers_are_a_status_with_a_reason(kind: str, mode: str):
    value, reason = BAD[kind]
    env = env_with(mode=mode, reward="triple_f1 + object_f1 + ged + format")
    episode = env.play(0, [block(value)])
    step = episode.steps[0]
    if not reason:  # it is only large
        assert step.status == "ok"
        return
    assert step.status == "malformed" and reason in step.reason, step.reason
    assert len(step.reason) <= 300
    if mode == "steps":
        assert not episode.ended and "Write" in step.observation and reason in step.observation
        return
    assert (episode.status, episode.success) == ("malformed", 0.0)
    score = env.reward([episode])[0]
    assert score.status == "ok" and {part.value for part in score.parts.values()} == {0.0}


def test_100_000_objects_are_refused_before_they_are_read():
    text = '{"objects": [' + '{"id":"a"},' * 100_000 + '{"id":"b"}]}'
    episode = asked(block(text))
    assert episode.status == "malformed" and "longer than" in episode.steps[0].reason


@pytest.mark.parametrize(
    "piece",
    [
        '{"id": "a"},',
        '{"id": "a", "bbox": [1, 2, 3, 4], "attributes": ["b"]},',
        "[[",
        '"a", ',
        '{"subject": "a", "predicate": "b", "object": "c"},',
        "```json\n",
        '["a", "b", "c"],',
    ],
)
@pytest.mark.parametrize("frame", ['{{"objects": [{}]}}', "```json\n[{}]\n```", "{}"])
def test_work_is_linear_in_the_text(piece: str, frame: str):
    """Counted in calls, not seconds: four times the text, at most five times the calls."""
    env = env_with(answer="triples" if frame[0] == "`" else "json")

    def calls(count: int) -> int:
        session, found = env.begin(0), 0

        def profile(_frame: Any, event: str, _arg: Any) -> None:
            nonlocal found
            found += event in ("call", "c_call")

        text = frame.format(piece * count)
        sys.setprofile(profile)
        try:
            session.turn(text)
        finally:
            sys.setprofile(None)
        return found

    calls(500)
    assert calls(2_000) <= 5 * calls(500) + 2_000


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.sampled_from(["goat.1", "hat", "hat.1", "eat", "", "is", "\ud800", "x" * 300]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("objects", "relationships", "id", "label", "attributes", "bbox"),
                    *("subject", "predicate", "object"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
ids = st.sampled_from(["goat.1", "goat.2", "hat.1", "hat", "kite.1", "9"])
things = st.fixed_dictionaries(
    {"id": ids | json_values},
    optional={"bbox": st.lists(st.integers(-3, 9), min_size=4, max_size=4) | json_values},
)
answers = st.fixed_dictionaries(
    {
        "objects": st.lists(things, max_size=4),
        "relationships": st.lists(st.builds(related, ids, ids, ids), max_size=4) | json_values,
    }
)


@settings(max_examples=50)
@given(answers | json_values)
def test_any_json_is_graded(value: Any):
    for source, index in (("factual", 0), ("vrd", 1)):
        env = env_with(source, reward="triple_f1 + object_f1 + relation_f1 + ged + format")
        episode = env.play(index, [block(json.dumps(value))])
        assert episode.status in STATUSES and episode.status not in ("error", "truncated")
        score = env.reward([episode])[0]
        assert score.status == "ok" and score.value is not None
        assert episode.success is not None and 0.0 <= episode.success <= 1.0
        if episode.status == "malformed":
            assert score.value == 0.0 == episode.success
        episode.digest()
        json.dumps(episode.record().to_json(), ensure_ascii=False).encode()
