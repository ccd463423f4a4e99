"""What may be recorded: what is declared, as what is declared, and what a database can keep."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

import livecounters as live
from livecounters.exceptions import Unmeasurable, Unrecordable
from livecounters.recordables import MOST, Recordable, recordable_of
from livecounters.registry import Registry
from tests.host.models import Quiz


class Level(enum.StrEnum):
    EASY = "easy"


def even(value: Any) -> int:
    if value % 2:
        raise ValidationError("Give an even number.")
    return value


def recordable(text: Any = "x", **declared: Any) -> Recordable:
    names = Registry()
    names.add_site(type("Site", (live.LiveSite,), {"done": live.Activity(text, **declared)}))
    return recordable_of(names.activities.get("done"))


DATA = recordable(
    data={
        "n": int,
        "x": float,
        "text": str,
        "yes": bool,
        "even": even,
        "level": Level,
        "price": models.DecimalField(max_digits=5, decimal_places=2),
        "any": lambda value: value,
    }
)


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("n", 5, 5),
        ("n", -MOST, -MOST),
        ("x", 1, 1.0),
        ("x", 0.5, 0.5),
        ("text", "", ""),
        ("text", "Grüße \\u0000 💚", "Grüße \\u0000 💚"),
        ("yes", False, False),
        ("even", 4, 4),
        ("level", "easy", "easy"),
        ("price", "12.5", "12.5"),
        ("price", 3, "3"),
        ("any", [1, {"a": None}], [1, {"a": None}]),
    ],
)
def test_what_is_kept(key: str, value: Any, kept: Any) -> None:
    found = DATA.cleaned({key: value})

    assert found == {key: kept}
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("n", True, "n: give a whole number of at most 9007199254740991"),
        ("n", 1.0, "n: give a whole number of at most 9007199254740991"),
        ("n", "5", "n: give a whole number of at most 9007199254740991"),
        ("n", None, "n: give a whole number of at most 9007199254740991"),
        ("n", MOST + 1, "n: give a whole number of at most 9007199254740991"),
        ("x", float("nan"), "x: give a finite number"),
        ("x", float("inf"), "x: give a finite number"),
        ("x", 10**400, "x: int too large to convert to float"),
        ("x", True, "x: give a number"),
        ("text", 5, "text: give a text"),
        ("text", "a\0b", "text: a text holds no NUL"),
        ("text", "\\\0", "text: a text holds no NUL"),
        ("yes", 1, "yes: give true or false"),
        ("even", 3, "even: Give an even number."),
        ("level", "hard", "level: 'hard' is not a valid Level"),
        ("price", "12.555", "price: Ensure that there are no more than 2 decimal places."),
        ("price", "a", "price: “a” value must be a decimal number."),
        ("any", {"a": ["\0"]}, "any: a text holds no NUL"),
        ("any", {1, 2}, "any: Object of type set is not JSON serializable"),
        ("any", float("nan"), "any: Out of range float values are not JSON compliant"),
        ("other", 1, "done has no 'other' in its data=; known are 'n', 'x', 'text',"),
    ],
)
def test_what_is_refused(key: str, value: Any, text: str) -> None:
    with pytest.raises(Unrecordable) as caught:
        DATA.cleaned({key: value})
    assert caught.value.about == "data"
    assert str(caught.value).startswith(text)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(Unrecordable, match="surrogates not allowed"):
        DATA.cleaned({"text": "\ud800"})


@pytest.mark.parametrize("data", [[], "n", 5])
def test_data_that_is_no_mapping(data: Any) -> None:
    with pytest.raises(Unrecordable, match="is no mapping of keys to values"):
        DATA.cleaned(data)


def test_no_data() -> None:
    assert DATA.cleaned(None) == DATA.cleaned({}) == {}
    with pytest.raises(Unrecordable, match="done has no 'n' in its data=; there are none"):
        recordable().cleaned({"n": 1})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(), one, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*DATA.entry.declared.data, "z"]), JSON))
def test_whatever_is_given_is_kept_as_json_or_refused(data: dict[str, Any]) -> None:
    try:
        found = DATA.cleaned(data)
    except Unrecordable:
        return
    assert found.keys() == data.keys()
    text = json.dumps(found, allow_nan=False, ensure_ascii=False)
    assert text.encode()
    assert "\0" not in "".join(_texts(json.loads(text)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        yield from _texts([*value, *value.values()])


def test_what_can_be_added_up() -> None:
    kinds = {key: type(DATA.field(key)) for key in DATA.entry.declared.data}

    assert kinds == {
        "n": models.BigIntegerField,
        "x": models.FloatField,
        "text": type(None),
        "yes": type(None),
        "even": models.BigIntegerField,
        "level": type(None),
        "price": models.DecimalField,
        "any": type(None),
    }


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ({"filter": Q(completed=True)}, "it has filter=, and no rows."),
        ({"at": "completed_at"}, "it has at=, and no rows."),
        ({"data": {"score": "score"}}, "'score' in its data is 'score'; there is no row"),
        ({"data": {"score": F("score")}}, "'score' in its data is F(score); there is no row"),
        ({"target": "quiz"}, "target='quiz' is no model."),
        ({"target": "host.Nothing"}, "target='host.Nothing' is no model."),
        ({"target": 5}, "target=5 is no model."),
        ({"target": Quiz, "target_label": "titel"}, "Cannot resolve keyword 'titel' into field."),
        ({"target_label": "title"}, "target_label='title', and it is not said of which model."),
    ],
)
def test_a_wrong_declaration(declared: Any, text: str) -> None:
    with pytest.raises(Unmeasurable) as caught:
        recordable(**declared)
    assert caught.value.check_id == "E022"
    assert str(caught.value).startswith(text)
    assert caught.value.hint


def test_models() -> None:
    assert recordable(target=Quiz).target is recordable(target="host.Quiz").target is Quiz
    assert recordable(target=Quiz).target_model == "host.quiz"
    assert (recordable().target, recordable().target_model) == (None, "")
    assert recordable().actor_model == "auth.user"


def test_whether_the_sentence_says_who() -> None:
    assert recordable("{actor} came").names_actor
    assert recordable(gettext_lazy("{actor} came")).names_actor
    assert not recordable("Somebody came").names_actor


@pytest.mark.django_db
def test_what_a_target_is_called() -> None:
    quiz = Quiz.objects.create(title="Fractions")

    assert recordable(target=Quiz, target_label="title").label(quiz) == "Fractions"
    assert recordable(target=Quiz, target_label=F("course__title")).label(quiz) == ""
    assert recordable(target=Quiz).label(quiz) == recordable().label(quiz) == str(quiz)


@pytest.mark.django_db
def test_finding_a_target() -> None:
    quiz = Quiz.objects.create(title="Fractions")

    assert recordable(target=Quiz).find(quiz.pk) == recordable(target=Quiz).find(str(quiz.pk))
    for key in ("x", -1, 10**40, "\0", "\ud800", None, [], {}, Decimal("NaN")):
        with pytest.raises(Unrecordable, match="There is no Quiz"):
            recordable(target=Quiz).find(key)
    with pytest.raises(Unrecordable, match="done does not say of which model its targets are"):
        recordable().find(quiz.pk)
