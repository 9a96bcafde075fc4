"""`graphenv show`: a stored episode, turn by turn."""

from __future__ import annotations

import json
from collections.abc import Sequence

from graphenv.cli.options import Parser
from graphenv.cli.output import print_json
from graphenv.cli.play_command import ending
from graphenv.cli.rescore_command import log_file
from graphenv.episode import Episode, EpisodeRecord, read_records
from graphenv.errors import DataError
from graphenv.score import Score
from graphenv.text import readable, text_of


def run(words: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "show",
        "Walk through a stored episode: what was said, what came back, the facts after each turn,\n"
        "what each turn was paid, and the parts of the reward.",
        [
            "graphenv show runs/train            (the first episode of the run)",
            "graphenv show runs/train 12 --no_facts",
            "graphenv show runs/train --wrong --reward answer_f1",
        ],
    )
    parser.add_argument("log", help="episodes.jsonl, or the run folder that holds it")
    parser.add_argument("number", nargs="?", type=int, help="which episode, from 0 (default 0)")
    parser.add_argument("--task", help="the episode of this task id")
    parser.add_argument("--wrong", action="store_true", help="count only episodes that failed")
    parser.add_argument("--reward", help="grade by this reward instead of the recorded one")
    parser.add_argument("--no_facts", action="store_true", help="leave out the facts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(words)

    from graphenv.envs.replay import EnvCache, replay

    record = _pick(list(read_records(log_file(args.log))), args.number or 0, args.task, args.wrong)
    env = EnvCache(args.reward).env_for(record)
    episode = replay(record, env)
    score = env.reward([episode])[0]
    if args.json:
        print_json(_json(episode, score))
    else:
        print(walk_through(episode, score, facts=not args.no_facts))
    return 0


def _pick(
    records: list[EpisodeRecord], number: int, task: str | None, wrong: bool
) -> EpisodeRecord:
    chosen = [
        record
        for record in records
        if (task is None or record.task_id == task) and not (wrong and record.success == 1.0)
    ]
    if not 0 <= number < len(chosen):
        if wrong and not chosen:
            raise DataError(f"no episode of the log failed (of {len(records)} in all)")
        which = " that failed" if wrong else ""
        which += f" of task {task}" if task else ""
        raise DataError(
            f"there is no episode {number}: the log holds {len(chosen)}{which} "
            f"(of {len(records)} in all), counted from 0"
        )
    return chosen[number]


def walk_through(episode: Episode, score: Score, *, facts: bool = True) -> str:
    """Return the episode as text: prompt, turns with facts and pay, ending, parts, details."""
    lines = [f"# {episode.env_id}, task {episode.task.index} ({episode.task.id})", ""]
    lines += [text_of(m["content"]) for m in episode.task.messages if m["role"] != "system"]
    paid = score.steps or (None,) * len(episode.steps)
    for number, (step, value) in enumerate(zip(episode.steps, paid, strict=False), 1):
        note = "" if value is None else f"   paid {value:+.3f}"
        bad = "" if step.status == "ok" else f"   {step.status}"
        lines.append(f"\n[{number}/{episode.max_turns}]{note}{bad}")
        lines += [f"  > {line}" for line in readable(step.text).splitlines()]
        lines += [f"    {line}" for line in step.observation.splitlines()]
        if facts:
            shown = {**step.facts, **step.values}
            lines += [f"    . {k}: {json.dumps(v, ensure_ascii=False)}" for k, v in shown.items()]
    if episode.ended:
        lines.append(ending(episode, score))
    else:
        lines.append("\nthe log ends before the episode does")
    return "\n".join(lines)


def _json(episode: Episode, score: Score) -> dict[str, object]:
    return {
        "record": episode.record().to_json(),
        "prompt": [dict(message) for message in episode.task.messages],
        "turns": [
            {
                "text": step.text,
                "observation": step.observation,
                "status": step.status,
                "facts": dict(step.facts),
                "values": dict(step.values),
            }
            for step in episode.steps
        ],
        "metrics": dict(episode.metrics),
        "score": score.to_json(),
    }
