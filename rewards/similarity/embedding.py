"""How alike labels are to a text embedding model: `similarity="embedding:NAME"`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphenv.errors import ConfigError

__all__ = ["MAX_ENCODED", "PREFIX", "Embedding", "embedding"]

PREFIX = "embedding:"
MAX_ENCODED = 256
"""Of so many different labels a side the vectors are asked for; see `label_likeness`."""

_MAX_TOKENS = 32
_REMEMBERED = 1 << 14
_DIFFERENT = 0.999
"""What different labels are worth at most: a model may know two of them by one token only."""

Matrix = NDArray[np.float64]


class Embedding:
    """Vectors of labels by a transformers encoder: the mean of its last hidden states.

    A label is encoded alone, once, on the processor, so that its vector depends on nothing else
    that is graded; the vectors of 16,384 labels are kept. The model is loaded on first use.

    Parameters
    ----------
    name
        A folder that `from_pretrained` reads, or a hub id.
    tokens
        Of a text so many tokens are read.
    safetensors
        Whether to load weights from safetensors files only.

    Raises
    ------
    ConfigError
        If transformers or torch is missing; on first use, if the model cannot be loaded.
    """

    def __init__(self, name: str, *, tokens: int = _MAX_TOKENS, safetensors: bool = False) -> None:
        for package in ("torch", "transformers"):
            if find_spec(package) is None:
                raise ConfigError(
                    f"similarity='{PREFIX}{name}' encodes labels with {package}, which is not "
                    'installed. Install it with: pip install "graphenv[train]"'
                )
        if not name:
            raise ConfigError(
                f"similarity='{PREFIX}' names no model; write '{PREFIX}' and a folder or hub id, "
                "such as embedding:sentence-transformers/all-MiniLM-L6-v2"
            )
        self.name = name
        self.tokens = tokens
        self.safetensors = safetensors
        self._loaded: tuple[Any, Any] | None = None
        self._vector = lru_cache(maxsize=_REMEMBERED)(self._encode)

    def load(self) -> tuple[Any, Any]:
        """Load tokenizer and model now, unless they are loaded already.

        Raises
        ------
        ConfigError
            If there is no such model.
        """
        if self._loaded is None:
            from transformers import AutoModel, AutoTokenizer

            try:
                tokenizer = AutoTokenizer.from_pretrained(self.name)
                # None: safetensors where there are any.
                only = True if self.safetensors else None
                model = AutoModel.from_pretrained(self.name, use_safetensors=only)
            except (OSError, ValueError) as error:
                raise ConfigError(
                    f"similarity='{PREFIX}{self.name}': the model cannot be loaded ({error}). "
                    "Give a folder that transformers reads, or the id of an encoder on the hub."
                ) from error
            self._loaded = tokenizer, model.float().cpu().eval()
        return self._loaded

    @property
    def size(self) -> int:
        """Length of its vectors."""
        return int(self.load()[1].config.hidden_size)

    def vector(self, text: str) -> Matrix:
        """Return the vector of a text, of length 1 (0 if the tokenizer keeps nothing of it)."""
        return np.asarray(self._vector(text))

    def likeness(self, first: Sequence[str], second: Sequence[str]) -> Matrix:
        """Return max(0, cosine) of labels by labels, all taken as different: at most 0.999."""
        a, b = (np.array([self._vector(x) for x in names]) for names in (first, second))
        if not a.size or not b.size:
            return np.zeros((len(first), len(second)))
        # Rounded: the last bits of a product depend on the size of the matrices.
        return np.asarray(np.clip(np.round(a @ b.T, 9), 0.0, _DIFFERENT))

    def __call__(self, first: str, second: str) -> float:
        """Return the similarity of two labels; 1.0 only for equal ones."""
        return 1.0 if first == second else float(self.likeness([first], [second])[0, 0])

    def _encode(self, label: str) -> Matrix:
        import torch

        tokenizer, model = self.load()
        tokens = tokenizer(label, return_tensors="pt", truncation=True, max_length=self.tokens)
        with torch.inference_mode():
            states = model(**tokens).last_hidden_state[0]
        if not len(states):  # a label of which the tokenizer keeps nothing
            return np.zeros(model.config.hidden_size)
        mean = states.double().mean(dim=0).numpy()
        length = float(np.linalg.norm(mean))
        return np.asarray(mean / length if length > 0 else mean)


@lru_cache(maxsize=4)
def embedding(name: str) -> Embedding:
    """Return the model of a name, the same for all that ask; nothing is loaded yet."""
    return Embedding(name)
