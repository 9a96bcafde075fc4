"""Model text of every kind: valid turns, mutated by a small grammar. A function of (env, n)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from graphenv.agents.oracle import gold_turns, planted_turns
from graphenv.envs.base import GraphEnv
from graphenv.seeding import rng
from graphenv.text import format_answer, format_call

__all__ = ["fuzz_texts"]

Generator = np.random.Generator

TAGS = (
    *("<answer>", "</answer>", "<tool_call>", "</tool_call>", "<think>", "</think>"),
    *("<program>", "</program>", "<ANSWER>", "< answer>", "<answer", "</answer", "<|im_end|>"),
)
PIECES = (
    *('"', "'", "\\", "\\u", "\\ud800", "\\u0000", "{", "}", "[", "]", ",", ":", "null", "true"),
    *("NaN", "Infinity", "1e999", "-1", "9" * 400, "^", " > ", " & ", "count ", "<=", "\n", "\t"),
    *("\0", "\x1b[2J", "\u202e", "\u200b", "\ufeff", "\ud800", "😀", "e\u0301" * 40, "ﷺ", "ß", "İ"),
    *("{}", "[]", '""', "%s", "{0}", "$(id)", "__import__('os')", "../..", "'; DROP TABLE x; --"),
    *("name", "arguments", "follow", "relations", "answer_frontier", "back", "__class__", "turn"),
    *("```", "```sql\n", "\n```\n", "SELECT ", " FROM ", "MATCH (n)", " RETURN ", "count(*)", ";"),
    *("--", "/*", "(", ")", " WHERE ", "LIMIT 3", "run", "query", "DELETE", "load_extension("),
)
BOMBS: tuple[Callable[[], str], ...] = (
    lambda: "[" * 50_000,
    lambda: '{"a":' * 20_000,
    lambda: "<answer>" + "[" * 31 + "]" * 31 + "</answer>",
    lambda: "<answer>" * 5_000,
    lambda: "<think>" * 5_000 + "</think>" * 5_000,
    lambda: format_call("relations") * 100,
    lambda: format_call("follow", relation="x" * 50_000),
    lambda: format_answer([f"item {i}" for i in range(3_000)]),
    lambda: "<answer>[" + "1," * 30_000 + "1]</answer>",
    lambda: "a > " * 1_000,
    lambda: "[" + " " * 3_900 + "x]",
    lambda: "a\u0301\u0316" * 20_000,
    lambda: "<answer>" + "\u0301\u0316" * 30_000 + "</answer>",
    lambda: "x" * 300_000,
    lambda: '["a", ' + "[" * 3_000,
    lambda: '<tool_call>{"name": "relations", "arguments": ' + "1" * 6_000 + "}</tool_call>",
    lambda: "SELECT " + "(" * 3_000,
    lambda: "```\n" * 30_000,
    lambda: "MATCH " + "(a)--" * 700 + "(b) RETURN a",
)


def fuzz_texts(env: GraphEnv, count: int, name: str = "fuzz") -> Iterator[tuple[int, str]]:
    """Yield `count` pairs of a task index and a turn for it; bombs are one in two hundred."""
    generator = rng(name, env.env_id, env.max_turns)
    index, valid = 0, _valid(env, 0)
    for n in range(count):
        if n % 20 == 0:
            index = int(generator.integers(len(env.tasks)))
            valid = _valid(env, index)
        if n % 200 == 150:
            yield index, BOMBS[(n // 200) % len(BOMBS)]()
            continue
        text = str(_pick(generator, valid))
        for _ in range(int(generator.integers(0, 4))):
            text = _pick(generator, _MUTATIONS)(generator, text, valid)
        yield index, text[:20_000]


def _valid(env: GraphEnv, index: int) -> list[str]:
    """Return gold turns, and calls of every tool with arguments that may or may not fit."""
    turns = gold_turns(env, index)
    for spec in env.tools.values():
        names = {name: _ARGUMENTS[kind] for name, (kind, _, _) in spec.parameters.items()}
        turns += [format_call(spec.name, **{n: v[i] for n, v in names.items()}) for i in range(3)]
    if env.family == "kgqa":
        topics = env.source[index].meta.get("topics", ["x"])
        turns += [format_answer(topics), "<program>^x > y & {z} w</program>", "count a > [b < 3]"]
    else:
        turns += [planted_turns(env, index, errors)[-1] for errors in (1, 5)]
        turns.append(f"<program>{env.source[index].target.program}</program>")
    if env.family == "caption-correction":
        dangling = {"subject": "man.1", "predicate": "ride", "object": "horse.1"}
        turns.append(json.dumps({"objects": [{"id": "man.1"}], "relationships": [dangling]}))
    if env.family == "graph-design":
        turns += ['[["0", "0"]]', json.dumps([["0", "1"], ["0", "2"], ["0", "3"], ["0", "4"]])]
    return turns


_ARGUMENTS = {
    str: ("Heat", "^", ""),
    int: (1, -7, 10**30),
    float: (0.5, -1e308, 0),
    bool: (True, False, True),
}


def _pick(generator: Generator, items: Sequence[Any]) -> Any:
    return items[int(generator.integers(len(items)))]


def _place(generator: Generator, text: str) -> int:
    return int(generator.integers(len(text) + 1))


def _insert(generator: Generator, text: str, _: Sequence[str]) -> str:
    at, piece = _place(generator, text), _pick(generator, (*PIECES, *TAGS))
    return text[:at] + piece + text[at:]


def _cut(generator: Generator, text: str, _: Sequence[str]) -> str:
    a, b = sorted((_place(generator, text), _place(generator, text)))
    return text[:a] + text[b:] if generator.random() < 0.5 else text[:b]


def _double(generator: Generator, text: str, _: Sequence[str]) -> str:
    a, b = sorted((_place(generator, text), _place(generator, text)))
    return text[:b] + text[a:b] * int(generator.integers(1, 4)) + text[b:]


def _splice(generator: Generator, text: str, valid: Sequence[str]) -> str:
    other = _pick(generator, valid)
    return text[: _place(generator, text)] + other[_place(generator, other) :]


def _append(generator: Generator, text: str, valid: Sequence[str]) -> str:
    return text + _pick(generator, ("", "\n", " and ")) + _pick(generator, valid)


def _wrap(generator: Generator, text: str, _: Sequence[str]) -> str:
    return _pick(generator, TAGS) + text + _pick(generator, TAGS)


def _characters(generator: Generator, text: str, _: Sequence[str]) -> str:
    codes = generator.integers(1, 0x110000, size=int(generator.integers(1, 12)))
    at = _place(generator, text)
    return text[:at] + "".join(map(chr, codes.tolist())) + text[at:]


def _value(generator: Generator, text: str, _: Sequence[str]) -> str:
    """Put a value of another type where a JSON string stands."""
    parts = text.split('"')
    if len(parts) < 4:
        return text
    at = 1 + 2 * int(generator.integers((len(parts) - 1) // 2))
    values = [3, None, True, [], {}, 1.5, "", "\u0000", ["a", ["b"]], {"name": "back"}, 10**40]
    whole = json.dumps(_pick(generator, values))
    return '"'.join(parts[:at]) + whole + '"'.join(parts[at + 1 :])


def _case(generator: Generator, text: str, _: Sequence[str]) -> str:
    return _pick(generator, (str.upper, str.lower, str.swapcase, str.title))(text)


def _swap(generator: Generator, text: str, _: Sequence[str]) -> str:
    characters = list(text)
    for _i in range(min(len(characters), 3)):
        a, b = (int(generator.integers(len(characters))) for _j in range(2))
        characters[a], characters[b] = characters[b], characters[a]
    return "".join(characters)


_MUTATIONS = (
    _insert,
    _insert,
    _cut,
    _double,
    _splice,
    _append,
    _wrap,
    _characters,
    _value,
    _case,
    _swap,
)
