"""Numbers as paths; the browser draws the same ones from the same file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecounters.shapes import KINDS, shape

GOLDEN = json.loads((Path(__file__).parent / "shapes.json").read_text(encoding="utf-8"))
NUMBERS = st.lists(st.none() | st.floats(-1e9, 1e9), max_size=20)


@pytest.mark.parametrize("one", GOLDEN, ids=lambda one: f"{one['name']}, {one['kind']}")
def test_as_the_browser_draws_it(one: dict[str, Any]) -> None:
    values, end = one["values"], len(one["values"])

    assert shape(one["kind"], values, 0, end - 1) == one["shape"]
    assert (
        shape(one["kind"], values, end - (1 if one["kind"] == "bar" else 2), end)
        == (one["running"])
    )


@given(NUMBERS, st.sampled_from(KINDS))
def test_nothing_is_drawn_outside_the_picture(values: list[float | None], kind: str) -> None:
    path = shape(kind, values, 0, len(values))

    heights = [float(text) for text in path_heights(path)]
    assert all(2 <= height <= 98 for height in heights)
    assert path.count("M") == (runs(values) if kind != "bar" else known(values))


def path_heights(path: str) -> list[str]:
    """What stands behind a blank or a V."""
    cut = path.replace("z", "").replace("M", " M").replace("L", " L").replace("h", " h")
    words = cut.replace("V", " V").split()
    return [w[1:] if w[0] == "V" else w for w in words if w[0] not in "MLh"]


def known(values: list[float | None]) -> int:
    return sum(value is not None for value in values)


def runs(values: list[float | None]) -> int:
    """How many stretches without a gap."""
    before = [None, *values[:-1]]
    return sum(
        one is not None and earlier is None for earlier, one in zip(before, values, strict=False)
    )
