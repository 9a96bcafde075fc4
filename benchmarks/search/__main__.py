"""Measure search agents on held-out MetaQA questions; write `results.json` and `results.md`.

GRAPHENV_DATA=data python -m graphenv.benchmarks.search
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from graphenv import agents, envs
from graphenv.agents.bridge.config import versions
from graphenv.agents.search import SearchAgent
from graphenv.benchmarks.comparison.stats import Interval, bootstrap, paired_difference
from graphenv.benchmarks.suite import keep
from graphenv.envs.kgqa import KGQAEnv
from graphenv.seeding import rng


@dataclass(frozen=True)
class Contender:
    """One row of the table: how the agent is made at every budget."""

    label: str
    agent: str = "search"
    kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def drawn(self) -> bool:
        """Whether the seed matters."""
        return self.agent == "random" or "random" in self.kwargs.values()

    def make(self, env: KGQAEnv, budget: int, seed: int) -> agents.Agent:
        """Return the agent for one budget and seed."""
        budgeted = {"budget": budget} if self.agent == "search" else {}
        return agents.make(self.agent, env, seed=seed, **budgeted, **self.kwargs)


UNGUIDED = "beam, unguided"
CONTENDERS = (
    Contender("tree, guided"),
    Contender("tree, guided, self-critic", kwargs={"enough": 0.999}),
    Contender("beam, guided", kwargs={"strategy": "beam"}),
    Contender("tree, unguided", kwargs={"guide": "random"}),
    Contender(UNGUIDED, kwargs={"strategy": "beam", "guide": "random"}),
    Contender("beam, unguided, unweighted", kwargs={"strategy": "beam", "scorer": "random"}),
    Contender("random walk", agent="random"),
)
FITTED = "tree, guided, fitted on {fit} train tasks"

HEAD = """\
# Search agents on MetaQA {hops}-hop: measured

Written by `python -m graphenv.benchmarks.search`; do not edit. Success is exact match of the answer
set on {tasks} held-out questions (split `heldout`, program mode, bare questions, paths of up to
{max_moves} moves; the agent is not told how many hops a question has), interquartile mean over
{seeds} seeds with a 95 % bootstrap interval over seeds and tasks. Seeds draw the random scorer and
the random walk; guided search has no randomness, so its interval speaks of the tasks alone. Budget:
walked paths a question. All contenders weigh their walked paths with the same training-free lexical
scorer and differ in what they walk, except:

- **unweighted**: the answer is drawn from the walked paths by chance;
- **random walk**: one random path that exists;
- **self-critic**: ends the search once a path counts as a full answer (nodes spent: mean);
- **fitted**: guide and weights counted on train-split gold paths. Not training-free; a ceiling for
  what a better scorer can bring to the same search.

Read with care: reading the names of moves is free, only walking them counts; at 3 moves a question
has few paths (compare *nodes spent* with the budget), so a large budget needs no guide. The lexical
scorer learns nothing, but its rules were written while looking at questions of the train split, and
MetaQA's splits share their templates. Where the words of relations do not return in the questions,
it finds little.
"""


def measure(
    env: KGQAEnv, contender: Contender, indices: Sequence[int], budget: int, seeds: int
) -> tuple[np.ndarray[Any, Any], float | None]:
    """Return success of shape (seeds, tasks), and the mean number of nodes spent."""
    rows = []
    nodes: list[int] = []
    for seed in range(seeds if contender.drawn else 1):
        agent = contender.make(env, budget, seed)
        episodes = agents.rollout_batch(env, agent, indices)
        rows.append([float(episode.success or 0.0) for episode in episodes])
        if isinstance(agent, SearchAgent) and not seed:
            for index in indices[:100]:
                task = env.source[index]
                topic, question = task.meta["topics"][0], task.meta["question"]
                nodes.append(agent.paths(question, topic, env.kg_source.world(index), budget)[1])
    success = np.broadcast_to(np.array(rows), (seeds, len(indices)))
    return success, float(np.mean(nodes)) if nodes else None


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the results as a JSON-able object."""
    env = envs.make(
        "kgqa",
        source="metaqa",
        root=str(Path(arguments.data) / "kgqa" / "metaqa"),
        split="heldout",
        hops=arguments.hops,
        mode="program",
        instructions="none",
    )
    assert isinstance(env, KGQAEnv)
    generator = rng("search benchmark", arguments.seed)
    indices = generator.permutation(len(env.tasks))[: arguments.tasks].tolist()
    fitted = Contender(FITTED.format(fit=arguments.fit), kwargs={"fit": arguments.fit})
    rows = []
    for budget in arguments.budgets:
        base, _ = measure(env, _named(UNGUIDED), indices, budget, arguments.seeds)
        for contender in (*CONTENDERS, fitted):
            success, nodes = measure(env, contender, indices, budget, arguments.seeds)
            gain = paired_difference(success, base, generator)
            interval = bootstrap(success, generator, bounds=(0.0, 1.0))
            rows.append(
                {
                    "contender": contender.label,
                    "budget": budget,
                    "success": interval.to_json(),
                    "over_unguided_beam": gain.to_json(),
                    "nodes": nodes,
                }
            )
            print(f"budget {budget:>4}  {contender.label:<40} {interval}", flush=True)
    return {
        "hops": arguments.hops,
        "tasks": len(indices),
        "seeds": arguments.seeds,
        "fingerprint": env.source.fingerprint,
        "max_moves": 3,
        "rows": rows,
        "versions": versions("graphenv", "numpy"),
    }


def _named(label: str) -> Contender:
    return next(contender for contender in CONTENDERS if contender.label == label)


def markdown(results: dict[str, Any]) -> str:
    """Return the results as a Markdown page."""
    lines = [HEAD.format(**results)]
    budgets = list(dict.fromkeys(row["budget"] for row in results["rows"]))
    for budget in budgets:
        lines += [
            f"\n## Budget {budget}\n",
            f"| agent | success | minus *{UNGUIDED}* | nodes spent |",
            "|---|---|---|---|",
        ]
        for row in results["rows"]:
            if row["budget"] == budget:
                success, gain = (Interval(**row[k]) for k in ("success", "over_unguided_beam"))
                nodes = "" if row["nodes"] is None else f"{row['nodes']:.1f}"
                lines.append(f"| {row['contender']} | {success} | {gain} | {nodes} |")
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    return (
        "\n".join([*lines, f"\nVersions: {versions}. Data: {results['fingerprint'][:16]}."]) + "\n"
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("GRAPHENV_DATA"), help="data folder")
    parser.add_argument("--hops", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the draw of tasks")
    parser.add_argument("--fit", type=int, default=500, help="train tasks of the fitted row")
    parser.add_argument("--budgets", type=int, nargs="+", default=[5, 10, 20, 50, 200])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args(argv)
    if not arguments.data:
        parser.error("no data: set GRAPHENV_DATA or give --data")
    results = run(arguments)
    keep(arguments.out, results, markdown(results))


if __name__ == "__main__":
    main()
