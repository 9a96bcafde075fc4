"""`tiny`: a small Qwen3-architecture model made on the spot, so that GRPO runs on a laptop CPU.

It is saved with `save_pretrained` and loaded from its folder like any other model: nothing in
training or evaluation knows that it is small. The tokenizer is a byte-level BPE that round-trips
any string, trained on text of the environments that the model will play.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from graphenv.envs.base import GraphEnv
from graphenv.errors import UnknownNameError, did_you_mean
from graphenv.seeding import rng, stable_hash
from graphenv.text import text_of

__all__ = [
    "CHAT_TEMPLATE",
    "RESPONSE_TEMPLATE",
    "SIZES",
    "TinySize",
    "environment_text",
    "make_tiny",
]


@dataclass(frozen=True)
class TinySize:
    """Shape of a tiny model: hidden width, layers, heads and vocabulary."""

    hidden: int
    layers: int
    heads: int
    vocabulary: int


SIZES: dict[str, TinySize] = {
    "nano": TinySize(hidden=32, layers=1, heads=2, vocabulary=600),
    "xs": TinySize(hidden=64, layers=2, heads=4, vocabulary=1024),
    "s": TinySize(hidden=128, layers=2, heads=4, vocabulary=2048),
    "m": TinySize(hidden=192, layers=3, heads=6, vocabulary=4096),
}

_END, _START, _TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
_TAGS = [
    f"<{slash}{tag}>" for tag in ("tool_call", "answer", "program", "think") for slash in ("", "/")
]

# ChatML. Earlier turns render the same whatever follows them, which multi-turn training needs; a
# tool call renders exactly as `graphenv.text.format_call` writes it, so that the same conversation
# has the same token ids whether a turn arrives as text or as structured calls.
CHAT_TEMPLATE = """\
{%- if tools %}
{{- '<|im_start|>system\\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n' }}{%- endif %}
{{- 'Tools:' }}
{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'system' and loop.first %}
{%- elif message.role == 'assistant' %}
{{- '<|im_start|>assistant\\n' }}
{%- generation %}
{{- message.content or '' }}
{%- for call in message.tool_calls or [] %}
{%- set call = call.function or call %}
{{- '<tool_call>{"name": ' }}{{- call.name | tojson | replace('<', '\\\\u003c') }}
{{- ', "arguments": ' }}{{- call.arguments | tojson | replace('<', '\\\\u003c') }}
{{- '}</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>' }}
{%- endgeneration %}
{{- '\\n' }}
{%- else %}
{{- '<|im_start|>' + message.role + '\\n' + (message.content or '') + '<|im_end|>\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
"""

RESPONSE_TEMPLATE: dict[str, Any] = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {
        # A call inside a thought is a thought, as in `graphenv.text.parse_turn`.
        "reasoning_content": {
            "open": "<think>",
            "close_pattern": r"</think>\s*",
            "content": "text",
        },
        "tool_calls": {
            "open": "<tool_call>",
            "close_pattern": r"</tool_call>\s*",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"<\|im_end\|>\s*", "content": "text"},
    },
}
"""How a finished turn is read back into content and tool calls (transformers' response parsing)."""


def make_tiny(texts: Iterable[str], out: str | Path, *, size: str = "s", seed: int = 0) -> Path:
    """Make an untrained tiny model with a tokenizer trained on `texts`; save both in `out`.

    Parameters
    ----------
    texts
        Text that the model will read and write (see `environment_text`).
    out
        The folder to write; `from_pretrained(out)` loads it.
    size
        One of `SIZES`.
    seed
        Seed of the weights.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UnknownNameError
        If `size` is not one of `SIZES`.
    """
    if size not in SIZES:
        raise UnknownNameError(f"tiny: size={size!r} is unknown.{did_you_mean(size, SIZES)}")
    shape = SIZES[size]
    tokenizer = _tokenizer(texts, shape.vocabulary)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        intermediate_size=3 * shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        head_dim=shape.hidden // shape.heads,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        # The only way to seed weight initialisation; the caller's generator is restored after it.
        torch.manual_seed(stable_hash("tiny", size, seed, bits=63))
        model = Qwen3ForCausalLM(config)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(_TAGS),
        special_tokens=[_END, _START, _TURN_END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    raw.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in _TAGS])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token=_TURN_END,
        pad_token=_END,
        clean_up_tokenization_spaces=False,
        model_max_length=8192,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.response_template = RESPONSE_TEMPLATE
    return tokenizer


def environment_text(
    envs: Sequence[GraphEnv], *, tasks: int = 1500, seed: int = 0
) -> Iterator[str]:
    """Yield text of environments: prompts of drawn tasks and gold conversations on them.

    The tokenizer learns from this which strings are worth a token. Only the environment's own
    split is read, so give it the training split.
    """
    from graphenv.agents.oracle import gold_turns

    for env in envs:
        generator = rng("environment_text", env.env_id, seed)
        count = min(tasks, len(env.tasks))
        for index in generator.choice(len(env.tasks), size=count, replace=False):
            episode = env.play(int(index), gold_turns(env, int(index)))
            for message in episode.messages:
                yield text_of(message["content"])
