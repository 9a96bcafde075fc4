"""From documents to triples: names, and the relation whose words stand between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from graphenv.agents.rules.tags import base_form, sentences

__all__ = ["document_triples"]

_NAME_TAGS = ("NNP", "NNPS", "CD")
_INSIDE = {"of", "de", "to", "for", "in", "with"}
_SMALL = {"in", "by", "of", "is", "has", "was", "for", "the", "at", "on", "to"}
_PRONOUNS = {"he", "she", "it", "they"}
_DENYING = re.compile(r"\b(?:not|never|nobody|no|wrong|rumour|rumor)\b", re.IGNORECASE)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
Triple = tuple[str, str, str]


def document_triples(text: str, title: str, relations: Sequence[str]) -> list[Triple]:
    """Return the triples of one document, each once.

    Names are runs of capitalised words and numbers. For two neighbours in a sentence the relation
    is the one of `relations` that shares most words with the sentence outside of its names; with
    no relations to choose from, the words between the two. A pronoun at the start of a sentence is
    the title. A sentence that denies is left out.

    >>> document_triples("Ida was directed by Tom Bell. It came out in 1990.", "Ida",
    ...                  ["directed_by", "release_year"])
    [('Ida', 'directed_by', 'Tom Bell')]
    """
    found: dict[Triple, None] = {}
    for sentence in sentences(text):
        if _DENYING.search(" ".join(word for word, _ in sentence)):
            continue
        names, between = _names(sentence, title)
        for at, (head, tail) in enumerate(pairwise(names)):
            triple = _triple(head, tail, between[at], between[at + 1], relations)
            if triple is not None and head != tail:
                found[triple] = None
    return list(found)


def _names(sentence: Sequence[tuple[str, str]], title: str) -> tuple[list[str], list[list[str]]]:
    """Return the names of a sentence, and the words before, between and behind them."""
    names: list[str] = []
    between: list[list[str]] = [[]]
    at = 0
    while at < len(sentence):
        word, tag = sentence[at]
        if at == 0 and word.lower() in _PRONOUNS and title:
            names.append(title)
            between.append([])
        elif _starts(word, tag, at, sentence):
            end = _end(sentence, at)
            names.append(" ".join(w for w, _ in sentence[at:end]))
            between.append([])
            at = end
            continue
        else:
            between[-1].append(word.lower())
        at += 1
    return names, between


def _starts(word: str, tag: str, at: int, sentence: Sequence[tuple[str, str]]) -> bool:
    if tag == "CD" and word[0].isdigit():
        return True
    if not word[0].isupper() or tag in ("PRP", "EX", "WRB", "WP"):
        return False
    if at == 0 and tag not in _NAME_TAGS:  # "The director of ...": capitalised as the first word
        return len(sentence) > 1 and sentence[1][0][0].isupper()
    return True


def _end(sentence: Sequence[tuple[str, str]], start: int) -> int:
    """Return where a name ends: a small word stays inside if a capital follows it."""
    end = start + 1
    while end < len(sentence):
        word = sentence[end][0]
        ahead = sentence[end + 1][0] if end + 1 < len(sentence) else ""
        if word[0].isupper() or (word in _INSIDE and ahead[:1].isupper()):
            end += 1
        else:
            break
    return end


@lru_cache(maxsize=1 << 12)
def _parts(relation: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words of a relation that carry meaning, and all: `birthPlace`, `born_in`."""
    words = frozenset(part.lower() for part in _PARTS.findall(relation))
    telling = frozenset(base_form(word) for word in words - _SMALL if len(word) > 1)
    return telling or words, words


def _alike(word: str, part: str) -> bool:
    """Return whether two words have a stem in common: founder, founded."""
    stem = max(4, min(len(word), len(part)) - 2)
    return word == part or word[:stem] == part[:stem]


def _triple(
    head: str, tail: str, before: list[str], inside: list[str], relations: Sequence[str]
) -> Triple | None:
    near = [base_form(word) for word in inside if word.isalpha()]
    if not relations:
        name = "_".join(word for word in near if word != "be")
        return (head, name, tail) if name else None
    far = [base_form(word) for word in before if word.isalpha()]
    scores: dict[str, float] = {}
    for relation in relations:
        telling, _ = _parts(relation)
        hits = sum(any(_alike(word, part) for word in (*near, *far)) for part in telling)
        scores[relation] = hits / max(1, len(telling))
    best = max(scores, key=lambda name: (scores[name], name))
    if scores[best] < 0.5:
        return None
    telling, words = _parts(best)
    if any(_alike(word, part) for word in near for part in telling):
        # "T directed H" is directed_by turned around, and so is "T is the birthplace of H".
        active = "by" in words and "by" not in inside
        if active or (inside[-1] == "of" and "of" not in words):
            return tail, best, head
    return head, best, tail
