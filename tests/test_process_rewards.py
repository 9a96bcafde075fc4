"""Process rewards: what a turn is paid for, by whatever scorer, and what a scorer may not do."""

from __future__ import annotations

import itertools
import pickle
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import conformance
import kgqa_fixture as fx
import process_fixture as scorers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from process_fixture import BY_SIZE, folder

from graphenv import envs, rewards
from graphenv.agents.credit import check_credit, make_credit
from graphenv.envs.base import GraphEnv
from graphenv.envs.vector import GraphVectorEnv
from graphenv.episode import Episode
from graphenv.errors import ConfigError, DataError, RewardError
from graphenv.graph import Graph, Triple
from graphenv.rewards import ExpressionReward, parse
from graphenv.rewards.process import opinions
from graphenv.rewards.process.levels import curriculum
from graphenv.scorers import SCORERS, Judged, View, load_scorer
from graphenv.seeding import rng
from graphenv.text import format_call

TOL = 1e-9
END = format_call("answer_frontier")
NEED = "triple_f1 + progress + path_validity + ged_progress"
"""A reward that makes the environment keep everything that is read here."""


def forms(scorer: str) -> dict[str, str]:
    """Return every form of the step terms, by name."""
    return {
        "value": f"gnn_value(scorer={scorer!r})",
        "progress": f"gnn_process(scorer={scorer!r})",
        "galax": f"gnn_process(scorer={scorer!r}, shape='galax')",
        "graphia": f"gnn_process(scorer={scorer!r}, shape='graphia', at=250)",
        "paper_galax": f"gnn_process(scorer={scorer!r}, paper='galax')",
        "paper_graphia": f"gnn_process(scorer={scorer!r}, paper='graphia', at=250)",
    }


OURS = ("value", "progress", "galax", "graphia")


@lru_cache(maxsize=8)
def env_for(max_turns: int = 6) -> GraphEnv:
    return fx.make_env(reward=NEED, max_turns=max_turns)


def gold(max_turns: int = 6, index: int = fx.GENRES) -> Episode:
    return env_for(max_turns).play(index, [*fx.walk_to_gold(index), END])


def steps(text: str, episode: Episode) -> list[float]:
    score = parse(text)([episode])[0]
    assert score.status == "ok", score.reason
    return list(score.steps)


@lru_cache(maxsize=1)
def pool() -> tuple[Episode, ...]:
    """Episodes of several lengths, endings and questions; the same in every run."""
    turns = (
        *fx.follow("^directed_by", "has_genre", "^has_genre", "remake_of", "nonsense"),
        format_call("back"),
        format_call("relations"),
        "not a turn",
        fx.answer("Crime"),
        END,
    )
    generator = rng("tests.process.pool")
    return tuple(
        env_for().play(
            n % len(fx.QUESTIONS),
            [turns[int(i)] for i in generator.integers(len(turns), size=generator.integers(1, 8))],
        )
        for n in range(60)
    )


episodes = st.deferred(lambda: st.sampled_from(pool()))
shapes = st.sampled_from([*forms(folder("arbitrary")).values(), *forms(folder("narrow")).values()])


# -- the values, by hand --------------------------------------------------------------------------
# The gold walk finds 2 films (p = 2/4), then 3 genres more (p = 5/7); it starts with nothing (0).


def test_a_potential_pays_differences_and_takes_all_back_at_the_end():
    found = steps(forms(BY_SIZE)["value"], gold())
    assert found == pytest.approx([1 / 2, 5 / 7 - 1 / 2, -5 / 7])


def test_progress_keeps_what_is_handed_in():
    assert steps(forms(BY_SIZE)["progress"], gold()) == pytest.approx([1 / 2, 5 / 7 - 1 / 2, 0])


def test_progress_keeps_nothing_where_nothing_is_handed_in():
    walk = fx.walk_to_gold(fx.GENRES)
    cut = env_for(2).play(fx.GENRES, walk)
    assert cut.status == "truncated"
    assert steps(forms(BY_SIZE)["progress"], cut) == pytest.approx([1 / 2, -1 / 2])
    session = env_for().begin(fx.GENRES)
    session.turn(walk[0])
    session.time_out(walk[1], "the engine gave up")
    assert steps(forms(BY_SIZE)["progress"], session.episode()) == pytest.approx([1 / 2, -1 / 2])


def test_galax_level_is_the_published_one_brought_to_the_unit_interval():
    turns = [*fx.follow("^directed_by", "nonsense"), END]
    found = steps(forms(BY_SIZE)["galax"], env_for().play(fx.GENRES, turns))
    # r = 2 (p - 1/2) + V, L = (r + 2) / 3: the move that does not exist is one turn of six.
    assert found == pytest.approx([2 / 3 * 1 / 2, -1 / 3 / 6, 0])


def test_graphia_level_mixes_links_and_gold():
    found = steps(forms(BY_SIZE)["graphia"], gold())
    # c = clip(2.5, 1, 5) / 5 = 1/2; the scorer gives these edges 1/4. 2 of 5 gold edges, then 5.
    first, second = 0.5 * 0.25 + 0.5 * 4 / 7, 0.5 * 0.25 + 0.5
    assert found == pytest.approx([first, second - first, 0])
    assert [curriculum(at) for at in (0, 100, 101, 499, 501)] == [1.0, 1.0, 1.01, 4.99, 5.0]


def test_published_galax():
    turns = [*fx.follow("^directed_by", "nonsense", "has_genre"), END]
    found = steps(forms(BY_SIZE)["paper_galax"], env_for().play(fx.GENRES, turns))
    # p - 1/2 + V, over six turns; V stays -1 for good.
    assert [6 * x for x in found] == pytest.approx([0, -1, 5 / 7 - 1.5, 5 / 7 - 1.5])


def test_published_graphia():
    found = steps(forms(BY_SIZE)["paper_graphia"], gold())
    assert found == pytest.approx([2 * (0.25 + 2.5), 3 * (0.25 + 2.5), 0])


# -- the shape of every score ---------------------------------------------------------------------


@given(shapes, episodes)
@settings(max_examples=150)
def test_steps_depend_on_what_was_played_alone(text: str, episode: Episode):
    """Prefix consistency, the range of the total, and `last_step` of a running episode."""
    reward = parse(text)
    whole = reward([episode])[0]
    low, high = reward.range
    if whole.value is None:
        assert whole.status == "not_applicable"
        return
    if episode.ended:
        assert low - TOL <= whole.value <= high + TOL
    for t in range(1, len(episode) + 1):
        assert parse(text)([episode[:t]])[0].steps == whole.steps[:t]
        assert reward.last_step(episode[:t]) == pytest.approx(whole.steps[t - 1], abs=TOL)


@given(shapes, st.lists(episodes, min_size=1, max_size=5))
@settings(max_examples=40)
def test_a_batch_is_its_episodes_one_by_one(text: str, batch: list[Episode]):
    alone = [parse(text)([episode])[0].to_json() for episode in batch]
    assert [score.to_json() for score in parse(text)(batch)] == alone
    twin = pickle.loads(pickle.dumps(parse(text)))
    assert [score.to_json() for score in twin(batch)] == alone


def test_pickled_terms_leave_the_scorer_behind():
    reward = parse(forms(BY_SIZE)["progress"])
    reward.prepare()
    assert b"BySize" not in pickle.dumps(reward)


# -- one call per batch ---------------------------------------------------------------------------


@pytest.fixture
def fresh(tmp_path: Path) -> tuple[str, scorers.BySize]:
    """A scorer that nobody has asked, and the folder it is saved in."""
    where = folder("by-size", under=tmp_path)
    scorer = load_scorer(where)
    assert isinstance(scorer, scorers.BySize)
    return where, scorer


def test_the_scorer_is_asked_once_for_a_batch_and_its_repeated_states(
    fresh: tuple[str, scorers.BySize],
):
    where, scorer = fresh
    batch = [gold(), gold(), env_for().play(fx.SPANISH, [*fx.walk_to_gold(fx.SPANISH), END])]
    text = f"exact + {forms(where)['value']} + {forms(where)['progress']}"
    assert all(score.status == "ok" for score in parse(text)(batch))
    assert scorer.calls == [5]  # nothing yet, two films, their genres; nothing yet, one film
    parse(text)(batch)
    assert scorer.calls == [5]


def test_links_are_asked_once_for_a_batch(fresh: tuple[str, scorers.BySize]):
    where, scorer = fresh
    text = f"{forms(where)['graphia']} + links(scorer={where!r})"
    scores = parse(text)([gold(), *pool()])
    assert all(score.status != "error" for score in scores)
    # The starts and the edges of `links`; the states and the edges of `graphia`.
    assert len(scorer.calls) == 4


def test_a_batch_that_is_larger_than_what_is_kept_is_still_asked_once(
    fresh: tuple[str, scorers.BySize], monkeypatch: pytest.MonkeyPatch
):
    where, scorer = fresh
    monkeypatch.setattr(opinions, "KEPT", 3)
    reward = parse(f"exact + {forms(where)['value']} + {forms(where)['progress']}")
    reward([env_for().play(fx.SPANISH, [*fx.walk_to_gold(fx.SPANISH), END])])
    reward([gold(), *pool()])
    reward([gold(), *pool()])
    assert len(scorer.calls) == 2


def test_a_running_episode_asks_for_its_new_state_alone(fresh: tuple[str, scorers.BySize]):
    where, scorer = fresh
    reward = parse(f"exact + {forms(where)['progress']}")
    for t in range(1, 4):
        reward.last_step(gold()[:t])
    assert scorer.calls == [1, 1, 1]


def test_a_vector_of_environments_asks_in_one_call(fresh: tuple[str, scorers.BySize]):
    where, scorer = fresh
    reward = f"exact + {forms(where)['progress']}"
    with fx.fixture_source():
        vector = GraphVectorEnv(3, env_id="kgqa", source="fixture", reward=reward)
    vector.reset(seed=0)
    vector.step([format_call("relations")] * 3)
    assert len(scorer.calls) == 1


# -- a scorer that does not know, or is broken ----------------------------------------------------


@pytest.mark.parametrize("form", forms(""))
def test_a_start_that_the_scorer_does_not_know_leaves_the_term_out(form: str):
    text = forms(folder("narrow"))[form]
    score = parse(f"exact + {text}")([gold(index=fx.SPANISH)])[0]
    assert (score.value, score.parts[text].value) == (1.0, None)
    assert score.info[text]["unknown"] == {"the entity type 'language' is unknown": [0, 1, 2]}
    alone = parse(text)([gold(index=fx.SPANISH)])[0]
    assert (alone.value, alone.status) == (None, "not_applicable") and alone.info[text]["unknown"]
    assert parse(text).last_step(gold(index=fx.SPANISH)[:1]) == 0.0


@pytest.mark.parametrize("form", OURS[:3])
def test_an_unknown_state_on_the_way_is_worth_nothing_and_no_way_out(form: str):
    """A policy that builds what the scorer does not know gets rid of no charge."""
    text = forms(folder("narrow"))[form]
    score = parse(f"exact + {text}")([gold()])[0]
    assert score.parts[text].value is not None
    assert score.info[text]["unknown"] == {"the entity type of 'Thief' is unknown": [1, 2, 3]}
    assert score.info[text]["scorer"] == "fake-narrow"
    if form != "galax":
        assert score.parts[text].value == 0.0


def test_unknown_edges_count_nothing_and_are_told():
    text = forms(folder("narrow"))["graphia"]
    gold_graph = Graph.from_triples(MAN.triples)
    steps = tuple(replace(gold().steps[0], graph=graph) for graph in (MAN, gold_graph))
    task = replace(gold().task, target=replace(gold().task.target, graph=gold_graph))
    score = parse(text)([replace(gold(), steps=steps, task=task)])[0]
    # c = 1/2; of three edges the two with the hat are unknown in the second graph.
    assert score.steps == pytest.approx([0.5 * 0.75 + 0.5, 0.5 * 0.25 - 0.5 * 0.75])
    assert score.info[text]["unknown_edges"] == ["'hat' is unknown"]


def test_a_crash_is_an_error_and_costs_no_other_episode_its_score():
    text = f"exact + {forms(folder('broken'))['progress']}"
    good = env_for().play(fx.SPANISH, [*fx.walk_to_gold(fx.SPANISH), END])
    scores = parse(text)([good, gold(), good])
    assert [score.status for score in scores] == ["ok", "error", "ok"]
    assert "ArithmeticError: weights hold no number" in scores[1].reason
    with pytest.raises(RewardError, match="weights hold no number"):
        parse(text).last_step(gold()[:1])


def test_a_value_outside_the_unit_interval_is_a_crash():
    turns = [format_call("start_at", entity="Alien"), *fx.follow("has_genre"), END]
    score = parse(forms(folder("broken"))["value"])([env_for().play(fx.GENRES, turns)])[0]
    assert (score.value, score.status) == (None, "error") and "outside [0, 1]" in score.reason


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gnn_value(scorer='no/such/folder')", "no scorer in no/such/folder"),
        ("gnn_value()", "scorer"),
        (f"gnn_process(scorer={BY_SIZE!r}, shape='potential')", r"gnn_value\(scorer=\)"),
        (f"gnn_process(scorer={BY_SIZE!r}, shape='galaxy')", "Did you mean 'galax'"),
        (f"gnn_process(scorer={BY_SIZE!r}, paper='galaxy')", "Did you mean 'galax'"),
        (f"gnn_process(scorer={BY_SIZE!r}, shape='galax', paper='galax')", "leave out shape"),
        (f"gnn_process(scorer={BY_SIZE!r}, at=100)", "curriculum"),
        (f"gnn_process(scorer={BY_SIZE!r}, shape='graphia', at=-1)", "at=-1"),
        (f"potential(gnn_process(scorer={BY_SIZE!r}))", "only a shaping term has a potential"),
        (f"gate(exact, gnn_value(scorer={BY_SIZE!r}))", "potential in one lump"),
        (f"exact*gnn_process(scorer={BY_SIZE!r})", "factor that can be negative"),
    ],
)
def test_refused(text: str, says: str):
    with pytest.raises((ConfigError, DataError), match=says):
        parse(text)


def test_a_scorer_of_an_unknown_kind_is_refused_when_the_environment_is_made(tmp_path: Path):
    (tmp_path / "scorer.json").write_text('{"kind": "os:system"}', encoding="utf-8")
    with pytest.raises(ConfigError, match="'os:system' is unknown"):
        fx.make_env(reward=f"exact + gnn_value(scorer={str(tmp_path)!r})")


def test_what_each_form_reads_is_declared():
    assert parse(forms(BY_SIZE)["progress"]).needs == {"step.graph"}
    assert parse(forms(BY_SIZE)["galax"]).needs == {"step.graph", "step.moves"}
    assert parse(forms(BY_SIZE)["graphia"]).needs == {"step.graph", "target.graph"}
    with pytest.raises(ConfigError, match=r"needs step\.moves"):
        envs.make("scene-graph", mode="steps", reward=f"triple_f1 + {forms(BY_SIZE)['galax']}")


# -- operators and credit -------------------------------------------------------------------------


def test_operators_that_settle_at_the_end_pay_the_total_of_a_process_term_there():
    term = forms(BY_SIZE)["progress"]
    won = gold()
    lost = env_for().play(fx.GENRES, [*fx.walk_to_gold(fx.GENRES), fx.answer("x")])
    assert steps(f"gate(exact, {term})", won) == pytest.approx([0, 0, 5 / 7])
    assert steps(f"gate(exact, {term})", lost) == [0, 0, 0]
    assert steps(f"cap({term}, 0.5)", won) == pytest.approx([0, 0, 0.5])
    assert steps(f"exact*(1 + {term})", won) == pytest.approx([0, 0, 12 / 7])
    # A closed gate lets charges through: nothing is gained by failing its condition.
    bad = forms(folder("arbitrary"))["progress"]
    for episode in (e for e in pool() if e.ended):
        total = sum(steps(bad, episode))
        assert sum(steps(f"gate(exact, {bad})", episode)) == pytest.approx(
            total if episode.success else min(0.0, total)
        )


def test_outcome_credit_sees_a_process_term_but_no_potential():
    value, process = (parse(f"exact + {forms(BY_SIZE)[form]}") for form in ("value", "progress"))
    assert value.has_shaping and not process.has_shaping
    check_credit(make_credit("outcome"), [process])
    with pytest.raises(ConfigError, match="telescopes"):
        check_credit(make_credit("outcome"), [value])


# -- which policies are best ----------------------------------------------------------------------


@lru_cache(maxsize=8)
def _all_walks(index: int) -> tuple[Episode, ...]:
    """Every turn sequence up to three moves that ends with an answer, and those cut off."""
    actions = [*fx.follow("^directed_by", "has_genre", "^in_language"), format_call("back")]
    env = env_for(4)
    found = [
        env.play(index, [*turns, END])
        for length in range(4)
        for turns in itertools.product(actions, repeat=length)
    ]
    return (
        *found,
        *(env.play(index, [*t, actions[0]]) for t in itertools.product(actions, repeat=3)),
    )


def _best(reward: ExpressionReward, played: tuple[Episode, ...]) -> set[int]:
    values = [score.value or 0.0 for score in reward(played)]
    return {i for i, value in enumerate(values) if value >= max(values) - TOL}


@pytest.mark.parametrize("index", [fx.GENRES, fx.SPANISH, fx.EMPTY])
@pytest.mark.parametrize("seed", range(4))
def test_the_potential_changes_no_optimal_policy_however_wrong_the_scorer(index: int, seed: int):
    played = _all_walks(index)
    assert {episode.status for episode in played} == {"ok", "truncated"}
    term = forms(folder("arbitrary", seed=seed))["value"]
    plain = parse("exact + 0.1*turn_cost")
    shaped = parse(f"exact + 0.1*turn_cost + 0.7*{term}")
    moved = [s.value - p.value for s, p in zip(shaped(played), plain(played), strict=True)]  # type: ignore[operator]
    assert max(moved) - min(moved) < TOL and moved[0] < 0  # one constant of the task
    assert _best(plain, played) == _best(shaped, played)


@pytest.mark.parametrize("seed", range(4))
def test_the_value_of_a_tool_process_is_shifted_by_the_potential_state_by_state(seed: int):
    """Dynamic programming over a small chain with loops: Q moves by -phi(s), so argmax stays."""
    generator = rng("tests.process.mdp", seed)
    size, actions, horizon = 5, 3, 6
    to = generator.integers(0, size, (size, actions))
    pays = generator.normal(size=(size, actions)).round(1)
    ends = generator.random((size, actions)) < 0.25
    phi = generator.random(size)

    def best(shaped: bool) -> list[Any]:
        value, policies = [0.0] * size, []
        for left in range(1, horizon + 1):
            q = [[0.0] * actions for _ in range(size)]
            for s, a in itertools.product(range(size), range(actions)):
                over = ends[s, a] or left == 1  # ended, or cut off by the limit of turns
                after = 0.0 if over else phi[to[s, a]]
                q[s][a] = pays[s, a] + (after - phi[s] if shaped else 0.0)
                q[s][a] += 0.0 if over else value[to[s, a]]
            value = [max(row) for row in q]
            policies.append([{a for a in range(actions) if row[a] > max(row) - TOL} for row in q])
        return policies

    assert best(shaped=True) == best(shaped=False)


def test_progress_does_change_which_policy_is_best_where_the_scorer_overrates():
    """Why the potential is the default advice: what is handed in is paid by the scorer's word."""
    played, term = _all_walks(fx.GENRES), forms(folder("arbitrary", seed=1))["progress"]
    assert _best(parse("0.1*exact"), played) != _best(parse(f"0.1*exact + 5*{term}"), played)


# -- links ----------------------------------------------------------------------------------------

LINKS = conformance.EXPRESSIONS["links"]
MAN = Graph.from_edges(["man", "horse", "hat"], [(0, "rides", 1), (0, "wears", 2), (1, "near", 2)])


def links(graph: Graph | None, scorer: str = BY_SIZE) -> Any:
    text = f"links(scorer={scorer!r})"
    return parse(text)([conformance.graph_episode(graph, MAN)])[0]


def test_dense_junk_and_nothing_earn_nothing():
    labels = ["man", "horse", "hat", "dog"]
    every = list(itertools.permutations(range(4), 2))
    for relations in (["rides"], ["rides", "wears", "near"]):
        dense = Graph.from_edges(labels, [(h, r, t) for h, t in every for r in relations])
        assert links(dense).value == 0.0
        assert links(dense, folder("constant")).value == 0.0
    for nothing in (None, Graph(), Graph.from_edges(labels)):
        assert links(nothing).value == 0.0


def test_nodes_without_an_edge_make_no_easy_comparison():
    """Lone nodes of other kinds would be ends that no edge fits: they would be paid for."""
    rows = [(0, "rides", 1), (1, "rides", 0)]  # every edge that it could hold
    for labels in (["man", "horse"], ["man", "horse", "moon", "idea", "rain"]):
        assert links(Graph.from_edges(labels, rows)).value == 0.0
    padded = Graph.from_edges(
        [*MAN.labels, "moon", "idea"], [(e.head, e.relation, e.tail) for e in MAN.edges]
    )
    for scorer in (BY_SIZE, folder("constant")):
        assert links(padded, scorer).value == links(MAN, scorer).value


def test_a_scorer_that_likes_everything_pays_nothing():
    assert links(MAN, folder("constant")).value == 0.0


def test_an_edge_is_judged_without_being_seen():
    seen: list[bool] = []

    def watching(self: Any, view: View, triple: Triple) -> Judged:
        at = {node.id: i for i, node in enumerate(view.graph.nodes)}
        edge = (at[triple[0]], triple[1], at[triple[2]])
        seen.append(edge in {(e.head, e.relation, e.tail) for e in view.graph.edges})
        return Judged(0.5)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scorers.Constant, "link", watching)
        twice = Graph.from_edges(MAN.labels, [(0, "rides", 1), (0, "rides", 1), (1, "near", 2)])
        links(twice, folder("constant", seed=2))
        parse(forms(folder("constant", seed=2))["graphia"])([gold()])
        parse(forms(folder("constant", seed=2))["paper_graphia"])([gold()])
    assert len(seen) > 10 and not any(seen)


@given(st.permutations(range(3)), st.permutations(range(3)))
@settings(max_examples=30)
def test_ids_and_order_mean_nothing_to_links(order: list[int], edges: list[int]):
    place = {old: new for new, old in enumerate(order)}
    rows = [(e.head, e.relation, e.tail) for e in MAN.edges] + [(2, "wears", 1)]
    moved = Graph.from_edges(
        [MAN.labels[i] for i in order],
        [(place[h], r, place[t]) for h, r, t in (rows[i] for i in edges)],
    )
    straight = Graph.from_edges(MAN.labels, rows[:3])
    assert links(moved).value == pytest.approx(links(straight).value)


def test_links_says_what_it_does_not_know():
    score = links(MAN, folder("narrow"))
    text = next(iter(score.parts))
    assert score.status == "ok" and score.value > 0  # the horse is known, the hat is not
    assert "unknown" not in score.info[text]  # ids of this graph are numbers
    named = Graph.from_triples(MAN.triples)
    score = links(named, folder("narrow"))
    assert score.info[text]["unknown"] == ["'hat' is unknown"]
    assert score.value == pytest.approx((0.75 - 0.25) / 3)
    spanish = parse(text)([gold(index=fx.SPANISH)])[0]
    assert (spanish.value, spanish.status) == (None, "not_applicable")


# -- published defects: the same input, their formula and ours ------------------------------------


def _idle(count: int) -> Episode:
    """Two films found, then nothing but look-ups, then the end of turns or the answer."""
    turns = [*fx.follow("^directed_by", "has_genre"), *[format_call("relations")] * count, END]
    return env_for(8).play(fx.GENRES, turns)


def _hub(enough: bool) -> Episode:
    """The gold edge alone, or a thousand likely edges of a hub that nobody asked for."""
    hub = [format_call("start_at", entity="Filler genre"), *fx.follow("^has_genre"), END]
    return env_for().play(fx.SPANISH, hub if enough else [*fx.walk_to_gold(fx.SPANISH), END])


def _best_seen(episode: Episode) -> float:
    """Pays a turn for every new best value, as the obvious cure for cycling has it."""
    scorer = load_scorer(BY_SIZE)
    graphs = [episode.state(t).graph or Graph() for t in range(len(episode) + 1)]
    values = [v.value or 0.0 for v in scorer.values([View("?", g) for g in graphs])]
    return max(values) - values[0]


def _total(form: str, episode: Episode) -> float:
    return sum(steps(forms(BY_SIZE)[form], episode))


DEFECTS: dict[str, tuple[Any, Any, str, str]] = {
    # name: the honest episode, the one that games it, the published form, ours
    "galax_pays_for_standing_still": (lambda: _idle(0), lambda: _idle(4), "paper_galax", "galax"),
    "galax_pays_until_the_turns_run_out": (
        lambda: _idle(0),
        lambda: _idle(8),
        "paper_galax",
        "galax",
    ),
    "graphia_sums_so_that_hubs_dominate": (
        lambda: _hub(False),
        lambda: _hub(True),
        "paper_graphia",
        "graphia",
    ),
    "graphia_pays_again_for_an_edge_that_was_dropped": (
        lambda: gold(8),
        lambda: env_for(8).play(
            fx.GENRES,
            [*fx.walk_to_gold(0), format_call("back"), *fx.follow("has_genre"), END],
        ),
        "paper_graphia",
        "graphia",
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_published_defect(name: str):
    honest, gamed, theirs, ours = DEFECTS[name]
    assert _total(theirs, gamed()) > _total(theirs, honest()) + TOL
    assert _total(ours, gamed()) <= _total(ours, honest()) + TOL


def test_published_defect_one_invalid_edge_is_charged_for_all():
    """GALAX's V is -1 for good: after the first move that does not exist, more of them are free."""
    once, often = (
        env_for(8).play(fx.GENRES, [*fx.follow("nonsense", *["^directed_by"], *more), END])
        for more in ([], ["nonsense"] * 3)
    )
    one = [steps(forms(BY_SIZE)["paper_galax"], e)[-1] for e in (once, often)]
    assert one[0] == pytest.approx(one[1])
    assert _total("galax", often) < _total("galax", once) - 0.1


def test_a_defect_that_ours_avoids_paying_for_the_best_state_seen():
    """A walk that looks into a rich state and leaves it again has not got it."""
    straight, detour = (
        env_for(8).play(fx.GENRES, [*fx.follow("^directed_by"), *more, END])
        for more in ([], [*fx.follow("has_genre"), format_call("back")])
    )
    assert _best_seen(detour) > _best_seen(straight)
    assert _total("progress", detour) == pytest.approx(_total("progress", straight))


def test_published_defect_exceptions_are_zero():
    """Graphia scores an exception 0, as a wrong answer; ours is a status."""
    score = parse(forms(folder("broken"))["graphia"])([gold()])[0]
    assert (score.value, score.status) == (None, "error")


# -- the registry ---------------------------------------------------------------------------------


def test_terms_and_kinds():
    assert rewards.term_class("gnn_value").kind == "shaping"
    assert rewards.term_class("gnn_process").kind == "process"
    assert rewards.term_class("links").kind == "verdict"
    assert SCORERS["gnn"].startswith("graphenv.agents.gnn")


# -- with a real network --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small graph network that has learned nothing yet; what is paid must hold for it, too."""
    pytest.importorskip("torch_geometric")
    from graphenv.agents.gnn.model import ModelConfig, build_model
    from graphenv.agents.gnn.schema import Schema
    from graphenv.agents.gnn.scorer import GNNScorer

    graphs = [g for e in pool() for t in range(len(e) + 1) if (g := e.state(t).graph) is not None]
    schema = Schema.of([View("which?", graph) for graph in graphs])
    scorer = GNNScorer(build_model(ModelConfig(hidden=8, layers=2), schema), schema, device="cpu")
    return str(scorer.save(tmp_path_factory.mktemp("scorer")))


def test_a_graph_network_gives_every_form_its_numbers(network: str):
    batch = [gold(), *pool()[:8]]
    for name, text in {**forms(network), "links": f"links(scorer={network!r})"}.items():
        reward = parse(text)
        scores = reward(batch)
        assert {score.status for score in scores} <= {"ok", "not_applicable"}, name
        assert scores[0].value is not None and scores[0].info[text]["scorer"]
        low, high = reward.range
        assert all(low <= s.value <= high for s in scores if s.value is not None)
        again = pickle.loads(pickle.dumps(reward))
        assert [again([episode])[0].to_json() for episode in batch] == [s.to_json() for s in scores]
        for t in range(1, len(batch[0]) + 1):
            assert parse(text)([batch[0][:t]])[0].steps == scores[0].steps[:t], name


def test_a_graph_network_that_does_not_know_a_kind_says_so(network: str):
    text = f"gnn_value(scorer={network!r})"
    env = envs.make("subgraph", reward=f"triple_f1 + {text}")
    score = env.reward([env.play(0, [format_call("submit")])])[0]
    assert (score.status, score.parts[text].value) == ("ok", None)
    assert "entity kind" in next(iter(score.info[text]["unknown"]))
