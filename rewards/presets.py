"""Rewards by name: published ones with their weights, and ours.

What queries earn that know nothing of the question: means over synthetic tasks, 60 for SQL and 200
for Cypher, none of which is right by any of them. What a policy earns above these is its own.

| SQL, Cypher | row_f1 | schema_linking | component_f1 | query_ged | ngram | graphenv-query | \
struct-llm | reasoning-sql |
|---|---|---|---|---|---|---|---|---|
| `SELECT 1` | .01, .01 | 0, 0 | 0, 0 | .02, .02 | .05, .00 | .05, .05 | .02, .03 | 2.0, 2.0 |
| names of the table with most relations | .07, .07 | .21, .22 | .11, .12 | .10, .11 | .07, .16 | \
.10, .11 | .07, .15 | 2.2, 2.2 |
| everything (all tables, `*`) | .00, .00 | .27, .33 | .07, .09 | .00, .01 | .04, .14 | .08, .09 | \
.07, .15 | 2.2, 2.2 |
| one name of every table (UNION) | .06, .05 | .34, .33 | .14, .14 | .00, .00 | .07, .13 | \
.10, .10 | .05, .13 | 2.3, 2.2 |
| a join with a condition that is wrong | .00, .00 | .33, .29 | .17, .16 | .08, .07 | .14, .26 | \
.11, .10 | .11, .22 | 2.3, 2.2 |
| the question itself | 0, 0 | 0, 0 | 0, 0 | 0, 0 | .03, .02 | 0, 0 | .08, .10 | .1, 1.0 |
| the gold that does best as every answer, of one world | .07, .07 | .41, .42 | .22, .23 | \
.13, .14 | .33, .41 | .13, .13 | .16, .27 | 2.4, 2.4 |

(`tests/test_query_adversary_soak.py`; in the last row each column has its own best of 100.)
"""

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
    "r1-sgg": Preset(
        "r1_sgg_format + 2*r1_sgg_node + 2*r1_sgg_box + 5*r1_sgg_edge",
        "The published sum; the box part stands where the gold has boxes. Recall only: listing "
        "every object and every relation maximises it. For comparison, not for training.",
        "R1-SGG, arXiv 2504.13617, 2025",
    ),
    "autograph-carrier": Preset(
        "carrier(paper='autograph')",
        "Is the answer near the topics of a question in the built graph? A node with the answer's "
        "name stands for the published judge, which is a model that sees the gold answer. Nothing "
        "has to be grounded and size is free.",
        "AutoGraph-R1: end-to-end reinforcement learning for knowledge graph construction, 2025",
    ),
    "autograph-index": Preset(
        "passage_recall(paper='autograph')",
        "Recall@5 of the supporting passages by personalised PageRank over the built graph. "
        "Nothing has to be grounded and size is free.",
        "AutoGraph-R1: end-to-end reinforcement learning for knowledge graph construction, 2025",
    ),
    "graphenv-construction": Preset(
        "0.7*kg_f1 + 0.3*carrier",
        "Agreement with the gold triples, and whether questions can be answered from the graph. A "
        "triple that is not gold lowers it, whatever it leads to; one that is raises it. It needs "
        "questions: without them use kg_f1, without gold triples passage_recall.",
        "graphenv",
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
