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
from graphenv.facts import FAMILIES
from graphenv.query.results import Result, Rows
from graphenv.score import Score
from graphenv.seeding import rng
from graphenv.task import Task
from graphenv.text import format_answer, format_call, readable, text_of

HELP = """\
A turn is one line; a line that ends with \\ goes on in the next:
{tools}
{answer}  help                             this
  quit                             leave
Anything that starts with < is sent as it is."""
ANSWER = (
    "  answer A, B                      the final answer "
    '(quote a name that holds a comma: "A, or B")\n'
)
QUERY = "  answer QUERY                     the final query\n"
TOLD = "A turn is one line; a line that ends with \\ goes on in the next. "


def turn_text(line: str, tools: Mapping[str, ToolSpec], *, query: bool = False) -> str:
    """Return the assistant turn that a short form stands for.

    `follow directed_by` and `neighbors Heat, directed_by` are tool calls, arguments in order or
    as `name=value`; `answer Heat, Thief` is the final answer, where `query` says so all of it one
    query; all else is sent as it is. The one argument that a tool needs takes all that is no
    `, name=value` at the end.

    >>> from graphenv.envs.kgqa.session import KGQASession
    >>> from graphenv.envs.tools import tool_specs
    >>> turn_text("follow directed_by", tool_specs(KGQASession))
    '<tool_call>{"name": "follow", "arguments": {"relation": "directed_by"}}</tool_call>'
    >>> turn_text('answer "Me, You", Heat', {})
    '<answer>["Me, You", "Heat"]</answer>'
    """
    name, _, rest = line.strip().partition(" ")
    if name == "answer":
        return f"<answer>{rest.strip()}</answer>" if query else format_answer(_fields(rest))
    spec = tools.get(name)
    if spec is None:
        return line.strip()
    names = list(spec.parameters)
    if not rest.strip():
        return format_call(name)
    needed = [n for n, (_, _, must) in spec.parameters.items() if must] or names
    fields = _whole(rest.strip(), names) if len(needed) == 1 else _fields(rest)
    arguments: dict[str, object] = {}
    for place, field in enumerate(fields):
        key, equals, value = field.partition("=")
        if equals and key.strip() in spec.parameters:
            arguments[key.strip()] = value.strip()
        else:
            # Too many arguments become an unknown name, and the environment says what it takes.
            arguments[names[place] if place < len(names) else f"argument_{place + 1}"] = field
    return format_call(name, **arguments)


def _whole(text: str, names: Sequence[str]) -> list[str]:
    """Return the fields of a line that is one argument, commas and all, and perhaps options."""
    options: list[str] = []
    while True:
        rest, comma, last = text.rpartition(",")
        if not comma or last.partition("=")[0].strip() not in names[1:]:
            break
        text, options = rest.strip(), [last, *options]
    if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in text[1:-1]:
        text = text[1:-1]
    return [text, *options]


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
            "graphenv play text2sql --mode tools --hops 1",
            "graphenv play scene-graph --mode steps",
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
            print(_help(env, session.task), end="\n\n")
        _play(session, lambda: _ask(env, session.task), loud=loud, echo=False)
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


def _help(env: GraphEnv, task: Task) -> str:
    """Return how to play: the tools; without tools what a model is told, or nobody could answer."""
    facts = FAMILIES[env.family]
    if not env.tools:
        what = "query" if _asks_query(env) else "program" if "outcome.path" in facts else "answer"
        whole = f"One turn, the {what}, is the whole episode." if env.max_turns == 1 else ""
        told = [text_of(m["content"]) for m in task.messages if m["role"] == "system"]
        return "\n".join([TOLD + (whole or f"It is the {what}."), *told])
    tools = []
    for spec in env.tools.values():
        arguments = ", ".join(
            n if must else f"[{n}]" for n, (_, _, must) in spec.parameters.items()
        )
        tools.append(f"  {f'{spec.name} {arguments}':<32} {spec.description}")
    answer = QUERY if _asks_query(env) else ANSWER if "outcome.answer" in facts else ""
    return HELP.format(tools="\n".join(tools), answer=answer)


def _asks_query(env: GraphEnv) -> bool:
    return "outcome.query" in FAMILIES[env.family]


def _ask(env: GraphEnv, task: Task) -> str | None:
    """Return the next turn a person types, `None` to leave."""
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "").strip()
            while line.endswith("\\"):
                line = f"{line[:-1]}\n{input('  ' if sys.stdin.isatty() else '')}".strip()
        except EOFError:
            return None
        if line in ("quit", "exit"):
            return None
        if line in ("help", "?"):
            print(_help(env, task))
        elif line:
            return turn_text(line, env.tools, query=_asks_query(env))


def _play(session: Session, act: Callable[[], str | None], *, loud: bool, echo: bool) -> None:
    if loud:
        for message in session.task.messages:
            if message["role"] != "system":
                print(text_of(message["content"]))
    while session.outcome is None:
        text = act()
        if text is None:
            return
        if loud and echo:
            print(f"\n[{len(session.steps) + 1}/{session.max_turns}] {readable(text)}")
        step = session.turn(text)
        if loud and step.observation != OVER:  # `reset` is a word of Gymnasium; the ending follows
            print(step.observation)
        if loud and not echo and step.status == "malformed" and session.outcome is None:
            example = f", for example `{_example(session)}`" if session.tools else ""
            print(f"(here a turn is one line{example}; `help` tells more)")


def _example(session: Session) -> str:
    """Return a short form of a tool that needs one argument, the last of them."""
    found = next(iter(session.tools))
    for spec in session.tools.values():
        needed = [name for name, (_, _, must) in spec.parameters.items() if must]
        found = f"{spec.name} {needed[0].upper()}" if len(needed) == 1 else found
    return found


def ending(episode: Episode, score: Score) -> str:
    """Return how an episode ended: truth, gold, reward, its parts and their details."""
    end, gold = episode.outcome, episode.task.target.answer
    assert end is not None
    lines = ["", f"{end.status}{f': {end.reason}' if end.reason else ''}"]
    target = episode.task.target
    if end.answer is not None:
        lines.append(f"answered: {', '.join(end.answer[:20])}")
    elif end.program is not None:
        lines.append(_indented("answered: ", end.program))
    if gold is not None:
        lines.append(f"gold:     {', '.join(gold[:20])}")
    if target.program:
        lines.append(_indented("gold:     " if gold is None else " " * 10, target.program))
    elif gold is None and target.graph is not None:
        triples = "\n".join(" | ".join(triple) for triple in target.graph.triples[:20])
        lines.append(_indented("gold:     ", triples or "nothing"))
    if target.results:
        mine = _counts(end.results) if end.results else "none"
        lines.append(f"rows:     {mine} (gold {_counts(target.results)})")
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


def _indented(label: str, text: str) -> str:
    return label + text.replace("\n", "\n" + " " * len(label))


def _counts(results: Sequence[Result]) -> str:
    """Return the number of rows on each database."""
    return ", ".join(str(len(r.rows)) if isinstance(r, Rows) else r.kind for r in results)
