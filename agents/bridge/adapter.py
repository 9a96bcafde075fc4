"""Environments for TRL's `environment_factory`: one adapter class each, made from its tools.

TRL runs the tool loop itself: it samples a turn, parses the tool calls out of it, calls the
methods of an *environment instance* of its own, and never shows that instance the model's text,
unknown tools or the final answer. So an adapter is only a place where tools can be run; what
happened is rebuilt from the completion when it is graded (`graphenv.agents.bridge.grading`).

TRL takes every public method of the class for a tool, so the class has none but the tools and
`reset`: a `GraphEnv` handed over as it is would offer `step`, `render` and `close` to the model.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphenv.envs.base import GraphEnv
from graphenv.envs.session import Session
from graphenv.envs.tools import ToolSpec
from graphenv.errors import ConfigError, GraphEnvError
from graphenv.text import ParsedCall

__all__ = [
    "AdapterFactory",
    "ToolAdapter",
    "environment_factory",
    "plays_tools",
    "raise_failures",
    "tool_iterations",
    "tool_schemas",
]

_RESERVED = ("reset", "get_reward")


class ToolAdapter:
    """One conversation's tools, as TRL calls them; instances are pooled and reset, not remade.

    Subclasses are made by `AdapterFactory`, with one method per tool.
    """

    _env: GraphEnv

    def __init__(self) -> None:
        self._session: Session | None = None
        self._index: int | None = None
        self._failure: tuple[str, Exception] | None = None

    def reset(self, **row: Any) -> None:
        """Forget everything and start the task that the row names (its `index`).

        Returns nothing, because TRL would append it to the last user message; the prompt of the
        row is complete.

        Raises
        ------
        ConfigError
            If the row has no index.
        """
        self._session = self._index = self._failure = None
        if "index" not in row:
            raise ConfigError(
                f"{self._env.env_id}: a row without the column 'index' was given to reset; it has "
                f"{sorted(row)}. Without it the members of a group would play different tasks. "
                "Make the training set with graphenv.agents.bridge.rows.make_rows."
            )
        self._index = int(row["index"])
        self._session = self._env.begin(self._index)

    def _call(self, tool: str, arguments: dict[str, Any]) -> str:
        try:
            if self._session is None:
                raise GraphEnvError(f"{self._env.env_id}: tool {tool!r} was called before reset")
            return self._session.call(ParsedCall(tool, arguments)).result
        except Exception as error:
            # TRL turns it into text for the model and goes on: keep it for `raise_failures`.
            self._failure = (tool, error)
            raise


class AdapterFactory:
    """Makes adapters of one environment; picklable, as TRL asks of it.

    Parameters
    ----------
    env
        The environment; all adapters share it and play in sessions of their own.

    Raises
    ------
    ConfigError
        If a tool has a name that TRL keeps for itself.

    Examples
    --------
    >>> from graphenv import envs
    >>> adapter = AdapterFactory(envs.make("kgqa"))()
    >>> adapter.reset(index=0)
    >>> adapter.back()
    'The frontier is at its start; there is nothing to undo.'
    """

    def __init__(self, env: GraphEnv) -> None:
        for name in env.tools:
            if name in _RESERVED or name.startswith("_"):
                raise ConfigError(
                    f"{env.env_id}: TRL cannot offer a tool named {name!r} ({', '.join(_RESERVED)} "
                    "and names that begin with _ are taken). Rename it, or train with rollout_func."
                )
        self.env = env
        self._made: type[ToolAdapter] | None = None

    def __call__(self) -> ToolAdapter:
        """Return a fresh adapter, not yet reset."""
        if self._made is None:
            methods = {name: _method(spec) for name, spec in self.env.tools.items()}
            name = f"{self.env.family.capitalize()}Adapter"
            self._made = type(name, (ToolAdapter,), {"_env": self.env, **methods})
        return self._made()

    def __getstate__(self) -> dict[str, Any]:
        return {"env": self.env, "_made": None}  # a class made on the spot does not pickle


def _method(spec: ToolSpec) -> Callable[..., str]:
    """Return the method of a tool: its signature and docstring say what `spec` says.

    Arguments are taken as they come, so that wrong ones get the environment's answer, word for
    word the one that they get in `GraphEnv.step`, and not Python's.
    """

    def call(self: ToolAdapter, /, **arguments: Any) -> str:
        return self._call(spec.name, arguments)

    lines = [f"    {name}: {text}" for name, (_, text, _) in spec.parameters.items()]
    call.__doc__ = "\n".join(
        [spec.description, "", "Args:", *lines] if lines else [spec.description]
    )
    call.__name__ = spec.name
    call.__qualname__ = f"ToolAdapter.{spec.name}"
    # No "return": transformers would write it into the schema, which `ToolSpec.to_json` does not.
    call.__annotations__ = {name: kind for name, (kind, _, _) in spec.parameters.items()}
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)]
        + [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=kind,
                default=inspect.Parameter.empty if needed else None,
            )
            for name, (kind, _, needed) in spec.parameters.items()
        ]
    )
    return call


def environment_factory(envs: Mapping[str, GraphEnv]) -> dict[str, AdapterFactory]:
    """Return what `GRPOTrainer(environment_factory=...)` takes for these environments.

    Rows pick theirs by the column `environment`, and TRL keeps the tools of each to itself, so the
    members of a mixture may differ in their tools.

    Raises
    ------
    ConfigError
        If none of them has tools.
    """
    if not any(env.tools for env in envs.values()):
        raise ConfigError(
            f"environment_factory: none of {', '.join(envs)} offers a tool. Environments played in "
            "one turn need reward functions only (backend='reward_funcs')."
        )
    return {name: AdapterFactory(env) for name, env in envs.items()}


def tool_iterations(envs: Iterable[GraphEnv]) -> int:
    """Return TRL's `max_tool_calling_iterations` for these environments.

    TRL samples one turn and then one more per iteration; the calls of the last turn are run when
    the episode is rebuilt. So T turns are T - 1 iterations.
    """
    return max(env.max_turns for env in envs) - 1


def tool_schemas(env: GraphEnv) -> list[dict[str, Any]]:
    """Return the tools as the JSON schemas that TRL renders into a prompt when it offers tools.

    Sorted by name, because TRL lists the methods of a class so.
    """
    return [env.tools[name].to_json() for name in sorted(env.tools)]


def raise_failures(environments: Iterable[Any] | None) -> None:
    """Raise the first exception that a tool raised in one of TRL's environment instances.

    TRL shows it to the model as `{"error": ...}` and trains on; a bug of ours must not look like
    an answer of the world.

    Raises
    ------
    GraphEnvError
        Naming the tool and the task, from the exception itself.
    """
    for adapter in environments or ():
        failure = getattr(adapter, "_failure", None)
        if failure is not None:
            tool, error = failure
            raise GraphEnvError(
                f"tool {tool!r} of {adapter._env.env_id} crashed on task index {adapter._index} "
                f"while TRL was playing: {error!r}. This is a bug of the environment, not of the "
                "model; no step was taken on this batch."
            ) from error


def plays_tools(tokenizer: Any) -> bool:
    """Whether TRL can run its tool loop with this tokenizer.

    Its chat template has to render calls and results, TRL has to be able to read calls back, and
    earlier turns have to render the same whatever follows (or TRL must know a template that does).
    Sets the tokenizer's response template where TRL knows it, as the trainer would.
    """
    from trl.chat_template_utils import (
        add_response_schema,
        get_training_chat_template,
        is_chat_template_prefix_preserving,
        supports_tool_calling,
    )

    if not supports_tool_calling(tokenizer):
        return False
    try:
        if getattr(tokenizer, "response_template", None) is None:
            add_response_schema(tokenizer)
        if not is_chat_template_prefix_preserving(tokenizer):
            get_training_chat_template(tokenizer)
    except ValueError:  # TRL: "Unrecognized chat template", "patching is not supported"
        return False
    return True
