"""Numerals: how a number is written in each language of Django, as browsers write it.

A number that the server wrote is written anew by the page's script when it changes, by
``Intl.NumberFormat``, which knows Unicode's CLDR. Django's formats differ from that: by the blank in
French, by four-digit numbers in Spanish, by groups of four in Chinese. Here is what CLDR says.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TypeVar

__all__ = ["numeral", "percent_sign"]

BLANK, THIN, LEFT_TO_RIGHT, RIGHT_TO_LEFT = "\u00a0", "\u202f", "\u200e", "\u200f"


T = TypeVar("T")


def _by_code(table: Mapping[T, str]) -> dict[str, T]:
    return {code: each for each, codes in table.items() for code in codes.split()}


# Between groups of digits, and before the fraction. All others write 1,234.5 as English does.
MARKS = _by_code(
    {
        (BLANK, ","): "af bg be br cs de-at et fi fr-ca hu hy ka kab kk lt lv nb nn os pl pt-pt ru"
        " sk sq sv tg tk tt uk",
        (THIN, ","): "eo fr",
        (".", ","): "ar-dz ast az bs ca da de dsb el es eu fy gl hr hsb ia id is it lb mk nl pt ro"
        " sl sr tr vi",
        ("'", "."): "de-ch",
        (",", "."): "es-mx es-ni",
        ("\u066c", "\u066b"): "ckb fa",
    }
)

# From how many digits on there are groups: 1,234 in English, but 1234 and 12.345 in Spanish.
LEAST = _by_code(
    {5: "bg be es et hu hy ia it ka lv pl pt-pt sl sq", 4: "es-ar es-co es-mx es-ni es-ve"}
)

# Before the last three digits, groups are of two: 12,34,567.
SIZES = _by_code({2: "bn hi ml mr ne pa ta te"})

ZEROS = {
    "bn": "\N{BENGALI DIGIT ZERO}",
    "ckb": "\N{ARABIC-INDIC DIGIT ZERO}",
    "fa": "\N{EXTENDED ARABIC-INDIC DIGIT ZERO}",
    "mr": "\N{DEVANAGARI DIGIT ZERO}",
    "my": "\N{MYANMAR DIGIT ZERO}",
    "ne": "\N{DEVANAGARI DIGIT ZERO}",
}

MINUSES = _by_code(
    {
        "\N{MINUS SIGN}": "et eu fi hr lt nb nn sl sv",
        LEFT_TO_RIGHT + "-": "ar he ur",
        RIGHT_TO_LEFT + "-": "ckb",
        LEFT_TO_RIGHT + "\N{MINUS SIGN}": "fa",
    }
)

# Before and behind a percentage; the others write 50%.
PERCENTS = _by_code(
    {
        ("", BLANK + "%"): "be br ca cs da de dsb es fi fr gl hr hsb lb lt mk nb nn ro ru sk sl sv"
        " tk tt",
        ("", "%"): "de-ch es-ar es-co es-mx es-ni es-ve",
        ("", LEFT_TO_RIGHT + "%" + LEFT_TO_RIGHT): "ar",
        ("", BLANK + "\u066a"): "ckb",
        ("%" + BLANK, ""): "eu",
        ("", "\u066a"): "fa",
        ("%", ""): "tr",
    }
)

# Digits enough for any number of a bigint column.
_WIDE = Context(prec=60)


def numeral(number: int | float | Decimal, decimals: int, language: str) -> str:
    """A number with so many digits after the point, in a language (a code of Django's)."""
    # Text first: a float is what it is written as. Rounded as Intl.NumberFormat does.
    rounded = Decimal(str(number)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _WIDE)
    whole, _, fraction = f"{abs(rounded):f}".partition(".")
    mark, point = _of(language, MARKS, (",", "."))
    written = mark.join(_groups(whole, language))
    written += point + fraction if fraction else ""
    if (zero := _of(language, ZEROS, "0")) != "0":
        written = written.translate({ord("0") + n: ord(zero) + n for n in range(10)})
    return (_of(language, MINUSES, "-") if rounded.is_signed() else "") + written


def percent_sign(language: str) -> tuple[str, str]:
    """What stands before and behind a percentage, blanks included."""
    return _of(language, PERCENTS, ("", "%"))


def _groups(whole: str, language: str) -> list[str]:
    if len(whole) < _of(language, LEAST, 4):
        return [whole]
    size = _of(language, SIZES, 3)
    front, last = whole[:-3], whole[-3:]
    first = len(front) % size
    pieces = [front[:first], *(front[at : at + size] for at in range(first, len(front), size))]
    return [*filter(None, pieces), last]


def _of(language: str, table: Mapping[str, T], other: T) -> T:
    """Of the language, or of the one that it is a variety of."""
    return table.get(language, table.get(language.partition("-")[0], other))
