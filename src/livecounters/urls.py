"""``path("live/", include("livecounters.urls"))``"""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from livecounters.api.counters import CounterViewSet
from livecounters.api.events import EventViewSet
from livecounters.api.snapshot import SnapshotView

app_name = "livecounters"

router = SimpleRouter()
router.register("counters", CounterViewSet, basename="counter")
router.register("events", EventViewSet, basename="event")

urlpatterns = [path("snapshot/", SnapshotView.as_view(), name="snapshot"), *router.urls]
