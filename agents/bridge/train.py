"""`train`: a warm start, GRPO by TRL, then the truth on held-out tasks; one run, one folder."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accelerate import PartialState
from transformers import PrinterCallback

from graphenv.agents.bridge.config import TINY_GRPO, TrainConfig
from graphenv.agents.bridge.evaluation import evaluate_model, write_final
from graphenv.agents.bridge.grading import Grader, PartFunction, RewardFunction, TruthFunction
from graphenv.agents.bridge.lengths import fitted
from graphenv.agents.bridge.logs import RunLog
from graphenv.agents.bridge.rows import make_dataset, make_rows
from graphenv.agents.bridge.warmup import warm_start
from graphenv.agents.chats import holds_images, sees_images
from graphenv.agents.credit import check_credit, make_credit
from graphenv.agents.llm import load_model, show_loading_bars
from graphenv.envs.base import GraphEnv
from graphenv.errors import ConfigError, did_you_mean

__all__ = ["TrainResult", "check_settings", "grpo_arguments", "train"]


@dataclasses.dataclass(frozen=True)
class TrainResult:
    """Where a run left its files, and the truth it reached on held-out tasks."""

    folder: Path
    checkpoint: Path
    success: float


def train(config: TrainConfig, *, progress: bool = True) -> TrainResult:
    """Run a training run to its end, or continue it.

    Parameters
    ----------
    config
        The run.
    progress
        Whether to show a progress bar.

    Returns
    -------
    TrainResult
        The run folder (`config.json`, `metrics.jsonl`, `eval.jsonl`, `final.json`,
        `episodes.jsonl`, `checkpoint/`).

    Raises
    ------
    ConfigError
        If settings cannot work together: shaping without step credit, an unknown GRPO field, a
        run folder that is not empty without `resume`.
    """
    folder = Path(config.out)
    final = folder / "final.json"
    if final.is_file() and config.resume:
        return TrainResult(folder, folder / "checkpoint", json.loads(final.read_text())["success"])
    if (folder / "metrics.jsonl").is_file() and not config.resume:
        raise ConfigError(
            f"train: {folder} holds a run already. Use --resume to continue it, or another --out."
        )
    envs = config.make_envs("train")
    check_settings(config, envs)
    # Wrong settings must be refused before minutes are spent on a warm start.
    show = progress and sys.stderr.isatty()
    arguments = grpo_arguments(config, progress=show)
    set_progress_bars(show)
    if PartialState().is_main_process:
        config.save()
    start = Path(config.start) if config.start else warm_start(config)
    config = fitted(config, envs, start)
    arguments.max_completion_length = config.grpo["max_completion_length"]
    if PartialState().is_main_process:
        config.save()
    trainer = build_trainer(config, arguments, envs, start)
    trainer.remove_callback(PrinterCallback)  # our own log is the one to read
    log = RunLog(config, trainer)
    trainer.add_callback(log)
    checkpoint = last_checkpoint(folder / "trainer") if config.resume else None
    log.rewind_to(checkpoint)
    began = time.perf_counter()
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    seconds = time.perf_counter() - began
    trainer.accelerator.wait_for_everyone()
    if not trainer.accelerator.is_main_process:
        return TrainResult(folder, folder / "checkpoint", float("nan"))
    model = trainer.accelerator.unwrap_model(trainer.model)
    model.save_pretrained(folder / "checkpoint")
    trainer.processing_class.save_pretrained(folder / "checkpoint")
    result = evaluate_model(
        config, model, trainer.processing_class, "heldout", config.heldout_tasks
    )
    write_final(folder, result, config.steps, seconds)
    shutil.rmtree(folder / "trainer", ignore_errors=True)
    return TrainResult(folder, folder / "checkpoint", result.success)


def set_progress_bars(show: bool) -> None:
    """Show or hide the bars that datasets and transformers draw on their own."""
    import datasets

    show_loading_bars(show)
    if show:
        datasets.enable_progress_bars()
    else:
        datasets.disable_progress_bars()


def check_settings(config: TrainConfig, envs: Mapping[str, GraphEnv]) -> None:
    """Refuse settings that cannot work together, before any time is spent.

    Raises
    ------
    ConfigError
        If a shaping term meets a credit that cannot see it, step credit meets episodes of one turn,
        branching meets a backend that cannot branch, prompts hold images that a model cannot learn
        from, or peft refuses the LoRA settings.
    """
    config.lora()
    if shows_images(envs) and (config.model == "tiny" or config.warmup):
        raise ConfigError(
            f"train: prompts hold images; model={config.model!r} with warmup={config.warmup} "
            "cannot learn from them. Take a vision-language model and warmup=0, or no images."
        )
    credit = make_credit(config.credit)
    check_credit(credit, [env.reward for env in envs.values()], control=config.control)
    for name, env in envs.items():
        if credit.tells_turns and not credit.by_token and env.max_turns == 1:
            raise ConfigError(
                f"train: credit={config.credit!r} tells turns apart, but {name} is played in one "
                "turn. Use credit='outcome', 'prefix-tree(by=token)', which compares tokens, or a "
                "mode with turns (`tools`, `steps`, `turns`)."
            )
    if credit.branch > 1 and config.backend not in ("auto", "rollout_func"):
        raise ConfigError(
            f"train: credit={config.credit!r} branches episodes, which backend="
            f"{config.backend!r} cannot. Use backend='rollout_func', or another credit."
        )


def shows_images(envs: Mapping[str, GraphEnv]) -> bool:
    """Return whether prompts of some environment hold images."""
    return any(holds_images(env.tasks[0].messages) for env in envs.values())


def grpo_arguments(config: TrainConfig, *, progress: bool) -> Any:
    """Return the `trl.GRPOConfig` of a run.

    Raises
    ------
    ConfigError
        If `config.grpo` holds an unknown field or a value that TRL refuses.
    """
    import torch
    from trl import GRPOConfig

    known = {f.name for f in dataclasses.fields(GRPOConfig)}
    for name in config.grpo:
        if name not in known:
            raise ConfigError(
                f"train: GRPOConfig has no field {name!r}.{did_you_mean(name, known)}"
            )
    on_gpu = torch.cuda.is_available()
    defaults: dict[str, Any] = dict(TINY_GRPO) if config.model == "tiny" else {}
    every = config.eval_every or max(config.steps, 1)
    defaults |= {
        "output_dir": str(Path(config.out) / "trainer"),
        "max_steps": config.steps,
        "seed": config.seed,
        "use_cpu": not on_gpu,
        "bf16": on_gpu,
        "report_to": "none",
        "save_strategy": "steps",
        "save_steps": every,
        "save_total_limit": 1,
        "disable_tqdm": not progress,
        "activation_checkpointing": on_gpu and config.model != "tiny",
        "remove_unused_columns": False,
        "shuffle_dataset": False,
    }
    try:
        return GRPOConfig(**{**defaults, **config.grpo})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"train: TRL refuses these GRPO settings: {error}") from error


def reward_functions(grader: Grader, tokenizer: Any) -> tuple[list[Any], list[float]]:
    """Return (functions, weights): the expression with weight 1, parts and truth with weight 0."""
    parts = dict.fromkeys(part for env in grader.envs.values() for part in env.reward.terms)
    functions: list[Any] = [RewardFunction(grader, "reward", tokenizer)]
    functions += [PartFunction(grader, part, tokenizer) for part in parts]
    functions.append(TruthFunction(grader, "success", tokenizer))
    return functions, [1.0] + [0.0] * (len(functions) - 1)


def pick_backend(config: TrainConfig, envs: Mapping[str, GraphEnv], tokenizer: Any) -> str:
    """Return the way in which episodes are played under TRL.

    One turn needs nothing but reward functions. Several turns use TRL's own tool loop where the
    model's chat template knows tools. The tiny model writes many malformed turns at first, which
    only our rollout function answers as the environment does, and other templates need it, and so
    do environments that answer a turn by a message and have no tools, and credits that branch.
    """
    if config.backend != "auto":
        return config.backend
    if all(env.max_turns == 1 for env in envs.values()):
        return "reward_funcs"
    talks = any(env.max_turns > 1 and not env.tools for env in envs.values())
    if config.model == "tiny" or talks or make_credit(config.credit).branch > 1:
        return "rollout_func"
    from graphenv.agents.bridge.adapter import plays_tools

    inner = tokenizer.tokenizer if sees_images(tokenizer) else tokenizer
    return "environment_factory" if plays_tools(inner) else "rollout_func"


def build_trainer(
    config: TrainConfig, arguments: Any, envs: Mapping[str, GraphEnv], start: Path
) -> Any:
    """Return the trainer of a run, ready to train."""
    from graphenv.agents.bridge.trainer import GraphGRPOTrainer

    model, tokenizer = load_model(str(start), trainable=True, images=shows_images(envs))
    grader = Grader(envs)
    functions, weights = reward_functions(grader, tokenizer)
    arguments.reward_weights = weights
    per_step = arguments.generation_batch_size // arguments.num_generations
    rows = make_rows(envs, config.mixture, max(1, per_step * max(config.steps, 1)), config.seed)
    extra: dict[str, Any] = {}
    backend = pick_backend(config, envs, tokenizer)
    if backend == "reward_funcs" and any(env.max_turns > 1 for env in envs.values()):
        raise ConfigError(
            "train: backend='reward_funcs' plays one turn; these episodes have several"
        )
    if backend == "environment_factory":
        from graphenv.agents.bridge.adapter import environment_factory

        extra["environment_factory"] = environment_factory(envs)
    elif backend == "rollout_func":
        from graphenv.agents.bridge.rollout import EnvRollout

        extra["rollout_func"] = EnvRollout(envs, max_turn_tokens=config.turn_tokens)
    if config.peft and not hasattr(model, "peft_config"):
        extra["peft_config"] = config.lora()
    return GraphGRPOTrainer(
        model=model,
        args=arguments,
        processing_class=tokenizer,
        reward_funcs=functions,
        train_dataset=make_dataset(rows),
        credit=config.credit,
        control=config.control,
        grader=grader,
        **extra,
    )


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete trainer checkpoint in a folder, if there is one."""
    found = [p for p in folder.glob("checkpoint-*") if (p / "trainer_state.json").is_file()]
    return max(found, key=lambda p: int(p.name.rpartition("-")[2]), default=None)
