"""The truth of a design: how much of the gain that is known to be possible it reached."""

from __future__ import annotations

__all__ = ["design_truth"]


def design_truth(start: float, end: float | None, best: float) -> tuple[float, dict[str, float]]:
    """Return (success in [0, 1], metrics) of a design.

    Parameters
    ----------
    start, end, best
        Values of the objective: of the network that was given, of the design (`None` if none was
        submitted), of the best design that is known.

    Success is (end - start) / (best - start), cut to [0, 1]. Where no better design than the start
    is known, it is 1 for one that is not worse. Metrics: `objective` (end), `gain` (end - start,
    what is published), `relative` (not cut: above 1 where a design beats the best that was known).

    >>> design_truth(0.25, 0.5, 0.75)
    (0.5, {'objective': 0.5, 'gain': 0.25, 'relative': 0.5})
    >>> design_truth(0.25, None, 0.75)[0]
    0.0
    """
    if end is None:
        return 0.0, {"objective": start, "gain": 0.0, "relative": 0.0}
    gain = end - start
    relative = gain / (best - start) if best > start else float(gain >= 0.0)
    success = min(max(relative, 0.0), 1.0)
    return success, {"objective": end, "gain": gain, "relative": relative}
