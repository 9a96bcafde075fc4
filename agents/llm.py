"""`llm`: any causal language model that transformers can load, as an agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphenv.agents.base import Agent
from graphenv.agents.chats import holds_images, plain_roles, sees_images
from graphenv.envs.base import GraphEnv
from graphenv.errors import ConfigError
from graphenv.task import Message

if TYPE_CHECKING:
    import torch

__all__ = ["LLMAgent", "TinyAgent", "load_model", "show_loading_bars"]


def load_model(
    model: str, *, device: str | None = None, trainable: bool = False, images: bool = False
) -> tuple[Any, Any]:
    """Return (model, tokenizer) of a folder or hub id, in evaluation mode.

    A folder that holds a PEFT adapter is loaded with the base model that it names; `trainable`
    leaves the adapter's weights open to training. With `images` it is a vision-language model, and
    its processor stands for the tokenizer; an adapter of one has to be merged before.

    Raises
    ------
    ConfigError
        If it cannot be loaded, with the likely cause.
    """
    from pathlib import Path

    from transformers import (
        AutoModelForCausalLM,
        AutoModelForImageTextToText,
        AutoProcessor,
        AutoTokenizer,
    )

    try:
        tokenizer = (AutoProcessor if images else AutoTokenizer).from_pretrained(model)
        if images and not sees_images(tokenizer):
            raise ValueError("it has no image processor, and the prompts hold images")
        if images:
            loaded = AutoModelForImageTextToText.from_pretrained(model)
        elif (Path(model) / "adapter_config.json").is_file():
            from peft import AutoPeftModelForCausalLM

            loaded = AutoPeftModelForCausalLM.from_pretrained(model, is_trainable=trainable)
        else:
            loaded = AutoModelForCausalLM.from_pretrained(model)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"model {model!r} cannot be loaded: {error}. Give a folder written by save_pretrained "
            "(a run's checkpoint/), or a hub id with network access."
        ) from error
    inner = tokenizer.tokenizer if images else tokenizer
    if inner.pad_token_id is None:
        inner.pad_token = inner.eos_token
    inner.padding_side = "left"
    loaded.eval()
    return (loaded.to(device) if device else loaded), tokenizer


def show_loading_bars(show: bool) -> None:
    """Show or hide the bars that transformers draws while it reads and writes models."""
    from transformers.utils import logging

    if show:
        logging.enable_progress_bar()
    else:
        logging.disable_progress_bar()


class LLMAgent(Agent):
    """A language model loaded by transformers; one that sees, if prompts hold images.

    Parameters
    ----------
    env
        The environment that it plays: its first prompt says whether there are images.
    model
        Folder or hub id.
    temperature
        0 decodes greedily.
    max_new_tokens
        Longest turn, in tokens.
    batch_size
        Chats per call of `generate`.
    seed
        Seed of sampling.
    device
        Where to run; default: CUDA if there is one.
    """

    def __init__(
        self,
        env: GraphEnv,
        *,
        model: str,
        temperature: float = 0.0,
        max_new_tokens: int = 256,
        batch_size: int = 64,
        seed: int = 0,
        device: str | None = None,
    ) -> None:
        import torch

        where = device or ("cuda" if torch.cuda.is_available() else "cpu")
        seeing = holds_images(env.tasks[0].messages)
        self.model, self.tokenizer = load_model(model, device=where, images=seeing)
        self._setup(temperature, max_new_tokens, batch_size, seed)

    @classmethod
    def of(
        cls,
        model: Any,
        tokenizer: Any,
        *,
        temperature: float = 0.0,
        max_new_tokens: int = 256,
        batch_size: int = 64,
        seed: int = 0,
    ) -> LLMAgent:
        """Return an agent around a loaded model (a trainer's, between two steps)."""
        agent = cls.__new__(cls)
        agent.model, agent.tokenizer = model, tokenizer
        agent._setup(temperature, max_new_tokens, batch_size, seed)
        return agent

    def _setup(self, temperature: float, max_new_tokens: int, batch_size: int, seed: int) -> None:
        self.temperature = temperature
        self.max_new_tokens = max_new_tokens
        self.batch_size = batch_size
        self.seed = seed
        self._calls = 0

    def act(self, messages: Sequence[Message]) -> str:
        """Return the next assistant turn."""
        return self.act_batch([messages])[0]

    def act_batch(self, chats: Sequence[Sequence[Message]]) -> list[str]:
        """Return the next turn of each chat."""
        if sees_images(self.tokenizer):
            return self._act_seeing(chats)
        # Chats of like length share a batch, so that little is padded.
        prompts = [self._prompt_ids(chat) for chat in chats]
        order = sorted(range(len(chats)), key=lambda i: len(prompts[i]))
        turns = [""] * len(chats)
        for begin in range(0, len(order), self.batch_size):
            places = order[begin : begin + self.batch_size]
            for place, text in zip(
                places, self._generate([prompts[p] for p in places]), strict=True
            ):
                turns[place] = text
        return turns

    def _act_seeing(self, chats: Sequence[Sequence[Message]]) -> list[str]:
        turns: list[str] = []
        for begin in range(0, len(chats), self.batch_size):
            batch = [plain_roles(self.tokenizer, c) for c in chats[begin : begin + self.batch_size]]
            inputs = self.tokenizer.apply_chat_template(
                batch,
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                processor_kwargs={"padding": True, "return_tensors": "pt"},
            )
            turns += self._decode(dict(inputs.to(self.model.device)), self.tokenizer.tokenizer)
        return turns

    def _prompt_ids(self, chat: Sequence[Message]) -> list[int]:
        rendered = self.tokenizer.apply_chat_template(
            plain_roles(self.tokenizer, chat), add_generation_prompt=True, return_dict=True
        )
        ids: list[int] = rendered["input_ids"]
        return ids

    def _generate(self, prompts: list[list[int]]) -> list[str]:
        import torch

        width = max(len(ids) for ids in prompts)
        pad = self.tokenizer.pad_token_id
        device = self.model.device
        ids = torch.tensor([[pad] * (width - len(p)) + p for p in prompts], device=device)
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
        return self._decode({"input_ids": ids, "attention_mask": mask}, self.tokenizer)

    def _decode(self, inputs: dict[str, Any], tokenizer: Any) -> list[str]:
        """Return what the model says after left-padded prompts."""
        import torch

        from graphenv.seeding import stable_hash

        sampling: dict[str, Any] = {"do_sample": False}
        if self.temperature > 0:
            sampling = {
                "do_sample": True,
                "temperature": self.temperature,
                "top_k": 0,
                "top_p": 1.0,
            }
        device = self.model.device
        devices = [device] if device.type == "cuda" else []
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            # `generate` samples from torch's own generator only; it is restored afterwards.
            torch.manual_seed(stable_hash("llm", self.seed, self._calls, bits=63))
            self._calls += 1
            out: torch.Tensor = self.model.generate(
                **inputs,
                max_new_tokens=self.max_new_tokens,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=tokenizer.eos_token_id,
                **sampling,
            )
        width = inputs["input_ids"].shape[1]
        texts: list[str] = tokenizer.batch_decode(out[:, width:], skip_special_tokens=True)
        return texts


class TinyAgent(LLMAgent):
    """A tiny model (see `graphenv.agents.tiny`): an `LLMAgent` on the CPU.

    `model` is a folder that training wrote; without it an untrained model is made for the
    environment (from `seed`), which is what an episode looks like before any learning.
    """

    def __init__(
        self,
        env: GraphEnv,
        *,
        model: str | None = None,
        size: str = "xs",
        temperature: float = 0.0,
        max_new_tokens: int = 48,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        import tempfile

        from graphenv.agents.tiny import environment_text, make_tiny

        with tempfile.TemporaryDirectory() as folder:
            if model is None:
                text = environment_text([env], tasks=200)
                model = str(make_tiny(text, folder, size=size, seed=seed))
            self.model, self.tokenizer = load_model(model)
        self._setup(temperature, max_new_tokens, batch_size, seed)
