"""Lettering: how wide a text is, for pictures that are drawn where no browser is."""

from __future__ import annotations

import unicodedata

__all__ = ["width_of"]

# Of Verdana, which is wider than most: thousandths of the size. What is not named is as a digit.
DIGIT = 636
WIDE = 1000
WIDTHS = {
    letter: width
    for letters, width in (
        ("ijlI'|!.,:;", 300),
        ('-()[]{}/ frt"\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}', 420),
        ("csvxyzkJ?*", 590),
        ("ABCKPRSTVXYZE&", 695),
        ("DGHNOQU~+=<>#", 800),
        ("mwMW@%\N{EN DASH}\N{HORIZONTAL ELLIPSIS}", 1000),
    )
    for letter in letters
}


def width_of(text: str, size: float) -> float:
    """About how wide a text is in letters of a size, in the same unit."""
    return sum(map(_width, text)) * size / 1000


def _width(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    if unicodedata.east_asian_width(letter) in "WF":
        return WIDE
    return WIDTHS.get(letter, DIGIT)
