"""Scene graphs and corrections attacked through the public path: text in, reward out.

A search over edits of answers: what is too much is never free, and no edit of a correction is paid
that leaves the truth where it was. Worst cases take bounded time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from typing import Any

import pytest
from conformance import PRESETS
from scene_play import block, env_with, related

from graphenv import envs
from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode, Outcome, Step
from graphenv.rewards import parse
from graphenv.scenes import Scene, SceneObject, SceneRelation, scene_json
from graphenv.scenes.truths import scene_truth
from graphenv.seeding import rng
from graphenv.task import Target, Task

Answer = dict[str, Any]
EMPTY: Answer = {"objects": [], "relationships": []}
EVERY_FACT = "triple_f1 + ged + object_f1 + attribute_f1 + relation_f1 + soft_match + mces + kg_f1"
EVERY_FACT += " + node_f1 + edge_f1 + wl_similarity + ged_progress"


@lru_cache(maxsize=4)
def made(name: str, reward: str) -> GraphEnv:
    return envs.make(name, split="validation", reward=reward)


def answer_of(scene: Scene) -> Answer:
    found: Answer = json.loads(scene_json(scene, boxes=False))
    return found


def label_of(thing: dict[str, Any]) -> str:
    return str(thing["id"]).rpartition(".")[0]


def more(answer: Answer) -> Iterator[tuple[str, Answer]]:
    """Yield an answer with one thing too many, in every way there is."""
    things, relations = answer["objects"], answer["relationships"]

    def new(what: str, *, thing: Any = None, relation: Any = None) -> tuple[str, Answer]:
        changed = deepcopy(answer)
        changed["objects"] += [thing] if thing else []
        changed["relationships"] += [relation] if relation else []
        return what, changed

    def described(at: int, *attributes: str) -> Answer:
        changed = deepcopy(answer)
        changed["objects"][at].setdefault("attributes", []).extend(attributes)
        return changed

    yield new("an object", thing={"id": "zeppelin.1"})
    yield new("a name that looks empty", thing={"id": "x", "label": "\u200b"})
    for at, thing in enumerate(things):
        label = label_of(thing)
        for form in (label, label.upper(), f" {label} ", f"{label}s", f"{label}\u200b"):
            yield new(f"{form!r} again", thing={"id": "again", "label": form})
        yield f"{label} is zigzag", described(at, "zigzag")
        for attribute in thing.get("attributes", ()):
            yield f"{label} is {attribute} twice", described(at, attribute.upper())
            yield new(f"{attribute} as an object", thing={"id": f"{attribute}.1"})
        loop = related(thing["id"], "near", thing["id"])
        yield new(f"a loop of {label}", relation=loop)
        other = things[at - 1]["id"]
        for predicate in ("zigzag", "is", "near"):
            wrong = related(other, predicate, thing["id"])
            if wrong not in relations:
                yield new(f"{other} {predicate} {label}", relation=wrong)
    for relation in relations:
        yield new("a relation again", relation=relation)
        yield new("in capitals", relation={**relation, "predicate": relation["predicate"].upper()})
        yield new("dangling", relation={**relation, "object": "nowhere.1"})


def changed(answer: Answer, seed: str, count: int) -> Iterator[Answer]:
    """Yield an answer with something added, left out or exchanged, by chance."""
    additions = [one for _, one in more(answer)]
    draw = rng("scene hunt", seed)
    for _ in range(count):
        edited = deepcopy(additions[int(draw.integers(len(additions)))])
        if draw.integers(2):
            edited = deepcopy(answer)
        relations, things = edited["relationships"], edited["objects"]
        if relations and draw.integers(2):
            relations[int(draw.integers(len(relations)))]["predicate"] = "zigzag"
        if relations and draw.integers(2):
            relations.pop(int(draw.integers(len(relations))))
        if things and draw.integers(2):
            things[int(draw.integers(len(things)))]["label"] = "zeppelin"
        if things and draw.integers(2):
            things[int(draw.integers(len(things)))].pop("attributes", None)
        yield edited


def values(reward: str, episodes: list[Episode]) -> list[float]:
    scores = parse(reward)(episodes)
    assert all(score.value is not None for score in scores), [score.reason for score in scores]
    return [score.value or 0.0 for score in scores]


# -- searches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(3))
def test_one_thing_more_than_the_gold_is_charged(index: int) -> None:
    env = made("scene-graph", EVERY_FACT)
    gold = env.begin(index).task.target.scene
    assert gold is not None
    tried = [("gold", answer_of(gold)), *more(answer_of(gold))]
    played = [env.play(index, [block(answer)]) for _, answer in tried]
    for reward in PRESETS["scene-graph"]:
        best, *others = values(reward, played)
        for (what, _), paid in zip(tried[1:], others, strict=True):
            assert paid < best, (reward, what)


@pytest.mark.parametrize("index", range(4))
def test_no_edit_of_a_correction_is_paid_that_leaves_the_truth(index: int) -> None:
    env = made("caption-correction", "correction")
    session = env.begin(index)
    gold, draft = session.task.target.scene, session.world.draft
    assert gold is not None and draft is not None
    for start in (answer_of(draft), answer_of(gold), EMPTY):
        edits = [start, *(one for _, one in more(start)), *changed(start, f"{index}", 20)]
        played = [env.play(index, [block(answer)]) for answer in edits]
        before, *after = zip(values("correction", played), played, strict=True)
        for paid, episode in after:
            assert episode.success is not None and before[1].success is not None
            if episode.success <= before[1].success + 1e-12:
                assert paid <= before[0] + 1e-12, episode.steps[0].text


@pytest.mark.soak
@pytest.mark.parametrize("name", ["scene-graph", "caption-correction"])
def test_search_over_many_tasks(name: str) -> None:
    """Also edits by chance: where the truth falls or stays, the verdict does not rise."""
    verdict = {"scene-graph": "triple_f1", "caption-correction": "correction"}[name]
    env = made(name, verdict)
    for index in range(40):
        gold = env.begin(index).task.target.scene
        assert gold is not None
        start = answer_of(gold)
        edits = [start, *changed(start, f"{name} {index}", 200)]
        played = [env.play(index, [block(answer)]) for answer in edits]
        best, *others = values(verdict, played)
        assert max(others) <= best
        for paid, episode in zip(others, played[1:], strict=True):
            assert episode.success == 1.0 or paid < best, episode.steps[0].text


@pytest.mark.parametrize("reward", [*PRESETS["scene-graph"][:6], *EVERY_FACT.split(" + ")[:-1]])
def test_nothing_is_not_right_for_having_no_edges(reward: str) -> None:
    """Where the gold has an object alone, the empty graph has missed all of it."""
    env = env_with(reward=EVERY_FACT)
    gold, empty = (
        env.play(1, [block(answer)]) for answer in ({**EMPTY, "objects": [{"id": "kite.1"}]}, EMPTY)
    )
    assert (gold.success, empty.success) == (1.0, 0.0)
    assert values(reward, [gold])[0] == pytest.approx(1.0)
    assert values(reward, [empty])[0] == pytest.approx(0.0)


# -- JSON with two readings -----------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    '{"objects": [], "objects": [{"id": "kite.1"}], "relationships": []}',
    '{"objects": [{"id": "kite.1"}], "relationships": [], "\\u006fbjects": []}',
    '{"objects": [{"id": "kite.1", "id": "kite.2"}], "relationships": []}',
    '{"objects": [{"id": "x", "label": "dog", "label": "kite"}], "relationships": []}',
])  # fmt: skip
def test_a_key_that_stands_twice_is_malformed(text: str) -> None:
    outcome = env_with().play(1, [block(text)]).outcome
    assert outcome is not None and outcome.status == "malformed"
    assert "stands twice" in outcome.reason


# -- bounded time ---------------------------------------------------------------------------------


def crowd(count: int, relations: int, names: int, labels: int = 1) -> Scene:
    draw = rng("scene crowd", count, relations, names, labels)
    ends = draw.integers(count, size=(relations, 2)).tolist()
    return Scene(
        tuple(SceneObject(f"{i}", f"thing {i % labels}", ("odd",)) for i in range(count)),
        tuple(SceneRelation(h, f"r{i % names}", t) for i, (h, t) in enumerate(ends)),
    )


WORST = {
    "all alike": (crowd(300, 5_000, 3), crowd(300, 5_000, 4)),
    "as many as can be": (crowd(1_000, 5_000, 3), crowd(1_000, 5_000, 4)),
    "names alike": (crowd(1_000, 5_000, 50, 1_000), crowd(1_000, 5_000, 60, 990)),
    "parallel": (crowd(2, 5_000, 5_000, 2), crowd(2, 5_000, 4_990, 2)),
    "against a small one": (crowd(1_000, 5_000, 5_000), crowd(6, 8, 4)),
}


@pytest.mark.parametrize("case", WORST)
def test_worst_cases_take_bounded_time(case: str) -> None:
    predicted, gold = WORST[case]
    task = Task(
        "worst", 0, ({"role": "user", "content": "?"},), Target(graph=gold.graph, scene=gold)
    )
    outcome = Outcome("ok", graph=predicted.graph, scene=predicted, draft=gold)
    steps = (Step("x", (), "", {"moves": []}),)
    episode = Episode("any", {}, "", task, 1, steps=steps, outcome=outcome)
    terms = (
        *("object_f1 + attribute_f1 + relation_f1", "relation_f1(similarity='string')"),
        *("triple_f1", "correction", "sc_captioner(similarity='string')", "preset('r1-sgg')"),
    )
    for reward in terms:
        started = time.process_time()
        assert parse(reward)([episode])[0].status == "ok"
        assert time.process_time() - started < 5, reward  # measured: below 1
    assert 0.0 <= scene_truth(predicted, gold)[0] <= 1.0
