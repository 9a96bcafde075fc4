"""Rewards by name: published ones with their weights, and ours."""

from __future__ import annotations

from typing import NamedTuple

from graphenv.errors import UnknownNameError, did_you_mean

__all__ = ["PRESETS", "Preset", "preset"]


class Preset(NamedTuple):
    """A reward expression with a name: what it is, and where it is from."""

    expression: str
    description: str
    source: str


PRESETS: dict[str, Preset] = {
    "struct-llm": Preset(
        "0.4*query_ged(paper='struct-llm') + 0.3*ngram(paper='struct-llm')",
        "Structure (matching clauses for SQL, edit distance of patterns for Cypher) and likeness "
        "of the texts, with the published weights. The published reward has a judge too: write "
        "preset('struct-llm') + 0.3*judge(model=..., base_url=...). Nothing is executed.",
        "Stoisser et al., STRuCT-LLM, arXiv 2506.21575, 2025",
    ),
    "reasoning-sql": Preset(
        "3*execution + syntax + schema_linking(paper='reasoning-sql') "
        "+ ngram(paper='reasoning-sql') + format",
        "The published sum. Its judge has weight 2 and is asked where execution fails: write "
        "preset('reasoning-sql') + 2*(1 - execution)*judge(model=..., base_url=...). With it a "
        "wrong query can earn more than a right one (6 against 5).",
        "Reasoning-SQL, arXiv 2503.23157, 2025",
    ),
    "graphenv-query": Preset(
        "cap(execution + 0.5*(0.1*syntax + 0.2*schema_linking + 0.2*row_f1 + 0.2*component_f1 "
        "+ 0.3*query_ged), 1)",
        "1 for every right query, however it is written; for a wrong one at most 0.5, by how near "
        "it is. No sum of partial terms reaches a right execution.",
        "graphenv",
    ),
}
"""The table of presets; in a reward they are written `preset('name')`, or `name` alone."""


def preset(name: str) -> str:
    """Return the reward expression of a preset.

    Raises
    ------
    UnknownNameError
        If there is none of that name.

    >>> preset("struct-llm")
    "0.4*query_ged(paper='struct-llm') + 0.3*ngram(paper='struct-llm')"
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise UnknownNameError(f"preset {name!r} is unknown.{did_you_mean(str(name), PRESETS)}")
    return PRESETS[name].expression
