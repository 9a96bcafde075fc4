"""Searches for reward without being right, over tasks of the synthetic source: small and large."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

import query_padding
from plan_mutants import plan_mutants
from query_strategies import blind

from graphenv import envs
from graphenv.envs.queries.env import Text2CypherEnv, Text2SQLEnv
from graphenv.envs.queries.sources.synthetic import world as worlds
from graphenv.envs.queries.sources.synthetic.cypher import write_cypher
from graphenv.envs.queries.sources.synthetic.evaluate import Tables, evaluate
from graphenv.envs.queries.sources.synthetic.source import SyntheticQueries
from graphenv.envs.queries.sources.synthetic.sql import write_sql
from graphenv.envs.queries.sources.synthetic.world import World
from graphenv.episode import Episode
from graphenv.query.matching import execution_match, same_rows
from graphenv.query.results import Rows
from graphenv.rewards import parse
from graphenv.seeding import rng

__all__ = ["PARTIAL", "Mutants", "Paid", "climbed", "fixed", "floors", "mutants", "padded"]

QueryEnv = Text2SQLEnv | Text2CypherEnv
PARTIAL = ("row_f1", "schema_linking", "component_f1", "query_ged", "ngram", "syntax")
OURS = "graphenv-query"
FLOORS = ("execution", *PARTIAL, OURS, "struct-llm", "reasoning-sql")
_EXTRA = 6  # further databases of a world, which tell a lucky query from an equal one
BOUNDARY = frozenset(
    (
        "sign",
        "constant",
        "one bound",
        "one of several",
        "having number",
        "having sign",
        "compared sign",
    )
)
"""Changes that only a row just beside a condition can show."""


def made(language: str, **arguments: object) -> QueryEnv:
    """Return an environment of the synthetic source."""
    name = "graphenv/Text2SQL-v0" if language == "sql" else "graphenv/Text2Cypher-v0"
    found = envs.make(name, **arguments)
    assert isinstance(found, Text2SQLEnv | Text2CypherEnv)
    return found


def some(env: QueryEnv, count: int) -> range:
    """Return indices of `count` tasks, spread over all."""
    step = max(1, len(env.tasks) // count)
    return range(0, step * count, step)


def play(env: QueryEnv, index: int, query: str) -> Episode:
    return env.play(index, [f"```{env.language}\n{query}\n```"])


def gold(env: QueryEnv, index: int) -> str:
    program = env.query_source[index].target.program
    assert program is not None
    return program


def values(terms: tuple[str, ...], episodes: list[Episode]) -> dict[str, list[float]]:
    """Return what each reward gives each episode; one that does not apply gives 0."""
    found: dict[str, list[float]] = {}
    for term in terms:
        scores = parse(term)(episodes)
        assert not any(score.status == "error" for score in scores), (term, scores)
        found[term] = [score.value or 0.0 for score in scores]
    return found


# -- padding --------------------------------------------------------------------------------------


@dataclass
class Paid:
    """What a padding was paid at most, by (padding, term), with the query; how often tried."""

    most: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    tried: Counter[str] = field(default_factory=Counter)
    wronged: list[tuple[str, str]] = field(default_factory=list)


def padded(language: str, count: int, **arguments: object) -> Paid:
    """Pad gold, and gold of other questions about the same world; return what was paid for it."""
    env = made(language, **arguments)
    table = query_padding.SQL if language == "sql" else query_padding.CYPHER
    terms = (*PARTIAL, OURS)
    paid = Paid()
    for index in some(env, count):
        schema, right = env.query_source.schema(index), gold(env, index)
        for query in (right, *_others(env, index, 3)):
            texts = {name: pad(query, schema, right) for name, pad in table.items()}
            kept = {name: text for name, text in texts.items() if text is not None}
            episodes = [play(env, index, text) for text in (query, *kept.values())]
            for term, found in values(terms, episodes).items():
                for name, value in zip(kept, found[1:], strict=True):
                    more = value - found[0]
                    if more > paid.most.get((name, term), (1e-9, ""))[0]:
                        paid.most[name, term] = more, kept[name]
            paid.tried.update(list(kept))
            successes = [episode.success for episode in episodes]
            for (name, text), success in zip(kept.items(), successes[1:], strict=True):
                if name not in query_padding.CHANGING and success != successes[0]:
                    paid.wronged.append((name, text))
    return paid


def _others(env: QueryEnv, index: int, count: int) -> Iterator[str]:
    """Yield gold of other questions about the same world."""
    world = env.tasks[index].meta["database"]
    for other in range(index + 1, len(env.tasks)):
        if env.tasks[other].meta["database"] == world:
            yield gold(env, other)
            count -= 1
        if not count:
            return


# -- floors ---------------------------------------------------------------------------------------


def floors(language: str, count: int, **arguments: object) -> dict[str, dict[str, float]]:
    """Return the mean of each reward for each blind strategy."""
    env = made(language, **arguments)
    played: dict[str, list[Episode]] = defaultdict(list)
    for index in some(env, count):
        question = str(env.query_source[index].messages[0]["content"])
        for name, query in blind(env.query_source.schema(index), language, question).items():
            played[name].append(play(env, index, query))
    return {name: _means(episodes) for name, episodes in played.items()}


def fixed(language: str, count: int, tried: int) -> dict[str, float]:
    """Return the best mean of each reward that any one gold of a world has as every answer."""
    env = made(language, worlds=1)
    played = [play(env, index, gold(env, index)) for index in some(env, count)]
    best: dict[str, float] = dict.fromkeys(FLOORS, 0.0)
    for answer in played[:tried]:
        wrong = [
            replace(episode, outcome=answer.outcome)
            for episode in played
            if episode.task.target.program != answer.task.target.program
        ]
        for term, mean in _means(wrong).items():
            best[term] = max(best[term], mean)
    return best


def _means(episodes: list[Episode]) -> dict[str, float]:
    return {term: sum(v) / len(v) for term, v in values(FLOORS, episodes).items()}


# -- climbing -------------------------------------------------------------------------------------

_WORD = re.compile(r"'(?:[^'\\]|\\.)*'|\w+|\s+|.", re.S)


def climbed(
    language: str, count: int, steps: int, reward: str = OURS, **arguments: object
) -> list[tuple[float, bool, str]]:
    """Change a query of another question word by word, keeping what pays more.

    Returns for each task the best reward of a *wrong* query that was met on the way, whether a
    right one was met (the climb ends there), and the query that the climb ended with.
    """
    env = made(language, **arguments)
    found = []
    for index in some(env, count):
        dice = rng("climbed", language, index)
        question = str(env.query_source[index].messages[0]["content"])
        pool = _pool(env, index, question)
        here = next(_others(env, index, 1), "SELECT 1")
        best, right = _paid(env, index, here, reward)
        wrong = 0.0 if right else best
        for _ in range(0 if right else steps):
            words = _WORD.findall(here)
            at = int(dice.integers(len(words) + 1))
            match int(dice.integers(4)):
                case 0:
                    del words[at : at + int(dice.integers(1, 4))]
                case 1:
                    words.insert(at, f" {pool[int(dice.integers(len(pool)))]} ")
                case _:
                    words[at : at + 1] = [pool[int(dice.integers(len(pool)))]]
            text = "".join(words)[:2_000]
            value, right = _paid(env, index, text, reward)
            if right:
                here = text
                break
            wrong = max(wrong, value)
            if value >= best:
                best, here = value, text
        found.append((wrong, right, here))
    return found


def _paid(env: QueryEnv, index: int, query: str, reward: str) -> tuple[float, bool]:
    episode = play(env, index, query)
    [value] = values((reward,), [episode])[reward]
    return value, episode.success == 1.0


def _pool(env: QueryEnv, index: int, question: str) -> list[str]:
    """Return words to write: of the schema, of the question, of queries about this world."""
    schema = env.query_source.schema(index)
    words = [e.name for e in schema.entities] + [r.name for r in schema.relations]
    words += [p.name for e in schema.entities for p in e.properties]
    words += [f"'{word}'" for word in re.findall(r"[A-Z][\w' -]*\w", question)]
    words += re.findall(r"\d+(?:\.\d+)?", question)
    for query in _others(env, index, 4):
        words += _WORD.findall(query)
    return [word for word in words if word.strip()]


# -- mutants --------------------------------------------------------------------------------------


@dataclass
class Mutants:
    """How many wrong queries there were, and how many passed, by what was done to the plan.

    Equal ones, which no database of `1 + 2 + _EXTRA` tells from the gold, are not among them.
    """

    wrong: Counter[str] = field(default_factory=Counter)
    passed_main: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    equal: int = 0

    def rates(self, boundary: bool | None = None) -> tuple[int, float, float]:
        """Return the number of wrong queries and the shares that passed (main alone, all)."""
        kinds = [
            kind
            for kind in self.wrong
            if boundary is None or boundary == (kind.split(": ")[-1] in BOUNDARY)
        ]
        whole = sum(self.wrong[kind] for kind in kinds)
        return (
            whole,
            sum(self.passed_main[kind] for kind in kinds) / max(whole, 1),
            sum(self.passed[kind] for kind in kinds) / max(whole, 1),
        )


def mutants(language: str, count: int, **arguments: object) -> Mutants:
    """Run plans with one thing changed on the databases of their tasks."""
    env = made(language, **arguments)
    source = env.query_source
    assert isinstance(source, SyntheticQueries)
    found = Mutants()
    for index in some(env, count):
        problem = source.problem(index)
        plan, world, ordered = problem.plan, problem.world, bool(problem.plan.order)
        databases = env.databases(index)
        wanted = databases.run(gold(env, index))
        beyond = [evaluate(plan, tables) for tables in _more(world)]
        for done, mutant in plan_mutants(plan, world):
            if mutant == plan:
                continue
            text = write_sql(mutant, world) if language == "sql" else write_cypher(mutant)
            got = databases.run(text)
            right = execution_match(got, wanted, ordered=ordered)
            if right and all(
                same_rows(Rows((), evaluate(mutant, t).rows), Rows((), a.rows), ordered)
                for t, a in zip(_more(world), beyond, strict=True)
            ):
                found.equal += 1
                continue
            found.wrong[done] += 1
            found.passed[done] += right
            found.passed_main[done] += execution_match(got[:1], wanted[:1], ordered=ordered)
    return found


@lru_cache(maxsize=64)
def _more(world: World) -> tuple[Tables, ...]:
    """Return further databases of a world: the same names that questions use, other data."""
    made = []
    for number in range(_EXTRA):
        names = {}
        for label, thing in world.things.items():
            known = set(thing.core)
            own = [row[1] for row in world.contents[0].entities[label] if row[1] not in known]
            names[label] = [*thing.core, *(f"{name} {number}" for name in own)]
        random = rng("further query data", world.name, number)
        contents = worlds._contents(world.schema, world.things, world.links, names, random)
        made.append(Tables(contents))
    return tuple(made)
