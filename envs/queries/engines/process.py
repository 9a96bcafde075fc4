"""The trainer's handle on one worker process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphenv.envs.queries.engines.protocol import Limits
from graphenv.envs.queries.engines.wire import FrameReader, pack

__all__ = ["WorkerProcess", "setup_message"]

START_SECONDS = 60.0
"""How long a worker may take to open its database."""
_WORKER = Path(__file__).with_name("worker.py")
_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


_fields = lru_cache(maxsize=64)(astuple)  # copies deeply, for every query of a batch


def setup_message(
    engine: str, location: str, limits: Limits, *, files: bool, environment: Sequence[str] = ()
) -> bytes:
    """Return the first message to a worker: what to import and what to open.

    The variables of the trainer's environment named in `environment` go with it, and no others.
    """
    return pack(
        {
            "packages": {
                name: str(Path(str(sys.modules[name].__file__)).parent)
                for name in ("graphenv", "graphenv.envs")
            },
            "path": [entry for entry in sys.path if entry],
            "engine": engine,
            "location": location,
            "limits": astuple(limits),
            "files": files,
            "environment": {key: os.environ[key] for key in environment if key in os.environ},
        }
    )


class WorkerProcess:
    """One worker. Used by one thread at a time; a killed one is never used again.

    Its environment is empty (tokens of the trainer are none of its business; the time zone is UTC),
    its working directory the root, its standard error nothing: what goes wrong at the start comes
    in the first message.
    """

    def __init__(self, setup: bytes) -> None:
        environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-X", "utf8", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env={**environment, "TZ": "UTC"},
            start_new_session=True,  # Ctrl-C is for the trainer
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._reader = FrameReader()
        self.ready = False
        self.deadline = time.monotonic() + START_SECONDS
        self.job: int | None = None
        self.death = ""  # what it died from, if that was not our doing
        self._write(setup)

    @property
    def fd(self) -> int:
        """Where its messages arrive."""
        return self._out

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def send(self, job: int, op: str, query: str, limits: Limits) -> None:
        """Hand over a request. One at a time."""
        self.job = job
        self._write(pack([op, query, _fields(limits)]))

    def _write(self, data: bytes) -> None:
        # A dead worker is noticed when its end of the stream is read.
        with suppress(BrokenPipeError):
            view = memoryview(data)
            while view:  # a signal may end a write in the middle
                view = view[os.write(self._in, view) :]

    def receive(self) -> Any | None:
        """Read what has arrived; return a message once it is whole.

        Raises
        ------
        EOFError
            If the worker is gone.
        WireError
            If it wrote something else than messages.
        """
        if not self._reader.feed(self._out):
            raise EOFError
        return self.pending()

    def pending(self) -> Any | None:
        """Return a message that has arrived already."""
        return self._reader.take() if self._reader.complete else None

    def kill(self) -> int:
        """End it and return its exit status: negative is the signal that it died from."""
        self._process.kill()  # does nothing to one that is dead already
        self._close()
        return self._process.wait()

    def wait(self) -> str:
        """Return what a worker that closed its pipe died from."""
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            code = self.kill()
        self._close()
        try:
            self.death = f"exit status {code}" if code >= 0 else signal.Signals(-code).name
        except ValueError:
            self.death = f"signal {-code}"
        return self.death

    def forget(self) -> None:
        """Close our ends in a fork: the process itself belongs to the parent."""
        self._close()
        self._process.returncode = 0  # nothing to wait for here

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
