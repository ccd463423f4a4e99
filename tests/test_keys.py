"""Several keys as one text: nothing is lost, nothing is taken for another."""

from __future__ import annotations

import uuid

import pytest
from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from livecounters.exceptions import Unmeasurable
from livecounters.keys import join, may_be_joined, split

KEYS = st.lists(st.text(alphabet="~/01aé"), min_size=1)


@given(KEYS)
def test_what_is_joined_is_split_again(keys: list[str]) -> None:
    assert split(join(keys)) == keys


@given(KEYS, KEYS)
def test_other_keys_are_another_text(some: list[str], others: list[str]) -> None:
    assert (join(some) == join(others)) == (some == others)


def test_like_a_json_pointer() -> None:
    # The examples of RFC 6901, section 5.
    assert join(["a/b", "m~n"]) == "a~1b/m~0n"
    assert split("~01/") == ["~1", ""]


def test_keys_that_may_be_too_long() -> None:
    short, long = models.CharField(max_length=60), models.CharField(max_length=120)
    number, name = models.BigAutoField(), models.UUIDField(default=uuid.uuid4)
    may_be_joined([short, name, number], "per")
    with pytest.raises(Unmeasurable, match="may be 261 characters long in all") as refused:
        may_be_joined([long, number], "per")
    assert refused.value.check_id == "E007"
