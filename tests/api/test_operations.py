"""``GET live/health/`` and ``GET live/metrics/``"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from livecounters import health, leases

pytestmark = pytest.mark.django_db

TOKEN = "a token of some length"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    health._recent.at = None
    yield
    health._recent.at = None


def switch(settings: Any, metrics: bool | str) -> None:
    settings.LIVECOUNTERS = {**settings.LIVECOUNTERS, "METRICS": metrics}


def test_green_and_red(client: Client) -> None:
    answer = client.get("/live/health/")
    assert answer.status_code == 503
    assert answer.json() == {"ok": False, "database": True, "triggers": True, "pump": False}

    health._recent.at = None
    leases.hold(leases.PUMP, "pump 1", timezone.now(), 15, "default")

    answer = client.get("/live/health/")
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    assert "no-store" in answer.headers["Cache-Control"]
    assert client.head("/live/health/").status_code == 200
    assert client.post("/live/health/").status_code == 405


@pytest.mark.parametrize(
    ("metrics", "who", "status"),
    [
        (False, "staff", 404),
        (True, None, 401),
        (True, "user", 401),
        (True, "staff", 200),
        (TOKEN, None, 401),
        (TOKEN, "user", 401),
        (TOKEN, "staff", 200),
    ],
)
def test_who_may_read_metrics(
    client: Client, settings: Any, metrics: bool | str, who: str | None, status: int
) -> None:
    switch(settings, metrics)
    if who is not None:
        client.force_login(User.objects.create(username=who, is_staff=who == "staff"))

    assert client.get("/live/metrics/").status_code == status


@pytest.mark.parametrize(
    ("metrics", "given", "status"),
    [
        (TOKEN, f"Bearer {TOKEN}", 200),
        (TOKEN, "Bearer another", 401),
        (TOKEN, TOKEN, 401),
        (TOKEN, "Bearer ä", 401),
        (True, "Bearer True", 401),
        (False, "Bearer False", 404),
    ],
)
def test_tokens(
    client: Client, settings: Any, metrics: bool | str, given: str, status: int
) -> None:
    switch(settings, metrics)

    answer = client.get("/live/metrics/", headers={"authorization": given})

    assert answer.status_code == status


def test_the_text_is_what_prometheus_reads(client: Client, settings: Any) -> None:
    switch(settings, TOKEN)

    answer = client.get("/live/metrics/", headers={"authorization": f"Bearer {TOKEN}"})

    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {one.name for one in text_string_to_metric_families(answer.content.decode())}
    assert {
        "livecounters_sockets",
        "livecounters_pending_deltas",
        "livecounters_healthy",
    } <= families
