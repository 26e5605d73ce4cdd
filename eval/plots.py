"""Figures of a run -> plots as inline SVG. The only module that knows matplotlib; knows nothing of records or HTML.

The same data give the same text. Colours are variables of the page (`--ink`, `--rule`, `--plot-1` to `--plot-6`) with a
fallback, so that one drawing can be read on light and on dark; text stays text.
"""

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

# Colours that matplotlib can draw with, and what takes their place in the page.
_INK, _RULE = "#000001", "#000002"
_SERIES = tuple(f"#00000{number}" for number in range(3, 9))
_FALLBACKS = ("#0b62a8", "#b5490a", "#00795c", "#8d4a86", "#7d6608", "#555f6d")
_VARIABLES = {_INK: "var(--ink, #1c2024)", _RULE: "var(--rule, #d3d8df)"} | {
    colour: f"var(--plot-{number}, {fallback})"
    for number, (colour, fallback) in enumerate(zip(_SERIES, _FALLBACKS, strict=True), start=1)
}
_STYLE = {
    "svg.fonttype": "none", "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
    "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _INK, "xtick.color": _INK, "ytick.color": _INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
    "grid.color": _RULE, "grid.linewidth": 0.8, "font.family": "DejaVu Sans", "font.size": 10, "axes.titlesize": 10,
    "legend.frameon": False, "legend.fontsize": 9, "lines.linewidth": 1.8,
}  # fmt: skip
_MARKERS = "osD^vX"
_INTERVAL_Z = 1.959964


def risk_coverage(coverage: Sequence[float], risk: Sequence[float], chosen: Mapping[str, float]) -> str:
    """Share of wrong answers over the share of questions answered; `chosen` is where the run itself stands."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.plot(coverage, risk, color=_SERIES[0], label="answering the most confident first")
        label = f"this run: {chosen['coverage']:.0%} answered, {chosen['risk']:.0%} of them wrong"
        axes.plot(
            [chosen["coverage"]], [chosen["risk"]], "o", color=_SERIES[1], markersize=9, label=label, clip_on=False
        )
        axes.set(xlabel="coverage: share of questions answered", ylabel="risk: share of those that are wrong")
        top = min(1.0, max([*risk, chosen["risk"], 0.1]) * 1.15)
        axes.set(xlim=(0, 1.01), ylim=(0, top))
        _legend_above(figure)

    return _svg("risk", draw)


def calibration(bins: Sequence[Mapping[str, float]]) -> str:
    """Share of answerable questions over the mean confidence, bin by bin, with Wilson's 95% intervals."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        means, shares = [one["confidence"] for one in bins], [one["answerable"] for one in bins]
        axes.plot([0, 1], [0, 1], "--", color=_INK, linewidth=1, label="confidence = share answerable")
        for one in bins:
            low, high = _wilson(one["answerable"], one["n"])
            axes.plot([one["confidence"]] * 2, [low, high], color=_SERIES[0], linewidth=1)
        axes.plot(means, shares, "o-", color=_SERIES[0], markersize=6, label="this run (below: questions in the bin)")
        for rank, one in enumerate(bins):
            # By turns on two heights: neighbours may stand close.
            axes.text(one["confidence"], 0.02 + 0.06 * (rank % 2), str(one["n"]), ha="center", fontsize=8)
        axes.set(xlim=(0, 1), ylim=(0, 1.03), xlabel="mean confidence of the bin", ylabel="share answerable")
        _legend_above(figure)

    return _svg("calibration", draw)


def latency(seconds: Mapping[str, Sequence[float]]) -> str:
    """A histogram of the seconds for each name in `seconds`, with the median and the 95th percentile marked."""

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(seconds), squeeze=False)[0]
        for axes, colour, (name, values) in zip(panels, (_SERIES[0], _SERIES[2]), seconds.items(), strict=False):
            bins = min(30, max(5, math.isqrt(len(values)) * 2))
            axes.hist(values, bins=bins, color=colour, alpha=0.75)
            marks = [float(np.quantile(values, share)) for share in (0.5, 0.95)]
            for mark, dashes, share in zip(marks, ("-", "--"), (50, 95), strict=True):
                axes.axvline(mark, color=_INK, linestyle=dashes, linewidth=1.2, label=f"p{share}: {mark:.3g} s")
            axes.set(title=name, xlabel="seconds", xlim=(0, None))
            axes.yaxis.get_major_locator().set_params(integer=True)
            # Above the bars, which may stand anywhere.
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.1), handlelength=1.4)
        panels[0].set_ylabel("questions")

    return _svg("latency", draw)


def recall_by_depth(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Recall over the first k papers, a line for each name in `curves`, six at most; the first with its interval."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for rank, (name, points) in enumerate(curves.items()):
            depths, values = [point["k"] for point in points], [point["value"] for point in points]
            first = rank == 0
            axes.plot(
                depths, values, f"{_MARKERS[rank]}-", color=_SERIES[rank], markersize=4, zorder=3 if first else 2,
                linewidth=2.6 if first else 1.4, label=f"{name} ({points[0]['n']})",
            )  # fmt: skip
            if first:
                bounds = [point["low"] for point in points], [point["high"] for point in points]
                axes.fill_between(depths, *bounds, color=_SERIES[rank], alpha=0.18, linewidth=0)
        axes.set_xscale("log")
        axes.set_xticks(depths, [str(depth) for depth in depths])
        axes.set_xticks([], minor=True)
        axes.set(ylim=(0, 1.03), xlabel="k, papers from the top (log scale)", ylabel="recall of gold papers")
        _legend_above(figure, columns=3)

    return _svg("recall", draw)


def _legend_above(figure: Any, columns: int = 1) -> None:
    """A legend over the axes rather than in them, where it would cover lines."""
    figure.legend(loc="outside upper left", ncols=columns, borderaxespad=0.2)


def _wilson(share: float, n: float) -> tuple[float, float]:
    """The 95% score interval of a share (Wilson 1927)."""
    z2 = _INTERVAL_Z**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _INTERVAL_Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def _svg(name: str, draw: Callable[[Any], None]) -> str:
    """What `draw` puts on a figure, as an `<svg>` element whose ids all begin with `name`."""
    buffer = io.StringIO()
    with matplotlib.rc_context(_STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=(5.6, 3.7), layout="constrained")
        draw(figure)
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    # A style in the middle of the page would hold for all of it; sizes are the page's to give.
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text))
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    return re.sub("|".join(rf"{colour}\b" for colour in _VARIABLES), lambda match: _VARIABLES[match[0]], text)
