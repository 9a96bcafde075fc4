"""Training end to end on the tiny policy: warm start, GRPO, resume, processes, adapters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("trl")

from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from graphenv import envs
from graphenv.agents.bridge.config import TrainConfig
from graphenv.agents.bridge.grading import Grader, turns_of
from graphenv.agents.bridge.lengths import fitted
from graphenv.agents.bridge.logs import RunLog
from graphenv.agents.bridge.rows import make_rows, parse_mixture
from graphenv.agents.bridge.train import grpo_arguments, pick_backend, train
from graphenv.agents.bridge.warmup import warm_start
from graphenv.agents.chats import plain_roles
from graphenv.agents.llm import LLMAgent, load_model
from graphenv.agents.oracle import gold_turns
from graphenv.agents.tiny import environment_text, make_tiny
from graphenv.envs.replay import replay
from graphenv.episode import read_records
from graphenv.errors import ConfigError
from graphenv.text import format_call

pytestmark = pytest.mark.train

PROGRAM = {"mode": "program", "instructions": "none", "hops": 1}
FAST = {
    "per_device_train_batch_size": 8,
    "num_generations": 4,
    "max_completion_length": 8,
    "logging_steps": 1,
}


def config(out: Path, **changes: object) -> TrainConfig:
    base = TrainConfig(
        env_kwargs=PROGRAM,
        reward="exact + 0.3*path_similarity",
        size="nano",
        warmup=8,
        warmup_epochs=1,
        steps=3,
        eval_every=2,
        eval_tasks=8,
        heldout_tasks=8,
        max_new_tokens=8,
        grpo=FAST,
        out=str(out),
    )
    return base.with_(**changes)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A warm-started nano model for program mode."""
    return warm_start(config(tmp_path_factory.mktemp("start")))


def lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


# -- the tiny model -------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60))
def test_tokenizer_round_trips_any_string(start, text):
    _, tokenizer = load_model(str(start))
    text = text.encode("utf-8", "replace").decode()
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == text


def test_tags_are_one_token_and_survive_decoding(start):
    _, tokenizer = load_model(str(start))
    call = format_call("follow", relation="^directed_by")
    ids = tokenizer(call)["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == call
    assert len(tokenizer("<tool_call>")["input_ids"]) == 1


def test_the_same_seed_makes_the_same_model(tmp_path):
    text = list(environment_text([envs.make("kgqa", **PROGRAM)], tasks=50))
    first, second, third = (
        load_model(str(make_tiny(text, tmp_path / name, size="nano", seed=seed)))[0].state_dict()
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert all((first[k] == second[k]).all() for k in first)
    assert any((first[k] != third[k]).any() for k in first)


def test_structured_calls_render_like_their_text(start):
    _, tokenizer = load_model(str(start))
    user = {"role": "user", "content": "q"}
    call = {"name": "follow", "arguments": {"relation": 'Žižek said "<b>"'}}
    structured = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": call}],
    }
    text = turns_of([structured])[0]
    plain = {"role": "assistant", "content": text}
    render = tokenizer.apply_chat_template
    assert render([user, plain], tokenize=False) == render([user, structured], tokenize=False)


def test_templates_without_tool_role_get_alternating_messages(start):
    _, tokenizer = load_model(str(start))
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}"
    chat = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a"},
        {"role": "tool", "content": "t1"},
        {"role": "tool", "content": "t2"},
    ]
    plain = plain_roles(tokenizer, chat)
    assert [m["role"] for m in plain] == ["user", "assistant", "user"]
    assert plain[0]["content"] == "s\n\nu" and plain[2]["content"] == "t1\nt2"


def test_agent_batches_do_not_change_greedy_turns(start):
    env = envs.make("kgqa", **PROGRAM)
    agent = LLMAgent(env, model=str(start), max_new_tokens=8, device="cpu")
    chats = [env.tasks[i].messages for i in range(9)]
    assert agent.act_batch(chats) == [agent.act(chat) for chat in chats]


def test_a_model_that_cannot_be_loaded_says_what_to_give(tmp_path):
    with pytest.raises(ConfigError, match="save_pretrained"):
        load_model(str(tmp_path / "nothing"))


# -- rows and settings ----------------------------------------------------------------------------


def test_rows_repeat_no_task_before_all_were_used():
    made = {"kgqa": envs.make("kgqa", **PROGRAM)}
    rows = make_rows(made, {"kgqa": 1.0}, 200, seed=3)
    assert len({row["index"] for row in rows}) == 200
    assert rows == make_rows(made, {"kgqa": 1.0}, 200, seed=3)
    assert rows != make_rows(made, {"kgqa": 1.0}, 200, seed=4)


@pytest.mark.parametrize(
    "text", ["", "kgqa,kgqa", "kgqa:0", "kgqa:-1", "kgqa:x", "a=:1", "kgqa:inf"]
)
def test_broken_mixtures_are_refused(text):
    with pytest.raises(ConfigError, match="mixture"):
        parse_mixture(text)


def test_settings_are_refused_before_any_work(tmp_path):
    with pytest.raises(ConfigError, match=r"lerning_rate.*learning_rate"):
        grpo_arguments(config(tmp_path, grpo={"lerning_rate": 1}), progress=False)
    with pytest.raises(ConfigError, match="TRL refuses"):
        grpo_arguments(config(tmp_path, grpo={**FAST, "num_generations": 3}), progress=False)
    with pytest.raises(ConfigError, match="shaping potential"):
        train(config(tmp_path, reward="exact + progress"), progress=False)
    with pytest.raises(ConfigError, match=r"peft refuses.*'rank'"):
        train(config(tmp_path, peft={"rank": 4}), progress=False)
    with pytest.raises(ConfigError, match="unknown setting"):
        TrainConfig.from_json({"step": 3})
    assert not list(tmp_path.iterdir())


def test_turns_without_tools_are_played_by_our_rollouts():
    """TRL's tool loop ends at a turn that calls nothing."""
    talks, single = (envs.make("kg-construction", mode=mode) for mode in ("turns", "single"))
    run = TrainConfig(model="some/model")
    assert pick_backend(run, {"x": talks}, None) == "rollout_func"
    assert pick_backend(run, {"x": single}, None) == "reward_funcs"


# -- runs -----------------------------------------------------------------------------------------


@pytest.mark.runs("reward_funcs")
def test_a_run_leaves_everything_that_its_result_depends_on(tmp_path, start):
    run = config(tmp_path / "run", start=str(start))
    result = train(run, progress=False)
    stored = json.loads((result.folder / "config.json").read_text())
    assert stored["versions"]["trl"] and TrainConfig.load(result.folder) == run
    metrics = lines(result.folder / "metrics.jsonl")
    assert [row["step"] for row in metrics] == [1, 2, 3]
    assert set(metrics[0]["parts"]) == {"exact", "path_similarity"}
    weights = {"exact": 1.0, "path_similarity": 0.3}
    for row in metrics:
        assert row["reward"] == pytest.approx(sum(weights[k] * v for k, v in row["parts"].items()))
        assert row["success"] == pytest.approx(row["parts"]["exact"])
        assert row["episodes"] == 8 and row["errors"] == 0
        assert 0 < row["reward_seconds"] < row["step_seconds"]
    assert [row["step"] for row in lines(result.folder / "eval.jsonl")] == [0, 2]
    final = json.loads((result.folder / "final.json").read_text())
    records = list(read_records(result.folder / "episodes.jsonl"))
    assert [r.success for r in records] == final["successes"] and len(records) == 8
    assert [replay(r).success for r in records] == final["successes"]
    agent = LLMAgent(envs.make("kgqa", **PROGRAM), model=str(result.checkpoint), device="cpu")
    assert isinstance(agent.act(envs.make("kgqa", **PROGRAM).tasks[0].messages), str)
    with pytest.raises(ConfigError, match="holds a run already"):
        train(run, progress=False)
    assert train(run.with_(resume=True), progress=False).success == final["success"]


@pytest.mark.runs("mixture")
def test_a_mixture_is_graded_by_each_environments_own_reward(tmp_path):
    run = config(
        tmp_path / "mix",
        environments="one=kgqa:1,two=kgqa:1",
        env_kwargs={"one": PROGRAM, "two": {**PROGRAM, "hops": 2, "reward": "answer_f1"}},
        reward="exact",
    )
    result = train(run, progress=False)
    parts = lines(result.folder / "metrics.jsonl")[-1]["parts"]
    assert set(parts) == {"exact", "answer_f1"}


@pytest.mark.runs("lora")
def test_lora_trains_an_adapter_on_top_of_the_warm_start(tmp_path):
    peft = {"r": 2, "lora_alpha": 4, "target_modules": ["q_proj", "v_proj"]}
    result = train(config(tmp_path / "lora", peft=peft, steps=2), progress=False)
    assert (result.checkpoint / "adapter_config.json").is_file()
    model, _ = load_model(str(result.checkpoint))
    assert any("lora" in name for name, _ in model.named_parameters())


def _launch(run: TrainConfig, *prefix: str) -> subprocess.Popen:
    folder = Path(run.out)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder.parent / f"{folder.name}.json"
    file.write_text(json.dumps(run.to_json()))
    code = (
        "import json,sys; from graphenv.agents.bridge.config import TrainConfig; "
        "from graphenv.agents.bridge.train import train; "
        "train(TrainConfig.from_json(json.load(open(sys.argv[1]))), progress=False)"
    )
    script = folder.parent / "run_train.py"
    script.write_text(code)
    command = [sys.executable, *prefix, str(script), str(file)]
    log = (folder.parent / f"{folder.name}.log").open("w")
    with log:
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=env)


@pytest.mark.runs("resume")
def test_a_killed_run_resumes_and_equals_the_uninterrupted_one(tmp_path, start):
    steps = {"steps": 6, "eval_every": 2, "start": str(start)}
    whole = train(config(tmp_path / "whole", **steps), progress=False)
    run = config(tmp_path / "killed", **steps)
    process = _launch(run)
    checkpoint = Path(run.out) / "trainer" / "checkpoint-2" / "trainer_state.json"
    metrics = Path(run.out) / "metrics.jsonl"
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline and process.poll() is None:
        if checkpoint.is_file() and metrics.is_file() and len(lines(metrics)) >= 3:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert checkpoint.is_file(), (tmp_path / "killed.log").read_text()[-2000:]
    assert not (Path(run.out) / "final.json").is_file()
    resumed = train(run.with_(resume=True), progress=False)
    assert [r["step"] for r in lines(resumed.folder / "metrics.jsonl")] == [1, 2, 3, 4, 5, 6]
    for first, second in zip(
        lines(whole.folder / "metrics.jsonl"), lines(resumed.folder / "metrics.jsonl"), strict=True
    ):
        assert first["reward"] == second["reward"] and first["statuses"] == second["statuses"]
    assert (
        lines(whole.folder / "final.json")[0]["successes"]
        == (lines(resumed.folder / "final.json")[0]["successes"])
    )


@pytest.mark.runs("processes")
def test_two_processes_train_together(tmp_path, start):
    run = config(tmp_path / "two", start=str(start), steps=2)
    launch = (
        "-m",
        "accelerate.commands.launch",
        "--multi_gpu",  # torchrun; with --cpu accelerate starts a single process
        "--num_processes",
        "2",
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
        "--main_process_port",
        "0",
    )
    process = _launch(run, *launch)
    code = process.wait(timeout=900)
    assert code == 0, (tmp_path / "two.log").read_text()[-3000:]
    rows = lines(Path(run.out) / "metrics.jsonl")
    assert [row["step"] for row in rows] == [1, 2]
    # Each process grades its own eight episodes; the mean in the log is over all sixteen.
    assert rows[0]["processes"] == 2 and rows[0]["episodes"] == 8
    assert (Path(run.out) / "checkpoint" / "model.safetensors").is_file()


def test_a_log_is_cut_back_to_the_checkpoint_it_resumes_from(tmp_path):
    run = config(tmp_path)
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    RunLog(run, trainer=None).rewind_to(tmp_path / "checkpoint-2")
    assert lines(tmp_path / "metrics.jsonl") == [{"step": 1}, {"step": 2}]


def test_a_batch_asked_for_twice_is_graded_once():
    env = envs.make("kgqa", **PROGRAM, reward="exact")
    grader = Grader({"kgqa": env})
    gold = [env.tasks[i].target.program or "" for i in range(4)]
    first = grader.grade(["kgqa"] * 4, range(4), [[g] for g in gold])
    assert grader.grade(["kgqa"] * 4, range(4), [[g] for g in gold]) is first
    assert [g.score.value for g in first] == [1.0] * 4
    assert grader.take_stats().episodes == 4 and grader.take_stats().episodes == 0


def test_limits_of_length_are_those_of_gold_unless_given(tmp_path: Path) -> None:
    """The usual 24 and 48 tokens cut every scene graph off: nothing could be learned."""
    open_ = TrainConfig(environments="scene-graph")
    scenes = envs.make("scene-graph")
    folder = make_tiny(environment_text([scenes], tasks=50), tmp_path, size="nano")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = fitted(open_, {"scene-graph": scenes}, folder)
    longest = max(len(tokenizer(gold_turns(scenes, i)[0]).input_ids) for i in range(1000, 1100))
    assert 48 < longest <= found.max_new_tokens == found.grpo["max_completion_length"]
    short = open_.with_(max_new_tokens=7, grpo={"max_completion_length": 9})
    assert fitted(short, {"scene-graph": scenes}, folder) == short
    walks = {"kgqa": envs.make("kgqa", mode="program", hops=1)}
    usual = fitted(TrainConfig(), walks, folder)
    assert (usual.max_new_tokens, usual.grpo["max_completion_length"]) == (48, 24)
    several = {"kgqa": envs.make("kgqa", hops=2)}
    whole = fitted(TrainConfig(), several, folder).grpo["max_completion_length"]
    assert whole > fitted(TrainConfig(), several, folder).max_new_tokens
