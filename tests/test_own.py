"""A person's own progress on their open pages: pushed, and nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.models import Session
from django.template import RequestContext, Template
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.test import APIClient

from livecounters import awards, consumers, relay
from tests.host.models import Attempt, Quiz
from tests.sockets import running, socket
from tests.test_online import signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("learning")]


@pytest.fixture
async def live(settings: Any) -> AsyncIterator[relay.Relay]:
    settings.LIVECOUNTERS = {"EMBEDDED_PUMP": True}
    async with running() as found:
        yield found


@sync_to_async
def study(name: str, number: int = 1) -> None:
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    user = User.objects.get(username=name)
    Attempt.objects.bulk_create(
        Attempt(quiz=quiz, user=user, completed=True, completed_at=timezone.now(), score=50)
        for _ in range(number)
    )


def total(number: int) -> Any:
    def holds(frame: dict[str, Any]) -> bool:
        found = frame.get("values", {}).get("progress", {}).get("progress", {})
        return bool(found) and found["sessions"]["total"] == number

    return holds


async def test_two_devices_move_and_celebrate_once_each(live: relay.Relay) -> None:
    ada = await signed_in("ada")
    async with socket(headers=ada) as one, socket(headers=ada) as other:
        for page in (one, other):
            await page.subscribe("progress")
            await page.until(total(0))

        await study("ada", 3)

        for page in (one, other):
            news = await page.op("achievement")
            assert news["topic"] == "progress"
            assert news["unseen"] == 2
            await page.until(total(3))
        goal = one.frames[-1]["values"]["progress"]["progress"]["sessions"]["goals"]["day"]
        assert goal == {"target": 3, "progress": 3, "percent": 100.0}
        # Shown on one device, it is shown on both.
        person = str((await User.objects.aget(username="ada")).pk)
        assert await sync_to_async(awards.mark_seen)(person) == 2
        assert await sync_to_async(awards.mark_seen)(person) == 0


async def test_each_has_their_own(live: relay.Relay) -> None:
    ada, bob = await signed_in("ada"), await signed_in("bob")
    async with socket(headers=ada) as hers, socket(headers=bob) as his:
        for page in (hers, his):
            await page.subscribe("progress")
            await page.until(total(0))
        await study("ada")
        await hers.until(total(1))
        await study("bob", 2)
        await his.until(total(2))

    assert not any(total(1)(frame) for frame in his.frames)
    assert not any(total(2)(frame) for frame in hers.frames)


async def test_nobody_without_a_session(live: relay.Relay) -> None:
    async with socket() as page:
        await page.subscribe("progress", "progress:1")

        for _ in range(2):
            assert (await page.op("error"))["code"] == "unavailable"


async def test_signed_out_it_stops(live: relay.Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "JUDGE_EVERY", 0.1)
    ada = await signed_in("ada")
    async with socket(headers=ada) as page:
        await page.subscribe("progress")
        await page.until(total(0))
        await sync_to_async(Session.objects.all().delete)()

        assert (await page.op("error"))["topic"] == "progress"
        assert live.topics == {}


async def test_unsubscribed_it_stops(live: relay.Relay) -> None:
    async with socket(headers=await signed_in("ada")) as page:
        await page.subscribe("progress")
        await page.until(total(0))
        await page.send(op="unsubscribe", topics=["progress"])
        await page.send(op="ping")
        await page.op("pong")

        assert live.topics == {}


def test_polling_says_the_same(django_user_model: Any) -> None:
    ada = django_user_model.objects.create(username="ada")
    client = APIClient()
    client.force_authenticate(ada)

    answer = client.get("/live/snapshot/?topic=progress").json()

    assert answer["values"]["progress"]["progress"]["sessions"]["total"] == 0
    assert APIClient().get("/live/snapshot/?topic=progress").json()["unavailable"] == ["progress"]


def test_the_tag_says_what_is_news(django_user_model: Any) -> None:
    ada = django_user_model.objects.create(username="ada")
    request = RequestFactory().get("/")
    request.user = ada
    template = Template("{% load livecounters %}{% live_notifications %}")

    html = template.render(RequestContext(request))

    assert 'achievements="/live/achievements/"' in html
    assert 'data-unread="0"' in html
    assert "livecounters/progress.js" in html
    request.user = AnonymousUser()
    assert template.render(RequestContext(request)).strip() == ""
