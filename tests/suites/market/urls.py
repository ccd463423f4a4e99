from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from .models import Category, Order


def buy(request: HttpRequest) -> HttpResponse:
    Order.objects.create(category=Category.objects.get_or_create(name="Lamps")[0])
    return HttpResponse("thank you")


urlpatterns = [path("live/", include("livecounters.urls")), path("buy/", buy)]
