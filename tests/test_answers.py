"""What the readers give back, apart from the database."""

from __future__ import annotations

import pytest

from livecounters.answers import Change, Values


def scope(of: object) -> str:
    if isinstance(of, list):
        raise TypeError("no key")
    return str(of)


def test_values_by_what_was_asked_and_by_what_it_stands_for() -> None:
    values = Values({7: 3, "8": None}, scope)

    assert values == {7: 3, "8": None}
    assert values["7"] == 3
    assert values[8] is None
    for unknown in (9, "", ["7"]):
        with pytest.raises((KeyError, TypeError)):
            values[unknown]


@pytest.mark.parametrize(
    ("change", "difference", "percent"),
    [
        (Change(6, 4), 2, 50.0),
        (Change(2, 4), -2, -50.0),
        (Change(3, -2), 5, 250.0),
        (Change(1, 0), 1, None),
        (Change(None, 4), None, None),
        (Change(4, None), None, None),
    ],
)
def test_a_change(change: Change, difference: int | None, percent: float | None) -> None:
    assert change.difference == difference
    assert change.percent == percent
