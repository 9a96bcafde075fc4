"""Four documents with everything known about them, and episodes that built a graph from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from graphenv.corpus import Corpus, CorpusQuestion, Passage
from graphenv.episode import Episode, Outcome, Status, Step
from graphenv.graph import Graph, Triple
from graphenv.task import Target, Task

PASSAGES = (
    Passage(
        "Thief",
        "Thief is a film of 1981. James Caan played in it, and Tangerine Dream wrote the score.",
    ),
    Passage(
        "Chicago",
        "Chicago, called the Windy City, is a city in Illinois. Its mayor was Jane Byrne.",
    ),
    Passage(
        "Michael Mann",
        "Michael Mann was born in Chicago on 5 February 1943. He went to the London Film School.",
    ),
    Passage(
        "Heat",
        "Heat is a crime film. It was directed by M. K. Mann, and Al Pacino played in it.",
    ),
)
GOLD: tuple[Triple, ...] = (
    ("Heat", "directed_by", "Michael Mann"),
    ("Michael Mann", "born_in", "Chicago"),
    ("Heat", "has_actor", "Al Pacino"),
    ("Michael Mann", "birth_date", "1943-02-05"),
    ("Michael Mann", "studied_at", "London Film School"),
    ("Chicago", "located_in", "Illinois"),
    ("Chicago", "has_mayor", "Jane Byrne"),
    ("Thief", "release_year", "1981"),
    ("Thief", "has_actor", "James Caan"),
    ("Thief", "music_by", "Tangerine Dream"),
)
"""Every name stands in one or two passages; between passages only Mann and Chicago lead."""

ALIASES = (("Michael Mann", "M. K. Mann"), ("Chicago", "the Windy City"))
QUESTIONS = (
    CorpusQuestion(
        "Where was the director of Heat born?",
        ("Heat",),
        ("directed_by", "born_in"),
        ("Chicago",),
        ("Heat", "Michael Mann"),
    ),
    CorpusQuestion(
        "In which state was Michael Mann born?",
        ("Michael Mann",),
        ("born_in", "located_in"),
        ("Illinois",),
        ("Michael Mann", "Chicago"),
    ),
)
CORPUS = Corpus(PASSAGES, QUESTIONS, ALIASES)
LOOSE = Corpus(
    tuple(Passage(p.title, p.text.replace("M. K.", "Michael")) for p in PASSAGES),
    tuple(CorpusQuestion(q.text, (), (), q.answers, q.supporting) for q in QUESTIONS),
)
"""The same with less known: neither topics nor paths nor aliases."""

HONEST = GOLD[:4]
"""Part of the gold, and nothing else: one of two questions can be answered."""


def task(
    corpus: Corpus = CORPUS, gold: Sequence[Triple] | None = GOLD, name: str = "films"
) -> Task:
    """Return the task of a corpus."""
    graph = None if gold is None else corpus.graph(gold)
    prompt = {"role": "user", "content": corpus.text}
    return Task(name, 0, (prompt,), Target(graph=graph, corpus=corpus))


TASK = task()
LOOSE_TASK = task(LOOSE, None, "loose films")


def built(of: Task, triples: Iterable[Triple] | None, *, status: Status = "ok") -> Episode:
    """Return the episode that answered with triples as the environment reads them."""
    corpus = of.target.corpus
    assert corpus is not None
    if triples is None:
        outcome = Outcome("malformed" if status == "ok" else status, "not a list of triples")
    else:
        listed = list(triples)
        program = json.dumps(listed, ensure_ascii=False)
        outcome = Outcome(status, graph=corpus.graph(listed), program=program)
    step = Step(outcome.program or "x", (), "", {}, status=outcome.status)
    return Episode("any", {}, "", of, 1, steps=(step,), outcome=outcome)


def as_graph(of: Task, graph: Graph) -> Episode:
    """Return the episode that ended in a graph as it is, unmerged."""
    episode = built(of, [])
    return replace(episode, outcome=Outcome("ok", graph=graph))


def wrong(count: int) -> list[Triple]:
    """Return triples that no document states, of names that none holds."""
    return [(f"Person {i}a", "knows", f"Person {i}b") for i in range(count)]


def names() -> list[str]:
    """Return all names of the gold."""
    return sorted({name for head, _, tail in GOLD for name in (head, tail)})


def everything() -> list[Triple]:
    """Return all pairs of names under every relation."""
    relations = sorted({relation for _, relation, _ in GOLD})
    return [(a, r, b) for a in names() for b in names() for r in relations if a != b]


def case(name: str) -> Episode:
    """Return the episode of a row of the conformance table."""
    text = "\n".join(passage.text for passage in PASSAGES)
    made: dict[str, Any] = {
        "gold": GOLD,
        "renamed": [(h.upper(), r.replace("_", " "), t.replace(" ", "_")) for h, r, t in GOLD],
        "aliases": [
            tuple({"Michael Mann": "m. k. Mann", "Chicago": "The_Windy City"}.get(x, x) for x in t)
            for t in GOLD
        ],
        "reordered": GOLD[::-1],
        "partial": HONEST,
        "one_triple": GOLD[:1],
        "duplicates": GOLD + GOLD,
        "empty_answer": [],
        "over_1": [*GOLD, *wrong(1)],
        "over_10": [*GOLD, *wrong(10)],
        "over_1000": [*GOLD, *wrong(1_000)],
        "grounded_but_wrong": [*GOLD, ("Heat", "has_actor", "Michael Mann")],
        "list_everything": everything(),
        "dangling": [*GOLD, ("Heat", "directed_by", "Q42")],
        "wrong_direction": [(t, r, h) for h, r, t in GOLD],
        "parallel_edge": [*GOLD, ("Heat", "written_by", "Michael Mann")],
        "self_loop": [*GOLD, ("Heat", "directed_by", "Heat")],
        "wrong_wrapper_answer": None,
        "wrong_wrapper_program": None,
        "copied_topic": [("Heat", "is", "Heat")],
        "copied_question": [(q.text, "answer", q.answers[0]) for q in QUESTIONS],
        "copied_documents": [(passage.title, "text", passage.text) for passage in PASSAGES],
        "substring_of_gold": [(h[:3], r, t[:3]) for h, r, t in GOLD],
        "gold_is_substring": [(f"{h}er", r, f"{t}er") for h, r, t in GOLD],
        "case": [(h.swapcase(), r.upper(), t.swapcase()) for h, r, t in GOLD],
        "whitespace": [(f" {h}\n", f"{r}  ", f"\t{t} ") for h, r, t in GOLD],
        "huge": [("x" * 1_000_000, "is", "y")],
        "deep_nesting": None,
        "nothing": None,
    }
    if name == "unicode":
        corpus = Corpus((Passage("Amélie", "Amélie stars Audrey Tautou."),))
        gold = [("Am\u00e9lie", "stars", "Audrey Tautou")]
        return built(task(corpus, gold), [("Ame\u0301lie", "stars", "Audrey Tautou")])
    if name in ("both_empty", "both_empty_unanswered", "triples_for_none"):
        silent = task(Corpus((Passage("Heat", text),)), [])
        given = {"both_empty": [], "triples_for_none": [("Heat", "directed_by", "Michael Mann")]}
        return built(silent, given.get(name))
    if name == "timeout":
        return built(TASK, None, status="timeout")
    return built(TASK, made[name])


CASES = (
    *("gold", "renamed", "aliases", "reordered", "case", "whitespace", "unicode", "partial"),
    *("one_triple", "duplicates", "nothing", "empty_answer", "both_empty", "both_empty_unanswered"),
    *("triples_for_none", "over_1", "over_10", "over_1000", "grounded_but_wrong"),
    *("list_everything", "dangling", "wrong_direction", "parallel_edge", "self_loop"),
    *("wrong_wrapper_answer", "wrong_wrapper_program", "copied_topic", "copied_question"),
    *("copied_documents", "substring_of_gold", "gold_is_substring", "huge", "deep_nesting"),
    "timeout",
)

ASKED: list[Any] = []


def ask_nothing(request: Any) -> list[str]:
    """A reader that keeps what it was shown and knows nothing."""
    ASKED.append(request)
    return []


def same_end(first: str, second: str) -> float:
    """Two relations are alike if their last words are."""
    return float(first.split()[-1] == second.split()[-1])
