"""`Session`: one episode in play. Text in, facts out; the only place where turns are executed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from graphenv.envs.tools import ToolSpec, bind_arguments
from graphenv.episode import Episode, Outcome, Status, Step, ToolCall
from graphenv.errors import did_you_mean
from graphenv.graph import Graph
from graphenv.task import Task
from graphenv.text import ParsedCall, ParsedTurn, bounded, parse_turn

__all__ = ["Session"]

OVER = "The episode is over; reset to play another."


class Session(ABC):
    """One episode in play: takes assistant turns, keeps the steps, ends with an outcome.

    Gymnasium's `step`, the vector environment and the TRL bridge all drive this object, so that a
    transcript means the same everywhere. Families subclass it and add tools (methods marked with
    `graphenv.envs.tools.tool`).

    Parameters
    ----------
    template
        The episode before its first turn: task, limits and provenance.
    tools
        The tools offered in this episode.
    max_observation
        Longest observation, in characters.
    """

    def __init__(
        self, template: Episode, tools: Mapping[str, ToolSpec], *, max_observation: int
    ) -> None:
        self._template = template
        self._max_observation = max_observation
        self.tools = tools
        self.steps: list[Step] = []
        self.outcome: Outcome | None = None
        self._truth: tuple[float, dict[str, float]] | None = None

    @property
    def task(self) -> Task:
        """The task in play."""
        return self._template.task

    @property
    def max_turns(self) -> int:
        """The turn limit."""
        return self._template.max_turns

    # -- what a family defines ----------------------------------------------------------------

    @property
    def world(self) -> Any:
        """What search agents may read beside the chat; `None` where a family has no such thing.

        Public by definition: it must not hold or reach the target.
        """
        return None

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Return the JSON-able facts of the present state; clears what is per turn."""

    def state(self, facts: Mapping[str, Any]) -> Any:
        """Return what of `facts` tells where the episode stands: JSON-able, never changed later.

        It must be the same whenever the episode stands in the same place, whatever was tried to
        get there: leave out attempts and counters. Credits that compare states read it
        (`Episode.state_keys`). By default all facts.
        """
        return facts

    def values(self) -> dict[str, float]:
        """Return the state values that the reward asked for."""
        return {}

    def graph(self) -> Graph | None:
        """Return the graph built so far if the reward asked for it (`step.graph`)."""
        return None

    @abstractmethod
    def conclude(self, items: tuple[str, ...]) -> Outcome:
        """Return the outcome of a final answer with these items."""

    @abstractmethod
    def truth(self, outcome: Outcome) -> tuple[float, dict[str, float]]:
        """Return (success in [0, 1], published metrics by name) of an outcome."""

    # -- playing ------------------------------------------------------------------------------

    def start(self) -> None:
        """Take the facts before the first turn. Called once, by the environment."""
        facts = self.facts()
        self._template = _with(
            self._template,
            start=facts,
            start_values=self.values(),
            start_graph=self.graph(),
            start_state=self.state(facts),
        )

    def turn(self, text: str) -> Step:
        """Play one assistant turn; never raises on any text.

        After the end it answers that the episode is over and changes nothing.
        """
        if self.outcome is not None:
            return Step(text, (), OVER, {}, status="infeasible", reason=OVER)
        calls, observation, status, reason = self.read(text)
        if self.outcome is None and len(self.steps) + 1 >= self.max_turns:
            self.finish("truncated", f"no answer within {self.max_turns} turns")
        if self.outcome is not None and not observation:
            observation = self._closing()
        observation = bounded(observation, self._max_observation)
        return self._keep(text, calls, observation, status, reason)

    def _keep(
        self,
        text: str,
        calls: tuple[ToolCall, ...],
        observation: str,
        status: Status,
        reason: str,
    ) -> Step:
        facts, values, graph = self.facts(), self.values(), self.graph()
        state = self.state(facts)
        step = Step(text, calls, observation, facts, values, status, reason, graph, state)
        self.steps.append(step)
        return step

    def play(self, turns: Iterable[str]) -> None:
        """Play turns one after another; those after the end are ignored."""
        for text in turns:
            if self.outcome is not None:
                return
            self.turn(text)

    def time_out(self, text: str, reason: str) -> Step:
        """End the episode with a turn that an engine or the clock gave up on.

        The facts are those before the turn. A log replays such a turn by this very call, because
        whether time runs out can differ between two runs.
        """
        if self.outcome is not None:
            return self.turn(text)
        self.finish("timeout", reason)
        return self._keep(text, (), OVER, "timeout", reason)

    def read(self, text: str) -> tuple[tuple[ToolCall, ...], str, Status, str]:
        """Parse and execute one turn; return (calls, observation, status, reason)."""
        parsed = parse_turn(text)
        if parsed.reason:
            return (
                (),
                f"Malformed turn: {parsed.reason}. {self.allowed()}",
                "malformed",
                parsed.reason,
            )
        if parsed.calls:
            return self.execute(parsed)
        answer = parsed.answer
        if answer is None:  # blocks of another family's language
            reason = "a <program> block is not read here"
            return (), f"Malformed turn: {reason}. {self.allowed()}", "malformed", reason
        if answer.items is None:
            said = f"Malformed answer: {answer.reason}. {self.allowed()}"
            return (), said, "malformed", answer.reason
        self.outcome = self.conclude(answer.items)
        return (), "", self.outcome.status, self.outcome.reason

    def execute(self, parsed: ParsedTurn) -> tuple[tuple[ToolCall, ...], str, Status, str]:
        """Execute the tool calls of a turn, as `read` does."""
        calls = self._fitting([self._execute(call) for call in parsed.calls])
        if parsed.answer is not None and self.outcome is None:
            # Under tool calling a turn with calls goes on, whatever else stands in it.
            note = " (The <answer> beside it was not read: answer in a turn without tool calls.)"
            calls = (*calls[:-1], replace(calls[-1], result=calls[-1].result + note))
        worst = max((c.status for c in calls), key=_SEVERITY.index)
        bad = next((c.result for c in calls if c.status == worst), "") if worst != "ok" else ""
        return calls, "\n".join(c.result for c in calls), worst, bounded(bad, 200)

    def _fitting(self, calls: list[ToolCall]) -> tuple[ToolCall, ...]:
        """Bound the results of one turn together: many calls may not make a long chat."""
        left = self._max_observation
        fitting = []
        for call in calls:
            result = bounded(call.result, left)
            left = max(0, left - len(result))
            fitting.append(call if result is call.result else replace(call, result=result))
        return tuple(fitting)

    def call(self, call: ParsedCall) -> ToolCall:
        """Execute one tool call by itself: as the only one of a turn, but no turn is counted."""
        return self._fitting([self._execute(call)])[0]

    def _execute(self, call: ParsedCall) -> ToolCall:
        if call.name is None:
            said = f"Malformed tool call: {call.reason}. {self.allowed()}"
            return ToolCall("", {}, said, "malformed")
        if self.outcome is not None:
            return ToolCall(bounded(call.name, 60), {}, OVER, "infeasible")
        spec = self.tools.get(call.name)
        if spec is None:
            hint = did_you_mean(call.name, self.tools)
            said = f"There is no tool {bounded(call.name, 60)!r}.{hint}"
            return ToolCall(bounded(call.name, 60), {}, said, "malformed")
        arguments, reason = bind_arguments(spec, call.arguments)
        if reason:
            return ToolCall(call.name, {}, reason, "malformed")
        result, status = getattr(self, call.name)(**arguments)
        return ToolCall(call.name, arguments, result, status)

    def allowed(self) -> str:
        """Say what a turn may hold."""
        names = ", ".join(self.tools)
        calls = f"one of the tools {names} in <tool_call>...</tool_call>, or " if names else ""
        return f'Write {calls}the final answer as <answer>["..."]</answer>.'

    def finish(self, status: Status, reason: str) -> None:
        """End the episode without an answer; does nothing if it has ended."""
        if self.outcome is None:
            self.outcome = Outcome(status, reason)

    def _closing(self) -> str:
        """The last observation: says that it is over, never how it went."""
        return "Answer received." if self.outcome and self.outcome.answer is not None else OVER

    # -- reading it off -----------------------------------------------------------------------

    def episode(self) -> Episode:
        """Return the episode so far."""
        success: float | None = None
        metrics: dict[str, float] = {}
        if self.outcome is not None:
            if self._truth is None:
                self._truth = self.truth(self.outcome)
            success, metrics = self._truth
        return _with(
            self._template,
            steps=tuple(self.steps),
            outcome=self.outcome,
            success=success,
            metrics=metrics,
        )


_SEVERITY: tuple[Status, ...] = ("ok", "infeasible", "malformed", "timeout", "truncated", "error")


def _with(episode: Episode, **changes: Any) -> Episode:
    # Like dataclasses.replace without its per-field introspection, which showed in profiles.
    fresh = object.__new__(Episode)
    fresh.__dict__.update(episode.__dict__)
    fresh.__dict__.update(changes)
    return fresh
