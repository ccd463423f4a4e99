"""A shop with categories that a migration brings, and visits in another database."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class Category(models.Model):
    name = models.CharField(max_length=50)


class Order(models.Model):
    category = models.ForeignKey(Category, on_delete=models.CASCADE)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True)
    total = models.DecimalField(max_digits=8, decimal_places=2, default=10)
    paid_at = models.DateTimeField(null=True, default=timezone.now)


class Visit(models.Model):
    path = models.CharField(max_length=100)
