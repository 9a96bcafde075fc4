"""The table of reward terms: one row a term, imported when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphenv.errors import UnknownNameError, did_you_mean
from graphenv.references import check_keywords, load_row
from graphenv.rewards.terms import Term

__all__ = ["TERMS", "make_term", "term_class"]

TERMS: dict[str, str] = {
    # content
    "exact": "graphenv.rewards.answers:Exact",
    "answer_f1": "graphenv.rewards.answers:AnswerF1",
    "hits": "graphenv.rewards.answers:Hits",
    "node_f1": "graphenv.rewards.graphs:NodeF1",
    "edge_f1": "graphenv.rewards.graphs:EdgeF1",
    "triple_f1": "graphenv.rewards.graphs:TripleF1",
    "ged": "graphenv.rewards.ged.terms:Ged",
    "wl_similarity": "graphenv.rewards.similarity.terms:WLSimilarity",
    "soft_match": "graphenv.rewards.similarity.terms:SoftMatchTerm",
    "spectral": "graphenv.rewards.similarity.terms:Spectral",
    "mces": "graphenv.rewards.similarity.terms:CommonEdgesTerm",
    "path_similarity": "graphenv.rewards.paths:PathSimilarity",
    "execution": "graphenv.rewards.queries.results:Execution",
    "row_f1": "graphenv.rewards.queries.results:RowF1",
    "efficiency": "graphenv.rewards.queries.results:Efficiency",
    "schema_linking": "graphenv.rewards.queries.structure:SchemaLinking",
    "component_f1": "graphenv.rewards.queries.structure:ComponentF1",
    "query_ged": "graphenv.rewards.queries.structure:QueryGed",
    "ngram": "graphenv.rewards.queries.wording:Ngram",
    "judge": "graphenv.rewards.queries.judge:Judge",
    "object_f1": "graphenv.rewards.scenes.terms:ObjectF1",
    "attribute_f1": "graphenv.rewards.scenes.terms:AttributeF1",
    "relation_f1": "graphenv.rewards.scenes.terms:RelationF1",
    "r1_sgg_node": "graphenv.rewards.scenes.published:R1SggNode",
    "r1_sgg_box": "graphenv.rewards.scenes.published:R1SggBox",
    "r1_sgg_edge": "graphenv.rewards.scenes.published:R1SggEdge",
    "correction": "graphenv.rewards.scenes.correction:Correction",
    "sc_captioner": "graphenv.rewards.scenes.correction:SCCaptioner",
    "rationale_f1": "graphenv.rewards.scenes.rationale:RationaleF1",
    "chexpo": "graphenv.rewards.scenes.rationale:Chexpo",
    "kg_f1": "graphenv.rewards.construction.f1:KgF1",
    "carrier": "graphenv.rewards.construction.carrier:Carrier",
    "passage_recall": "graphenv.rewards.construction.index:PassageRecall",
    "links": "graphenv.rewards.process.links:Links",
    "objective": "graphenv.rewards.design:Objective",
    "user": "graphenv.rewards.user:User",
    # form
    "format": "graphenv.rewards.form:Format",
    "r1_sgg_format": "graphenv.rewards.scenes.published:R1SggFormat",
    "syntax": "graphenv.rewards.queries.wording:Syntax",
    "path_validity": "graphenv.rewards.paths:PathValidity",
    "grounding": "graphenv.rewards.construction.grounding:Grounding",
    "compactness": "graphenv.rewards.construction.size:Compactness",
    # step terms
    "progress": "graphenv.rewards.paths:Progress",
    "ged_progress": "graphenv.rewards.ged.terms:GedProgress",
    "gnn_value": "graphenv.rewards.process.value:GnnValue",
    "gnn_process": "graphenv.rewards.process.shapes:GnnProcess",
    "objective_value": "graphenv.rewards.design:ObjectiveValue",
    "turn_cost": "graphenv.rewards.form:TurnCost",
}


def term_class(name: str) -> type[Term]:
    """Return the class behind a term's name.

    Raises
    ------
    UnknownNameError
        If the name is not in `TERMS`; the message offers the nearest ones.
    """
    if name not in TERMS:
        raise UnknownNameError(f"reward term {name!r} is unknown.{did_you_mean(name, TERMS)}")
    found = load_row(TERMS[name])
    assert isinstance(found, type) and issubclass(found, Term)
    return found


def make_term(name: str, arguments: Mapping[str, Any]) -> Term:
    """Return the term `name` made with keyword constants.

    Raises
    ------
    ConfigError
        If an argument is unknown or missing; the message lists those that exist.
    """
    cls = term_class(name)
    check_keywords(name, cls, arguments)
    return cls(**arguments)
