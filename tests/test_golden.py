"""Recorded transcripts: a change of behaviour is noticed. How to update: CONTRIBUTING.md."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import caption_fixture as px
import construction_env_fixture as cx
import design_fixture as dx
import kgqa_fixture as fx
import pytest
import query_env_fixture as qx
import scene_env_fixture as sx
import subgraph_fixture as gx

from graphenv import envs
from graphenv.agents.oracle import gold_turns
from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode
from graphenv.text import format_call

GOLDEN = Path(__file__).parent / "golden"
UPDATE = os.environ.get("GRAPHENV_UPDATE_GOLDEN") == "1"

EVERY_TERM = (
    "exact + answer_f1 + hits + node_f1 + edge_f1 + triple_f1 + path_similarity + format"
    " + path_validity + progress + turn_cost"
)
EVERY_QUERY_TERM = (
    "execution + row_f1 + query_ged + schema_linking + component_f1 + ngram + syntax + format"
    " + turn_cost"  # the work that efficiency compares is that of one version of an engine
)
CONSTRUCTION_TERMS = "triple_f1 + node_f1 + edge_f1 + format + turn_cost"
CAPTION_TERMS = (
    "correction + sc_captioner + triple_f1 + object_f1 + attribute_f1 + relation_f1 + format"
    " + turn_cost"
)
REASONING_TERMS = "exact + rationale_f1 + chexpo + triple_f1 + format + turn_cost"
SUBGRAPH_TERMS = (
    "triple_f1 + node_f1 + edge_f1 + ged + answer_f1 + hits + path_validity + format + progress"
    " + ged_progress + turn_cost"
)
EVERY_SCENE_TERM = (
    "triple_f1 + node_f1 + edge_f1 + ged + object_f1 + attribute_f1 + relation_f1 + format"
    " + ged_progress + turn_cost"
)
DESIGN_TERMS = "objective + objective_value + format + turn_cost"
SYNTHETIC = {"source": "synthetic", "hops": 2, "seed": 0}

# name: environment, task, turns (None: the gold ones)
TRANSCRIPTS: dict[str, tuple[dict[str, Any], int, list[str] | None]] = {
    "kgqa_tools_gold": ({}, fx.GENRES, None),
    "kgqa_tools_lost": (
        {"max_turns": 5, "page_size": 2, "instructions": "short"},
        fx.GENRES,
        [
            "Let me think.",
            format_call("relations") + format_call("follow", relation="directed"),
            format_call("start_at", entity="Filler genre"),
            format_call("follow", relation="^has_genre") + format_call("frontier", page=3),
            format_call("back") + "<answer>[",
        ],
    ),
    "kgqa_tools_partly_right": (
        {"encoding": "incident"},
        fx.GENRES,
        [
            format_call("neighbors", entity="heat", relation="has_genre"),
            format_call("follow", relation="^directed_by"),
            format_call("keep", relation="release_year", operator=">", value="1990"),
            fx.answer("Crime", "Horror"),
        ],
    ),
    "kgqa_program_gold": ({"mode": "program"}, fx.GENRES, None),
    "kgqa_program_other_way": (
        {"mode": "program", "instructions": "none"},
        fx.GENRES,
        ["<think>who wrote it?</think><program>^written_by > has_genre</program>"],
    ),
    "kgqa_program_infeasible": ({"mode": "program"}, fx.GENRES, ["^directed_by > in_language"]),
    "kgqa_program_malformed": ({"mode": "program"}, fx.GENRES, ["^directed_by > > has_genre"]),
    "kgqa_synthetic_tools": (SYNTHETIC, 7, None),
    "kgqa_synthetic_program": ({**SYNTHETIC, "mode": "program"}, 7, None),
    "sql_single_gold": ({}, qx.BY_YEAR, None),
    "sql_single_lucky": ({"instructions": "short"}, qx.FILMS, [qx.block("SELECT 4")]),
    "sql_single_infeasible": (
        {"instructions": "none"},
        qx.AFTER,
        [qx.block("SELECT titel FROM Film WHERE year > 1990")],
    ),
    "sql_single_malformed": ({}, qx.AFTER, ["I would look at the table Film."]),
    "sql_tools_gold": ({"mode": "tools"}, qx.OLDEST, None),
    "sql_tools_lost": (
        {"mode": "tools", "max_turns": 5, "page_size": 2, "show_schema": False},
        qx.AFTER,
        [
            "Let me think.",
            format_call("schema") + format_call("schema", name="flim"),
            format_call("sample_values", table="film", column="year"),
            format_call("run", query="SELECT name FROM Person", page=3),
            format_call("run", query="DROP TABLE Film") + "<program>SELECT 1</program>",
        ],
    ),
    "sql_tools_partly_right": (
        {"mode": "tools"},
        qx.PAIRS,
        [
            format_call("run", query="SELECT title, yaer FROM Film"),
            "<think>only the titles</think><program>SELECT f.title FROM Film AS f</program>",
        ],
    ),
    "cypher_single_gold": ({}, qx.BY_YEAR, None),
    "cypher_single_infeasible": (
        {},
        qx.AFTER,
        [qx.block("MATCH (f:Movie) WHERE f.year > 1990 RETURN f.title", "cypher")],
    ),
    "cypher_single_malformed": (
        {},
        qx.AFTER,
        [qx.block("MATCH (f:Film WHERE f.year > 1990 RETURN f.title", "cypher")],
    ),
    "cypher_tools_gold": ({"mode": "tools"}, qx.AFTER, None),
    "cypher_tools_partly_right": (
        {"mode": "tools", "instructions": "short"},
        qx.PAIRS,
        [
            format_call("schema", name="MADE"),
            format_call("sample_values", table="MADE", column="share"),
            format_call("run", query="MATCH (p:Person)-[:MAKES]->(f) RETURN f.title"),
            qx.block("MATCH (a:Film) RETURN a.title", "cypher"),
        ],
    ),
    "sql_synthetic": ({**SYNTHETIC, "worlds": 2, "mode": "single"}, 7, None),
    "cypher_synthetic": ({**SYNTHETIC, "worlds": 2, "mode": "tools"}, 7, None),
    "scenes_single_gold": ({}, sx.GOATS, None),
    "scenes_single_dangling": (
        {"instructions": "short"},
        sx.GOATS,
        [
            sx.block(
                sx.graph(
                    *(("goat.1", "eat", "hat.1"), ("goat.2", "near", "fence.1")),
                    goat_1=["old", "brown"],
                    goat_2=[],
                    hat_1=[],
                )
            )
        ],
    ),
    "scenes_single_malformed": (
        {"instructions": "none"},
        sx.KITE,
        [sx.block({"objects": [{"id": "kite.1", "bbox": [9, 0, 0, 9]}]})],
    ),
    "scenes_single_triples": ({"answer": "triples"}, sx.ODD, None),
    "scenes_single_given": (
        {"detected": True},
        sx.GOATS,
        [sx.block(sx.graph(("goat.2", "near", "gate.1"), ("goat.2", "eat", "hat.1"), fence_1=[]))],
    ),
    "scenes_steps_gold": ({"mode": "steps"}, sx.GOATS, None),
    "scenes_steps_boxes": ({"mode": "steps", "images": True, "boxes": True}, sx.KITE, None),
    "scenes_steps_lost": (
        {"mode": "steps", "max_turns": 5},
        sx.GOATS,
        [
            "Let me look.",
            format_call("add_object", label="goat", attributes="old, brown")
            + format_call("add_object", label="Goat"),
            format_call("add_relation", subject="goat.1", relation="near", object="gate.1"),
            format_call("remove", id="Goat.2") + "<answer>[]</answer>",
            "<answer>[",
        ],
    ),
    "scenes_synthetic": ({"source": "synthetic", "seed": 0}, 7, None),
    "construction_single_gold": ({}, cx.FILMS, None),
    "construction_single_partly_right": (
        {"instructions": "short"},
        cx.FILMS,
        [cx.block([*cx.GOLD[:2], ("the_captain", "born_in", "chicago"), ("Heat", "in", "USA")])],
    ),
    "construction_single_malformed": (
        {"instructions": "none", "show_relations": False},
        cx.FILMS,
        ['[["Heat", "release_year", 1995]]'],
    ),
    "construction_turns_gold": ({"mode": "turns"}, cx.FILMS, None),
    "construction_turns_asked_again": (
        {"mode": "turns"},
        cx.FILMS,
        ["Heat is a film.", f"<answer>{json.dumps(cx.GOLD[:1])}</answer>", "[]", "[]"],
    ),
    "construction_turns_truncated": (
        {"mode": "turns", "max_turns": 3},
        cx.FILMS,
        ["[]", cx.block(cx.GOLD) * 2, "[]"],
    ),
    "captions_planted_gold": ({"errors": 2}, px.RIDER, None),
    "captions_planted_partly_right": (
        {"errors": 3, "answer": "triples", "instructions": "short"},
        px.RIDER,
        ['[["man", "ride", "horse"], ["horse", "is", "brown"], ["man", "wear", "coat"]]'],
    ),
    "captions_planted_infeasible": (
        {"errors": 1, "instructions": "none"},
        px.CAFE,
        [
            '{"objects": [{"id": "mug.1"}], "relationships": [{"subject": "mug.1", '
            '"predicate": "beside", "object": "café zoë.1"}]}'
        ],
    ),
    "captions_planted_malformed": ({"errors": 0}, px.TREE, ["The draft is right."]),
    "captions_own_improved": (
        {"draft": "own"},
        px.CAFE,
        [px.block("mug, is, red", "mug, on, Café Zoë"), px.block("mug, beside, Café Zoë")],
    ),
    "captions_own_truncated": (
        {"draft": "own", "form": "caption", "parser": "caption_fixture:simple_parser"},
        px.RIDER,
        ["<answer></answer>", "man ride horse and so on"],
    ),
    "captions_told_gold": (
        {"form": "caption", "parser": "caption_fixture:simple_parser"},
        px.RIDER,
        ["<answer>man ride horse. horse is brown. man wear hat.</answer>"],
    ),
    "captions_reasoning_gold": ({"mode": "reasoning"}, px.RIDER, None),
    "captions_reasoning_against": (
        {"mode": "reasoning", "instructions": "short"},
        px.CAFE,
        ['- (mug: object)\n- (red: attribute)\n- (mug, is, red)\n<answer>["no"]</answer>'],
    ),
    "captions_synthetic": ({"source": "synthetic", "form": "caption", "seed": 0}, 7, None),
    "design_tools_gold": ({}, dx.PATH, None),
    "design_tools_lost": (
        {"max_turns": 4, "instructions": "short"},
        dx.STAR,
        [
            "Let me look.",
            format_call("candidates") + format_call("inspect", node="a b"),
            format_call("add_edge", a="a b", b="b a") + format_call("add_edge", a="7", b="7"),
            format_call("add_edge", a="a b", b="7") + "<answer>[]</answer>",
        ],
    ),
    "design_single_partly_right": (
        {"mode": "single"},
        dx.PATH,
        [dx.block([["0", "5"], [5, 0]])],
    ),
    "design_single_infeasible": (
        {"mode": "single", "instructions": "none"},
        dx.PATH,
        [dx.block([["0", "4"], ["1", "5"]])],
    ),
    "design_single_malformed": ({"mode": "single"}, dx.STAR, ["Tie 7 to a b."]),
    "design_repair_gold": ({"goal": "repair"}, dx.RING, None),
    "design_repair_other_way": (
        {"goal": "repair", "mode": "single"},
        dx.RING,
        [dx.block({"remove": [["1", "2"]], "add": [["1", "5"]]})],
    ),
    "design_synthetic": ({"source": "er", "objective": "robustness_targeted"}, 7, None),
    "construction_synthetic": ({**SYNTHETIC, "mode": "turns"}, 7, None),
    "subgraph_tools_gold": ({}, gx.PAIN, None),
    "subgraph_tools_lost": (
        {"max_turns": 6, "page_size": 2, "instructions": "short"},
        gx.PAIN,
        [
            "Let me look.",
            format_call("candidates") + format_call("inspect", node="asprin"),
            format_call("expand", node="aspirin", relation="inhibit")
            + format_call("expand", node="aspirin", relation="inhibits"),
            gx.add(("COX-1", "causes", "joy"), ("COX-1", "treats", "pain")),
            format_call("remove", node="COX-2") + format_call("remove", node="aspirin"),
            "<answer>[",
        ],
    ),
    "subgraph_tools_proposals": (
        {"proposals": True},
        gx.PAIN,
        [
            gx.add(("aspirin", "treats", "pain"), *gx.GOLD[:3]),
            format_call("inspect", node="pain") + format_call("candidates", node="pain"),
            gx.SUBMIT,
        ],
    ),
    "subgraph_tools_ranking": ({"instructions": "none"}, gx.ENZYMES, None),
    "subgraph_single_gold": ({"mode": "single", "shown": 12}, gx.PAIN, None),
    "subgraph_single_infeasible": (
        {"mode": "single", "instructions": "short", "shown": 1},
        gx.CAFE,
        [gx.answer([("Café Zoë", "sells", "TEA"), ("café Zoë", "sells", "coffee")])],
    ),
    "subgraph_single_malformed": (
        {"mode": "single", "instructions": "none", "shown": 1},
        gx.KNOW,
        ["It is No, I think."],
    ),
    "subgraph_synthetic": (
        {"source": "motif", "seed": 0, "worlds": 1, "reward": "triple_f1 + node_f1 + progress"},
        7,
        None,
    ),
    "subgraph_steiner": (
        {"source": "steiner", "nodes": 24, "terminals": 3, "reward": "triple_f1 + progress"},
        7,
        None,
    ),
    "subgraph_evidence": (
        {"source": "evidence", "reward": "triple_f1 + node_f1 + progress"},
        7,
        None,
    ),
}


def transcript(name: str) -> dict[str, Any]:
    kwargs, index, turns = TRANSCRIPTS[name]
    family = name.partition("_")[0]
    terms = {
        "kgqa": EVERY_TERM,
        "construction": CONSTRUCTION_TERMS,
        "scenes": EVERY_SCENE_TERM,
        "subgraph": SUBGRAPH_TERMS,
        "design": DESIGN_TERMS,
        "captions": REASONING_TERMS if "reasoning" in name else CAPTION_TERMS,
    }.get(family, EVERY_QUERY_TERM)
    kwargs = {"reward": terms, **kwargs}
    made = "source" in kwargs
    if family == "scenes":
        env = envs.make("scene-graph", **kwargs) if made else sx.make_env(**kwargs)
    elif family == "subgraph":
        env = envs.make("subgraph", **kwargs) if made else gx.make_env(**kwargs)
    elif family == "construction":
        env = envs.make("kg-construction", **kwargs) if made else cx.make_env(**kwargs)
    elif family == "captions":
        env = envs.make("caption-correction", **kwargs) if made else px.make_env(**kwargs)
    elif family == "design":
        env = envs.make("graph-design", **kwargs) if made else dx.make_env(**kwargs)
    elif family == "kgqa":
        env = envs.make("kgqa", **kwargs) if made else fx.make_env(**kwargs)
    else:
        env = qx.make_env("sql" if family == "sql" else "cypher", **kwargs)
    episode = env.play(index, gold_turns(env, index) if turns is None else turns)
    return json.loads(json.dumps(_told(env, episode)))


def _told(env: GraphEnv, episode: Episode) -> dict[str, Any]:
    end = episode.outcome
    assert end is not None
    return {
        "env": env.env_id,
        "kwargs": {k: v for k, v in env.kwargs.items() if v is not None},
        "task": episode.task.id,
        "prompt": episode.task.prompt.splitlines(),
        "turns": [
            {
                "text": step.text,
                "observation": step.observation.splitlines(),
                "status": step.status,
                "facts": step.facts,
                "values": {k: round(v, 9) for k, v in step.values.items()},
            }
            for step in episode.steps
        ],
        "outcome": [end.status, end.reason, end.answer, end.path, end.program],
        "success": episode.success,
        "metrics": {k: round(v, 9) for k, v in episode.metrics.items()},
        "digest": episode.digest(),
        "score": _rounded(env.reward([episode])[0].to_json()),
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_transcript_is_as_recorded(name: str):
    file, found = GOLDEN / f"{name}.json", transcript(name)
    if UPDATE:
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(file.read_text(encoding="utf-8"))


def test_no_recording_is_left_over():
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(TRANSCRIPTS)


@pytest.mark.parametrize(
    ("family", "modes"),
    [
        ("kgqa", {"tools", "program"}),
        ("sql", {"single", "tools"}),
        ("cypher", {"single", "tools"}),
        ("scenes", {"single", "steps"}),
        ("design", {"single", "tools"}),
    ],
)
def test_recordings_cover_both_modes_and_several_endings(family: str, modes: set[str]):
    files = GOLDEN.glob(f"{family}_*.json")
    told = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    assert {t["kwargs"]["mode"] for t in told} == modes
    assert {t["outcome"][0] for t in told} >= {"ok", "infeasible", "malformed"}
    assert family == "cypher" or "truncated" in {t["outcome"][0] for t in told}
