"""``livecounters report``: see ``test_remind``, and what it needs."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


def test_links_need_an_address() -> None:
    with pytest.raises(CommandError, match="SITE_URL"):
        call_command("livecounters", "report")


def test_nobody_has_done_anything(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("livecounters", "report", "--site=https://example.com")

    assert capsys.readouterr().out == "0 reports sent\n"
