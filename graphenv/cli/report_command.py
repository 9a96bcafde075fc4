"""`graphenv report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from graphenv.cli.compare_command import tell
from graphenv.cli.options import Parser


def run(words: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "report",
        "Rebuild plots and page of a comparison from its runs, or from comparison.json where the\n"
        "runs are gone. Runs that are not complete are left out and named.",
        ["graphenv report runs/compare", "graphenv report runs/compare --json"],
    )
    parser.add_argument("folder", help="the --out of graphenv compare")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    args = parser.parse_args(words)

    from graphenv.benchmarks.comparison.compare import refresh

    folder = Path(args.folder)
    return tell(refresh(folder), folder, as_json=args.json)
