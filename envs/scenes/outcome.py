"""What a scene comes to: its facts on record, and the outcome of an answer that gives it."""

from __future__ import annotations

from typing import Any

from graphenv.episode import Outcome, Status
from graphenv.scenes import Scene
from graphenv.seeding import stable_hash
from graphenv.text import bounded

__all__ = ["scene_digest", "scene_outcome"]


def scene_digest(scene: Scene) -> dict[str, Any]:
    """Return the size of a scene and a digest of it.

    >>> scene_digest(Scene.from_triples([("man", "ride", "horse")]))["relations"]
    1
    """
    return {
        "objects": len(scene.objects),
        "attributes": sum(len(thing.attributes) for thing in scene.objects),
        "relations": len(scene.relations),
        "dangling": len(scene.dangling),
        "scene": f"{stable_hash(repr(scene)):x}",
    }


def scene_outcome(
    scene: Scene, text: str, needs: frozenset[str], draft: Scene | None = None
) -> Outcome:
    """Return the outcome of the answer `text` that was read as a scene.

    Its graph is made if the reward `needs` it. A relation between objects that are not listed makes
    the outcome `infeasible`; it is graded all the same, and costs what a wrong relation costs.
    """
    status: Status = "ok"
    reason = ""
    if scene.dangling:
        head, relation, tail = (bounded(part, 60) for part in scene.dangling[0])
        told = f"relations name objects that are not listed ({len(scene.dangling)})"
        status, reason = "infeasible", f"{told}, such as {head!r} {relation!r} {tail!r}"
    graph = scene.graph if "outcome.graph" in needs else None
    return Outcome(status, reason, graph=graph, program=text, scene=scene, draft=draft)
