"""Typed methods as tools: one definition for Gymnasium text actions and for chat templates."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from graphenv.errors import ConfigError

__all__ = ["ToolSpec", "bind_arguments", "tool", "tool_specs"]

F = TypeVar("F", bound=Callable[..., Any])
_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def tool(method: F) -> F:
    """Mark a method of a session as a tool.

    Its parameters are annotated with str, int, float or bool; its Google docstring has an `Args:`
    section that describes each; its first line is what the agent reads.
    """
    method.__graphenv_tool__ = True  # type: ignore[attr-defined]
    return method


@dataclass(frozen=True)
class ToolSpec:
    """A tool as an agent sees it: name, description, parameters (name -> type, help, required)."""

    name: str
    description: str
    parameters: Mapping[str, tuple[type, str, bool]]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON schema in the form that chat templates and OpenAI-style servers take."""
        properties = {
            name: {"type": _JSON_TYPES[kind], "description": text}
            for name, (kind, text, _) in self.parameters.items()
        }
        required = [name for name, (_, _, needed) in self.parameters.items() if needed]
        # An empty "required" is left out, as transformers does: the same tool renders the same.
        needs = {"required": required} if required else {}
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": {"type": "object", "properties": properties, **needs},
            },
        }

    @property
    def usage(self) -> str:
        """One line for a prompt: `follow(relation): Move the frontier ...`."""
        shown = [n if needed else f"{n}?" for n, (_, _, needed) in self.parameters.items()]
        return f"{self.name}({', '.join(shown)}): {self.description}"


def tool_specs(cls: type) -> dict[str, ToolSpec]:
    """Return the tools of a class by name, in order of definition.

    Raises
    ------
    ConfigError
        If a tool lacks an annotation or a docstring line for a parameter.
    """
    specs: dict[str, ToolSpec] = {}
    for base in reversed(cls.__mro__):
        for name, method in vars(base).items():
            if getattr(method, "__graphenv_tool__", False):
                specs[name] = _spec(name, method)
    return specs


def _spec(name: str, method: Callable[..., Any]) -> ToolSpec:
    doc = inspect.getdoc(method) or ""
    described = dict(re.findall(r"^\s+(\w+): (.+)$", doc.partition("Args:")[2], re.MULTILINE))
    hints = get_type_hints(method)
    parameters = {}
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        kind = hints.get(parameter.name)
        if kind not in _JSON_TYPES or parameter.name not in described:
            raise ConfigError(
                f"tool {name}: parameter {parameter.name!r} needs a str/int/float/bool annotation "
                "and a line in the Args section of the docstring"
            )
        needed = parameter.default is parameter.empty
        parameters[parameter.name] = (kind, described[parameter.name], needed)
    return ToolSpec(name, doc.partition("\n")[0], parameters)


def bind_arguments(spec: ToolSpec, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return `(arguments, "")` fit for the tool, or `({}, reason)`.

    Numbers are taken as text where text is asked for, and digits as a number where a number is.
    """
    unknown = sorted(str(name)[:60] for name in arguments if name not in spec.parameters)
    if unknown:
        return {}, f"{spec.name} has no argument {', '.join(unknown[:3])}. Use {spec.usage}"
    bound: dict[str, Any] = {}
    for name, (kind, _, needed) in spec.parameters.items():
        if name not in arguments:
            if needed:
                return {}, f"{spec.name} needs the argument {name!r}. Use {spec.usage}"
            continue
        value = _coerced(kind, arguments[name])
        if value is None:
            found = type(arguments[name]).__name__
            asked = _JSON_TYPES[kind]
            return {}, f"{spec.name}: argument {name!r} is a {found}, but a {asked} is asked for"
        bound[name] = value
    return bound, ""


def _coerced(kind: type, value: Any) -> Any:
    if isinstance(value, bool):
        return value if kind is bool else None
    if kind is str and isinstance(value, str | int | float):
        return str(value)
    if kind is int:
        if isinstance(value, int):
            return value
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value.strip()):
            return int(value)
    if kind is float and isinstance(value, int | float):
        return float(value)
    if kind is bool and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return None
