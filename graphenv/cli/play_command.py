"""`graphenv play`: a person plays, or watches an agent play."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping, Sequence

from graphenv.cli.options import (
    Parser,
    add_environment,
    add_output,
    environment_name,
    make_env,
)
from graphenv.cli.output import print_json, share
from graphenv.details import tell
from graphenv.envs.base import GraphEnv
from graphenv.envs.session import OVER, Session
from graphenv.envs.tools import ToolSpec
from graphenv.episode import Episode
from graphenv.score import Score
from graphenv.seeding import rng
from graphenv.text import format_answer, format_call

HELP = """\
A turn is one line:
{tools}
  answer A, B        the final answer (quote a name that holds a comma: "A, or B")
  help               this
  quit               leave
Anything that starts with < is sent as it is."""


def turn_text(line: str, tools: Mapping[str, ToolSpec]) -> str:
    """Return the assistant turn that a short form stands for.

    `follow directed_by` and `neighbors Heat, directed_by` are tool calls, arguments in order or
    as `name=value`; `answer Heat, Thief` is the final answer; all else is sent as it is.

    >>> from graphenv.envs.kgqa.session import KGQASession
    >>> from graphenv.envs.tools import tool_specs
    >>> turn_text("follow directed_by", tool_specs(KGQASession))
    '<tool_call>{"name": "follow", "arguments": {"relation": "directed_by"}}</tool_call>'
    >>> turn_text('answer "Me, You", Heat', {})
    '<answer>["Me, You", "Heat"]</answer>'
    """
    name, _, rest = line.strip().partition(" ")
    if name == "answer":
        return format_answer(_fields(rest))
    spec = tools.get(name)
    if spec is None:
        return line.strip()
    names = list(spec.parameters)
    needed = [n for n, (_, _, must) in spec.parameters.items() if must]
    if not rest.strip():
        return format_call(name)
    # A single argument takes the whole line, commas and all.
    fields = [rest.strip().strip('"')] if len(needed or names) == 1 == len(names) else _fields(rest)
    arguments: dict[str, object] = {}
    for place, field in enumerate(fields):
        key, equals, value = field.partition("=")
        if equals and key.strip() in spec.parameters:
            arguments[key.strip()] = value.strip()
        else:
            # Too many arguments become an unknown name, and the environment says what it takes.
            arguments[names[place] if place < len(names) else f"argument_{place + 1}"] = field
    return format_call(name, **arguments)


def _fields(text: str) -> list[str]:
    line = " ".join(text.split())
    [row] = csv.reader([line], skipinitialspace=True) if line else [[]]
    return [field.strip() for field in row if field.strip()]


def run(words: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "play",
        "Play an episode in the terminal. Tool calls have a short form; `help` shows it.",
        [
            "graphenv play kgqa",
            'graphenv play kgqa --reward "0.7*answer_f1 + 0.3*ged"',
            "graphenv play kgqa --source metaqa --root DIR --hops 2 --index 17",
            "graphenv play kgqa --mode program --agent oracle",
            "graphenv play kgqa --agent runs/train/checkpoint",
        ],
    )
    add_environment(parser)
    parser.add_argument("--index", type=int, help="the task (default: the seed picks one)")
    parser.add_argument("--agent", help="watch: an agent's name, or the folder of a model")
    add_output(parser)
    args, extra = parser.split(words)
    from graphenv.cli.agent import trained_under

    defaults = trained_under(args.agent or "", environment_name(args.environment or ""))
    env = make_env(args, extra, **defaults)
    size = len(env.tasks)
    index = args.index if args.index is not None else int(rng("play", args.seed).integers(size))
    if not 0 <= index < size:
        parser.error(f"--index {index}: this split has the tasks 0 to {size - 1}")
    loud = not args.json
    if args.agent:
        from graphenv.agents.base import policy_for
        from graphenv.cli.agent import make_agent

        agent = make_agent(args.agent, env, seed=args.seed)
        session = env.begin(index)
        policy = policy_for(agent, session)
        _play(session, lambda: policy.act(session.episode().messages), loud=loud, echo=True)
    else:
        session = env.begin(index)
        if loud and sys.stdin.isatty():
            print(_help(env), end="\n\n")
        _play(session, lambda: _ask(env), loud=loud, echo=False)
    episode = session.episode()
    score = env.reward([episode])[0] if episode.ended else None
    if args.json:
        print_json(
            {"record": episode.record().to_json(), "score": score.to_json() if score else None}
        )
    elif score is None:
        print("\nleft before the end; nothing was graded")
    else:
        print(ending(episode, score))
    return 0


def _help(env: GraphEnv) -> str:
    if not env.tools:
        return "A turn is one line: the program. One turn is the whole episode."
    tools = []
    for spec in env.tools.values():
        arguments = ", ".join(
            n if must else f"[{n}]" for n, (_, _, must) in spec.parameters.items()
        )
        tools.append(f"  {f'{spec.name} {arguments}':<32} {spec.description}")
    return HELP.format(tools="\n".join(tools))


def _ask(env: GraphEnv) -> str | None:
    """Return the next turn a person types, `None` to leave."""
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return None
        if line in ("quit", "exit"):
            return None
        if line in ("help", "?"):
            print(_help(env))
        elif line:
            return turn_text(line, env.tools)


def _play(session: Session, act: Callable[[], str | None], *, loud: bool, echo: bool) -> None:
    if loud:
        for message in session.task.messages:
            if message["role"] != "system":
                print(message["content"])
    while session.outcome is None:
        text = act()
        if text is None:
            return
        if loud and echo:
            print(f"\n[{len(session.steps) + 1}/{session.max_turns}] {text.strip()}")
        step = session.turn(text)
        if loud and step.observation != OVER:  # `reset` is a word of Gymnasium; the ending follows
            print(step.observation)
        if loud and not echo and step.status == "malformed" and session.outcome is None:
            print("(here a turn is one line, for example `follow RELATION`; `help` shows them)")


def ending(episode: Episode, score: Score) -> str:
    """Return how an episode ended: truth, gold, reward, its parts and their details."""
    end, gold = episode.outcome, episode.task.target.answer
    assert end is not None
    lines = ["", f"{end.status}{f': {end.reason}' if end.reason else ''}"]
    if end.answer is not None:
        lines.append(f"answered: {', '.join(end.answer[:20])}")
    if gold is not None:
        lines.append(f"gold:     {', '.join(gold[:20])}")
    if episode.task.target.program:
        lines.append(f"          {episode.task.target.program}")
    metrics = "".join(f", {name} {value:.3f}" for name, value in episode.metrics.items())
    lines.append(f"truth:    {share(episode.success)}{metrics}")
    # Without the reason a crash of the user's own function would read as "does not apply".
    why = ": ".join(filter(None, (score.status.replace("_", " "), score.reason)))
    lines.append(f"reward:   {share(score.value)}{'' if score.status == 'ok' else f' ({why})'}")
    for name, part in score.parts.items():
        lines.append(f"  {name}: {share(part.value)} x {part.weight:g}")
        if name in score.info:
            headline, details = tell(score.info[name])
            lines += [f"    {headline}"] if headline else []
            lines += [f"    - {line}" for line in details]
    return "\n".join(lines)
