"""All scopes at once are the scopes one by one. What the parts add up to: test_ledger."""

from __future__ import annotations

import pytest
from django.utils import timezone

import livecounters as live
from livecounters import capture, folding, ledger
from livecounters.dialects import dialect_of
from livecounters.ledger import Tally
from livecounters.readers import Counter
from livecounters.summands import Ask, source_rows, whole
from livecounters.windows import Window
from tests.host.models import Attempt, Quiz, Tag

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rows(django_user_model: type) -> None:
    people = [django_user_model.objects.create(username=f"u{n}") for n in range(3)]
    tags = [Tag.objects.create(slug=slug) for slug in ("a", "a/b", "b")]
    for n in range(6):
        quiz = Quiz.objects.create(title=f"q{n}")
        quiz.tags.set(tags[: n % 4])
        Attempt.objects.create(
            quiz=quiz,
            user=people[n % 3],
            completed=True,
            completed_at=timezone.now(),
            score=[None, 3, -4][n % 3],
        )
        if n == 3:
            folding.fold("default")


def asked(ask: Ask) -> dict[str, Tally]:
    dialect, found = dialect_of("default"), {}
    sql, params = whole(ask)
    with dialect.connection.cursor() as cursor:
        cursor.execute(sql, params)
        for scope, count, total, members, low, high in cursor.fetchall():
            low, high = (end if end is None else dialect.unordered(end) for end in (low, high))
            found[scope] = Tally(int(count), int(total), int(members), low, high)
    return found


@pytest.mark.parametrize(
    "name", ["per_tag", "per_tag_and_user", "score_sum_per_tag", "learners_per_course", "per_quiz"]
)
@pytest.mark.parametrize("window", [live.ever, live.last(days=30), live.today])
@pytest.mark.parametrize("kept", [True, False])
def test_all_at_once(name: str, window: Window, kept: bool) -> None:
    if not kept:
        capture.detach("default")
    ask = Counter(live.counters[name].entry).ask(None, window, timezone.now())
    (right,) = ledger.read([ask]).answers

    assert asked(ask) == {scope: tally for scope, tally in right.items() if not tally.empty}


@pytest.mark.parametrize("kept", [True, False])
def test_all_that_begin_so(kept: bool) -> None:
    if not kept:
        capture.detach("default")
    ask = Counter(live.counters["per_tag_and_user"].entry).ask(None, None, timezone.now())
    everything = asked(ask)
    for begin in ("a/", "a~1b/", "b/", "c/"):
        within = Ask(ask.measure, None, ask.interval, within=begin)
        assert asked(within) == {s: t for s, t in everything.items() if s.startswith(begin)}


def test_the_source_by_its_rows() -> None:
    counter = live.counters["per_tag"]
    ask = counter.ask(("a",), live.last(days=1), timezone.now())
    dialect = dialect_of("default")
    sql, params = source_rows(dialect, ask)
    with dialect.connection.cursor() as cursor:
        cursor.execute(sql, params)
        assert len(cursor.fetchall()) == counter.value(of="a") == 4
