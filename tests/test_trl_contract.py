"""What the bridge relies on inside TRL, fact by fact; written against TRL 1.16.

Nothing of ours is under test here but `GraphGRPOTrainer`'s assumptions: the trainer is TRL's own,
the environment and the rewards are a few lines each. When one of these fails after an upgrade, its
docstring says what to change. Facts that end-to-end tests would blame on something else come first.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs the train extra")

import torch
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer
from trl.chat_template_utils import parse_response

from graphenv.agents.bridge.rollout import _turn_limit
from graphenv.agents.llm import load_model
from graphenv.agents.tiny import make_tiny

pytestmark = pytest.mark.train

GROUP = 2
CALL = '<tool_call>{"name": "look", "arguments": {"where": "north"}}</tool_call>'
LOSSES = ["grpo", "dapo", "bnpo", "dr_grpo", "cispo", "sapo"]


class Room:
    """An environment in TRL's sense."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.rows: list[dict[str, Any]] = []
        self.looks: list[str] = []

    def reset(self, **row: Any) -> None:
        """Start."""
        self.rows.append(row)
        self.looks = []

    def look(self, where: str) -> str:
        """Look around.

        Args:
            where: A direction.
        """
        self.looks.append(where)
        if where == "nowhere":
            raise LookupError("there is no nowhere")
        return f"You see {where}."

    def _private(self) -> None:
        raise AssertionError("TRL must not offer this")


class Constant:
    """A reward function that returns given values."""

    def __init__(self, name: str, values: Sequence[float | None]) -> None:
        self.__name__ = name
        self.values = list(values)
        self.seen: dict[str, Any] = {}

    def __call__(self, **columns: Any) -> list[float | None]:
        self.seen = columns
        return self.values


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(["where do you look", CALL] * 20, tmp_path_factory.mktemp("m"), size="nano")


def build(tiny: Path, tmp_path: Path, functions: list[Any], **more: Any) -> GRPOTrainer:
    grpo = more.pop("grpo", {})
    rows = [
        {"prompt": [{"role": "user", "content": text}], "environment": "room", "index": i}
        for i, text in enumerate(("look", "go"))
    ]
    settings = {
        "output_dir": str(tmp_path),
        "max_steps": 1,
        "per_device_train_batch_size": 2 * GROUP,
        "num_generations": GROUP,
        "max_completion_length": 200,
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "save_strategy": "no",
        "logging_steps": 1,
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "shuffle_dataset": False,
        "gradient_checkpointing": False,
        **grpo,
    }
    model, tokenizer = load_model(str(tiny))
    return GRPOTrainer(
        model=model,
        args=GRPOConfig(**settings),
        processing_class=tokenizer,
        reward_funcs=functions,
        train_dataset=Dataset.from_list(rows),
        **more,
    )


def says(trainer: Any, *turns: str, own: bool = False) -> list[list[list[int]]]:
    """Let the model say these turns; return the contexts that it was asked with, turn by turn.

    With `own` every member of the batch says them in its own words.
    """
    asked: list[list[list[int]]] = []
    tokenizer = trainer.processing_class

    def sample(contexts: list[list[int]], *_: Any, **__: Any) -> tuple[list[list[int]], None]:
        turn = turns[min(len(asked), len(turns) - 1)]
        asked.append([list(context) for context in contexts])
        said = [f"{turn} {place}" if own else turn for place in range(len(contexts))]
        return [[*tokenizer(text)["input_ids"], tokenizer.eos_token_id] for text in said], None

    trainer._generate_single_turn = sample
    return asked


def output_of(trainer: Any) -> dict[str, Any]:
    """Train one step and return what TRL scored."""
    kept: list[dict[str, Any]] = []
    inner = trainer._generate_and_score_completions

    def keep(inputs: Any) -> Any:
        kept.append(inner(inputs))
        return kept[-1]

    trainer._generate_and_score_completions = keep
    trainer.train()
    return kept[0]


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_methods_that_are_overridden_or_called_keep_their_signatures() -> None:
    """If this breaks: adapt `GraphGRPOTrainer` (overrides) and `EnvRollout` (calls)."""
    of = GRPOTrainer
    assert parameters(of._generate_and_score_completions) == ["self", "inputs"]
    assert parameters(of._calculate_rewards) == [
        *("self", "inputs", "prompts", "completions", "completion_ids_list"),
    ]
    assert parameters(of._generate_single_turn)[:5] == [
        *("self", "prompt_ids", "images", "multimodal_fields", "num_generations"),
    ]
    assert {"rollout_func", "environment_factory", "reward_funcs"} <= set(parameters(of.__init__))


def test_the_attributes_that_are_read_or_set_exist(tiny: Path, tmp_path: Path) -> None:
    """If this breaks: find the new name in `GRPOTrainer.__init__` and change the bridge to it."""
    trainer = build(
        tiny, tmp_path, [Constant("reward", [0.0] * 4)], environment_factory={"room": Room}
    )
    for name in (
        *("environments", "environment_factories", "max_tool_calling_iterations", "_env_tools"),
        *("num_generations", "num_generations_eval", "max_completion_length", "eos_token_ids"),
        *("chat_template_kwargs", "use_vllm", "_tokenizer", "_metrics", "accelerator"),
    ):
        assert hasattr(trainer, name), name
    assert trainer.generation_config.max_new_tokens == trainer.max_completion_length == 200
    assert trainer.args.scale_rewards in ("group", "batch", "none")


def test_the_output_holds_these_keys_and_shapes(tiny: Path, tmp_path: Path) -> None:
    """If this breaks: `_generate_and_score_completions` of the bridge reads other keys now."""
    trainer = build(
        tiny, tmp_path, [Constant("reward", [1, 0, 1, 0])], environment_factory={"room": Room}
    )
    says(trainer, CALL, "done")
    out = output_of(trainer)
    rows, length = out["completion_ids"].shape
    assert (rows, out["advantages"].shape) == (4, (4,))
    for name in ("completion_mask", "tool_mask"):
        assert out[name].shape == (rows, length), name


def test_tool_mask_is_padded_with_ones(tiny: Path, tmp_path: Path) -> None:
    """If this breaks: nothing is wrong; the bridge multiplies it by the completion mask anyway."""
    lengths = [4, 6, 8, 3]

    def rollout(prompts: list[Any], trainer: Any) -> dict[str, Any]:
        return {
            "prompt_ids": [[5, 6]] * 4,
            "completion_ids": [[7] * n for n in lengths],
            "env_mask": [[1, 0] + [1] * (n - 2) for n in lengths],
            "logprobs": None,
        }

    trainer = build(tiny, tmp_path, [Constant("reward", [1, 0, 1, 0])], rollout_func=rollout)
    out = output_of(trainer)
    assert out["tool_mask"][3].tolist() == [1, 0, 1, 1, 1, 1, 1, 1]
    assert out["completion_mask"].sum(dim=1).tolist() == lengths


def test_rollout_func_gets_every_row_once_per_member_and_its_extras_reach_rewards(
    tiny: Path, tmp_path: Path
) -> None:
    """If this breaks: `EnvRollout` returns the wrong number of completions, or in another order.

    TRL's docstring calls the prompts "the raw slice with no duplication", but the sampler has
    repeated them before. An extra that is shorter than the batch is left off later rows silently.
    """
    seen: list[Any] = []

    def rollout(prompts: list[Any], trainer: Any) -> dict[str, Any]:
        seen.extend(prompts)
        ids = [[7, 7]] * len(prompts)
        turns = [[str(i)] for i in range(len(prompts))]
        return {"prompt_ids": ids, "completion_ids": ids, "logprobs": None, "turns": turns}

    reward = Constant("reward", [1, 0, 1, 0])
    trainer = build(tiny, tmp_path, [reward], rollout_func=rollout)
    trainer.train()
    assert [prompt[0]["content"] for prompt in seen] == ["look", "look", "go", "go"]
    assert reward.seen["turns"] == [["0"], ["1"], ["2"], ["3"]]
    assert reward.seen["index"] == [0, 0, 1, 1]
    assert reward.seen["environment"] == ["room"] * 4


def test_extras_of_a_rollout_stand_in_the_rows_when_rewards_are_calculated(
    tiny: Path, tmp_path: Path
) -> None:
    """If this breaks: `_calculate_rewards` must find `turns` and `branches` elsewhere.

    Without them turns are counted from the completion, and `siblings` compares whole episodes.
    """
    rows: list[dict[str, Any]] = []

    def rollout(prompts: list[Any], trainer: Any) -> dict[str, Any]:
        ids = [[7, 7]] * len(prompts)
        branches = [[f"{i}", f"{i}.0"] for i in range(len(prompts))]
        return {"prompt_ids": ids, "completion_ids": ids, "logprobs": None, "branches": branches}

    trainer = build(tiny, tmp_path, [Constant("reward", [1, 0, 1, 0])], rollout_func=rollout)
    inner = trainer._calculate_rewards

    def keep(inputs: Any, *rest: Any) -> Any:
        rows.extend(inputs)
        return inner(inputs, *rest)

    trainer._calculate_rewards = keep
    trainer.train()
    assert [row["branches"] for row in rows] == [[f"{i}", f"{i}.0"] for i in range(4)]


def test_the_model_says_whether_rollouts_are_for_training(tiny: Path, tmp_path: Path) -> None:
    """If this breaks: `EnvRollout` branches in evaluation, or not at all; ask otherwise."""
    seen: list[bool] = []

    def rollout(prompts: list[Any], trainer: Any) -> dict[str, Any]:
        seen.append(trainer.model.training)
        ids = [[7, 7]] * len(prompts)
        return {"prompt_ids": ids, "completion_ids": ids, "logprobs": None}

    grpo = {"per_device_eval_batch_size": 2 * GROUP}
    reward = Constant("reward", [1, 0, 1, 0])
    trainer = build(tiny, tmp_path, [reward], rollout_func=rollout, grpo=grpo)
    trainer.train()
    trainer.evaluate(trainer.train_dataset)
    assert seen == [True, False]


def test_environment_factory_offers_public_methods_and_resets_with_the_row(
    tiny: Path, tmp_path: Path
) -> None:
    """If this breaks: `AdapterFactory` has to make its classes in another way.

    The column `environment` picks the factory and is not passed on; instances are kept and reset.
    """
    Room.made = 0
    reward = Constant("reward", [1, 0, 1, 0])
    trainer = build(
        tiny, tmp_path, [reward], environment_factory={"room": Room}, grpo={"max_steps": 2}
    )
    assert [tool.__name__ for tool in trainer._env_tools["room"]] == ["look"]
    says(trainer, CALL, "done")
    trainer.train()
    assert Room.made == 4
    assert reward.seen["environments"] is trainer.environments
    assert [sorted(row) for row in trainer.environments[0].rows] == [["index", "prompt"]] * 2


def test_a_single_factory_is_reset_with_every_column(tiny: Path, tmp_path: Path) -> None:
    """If this breaks: `ToolAdapter.reset` gets other arguments."""
    trainer = build(tiny, tmp_path, [Constant("reward", [0.0] * 4)], environment_factory=Room)
    says(trainer, "done")
    trainer.train()
    assert sorted(trainer.environments[0].rows[0]) == ["environment", "index", "prompt"]


def test_prompts_show_what_env_tools_holds_and_tools_run_off_the_instance(
    tiny: Path, tmp_path: Path
) -> None:
    """If this breaks: `offer_tools=False` of `GraphGRPOTrainer` must hide schemas elsewhere."""
    trainer = build(
        tiny, tmp_path, [Constant("reward", [1, 0, 1, 0])], environment_factory={"room": Room}
    )
    trainer._env_tools = {"room": []}
    asked = says(trainer, CALL, "done")
    trainer.train()
    assert "Look around" not in trainer.processing_class.decode(asked[0][0])
    assert [room.looks for room in trainer.environments] == [["north"]] * 4
    assert "You see north." in trainer.processing_class.decode(asked[1][0])


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_n_iterations_are_n_plus_one_turns(tiny: Path, tmp_path: Path, limit: int) -> None:
    """If this breaks: `tool_iterations` counts otherwise, and episodes get a turn more or less."""
    reward = Constant("reward", [1, 0, 1, 0])
    grpo = {"max_tool_calling_iterations": limit, "max_completion_length": 900}
    trainer = build(tiny, tmp_path, [reward], environment_factory={"room": Room}, grpo=grpo)
    asked = says(trainer, CALL)
    trainer.train()
    assert len(asked) == limit + 1
    for completion in reward.seen["completions"]:
        assert sum(message["role"] == "assistant" for message in completion) == limit + 1
    assert [room.looks for room in trainer.environments] == [["north"] * limit] * 4


def test_a_tools_exception_becomes_text_for_the_model(tiny: Path, tmp_path: Path) -> None:
    """If this breaks: see whether TRL raises by now; then `raise_failures` may go."""
    reward = Constant("reward", [1, 0, 1, 0])
    trainer = build(tiny, tmp_path, [reward], environment_factory={"room": Room})
    says(trainer, CALL.replace("north", "nowhere"), "done")
    trainer.train()
    heard = reward.seen["completions"][0][1]
    assert (heard["role"], heard["content"]) == ("tool", "{'error': 'there is no nowhere'}")


def test_a_result_over_the_budget_is_dropped_but_the_call_was_made(
    tiny: Path, tmp_path: Path
) -> None:
    """If this breaks: the state of an adapter and the completion agree now; nothing to do.

    This is why grading rebuilds the episode and never asks the adapter.
    """
    reward = Constant("reward", [1, 0, 1, 0])
    trainer = build(tiny, tmp_path, [reward], environment_factory={"room": Room})
    length = len(trainer.processing_class(CALL)["input_ids"])
    trainer.max_completion_length = length + 2
    says(trainer, CALL, "done")
    trainer.train()
    assert [message["role"] for message in reward.seen["completions"][0]] == ["assistant"]
    assert trainer.environments[0].looks == ["north"]


def test_text_beside_a_tool_call_is_lost(tiny: Path, tmp_path: Path) -> None:
    """If this breaks: completions hold more of what was said; `turns_of` may use it."""
    _, tokenizer = load_model(str(tiny))
    prefix = tokenizer.apply_chat_template(
        [{"role": "user", "content": "x"}], add_generation_prompt=True, return_dict=True
    )["input_ids"]
    ids = tokenizer(f"before {CALL} after")["input_ids"]
    parsed = parse_response(tokenizer, ids, prefix=prefix, tools=[])
    assert parsed["content"] == "after"
    assert parsed["tool_calls"][0]["function"]["name"] == "look"
    broken = tokenizer(f"before {CALL}<tool_call>no</tool_call>")["input_ids"]
    parsed = parse_response(tokenizer, broken, prefix=prefix, tools=[])
    assert parsed == {"role": "assistant", "content": tokenizer.decode(broken)}


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_takes_advantages_per_token(tiny: Path, tmp_path: Path, loss: str) -> None:
    """If this breaks: turn credit cannot be given by (B, T) advantages under this loss any more.

    The same number on every token has to give the loss of (B,); other numbers another loss.
    """
    reward = Constant("reward", [1, 0, 1, 0])
    grpo = {"loss_type": loss, "epsilon_high": 5.0 if loss == "cispo" else 0.2}
    trainer = build(tiny, tmp_path, [reward], grpo=grpo)
    says(trainer, "where", own=True)
    out = output_of(trainer)
    mask = out["completion_mask"]
    spread = out["advantages"].unsqueeze(1).repeat(1, mask.shape[1])
    halves = spread.clone()
    halves[:, mask.shape[1] // 2 :] = 0

    def gradient(advantages: torch.Tensor) -> torch.Tensor:
        trainer.model.zero_grad()
        trainer.model.train()
        trainer.current_gradient_accumulation_steps = 1
        trainer.compute_loss(trainer.model, {**out, "advantages": advantages}).backward()
        grads = [p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None]
        return torch.cat(grads)

    per_sequence, per_token = gradient(out["advantages"]), gradient(spread)
    assert per_sequence.abs().max() > 1e-5
    torch.testing.assert_close(per_token, per_sequence)
    assert not torch.allclose(gradient(halves), per_sequence)


def test_only_a_row_of_nothing_but_none_is_left_out(tiny: Path, tmp_path: Path) -> None:
    """If this breaks: read how None counts now; a crash must never become a 0.

    Row 0 has a 0-weighted number beside its None and is trained on as if its reward were 0. Row 2
    has none and gets advantage 0. So parts and truth are None too where the reward is.
    """
    reward = Constant("reward", [None, 1.0, None, 1.0])
    truth = Constant("truth", [1.0, 1.0, None, 1.0])
    trainer = build(tiny, tmp_path, [reward, truth], grpo={"reward_weights": [1.0, 0.0]})
    says(trainer, "done")
    advantages = output_of(trainer)["advantages"]
    assert advantages[0] < 0 < advantages[1]
    assert advantages[2:].tolist() == [0.0, 0.0]
    line = trainer.state.log_history[0]
    assert line["rewards/reward/mean"] == 1.0
    assert line["rewards/truth/mean"] == 1.0
    assert line["reward"] == pytest.approx(2 / 3)


def test_functions_log_under_their_own_names(tiny: Path, tmp_path: Path) -> None:
    """If this breaks: change what `RunLog` reads (`rewards/NAME/mean`)."""
    functions = [Constant("reward", [0.0, 1, 0, 1]), Constant("part/exact", [0.0] * 4)]
    trainer = build(tiny, tmp_path, functions, grpo={"reward_weights": [1.0, 0.0]})
    says(trainer, "done")
    trainer.train()
    line = trainer.state.log_history[0]
    assert (line["rewards/reward/mean"], line["rewards/part/exact/mean"]) == (0.5, 0.0)


def test_own_metrics_reach_the_log(tiny: Path, tmp_path: Path) -> None:
    """If this breaks: log `credit/...` by TRL's `log_metric` or an own callback instead."""
    trainer = build(tiny, tmp_path, [Constant("reward", [0.0, 1, 0, 1])])
    says(trainer, "done")
    trainer._metrics["train"]["credit/example"].append(0.25)
    trainer.train()
    assert trainer.state.log_history[0]["credit/example"] == 0.25


def test_an_empty_completion_breaks_trl(tiny: Path, tmp_path: Path) -> None:
    """If this breaks: good; `EnvRollout` need not keep at least one token any more."""

    def rollout(prompts: list[Any], trainer: Any) -> dict[str, Any]:
        return {"prompt_ids": [[5]] * 4, "completion_ids": [[]] * 4, "logprobs": None}

    trainer = build(tiny, tmp_path, [Constant("reward", [0.0] * 4)], rollout_func=rollout)
    with pytest.raises((IndexError, AttributeError)):
        trainer.train()


def test_the_limit_of_one_turn_holds_and_is_put_back(tiny: Path, tmp_path: Path) -> None:
    """If this breaks: `_turn_limit` sets what sampling does not read any more."""
    grpo = {"max_completion_length": 8}
    trainer = build(tiny, tmp_path, [Constant("reward", [0.0] * 4)], grpo=grpo)
    prompts = [[5, 6, 7]] * 6
    with _turn_limit(trainer, 3):
        short, logprobs = trainer._generate_single_turn(prompts, None, {}, 1)
    free, _ = trainer._generate_single_turn(prompts, None, {}, 1)
    assert max(map(len, short)) <= 3 < max(map(len, free)) <= 8
    assert logprobs is None  # vLLM gives them, transformers does not
    assert trainer.generation_config.max_new_tokens == 8


def test_vllms_limit_of_one_turn_stands_where_it_is_set() -> None:
    """If this breaks: `_turn_limit` has to set the length limit of TRL's vLLM wrapper elsewhere."""
    from trl.generation import vllm_generation

    source = inspect.getsource(vllm_generation.VLLMGeneration.generate)
    assert "max_completion_length = self.max_completion_length" in source
