"""Permissions, which only what staff may do is about; see ``tests/conftest.py``."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.management import create_permissions


@pytest.fixture(autouse=True)
def permissions(db: None) -> None:
    create_permissions(apps.get_app_config("livecounters"), verbosity=0)
