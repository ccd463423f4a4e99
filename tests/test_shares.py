"""Shares: for everybody, for as long as the person wants it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from livecounters import shares
from tests.test_attainment import study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("learning")]


@pytest.fixture
def ada() -> User:
    ada = User.objects.create(username="<Ada & co>")
    study(ada, "2026-03-10T10:00", "2026-03-11T10:00")
    return ada


def test_until_it_is_taken_back(ada: User) -> None:
    token = shares.share(ada, "sessions")
    assert shares.share(ada, "sessions") == token

    found = shares.shared(token)
    assert found is not None
    assert (found.name, found.label, found.progress.total) == ("<Ada & co>", "Sessions", 2)
    shares.unshare(ada, "sessions")
    assert shares.shared(token) is None


def test_who_is_not_to_be_seen(ada: User, settings: Any) -> None:
    token = shares.share(ada, "sessions")
    settings.LIVECOUNTERS = {"MAY_BE_SEEN": "tests.test_shares.nobody"}
    assert shares.shared(token) is None
    settings.LIVECOUNTERS = {}
    User.objects.update(is_active=False)
    assert shares.shared(token) is None


def nobody(user: Any) -> bool:
    return False


@pytest.mark.parametrize("name", ["attempts", "nothing", "score_avg"])
def test_what_is_nobody_s(ada: User, name: str) -> None:
    with pytest.raises(LookupError):
        shares.share(ada, name)


def test_the_page_and_the_card(ada: User) -> None:
    client = APIClient()
    client.force_authenticate(ada)
    url = client.post("/live/shares/", {"counter": "sessions"}, format="json").json()["url"]
    browser = APIClient()

    page = browser.get(url)
    assert 'property="og:image"' in page.content.decode()
    assert "&lt;Ada &amp; co&gt;" in page.content.decode()
    assert page.headers["Cache-Control"] == "public, max-age=60"
    card = browser.get(url + "card.svg")
    assert card.headers["Content-Type"] == "image/svg+xml"
    assert "sandbox" in card.headers["Content-Security-Policy"]
    texts = [text.text for text in ElementTree.fromstring(card.content).iter() if text.text]
    assert "<Ada & co>" in texts
    assert browser.get(url.replace("~", "~x")).status_code == 404

    assert client.delete("/live/shares/", {"counter": "sessions"}, format="json").status_code == 204
    assert browser.get(url).status_code == 404


def test_nobody_shares_for_others(ada: User) -> None:
    assert APIClient().post("/live/shares/", {"counter": "sessions"}).status_code in (401, 403)
    client = APIClient()
    client.force_authenticate(ada)
    assert client.post("/live/shares/", {"counter": "attempts"}, format="json").status_code == 404
    assert client.post("/live/shares/", {}, format="json").status_code == 400
