"""The sources of subgraph tasks: gold is exact and unique, splits are disjoint, nothing leaks."""

from __future__ import annotations

import json
import pickle
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any

import pytest

from graphenv import envs
from graphenv.agents.oracle import gold_turns, planted_turns
from graphenv.envs.kgqa.program import parse_program
from graphenv.envs.kgqa.sources import make_source as make_questions
from graphenv.envs.subgraph.sources import SubgraphSource, make_source
from graphenv.envs.subgraph.sources.base import edge_actions
from graphenv.envs.subgraph.sources.motif.questions import FRAMES, NOUNS
from graphenv.envs.subgraph.sources.motif.schema import RELATIONS, TRAITS
from graphenv.envs.subgraph.sources.motif.source import MotifSource
from graphenv.envs.subgraph.sources.paths import evidence_of
from graphenv.envs.subgraph.truths import graph_truth, part_f1, ranking_truth
from graphenv.envs.subgraph.world import World
from graphenv.errors import ConfigError
from graphenv.graph import Graph, Triple
from graphenv.knowledge import KnowledgeGraph

SMALL: dict[str, Any] = {"entities": 120, "worlds": 2}
TINY: dict[str, Any] = {
    "entities": 24, "relations": 4, "shapes": ["path2"], "worlds": 40, "names": "short",
    "wording": "short",
}  # fmt: skip
MADE: dict[str, tuple[str, dict[str, Any]]] = {
    "motif": ("motif", SMALL),
    "motif-tiny": ("motif", TINY),
    "motif-hidden": ("motif", {**SMALL, "hide": True, "shapes": ["triangle", "diamond", "path2"]}),
    "evidence": ("evidence", {}),
    "evidence-branches": (
        "evidence",
        {"arguments": {"hops": [1, 2], "intersections": 0.3, "constraints": 0.3, "counts": 0.2}},
    ),
}
every = pytest.mark.parametrize("name", MADE)


@cache
def made(name: str, split: str = "train") -> SubgraphSource:
    source, arguments = MADE[name]
    return make_source(source, split, arguments)


def places(source: SubgraphSource, count: int) -> list[int]:
    return [i * len(source) // count for i in range(count)]


# -- every source ---------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("mode", ["tools", "single"])
def test_the_oracle_is_right_and_mistakes_are_wrong(name: str, mode: str) -> None:
    source, arguments = MADE[name]
    reward = "triple_f1 + progress"
    env = envs.make("subgraph", source=source, mode=mode, reward=reward, **arguments)
    for index in places(made(name), 5):
        episode = env.play(index, gold_turns(env, index))
        assert (episode.status, episode.success) == ("ok", 1.0)
        assert env.reward([episode])[0].parts["triple_f1"].value == 1.0
        assert episode.metrics["exact"] == 1.0
        reach = [step.values["reach"] for step in episode.steps]
        assert reach == sorted(reach) and reach[-1] == 1.0
        success = [
            env.play(index, planted_turns(env, index, errors)).success for errors in (0, 1, 2)
        ]
        assert success == sorted(success, key=lambda x: -(x or 0.0)) and (success[1] or 0.0) < 1.0


@every
def test_tasks_are_a_function_of_arguments_split_and_index(name: str) -> None:
    source, arguments = MADE[name]
    one, other = made(name), make_source(source, "train", arguments)
    for index in places(one, 6)[::-1]:
        assert one[index] == other[index]
    assert one.fingerprint == other.fingerprint
    twin = pickle.loads(pickle.dumps(other))
    assert twin[3] == one[3] and twin.world(3).store.fingerprint == one.world(3).store.fingerprint
    for index in (-1, len(one)):
        with pytest.raises(IndexError):
            one[index]
    assert made(name, "heldout").fingerprint != one.fingerprint


@every
def test_gold_lies_in_the_world_and_in_the_budget(name: str) -> None:
    source = made(name)
    for index in places(source, 20):
        task, world = source[index], source.world(index)
        gold = task.target.graph
        assert gold is not None and gold.num_edges
        assert all(world.edge(*triple) == triple for triple in gold.triples)
        assert len(gold) <= task.meta["budget"]["nodes"]
        assert gold.num_edges <= task.meta["budget"]["edges"]
        assert all(world.find(seed) == seed for seed in task.meta["seeds"])
        assert json.loads(json.dumps(task.meta)) == task.meta
        seeds = {n.label for n in gold.nodes if ("seed", "1") in n.attributes}
        assert seeds == set(task.meta["seeds"]) & set(gold.labels)
        assert not any(world.edge(*triple) for triple in source.missing(index))


@every
def test_splits_share_no_question_and_no_gold(name: str) -> None:
    seen: dict[str, str] = {}
    graphs: dict[tuple[tuple[str, ...], frozenset[Triple]], str] = {}
    for split in ("train", "validation", "heldout"):
        source = made(name, split)
        for index in places(source, min(len(source), 90)):
            task = source[index]
            assert task.target.graph is not None
            assert seen.setdefault(task.prompt, split) == split
            asked = tuple(task.meta["seeds"]), frozenset(task.target.graph.triples)
            assert graphs.setdefault(asked, split) == split
    assert len(seen) > 200


# -- motifs ---------------------------------------------------------------------------------------


def test_the_default_is_large_enough() -> None:
    sizes = {split: len(MotifSource(split=split)) for split in ("train", "validation", "heldout")}
    assert sizes == {"train": 57_600, "validation": 7_200, "heldout": 7_200}
    world = MotifSource(split="train").world(0)
    assert world.store.num_entities >= 2_000 and world.store.num_relations >= 30
    assert len(world.feature_names) == 3 and len(world.descriptions) == world.store.num_entities
    assert all(len(FRAMES["seen"]) + len(FRAMES["unseen"]) >= 5 and NOUNS[s] for s in NOUNS)


def test_tasks_are_distinct() -> None:
    """All of one network: no two tasks ask for the same motif from the same entity."""
    source = MotifSource(split="train", entities=400, worlds=1)
    tasks = [source[i] for i in range(len(source))]
    assert len({task.prompt for task in tasks}) == len(tasks) == 600
    assert len({task.id for task in tasks}) == len(tasks)


@pytest.mark.soak
@pytest.mark.parametrize("split", ["train", "heldout"])
def test_all_default_tasks_are_distinct(split: str) -> None:
    source = MotifSource(split=split)
    seen: set[str] = set()
    for index in range(len(source)):
        task = source[index]
        assert task.target.graph is not None and task.target.graph.num_edges in (2, 3, 4)
        seen.add(task.prompt)
    assert len(seen) == len(source)


CLAUSE = re.compile(r"(\S+)(?: \((.*?)\))? (\w+) (\S+?)(?: \((.*?)\))?$")


def read_short(question: str) -> tuple[list[tuple[str, str, str]], dict[str, list[str]]]:
    """Read a question in its short wording by its words alone: clauses and conditions."""
    clauses, rules = [], {}
    for part in question.split("; "):
        found = CLAUSE.match(part)
        assert found is not None, part
        head, first, relation, tail, second = found.groups()
        clauses.append((head, relation, tail))
        for name, told in ((head, first), (tail, second)):
            if told:
                rules[name] = told.split(", ")
    return clauses, rules


def fits(world: World, name: str, rules: Sequence[str]) -> bool:
    for rule in rules:
        if rule in TRAITS:
            if not re.search(rf"\b{rule}\b", world.description(name)):
                return False
            continue
        what, sign, bound = rule.split(" ")
        value = world.features(name)[what]
        if not (value > float(bound) if sign == ">" else value < float(bound)):
            return False
    return True


@pytest.mark.parametrize("shapes", [["path2"], ["triangle", "star3"], ["path3", "edge"]])
def test_the_question_alone_singles_out_the_gold(shapes: list[str]) -> None:
    """A reader of its own: every assignment of all entities, by what is written and shown."""
    source = MotifSource(
        split="validation", entities=20, relations=4, shapes=shapes, worlds=4, names="short",
        wording="short",
    )  # fmt: skip
    for index in range(0, len(source), 3):
        task, world = source[index], source.world(index)
        clauses, rules = read_short(str(task.meta["question"]))
        words = dict.fromkeys(end for head, _, tail in clauses for end in (head, tail))
        free = [word for word in words if not word.startswith("[")]
        bound = {word: word[1:-1] for word in words if word.startswith("[")}
        everyone = world.store.entity_names(range(world.store.num_entities))
        options = [[n for n in everyone if fits(world, n, rules.get(word, []))] for word in free]
        found = set()
        for chosen in product(*options):
            names = {**bound, **dict(zip(free, chosen, strict=True))}
            triples = [(names[h], r, names[t]) for h, r, t in clauses]
            if all(world.edge(*triple) == triple for triple in triples):
                found.add(frozenset(triples))
        assert task.target.graph is not None
        assert found == {frozenset(task.target.graph.triples)}, task.meta["question"]


def test_questions_say_what_the_short_ones_say() -> None:
    """Sentences name the seeds, and every relation of the motif by one of its two phrases."""
    source = made("motif")
    phrases = {row.name: (row.forth, row.back) for row in RELATIONS}
    kinds = Counter[str]()
    for index in range(120):
        task = source[index]
        text = str(task.meta["question"])
        assert task.target.graph is not None
        assert all(f"[{seed}]" in text for seed in task.meta["seeds"])
        for _, relation, _ in task.target.graph.triples:
            assert any(phrase in text for phrase in phrases[relation])
        others = set(task.target.graph.labels) - set(task.meta["seeds"])
        assert not any(f"[{name}]" in text for name in others)
        kinds[task.meta["shape"]] += 1
    assert set(kinds.values()) == {20}


def test_held_out_wordings_occur_in_heldout_alone() -> None:
    told = {split: Counter[str]() for split in ("train", "validation", "heldout")}
    openings = [frame.partition("{")[0] for frame in FRAMES["unseen"]]
    for split, count in told.items():
        source = made("motif", split)
        for index in range(100):
            task = source[index]
            count[task.meta["wording"]] += 1
            unseen = any(task.prompt.startswith(opening) for opening in openings)
            assert unseen == (task.meta["wording"] == "unseen")
    assert not told["train"]["unseen"] and not told["validation"]["unseen"]
    assert 30 < told["heldout"]["unseen"] < 70
    only = make_source("motif", "heldout", {**SMALL, "paraphrases": "unseen"})
    assert {only[i].meta["wording"] for i in range(20)} == {"unseen"}
    with pytest.raises(ConfigError, match="heldout"):
        make_source("motif", "train", {**SMALL, "paraphrases": "unseen"})


def test_small_settings_make_short_plays() -> None:
    source = made("motif-tiny")
    env = envs.make("subgraph", instructions="none", max_turns=4, **TINY)
    for index in places(source, 20):
        turns = gold_turns(env, index)
        assert len(turns) <= 3 and sum(map(len, turns)) < 400
        assert len(env.tasks[index].prompt) < 120


def test_without_conditions_networks_are_plain_and_entities_are_named() -> None:
    source = make_source("motif", "train", {**TINY, "conditions": False})
    world = source.world(0)
    assert not world.descriptions and not world.feature_names and world.type("e3") in ("enzyme", "")
    told = Counter(len(source[i].meta["seeds"]) for i in range(len(source)))
    assert not any(source[i].meta["conditions"] for i in range(30)) and told[1] and told[2]
    env = envs.make("subgraph", mode="single", shown=8, **TINY, conditions=False)
    assert all(len(env.tasks[i].prompt) < 1_100 for i in range(20))


def test_hidden_edges_are_to_be_proposed() -> None:
    source, arguments = MADE["motif-hidden"]
    for mode in ("tools", "single"):
        env = envs.make("subgraph", source=source, mode=mode, proposals=True, **arguments)
        hidden = 0
        for index in range(9):
            missing = made("motif-hidden").missing(index)
            episode = env.play(index, gold_turns(env, index))
            hidden += len(missing)
            assert episode.success == 1.0 and episode.metrics["proposed"] == len(missing)
            assert episode.metrics.get("proposal_f1", 1.0) == 1.0
            assert ("proposal_f1" in episode.metrics) == bool(missing)
        assert hidden == 6
    world = env.begin(0).world
    assert not world.edge(*next(iter(made("motif-hidden").missing(0))))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"entities": 3}, "entities=3"),
        ({"relations": 35}, "relations=35"),
        ({"shapes": []}, "must be a list"),
        ({"shapes": ["path2", "path2"]}, "distinct"),
        ({"names": "long"}, "not one of invented, short"),
        ({"wording": "long"}, "not one of sentences, short"),
        ({"max_nodes": 2}, "max_nodes=2"),
        ({"hide": 1}, "hide=1"),
        ({"worlds": 0}, "worlds=0"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        make_source("motif", "train", arguments)


# -- evidence -------------------------------------------------------------------------------------

FILMS = KnowledgeGraph.from_triples(
    [
        ("Heat", "by", "Mann"), ("Thief", "by", "Mann"), ("Alien", "by", "Scott"),
        ("Heat", "genre", "crime"), ("Heat", "genre", "drama"), ("Thief", "genre", "crime"),
        ("Alien", "genre", "horror"), ("Heat", "year", "1995"), ("Thief", "year", "1981"),
        ("Alien", "year", "1979"),
    ]
)  # fmt: skip


def evidence(program: str, *answers: str, drop_topic: bool = False) -> set[Triple]:
    parsed, reason = parse_program(program)
    assert parsed is not None, reason
    ends = [FILMS.entity_id(name) for name in answers] or None
    topic = FILMS.entity_id("Mann")
    return set(evidence_of(FILMS, topic, parsed, ends, drop_topic=drop_topic))


def test_evidence_is_every_edge_on_a_path_to_an_answer() -> None:
    by = {("Heat", "by", "Mann"), ("Thief", "by", "Mann")}
    crime = {("Heat", "genre", "crime"), ("Thief", "genre", "crime")}
    drama = {("Heat", "genre", "drama")}
    assert evidence("^by > genre") == by | crime | drama
    assert evidence("^by > genre", "drama") == {("Heat", "by", "Mann")} | drama
    assert evidence("^by > [year > 1990] > genre") == (
        {("Heat", "by", "Mann"), ("Heat", "year", "1995"), ("Heat", "genre", "crime")} | drama
    )
    assert evidence("^by & {crime} ^genre") == by | crime
    assert evidence("^by & {drama} ^genre") == {("Heat", "by", "Mann")} | drama
    assert evidence("count ^by") == by
    assert evidence("^by > by", drop_topic=True) == set()
    assert evidence("^by > genre > rated") == evidence("by") == set()


def test_evidence_of_questions_leads_to_their_answers() -> None:
    source = made("evidence")
    questions = make_questions("synthetic", "train", {})
    for index in places(source, 25):
        task = source[index]
        block = (questions[place] for place in range(4 * index, 4 * index + 4))
        asked = next(q for q in block if q.id == task.id.removeprefix("evidence/"))
        assert task.target.graph is not None and asked.target.answer is not None
        assert set(asked.target.answer) <= set(task.target.graph.labels)
        assert set(task.meta["seeds"]) == set(asked.meta["topics"])
        undirected = task.target.graph.to_networkx().to_undirected()
        import networkx as nx

        assert nx.is_connected(undirected)


def test_without_programs_all_shortest_paths_are_evidence(tmp_path: Any) -> None:
    (tmp_path / "kb.tsv").write_text(
        "\n".join("\t".join(triple) for triple in FILMS.triples()), encoding="utf-8"
    )
    rows = [
        {"question": "genres of [Mann]", "topic_entity": "Mann", "answers": ["crime"]},
        {"question": "year of [Heat]", "topic_entity": "Heat", "answers": ["1995"]},
    ]
    told_rows = [json.dumps({**row, "split": "train"}) for row in rows]
    (tmp_path / "qa.jsonl").write_text("\n".join(told_rows), encoding="utf-8")
    arguments = {
        "triples": str(tmp_path / "kb.tsv"), "questions": str(tmp_path / "qa.jsonl")
    }  # fmt: skip
    source = make_source(
        "evidence", "train", {"questions": "jsonl", "arguments": arguments, "block": 1}
    )
    told: dict[str, set[Triple]] = {}
    for task in source:
        assert task.target.graph is not None
        told[task.prompt.rpartition(": ")[2]] = set(task.target.graph.triples)
    assert told["genres of [Mann]"] == {
        ("Heat", "by", "Mann"), ("Thief", "by", "Mann"),
        ("Heat", "genre", "crime"), ("Thief", "genre", "crime"),
    }  # fmt: skip
    assert told["year of [Heat]"] == {("Heat", "year", "1995")}


def test_evidence_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_gold=40 edges do not fit"):
        make_source("evidence", "train", {"max_gold": 40})
    with pytest.raises(ConfigError, match="Did you mean 'hops'"):
        make_source("evidence", "train", {"arguments": {"hop": 2}})


@pytest.mark.data
def test_evidence_of_published_questions(graphenv_data: Any) -> None:
    root = str(graphenv_data / "kgqa" / "metaqa")
    env = envs.make(
        "subgraph",
        source="evidence",
        split="validation",
        questions="metaqa",
        arguments={"root": root, "hops": 2},
    )
    for index in range(5):
        assert env.play(index, gold_turns(env, index)).success == 1.0


# -- truths and plays -----------------------------------------------------------------------------


def test_truth_counts_edges_and_lone_nodes_but_no_seeds() -> None:
    gold = Graph.from_triples([("s", "r", "b"), ("b", "r", "c")], entities=["s"])
    assert part_f1(Graph.from_triples([], entities=["s"]), gold, ["s"]) == 0.0
    one = Graph.from_triples([("s", "r", "b")], entities=["x"])
    assert part_f1(one, gold, ["s"]) == pytest.approx(0.5)
    success, metrics = graph_truth(one, gold, ["s"])
    assert success == pytest.approx(0.5) and metrics["node_f1"] == pytest.approx(0.5)
    assert metrics["edge_precision"] == metrics["edge_recall"] == pytest.approx(0.5)
    empty = Graph.from_triples([], entities=["s"])
    assert graph_truth(empty, empty, ["s"]) == (
        1.0,
        {"edge_precision": 1.0, "edge_recall": 1.0, "node_f1": 1.0, "exact": 1.0},
    )
    pair = Graph.from_triples([("b", "r", "a")], directed=False)
    assert part_f1(pair, Graph.from_triples([("a", "r", "b")], directed=False)) == 1.0
    assert ranking_truth(None, {"a"}, ks=(1,)) == {"p@1": 0.0, "r@1": 0.0, "hit@1": 0.0}


def test_plays_add_all_edges_and_no_others() -> None:
    world = World(FILMS)
    gold = [("Heat", "by", "Mann"), ("Heat", "genre", "crime"), ("Alien", "by", "Scott")]
    actions = edge_actions(world, ["Mann"], gold)
    assert actions == (
        ("add_edge", {"head": "Heat", "relation": "by", "tail": "Mann"}),
        ("add_edge", {"head": "Heat", "relation": "genre", "tail": "crime"}),
        ("add_edge", {"head": "Alien", "relation": "by", "tail": "Scott"}),
    )
    undirected = World(FILMS, undirected=True)
    both = [("Heat", "by", "Mann"), ("Thief", "by", "Mann")]
    assert edge_actions(undirected, ["Mann"], both) == (
        ("expand", {"node": "Mann", "relation": "by"}),
    )
