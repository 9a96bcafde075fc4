"""A text encoder small enough to make in a test."""

from __future__ import annotations

from pathlib import Path

import pytest

__all__ = ["tiny_encoder"]


def tiny_encoder(folder: Path) -> Path:
    """Write a random encoder with one layer and a tokenizer of words and letters."""
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "man", "horse", "hat", "on", "a"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.BertModel(
            transformers.BertConfig(
                vocab_size=len(words),
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
    model.save_pretrained(folder)
    transformers.BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder
