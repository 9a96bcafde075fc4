"""How alike labels of scenes are: tables, and embedding models by name."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from encoder_fixture import tiny_encoder
from scene_fixture import episode, scene

from graphenv import rewards
from graphenv.errors import ConfigError
from graphenv.rewards.similarity.embedding import MAX_ENCODED, embedding
from graphenv.rewards.similarity.labels import label_likeness, label_similarity
from graphenv.rewards.similarity.table import LikenessTable
from graphenv.seeding import rng

# -- labels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [None, "string", "kgqa_fixture:letters"])
def test_a_table_says_what_was_asked(spec: str | None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kgqa_fixture.letters", _letters, raising=False)
    monkeypatch.setattr("graphenv.rewards.similarity.table._ROWS", 12)
    table, generator = LikenessTable(spec), rng("tests.table")
    words = ["".join(w) for w in itertools.product("abc", repeat=3)] + ["x" * 300]
    for _ in range(30):
        a, b = (list(generator.choice(words, size=generator.integers(1, 6))) for _ in range(2))
        first, second = [str(x) for x in a], [str(x) for x in b]
        ask = np.ones((len(first), len(second)), bool)
        assert np.array_equal(
            table.likeness(first, second), label_likeness(spec, first, second, ask)
        )
        assert table.one(first[0], second[0]) == label_similarity(spec)(first[0], second[0])


def _letters(a: str, b: str) -> float:
    return len(set(a) & set(b)) / len(set(a) | set(b))


def test_an_embedding_model_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tiny_encoder(tmp_path)
    spec = f"embedding:{folder}"
    term = rewards.parse(f"object_f1(similarity={spec!r})")
    model = embedding(str(folder))
    assert model._loaded is None
    term.prepare()
    assert model._loaded is not None
    alike = label_similarity(spec)
    assert alike("man", "man") == 1.0 and 0.0 <= alike("man", "horse") < 1.0
    assert alike("man", "horse") == alike("horse", "man")
    labels = ["man", "horse", "hat", "a man on a horse", "\u2603"]
    found = label_likeness(spec, labels, labels, np.ones((5, 5), bool))
    assert np.array_equal(found, found.T) and (np.diag(found) == 1.0).all()
    assert found[0, 1] == alike("man", "horse"), "whatever stands beside it"
    assert (found[~np.eye(5, dtype=bool)] < 1.0).all()
    got = term([episode(scene(["horse"], ()), scene(["man"], ()))])[0].value
    assert got == alike("man", "horse")
    calls: list[str] = []
    monkeypatch.setattr(model, "_vector", lambda label: calls.append(label) or np.ones(2))
    many = [f"thing {i}" for i in range(1_000)]
    label_likeness(spec, many, ["thing"], np.ones((1_000, 1), bool))
    assert len(calls) == MAX_ENCODED + 1, "a flood of labels is not encoded"
    with pytest.raises(ConfigError, match="cannot be loaded"):
        label_similarity(f"embedding:{tmp_path / 'nothing'}")("a", "b")
