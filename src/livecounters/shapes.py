"""Shapes: numbers as the path of an SVG. The browser's twin is ``client/src/charts/shape.js``.

A point is one wide, and the picture 100 high; the page stretches it to the room there is.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["KINDS", "shape"]

KINDS = ("bar", "line", "area")

# Above and below is room for half a stroke.
BOTTOM, HEIGHT = 98, 96
# A bar leaves a tenth free on either side.
MARGIN, WIDTH = 0.1, 0.8


def shape(kind: str, values: Sequence[float | None], start: int, end: int) -> str:
    """The path of the points from one to another, of all whose scale it shares. What is not known
    is a gap, and a point alone between gaps is as wide as a bar; zero is always in the picture."""
    known = [value for value in values if value is not None]
    low, high = min(known, default=0), max(known, default=0)
    low, high = min(low, 0), max(high, 0)

    def y(value: float) -> str:
        return f"{BOTTOM - HEIGHT * (value - low) / ((high - low) or 1):.1f}"

    base, path, drawing = y(0), "", False
    close = "h0" if kind == "line" else f"V{base}z"
    for n in range(max(start, 0), end):
        value, wide = values[n], kind == "bar" or _alone(values, n)
        x = f"{n + (MARGIN if wide else 0.5):.10g}"
        if value is None:
            path += close if drawing else ""
            drawing = False
            continue
        begin = f"M{x} " if kind == "line" else f"M{x} {base}V"
        path += f"L{x} {y(value)}" if drawing else f"{begin}{y(value)}"
        if wide:
            path += f"h{WIDTH}{close}"
        else:
            drawing = True
    return path + close if drawing else path


def _alone(values: Sequence[float | None], n: int) -> bool:
    """A line from one point to the same would not be seen, an area would stand upright."""
    return all(value is None for value in (*values[max(n - 1, 0) : n], *values[n + 1 : n + 2]))
