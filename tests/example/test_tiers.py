"""Whoever finishes quizzes rises, and the login page shows how many are where."""

import re

import pytest
from django.urls import reverse
from learning import taking
from people.models import Profile, Tier
from people.tiers import promote, tier_of

import livecounters as live
from livecounters.topics import granted

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile(user):
    return Profile.objects.create(user=user)


def finish(user, quiz, times=1):
    for _ in range(times):
        taking.finish(taking.begin(quiz, user=user, practice=False, simulated=False))


@pytest.mark.parametrize(
    ("finished", "tier"),
    [(0, "spark"), (4, "spark"), (5, "candle"), (20, "lantern"), (99, "lighthouse")],
)
def test_a_tier_is_a_number_of_quizzes(finished, tier):
    assert tier_of(finished) == tier


def test_rising_moves_both_numbers(user, profile, quiz):
    members = live.counters["tier_members"]
    finish(user, quiz, 4)
    assert members.breakdown() == {"spark": 1}

    finish(user, quiz)

    assert members.breakdown() == {"candle": 1}
    profile.refresh_from_db()
    assert profile.tier == Tier.CANDLE


def test_guests_and_practice_have_no_tier(user, profile, quiz):
    taking.finish(taking.begin(quiz, user=None, practice=False, simulated=False))
    taking.finish(taking.begin(quiz, user=user, practice=True, simulated=False))
    promote([user.pk])

    assert live.counters["tier_members"].breakdown() == {"spark": 1}


def test_the_login_page_shows_the_site_at_work(client, user, profile, quiz):
    finish(user, quiz, 5)
    page = client.get(reverse("people:login")).content.decode()

    tokens = re.findall(r'<live-(?:chart|breakdown)[^>]* topic="([^"]*)"', page)
    topics = [str(granted(token, lambda: None)) for token in tokens]
    assert "series:12h:hour:quizzes_total" in topics
    assert [topic for topic in topics if topic.startswith("breakdown:")]
    assert re.search(r">Candle</span>\s*<span[^>]*>\s*<data[^>]*>1<", page)
    # The bar of this hour has the five.
    assert re.search(r'"values":\[[^]]*5\]', page.replace("&quot;", '"'))


def test_one_s_own_chart_is_on_the_dashboard(member, user, profile, quiz):
    finish(user, quiz)
    page = member.get(reverse("people:dashboard")).content.decode()

    (token,) = re.findall(r'<live-chart[^>]* topic="([^"]*)"', page)
    assert str(granted(token, lambda: user)) == f"series:30d:day:sessions:{user.pk}"


def test_a_package_is_drawn(client, quiz):
    from packages.models import Package

    package = Package.objects.create(title="Ropes", slug="ropes", price=1)
    page = client.get(package.get_absolute_url()).content.decode()

    assert f"series:30d:day:package_attempts:{package.pk}~" in page
