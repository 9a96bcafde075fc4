"""Which reward is being gamed, and how: in words, from the result of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["GROWTH", "hacked"]

GROWTH = 0.05
"""A gap between reward and truth that grows by more than this in training is called gaming."""

_SAID = {
    "size_ratio": "predictions went from {0:.2f} to {1:.2f} times the size of the gold",
    "precision": "precision from {0:.2f} to {1:.2f}",
    "recall": "recall from {0:.2f} to {1:.2f}",
}
_WORTH_SAYING = 0.02


def hacked(result: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each reward that rose away from the truth, the worst first.

    What counts is the growth of the gap from the first to the last evaluation (`GROWTH`), not the
    gap: partial credit stands above the truth from the start. How it was done is told by the
    metrics that a family has of its predictions: size ratio, precision, recall.

    >>> moved = {"size_ratio": [1.0, 2.5]}
    >>> hacked({"variants": [{"name": "recall", "gap": {"growth": 0.2}, "moved": moved}]})
    ['“recall” is being gamed: the reward rose away from the truth by 20.0 points; predictions \
went from 1.00 to 2.50 times the size of the gold.']
    """
    told = []
    for variant in result["variants"]:
        growth = variant["gap"]["growth"]
        if growth is None or growth <= GROWTH:
            continue
        moved = variant.get("moved", {})
        how = [
            words.format(*moved[name])
            for name, words in _SAID.items()
            if name in moved and abs(moved[name][1] - moved[name][0]) > _WORTH_SAYING
        ]
        said = f"“{variant['name']}” is being gamed: the reward rose away from the truth by "
        told.append((growth, said + "; ".join([f"{100 * growth:.1f} points", *how]) + "."))
    return [words for _, words in sorted(told, reverse=True)]
