"""Corner cases of corrections and of reasons, a source of hand-made scenes, parsers of captions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from graphenv import envs
from graphenv.envs.captions.env import CaptionCorrectionEnv
from graphenv.envs.scenes.sources import SOURCES, SceneSource, scene_task
from graphenv.episode import Episode, Outcome, Step
from graphenv.graph import Graph
from graphenv.scenes import Scene, SceneObject, SceneRelation, scene_json
from graphenv.scenes.rationale import read_rationale
from graphenv.task import Target, Task

__all__ = [
    "CORRECTIONS",
    "REASONS",
    "Case",
    "FixtureScenes",
    "block",
    "episode_of",
    "make_env",
    "scene",
    "simple_parser",
    "stated",
]

Fact = tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """What was given: a draft and what became of it, or reasons and an answer; and the gold."""

    final: Scene | None = None
    draft: Scene | None = None
    gold: Scene | None = None
    own: bool = False
    stated: Graph | None = None
    answer: tuple[str, ...] | None = None
    rationale: Graph | None = None
    right: tuple[str, ...] | None = None
    status: str = "ok"


def scene(*facts: Fact | str) -> Scene:
    """Return a scene; a fact may be written in one string, with commas."""
    return Scene.from_triples([tuple(f.split(", ")) if isinstance(f, str) else f for f in facts])


def stated(text: str) -> Graph:
    """Return the graph of reasons."""
    graph, reason = read_rationale(text)
    assert graph is not None, reason
    return graph


def episode_of(case: Case) -> Episode:
    """Return the finished episode of a case, of one turn of two."""
    target = Target(answer=case.right, scene=case.gold, rationale=case.rationale)
    meta = {"draft": "own" if case.own else "planted"}
    task = Task("captions", 0, ({"role": "user", "content": "?"},), target, meta)
    outcome = Outcome(
        case.status,  # type: ignore[arg-type]
        scene=case.final,
        draft=case.draft,
        answer=case.answer,
        rationale=case.stated,
    )
    step = Step("x", (), "", {}, status=outcome.status)
    return Episode("any", {}, "", task, 2, steps=(step,), outcome=outcome)


def simple_parser(caption: str) -> Scene | None:
    """Read "man ride horse. there is tree." as a parser of a user's might."""
    facts: list[Fact] = []
    for sentence in filter(None, (part.strip() for part in caption.split("."))):
        words = sentence.split()
        facts.append((words[-1],) if sentence.startswith("there is") else tuple(words))
    return Scene.from_triples(facts) if all(len(f) in (1, 3) for f in facts) else None


def crashing_parser(caption: str) -> Scene:
    """Raise."""
    raise KeyError(caption[:5])


_RIGHT = ("man, ride, horse", "horse, is, brown", "man, wear, hat")
GOLD = scene(*_RIGHT)
DRAFT = scene("man, ride, horse", "horse, is, black", "man, wear, hat", "dog")
WRONG_RELATION = scene("man, feed, horse", "horse, is, brown", "man, wear, hat")
MISSING = scene("man, ride, horse", "man, wear, hat")


def _over(count: int) -> Scene:
    return scene(*_RIGHT, *((f"thing {i}",) for i in range(count)))


def _renamed() -> Scene:
    objects = [replace(thing, id=f"x{at}") for at, thing in enumerate(GOLD.objects)]
    return Scene(tuple(objects), GOLD.relations)


def _with(*more: SceneObject, dangling: tuple[tuple[str, str, str], ...] = ()) -> Scene:
    return Scene((*GOLD.objects, *more), GOLD.relations, dangling=dangling)


def _everything() -> Scene:
    """Return all pairs of what draft and gold name, in every relation that they name."""
    names = ("man", "horse", "hat", "dog")
    words = ("ride", "wear", "feed")
    return scene(
        *((a, r, b) for a in names for b in names for r in words),
        *((a, "is", b) for a in names for b in ("brown", "black")),
    )


def _twice(relation: SceneRelation) -> Scene:
    return Scene(GOLD.objects, (*GOLD.relations, relation))


def _c(
    final: Scene | None, draft: Scene | None = DRAFT, gold: Scene = GOLD, **more: object
) -> Case:
    return Case(final, draft, gold, **more)  # type: ignore[arg-type]


CORRECTIONS: dict[str, Case] = {
    "gold": _c(GOLD),
    "renamed": _c(_renamed()),
    "reordered": _c(scene(*reversed(_RIGHT))),
    "case": _c(scene("Man, RIDE, horse", "horse, Is, Brown", "man, wear, Hat")),
    "whitespace": _c(scene("man,  ride, horse", "horse, is,  brown", "man, wear, hat ")),
    "no_op": _c(DRAFT),
    "one_letter": _c(scene("man, ride, horse", "horse, is, black", "man, wear, hat", "dogs")),
    "capital_letter": _c(scene("man, ride, horse", "horse, is, black", "man, wear, hat", "Dog")),
    "right_removal": _c(scene("man, ride, horse", "horse, is, black", "man, wear, hat")),
    "right_change": _c(scene("man, ride, horse", "horse, is, brown", "man, wear, hat", "dog")),
    "right_addition": _c(GOLD, MISSING),
    "relation_mended": _c(GOLD, WRONG_RELATION),
    "relation_spoilt": _c(WRONG_RELATION, GOLD),
    "wrong_removal": _c(scene("man, ride, horse", "horse, is, black", "dog")),
    "wrong_change": _c(scene("man, feed, horse", "horse, is, black", "man, wear, hat", "dog")),
    "wrong_attribute": _c(
        scene("man, ride, horse", "horse, is, black", "man, wear, hat", "dog", "hat, is, red")
    ),
    "half_and_half": _c(scene("man, ride, horse", "horse, is, brown", "dog")),
    "empty": _c(Scene()),
    "both_empty": _c(Scene(), Scene(), Scene()),
    "empty_draft": _c(GOLD, Scene()),
    "empty_draft_kept": _c(Scene(), Scene()),
    "kept": _c(GOLD, GOLD),
    "kept_and_more": _c(_over(1), GOLD),
    "kept_nothing": _c(Scene(), GOLD),
    "over_1": _c(_over(1)),
    "over_10": _c(_over(10)),
    "over_1000": _c(_over(1000)),
    "list_everything": _c(_everything()),
    "duplicates": _c(_with(SceneObject("horse.2", "horse", ("brown",)))),
    "duplicate_object": _c(_with(SceneObject("hat.2", "hat"))),
    "parallel_edge": _c(_twice(SceneRelation(0, "feed", 1))),
    "same_edge_twice": _c(_twice(SceneRelation(0, "ride", 1))),
    "self_loop": _c(_twice(SceneRelation(0, "ride", 0))),
    "dangling": _c(_with(dangling=(("man.1", "see", "bird.1"),))),
    "wrong_direction": _c(scene("horse, ride, man", "horse, is, brown", "hat, wear, man")),
    "substring_labels": _c(scene("ma, ride, horse", "horse, is, brown", "ma, wear, chat")),
    "malformed": _c(None, status="malformed"),
    "timeout": _c(None, status="timeout"),
    "truncated": _c(None, None, own=True, status="truncated"),
    "own_right_twice": _c(GOLD, GOLD, own=True),
    "own_improved": _c(GOLD, own=True),
    "own_bad_on_purpose": _c(GOLD, scene("dog"), own=True),
    "own_no_op": _c(DRAFT, own=True),
    "own_spoilt": _c(scene("dog"), GOLD, own=True),
    "own_unread_end": _c(None, GOLD, own=True, status="malformed"),
    "own_unread_draft": _c(GOLD, Scene(), own=True),
}

_WHY = "(man: object)\n(mug: object)\n(red: attribute)\n(man, hold, mug)\n(mug, is, red)"
WHY = stated(_WHY)
COUNT = stated("(dog: object)\n(dog: object)")


def _r(
    said: str | None,
    answer: tuple[str, ...] | None = ("mug",),
    gold: Graph = WHY,
    right: tuple[str, ...] = ("mug",),
    status: str = "ok",
) -> Case:
    graph = None if said is None else stated(said)
    return Case(stated=graph, answer=answer, rationale=gold, right=right, status=status)


def _more(count: int) -> str:
    return "\n".join([_WHY, *(f"(man, see, thing {i})" for i in range(count))])


REASONS: dict[str, Case] = {
    "why": _r(_WHY),
    "why_reordered": _r("\n".join(reversed(_WHY.split("\n")))),
    "why_case": _r(_WHY.upper(), ("MUG",)),
    "why_nothing": _r(""),
    "why_nothing_for_nothing": _r("", gold=Graph()),
    "why_something_for_nothing": _r(_WHY, gold=Graph()),
    "why_contentless": _r("(reason: object)", ("2",), COUNT, ("2",)),
    "why_count": _r("(dog: object)\n(dog: object)", ("2",), COUNT, ("2",)),
    "why_count_wrong": _r("(dog: object)\n(dog: object)", ("3",), COUNT, ("2",)),
    "why_count_short": _r("(dog: object)", ("2",), COUNT, ("2",)),
    "why_partial": _r("(man: object)\n(mug: object)\n(man, hold, mug)"),
    "why_wrong_type": _r(_WHY.replace("(red: attribute)", "(red: object)")),
    "why_untyped": _r("(man, hold, mug)\n(mug, is, red)"),
    "why_wrong_direction": _r(_WHY.replace("man, hold, mug", "mug, hold, man")),
    "why_invented": _r(_WHY.replace("man, hold, mug", "man, see, mug")),
    "why_twice": _r(_WHY + "\n" + _WHY),
    "why_over_1": _r(_more(1)),
    "why_over_10": _r(_more(10)),
    "why_over_900": _r(_more(900)),
    "why_answer_unnamed": _r("(man: object)\n(red: attribute)", ("mug",)),
    "why_answer_wrong": _r(_WHY, ("man",)),
    "why_answer_everything": _r(_WHY, ("mug", "man", "red", "dog")),
    "why_malformed": _r(None, None, status="malformed"),
}


# -- a source of hand-made scenes -----------------------------------------------------------------

_TOLD: list[tuple[str, list[Fact], str, tuple[str, ...], str]] = [
    (
        "A man on a brown horse wears a hat.",
        [("man", "ride", "horse"), ("horse", "is", "brown"), ("man", "wear", "hat")],
        "What does the man wear?",
        ("hat",),
        "(man: object)\n(hat: object)\n(man, wear, hat)",
    ),
    (
        "A red mug beside the Café Zoë.",
        [("mug", "beside", "Café Zoë"), ("mug", "is", "red")],
        "Is the mug red?",
        ("yes",),
        "(mug: object)\n(red: attribute)\n(mug, is, red)",
    ),
    ("A tree.", [("tree",)], "How many trees are there?", ("1",), "(tree: object)"),
]
RIDER, CAFE, TREE = range(3)


@dataclass(frozen=True)
class _Question:
    text: str
    answer: tuple[str, ...]
    rationale: Graph


class FixtureScenes(SceneSource):
    """The scenes above, twice; every split holds all of them."""

    fingerprint = "fixture"

    def __init__(self, *, split: str, captions: bool = True, pictures: bool = False) -> None:
        super().__init__(split)
        self._captions = captions
        self._pictures = pictures

    @property
    def has_images(self) -> bool:
        return self._pictures

    def image(self, index: int) -> str | None:
        return f"/pictures/{index}.png" if self._pictures else None

    def __len__(self) -> int:
        return 2 * len(_TOLD)

    def __getitem__(self, index: int) -> Task:
        caption, facts, *_ = _TOLD[index % len(_TOLD)]
        told = caption if self._captions else ""
        return scene_task(id=f"fixture/{index}", index=index, caption=told, scene=scene(*facts))

    def questions(self, index: int) -> list[_Question]:
        """Return the only question about a scene."""
        *_, text, answer, why = _TOLD[index % len(_TOLD)]
        return [_Question(text, answer, stated(why))]


def make_env(**kwargs: Any) -> CaptionCorrectionEnv:
    """Return an environment over the hand-made scenes."""
    with patch.dict(SOURCES, fixture="caption_fixture:FixtureScenes"):
        env = envs.make("caption-correction", **{"source": "fixture", **kwargs})
    assert isinstance(env, CaptionCorrectionEnv)
    return env


def block(*facts: Fact | str) -> str:
    """Return a scene in a fenced block, in the form of objects and relationships."""
    return f"```json\n{scene_json(scene(*facts))}\n```"


def knowing_parser(caption: str) -> Scene | None:
    """Read the captions of the hand-made scenes, one of them half right."""
    if caption == "boom":
        raise ValueError(caption)
    known = {told: scene(*facts) for told, facts, *_ in _TOLD}
    known["A red mug beside the Café Zoë."] = scene("mug, is, red", "mug, near, Café Zoë")
    return known.get(caption)


def describing_parser(caption: str) -> str:
    """Return what is no scene."""
    return caption
