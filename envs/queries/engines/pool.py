"""Workers of one database: leased, watched by a clock, replaced when they die.

A pool belongs to the process that made it. `pool_for` finds or makes it; a fork starts with none,
and leaves those of its parent alone.
"""

from __future__ import annotations

import atexit
import os
import select
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence

from graphenv.envs.queries.engines.process import START_SECONDS, WorkerProcess
from graphenv.envs.queries.engines.protocol import Limits
from graphenv.envs.queries.engines.wire import WireError, result_of
from graphenv.errors import DataError
from graphenv.query.results import QueryError, Result

__all__ = ["Pool", "close_all", "pool_for", "worker_pids"]

GRACE = 0.1
"""Seconds that the parent's clock leaves the engine's own."""


class Pool:
    """Up to `size` workers of one database.

    Parameters
    ----------
    name
        What errors call the database.
    setup
        First message to a worker.
    family, most
        Workers of all pools of a family (an engine) are at most about `most`: beyond it, idle ones
        of the pools that were not used for longest are ended.
    """

    def __init__(self, name: str, setup: bytes, *, family: str, most: int) -> None:
        self.name, self.family, self.most = name, family, most
        self.size = 1
        self._setup = setup
        self._idle: list[WorkerProcess] = []
        self._count = 0
        self._changed = threading.Condition()

    @property
    def count(self) -> int:
        """Workers that there are, busy or idle."""
        return self._count

    def pids(self) -> list[int]:
        """Process ids of the idle workers."""
        with self._changed:
            return [worker.pid for worker in self._idle]

    def run(self, op: str, queries: Sequence[str], limits: Limits) -> list[tuple[Result, bool]]:
        """Run requests on one worker, or on as many as are free; results in order.

        Beside each stands whether the parent's clock ended it: on a quieter machine it might not.

        Raises
        ------
        DataError
            If the database cannot be opened.
        """
        results: list[tuple[Result, bool] | None] = [None] * len(queries)
        waiting = deque(range(len(queries)))
        killed: set[int] = set()
        workers = self._lease(len(queries))
        try:
            for worker in workers:
                self._hand(worker, waiting, op, queries, limits)
            while busy := [worker for worker in workers if worker.job is not None]:
                for worker, written in _arrived(busy):
                    job = worker.job
                    assert job is not None
                    result, usable = self._outcome(worker, limits, written=written)
                    if result is None:
                        continue
                    if worker.death == "SIGKILL" and job not in killed:
                        # Somebody else did it, perhaps before the query came (a system that runs
                        # out of memory takes idle processes too): no blame for the first time.
                        killed.add(job)
                        waiting.appendleft(job)
                    else:
                        results[job] = result, not (written or usable)
                    if not usable:
                        workers[workers.index(worker)] = worker = WorkerProcess(self._setup)
                    worker.job = None
                    self._hand(worker, waiting, op, queries, limits)
        finally:
            self._give_back(workers)
        return [result for result in results if result is not None]

    def _hand(
        self,
        worker: WorkerProcess,
        waiting: deque[int],
        op: str,
        queries: Sequence[str],
        limits: Limits,
    ) -> None:
        """Give a worker the next request. Its clock starts now, or when it is ready."""
        if waiting:
            job = waiting.popleft()
            worker.send(job, op, queries[job], limits)
            worker.deadline = time.monotonic() + (
                limits.seconds + GRACE if worker.ready else START_SECONDS
            )

    def _outcome(
        self, worker: WorkerProcess, limits: Limits, *, written: bool
    ) -> tuple[Result | None, bool]:
        """Return the result that a worker has come to, if any, and whether it can go on.

        A worker that cannot go on is dead when this returns.
        """
        if not written:
            worker.kill()
            if not worker.ready:
                raise DataError(f"{self.name} could not be opened in time by its engine.")
            reason = f"stopped after {limits.seconds:g} seconds"
            return QueryError("timeout", reason, by_clock=True), False
        try:
            message = worker.receive()
            if message is not None and not worker.ready:
                self._greet(worker, message)
                worker.deadline = time.monotonic() + limits.seconds + GRACE
                message = worker.pending()
            if message is None:
                return None, True
            result, last = result_of(message), bool(message.get("last"))
        except EOFError:
            death = worker.wait()
            if not worker.ready:
                raise DataError(
                    f"{self.name} cannot be opened: the engine died of it ({death}). "
                    "Is the file complete, and written by this version of the engine?"
                ) from None
            return QueryError("crash", f"the engine died of this query ({death})"), False
        except WireError:
            worker.kill()
            return QueryError("crash", "the engine died of this query (it wrote nonsense)"), False
        if last:
            worker.kill()
        return result, not last

    def _greet(self, worker: WorkerProcess, message: object) -> None:
        if isinstance(message, dict) and message.get("ready") is True:
            worker.ready = True
            return
        why = message.get("why") if isinstance(message, dict) else message
        worker.kill()
        raise DataError(f"{self.name} cannot be opened by its engine: {why}")

    def _lease(self, wanted: int) -> list[WorkerProcess]:
        """Take a worker, waiting for it, and more if they are free."""
        with self._changed:
            while not self._idle and self._count >= self.size:
                self._changed.wait()
            held = [self._idle.pop() for _ in range(min(wanted, len(self._idle)))]
            for dead in [worker for worker in held if not worker.alive]:  # of no query of ours
                dead.kill()
                held.remove(dead)
                self._count -= 1
            new = min(wanted - len(held), self.size - self._count)
            self._count += max(0, new)
        for started in range(new):
            try:
                held.append(WorkerProcess(self._setup))
            except BaseException:  # also an interrupt: nobody may wait for workers that are not
                with self._changed:
                    self._count -= new - started
                self._give_back(held)
                raise
        if new > 0:
            _trim(self)
        return held

    def _give_back(self, workers: Sequence[WorkerProcess]) -> None:
        """Return workers; one in the middle of something (an exception passed) is ended."""
        with self._changed:
            for worker in workers:
                if worker.job is None and worker.alive:
                    self._idle.append(worker)
                else:
                    worker.kill()
                    self._count -= 1
            self._changed.notify_all()

    def close_idle(self, *, keep: int = 0) -> None:
        """End idle workers but `keep` of them."""
        with self._changed:
            while len(self._idle) > keep:
                self._idle.pop(0).kill()
                self._count -= 1

    def forget(self) -> None:
        """Let go of everything without touching the processes: they are another process's."""
        for worker in self._idle:
            worker.forget()


def _arrived(workers: Sequence[WorkerProcess]) -> list[tuple[WorkerProcess, bool]]:
    """Wait until a worker has written or run out of time; return those, and whether it wrote."""
    poller = select.poll()
    for worker in workers:
        poller.register(worker.fd, select.POLLIN)
    now = time.monotonic()
    left = max(0.0, min(worker.deadline for worker in workers) - now)
    readable = {fd for fd, _ in poller.poll(1000 * left + 1)}
    now = time.monotonic()
    return [
        (worker, worker.fd in readable)
        for worker in workers
        if worker.fd in readable or now > worker.deadline
    ]


_pools: OrderedDict[Hashable, Pool] = OrderedDict()
_lock = threading.RLock()
_owner = os.getpid()


def pool_for(key: Hashable, size: int, make: Callable[[], Pool]) -> Pool:
    """Return this process's pool of a key, made if there is none; it grows to `size`."""
    with _lock:
        if _owner != os.getpid():  # a fork that ran no hooks
            _after_fork()
        pool = _pools.get(key)
        if pool is None:
            pool = _pools[key] = make()
        _pools.move_to_end(key)
        pool.size = max(pool.size, size)
        return pool


def _trim(active: Pool) -> None:
    """End idle workers of the pools that were not used for longest, if there are too many."""
    with _lock:
        family = [pool for pool in _pools.values() if pool.family == active.family]
    surplus = sum(pool.count for pool in family) - active.most
    for pool in family:
        if surplus <= 0:
            return
        if pool is not active:
            before = pool.count
            pool.close_idle()
            surplus -= before - pool.count


def worker_pids() -> list[int]:
    """Return the process ids of this process's idle workers."""
    with _lock:
        return [pid for pool in _pools.values() for pid in pool.pids()]


def close_all() -> None:
    """End every idle worker of this process; the next query starts new ones."""
    with _lock:
        pools = list(_pools.values())
    for pool in pools:
        pool.close_idle()


def _after_fork() -> None:
    global _lock, _owner
    _lock = threading.RLock()
    _owner = os.getpid()
    for pool in _pools.values():
        pool.forget()
    _pools.clear()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(close_all)
