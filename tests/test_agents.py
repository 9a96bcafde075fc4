"""Agents: what each may know, that it plays by the rules, and that the oracle is always right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from graphenv import agents, envs
from graphenv.agents.base import policy_for
from graphenv.agents.oracle import MAX_ERRORS, OracleAgent, gold_turns, planted_turns
from graphenv.agents.script import question_of, tool_turns, topics_of
from graphenv.agents.search import LexicalScorer, SearchAgent
from graphenv.agents.search import Path as WalkedPath
from graphenv.agents.search.fitted import FittedScorer, training_pairs
from graphenv.agents.search.scorers import mentions
from graphenv.envs.base import GraphEnv
from graphenv.envs.kgqa import KGQAEnv, parse_program
from graphenv.errors import ConfigError, UnknownNameError
from graphenv.knowledge import KnowledgeGraph
from graphenv.task import Message, Target, Task

FILMS = [
    ("Heat", "directed_by", "Mann"),
    ("Thief", "directed_by", "Mann"),
    ("Jaws", "directed_by", "Spielberg"),
    ("Heat", "starred_actors", "Pacino"),
    ("Heat", "starred_actors", "De Niro"),
    ("Jaws", "starred_actors", "Scheider"),
    ("Thief", "starred_actors", "Caan"),
    ("Heat", "has_genre", "crime"),
    ("Thief", "has_genre", "noir"),
    ("Jaws", "has_genre", "thriller"),
    ("Heat", "release_year", "1995"),
    ("Thief", "release_year", "1981"),
]
QUESTIONS: list[dict[str, Any]] = [
    {
        "question": "who directed [Heat]",
        "topic_entity": "Heat",
        "answers": ["Mann"],
        "path": ["directed_by"],
    },
    {
        "question": "what are the genres of the films whose directors also directed [Heat]",
        "topic_entity": "Heat",
        "answers": ["noir"],
        "path": ["directed_by", "^directed_by", "has_genre"],
    },
    {  # the same prompt as the first, with another gold
        "question": "who directed [Heat]",
        "topic_entity": "Heat",
        "answers": ["Spielberg"],
    },
    {  # a gold path whose run does not give the gold answer
        "question": "when was [Heat] released",
        "topic_entity": "Heat",
        "answers": ["1996"],
        "path": ["release_year"],
    },
    {
        "question": "how many actors starred in [Heat]",
        "topic_entity": "Heat",
        "answers": ["2"],
        "program": "count starred_actors",
    },
    {
        "question": "which films did [Mann] direct before 1990 with [Caan]",
        "topic_entity": ["Mann", "Caan"],
        "answers": ["Thief"],
        "program": "^directed_by > [release_year < 1990] & {Caan} ^starred_actors",
    },
]


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return name -> kwargs of one environment for every source that needs no published data."""
    folder = tmp_path_factory.mktemp("agents")
    (folder / "kb.txt").write_text("".join("|".join(t) + "\n" for t in FILMS))
    rows = [{**q, "id": str(i), "split": "heldout"} for i, q in enumerate(QUESTIONS)]
    rows += [{**QUESTIONS[0], "id": "train", "split": "train"}]
    (folder / "qa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    graphs = [
        {
            "id": f"s{i}",
            "question": f"where was {name} born",
            "q_entity": [name],
            "a_entity": [f"town {i}"],
            "graph": [[name, "people.person.place_of_birth", f"town {i}"], [name, "r", "x"]],
            "split": "heldout",
        }
        for i, name in enumerate(("Ada Lovelace", "Alan Turing"))
    ]
    (folder / "graphs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in graphs))
    links = folder / "links"
    links.mkdir()
    edges = [("a", "next", "b"), ("b", "next", "c"), ("c", "next", "a"), ("a", "jump", "c")]
    (links / "graph.txt").write_text("".join("\t".join(e) + "\n" for e in edges))
    for name, edge in (("train", edges[0]), ("dev", edges[1]), ("test", ("b", "jump", "a"))):
        (links / f"{name}.txt").write_text("\t".join(edge) + "\n")
    films = {"triples": str(folder / "kb.txt"), "questions": str(folder / "qa.jsonl")}
    return {
        "synthetic": {},
        "synthetic-mixed": {
            "source": "synthetic",
            "hops": [1, 2, 3],
            "constraints": 0.3,
            "intersections": 0.3,
            "counts": 0.2,
        },
        "jsonl": {"source": "jsonl", **films, "drop_topic": True},
        "subgraph": {"source": "subgraph", "path": str(folder / "graphs.jsonl")},
        "triples": {"source": "triples", "root": str(links)},
    }


NAMES = ("synthetic", "synthetic-mixed", "jsonl", "subgraph", "triples")
MODES = ("tools", "program")


def make(sources: dict[str, dict[str, Any]], name: str, mode: str, **kwargs: Any) -> KGQAEnv:
    env = envs.make("kgqa", **{"split": "heldout", **sources[name], "mode": mode, **kwargs})
    assert isinstance(env, KGQAEnv)
    return env


def some(env: GraphEnv, count: int = 40) -> list[int]:
    size = len(env.tasks)
    return list(range(0, size, max(1, size // count)))


# -- oracle ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_oracle_is_always_right(sources: Any, name: str, mode: str) -> None:
    for instructions in ("full", "none"):
        env = make(sources, name, mode, instructions=instructions)
        episodes = agents.rollout_batch(env, agents.make("oracle", env), some(env))
        assert [e.success for e in episodes] == [1.0] * len(episodes)
        assert all(len(step.calls) <= 1 for e in episodes for step in e.steps)


@pytest.mark.data
@pytest.mark.parametrize("mode", MODES)
def test_oracle_on_published_questions(graphenv_data: Path, mode: str) -> None:
    kgqa = graphenv_data / "kgqa"
    metaqa = {"source": "metaqa", "root": str(kgqa / "metaqa"), "hops": [1, 2, 3]}
    umls = {"source": "triples", "root": str(kgqa / "link_prediction" / "umls")}
    for kwargs in (metaqa, umls):
        env = envs.make("kgqa", split="validation", mode=mode, **kwargs)
        episodes = agents.rollout_batch(env, agents.make("oracle", env), some(env, 150))
        assert all(e.success == 1.0 for e in episodes)
        if kwargs is metaqa:  # by its paths, never by reciting the answers
            assert all(e.outcome and e.outcome.path == e.task.target.path for e in episodes)


@pytest.mark.runs("metaqa")
@pytest.mark.soak
@pytest.mark.data
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("hops", [1, 2, 3])
def test_oracle_on_all_of_metaqa(graphenv_data: Path, mode: str, hops: int) -> None:
    played = 0
    for split in ("train", "validation", "heldout"):
        root = str(graphenv_data / "kgqa" / "metaqa")
        env = envs.make("kgqa", source="metaqa", root=root, split=split, hops=hops, mode=mode)
        agent = agents.make("oracle", env)
        episodes = agents.rollout_batch(env, agent, range(len(env.tasks)))
        assert all(e.success == 1.0 for e in episodes)
        played += len(episodes)
    assert played == {1: 9_482, 2: 12_470, 3: 9_727}[hops]


def test_gold_turns_walk_or_recite(sources: Any) -> None:
    env = make(sources, "jsonl", "tools")
    assert gold_turns(env, 1)[0].count("directed_by") == 1
    assert len(gold_turns(env, 1)) == 4
    assert gold_turns(env, 3) == ['<answer>["1996"]</answer>']  # its path gives another year
    assert "answer_count" in gold_turns(env, 4)[-1]
    assert [t for t in gold_turns(env, 5) if "start_at" in t or "keep" in t]
    short = make(sources, "jsonl", "tools", max_turns=3)
    assert gold_turns(short, 1) == ['<answer>["noir"]</answer>']  # four turns do not fit
    program = make(sources, "jsonl", "program")
    assert gold_turns(program, 1) == ["directed_by > ^directed_by > has_genre"]


def test_oracle_knows_the_task_of_a_chat_by_being_told(sources: Any) -> None:
    """Two tasks with one prompt and different gold, in lockstep and through `step`."""
    env = make(sources, "jsonl", "program", instructions="none")
    assert env.tasks[0].messages == env.tasks[2].messages
    agent = agents.make("oracle", env)
    episodes = agents.rollout_batch(env, agent, [0, 2, 0, 2])
    assert [e.success for e in episodes] == [1.0] * 4
    assert agents.rollout(env, agent, index=2).success == 1.0
    with pytest.raises(ConfigError, match="policy_for"):
        agent.act(env.tasks[1].messages)
    session = env.begin(1)
    session.turn(policy_for(agent, session).act(session.episode().messages))
    assert session.episode().success == 1.0


VERDICTS = ("exact", "answer_f1", "hits", "path_similarity", "path_validity", "triple_f1")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_planted_errors_never_help(sources: Any, name: str, mode: str) -> None:
    provided = make(sources, name, mode).provides
    terms = [t for t in VERDICTS if t in VERDICTS[:3] or "target.path" in provided]
    env = make(sources, name, mode, reward=" + ".join(terms))
    before: list[dict[str, float | None]] | None = None
    for errors in range(MAX_ERRORS + 1):
        agent = agents.make("oracle", env, errors=errors)
        scores = env.reward(agents.rollout_batch(env, agent, some(env, 30)))
        now = [{n: part.value for n, part in s.parts.items()} for s in scores]
        assert all(row["exact"] == (0.0 if errors else 1.0) for row in now)
        for old, new in zip(before or now, now, strict=True):
            for term, value in new.items():
                was = old[term]
                assert value is None or was is None or value <= was + 1e-12, (term, errors)
        before = now
    assert len({tuple(planted_turns(env, 0, k)) for k in range(MAX_ERRORS + 1)}) > 2


def test_planted_errors_are_graded(sources: Any) -> None:
    env = make(sources, "synthetic", "tools", reward="answer_f1 + path_similarity")
    means = []
    for errors in range(MAX_ERRORS + 1):
        agent = OracleAgent(env, errors=errors)
        scores = env.reward(agents.rollout_batch(env, agent, some(env, 60)))
        means.append(sum(s.value or 0.0 for s in scores) / len(scores))
    assert all(a > b for a, b in pairwise(means[:4]))
    assert means == sorted(means, reverse=True)


@pytest.mark.parametrize("errors", [-1, 6, 1.5])
def test_number_of_errors_is_checked(sources: Any, errors: Any) -> None:
    with pytest.raises(ConfigError, match="errors="):
        OracleAgent(make(sources, "jsonl", "tools"), errors=errors)


# -- random ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_random_moves_exist(sources: Any, name: str, mode: str) -> None:
    env = make(sources, name, mode, reward="path_validity")
    indices = some(env, 20)
    for seed in range(3):
        episodes = agents.rollout_batch(env, agents.make("random", env, seed=seed), indices)
        assert all(e.status == "ok" for e in episodes)
        assert all(step.status == "ok" for e in episodes for step in e.steps)
        assert all(score.value == 1.0 for score in env.reward(episodes))


def test_random_uses_every_kind_of_call(sources: Any) -> None:
    env = make(sources, "synthetic-mixed", "tools")
    said = [
        step.calls[0].name
        for e in agents.rollout_batch(env, agents.make("random", env), some(env, 80))
        for step in e.steps
    ]
    wanted = {"follow", "relations", "neighbors", "frontier", "back", "keep", "answer_frontier"}
    assert wanted <= set(said)


RANDOM_TURNS = """
from graphenv import agents, envs
env = envs.make("kgqa", split="heldout")
for seed in (0, 1):
    agent = agents.make("random", env, seed=seed)
    print([s.text for e in agents.rollout_batch(env, agent, range(12)) for s in e.steps])
"""


def test_random_is_a_function_of_seed_and_chat() -> None:
    def turns(hash_seed: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", RANDOM_TURNS],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=900,
        )
        return done.stdout.splitlines()

    first = turns("1")
    assert first == turns("2")
    assert first[0] != first[1]


def test_random_answers_in_time(sources: Any) -> None:
    env = make(sources, "synthetic", "tools", max_turns=2)
    episodes = agents.rollout_batch(env, agents.make("random", env), some(env))
    assert all(e.status == "ok" and len(e) <= 2 for e in episodes)


# -- search ---------------------------------------------------------------------------------------


def test_search_finds_what_the_question_says(sources: Any) -> None:
    for mode in MODES:
        env = make(sources, "jsonl", mode)
        agent = agents.make("search", env)
        for index in (0, 1, 4):
            assert agents.rollout(env, agent, index=index).success == 1.0, index


@pytest.mark.parametrize("name", NAMES)
def test_both_modes_give_one_answer(sources: Any, name: str) -> None:
    answers = []
    for mode in MODES:
        env = make(sources, name, mode)
        episodes = agents.rollout_batch(env, agents.make("search", env, budget=30), some(env, 10))
        assert all(e.status == "ok" for e in episodes)
        answers.append([set(e.outcome.answer or ()) for e in episodes if e.outcome])
    assert answers[0] == answers[1]


class _NoGold(KGQAEnv):
    """Every gold is replaced by nonsense: nobody but the oracle may notice."""

    def target(self, task: Task) -> Task:
        return replace(task, target=Target(answer=("nonsense",), path=("x",), program="x"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("agent", ["search", "random"])
def test_world_agents_do_not_see_the_gold(sources: Any, name: str, agent: str) -> None:
    kwargs = {"split": "heldout", **sources[name], "mode": "tools"}
    said = []
    for cls in (KGQAEnv, _NoGold):
        env = cls(**kwargs)
        episodes = agents.rollout_batch(env, agents.make(agent, env), some(env, 8))
        said.append([step.text for e in episodes for step in e.steps])
    assert said[0] == said[1]


def test_the_public_world_hides_what_a_view_hides(sources: Any) -> None:
    env = make(sources, "triples", "tools", split="train")
    session = env.begin(0)  # (a, next, ?): the edge to b is masked
    world = session.world
    assert world.moves([world.entity_id("a")]) == ["jump", "^next"]
    assert not [n for n in ("hidden", "base", "task", "_base", "_hidden") if hasattr(world, n)]


class _Counting:
    """A store that counts how many paths are walked."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.walked = 0

    def __getattr__(self, name: str) -> Any:
        if name == "follow":
            self.walked += 1
        return getattr(self.world, name)


@pytest.mark.parametrize("kwargs", [{}, {"strategy": "beam"}, {"guide": "random"}])
@pytest.mark.parametrize("budget", [1, 7, 40])
def test_the_budget_is_counted(sources: Any, kwargs: Any, budget: int) -> None:
    env = make(sources, "synthetic", "program")
    agent = SearchAgent(env, budget=budget, **kwargs)
    for index in range(5):
        world = _Counting(env.kg_source.world(index))
        task = env.source[index]
        question, topic = task.meta["question"], task.meta["topics"][0]
        found, spent = agent.paths(question, topic, world, budget)
        assert spent == world.walked == budget
        assert 0 < len(found) <= budget
        assert [p.weight for p in found] == sorted((p.weight for p in found), reverse=True)


@pytest.mark.parametrize("strategy", ["tree", "beam"])
def test_a_large_budget_walks_every_path(sources: Any, strategy: str) -> None:
    env = make(sources, "jsonl", "program")
    agent = SearchAgent(env, strategy=strategy, max_moves=2)
    world = env.kg_source.world(0)
    found, _ = agent.paths("who directed [Heat]", "Heat", world, 10_000)
    expected: set[tuple[str, ...]] = set()
    for first in world.moves([world.entity_id("Heat")]):
        ends = world.follow([world.entity_id("Heat")], first)
        expected.add((first,))
        for second in world.moves(ends):
            reached = set(world.follow(ends, second).tolist()) - {world.entity_id("Heat")}
            if reached:
                expected.add((first, second))
    assert {path.moves for path in found} == expected
    assert len(found) == len(expected)


def test_the_self_critic_saves_nodes(sources: Any) -> None:
    env = make(sources, "jsonl", "program")
    world = env.kg_source.world(0)
    spent = [
        SearchAgent(env, enough=enough).paths("who directed [Heat]", "Heat", world, 100)[1]
        for enough in (None, 0.99)
    ]
    assert spent[1] < spent[0]
    agent = agents.make("search", env, enough=0.99)
    assert agents.rollout(env, agent, index=0).success == 1.0


def test_decomposition_orders_what_a_path_meets() -> None:
    asked = "what are the genres of the films whose directors also directed <topic>"
    assert mentions(asked) == ("directed", "directors", "films", "genres")
    asked = "when did the movies written by <topic> writers release"
    assert mentions(asked)[0] == "writers"
    assert mentions("") == ()


def test_lexical_scores_are_sensible() -> None:
    world = KnowledgeGraph.from_triples(FILMS)
    scorer = LexicalScorer()
    asked = "what are the genres of the films whose directors also directed <topic>"
    right = WalkedPath(("directed_by", "^directed_by", "has_genre"))
    others = [
        WalkedPath(moves)
        for moves in (
            ("has_genre",),
            ("directed_by",),
            ("starred_actors", "^starred_actors", "has_genre"),
            ("has_genre", "^has_genre", "directed_by"),
            ("directed_by", "^directed_by"),
        )
    ]
    best, *rest = scorer(asked, [right, *others], world, finished=True)
    assert best > max(rest)
    begun = scorer(asked, [WalkedPath((m,)) for m in world.relation_names], world, finished=False)
    assert world.relation_names[begun.index(max(begun))] == "directed_by"
    for question in ("", "???", "zzz qqq", "<topic>"):
        assert all(0.0 <= v <= 1.0 for v in scorer(question, others, world, finished=True))


def favourite(question: str, paths: Any, world: Any, *, finished: bool) -> list[float]:
    """A scorer of a user's own."""
    return [float(path.moves[-1] == "release_year") for path in paths]


def test_a_scorer_of_your_own(sources: Any) -> None:
    env = make(sources, "jsonl", "program")
    agent = agents.make("search", env, scorer=f"{__name__}:favourite", budget=5)
    assert agents.rollout(env, agent, index=0).steps[0].text == "release_year"


def test_fitting_reads_the_train_split_alone(sources: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    env = make(sources, "jsonl", "program", split="heldout")
    assert training_pairs(env, 50) == [("who directed <topic>", ("directed_by",))]
    opened = []

    def spy(name: str, **kwargs: Any) -> GraphEnv:
        opened.append(kwargs["split"])
        return envs.make(name, **kwargs)

    monkeypatch.setattr("graphenv.agents.search.fitted.make", spy)
    heldout = make(sources, "synthetic", "program")
    pairs = training_pairs(heldout, 50)
    assert opened == ["train"]
    assert len(pairs) == 50 and all("<topic>" in question for question, _ in pairs)
    with pytest.raises(ConfigError, match="fit=0"):
        agents.make("search", make(sources, "triples", "program"), fit=5)


@pytest.mark.data
def test_search_on_metaqa(graphenv_data: Path, record_property: Any) -> None:
    env = envs.make(
        "kgqa",
        source="metaqa",
        root=str(graphenv_data / "kgqa" / "metaqa"),
        split="validation",
        hops=3,
        mode="program",
        instructions="none",
    )
    rates = {}
    contenders: dict[str, dict[str, Any]] = {
        "guided": {"budget": 20},
        "unguided": {"budget": 20, "guide": "random", "strategy": "beam"},
        "fitted": {"budget": 20, "fit": 300},
    }
    for name, kwargs in contenders.items():
        episodes = agents.rollout_batch(env, agents.make("search", env, **kwargs), some(env, 60))
        rates[name] = sum(e.success or 0.0 for e in episodes) / len(episodes)
    record_property("report", f"search on MetaQA 3-hop, 20 nodes: {rates}")
    assert rates["fitted"] > rates["guided"] > rates["unguided"] + 0.2


def test_fitted_scorer_without_evidence_is_silent() -> None:
    scorer = FittedScorer([("who made <topic>", ("made_by",))])
    scores = scorer("zzz", [WalkedPath(("unseen",)), WalkedPath(())], None, finished=True)
    assert all(0.0 <= score <= 1.0 for score in scores)


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"budget": 0}, "budget"),
        ({"max_moves": "3"}, "max_moves"),
        ({"strategy": "dfs"}, "strategy"),
        ({"scorer": "no_such"}, "no_such"),
        ({"guide": "no.module:x"}, "no.module"),
        ({"temperature": 0}, "temperature"),
        ({"enough": 2.0}, "enough"),
        ({"bugdet": 5}, "Did you mean 'budget'"),
    ],
)
def test_search_arguments_are_checked(sources: Any, kwargs: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        agents.make("search", make(sources, "jsonl", "tools"), **kwargs)


def test_unknown_agent(sources: Any) -> None:
    with pytest.raises(UnknownNameError, match="oracle"):
        agents.make("orcale", make(sources, "jsonl", "tools"))


# -- what chats say -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "topics"),
    [
        ("Question: who?\nTopic entity: Heat", ["Heat"]),
        ("Question: who?\nTopic entities: A, B, C", ["A, B", "C"]),
        ("who directed [Heat]", ["Heat"]),
        ("who directed [[REC]]", ["[REC]"]),
        ("which films did Michael Mann make with Al Pacino?", ["Michael Mann", "Al Pacino"]),
        ("who directed nothing at all", []),
    ],
)
def test_topics_are_found(content: str, topics: list[str]) -> None:
    names = ("Heat", "A, B", "C", "B", "[REC]", "Michael Mann", "Mann", "Al Pacino")
    world = KnowledgeGraph.from_triples([(name, "r", "x y z") for name in names])
    chat: list[Message] = [{"role": "user", "content": content}]
    assert topics_of(chat, world) == topics
    assert question_of(chat) in content


def test_programs_survive_being_written() -> None:
    for text in ("^a > b", "count a & {X} b", "[year < 3] > a", '["a > b", "^c & d"]'):
        program, _ = parse_program(text)
        assert program is not None
        assert parse_program(str(program))[0] == program
    program, _ = parse_program("a & {X} b & c")
    assert program is not None
    assert [t.count("start_at") for t in tool_turns(program, "T")] == [0, 1, 0, 1, 0, 0]


def test_search_without_a_topic_gives_up_politely(sources: Any) -> None:
    env = make(sources, "jsonl", "tools")
    world = env.begin(0).world
    for name in ("search", "random"):
        agent = agents.make(name, env)
        assert hasattr(agent, "for_world")
        turn = agent.for_world(world).act([{"role": "user", "content": "what?"}])
        assert "<" in turn
