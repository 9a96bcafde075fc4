"""A `TrainConfig` from a config file and flags; what `train`, `compare` and `demo` share."""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphenv.agents.bridge.config import TrainConfig
from graphenv.cli.options import Parser, environment_name, parse_pairs
from graphenv.errors import ConfigError, DataError, GraphEnvError, did_you_mean

__all__ = ["add_settings", "read_config", "settings"]

_NESTED = ("env_kwargs", "grpo", "peft")
_LORA_OWN = ("lora_alpha", "lora_dropout", "lora_bias")


def _helps() -> dict[str, str]:
    """Return what the docstring of `TrainConfig` says about each field, in one line."""
    doc = (TrainConfig.__doc__ or "").partition("----------\n")[2]
    found: dict[str, str] = {}
    for names, text in re.findall(r"^    (\w[\w, ]*)\n((?:        .+\n)+)", doc, re.MULTILINE):
        line = " ".join(text.split()).replace("%", "%%").replace("`", "")
        found.update(dict.fromkeys((name.strip() for name in names.split(",")), line))
    return found


def add_settings(parser: Parser, *, without: tuple[str, ...] = ()) -> None:
    """Declare the environment, `--config`, and a flag for every plain field of `TrainConfig`."""
    parser.add_argument("environments", nargs="?", help="a name, or a mixture: kgqa:2,other:1")
    parser.add_argument(
        "--config", help="YAML or JSON file with any of these settings; flags go before it"
    )
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an argument of the environment (NAME.KEY=VALUE in a mixture)",
    )
    helps = _helps()
    for field in dataclasses.fields(TrainConfig):
        name, default = field.name, field.default
        if name in ("environments", *_NESTED, *without):
            continue
        told = helps.get(name, "")
        if default is not None and not isinstance(default, bool):
            told += f" (default {default})"
        if isinstance(default, bool):
            parser.add_argument(
                f"--{name}", action="store_true", default=argparse.SUPPRESS, help=told
            )
        else:
            kind = str if default is None else type(default)
            parser.add_argument(f"--{name}", type=kind, default=argparse.SUPPRESS, help=told)


def read_config(file: str) -> dict[str, Any]:
    """Return the settings of a YAML or JSON file.

    Raises
    ------
    DataError
        If the file is missing or holds no mapping.
    """
    import yaml

    path = Path(file)
    if not path.is_file():
        raise DataError(f"--config {file}: there is no such file")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise DataError(f"--config {file}: not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"--config {file}: a mapping of settings is expected")
    content.pop("versions", None)  # a run's own config.json is a config file too
    return content


def settings(args: argparse.Namespace, extra: Mapping[str, Any]) -> TrainConfig:
    """Return the config that file and flags describe; flags go before the file.

    Names that are no setting of ours are fields of GRPOConfig, LoRA settings (`lora_*`), or
    arguments of the environment, in this order.

    Raises
    ------
    GraphEnvError
        If a name is none of these, or a value cannot work.
    """
    known = {field.name for field in dataclasses.fields(TrainConfig)}
    given = {k: v for k, v in vars(args).items() if k in known and v is not None}
    if "environments" in given:
        pieces = (piece.strip().partition(":") for piece in given["environments"].split(","))
        given["environments"] = ",".join(environment_name(n) + c + w for n, c, w in pieces)
    file = read_config(args.config) if args.config else {}
    loose = {k: v for k, v in file.items() if k not in known}
    plain = {k: v for k, v in file.items() if k in known and k not in _NESTED}
    nested = {name: dict(file.get(name) or {}) for name in _NESTED}
    _sort_in({**loose, **extra}, nested)
    for key, value in parse_pairs(args.env).items():
        _put(nested["env_kwargs"], key, value)
    config = TrainConfig.from_json({**plain, **given, **nested})
    _check_environment(config, {**loose, **extra})
    return config


def _sort_in(values: Mapping[str, Any], nested: dict[str, dict[str, Any]]) -> None:
    if not values:
        return
    from trl import GRPOConfig

    fields = {field.name for field in dataclasses.fields(GRPOConfig)}
    for name, value in values.items():
        if name == "use_peft":
            if value:
                nested["peft"].setdefault("r", 16)
        elif name.startswith("lora_"):
            nested["peft"][name if name in _LORA_OWN else name.removeprefix("lora_")] = value
        elif name in fields:
            nested["grpo"][name] = value
        else:
            _put(nested["env_kwargs"], name, value)


def _put(kwargs: dict[str, Any], key: str, value: Any) -> None:
    """Set `kwargs[key]`; `NAME.KEY` goes one level down, as mixtures need it."""
    family, dot, inner = key.partition(".")
    if not dot:
        kwargs[key] = value
        return
    below = kwargs.setdefault(family, {})
    if not isinstance(below, dict):
        raise ConfigError(f"--env {key}: {family} is an argument itself already")
    below[inner] = value


def _check_environment(config: TrainConfig, loose: Mapping[str, Any]) -> None:
    """Make the environments once: a misspelt trainer setting ends up among their arguments."""
    if "split" in config.env_kwargs:
        raise ConfigError("split= is chosen by training: train, validation, then heldout")
    try:
        config.make_envs("train")
    except GraphEnvError as error:
        wrong = [name for name in loose if f"{name!r}" in str(error)]
        if not wrong:
            raise
        if wrong[0] in _NESTED:
            raise ConfigError(
                f"--{wrong[0]} is for a --config file; on the command line its fields are flags of "
                "their own, as in --learning_rate 1e-3 or --lora_r 8"
            ) from error
        from trl import GRPOConfig

        fields = [field.name for field in dataclasses.fields(GRPOConfig)]
        own = [field.name for field in dataclasses.fields(TrainConfig)]
        near = did_you_mean(wrong[0], [*fields, *own])
        raise ConfigError(
            f"{error} As a training setting it is unknown too.{near if 'mean' in near else ''}"
        ) from error
