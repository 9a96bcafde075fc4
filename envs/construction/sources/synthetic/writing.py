"""From drafts to documents: sentences with aliases, pronouns and asides."""

from __future__ import annotations

from graphenv.choices import Choices
from graphenv.corpus import Passage
from graphenv.envs.construction.sources.synthetic.distractors import (
    DENIALS,
    OTHER_TIES,
    SMALL_TALK,
)
from graphenv.envs.construction.sources.synthetic.mentions import Cast, introduced
from graphenv.envs.construction.sources.synthetic.plan import Aside, Draft, Terrain
from graphenv.envs.construction.sources.synthetic.wording import fill, wordings

__all__ = ["Writer"]


class Writer:
    """Writes the documents of one task.

    Parameters
    ----------
    terrain
        The world.
    cast
        What entities of documents are called.
    wording
        `seen` or `unseen`: which wordings.
    coreference
        Whether pronouns and nouns with an article stand for the entity of a document.
    choose
        Where the choices come from.
    """

    def __init__(
        self, terrain: Terrain, cast: Cast, wording: str, *, coreference: bool, choose: Choices
    ) -> None:
        self._terrain = terrain
        self._cast = cast
        self._wording = wording
        self._coreference = coreference
        self._choose = choose

    def write(self, draft: Draft) -> Passage:
        """Return the document of a draft: its first sentence names what it is about.

        A pronoun stands only for the subject of the sentence before, and only if that names nobody
        else of the same type.
        """
        choose = self._choose
        title = self._terrain.names[draft.title]
        rest: list[int | Aside] = choose.shuffled([*draft.facts[1:], *draft.asides])
        text, clear = self._fact(draft.facts[0], draft.title, self._opening(title), opening=True)
        sentences = [text]
        for item in rest:
            subject = self._subject(title, clear)
            if isinstance(item, Aside):
                text, clear = self._aside(item, title, subject)
            else:
                text, clear = self._fact(item, draft.title, subject)
            sentences.append(text)
        return Passage(title, " ".join(f"{text[0].upper()}{text[1:]}." for text in sentences))

    def _opening(self, title: str) -> str:
        alias = self._cast.aliases.get(title)
        if alias is None:
            return title
        return introduced(title, alias, self._wording, self._choose)

    def _subject(self, title: str, clear: bool) -> str:
        if clear and self._coreference and self._choose(3):
            return self._cast.stand_in(title, self._choose)
        return self._cast.mention(title, self._choose)

    def _fact(
        self, fact: int, title: int, subject: str, *, opening: bool = False
    ) -> tuple[str, bool]:
        """Return a sentence, and whether a pronoun may follow."""
        terrain, choose, cast = self._terrain, self._choose, self._cast
        head, relation, _ = terrain.facts[fact]
        first = "{h}" if title == head else "{t}"
        wording = choose.of(wordings(relation, self._wording, first if opening else ""))
        leads = wording.startswith(first)
        this = subject if leads else cast.mention(terrain.names[title], choose)
        end = terrain.other(fact, title)
        that = cast.mention(terrain.names[end], choose)
        pair = (this, that) if first == "{h}" else (that, this)
        return fill(wording, *pair), leads and terrain.kinds[end] != terrain.kinds[title]

    def _aside(self, aside: Aside, title: str, subject: str) -> tuple[str, bool]:
        choose = self._choose
        if aside.denied is not None:
            head, relation, tail = aside.denied
            wording = choose.of(wordings(relation, self._wording, ""))
            return choose.of(DENIALS).replace("{fact}", fill(wording, head, tail)), False
        if aside.other:
            text = choose.of(OTHER_TIES).replace("{s}", subject).replace("{o}", aside.other)
            return text, False
        talk = SMALL_TALK[self._cast.kinds[title]]
        return choose.of(talk).replace("{s}", subject), True
