"""One episode of text-to-query in play: tools that look at the database, then one query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from graphenv.envs.queries.databases import Databases, gave_up
from graphenv.envs.queries.reading import find_query, holds_query, read_query
from graphenv.envs.queries.samples import SAMPLED, sample_query
from graphenv.envs.queries.schema_text import describe
from graphenv.envs.queries.tables import shown_plan, shown_rows, shown_values
from graphenv.envs.session import OVER, Session
from graphenv.envs.tools import ToolSpec, tool
from graphenv.episode import Episode, Outcome, Status, ToolCall
from graphenv.errors import did_you_mean
from graphenv.query.components import spider_exact_match
from graphenv.query.graphs import query_graph
from graphenv.query.matching import execution_match, has_verdict, mean_row_f1
from graphenv.query.model import Language, Query
from graphenv.query.results import ErrorKind, QueryError, Result, Rows
from graphenv.query.schema import Schema
from graphenv.seeding import stable_hash
from graphenv.text import ParsedTurn, bounded, parse_turn

__all__ = ["PublicSchema", "QuerySession"]


class PublicSchema(NamedTuple):
    """What an agent may read beside the chat: the schema, and the language that is asked for."""

    schema: Schema
    language: Language


class QuerySession(Session):
    """Questions to a database: at most some looks at it, then the query that answers.

    Parameters
    ----------
    template, tools, max_observation
        See `Session`.
    language
        `sql` or `cypher`.
    schema
        Of the database.
    databases
        The database and its variations, `None` where a source has no data.
    mode
        `single` or `tools`.
    page_size
        Rows per page of a result.
    needs
        The facts that the reward reads; costly ones are made only if they are in here.
    """

    def __init__(
        self,
        template: Episode,
        tools: Mapping[str, ToolSpec],
        *,
        max_observation: int,
        language: Language,
        schema: Schema,
        databases: Databases | None,
        mode: str,
        page_size: int,
        needs: frozenset[str],
    ) -> None:
        super().__init__(template, tools, max_observation=max_observation)
        self._language: Language = language
        self._schema = schema
        self._databases = databases
        self._mode = mode
        self._page_size = page_size
        self._needs = needs
        self._queries = 0  # run by tools so far
        self._gave_up = ""

    @property
    def world(self) -> PublicSchema:
        """The schema and the language."""
        return PublicSchema(self._schema, self._language)

    def facts(self) -> dict[str, Any]:
        """Return how many queries were run, and at the end a digest of each result."""
        results = self.outcome.results if self.outcome is not None else None
        return {
            "queries": self._queries,
            "results": [_digest(result) for result in results or ()],
        }

    def state(self, facts: Mapping[str, Any]) -> Any:
        """Return the digests of results: looking at a database leaves it as it is."""
        return facts["results"]

    # -- the end ------------------------------------------------------------------------------

    def read(self, text: str) -> tuple[tuple[ToolCall, ...], str, Status, str]:
        """Parse and execute one turn: tool calls, or the query that ends the episode."""
        parsed = parse_turn(text)
        if self._mode == "tools" and parsed.calls and not parsed.reason:
            return self._looked(parsed)
        query, reason = find_query(parsed, self._language)
        if query is None and self._mode == "tools":
            return (), f"Malformed turn: {reason}. {self.allowed()}", "malformed", reason
        if query is None:
            self.outcome = Outcome("malformed", reason)
        else:
            self.outcome = self._judged(query)
        if self.outcome.status == "timeout":
            return (), OVER, "timeout", self.outcome.reason
        return (), "", self.outcome.status, self.outcome.reason

    def _looked(self, parsed: ParsedTurn) -> tuple[tuple[ToolCall, ...], str, Status, str]:
        """Execute tool calls; an engine that gives up on one of them ends the episode.

        Whether it does can differ between two runs, so a log replays such a turn as recorded.
        """
        before, self._gave_up = self._queries, ""
        calls, observation, status, reason = self.execute(parsed)
        if self._gave_up:
            self._queries = before
            self.finish("timeout", self._gave_up)
            return (), OVER, "timeout", self._gave_up
        if parsed.answer is None and holds_query(parsed, self._language):
            note = " (The query beside it was not read: write it in a turn without tool calls.)"
            calls = (*calls[:-1], replace(calls[-1], result=calls[-1].result + note))
            observation += note
        return calls, observation, status, reason

    def conclude(self, items: tuple[str, ...]) -> Outcome:
        """Return the outcome of an answer list: its only item is the query."""
        if len(items) != 1:
            return Outcome("malformed", f"{len(items)} answers; one query is asked for")
        return self._judged(items[0])

    def _judged(self, text: str) -> Outcome:
        """Read and run the final query."""
        read = read_query(text, self._language, self._schema)
        query = read if isinstance(read, Query) else None
        graph = query_graph(query) if query is not None and "outcome.graph" in self._needs else None
        results: tuple[Result, ...] | None = None
        status: Status = "ok"
        reason = ""
        if self._databases is not None:
            results = self._databases.run(text)
            failed = [result for result in results if isinstance(result, QueryError)]
            if failed:
                late = (error for error in failed if _STATUS.get(error.kind) == "timeout")
                worst = next(late, failed[0])
                status, reason = _STATUS.get(worst.kind, "infeasible"), _told(worst)
            if status == "timeout":  # what it was is not kept: a log replays it as recorded
                return Outcome(status, reason)
        elif query is None:
            status, reason = "malformed", getattr(read, "reason", "")
        elif query.unknown:
            what, name = query.unknown[0]
            status, reason = "infeasible", f"there is no {what} {bounded(name, 60)!r}"
        return Outcome(status, reason, None, graph, None, text, query, results)

    def truth(self, outcome: Outcome) -> tuple[float, dict[str, float]]:
        """Return execution match, and published metrics beside it.

        Without data: whether the query graphs are the same.
        """
        target = self.task.target
        metrics: dict[str, float] = {}
        exact = False
        if target.query is not None:
            read = outcome.query
            exact = read is not None and _same_graph(read, target.query)
            metrics["query_graph_match"] = float(exact)
            if self._language == "sql":
                metrics["exact_set_match"] = float(
                    read is not None and spider_exact_match(read, target.query)
                )
        if target.results is None:
            return float(exact), metrics
        ordered = bool(self.task.meta.get("ordered"))
        mine = outcome.results or ()
        right = execution_match(mine, target.results, target.accepted, ordered=ordered)
        first = mine[:1]
        if first and has_verdict(target.results[:1]):
            metrics["first_database_match"] = float(
                execution_match(
                    first, target.results[:1], [a[:1] for a in target.accepted], ordered=ordered
                )
            )
        else:
            metrics["first_database_match"] = 0.0
        metrics["row_f1"] = mean_row_f1(mine, target.results) if mine else 0.0
        return float(right), metrics

    def _closing(self) -> str:
        ended = self.outcome is not None and self.outcome.program is not None
        return "Query received." if ended else OVER

    def allowed(self) -> str:
        """Say what a turn may hold."""
        names = ", ".join(self.tools)
        calls = f"one of the tools {names} in <tool_call>...</tool_call>, or " if names else ""
        return f"Write {calls}the final query in one ```{self._language} block."

    # -- tools --------------------------------------------------------------------------------

    @tool
    def schema(self, name: str = "") -> tuple[str, Status]:
        """Describe a table, a node label or a relationship type; without a name, list them.

        Args:
            name: Table, label or relationship type; leave out for a list.
        """
        names = [entity.name for entity in self._schema.entities]
        relations = [] if self._language == "sql" else [r.name for r in self._schema.relations]
        if not name:
            listed = f"{'Tables' if self._language == 'sql' else 'Labels'}: {', '.join(names)}"
            kinds = ", ".join(dict.fromkeys(relations))
            return f"{listed}\nRelationship types: {kinds}" if kinds else listed, "ok"
        found = describe(self._schema, name, self._language)
        if found is None:
            hint = did_you_mean(name, [*names, *relations])
            return f"There is nothing called {bounded(name, 60)!r}.{hint}", "infeasible"
        return found, "ok"

    @tool
    def sample_values(self, table: str, column: str) -> tuple[str, Status]:
        """List values of a column, or of a property of a label or relationship type.

        Args:
            table: Table, label or relationship type.
            column: Column or property.
        """
        query, reason = sample_query(self._schema, self._language, table, column)
        if query is None:
            return reason, "infeasible"
        assert self._databases is not None  # the tools are not offered without
        result = self._databases.run_first(query)
        return self._said(result, lambda rows: shown_values(rows, SAMPLED))

    @tool
    def explain(self, query: str) -> tuple[str, Status]:
        """Check a query without running it: the engine's plan, or what is wrong.

        Args:
            query: The query.
        """
        assert self._databases is not None
        return self._said(self._databases.explain(query), shown_plan)

    @tool
    def run(self, query: str, page: int = 1) -> tuple[str, Status]:
        """Run a query and show its rows, a page at a time, or the engine's error.

        Args:
            query: The query.
            page: Page of the rows, from 1.
        """
        assert self._databases is not None
        self._queries += 1
        result = self._databases.run_first(query)
        return self._said(result, lambda rows: shown_rows(rows, page, self._page_size))

    def _said(self, result: Result, shown: Callable[[Rows], str]) -> tuple[str, Status]:
        assert self._databases is not None
        given_up = gave_up(result, counts_work=self._databases.counts_work)
        self._gave_up = self._gave_up or given_up
        if isinstance(result, QueryError):
            return f"Error ({_told(result)})", _STATUS.get(result.kind, "infeasible")
        return shown(result), "ok"


_STATUS: dict[ErrorKind, Status] = {
    "syntax": "malformed",
    "timeout": "timeout",
    "memory": "timeout",
    "crash": "timeout",
}
"""What an engine's error is for a turn; what stands not here is `infeasible`."""


def _same_graph(predicted: Query, gold: Query) -> bool:
    # Graphs are made and compared in milliseconds, and a trained policy often says the gold.
    if predicted.text == gold.text:
        return True
    return query_graph(predicted).isomorphic_to(query_graph(gold))


def _told(error: QueryError) -> str:
    return f"{error.kind}: {error.reason}"


def _digest(result: Result) -> str:
    # Without the work, the words of an error and the order that no query asked for: they are those
    # of one version of an engine.
    what = sorted(map(repr, result.rows)) if isinstance(result, Rows) else result.kind
    return f"{stable_hash(repr(what)):x}"
