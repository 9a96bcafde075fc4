"""Reward terms for queries: every corner case, published formulas beside ours, presets, judges."""

from __future__ import annotations

import itertools
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import conformance
import pytest
import query_terms_fixture as fx
from chat_fixture import chat_server
from conformance import EXPRESSIONS, QUERY_PRESETS
from query_terms_fixture import CASES, NAMES, SCOPE, case, lit, op, prop

from graphenv import rewards
from graphenv.episode import Episode
from graphenv.errors import ConfigError, UnknownNameError
from graphenv.query.graphs import pattern_graph, query_graph
from graphenv.query.matching import suite_match
from graphenv.query.model import Entity, Language, Relation, Scope
from graphenv.query.results import QueryError, Rows
from graphenv.rewards import PRESETS, parse, preset
from graphenv.rewards.queries.judge import JudgeRequest
from graphenv.rewards.queries.wording import query_tokens
from graphenv.score import Score

TABLE = conformance.read_table("queries")
EVERYTHING = TABLE.reward
BOTH: tuple[Language, ...] = ("sql", "cypher")
GRADED = [t for t in TABLE.terms if t not in ("syntax", "judge", "user", "format", "turn_cost")]


def value(reward: str, episode: Episode) -> float | None:
    score = parse(reward)([episode])[0]
    assert score.status != "error", score.reason
    return score.value


# -- the table ------------------------------------------------------------------------------------


def test_the_table_has_every_case_and_reason():
    TABLE.check_rows(CASES, conformance.SECTION_0)


@pytest.mark.parametrize("language", BOTH)
@pytest.mark.parametrize("name", CASES)
def test_value(name: str, language: Language):
    TABLE.check(name, case(name, language))


@pytest.mark.parametrize("term", [*GRADED, *QUERY_PRESETS, "struct-llm"])
def test_over_generation_pays_strictly_less_the_more_there_is(term: str):
    names = ["gold", "over_1", "over_10", "over_1000"]
    values = [value(term, case(name)) or 0.0 for name in names]
    assert all(values[0] > v for v in values[1:])
    assert values == sorted(values, reverse=True)
    assert values[0] > (value(term, case("list_everything")) or 0.0)


@pytest.mark.parametrize("reward", QUERY_PRESETS)
def test_gold_is_the_maximum_and_nothing_the_minimum(reward: str):
    values = {n: value(reward, case(n)) for n in CASES if not n.startswith("both_empty")}
    low, high = parse(reward).range
    assert values["gold"] == pytest.approx(high) and values["nothing"] == pytest.approx(low)
    for name, found in values.items():
        assert found is not None and low - 1e-9 <= found <= high + 1e-9, name


def test_terms_pickle_and_do_not_depend_on_the_batch():
    reward = pickle.loads(pickle.dumps(EVERYTHING))
    episodes = [case(name) for name in CASES]
    together = [score.parts for score in EVERYTHING(episodes)]
    assert together == [reward([episode])[0].parts for episode in episodes]
    assert together[::-1] == [score.parts for score in EVERYTHING(episodes[::-1])]


def test_without_a_gold_nothing_applies():
    bare = replace(case("gold"), task=replace(case("gold").task, target=fx.Target()))
    for term in GRADED:
        assert value(term, bare) is None, term


def test_a_running_episode_has_no_verdict():
    running = replace(case("gold"), outcome=None)
    assert EVERYTHING([running])[0].parts["execution"].value is None


# -- results --------------------------------------------------------------------------------------


def test_efficiency_needs_an_engine_that_counts():
    uncounted = tuple(replace(rows, work=None) for rows in (fx.ROWS, fx.OTHER_ROWS))
    silent = fx.answered(fx.gold_task(), SCOPE, results=uncounted)
    score = parse("efficiency")([silent])[0]
    assert score.value is None and "counted" in score.info["efficiency"]["reason"]
    without = frozenset({"outcome.results", "target.results"})
    with pytest.raises(ConfigError, match=r"efficiency.*outcome\.work"):
        rewards.check_provided(parse("execution + efficiency"), without, "duckdb")


def test_efficiency_pays_no_more_than_the_gold():
    faster = tuple(replace(rows, work=1) for rows in (fx.ROWS, fx.OTHER_ROWS))
    assert value("efficiency", fx.answered(fx.gold_task(), SCOPE, results=faster)) == 1.0
    wrong = (replace(fx.NO_ROWS, work=0),) * 2
    assert value("efficiency", fx.answered(fx.gold_task(), SCOPE, results=wrong)) == 0.0


def test_the_order_of_rows_counts_if_it_was_asked_for():
    turned = case("wrong_order")
    free = replace(turned, task=replace(turned.task, meta={"ordered": False}))
    assert (value("execution", turned), value("execution", free)) == (0.0, 1.0)


def test_results_of_accepted_queries_are_right():
    tied = (Rows(fx.ROWS.columns, (("Mann", 4), ("Scott", 3), ("Lynch", 2))), fx.OTHER_ROWS)
    episode = fx.answered(fx.gold_task(), SCOPE, results=tied)
    assert value("execution", episode) == 0.0
    target = replace(episode.task.target, accepted=(tied,))
    accepted = replace(episode, task=replace(episode.task, target=target))
    assert value("execution", accepted) == 1.0


def test_a_gold_without_rows_says_why_it_has_no_verdict():
    score = parse("execution")([case("both_empty")])[0]
    assert score.value is None and "rows on none" in score.info["execution"]["reason"]


# -- structure and wording ------------------------------------------------------------------------


def test_wrong_tables_and_relations_cost_most():
    def ged(**changes: Any) -> float:
        return value("query_ged", fx.answered(fx.gold_task(), replace(SCOPE, **changes))) or 0.0

    table = ged(entities=(fx.PERSON, Entity(1, "play")))
    relation = ged(relations=(replace(fx.DIRECTED, name="written_by"),))
    column = ged(where=(op("<", lit(1990), prop(1, "votes")), fx.CRIME))
    literal = ged(limit=lit(4))
    assert table == relation < column < literal < 1.0
    assert 1 - table == pytest.approx(3 * (1 - literal))
    assert 1 - column == pytest.approx(2 * (1 - literal))


def test_terms_refuse_what_they_do_not_know():
    for text in (
        "ngram(paper='x')",
        "query_ged(paper='x')",
        "query_ged(paper='struct-llm', kind_weights='entity:1')",
        "query_ged(budget=0)",
        "schema_linking(paper='x')",
        "judge",
        "judge(model='m', function='math:sqrt')",
        "judge(model='m', base_url='ftp://x')",
        "judge(function='math:pi')",
        "judge(model='m', concurrency=0)",
    ):
        with pytest.raises(ConfigError):
            parse(text)


TOKENS = {
    "name='A''b'": ["name", "=", "'A''b'"],
    "name = 'it\\'s'": ["name", "=", "'it\\'s'"],
    '"A B".x': ['"A B"', ".", "x"],
    "(a)<-[:R]-(b)": ["(", "a", ")", "<", "-", "[", ":", "r", "]", "-", "(", "b", ")"],
    "x>=1.5": ["x", ">=", "1.5"],
    "'open": ["'open"],
    "'\\": ["'\\"],
}


@pytest.mark.parametrize("text", TOKENS)
def test_tokens(text: str):
    assert query_tokens(text) == TOKENS[text]


@pytest.mark.parametrize("piece", ["'", "\\'", "'\\", "`", '"', "''", "\\", "x'", "1.", "-"])
def test_tokens_of_a_megabyte_are_read_in_one_go(piece: str):
    text = piece * (200_000 // len(piece))
    assert "".join(query_tokens(text)) == text.lower()


# -- published defects: the same input, their formula and ours ------------------------------------


def _string_ratio(episode: Episode) -> float:
    return value("ngram(paper='struct-llm')", episode) or 0.0


def _published_ged(episode: Episode) -> float:
    return value("query_ged(paper='struct-llm')", episode) or 0.0


def _asked(
    scope: Scope,
    gold: Scope,
    *,
    text: str = "q",
    gold_text: str = "g",
    language: Language = "cypher",
) -> Episode:
    task = fx.gold_task(gold, text=gold_text, language=language)
    return fx.answered(task, scope, text=text, language=language)


def _published_edges(text: str) -> int:
    """STRuCT-LLM reads relationships by one pattern, from left to right, with both labels."""
    import re

    return len(re.findall(r"\(\w*:\w+\)-\[\w*:(\w+)\]->\(\w*:\w+\)", text))


def test_defect_two_empty_graphs_score_nothing():
    constant = Scope(select=(lit(1),))
    episode = _asked(constant, constant)
    assert _published_ged(episode) == 0.0
    assert value("query_ged", episode) == 1.0


def test_defect_return_and_where_are_not_compared():
    other = replace(SCOPE, select=(prop(0, "born"),), where=(), group=(), having=(), order=())
    episode = _asked(other, SCOPE)
    assert _published_ged(episode) == 1.0
    ours = value("query_ged", episode)
    assert ours is not None and ours < 0.5


def test_defect_edges_written_backwards_are_lost():
    gold = "MATCH (p:Person)<-[:DIRECTED_BY]-(f:Film) RETURN f.title"
    assert _published_edges(gold) == 0 == _published_edges("MATCH (p)-[:R*1..3]->()-[:S]->(q:Q)")
    backwards = query_graph(fx.query(SCOPE, gold, "cypher"))
    assert "directed_by" in backwards.labels
    lost = replace(SCOPE, relations=())
    assert not query_graph(fx.query(lost)).isomorphic_to(backwards)
    missed = value("query_ged", _asked(lost, SCOPE))
    assert missed is not None and missed < 1.0


def test_defect_values_below_zero():
    """Sizes that agree in sum but not in kind: the distance exceeds the larger graph."""
    nodes = Scope(tuple(Entity(i, "a") for i in range(7)), select=(lit(1),))
    chain = Scope(
        tuple(Entity(i, "b") for i in range(4)),
        tuple(Relation(10 + i, "r", i % 4, (i + 1) % 4) for i in range(3)),
        select=(lit(1),),
    )
    episode = _asked(nodes, chain)
    assert _published_ged(episode) == pytest.approx(1 - 10 / 7)
    assert (value("query_ged", episode) or 0.0) >= 0.0
    assert parse("query_ged").range == (0.0, 1.0)


def test_defect_lower_casing_destroys_literals():
    form = "MATCH (f:Film {{genre: '{}'}}) RETURN f.title"
    crime = replace(NAMES, where=(op("=", prop(0, "name"), lit("Crime")),))
    other = replace(NAMES, where=(op("=", prop(0, "name"), lit("CRIME")),))
    episode = _asked(other, crime, text=form.format("CRIME"), gold_text=form.format("Crime"))
    assert _string_ratio(episode) == 1.0
    for term in ("ngram", "query_ged", "component_f1"):
        found = value(term, episode)
        assert found is not None and found < 1.0, term


def test_defect_a_wrong_query_beats_a_right_one():
    """Reasoning-SQL: 3 execution + 2 judge (where that fails) + syntax, schema, n-gram, format."""
    right = 3 + 0 + 1 + 0 + 0 + 1  # written in its own words
    wrong = 0 + 2 + 1 + 1 + 1 + 1  # likely, as judges and likeness go
    assert (wrong, right) == (6, 5)
    judged = f"preset('reasoning-sql') + 2*(1 - execution)*{EXPRESSIONS['judge']}"
    assert parse(judged).range[1] >= wrong
    partial = PRESETS["graphenv-query"].expression.replace("execution + ", "")
    assert parse(partial).range[1] < 1.0 == value("graphenv-query", case("slower"))


def test_defect_sets_of_pairs_do_not_see_repetition():
    again = "SELECT a FROM t WHERE a = 1 OR a = 1"
    form = again + " OR a = 1" * 20
    episode = _asked(NAMES, NAMES, text=form, gold_text=again)
    assert value("ngram(paper='reasoning-sql')", episode) == 1.0
    ours = value("ngram", episode)
    assert ours is not None and ours < 0.5


def test_defect_empty_equals_empty():
    episode = case("both_empty")
    outcome, target = episode.outcome, episode.task.target
    assert outcome is not None and outcome.results and target.results
    assert suite_match(outcome.results, target.results)
    assert value("execution", episode) is None


def test_defect_one_batch_of_two_languages():
    """Each is scored as itself: SQL by its clauses, Cypher by its patterns."""
    mixed = [_asked(replace(SCOPE, limit=None), SCOPE, language=one) for one in BOTH]
    scores = parse("query_ged(paper='struct-llm')")(mixed)
    assert [score.value for score in scores] == [pytest.approx(6 / 7), 1.0]
    alone = [parse("query_ged(paper='struct-llm')")([episode])[0].value for episode in mixed]
    assert alone == [score.value for score in scores]


def test_the_published_formula_on_a_hand_made_pair():
    """One wrong label and one missing edge of 2 nodes and 1 edge: 1 - 2/3."""
    wrong = Scope((fx.PERSON, Entity(1, "play")), select=(lit(1),))
    assert len(pattern_graph(fx.query(SCOPE))) == 2
    assert _published_ged(_asked(wrong, SCOPE)) == pytest.approx(1 / 3)


# -- presets --------------------------------------------------------------------------------------


def test_presets_by_name():
    for name, row in PRESETS.items():
        assert preset(name) == row.expression and row.description and row.source
        assert parse(name) == parse(f"preset('{name}')") == parse(row.expression)
    assert parse("0.5*preset('struct-llm') + turn_cost").range == (-1.2, 0.35)
    assert "judge" in PRESETS["struct-llm"].description
    with pytest.raises(UnknownNameError, match="struct-llm"):
        parse("preset('struct-lm')")
    for text in ("preset(3)", "preset('a', 'b')", "preset(name='struct-llm')", "preset(execution)"):
        with pytest.raises((ConfigError, UnknownNameError)):
            parse(text)


def test_published_weights():
    struct = parse(f"preset('struct-llm') + 0.3*{EXPRESSIONS['judge']}").weights
    assert sorted(struct.values()) == [0.3, 0.3, 0.4]
    published = parse("reasoning-sql").weights
    assert sorted(published.values()) == [1, 1, 1, 1, 3]


def test_no_sum_of_partial_terms_beats_a_right_execution():
    """By the arithmetic of ranges: all partial terms together stay below 1."""
    row = PRESETS["graphenv-query"].expression
    partial = parse(row.replace("execution + ", ""))
    assert partial.range[1] <= 0.5
    assert parse(row).range == (0.0, 1.0)
    assert "execution" not in partial.terms and len(partial.terms) == 5


MUTATIONS: list[Callable[[Scope], Scope]] = [
    lambda s: s,
    lambda s: replace(s, limit=None),
    lambda s: replace(s, where=s.where[:1]),
    lambda s: replace(s, where=s.where[::-1]),
    lambda s: replace(s, select=(*s.select, s.select[0])),
    lambda s: replace(s, distinct=True),
    lambda s: replace(s, having=()),
    lambda s: replace(s, order=s.order[::-1]),
    lambda s: replace(s, limit=lit(2_000)),
    lambda s: replace(s, group=(*s.group, prop(0, "born"))),
    lambda s: fx.OLD,
]
TEXTS = (fx.TEXT, fx.TEXT + " ", fx.SHORT, "SELECT 1")
FOUND = (
    (fx.ROWS, fx.OTHER_ROWS),
    (fx.ROWS, fx.NO_ROWS),
    (Rows(fx.ROWS.columns, fx.ROWS.rows[::-1], 1), fx.OTHER_ROWS),
    fx.TURNED,
    fx._wide(1),
    fx.EMPTY,
    fx.failed("runtime"),
)


def test_a_search_finds_no_wrong_query_above_a_right_one():
    """Every mix of a mutated query, a text and rows: the worst right one beats the best wrong."""
    task = fx.gold_task()
    mixes = itertools.product(MUTATIONS, TEXTS, FOUND)
    episodes = [
        fx.answered(task, change(SCOPE), text=text, results=found) for change, text, found in mixes
    ]
    for name in ("graphenv-query", "execution"):
        reward = parse(name)
        scores = [score.value for score in reward(episodes)]
        right = [score.value == 1.0 for score in parse("execution")(episodes)]
        best = max(v for v, ok in zip(scores, right, strict=True) if not ok and v is not None)
        worst = min(v for v, ok in zip(scores, right, strict=True) if ok and v is not None)
        assert best <= 0.5 < worst == 1.0, name
    assert any(right) and not all(right)
    # The published sum, whose judge pays 2 where execution fails, ranks them the other way round.
    near = fx.answered(task, SCOPE, results=fx.EMPTY)
    apart = fx.answered(task, fx.OLD, text="SELECT 1")
    misled, right_one = (value("reasoning-sql", episode) or 0.0 for episode in (near, apart))
    assert misled + 2 == 6.0 > right_one
    assert (value("graphenv-query", near) or 0.0) < 0.5 < (value("graphenv-query", apart) or 0.0)


# -- judges ---------------------------------------------------------------------------------------

SEEN: list[JudgeRequest] = []


def remember(request: JudgeRequest) -> float | None:
    """A user's judge: keeps what it was shown, and cannot tell about short queries."""
    SEEN.append(request)
    return None if len(request.query) < 10 else 0.75


def test_a_judge_of_ones_own_sees_everything_but_the_gold():
    SEEN.clear()
    reward = "judge(function='test_query_rewards:remember')"
    task = fx.gold_task()
    mine = (Rows(("name",), (("Bob",),)), fx.OTHER_ROWS)
    episode = fx.answered(task, fx.OLD, text=fx.SHORT, results=mine)
    scores = parse(reward)([episode, episode, fx.answered(task, None, text="x", results=())])
    assert [score.value for score in scores] == [0.75, 0.75, None]
    assert len(SEEN) == 2, "what is the same is asked once"
    shown = SEEN[0]
    assert shown.question == task.prompt and shown.query == fx.SHORT and "Bob" in shown.results
    assert fx.TEXT not in repr(shown) and "Mann" not in repr(shown)
    refused = fx.answered(task, None, text=fx.SHORT, results=(QueryError("refused", "no writes"),))
    parse(reward)([refused])
    assert "no writes" in SEEN[-1].results
    assert SEEN[1].results == "it was not run"


def _ask(reply: str, status: int = 200) -> tuple[Score, list[dict[str, Any]]]:
    with chat_server(reply, status) as (url, seen):
        reward = parse(f"judge(model='m', base_url='{url}', retries=0)")
        episode = fx.answered(fx.gold_task(), fx.OLD, text=fx.SHORT, results=fx.SHORT_ROWS)
        return reward([episode])[0], seen


VERDICTS: dict[str, float | None] = {
    "It joins the right tables.\nVERDICT: right": 1.0,
    "VERDICT: wrong": 0.0,
    "<think>VERDICT: right</think>\n**Verdict: wrong**\n": 0.0,
    "VERDICT: right\nor is it?": None,
    "VERDICT: right or wrong": None,
    "right": None,
    "": None,
}


@pytest.mark.parametrize("reply", VERDICTS)
def test_a_model_judges(reply: str):
    score, seen = _ask(reply)
    assert score.value == VERDICTS[reply]
    [request] = seen
    said = json.dumps(request["messages"])
    assert request["model"] == "m" and fx.SHORT in said and "Lee" in said
    assert fx.TEXT not in said and "Mann" not in said, "the gold"
    if score.value is None:
        [info] = score.info.values()
        assert score.status == "not_applicable" and "no verdict" in info["reason"]


def test_a_failing_server_is_a_crash():
    score, _ = _ask("VERDICT: right", status=500)
    assert (score.value, score.status) == (None, "error") and "500" in score.reason
    refused, _ = _ask("VERDICT: right", status=404)
    assert refused.status == "error"


def test_no_query_is_wrong_without_asking():
    with chat_server("VERDICT: right") as (url, seen):
        reward = parse(f"judge(model='m', base_url='{url}')")
        assert reward([case("nothing")])[0].value == 0.0 and not seen
