"""A site with ``USE_TZ = False``: the same days, the same numbers, the same pages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

SCRIPT = """
import datetime as dt, django; django.setup()
from django.core.management import call_command
from django.template import Context
from django.utils import timezone
import livecounters as live
from livecounters import feed, folding, ledger, pump, timeline
from livecounters.templatetags.livecounters import live_counters, live_feed
from tests.host.models import Attempt, Quiz, Sale

call_command("migrate", verbosity=0)
quiz, now = Quiz.objects.create(title="x"), timezone.now()
for hours in range(60):
    at = now - dt.timedelta(hours=hours)
    Attempt.objects.create(quiz=quiz, completed=True, completed_at=at, score=100)
    Sale.objects.create(price=1, day=at.date())
Attempt.objects.create(quiz=quiz, completed=True, score=100)
today = Attempt.objects.filter(completed=True, completed_at__date=now.date()).count()
sales = Sale.objects.filter(day=now.date()).count()
for _ in range(2):
    assert live.counters["attempts_today"].value() == today
    assert live.counters["sales_today"].value() == sales
    assert live.counters["attempts_month"].value() == 60
    assert [n for _, n in live.counters["attempts"].series(window=live.last(hours=3))] == [1] * 3
    folding.fold("default")
work = pump.Pump()
assert work.tick(timezone.now())[0].seq == 61
work.close()
ago = live_feed(Context())["events"][0]["ago"]
assert ago == "now", ago
assert live_counters(Context(), "attempts")["cards"][0]["text"] == "61"
assert timeline.newest(1)[0].as_json()["at"].endswith("Z")
"""


@pytest.mark.skipif(
    "LIVECOUNTERS_TEST_DATABASE_HOST" not in os.environ and connection.vendor != "sqlite",
    reason="needs the database server of this run",
)
def test_a_site_without_time_zones(tmp_path: Path) -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings.naive"}
    if connection.vendor == "sqlite":
        environment["LIVECOUNTERS_TEST_DATABASE_NAME"] = str(tmp_path / "naive.sqlite3")
    else:
        # One that is there from the start, and not used by any other test.
        name = {"postgresql": "postgres", "mysql": "livecounters"}[connection.vendor]
        environment["LIVECOUNTERS_TEST_DATABASE_NAME"] = name

    subprocess.run([sys.executable, "-W", "ignore", "-c", SCRIPT], env=environment, check=True)
