"""`TrainConfig`: everything that a training run depends on, as JSON."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from graphenv import envs
from graphenv.agents.bridge.rows import parse_mixture
from graphenv.checks import one_of, whole
from graphenv.envs.base import GraphEnv
from graphenv.errors import ConfigError, DataError, did_you_mean

__all__ = ["BACKENDS", "TINY_GRPO", "TURN_TOKENS", "TrainConfig", "versions"]

BACKENDS = ("auto", "reward_funcs", "environment_factory", "rollout_func")

PACKAGES = ("graphenv", "gymnasium", "numpy", "torch", "transformers", "trl", "accelerate")

TINY_GRPO: dict[str, Any] = {
    "learning_rate": 5e-4,
    "adam_beta2": 0.99,
    "max_grad_norm": 0.2,
    "per_device_train_batch_size": 128,
    "num_generations": 8,
    "temperature": 1.2,
    "beta": 0.0,
    "max_completion_length": 24,
    "lr_scheduler_type": "constant_with_warmup",
    "warmup_steps": 10,
    "logging_steps": 10,
}
"""GRPO settings of the tiny policy on a CPU; any of them can be overridden."""

TURN_TOKENS = 48


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Parameters
    ----------
    environments
        An environment's short name, or a mixture such as `"text2sql:1,text2cypher:1"` (see
        `parse_mixture`).
    env_kwargs
        Arguments of the environment; for a mixture one dict per name.
    reward
        The reward expression (an environment's own `reward` in `env_kwargs` goes first); empty:
        the default of each environment.
    model
        `tiny`, a folder, or a hub id.
    size
        Size of the tiny model (`graphenv.agents.tiny.SIZES`).
    start
        Folder of a warm-started model; if given, no warm start is made.
    warmup
        Number of oracle episodes for the supervised warm start (0: none).
    warmup_epochs
        Passes over them (0: 20 for the tiny model, which starts from nothing, else 2).
    warmup_lr
        Learning rate of the warm start (0: 2e-3 for the tiny model, 1e-4 with LoRA, else 1e-5).
    steps
        GRPO steps.
    seed
        Seed of rows, weights and sampling.
    out
        The run folder.
    eval_every
        Steps between two evaluations of the truth (0: never).
    eval_tasks
        Validation tasks of each of them.
    heldout_tasks
        Held-out tasks of the final evaluation.
    max_new_tokens
        Longest turn in evaluation, in tokens (0: 48, or more if gold turns are longer; and so
        `max_completion_length` in `grpo`, if it is not given: see `lengths.fitted`).
    eval_batch
        Chats per call of `generate` in evaluation (0: 256 for the tiny model, else 16).
    credit
        How scores become advantages: `outcome` (GRPO), `turn(lam=0.5)`, `min-form` (PURE),
        `trajectory-graph` (SALT), `prefix-tree` (TEMPO; `prefix-tree(by=token)` for one turn),
        `siblings` (TreeRPO, branches rollouts) or `gated` (G-RA); `|delta`, `|clip` and `|par`
        behind one of them change what turns earn; see `docs/credit.md`.
    backend
        One of `BACKENDS`.
    control
        Allow a shaping term under outcome credit, as a control that must change nothing.
    grpo
        Any field of `trl.GRPOConfig`.
    peft
        Fields of `peft.LoraConfig`; empty: all weights are trained.
    resume
        Continue an interrupted run in `out`.
    """

    environments: str = "kgqa"
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    reward: str = ""
    model: str = "tiny"
    size: str = "s"
    start: str | None = None
    warmup: int = 64
    warmup_epochs: int = 0
    warmup_lr: float = 0.0
    steps: int = 200
    seed: int = 0
    out: str = "runs/train"
    eval_every: int = 50
    eval_tasks: int = 200
    heldout_tasks: int = 1000
    max_new_tokens: int = 0
    eval_batch: int = 0
    credit: str = "outcome"
    backend: str = "auto"
    control: bool = False
    grpo: Mapping[str, Any] = field(default_factory=dict)
    peft: Mapping[str, Any] = field(default_factory=dict)
    resume: bool = False

    def __post_init__(self) -> None:
        parse_mixture(self.environments)
        for name in ("warmup", "steps", "eval_every", "eval_tasks", "heldout_tasks"):
            whole("train", name, getattr(self, name), 0)
        whole("train", "max_new_tokens", self.max_new_tokens, 0)
        one_of("train", "backend", self.backend, BACKENDS)

    @property
    def batch(self) -> int:
        """Chats per call of `generate` in evaluation, the default filled in."""
        return self.eval_batch or (256 if self.model == "tiny" else 16)

    @property
    def turn_tokens(self) -> int:
        """Longest turn in evaluation, the least default filled in."""
        return self.max_new_tokens or TURN_TOKENS

    @property
    def supervised(self) -> tuple[int, float]:
        """Epochs and learning rate of the warm start, defaults filled in."""
        tiny = self.model == "tiny"
        rate = 2e-3 if tiny else (1e-4 if self.peft else 1e-5)
        return self.warmup_epochs or (20 if tiny else 2), self.warmup_lr or rate

    # -- environments -------------------------------------------------------------------------

    @property
    def mixture(self) -> dict[str, float]:
        """The weights of the environments by name."""
        return {name: share.weight for name, share in parse_mixture(self.environments).items()}

    def make_envs(self, split: str) -> dict[str, GraphEnv]:
        """Return the environments for a split, by name."""
        shares = parse_mixture(self.environments)
        names = list(shares)
        made = {}
        for name in names:
            kwargs = dict(self.env_kwargs)
            if len(names) > 1:
                unknown = sorted(set(kwargs) - set(names))
                if unknown:
                    raise ConfigError(
                        f"train: env_kwargs of a mixture hold one dict per environment; {unknown} "
                        f"are none of {names}"
                    )
                kwargs = dict(kwargs.get(name, {}))
            if self.reward:
                kwargs.setdefault("reward", self.reward)
            made[name] = envs.make(shares[name].family, **{**kwargs, "split": split})
        return made

    def lora(self) -> Any:
        """Return the `peft.LoraConfig` of the run; `None` where all weights are trained.

        Raises
        ------
        ConfigError
            If peft refuses the settings.
        """
        if not self.peft:
            return None
        from peft import LoraConfig

        try:
            return LoraConfig(task_type="CAUSAL_LM", **self.peft)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"train: peft refuses these LoRA settings: {error}") from error

    # -- storage ------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TrainConfig:
        """Return the config of a mapping.

        Raises
        ------
        ConfigError
            If it holds a field that does not exist.
        """
        known = {f.name for f in fields(cls)}
        for name in data:
            if name not in known:
                raise ConfigError(f"train: unknown setting {name!r}.{did_you_mean(name, known)}")
        return cls(**data)

    def with_(self, **changes: Any) -> TrainConfig:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def save(self) -> None:
        """Write the resolved config and the versions it runs under to `out/config.json`."""
        folder = Path(self.out)
        folder.mkdir(parents=True, exist_ok=True)
        content = {**self.to_json(), "versions": versions()}
        (folder / "config.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> TrainConfig:
        """Return the config of a run folder.

        Raises
        ------
        DataError
            If the folder holds no `config.json`.
        """
        file = Path(folder) / "config.json"
        if not file.is_file():
            raise DataError(f"{folder} is no run folder: it holds no config.json")
        data = json.loads(file.read_text(encoding="utf-8"))
        data.pop("versions", None)
        return cls.from_json(data)


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python and of `packages`; by default those that training needs."""
    found = {"python": platform.python_version()}
    for name in packages or PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
