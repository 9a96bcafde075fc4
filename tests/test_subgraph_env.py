"""`graphenv/Subgraph-v0`: the conformance table, tools, proposals, rankings, and what is hidden."""

from __future__ import annotations

import json
import pickle
from functools import lru_cache
from typing import Any

import conformance
import pytest
import subgraph_fixture as fx
from hypothesis import given, settings
from hypothesis import strategies as st
from subgraph_fixture import CAFE, CASES, ENZYMES, GOLD, PAIN, SUBMIT, TRIPLES, add, answer

from graphenv import agents, envs
from graphenv.agents.families import family_of
from graphenv.agents.oracle import gold_turns, planted_turns
from graphenv.envs.base import GraphEnv
from graphenv.envs.session import Session
from graphenv.envs.subgraph import SubgraphEnv
from graphenv.envs.subgraph.building import Builder
from graphenv.envs.subgraph.reading import Answer, answer_text, find_answer, read_answer
from graphenv.envs.subgraph.views import MAX_LISTED, candidate_lines, neighborhood
from graphenv.envs.subgraph.world import World
from graphenv.episode import Episode
from graphenv.errors import ConfigError, DataError, UnknownNameError
from graphenv.rewards import parse
from graphenv.text import format_answer, format_call, parse_turn

TABLE = conformance.read_table("subgraph")
MODES = ("tools", "single")


@lru_cache(maxsize=4)
def env_for(mode: str) -> GraphEnv:
    limit = {"max_turns": fx.MAX_TURNS} if mode == "tools" else {}
    return fx.make_env(mode=mode, reward=TABLE.reward.name, **limit)


def play(case: fx.Case) -> Episode:
    env = env_for(case.mode)
    return case.play(env) if case.play is not None else env.play(case.index, case.turns)


# -- the table ------------------------------------------------------------------------------------


def test_the_table_has_every_case_and_reason() -> None:
    TABLE.check_rows(CASES, conformance.SECTION_0)


@pytest.mark.parametrize("name", CASES)
def test_value(name: str) -> None:
    TABLE.check(name, play(CASES[name]))


@pytest.mark.parametrize("reward", ["triple_f1", "node_f1", "edge_f1", "ged", "kg_f1"])
def test_over_generation_pays_strictly_less_the_more_there_is(reward: str) -> None:
    values = [
        parse(reward)([play(CASES[name])])[0].value or 0.0
        for name in ("gold_single", "over_1", "over_10", "over_1000")
    ]
    assert values[0] == 1.0 and values == sorted(set(values), reverse=True)


def test_truth_and_default_reward_agree_on_graphs() -> None:
    """`success` is `triple_f1` here, but for edges between lone seeds, which nobody asks for."""
    for name, case in CASES.items():
        if case.index == ENZYMES:
            continue
        episode = play(case)
        assert episode.success == pytest.approx(TABLE.values[name]["triple_f1"]), name


# -- tools ----------------------------------------------------------------------------------------


def begun(index: int = PAIN, **kwargs: Any) -> Session:
    return fx.make_env(**{"reward": "triple_f1 + progress + ged_progress", **kwargs}).begin(index)


def say(session: Session, name: str, **arguments: Any) -> str:
    return session.turn(format_call(name, **arguments)).observation


def test_candidates_are_the_edges_at_the_graph() -> None:
    session = begun()
    assert say(session, "candidates").splitlines() == [
        "Candidates:",
        '["aspirin", "inhibits", "COX-1"] (enzyme)',
        '["aspirin", "inhibits", "COX-2"] (enzyme)',
    ]
    session.turn(add(GOLD[0], ("COX-2", "causes", "pain")))
    told = say(session, "candidates").splitlines()
    assert told[1:3] == ['["aspirin", "inhibits", "COX-2"]', '["COX-1", "causes", "pain"]']
    assert '["ibuprofen", "treats", "pain"] (drug)' in told
    assert say(session, "candidates", node="Aspirin").splitlines()[1:] == [told[1]]
    assert "not in the graph" in say(session, "candidates", node="hub")
    assert "no entity 'cox'" in say(session, "candidates", node="cox")


def test_long_lists_are_paged_and_bounded() -> None:
    session = begun(page_size=10)
    say(session, "add_node", node="hub")
    first = say(session, "candidates", node="hub")
    assert first.startswith("Candidates (page 1 of 40; there are more: name a node):")
    assert len(first.splitlines()) == 11
    assert say(session, "candidates", page=99) == say(session, "candidates", page=40)
    assert say(session, "candidates", page=-3) == say(session, "candidates", page=1)
    builder = Builder(fx.world(), ["hub"], max_nodes=8, max_edges=8)
    lines, more = candidate_lines(fx.world(), builder, ["hub"])
    assert len(lines) == MAX_LISTED and more


def test_inspect_tells_all() -> None:
    session = begun()
    assert say(session, "inspect", node="ASPIRIN").splitlines() == [
        "aspirin (drug): An old drug.",
        "Relations: inhibits (2)",
        "It is in the graph.",
    ]
    assert "^causes (2)" in say(session, "inspect", node="pain")
    assert "It is not in the graph." in say(session, "inspect", node="hub")
    assert "links (1100)" in say(session, "inspect", node="hub")


def test_expand_adds_all_or_nothing() -> None:
    session = begun()
    assert say(session, "expand", node="aspirin", relation="inhibits").startswith("Added 2 edges.")
    before = session.facts()["graph"]
    for arguments, said in (
        ({"node": "hub", "relation": "links"}, "'hub' is not in the graph"),
        ({"node": "aspirin", "relation": "causes"}, "leads nowhere from here. Relations: inhibits"),
        ({"node": "aspirin", "relation": "inhibit"}, "no relation 'inhibit'. Nearest: inhibits"),
        ({"node": "aspirin", "relation": "inhibits"}, "in the graph already"),
        ({"node": "aspirine", "relation": "inhibits"}, "Nearest: 'aspirin'"),
    ):
        assert said in say(session, "expand", **arguments)
        assert session.facts()["graph"] == before
    say(session, "expand", node="COX-1", relation="^INHIBITS")
    grown = session.steps[-1].graph
    assert grown is not None and ("ibuprofen", "inhibits", "COX-1") in grown.triples


def test_the_budget_counts_nodes_and_edges_with_the_seeds() -> None:
    session = begun()
    say(session, "add_node", node="hub")
    said = say(session, "expand", node="hub", relation="links")
    assert said == "Not added: the graph would have 1102 nodes; at most 8 fit."
    for i in range(6):
        assert "Added" in session.turn(add(("hub", "links", f"leaf {i}"))).observation
    assert "9 nodes; at most 8" in session.turn(add(("hub", "links", "leaf 7"))).observation
    say(session, "remove", node="leaf 0")
    session.turn(add(("hub", "links", "leaf 7")))
    assert session.facts()["edges"] == 6 and session.facts()["nodes"] == 8
    lock = begun(fx.LOCK)
    lock.turn(add(*TRIPLES[10:12], *GOLD))
    assert lock.facts()["edges"] == 6
    assert "7 edges; at most 6 fit" in lock.turn(add(TRIPLES[9])).observation


def test_remove_takes_a_node_with_its_edges_or_one_edge() -> None:
    session = begun()
    session.turn(add(*GOLD))
    assert "it is given by the task and stays" in say(session, "remove", node="aspirin")
    assert "Removed" in say(session, "remove", node="COX-1", relation="causes", tail="pain")
    assert session.facts()["edges"] == 3 and session.facts()["nodes"] == 4
    assert "this edge is not in the graph" in say(
        session, "remove", node="COX-1", relation="causes", tail="pain"
    )
    assert "Removed COX-2." in say(session, "remove", node="cox-2")
    assert session.facts()["edges"] == 1 and session.facts()["nodes"] == 3
    assert "it is not in the graph" in say(session, "remove", node="COX-2")
    assert "no entity" in say(session, "remove", node="COX-1", relation="causes", tail="pane")
    assert "no relation" in say(session, "remove", node="COX-1", relation="cuases", tail="pain")


def test_the_same_graph_is_the_same_state_however_it_was_built() -> None:
    one, other = begun(), begun()
    one.turn(add(*GOLD[:2]))
    other.turn(add(GOLD[1], TRIPLES[4]))
    other.turn(format_call("remove", node="ibuprofen") + add(("aspirin", "treats", "pain")))
    other.turn(add(GOLD[0]))
    assert one.facts()["graph"] == other.facts()["graph"]
    assert one.episode().state_keys()[-1] == other.episode().state_keys()[-1]
    assert len(set(other.episode().state_keys())) == 4
    assert one.steps[-1].values == other.steps[-1].values == {"reach": pytest.approx(2 / 3)}


def test_moves_say_what_exists() -> None:
    session = begun()
    session.turn(add(GOLD[0], ("aspirin", "treats", "pain"), ("aspirin", "treats", "joy")))
    say(session, "expand", node="aspirin", relation="causes")
    assert [step.facts["moves"] for step in session.steps] == [
        [
            ["aspirin", "inhibits", True],
            ["aspirin", "treats pain", False],
            ["aspirin", "treats joy", False],
        ],
        [["aspirin", "causes", False]],
    ]
    assert say(session, "inspect", node="pain") and not session.steps[-1].facts["moves"]


# -- proposals ------------------------------------------------------------------------------------


def test_proposals_are_typed_and_kept_apart() -> None:
    session = begun(proposals=True)
    assert "Proposed" in session.turn(add(("aspirin", "treats", "pain"))).observation
    assert (
        "never leads from drug to enzyme"
        in session.turn(add(("aspirin", "treats", "COX-1"))).observation
    )
    assert "Proposed" in session.turn(add(("insomnia", "^TREATS", "aspirin"))).observation
    facts = session.facts()
    proposed = [["aspirin", "treats", "insomnia"], ["aspirin", "treats", "pain"]]
    assert facts["proposed"] == proposed and facts["edges"] == 0
    assert facts["nodes"] == 1  # a proposal brings no node into the graph
    session.turn(add(*GOLD))
    assert "Removed" in say(session, "remove", node="aspirin", relation="treats", tail="insomnia")
    session.turn(SUBMIT)
    episode = session.episode()
    assert episode.metrics["proposed"] == episode.metrics["proposal_f1"] == 1.0
    assert episode.outcome is not None and episode.outcome.graph is not None
    assert episode.outcome.graph.num_edges == 4
    assert json.loads(str(episode.outcome.program))["proposed"] == [["aspirin", "treats", "pain"]]


def test_without_proposals_the_network_is_all_there_is() -> None:
    session = begun()
    said = session.turn(add(("aspirin", "treats", "pain"))).observation
    assert said == 'Not added: the network has no edge ["aspirin", "treats", "pain"].'
    assert session.facts()["proposed"] == []


# -- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "not valid JSON"),
        ("7", "the JSON is a number"),
        ('{"edge": []}', "the key 'edge' is none of edges"),
        ('{"edges": 3}', "edges is a number"),
        ('[["a", "r"]]', "edge 1: it has 2 parts"),
        ('[["a", "r", 3]]', "edge 1: the tail: it is a number"),
        ('[["a", "", "b"]]', "edge 1: the relation: it is empty"),
        ('[["a", "r", null]]', "edge 1: the tail: it is null"),
        ('["a"]', "edge 1: it is a string"),
        (json.dumps([["x" * 401, "r", "b"]]), "401 characters; at most 400"),
        (json.dumps([["a", "r", "b"]] * 2_001), "2001 edges; at most 2000"),
    ],
)
def test_answers_are_read_strictly(text: str, reason: str) -> None:
    found, said = read_answer(text, "graph")
    assert found is None and reason in said
    episode = fx.make_env(mode="single").play(PAIN, [f"<answer>{text}</answer>"])
    assert episode.status == "malformed" and episode.success == 0.0
    again = fx.make_env().begin(PAIN)
    assert "Malformed turn" in again.turn(f"<answer>{text}</answer>").observation
    assert again.outcome is None


def test_an_answer_beside_the_built_graph_replaces_it() -> None:
    env = fx.make_env(reward="triple_f1 + ged_progress")
    episode = env.play(PAIN, [add(TRIPLES[4]), answer(GOLD)])
    assert episode.success == 1.0 and episode.steps[-1].facts["edges"] == 4
    ranked = env.play(ENZYMES, [add(GOLD[2]), format_answer(["COX-2", "COX-1"])])
    assert ranked.success == 1.0 and ranked.outcome is not None
    assert ranked.outcome.graph is not None and ranked.outcome.graph.triples == (GOLD[2],)
    assert ranked.outcome.answer == ("COX-2", "COX-1")


@pytest.mark.parametrize("names", [["TP53"], ["TP53", "TP53"], ["[a]"], ["TP53", "MDM2"]])
def test_a_ranking_in_tags_may_hold_one_name(names: list[str]) -> None:
    for text in (f"<answer>{json.dumps(names)}</answer>", json.dumps(names)):
        found, reason = find_answer(parse_turn(text), "ranking")
        if names == ["[a]"] and text.startswith("<"):
            assert found is None and "JSON" in reason  # a list in a list is read as what it holds
        else:
            assert found is not None and found.ranking == tuple(names)


def test_a_ranking_may_be_told_with_commas_or_as_json() -> None:
    env = fx.make_env(reward="hits")
    for told in ("COX-1, COX-2", '["COX-1", "COX-2"]', " cox-1 ,, cox-2 "):
        episode = env.play(ENZYMES, [format_call("submit", ranking=told)])
        assert episode.outcome is not None and episode.outcome.answer == ("COX-1", "COX-2")
    for told in ("", "[1]", '["a', ",".join(["x"] * 2_001), "x" * 401):
        assert "Not submitted" in say(env.begin(ENZYMES), "submit", ranking=told)
    assert env.play(PAIN, [format_call("submit", ranking="COX-1")]).outcome.answer is None


names = st.text(min_size=1, max_size=12).filter(str.strip)
edges = st.lists(st.tuples(names, names, names), max_size=6)


@settings(max_examples=60, deadline=None)
@given(edges, st.lists(names, max_size=4))
def test_what_is_written_is_read_back(told: list[tuple[str, str, str]], ranked: list[str]) -> None:
    found, reason = read_answer(answer_text(told, None, "graph"), "graph")
    assert found == Answer(tuple(told)) and not reason
    if ranked:
        found, _ = read_answer(answer_text(told, ranked, "ranking"), "ranking")
        assert found is not None and found.ranking == tuple(ranked)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(TRIPLES[:14]), max_size=12), st.data())
def test_a_builder_keeps_its_budget_and_its_seeds(told: list[Any], data: st.DataObject) -> None:
    builder = Builder(fx.world(), ["aspirin"], max_nodes=5, max_edges=4)
    for edge in told:
        builder.add_edges([edge])
        if data.draw(st.booleans()):
            builder.remove_node(data.draw(st.sampled_from(builder.nodes)))
        assert len(builder.nodes) <= 5 and len(builder.edges) <= 4 and "aspirin" in builder
        ends = {end for head, _, tail in builder.edges for end in (head, tail)}
        assert ends <= set(builder.nodes) == set(builder.graph().labels)
        assert set(builder.graph().triples) == set(builder.edges)
        assert min(builder.budget.values()) >= 0


# -- what is shown --------------------------------------------------------------------------------


def test_single_mode_shows_the_gold_among_others_and_no_more_than_asked() -> None:
    env = envs.make("subgraph", mode="single", worlds=1, shown=30)
    assert isinstance(env, SubgraphEnv)
    for index in range(12):
        task = env.tasks[index]
        told = task.prompt.partition("\nEdges:\n")[2].splitlines()
        gold = task.target.graph
        assert gold is not None and len(told) == 30
        lines = {json.dumps(list(triple), ensure_ascii=False) for triple in gold.triples}
        assert lines < set(told) and told == sorted(told, key=json.loads)
    world = env.subgraph_source.world(0)
    few = neighborhood(world, env.tasks[0].meta["seeds"], 1, GOLD, "x")
    assert set(few) == set(GOLD)


def test_every_hop_of_a_neighbourhood_has_edges_that_are_not_gold() -> None:
    env = envs.make("subgraph", mode="single", worlds=1, shapes=["path3"])
    assert isinstance(env, SubgraphEnv)
    alone = 0
    for index in range(30):
        task = env.tasks[index]
        assert task.target.graph is not None
        gold = set(task.target.graph.triples)
        world, seeds = env.subgraph_source.world(index), task.meta["seeds"]
        shown = neighborhood(world, seeds, 40, gold, task.id)
        hops = world.store.distances([world.store.entity_id(n) for n in seeds], 4)
        far = [e for e in shown if min(hops[world.store.entity_id(n)] for n in (e[0], e[2])) >= 2]
        alone += bool(far) and gold.issuperset(far)
    assert alone == 0


@pytest.mark.parametrize("instructions", ["full", "short", "none"])
@pytest.mark.parametrize("mode", MODES)
def test_prompts_hold_the_question_and_never_the_gold(mode: str, instructions: str) -> None:
    env = fx.make_env(mode=mode, instructions=instructions)
    for index, row in enumerate(fx.TASKS):
        task = env.tasks[index]
        assert row["question"] in task.prompt
        assert (instructions == "none") == (len(task.messages) == 1)
        if mode == "tools" and index == CAFE:
            assert TRIPLES[7][2] not in task.prompt
    if instructions == "full" and mode == "tools":
        assert "Budget: 8 nodes, 6 edges" in env.tasks[PAIN].prompt


@pytest.mark.parametrize("mode", MODES)
def test_the_world_is_public_and_holds_no_gold(mode: str) -> None:
    env = fx.make_env(mode=mode)
    env.reset(options={"index": PAIN})
    world = env.unwrapped.session.world
    assert isinstance(world, World) and world.seeds == ("aspirin",)
    assert world.edge(*GOLD[0]) == GOLD[0] and not hasattr(world.store, "base")
    assert "target" not in vars(world)


# -- worlds ---------------------------------------------------------------------------------------


def test_an_undirected_world_reads_edges_either_way() -> None:
    world = World(fx.world().store, fx.TYPES, undirected=True)
    assert world.edge("pain", "causes", "cox-1") == ("COX-1", "causes", "pain")
    assert world.edge("pain", "^causes", "COX-1") == ("COX-1", "causes", "pain")
    assert world.moves("pain") == ["causes", "hurts", "treats"]
    assert world.along("pain", "treats") == [("ibuprofen", "treats", "pain")]
    assert not world.graph(GOLD).directed
    assert ("symptom", "treats", "drug") in world.signatures


def test_features_must_fit() -> None:
    import numpy as np

    store = fx.world().store
    with pytest.raises(DataError, match="need an array of shape"):
        World(store, feature_names=("x",))
    values = np.full((store.num_entities, 2), np.nan)
    values[store.entity_id("pain")] = [0.25, np.nan]
    world = fx.world().with_features(("x", "y"), values)
    assert world.features("pain") == {"x": 0.25} and world.features("nobody") == {}
    assert world.node("pain", seed=True).attributes == (("x", "0.25"), ("seed", "1"))


# -- agents ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("index", range(7))
def test_the_oracle_is_right_and_mistakes_never_help(mode: str, index: int) -> None:
    reward = "answer_f1" if index == ENZYMES else "triple_f1"
    env = fx.make_env(mode=mode, reward=reward)
    played = [env.play(index, planted_turns(env, index, errors)) for errors in range(6)]
    success = [episode.success or 0.0 for episode in played]
    paid = [env.reward([episode])[0].value for episode in played]
    assert success[0] == paid[0] == 1.0 and success == sorted(success, reverse=True)
    assert success[-1] < 1.0 and paid == sorted(paid, key=lambda x: -(x or 0.0))


@pytest.mark.parametrize("mode", MODES)
def test_long_plays_are_packed_into_the_turns_there_are(mode: str) -> None:
    env = fx.make_env(mode=mode, **({"max_turns": 2} if mode == "tools" else {}))
    turns = gold_turns(env, PAIN)
    assert len(turns) <= env.max_turns and env.play(PAIN, turns).success == 1.0


@pytest.mark.parametrize("mode", MODES)
def test_random_players_make_moves_that_exist(mode: str) -> None:
    env = envs.make("subgraph", mode=mode, worlds=1, entities=200, reward="triple_f1 + format")
    agent = agents.make("random", env)
    for index in range(10):
        episode = agents.rollout(env, agent, index=index)
        assert episode.status == "ok"
        assert all(exists for step in episode.steps for *_, exists in step.facts["moves"])
        again = agents.rollout(env, agent, index=index)
        assert [s.text for s in again.steps] == [s.text for s in episode.steps]


def test_dumping_everything_earns_next_to_nothing() -> None:
    for mode in MODES:
        env = envs.make("subgraph", mode=mode, worlds=1)
        listed = list(family_of(env, "test").everything(0))
        assert len(listed) > 1_000
        episode = env.play(0, [f"<answer>{json.dumps(listed)}</answer>"])
        assert episode.status == "infeasible" and (episode.success or 0.0) < 0.02


def test_every_mistake_of_a_user_is_one_clear_error() -> None:
    for kwargs, error, match in (
        ({"mode": "steps"}, ConfigError, "not one of tools, single"),
        ({"proposals": "yes"}, ConfigError, "proposals='yes' must be true or false"),
        ({"shown": 0}, ConfigError, "shown=0"),
        ({"source": "motive"}, UnknownNameError, "Did you mean 'motif'"),
        ({"shape": ["edge"]}, ConfigError, "Did you mean 'shapes'"),
        ({"shapes": "edge"}, ConfigError, "must be a list"),
        ({"shapes": ["square"]}, ConfigError, "not one of edge, path2"),
        ({"relations": 2, "shapes": ["diamond"], "entities": 3}, ConfigError, "entities=3"),
        ({"mode": "single", "max_turns": 3}, ConfigError, "one turn"),
        ({"reward": "exact"}, ConfigError, "target.answer"),
    ):
        with pytest.raises(error, match=match):
            envs.make("subgraph", **kwargs)


def test_sessions_pickle_in_play() -> None:
    session = begun()
    session.turn(add(GOLD[0]))
    twin = pickle.loads(pickle.dumps(session))
    for other in (session, twin):
        other.turn(add(*GOLD[1:]))
        other.turn(SUBMIT)
    assert twin.episode() == session.episode() and twin.episode().success == 1.0
