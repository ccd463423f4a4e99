"""Every answer that a test of the API gets is held against the schema."""

from __future__ import annotations

from typing import Any

import pytest
from django.test.client import Client

from tests import contract


@pytest.fixture(autouse=True)
def kept_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Client.request

    def request(self: Client, **given: Any) -> Any:
        answer: Any = ask(self, **given)
        contract.check(given["REQUEST_METHOD"], given["PATH_INFO"], answer)
        return answer

    monkeypatch.setattr(Client, "request", request)
