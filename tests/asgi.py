"""The test project as a server runs it."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

django = get_asgi_application()

from livecounters.routing import application as live  # noqa: E402 - apps must be ready

application = live(ASGIStaticFilesHandler(django))
