"""`graphenv/KGConstruction-v0`: write the knowledge graph that documents state."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from graphenv.checks import flag, one_of
from graphenv.envs.arguments import offered, recorded, turn_limit
from graphenv.envs.base import GraphEnv
from graphenv.envs.construction.prompts import chat, system_text
from graphenv.envs.construction.session import ConstructionSession
from graphenv.envs.construction.sources import DocumentSource, make_source
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.task import Message, Task

__all__ = ["KGConstructionEnv"]

MODES = ("single", "turns")
_REWARDS = {True: "kg_f1", False: "passage_recall"}
"""The default reward, where gold triples are known and where they are not."""


class KGConstructionEnv(GraphEnv):
    """Build a knowledge graph from text.

    Description
    -----------
    Documents are shown, and the agent writes the triples that they state. In *single mode* all
    documents stand in the prompt and one answer ends the episode; in *turns mode* each turn answers
    with the triples of one document, and the next one is shown. Names that are aliases of one
    entity become one node of the built graph.

    Observation
    -----------
    Text: the prompt; in turns mode then the next document, or why a turn could not be read. An
    observation has at most `max_observation` characters.

    Actions
    -------
    Text. `[["head", "relation", "tail"], ...]` or
    `[{"head": "...", "relation": "...", "tail": "..."}, ...]`, in one ```json block, in
    `<answer>` tags, or bare. At most 2,000 triples, names and relations of at most 400 characters;
    anything that is no string makes the whole answer malformed.

    Rewards
    -------
    Any expression over the terms of family `kg-construction`. Default `kg_f1`, to which a
    triple that is written twice is a wrong one (`triple_f1` and `ged` see the merged graph); of
    sources without gold triples (`retrieval`) `passage_recall`.
    Truth (`info["success"]`): F1 of the set of triples after aliases are merged and names and
    relations are normalised (case, spacing, underscores, words run together); without
    gold triples, the recall of supporting passages times the share of triples that are grounded
    and within the size that the documents allow. Metrics: see
    `graphenv.envs.construction.truths`.

    Termination
    -----------
    Terminated by the answer, in turns mode by that to the last document; truncated, with no graph,
    after `max_turns` turns.

    Arguments
    ---------
    source, split
        Where the documents come from (`graphenv.envs.construction.sources.SOURCES`) and which part.
    reward
        A reward expression; by default what the source can be graded by, see above.
    mode
        `single` or `turns`.
    show_relations
        Whether the prompt lists the relation names that may occur.
    max_turns
        Turn limit of turns mode (default 16; single mode has one turn). A turn that cannot be read
        is asked again, so the limit is best above the number of documents.
    instructions
        How much the prompt explains: `full`, `short`, `none` (the bare documents).
    max_observation
        Longest observation, in characters.
    source_arguments
        All further arguments go to the source (`root=`, `passages=` ...).

    Version history
    ---------------
    v0: first version.

    Examples
    --------
    >>> import gymnasium as gym, graphenv
    >>> env = gym.make("graphenv/KGConstruction-v0", documents=2)
    >>> observation, info = env.reset(seed=0)
    >>> _, reward, terminated, truncated, info = env.step('[["nobody", "knows", "this"]]')
    >>> reward, terminated, info["status"]
    (0.0, True, 'ok')
    """

    family: ClassVar[str] = "kg-construction"

    def __init__(
        self,
        *,
        source: str = "synthetic",
        split: str = "train",
        reward: str | None = None,
        mode: str = "single",
        show_relations: bool = True,
        max_turns: int | None = None,
        instructions: str = "full",
        max_observation: int = 8_000,
        render_mode: str | None = None,
        env_id: str = "graphenv/KGConstruction-v0",
        **source_arguments: Any,
    ) -> None:
        kwargs = recorded(locals())
        self.mode = one_of(env_id, "mode", mode, MODES)
        self.show_relations = flag(env_id, "show_relations", show_relations)
        self.document_source: DocumentSource = make_source(
            source, split, source_arguments, also=offered(KGConstructionEnv)
        )
        known = self.document_source.provides
        kwargs["reward"] = reward or _REWARDS["target.graph" in known]
        super().__init__(
            env_id=env_id,
            source=self.document_source,
            kwargs=kwargs,
            max_turns=turn_limit(env_id, max_turns, 16, mode=mode, single="single"),
            render_mode=render_mode,
        )

    @cached_property
    def _system(self) -> str | None:
        return system_text(mode=self.mode, instructions=self.instructions)

    def prompt(self, task: Task) -> tuple[Message, ...]:
        corpus = task.target.corpus
        assert corpus is not None
        return chat(corpus, self._listed(task), self._system, mode=self.mode)

    def _listed(self, task: Task) -> tuple[str, ...]:
        return tuple(task.meta["relations"]) if self.show_relations else ()

    def make_session(self, template: Episode) -> ConstructionSession:
        """Return a session.

        Raises
        ------
        ConfigError
            If the task has more documents than the episode has turns.
        """
        task = template.task
        corpus = task.target.corpus
        assert corpus is not None
        if self.mode == "turns" and len(corpus.passages) > self.max_turns:
            raise ConfigError(
                f"{self.env_id}: task {task.id} has {len(corpus.passages)} documents, and an "
                f"episode {self.max_turns} turns. Raise max_turns=, or ask for fewer documents"
            )
        return ConstructionSession(
            template,
            self.tools,
            max_observation=self.max_observation,
            mode=self.mode,
            relations=self._listed(task),
            needs=self.reward.needs,
        )
