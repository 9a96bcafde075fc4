"""What time and work grow with, as a picture."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

__all__ = ["figure"]

_FAMILIES = ((False, "25 % edits", "#3a6ea5"), (True, "unrelated", "#b04040"))


def figure(results: dict[str, Any], path: Path) -> bool:
    """Draw time and work against four things; `False` without matplotlib or without curves."""
    if "curves" not in results or importlib.util.find_spec("matplotlib") is None:
        return False
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    picture = Figure(figsize=(11, 8), layout="constrained")
    panels = picture.subplots(2, 2).flat
    everything = [row for rows in results["curves"].values() for row in rows]
    times = _limits([row["median_us"] for row in everything])
    works = _limits([row["work_median"] for row in everything])
    for axes, (name, rows) in zip(panels, results["curves"].items(), strict=True):
        work = axes.twinx()
        shares = name == "share of edits"  # equally spaced, and unrelated pairs at the end
        for unrelated, _, color in _FAMILIES:
            chosen = [row for row in rows if row["unrelated"] is unrelated or shares]
            if shares and unrelated:
                continue
            at = list(range(len(chosen))) if shares else [row["value"] for row in chosen]
            time = [row["median_us"] for row in chosen]
            axes.plot(at, time, color=color, linewidth=1.8)
            work.plot(at, [row["work_median"] for row in chosen], ":", color=color, linewidth=1.4)
            # Filled: all pairs exact; hollow: none.
            axes.scatter(
                at, time, s=42, color=color, zorder=3, facecolor=[
                    (*_rgb(color), 1.0) if row["exact"] == 1 else "white" for row in chosen
                ],
            )  # fmt: skip
            for x, y, row in zip(at, time, chosen, strict=True):
                if row["exact"] < 1:
                    axes.annotate(
                        f"{row['exact']:.0%}", (x, y), (0, 7), textcoords="offset points",
                        ha="center", fontsize=8, color=color,
                    )  # fmt: skip
        if name in ("nodes", "node labels"):
            axes.set_xscale("log")
        if shares:
            ticks = list(range(len(rows)))
            labels = ["unrelated" if row["unrelated"] else f"{row['value']:.0%}" for row in rows]
        else:
            ticks = sorted({row["value"] for row in rows})
            labels = [f"{tick:g}" for tick in ticks]
        axes.set_xticks(ticks, labels)
        axes.set_xticks([], minor=True)
        axes.set_yscale("log")
        work.set_yscale("log")
        axes.set_ylim(*times)
        work.set_ylim(*works)
        axes.set_title(name if name == "nodes" else f"{name} (12 nodes)", fontsize=11)
        axes.set_ylabel("microseconds per pair (median)", fontsize=9)
        work.set_ylabel("work (median, dotted)", fontsize=9)
        axes.grid(alpha=0.25)
        for side in (axes, work):
            side.tick_params(labelsize=8)
    handles = [Line2D([], [], color=color, label=label) for _, label, color in _FAMILIES]
    handles += [
        Line2D([], [], color="black", linestyle=":", label="work, right axis"),
        Line2D([], [], color="black", marker="o", linestyle="", label="all pairs exact"),
        Line2D(
            [], [], color="black", marker="o", linestyle="", markerfacecolor="white",
            label="not all: share beside it",
        ),
    ]  # fmt: skip
    picture.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=9, frameon=False)
    budget = results["curves"]["nodes"][0]["budget"]
    picture.suptitle(f"What a pair costs, budget {budget:,}", fontsize=12)
    picture.savefig(path, dpi=110)
    return True


def _limits(values: list[float]) -> tuple[float, float]:
    """Return the limits of a logarithmic axis that all panels share."""
    return min(values) / 1.6, max(values) * 2.2


def _rgb(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue
