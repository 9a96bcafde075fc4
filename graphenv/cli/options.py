"""Arguments that commands share, and options that are not known beforehand (`--hops 2`)."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from graphenv.envs.base import GraphEnv
from graphenv.errors import ConfigError

__all__ = [
    "Parser",
    "add_environment",
    "add_output",
    "env_kwargs",
    "environment_name",
    "make_env",
    "parse_pairs",
    "parse_value",
]


class Parser(argparse.ArgumentParser):
    """An argument parser that hands over options it does not know as a dict.

    Environments, sources and trainers have many arguments of their own, so `--hops 2` needs no
    declaration. Dashes in option names count as underscores.
    """

    def __init__(self, name: str, description: str, examples: Sequence[str]) -> None:
        shown = "\n".join(f"  {line}" for line in examples)
        super().__init__(
            prog=f"graphenv {name}",
            description=description,
            epilog=f"examples:\n{shown}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self._known: set[str] = {"--help"}
        self.add_argument("--debug", action="store_true", help="show the traceback of an error")

    def add_argument(self, *names: Any, **kwargs: Any) -> argparse.Action:
        """Declare an argument."""
        if hasattr(self, "_known"):
            self._known.update(name for name in names if name.startswith("--"))
        return super().add_argument(*names, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Report a wrong call like every other mistake of a user."""
        raise ConfigError(f"{message}. See {self.prog} --help")

    def split(self, words: Sequence[str]) -> tuple[argparse.Namespace, dict[str, Any]]:
        """Return the declared arguments and the others, by name.

        The word after an unknown option is its value unless it starts with `--`; without a value
        the option is true.
        """
        known: list[str] = []
        extra: dict[str, Any] = {}
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if not word.startswith("--") or word == "--":
                known.append(word)
                continue
            name, equals, value = word.partition("=")
            name = "--" + name[2:].replace("-", "_")
            if name in self._known:
                known.append(name + equals + value)
            elif equals:
                extra[name[2:]] = parse_value(value)
            elif rest and not rest[0].startswith("--"):
                extra[name[2:]] = parse_value(rest.pop(0))
            else:
                extra[name[2:]] = True
        return self.parse_args(known), extra


def parse_value(text: str) -> Any:
    """Return a number, truth value, list or object where the text is JSON, else the text.

    >>> parse_value("2"), parse_value("1e-3"), parse_value("true"), parse_value("metaqa")
    (2, 0.001, True, 'metaqa')
    """
    spelled = {"True": True, "False": False, "None": None}
    if text in spelled:
        return spelled[text]
    try:
        return json.loads(text)
    except ValueError:
        return text


def parse_pairs(pairs: Sequence[str]) -> dict[str, Any]:
    """Return the dict of `KEY=VALUE` texts.

    Raises
    ------
    ConfigError
        If one has no `=`.

    >>> parse_pairs(["hops=2", "source=metaqa"])
    {'hops': 2, 'source': 'metaqa'}
    """
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ConfigError(f"--env {pair!r}: write KEY=VALUE, for example --env hops=2")
        found[key.strip()] = parse_value(value)
    return found


def add_environment(parser: Parser, *, optional: bool = False) -> None:
    """Declare the environment and its arguments."""
    kwargs: dict[str, Any] = {"nargs": "?"} if optional else {}
    parser.add_argument("environment", help="its name, for example kgqa (graphenv list)", **kwargs)
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an argument of the environment or its source; --KEY VALUE does the same",
    )


def add_output(parser: Parser, *, seed: bool = True, out: str = "") -> None:
    """Declare `--json`, and `--seed` and `--out` where they make sense."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    if seed:
        parser.add_argument(
            "--seed",
            type=int,
            default=0,
            help="seed of what is drawn here (default 0); a source's own: --env seed=N",
        )
    if out:
        parser.add_argument("--out", help=out)


def env_kwargs(args: argparse.Namespace, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the environment's arguments from `--env KEY=VALUE` and `--KEY VALUE`."""
    return {**parse_pairs(args.env), **extra}


def make_env(args: argparse.Namespace, extra: Mapping[str, Any], **defaults: Any) -> GraphEnv:
    """Return the environment that was asked for; what is not said is taken from `defaults`."""
    from graphenv import envs

    name = environment_name(args.environment)
    return envs.make(name, **{**defaults, **env_kwargs(args, extra)})


def environment_name(text: str) -> str:
    """Return the short name of an environment given in any case, or `text` as it is.

    >>> environment_name("KGQA"), environment_name("kgqq")
    ('kgqa', 'kgqq')
    """
    from graphenv.envs import ENVIRONMENTS

    names = {row.name.lower(): row.name for row in ENVIRONMENTS}
    return names.get(text.lower(), text)
