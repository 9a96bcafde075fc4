"""No more files made, changed or run by this process: Landlock, where the kernel has it.

What limits of resources do not reach: folders made and files removed take no file descriptor. A
Linux of 5.13 or later lets a process give such rights up itself, for good, without being root.
Elsewhere nothing happens: this is one layer of several, and needs no other to be there.
"""

from __future__ import annotations

import ctypes
import os

__all__ = ["give_up"]

# The same numbers on every machine whose calls came after 2019, which leaves out mips and alpha.
_CREATE, _RESTRICT = 444, 446
_MACHINES = frozenset(("x86_64", "aarch64", "riscv64", "ppc64le", "s390x"))
_NO_NEW_PRIVILEGES = 38

_READ = 1 << 2 | 1 << 3  # of files and of folders: what is left
_FILES = {1: 13, 2: 14, 3: 15, 5: 16}  # version of the kernel's interface -> number of rights
_CONNECTIONS = (4, 1 << 0 | 1 << 1)  # to bind and to connect TCP sockets
_SCOPES = (6, 1 << 0 | 1 << 1)  # abstract sockets, and signals to processes outside


class _Rules(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("connections", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


def give_up(*, network: bool = True) -> int:
    """Give up making, changing, removing and running files, and signals to other processes.

    Holds for the calling thread and all that it starts: call it before an engine does. What may be
    read stays readable.

    Parameters
    ----------
    network
        Whether TCP connections are given up too.

    Returns
    -------
    int
        The version of the kernel's interface; 0 where there is none and nothing was given up.
    """
    if os.uname().sysname != "Linux" or os.uname().machine not in _MACHINES:
        return 0
    libc = ctypes.CDLL(None)
    version = int(libc.syscall(_CREATE, None, ctypes.c_size_t(0), 1))
    if version < 1:
        return 0
    rules = _Rules(
        (1 << max(count for since, count in _FILES.items() if since <= version)) - 1 & ~_READ,
        _CONNECTIONS[1] if network and version >= _CONNECTIONS[0] else 0,
        _SCOPES[1] if version >= _SCOPES[0] else 0,
    )
    size = ctypes.c_size_t(ctypes.sizeof(rules))
    if version < _SCOPES[0]:  # what an older kernel does not know has to be left off
        size = ctypes.c_size_t(16 if version >= _CONNECTIONS[0] else 8)
    held = int(libc.syscall(_CREATE, ctypes.byref(rules), size, 0))
    if held < 0:
        return 0
    try:
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        return version if libc.syscall(_RESTRICT, held, 0) == 0 else 0
    finally:
        os.close(held)
