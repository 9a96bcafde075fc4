"""The table of environments: one row a family. Registered with Gymnasium by one loop."""

from __future__ import annotations

from dataclasses import dataclass

import gymnasium as gym

__all__ = ["ENVIRONMENTS", "EnvironmentRow", "register_all"]


@dataclass(frozen=True)
class EnvironmentRow:
    """One family: its name on the command line, its id, where its class and its sources stand."""

    name: str
    id: str
    entry_point: str
    sources: str


ENVIRONMENTS: tuple[EnvironmentRow, ...] = (
    EnvironmentRow(
        "kgqa",
        "graphenv/KGQA-v0",
        "graphenv.envs.kgqa:KGQAEnv",
        "graphenv.envs.kgqa.sources:SOURCES",
    ),
    EnvironmentRow(
        "text2sql",
        "graphenv/Text2SQL-v0",
        "graphenv.envs.queries.env:Text2SQLEnv",
        "graphenv.envs.queries.sources:SQL_SOURCES",
    ),
    EnvironmentRow(
        "text2cypher",
        "graphenv/Text2Cypher-v0",
        "graphenv.envs.queries.env:Text2CypherEnv",
        "graphenv.envs.queries.sources:CYPHER_SOURCES",
    ),
    EnvironmentRow(
        "scene-graph",
        "graphenv/SceneGraph-v0",
        "graphenv.envs.scenes:SceneGraphEnv",
        "graphenv.envs.scenes.sources:SOURCES",
    ),
    EnvironmentRow(
        "caption-correction",
        "graphenv/CaptionCorrection-v0",
        "graphenv.envs.captions.env:CaptionCorrectionEnv",
        "graphenv.envs.scenes.sources:SOURCES",
    ),
    EnvironmentRow(
        "kg-construction",
        "graphenv/KGConstruction-v0",
        "graphenv.envs.construction:KGConstructionEnv",
        "graphenv.envs.construction.sources:SOURCES",
    ),
    EnvironmentRow(
        "subgraph",
        "graphenv/Subgraph-v0",
        "graphenv.envs.subgraph:SubgraphEnv",
        "graphenv.envs.subgraph.sources:SOURCES",
    ),
    EnvironmentRow(
        "graph-design",
        "graphenv/GraphDesign-v0",
        "graphenv.envs.design:GraphDesignEnv",
        "graphenv.envs.design.sources:SOURCES",
    ),
)


def register_all() -> None:
    """Register every environment; does nothing for ids that are registered."""
    for row in ENVIRONMENTS:
        if row.id not in gym.registry:
            gym.register(
                id=row.id,
                entry_point=row.entry_point,
                vector_entry_point="graphenv.envs.vector:GraphVectorEnv",
                kwargs={"env_id": row.id},
                disable_env_checker=True,
            )
