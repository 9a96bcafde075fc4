"""`rules`: facts from patterns over parts of speech; the floor that needs no training."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from graphenv.agents.base import Agent
from graphenv.agents.rules.captions import caption_facts
from graphenv.agents.rules.documents import document_triples
from graphenv.agents.rules.tags import need_tagger
from graphenv.envs.base import GraphEnv
from graphenv.envs.scenes import SceneGraphEnv
from graphenv.errors import ConfigError
from graphenv.fences import fenced
from graphenv.scenes import Scene, scene_json
from graphenv.task import Message
from graphenv.text import text_of

__all__ = ["FAMILIES", "RulesAgent"]

FAMILIES = ("scene-graph", "kg-construction")
_RELATIONS = re.compile(r"^Relations: (.*)$", re.MULTILINE)
_DOCUMENT = re.compile(r"^Document \d+:(.*)\n", re.MULTILINE)
_LISTED = re.compile(r"^(.+\.\d+)(?: \[.*\])?$", re.MULTILINE)
_IMAGE = re.compile(r"^\[image: .*\]$", re.MULTILINE)


class RulesAgent(Agent):
    """Reads a caption or documents with a tagger and a few patterns, and writes what they match.

    Scene graphs: noun phrases are objects, adjectives attributes, verbs and prepositions between
    noun phrases relations. Graph construction: runs of capitalised words are names, and the listed
    relation that shares most words with the sentence ties two neighbours. Of an episode it sees
    only the chat. Objects that are listed without a caption get no relations.

    Parameters
    ----------
    env
        A `scene-graph` or `kg-construction` environment.

    Raises
    ------
    ConfigError
        If the environment is of another family, or TextBlob (the extra `text`) is missing.

    >>> from graphenv import agents, envs
    >>> env = envs.make("scene-graph")
    >>> agents.rollout(env, RulesAgent(env), index=0).status
    'ok'
    """

    def __init__(self, env: GraphEnv) -> None:
        if env.family not in FAMILIES:
            raise ConfigError(
                f"agent 'rules' reads captions and documents, and {env.env_id} is of the family "
                f"{env.family!r}; it plays {' and '.join(FAMILIES)}"
            )
        need_tagger()
        self._scenes = env.family == "scene-graph"
        self._facts = isinstance(env, SceneGraphEnv) and env.answer == "triples"

    def act(self, messages: Sequence[Message]) -> str:
        """Return the graph of the text as one JSON block."""
        texts = [text_of(m["content"]) for m in messages if m["role"] != "assistant"]
        written = _scene(texts[-1], as_facts=self._facts) if self._scenes else _triples(texts)
        return fenced(written, "json")


def _scene(text: str, *, as_facts: bool) -> str:
    given, _, caption = text.rpartition("Caption: ")
    facts = caption_facts(_IMAGE.sub("", caption))
    if "Objects:\n" in text:
        # By label: the first of several that share one.
        ids: dict[str, str] = {}
        for name in _LISTED.findall(given or text):
            ids.setdefault(name.rpartition(".")[0], name)
        ends = [(ids.get(f[0]), f[1], ids.get(f[2])) for f in facts if len(f) == 3]
        facts = [(head, name, tail) for head, name, tail in ends if head and tail]
        if not as_facts:
            keys = ("subject", "predicate", "object")
            related = [dict(zip(keys, fact, strict=True)) for fact in facts]
            return json.dumps({"relationships": related}, ensure_ascii=False)
    if as_facts:
        return json.dumps(facts, ensure_ascii=False)
    return scene_json(Scene.from_triples(facts))


def _triples(texts: Sequence[str]) -> str:
    listed = [found[1] for text in texts for found in _RELATIONS.finditer(text)]
    relations = [name.strip() for name in listed[0].split(",")] if listed else []
    # The last message holds what is to be read now: all documents, or the next one.
    parts = _DOCUMENT.split(texts[-1])
    found: dict[tuple[str, str, str], None] = {}
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        for triple in document_triples(text, title.strip(), relations):
            found[triple] = None
    return json.dumps(list(found), ensure_ascii=False)
