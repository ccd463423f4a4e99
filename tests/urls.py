from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from tests.host import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("live/", include("livecounters.urls")),
    path("", views.home),
    path("complete/<int:quiz>/", views.complete),
    path("practice/", views.practice),
    path("charts/", views.charts),
    path("login/<int:user>/", views.log_in),
]
