"""Terms about the text of a query: does it read, how near is its wording."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import ClassVar

from graphenv.episode import Episode
from graphenv.query.model import Language
from graphenv.query.results import QueryError
from graphenv.rewards.graphs import bag_f1
from graphenv.rewards.terms import EndTerm, published
from graphenv.score import Kind

__all__ = ["Ngram", "Syntax", "query_tokens"]

INVALID = ("syntax", "refused", "unsupported")
PAPERS = ("reasoning-sql", "struct-llm")
MAX_RATIO_CHARS = 4_096

# Every alternative matches as soon as its first character does, so that reading is linear.
_TOKEN = r"""
      '(?:[^'\\]|\\.|'')*+\\?(?:'|\Z)   # text, closed or not
    | "(?:[^"\\]|\\.|"")*+\\?(?:"|\Z)
    | `[^`]*+(?:`|\Z)
    | \d+(?:\.\d+)?
    | \w+
    | <> | <= | >= | != | =~ | \|\| | ->
    | \S
"""
_COMMENT = r"/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z) |"
_FLAGS = re.VERBOSE | re.DOTALL
_TOKENS: dict[Language | None, re.Pattern[str]] = {
    None: re.compile(_TOKEN, _FLAGS),
    "sql": re.compile(rf"--[^\n]*+ | {_COMMENT}" + _TOKEN, _FLAGS),
    "cypher": re.compile(rf"//[^\n]*+ | {_COMMENT}" + _TOKEN, _FLAGS),
}
_AS_IT_STANDS = ("'", '"', "`", "--", "//", "/*")


def query_tokens(text: str, language: Language | None = None) -> list[str]:
    """Return the tokens of a query: words in lower case, what is quoted as it stands.

    With a language a comment is one token, whatever it says.

    >>> query_tokens("SELECT name FROM t WHERE x >= 'A b'")
    ['select', 'name', 'from', 't', 'where', 'x', '>=', "'A b'"]
    >>> query_tokens("SELECT 1 -- FROM t", "sql")
    ['select', '1', '-- FROM t']
    """
    found = _TOKENS[language].findall(text)
    return [t if t.startswith(_AS_IT_STANDS) else t.lower() for t in found]


class Syntax(EndTerm):
    """1 if the text is a query, else 0.

    The engine decides where it ran: everything but a syntax error, a refusal (writes, files,
    settings) and what its dialect does not have is a query. Without results the reader decides.
    A name that the database does not have, a type error or a timeout is no matter of syntax.

    Blind to what the query asks: `SELECT 1` earns it. A share of a reward, never a large one.
    """

    kind: ClassVar[Kind] = "validity"
    needs: ClassVar[frozenset[str]] = frozenset({"outcome.query"})

    def score(self, episode: Episode) -> float:
        """Return 1.0 or 0.0."""
        outcome = episode.outcome
        if outcome is None:
            return 0.0
        if outcome.results:
            errors = (r.kind for r in outcome.results if isinstance(r, QueryError))
            return float(not any(kind in INVALID for kind in errors))
        return float(outcome.query is not None)


class Ngram(EndTerm):
    """F1 of the token pairs of the two texts, as bags: 2|P and G| / (|P| + |G|).

    Tokens as of `query_tokens`: words in any case, literals as they stand. A mark before the first
    and after the last token makes pairs too, so both ends count. In [0, 1]: 1 for the same tokens
    in the same order, 0 for no query; surplus and repeated text is charged. `None` if the task has
    no gold text.

    A comment is one token, where the task's gold says which language is written: a query does not
    come nearer by words that no engine reads.

    Blind to meaning: aliases, and the order of conditions that may stand in any, are differences;
    and whether a word has any effect: a text of which nothing is used, such as the gold in a WITH
    that nobody reads, earns what is in it.

    Parameters
    ----------
    paper
        `"reasoning-sql"`: the Jaccard index of the sets of pairs of lower-cased words (arXiv
        2503.23157), which repetition does not change. `"struct-llm"`: the ratio of matching
        characters in the lower-cased texts (arXiv 2506.21575), which does not see the case of a
        literal; texts beyond 4,096 characters earn 0.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.program", "target.program"})

    def __init__(self, *, paper: str | None = None) -> None:
        self.paper = published("ngram", paper, PAPERS)

    def score(self, episode: Episode) -> float | None:
        """Return a value in [0, 1]."""
        gold = episode.task.target.program
        if gold is None:
            return None
        predicted = episode.outcome.program if episode.outcome is not None else None
        if predicted is None:
            return 0.0
        if self.paper == "struct-llm":
            return _ratio(predicted.lower(), gold.lower())
        if self.paper == "reasoning-sql":
            mine, yours = (set(pairwise(t.lower().split())) for t in (predicted, gold))
            return len(mine & yours) / len(mine | yours) if mine | yours else 0.0
        read = episode.task.target.query
        language = None if read is None else read.language
        ours, theirs = (query_tokens(text, language) for text in (predicted, gold))
        return bag_f1(_pairs(ours), _pairs(theirs))


def _pairs(tokens: Sequence[str]) -> Counter[object]:
    return Counter(pairwise(["", *tokens, ""])) if tokens else Counter()


def _ratio(predicted: str, gold: str) -> float:
    if max(len(predicted), len(gold)) > MAX_RATIO_CHARS:
        return float(predicted == gold)
    return SequenceMatcher(None, predicted, gold).ratio()
