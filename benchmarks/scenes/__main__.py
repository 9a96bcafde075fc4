"""Measure the matching of scenes; write `results.json` and `results.md`."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from graphenv.benchmarks.machine import machine
from graphenv.benchmarks.scenes.report import markdown
from graphenv.benchmarks.scenes.speed import matching_speed

PACKAGES = ("graphenv", "numpy", "scipy", "rapidfuzz")
HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(prog="graphenv.benchmarks.scenes", description=__doc__)
    parser.add_argument("--out", type=Path, help=f"output folder (default: {HERE})")
    parser.add_argument("--quick", action="store_true", help="a smoke run; figures mean nothing")
    parser.add_argument("--note", action="append", default=[], help="a remark to keep with them")
    arguments = parser.parse_args()
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(*PACKAGES),
        "notes": arguments.note,
        "speed": matching_speed(quick=arguments.quick),
    }
    page = markdown(results)
    out = arguments.out or (None if arguments.quick else HERE)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        (out / "results.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
