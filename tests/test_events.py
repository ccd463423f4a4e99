"""Events as they are shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import ngettext_lazy

import livecounters as live
from livecounters.events import Event

ONE = "{actor} did {target}"
PLURAL = live.Group(ngettext_lazy("{actor} +{others} one", "{actor} +{others} many", "others"))


def event(**given: Any) -> Event:
    values = {"seq": 5, "kind": "k", "sentence": ONE, "icon": "", "at": timezone.now()}
    values |= {"actor": "Ada", "target": "it", "data": {}}
    return Event(**values | given)


@pytest.mark.parametrize(
    ("group", "count", "others", "text"),
    [
        (None, 1, 0, "Ada did it"),
        (PLURAL, 1, 0, "Ada did it"),
        (PLURAL, 3, 0, "Ada did it"),
        (PLURAL, 2, 1, "Ada +1 one"),
        (PLURAL, 2000, 1999, "Ada +1999 many"),
        (live.Group("{actor}: {count}"), 3, 0, "Ada: 3"),
        (live.Group("{actor}: {count}"), 1, 0, "Ada did it"),
        (live.Group(ngettext_lazy("{count} %%", "{count} %% s", "count")), 2, 0, "2 % s"),
    ],
)
def test_the_sentence(group: live.Group | None, count: int, others: int, text: str) -> None:
    assert event(together=group, count=count, others=others).text == text


def test_big_numbers_are_in_the_pages_language(settings: Any) -> None:
    settings.USE_THOUSAND_SEPARATOR = True

    assert event(together=PLURAL, count=2000, others=1999).say("de")["text"] == "Ada +1.999 many"


def test_the_key_of_an_item() -> None:
    assert event().key == "5"
    assert event(group="ab").as_json()["key"] == "ab"
