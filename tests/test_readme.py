"""The README keeps its word: the table of what was run is made from marks on tests.

`@pytest.mark.runs("feature")` on a test says that it runs that feature for real. A feature without
such a test is "written, not run here". `GRAPHENV_UPDATE_README=1 pytest tests/test_readme.py`
writes the table.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
FEATURES = {
    "sources": "KGQA on all five sources, gold at success 1.0 in both modes",
    "vector": "vector environment, equal to Gymnasium's own",
    "reward_funcs": "GRPO in one turn, by TRL's `reward_funcs`",
    "environment_factory": "GRPO in several turns, by TRL's `environment_factory`",
    "rollout_func": "GRPO in several turns, by TRL's `rollout_func`",
    "turn_credit": "credit per turn",
    "lora": "LoRA adapters",
    "mixture": "mixtures of environments",
    "resume": "resume after a kill",
    "processes": "two CPU processes under `accelerate launch`",
    "openai": "a model behind an OpenAI-compatible server",
    "metaqa": "all of MetaQA dev exact, both modes (`make soak`)",
    "text_to_graph": "all of FACTUAL, WebNLG, CoNLL04, Re-DocRED dev exact (`make soak`)",
    "vision": "a vision-language model (tiny, random weights) that plays and is trained",
    "image_sets": "VRD, Visual Genome, PSG as published (tested on small files of their layouts)",
    "cuda": "CUDA, one GPU or several",
    "vllm": "generation by vLLM",
    "hub": "models from a hub",
}


def marked() -> dict[str, list[str]]:
    """Return the tests that carry `pytest.mark.runs`, by feature."""
    found: dict[str, list[str]] = {}
    for file in sorted(ROOT.glob("tests/test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.runs":
                    for feature in mark.args:
                        assert isinstance(feature, ast.Constant)
                        found.setdefault(str(feature.value), []).append(node.name)
    return found


def table() -> str:
    """Return the README's table."""
    runs = marked()
    rows = ["| what | |", "|---|---|"]
    for feature, text in FEATURES.items():
        rows.append(f"| {text} | {'run by us' if feature in runs else 'written, not run here'} |")
    return "\n".join(rows)


def test_the_table_of_what_was_run_is_current():
    unknown = set(marked()) - set(FEATURES)
    assert not unknown, f"marks of features that the table does not know: {unknown}"
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    block = re.compile(r"(<!-- run-table -->\n).*?(\n<!-- /run-table -->)", re.DOTALL)
    assert block.search(text), "README.md has lost its <!-- run-table --> block"
    fresh = block.sub(lambda m: m[1] + table() + m[2], text)
    if os.environ.get("GRAPHENV_UPDATE_README"):
        readme.write_text(fresh, encoding="utf-8")
    assert fresh == text, "run GRAPHENV_UPDATE_README=1 pytest tests/test_readme.py and commit"


def test_every_link_and_picture_of_the_readme_exists():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (ROOT / target).exists(), target
