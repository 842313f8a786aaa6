"""The plots of a long run, as SVG. Needs matplotlib, which the bench extra brings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt

from bench.run import Figure, Results

OURS, THEIRS = "#1b6ca8", "#9aa5b1"
PARTS = ("#1b6ca8", "#d9822b", "#5aa469", "#8e6bbf", "#9aa5b1", "#e8ebee")
"""The colours of a profile's parts; the last is for what nobody used."""


def draw(results: Results, directory: Path) -> None:
    """A large batch, its growth, and single orders: one file for each that was measured."""
    # The same figures give the same file.
    mpl.rcParams["svg.hashsalt"] = "ordermill"
    _bars(results, "one batch of ", "orders per second, median and range", directory / "large-batch.svg")
    _bars(results, "batches of 1, 32 clients", "orders per second", directory / "single-orders.svg")
    _bars(results, "batches of 1, one client", "ms until answered", directory / "single-waits.svg")
    _bars(results, "all orders in one shape", "orders per second, median and range", directory / "shapes.svg")
    _bars(results, "orders of so many lines", "lines per second", directory / "lines.svg")
    _growth(results, directory / "growth.svg")
    _profiles(results, directory / "profile.svg")


def _bars(results: Results, beginning: str, unit: str, file: Path) -> None:
    figures = [one for one in results.figures if one.name.startswith(beginning)][::-1]
    if not figures:
        return
    names = [one.name.partition(": ")[2] for one in figures]
    figure, axes = plt.subplots(figsize=(8, 0.8 + 0.4 * len(figures)), layout="constrained")
    bars = axes.barh(
        names,
        [one.median for one in figures],
        xerr=_spread(figures),
        color=[OURS if "ordermill" in name else THEIRS for name in names],
    )
    axes.bar_label(bars, fmt="{:,.4g}", padding=4)
    axes.set_xlabel(unit)
    axes.set_title(figures[0].name.partition(":")[0])
    _save(figure, axes, file)


def _growth(results: Results, file: Path) -> None:
    beginning = "cost of an order in a batch of "
    figures = [one for one in results.figures if one.name.startswith(beginning)]
    if not figures:
        return
    sizes = [int(one.name.removeprefix(beginning).replace(",", "")) for one in figures]
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    axes.errorbar(sizes, [one.median for one in figures], yerr=_spread(figures), marker="o", color=OURS)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("orders in the batch")
    axes.set_ylabel("µs per order")
    axes.set_title("What an order costs in a batch of so many, from the first byte sent to the job done")
    _save(figure, axes, file)


def _profiles(results: Results, file: Path) -> None:
    if not results.profiles:
        return
    names = [one.name for one in results.profiles]
    figure, axes = plt.subplots(figsize=(8, 2.2), layout="constrained")
    left = [0.0] * len(names)
    for part, colour in zip(results.profiles[0].cpu_micros, PARTS, strict=False):
        micros = [one.cpu_micros[part] for one in results.profiles]
        axes.barh(names, micros, left=left, label=part, color=colour)
        left = [sum(both) for both in zip(left, micros, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("µs of processor time per order, what the cores had left included")
    axes.legend(ncols=6, fontsize="x-small", loc="upper center", bbox_to_anchor=(0.5, -0.35), frameon=False)
    axes.set_title("For whom the processors work during a large batch")
    _save(figure, axes, file)


def _spread(figures: Sequence[Figure]) -> list[list[float]]:
    return [
        [one.median - min(one.values) for one in figures],
        [max(one.values) - one.median for one in figures],
    ]


def _save(figure: Any, axes: Any, file: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
