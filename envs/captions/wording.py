"""Captions as scenes, and scenes as captions: an exact grammar, or a parser of the user's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from graphenv.errors import ConfigError, RewardError
from graphenv.references import load_attribute
from graphenv.scenes import Scene
from graphenv.scenes.truths import scene_truth
from graphenv.seeding import rng

__all__ = ["MEASURED", "Captions", "EmbeddedCaptions", "ParsedCaptions", "make_captions"]

MEASURED = 64
"""Gold captions on which a parser's error rate is measured."""


class Captions(ABC):
    """How a caption is read as a scene, and a scene put into words."""

    error_rate: float = 0.0
    """Mean of 1 - F1 between the facts that are read from a gold caption and the gold facts."""

    @abstractmethod
    def read(self, text: str) -> tuple[Scene | None, str]:
        """Return `(scene, "")`, or `(None, reason)`."""

    @abstractmethod
    def write(self, scene: Scene, name: str) -> str:
        """Return a caption that tells a scene; `name` is where chance comes from."""


class EmbeddedCaptions(Captions):
    """The grammar of the embedded source: what it wrote is read without error.

    >>> captions = EmbeddedCaptions()
    >>> scene, _ = captions.read("A man is holding a red mug.")
    >>> captions.read(captions.write(scene, "example"))[0].graph.isomorphic_to(scene.graph)
    True
    """

    def read(self, text: str) -> tuple[Scene | None, str]:
        from graphenv.envs.scenes.sources.synthetic.inverse import inverse

        return inverse(text)

    def write(self, scene: Scene, name: str) -> str:
        from graphenv.envs.scenes.sources.synthetic.wording import reason_against, write_caption

        if reason_against(scene):
            return plain_caption(scene)
        draw = rng("draft caption", name)
        return write_caption(scene, lambda size: int(draw.integers(size))).text


class ParsedCaptions(Captions):
    """A parser named `module:attribute`: a function of a caption that returns a `Scene` or `None`.

    Scenes are put into words as plain statements, a sentence a fact.

    Parameters
    ----------
    reference
        The parser.
    pairs
        Gold captions with their scenes; its error rate is measured on them.

    Raises
    ------
    ConfigError
        If there is no such function, or it returns something else for a gold caption.
    """

    def __init__(self, reference: str, pairs: Sequence[tuple[str, Scene]]) -> None:
        self.reference = reference
        self._parse: Callable[[str], Any] = load_attribute(reference)
        if not callable(self._parse):
            raise ConfigError(f"parser={reference!r} is no function of a caption")
        try:
            levels = [scene_truth(self.read(text)[0], gold)[0] for text, gold in pairs]
        except RewardError as error:
            raise ConfigError(f"{error}. It was tried on captions of the source.") from error
        self.error_rate = 1.0 - sum(levels) / len(levels) if levels else 0.0

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_parse"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _parse=load_attribute(state["reference"]))

    def read(self, text: str) -> tuple[Scene | None, str]:
        """Return the scene that the parser finds.

        Raises
        ------
        RewardError
            If the parser raises, or returns neither a `Scene` nor `None`: that is no wrong answer.
        """
        try:
            scene = self._parse(text)
        except Exception as error:
            raise RewardError(
                f"parser {self.reference!r} raised {type(error).__name__}: {error}"
            ) from error
        if scene is None:
            return None, "the parser finds no scene in the caption"
        if not isinstance(scene, Scene):
            raise RewardError(
                f"parser {self.reference!r} returned a {type(scene).__name__}; a "
                "graphenv.scenes.Scene or None is asked for"
            )
        return scene, ""

    def write(self, scene: Scene, name: str) -> str:
        return plain_caption(scene)


def plain_caption(scene: Scene) -> str:
    """Return a sentence for each fact.

    >>> plain_caption(Scene.from_triples([("man", "ride", "horse"), ("tree",)]))
    'man ride horse. there is tree.'
    """
    told = (" ".join(fact) if len(fact) == 3 else f"there is {fact[0]}" for fact in scene.facts)
    return " ".join(f"{sentence}." for sentence in told)


def make_captions(
    source: str, parser: str | None, pairs: Callable[[], Sequence[tuple[str, Scene]]]
) -> Captions:
    """Return how the captions of a source are read.

    Raises
    ------
    ConfigError
        If the source is not the embedded one and there is no parser.
    """
    if parser is not None:
        return ParsedCaptions(parser, pairs())
    if source == "synthetic":
        return EmbeddedCaptions()
    raise ConfigError(
        f"CaptionCorrection: captions of source={source!r} have no grammar that reads them. Give "
        "parser='module:function' (a caption to a graphenv.scenes.Scene), or form='graph'."
    )
