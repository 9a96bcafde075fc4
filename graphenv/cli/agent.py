"""An agent from a word on the command line: a name, or the folder of a model."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphenv.agents import AGENTS, Agent, make
from graphenv.agents.llm import show_loading_bars
from graphenv.envs.base import GraphEnv
from graphenv.errors import UnknownNameError, did_you_mean
from graphenv.references import load_row

__all__ = ["make_agent", "trained_under"]


def trained_under(agent: str, environment: str) -> dict[str, Any]:
    """Return the environment arguments that the run of a trained model was made with.

    A model that learned to write programs cannot be judged in tool mode, so they are the defaults
    of `eval` and `play`. Empty if `agent` is no run folder or checkpoint, or the run was a mixture
    or of another environment.
    """
    for folder in (Path(agent), Path(agent).parent):
        file = folder / "config.json"
        if file.is_file():
            stored = json.loads(file.read_text(encoding="utf-8"))
            if stored.get("environments") == environment and "env_kwargs" in stored:
                return {"reward": stored["reward"], **stored["env_kwargs"]}
    return {}


def make_agent(
    name: str,
    env: GraphEnv,
    *,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Agent:
    """Return the agent called `name`, or the language model in the folder `name`.

    Parameters
    ----------
    seed
        Given to agents that take one.
    options
        Arguments of the agent; those of value `None` are left out.

    Raises
    ------
    UnknownNameError
        If it is neither an agent nor a folder of a model.
    """
    chosen = {k: v for k, v in (options or {}).items() if v is not None}
    if name not in AGENTS:
        folder = Path(name)
        if (folder / "checkpoint").is_dir():  # a run folder means its model
            folder = folder / "checkpoint"
        local = (folder / "config.json").is_file() or (folder / "adapter_config.json").is_file()
        if not local and not _hub_id(name):
            raise UnknownNameError(
                f"{name!r} is neither an agent nor a folder with a model (a run folder, or its "
                f"checkpoint/).{did_you_mean(name, AGENTS)}"
            )
        chosen = {"model": str(folder) if local else name, **chosen}
        show_loading_bars(sys.stderr.isatty())
        name = "llm"
    if "seed" in inspect.signature(load_row(AGENTS[name])).parameters:
        chosen.setdefault("seed", seed)
    return make(name, env, **chosen)


def _hub_id(name: str) -> bool:
    """Whether `name` looks like `owner/model`, and is no path that exists or was meant as one."""
    parts = name.split("/")
    return (
        len(parts) == 2
        and all(parts)
        and not name.startswith((".", "~"))
        and parts[1] != "checkpoint"  # a run folder misspelt: the hub would be asked for minutes
        and not (Path(parts[0]).exists())
    )
