import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lantern.settings")

from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

django_application = get_asgi_application()
if settings.DEBUG:  # elsewhere a web server serves STATIC_ROOT
    django_application = ASGIStaticFilesHandler(django_application)

import livecounters.routing  # noqa: E402 - may need Django to be set up

application = livecounters.routing.application(django_application)
