"""One of each kind of model that a host may have. What is declared about them is in the tests.

Their tables are made and stay empty; only tests/test_hosts.py and its like register them.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import connection, models
from django.db.models import F, Value
from django.db.models.functions import Now, Upper

NOCASE = {"sqlite": "NOCASE"}.get(connection.vendor)
EXACT = {"mysql": "utf8mb4_bin"}.get(connection.vendor)


class Word(models.Model):
    """A key that is text, in which case and accents matter."""

    text = models.CharField(max_length=200, primary_key=True, db_collation=EXACT)


class Ticket(models.Model):
    """A UUID for a key; everything may be NULL, and relations of every kind."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    word = models.ForeignKey(Word, models.SET_NULL, null=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True)
    twin = models.OneToOneField("self", models.SET_NULL, null=True, related_name="+")
    number = models.CharField(max_length=20, unique=True, null=True, db_collation=EXACT)
    open = models.BooleanField(null=True)
    points = models.IntegerField(null=True)
    made = models.DateTimeField(null=True)


class Note(models.Model):
    """A foreign key to something else than the key."""

    ticket = models.ForeignKey(
        Ticket, models.CASCADE, to_field="number", null=True, db_column="Ticket No."
    )


class Shout(models.Model):
    """Names as in a table of another century."""

    id = models.BigAutoField(primary_key=True, db_column="ID")
    size = models.IntegerField(null=True, db_column="Größe (it's)")
    loud = models.BooleanField(default=False, db_column="back\\slash: {x}")
    group = models.CharField(max_length=20, db_column="GROUP")
    order = models.ForeignKey("self", models.CASCADE, null=True, db_column="order")

    class Meta:
        db_table = "Zoo's Großer \\ Table; --"


class Place(models.Model):
    """A parent with a table of its own."""

    name = models.CharField(max_length=40)
    rank = models.IntegerField(default=0)


class Cafe(Place):
    seats = models.IntegerField(default=0)
    street = models.CharField(max_length=40, default="")


class Busy(Cafe):
    """A proxy of a child."""

    class Meta:
        proxy = True


class Dated(models.Model):
    made = models.DateTimeField(null=True)
    points = models.IntegerField(default=0)

    class Meta:
        abstract = True


class Post(Dated):
    pass


class Reply(Dated):
    post = models.ForeignKey(Post, models.CASCADE, null=True)


class Pair(models.Model):
    """A key of two columns."""

    pk = models.CompositePrimaryKey("left", "right")
    left = models.IntegerField()
    right = models.CharField(max_length=10)
    weight = models.IntegerField(default=0)


class Computed(models.Model):
    """Columns that the database fills in."""

    price = models.DecimalField(max_digits=9, decimal_places=2)
    quantity = models.IntegerField(db_default=Value(3))
    total: Any = models.GeneratedField(
        expression=F("price") * F("quantity"),
        output_field=models.DecimalField(max_digits=18, decimal_places=2),
        db_persist=True,
    )
    name = models.CharField(max_length=20, default="a", db_collation=NOCASE)
    shout: Any = models.GeneratedField(
        expression=Upper("name"), output_field=models.CharField(max_length=20), db_persist=True
    )
    made = models.DateTimeField(db_default=Now())


class Large(models.Model):
    """Numbers at the edge of what the database can hold."""

    big = models.BigIntegerField(null=True)
    small = models.IntegerField(null=True)
    exact = models.DecimalField(max_digits=30, decimal_places=10, null=True)
    wide = models.DecimalField(max_digits=60, decimal_places=2, null=True)
    real = models.FloatField(null=True)
    text = models.CharField(max_length=300, null=True)
    made = models.DateTimeField(null=True)


class Old(models.Model):
    """A table that somebody else has made."""

    code = models.CharField(max_length=20, null=True)
    number = models.IntegerField(null=True)

    class Meta:
        managed = False


class Seen(models.Model):
    """A view."""

    number = models.IntegerField(null=True)

    class Meta:
        managed = False


class Trashed(models.Model):
    """Deleted by a date, as many apps do."""

    owner = models.IntegerField(default=1)
    deleted_at = models.DateTimeField(null=True)


class Truth(models.Model):
    """What filters are tried on."""

    a = models.IntegerField(null=True)
    b = models.IntegerField(null=True)
    text = models.CharField(max_length=20, null=True)
    yes = models.BooleanField(null=True)
    price = models.DecimalField(max_digits=6, decimal_places=2, null=True)


class Elsewhere(models.Model):
    """Kept in another database, see tests/settings/routers.py."""

    number = models.IntegerField(default=1)
    made = models.DateTimeField(auto_now_add=True)


if hasattr(models, "DB_CASCADE"):

    class Leaf(models.Model):
        """Deleted, or set free, by the database."""

        post = models.ForeignKey(Post, models.DB_CASCADE)
        other = models.ForeignKey(Post, models.DB_SET_NULL, null=True, related_name="+")
        points = models.IntegerField(default=1)
