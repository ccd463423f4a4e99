from __future__ import annotations

from django.db.models import Q

import livecounters as live

from .models import Category, Order, Visit


@live.register(Order)
class OrderLive(live.LiveModel):
    filter = Q(paid_at__isnull=False)
    at = "paid_at"
    actor = "customer"

    order_paid = live.Activity("{actor} bought something", public=True, anonymous="show")

    orders = live.Count(public=True)
    orders_today = live.Count(window=live.today, public=True)
    orders_told = live.Count(events=order_paid)
    per_category = live.Count(per="category")
    per_customer = live.Count(per="customer")
    revenue = live.Sum("total")
    dearest = live.Max("total")
    customers = live.Count("customer", distinct=True)


@live.register(Category)
class CategoryLive(live.LiveModel):
    categories = live.Count()


@live.register(Visit)
class VisitLive(live.LiveModel):
    visits = live.Count()
