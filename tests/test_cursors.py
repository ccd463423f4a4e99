"""Cursors: what is written is read again, everything else is none."""

from __future__ import annotations

import pytest

from livecounters.cursors import Cursor


def test_there_and_back() -> None:
    cursor = Cursor("ab12", 7, 9)

    assert str(cursor) == "ab12-7-9"
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text",
    ["", "x", "ab-1", "ab-1-", "AB-1-2", "ab-1-2-3", "ab-1-2\n", "ab-\u0661-2", "ab-" + "9" * 19],
)
def test_what_is_none(text: str) -> None:
    assert Cursor.parse(text) is None
