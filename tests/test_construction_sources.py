"""Published sets of documents: layouts as published, splits, gold that scores full marks."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from graphenv import envs
from graphenv.agents.oracle import gold_turns
from graphenv.envs.construction import DocumentSource, make_source
from graphenv.envs.construction.reading import MAX_NAME, MAX_TRIPLES
from graphenv.envs.construction.sources.published import PublishedDocuments
from graphenv.envs.construction.sources.redocred import _entities
from graphenv.envs.replay import replay
from graphenv.errors import ConfigError, DataError
from graphenv.graph import Graph
from graphenv.task import SPLITS
from graphenv.text import normalize

PLACES = ("Aarhus", "Brno", "Chicago", "Dakar", "Essen", "Faro", "Graz", "Hull", "Izmir", "Jena")


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")


def webnlg_xml(root: Path) -> None:
    """A release as it is packed: folders of sizes, a file for each category."""
    for part, places in (("train", PLACES[:8]), ("dev", PLACES[7:])):
        folder = root / part / "1triples"
        folder.mkdir(parents=True)
        entries = "".join(
            f'<entry category="City" eid="Id{n}" size="1">'
            f"<originaltripleset><otriple>x | y | z</otriple></originaltripleset>"
            f'<modifiedtripleset><mtriple>{p}_City | areaCode | "0{n}"</mtriple>'
            f"</modifiedtripleset>"
            f'<lex comment="good" lid="Id1">The code of {p} City is 0{n}.</lex>'
            f'<lex comment="bad" lid="Id2">No.</lex>'
            f'<lex comment="" lid="Id3">{p} City has\n the code 0{n}.</lex></entry>'
            for n, p in enumerate(places)
        )
        text = f"<benchmark><entries>{entries}</entries></benchmark>"
        (folder / "City.xml").write_text(text, encoding="utf-8")


def webnlg(root: Path) -> None:
    def entry(place: str, number: int, **more: Any) -> dict[str, Any]:
        triples = [[f"{place}_City", "areaCode", f'"{number}"'], [place, "isPartOf", "Europe"]]
        texts = [f"{place} City has {number}.", f"{place} is part of Europe; it has {number}."]
        row = {"id": f"City/2triples/Id{number}", "category": "City", "size": 2}
        return {**row, "triples": triples, "texts": texts, **more}

    train = [entry(place, n) for n, place in enumerate(PLACES)]
    dev = [entry(place, n + 90) for n, place in enumerate(PLACES[:3])]
    dev.append({**train[0], "id": "again", "texts": ["The same triples in other words."]})
    train[1]["texts"].append(dev[0]["texts"][0])
    dev.append(entry("Kiel", 7, texts=[]))
    _lines(root / "train.jsonl", train)
    _lines(root / "dev.jsonl", dev)


def conll04(root: Path) -> None:
    def sentence(place: str, number: int) -> dict[str, Any]:
        return {
            "orig_id": number,
            "tokens": ["Mr", "Mann", "of", place, ",", "in", "Europe", ",", "sleeps", "."],
            "entities": [
                {"start": 0, "end": 2, "type": "Peop"},
                {"start": 3, "end": 4, "type": "Loc"},
                {"start": 6, "end": 7, "type": "Loc"},
            ],
            "relations": [
                {"head": 0, "tail": 1, "type": "Live_In"},
                {"head": 1, "tail": 2, "type": "Located_In"},
                {"head": 0, "tail": 1, "type": "Live_In"},
            ],
        }

    rows = [sentence(place, n) for n, place in enumerate(PLACES)]
    _lines(root / "train.jsonl", rows)
    silent = {"tokens": ["Silence", "."], "entities": [], "relations": [], "orig_id": 99}
    _lines(root / "dev.jsonl", [sentence("Kiel", 70), {**rows[0], "orig_id": 71}, silent])
    types = {"relations": {name: {"short": "x"} for name in ("Live_In", "Located_In", "Kill")}}
    (root / "types.json").write_text(json.dumps(types), encoding="utf-8")


def _document(title: str, number: int) -> dict[str, Any]:
    def mention(name: str) -> dict[str, Any]:
        return {"name": name, "type": "PER", "sent_id": 0, "pos": [0, 1]}

    return {
        "title": title,
        "sents": [["Ann", "Lee", "of", title, "met", "Bo", "Lee", "."], ["Lee", "slept", "."]],
        "vertexSet": [
            [mention("Ann Lee"), mention("Lee")],
            [mention(title)],
            [mention("Bo Lee")],
        ],
        "labels": [
            {"r": "P19", "h": 0, "t": 1, "evidence": [0]},
            {"r": "P26", "h": 0, "t": 2, "evidence": []},
            *([{"r": "P26", "h": 2, "t": 0}] if number % 2 else []),
        ],
    }


def redocred(root: Path) -> None:
    rows = [_document(place, n) for n, place in enumerate(PLACES)]
    rows.append({**_document("Nothing", 0), "labels": []})
    (root / "dev_revised.json").write_text(json.dumps(rows), encoding="utf-8")
    names = {"P19": "place of birth", "P26": "spouse"}
    (root / "rel_info.json").write_text(json.dumps(names), encoding="utf-8")


def retrieval(root: Path) -> None:
    corpus = [{"title": t, "text": f"{t} is a city, number {n}."} for n, t in enumerate(PLACES)]
    corpus += [{"title": f"Town {n}", "text": f"Town {n} is small."} for n in range(60)]
    (root / "corpus.json").write_text(json.dumps(corpus), encoding="utf-8")
    asked = [
        {"question": f"Is {a} larger than {b}?", "supporting_titles": [a, b]}
        for a, b in pairwise(PLACES)
    ]
    asked.append({"question": "Where is Atlantis?", "supporting_titles": ["Atlantis"]})
    _lines(root / "questions.jsonl", asked)


MAKERS: dict[str, tuple[str, Callable[[Path], None], dict[str, Any]]] = {
    "webnlg": ("webnlg", webnlg, {}),
    "webnlg_xml": ("webnlg", webnlg_xml, {}),
    "conll04": ("conll04", conll04, {}),
    "redocred": ("redocred", redocred, {}),
    "retrieval": ("retrieval", retrieval, {"passages": 4}),
}
FOLDERS = {
    "webnlg": "webnlg_v1.6_en",
    "conll04": "conll04",
    "redocred": "re_docred",
    "retrieval": "2wiki_retrieval",
}
every = pytest.mark.parametrize("kind", MAKERS)


def made(kind: str, root: Path, split: str) -> PublishedDocuments:
    name, write, arguments = MAKERS[kind]
    if not any(root.iterdir()):
        write(root)
    source = make_source(name, split, {"root": str(root), **arguments})
    assert isinstance(source, PublishedDocuments)
    return source


def known(kind: str, root: Path) -> dict[str, PublishedDocuments]:
    """Return the splits that are not empty."""
    found = {}
    for split in SPLITS:
        try:
            found[split] = made(kind, root, split)
        except DataError as error:
            if "has no documents" not in str(error):
                raise
    assert len(found) >= 2
    return found


def texts(source: DocumentSource) -> set[str]:
    return {normalize(task.prompt) for task in source}


# -- layouts --------------------------------------------------------------------------------------


@every
def test_gold_of_every_task_is_right(kind: str, tmp_path: Path):
    name, _, arguments = MAKERS[kind]
    for split, source in known(kind, tmp_path).items():
        assert source.note and len({task.id for task in source}) == len(source)
        kwargs = {"source": name, "split": split, "root": str(tmp_path), **arguments}
        if name == "retrieval":
            continue
        for mode in ("single", "turns"):
            env = envs.make("kg-construction", mode=mode, reward="triple_f1", **kwargs)
            for index in range(len(source)):
                episode = env.play(index, gold_turns(env, index))
                assert (episode.success, env.reward([episode])[0].value) == (1.0, 1.0)


@every
def test_splits_share_no_text_and_lose_none(kind: str, tmp_path: Path):
    parts = {split: texts(source) for split, source in known(kind, tmp_path).items()}
    union = set().union(*parts.values())
    assert sum(map(len, parts.values())) == len(union)
    if kind in ("conll04", "redocred"):  # one task a row, and one row has no triples
        assert len(union) == len(PLACES) + (kind == "conll04")


@every
def test_tasks_are_a_function_of_arguments_split_and_index(kind: str, tmp_path: Path):
    for split, source in known(kind, tmp_path).items():
        twin = made(kind, tmp_path, split)
        assert twin.fingerprint == source.fingerprint and list(twin) == list(source)
        assert pickle.loads(pickle.dumps(source)).fingerprint == source.fingerprint
        assert source[-1] == source[len(source) - 1]
        assert [task.index for task in source] == list(range(len(source)))
        assert all(source.relations(i) == tuple(source[i].meta["relations"]) for i in (0, -1))
    prints = {source.fingerprint for source in known(kind, tmp_path).values()}
    assert len(prints) == len(known(kind, tmp_path))


def told(folder: str) -> list[str]:
    """What one process makes of the layouts; another one has to make the same of them."""
    lines = []
    for kind in MAKERS:
        for split, source in known(kind, Path(folder) / kind).items():
            lines.append(f"{kind} {split} {source.fingerprint} {source[0].id}")
    return lines


def test_tasks_are_the_same_in_every_process_and_hash_seed(tmp_path: Path):
    for kind, (_, write, _) in MAKERS.items():
        (tmp_path / kind).mkdir()
        write(tmp_path / kind)
    script = "import sys, test_construction_sources as t; print(*t.told(sys.argv[1]), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert done.stdout.splitlines() == told(str(tmp_path))


def test_webnlg_reads_releases_and_rows(tmp_path: Path):
    source = made("webnlg_xml", tmp_path, "heldout")
    assert [task.id for task in source][:2] == [
        "webnlg/City/1triples/Id0/0",
        "webnlg/City/1triples/Id0/1",
    ]
    task = source[1]
    assert task.prompt == "Document 1:\nHull City has the code 00."
    assert task.target.graph is not None
    assert task.target.graph.triples == (("Hull City", "areaCode", "00"),)
    assert task.meta["category"] == "City" and task.meta["relations"] == ["areaCode"]


def test_webnlg_keeps_splits_apart_by_triples_and_by_text(tmp_path: Path):
    heldout = made("webnlg", tmp_path, "heldout")
    assert heldout.left_out == {"entries without a text": 1}
    train, validation = (made("webnlg", tmp_path, split) for split in ("train", "validation"))
    left_out = train.left_out + validation.left_out
    assert left_out["entries whose triples stand in heldout"] == 1
    assert left_out["texts that stand in heldout"] == 1
    problems = [
        {task.target.graph.triples for task in part if task.target.graph is not None}
        for part in (train, validation, heldout)
    ]
    assert not problems[0] & problems[1] and not problems[2] & (problems[0] | problems[1])


def test_conll04_leaves_out_what_dev_has(tmp_path: Path):
    train, heldout = (made("conll04", tmp_path, split) for split in ("train", "heldout"))
    assert train.left_out == {"the sentence stands in the dev file": 1}
    assert heldout.left_out == {"no triples": 1} and len(heldout) == 2
    task = heldout[0]
    assert task.prompt.endswith("\nMr Mann of Kiel , in Europe , sleeps .")
    assert task.target.graph is not None
    assert task.target.graph.triples == (
        ("Mr Mann", "Live_In", "Kiel"),
        ("Kiel", "Located_In", "Europe"),
    )
    assert heldout.relations(0) == ("Live_In", "Located_In", "Kill")


def test_conll04_in_the_layout_of_spert(tmp_path: Path):
    first = made("conll04", tmp_path, "heldout")
    for part in ("train", "dev"):
        rows = [json.loads(line) for line in (tmp_path / f"{part}.jsonl").open(encoding="utf-8")]
        (tmp_path / f"{part}.jsonl").unlink()
        (tmp_path / f"conll04_{part}.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "types.json").unlink()
    again = made("conll04", tmp_path, "heldout")
    assert [task.target for task in again] == [task.target for task in first]
    assert again.relations(0) == ("Live_In", "Located_In")


def test_redocred_takes_any_mention_as_a_name(tmp_path: Path):
    source = made("redocred", tmp_path, "train")
    task = next(task for task in source if task.target.graph and task.target.graph.num_edges == 3)
    corpus, gold = task.target.corpus, task.target.graph
    assert corpus is not None and gold is not None
    place = corpus.passages[0].title
    assert gold.triples == (
        ("Ann Lee", "place of birth", place),
        ("Ann Lee", "spouse", "Bo Lee"),
        ("Bo Lee", "spouse", "Ann Lee"),
    )
    said = [("lee", "place of birth", place), ("Lee", "spouse", "bo lee")]
    assert corpus.graph(said).triples == gold.triples[:2]
    assert corpus.passages[0].text == f"Ann Lee of {place} met Bo Lee . Lee slept ."


def test_redocred_with_its_train_file(tmp_path: Path):
    carved = {split: len(source) for split, source in known("redocred", tmp_path).items()}
    assert sum(carved.values()) == len(PLACES)
    rows = [_document(f"{place} two", n) for n, place in enumerate(PLACES * 3)]
    rows.append(_document(PLACES[0], 0))
    (tmp_path / "train_revised.json").write_text(json.dumps(rows), encoding="utf-8")
    heldout = made("redocred", tmp_path, "heldout")
    assert len(heldout) == len(PLACES) and heldout.left_out == {"no triples": 1}
    train, validation = (made("redocred", tmp_path, split) for split in ("train", "validation"))
    assert train.left_out + validation.left_out == {"the title stands in dev": 1}
    assert not texts(heldout) & (texts(train) | texts(validation))
    (tmp_path / "rel_info.json").unlink()
    assert made("redocred", tmp_path, "heldout").relations(0) == ("P19", "P26")


@pytest.mark.parametrize(
    ("mentions", "groups", "place"),
    [
        ([["A"], ["B", "b"]], [("A",), ("B",)], [0, 1]),
        ([["A", "X"], ["X"]], [("A",), ("X",)], [0, 1]),
        ([["X"], ["A", "X"]], [("X",), ("A",)], [0, 1]),
        ([["A", "X"], ["B", "X", "X"]], [("A",), ("B", "X")], [0, 1]),
        ([["A", "X"], ["B", "X"]], [("A", "X"), ("B",)], [0, 1]),
        ([["X"], ["x"]], [("X",)], [0, 0]),
        ([["X"], ["x", "x"], ["A"]], [("x",), ("A",)], [0, 0, 1]),
        ([["X", "Y"], ["X"], ["Y"]], [("X",), ("Y",)], [0, 0, 1]),
    ],
)
def test_a_name_stands_for_one_entity(
    mentions: list[list[str]], groups: list[tuple[str, ...]], place: list[int]
):
    assert _entities(mentions) == (groups, place)


def test_retrieval_hides_supporting_passages_among_others(tmp_path: Path):
    parts = known("retrieval", tmp_path)
    titles: dict[str, set[str]] = {}
    for split, source in parts.items():
        assert source.provides == {"target.passages", "target.supporting"}
        assert source.left_out == {"a supporting passage is not in the corpus": 1}
        for task in source:
            corpus = task.target.corpus
            assert corpus is not None and task.target.graph is None
            (question,) = corpus.questions
            shown = [passage.title for passage in corpus.passages]
            assert len(shown) == 4 == len(set(shown)) and set(question.supporting) < set(shown)
            assert question.text not in task.prompt + task.id and not question.answers
            titles.setdefault(split, set()).update(set(shown) - set(question.supporting))
    for a, b in (("train", "validation"), ("train", "heldout"), ("validation", "heldout")):
        assert not titles.get(a, set()) & titles.get(b, set())


def test_recall_by_grounding_is_the_truth_without_gold(tmp_path: Path):
    retrieval(tmp_path)
    kwargs = {"source": "retrieval", "root": str(tmp_path), "passages": 4}
    with pytest.raises(ConfigError, match=r"target\.graph.*Terms that work here: passage_recall"):
        envs.make("kg-construction", reward="kg_f1", **kwargs)
    env = envs.make("kg-construction", **kwargs)
    assert env.kwargs["reward"] == env.reward.name == "passage_recall"  # the default of this source
    corpus = env.source[0].target.corpus
    assert corpus is not None
    a, b = corpus.questions[0].supporting
    facts = [[p.title, "is a", "city"] for p in corpus.passages if p.title in (a, b)]
    episode = env.play(0, [json.dumps(facts)])
    told = {"passage_recall": 1.0, "grounded_share": 1.0, "triples": 2.0}
    assert (episode.success, episode.metrics) == (1.0, told)
    assert env.reward([episode])[0].value == 1.0 and replay(episode.record()) == episode
    names = [w for p in corpus.passages if p.title in (a, b) for w in (p.title, *p.text.split())]
    pairs = [[x, "and", y] for x in names for y in names if x != y]
    dumped = env.play(0, [json.dumps([*facts, *pairs])])
    assert dumped.success is not None and dumped.metrics["passage_recall"] == 1.0
    assert dumped.success < 0.3
    assert env.play(0, ["[]"]).success == env.play(0, ["no"]).success == 0.0
    with pytest.raises(ConfigError, match="no gold triples"):
        gold_turns(env, 0)


# -- what users get wrong -------------------------------------------------------------------------


@every
def test_a_missing_file_is_named_with_the_layout(kind: str, tmp_path: Path):
    with pytest.raises(DataError, match=r"(?s)is missing.*Expected layout"):
        make_source(MAKERS[kind][0], "train", {"root": str(tmp_path / "nowhere")})
    with pytest.raises(ConfigError, match="Did you mean 'root'"):
        make_source(MAKERS[kind][0], "train", {"rot": str(tmp_path)})


BROKEN: list[tuple[str, str, Any, str]] = [
    ("webnlg", "dev.jsonl", {"triples": [], "texts": ["x"]}, "'triples' must be"),
    ("webnlg", "dev.jsonl", {"triples": [["a", "b"]], "texts": []}, "three names"),
    ("webnlg", "dev.jsonl", {"triples": [["a", "r", '""']], "texts": []}, "three names"),
    ("webnlg", "dev.jsonl", {"triples": [["a", "r", "b"]], "texts": [1]}, "'texts' must be"),
    ("webnlg_xml", "dev/1triples/City.xml", "<benchmark><entry>", "not valid XML"),
    ("webnlg_xml", "dev/1triples/City.xml", "<b><entry eid='x'/></b>", "'x' has no triples"),
    ("conll04", "dev.jsonl", {"tokens": "x"}, "'tokens' must be"),
    ("conll04", "dev.jsonl", {"tokens": ["x"], "entities": 3, "relations": []}, "must be lists"),
    (
        "conll04",
        "dev.jsonl",
        {"tokens": ["x"], "entities": [], "relations": [{"head": 0, "tail": 1, "type": "r"}]},
        "do not fit",
    ),
    (
        "conll04",
        "dev.jsonl",
        {
            "tokens": ["x"],
            "entities": [{"start": 1, "end": 1}],
            "relations": [{"head": 0, "tail": 0, "type": "r"}],
        },
        "no tokens",
    ),
    ("conll04", "types.json", "[]", "not a table of types"),
    ("redocred", "dev_revised.json", [{"sents": []}], "'title' must hold text"),
    ("redocred", "dev_revised.json", [{"title": "x", "labels": [1]}], "not a document of DocRED"),
    ("redocred", "rel_info.json", "[1]", "not a table of relations"),
    ("retrieval", "corpus.json", [{"title": "x"}], "'title' and 'text'"),
    ("retrieval", "questions.jsonl", {"supporting_titles": ["x"]}, "'question' must hold"),
    ("retrieval", "questions.jsonl", {"question": "x"}, "'supporting_titles' is missing"),
]


@pytest.mark.parametrize(("kind", "file", "content", "match"), BROKEN)
def test_broken_files_are_errors_that_name_them(
    kind: str, file: str, content: Any, match: str, tmp_path: Path
):
    MAKERS[kind][1](tmp_path)
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=match) as caught:
        known(kind, tmp_path)
    assert Path(file).name in str(caught.value)


@pytest.mark.parametrize("wrong", [{"passages": 0}, {"passages": "4"}, {"seed": 0.5}])
def test_numbers_out_of_range(wrong: dict[str, Any], tmp_path: Path):
    retrieval(tmp_path)
    with pytest.raises(ConfigError, match="must be a whole number"):
        make_source("retrieval", "train", {"root": str(tmp_path), **wrong})


def test_more_passages_than_there_are(tmp_path: Path):
    retrieval(tmp_path)
    with pytest.raises(ConfigError, match="passages=500 are too many"):
        make_source("retrieval", "train", {"root": str(tmp_path), "passages": 500})


# -- published data -------------------------------------------------------------------------------

SIZES = {
    "webnlg": (16_160, 1_836, 2_262),
    "conll04": (825, 82, 231),
    "redocred": (351, 48, 100),
    "retrieval": (33, 8, 10),
}


def published(data: Path, name: str, split: str) -> PublishedDocuments:
    root = data / "kg_construction" / FOLDERS[name]
    source = make_source(name, split, {"root": str(root)})
    assert isinstance(source, PublishedDocuments)
    return source


@pytest.mark.data
@pytest.mark.parametrize("name", FOLDERS)
def test_published_sets_are_read_whole(name: str, graphenv_data: Path):
    parts = {split: published(graphenv_data, name, split) for split in SPLITS}
    assert tuple(len(part) for part in parts.values()) == SIZES[name]
    seen: set[str] = set()
    for part in parts.values():
        mine = {" ".join(p.text.lower() for p in row.passages) for row in part._rows}
        assert not mine & seen
        seen |= mine
    if name == "conll04":
        assert parts["train"].left_out == {"the sentence stands in the dev file": 15}
    if name == "webnlg":
        assert parts["train"].left_out == {
            "entries whose triples stand in heldout": 16,
            "texts that stand in heldout": 4,
            "texts that stand in validation": 4,
            "entries without a text": 1,
        }


GOLD_SPLITS = [
    ("webnlg", "heldout"),
    ("conll04", "heldout"),
    *(("redocred", split) for split in SPLITS),
]
"""All of WebNLG dev, CoNLL04 dev and Re-DocRED dev."""


def check_gold(data: Path, name: str, split: str, step: int) -> int:
    """Play the gold of every `step`-th task; return how many."""
    root = data / "kg_construction" / FOLDERS[name]
    reward = "0.5*triple_f1 + 0.5*ged"
    kwargs = {"source": name, "split": split, "root": str(root), "reward": reward}
    env = envs.make("kg-construction", **kwargs)
    indices = range(0, len(env.tasks), step)
    episodes = [env.play(index, gold_turns(env, index)) for index in indices]
    for episode, score in zip(episodes, env.reward(episodes), strict=True):
        found = {part: value.value for part, value in score.parts.items()}
        assert found == {"triple_f1": 1.0, "ged": 1.0}, episode.task.id
        assert episode.success == episode.metrics["entity_f1"] == 1.0
        gold = episode.task.target.graph
        assert isinstance(gold, Graph) and 0 < gold.num_edges <= MAX_TRIPLES
        assert max(len(name) for triple in gold.triples for name in triple) <= MAX_NAME
    return len(episodes)


@pytest.mark.data
@pytest.mark.parametrize(("name", "split"), GOLD_SPLITS)
def test_published_gold_is_right(name: str, split: str, graphenv_data: Path):
    assert check_gold(graphenv_data, name, split, 97 if name == "webnlg" else 24) >= 2


@pytest.mark.soak
@pytest.mark.data
@pytest.mark.runs("text_to_graph")
@pytest.mark.parametrize(("name", "split"), GOLD_SPLITS)
def test_all_published_gold_is_right(name: str, split: str, graphenv_data: Path):
    assert check_gold(graphenv_data, name, split, 1) == SIZES[name][SPLITS.index(split)]
