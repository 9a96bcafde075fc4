"""An episode as text that a person likes to read."""

from __future__ import annotations

from graphenv.episode import Episode
from graphenv.text import text_of

__all__ = ["render_episode"]

_MARK = {
    "ok": "+",
    "infeasible": "-",
    "malformed": "!",
    "timeout": "~",
    "truncated": "~",
    "error": "x",
}


def render_episode(episode: Episode) -> str:
    """Return the question, the turns with their answers, and how it ended."""
    lines = [f"# {episode.env_id}  task {episode.task.index}  ({episode.task.id})"]
    lines += [text_of(m["content"]) for m in episode.task.messages if m["role"] != "system"]
    for number, step in enumerate(episode.steps, 1):
        lines.append(f"\n[{number}/{episode.max_turns}] {_MARK[step.status]} {step.text.strip()}")
        if step.observation:
            lines += [f"    {line}" for line in step.observation.splitlines()]
    if episode.outcome is not None:
        end = episode.outcome
        answer = ", ".join(end.answer[:20]) if end.answer is not None else end.program or "none"
        lines.append(f"\n{end.status}{f': {end.reason}' if end.reason else ''}; answer: {answer}")
        lines.append(f"success {episode.success:g}")
    return "\n".join(lines)
