"""The supervised warm start: a few oracle episodes, so that GRPO has something to reinforce."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accelerate import PartialState

from graphenv.agents.bridge.config import TrainConfig
from graphenv.agents.bridge.rows import draw_names
from graphenv.agents.chats import holds_images, plain_roles
from graphenv.agents.llm import load_model
from graphenv.agents.oracle import gold_turns
from graphenv.agents.tiny import environment_text, make_tiny
from graphenv.envs.base import GraphEnv
from graphenv.seeding import rng

__all__ = ["oracle_chats", "warm_start"]


def oracle_chats(
    envs: Mapping[str, GraphEnv], weights: Mapping[str, float], count: int, seed: int
) -> list[list[dict[str, Any]]]:
    """Return `count` gold conversations on drawn training tasks, as chats."""
    generator = rng("oracle_chats", seed)
    chats = []
    for name in draw_names(weights, count, generator):
        env = envs[name]
        index = int(generator.integers(len(env.tasks)))
        messages = [dict(m) for m in env.play(index, gold_turns(env, index)).messages]
        while messages and messages[-1]["role"] != "assistant":
            messages.pop()
        chats.append(messages)
    return chats


def warm_start(config: TrainConfig, out: str | Path | None = None) -> Path:
    """Make the model that GRPO starts from; return its folder.

    A `tiny` model is made for the training split of the environments; any model is then trained
    on `config.warmup` oracle episodes (assistant tokens only). Depends on `config.seed`, but not
    on the reward, so that all variants of a comparison can share it.
    """
    folder = Path(out) if out is not None else Path(config.out) / "start"
    done = folder / "warmup.json"
    if done.is_file():
        return folder
    state = PartialState()
    envs = config.make_envs("train")
    base = config.model
    with state.main_process_first():
        # Under `accelerate launch` one process makes the model and all of them train it.
        if state.is_main_process and folder.exists():
            shutil.rmtree(folder)
        if config.model == "tiny":
            # A LoRA adapter names the folder of its base model, so the base stays beside it.
            base = str(folder / "base")
            if state.is_main_process:
                text = environment_text(list(envs.values()))
                make_tiny(text, base, size=config.size, seed=config.seed)
    images = any(holds_images(env.tasks[0].messages) for env in envs.values())
    model, tokenizer = load_model(base, images=images)
    if config.warmup:
        chats = oracle_chats(envs, config.mixture, config.warmup, config.seed)
        chats = [plain_roles(tokenizer, chat) for chat in chats]
        model = _supervised(config, model, tokenizer, chats, folder)
    if state.is_main_process:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        shutil.rmtree(folder / "trainer", ignore_errors=True)
        if not config.peft:
            shutil.rmtree(folder / "base", ignore_errors=True)
        note = {"episodes": config.warmup, "seed": config.seed}
        done.write_text(json.dumps(note), encoding="utf-8")
    state.wait_for_everyone()
    return folder


def _supervised(
    config: TrainConfig, model: Any, tokenizer: Any, chats: list[list[dict[str, Any]]], folder: Path
) -> Any:
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    on_gpu = torch.cuda.is_available()
    epochs, rate = config.supervised
    # Prompt and last turn where the template cannot mark assistant tokens.
    markers = "generation" in (tokenizer.chat_template or "")
    if markers:
        rows = [{"messages": chat} for chat in chats]
    else:
        rows = [
            {"prompt": chat[:t], "completion": [chat[t]]}
            for chat in chats
            for t, message in enumerate(chat)
            if message["role"] == "assistant"
        ]
    arguments = SFTConfig(
        output_dir=str(folder / "trainer"),
        num_train_epochs=epochs,
        learning_rate=rate,
        per_device_train_batch_size=min(16, len(rows)),
        lr_scheduler_type="constant",
        assistant_only_loss=markers,
        completion_only_loss=None if markers else True,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=config.seed,
        use_cpu=not on_gpu,
        bf16=on_gpu,
        max_length=4096,
        activation_checkpointing=on_gpu,
    )
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=config.lora(),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return trainer.accelerator.unwrap_model(trainer.model)
