"""What a comparison runs: variants of the reward times paired seeds, each in its own folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphenv.agents.bridge.config import TrainConfig
from graphenv.errors import ConfigError, DataError
from graphenv.rewards import TERMS, ShapingTerm, parse, term_class
from graphenv.seeding import stable_hash

__all__ = ["ENOUGH_SEEDS", "PLAN_FILE", "Plan", "RunSpec", "Variant", "make_variants"]

ENOUGH_SEEDS = 5
"""With fewer seeds a comparison is labelled illustrative."""

PLAN_FILE = "plan.json"


@dataclass(frozen=True)
class Variant:
    """One reward under one credit.

    Parameters
    ----------
    name
        How tables and plots call it.
    reward, credit
        The reward expression, and how scores become advantages.
    control_of
        Name of the variant whose training this one must repeat exactly, "" for none.
    """

    name: str
    reward: str
    credit: str = "outcome"
    control_of: str = ""

    @property
    def slug(self) -> str:
        """Folder name: readable, and different for different variants."""
        words = re.sub(r"[^a-z0-9]+", "-", f"{self.reward} {self.credit}".lower()).strip("-")
        mark = stable_hash(self.reward, self.credit, bool(self.control_of), bits=24)
        return f"{words[:40].strip('-')}-{mark:06x}"


@dataclass(frozen=True)
class RunSpec:
    """One run of a comparison."""

    variant: Variant
    seed: int
    config: TrainConfig

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.variant.name}, seed {self.seed}"

    @property
    def folder(self) -> Path:
        """The run folder."""
        return Path(self.config.out)

    @property
    def complete(self) -> bool:
        """Whether the run has been trained and evaluated to its end."""
        return (self.folder / "final.json").is_file()


def make_variants(
    rewards: Sequence[str], *, credit: str = "outcome", control: bool = False
) -> list[Variant]:
    """Return the variants that `rewards` name: expressions, each with an own `@credit` if need be.

    Parameters
    ----------
    rewards
        Reward expressions; `"exact + potential(progress) @turn"` sets the credit of one.
    credit
        The credit of the others.
    control
        Add a copy of the first variant with a shaping term under outcome credit. A potential sums
        to the same constant for every episode of a group, so it must come out identical.

    Raises
    ------
    ConfigError
        If there are fewer than two variants, or two are the same.

    >>> [(v.name, v.credit) for v in make_variants(["exact", "answer_f1 @turn"])]
    [('exact', 'outcome'), ('answer_f1 @turn', 'turn')]
    """
    variants = []
    for text in rewards:
        reward, at, own = text.rpartition("@")
        if not at:
            reward, own = text, ""
        variants.append(Variant(text.strip(), parse(reward.strip()).name, own.strip() or credit))
    if control:
        first = variants[0]
        shaping = [n for n in TERMS if issubclass(term_class(n), ShapingTerm)]
        if not shaping:
            raise ConfigError("compare: --control needs a shaping term, and none is registered")
        reward = f"({first.reward}) + potential({shaping[0]})"
        name = f"{first.name} + shaping (control)"
        variants.append(Variant(name, parse(reward).name, "outcome", first.name))
    if len(variants) < 2:
        raise ConfigError(
            "compare: one reward is no comparison. Give two or more: "
            '--rewards "exact" "exact + 0.3*path_similarity"'
        )
    seen: dict[tuple[str, str], str] = {}
    for variant in variants:
        key = (variant.reward, variant.credit)
        if key in seen:
            raise ConfigError(
                f"compare: {seen[key]!r} and {variant.name!r} are the same reward under the same "
                "credit"
            )
        seen[key] = variant.name
    return variants


@dataclass(frozen=True)
class Plan:
    """A comparison: what all runs share, the variants, the seeds.

    Parameters
    ----------
    base
        What all runs share; its `out` is the folder of the comparison, its `seed` the first seed.
    variants
        The rewards to compare.
    seeds
        Number of seeds; seed k means the same rows and the same start for every variant.
    start_per_seed
        Make one warm start per seed instead of one for all. One start compares rewards from the
        same policy; one per seed lets the intervals speak of other starts too, at their price.
    """

    base: TrainConfig
    variants: tuple[Variant, ...]
    seeds: int
    start_per_seed: bool = False

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ConfigError(f"compare: seeds={self.seeds!r} must be at least 1")
        if "reward" in self.base.env_kwargs:
            raise ConfigError(
                "compare: the environment's own reward= would go before every variant; leave it out"
            )

    @property
    def out(self) -> Path:
        """The folder of the comparison."""
        return Path(self.base.out)

    @property
    def seed_values(self) -> list[int]:
        """The seeds."""
        return [self.base.seed + k for k in range(self.seeds)]

    def start_config(self, seed: int) -> TrainConfig:
        """Return the config of the warm start that `seed` trains from."""
        seed = seed if self.start_per_seed else self.base.seed
        return self.base.with_(seed=seed, out=str(self.out / "start" / f"seed{seed}"))

    def runs(self) -> Iterator[RunSpec]:
        """Yield every run, seed by seed, so that a comparison cut short is still paired."""
        for seed in self.seed_values:
            for variant in self.variants:
                start = self.base.start or self.start_config(seed).out
                config = self.base.with_(
                    reward=variant.reward,
                    credit=variant.credit,
                    control=bool(variant.control_of),
                    seed=seed,
                    start=start,
                    out=str(self.out / "runs" / variant.slug / f"seed{seed}"),
                    resume=True,
                )
                yield RunSpec(variant, seed, config)

    # -- storage ------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return {
            "base": self.base.to_json(),
            "variants": [vars(variant) for variant in self.variants],
            "seeds": self.seeds,
            "start_per_seed": self.start_per_seed,
        }

    def save(self) -> None:
        """Write the plan; an earlier one in the same folder may differ in variants and seeds only.

        Raises
        ------
        ConfigError
            If the folder holds a comparison under other settings.
        """
        file = self.out / PLAN_FILE
        if file.is_file():
            old, new = Plan.load(self.out), self.to_json()
            before = old.to_json()
            differing = sorted(
                k for k, v in new["base"].items() if k != "out" and before["base"].get(k) != v
            )
            if differing or old.start_per_seed != self.start_per_seed:
                raise ConfigError(
                    f"compare: {self.out} holds a comparison with other settings "
                    f"({', '.join(differing) or 'start_per_seed'}). Continue it with the same "
                    "ones (more rewards or seeds may be added), or give another --out."
                )
        self.out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> Plan:
        """Return the plan of a comparison folder (which may have been moved).

        Raises
        ------
        DataError
            If it holds none.
        """
        file = Path(folder) / PLAN_FILE
        if not file.is_file():
            raise DataError(
                f"{folder} is no comparison folder: it holds no {PLAN_FILE}. Give the --out of "
                "`graphenv compare`."
            )
        data = json.loads(file.read_text(encoding="utf-8"))
        base = TrainConfig.from_json({**data["base"], "out": str(folder)})
        variants = tuple(Variant(**variant) for variant in data["variants"])
        return cls(base, variants, data["seeds"], data["start_per_seed"])
