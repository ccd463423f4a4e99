"""``livecounters doctor``"""

from __future__ import annotations

import pytest
from django.test import override_settings

from livecounters import capture
from tests.commands import refused, run

pytestmark = pytest.mark.django_db


@override_settings(LIVECOUNTERS={})
def test_all_is_well() -> None:
    lines = run("doctor").splitlines()

    assert "ok       triggers on host_sale: installed, a write passes through them" in lines
    assert not [line for line in lines if line.startswith("problem")]


@override_settings(LIVECOUNTERS={})
def test_a_problem_and_its_cure() -> None:
    capture.detach("default", ["host_sale"])

    said, why = refused("doctor")

    lines = said.splitlines()
    place = lines.index("problem  triggers on host_sale: missing")
    assert lines[place + 1] == "         Run manage.py livecounters sync."
    assert why.endswith("problems.")
