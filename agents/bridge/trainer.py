"""`GraphGRPOTrainer`: TRL's GRPO trainer plus the rows of a batch, checks, and credit per turn.

Deliberately small. What it relies on inside TRL is pinned, fact by fact, in
`tests/test_trl_contract.py`; every other behaviour is TRL's.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from accelerate.utils import gather_object
from trl import GRPOTrainer

from graphenv.agents.bridge.adapter import raise_failures, tool_iterations
from graphenv.agents.bridge.crediting import token_advantages, turn_of_token
from graphenv.agents.bridge.grading import Graded, Grader, read_alike, turns_of
from graphenv.agents.bridge.rollout import EnvRollout
from graphenv.agents.credit import Credit, check_credit, make_credit
from graphenv.errors import ConfigError, GraphEnvError

__all__ = ["CarefulParser", "GraphGRPOTrainer"]


class GraphGRPOTrainer(GRPOTrainer):
    """`trl.GRPOTrainer` for rows `{prompt, environment, index}`.

    It keeps the rows of the present batch (`rows`) for `rollout_func`, checks that the members of a
    group play the same task and that what was sampled is what was graded, raises what a tool raised
    inside TRL's tool loop, and, for a credit that tells turns apart, gives every turn (or token)
    its own advantage. Takes all arguments of `trl.GRPOTrainer`, and:

    Parameters
    ----------
    grader
        The grader that the reward functions share.
    credit
        A credit or its text (`graphenv.agents.credit.make_credit`).
    control
        Allow a shaping term under outcome credit, as a control that must change nothing.
    offer_tools
        Under `environment_factory`: whether prompts show the tool schemas, as TRL has it. By
        default they show the chat alone, because that is what the model will see wherever else it
        plays; the environment's instructions name the tools.

    Raises
    ------
    ConfigError
        If a reward holds a shaping potential that the credit cannot see, or the credit compares
        branches and rollouts cannot branch.
    GraphEnvError
        In training: if a tool crashed, if a group is mixed up, or if turns and tokens disagree.
    """

    rows: list[dict[str, Any]]

    def __init__(
        self,
        *args: Any,
        grader: Grader,
        credit: str | Credit = "outcome",
        control: bool = False,
        offer_tools: bool = False,
        **kwargs: Any,
    ) -> None:
        self.grader = grader
        self.credit = make_credit(credit)
        check_credit(self.credit, (env.reward for env in grader.envs.values()), control=control)
        for env in grader.envs.values():
            env.reward.prepare()  # else the first step would wait for a compiler
        self.rows = []
        self._turn_counts: list[int] = []
        self._branches: list[Sequence[str]] = []
        if self.credit.branch > 1 and not isinstance(kwargs.get("rollout_func"), EnvRollout):
            raise ConfigError(
                f"credit={self.credit.name!r} compares branches of rollouts, and only "
                "graphenv.agents.bridge.rollout.EnvRollout plays in branches: train with "
                "backend='rollout_func', or use another credit (prefix-tree compares what happens "
                "to begin alike)."
            )
        with warnings.catch_warnings():
            # Said of both ways to play: the contract tests are our answer to "experimental".
            warnings.filterwarnings("ignore", "You are using '(rollout_func|environment_factory)'")
            super().__init__(*args, **kwargs)
        self._tokenizer.parse_response = CarefulParser(self._tokenizer)
        if self.environment_factories is not None:
            limit = tool_iterations(grader.envs.values())
            given = self.args.max_tool_calling_iterations
            self.max_tool_calling_iterations = limit if given is None else min(given, limit)
            if not offer_tools:  # what prompts are rendered with; tools are run off the instances
                shown: dict[str, list[Any]] = self._env_tools
                shown.update({name: [] for name in shown})

    @property
    def group_size(self) -> int:
        """Episodes per task, in training or in evaluation."""
        size: int = self.num_generations if self.model.training else self.num_generations_eval
        return size

    def _calculate_rewards(
        self, inputs: list[dict[str, Any]], prompts: Any, completions: list[Any], ids: Any
    ) -> torch.Tensor:
        # The only place where TRL shows completions, extras of rollout_func and instances at once.
        raise_failures(self.environments)
        self._turn_counts = [
            len(row["turns"] if "turns" in row else turns_of(completion))
            for row, completion in zip(inputs, completions, strict=True)
        ]
        self._branches = [row.get("branches", ()) for row in inputs]
        rewards: torch.Tensor = super()._calculate_rewards(inputs, prompts, completions, ids)
        return rewards

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        self.rows = inputs
        self._check_groups(inputs)
        out: dict[str, Any] = super()._generate_and_score_completions(inputs)
        mask = out["completion_mask"]
        if "tool_mask" in out:  # padded with 1, so it counts only inside the completion
            mask = mask * out["tool_mask"]
        turn, counts = turn_of_token(mask)
        graded = self.grader.latest
        self._check_turns(inputs, graded, counts, out["completion_mask"])
        if self.credit.tells_turns:
            found, flat = token_advantages(
                *(self.credit, graded, self._branches, out["completion_ids"], turn),
                *(self.group_size, self.args.scale_rewards),
            )
            out["advantages"] = found.to(out["advantages"])
            mode = "train" if self.model.training else "eval"
            self._metrics[mode]["credit/frac_zero_groups"].append(flat)
        return out

    def _check_groups(self, inputs: Sequence[dict[str, Any]]) -> None:
        tasks: list[Any] = gather_object([(row["environment"], row["index"]) for row in inputs])
        size = self.group_size
        for begin in range(0, len(tasks), size):
            members = set(tasks[begin : begin + size])
            if len(members) > 1:
                raise GraphEnvError(
                    f"a group of {size} holds different tasks: {sorted(members)[:4]}. Advantages "
                    "compare episodes of one task; TRL's sampler repeats every row of the training "
                    "set for its group, so give it each row once, and no sampler of your own."
                )

    def _check_turns(
        self,
        inputs: Sequence[dict[str, Any]],
        graded: Sequence[Graded],
        counts: torch.Tensor,
        completion_mask: torch.Tensor,
    ) -> None:
        """Check that this batch was graded, and that its turns are the runs of its tokens."""
        if [g.episode.task.index for g in graded] != [int(row["index"]) for row in inputs]:
            raise GraphEnvError(
                "the grader's latest batch is not this one: give the trainer the grader that its "
                "reward functions hold (graphenv.agents.bridge.grading.RewardFunction)"
            )
        # `mask_truncated_completions` blanks whole rows, and a blank row teaches nothing.
        shown = completion_mask.any(dim=1).tolist()
        for said, runs, visible in zip(self._turn_counts, counts.tolist(), shown, strict=True):
            if visible and said != runs:
                raise GraphEnvError(
                    f"a completion holds {said} assistant turns, but its tokens have {runs} runs "
                    "of model tokens: credit would go to the wrong turns. Another version of TRL? "
                    "See tests/test_trl_contract.py."
                )


class CarefulParser:
    """`tokenizer.parse_response` that finds no tool calls but those that the environment finds.

    A ValueError makes TRL take a turn as plain text, which ends the conversation; the grader then
    reads that text as `GraphEnv.step` would. So raise it for every turn without calls (TRL would
    drop thoughts from it and keep special tokens), for calls that the two read differently, and for
    a tool call of a thousand brackets, whose RecursionError would otherwise end the training.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def __call__(self, ids: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            parsed = type(self.tokenizer).parse_response(self.tokenizer, ids, *args, **kwargs)
        except RecursionError as error:
            raise ValueError("JSON is nested too deeply") from error
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        if not (parsed and parsed.get("tool_calls") and read_alike(parsed, text)):
            raise ValueError("no tool calls, or not those that the environment reads")
        return parsed
