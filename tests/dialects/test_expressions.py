"""Values are what they are, in every database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Q

import livecounters as live
from livecounters import capture, installation
from livecounters.dialects import Dialect
from livecounters.measures import measure_of
from livecounters.models import ActivityEvent, Delta
from livecounters.readers import Counter
from livecounters.registry import Registry
from tests.host.models import Sale, Tag


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("it's", "'it''s'"),
        ("", "''"),
        ('"', "'\"'"),
        (7, "7"),
        ("100%", "'100%'"),
    ],
)
def test_literals(dialect: Dialect, value: Any, text: str) -> None:
    assert dialect.literal(value).strip() == text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value",
    [
        "it's",
        "100%",
        "%s",
        "{0}",
        "Ä 🎓",
        "; --",
        "\\",
        "$livecounters$",
    ],
)
def test_a_filter_s_text_is_what_it_is(value: str) -> None:
    names = Registry()
    told = live.Activity("x", filter=Q(tag=value))
    declared = {"n": live.Count(filter=Q(tag=value)), "told": told}
    names.add(Sale, type("Declared", (live.LiveModel,), declared))

    installation.sync("default", names)
    for slug in (value, f"{value}!"):
        Sale.objects.create(tag=Tag.objects.create(slug=slug), price=1)

    key = measure_of(names.counters.get("n")).key
    assert Delta.objects.filter(measure=key).count() == 1
    assert ActivityEvent.objects.filter(kind="host.told").count() == 1
    assert Counter(names.counters.get("n")).value() == 1
    capture.detach("default")
    assert Counter(names.counters.get("n")).value() == 1


def test_numbers_as_texts_and_back(dialect: Dialect) -> None:
    for number in (0, 7, dialect.bound - 1):
        digits = str(number).zfill(len(str(dialect.bound)))
        assert dialect.unordered(f"p{digits}") == number
    assert dialect.unordered(f"n{dialect.bound - 3}") == -3
