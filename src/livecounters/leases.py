"""Leases: one process at a time does a job, and another takes over when it is gone."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from livecounters.models import Lease

__all__ = ["FAILING", "PUMP", "held", "hold", "idle", "keep", "lapse", "release", "running"]

PUMP = "pump"
"""The lease of the one pump that is at work."""
FAILING = "failing:pump"
"""The lease of a pump that is at work and comes to no end."""


def hold(name: str, holder: str, now: dt.datetime, seconds: float, using: str) -> bool:
    """Take or renew a lease; answers whether ``holder`` has it now."""
    expires = now + dt.timedelta(seconds=seconds)
    leases = Lease.objects.using(using)
    free = Q(holder=holder) | Q(expires_at__lte=now)
    if leases.filter(free, name=name).update(holder=holder, expires_at=expires):
        return True
    if leases.filter(name=name).exists():
        return False
    try:
        with transaction.atomic(using=using):
            leases.create(name=name, holder=holder, expires_at=expires)
    except IntegrityError:
        return False
    return True


def keep(name: str, holder: str, using: str) -> bool:
    """Whether ``holder`` still has the lease, and then until the end of this transaction.

    A fence: who was thought dead and is not must not go on with what another has begun.
    """
    leases = Lease.objects.using(using).select_for_update()
    return leases.filter(name=name, holder=holder).first() is not None


def release(name: str, holder: str, using: str) -> None:
    """Give a lease back, so that nobody has to wait for its end."""
    Lease.objects.using(using).filter(name=name, holder=holder).delete()


def lapse(name: str, holder: str, now: dt.datetime, using: str) -> None:
    """Give a lease back, and leave behind since when nobody has it."""
    mine = Lease.objects.using(using).filter(name=name, holder=holder, expires_at__gt=now)
    mine.update(expires_at=now)


def idle(name: str, now: dt.datetime, using: str) -> float | None:
    """For how many seconds nobody has held a lease, 0 if somebody does; ``None`` if nobody ever
    has."""
    ends = Lease.objects.using(using).filter(name=name).values_list("expires_at", flat=True)
    end = ends.first()
    return None if end is None else max(0.0, (now - end).total_seconds())


def running(prefix: str, now: dt.datetime) -> QuerySet[Lease]:
    """The leases that somebody holds and whose names begin so."""
    return Lease.objects.filter(name__startswith=prefix, expires_at__gt=now)


def held(prefix: str, now: dt.datetime, using: str) -> bool:
    """Whether anybody holds a lease whose name begins so."""
    return running(prefix, now).using(using).exists()
