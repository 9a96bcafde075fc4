"""`graphenv train`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from graphenv.cli.options import Parser
from graphenv.cli.output import print_json
from graphenv.cli.settings import add_settings, settings


def run(words: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "train",
        "Warm-start a model on oracle episodes, then train it by GRPO under a reward. Any field\n"
        "of trl.GRPOConfig is a flag too (--learning_rate 1e-3), and so are LoRA settings\n"
        "(--lora_r 8) and arguments of the environment (--hops 2). Of these, a flag without a\n"
        "value is written as --bf16=true.\n\n"
        "--credit says which turn answers for what (`graphenv list credits`). One that sees what\n"
        "single turns earn (turn, min-form, gated) is needed for potential(...); the others read\n"
        "returns. All but outcome and prefix-tree(by=token) need episodes of several turns.",
        [
            "graphenv train kgqa --mode program --hops 1 --warmup 64 --steps 100 --out runs/a",
            'graphenv train kgqa --reward "exact + 0.3*path_similarity" --model DIR --lora_r 8',
            'graphenv train kgqa --mode tools --reward "exact + potential(progress)" '
            '--credit "turn(lam=0.9)"',
            "graphenv train kgqa --config run.yaml --learning_rate 5e-4",
            "graphenv train kgqa --out runs/a --resume ...   (the same settings as before)",
            "accelerate launch -m graphenv.cli train kgqa ...",
        ],
    )
    add_settings(parser)
    parser.add_argument(
        "--warm_start_only", action="store_true", help="write the warm-started model to --out"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    args, extra = parser.split(words)
    config = settings(args, extra)
    if args.warm_start_only:
        from graphenv.agents.bridge.train import set_progress_bars
        from graphenv.agents.bridge.warmup import warm_start

        set_progress_bars(sys.stderr.isatty())
        folder = str(warm_start(config, config.out))
        print_json({"start": folder}) if args.json else print(f"warm start: {folder}")
        return 0

    from graphenv.agents.bridge.train import train

    result = train(config, progress=sys.stderr.isatty())
    told = {
        "folder": str(result.folder),
        "checkpoint": str(result.checkpoint),
        "success": result.success,
    }
    if args.json:
        print_json(told)
    elif result.success == result.success:  # only the main process has measured it
        print(f"truth on held-out tasks: {result.success:.3f}")
        print(f"run: {result.folder}   model: {result.checkpoint}")
        print(f"look at an episode: graphenv show {result.folder}")
    return 0
