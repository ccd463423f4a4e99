"""A host such as one meets: keys of every kind, nullable actors, money, traps."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Course(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=100)


class Tag(models.Model):
    slug = models.CharField(max_length=40, primary_key=True)


class Quiz(models.Model):
    course = models.ForeignKey(Course, on_delete=models.CASCADE, null=True)
    title = models.CharField(max_length=100)
    published = models.BooleanField(default=True)
    tags = models.ManyToManyField(Tag)


class Attempt(models.Model):
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    code = models.CharField(max_length=20, unique=True, null=True)
    completed = models.BooleanField(default=False)
    completed_at = models.DateTimeField(null=True)
    score = models.IntegerField(null=True)
    note = models.TextField(blank=True)


class Sale(models.Model):
    course = models.ForeignKey(Course, on_delete=models.CASCADE, null=True)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, null=True)
    currency = models.CharField(max_length=3, default="EUR")
    price = models.DecimalField(max_digits=9, decimal_places=2)
    quantity = models.PositiveIntegerField(default=1)
    weight = models.FloatField(default=0)
    gift = models.BooleanField(default=False)
    day = models.DateField(null=True)
    extra = models.JSONField(default=dict)


class GiftSale(Sale):
    class Meta:
        proxy = True
