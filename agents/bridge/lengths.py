"""How long answers may be, where the user does not say: as long as gold answers are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphenv.agents.bridge.config import TINY_GRPO, TURN_TOKENS, TrainConfig
from graphenv.agents.oracle import gold_turns
from graphenv.envs.base import GraphEnv
from graphenv.errors import ConfigError
from graphenv.seeding import sample
from graphenv.text import text_of

__all__ = ["fitted", "longest_gold"]

_TASKS = 64
_MARKS = 4  # tokens that a chat template puts around a message, at most
_ROOM = 1.25  # a policy that explores is wordier than gold, and tasks that were not looked at are


def fitted(config: TrainConfig, envs: Mapping[str, GraphEnv], start: str | Path) -> TrainConfig:
    """Return the config with `max_new_tokens` and `max_completion_length` filled in.

    What the user set stays. Else the usual limits, or more if gold answers are longer: an answer
    that is cut off is malformed, and a run in which all are teaches nothing.

    Parameters
    ----------
    envs
        The environments of the training split.
    start
        The folder or hub id of the model that is trained, for its tokenizer.
    """
    from transformers import AutoTokenizer

    grpo = dict(config.grpo)
    if config.max_new_tokens and "max_completion_length" in grpo:
        return config
    turn, episode = longest_gold(envs, AutoTokenizer.from_pretrained(str(start)))
    usual = TINY_GRPO["max_completion_length"] if config.model == "tiny" else 256  # 256: TRL's
    grpo.setdefault("max_completion_length", _limit(episode, usual))
    return config.with_(
        max_new_tokens=config.max_new_tokens or _limit(turn, TURN_TOKENS), grpo=grpo
    )


def _limit(longest: int, usual: int) -> int:
    return usual if longest <= usual else math.ceil(_ROOM * longest)


def longest_gold(envs: Mapping[str, GraphEnv], tokenizer: Any) -> tuple[int, int]:
    """Return the tokens of the longest gold turn, and of all that follows a prompt, at most.

    Of some tasks of each environment. (0, 0) where no gold is known.
    """
    turn = episode = 0
    for env in envs.values():
        for index in sample(len(env.tasks), _TASKS, "longest gold"):
            try:
                played = env.play(index, gold_turns(env, index))
            except ConfigError:
                break  # a source without gold
            said = played.messages[len(played.task.messages) :]
            while said and said[-1]["role"] != "assistant":
                said = said[:-1]  # nobody answers what follows the end
            counts = [len(tokenizer(text_of(m["content"])).input_ids) + _MARKS for m in said]
            spoken = [n for n, m in zip(counts, said, strict=True) if m["role"] == "assistant"]
            turn, episode = max(turn, *spoken), max(episode, sum(counts))
    return turn, episode
