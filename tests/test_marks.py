"""Which numbers may be wrong for now, and which may not."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

import livecounters as live
from livecounters import audit, folding
from livecounters.marks import concerned
from livecounters.models import Bucket, Mark, Suspect
from tests.host.models import Attempt, Quiz, Tag

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer"),
]


@pytest.fixture
def tags() -> list[Tag]:
    """Three tags with an attempt each; all is settled and folded."""
    found = [Tag.objects.create(slug=slug) for slug in ("a", "b", "c")]
    for tag in found:
        quiz = Quiz.objects.create(title=tag.slug)
        quiz.tags.add(tag)
        Attempt.objects.create(quiz=quiz, completed=True, completed_at=timezone.now(), score=1)
    folding.fold("default")
    Mark.objects.all().delete()
    Suspect.objects.all().delete()
    return found


def per_tag() -> Any:
    return live.counters["per_tag"].measure


def test_without_marks_none(tags: list[Tag]) -> None:
    Attempt.objects.update(completed=False)
    assert concerned(per_tag()) == set()


def test_what_a_mark_reaches(tags: list[Tag]) -> None:
    Quiz.objects.filter(title="a").update(published=False)
    # No counter per tag looks at that column but one, whose triggers mark for all.
    assert concerned(live.counters["score_sum_per_tag"].measure) == {"a"}
    assert concerned(live.counters["published"].measure) == {""}
    assert concerned(live.counters["attempts"].measure) == set()


def test_rows_that_are_gone_on_both_sides(tags: list[Tag]) -> None:
    quiz = Quiz.objects.get(title="b")
    quiz.tags.clear()
    assert concerned(per_tag()) == {"b"}
    quiz.delete()
    assert concerned(per_tag()) == {"b"}


def test_scopes_of_deltas_and_suspects(tags: list[Tag]) -> None:
    Quiz.objects.get(title="a").tags.add(tags[1])
    Attempt.objects.filter(quiz__title="c").update(completed=False)
    # The link reaches "b", the attempt has left a delta.
    assert concerned(per_tag()) == {"b", "c"}
    folding.fold("default")
    assert concerned(per_tag()) == {"b", "c"}


def test_marks_hide_no_other_drift(tags: list[Tag]) -> None:
    measure = per_tag()
    Bucket.objects.filter(measure=measure.key, scope__in=("a", "c")).update(count=F("count") + 5)
    # Ever, minute, quarter hour, day.
    assert audit.verify(measure).wrong == 2 * 4
    Quiz.objects.filter(title="c").update(published=False)

    found = audit.verify(measure)

    assert {drift.scope for drift in found.some} == {"a"}
    assert (found.wrong, found.unsettled) == (4, 4)
