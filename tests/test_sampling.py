"""A sampled count is an estimate: near the truth, and exactly what the sample says of it."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.template import Context, Template
from django.utils import timezone, translation
from rest_framework.test import APIClient

import livecounters as live
from livecounters import audit, folding, installation
from livecounters.forgetting import Person, forget
from livecounters.measures import declared_measures
from livecounters.models import ActivityEvent, Member
from livecounters.readers import Counter
from livecounters.registry import Registry, registry
from tests.host.livecounters import AttemptLive
from tests.host.models import Attempt, Course, Quiz
from tests.oracle import in_sample

pytestmark = pytest.mark.django_db

NOW = timezone.now()
SAMPLE = 8


def declared() -> Registry:
    found = Registry()
    given: dict[str, Any] = {
        "at": "completed_at",
        "exact": live.Count("score", distinct=True),
        "integers": live.Count("score", distinct=True, sample=SAMPLE),
        "today": live.Count("score", distinct=True, sample=SAMPLE, window=live.today),
        "coarse": live.Count("score", distinct=True, sample=64),
        "texts": live.Count("code", distinct=True, sample=SAMPLE),
        "each": live.Count("score", distinct=True, sample=SAMPLE, per="quiz"),
        "by_title": live.Count("score", distinct=True, sample=SAMPLE, per="quiz__title"),
        "all": live.Count(),
    }
    found.add(Attempt, type("Sampled", (live.LiveModel,), given))
    keys = {"keys": live.Count("id", distinct=True, sample=SAMPLE)}
    found.add(Course, type("SampledCourses", (live.LiveModel,), keys))
    return found


@pytest.fixture
def quiz(names: Registry) -> Quiz:
    return Quiz.objects.create(title="a")


def attempts(quiz: Quiz, scores: Any) -> None:
    Attempt.objects.bulk_create(
        [
            Attempt(quiz=quiz, score=score, code=f"user{score}@x.org", completed_at=NOW)
            for score in scores
        ],
        batch_size=500,
    )


def near(counter: Counter, truth: int) -> bool:
    """Whether it says the truth within four standard errors."""
    error = counter.error(truth)
    assert error is not None
    return abs(counter.value() - truth) <= 4 * error * truth


def right(names: Registry) -> bool:
    return not any(audit.verify(measure).wrong for measure in declared_measures(names))


NUMBERS = {
    "sequential": list(range(1, 3001)),
    "far apart": list(range(0, 3000 * 1024, 1024)),
    "large": [2**31 - 1 - n for n in range(3000)],
    "negative": list(range(-3000, 0)),
    "random": random.Random(5).sample(range(2**31), 3000),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_it_is_near_the_truth(
    names: Registry, counters: dict[str, Counter], quiz: Quiz, kind: str
) -> None:
    numbers = NUMBERS[kind]
    attempts(quiz, numbers)

    for name in ("integers", "coarse", "texts"):
        assert near(counters[name], 3000), (name, counters[name].value())

    assert counters["exact"].value() == 3000
    folding.fold("default", declared=names)
    assert near(counters["integers"], 3000)
    assert right(names)


def test_keys_of_all_kinds(counters: dict[str, Counter]) -> None:
    chance = random.Random(3)
    numbers = [chance.getrandbits(128) for _ in range(1500)]
    # Sequential ones, and those that share all but the beginning.
    numbers += [*range(1500), *((n << 96) + 12345 for n in range(1500))]
    keys = [uuid.UUID(int=number, version=4) for number in numbers]
    Course.objects.bulk_create([Course(id=key) for key in keys], batch_size=500)

    assert near(counters["keys"], 4500)
    assert counters["keys"].value() == SAMPLE * sum(in_sample(key.hex, SAMPLE) for key in keys)


def test_it_is_what_the_sample_says(
    names: Registry, counters: dict[str, Counter], quiz: Quiz
) -> None:
    chosen = [n for n in range(200) if in_sample(str(n), SAMPLE)]
    others = [n for n in range(200) if n not in chosen]
    attempts(quiz, range(200))
    assert chosen
    assert others

    def says(number: int) -> bool:
        kept = {counters[name].value() for name in ("integers", "today")}
        kept |= {counters["each"].value(of=quiz), counters["by_title"].value(of="a")}
        return kept == {SAMPLE * number}

    assert says(len(chosen))
    folding.fold("default", declared=names)
    assert says(len(chosen))
    # What is not in the sample leaves nothing behind, and takes nothing away.
    measure = counters["integers"].measure
    kept = Member.objects.filter(measure=measure.key).values_list("member", flat=True)
    assert {int(member) for member in kept} == set(chosen)
    Attempt.objects.filter(score__in=others).delete()
    assert says(len(chosen))

    Attempt.objects.filter(score=chosen[0]).delete()
    assert says(len(chosen) - 1)
    # Twice the same is once.
    attempts_again = Attempt.objects.filter(score=chosen[1])
    attempts_again.update(code=None)
    attempts(quiz, [chosen[1]])
    assert says(len(chosen) - 1)
    Attempt.objects.filter(score=chosen[1]).update(score=others[0])
    assert says(len(chosen) - 2)
    folding.fold("default", declared=names)
    assert right(names)
    Attempt.objects.all().delete()
    assert says(0)
    assert right(names)


def test_a_renamed_scope_takes_its_members_along(
    names: Registry, counters: dict[str, Counter], quiz: Quiz
) -> None:
    attempts(quiz, range(100))
    before = counters["by_title"].value(of="a")
    assert before

    Quiz.objects.update(title="b")

    assert counters["by_title"].breakdown() == {"b": before}


def test_all_readings_say_the_same(
    names: Registry, counters: dict[str, Counter], quiz: Quiz
) -> None:
    other = Quiz.objects.create(title="b")
    attempts(quiz, range(100))
    Attempt.objects.bulk_create(
        [Attempt(quiz=other, score=n, completed_at=NOW) for n in range(300)]
    )
    each = counters["each"]
    value, more = each.value(of=quiz), each.value(of=other)
    assert 0 < value < more
    assert value % SAMPLE == more % SAMPLE == 0

    assert each.breakdown() == {str(quiz.pk): value, str(other.pk): more}
    assert each.values(of=[quiz, other]) == {quiz: value, other: more}
    assert each.top() == [(str(other.pk), more), (str(quiz.pk), value)]
    assert each.change(of=quiz, window=live.today).value == value
    assert each.series(of=quiz, window=live.last(hours=1), at=NOW)[-1].value == value
    rows = Quiz.objects.annotate(n=each.expression()).order_by("-n")
    assert list(rows.values_list("pk", "n")) == [(other.pk, more), (quiz.pk, value)]


def test_estimates_are_never_mixed_with_what_is_exact(names: Registry) -> None:
    keys = {entry.name: Counter(entry).measure.key for entry in names.counters}

    assert len({keys["exact"], keys["integers"], keys["coarse"], keys["all"]}) == 4
    assert keys["integers"] == keys["today"]


def test_how_far_off() -> None:
    count = live.Count("user", distinct=True, sample=64)

    assert count.error(1_000_000) == pytest.approx(0.0079, abs=0.0001)
    assert count.error(0) == count.error(64) == math.sqrt(63 / 64)
    assert live.Count("user", distinct=True).error(1_000_000) is None


def test_nobody_is_ranked_by_an_estimate(counters: dict[str, Counter], quiz: Quiz) -> None:
    for ask in (counters["each"].rank, counters["each"].neighbours):
        with pytest.raises(TypeError, match=r"each is an estimate \(sample=\), by which nobody"):
            ask(of=quiz)


def test_a_definition_that_fails_fails_no_write(counters: dict[str, Counter], quiz: Quiz) -> None:
    # Signs of every width, and none at all.
    texts = ["", "\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{GRADUATION CAP}" * 20, "\\x", "%s'"]
    Attempt.objects.bulk_create([Attempt(quiz=quiz, code=text) for text in texts])

    assert counters["texts"].value() % SAMPLE == 0
    Attempt.objects.update(score=F("quiz_id"))


# That it is an estimate is said wherever it is


@pytest.fixture
def shown(settings: Any) -> Iterator[int]:
    """A public estimate of 200 different scores, in one quiz."""

    class Shown(live.LiveModel):
        at = "completed_at"
        about = live.Count("score", distinct=True, sample=SAMPLE, label="About", public=True)
        about_each = live.Count(
            "score", distinct=True, sample=SAMPLE, per="quiz", label="Each", public=True
        )

    settings.LIVECOUNTERS = {**settings.LIVECOUNTERS, "EMBEDS": {"COUNTERS": ["about"]}}
    registry.add(Attempt, Shown)
    attempts(Quiz.objects.create(title="a"), range(200))
    value = SAMPLE * sum(in_sample(str(n), SAMPLE) for n in range(200))
    yield value
    registry.remove(Shown)


def render(text: str) -> str:
    return Template("{% load livecounters %}" + text).render(Context())


def percent(value: int) -> int:
    return math.ceil(200 * math.sqrt((SAMPLE - 1) / value))


def test_in_pages(shown: int) -> None:
    off = percent(shown)

    inline = render('{% live_counter "about" %}')
    assert (
        f'<span role="img" aria-label="About, give or take {off} %" title="About, give or take '
        f'{off} %">≈</span>&nbsp;<data data-live="value" value="{shown}">{shown}</data>'
    ) in inline
    assert f'<span class="live-card__unit">± {off} %</span>' in render(
        '{% live_counters "about" %}'
    )
    sentence = f"About: the greatest number give or take {off} %, smaller ones more"
    assert sentence in render('{% live_chart "about" %}')
    assert sentence in render('{% live_breakdown "about_each" %}')
    with translation.override("de"):
        assert f"Ungefähr, auf {off} % genau" in render('{% live_counter "about" %}')


def test_what_is_exact_says_nothing_of_it(shown: int) -> None:
    for text in (
        '{% live_counter "attempts" %}',
        '{% live_counters "attempts" %}',
        '{% live_chart "attempts" %}',
        '{% live_breakdown "per_quiz" %}',
    ):
        page = render(text)
        assert "≈" not in page
        assert "±" not in page
        assert "give or take" not in page


def test_nobody_is_on_a_leaderboard_by_it(shown: int) -> None:
    with pytest.raises(TypeError, match=r"about_each is an estimate .* Show it as a breakdown"):
        render('{% live_leaderboard "about_each" %}')


def get(path: str, **query: Any) -> Any:
    return APIClient().get(f"/live/{path}", query)


def test_in_the_api(shown: int) -> None:
    error = math.sqrt((SAMPLE - 1) / shown)
    quiz = Quiz.objects.get()

    listed = {one["name"]: one for one in get("counters/").json()["counters"]}
    said = {"name": "about", "label": "About", "unit": "count", "per": None, "sample": SAMPLE}
    assert listed["about"] == {**said, "value": shown, "relative_error": error}
    assert not {"sample", "relative_error"} & listed["attempts"].keys()
    one = get("counters/about/").json()
    assert (one["value"], one["relative_error"]) == (shown, error)

    several = get("counters/about_each/", of=[quiz.pk, quiz.pk + 1]).json()
    assert several["values"] == {str(quiz.pk): shown, str(quiz.pk + 1): 0}
    doubt = math.sqrt((SAMPLE - 1) / SAMPLE)
    assert several["relative_errors"] == {str(quiz.pk): error, str(quiz.pk + 1): doubt}

    series = get("counters/about/series/").json()
    assert series["sample"] == SAMPLE
    last = {"value": shown, "relative_error": error, "running": True}
    assert last.items() <= series["points"][-1].items()
    parts = get("counters/about_each/breakdown/").json()["parts"]
    assert parts == [{"of": str(quiz.pk), "value": shown, "relative_error": error}]
    sheet = get("counters/about_each/breakdown/", format="csv").content.decode()
    assert sheet.splitlines() == ["of,value,relative_error", f"{quiz.pk},{shown},{error}"]
    assert get("counters/about_each/top/").status_code == 404


def test_on_other_sites(shown: int) -> None:
    found = get("embed/about.json").json()

    assert found["text"] == f"≈\N{NO-BREAK SPACE}{shown}"
    assert found["relative_error"] == math.sqrt((SAMPLE - 1) / shown)
    assert f"≈\N{NO-BREAK SPACE}{shown}" in get("embed/about.svg").content.decode()


def test_in_the_admin(shown: int, admin_client: Any) -> None:
    page = admin_client.get("/admin/livecounters/measured/").content.decode()

    assert f"≈\N{NO-BREAK SPACE}{shown}" in page


# Forgetting


@pytest.mark.django_db(transaction=True)
def test_forgetting_people_leaves_a_sample_right() -> None:
    class People(live.LiveSite):
        completers = live.Count("actor", distinct=True, sample=2, events=AttemptLive.quiz_completed)

    registry.add(None, People)
    try:
        installation.sync("default")
        quiz = Quiz.objects.create(title="a")
        people = [User.objects.create(username=f"u{n}") for n in range(10)]
        for user in people:
            Attempt.objects.create(quiz=quiz, user=user, completed=True, completed_at=NOW)
        folding.fold("default", wait=True)
        counter = live.counters["completers"]
        assert counter.value() % 2 == 0

        for user in people:
            forget(Person.of(user))
            assert not audit.verify(counter.measure).wrong

        actors = set(ActivityEvent.objects.values_list("actor", flat=True))
        assert len(actors) == len(people)
        if connection.vendor != "mysql":
            assert counter.value() == 2 * sum(in_sample(actor, 2) for actor in actors)
    finally:
        registry.remove(People)
