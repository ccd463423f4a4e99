from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

urlpatterns = [
    path("", include("learning.urls")),
    path("", include("packages.urls")),
    path("people/", include("people.urls")),
    path("live/", include("livecounters.urls")),
    path("language/", include("django.conf.urls.i18n")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("admin/", admin.site.urls),
]
