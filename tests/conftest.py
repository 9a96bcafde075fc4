"""Shared fixtures, and what keeps every test quiet, offline and on one thread."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path

# Before any test imports the libraries that read them; subprocesses inherit them.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch takes its thread count from here

# Databases that sources write: in a folder of this run, which xdist's workers inherit.
if "PYTEST_XDIST_WORKER" not in os.environ and "GRAPHENV_CACHE" not in os.environ:
    _cache = tempfile.TemporaryDirectory(prefix="graphenv-tests-", ignore_cleanup_errors=True)
    os.environ["GRAPHENV_CACHE"] = _cache.name

import pytest
from hypothesis import settings

settings.register_profile("graphenv", deadline=None, derandomize=True)
settings.load_profile("graphenv")

_TRAINING = ("torch", "transformers", "trl")


def pytest_configure(config: pytest.Config) -> None:
    """Compile the edit distance core once, before several workers would each do it."""
    workers = getattr(config.option, "numprocesses", None)
    if workers and not hasattr(config, "workerinput") and importlib.util.find_spec("numba"):
        from graphenv.rewards.ged import warmup

        warmup()


def _data_problem() -> str | None:
    """Say why the published data sets cannot be used, or return None when they can."""
    asked = os.environ.get("GRAPHENV_DATA")
    if not asked:
        return "GRAPHENV_DATA is not set: it names the folder of the published data sets"
    if not Path(asked).is_dir():
        return f"GRAPHENV_DATA={asked!r} is not a folder"
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect soak tests unless asked for; skip, visibly, what this machine cannot run."""
    if "soak" not in (config.option.markexpr or ""):
        soak = [item for item in items if item.get_closest_marker("soak")]
        if soak:
            config.hook.pytest_deselected(items=soak)
            items[:] = [item for item in items if not item.get_closest_marker("soak")]
    no_data = _data_problem()
    missing = [name for name in _TRAINING if importlib.util.find_spec(name) is None]
    for item in items:
        if no_data and item.get_closest_marker("data"):
            item.add_marker(pytest.mark.skip(reason=no_data))
        if missing and item.get_closest_marker("train"):
            item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(missing)}"))


@pytest.fixture(scope="session")
def graphenv_data() -> Path:
    """Return the folder of the published data sets, or skip and say why."""
    problem = _data_problem()
    if problem:
        pytest.skip(problem)
    return Path(os.environ["GRAPHENV_DATA"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded with `record_property("report", text)`: figures, not verdicts."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "report":
                terminalreporter.write_line(f"measured: {text}")
