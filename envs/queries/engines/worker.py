"""A worker process: one engine, one database, no rights. Started by path, see `process.py`.

Order matters. The right to make, change or run files goes first (`landlock`), before an engine can
start a thread that would keep it. Everything else is imported, the database opened and a query run
before the process gives up opening files, processes and memory, because afterwards nothing more can
be opened. Then it answers messages until its standard input ends.

It is run as a file and not with `-m`, because `-m` would import `graphenv` and `graphenv.envs`, and
with them gymnasium and numpy (measured: .3 s and 40 MB a process). The packages are planted empty
instead, with the folders that the trainer names, and the engine's module is imported from there.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import types
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphenv.envs.queries.engines.protocol import Engine, Limits

IDLE_SECONDS = 10
"""How often an idle worker looks whether its parent is still there."""


def _plant(packages: dict[str, str], path: list[str]) -> None:
    """Make packages importable without running their `__init__`."""
    sys.path[:] = path
    for name, folder in packages.items():
        module = types.ModuleType(name)
        module.__path__ = [folder]
        sys.modules[name] = module


def _give_up_rights(memory_mb: int, *, files: bool) -> None:
    """Forbid new files, processes, core dumps and more memory, for good.

    What is open stays usable. The limits hold for root too, except that of processes.
    """
    import resource

    limits = {
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_AS: memory_mb * 2**20,
    }
    if not files:
        limits[resource.RLIMIT_NOFILE] = 0
    for what, most in limits.items():
        resource.setrlimit(what, (most, most))


def _answer(engine: Engine, op: str, query: str, limits: Limits) -> tuple[Any, bool]:
    """Run one request; return the result and whether this worker should end after it."""
    from graphenv.envs.queries.engines.values import too_nested
    from graphenv.query.results import QueryError

    try:
        result = engine.explain(query) if op == "explain" else engine.run(query, limits)
    except MemoryError:
        result = QueryError("memory", f"the query needs more than {limits.memory_mb} MB of memory")
    except RecursionError:
        result = too_nested()
    # What has once been out of memory is fragmented or worse: a fresh process is cheaper. An engine
    # that lost its server says so by `broken`.
    exhausted = isinstance(result, QueryError) and result.kind == "memory"
    return result, exhausted or getattr(engine, "broken", False)


def _serve(engine: Engine, source: int, sink: int) -> None:
    from graphenv.envs.queries.engines.protocol import Limits
    from graphenv.envs.queries.engines.wire import read_frame, write_result

    parent = os.getppid()
    while True:
        while not select.select([source], [], [], IDLE_SECONDS)[0]:
            # The pipe may be kept open by a fork of the parent.
            if os.getppid() != parent:
                return
        message = read_frame(source)
        if message is None:
            return
        op, query, given = message
        limits = Limits(*given)
        # The parent's clock comes first. This one is for a worker whose parent is gone.
        signal.setitimer(signal.ITIMER_REAL, 2 * limits.seconds + 5)
        result, last = _answer(engine, op, query, limits)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _write(sink, write_result(result, last=last))
        if last:
            return


def _write(sink: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sink, view) :]


def main() -> None:
    """Be a worker."""
    source, sink = os.dup(0), os.dup(1)
    # What an engine prints must not get between the messages.
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    header = os.read(source, 4)  # the wire module is not importable yet
    body = b""
    while len(body) < int.from_bytes(header, "little"):
        body += os.read(source, int.from_bytes(header, "little") - len(body))
    import json

    setup = json.loads(body)
    _plant(setup["packages"], setup["path"])
    os.environ.update(setup["environment"])
    from graphenv.envs.queries.engines.landlock import give_up
    from graphenv.envs.queries.engines.protocol import Limits
    from graphenv.envs.queries.engines.wire import pack

    limits = Limits(*setup["limits"])
    give_up(network=not setup["files"])
    module, _, attribute = setup["engine"].partition(":")
    try:
        engine: Engine = getattr(import_module(module), attribute)()
        engine.open(setup["location"], limits)
        _give_up_rights(limits.memory_mb, files=setup["files"])
    except BaseException as error:  # noqa: BLE001 (told to the trainer, then the process ends)
        _write(sink, pack({"ready": False, "why": f"{type(error).__name__}: {error}"}))
        return
    _write(sink, pack({"ready": True}))
    _serve(engine, source, sink)


if __name__ == "__main__":
    main()
    # No interpreter shutdown: an engine's destructors may want files.
    os._exit(0)
