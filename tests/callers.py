"""Nobody, somebody and staff, who make hostile calls."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.settings import api_settings

from livecounters.registry import registry
from tests import contract
from tests.host import practice
from tests.host.models import Attempt, Quiz
from tests.hostile import call

WITHIN = 5.0
"""Seconds that no call may take, on a machine that has much else to do."""


RENEWED = 500
"""After so many calls come new clients: Django's keep three finalizers for each call."""


def _renewed(client: Client) -> Client:
    found = Client()
    found.cookies = client.cookies
    return found


class Callers:
    """They call a site on which something has happened."""

    def __init__(self) -> None:
        users = [User.objects.create(username=name, is_staff=name == "staff") for name in WHO[1:]]
        self.clients = [Client(), *(Client() for _ in users)]
        for client, user in zip(self.clients[1:], users, strict=True):
            client.force_login(user)
        quiz = Quiz.objects.create(title="Fractions")
        Attempt.objects.bulk_create(
            Attempt(quiz=quiz, user=user, completed=True, completed_at=timezone.now(), score=60)
            for user in users
        )
        self.codes: Counter[int] = Counter()
        self.slowest = 0.0

    def call(self, chance: Random) -> None:
        """One call by one of them; raises ``AssertionError`` if the answer is not a good one."""
        if sum(self.codes.values()) % RENEWED == 0:
            self.clients = [_renewed(client) for client in self.clients]
        made = call(chance)
        client: Any = chance.choice(self.clients)
        began = time.perf_counter()
        answer = client.generic(made.method, made.path, made.body, made.kind, headers=made.headers)
        took = time.perf_counter() - began
        self.slowest = max(self.slowest, took)
        self.codes[answer.status_code] += 1
        path = answer.wsgi_request.path_info
        assert took < WITHIN, f"{made}: {took:.1f} s"
        assert answer.status_code < 500, made
        contract.check(made.method, path, answer)
        if answer.status_code >= 400 and answer.get("Content-Type") == "application/json":
            assert made.method == "HEAD" or answer.json(), f"{made}: no word of what is wrong"


WHO = ("nobody", "somebody", "staff")


@contextmanager
def unbounded(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """As often as they like, and with something to record and to embed."""
    embeds = {"COUNTERS": ["attempts", "per_quiz", "score_avg"], "ORIGINS": ["https://a.example"]}
    settings.LIVECOUNTERS = {**settings.LIVECOUNTERS, "EMBEDS": embeds}
    scopes = ("events", "changes", "visitors", "history", "reads")
    rates = {f"livecounters_{scope}": None for scope in scopes}
    monkeypatch.setattr(
        api_settings, "DEFAULT_THROTTLE_RATES", api_settings.DEFAULT_THROTTLE_RATES | rates
    )
    registry.add_site(practice.PracticeLive)
    try:
        yield
    finally:
        registry.remove(practice.PracticeLive)
