"""Natural floors: what is reached without reading, or with a bag of words.

A language model that does not beat a classifier over question words has learned templates, not
language. The bag of words sees the same questions and gold paths as the warm start.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from graphenv import agents, envs
from graphenv.agents.base import Agent
from graphenv.agents.bridge.config import TrainConfig
from graphenv.agents.bridge.lengths import fitted
from graphenv.agents.families import family_of
from graphenv.agents.llm import show_loading_bars
from graphenv.benchmarks.comparison.stats import Interval, wilson
from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode
from graphenv.seeding import rng
from graphenv.task import Message, Task
from graphenv.text import format_answer, text_of

__all__ = ["BagOfWords", "CopyPrompt", "bag_of_words_episodes", "compute_floors", "floor", "words"]

Array = npt.NDArray[np.float32]
MANY = 2_000
_WORD = re.compile(r"[^\W_]+")
_SLOT = "topicslot"


class CopyPrompt(Agent):
    """Answers with the last thing that was said to it."""

    def __init__(self, env: GraphEnv) -> None:
        self.env = env

    def act(self, messages: Sequence[Message]) -> str:
        """Return the last message as the answer."""
        return format_answer([text_of(messages[-1]["content"])])


def floor(name: str, episodes: Sequence[Episode], note: str) -> dict[str, Any]:
    """Return the row of one floor: name, truth with Wilson's interval, and what it is."""
    truth: Interval = wilson(sum(e.success or 0.0 for e in episodes), len(episodes))
    return {"name": name, **truth.to_json(), "tasks": len(episodes), "note": note}


def words(task: Task) -> list[str]:
    """Return the words and word pairs of a question, with its topic entities masked.

    >>> from graphenv.task import Target
    >>> meta = {"question": "Who directed Heat?", "topics": ["Heat"]}
    >>> words(Task("t", 0, (), Target(), meta))
    ['who', 'directed', 'topicslot', 'who directed', 'directed topicslot']
    """
    text = str(task.meta["question"]).replace("[", " ").replace("]", " ")
    for topic in sorted(task.meta["topics"], key=len, reverse=True):
        text = re.sub(re.escape(topic), f" {_SLOT} ", text, flags=re.IGNORECASE)
    single = _WORD.findall(re.sub(r"\d+", " numberslot ", text.lower()))
    return single + [f"{a} {b}" for a, b in pairwise(single)]


def _template(program: str, task: Task) -> str:
    """Return a program with what the question names replaced by slots: the class to predict."""
    for i, topic in enumerate(task.meta["topics"]):
        program = program.replace(f"{{{topic}}}", f"{{#{i}}}")
    for i, number in enumerate(_numbers(task)):
        program = re.sub(rf"(?<=[<>=] ){number}\]", f"#n{i}]", program)
    return program


def _filled(template: str, task: Task) -> str:
    for i, topic in enumerate(task.meta["topics"]):
        template = template.replace(f"{{#{i}}}", f"{{{topic}}}")
    for i, number in enumerate(_numbers(task)):
        template = template.replace(f"#n{i}]", f"{number}]")
    return template


def _numbers(task: Task) -> list[str]:
    return re.findall(r"\d+", str(task.meta["question"]))


class BagOfWords:
    """Multinomial logistic regression from question words to a relation path program.

    Every place of the program is a classification of its own, so that paths never seen can be put
    together; with the whole program as the class it did worse on every source tried.

    Parameters
    ----------
    tasks
        N training tasks with a gold program.
    epochs
        Full-batch Adam steps.
    l2
        Weight decay towards zero.

    >>> env = envs.make("kgqa", mode="program", hops=1)
    >>> tasks = [env.tasks[i] for i in range(50)]
    >>> len(BagOfWords(tasks).predict(tasks[:2]))
    2
    """

    def __init__(self, tasks: Sequence[Task], *, epochs: int = 150, l2: float = 1e-3) -> None:
        known = [task for task in tasks if task.target.program is not None]
        texts = [words(task) for task in known]
        labels = [_template(str(task.target.program), task) for task in known]
        rows = [label.split(" ") for label in labels]
        self.vocabulary = {w: i for i, w in enumerate(sorted({w for t in texts for w in t}))}
        x = self._features(texts)
        self._heads: list[tuple[list[str], Array]] = []
        for place in range(max(len(row) for row in rows)):
            column = [row[place] if place < len(row) else "" for row in rows]
            classes = sorted(set(column))
            y = np.zeros((len(column), len(classes)), dtype=np.float32)
            y[np.arange(len(column)), [classes.index(label) for label in column]] = 1.0
            self._heads.append((classes, _fit(x, y, epochs, l2)))

    def _features(self, texts: Sequence[Sequence[str]]) -> Array:
        """Rows of unit length, one per text, and a constant."""
        x = np.zeros((len(texts), len(self.vocabulary) + 1), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text:
                if word in self.vocabulary:
                    x[row, self.vocabulary[word]] = 1.0
        x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)
        x[:, -1] = 1.0
        return x

    def predict(self, tasks: Sequence[Task]) -> list[str]:
        """Return one program per task."""
        if not tasks:
            return []
        x = self._features([words(task) for task in tasks])
        columns = [[classes[i] for i in (x @ w).argmax(axis=1)] for classes, w in self._heads]
        rows = [" ".join(word for word in row if word) for row in zip(*columns, strict=True)]
        return [_filled(row, task) for row, task in zip(rows, tasks, strict=True)]


def _fit(x: Array, y: Array, epochs: int, l2: float) -> Array:
    weights = np.zeros((x.shape[1], y.shape[1]), dtype=np.float32)
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for t in range(1, epochs + 1):
        scores = x @ weights
        scores -= scores.max(axis=1, keepdims=True)
        chance = np.exp(scores)
        chance /= chance.sum(axis=1, keepdims=True)
        slope = x.T @ (chance - y) / len(x) + l2 * weights
        first = 0.9 * first + 0.1 * slope
        second = 0.99 * second + 0.01 * slope**2
        weights -= 0.3 * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.99**t)) + 1e-8)
    return weights


def bag_of_words_episodes(
    name: str,
    kwargs: dict[str, Any],
    indices: Sequence[int],
    *,
    train_tasks: int,
    seed: int,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Episode]:
    """Return the episodes of a bag of words on held-out tasks; empty if there are no gold programs.

    Parameters
    ----------
    name, kwargs
        The environment; tool mode is played as program mode, where the classifier's guess is run.
    indices
        Held-out tasks.
    train_tasks
        Gold programs that it learns from.
    seed
        Seed of their draw.
    """
    own = {**kwargs, "mode": "program", "reward": "exact"}
    own.pop("max_turns", None)
    train = envs.make(name, **{**own, "split": "train"})
    size = len(train.tasks)
    drawn = rng("bag_of_words", seed).choice(size, size=min(size, train_tasks), replace=False)
    tasks = [task for i in drawn.tolist() if (task := train.source[i]).target.program is not None]
    if not tasks:
        return []
    tell(f"bag of words on {len(tasks)} questions")
    classifier = BagOfWords(tasks)
    env = envs.make(name, **{**own, "split": "heldout"})
    programs = classifier.predict([env.source[i] for i in indices])
    return [env.play(i, [text]) for i, text in zip(indices, programs, strict=True)]


def compute_floors(
    config: TrainConfig,
    indices: Sequence[int],
    *,
    start: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Return the floors of a comparison on its held-out tasks, lowest knowledge first.

    Parameters
    ----------
    config
        What the runs share. Floors of a mixture are not defined and none are returned.
    indices
        The held-out tasks of the final evaluation.
    start
        Folder of the warm-started model, played greedily.
    tell
        Called with the name of each floor before it is computed.
    """
    names = list(config.mixture)
    if len(names) != 1:
        return []
    [(name, env)] = config.with_(reward="").make_envs("heldout").items()
    kwargs = {k: v for k, v in config.env_kwargs.items() if k != "split"}
    rows = []

    def play(label: str, agent: Agent, note: str) -> None:
        tell(label)
        episodes = agents.rollout_batch(env, agent, list(indices), batch_size=config.batch)
        rows.append(floor(label, episodes, note))

    play("copy-prompt", CopyPrompt(env), "answers with what was said to it")
    play("random", agents.make("random", env, seed=config.seed), "random moves that exist")
    few = config.warmup
    for count in (few, max(MANY, 2 * few)) if family_of(env, "floors").has_classes else ():
        if not count:
            continue
        episodes = bag_of_words_episodes(
            name, kwargs, indices, train_tasks=count, seed=config.seed, tell=tell
        )
        if episodes:
            note = (
                "question words to path, as many gold paths as the warm start"
                if count == few
                else "the same with gold paths that no policy here was shown"
            )
            rows.append(floor(f"bag of words, {count:,} questions", episodes, note))
    if start is not None:
        show_loading_bars(sys.stderr.isatty())
        options = {
            "model": start,
            "max_new_tokens": fitted(config, config.make_envs("train"), start).turn_tokens,
            "batch_size": config.batch,
        }
        agent = agents.make("llm", env, **options)
        play("warm start", agent, "the policy before any reward, greedy")
    return rows
