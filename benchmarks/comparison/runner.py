"""Running a plan: warm starts first, then runs as processes of their own, a few at a time.

A process per run keeps runs apart (memory, torch's threads, crashes) and lets a killed comparison
go on where it stood. One that fails is reported with the end of its log; the others go on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphenv.benchmarks.comparison.plan import Plan, RunSpec
from graphenv.errors import ConfigError

__all__ = ["Failure", "Job", "run_jobs", "run_plan", "tail"]

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1")
POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Failure:
    """A run that did not come to its end."""

    name: str
    folder: str
    code: int
    log_tail: str

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return dict(vars(self))


@dataclass
class Job:
    """One process to run.

    Parameters
    ----------
    name
        How messages call it.
    command
        Arguments of the process.
    folder
        Where its `log.txt` goes.
    steps
        Its length on the progress bar.
    done
        Returns how many of the steps are done.
    """

    name: str
    command: list[str]
    folder: Path
    steps: int
    done: Callable[[], int] = field(default=lambda: 0)


def tail(file: Path, lines: int = 15) -> str:
    """Return the last lines of a log, "" if there is none."""
    if not file.is_file():
        return ""
    return "\n".join(file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


@contextmanager
def _bar(total: int, label: str, *, show: bool) -> Iterator[Callable[[int, str], None]]:
    """A progress bar over the whole job; does nothing unless `show` and stderr is a terminal."""
    if not (show and sys.stderr.isatty()):
        yield lambda _done, _note: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total, note="")
        yield lambda done, note: bar.update(task, completed=min(done, total), note=note)


def run_jobs(jobs: Sequence[Job], *, parallel: int, progress: bool, label: str) -> list[Failure]:
    """Run `jobs`, at most `parallel` at a time with one thread each; return those that failed.

    Stopping this process (Ctrl-C) stops the running jobs.
    """
    waiting = list(jobs)
    running: list[tuple[Job, subprocess.Popen[bytes]]] = []
    finished = 0
    failures = []
    total = sum(job.steps for job in jobs)
    with _bar(total, label, show=progress) as update:
        try:
            while waiting or running:
                while waiting and len(running) < parallel:
                    job = waiting.pop(0)
                    running.append((job, _start(job)))
                time.sleep(POLL_SECONDS)
                for job, process in list(running):
                    code = process.poll()
                    if code is None:
                        continue
                    running.remove((job, process))
                    finished += job.steps
                    if code != 0:
                        log = tail(job.folder / "log.txt")
                        failures.append(Failure(job.name, str(job.folder), code, log))
                        print(_failed(failures[-1]), file=sys.stderr)
                now = finished + sum(min(job.done(), job.steps) for job, _ in running)
                update(now, f"{len(running)} running, {len(waiting)} waiting")
        finally:
            for _, process in running:
                process.terminate()
            for _, process in running:
                process.wait()
    return failures


def _start(job: Job) -> subprocess.Popen[bytes]:
    job.folder.mkdir(parents=True, exist_ok=True)
    with (job.folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            job.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **ONE_THREAD, "TOKENIZERS_PARALLELISM": "false"},
        )


def _failed(failure: Failure) -> str:
    indented = "\n".join(f"    {line}" for line in failure.log_tail.splitlines())
    return f"{failure.name} failed (exit {failure.code}); the end of its log:\n{indented}"


def run_plan(
    plan: Plan,
    *,
    parallel: int = 2,
    progress: bool = True,
    command: Sequence[str] = (sys.executable, "-m", "graphenv.cli", "train"),
) -> list[Failure]:
    """Make the warm starts that are missing, then run what is not complete; return what failed.

    Raises
    ------
    ConfigError
        If a warm start fails, because then nothing can be compared.
    """
    if plan.base.start is None:
        seeds = plan.seed_values if plan.start_per_seed else plan.seed_values[:1]
        starts = []
        for seed in seeds:
            config = plan.start_config(seed)
            if not (Path(config.out) / "warmup.json").is_file():
                file = _write_config(Path(f"{config.out}.json"), config.to_json())
                own = [*command, "--config", str(file), "--warm_start_only"]
                # Its log lies beside the folder, which the warm start makes anew.
                folder = Path(config.out).parent
                starts.append(Job(f"warm start, seed {seed}", own, folder, 1))
        failed = run_jobs(starts, parallel=parallel, progress=progress, label="warm start")
        if failed:
            raise ConfigError(f"compare: {_failed(failed[0])}")
    jobs = [_job(spec, command) for spec in plan.runs() if not spec.complete]
    return run_jobs(jobs, parallel=parallel, progress=progress, label="training")


def _job(spec: RunSpec, command: Sequence[str]) -> Job:
    file = _write_config(spec.folder / "run.json", spec.config.to_json())
    return Job(
        name=spec.name,
        command=[*command, "--config", str(file)],
        folder=spec.folder,
        steps=spec.config.steps,
        done=lambda: _last_step(spec.folder / "metrics.jsonl"),
    )


def _write_config(file: Path, content: dict[str, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return file


def _last_step(file: Path) -> int:
    """Return the step of the last line that was written whole."""
    for line in reversed(tail(file, 2).splitlines()):
        try:
            return int(json.loads(line)["step"])
        except (ValueError, KeyError):
            continue
    return 0
