"""Announcements: what goes over the channel layer and is understood at its other end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from livecounters.announce import MAX_SCOPES, TYPE, Announcement, read_message


def sent(announcement: Announcement) -> dict[str, Any]:
    """As it comes out of a layer that knows JSON only."""
    message: dict[str, Any] = json.loads(json.dumps(announcement.message()))
    return message


def test_there_and_back_again() -> None:
    found = read_message(sent(Announcement("ab12", 7, {"m": {"b", "a"}, "n": None, "o": []})))

    assert found == Announcement("ab12", 7, {"m": ["a", "b"], "n": None, "o": []})


def test_without_numbers() -> None:
    assert read_message(sent(Announcement("ab12", 7))) == Announcement("ab12", 7, {})


@pytest.mark.parametrize(
    ("scopes", "whole"), [(MAX_SCOPES - 1, False), (MAX_SCOPES, False), (MAX_SCOPES + 1, True)]
)
def test_many_scopes_are_all_of_the_measure(scopes: int, whole: bool) -> None:
    message = Announcement("e", 1, {"m": (str(n) for n in range(scopes))}).message()

    assert (message["numbers"]["m"] is None) is whole
    if not whole:
        assert len(message["numbers"]["m"]) == scopes


def test_a_message_is_the_same_however_it_was_collected() -> None:
    one, other = ({"m": set(order)} for order in ("abcdef", "fedcba"))

    assert Announcement("e", 1, one).message() == Announcement("e", 1, other).message()


GOOD = Announcement("e", 1, {"m": ["a"]}).message()


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "other"},
        GOOD | {"type": "chat.message"},
        GOOD | {"epoch": None},
        GOOD | {"epoch": 5},
        GOOD | {"seq": "1"},
        GOOD | {"seq": None},
        GOOD | {"numbers": None},
        GOOD | {"numbers": ["m"]},
        {key: value for key, value in GOOD.items() if key != "seq"},
        {key: value for key, value in GOOD.items() if key != "numbers"},
    ],
)
def test_whatever_else_comes_over_the_layer_is_none(message: dict[str, Any]) -> None:
    assert read_message(GOOD) is not None
    assert read_message(message) is None


def test_a_layer_s_own_keys_do_not_matter() -> None:
    assert read_message(GOOD | {"__asgi_channel__": "x"}) == Announcement("e", 1, {"m": ["a"]})
    assert GOOD["type"] == TYPE
