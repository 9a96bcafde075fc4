"""The expression language: what parses, what it means, and one clear error for everything else."""

from __future__ import annotations

from typing import get_args

import pytest

from graphenv import envs, rewards
from graphenv.errors import ConfigError, GraphEnvError, UnknownNameError
from graphenv.facts import FACTS, FAMILIES
from graphenv.rewards import CostTerm, EndTerm, ShapingTerm, StepTerm, Term, check_provided, parse
from graphenv.score import Kind

# -- what parses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "bounds", "weights"),
    [
        ("exact", (0, 1), {"exact": 1}),
        ("0.7*answer_f1 + 0.3*exact", (0, 1), {"answer_f1": 0.7, "exact": 0.3}),
        ("exact/4 - 0.5*format", (-0.5, 0.25), {"exact": 0.25, "format": -0.5}),
        (
            "gate(format, exact + 0.2*triple_f1)",
            (0, 1.2),
            {"format": 0, "exact": 1, "triple_f1": 0.2},
        ),
        ("gate(format, exact - 0.5)", (-0.5, 0.5), {"format": 0, "exact": 1}),
        ("cap(exact + answer_f1, 0.4)", (0, 0.4), {"exact": 1, "answer_f1": 1}),
        ("exact + potential(progress)", (-1, 1), {"exact": 1, "progress": 1}),
        ("exact + 0.1*turn_cost", (-0.1, 1), {"exact": 1, "turn_cost": 0.1}),
        ("2*(exact - 1)", (-2, 0), {"exact": 2}),
        ("1 + exact", (1, 2), {"exact": 1}),
        ("-(exact*answer_f1)", (-1, 0), {"exact": -1, "answer_f1": -1}),
        ("hits(k=3) + hits(k=1)", (0, 2), {"hits(k=3)": 1, "hits(k=1)": 1}),
        ("exact + exact", (0, 2), {"exact": 2}),
    ],
)
def test_range_and_weights(text: str, bounds: tuple[float, float], weights: dict[str, float]):
    reward = parse(text)
    assert reward.range == pytest.approx(bounds)
    assert reward.weights == pytest.approx(weights)
    assert set(reward.terms) == set(weights)


def test_spelling_does_not_matter_and_the_name_is_canonical():
    assert parse("  0.5 * exact+( hits ) ") == parse("0.5*exact + hits")
    assert parse("exact   ").name == "exact"
    assert parse(parse("cap( exact,.5 )").name) == parse("cap(exact, 0.5)")


def test_shaping_is_known_beforehand():
    assert parse("exact + 0.2*progress").has_shaping
    assert not parse("exact + 0.2*turn_cost").has_shaping
    assert parse("progress").needs == {"step.reach"}


# -- what is refused ------------------------------------------------------------------------------

REFUSED = {
    "empty": "",
    "blank": "   ",
    "number": "0.5",
    "sum_of_numbers": "1 + 1",
    "string": "'exact'",
    "boolean": "True * exact",
    "complex": "1j * exact",
    "syntax": "exact +",
    "two_statements": "exact; exact",
    "assignment": "x = exact",
    "walrus": "(x := exact)",
    "tuple": "exact, hits",
    "list": "[exact]",
    "set": "{exact}",
    "dict": "{'a': exact}",
    "starred": "*exact",
    "subscript": "exact[0]",
    "attribute": "exact.__class__",
    "attribute_chain": "().__class__.__bases__[0].__subclasses__()",
    "import": "__import__('os').system('true')",
    "import_call": "__import__('os')",
    "eval": "eval('1')",
    "lambda": "(lambda: 1)()",
    "lambda_term": "lambda x: exact",
    "f_string": "f'{exact}'",
    "comprehension": "sum(x for x in [exact])",
    "list_comprehension": "[exact for _ in 'ab']",
    "conditional": "exact if format else hits",
    "boolean_operator": "exact and hits",
    "comparison": "exact > 0.5",
    "not": "not exact",
    "invert": "~exact",
    "power": "exact ** 2",
    "floor_division": "exact // 2",
    "modulo": "exact % 2",
    "matrix": "exact @ hits",
    "by_zero": "exact / 0",
    "by_term": "exact / hits",
    "await": "await exact",
    "yield": "(yield exact)",
    "null_byte": "exact\0",
    "surrogate": "exa\ud800ct",
    "infinite": "1e999 * exact",
    "overflowing": "1e300 * 1e300 * exact",
    "overflowing_sum": "1e308*exact + 1e308*hits",
    "long_integer": "9" * 1000 + " * exact",
    "too_long": "exact + " * 1000 + "exact",
    "many_terms": " + ".join(["exact"] * 200),
    "parentheses": "(" * 10_000 + "exact" + ")" * 10_000,
    "parentheses_short": "(" * 900 + "exact" + ")" * 900,
    "minus_signs": "-" * 1500 + "exact",
    "minus_signs_few": "-" * 300 + "exact",
    "nested_calls": "cap(" * 150 + "exact" + ", 1)" * 150,
    "positional": "hits(3)",
    "unknown_argument": "hits(n=3)",
    "argument_twice": "hits(k=1, k=2)",
    "starred_argument": "hits(**{'k': 1})",
    "argument_expression": "hits(k=1 + 1 * 2 - len('x'))",
    "unhashable_argument": "hits(k={[]: 1})",
    "argument_type": "hits(k='3')",
    "argument_boolean": "hits(k=True)",
    "argument_range": "hits(k=0)",
    "no_argument_taken": "exact(k=1)",
    "gate_of_shaping": "gate(format, progress)",
    "gate_by_shaping": "gate(progress, exact)",
    "cap_of_shaping": "cap(exact + progress, 0.5)",
    "product_with_shaping": "exact * progress",
    "product_with_cost": "exact * turn_cost",
    "product_with_negative_sum": "(exact - format) * exact",
    "potential_of_verdict": "potential(exact)",
    "potential_of_sum": "potential(progress + exact)",
    "potential_of_number": "potential(1)",
    "gate_without_reward": "gate(format)",
    "gate_of_numbers": "gate(1, exact)",
    "gate_threshold": "gate(format, exact, threshold='high')",
    "gate_threshold_list": "gate(format, exact, threshold=[1])",
    "gate_threshold_infinite": "gate(format, exact, threshold=1e999)",
    "gate_option": "gate(format, exact, at=1)",
    "cap_of_number": "cap(1, 1)",
    "cap_by_term": "cap(exact, hits)",
    "user_missing": "user()",
    "user_no_reference": "user(function='module')",
    "user_lambda": "user(function='lambda e: 1')",
    "user_unknown_module": "user(function='no_such_module_here:f')",
    "user_unknown_attribute": "user(function='math:no_such')",
    "user_not_callable": "user(function='math:pi')",
    "user_empty_module": "user(function=':f')",
    "user_relative": "user(function='..x:f')",
    "user_number": "user(function=3)",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(kind: str):
    with pytest.raises((ConfigError, UnknownNameError)) as raised:
        parse(REFUSED[kind])
    assert 10 < len(str(raised.value)) < 3_000


@pytest.mark.parametrize("value", [None, 3, 0.5, ["exact"], b"exact", parse])
def test_a_reward_is_text(value: object):
    with pytest.raises(ConfigError, match="expression"):
        parse(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "near"),
    [("exakt", "exact"), ("anser_f1", "answer_f1"), ("gat(format, exact)", "gate")],
)
def test_an_unknown_term_offers_the_nearest(asked: str, near: str):
    with pytest.raises((UnknownNameError, ConfigError), match=f"Did you mean '{near}'"):
        parse(asked)


def test_code_of_ones_own_is_pointed_to():
    with pytest.raises(ConfigError, match="module:attribute"):
        parse("lambda e: 1")
    with pytest.raises(ConfigError, match="potential in one lump"):
        parse("gate(format, exact + progress)")


# -- terms and what they need ---------------------------------------------------------------------


@pytest.mark.parametrize("name", rewards.TERMS)
def test_every_term_declares_itself(name: str):
    term = rewards.term_class(name)
    assert issubclass(term, Term)
    assert term.needs <= set(FACTS)
    base = {"cost": CostTerm, "process": StepTerm, "shaping": ShapingTerm}
    assert term.kind in get_args(Kind)
    assert issubclass(term, base.get(term.kind, EndTerm))
    assert term.__doc__ and len(term.__doc__) > 40


def test_names_by_family():
    assert set(rewards.names()) == set(rewards.TERMS)
    for family in FAMILIES:
        assert set(rewards.names(family=family)) <= set(rewards.TERMS)
    with pytest.raises(UnknownNameError, match="kgqa"):
        rewards.names(family="kgqqa")


def test_a_term_that_cannot_be_fed_is_refused_with_the_terms_that_can():
    answers = frozenset({"outcome.answer", "target.answer"})
    check_provided(parse("exact + hits"), answers, "here")
    with pytest.raises(
        ConfigError, match=r"'path_similarity' needs .*target\.path.*here"
    ) as raised:
        check_provided(parse("exact + path_similarity"), answers, "here")
    assert "answer_f1" in str(raised.value) and "triple_f1" not in str(raised.value)


def test_an_environment_refuses_a_bad_reward_when_it_is_made():
    for reward in ("exakt", "gate(format, progress)", "1", ""):
        with pytest.raises(GraphEnvError):
            envs.make("kgqa", reward=reward)
