"""The one table of facts: what families provide and reward terms need.

A term asked of a family that lacks a fact it needs fails when the environment is made.
"""

from __future__ import annotations

__all__ = ["FACTS", "FAMILIES"]

FACTS: dict[str, str] = {
    "outcome.answer": "the predicted answer items (tuple of str)",
    "outcome.graph": "the predicted or built graph (Graph)",
    "outcome.path": "the predicted sequence of moves (tuple of str)",
    "target.answer": "the gold answer items (tuple of str)",
    "target.graph": "the gold graph (Graph)",
    "target.path": "the gold sequence of moves (tuple of str)",
    "outcome.program": "the predicted query or program text (str)",
    "outcome.query": "the predicted query as read (graphenv.query.model.Query)",
    "outcome.results": "what the predicted query returned on each database (tuple of Result)",
    "outcome.work": "what the engine counted while running the predicted query (Rows.work)",
    "target.program": "the gold query or program text (str)",
    "target.query": "the gold query as read (graphenv.query.model.Query)",
    "target.results": "what the gold query returned on each database (tuple of Result)",
    "outcome.scene": "the predicted scene, with boxes where they were given (Scene)",
    "outcome.draft": "the scene that was to be corrected (Scene)",
    "outcome.rationale": "the graph that the stated reasons amount to (Graph)",
    "target.scene": "the gold scene, with boxes where they are known (Scene)",
    "target.rationale": "the graph that reasons should state (Graph)",
    "target.passages": "the documents that a graph is built from (target.corpus.passages)",
    "target.questions": "questions about the documents with gold answers (target.corpus.questions)",
    "target.supporting": "titles of the passages that answer a question (target.corpus.questions)",
    "step.moves": "moves tried on a step: list of [from where, what, exists in the world]",
    "step.graph": "the graph built so far (Graph), also before the first turn",
    "step.objective": "objective value of the graph so far, scaled to [0, 1] (values['objective'])",
    "target.objective": "value of the best known design (values['best'] of a submitted design)",
    "step.reach": "nearness of the state to the gold in [0, 1], 1 when it is the gold",
}

_ANSWERS = {f"{side}.{part}" for side in ("outcome", "target") for part in ("answer", "path")}
_GRAPHS = {"outcome.graph", "target.graph"}
_QUERIES = {
    *(f"{side}.{part}" for side in ("outcome", "target") for part in ("program", "query")),
    *("outcome.results", "outcome.work", "target.results"),
}
_STEPS = {"step.moves", "step.graph", "step.reach"}
_SCENES = {"outcome.scene", "target.scene"}
_OBJECTIVES = {"step.objective", "target.objective"}
_DOCUMENTS = {"target.passages", "target.questions", "target.supporting"}

FAMILIES: dict[str, frozenset[str]] = {
    "kgqa": frozenset(_ANSWERS | _GRAPHS | _STEPS),
    "text2sql": frozenset(_QUERIES | _GRAPHS),
    "text2cypher": frozenset(_QUERIES | _GRAPHS),
    "caption-correction": frozenset(
        _GRAPHS
        | _SCENES
        | {"outcome.draft", "outcome.answer", "target.answer"}
        | {"outcome.rationale", "target.rationale"}
    ),
    "scene-graph": frozenset(_GRAPHS | _SCENES | {"step.graph"}),
    "kg-construction": frozenset(_GRAPHS | _DOCUMENTS | {"step.graph"}),
    "graph-design": frozenset({"outcome.graph", "step.graph"} | _OBJECTIVES),
    "subgraph": frozenset(_GRAPHS | _STEPS | {"outcome.answer", "target.answer"}),
}
"""What each family can provide; a source without gold paths provides less (see its `provides`)."""
