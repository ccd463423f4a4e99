import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone
from learning.models import Attempt
from people.models import Profile

import livecounters as live
from livecounters import awards

pytestmark = pytest.mark.django_db

PAGE = "people:dashboard"


def finish(user, quiz, times=1, score=80):
    for _ in range(times):
        Attempt.objects.create(
            user=user, quiz=quiz, completed=True, completed_at=timezone.now(), score=score
        )


def page_of(client, name=PAGE):
    return " ".join(client.get(reverse(name)).content.decode().split())


def test_only_for_who_is_signed_in(client):
    assert client.get(reverse(PAGE)).url.startswith(reverse("people:login"))


def test_somebody_who_has_just_begun(member):
    page = page_of(member)

    assert "Days in a row:" in page
    assert "Nobody yet." in page
    assert "Average score" not in page


def test_how_far_one_has_come(member, user, quiz):
    finish(user, quiz, 2, score=80)
    page = page_of(member)

    assert 'data-live="total"' in page
    assert 'value="66.7"' in page
    assert 'data-level="high"' in page
    assert "Goal reached" in page
    assert 'data-when="done" hidden' in page
    finish(user, quiz, 1)
    assert 'data-when="done" >' in page_of(member)


def test_goals_of_one_s_own(member, user, quiz):
    finish(user, quiz, 2)
    given = {"form": "goals", "sessions-day": "2", "sessions-week": "15"}

    assert member.post(reverse(PAGE), given).url == reverse(PAGE)
    assert live.progress(user)["sessions"].goals["day"].target == 2
    assert "It is saved." in page_of(member)
    given["sessions-day"] = "21"
    response = member.post(reverse(PAGE), given)
    assert "less than or equal to 20" in response.content.decode()
    assert live.progress(user)["sessions"].goals["day"].target == 2


def test_the_leaderboard_of_the_week(member, user, quiz, django_assert_max_num_queries):
    for number in range(12):
        other = get_user_model().objects.create_user(f"other{number}", first_name=f"Other {number}")
        Profile.objects.create(user=other, city="Lyon", share_city=number == 11)
        finish(other, quiz, number + 2)
    finish(user, quiz)

    with django_assert_max_num_queries(40):
        page = page_of(member)
    assert page.index("Other 11 from Lyon") < page.index("Other 10") < page.index("Other 2")
    # Oneself below, with who comes just before.
    assert ">Other 1<" not in page
    assert page.index("Other 0") < page.index('aria-current="true"')


def test_somebody_does_not_want_to_be_listed(member, user, quiz, client):
    finish(user, quiz)
    member.post(reverse(PAGE), {"form": "listed"})

    assert "others do not see this" in page_of(member)
    other = get_user_model().objects.create_user("other")
    client.force_login(other)
    assert "Ines" not in page_of(client).partition("This week")[2].partition("<form")[0]


def test_the_profile_has_streak_and_totals(member, user, quiz):
    finish(user, quiz, 3)
    page = page_of(member, "people:profile")

    assert "Days in a row:" in page
    assert reverse(PAGE) in page


def test_nothing_needs_a_script_or_a_style_in_the_page(member, user, quiz):
    finish(user, quiz)
    page = page_of(member)

    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == page.count("<script type=")


def test_what_was_reached_is_news_once(member, user, quiz):
    finish(user, quiz, 10)
    awards.judge(user)
    assert '<span data-live="unread">4</span>' in page_of(member)

    page = page_of(member, "people:profile")
    assert "Quizzes you finished: 10 in all" in page
    assert page.count("data-new") == 4
    assert "data-new" not in page_of(member, "people:profile")
    assert '<span data-live="unread">0</span>' in page_of(member)
