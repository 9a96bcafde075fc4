"""Sources of knowledge-graph questions: pure functions of their arguments, disjoint, answerable."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphenv.choices import Permutation
from graphenv.envs.kgqa import KGQAEnv, make_source, parse_program
from graphenv.envs.kgqa.sources import KGQASource
from graphenv.envs.kgqa.sources.synthetic.questions import FRAMES, words_of
from graphenv.envs.kgqa.sources.synthetic.schema import DISTRACTORS, RELATIONS
from graphenv.envs.kgqa.sources.synthetic.source import SIZES
from graphenv.envs.kgqa.sources.synthetic.space import make_space
from graphenv.envs.kgqa.sources.synthetic.world import make_world
from graphenv.errors import ConfigError, DataError, GraphEnvError
from graphenv.knowledge import KnowledgeGraph
from graphenv.task import SPLITS, Task, carve_split
from graphenv.text import format_answer, normalize

Kwargs = dict[str, Any]
MIXED: Kwargs = {"hops": [1, 2, 3], "constraints": 0.3, "intersections": 0.3, "counts": 0.3}


# -- small worlds in every layout ----------------------------------------------------------------


def _triples() -> list[tuple[str, str, str]]:
    """Films with directors, actors and years; enough of them that every carved split has some."""
    triples = []
    for i in range(60):
        film = f"Film {i}"
        triples += [
            (film, "directed_by", f"Director {i % 12}"),
            (film, "starred_actors", f"Actor {i % 17}"),
            (film, "starred_actors", f"Actor {(3 * i) % 17}"),
            (film, "release_year", str(1980 + i % 9)),
            (film, "has_genre", f"Genre {i % 5}"),
        ]
    return triples


def _answers(world: KnowledgeGraph, topic: str, path: Iterable[str]) -> list[str]:
    """Return what MetaQA's rule answers: the topic leaves the frontier after every move."""
    start = world.entity_id(topic)
    frontier = [start]
    for move in path:
        frontier = [e for e in world.follow(frontier, move).tolist() if e != start]
    return world.entity_names(frontier)


METAQA = {  # hops -> (question type, topics, path)
    1: [("director_to_movie", "Director", ["^directed_by"])],
    2: [
        ("director_to_movie_to_year", "Director", ["^directed_by", "release_year"]),
        ("director_to_movie_to_actor", "Director", ["^directed_by", "starred_actors"]),
        ("actor_to_movie_to_year", "Actor", ["^starred_actors", "release_year"]),
        ("actor_to_movie_to_director", "Actor", ["^starred_actors", "directed_by"]),
        ("movie_to_director_to_movie", "Film", ["directed_by", "^directed_by"]),
    ],
    3: [
        (
            "movie_to_director_to_movie_to_year",
            "Film",
            ["directed_by", "^directed_by", "release_year"],
        )
    ],
}


def write_kb(folder: Path) -> KnowledgeGraph:
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["|".join(triple) for triple in _triples()]
    (folder / "kb.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return KnowledgeGraph.load(folder / "kb.txt")


def write_metaqa(folder: Path, *, official: bool) -> Path:
    world = write_kb(folder)
    for hop, types in METAQA.items():
        rows = []
        for qtype, kind, path in types:
            for i in range(12):
                answers = _answers(world, f"{kind} {i}", path)
                if answers:
                    rows.append(
                        (f"about [{kind} {i}] : {qtype}", f"{kind} {i}", answers, qtype, path)
                    )
        if not official:
            text = "".join(
                json.dumps(
                    {
                        "question": q,
                        "topic_entity": t,
                        "answers": a,
                        "qtype": k,
                        "path": p,
                        "hops": hop,
                    }
                )
                + "\n"
                for q, t, a, k, p in rows
            )
            (folder / f"{hop}hop_dev_exact.jsonl").write_text(text, encoding="utf-8")
            continue
        for part, name in enumerate(("train", "dev", "test")):
            mine = rows[part::3]
            file = folder / f"{hop}-hop" / "vanilla" / f"qa_{name}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{q}\t{'|'.join(a)}\n" for q, _, a, _, _ in mine))
            types_file = folder / f"{hop}-hop" / f"qa_{name}_qtype.txt"
            types_file.write_text("".join(f"{k}\n" for *_, k, _ in mine))
    return folder


def question_rows(world: KnowledgeGraph) -> list[Kwargs]:
    rows = []
    for i in range(12):
        path = ["^directed_by", "release_year"]
        answers = _answers(world, f"Director {i}", path)
        row = {
            "question": f"when were films by [Director {i}] out",
            "topic_entity": f"Director {i}",
        }
        rows.append({**row, "answers": answers, "path": path})
    return rows


def write_jsonl(folder: Path, rows: list[Kwargs] | None = None, **changes: Any) -> Kwargs:
    world = write_kb(folder)
    rows = question_rows(world) if rows is None else rows
    file = folder / "questions.jsonl"
    file.write_text("".join(json.dumps({**row, **changes}) + "\n" for row in rows))
    return {"triples": str(folder / "kb.txt"), "questions": str(file)}


def subgraph_row(i: int, **changes: Any) -> Kwargs:
    graph = [[f"q{i}", "r", f"a{i}"], [f"q{i}", "s", f"b{i}"], [f"a{i}", "r", f"c{i}"]]
    row = {"id": f"Q{i}", "question": f"what is r of r of q{i}", "graph": graph}
    return {**row, "q_entity": [f"q{i}"], "a_entity": [f"c{i}"], **changes}


def write_subgraph(folder: Path) -> Kwargs:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(subgraph_row(i)) + "\n" for i in range(40)))
    return {"path": str(file)}


def write_link_prediction(folder: Path) -> Kwargs:
    folder.mkdir(parents=True, exist_ok=True)
    train = [("ann", "knows", "bob"), ("ann", "knows", "cat"), ("bob", "likes", "dan")]
    graph = [t for h, r, o in train for t in ((h, r, o), (o, f"_{r}", h))]
    parts = {
        "graph": graph,
        "train": train,
        "dev": [("ann", "knows", "dan"), ("cat", "likes", "eve")],
        "test": [("ann", "knows", "eve"), ("bob", "likes", "ann")],
    }
    for name, triples in parts.items():
        (folder / f"{name}.txt").write_text("".join("\t".join(t) + "\n" for t in triples))
    return {"root": str(folder)}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Kwargs]]:
    """Return name -> (source, arguments) of every source, in every layout."""
    at = tmp_path_factory.mktemp("sources")
    exact = str(write_metaqa(at / "exact", official=False))
    official = str(write_metaqa(at / "official", official=True))
    return {
        "synthetic": ("synthetic", {}),
        "synthetic mixed": ("synthetic", {**MIXED, "relations": 60, "seed": 3}),
        "metaqa exact": ("metaqa", {"root": exact, "hops": [1, 2, 3]}),
        "metaqa official": ("metaqa", {"root": official, "hops": [1, 2, 3]}),
        "metaqa held out": ("metaqa", {"root": exact, "hops": 2, "held_out_paths": 1}),
        "jsonl": ("jsonl", write_jsonl(at / "jsonl")),
        "subgraph": ("subgraph", write_subgraph(at / "subgraph")),
        "triples": ("triples", write_link_prediction(at / "links")),
    }


NAMES = [
    *("synthetic", "synthetic mixed", "metaqa exact", "metaqa official", "metaqa held out"),
    *("jsonl", "subgraph", "triples"),
]


def some(source: KGQASource, count: int = 40) -> list[Task]:
    """Return tasks spread over a source."""
    return [source[i] for i in range(0, len(source), max(1, len(source) // count))]


def problem(task: Task) -> object:
    """Return what identifies a problem: topic and program; the order of branches is no matter."""
    if task.target.program is None:
        return tuple(task.meta["topics"]), task.meta["question"]
    program, _ = parse_program(task.target.program)
    assert program is not None
    return frozenset(
        (topic, branch.moves)
        for topic, branch in zip(task.meta["topics"], program.branches, strict=True)
    )


# -- every source ------------------------------------------------------------------------------


@pytest.mark.runs("sources")
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", NAMES)
def test_gold_reaches_success(name: str, split: str, cases: dict[str, tuple[str, Kwargs]]) -> None:
    source, kwargs = cases[name]
    env = KGQAEnv(source=source, split=split, mode="program", **kwargs)
    for task in some(env.kg_source):
        turn = task.target.program or format_answer(task.target.answer or ())
        episode = env.play(task.index, [turn])
        assert (episode.status, episode.success) == ("ok", 1.0), task
    paths = {"target.path", "target.graph"} <= env.kg_source.provides
    assert paths == (source not in ("subgraph", "triples"))


@pytest.mark.parametrize("name", NAMES)
def test_splits_are_disjoint(name: str, cases: dict[str, tuple[str, Kwargs]]) -> None:
    source, kwargs = cases[name]
    tasks = {split: some(make_source(source, split, kwargs), 500) for split in SPLITS}
    for left, right in (("train", "validation"), ("train", "heldout"), ("validation", "heldout")):
        if source == "triples":  # published files: the same query with other answers
            assert not {(task.prompt, task.target.answer) for task in tasks[left]} & {
                (task.prompt, task.target.answer) for task in tasks[right]
            }
            continue
        assert not {problem(t) for t in tasks[left]} & {problem(t) for t in tasks[right]}
        assert not {normalize(t.prompt) for t in tasks[left]} & {
            normalize(t.prompt) for t in tasks[right]
        }


DIGEST = """
import hashlib, json, sys
from graphenv.envs.kgqa import make_source
for source, kwargs in json.loads(sys.argv[1]):
    for split in ("train", "validation", "heldout"):
        made = make_source(source, split, kwargs)
        digest = hashlib.sha256(made.fingerprint.encode())
        for i in range(0, len(made), max(1, len(made) // 25)):
            ignored = sorted(made.ignored(i))
            digest.update(repr((made[i], ignored, made.world(i).fingerprint)).encode())
        print(source, split, len(made), made.vocabulary, digest.hexdigest())
"""


def test_same_tasks_in_every_process(cases: dict[str, tuple[str, Kwargs]]) -> None:
    asked = json.dumps(list(cases.values()))
    outputs = []
    for seed in ("0", "12345"):
        run = subprocess.run(
            [sys.executable, "-c", DIGEST, asked],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(run.stdout)
    assert outputs[0] == outputs[1]
    assert outputs[0].count("\n") == 3 * len(cases)


@pytest.mark.parametrize("name", NAMES)
def test_access_is_pure_and_pickles(name: str, cases: dict[str, tuple[str, Kwargs]]) -> None:
    source, kwargs = cases[name]
    first = make_source(source, "train", kwargs)
    forward = some(first, 20)
    copy = pickle.loads(pickle.dumps(first))
    backward = [copy[task.index] for task in reversed(forward)][::-1]
    assert forward == backward
    assert copy.fingerprint == first.fingerprint
    assert copy.world(0).fingerprint == first.world(0).fingerprint
    assert len({task.id for task in forward}) == len(forward)
    others = {make_source(source, split, kwargs).fingerprint for split in SPLITS}
    assert len(others) == 3
    json.dumps([dict(task.meta) for task in forward])


@pytest.mark.parametrize("mode", ["tools", "program"])
@pytest.mark.parametrize("name", NAMES)
def test_no_gold_in_what_an_agent_sees(
    name: str, mode: str, cases: dict[str, tuple[str, Kwargs]]
) -> None:
    source, kwargs = cases[name]
    env = KGQAEnv(source=source, split="heldout", mode=mode, **kwargs)
    for task in some(env.kg_source, 25):
        _, info = env.reset(options={"index": task.index})
        seen = json.dumps(info, ensure_ascii=False)
        assert {"target", "answer", "program", "path", "meta"}.isdisjoint(info)
        if task.target.program is not None and len(task.target.path or ()) > 1:
            assert task.target.program not in seen
        user = str(info["messages"][-1]["content"])
        for topic in task.meta["topics"]:
            user = user.replace(topic, "")
        for answer in task.target.answer or ():
            # A whole answer; "1987" inside a longer word would be chance.
            assert f"[{answer}]" not in user and f'"{answer}"' not in user
        for key in ("wording", "hops"):
            assert f"'{key}'" not in seen and f'"{key}"' not in seen


# -- the synthetic source ----------------------------------------------------------------------


def test_synthetic_is_as_large_as_promised() -> None:
    source = make_source("synthetic", "train", {})
    world = source.world(0)
    types = Counter(r.head for r in RELATIONS[:36])
    assert world.num_entities >= 2_000
    assert len(RELATIONS) >= 60
    assert world.num_relations == 36 + 8
    assert len(types) >= 9
    assert sum(SIZES.values()) >= 50_000
    for kind in ("plain", "count", "both", "both count"):
        assert len(FRAMES[kind, "seen"]) >= 5
        assert FRAMES[kind, "unseen"]
        assert not set(FRAMES[kind, "seen"]) & set(FRAMES[kind, "unseen"])
    tasks = some(source, 2500)
    assert len({problem(task) for task in tasks}) >= 0.99 * len(tasks)
    assert len({task.prompt for task in tasks}) >= 0.995 * len(tasks)
    assert all(1 <= len(task.target.answer or ()) <= 50 for task in tasks)


@pytest.mark.soak
def test_synthetic_has_fifty_thousand_distinct_problems() -> None:
    tasks = [task for split in SPLITS for task in make_source("synthetic", split, {})]
    assert len(tasks) == 60_000
    assert len({problem(task) for task in tasks}) >= 58_000
    assert len({task.prompt for task in tasks}) >= 59_000


def test_synthetic_world_is_typed_and_readable() -> None:
    world = make_world(seed=0, entities=2400, relations=36, distractors=8)
    graph = world.graph
    names = graph.entity_names(range(graph.num_entities))
    assert len({normalize(name) for name in names}) == len(names)
    assert 0.3 < sum(" " in name for name in names) / len(names) < 0.95
    assert 0.02 < sum(not name.isascii() for name in names) / len(names) < 0.5
    assert not any(set(name) & set('[]{}<>&|^"') for name in names)
    for relation in world.relations:
        fans = [graph.degree(e, relation.name) for e in range(graph.num_entities)]
        back = [graph.degree(e, f"^{relation.name}") for e in range(graph.num_entities)]
        assert max(fans) <= relation.fan[1]
        assert max(back) > 1 or relation.tail == "number"
        if relation.numeric:
            tails = {t for _, r, t in graph.triples() if r == relation.name}
            assert all(name.isdigit() for name in tails)
    assert any(max(r.fan) > 1 for r in world.relations)
    other = make_world(seed=1, entities=2400, relations=36, distractors=8).graph
    assert other.fingerprint != graph.fingerprint


def test_distractors_are_never_asked() -> None:
    source = make_source("synthetic", "train", {**MIXED, "distractors": 16, "relations": 66})
    distractors = {name for name, _, _ in DISTRACTORS}
    assert distractors <= set(source.vocabulary)
    for task in some(source, 400):
        assert not {move.lstrip("^") for move in task.target.path or ()} & distractors


@pytest.mark.parametrize(
    ("kwargs", "features", "kinds"),
    [
        ({}, set(), {"plain"}),
        ({"constraints": 1.0}, {"filter"}, {"filter"}),
        ({"intersections": 1.0}, {"branch"}, {"intersection"}),
        ({"counts": 1.0, "hops": 1}, {"count"}, {"plain"}),
        (MIXED, {"filter", "branch", "count"}, {"plain", "filter", "intersection"}),
    ],
)
def test_kinds_of_question(kwargs: Kwargs, features: set[str], kinds: set[str]) -> None:
    source = make_source("synthetic", "validation", kwargs)
    tasks = some(source, 150)
    assert source.features == features
    assert {task.meta["kind"] for task in tasks} == kinds
    for task in tasks:
        program, _ = parse_program(task.target.program or "")
        assert program is not None
        assert program.path == task.target.path
        assert (len(program.branches) == 2) == (task.meta["kind"] == "intersection")
        assert ("[" in str(program)) == (task.meta["kind"] == "filter")
        answers = task.target.answer or ()
        if program.count:
            assert len(answers) == 1 and int(answers[0]) >= 2
        wanted = {sum(isinstance(m, str) for m in b.moves) for b in program.branches}
        assert max(wanted) == task.meta["hops"]


def test_shares_are_kept() -> None:
    tasks = some(make_source("synthetic", "train", {**MIXED, "hops": 2}), 1000)
    kinds = Counter(task.meta["kind"] for task in tasks)
    assert kinds["filter"] / len(tasks) == pytest.approx(0.3, abs=0.06)
    assert kinds["intersection"] / len(tasks) == pytest.approx(0.3, abs=0.06)
    counts = sum((task.target.program or "").startswith("count ") for task in tasks)
    assert counts / len(tasks) == pytest.approx(0.3, abs=0.06)


@pytest.mark.parametrize(
    ("kwargs", "limit"), [({}, 0.2), ({"constraints": 1.0}, 0.2), ({"intersections": 1.0}, 0.65)]
)
def test_no_number_answers_most_counting_questions(kwargs: Kwargs, limit: float) -> None:
    """Of all frontiers four in ten hold two entities: "2" to everything must not pay so well."""
    tasks = some(make_source("synthetic", "train", {**kwargs, "counts": 1.0}), 200)
    answers = Counter(task.target.answer for task in tasks)
    assert answers.most_common(1)[0][1] / len(tasks) < limit


def test_filters_and_second_paths_matter() -> None:
    """A question whose answers do not change without its filter would not need the filter."""
    env = KGQAEnv(split="train", mode="program", constraints=0.5, intersections=0.5)
    for task in some(env.kg_source, 100):
        program, _ = parse_program(task.target.program or "")
        assert program is not None
        if task.meta["kind"] == "filter":
            without = " > ".join(str(m) for m in program.branches[0].moves if isinstance(m, str))
            assert env.play(task.index, [without]).success == 0.0
        else:
            assert env.play(task.index, [str(program.branches[0])]).success == 0.0
            assert env.play(task.index, [str(program.branches[1])]).success == 0.0


def test_held_out_wordings_stay_held_out() -> None:
    def wordings(split: str, **kwargs: Any) -> Counter[str]:
        tasks = some(make_source("synthetic", split, kwargs), 200)
        return Counter(str(task.meta["wording"]) for task in tasks)

    assert set(wordings("train")) == set(wordings("validation")) == {"seen"}
    mixed = wordings("heldout")
    assert 0.3 < mixed["unseen"] / mixed.total() < 0.7
    assert set(wordings("heldout", paraphrases="seen")) == {"seen"}
    assert set(wordings("heldout", paraphrases="unseen")) == {"unseen"}
    seen = [frame.partition("{}")[0] for frame in FRAMES["plain", "seen"]]
    for task in some(make_source("synthetic", "heldout", {"paraphrases": "unseen"}), 100):
        question = str(task.meta["question"])
        assert not any(before and question.startswith(before) for before in seen)


def decode(question: str) -> tuple[str, tuple[str, ...]]:
    """Read a plain question back: the topic and the path. The inverse of the templates."""
    phrases = {
        phrase.replace("|", " "): move
        for move, (words, _) in words_of().items()
        for phrase in words.phrases
    }
    asks = {words.ask: move for move, (words, _) in words_of().items()}
    moves: list[str] = []
    body, topic = question, question[question.index("[") + 1 : question.rindex("]")]
    for wording in ("seen", "unseen"):
        for frame in FRAMES["plain", wording]:
            before, _, after = frame.partition("{}")
            inner = question.removeprefix(before).removesuffix(after)
            if question == before + inner + after and inner.startswith("the "):
                body = inner
    if not body.startswith("the "):
        opening = body[: min(i for i in (body.find(" the "), body.find(" [")) if i >= 0)]
        moves.append(asks[opening])
        body = body[len(opening) + 1 :]
    nested = body[: body.index("[")]
    moves += [phrases[piece.strip()] for piece in nested.split("the ")[1:]]
    return topic, tuple(reversed(moves))


def test_the_words_determine_the_path() -> None:
    """Every question can be read back to its path, so no two paths share a text."""
    for split in SPLITS:
        for hops in (1, 2, 3, 4):
            source = make_source("synthetic", split, {"relations": 66, "hops": hops})
            for task in some(source, 250):
                topic, path = decode(task.prompt)
                assert ([topic], path) == (task.meta["topics"], task.target.path), task.prompt


def test_phrases_are_unambiguous() -> None:
    table = words_of()
    assert len(table) == sum(1 + (r.back is not None) for r in RELATIONS)
    phrases = [phrase for words, _ in table.values() for phrase in words.phrases]
    asks = [words.ask for words, _ in table.values()]
    readings = [phrase.replace("|", " ") for phrase in phrases]
    for group in (readings, asks):
        twice = [text for text, count in Counter(group).items() if count > 1]
        assert not twice
    for text in [*readings, *asks]:
        assert "the" not in text.split() and not set(text) & set("[]{}")
    frames = {frame.partition(" {}")[0] for pool in FRAMES.values() for frame in pool}
    assert not frames & set(asks)
    assert all(r.less and r.more and r.less != r.more for r in RELATIONS if r.numeric)
    assert len({r.name for r in RELATIONS} | {d[0] for d in DISTRACTORS}) == len(RELATIONS) + len(
        DISTRACTORS
    )


def test_same_text_same_program() -> None:
    programs: dict[str, object] = {}
    for split in SPLITS:
        for task in some(make_source("synthetic", split, {**MIXED, "relations": 60}), 400):
            asked = task.meta["topics"], task.target.program
            assert programs.setdefault(task.prompt, asked) == asked


@given(size=st.integers(1, 5000), key=st.integers(0, 9))
def test_permutation_is_one(size: int, key: int) -> None:
    order = Permutation(size, key)
    probe = range(0, size, max(1, size // 50))
    assert all(order.inverse(order(i)) == i for i in probe)
    assert all(0 <= order(i) < size for i in probe)
    assert len({order(i) for i in probe}) == len(probe)


def test_ranks_belong_to_one_split() -> None:
    arguments = {"seed": 0, "entities": 300, "relations": 8, "distractors": 0}
    space = make_space(**arguments, hops=1, max_answers=50)
    regions = [space.region(split) for split in SPLITS]
    assert sum(count for _, count in regions) == space.size
    for rank in range(space.size):
        topic, path = space.problem(rank)
        homes = [split for split in SPLITS if space.in_split(topic, path, split)]
        low, count = space.region(homes[0])
        assert len(homes) == 1 and low <= rank < low + count
    assert not space.in_split(10**6, ("directed_by",), "train")


def test_index_out_of_range() -> None:
    source = make_source("synthetic", "validation", {})
    with pytest.raises(IndexError, match="5000"):
        source[5000]


# -- MetaQA ------------------------------------------------------------------------------------


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_metaqa_official_layout(hops: int, tmp_path: Path) -> None:
    root = write_metaqa(tmp_path, official=True)
    made = [make_source("metaqa", split, {"root": str(root), "hops": hops}) for split in SPLITS]
    types = {tuple(path) for _, _, path in METAQA[hops]}
    assert {task.target.path for source in made for task in source} <= types
    lines = [
        (root / f"{hops}-hop" / "vanilla" / f"qa_{part}.txt").read_text().count("\n")
        for part in ("train", "dev", "test")
    ]
    assert [len(source) for source in made] == lines
    for file in root.glob(f"{hops}-hop/qa_*_qtype.txt"):
        file.unlink()
    bare = make_source("metaqa", "train", {"root": str(root), "hops": hops})
    assert bare.provides == {"target.answer"}
    assert bare[0].target.path is None


def test_metaqa_holds_out_path_types_in_both_layouts(tmp_path: Path) -> None:
    for official in (True, False):
        root = write_metaqa(tmp_path / str(official), official=official)
        kwargs = {"root": str(root), "hops": 2, "held_out_paths": 2}
        paths = {s: {t.target.path for t in make_source("metaqa", s, kwargs)} for s in SPLITS}
        assert paths["heldout"] and len(paths["heldout"]) <= 2
        assert not paths["heldout"] & (paths["train"] | paths["validation"])
        used = {move for path in paths["train"] for move in path or ()}
        assert {move for path in paths["heldout"] for move in path or ()} <= used


def test_metaqa_leaves_out_unknown_topics(tmp_path: Path) -> None:
    write_kb(tmp_path)
    rows = [f"about [Director {i}]\tFilm 1\tdirector_to_movie\n" for i in range(40)]
    (tmp_path / "1hop_dev_official.txt").write_text("".join(rows))
    made = [make_source("metaqa", s, {"root": str(tmp_path), "hops": 1}) for s in SPLITS]
    assert sum(map(len, made)) == 12
    assert sum(getattr(source, "skipped") for source in made) == 28  # noqa: B009


@pytest.mark.data
def test_metaqa_published(graphenv_data: Path) -> None:
    root = str(graphenv_data / "kgqa" / "metaqa")
    seen: dict[object, str] = {}
    for split in SPLITS:
        for task in make_source("metaqa", split, {"root": root, "hops": 2}):
            same = task.meta["topics"][0], task.target.path
            assert seen.setdefault(same, split) == split
    kwargs = {"root": root, "hops": 2, "held_out_paths": 5}
    paths = {s: {t.target.path for t in make_source("metaqa", s, kwargs)} for s in SPLITS}
    assert [len(paths[s]) for s in SPLITS] == [16, 16, 5]
    assert not paths["heldout"] & (paths["train"] | paths["validation"])
    used = {move for path in paths["train"] for move in path or ()}
    assert {move for path in paths["heldout"] for move in path or ()} <= used


@pytest.mark.data
@pytest.mark.soak
@pytest.mark.parametrize("hops", [1, 2, 3])
def test_all_of_metaqa_dev_exact_succeeds(hops: int, graphenv_data: Path) -> None:
    root = str(graphenv_data / "kgqa" / "metaqa")
    played = 0
    for split in SPLITS:
        env = KGQAEnv(source="metaqa", root=root, hops=hops, split=split, mode="program")
        for task in env.kg_source:
            episode = env.play(task.index, [task.target.program or ""])
            assert episode.success == 1.0, task
            played += 1
    assert played == {1: 9482, 2: 12470, 3: 9727}[hops]


# -- a user's own questions ----------------------------------------------------------------------


def test_jsonl_splits_filters_and_programs(tmp_path: Path) -> None:
    world = write_kb(tmp_path)
    rows = question_rows(world)
    named = ["train", "dev", "test"]
    rows = [{**row, "split": named[i % 3], "id": i} for i, row in enumerate(rows)]
    rows[0]["path"] = ["^directed_by", "[release_year < 1985]", "release_year"]
    rows[0]["answers"] = ["1980", "1984"]
    rows[1] = {**rows[1], "topic_entity": ["Director 1", "Actor 1"], "answers": ["Film 1"]}
    rows[1] |= {"path": None, "program": "^directed_by & {Actor 1} ^starred_actors"}
    rows[2] = {**rows[2], "path": ["^directed_by"], "answers": ["Nowhere", "Film 2"]}
    kwargs = write_jsonl(tmp_path, rows)
    made = {split: make_source("jsonl", split, kwargs) for split in SPLITS}
    assert [len(source) for source in made.values()] == [4, 4, 4]
    assert made["train"].features == {"filter"}
    assert made["validation"].features == {"branch"}
    assert made["train"][0].target.path == tuple(rows[0]["path"])
    assert made["validation"][0].meta["hops"] == 1
    assert [getattr(s, "outside") for s in made.values()] == [0, 0, 1]  # noqa: B009
    only = make_source("jsonl", "heldout", {**kwargs, "hops": 2})
    assert len(only) == 3
    assert only[0].id == "jsonl/5"


def test_jsonl_without_paths_provides_answers_only(tmp_path: Path) -> None:
    kwargs = write_jsonl(tmp_path, path=None, split="train")
    source = make_source("jsonl", "train", kwargs)
    assert source.provides == {"target.answer"}
    with pytest.raises(ConfigError, match="path_similarity"):
        KGQAEnv(source="jsonl", reward="exact + path_similarity", **kwargs)


def test_jsonl_rule_of_the_topic_is_an_argument(tmp_path: Path) -> None:
    path = ["directed_by", "^directed_by"]
    answers = [f"Film {i}" for i in range(0, 60, 12)]
    row = {"question": "films by who made [Film 0]", "topic_entity": "Film 0", "path": path}
    kwargs = write_jsonl(tmp_path, [{**row, "answers": answers, "split": "train"}])
    for drop_topic, success in ((False, 1.0), (True, 0.0)):
        env = KGQAEnv(source="jsonl", mode="program", drop_topic=drop_topic, **kwargs)
        assert env.play(0, [env.tasks[0].target.program or ""]).success == success


def test_jsonl_relation_names_with_signs(tmp_path: Path) -> None:
    (tmp_path / "kb.tsv").write_text("a\tp > q & r\tb\nb\tcount\tc\n")
    row = {"question": "?", "topic_entity": "a", "answers": ["c"], "split": "train"}
    (tmp_path / "q.jsonl").write_text(json.dumps({**row, "path": ["p > q & r", "count"]}))
    files: Kwargs = {"triples": str(tmp_path / "kb.tsv"), "questions": str(tmp_path / "q.jsonl")}
    env = KGQAEnv(source="jsonl", mode="program", **files)
    assert env.play(0, [env.tasks[0].target.program or ""]).success == 1.0


def test_rephrased_problems_stay_together(tmp_path: Path) -> None:
    rows = question_rows(write_kb(tmp_path))
    again = [{**row, "question": f"please: {row['question']}"} for row in rows]
    kwargs = write_jsonl(tmp_path, rows + again)
    for split in SPLITS:
        topics = Counter(t.meta["topics"][0] for t in make_source("jsonl", split, kwargs))
        assert set(topics.values()) == {2}


# -- a graph per question ------------------------------------------------------------------------


def test_subgraph_counts_what_it_leaves_out(tmp_path: Path) -> None:
    rows = [
        subgraph_row(0),
        subgraph_row(1, q_entity=["nobody"]),
        subgraph_row(2, a_entity=[], answer=[]),
        subgraph_row(3, a_entity=["elsewhere"]),
        subgraph_row(4, a_entity=[], answer=["c4"]),
        subgraph_row(5, q_entity=["q5", "a5", "nobody"]),
    ]
    for name, text in (
        ("train.jsonl", "".join(json.dumps(row) + "\n" for row in rows)),
        ("dev.json", json.dumps(rows)),
    ):
        (tmp_path / name).write_text(text)
    lines, listed = (make_source("subgraph", s, {"path": str(tmp_path)}) for s in SPLITS[:2])
    for source in (lines, listed):
        assert getattr(source, "skipped") == {  # noqa: B009
            "no topic entity in the graph": 1,
            "no answer": 1,
        }
        assert getattr(source, "outside") == 1  # noqa: B009
        assert [task.target.answer for task in source] == [
            ("c0",),
            ("elsewhere",),
            ("c4",),
            ("c5",),
        ]
        assert source[3].meta["topics"] == ["q5", "a5"]
        assert source.features == {"branch"}
        assert set(source.vocabulary) == {"r", "s"}
        assert source.world(2).has_edge(source.world(2).entity_id("q4"), "r", 0)


def test_subgraph_forgets_old_graphs(tmp_path: Path) -> None:
    rows = [subgraph_row(i, split="train") for i in range(150)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = make_source("subgraph", "train", {"path": str(tmp_path / "rows.jsonl")})
    for i in (*range(150), 0):
        assert source.world(i).find_entity(f"c{i}") is not None
        assert source.world(i).num_triples == 3


# -- link prediction -----------------------------------------------------------------------------


def test_link_prediction_hides_the_question_both_ways(tmp_path: Path) -> None:
    source = make_source("triples", "train", write_link_prediction(tmp_path))
    task, world = source[0], source.world(0)
    ann, bob, cat = (world.entity_id(name) for name in ("ann", "bob", "cat"))
    assert task.prompt == "(ann, knows, ?)"
    assert task.target.answer == ("bob", "cat")
    assert world.neighbors(ann, "knows").tolist() == []
    assert world.neighbors(ann, "^_knows").tolist() == []
    assert world.neighbors(bob, "_knows").tolist() == []
    assert world.neighbors(cat, "^knows").tolist() == []
    assert world.neighbors(bob, "likes").tolist() == [world.entity_id("dan")]
    assert source.ignored(0) == {"dan", "eve"}
    heldout = make_source("triples", "heldout", {"root": str(tmp_path)})
    assert heldout.ignored(0) == {"bob", "cat", "dan"}
    assert heldout.world(0).neighbors(ann, "knows").tolist() == [bob, cat]
    env = KGQAEnv(source="triples", split="heldout", mode="program", root=str(tmp_path))
    assert env.play(0, [format_answer(["bob", "eve"])]).success == 1.0
    assert env.play(0, [format_answer(["ann", "eve"])]).success == 0.0


def test_gold_is_never_ignored(tmp_path: Path) -> None:
    """Two entities may differ in case alone, and one of them be known from another split."""
    files = {"graph": "ann\tknows\tROME", "train": "ann\tknows\tROME", "dev": "ann\tknows\tRome"}
    for name, rows in {**files, "test": "ann\tknows\tbob"}.items():
        (tmp_path / f"{name}.txt").write_text(f"{rows}\n")
    env = KGQAEnv(source="triples", split="validation", mode="program", root=str(tmp_path))
    assert env.kg_source.ignored(0) == {"ROME", "bob"}
    assert env.play(0, [format_answer(["Rome", "bob"])]).success == 1.0
    assert env.play(0, [format_answer(["bob"])]).success == 0.0


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "sizes", "overlap"),
    [
        ("countries_S1", [432, 24, 24], 7),
        ("countries_S2", [118, 24, 24], 7),
        ("countries_S3", [34, 24, 24], 7),
        ("kinship", [1689, 747, 744], 0),
        ("umls", [810, 369, 362], 0),
    ],
)
def test_link_prediction_published(
    name: str, sizes: list[int], overlap: int, graphenv_data: Path
) -> None:
    root = str(graphenv_data / "kgqa" / "link_prediction" / name)
    made = [make_source("triples", split, {"root": root}) for split in SPLITS]
    assert [len(source) for source in made] == sizes
    assert getattr(made[2], "overlap") == overlap  # noqa: B009
    for source in made:
        assert source.provides == {"target.answer"}
        for task in some(source, 15):
            world, topic = source.world(task.index), task.meta["topics"][0]
            start, relation = world.entity_id(topic), task.meta["relation"]
            gold = {world.entity_id(answer) for answer in task.target.answer or ()}
            assert not gold & set(world.neighbors(start, relation).tolist())
            if world.find_move(f"_{relation}") is not None:
                assert not gold & set(world.neighbors(start, f"^_{relation}").tolist())
            assert source.ignored(task.index).isdisjoint(task.target.answer or ())
    env = KGQAEnv(source="triples", split="heldout", mode="program", root=root)
    for task in some(env.kg_source, 15):
        assert env.play(task.index, [format_answer(task.target.answer or ())]).success == 1.0


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"hops": 0}, "hops=0"),
        ({"hops": 9}, "from 1 to 4"),
        ({"hops": []}, "hops="),
        ({"hops": "two"}, "hops='two'"),
        ({"hops": 2.5}, "hops=2.5"),
        ({"entities": 12}, "entities=12"),
        ({"entities": "many"}, "entities='many'"),
        ({"relations": 5}, "from 8 to"),
        ({"relations": 1000}, f"to {len(RELATIONS)}"),
        ({"distractors": -1}, "distractors=-1"),
        ({"constraints": 1.5}, "from 0 to 1"),
        ({"constraints": 0.7, "intersections": 0.7}, "must not exceed 1"),
        ({"counts": "all"}, "counts='all'"),
        ({"paraphrases": "other"}, "split, seen, unseen"),
        ({"paraphrases": "unseen"}, "heldout"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": [1]}, "seed="),
        ({"max_answers": 0}, "max_answers=0"),
        ({"drop_topic": "yes"}, "drop_topic='yes'"),
        ({"hop": 2}, "Did you mean 'hops'"),
    ],
)
def test_synthetic_bad_arguments(kwargs: Kwargs, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_source("synthetic", "train", kwargs)


def test_a_world_too_small_for_its_questions() -> None:
    source = make_source("synthetic", "train", {"max_answers": 1, "counts": 1.0})
    with pytest.raises(ConfigError, match="raise max_answers"):
        source[0]


def _edit(name: str, text: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_text(text, encoding="utf-8")

    return damage


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _nothing(_: Path) -> None:
    """Leave the folder as it is."""


def _row(**changes: Any) -> Callable[[Path], None]:
    good = {"question": "q", "topic_entity": "Film 1", "answers": ["x"], "split": "train"}
    text = json.dumps(good) + "\n" + json.dumps({**good, **changes}) + "\n"
    return _edit("questions.jsonl", text)


BROKEN: list[tuple[str, Callable[[Path], None], Kwargs, str]] = [
    ("metaqa", _remove("kb.txt"), {}, "kb.txt is missing"),
    ("metaqa", _nothing, {"root": "no/such/folder"}, "is missing; .* holds"),
    ("metaqa", _nothing, {"hops": 4}, "hops=4"),
    ("metaqa", _nothing, {"hops": "2"}, "hops='2'"),
    ("metaqa", _nothing, {"held_out_paths": -1}, "held_out_paths=-1"),
    ("metaqa", _nothing, {"held_out_paths": 5}, "can be held out"),
    ("metaqa", _remove("2hop_dev_exact.jsonl"), {}, "2hop_dev_official.txt is missing"),
    ("metaqa", _edit("2hop_dev_exact.jsonl", "{}\n"), {}, "line 1: not a row with question"),
    ("metaqa", _edit("2hop_dev_exact.jsonl", "\n{oops\n"), {}, "line 2: not valid JSON.*oops"),
    ("metaqa", _edit("kb.txt", "a|b\n"), {}, "three fields"),
    ("jsonl", _remove("kb.txt"), {}, "does not exist"),
    ("jsonl", _remove("questions.jsonl"), {}, "questions.jsonl is missing"),
    ("jsonl", _edit("kb.txt", "a|r|b\nbroken\n"), {}, "kb.txt, line 2.*broken"),
    (
        "jsonl",
        _edit("questions.jsonl", '{"question": "q"}\n{'),
        {},
        "line 1: 'topic_entity' is mis",
    ),
    ("jsonl", _edit("questions.jsonl", "[1]\n"), {}, "line 1: a row is a JSON object"),
    ("jsonl", _edit("questions.jsonl", "[" * 9 + "\n"), {}, "not valid JSON"),
    ("jsonl", _edit("questions.jsonl", '"text"\n'), {}, "line 1: a row is a JSON object"),
    ("jsonl", _row(question=" "), {}, "line 2: 'question' must hold a text"),
    ("jsonl", _row(answers=[]), {}, "line 2: 'topic_entity' and 'answers' must not be empty"),
    ("jsonl", _row(answers=[["x"]]), {}, "line 2: 'answers' must hold a name"),
    ("jsonl", _row(topic_entity="Flim 1"), {}, "line 2: the graph has no entity.*Film 1"),
    ("jsonl", _row(path="directed_by"), {}, "line 2: 'path' must be a list"),
    ("jsonl", _row(path=["directd_by"]), {}, "line 2: .*no relation.*directed_by"),
    ("jsonl", _row(program="a > > b"), {}, "line 2: its gold program does not parse"),
    ("jsonl", _row(hops="two"), {}, "line 2: 'hops' must be a whole number"),
    ("jsonl", _row(split="tset"), {}, "line 2: 'split' is 'tset'"),
    ("jsonl", _nothing, {"hops": 7}, "no question for split 'train' with hops=7"),
    ("jsonl", _nothing, {"hops": "2"}, "hops='2'"),
    ("jsonl", _nothing, {"drop_topic": 1}, "drop_topic=1"),
    ("subgraph", _remove("rows.jsonl"), {}, "rows.jsonl is missing"),
    ("subgraph", _edit("rows.jsonl", "{oops"), {}, "line 1: not valid JSON"),
    ("subgraph", _edit("rows.jsonl", "[{]"), {}, "not a valid JSON list"),
    ("subgraph", _edit("rows.jsonl", json.dumps(subgraph_row(1, graph=7))), {}, "list of triples"),
    (
        "subgraph",
        _edit("rows.jsonl", json.dumps(subgraph_row(1, split="train", graph=[["a", "b"]]))),
        {},
        "line 1: not a triple",
    ),
    (
        "subgraph",
        _edit("rows.jsonl", json.dumps(subgraph_row(1, split="train", q_entity=["x"]))),
        {},
        "1 rows: no topic entity",
    ),
    ("subgraph", _edit("rows.jsonl", json.dumps(subgraph_row(1, question=3))), {}, "'question'"),
    ("triples", _remove("dev.txt"), {}, "dev.txt is missing"),
    ("triples", _edit("graph.txt", "a\tb\n"), {}, "graph.txt, line 1: expected head"),
    ("triples", _edit("train.txt", "\n"), {}, "holds no query"),
    ("triples", _edit("train.txt", "a\t^r\tb\n"), {}, "train.txt, line 1"),
]


@pytest.mark.parametrize(("source", "damage", "changes", "said"), BROKEN)
def test_broken_data_is_one_clear_error(
    source: str, damage: Callable[[Path], None], changes: Kwargs, said: str, tmp_path: Path
) -> None:
    kwargs: Kwargs
    if source == "metaqa":
        kwargs = {"root": str(write_metaqa(tmp_path, official=False))}
    elif source == "jsonl":
        kwargs = write_jsonl(tmp_path)
    elif source == "subgraph":
        kwargs = write_subgraph(tmp_path)
    else:
        kwargs = write_link_prediction(tmp_path)
    make_source(source, "train", kwargs)
    damage(tmp_path)
    with pytest.raises(GraphEnvError, match=said) as raised:
        make_source(source, "train", {**kwargs, **changes})
    assert isinstance(raised.value, DataError if damage is not _nothing else GraphEnvError)


def test_carving_is_about_the_problem_not_the_words() -> None:
    shares = Counter(carve_split("jsonl", (f"topic {i}",), "a > b") for i in range(3000))
    assert shares["heldout"] / 3000 == pytest.approx(0.2, abs=0.03)
    assert shares["validation"] / 3000 == pytest.approx(0.1, abs=0.03)
