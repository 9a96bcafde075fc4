"""Comparing rewards: plan, processes, analysis, floors, evaluation, validation, rescoring."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fakes
import numpy as np
import pytest
from conformance import ENVIRONMENT_MODES, VERDICTS

from graphenv import agents, envs
from graphenv.agents.base import Agent, task_indices
from graphenv.agents.bridge.config import TrainConfig
from graphenv.agents.families import family_of
from graphenv.benchmarks.comparison.analysis import analyse, finished_runs, normalized
from graphenv.benchmarks.comparison.examples import pick_examples
from graphenv.benchmarks.comparison.floors import BagOfWords, bag_of_words_episodes, compute_floors
from graphenv.benchmarks.comparison.plan import Plan, make_variants
from graphenv.benchmarks.comparison.runner import Job, run_jobs, run_plan
from graphenv.benchmarks.evaluate import answer_key, evaluate
from graphenv.benchmarks.rescore import rescore
from graphenv.benchmarks.validate import validate
from graphenv.envs.registry import ENVIRONMENTS
from graphenv.episode import read_records
from graphenv.errors import ConfigError, DataError
from graphenv.task import Message
from graphenv.text import format_answer

# -- plan -----------------------------------------------------------------------------------------


def test_variants_have_their_own_credit() -> None:
    variants = make_variants(["exact", "exact + potential(progress) @turn"], control=True)
    assert [(v.credit, v.control_of) for v in variants] == [
        ("outcome", ""),
        ("turn", ""),
        ("outcome", "exact"),
    ]
    assert len({v.slug for v in variants}) == 3
    assert all(v.slug.replace("-", "").isalnum() for v in variants)


@pytest.mark.parametrize(
    ("rewards", "said"),
    [(["exact"], "no comparison"), (["exact", "exact "], "same reward"), ([], "no comparison")],
)
def test_variants_must_be_two_and_different(rewards: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_variants(rewards)


def test_runs_are_paired(tmp_path: Path) -> None:
    runs = list(fakes.make_plan(tmp_path, seeds=3).runs())
    assert [run.seed for run in runs] == [0, 0, 1, 1, 2, 2]
    assert len({run.config.start for run in runs}) == 1, "one warm start for all"
    assert len({run.folder for run in runs}) == 6
    own = replace(fakes.make_plan(tmp_path, seeds=3), start_per_seed=True)
    assert len({run.config.start for run in own.runs()}) == 3


def test_a_plan_may_grow_but_not_change(tmp_path: Path) -> None:
    fakes.make_plan(tmp_path, seeds=2).save()
    more = fakes.make_plan(tmp_path, seeds=3, rewards=(*fakes.REWARDS, "answer_f1"))
    more.save()
    assert Plan.load(tmp_path) == more
    with pytest.raises(ConfigError, match=r"other settings \(steps\)"):
        replace(more, base=more.base.with_(steps=7)).save()


def test_an_environment_may_not_bring_its_own_reward(tmp_path: Path) -> None:
    base = TrainConfig(env_kwargs={"reward": "exact"}, out=str(tmp_path))
    with pytest.raises(ConfigError, match="reward="):
        Plan(base, tuple(make_variants(fakes.REWARDS)), 2)


def test_no_plan_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"plan\.json"):
        Plan.load(tmp_path)


# -- processes ------------------------------------------------------------------------------------


def _job(folder: Path, name: str, code: str) -> Job:
    return Job(name, [sys.executable, "-c", code], folder / name, 1)


def test_one_failure_shows_its_log_and_stops_no_other(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = "import sys; print('first line'); sys.exit('out of paper')"
    good = "import os, pathlib; print(os.environ['OMP_NUM_THREADS'])"
    jobs = [_job(tmp_path, "bad", bad), *(_job(tmp_path, f"good{i}", good) for i in range(3))]
    [failure] = run_jobs(jobs, parallel=2, progress=True, label="x")
    assert (failure.name, failure.code) == ("bad", 1)
    assert "out of paper" in failure.log_tail
    assert "out of paper" in capfd.readouterr().err
    assert [(tmp_path / f"good{i}" / "log.txt").read_text().strip() for i in range(3)] == ["1"] * 3


TRAINER = textwrap.dedent(
    """
    import json, pathlib, sys
    config = json.loads(pathlib.Path(sys.argv[sys.argv.index("--config") + 1]).read_text())
    out = pathlib.Path(config["out"])
    out.mkdir(parents=True, exist_ok=True)
    with (out / "calls.txt").open("a") as calls:
        calls.write("x")
    if "--warm_start_only" in sys.argv:
        (out / "warmup.json").write_text("{}")
        sys.exit(0)
    assert (pathlib.Path(config["start"]) / "warmup.json").is_file() and config["resume"]
    if config["seed"] == 1 and not (out / "tried").exists():
        (out / "tried").write_text("")
        sys.exit("no luck this time")
    (out / "final.json").write_text("{}")
    """
)


def test_the_same_command_again_runs_only_what_is_missing(tmp_path: Path) -> None:
    plan = fakes.make_plan(tmp_path, seeds=2)
    command = (sys.executable, "-c", TRAINER)
    assert len(run_plan(plan, progress=False, command=command)) == 2, "both runs of seed 1"
    assert not run_plan(plan, progress=False, command=command)
    calls = {spec.seed: (spec.folder / "calls.txt").read_text() for spec in plan.runs()}
    assert calls == {0: "x", 1: "xx"}
    assert (Path(plan.start_config(0).out) / "calls.txt").read_text() == "x"


def test_a_failed_warm_start_ends_it(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "raise SystemExit('no model here')")
    with pytest.raises(ConfigError, match="no model here"):
        run_plan(fakes.make_plan(tmp_path), progress=False, command=command)


# -- analysis -------------------------------------------------------------------------------------

EXACT, SHAPED = fakes.REWARDS


def test_a_clear_difference_is_decided(tmp_path: Path) -> None:
    plan = fakes.fake_comparison(tmp_path, {EXACT: 0.3, SHAPED: 0.8}, control=True)
    result = analyse(plan, finished_runs(plan))
    [pair] = result["pairs"]
    assert pair["verdict"] == f"{SHAPED} better"
    assert pair["probability_of_improvement"]["value"] == 0.0
    assert not result["illustrative"]
    [control] = result["controls"]
    assert control["identical"] is True
    exact, shaped, _ = result["variants"]
    assert exact["final"]["low"] <= exact["final"]["value"] <= exact["final"]["high"]
    assert [point["step"] for point in exact["curve"]] == [0, 25, 50, 75, 100]
    assert exact["gap"]["heldout"] == pytest.approx(0.0), "the reward is the truth"
    assert shaped["gap"]["heldout"] > 0
    assert exact["reward_share"] == pytest.approx(0.02)
    assert 0 < exact["malformed"] < 0.3
    assert 0 < exact["zero_variance"] < 1
    json.dumps(result, allow_nan=False)


def test_few_seeds_are_illustrative_and_one_decides_nothing(tmp_path: Path) -> None:
    plan = fakes.fake_comparison(tmp_path, {EXACT: 0.3, SHAPED: 0.8}, seeds=1)
    result = analyse(plan, finished_runs(plan))
    assert result["illustrative"]
    assert result["pairs"][0]["verdict"] == "undecided"


def test_verdicts_are_stricter_the_more_pairs_there_are(tmp_path: Path) -> None:
    levels = {EXACT: 0.4, SHAPED: 0.6, "answer_f1": 0.5}
    plan = fakes.fake_comparison(tmp_path, levels, tasks=20)
    result = analyse(plan, finished_runs(plan))
    assert len(result["pairs"]) == 3
    assert result["pair_level"] == pytest.approx(1 - 0.05 / 3)
    assert all(p["difference"]["level"] == result["pair_level"] for p in result["pairs"])


def test_a_control_that_differs_is_reported(tmp_path: Path) -> None:
    plan = fakes.fake_comparison(tmp_path, {EXACT: 0.4, SHAPED: 0.6}, control=True, tasks=20)
    [spec, *_] = [spec for spec in plan.runs() if spec.variant.control_of]
    final = json.loads((spec.folder / "final.json").read_text())
    final["successes"][0] = 1.0 - final["successes"][0]
    (spec.folder / "final.json").write_text(json.dumps(final))
    [control] = analyse(plan, finished_runs(plan))["controls"]
    assert control["identical"] is False
    assert control["differing_share"] == pytest.approx(1 / 100)


def test_incomplete_runs_are_named_and_pairs_keep_shared_seeds(tmp_path: Path) -> None:
    plan = fakes.fake_comparison(tmp_path, {EXACT: 0.3, SHAPED: 0.8}, tasks=20)
    lost = [spec for spec in plan.runs() if spec.variant.name == EXACT][1]
    (lost.folder / "final.json").unlink()
    (lost.folder / "metrics.jsonl").write_text('{"step": 10, "rew')
    result = analyse(plan, finished_runs(plan))
    assert result["incomplete"] == [f"{EXACT}, seed 1"]
    assert result["pairs"][0]["seeds"] == 4
    assert result["illustrative"], "four seeds are left"


def test_nothing_finished_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing to compare"):
        finished_runs(fakes.make_plan(tmp_path))


def test_runs_on_different_tasks_are_refused(tmp_path: Path) -> None:
    plan = fakes.fake_comparison(tmp_path, {EXACT: 0.3, SHAPED: 0.8}, tasks=20)
    spec = next(iter(plan.runs()))
    final = json.loads((spec.folder / "final.json").read_text())
    final["indices"][0] = 999
    (spec.folder / "final.json").write_text(json.dumps(final))
    with pytest.raises(DataError, match="different tasks"):
        analyse(plan, finished_runs(plan))


def test_a_broken_run_folder_is_named(tmp_path: Path) -> None:
    plan = fakes.fake_comparison(tmp_path, {EXACT: 0.3, SHAPED: 0.8}, tasks=20)
    spec = next(iter(plan.runs()))
    (spec.folder / "final.json").write_text('{"step": 1}')
    with pytest.raises(DataError, match=spec.variant.slug):
        finished_runs(plan)


def test_tasks_without_a_reward_count_in_no_mean(tmp_path: Path) -> None:
    plan = fakes.fake_comparison(tmp_path, {EXACT: 0.3, SHAPED: 0.8}, tasks=20)
    for spec in plan.runs():
        final = json.loads((spec.folder / "final.json").read_text())
        final["rewards"] = [None] * 20
        (spec.folder / "final.json").write_text(json.dumps(final))
    result = analyse(plan, finished_runs(plan))
    assert result["variants"][0]["gap"]["heldout"] is None
    json.dumps(result, allow_nan=False)


def test_rewards_stand_beside_the_truth_on_one_scale() -> None:
    assert normalized(np.array([0.0, 1.3]), SHAPED).tolist() == pytest.approx([0.0, 1.0])


def test_examples_are_replayed_with_their_parts(tmp_path: Path) -> None:
    plan = fakes.fake_comparison(tmp_path, {EXACT: 0.3, SHAPED: 0.8}, tasks=20)
    examples = pick_examples(finished_runs(plan))
    kinds = {example["kind"] for example in examples}
    assert {"best", "worst"} <= kinds <= {"best", "worst", "rewarded, but wrong"}
    best = next(example for example in examples if example["kind"] == "best")
    assert best["success"] == 1.0
    assert best["parts"]
    assert best["turns"][0]["text"] == best["gold_program"]


# -- floors ---------------------------------------------------------------------------------------

ONE_HOP: dict[str, Any] = {"mode": "program", "hops": 1}


def test_floors_come_out_in_order() -> None:
    config = TrainConfig(env_kwargs=ONE_HOP, warmup=64)
    rows = {row["name"]: row["value"] for row in compute_floors(config, range(80))}
    few, many = (value for name, value in rows.items() if name.startswith("bag of words"))
    assert rows["copy-prompt"] == 0.0
    assert rows["copy-prompt"] <= rows["random"] < few < many


def test_bag_of_words_puts_paths_together_that_it_never_saw() -> None:
    env = envs.make("kgqa", mode="program", hops=2)
    tasks = [env.source[i] for i in range(1500)]
    classifier = BagOfWords(tasks)
    seen = {task.target.program for task in tasks}
    fresh = [env.source[i] for i in range(1500, 4000)]
    fresh = [task for task in fresh if task.target.program not in seen][:40]
    assert fresh
    guessed = classifier.predict(fresh)
    assert sum(g == t.target.program for g, t in zip(guessed, fresh, strict=True)) > 4
    assert classifier.predict([]) == []


def test_bag_of_words_plays_tool_mode_by_program() -> None:
    episodes = bag_of_words_episodes(
        "kgqa", {"hops": 1, "max_turns": 4}, range(5), train_tasks=50, seed=0
    )
    assert [len(episode) for episode in episodes] == [1] * 5


# -- evaluation -----------------------------------------------------------------------------------


def test_evaluated_tasks_are_stable_and_distinct() -> None:
    heldout = task_indices(1000, 50, "heldout")
    assert heldout == task_indices(1000, 50, "heldout") != task_indices(1000, 50, "validation")
    assert len(set(heldout)) == 50


class Scripted(Agent):
    """Says the gold program of the tasks' first sample and something else for the others."""

    def __init__(self, said: list[str]) -> None:
        self.said = said

    def act(self, messages: Sequence[Message]) -> str:
        return self.said.pop(0)


def test_samples_give_pass_majority_and_best_of() -> None:
    env = envs.make("kgqa", mode="program", hops=1, reward="format")
    gold = [agents_turn(env, i) for i in range(2)]
    # Task 0: one of four right, three agree on a wrong answer. Task 1: all right.
    said = [gold[0], *['<answer>["nobody"]</answer>'] * 3, *[gold[1]] * 4]
    result = evaluate(env, Scripted(said), [0, 1], samples=4, batch_size=8)
    assert result.success.value == pytest.approx((0.25 + 1) / 2)
    assert result.pass_at(1).value == pytest.approx(result.success.value)
    assert result.pass_at(2).value == pytest.approx((0.5 + 1) / 2)
    assert result.pass_at(4).value == 1.0
    assert result.majority().value == pytest.approx(0.5)
    # `format` likes all of them: of equals the mean counts.
    assert result.best_of().value == pytest.approx((0.25 + 1) / 2)
    assert result.ks() == [1, 2, 4]
    told = json.loads(json.dumps(result.to_json()))
    assert told["pass_at"]["4"]["value"] == 1.0


def agents_turn(env: Any, index: int) -> str:
    return str(env.source[index].target.program)


def test_best_of_follows_the_reward() -> None:
    env = envs.make("kgqa", mode="program", hops=1, reward="exact")
    said = [agents_turn(env, 0), *['<answer>["nobody"]</answer>'] * 3]
    assert evaluate(env, Scripted(said), [0], samples=4).best_of().value == 1.0


def test_who_says_nothing_readable_does_not_vote() -> None:
    env = envs.make("kgqa", mode="program", hops=1)
    assert answer_key(env.play(0, ["> >"])) is None
    assert answer_key(env.play(0, ['<answer>["A", "b"]</answer>'])) == frozenset({"a", "b"})


def test_evaluation_without_tasks_is_refused() -> None:
    env = envs.make("kgqa")
    with pytest.raises(ValueError, match="at least one task"):
        evaluate(env, agents.make("random", env), [])


# -- validation -----------------------------------------------------------------------------------


GRADED = {
    "kgqa": "0.5*answer_f1 + 0.5*path_similarity",
    "text2sql": "graphenv-query",
    "text2cypher": "graphenv-query",
}
"""Rewards that grade by degrees; the default one where a family has no row."""


@pytest.mark.parametrize(("id", "kwargs"), ENVIRONMENT_MODES)
def test_every_family_is_in_order(id: str, kwargs: dict[str, Any]) -> None:
    family = next(row.name for row in ENVIRONMENTS if row.id == id)
    graded = GRADED.get(family, VERDICTS[family])
    env = envs.make(id, **kwargs, reward=graded)
    result = validate(env, task_indices(len(env.tasks), 25, "train"), seed=1)
    assert result.ok, result.problems
    listing = bool(family_of(env, "test").everything(0))
    assert len(result.players) == 8 + listing + (family == "kgqa")


def test_a_reward_that_ranks_the_wrong_way_is_caught() -> None:
    env = envs.make("kgqa", reward="1 - answer_f1")
    problems = " ".join(validate(env, range(10)).problems)
    assert "more than oracle" in problems
    assert "knows nothing" in problems


def test_everything_is_near_first_and_fits() -> None:
    env = envs.make("kgqa")
    listed = family_of(env, "test").everything(0)
    assert set(env.source[0].target.answer or ()) <= set(listed)
    assert len(set(listed)) == len(listed)
    episode = env.play(0, [format_answer(listed)])
    assert (episode.status, episode.success) == ("ok", 0.0)


# -- rescoring ------------------------------------------------------------------------------------


def test_rescore_grades_stored_episodes(tmp_path: Path) -> None:
    plan = fakes.fake_comparison(tmp_path, {EXACT: 0.3, SHAPED: 0.6}, tasks=20)
    records = list(read_records(next(iter(plan.runs())).folder / "episodes.jsonl"))
    result = rescore(records, ["exact", "1 - exact", "format"])
    exact, inverse, form = result.summary()
    assert (exact["rank_correlation"], inverse["rank_correlation"]) == (1.0, -1.0)
    assert (exact["mean_right"], exact["mean_wrong"]) == (1.0, 0.0)
    assert form["graded"] == len(records) == 20
    assert not result.mismatches


def test_a_log_that_does_not_replay_is_counted_not_graded(tmp_path: Path) -> None:
    env = envs.make("kgqa", **ONE_HOP)
    good, bad = (env.play(i, [agents_turn(env, i)]).record() for i in range(2))
    bad = replace(bad, digest="0" * len(bad.digest))
    result = rescore([good, bad], ["exact", "format"])
    assert list(result.mismatches) == [1]
    assert [column.values for column in result.columns] == [[1.0, None], [1.0, None]]
    assert result.to_json()["replay_mismatch"] == 1


def test_rescoring_nothing_is_said() -> None:
    with pytest.raises(DataError, match="no episode"):
        rescore([], ["exact"])


# -- the whole thing ------------------------------------------------------------------------------


@pytest.mark.train
def test_compare_trains_analyses_and_reports(tmp_path: Path) -> None:
    from graphenv.agents.tiny import environment_text, make_tiny
    from graphenv.benchmarks.comparison.compare import compare

    kwargs = {"mode": "program", "hops": 1, "instructions": "none"}
    text = environment_text([envs.make("kgqa", **kwargs)], tasks=50)
    base = TrainConfig(
        env_kwargs=kwargs,
        start=str(make_tiny(text, tmp_path / "model", size="nano")),
        warmup=8,
        steps=2,
        eval_every=1,
        eval_tasks=6,
        heldout_tasks=8,
        max_new_tokens=8,
        grpo={
            "per_device_train_batch_size": 8,
            "num_generations": 4,
            "max_completion_length": 8,
            "logging_steps": 1,
        },
        out=str(tmp_path / "out"),
    )
    result = compare(base, list(fakes.REWARDS), seeds=1, progress=False)
    assert not result["failures"], result["failures"]
    assert not result["incomplete"]
    assert [len(variant["curve"]) for variant in result["variants"]] == [3, 3]
    assert result["floors"][-1]["name"] == "warm start"
    assert [path.name for path in tmp_path.rglob("*.html")] == ["report.html"]
    # Again: nothing is trained, the result is the same.
    assert compare(base, list(fakes.REWARDS), seeds=1, progress=False) == result
