"""The figures of a comparison: colour-blind safe, every interval named, nothing but the data."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["CAPTIONS", "draw_plots"]

# Okabe and Ito (2008), Color Universal Design; every variant also has its own dash and marker.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.2)), (0, (6, 2, 1.5, 2)))
MARKERS = "osD^vPX"
GREY = "#6b6b6b"
WIDTH = 5.8  # inches: text stays readable when the page is as narrow as a phone
STYLE = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 170,
}

CAPTIONS = {
    "learning": (
        "Truth on validation tasks while training. Thin lines are seeds, the thick line is "
        "their interquartile mean, the band its 95% bootstrap interval over seeds and tasks, "
        "point by point."
    ),
    "final": (
        "Truth on held-out tasks after training. Dots are seeds; the mark is their "
        "interquartile mean with its 95% bootstrap interval over seeds and tasks. Grey: what "
        "is reached without reinforcement learning, with Wilson's 95% interval over tasks."
    ),
    "gap": (
        "What the reward claims (mapped to 0..1 by its range) beside the truth, means over "
        "validation tasks and seeds. A reward that grades by degrees starts above the truth; "
        "one that pulls away from it while training goes on is being gamed."
    ),
    "health": (
        "Training signal. A group whose episodes all earn the same teaches nothing; a malformed "
        "episode could not be read. Means over seeds."
    ),
}
"""What each figure shows, in a sentence, for the report."""


def draw_plots(result: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Draw the figures of a comparison into `folder`; return them by name (keys of `CAPTIONS`).

    A figure without data (no validation was asked for) is left out.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, Path] = {}

    @contextmanager
    def figure(name: str, **kwargs: Any) -> Iterator[Any]:
        made = Figure(layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.06), **kwargs)
        FigureCanvasAgg(made)
        yield made
        made.savefig(folder / f"{name}.png", facecolor="white")
        drawn[name] = folder / f"{name}.png"

    # rc_context keeps our style out of the figures of whoever called.
    with mpl.rc_context(STYLE):
        if any(len(v["curve"]) > 1 for v in result["variants"]):
            _learning(result, figure)
        _final(result, figure)
        if any(len(v["curve"]) > 1 for v in result["variants"]):
            _gap(result, figure)
        if any(v["training"] for v in result["variants"]):
            _health(result, figure)
    return drawn


def _name(text: str, width: int = 26) -> str:
    return "\n".join(textwrap.wrap(text, width)) or text


def _style(i: int) -> dict[str, Any]:
    return {"color": COLORS[i % len(COLORS)], "linestyle": DASHES[i % len(DASHES)]}


def _learning(result: Mapping[str, Any], figure: Callable[..., Any]) -> None:
    with figure("learning", figsize=(WIDTH, 4.0)) as made:
        axes = made.add_subplot()
        for i, variant in enumerate(result["variants"]):
            curve = variant["curve"]
            if not curve:
                continue
            steps = [point["step"] for point in curve]
            style = _style(i)
            for seed in zip(*(point["per_seed"] for point in curve), strict=True):
                axes.plot(steps, seed, color=style["color"], linewidth=0.7, alpha=0.45)
            low, high = ([point[end] for point in curve] for end in ("low", "high"))
            axes.fill_between(steps, low, high, color=style["color"], alpha=0.13, linewidth=0)
            axes.plot(
                steps,
                [point["value"] for point in curve],
                label=_name(variant["name"], 56),
                linewidth=2.4,
                marker=MARKERS[i % len(MARKERS)],
                markersize=5,
                **style,
            )
        _share_axis(axes, "y", "truth (validation)")
        axes.set_xlabel("GRPO step")
        axes.margins(x=0.02)
        made.legend(loc="outside lower left", ncols=1, handlelength=3.5)


def _share_axis(axes: Any, which: str, label: str) -> None:
    """A share as per cent, from 0 to a little above what is shown."""
    from matplotlib.ticker import PercentFormatter

    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    limits = axes.get_ylim() if which == "y" else axes.get_xlim()
    top = max(limits[1], 0.1)
    # A number may stand to the right of the longest interval.
    top = top + 0.12 * top if which == "x" else min(1.02, top)
    (axes.set_ylim if which == "y" else axes.set_xlim)(0 if which == "y" else -0.01, top)
    (axes.set_ylabel if which == "y" else axes.set_xlabel)(label)


def _final(result: Mapping[str, Any], figure: Callable[..., Any]) -> None:
    variants, floors = result["variants"], result.get("floors", [])
    labels = [_name(v["name"]) for v in variants] + [_name(f["name"]) for f in floors]
    heights = [1.0 + 0.55 * label.count("\n") for label in labels]
    places, at = [], 0.0
    for number, height in enumerate(heights):
        if number == len(variants):
            at += 0.4
        places.append(at + height / 2)
        at += height
    with figure("final", figsize=(WIDTH, 0.9 + 0.34 * at)) as made:
        axes = made.add_subplot()
        for i, variant in enumerate(variants):
            final, color, y = variant["final"], COLORS[i % len(COLORS)], places[i]
            axes.plot([final["low"], final["high"]], [y, y], color=color, linewidth=3, alpha=0.5)
            axes.plot(
                final["per_seed"],
                [y] * len(final["per_seed"]),
                linestyle="none",
                marker="o",
                markersize=5,
                markerfacecolor="white",
                markeredgecolor=color,
            )
            axes.plot(
                [final["value"]], [y], marker="|", markersize=17, markeredgewidth=3, color=color
            )
            _number(axes, final, y, color)
        for floor, y in zip(floors, places[len(variants) :], strict=True):
            axes.plot([floor["low"], floor["high"]], [y, y], color=GREY, linewidth=1.5)
            axes.plot(
                [floor["value"]], [y], marker="|", markersize=11, markeredgewidth=2, color=GREY
            )
            _number(axes, floor, y, GREY)
        axes.set_yticks(places, labels)
        axes.tick_params(axis="y", length=0)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.spines["left"].set_visible(False)
        _share_axis(axes, "x", f"truth on held-out tasks ({result['heldout_tasks']:,})")


def _number(axes: Any, row: Mapping[str, float], y: float, color: str) -> None:
    axes.annotate(
        f"{row['value']:.1%}",
        (row["high"], y),
        xytext=(7, 0),
        textcoords="offset points",
        annotation_clip=False,
        va="center",
        color=color,
        fontsize=10,
    )


def _gap(result: Mapping[str, Any], figure: Callable[..., Any]) -> None:
    variants = [
        (i, v) for i, v in enumerate(result["variants"]) if v["curve"] and not v["control_of"]
    ]
    columns = min(2, len(variants))
    rows = -(-len(variants) // columns)
    with figure("gap", figsize=(WIDTH, 0.9 + 2.0 * rows)) as made:
        grid = made.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for place, (i, variant) in enumerate(variants):
            axes = grid[place // columns][place % columns]
            curve = [point for point in variant["curve"] if point["reward"] is not None]
            steps = [point["step"] for point in curve]
            # The mean, like the reward: an interquartile mean would show a gap of its own.
            truth = [point["mean"] for point in curve]
            reward = [point["reward"] for point in curve]
            color = COLORS[i % len(COLORS)]
            axes.fill_between(steps, truth, reward, color=color, alpha=0.12, linewidth=0)
            axes.plot(steps, reward, label="reward", color="#222222", dashes=(4, 3), zorder=3)
            axes.plot(steps, truth, color=color, linewidth=2.4, label="truth")
            axes.set_title(_name(variant["name"], 30))
            axes.legend(loc="best", fontsize=9.5)
            axes.tick_params(labelbottom=True)
            axes.margins(x=0.02)
        for axes in grid.flat[len(variants) :]:
            axes.set_visible(False)
        _share_axis(grid[0][0], "y", "")
        made.supylabel("mean over validation", fontsize=11)
        made.supxlabel("GRPO step", fontsize=11)


def _health(result: Mapping[str, Any], figure: Callable[..., Any]) -> None:
    panels = (
        ("zero_variance", "groups without signal"),
        ("malformed", "malformed episodes"),
    )
    with figure("health", figsize=(WIDTH, 3.2)) as made:
        grid = made.subplots(1, 2, sharex=True)
        for axes, (key, title) in zip(grid, panels, strict=True):
            for i, variant in enumerate(result["variants"]):
                points = [(r["step"], r[key]) for r in variant["training"] if r[key] is not None]
                if points:
                    label = _name(variant["name"], 56)
                    axes.plot(*zip(*points, strict=True), label=label, linewidth=1.8, **_style(i))
            axes.set_title(title)
            axes.set_xlabel("GRPO step")
            axes.margins(x=0.02)
            _share_axis(axes, "y", "")
        handles, names = grid[0].get_legend_handles_labels()
        made.legend(handles, names, loc="outside lower left", ncols=1, handlelength=3.5)
