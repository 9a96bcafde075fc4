"""States per second of a graph scorer, beside a call of the same network for each state."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

from graphenv.agents.threads import one_thread
from graphenv.graph import Edge, Graph, Node
from graphenv.scorers import View
from graphenv.seeding import rng

__all__ = ["BATCHES", "ENCODERS", "SIZES", "scoring_speed", "states"]

ENCODERS = ("rgcn", "gine", "gps", "mlp")
SIZES = (8, 40)
BATCHES = (1, 64, 1024)
_ROUNDS = 5
_WORDS, _RELATIONS = 400, 12


def states(nodes: int, count: int, *, salt: int = 0) -> list[View]:
    """Return `count` different states with about `nodes` nodes and a quarter more edges."""
    draw = rng("scorer benchmark", nodes, salt)
    made = []
    for i in range(count):
        size = int(draw.integers(nodes // 2, nodes + nodes // 2 + 1))
        labels = draw.integers(_WORDS, size=size)
        values = draw.normal(size=size)
        described = tuple(
            Node(
                f"n{k}",
                f"protein {labels[k]} alpha",
                "gene" if k % 3 else "drug",
                (("expression", f"{values[k]:.3f}"), ("seed", "1" if k < 2 else "0")),
            )
            for k in range(size)
        )
        edges = tuple(
            Edge(int(draw.integers(size)), f"acts on {draw.integers(_RELATIONS)}", k)
            for k in range(size)
            for _ in range(1 + (k % 4 == 0))
        )
        question = f"Which target does protein {i % 50} act on?"
        made.append(View(question, Graph(described, edges)))
    return made


def scoring_speed(*, quick: bool) -> list[dict[str, Any]]:
    """Return one row for each encoder, size of state and number of states in a call.

    Three ways in turn on the same states, CPU seconds on one thread: `GNNScorer.values` on states
    that it has not seen; again, when it remembers them; and a loop that makes one `torch_geometric`
    batch of each state and calls the same network, in single precision. Figures are medians over
    rounds, the ratio that of paired rounds. Vectors of words are known to all three, as they are
    after the first steps of a training.
    """
    rows = []
    with one_thread():
        for encoder in ENCODERS[:1] if quick else ENCODERS:
            for nodes in SIZES[:1] if quick else SIZES:
                for batch in BATCHES[:2] if quick else BATCHES:
                    rows.append(_row(encoder, nodes, batch, 2 if quick else _ROUNDS))
                    print(rows[-1], flush=True)
    return rows


def _row(encoder: str, nodes: int, batch: int, rounds: int) -> dict[str, Any]:
    import torch

    from graphenv.agents.gnn.features import collate
    from graphenv.agents.gnn.model import ModelConfig, build_model
    from graphenv.agents.gnn.schema import Schema
    from graphenv.agents.gnn.scorer import GNNScorer

    calls = max(1, 64 // batch)  # a call of one state is too short to be timed alone
    schema = Schema.of(states(nodes, 64))
    model = build_model(ModelConfig(encoder=encoder), schema).eval()
    scorer = GNNScorer(model, schema, device="cpu", remember=1 << 14)

    def naive(views: Sequence[View]) -> list[float]:
        found = []
        with torch.inference_mode():
            for view in views:
                logit = model(collate([view], schema)).value_logit
                found.append(float(logit.sigmoid()))
        return found

    seconds: dict[str, list[float]] = {"fresh": [], "remembered": [], "naive": []}
    apart = 0.0
    for round_ in range(rounds + 1):  # the first warms up
        scorer.forget()
        for way, ask in (("fresh", scorer.values), ("remembered", scorer.values), ("naive", naive)):
            views = states(nodes, batch * calls, salt=round_)  # equal ones, not the same objects
            parts = [views[batch * k : batch * (k + 1)] for k in range(calls)]
            start = time.process_time()
            found: list[Any] = [ask(part) for part in parts]
            seconds[way].append(time.process_time() - start)
            if way == "fresh":
                ours = [judged.value for part in found for judged in part]
        theirs = [value for part in found for value in part]
        apart = max(apart, *(abs(a - b) for a, b in zip(ours, theirs, strict=True)))
    assert apart < 1e-4, "it is the same network"
    timed = {way: [max(value, 1e-9) for value in took[1:]] for way, took in seconds.items()}
    return {
        "encoder": encoder,
        "nodes": nodes,
        "batch": batch,
        **{f"{way}_per_s": batch * calls / statistics.median(took) for way, took in timed.items()},
        "ratio": statistics.median(
            b / a for a, b in zip(timed["fresh"], timed["naive"], strict=True)
        ),
        "apart": apart,
    }
