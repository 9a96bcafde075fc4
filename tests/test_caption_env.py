"""`graphenv/CaptionCorrection-v0`: drafts, corrections, captions that are read, stated reasons."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from caption_fixture import CAFE, RIDER, TREE, block, make_env, scene
from fuzz import fuzz_texts
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv import agents, envs
from graphenv.agents.oracle import gold_turns, planted_turns
from graphenv.benchmarks.validate import validate
from graphenv.envs.captions.env import CaptionCorrectionEnv
from graphenv.envs.captions.planted import MISTAKES, planted_scene
from graphenv.envs.captions.session import MAX_GROWTH
from graphenv.envs.replay import replay
from graphenv.envs.scenes.sources.base import SceneVocabulary
from graphenv.episode import Episode
from graphenv.errors import ConfigError, RewardError
from graphenv.scenes import Scene, read_scene
from graphenv.scenes.edits import fact_level, fact_set
from graphenv.scenes.rationale import rationale_text
from graphenv.scenes.truths import scene_truth
from graphenv.text import format_answer, normalize

PARSER = "caption_fixture:simple_parser"
MODES: dict[str, dict[str, Any]] = {
    "planted": {},
    "triples": {"answer": "triples"},
    "own": {"draft": "own"},
    "told": {"form": "caption"},
    "told own": {"form": "caption", "draft": "own"},
    "reasoning": {"mode": "reasoning"},
}
every = pytest.mark.parametrize("mode", MODES)
WORDS = SceneVocabulary(
    ("cat", "dog", "horse", "man", "tree"), ("black", "brown", "red"), ("feed", "near", "ride")
)
GOLD = ("man, ride, horse", "horse, is, brown", "man, wear, hat")


def small(mode: str, **more: Any) -> CaptionCorrectionEnv:
    env = envs.make("caption-correction", **{"tasks": 60, **MODES[mode], **more})
    assert isinstance(env, CaptionCorrectionEnv)
    return env


def value(env: CaptionCorrectionEnv, episode: Episode) -> float | None:
    return env.reward([episode])[0].value


# -- mistakes -------------------------------------------------------------------------------------

_LABELS = st.sampled_from(["man", "horse", "hat", "Tree"])
_FACTS = st.one_of(
    st.tuples(_LABELS),
    st.tuples(_LABELS, st.just("is"), st.sampled_from(["brown", "tall"])),
    st.tuples(_LABELS, st.sampled_from(["ride", "on"]), _LABELS),
)


@given(st.lists(_FACTS, min_size=1, max_size=6), st.integers(0, 6), st.integers(0, 99))
@settings(max_examples=60)
def test_planted_mistakes_are_nested_and_each_lowers_the_truth(
    facts: list[tuple[str, ...]], errors: int, seed: int
):
    gold = Scene.from_triples(facts)
    draft, made = planted_scene(gold, errors, f"test {seed}", WORDS)
    assert (draft, made) == planted_scene(gold, errors, f"test {seed}", WORDS)
    assert len(made) <= errors and draft.objects
    before = 1.0
    for count in range(1, len(made) + 1):
        fewer, said = planted_scene(gold, count, f"test {seed}", WORDS)
        assert said == made[:count]
        truth = fact_level(fewer, gold)
        assert truth < before
        before = truth
    if not made:
        assert fact_set(draft) == fact_set(gold)
    true = {normalize(word) for fact in gold.facts for word in fact}
    told = {normalize(word) for fact in draft.facts for word in fact}
    known = {normalize(word) for words in WORDS for word in words}
    assert told <= true | known | {"is"}


def test_every_kind_of_mistake_is_planted():
    gold = scene(*GOLD, "tree, is, tall")
    kinds: Counter[str] = Counter()
    for n in range(200):
        _, made = planted_scene(gold, 2, f"kinds {n}", WORDS)
        kinds.update(said.partition(":")[0] for said in made)
    assert set(kinds) == set(MISTAKES)
    assert min(kinds.values()) > 15
    only, made = planted_scene(gold, 4, "some", WORDS, mistakes=("change relation",))
    assert len(made) == 2 and [o.label for o in only.objects] == [o.label for o in gold.objects]


def test_each_task_has_one_of_the_numbers_of_mistakes():
    env = small("planted", errors=[0, 2])
    counts = Counter(len(task.meta["mistakes"]) for task in env.tasks)
    assert set(counts) == {0, 2} and min(counts.values()) > 15
    assert {len(task.meta["mistakes"]) for task in small("planted", errors=1).tasks} == {1}


@pytest.mark.parametrize("mode", ["planted", "triples", "told"])
def test_the_draft_is_what_is_shown(mode: str):
    env = small(mode)
    for index in range(20):
        session = env.begin(index)
        shown = session.task.prompt.partition("Draft:")[2].strip()
        read = env.captions.read if env.captions is not None else read_scene
        found, reason = read(shown)
        assert found is not None, reason
        draft = session.world.draft
        assert found == draft
        gold = session.task.target.scene
        assert draft is not None and gold is not None
        assert (scene_truth(draft, gold)[0] == 1.0) == (not session.task.meta["mistakes"])


# -- playing --------------------------------------------------------------------------------------


@every
def test_gold_is_right_and_mistakes_cost(mode: str):
    found = validate(small(mode), range(12))
    assert found.ok, found.problems


@every
def test_check_env_pickling_and_replay(mode: str):
    name = "graphenv/CaptionCorrection-v0"
    env = gym.make(name, tasks=60, **MODES[mode]).unwrapped
    assert isinstance(env, CaptionCorrectionEnv)
    check_env(env)
    env.reset(options={"index": 3})
    twin = pickle.loads(pickle.dumps(env))
    for text in gold_turns(env, 3):
        assert twin.step(text) == env.step(text)
    assert env.success == 1.0 and env.score is not None and env.score.value == 1.0
    assert replay(env.episode.record()).digest() == env.episode.digest()


@every
def test_random_play_is_readable_and_wrong(mode: str):
    env = small(mode)
    played = agents.rollout_batch(env, agents.make("random", env, seed=1), range(15))
    assert {episode.status for episode in played} <= {"ok"}
    # One guess in fifteen at "yes" or a name may be right.
    assert sum(episode.success or 0.0 for episode in played) < 0.2 * len(played)


@every
def test_any_text_gets_a_status(mode: str):
    env = small(mode)
    low, high = env.reward.range
    statuses: Counter[str] = Counter()
    for index, text in fuzz_texts(env, 120, f"captions {mode}"):
        episode = env.play(index, [text] * env.max_turns)
        assert episode.status is not None
        statuses[episode.status] += 1
        graded = value(env, episode)
        assert graded is not None and low <= graded <= high
        assert len(episode.steps[-1].observation) <= env.max_observation + 40
        json.dumps(episode.record().to_json()).encode()
    assert set(statuses) <= {"ok", "malformed", "infeasible", "truncated"}
    assert statuses["ok"] > 5, statuses


def test_nothing_of_the_gold_is_in_the_info():
    env = small("planted")
    env.reset(options={"index": 0})
    *_, info = env.step("?")
    shown = json.dumps({k: v for k, v in info.items() if k not in ("metrics", "messages")})
    gold = env.tasks[0].target.scene
    assert gold is not None and gold.relations[0].relation not in shown


def test_a_correction_by_hand():
    """Two facts of three are right; each edit through the whole environment."""
    env = make_env(errors=2)
    assert env.tasks[RIDER].meta["mistakes"]
    draft = env.begin(RIDER).world.draft
    assert draft is not None
    before = scene_truth(draft, scene(*GOLD))[0]
    kept = env.play(RIDER, [block(*draft.facts)])
    assert (value(env, kept), kept.success, kept.metrics["gain"]) == (0.0, before, 0.0)
    right = env.play(RIDER, [block(*GOLD)])
    assert (value(env, right), right.success) == (1.0, 1.0)
    assert right.metrics["gain"] == pytest.approx(1.0 - before)
    half = env.play(RIDER, [block(*GOLD[:2])])
    after = half.success
    assert after == pytest.approx(0.8) and after is not None
    assert value(env, half) == pytest.approx((after - before) / (1 - before))
    assert half.metrics["wrong_removals"] + half.metrics["right_additions"] >= 1
    nothing = env.play(RIDER, ["There is nothing wrong."])
    assert (value(env, nothing), nothing.status, nothing.success) == (-1.0, "malformed", 0.0)


def test_a_perfect_draft_is_to_be_left_alone():
    env = make_env(errors=0)
    for index, gold in ((RIDER, GOLD), (TREE, ("tree",))):
        assert value(env, env.play(index, [block(*gold)])) == 1.0
        changed = value(env, env.play(index, [block(*gold, "dog")]))
        assert changed is not None and changed < 0


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (block("tree"), "ok"),
        ('<answer>{"objects": [{"id": "tree.1"}]}</answer>', "ok"),
        ('{"objects": [{"id": "tree.1"}]}', "ok"),
        (block("tree") * 2, "malformed"),
        ('[["tree"]]', "malformed"),
        ("", "malformed"),
        ('<tool_call>{"name": "remove", "arguments": {}}</tool_call>', "malformed"),
        ("<program>tree</program>", "malformed"),
        ('{"objects": [], "relationships": [{"subject": "a", "predicate": "b", "object": "c"}]}',
         "infeasible"),
    ],
)  # fmt: skip
def test_how_graphs_are_read(text: str, status: str):
    env = make_env(errors=0)
    episode = env.play(TREE, [text])
    assert episode.status == status
    assert (value(env, episode) == 1.0) == (status == "ok")


# -- own drafts -----------------------------------------------------------------------------------


def test_an_own_draft_is_corrected_in_a_second_turn():
    env = make_env(draft="own")
    assert "Draft:" not in env.tasks[RIDER].prompt
    session = env.begin(RIDER)
    first = session.turn(block(*GOLD[:2]))
    assert "Compare your draft" in first.observation and session.outcome is None
    session.turn(block(*GOLD))
    episode = session.episode()
    assert episode.outcome is not None and episode.outcome.draft == scene_of(block(*GOLD[:2]))
    assert value(env, episode) == pytest.approx(0.8)
    assert episode.metrics["draft_f1"] == pytest.approx(0.8)
    assert episode.metrics["gain"] == pytest.approx(0.2)
    twice = env.play(RIDER, [block(*GOLD)] * 2)
    spoilt = env.play(RIDER, [block("dog"), block(*GOLD)])
    assert (value(env, twice), value(env, spoilt)) == (1.0, 0.0), "a bad first try is no gain"


def scene_of(text: str) -> Scene:
    found, reason = read_scene(text.strip("`").removeprefix("json").strip())
    assert found is not None, reason
    return found


def test_an_own_draft_that_cannot_be_read_is_an_empty_one():
    env = make_env(draft="own")
    episode = env.play(RIDER, ["Let me see.", block(*GOLD)])
    assert episode.steps[0].status == "malformed" and "json" in episode.steps[0].observation
    assert (episode.status, episode.success, value(env, episode)) == ("ok", 1.0, 0.0)
    ended = env.play(RIDER, [block(*GOLD), "It is right."])
    assert (ended.status, ended.success, value(env, ended)) == ("truncated", 0.0, 0.0)
    assert ended.outcome is not None and ended.outcome.draft == scene_of(block(*GOLD))


# -- captions -------------------------------------------------------------------------------------


def test_embedded_captions_are_graded_by_their_exact_inverse():
    env = small("told", errors=1)
    assert env.parser_error_rate == 0.0
    for index in range(10):
        caption = str(env.tasks[index].meta["caption"])
        episode = env.play(index, [f"<answer>{caption}</answer>"])
        assert (episode.success, value(env, episode)) == (1.0, 1.0)
        assert episode.metrics["parser_error_rate"] == 0.0
        refused = env.play(index, [caption + " It is nice."])
        assert refused.status == "malformed" and "sentence" in (refused.outcome or refused).reason  # type: ignore[union-attr]
        long = env.play(index, [caption * (MAX_GROWTH + 3) + "x" * 400])
        assert long.status == "malformed" and "characters" in long.steps[0].reason


def test_a_parser_of_the_user_reads_captions_and_its_errors_are_reported():
    env = make_env(form="caption", parser=PARSER, errors=1)
    assert env.parser_error_rate == 1.0, "it reads none of the hand-made captions"
    assert env.tasks[RIDER].prompt.partition("Draft:")[2].strip().endswith(".")
    episode = env.play(RIDER, ["man ride horse. horse is brown. man wear hat."])
    assert (episode.success, episode.metrics["parser_error_rate"]) == (1.0, 1.0)
    assert value(env, episode) == 1.0
    assert env.play(RIDER, ["and so on and on"]).status == "malformed"
    assert pickle.loads(pickle.dumps(env)).parser_error_rate == 1.0
    exact = make_env(form="caption", parser="caption_fixture:knowing_parser")
    assert exact.parser_error_rate == pytest.approx(1 / 6)


def test_a_parser_that_crashes_is_no_wrong_answer():
    with pytest.raises(ConfigError, match=r"raised KeyError.*captions of the source"):
        make_env(form="caption", parser="caption_fixture:crashing_parser")
    with pytest.raises(ConfigError, match="returned a str"):
        make_env(form="caption", parser="caption_fixture:describing_parser")
    env = make_env(form="caption", parser="caption_fixture:knowing_parser")
    with pytest.raises(RewardError, match="raised ValueError"):
        env.play(RIDER, ["boom"])


# -- images ---------------------------------------------------------------------------------------


def test_where_there_is_no_caption_the_image_is_shown():
    env = make_env(captions=False, pictures=True)
    content = env.tasks[CAFE].messages[-1]["content"]
    assert content[0] == {"type": "image", "image": "/pictures/1.png"}
    assert "Caption" not in content[1]["text"] and "Draft" in content[1]["text"]
    assert "The image shows what is true" in str(env.tasks[CAFE].messages[0]["content"])
    both = make_env(pictures=True, images=True)
    assert "the image shows the same scene" in str(both.tasks[CAFE].messages[0]["content"])
    with pytest.raises(ConfigError, match="nothing tells what is true"):
        make_env(captions=False)
    with pytest.raises(ConfigError, match="images=True"):
        make_env(images=True)


# -- reasons --------------------------------------------------------------------------------------


def test_reasons_and_an_answer():
    env = make_env(mode="reasoning")
    assert "Question: What does the man wear?" in env.tasks[RIDER].prompt
    why = "(man: object)\n(hat: object)\n(man, wear, hat)\n"
    cases = {
        why + format_answer(["hat"]): (1.0, "ok"),
        f"<think>well</think>{why}" + format_answer(["Hat"]): (1.0, "ok"),
        format_answer(["hat"]): (0.5, "ok"),
        why + format_answer(["horse"]): (0.0, "ok"),
        why: (0.0, "malformed"),
        "The man wears a hat.\n" + format_answer(["hat"]): (0.0, "malformed"),
        why + format_answer(["hat"]) * 2: (0.0, "malformed"),
        why.replace("wear", "eat") + format_answer(["hat"]): (0.5 + 1 / 3, "ok"),
    }
    for text, (expected, status) in cases.items():
        episode = env.play(RIDER, [text])
        assert episode.status == status, text
        assert value(env, episode) == pytest.approx(expected), text
        assert episode.success == float(
            status == "ok" and "hat" in text.lower().split("<answer>")[-1]
        )


def test_reasons_of_the_embedded_source_are_facts_of_the_scene():
    env = small("reasoning")
    for task in env.tasks:
        rationale, told = task.target.rationale, task.target.scene
        assert rationale is not None and told is not None
        assert set(rationale.triples) <= set(told.graph.triples)
        assert rationale_text(rationale).count("\n") < 12
        assert str(task.meta["question"]) in task.prompt


def test_each_mode_provides_what_it_has():
    reasoning = "0.5*exact + 0.5*rationale_f1"
    assert make_env().kwargs["reward"] == "correction"
    assert make_env(mode="reasoning").kwargs["reward"] == reasoning
    make_env(mode="reasoning", reward="chexpo + ged + answer_f1")
    make_env(reward="sc_captioner + ged + object_f1")
    with pytest.raises(ConfigError, match=r"rationale_f1.*target\.rationale"):
        make_env(reward="rationale_f1")
    with pytest.raises(ConfigError, match=r"correction.*outcome\.draft"):
        make_env(mode="reasoning", reward="correction")


# -- arguments ------------------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"mode": "reason"}, "mode='reason' is not one of correct, reasoning"),
    ({"draft": "mine"}, "draft='mine'"),
    ({"form": "text"}, "form='text'"),
    ({"answer": "yaml"}, "answer='yaml'"),
    ({"errors": -1}, "errors=-1"),
    ({"errors": []}, r"errors=\[\]"),
    ({"errors": [1, 99]}, "from 0 to 20"),
    ({"errors": True}, "errors=True"),
    ({"images": "yes"}, "images='yes'"),
    ({"max_turns": 3}, "are 1"),
    ({"draft": "own", "max_turns": 1}, "are 2"),
    ({"parser": PARSER}, "set form='caption'"),
    ({"form": "caption"}, "no grammar.*parser='module:function'"),
    ({"form": "caption", "parser": "nowhere:f"}, "cannot be loaded"),
    ({"form": "caption", "parser": "math:pi"}, "no function"),
    ({"erors": 1}, "Did you mean 'errors'"),
]


@pytest.mark.parametrize(("kwargs", "why"), WRONG, ids=[str(k) for k, _ in WRONG])
def test_wrong_arguments_are_one_clear_error(kwargs: dict[str, Any], why: str):
    with pytest.raises(ConfigError, match=why):
        make_env(**kwargs)


def test_questions_need_a_source_that_has_them(tmp_path: Path):
    import scene_layouts

    root = scene_layouts.factual(tmp_path)
    with pytest.raises(ConfigError, match="source='synthetic' has them"):
        envs.make("caption-correction", source="factual", root=root, mode="reasoning")


# -- published captions ---------------------------------------------------------------------------


def _factual(folder: Path, **more: Any) -> CaptionCorrectionEnv:
    root = str(folder / "scene_graph" / "factual")
    env = envs.make("caption-correction", source="factual", root=root, split="heldout", **more)
    assert isinstance(env, CaptionCorrectionEnv)
    return env


@pytest.mark.data
def test_factual_drafts_are_wrong_and_gold_is_right(graphenv_data: Path):
    env = _factual(graphenv_data, errors=[1, 2])
    assert validate(env, range(0, 1000, 50)).ok
    untouched = sum(not task.meta["mistakes"] for task in env.tasks[:200])
    assert untouched == 0


@pytest.mark.data
@pytest.mark.soak
@pytest.mark.parametrize("answer", ["json", "triples"])
def test_gold_is_right_on_all_of_factual_dev(graphenv_data: Path, answer: str):
    env = _factual(graphenv_data, answer=answer, reward="correction + triple_f1 + ged")
    for index in range(len(env.tasks)):
        episode = env.play(index, gold_turns(env, index))
        assert (episode.success, value(env, episode)) == (1.0, 3.0), episode.task.id
        worse = env.play(index, planted_turns(env, index, 1))
        assert worse.success is not None and worse.success < 1.0
