"""A scorer on disk: `scorer.json` and `model.safetensors` in a folder. Nothing is unpickled."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from graphenv.agents.gnn.model import ModelConfig, ScorerModel, build_model
from graphenv.agents.gnn.schema import Schema
from graphenv.agents.gnn.texts import text_vectors
from graphenv.errors import ConfigError, DataError
from graphenv.scorers import SCORER_FILE

__all__ = ["FORMAT", "WEIGHTS_FILE", "Calibration", "digest", "packed", "read", "write"]

WEIGHTS_FILE = "model.safetensors"
FORMAT = 1

_AGAIN = "Train the scorer again (graphenv train-scorer), or copy its folder again."


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Log-odds to probabilities: sigmoid(logit / temperature + shift).

    References: Platt, Probabilistic outputs for support vector machines, 1999; Guo et al., On
    Calibration of Modern Neural Networks, ICML 2017.

    Parameters
    ----------
    temperature, shift
        Of the state value; the temperature is positive.
    link_temperature, link_shift
        Of the link probability.

    Raises
    ------
    ConfigError
        If one is not finite, or a temperature is not positive.
    """

    temperature: float = 1.0
    shift: float = 0.0
    link_temperature: float = 1.0
    link_shift: float = 0.0

    def __post_init__(self) -> None:
        for name, value in self.to_json().items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not abs(value) <= sys.float_info.max:
                raise ConfigError(f"Calibration: {name}={value!r} must be a finite number")
            if name.endswith("temperature") and value <= 0:
                raise ConfigError(f"Calibration: {name}={value!r} must be positive")

    def to_json(self) -> dict[str, float]:
        """Return a JSON-able form: the arguments."""
        return {
            "temperature": self.temperature,
            "shift": self.shift,
            "link_temperature": self.link_temperature,
            "link_shift": self.link_shift,
        }


def packed(model: ScorerModel) -> bytes:
    """Return the weights, in single precision, as the bytes of a safetensors file."""
    weights = {
        name: weight.detach().to("cpu", torch.float32).contiguous()
        for name, weight in model.state_dict().items()
    }
    found: bytes = safetensors.torch.save(weights)
    return found


def digest(data: bytes) -> str:
    """Return the digest of some bytes (hex)."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def write(
    folder: Path,
    model: ScorerModel,
    schema: Schema,
    calibration: Calibration,
    notes: Mapping[str, Any],
) -> None:
    """Write both files; the description last, so that a torn write leaves no readable scorer."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = packed(model)
    described = {
        "kind": "gnn",
        "format": FORMAT,
        "versions": {name: _version(name) for name in ("graphenv", "torch", "torch-geometric")},
        "schema": schema.to_json(),
        "model": model.config.to_json(),
        "calibration": calibration.to_json(),
        "probe": _probe(schema),
        "weights": digest(weights),
        "notes": dict(notes),
    }
    text = json.dumps(described, indent=1) + "\n"
    (folder / SCORER_FILE).unlink(missing_ok=True)
    (folder / WEIGHTS_FILE).write_bytes(weights)
    (folder / SCORER_FILE).write_text(text, encoding="utf-8")


def read(folder: Path) -> tuple[ScorerModel, Schema, Calibration, dict[str, Any]]:
    """Return what `write` wrote.

    Raises
    ------
    DataError
        If a file is missing, broken, of another format, or the two do not belong together.
    ConfigError
        If the schema names a text model that is not there.
    """
    file = folder / SCORER_FILE
    described = _described(file)
    try:
        schema = Schema.from_json(described.get("schema"))
        config = ModelConfig.from_json(described.get("model"))
        calibration = _calibration(described.get("calibration"))
    except (ConfigError, DataError) as error:
        raise DataError(f"{file}: {error}. {_AGAIN}") from error
    if not _alike(_probe(schema), described.get("probe")):
        raise DataError(
            f"{file}: the text vectors {schema.text!r} are not those that this scorer was trained "
            f"with; the model of that name has changed, or graphenv has. {_AGAIN}"
        )
    path = folder / WEIGHTS_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist. {_AGAIN}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if digest(data) != described.get("weights"):
        raise DataError(
            f"{path} is not the file that {SCORER_FILE} describes: the digest is "
            f"{digest(data)}, not {described.get('weights')!r}. {_AGAIN}"
        )
    try:
        weights: dict[str, torch.Tensor] = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError) as error:
        raise DataError(f"{path} is no safetensors file ({error}). {_AGAIN}") from error
    # A few words can describe gigabytes: nothing is made that the file does not hold.
    with torch.device("meta"):
        wanted = build_model(config, schema).state_dict()
    for name in sorted(wanted.keys() | weights.keys()):
        told, held = (_form(found.get(name)) for found in (wanted, weights))
        if told != held:
            raise DataError(
                f"{path} and {SCORER_FILE} do not fit: {name} is {held}, not {told}. {_AGAIN}"
            )
    if not all(bool(torch.isfinite(weight).all()) for weight in weights.values()):
        raise DataError(f"{path} holds weights that are no numbers. {_AGAIN}")
    model = build_model(config, schema)
    model.load_state_dict(weights)
    notes = described.get("notes")
    return model, schema, calibration, notes if isinstance(notes, dict) else {}


def _described(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(
            f"{file} does not exist: this folder holds no scorer. Train one with "
            "`graphenv train-scorer`, and give the folder that it wrote."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file} cannot be read as JSON: {error}. {_AGAIN}") from error
    if not isinstance(found, dict) or found.get("kind") != "gnn":
        raise DataError(f"{file} does not describe a scorer of kind 'gnn'. {_AGAIN}")
    if found.get("format") != FORMAT:
        raise DataError(
            f"{file}: format {found.get('format')!r}, but this graphenv reads {FORMAT}. {_AGAIN}"
        )
    return found


def _calibration(data: Any) -> Calibration:
    if not isinstance(data, Mapping) or set(data) != set(Calibration().to_json()):
        raise DataError(f"calibration: an object with {', '.join(Calibration().to_json())}")
    return Calibration(**data)


def _probe(schema: Schema) -> list[float]:
    """Return the vector of a fixed text: a scorer means nothing with other vectors."""
    row = text_vectors(schema.text).rows(["Who directed the film?"])[0]
    return [round(float(value), 4) for value in row]


def _form(weight: torch.Tensor | None) -> str:
    return "missing" if weight is None else f"{weight.dtype} {tuple(weight.shape)}"


def _alike(ours: list[float], theirs: Any) -> bool:
    if not isinstance(theirs, list) or len(theirs) != len(ours):
        return False
    return all(
        isinstance(b, int | float) and a - 1e-2 < b < a + 1e-2
        for a, b in zip(ours, theirs, strict=True)
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
