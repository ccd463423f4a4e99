"""Fixtures that hold our own tables: ``loaddata``, and Django's ``serialized_rollback``.

Triggers count the rows of a fixture as they are loaded. Its numbers would count them twice, so
they are not trusted: until the next sync, or until a pump has healed it, a measure of which a
fixture brings any is counted from its source.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.db.models.signals import post_save, pre_save

__all__ = ["after_load", "before_load", "connect", "drop_order"]


def connect() -> None:
    """Hear of rows of ours that are loaded."""
    pre_save.connect(before_load, sender=_lazy("Delta"), dispatch_uid="livecounters")
    for model in ("Measured", "Delta", "Bucket", "Member"):
        post_save.connect(after_load, sender=_lazy(model), dispatch_uid="livecounters")
    for model in ("Bucket", "Ladder", "Rung", "Score"):
        post_save.connect(drop_order, sender=_lazy(model), dispatch_uid="livecounters.order")


def _lazy(model: str) -> Any:
    return f"livecounters.{model}"


def before_load(*, instance: Any, raw: bool, **kwargs: Any) -> None:
    """Give a delta another key: with its own it could take the place of one that counts, or of
    the next that a trigger writes, which would fail the host's write."""
    if raw:
        instance.pk = None


def after_load(*, instance: Any, raw: bool, using: str, **kwargs: Any) -> None:
    """Distrust what is kept of its measure."""
    if not raw:
        return
    from livecounters.models import Delta, Measured

    ready = Measured.objects.using(using).filter(measure=instance.measure, ready=True)
    # Of another installation, so that no backfill which is under way calls it ready either.
    ready.update(ready=False, installation=secrets.token_hex(8))
    if isinstance(instance, Delta):
        instance.delete(using=using)


def drop_order(*, instance: Any, raw: bool, using: str, **kwargs: Any) -> None:
    """Trust the order of its measure's numbers no more; it is made anew."""
    if raw:
        from livecounters.models import Ladder

        Ladder.objects.using(using).filter(measure=instance.measure).delete()
