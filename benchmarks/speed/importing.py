"""Seconds of `import graphenv` in a fresh process beside Gymnasium alone."""

from __future__ import annotations

import subprocess
import sys

__all__ = ["measure_imports"]

_CODE = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def measure_imports(rounds: int = 7) -> dict[str, float]:
    """Return the least of several fresh processes, in turns, so that the disk cache is warm."""
    found: dict[str, list[float]] = {"gymnasium": [], "graphenv": []}
    for _ in range(rounds):
        for name, times in found.items():
            command = [sys.executable, "-c", _CODE.format(name)]
            said = subprocess.run(command, capture_output=True, text=True, check=True)
            times.append(float(said.stdout))
    return {name: min(times) for name, times in found.items()}
