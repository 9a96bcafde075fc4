"""Names and model text: normal forms, tolerant parsing, hard bounds."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphenv import text as module
from graphenv.text import (
    MAX_ANSWER_ITEMS,
    MAX_COMPLETION_CHARS,
    NO_BLOCK,
    bounded,
    format_answer,
    format_call,
    normalize,
    parse_answer_items,
    parse_json,
    parse_turn,
)

TAGS = ["<answer>", "</answer>", "<tool_call>", "</tool_call>", "<think>", "</think>", "<program>"]
tagged = st.lists(st.one_of(st.sampled_from(TAGS), st.text(max_size=8)), max_size=12).map("".join)
names = st.one_of(st.text(min_size=1, max_size=20), tagged.filter(bool))


# -- names ----------------------------------------------------------------------------------------


@given(st.text(max_size=40))
def test_normalize_is_idempotent_and_blind_to_form(name: str):
    normal = normalize(name)
    assert normalize(normal) == normal
    assert normalize(unicodedata.normalize("NFD", name)) == normal
    assert normalize(f"  {name}\t") == normal
    assert normal == normal.strip()


@pytest.mark.parametrize(
    ("left", "right"), [("no", "know"), ("Alien", "Aliens"), ("3", "3.0"), ("e", "é")]
)
def test_normalize_keeps_names_apart(left: str, right: str):
    assert normalize(left) != normalize(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [("STRASSE", "straße"), ("Ａｌｉｅｎ", "alien"), ("ﬁlm", "FILM"), ("a\u00a0\n b", "A B")],
)
def test_normalize_brings_spellings_together(left: str, right: str):
    assert normalize(left) == normalize(right)


def test_normalize_does_bounded_work_on_combining_marks():
    """Ordering a run of n marks takes n^2 steps: the run itself must be bounded, not the clock."""
    longest = run = 0
    for char in module._stream_safe("a" + "\u0301\u0316" * 50_000):
        run = run + 1 if unicodedata.combining(char) else 0
        longest = max(longest, run)
    assert longest <= 30
    assert module._stream_safe("Ame\u0301lie" * 100) == "Ame\u0301lie" * 100


# Marks of the lower and upper side; characters that are marks once they are decomposed; letters
# that end in marks.
MARKS = ["\u0301", "\u0316", "\u0344", "\u0345", "\u0f73", "\u0f81", "\uff9e", "\u1faf", "é", "a"]


@given(st.lists(st.sampled_from(MARKS), min_size=1, max_size=4), st.integers(80, 400))
def test_runs_of_marks_are_bounded_whatever_they_are_made_of(parts: list[str], times: int):
    name = "a" + "".join(parts) * max(times, module._SHORT)
    longest = run = 0
    for char in unicodedata.normalize("NFKD", module._stream_safe(name)):
        run = run + 1 if unicodedata.combining(char) else 0
        longest = max(longest, run)
    assert longest <= 30
    assert normalize(normalize(name)) == normalize(name)


@given(st.text(max_size=50), st.integers(0, 60))
def test_bounded(text: str, limit: int):
    shown = bounded(text, limit)
    assert shown.startswith(text[:limit]) and len(shown) <= limit + 30
    assert (shown == text) == (len(text) <= limit)


# -- answers and calls ----------------------------------------------------------------------------


@given(st.lists(names, max_size=8))
def test_answers_round_trip_whatever_the_names(items: list[str]):
    distinct = {normalize(item): item for item in reversed(items) if normalize(item)}
    asked = [item for item in dict.fromkeys(items) if distinct.get(normalize(item)) == item]
    answer = parse_turn(format_answer(asked)).answer
    assert answer is not None
    assert answer.items == tuple(asked)


@given(
    names, st.dictionaries(st.text(max_size=10).filter(lambda k: k != "name"), names, max_size=3)
)
def test_calls_round_trip_whatever_the_strings(name: str, arguments: dict[str, str]):
    """Also where a name holds tags: it must neither close its own block nor open another."""
    turn = parse_turn(f"so {format_call(name, **arguments)} then")
    assert turn.reason == "" and turn.answer is None and turn.programs == ()
    (call,) = turn.calls
    assert (call.name, call.arguments, call.reason) == (name, arguments, "")


@given(st.lists(st.tuples(names, names), max_size=5), st.lists(names, max_size=3))
def test_a_turn_keeps_its_calls_in_order(calls: list[tuple[str, str]], items: list[str]):
    text = "\n".join(format_call(name, x=value) for name, value in calls)
    turn = parse_turn(f"<think>{format_answer(['no'])}</think>{text}")
    assert [(call.name, call.arguments.get("x")) for call in turn.calls] == calls
    assert turn.answer is None


@pytest.mark.parametrize(
    ("body", "items"),
    [
        ("Heat", ("Heat",)),
        ('"Heat"', ("Heat",)),
        ('["Heat"]', ("Heat",)),
        ("[]", ()),
        ("3", ("3",)),
        ("[3, 2.5]", ("3", "2.5")),
        ('["a", "A", " a "]', ("a",)),
        ("Heat, Thief", ("Heat, Thief",)),
        ("null", ("null",)),
        ("[NaN]", None),
        ("[1,]", None),
        ("", None),
        ("   ", None),
        ('{"answer": []}', None),
        ("[[1]]", None),
        ("[true]", None),
        ("[null]", None),
        ('[""]', None),
        ("[" * 40 + "]" * 40, None),
        ("[" + "1" * 5_000 + "]", None),
        (json.dumps([str(i) for i in range(MAX_ANSWER_ITEMS + 1)]), None),
    ],
)
def test_answer_bodies(body: str, items: tuple[str, ...] | None):
    found, reason = parse_answer_items(body)
    assert found == items
    assert bool(reason) == (items is None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", NO_BLOCK),
        ("plain", NO_BLOCK),
        ("<think>x", "<think> is never closed"),
        ("<program>x", "<program> is never closed"),
        ("<program>x<answer>y</answer>", "not closed by </program>"),
        ("x" * (MAX_COMPLETION_CHARS + 1), "longer than"),
        (format_call("a") * 65, "more than 64 tool calls"),
    ],
)
def test_turns_that_cannot_be_read(text: str, reason: str):
    turn = parse_turn(text)
    assert reason in turn.reason and not turn.calls


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        '{"name": 3}',
        '{"name": ""}',
        '{"arguments": {}}',
        '{"name": "a", "arguments": 3}',
        '{"name": "a", "arguments": "["}',
        '{"name": "a"',
        "{'name': 'a'}",
        '{"name": "a", "arguments": []}',
    ],
)
def test_calls_that_cannot_be_read(body: str):
    (call,) = parse_turn(f"<tool_call>{body}</tool_call>").calls
    assert call.name is None and call.reason.startswith(("the tool call", 'the "arguments"'))


def test_arguments_may_be_a_json_string():
    (call,) = parse_turn('<tool_call>{"name": "a", "arguments": "{\\"b\\": 1}"}</tool_call>').calls
    assert call.arguments == {"b": 1}


def test_only_one_answer_is_taken():
    turn = parse_turn(format_answer(["a"]) + format_answer(["b"]))
    assert turn.answer is not None and turn.answer.items is None


@pytest.mark.parametrize(
    "text",
    [
        "<think>a</think>p > q",
        "a</think>p > q",
        "<answer>x</answer></think> p > q",
        "p > q<think>a</think>",
    ],
)
def test_thoughts_are_left_out(text: str):
    """Also where the prompt opened the thought, as chat templates of reasoning models do."""
    turn = parse_turn(text)
    assert (turn.bare, turn.answer, turn.reason) == ("p > q", None, NO_BLOCK)


@given(st.one_of(tagged, st.text(alphabet=st.characters(), max_size=60)))
def test_no_text_raises_and_no_surrogate_survives(text: str):
    turn = parse_turn(text)
    assert turn.calls or turn.answer or turn.programs or turn.reason
    turn.bare.encode()
    for call in turn.calls:
        (call.name or "").encode()
        json.dumps(call.arguments, ensure_ascii=False).encode()
    if turn.answer is not None and turn.answer.items is not None:
        "".join(turn.answer.items).encode()


def test_lone_surrogates_are_replaced():
    turn = parse_turn('<answer>["\\ud83d", "\\ud83d\\ude00", "\ud800"]</answer>')
    assert turn.answer is not None and turn.answer.items == ("?", "😀")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=8,
    )
)
def test_parse_json_round_trips(value: object):
    assert parse_json(json.dumps(value)) == (value, "")


@pytest.mark.parametrize(
    "bomb", ["[" * 100_000, '{"a":' * 50_000, "[" * 33 + "]" * 33, "1" * 10_000, "-Infinity"]
)
def test_json_bombs_are_refused(bomb: str):
    value, reason = parse_json(bomb)
    assert value is None and reason
