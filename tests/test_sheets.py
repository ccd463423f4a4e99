"""Sheets: CSV that programs read back and that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecounters.sheets import csv_of

CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))


def test_columns_and_lines() -> None:
    assert csv_of(("of", "value"), [("a,b", 1), ("c", None)]) == 'of,value\r\n"a,b",1\r\nc,\r\n'


def test_nothing_is_a_line_of_columns() -> None:
    assert csv_of(("of", "value"), []) == "of,value\r\n"


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    ((cell,),) = list(csv.reader(io.StringIO(csv_of((), [(text,)]), newline="")))[1:]

    assert cell == f"'{text}"


@pytest.mark.parametrize("number", [-1, -0.5, Decimal("-3.20"), "-9007199254740993", "-3.20"])
def test_a_number_below_zero_stays_one(number: Any) -> None:
    assert csv_of(("n",), [(number,)]) == f"n\r\n{number}\r\n"


@given(st.lists(st.tuples(CELLS, CELLS)))
def test_what_is_written_is_read_back(lines: list[tuple[str, str]]) -> None:
    found = list(csv.reader(io.StringIO(csv_of(("a", "b"), lines), newline="")))[1:]

    assert [tuple(cell.removeprefix("'") for cell in line) for line in found] == [
        tuple(cell.removeprefix("'") for cell in line) for line in lines
    ]
