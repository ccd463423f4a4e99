"""Sheets: numbers as lines of CSV, for programs and for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["csv_of"]

# What a spreadsheet would run as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(columns: Sequence[str], lines: Iterable[Iterable[Any]]) -> str:
    """CSV (RFC 4180): the names of the columns, and the lines below. ``None`` is empty; a text that
    begins like a formula stands behind an apostrophe, which spreadsheets read as "this is text"."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in line] for line in lines)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA) and not _is_number(value):
        return f"'{value}"
    return "" if value is None else value


def _is_number(text: str) -> bool:
    """Exact numbers travel as texts, and some are below zero."""
    return text[1:].replace(".", "", 1).isdecimal() and text.isascii()
