"""Multi-turn episodes under TRL's `rollout_func`: any chat model plays, tool template or not.

TRL hands over prompts and takes token ids back; between the two everything is ours, so a malformed
turn is answered and the episode goes on, exactly as in `GraphEnv.step`, and the episode really
ends when it ends (TRL's own tool loop cannot be told that).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from accelerate.utils import gather_object

from graphenv.agents.bridge.adapter import tool_schemas
from graphenv.agents.bridge.chat_tokens import ChatTokens
from graphenv.agents.credit import shares
from graphenv.envs.base import GraphEnv
from graphenv.envs.session import Session
from graphenv.errors import ConfigError, GraphEnvError

__all__ = ["EnvRollout"]


@dataclass
class _Play:
    """One conversation in play; ids, mask and log-probabilities of the completion so far.

    `places` are the rows of the batch that it is played for: several until it branches for the last
    time. `branches` holds the branch that each turn was sampled in.
    """

    session: Session
    prompt: list[int]
    places: list[int]
    branch: str = ""
    ids: list[int] = field(default_factory=list)
    mask: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)
    branches: list[str] = field(default_factory=list)
    live: bool = True

    @property
    def context(self) -> list[int]:
        return self.prompt + self.ids

    def add(self, ids: Sequence[int], logprobs: Sequence[float] | None, *, model: bool) -> None:
        self.ids += ids
        self.mask += [int(model)] * len(ids)
        self.logprobs += logprobs if logprobs is not None else [0.0] * len(ids)

    def fork(self, session: Session, places: list[int], branch: str) -> _Play:
        """Return a copy that goes on by itself in a session that has come to the same place."""
        return replace(
            self,
            session=session,
            places=places,
            branch=branch,
            ids=list(self.ids),
            mask=list(self.mask),
            logprobs=list(self.logprobs),
            turns=list(self.turns),
            branches=list(self.branches),
        )


class EnvRollout:
    """TRL's `rollout_func`: plays the rows of a batch in lockstep with the trainer's model.

    The trainer must be a `GraphGRPOTrainer`: TRL passes prompts only, and the trainer keeps the
    rows, so that two tasks with the same prompt are told apart. TRL has repeated every row for its
    group before it calls (in training and in evaluation), so one completion is returned per prompt,
    in order. Sampling is the trainer's own (`_generate_single_turn`): transformers, continuous
    batching or vLLM, with its temperature and the rest of its settings.

    Under a credit that compares branches (`Credit.branch`), the rows of a group are the leaves of
    one tree: at each turn an episode that stands for several rows is branched, its session rebuilt
    by playing its turns again. How many rows a branch gets depends on the numbers alone
    (`graphenv.agents.credit.shares`); an episode that ends before its last branching is handed over
    once for each of its rows. In evaluation nothing branches. A group that straddles processes is
    one tree for each of them, under a common root.

    The completion of an episode that does not fit into `max_completion_length` (or the model's
    context) ends with its last whole or cut turn; the grader then ends it as `truncated`.

    Parameters
    ----------
    envs
        The environments by the name that rows carry.
    max_turn_tokens
        Longest turn, in tokens; default: what is left of `max_completion_length`. Use the limit of
        evaluation: a policy that rambles otherwise costs its whole budget in its first turn.
    offer_tools
        Whether to render the tool schemas into the prompt (see `GraphGRPOTrainer`).

    Raises
    ------
    ConfigError
        When called: if rows are missing, are not those of the prompts, or hold images.
    """

    def __init__(
        self,
        envs: Mapping[str, GraphEnv],
        *,
        max_turn_tokens: int | None = None,
        offer_tools: bool = False,
    ) -> None:
        if max_turn_tokens is not None and max_turn_tokens < 1:
            raise ConfigError(f"rollout: max_turn_tokens={max_turn_tokens!r} must be at least 1")
        self.envs = dict(envs)
        self.max_turn_tokens = max_turn_tokens
        self.offer_tools = offer_tools

    def __call__(self, prompts: list[Any], trainer: Any) -> dict[str, Any]:
        """Play one episode per prompt.

        Returns
        -------
        dict
            `prompt_ids`, `completion_ids`, `env_mask` (1: a token of the model), `logprobs` (`None`
            without vLLM), `turns` (what the model said, turn by turn) and `branches` (which branch
            each turn was sampled in), each a list of B.
        """
        chat = ChatTokens(
            trainer.processing_class, trainer.eos_token_ids, trainer.chat_template_kwargs
        )
        plays = self._begin(prompts, trainer, chat)
        ways = _ways(trainer)
        scored = False
        while True:
            if ways > 1:
                plays = [after for play in plays for after in self._branched(play, ways, trainer)]
            live = [play for play in plays if play.live]
            width, room = _agreed(len(live), max((self._room(p, trainer) for p in live), default=1))
            if not width:
                break
            # Processes sample in step: vLLM's server and sharded models make every process take
            # part in every call, with equally many prompts. One that has fewer sends fillers.
            contexts = [play.context for play in live]
            contexts += [plays[0].prompt] * (width - len(live))
            with _turn_limit(trainer, room):
                sampled, logprobs = trainer._generate_single_turn(contexts, None, {}, 1)
            scored = scored or logprobs is not None
            for i, play in enumerate(live):
                self._take(play, sampled[i], logprobs[i] if logprobs else None, trainer, chat)
        leaf = {place: play for play in plays for place in play.places}
        leaves = [leaf[place] for place in range(len(prompts))]
        return {
            "prompt_ids": [play.prompt for play in leaves],
            "completion_ids": [play.ids for play in leaves],
            "env_mask": [play.mask for play in leaves],
            "logprobs": [play.logprobs for play in leaves] if scored else None,
            "turns": [play.turns for play in leaves],
            "branches": [play.branches for play in leaves],
        }

    def _branched(self, play: _Play, ways: int, trainer: Any) -> list[_Play]:
        """Return what goes on from here: the play, or a branch for each share of its rows."""
        if not play.live or len(play.places) == 1:
            return [play]
        task = play.session.task.index
        name = trainer.rows[play.places[0]]["environment"]
        found: list[_Play] = []
        begin = 0
        for count in shares(len(play.places), ways):
            places = play.places[begin : begin + count]
            session = play.session if not found else self.envs[name].begin(task)
            session.play(play.turns[len(session.steps) :])
            if found and session.steps[-1:] != play.session.steps[-1:]:
                raise GraphEnvError(
                    f"{name}, task {task}: the same turns played again led to another place, so "
                    "its episodes cannot be branched. Is a tool not deterministic?"
                )
            # Unique over processes, because a row is.
            row = trainer.accelerator.process_index * len(trainer.rows) + places[0]
            found.append(play.fork(session, places, f"{len(play.turns)}:{row}"))
            begin += count
        return found

    def _begin(self, prompts: list[Any], trainer: Any, chat: ChatTokens) -> list[_Play]:
        rows = getattr(trainer, "rows", None)
        if rows is None:
            raise ConfigError(
                f"EnvRollout needs the rows of a batch, which {type(trainer).__name__} does not "
                "keep: train with graphenv.agents.bridge.trainer.GraphGRPOTrainer."
            )
        if any(row.get("images") for row in rows):
            raise ConfigError(
                "EnvRollout plays text: it hands token ids to the trainer, which then knows of no "
                "image. Train a model that sees in one turn (backend='reward_funcs') or with "
                "backend='environment_factory'."
            )
        if len(rows) != len(prompts) or any(
            row["prompt"] != prompt for row, prompt in zip(rows, prompts, strict=True)
        ):
            raise ConfigError(
                f"the {len(prompts)} prompts that TRL passed are not those of the {len(rows)} rows "
                "of this batch; another version of TRL? See tests/test_trl_contract.py."
            )
        rendered: dict[tuple[str, int], list[int]] = {}
        plays: list[_Play] = []
        first = trainer.accelerator.process_index * len(rows)
        group = trainer.group_size if _ways(trainer) > 1 else 1
        for place, row in enumerate(rows):
            if place and (first + place) % group:  # a leaf of the tree that its group has begun
                plays[-1].places.append(place)
                continue
            name, index = row["environment"], int(row["index"])
            env = self.envs[name]
            if (name, index) not in rendered:
                tools = tool_schemas(env) if self.offer_tools else None
                rendered[name, index] = chat.prompt(row["prompt"], tools)
            plays.append(_Play(env.begin(index), rendered[name, index], [place]))
        return plays

    def _room(self, play: _Play, trainer: Any) -> int:
        """Return how many tokens the next turn may have, at least one."""
        left = max(_left(play, trainer), 1)
        return left if self.max_turn_tokens is None else min(left, self.max_turn_tokens)

    def _take(
        self,
        play: _Play,
        sampled: Sequence[int],
        logprobs: Sequence[float] | None,
        trainer: Any,
        chat: ChatTokens,
    ) -> None:
        """Play a sampled turn, and put what the environment answers behind it."""
        # The call was limited by the roomiest conversation of all.
        turn = list(sampled[: self._room(play, trainer)])
        play.add(turn, None if logprobs is None else logprobs[: len(turn)], model=True)
        text = chat.text(turn)
        step = play.session.turn(text)
        play.turns.append(text)
        play.branches.append(play.branch)
        if play.session.outcome is not None:
            play.live = False
            return
        answer = chat.between(turn, step.messages[1:])
        if len(answer) < _left(play, trainer):
            play.add(answer, None, model=False)
        else:
            play.live = False


def _ways(trainer: Any) -> int:
    """Return in how many ways episodes branch: in training, under a credit that asks for it."""
    credit = getattr(trainer, "credit", None)
    return credit.branch if credit is not None and trainer.model.training else 1


def _left(play: _Play, trainer: Any) -> int:
    """Return how many more tokens fit into the completion and into the model's context."""
    left: int = trainer.max_completion_length - len(play.ids)
    longest = getattr(trainer.model.config, "max_position_embeddings", None)
    return left if longest is None else min(left, longest - len(play.context))


def _agreed(live: int, room: int) -> tuple[int, int]:
    """Return the largest number of conversations in play, and of tokens, on any process."""
    everywhere: list[tuple[int, int]] = gather_object([(live, room)])
    return max(n for n, _ in everywhere), max(tokens for _, tokens in everywhere)


@contextmanager
def _turn_limit(trainer: Any, tokens: int) -> Iterator[None]:
    """Let the trainer sample at most `tokens` in a turn; its own limit is for whole completions."""
    if getattr(trainer, "use_vllm", False):
        holder, name = trainer.vllm_generation, "max_completion_length"
    else:
        holder, name = trainer.generation_config, "max_new_tokens"
    before = getattr(holder, name)
    setattr(holder, name, tokens)
    try:
        yield
    finally:
        setattr(holder, name, before)
