"""The command line: every command's help, its work on a small case, and how mistakes are told."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import fakes
import pytest

from graphenv import envs
from graphenv.agents.oracle import gold_turns
from graphenv.cli import COMMANDS, main
from graphenv.cli.options import Parser, parse_pairs, parse_value
from graphenv.cli.play_command import turn_text
from graphenv.cli.settings import read_config, settings
from graphenv.errors import ConfigError, DataError, UnknownNameError
from graphenv.text import parse_turn

Capture = pytest.CaptureFixture[str]

# -- help and mistakes ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches(name: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert f"usage: graphenv {name}" in text
    assert f"examples:\n  graphenv {name}" in text


def test_overview_lists_every_command(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    assert main([]) == 2
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)


MISTAKES = {
    "unknown command": (["plai"], "Did you mean 'play'?"),
    "unknown environment": (["play", "kgqq"], "Did you mean 'kgqa'?"),
    "no environment": (["play"], "environment"),
    "unknown argument": (["play", "kgqa", "--hopz", "3"], "Did you mean 'hops'?"),
    "unknown term": (["eval", "kgqa", "--reward", "exakt"], "Did you mean 'exact'?"),
    "unknown agent": (["eval", "kgqa", "--agent", "oracel"], "Did you mean 'oracle'?"),
    "folder without model": (["eval", "kgqa", "--agent", "./nothing/here"], "neither an agent"),
    "index outside": (["play", "kgqa", "--index", "-1"], "0 to"),
    "pair without =": (["play", "kgqa", "--env", "hops"], "KEY=VALUE"),
    "missing log": (["show", "nowhere.jsonl"], "does not exist"),
    "missing comparison": (["report", "nowhere"], "comparison"),
    "missing data": (["validate", "kgqa", "--source", "metaqa", "--root", "nowhere"], "nowhere"),
    "one reward": (["compare", "kgqa", "--rewards", "exact"], "no comparison"),
    "shaping under outcome": (
        ["compare", "kgqa", "--rewards", "exact", "exact + potential(progress)"],
        "telescopes",
    ),
    "unknown list": (["list", "worlds"], "none of"),
    "unknown family": (["list", "terms", "--family", "kg"], "kgqa"),
    "no such config": (["train", "--config", "nowhere.yaml"], "no such file"),
    "split of training": (["train", "kgqa", "--env", "split=train"], "chosen by training"),
    "bad number": (["eval", "kgqa", "--tasks", "many"], "many"),
    "zero tasks": (["eval", "kgqa", "--tasks", "0"], "at least 1"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_get_one_clear_message(
    mistake: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mistake == "shaping under outcome":
        pytest.importorskip("trl")
    monkeypatch.chdir(tmp_path)
    words, said = MISTAKES[mistake]
    assert main(words) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.startswith("graphenv")
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert not list(tmp_path.iterdir()), "a refused command leaves nothing behind"


def test_debug_shows_the_error_itself() -> None:
    with pytest.raises(UnknownNameError):
        main(["play", "kgqq", "--debug"])


def test_importing_the_command_line_is_light(tmp_path: Path) -> None:
    code = """
import sys
from importlib import import_module
from graphenv.cli import COMMANDS
heavy = {"torch", "trl", "transformers", "matplotlib", "pandas", "datasets", "rich", "yaml"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
for name in COMMANDS:
    import_module(f"graphenv.cli.{name.replace('-', '_')}_command")
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_module_entry_point(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "graphenv.cli", "--version"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("graphenv ")
    assert done.stderr == ""


# -- options --------------------------------------------------------------------------------------


def _split(*words: str) -> tuple[Any, dict[str, Any]]:
    parser = Parser("x", "", [])
    parser.add_argument("environment")
    parser.add_argument("--tasks", type=int)
    parser.add_argument("--max_new_tokens", type=int)
    return parser.split(words)


def test_unknown_options_are_handed_over_wherever_they_stand() -> None:
    args, extra = _split(
        "--hops", "2", "kgqa", "--tasks", "3", "--max-new-tokens=7", "--drop-topic", "--shift", "-1"
    )
    assert (args.environment, args.tasks, args.max_new_tokens) == ("kgqa", 3, 7)
    assert extra == {"hops": 2, "drop_topic": True, "shift": -1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        ("1e-3", 1e-3),
        ("False", False),
        ("None", None),
        ('["a"]', ["a"]),
        ("a b", "a b"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_values(text: str, value: object) -> None:
    assert parse_value(text) == value


def test_pairs_keep_what_follows_the_first_equals() -> None:
    assert parse_pairs(["root=a=b"]) == {"root": "a=b"}


# -- list, validate -------------------------------------------------------------------------------


def test_list_knows_every_table(capsys: Capture) -> None:
    from graphenv.agents import AGENTS
    from graphenv.rewards import TERMS

    assert main(["list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in found["agents"]} == set(AGENTS)
    assert {row["name"] for row in found["terms"]} == set(TERMS)
    assert {row["name"] for row in found["environments"]} == {r.name for r in envs.ENVIRONMENTS}
    assert {row["name"] for row in found["credits"]} >= {"outcome", "turn"}
    assert all(row["about"] for rows in found.values() for row in rows)
    assert main(["list", "terms", "--family", "kgqa"]) == 0
    text = capsys.readouterr().out
    assert "path_similarity" in text
    assert "# agents" not in text


def test_validate_exit_code_tells(capsys: Capture) -> None:
    assert main(["validate", "kgqa", "--tasks", "12", "--mode", "program"]) == 0
    captured = capsys.readouterr()
    assert "in order" in captured.out
    assert captured.err == "", "quiet when not a terminal"
    words = ["validate", "kgqa", "--tasks", "12", "--reward", "1 - answer_f1", "--json"]
    assert main(words) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"]
    assert told["problems"]


# -- play -----------------------------------------------------------------------------------------

TOOLS = envs.make("kgqa").tools


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("follow directed_by", ("follow", {"relation": "directed_by"})),
        ("follow ^has, or had", ("follow", {"relation": "^has, or had"})),
        ("relations", ("relations", {})),
        ("relations Heat, the film", ("relations", {"entity": "Heat, the film"})),
        ("frontier 2", ("frontier", {"page": "2"})),
        ("neighbors A, b_c", ("neighbors", {"entity": "A", "relation": "b_c"})),
        (
            'neighbors "Me, You", directed_by, page=2',
            ("neighbors", {"entity": "Me, You", "relation": "directed_by", "page": "2"}),
        ),
        ("back", ("back", {})),
    ],
)  # fmt: skip
def test_short_forms(line: str, call: tuple[str, dict[str, str]]) -> None:
    [parsed] = parse_turn(turn_text(line, TOOLS)).calls
    assert (parsed.name, parsed.arguments) == call


def test_short_answers_and_raw_text() -> None:
    answer = parse_turn(turn_text('answer Heat, "Me, You"', TOOLS)).answer
    assert answer is not None
    assert answer.items == ("Heat", "Me, You")
    raw = '<tool_call>{"name": "back", "arguments": {}}</tool_call>'
    assert turn_text(raw, TOOLS) == raw


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("run SELECT a, b FROM t", ("run", {"query": "SELECT a, b FROM t"})),
        ("run SELECT a, b FROM t, page=2", ("run", {"query": "SELECT a, b FROM t", "page": "2"})),
        ('explain SELECT "a" FROM "t"', ("explain", {"query": 'SELECT "a" FROM "t"'})),
        ('run "RETURN 1, 2"', ("run", {"query": "RETURN 1, 2"})),
        ("run SELECT 1 WHERE page=2", ("run", {"query": "SELECT 1 WHERE page=2"})),
        ("schema", ("schema", {})),
        ("sample_values film, year", ("sample_values", {"table": "film", "column": "year"})),
    ],
)
def test_short_forms_of_queries(line: str, call: tuple[str, dict[str, str]]) -> None:
    [parsed] = parse_turn(
        turn_text(line, envs.make("text2sql", mode="tools", worlds=1).tools, query=True)
    ).calls
    assert (parsed.name, parsed.arguments) == call
    said = parse_turn(turn_text("answer SELECT a, b", {}, query=True)).answer
    assert said is not None and said.text == "SELECT a, b"


@pytest.mark.parametrize("language", ["sql", "cypher"])
def test_a_person_queries(language: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """One database in every run: `worlds=1`."""
    name = f"text2{language}"
    env = envs.make(name, worlds=1)
    gold = str(env.source[4].target.program)
    lines = f"help\nbogus\nrun {gold}\nrun SELECT (\nanswer {gold}\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    assert main(["play", name, "--mode", "tools", "--worlds", "1", "--index", "4"]) == 0
    text = capsys.readouterr().out
    assert "answer QUERY" in text and "for example `run QUERY`" in text
    assert "Error (syntax: " in text or "Error (refused: " in text
    assert f"answered: {gold}\ngold:     {gold}\nrows:     " in text
    assert "truth:    1.000" in text and "\\u003c" not in text


def test_a_person_plays(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    env = envs.make("kgqa", hops=1)
    program = env.source[4].target.program
    lines = f"help\nbogus\nfollow {program}\n\nanswer_frontier\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    assert main(["play", "kgqa", "--hops", "1", "--index", "4"]) == 0
    text = capsys.readouterr().out
    assert str(env.source[4].meta["question"]) in text
    assert "answer_frontier" in text, "help lists the tools"
    assert "Malformed turn" in text
    assert "truth:    1.000" in text
    assert "exact: 1.000 x 1" in text


def test_a_person_builds_a_graph(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    env = envs.make("kg-construction", mode="turns")
    lines = ["help", "bogus", *(turn[8:-4].replace("\n", " ") for turn in gold_turns(env, 0))]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    assert main(["play", "kg-construction", "--mode", "turns", "--index", "0"]) == 0
    text = capsys.readouterr().out
    assert "It is the answer.\nYou read documents" in text, "help shows what a model is told"
    assert "Malformed turn" in text and "(here a turn is one line; `help` tells more)" in text
    gold = env.tasks[0].target.graph
    assert gold is not None and f"gold:     {' | '.join(gold.triples[0])}\n" in text
    assert "Document 2" in text and "truth:    1.000" in text


def test_a_turn_of_several_lines(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    arguments = ["play", "caption-correction", "--mode", "reasoning", "--index", "0"]
    env = envs.make("caption-correction", mode="reasoning")
    typed = gold_turns(env, 0)[0].replace("\n", "\\\n") + "\n"
    assert typed.count("\\") > 1
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert main(arguments) == 0
    assert "truth:    1.000" in capsys.readouterr().out


def test_names_are_taken_in_any_case(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["play", "KGQA"]) == 0
    assert "Question:" in capsys.readouterr().out
    assert _settings("KGQA:2").environments == "kgqa:2"


def test_leaving_early_grades_nothing(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("back\nquit\n"))
    assert main(["play", "kgqa", "--index", "0"]) == 0
    assert "nothing was graded" in capsys.readouterr().out


@pytest.mark.parametrize("agent", ["oracle", "random"])
def test_watching_an_agent(agent: str, capsys: Capture) -> None:
    words = ["play", "kgqa", "--mode", "program", "--agent", agent, "--seed", "5"]
    assert main(words) == 0
    assert "reward:" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["record"]["success"] == 1.0 or agent == "random"


# -- eval, rescore, show --------------------------------------------------------------------------


def test_eval_then_rescore_then_show(tmp_path: Path, capsys: Capture) -> None:
    out = str(tmp_path / "eval")
    words = ["eval", "kgqa", "--agent", "oracle", "--tasks", "6", "--k", "2", "--out", out]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["success"]["value"] == 1.0
    assert told["pass_at"]["2"]["value"] == 1.0
    assert json.loads((tmp_path / "eval" / "eval.json").read_text()) == told
    assert main(words) == 0
    assert "best of 2 under exact" in capsys.readouterr().out

    assert main(["rescore", out, "--rewards", "answer_f1", "turn_cost", "--limit", "4"]) == 0
    assert "4 episodes, truth 1.000" in capsys.readouterr().out
    file = tmp_path / "more" / "rescored.json"
    assert main(["rescore", out, "--rewards", "exact", "--json", "--out", str(file)]) == 0
    assert json.loads(file.read_text())["values"]["exact"] == [1.0] * 12
    capsys.readouterr()

    assert main(["show", out, "3", "--reward", "exact + 0.5*triple_f1"]) == 0
    text = capsys.readouterr().out
    assert "[1/12]" in text
    assert ". frontier_size: " in text
    assert "triple_f1: 1.000 x 0.5" in text
    assert main(["show", out, "--no_facts", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["score"]["value"] == 1.0
    assert main(["show", out, "--wrong"]) == 2
    assert "no episode of the log failed (of 12 in all)" in capsys.readouterr().err


def test_a_crash_of_the_users_own_function_is_told(capsys: Capture) -> None:
    # `sqrt` of an episode is a TypeError.
    words = ["kgqa", "--agent", "oracle", "--reward", "user(function='math:sqrt')"]
    assert main(["play", *words]) == 0
    assert "reward:   - (error: user(function='math:sqrt'): TypeError" in capsys.readouterr().out
    assert main(["eval", *words, "--tasks", "2"]) == 0
    assert "first crash of the reward: user(" in capsys.readouterr().out


def test_rescore_exits_with_one_when_a_log_does_not_replay(tmp_path: Path, capsys: Capture) -> None:
    record = envs.make("kgqa", mode="program").play(0, ["x"]).record().to_json()
    log = tmp_path / "episodes.jsonl"
    log.write_text(json.dumps({**record, "digest": "0" * 32}) + "\n")
    assert main(["rescore", str(log), "--rewards", "exact"]) == 1
    assert "replay_mismatch: 1" in capsys.readouterr().out


# -- train, compare, report -----------------------------------------------------------------------


def _settings(*words: str) -> Any:
    from graphenv.cli.settings import add_settings

    parser = Parser("train", "", [])
    add_settings(parser)
    return settings(*parser.split(words))


def test_flags_go_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("environments: kgqa\nsteps: 7\nwarmup: 3\nenv_kwargs: {hops: 1}\n")
    config = _settings("--config", str(file), "--steps", "9", "--env", "mode=program")
    assert (config.steps, config.warmup, config.environments) == (9, 3, "kgqa")
    assert config.env_kwargs == {"hops": 1, "mode": "program"}


def test_a_saved_config_is_a_config_file(tmp_path: Path) -> None:
    config = _settings("kgqa", "--env", "hops=1", "--out", str(tmp_path), "--reward", "answer_f1")
    config.save()
    assert _settings("--config", str(tmp_path / "config.json")) == config


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: [\n"])
def test_a_config_file_must_be_a_mapping(content: str, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(content)
    with pytest.raises(DataError, match=r"run\.yaml"):
        read_config(str(file))


@pytest.mark.train
def test_trainer_lora_and_environment_settings_find_their_place() -> None:
    config = _settings(
        "kgqa", "--learning_rate", "1e-3", "--num-generations", "4", "--lora_r", "8",
        "--lora_alpha", "16", "--lora_target_modules", '["q_proj"]', "--hops", "1",
    )  # fmt: skip
    assert config.grpo == {"learning_rate": 1e-3, "num_generations": 4}
    assert config.peft == {"r": 8, "lora_alpha": 16, "target_modules": ["q_proj"]}
    assert config.env_kwargs == {"hops": 1}
    with pytest.raises(ConfigError, match="Did you mean 'learning_rate'"):
        _settings("kgqa", "--learning_rte", "1e-3")


@pytest.mark.train
def test_warm_start_then_watch_and_evaluate_the_model(tmp_path: Path, capsys: Capture) -> None:
    out = str(tmp_path / "start")
    words = ["--mode", "program", "--hops", "1", "--instructions", "none"]
    train = ["train", "kgqa", *words, "--size", "nano", "--warmup", "4", "--warmup_epochs", "1"]
    assert main([*train, "--out", out, "--warm_start_only", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"start": out}
    assert (tmp_path / "start" / "config.json").is_file()
    sampled = ["--agent", out, "--tasks", "3", "--k", "2", "--temperature", "1"]
    assert main(["eval", "kgqa", *words, *sampled, "--max_new_tokens", "4", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["samples"] == 2
    assert captured.err == "", "quiet when not a terminal"


def test_report_rebuilds_a_comparison(tmp_path: Path, capsys: Capture) -> None:
    levels = dict.fromkeys(fakes.REWARDS, 0.5)
    plan = fakes.fake_comparison(tmp_path, levels, seeds=2, tasks=12)
    assert main(["report", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "illustrative" in text
    assert str(tmp_path / "report.html") in text
    (next(iter(plan.runs())).folder / "final.json").unlink()
    assert main(["report", str(tmp_path), "--json"]) == 1, "a run is missing"
    assert json.loads(capsys.readouterr().out)["incomplete"] == ["exact, seed 0"]


def test_a_trained_model_is_judged_under_the_arguments_of_its_run(tmp_path: Path) -> None:
    from graphenv.cli.agent import trained_under

    run = tmp_path / "run"
    (run / "checkpoint").mkdir(parents=True)
    stored = {"environments": "kgqa", "reward": "answer_f1", "env_kwargs": {"mode": "program"}}
    (run / "config.json").write_text(json.dumps(stored))
    (run / "checkpoint" / "config.json").write_text(json.dumps({"model_type": "qwen3"}))
    expected = {"reward": "answer_f1", "mode": "program"}
    assert trained_under(str(run), "kgqa") == expected
    assert trained_under(str(run / "checkpoint"), "kgqa") == expected
    assert trained_under(str(run), "other") == trained_under("oracle", "kgqa") == {}


def test_the_truth_is_no_reward(capsys: Capture) -> None:
    assert main(["eval", "kgqa", "--reward", "success", "--tasks", "1"]) == 2
    assert "truth is no reward" in capsys.readouterr().err
