"""The numbers: what happened lately (deltas) and what it all adds up to (buckets)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    CharField = models.CharField[Any, Any]
    BigIntegerField = models.BigIntegerField[int, int]
else:
    CharField = models.CharField
    BigIntegerField = models.BigIntegerField

KEY_LENGTH = 32
TEXT_LENGTH = 255


def exact_collation(connection: BaseDatabaseWrapper) -> str:
    """The collation of MySQL or MariaDB that tells any two different texts apart."""
    mariadb = getattr(connection, "mysql_is_mariadb", False)
    return "utf8mb4_nopad_bin" if mariadb else "utf8mb4_0900_bin"


class ExactCharField(CharField):
    """Text that is equal only to itself, also where columns take "a" and "A" for the same, and
    that is sorted by its signs."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        found = super().db_parameters(connection)
        if connection.vendor == "mysql":
            found["collation"] = exact_collation(connection)
        elif connection.vendor == "postgresql":
            found["collation"] = "C"
        return found


class TotalField(BigIntegerField):
    """An integer of 60 digits; of 64 bits on SQLite, which has no larger ones.

    A sum that grows beyond 64 bits must not make the host's write fail.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return {"postgresql": "numeric(60)", "mysql": "decimal(60)"}.get(
            connection.vendor, "bigint"
        )

    def from_db_value(self, value: Any, *args: Any) -> int | None:
        return None if value is None else int(value)


class Delta(models.Model):
    """A change of a measure that is not folded yet, written by a trigger beside the host's row.

    ``at`` is a stamp (seconds since 1970 UTC, see ``windows``), floored to the minute, or to the
    quarter hour where it is long past; NULL for rows that have no time.
    """

    id = models.BigAutoField(primary_key=True)
    measure = ExactCharField(max_length=KEY_LENGTH)
    scope = ExactCharField(max_length=TEXT_LENGTH)
    member = ExactCharField(max_length=TEXT_LENGTH)
    at = models.BigIntegerField(null=True)
    count = models.BigIntegerField()
    total = TotalField()

    class Meta:
        verbose_name = _("delta")
        verbose_name_plural = _("deltas")
        indexes = [models.Index(fields=["measure", "scope"], name="livecounters_delta_measure")]

    def __str__(self) -> str:
        return f"{self.measure}[{self.scope}] {self.count:+} {self.total:+}"


class Bucket(models.Model):
    """The sum of all folded deltas of one measure and scope in one span of time.

    Of a measure with members it holds how many members were *last* there: a member counts in
    the latest bucket of each grain that it has a row in, and in no other. So the members of a
    window that reaches to the present are a sum like any other.
    """

    pk = models.CompositePrimaryKey("measure", "scope", "grain", "start")
    measure = ExactCharField(max_length=KEY_LENGTH)
    scope = ExactCharField(max_length=TEXT_LENGTH)
    grain = models.SmallIntegerField()
    start = models.BigIntegerField()
    count = models.BigIntegerField(default=0)
    total = TotalField(default=0)
    members = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.measure}[{self.scope}] {self.grain}@{self.start}: {self.count}"


class Member(models.Model):
    """How many rows one member of a measure (a distinct value) has in one span of time."""

    pk = models.CompositePrimaryKey("measure", "scope", "grain", "member", "start")
    measure = ExactCharField(max_length=KEY_LENGTH)
    scope = ExactCharField(max_length=TEXT_LENGTH)
    grain = models.SmallIntegerField()
    member = ExactCharField(max_length=TEXT_LENGTH)
    start = models.BigIntegerField()
    count = models.BigIntegerField()

    class Meta:
        # The key finds when a member was last there, this finds who was there in a window.
        indexes = [
            models.Index(
                fields=["measure", "scope", "grain", "start"], name="livecounters_member_start"
            )
        ]

    def __str__(self) -> str:
        return f"{self.measure}[{self.scope}] {self.member} {self.grain}@{self.start}: {self.count}"
