"""Pictures of the results: ``python -m benchmarks.plot`` draws the first table of each file."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

from benchmarks.report import RESULTS

COLOURS = ("#5b6472", "#2f7ae5", "#1b4f9c", "#c9762c", "#b3413a", "#7d5ba6", "#4f8a5b")


def main() -> int:
    # The same picture for the same numbers, byte by byte.
    matplotlib.rcParams.update({"svg.hashsalt": "livecounters", "font.size": 9})
    # Text stays text: smaller files, to be read by machines and screen readers.
    matplotlib.rcParams.update({"svg.fonttype": "none", "font.family": "sans-serif"})
    for file in sorted(RESULTS.glob("*.json")):
        table = json.loads(file.read_text())["tables"][0]
        draw = _lines if file.stem.startswith("read") else _bars
        if draw is _lines or "variant" in table["rows"][0]:
            path = file.with_suffix(".svg")
            draw(table, path)
            print(path.name)
    return 0


def _bars(table: dict[str, Any], path: Path) -> None:
    """How each variant does against the first; of servers, what a frame costs."""
    rows = table["rows"]
    names = [row["variant"] for row in rows]
    column, unit = ("us a frame", " us") if "us a frame" in rows[0] else ("ratio", "x")
    values = [row[column] for row in rows]
    figure, axes = pyplot.subplots(figsize=(7, 0.45 * len(rows) + 1))
    bars = axes.barh(names, values, color=COLOURS[: len(rows)])
    axes.bar_label(bars, [f"{value:.2f}{unit}" for value in values], padding=3)
    axes.invert_yaxis()
    if column == "ratio":
        axes.axvline(1, color="#999999", linewidth=0.8)
    axes.set_title(table["title"], loc="left")
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def _lines(table: dict[str, Any], path: Path) -> None:
    """Time in the database over the rows of the table."""
    series: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row in table["rows"]:
        name = (
            row["question"] if row["deltas"] == "folded" else f"{row['question']}, {row['deltas']}"
        )
        series[name].append((row["rows"], row["in the database, ms"]))
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for (name, points), colour in zip(series.items(), COLOURS, strict=False):
        axes.plot(*zip(*points, strict=True), marker="o", label=name, color=colour)
    axes.set(xscale="log", yscale="log", xlabel="rows", ylabel="milliseconds in the database")
    axes.set_title(table["title"], loc="left")
    axes.legend(frameon=False)
    axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
