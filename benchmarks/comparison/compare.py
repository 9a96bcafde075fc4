"""`compare`: one policy, one start, several rewards, judged by a truth none of them can touch."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graphenv.agents.bridge.config import TrainConfig
from graphenv.benchmarks.comparison.analysis import analyse, finished_runs
from graphenv.benchmarks.comparison.examples import pick_examples
from graphenv.benchmarks.comparison.floors import compute_floors
from graphenv.benchmarks.comparison.plan import PLAN_FILE, Plan, make_variants
from graphenv.benchmarks.comparison.report import RESULT_FILE, load_result
from graphenv.benchmarks.comparison.runner import Failure, run_plan
from graphenv.benchmarks.comparison.runs import Run

__all__ = ["compare", "rebuild", "refresh", "write_result"]

FLOORS_FILE = "floors.json"


def compare(
    base: TrainConfig,
    rewards: Sequence[str],
    *,
    seeds: int = 5,
    parallel: int = 2,
    control: bool = False,
    start_per_seed: bool = False,
    floors: bool = True,
    progress: bool = True,
) -> dict[str, Any]:
    """Train `base` under every reward and seed, and write table, JSON, plots and HTML to its `out`.

    Run again with the same arguments it continues where it stood; more rewards or seeds may be
    added.

    Parameters
    ----------
    base
        What all runs share: environment, model, warm start, steps.
    rewards
        Two or more expressions, each with an own `@credit` if need be.
    seeds
        Paired seeds; fewer than five are labelled illustrative.
    parallel
        Runs at a time, one thread each.
    control
        Add a control that must come out identical (see `make_variants`).
    start_per_seed
        One warm start per seed instead of one for all.
    floors
        Compute what is reached without learning.
    progress
        Show progress if stderr is a terminal.

    Returns
    -------
    dict
        What `comparison.json` holds (see `graphenv.benchmarks.comparison.analysis.analyse`).

    Raises
    ------
    ConfigError
        If the settings cannot work together, or the warm start fails.
    DataError
        If no run came to its end.
    """
    variants = make_variants(rewards, credit=base.credit, control=control)
    plan = Plan(base, tuple(variants), seeds, start_per_seed)
    _check(plan)
    plan.save()
    failures = run_plan(plan, parallel=parallel, progress=progress)
    return rebuild(plan, failures=failures, floors=floors, progress=progress)


def _check(plan: Plan) -> None:
    """Refuse now what every run would refuse after the warm start."""
    from graphenv.agents.bridge.train import check_settings, grpo_arguments

    for spec in plan.runs():
        if spec.seed == plan.base.seed:
            check_settings(spec.config, spec.config.make_envs("train"))
            grpo_arguments(spec.config, progress=False)


def rebuild(
    plan: Plan,
    *,
    failures: Sequence[Failure] = (),
    floors: bool = True,
    progress: bool = True,
) -> dict[str, Any]:
    """Analyse the runs of a plan that are complete, and write the result, plots and page."""
    runs = finished_runs(plan)
    result = analyse(plan, runs, failures=[failure.to_json() for failure in failures])
    result["floors"] = _floors(plan, runs, compute=floors, progress=progress)
    result["examples"] = pick_examples(runs)
    write_result(result, plan.out)
    return result


def refresh(folder: Path) -> dict[str, Any]:
    """Write plots and page of a comparison folder anew, from its runs where they are still there.

    Raises
    ------
    DataError
        If it holds neither runs nor a result.
    """
    stored = load_result(folder) if (folder / RESULT_FILE).is_file() else None
    if not (folder / PLAN_FILE).is_file() or (stored and not (folder / "runs").is_dir()):
        result = load_result(folder)
        write_result(result, folder)
        return result
    plan = Plan.load(folder)
    undone = {spec.name for spec in plan.runs() if not spec.complete}
    failures = [Failure(**f) for f in (stored or {}).get("failures", []) if f["name"] in undone]
    return rebuild(plan, failures=failures, floors=False, progress=False)


def _floors(
    plan: Plan, runs: Mapping[str, Sequence[Run]], *, compute: bool, progress: bool
) -> list[dict[str, Any]]:
    """Return the floors on the held-out tasks of the runs; computed once for a set of tasks."""
    [first, *_] = [run for own in runs.values() for run in own]
    indices = list(first.final.indices)
    file = plan.out / FLOORS_FILE
    if file.is_file():
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["indices"] == indices:
            rows: list[dict[str, Any]] = stored["floors"]
            return rows
    if not compute:
        return []
    show = progress and sys.stderr.isatty()

    def tell(name: str) -> None:
        if show:
            print(f"floor: {name}", file=sys.stderr)

    start = plan.base.start or plan.start_config(plan.base.seed).out
    rows = compute_floors(plan.base, indices, start=start, tell=tell)
    file.write_text(json.dumps({"indices": indices, "floors": rows}) + "\n", encoding="utf-8")
    return rows


def write_result(result: Mapping[str, Any], folder: Path) -> Path:
    """Write `comparison.json`, the plots and `report.html` of a result; return the page."""
    from graphenv.benchmarks.comparison.plots import draw_plots
    from graphenv.benchmarks.comparison.report import write_page

    text = json.dumps(result, indent=2, allow_nan=False, default=float)
    (folder / RESULT_FILE).write_text(text + "\n", encoding="utf-8")
    plots = draw_plots(result, folder / "plots")
    return write_page(result, plots, folder / "report.html")
