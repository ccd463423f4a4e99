"""What a host declares to be told."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy, override

import livecounters as live
from livecounters.activities import ANONYMOUS, placeholders
from livecounters.events import Event


def test_a_sentence_is_enough() -> None:
    activity = live.Activity("{actor} arrived")

    assert (activity.text, activity.icon, activity.public) == ("{actor} arrived", "", False)
    assert activity.target is activity.target_label is activity.at is activity.filter is None
    assert activity.data == {}
    assert activity.anonymous == "count"


def test_all_keywords_are_kept() -> None:
    given: dict[str, Any] = {
        "target": "quiz",
        "target_label": F("quiz__title"),
        "data": {"score": "score"},
        "at": "completed_at",
        "filter": Q(completed=True),
        "icon": "check",
        "anonymous": "show",
        "public": True,
        "client": True,
    }
    activity = live.Activity("{actor}: {target}, {score}", **given)

    assert {name: getattr(activity, name) for name in given} == given


def test_only_the_sentence_goes_without_a_keyword() -> None:
    with pytest.raises(TypeError):
        live.Activity("{actor} arrived", "quiz")  # type: ignore[misc]
    with pytest.raises(TypeError, match="targets"):
        live.Activity("x", targets="quiz")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("declare", "error", "text"),
    [
        (
            lambda: live.Activity(""),
            TypeError,
            "live.Activity(''): give the sentence, such as \"{actor} completed {target}\".",
        ),
        (
            lambda: live.Activity(None),
            TypeError,
            'live.Activity(None): give the sentence, such as "{actor} completed {target}".',
        ),
        (
            lambda: live.Activity("x", anonymous="hide"),
            ValueError,
            "live.Activity(anonymous='hide'): choose one of 'skip', 'count', 'show'.",
        ),
        (
            lambda: live.Activity("{actor} got {scroe}", data={"score": "score"}),
            ValueError,
            "live.Activity('{actor} got {scroe}'): the placeholder {scroe} is neither actor "
            "nor target nor a key of data=.",
        ),
        (
            lambda: live.Activity("x", client="ada"),
            TypeError,
            "live.Activity(client='ada'): give True, or a function of (user, target) that says "
            "whether a browser may record it.",
        ),
        (
            lambda: live.Activity("{} arrived"),
            ValueError,
            "live.Activity('{} arrived'): the placeholder {} is neither actor nor target "
            "nor a key of data=.",
        ),
        (
            lambda: live.Activity("{actor.password}"),
            ValueError,
            "live.Activity('{actor.password}'): the placeholder {actor.password} is neither "
            "actor nor target nor a key of data=.",
        ),
        (
            lambda: live.Activity(gettext_lazy("{who} arrived")),
            ValueError,
            "live.Activity('{who} arrived'): the placeholder {who} is neither actor nor "
            "target nor a key of data=.",
        ),
    ],
)
def test_a_wrong_activity_says_what_to_write(
    declare: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as caught:
        declare()
    assert str(caught.value) == text


def test_a_brace_that_is_not_closed_is_found_at_once() -> None:
    with pytest.raises(ValueError, match="expected '}'"):
        live.Activity("{actor arrived")


@pytest.mark.parametrize("anonymous", ANONYMOUS)
def test_what_may_be_done_about_somebody_anonymous(anonymous: str) -> None:
    assert live.Activity("x", anonymous=anonymous).anonymous == anonymous


def test_a_sentence_stays_lazy() -> None:
    activity = live.Activity(gettext_lazy("Yes"))

    with override("de"):
        assert str(activity.text) == "Ja"
    with override("fr"):
        assert str(activity.text) == "Oui"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("nothing", set()),
        ("{actor} and {actor}", {"actor"}),
        ("{{not}} {score:.1f} {level!r}", {"score", "level"}),
        ("{data[x]}", {"data[x]"}),
    ],
)
def test_names_in_braces(text: str, names: set[str]) -> None:
    assert placeholders(text) == names


@pytest.mark.parametrize("score", [None, 66.666, "many"])
def test_a_sentence_can_be_said_whatever_was_told(score: Any) -> None:
    activity = live.Activity("{actor} got {score:.1f} in {target}", data={"score": "score"})
    event = Event(1, "host.told", activity.text, "", timezone.now(), "ada", None, {"score": score})

    assert event.text.startswith("ada got ")


def test_activities_are_frozen_and_themselves() -> None:
    one, other = live.Activity("x"), live.Activity("x")

    with pytest.raises(dataclasses.FrozenInstanceError):
        one.icon = "star"  # type: ignore[misc]
    assert one != other
    assert len({one, other}) == 2


# Groups and audiences


def several(**given: Any) -> live.Activity:
    return live.Activity("{actor} did {target}", target="quiz", **given)


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"audience": "friends"}, ValueError, "give one of 'public'"),
        ({"audience": 3}, ValueError, "or a function"),
        ({"audience": "staff", "public": True}, TypeError, "Leave one of them away"),
        ({"group": "{actor}"}, TypeError, "give a live.Group"),
        ({"group": live.Group("{score}")}, ValueError, "none of actor, others, target, count"),
        (
            {"group": live.Group("{count}", by="actor"), "audience": lambda user, target: True},
            TypeError,
            "is grouped by the target",
        ),
    ],
)
def test_what_cannot_be_declared(given: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        several(**given)


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"text": ""}, TypeError, "give the sentence for several"),
        ({"text": None}, TypeError, "give the sentence for several"),
        ({"by": "kind"}, ValueError, "'actor' or 'target'"),
        ({"by": ("actor", "x")}, ValueError, "a tuple"),
        ({"within": dt.timedelta(0)}, ValueError, "from a second to 7 days"),
        ({"within": dt.timedelta(8)}, ValueError, "from a second to 7 days"),
    ],
)
def test_what_is_no_group(given: Any, error: type[Exception], said: str) -> None:
    values = {"text": "{count}"} | given
    with pytest.raises(error, match=said):
        live.Group(values.pop("text"), **values)


def test_an_audience_of_everybody_is_public() -> None:
    assert several(audience="public").public
    assert several(audience="public").audience is None
