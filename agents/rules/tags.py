"""Parts of speech and base forms of verbs, from a lexicon that is installed with its package."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from graphenv.errors import ConfigError

__all__ = ["MAX_TEXT", "base_form", "need_tagger", "sentences"]

MAX_TEXT = 20_000
"""Characters of a text that are read."""

_IRREGULAR = {
    "am": "be", "are": "be", "been": "be", "being": "be", "is": "be", "was": "be", "were": "be",
    "had": "have", "has": "have", "having": "have", "held": "hold", "sat": "sit", "worn": "wear",
    "stood": "stand", "made": "make", "parked": "park", "lying": "lie", "laying": "lay",
    "eaten": "eat", "taken": "take", "written": "write", "built": "build", "hung": "hang",
    "ridden": "ride", "driven": "drive", "shown": "show", "seen": "see", "kept": "keep",
    "bed": "bed", "red": "red", "ring": "ring", "king": "king", "wing": "wing",
    "caught": "catch", "thrown": "throw", "drawn": "draw", "flown": "fly", "led": "lead",
    "cut": "cut", "tied": "tie", "tying": "tie", "left": "leave", "bent": "bend", "fed": "feed",
}  # fmt: skip


def need_tagger() -> None:
    """Import the tagger.

    Raises
    ------
    ConfigError
        If TextBlob is not installed.
    """
    _parser()


@lru_cache(maxsize=1)
def _parser() -> Any:
    try:
        from textblob.en import parser
    except ImportError as error:
        raise ConfigError(
            "agent 'rules' needs TextBlob: pip install 'graphenv[text]' (no data to download)"
        ) from error
    return parser


def sentences(text: str) -> list[list[tuple[str, str]]]:
    """Return the sentences of a text as lists of (word, tag); tags are those of the Penn Treebank.

    Source: the lexicon-and-rules tagger of Pattern (De Smedt and Daelemans, JMLR 2012), as kept in
    TextBlob.

    >>> sentences("two dogs on a bed")
    [[('two', 'CD'), ('dogs', 'NNS'), ('on', 'IN'), ('a', 'DT'), ('bed', 'NN')]]
    """
    # A slash joins a word to its tag in what the parser returns, so none may stand in the text.
    plain = " ".join(text[:MAX_TEXT].replace("/", " ").split())
    if not plain:
        return []
    parsed = _parser().parse(plain, tokenize=True, tags=True, chunks=False)
    return [[(str(word), str(tag)) for word, tag, *_ in line] for line in parsed.split()]


@lru_cache(maxsize=1 << 12)
def base_form(verb: str) -> str:
    """Return the base form of a verb: what the lexicon knows of what is left without an ending.

    >>> [base_form(verb) for verb in ("riding", "sits", "standing", "carried", "is", "sitting")]
    ['ride', 'sit', 'stand', 'carry', 'be', 'sit']
    """
    word = verb.lower()
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for stem in _stems(word):
        if str(_parser().lexicon.get(stem, "")).startswith(("VB", "NN", "JJ", "IN", "RB")):
            return stem
    return word


def _stems(word: str) -> list[str]:
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            stem = word[: -len(ending)]
            double = [stem[:-1]] if stem[-1] == stem[-2] and stem[-1] not in "ls" else []
            soft = [f"{stem[:-1]}y"] if ending == "ed" and stem.endswith("i") else []
            silent = stem[-1] in "cguvz" or (stem[-1] in "dkmnprstl" and stem[-2] in "aiou")
            both = [f"{stem}e", stem] if silent else [stem, f"{stem}e"]
            return [*double, *soft, *both]
    if word.endswith("ies"):
        return [f"{word[:-3]}y"]
    if word.endswith(("ches", "shes", "sses", "xes")):
        return [word[:-2]]
    return [word[:-1]] if word.endswith("s") and not word.endswith("ss") else [word]
