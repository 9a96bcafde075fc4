"""The rows of the conformance table of KGQA, and turns that cannot be read.

In that table `progress` and `ged_progress` are minus the potential of the start, a constant of the
task (0 where nothing is built yet), and `turn_cost` minus the share of `MAX_TURNS` used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import kgqa_fixture as fx

from graphenv.episode import Episode
from graphenv.text import format_answer, format_call

MAX_TURNS = 4

MALFORMED: dict[str, str] = {
    "nothing": "",
    "blank": " \n\t ",
    "open_answer": '<answer>["Crime", "Drama"]',
    "close_answer": '["Crime", "Drama"]</answer>',
    "empty_answer": "<answer></answer>",
    "two_answers": '<answer>["Crime"]</answer><answer>["Drama"]</answer>',
    "json_object": '<answer>{"answer": ["Crime", "Drama"]}</answer>',
    "nested_list": '<answer>[["Crime", "Drama"]]</answer>',
    "cut_json": '<answer>["Crime", "Dra</answer>',
    "single_quotes": "<answer>['Crime', 'Drama']</answer>",
    "null_item": '<answer>["Crime", "Drama", null]</answer>',
    "bool_item": '<answer>["Crime", "Drama", true]</answer>',
    "nan_item": '<answer>["Crime", "Drama", NaN]</answer>',
    "empty_item": '<answer>["Crime", "Drama", ""]</answer>',
    "crossed_tags": '<answer>["Crime", "Drama"]</tool_call>',
    "tag_in_tag": '<answer><answer>["Crime", "Drama"]</answer></answer>',
    "only_thought": '<think>the answer is ["Crime", "Drama"]</think>',
    "open_thought": '<think>hm <answer>["Crime", "Drama"]</answer>',
    "answer_in_thought": '<think><answer>["Crime", "Drama"]</answer></think>',
    "open_call": '<tool_call>{"name": "answer_frontier"}',
    "call_is_list": '<tool_call>["answer_frontier"]</tool_call>',
    "call_without_name": '<tool_call>{"arguments": {}}</tool_call>',
    "huge_turn": '<answer>["Crime", "Drama"]</answer>' + "x" * 1_000_000,
    "deep_json": "<answer>" + "[" * 50_000 + "]" * 50_000 + "</answer>",
}
"""Turns that cannot be read, most of them with the right answer inside."""


@dataclass(frozen=True)
class Case:
    """How to play an episode: the question, the turns, the mode; or a function that plays it."""

    index: int
    turns: tuple[str, ...]
    mode: str = "tools"
    play: Callable[[Any], Episode] | None = None


def _walked(index: int, *items: str) -> Case:
    return Case(index, (*fx.walk_to_gold(index), format_answer(items)))


def _program(index: int, text: str) -> Case:
    return Case(index, (text,), "program")


def _timeout(env: Any) -> Episode:
    session = env.begin(fx.GENRES)
    session.turn(fx.follow("^directed_by")[0])
    session.time_out(fx.follow("has_genre")[0], "the engine gave up")
    episode: Episode = session.episode()
    return episode


def _wrong(count: int) -> list[str]:
    return [f"Filler {i}" for i in range(count)]


def _everything() -> list[str]:
    return fx.world().entity_names(range(fx.world().num_entities))


GOLD = ("Crime", "Drama")
QUESTION = str(fx.QUESTIONS[fx.GENRES]["question"])

CASES: dict[str, Case] = {
    "gold": _walked(fx.GENRES, *GOLD),
    "gold_frontier": Case(fx.GENRES, (*fx.walk_to_gold(fx.GENRES), format_call("answer_frontier"))),
    "gold_program": _program(fx.GENRES, "^directed_by > has_genre"),
    "gold_unwalked": Case(fx.GENRES, (format_answer(GOLD),)),
    "renamed": _walked(fx.GENRES, "crime", "DRAMA"),
    "reordered": _walked(fx.GENRES, "Drama", "Crime"),
    "partial": _walked(fx.GENRES, "Crime"),
    "empty_answer": _walked(fx.GENRES),
    "both_empty": Case(fx.EMPTY, (format_answer([]),)),
    "both_empty_unanswered": Case(fx.EMPTY, ("",) * MAX_TURNS),
    "both_empty_infeasible": _program(fx.EMPTY, "no_such_relation"),
    "duplicates": _walked(fx.GENRES, "Crime", "Crime", "crime", "Drama"),
    "over_1": _walked(fx.GENRES, *GOLD, *_wrong(1)),
    "over_10": _walked(fx.GENRES, *GOLD, *_wrong(10)),
    "over_1000": _walked(fx.GENRES, *GOLD, *_wrong(1000)),
    "list_everything": _walked(fx.GENRES, *GOLD, *_everything()),
    "dangling": _walked(fx.GENRES, *GOLD, "Nowhere to be found"),
    "wrong_direction": _program(fx.GENRES, "directed_by > has_genre"),
    "parallel_edge": _program(fx.GENRES, "^written_by > has_genre"),
    "detour": _program(fx.GENRES, "^directed_by > directed_by > ^directed_by > has_genre"),
    "too_short": _program(fx.GENRES, "^directed_by"),
    "filter_padding": _program(
        fx.GENRES, "^directed_by > [release_year > 0] > [release_year > 1] > no_such_relation"
    ),
    "self_loop": _program(fx.OUROBOROS, "remake_of"),
    "self_loop_twice": _program(fx.OUROBOROS, "remake_of > remake_of"),
    "wrong_wrapper_answer": _program(fx.GENRES, "<answer>^directed_by > has_genre</answer>"),
    "wrong_wrapper_program": Case(
        fx.GENRES, ('<program>["Crime", "Drama"]</program>',) * MAX_TURNS
    ),
    "wrong_wrapper_call": _program(fx.GENRES, format_call("follow", relation="^directed_by")),
    "copied_topic": Case(fx.GENRES, (format_answer(["Michael Mann"]),)),
    "copied_frontier": Case(fx.GENRES, (format_call("answer_frontier"),)),
    "copied_question": _program(fx.GENRES, QUESTION),
    "substring_of_gold": _walked(fx.SPANISH, "N"),
    "gold_is_substring": _walked(fx.SPANISH, "Know"),
    "unicode": _walked(fx.AMELIE, "Ame\u0301lie"),
    "case": _walked(fx.AMELIE, "AMÉLIE"),
    "whitespace": _walked(fx.GENRES, "  Crime\n", "\u00a0Drama "),
    "huge": Case(fx.GENRES, ("x" * 1_000_000,) * MAX_TURNS),
    "deep_nesting": Case(fx.GENRES, ("<answer>" + "[" * 90_000,) * MAX_TURNS),
    "timeout": Case(fx.GENRES, (), play=_timeout),
    "no_answer": Case(fx.GENRES, (format_call("relations"),) * MAX_TURNS),
    "good_turns_bad_end": Case(
        fx.GENRES, (*fx.walk_to_gold(fx.GENRES), "<answer>[", "<answer>{}</answer>")
    ),
    "bad_turn_good_end": Case(
        fx.GENRES,
        (fx.follow("^directed_by")[0], "oops", fx.follow("has_genre")[0], fx.answer(*GOLD)),
    ),
    "code": Case(fx.GENRES, ("<answer>__import__('os').getcwd()</answer>",)),
}
