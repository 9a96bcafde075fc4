"""Sources of tasks: what those of all families share, and how one is made from its name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphenv.checks import one_of
from graphenv.errors import ConfigError, DataError, UnknownNameError, did_you_mean
from graphenv.references import check_keywords, load_row
from graphenv.task import Task, check_split

__all__ = ["Source", "check_paraphrases", "named_source"]

_PARAPHRASES = ("split", "seen", "unseen")


class Source(ABC):
    """A finite sequence of tasks, each a pure function of (arguments, split, place).

    Parameters
    ----------
    split
        One of `graphenv.task.SPLITS`.

    Attributes
    ----------
    left_out
        Why rows of the split are no tasks, and how many each.
    note
        How the split was made, in words.
    """

    def __init__(self, split: str) -> None:
        self.split = check_split(split)
        self.left_out: Counter[str] = Counter()
        self.note = ""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Digest of everything that the tasks depend on (data, arguments, split)."""

    @property
    @abstractmethod
    def provides(self) -> frozenset[str]:
        """The facts about the target that its tasks carry (see `graphenv.facts`)."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: int) -> Task: ...

    def __iter__(self) -> Iterator[Task]:
        return (self[i] for i in range(len(self)))

    def without(self, what: str, where: str) -> DataError:
        """Return the error of a split without what tasks are made of; `where` is the data set."""
        reasons = ", ".join(f"{why}: {n}" for why, n in sorted(self.left_out.items()))
        told = f"split {self.split!r} has no {what} ({reasons or 'none found'})"
        return DataError(f"{where}: {told}. {self.note}".strip())


def named_source(
    rows: Mapping[str, str],
    name: str,
    arguments: Mapping[str, Any],
    *,
    what: str,
    also: Iterable[str] = (),
    positional: tuple[Any, ...] = (),
) -> Any:
    """Return the source `name` of a table, made with these arguments.

    Parameters
    ----------
    rows
        The table: names, and where the classes stand.
    arguments, positional
        What the class takes by name, and in order.
    what
        The family, in messages.
    also
        Further arguments that are offered when one is misspelt: those of the environment.

    Raises
    ------
    UnknownNameError
        If there is no such source.
    ConfigError
        If an argument is unknown or missing.
    """
    if name not in rows:
        raise UnknownNameError(f"{what}: source {name!r} is unknown.{did_you_mean(name, rows)}")
    cls = load_row(rows[name])
    check_keywords(f"{what}: source={name!r}", cls, arguments, also=also)
    return cls(*positional, **arguments)


def check_paraphrases(paraphrases: str, split: str) -> str:
    """Return which wordings a made source uses: `split`, `seen` or `unseen`.

    Raises
    ------
    ConfigError
        If it is none of them, or held-out wordings are asked for in another split.
    """
    one_of("synthetic", "paraphrases", paraphrases, _PARAPHRASES)
    if paraphrases == "unseen" and split != "heldout":
        raise ConfigError(
            f"synthetic: paraphrases='unseen' with split={split!r}; held-out wordings occur in "
            "split='heldout' only, or they would not be held out"
        )
    return paraphrases
