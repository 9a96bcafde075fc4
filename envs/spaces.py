"""`UnicodeText`: a Gymnasium text space for real text."""

from __future__ import annotations

from typing import Any

from gymnasium.spaces import Text

__all__ = ["MAX_SAMPLE", "UnicodeText"]


MAX_SAMPLE = 200


class UnicodeText(Text):
    """Any string of at most `max_length` characters.

    `gymnasium.spaces.Text` admits alphanumerics only by default; membership here is a matter of
    type and length alone. `sample` draws at most `MAX_SAMPLE` printable characters: nobody learns
    more from a megabyte of noise, and it takes half a second.
    """

    def __init__(self, max_length: int, *, seed: Any = None) -> None:
        super().__init__(max_length, min_length=0, charset=_PRINTABLE, seed=seed)

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a string that fits.

        >>> UnicodeText(5).contains("žluť")
        True
        """
        return isinstance(x, str) and len(x) <= self.max_length

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Return a random text.

        >>> len(UnicodeText(1_000_000, seed=0).sample()) <= MAX_SAMPLE
        True
        """
        if mask is None and probability is None:
            longest = min(self.max_length, MAX_SAMPLE)
            mask = (int(self.np_random.integers(longest + 1)), None)
        found: str = super().sample(mask, probability)
        return found

    def __repr__(self) -> str:
        return f"UnicodeText({self.max_length})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnicodeText) and self.max_length == other.max_length

    def __hash__(self) -> int:
        return hash(("UnicodeText", self.max_length))


_PRINTABLE = "".join(chr(c) for c in range(32, 127))
