"""`graphenv list`."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from graphenv.cli.options import Parser
from graphenv.cli.output import print_json, print_table
from graphenv.references import load_row

KINDS = ("environments", "sources", "terms", "agents", "credits")


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def environments() -> list[dict[str, str]]:
    """Return name, id and purpose of every environment."""
    from graphenv.envs import ENVIRONMENTS

    return [
        {"name": row.name, "id": row.id, "about": _first_line(load_row(row.entry_point))}
        for row in ENVIRONMENTS
    ]


def sources() -> list[dict[str, str]]:
    """Return the sources of questions of every family that has a table of them."""
    from graphenv.envs import ENVIRONMENTS

    rows = []
    for row in ENVIRONMENTS:
        for name, entry in load_row(row.sources).items():
            cls = load_row(entry)
            options = [
                p.name if p.default is not p.empty else f"{p.name} (needed)"
                for p in inspect.signature(cls).parameters.values()
                if p.kind == p.KEYWORD_ONLY and p.name not in ("split", "language")
            ]
            rows.append(
                {
                    "environment": row.name,
                    "name": name,
                    "about": _first_line(cls),
                    "arguments": ", ".join(options),
                }
            )
    return rows


def terms(family: str | None = None) -> list[dict[str, str]]:
    """Return the reward terms: kind, what they need, and the families that can feed them."""
    from graphenv import rewards
    from graphenv.facts import FAMILIES

    rows = []
    for name in rewards.names(family):
        term = rewards.term_class(name)
        fed = [f for f, provides in FAMILIES.items() if term.needs <= provides]
        rows.append(
            {
                "name": name,
                "kind": term.kind,
                "about": _first_line(term),
                "needs": ", ".join(sorted(term.needs)),
                "families": ", ".join(fed),
            }
        )
    return rows


def agent_rows() -> list[dict[str, str]]:
    """Return the agents."""
    from graphenv.agents import AGENTS

    return [{"name": n, "about": _first_line(load_row(entry))} for n, entry in AGENTS.items()]


def credit_rows() -> list[dict[str, str]]:
    """Return the ways in which scores become advantages, and what may stand behind one of them."""
    from graphenv.agents.credit import CREDITS, TRANSFORMS

    rows = [{"name": name, "about": _first_line(credit)} for name, credit in CREDITS.items()]
    return rows + [{"name": f"|{n}", "about": _first_line(t)} for n, t in TRANSFORMS.items()]


def run(words: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "list",
        "List environments, sources of tasks, reward terms, agents and credits.",
        ["graphenv list", "graphenv list terms --family kgqa", "graphenv list sources --json"],
    )
    parser.add_argument("what", nargs="*", help=f"any of {', '.join(KINDS)} (default: all)")
    parser.add_argument("--family", help="only reward terms that this family can feed")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    args = parser.parse_args(words)
    for name in args.what:
        if name not in KINDS:
            parser.error(f"{name!r} is none of {', '.join(KINDS)}")
    made = {
        "environments": environments,
        "sources": sources,
        "terms": lambda: terms(args.family),
        "agents": agent_rows,
        "credits": credit_rows,
    }
    found = {name: made[name]() for name in KINDS if not args.what or name in args.what}
    if args.json:
        print_json(found)
        return 0
    for i, (name, rows) in enumerate(found.items()):
        if i:
            print()
        if rows:
            # What a thing is about is the longest column, so it goes last.
            rows = [
                {**{k: v for k, v in row.items() if k != "about"}, "about": row["about"]}
                for row in rows
            ]
            print_table(list(rows[0]), [list(row.values()) for row in rows], title=f"# {name}")
    return 0
