"""What a run writes down while it trains: one line per logged step, one per evaluation."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from graphenv.agents.bridge.config import TrainConfig
from graphenv.agents.bridge.evaluation import evaluate_model

__all__ = ["RunLog"]

logger = logging.getLogger(__name__)


class RunLog(TrainerCallback):
    """Writes `metrics.jsonl` and `eval.jsonl` of a run, and measures the truth on validation."""

    def __init__(self, config: TrainConfig, trainer: Any) -> None:
        self.config = config
        self.trainer = trainer
        self.folder = Path(config.out)
        self._since = time.perf_counter()
        self._last_step = 0

    def rewind_to(self, checkpoint: Path | None) -> None:
        """Drop lines written after `checkpoint` (`None`: all): a resumed run has each once."""
        step = int(checkpoint.name.rpartition("-")[2]) if checkpoint else -1
        self._last_step = max(step, 0)
        for name in ("metrics.jsonl", "eval.jsonl"):
            file = self.folder / name
            if not file.is_file():
                continue
            lines = [
                line for line in file.read_text(encoding="utf-8").splitlines() if _readable(line)
            ]
            kept = [line for line in lines if json.loads(line)["step"] <= step]
            file.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

    def _write(self, name: str, row: dict[str, Any]) -> None:
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Measure the truth before the first step."""
        self._since = time.perf_counter()
        if state.global_step == 0:
            self._evaluate(0)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Measure the truth every `eval_every` steps."""
        every = self.config.eval_every
        if every and state.global_step % every == 0:
            began = time.perf_counter()
            self._evaluate(state.global_step)
            self._since += time.perf_counter() - began  # evaluation is not training time

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Write one line per logged step."""
        stats = self.trainer.grader.take_stats()
        if not state.is_world_process_zero or logs is None or "reward" not in logs:
            return
        now = time.perf_counter()
        steps = max(state.global_step - self._last_step, 1)
        row = {
            "step": state.global_step,
            "reward": logs["reward"],
            "reward_std": logs.get("reward_std"),
            "success": logs.get("rewards/success/mean"),
            "parts": {
                key.removeprefix("rewards/part/").removesuffix("/mean"): value
                for key, value in logs.items()
                if key.startswith("rewards/part/") and key.endswith("/mean")
            },
            "zero_variance": stats.flat_groups / stats.groups if stats.groups else None,
            "malformed": stats.statuses["malformed"] / stats.episodes if stats.episodes else None,
            "statuses": dict(sorted(stats.statuses.items())),
            "errors": stats.errors,
            "episodes": stats.episodes,  # of this process
            "processes": self.trainer.accelerator.num_processes,
            "reward_seconds": stats.seconds / steps,
            "step_seconds": (now - self._since) / steps,
            "entropy": logs.get("entropy"),
            "completion_length": logs.get("completions/mean_length"),
        }
        self._since, self._last_step = now, state.global_step
        self._write("metrics.jsonl", row)
        for reason in stats.reasons:
            logger.warning("a reward term crashed; the row was left out of training: %s", reason)

    def _evaluate(self, step: int) -> None:
        if not (self.config.eval_every and self.config.eval_tasks):
            return
        if not self.trainer.accelerator.is_main_process:
            return
        model = self.trainer.accelerator.unwrap_model(self.trainer.model)
        tokenizer = self.trainer.processing_class
        result = evaluate_model(self.config, model, tokenizer, "validation", self.config.eval_tasks)
        self._write("eval.jsonl", result.to_json(step))


def _readable(line: str) -> bool:
    """Whether a line was written whole (a killed run can leave half of its last one)."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
