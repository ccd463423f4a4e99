"""Nobody, somebody and staff, who make hostile calls of a server."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit

from django.contrib.auth.models import User
from django.utils import timezone

from tests import contract
from tests.host import practice
from tests.host.models import Attempt, Quiz
from tests.hostile import Call, call
from tests.processes import web
from tests.servers.server import free_port

WITHIN = 5.0
"""Seconds that no call may take, on a machine that has much else to do."""
WHO = ("nobody", "somebody", "staff")
CSRF = "a" * 32


@dataclass(frozen=True)
class Answer:
    status_code: int
    headers: Message
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class Caller:
    """Calls a server as a script does that has the cookies of a browser."""

    def __init__(self, port: int, user: User | None = None) -> None:
        self._port = port
        self._cookies = f"csrftoken={CSRF}"
        if user is not None:
            said = self.call(Call("GET", f"/login/{user.pk}/")).headers.get_all("Set-Cookie", [])
            session = next(text for text in said if text.startswith("sessionid="))
            self._cookies += "; " + session.partition(";")[0]

    def call(self, made: Call) -> Answer:
        own = {"Cookie": self._cookies, "X-CSRFToken": CSRF, "Content-Type": made.kind}
        # What stands in no header that reaches a server.
        headers = {k: re.sub(r"[\x00-\x1f\x7f]", "", v) for k, v in (own | made.headers).items()}
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection:
            encoded = {name: text.encode() for name, text in headers.items() if text}
            connection.request(made.method, made.path, made.body, encoded)
            found = connection.getresponse()
            return Answer(found.status, found.headers, found.read())


class Callers:
    """They call a site on which something has happened."""

    def __init__(self, port: int, server: subprocess.Popen[bytes]) -> None:
        self.server = server
        users = [User.objects.create(username=name, is_staff=name == "staff") for name in WHO[1:]]
        self._callers = [Caller(port), *(Caller(port, user) for user in users)]
        quiz = Quiz.objects.create(title="Fractions")
        Attempt.objects.bulk_create(
            Attempt(quiz=quiz, user=user, completed=True, completed_at=timezone.now(), score=60)
            for user in users
        )
        self.codes: Counter[int] = Counter()
        self.written: Counter[str] = Counter()
        """What was recorded and set, by the path that did it."""
        self.slowest = 0.0

    def call(self, chance: Random) -> None:
        """One call by one of them; raises ``AssertionError`` if the answer is not a good one."""
        made = call(chance)
        caller = chance.choice(self._callers)
        began = time.perf_counter()
        try:
            answer = caller.call(made)
        except OSError as error:
            raise AssertionError(f"{made}: {error!r}") from error
        took = time.perf_counter() - began
        self.slowest = max(self.slowest, took)
        self.codes[answer.status_code] += 1
        path = unquote(urlsplit(made.path).path)
        if made.method in ("POST", "PATCH") and answer.status_code in (200, 201):
            self.written[path] += 1
        assert took < WITHIN, f"{made}: {took:.1f} s"
        if not contract.is_routed(path):
            # Django's page "not found", which fails itself at a form that is broken.
            return
        assert answer.status_code < 500, made
        contract.check(made.method, path, answer)
        if answer.status_code >= 400 and answer.headers["Content-Type"] == contract.JSON:
            assert made.method == "HEAD" or answer.json(), f"{made}: no word of what is wrong"


@contextmanager
def called(environment: Mapping[str, str]) -> Iterator[Callers]:
    """A server that they may call as often as they like, with something to record and to embed."""
    port = free_port()
    environment = {
        **environment,
        "LIVECOUNTERS_TEST_UNBOUNDED": "1",
        "LIVECOUNTERS_TEST_EMBEDS": "https://a.example",
        "LIVECOUNTERS_TEST_PRACTICE": "1",
        "LIVECOUNTERS_TEST_PRESENCE": "database",
        "LIVECOUNTERS_TEST_PUMP": "1",
    }
    with practice.declared(), web(environment, port) as server:
        yield Callers(port, server)
