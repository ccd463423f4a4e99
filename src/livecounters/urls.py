"""``path("live/", include("livecounters.urls"))``"""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from livecounters.api.achievements import AchievementViewSet
from livecounters.api.counters import CounterViewSet
from livecounters.api.embeds import EmbedBadge, EmbedCard, EmbedNumber
from livecounters.api.events import EventViewSet
from livecounters.api.operations import HealthView, MetricsView
from livecounters.api.presence import DevicesView, PresenceViewSet, VisitorView
from livecounters.api.progress import GoalsView, PreferencesView, ProgressView
from livecounters.api.shares import SharedCard, SharedPage, ShareView
from livecounters.api.snapshot import SnapshotView
from livecounters.api.unsubscribe import UnsubscribeView

app_name = "livecounters"

router = SimpleRouter()
router.register("achievements", AchievementViewSet, basename="achievement")
router.register("counters", CounterViewSet, basename="counter")
router.register("events", EventViewSet, basename="event")
router.register("presence", PresenceViewSet, basename="presence")

urlpatterns = [
    path("embed/<str:name>/", EmbedCard.as_view(), name="embed"),
    path("embed/<str:name>.svg", EmbedBadge.as_view(), name="embed-badge"),
    path("embed/<str:name>.json", EmbedNumber.as_view(), name="embed-json"),
    # Before the rooms, which are found by name.
    path("presence/devices/", DevicesView.as_view(), name="devices"),
    path("health/", HealthView.as_view(), name="health"),
    path("metrics/", MetricsView.as_view(), name="metrics"),
    path("progress/", ProgressView.as_view(), name="progress"),
    path("progress/goals/", GoalsView.as_view(), name="goals"),
    path("progress/preferences/", PreferencesView.as_view(), name="preferences"),
    path("snapshot/", SnapshotView.as_view(), name="snapshot"),
    path("shares/", ShareView.as_view(), name="shares"),
    path("shared/<str:token>/", SharedPage.as_view(), name="shared"),
    path("shared/<str:token>/card.svg", SharedCard.as_view(), name="shared-card"),
    path("unsubscribe/<str:token>/", UnsubscribeView.as_view(), name="unsubscribe"),
    path("visitor/", VisitorView.as_view(), name="visitor"),
    *router.urls,
]
