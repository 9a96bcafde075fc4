"""An engine that does what its query says: everything a real one must not be able to do."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

from graphenv.envs.queries.engines.protocol import Limits
from graphenv.query.results import QueryError, Result, Rows


class ObedientEngine:
    """Runs `select <what> <argument>`; answers with what came of it."""

    def open(self, location: str, limits: Limits) -> None:
        if location.endswith("bad"):
            raise ValueError(f"cannot read {location}")
        if location.endswith("deadly"):
            os.kill(os.getpid(), signal.SIGSEGV)

    def run(self, query: str, limits: Limits) -> Result:
        _, what, argument = [*query.split(maxsplit=2), ""][:3]
        try:
            answer = str(getattr(self, f"do_{what}")(argument))
        except OSError as error:
            return QueryError("runtime", type(error).__name__)
        return Rows((what,), ((answer,),), 1)

    def explain(self, query: str) -> Result:
        return Rows(("plan",), ((query,),))

    def do_echo(self, argument: str) -> object:
        return argument

    def do_sleep(self, argument: str) -> object:
        time.sleep(float(argument))
        return argument

    def do_die(self, argument: str) -> object:
        os.kill(os.getpid(), getattr(signal, argument))
        time.sleep(60)
        return argument

    def do_exit(self, argument: str) -> object:
        os._exit(int(argument))

    def do_raise(self, argument: str) -> object:
        raise RuntimeError(argument)

    def do_fill(self, argument: str) -> object:
        return len(bytearray(int(argument) * 2**20))

    def do_read(self, argument: str) -> object:
        with open(argument) as file:
            return file.read()

    def do_write(self, argument: str) -> object:
        with open(argument, "w") as file:
            return file.write("x")

    def do_mkdir(self, argument: str) -> object:
        os.mkdir(argument)
        return argument

    def do_unlink(self, argument: str) -> object:
        os.unlink(argument)
        return argument

    def do_rename(self, argument: str) -> object:
        os.rename(argument, f"{argument}.gone")
        return argument

    def do_link(self, argument: str) -> object:
        os.symlink(argument, f"{argument}.link")
        return argument

    def do_execute(self, argument: str) -> object:
        os.execv(argument, [argument])

    def do_kill(self, argument: str) -> object:
        os.kill(int(argument), signal.SIGTERM)
        return argument

    def do_connect(self, argument: str) -> object:
        return socket.socket().fileno()

    def do_print(self, argument: str) -> object:
        os.write(1, b"\x00" * 1000 + argument.encode())
        os.write(2, argument.encode())
        return "printed"

    def do_limits(self, argument: str) -> object:
        import resource

        names = ("NOFILE", "FSIZE", "NPROC", "CORE", "AS")
        return [resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[1] for name in names]

    def do_environment(self, argument: str) -> object:
        return [sorted(os.environ), os.getcwd(), time.tzname]

    def do_modules(self, argument: str) -> object:
        return [name for name in argument.split() if name in sys.modules]

    def do_pid(self, argument: str) -> object:
        return os.getpid()
