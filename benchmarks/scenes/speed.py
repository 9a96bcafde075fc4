"""Pairs of scenes per second: ours beside the straightforward loop."""

from __future__ import annotations

import statistics
import time
from typing import Any

from graphenv.benchmarks.scenes.generate import GROUP, pairs
from graphenv.benchmarks.scenes.loop import looped
from graphenv.rewards.scenes.encoding import encoded
from graphenv.rewards.scenes.matching import Matcher, Settings

__all__ = ["SIZES", "WAYS", "matching_speed"]

SIZES = (5, 20, 50, 100)
WAYS: dict[str, Settings] = {
    "equal labels": Settings(),
    "labels alike": Settings(similarity="string"),
    "equal labels, IoU": Settings(boxes="iou"),
    "labels alike, IoU": Settings(similarity="string", boxes="iou"),
}
ROUNDS = 7
BATCH = 64


def matching_speed(*, quick: bool) -> list[dict[str, Any]]:
    """Return one row for each number of objects and way to compare them.

    Both sides grade the same `BATCH` fresh pairs in turn, CPU seconds in one process; figures are
    medians over rounds, the ratio that of paired rounds. Ours begins every round with nothing
    known of the scenes (but the likeness of labels seen before, as in training) and gives the
    values of all three terms.
    """
    rows = []
    for objects in SIZES[:2] if quick else SIZES:
        for way, settings in WAYS.items():
            rows.append(_row(objects, way, settings, quick=quick))
            print(rows[-1], flush=True)
    return rows


def _row(objects: int, way: str, settings: Settings, *, quick: bool) -> dict[str, Any]:
    boxes = settings.boxes is not None
    rounds = 2 if quick else ROUNDS
    count = GROUP if quick else BATCH
    made = pairs(objects, count * (rounds + 1), boxes=boxes)
    grade = looped(settings.similarity, boxes)
    ours: list[float] = []
    theirs: list[float] = []
    differ = []
    for round_ in range(rounds + 1):  # the first warms up
        batch = made[count * round_ : count * (round_ + 1)]
        encoded.cache_clear()
        matcher = Matcher(settings)
        start = time.process_time()
        found = [matcher.match(predicted, gold) for predicted, gold in batch]
        ours.append(time.process_time() - start)
        start = time.process_time()
        plain = [grade(predicted, gold) for predicted, gold in batch]
        theirs.append(time.process_time() - start)
        for match, (object_f1, relation_f1) in zip(found, plain, strict=True):
            assert abs(match.object_f1 - object_f1) < 1e-9, "both are optimal"
            differ.append(match.relation_f1 - relation_f1)
    return {
        "objects": objects,
        "way": way,
        "pairs": count,
        "ours_per_s": count / max(statistics.median(ours[1:]), 1e-9),
        "loop_per_s": count / max(statistics.median(theirs[1:]), 1e-9),
        "ratio": statistics.median(
            b / max(a, 1e-9) for a, b in zip(ours[1:], theirs[1:], strict=True)
        ),
        "relation_f1_gained": statistics.fmean(differ),
    }
