"""What the tools of the query environments say, by the page and within bounds."""

from __future__ import annotations

import pytest
import query_env_fixture as fx
from query_env_fixture import BOTH, block, env_with, gold, run, said

from graphenv.envs.session import OVER
from graphenv.query.model import Language
from graphenv.text import format_call, parse_turn

known_source = fx.known_source


SAID: list[tuple[Language, str, str]] = [
    ("sql", format_call("schema"), "Tables: Person, Film, made"),
    ("sql", format_call("schema", name="film"),
     "Film(id integer primary key, title text, year integer)"),
    ("sql", format_call("schema", name="made"),
     "made(share real, person_id references Person.id, film_id references Film.id)"),
    ("sql", format_call("schema", name="flim"),
     "There is nothing called 'flim'. Did you mean 'Film'?"),
    ("sql", format_call("schema", name="MADE_"),
     "There is nothing called 'MADE_'. Did you mean 'made'?"),
    ("sql", format_call("sample_values", table="FILM", column="Year"),
     "1979\n1995\n2001\nall 3 values"),
    ("sql", format_call("sample_values", table="made", column="film_id"),
     "1\n2\n3\n4\nall 4 values"),
    ("sql", format_call("sample_values", table="Film", column="titel"),
     "'Film' has no column 'titel'. Did you mean 'title'?"),
    ("sql", format_call("sample_values", table="Flm", column="title"),
     "There is nothing called 'Flm'. Did you mean 'Film'?"),
    ("sql", run("SELECT title, year FROM Film WHERE id > 2"),
     'title | year\nHeat | 1995\nThe "X" | 2001\n2 rows'),
    ("sql", run("SELECT NULL, 1.5"), "NULL | 1.5\nnull | 1.5\n1 row"),
    ("sql", run("SELECT title FROM Film WHERE 0"), "0 rows"),
    ("sql", run("SELECT nope FROM Film"), "Error (schema: no such column: nope)"),
    ("sql", run("SELECT 1; SELECT 2"), "Error (refused: *"),
    ("sql", run("SELECT FROM WHERE"), "Error (syntax: *"),
    ("sql", run(""), "Error (syntax: *"),
    ("sql", format_call("explain", query="SELECT nope FROM Film"),
     "Error (schema: no such column: nope)"),
    ("sql", format_call("explain", query="SELECT title FROM Film"), "SCAN Film"),
    ("sql", format_call("rum", query="x"), "There is no tool 'rum'. Did you mean 'run'?"),
    ("sql", format_call("run", sql="x"), "run has no argument sql. Use run(query, page?): *"),
    ("sql", format_call("run"), "run needs the argument 'query'. Use run(*"),
    ("sql", run("SELECT 1", page="two"), "run: argument 'page' is a str, but a integer*"),
    ("cypher", format_call("schema"), "Labels: Person, Film\nRelationship types: MADE"),
    ("cypher", format_call("schema", name="film"),
     "(:Film {id: integer, title: text, year: integer})\n"
     "(:Person)-[:MADE {share: real}]->(:Film)"),
    ("cypher", format_call("schema", name="made"), "(:Person)-[:MADE {share: real}]->(:Film)"),
    ("cypher", format_call("schema", name="mad"),
     "There is nothing called 'mad'. Did you mean 'MADE'?"),
    ("cypher", format_call("sample_values", table="film", column="year"),
     "1979\n1995\n2001\nall 3 values"),
    ("cypher", format_call("sample_values", table="MADE", column="share"),
     "0.25\n0.5\n0.75\nall 3 values"),
    ("cypher", format_call("sample_values", table="MADE", column="shares"),
     "'MADE' has no property 'shares'. Did you mean 'share'?"),
    ("cypher", format_call("sample_values", table="Film`) RETURN 1 //", column="id"),
     "There is nothing called*"),
    ("cypher", run("MATCH (f:Film) WHERE f.id > 2 RETURN f.title ORDER BY f.id"),
     'f.title\nHeat\nThe "X"\n2 rows'),
    ("cypher", run("MATCH (f:Film) WHERE f.id = 3 RETURN f"),
     "f\n(Film, (id, 3), (title, Heat), (year, 1995))\n1 row"),
    ("cypher", run("MATCH (f:Film) WHERE f.id > 99 RETURN f"), "0 rows"),
    ("cypher", run("MATCH (f:Movie) RETURN f"), "Error (schema: *"),
    ("cypher", run("MATCH (f:Film RETURN f"), "Error (syntax: *"),
    ("cypher", run("CREATE (f:Film)"), "Error (refused: *"),
    ("cypher", format_call("explain", query="MATCH (f:Movie) RETURN f"), "Error (schema: *"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "turn", "answer"), SAID)
def test_what_tools_say(language: Language, turn: str, answer: str) -> None:
    found = said(turn, language=language)
    assert found.startswith(answer[:-1]) if answer.endswith("*") else found == answer


def test_how_calls_go() -> None:
    turns = {
        "ok": run("SELECT 1"),
        "infeasible": run("SELECT nope"),
        "malformed": run("SELECT FROM"),
    }
    env = env_with(mode="tools")
    for status, turn in turns.items():
        step = env.play(0, [turn]).steps[0]
        assert (step.status, step.calls[0].status) == (status, status)
    both = env.play(0, ["".join(turns.values())]).steps[0]
    assert [call.status for call in both.calls] == list(turns) and both.status == "malformed"
    assert both.facts["queries"] == 3
    assert env.play(0, [turns["ok"], format_call("schema")]).steps[1].facts["queries"] == 1


def test_rows_come_by_the_page() -> None:
    everybody = "SELECT name FROM Person"
    first = said(run(everybody), page_size=10)
    assert first.splitlines() == [
        "name", *(f"Person {i:02}" for i in range(1, 11)), "25 rows; page 1 of 3",
    ]  # fmt: skip
    last = said(run(everybody, page=3), page_size=10)
    assert last.splitlines()[1:] == [
        *(f"Person {i}" for i in range(21, 26)),
        "25 rows; page 3 of 3",
    ]
    assert said(run(everybody, page=99), page_size=10) == last
    assert said(run(everybody, page=-1), page_size=10) == first
    assert said(run(everybody, page="3"), page_size=10) == last
    sampled = said(format_call("sample_values", table="Person", column="name"), page_size=3)
    assert len(sampled.splitlines()) == 21
    assert sampled.endswith("the first 20; there are more")


def test_observations_are_bounded() -> None:
    env = env_with(mode="tools", max_observation=200, page_size=100)
    wide = "SELECT name || hex(zeroblob(1)) || replace(hex(1000000000), '3', name) FROM Person"
    for turn in (run("SELECT name, name, name FROM Person"), run(wide), run("SELECT " + "9" * 3000),
                 format_call("schema", name="x" * 5000)):  # fmt: skip
        step = env.play(0, [turn]).steps[0]
        assert 0 < len(step.observation) <= 240
        assert sum(len(str(m["content"])) for m in step.messages[1:]) <= 240


@BOTH
def test_a_query_beside_tool_calls_waits(language: Language) -> None:
    query = gold(fx.AFTER, language)
    env = env_with(language, mode="tools")
    call = format_call("schema")
    for beside in (
        f"{block(query, language)}\n{call}",
        block(query, language) + call,
        f"{call}\n{block(query, language)}\n{call}",
        f"<program>{query}</program>{call}",
    ):
        episode = env.play(fx.AFTER, [beside, block(query, language)])
        assert "(The query beside it was not read" in episode.steps[0].observation
        assert episode.steps[0].observation.endswith(episode.steps[0].calls[-1].result)
        assert (len(episode), episode.success) == (2, 1.0)
    answered = env.play(fx.AFTER, [f"<answer>{query}</answer>{format_call('schema')}"])
    assert not answered.ended and "was not read" in answered.steps[0].observation
    broken = env.play(fx.AFTER, [f"<program>{format_call('schema')}"])
    assert not broken.ended and "<program>" in broken.steps[0].observation


@BOTH
def test_after_the_end_tools_answer_no_more(language: Language) -> None:
    env = env_with(language, mode="tools")
    session = env.begin(fx.AFTER)
    session.turn(block(gold(fx.AFTER, language), language))
    before = session.episode()
    for turn in (run(gold(fx.AFTER, language)), format_call("schema"), block("SELECT 1")):
        assert session.turn(turn).observation == OVER
    assert session.call(parse_turn(format_call("schema")).calls[0]).result == OVER
    assert session.episode() == before


def test_turns_run_out() -> None:
    env = env_with(mode="tools", max_turns=3)
    episode = env.play(0, [format_call("schema")] * 5)
    assert (episode.status, len(episode), episode.success) == ("truncated", 3, 0.0)
    assert env.play(0, [*[format_call("schema")] * 2, block(gold(0))]).success == 1.0


@BOTH
def test_prompts_say_what_there_is(language: Language) -> None:
    single, tools = env_with(language), env_with(language, mode="tools")
    system, user = (str(m["content"]) for m in single.tasks[fx.AFTER].messages)
    assert f"```{language}" in system and "tool" not in system
    assert user.endswith("Question: Which films were made after 1990?")
    assert ("(:Film {id: integer" if language == "cypher" else "Film(id integer") in user
    offered = str(tools.tasks[0].messages[0]["content"])
    for spec in tools.tools.values():
        assert f"- {spec.usage}" in offered
    assert set(tools.tools) == {"schema", "sample_values", "explain", "run"} and not single.tools
    bare = env_with(language, show_schema=False, instructions="none")
    assert [m["content"] for m in bare.tasks[0].messages] == ["Question: How many films are there?"]
    short = env_with(language, instructions="short").tasks[0].messages[0]["content"]
    assert len(short) < 40
