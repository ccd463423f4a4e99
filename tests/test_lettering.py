"""How wide a text is, about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecounters.lettering import width_of


@pytest.mark.parametrize(
    ("narrow", "wide"), [("ill", "mmm"), ("1", "W"), ("a", "数"), ("", "."), (".", "8")]
)
def test_some_are_wider(narrow: str, wide: str) -> None:
    assert width_of(narrow, 11) < width_of(wide, 11)


def test_numbers_of_as_many_digits_are_as_wide() -> None:
    assert width_of("1,111", 11) == width_of("8,888", 11)


def test_what_stands_on_a_letter_is_not_wider() -> None:
    assert width_of("e\N{COMBINING ACUTE ACCENT}", 11) == width_of("e", 11)


@given(st.text(), st.text())
def test_a_text_is_as_wide_as_its_parts(one: str, other: str) -> None:
    assert width_of(one + other, 1) == pytest.approx(width_of(one, 1) + width_of(other, 1))
