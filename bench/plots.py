"""The plots of a long run. Needs matplotlib, which the bench extra brings."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt

from bench.scenarios import Results

OURS, THEIRS = "#1b6ca8", "#9aa5b1"


def draw(results: Results, directory: Path) -> None:
    """One bar per rival of the large batch, as an SVG."""
    figures = [one for one in results.figures if one.name.startswith("one batch of ")]
    names = [one.name.partition(": ")[2] for one in figures]
    figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
    bars = axes.barh(
        names[::-1],
        [one.median for one in figures][::-1],
        xerr=[
            [one.median - min(one.values) for one in figures][::-1],
            [max(one.values) - one.median for one in figures][::-1],
        ],
        color=[OURS if "ordermill" in name else THEIRS for name in names][::-1],
    )
    axes.bar_label(bars, fmt="{:,.0f}", padding=4)
    axes.set_xlabel("orders per second, median and range")
    axes.set_title(figures[0].name.partition(":")[0] if figures else "")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(directory / "large-batch.svg")
    plt.close(figure)
