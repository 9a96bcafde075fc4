"""What kept figures depend on: the machine and the versions."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from graphenv.agents.bridge.config import versions

__all__ = ["machine"]


def machine(*packages: str) -> dict[str, Any]:
    """Return processor, cores, system, and the versions of Python and of `packages`."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(encoding="utf-8").splitlines()
        cpu = next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), cpu)
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "versions": versions(*packages),
    }
