"""`UnicodeText`: a Gymnasium text space for real text."""

from __future__ import annotations

from typing import Any

from gymnasium.spaces import Text

__all__ = ["UnicodeText"]


class UnicodeText(Text):
    """Any string of at most `max_length` characters.

    `gymnasium.spaces.Text` admits alphanumerics only by default; membership here is a matter of
    type and length alone. `sample` draws from a small printable charset.
    """

    def __init__(self, max_length: int, *, seed: Any = None) -> None:
        super().__init__(max_length, min_length=0, charset=_PRINTABLE, seed=seed)

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a string that fits.

        >>> UnicodeText(5).contains("žluť")
        True
        """
        return isinstance(x, str) and len(x) <= self.max_length

    def __repr__(self) -> str:
        return f"UnicodeText({self.max_length})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnicodeText) and self.max_length == other.max_length

    def __hash__(self) -> int:
        return hash(("UnicodeText", self.max_length))


_PRINTABLE = "".join(chr(c) for c in range(32, 127))
