"""``live/unsubscribe/<token>/``; that its link is in letters is tested with the post."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_token_that_is_not_ours() -> None:
    assert Client().get("/live/unsubscribe/x~y/").status_code == 404
    assert Client().post("/live/unsubscribe/x~y/").status_code == 404
