"""`graphenv compare`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graphenv.cli.options import Parser
from graphenv.cli.output import print_json
from graphenv.cli.settings import add_settings, settings


def run(words: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "compare",
        "Train the same policy from the same start under several rewards, with paired seeds, and\n"
        "report which taught most, judged by the truth on held-out tasks. All settings of\n"
        "`graphenv train` apply to every run. The same command again continues where it stood.",
        [
            'graphenv compare kgqa --rewards "exact" "exact + 0.3*path_similarity" --seeds 5',
            'graphenv compare kgqa --rewards "exact" "exact + potential(progress) @turn" '
            "--hops 2 --steps 300 --out runs/shaping",
            'graphenv compare kgqa --mode tools --rewards "exact" "exact @trajectory-graph" '
            '"exact @siblings(ways=2)" --out runs/credit',
        ],
    )
    add_settings(parser, without=("reward", "resume", "control"))
    parser.add_argument(
        "--rewards",
        nargs="+",
        required=True,
        help="two or more expressions; REWARD @CREDIT names its credit (`graphenv list credits`)",
    )
    parser.add_argument("--seeds", type=int, default=5, help="paired seeds (default 5)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    parser.add_argument(
        "--control",
        action="store_true",
        help="add the first reward with shaping under outcome credit: must come out identical",
    )
    parser.add_argument(
        "--start_per_seed", action="store_true", help="one warm start per seed, not one for all"
    )
    parser.add_argument("--no_floors", action="store_true", help="leave out the natural floors")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    args, extra = parser.split(words)
    if args.seeds < 1 or args.jobs < 1:
        parser.error("--seeds and --jobs must be at least 1")
    rewards, control, args.control = args.rewards, args.control, None
    base = settings(args, extra)
    if "out" not in vars(args) and not args.config:
        base = base.with_(out="runs/compare")

    from graphenv.benchmarks.comparison.compare import compare

    result = compare(
        base,
        rewards,
        seeds=args.seeds,
        parallel=args.jobs,
        control=control,
        start_per_seed=args.start_per_seed,
        floors=not args.no_floors,
    )
    return tell(result, Path(base.out), as_json=args.json)


def tell(result: Mapping[str, Any], folder: Path, *, as_json: bool) -> int:
    """Print a comparison; return 1 if runs are missing from it."""
    if as_json:
        print_json(result)
    else:
        from rich.console import Console

        from graphenv.benchmarks.comparison.report import show_table

        console = Console()
        # Without a terminal there is no width to respect, and a cut table is of no use to a file.
        show_table(result, console if console.is_terminal else Console(width=160))
        print(f"\nreport: {(folder / 'report.html').resolve()}")
    return 1 if result["failures"] or result["incomplete"] else 0
