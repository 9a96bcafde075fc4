"""What agents must know of a family to play it: gold turns, planted mistakes, random moves."""

from __future__ import annotations

from graphenv.agents.families.base import MAX_ERRORS, Family
from graphenv.envs.base import GraphEnv
from graphenv.errors import ConfigError
from graphenv.references import load_row

__all__ = ["FAMILIES", "MAX_ERRORS", "Family", "family_of"]

FAMILIES: dict[str, str] = {
    "kgqa": "graphenv.agents.families.kgqa:KGQAFamily",
    "text2sql": "graphenv.agents.families.queries:QueryFamily",
    "text2cypher": "graphenv.agents.families.queries:QueryFamily",
    "caption-correction": "graphenv.agents.families.captions:CaptionFamily",
    "scene-graph": "graphenv.agents.families.scenes:SceneFamily",
    "kg-construction": "graphenv.agents.families.construction:ConstructionFamily",
    "graph-design": "graphenv.agents.families.design:DesignFamily",
    "subgraph": "graphenv.agents.families.subgraph:SubgraphFamily",
}


def family_of(env: GraphEnv, agent: str) -> Family:
    """Return what agents know of the family of `env`.

    Raises
    ------
    ConfigError
        If the family has no row; `agent` is the name of who asks.
    """
    if env.family not in FAMILIES:
        raise ConfigError(
            f"agent {agent!r} does not know how to play the family {env.family!r}; known: "
            f"{', '.join(FAMILIES)}"
        )
    found: Family = load_row(FAMILIES[env.family])(env)
    return found
