"""The command line, `graphenv COMMAND`: one small module a command, imported when asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from graphenv.errors import GraphEnvError, did_you_mean

__all__ = ["COMMANDS", "main"]

COMMANDS: dict[str, str] = {
    "list": "what there is: environments, sources, reward terms, agents, credits",
    "play": "play an environment in the terminal, or watch an agent play",
    "validate": "check that a source ranks players whose order is known",
    "eval": "how often an agent or model is right, with intervals and pass@k",
    "train": "warm start, then GRPO under a reward",
    "train-scorer": "train a graph network that rates half-built graphs, for process rewards",
    "compare": "train under several rewards and report which taught most",
    "rescore": "grade stored episodes under other rewards",
    "show": "walk through a stored episode: turns, facts, parts",
    "report": "rebuild the report of a comparison",
    "demo": "a comparison in minutes, on generated questions",
}
"""The commands with what each is for; command `x-y` is `graphenv.cli.x_y_command`."""

USAGE = """\
usage: graphenv COMMAND [options]      (graphenv COMMAND --help teaches one)

{commands}

Start with:  graphenv play kgqa
             graphenv demo --out runs/demo
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code (0 done, 1 a check failed, 2 the request cannot work).

    Parameters
    ----------
    argv
        Arguments after the program's name; default: those of the process.

    >>> main(["--version"])
    graphenv 0.1.0
    0
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        lines = [f"  {name:<12} {text}" for name, text in COMMANDS.items()]
        print(USAGE.format(commands="\n".join(lines)), end="")
        return 0 if words else 2
    if words[0] == "--version":
        import graphenv

        print(f"graphenv {graphenv.__version__}")
        return 0
    if words[0] not in COMMANDS:
        print(
            f"graphenv: there is no command {words[0]!r}.{did_you_mean(words[0], COMMANDS)}",
            file=sys.stderr,
        )
        return 2
    return _run(words[0], words[1:])


def _run(name: str, words: list[str]) -> int:
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    command = import_module(f"graphenv.cli.{name.replace('-', '_')}_command")
    try:
        code: int = command.run(words)
        sys.stdout.flush()
        return code
    except GraphEnvError as error:
        if debug:
            raise
        print(f"graphenv {name}: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if debug or (error.name or "").partition(".")[0] == "graphenv":
            raise
        print(
            f"graphenv {name}: {error.name} is not installed; this command needs an extra: "
            'pip install "graphenv[train,gnn,plot]"',
            file=sys.stderr,
        )
        return 2
    except BrokenPipeError:
        # The reader (head, less) has gone; Python must not complain again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"graphenv {name}: stopped", file=sys.stderr)
        return 130
