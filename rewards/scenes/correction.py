"""Terms that pay for correcting a draft: `correction` (ours), `sc_captioner` (published)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from graphenv.episode import Episode
from graphenv.rewards.similarity.labels import LabelSpec, label_likeness, label_similarity
from graphenv.rewards.terms import EndTerm, Grade
from graphenv.scenes.edits import SceneEdit, fact_level
from graphenv.scenes.model import Scene
from graphenv.text import normalize

__all__ = ["Correction", "SCCaptioner"]

_NEEDS = frozenset({"outcome.draft", "outcome.scene", "target.scene"})


class Correction(EndTerm):
    """What a correction made of a draft, in [-1, 1].

    With L the F1 of the facts of a scene (attributes, relations, objects without either; a fact
    told again is a wrong one), D the draft and S the final scene:

    - better than the draft: (L(S) - L(D)) / (1 - L(D)), the share of what was wrong that is mended;
    - worse: (L(S) - L(D)) / L(D), minus the share of what was right that is lost;
    - 1 for a draft without a mistake that is left as it is, 0 for any other that is;
    - -1 where there is no readable scene.

    With n right and w wrong additions, m right and v wrong removals, L(S) is
    2(h + n - v) / (p + n + w - m - v + g) for h right ones among p facts of the draft and g facts
    of the gold. Right additions and removals raise it, wrong ones lower it, and making a wrong fact
    another wrong one changes nothing. But for facts told again it rises with the truth and falls
    with it, so no edit is paid that leaves the truth where it was, and a longer scene is charged
    for each fact that is not in the gold.

    A draft that is the policy's own (`task.meta["draft"] == "own"`) is paid by L(D) + L(S) - 1,
    L being 0 for what cannot be read: the share that is mended would pay most for a bad first try.

    Blind to boxes, and to which of two objects of one label has an attribute.

    Source: ours; the set differences are those of SC-Captioner (arXiv 2508.06125).

    >>> from graphenv.rewards import parse
    >>> parse("correction").range
    (-1.0, 1.0)
    """

    needs: ClassVar[frozenset[str]] = _NEEDS
    range: tuple[float, float] = (-1.0, 1.0)

    def score(self, episode: Episode) -> float | Grade | None:
        """Return the value in [-1, 1]; `None` if the task has no gold scene."""
        gold = episode.task.target.scene
        if gold is None:
            return None
        own = episode.task.meta.get("draft") == "own"
        draft = episode.outcome.draft if episode.outcome is not None else None
        final = episode.outcome.scene if episode.outcome is not None else None
        if own and (draft is None or final is None):
            return (0.0 if draft is None else fact_level(draft, gold)) - 1.0
        if draft is None or final is None:
            return -1.0
        edit = SceneEdit(draft, final, gold)
        before, after = edit.before, edit.after
        info: dict[str, Any] = {"before": before, "after": after, **edit.by_kind()}
        if own:
            return Grade(before + after - 1.0, info)
        if after >= before:
            return Grade((after - before) / (1.0 - before) if before < 1.0 else 1.0, info)
        return Grade((after - before) / before, info)


class SCCaptioner(EndTerm):
    """SC-Captioner's reward: sigmoid(2 soft + bonus) - 0.5, in [-0.5, 0.5].

    Objects of the draft that are gone, and new ones, each with its likeness m to the nearest gold
    object (a gone and a new one with likeness above 0.75 are one object reworded, and left out).
    Gone: soft gets the mean of 0.6 - m; bonus gets 0.25 for each below 0.6 and loses 0.25 for each
    above 0.7, each sum at most 0.75. New: soft gets the mean of m - 0.55, bonus the same with the
    signs changed. Attributes of an object that stays and has attributes in the gold: 0.15 (at most
    0.45 an object) is lost for each one gone and gained for each one new with likeness above 0.7.
    A final scene that is the draft, letter by letter, has the bonus -1.

    As published, that is: a length penalty is written down and, by a misspelt name, never used;
    relations are read and never scored; any change of one letter avoids the -1; a wrong new
    attribute costs nothing. For comparison: `correction` has none of these. Captions were read by a
    trained parser there and likeness was that of sentence embeddings.

    Parameters
    ----------
    similarity
        How alike two labels are (`graphenv.rewards.similarity.labels`): `None` (equal or not),
        `"string"`, `"module:function"`.

    Source: SC-Captioner, arXiv 2508.06125; thresholds from the authors' code.

    >>> from graphenv.rewards import parse
    >>> parse("sc_captioner").range
    (-0.5, 0.5)
    """

    needs: ClassVar[frozenset[str]] = _NEEDS
    range: tuple[float, float] = (-0.5, 0.5)

    def __init__(self, *, similarity: LabelSpec = None) -> None:
        label_similarity(similarity)  # a wrong name fails here, not in the first batch
        self.similarity = similarity

    def score(self, episode: Episode) -> float | None:
        """Return the value; `None` without a gold scene, the minimum without a readable one."""
        gold = episode.task.target.scene
        if gold is None:
            return None
        draft = episode.outcome.draft if episode.outcome is not None else None
        final = episode.outcome.scene if episode.outcome is not None else None
        if draft is None or final is None:
            return self.range[0]
        soft, bonus = self._sums(draft, final, gold)
        if draft == final:
            bonus = -1.0
        return 1.0 / (1.0 + math.exp(-(2.0 * soft + bonus))) - 0.5

    def _sums(self, draft: Scene, final: Scene, gold: Scene) -> tuple[float, float]:
        was, now, true = _attributes(draft), _attributes(final), _attributes(gold)
        gone, new = sorted(was.keys() - now.keys()), sorted(now.keys() - was.keys())
        if gone and new:
            reworded = self._likeness(gone, new) > 0.75
            gone = [x for x, row in zip(gone, reworded, strict=True) if not row.any()]
            new = [x for x, column in zip(new, reworded.T, strict=True) if not column.any()]
        soft = bonus = 0.0
        for names, sign, middle in ((gone, -1.0, 0.6), (new, 1.0, 0.55)):
            if names and true:
                near = self._likeness(names, sorted(true)).max(axis=1)
                soft += sign * float((near - middle).mean())
                bonus += sign * (_capped(near > 0.7, 0.25) - _capped(near < 0.6, 0.25))
        for name in sorted(was.keys() & now.keys() & {key for key, has in true.items() if has}):
            for traits, sign in ((was[name] - now[name], -1.0), (now[name] - was[name], 1.0)):
                if traits:
                    near = self._likeness(sorted(traits), sorted(true[name])).max(axis=1)
                    bonus += sign * _capped(near > 0.7, 0.15)
        return soft, bonus

    def _likeness(self, first: list[str], second: list[str]) -> NDArray[np.float64]:
        ask = np.ones((len(first), len(second)), dtype=bool)
        return label_likeness(self.similarity, first, second, ask)


def _capped(hits: NDArray[np.bool_], each: float) -> float:
    return min(each * int(hits.sum()), 3 * each)


def _attributes(scene: Scene) -> dict[str, set[str]]:
    """Return the attributes of each label, all normalised."""
    found: dict[str, set[str]] = {}
    for thing in scene.objects:
        found.setdefault(normalize(thing.label), set()).update(_normalised(thing.attributes))
    return found


def _normalised(names: Iterable[str]) -> set[str]:
    return {normalize(name) for name in names}
