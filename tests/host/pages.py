"""URLs of a site of pages: the last pattern takes everything, and what comes below gets nothing."""

from __future__ import annotations

from django.urls import include, path, re_path

from tests.host import views

anything = re_path(r"^((?:[\w\-]+/)*)$", views.home)
ours = path("live/", include("livecounters.urls"))

urlpatterns = [anything, ours]
