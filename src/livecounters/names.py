"""Names: what the scopes of a counter are called by those who read of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models
from django.utils.translation import gettext as _

from livecounters.conf import options
from livecounters.keys import Field, is_key, text_of
from livecounters.preferences import LEADERBOARD, opted_out
from livecounters.readers import Counter
from livecounters.topics import models_of

__all__ = ["Names", "names_of"]


class Names(NamedTuple):
    """Names by key, and which of them may be shown to others."""

    all: Mapping[str, str]
    listed: set[str]


def names_of(counter: Counter, keys: Iterable[str]) -> Names:
    """The names of what a counter is ``per`` (of several keys: the last), in one query; two for
    people. Objects are called by their ``str()``, people as ``ACTOR_NAME`` says, choices by their
    labels; whatever is gone has no name."""
    label, wanted = models_of(counter.entry)[-1], list(keys)
    if not label:
        found = _values(list(counter.measure.scope_fields.values())[-1], wanted)
        return Names(found, set(found))
    model = apps.get_model(label)
    rows = model._default_manager.filter(pk__in=[k for k in wanted if is_key(model._meta.pk, k)])
    if model is get_user_model():
        return _people(rows)
    objects = {text_of(model._meta.pk, one): str(one) for one in rows}
    return Names(objects, set(objects))


def _values(field: Field, keys: Iterable[str]) -> dict[str, str]:
    """The values of a field, such as a currency, in the words of its choices."""
    words = {text_of(field, value): str(label) for value, label in field.flatchoices}
    if isinstance(field, models.BooleanField):
        words = {"1": _("Yes"), "0": _("No")} | words
    # A blank one is a part like any other.
    return {key: words.get(key, key) or "\N{EN DASH}" for key in keys}


def _people(rows: Any) -> Names:
    """Who has opted out, is hidden by ``MAY_BE_SEEN`` or not active is not shown to others."""
    model: Any = get_user_model()
    found = {text_of(model._meta.pk, one): one for one in options().with_names(rows)}
    unwanted = opted_out(LEADERBOARD, found)
    listed = {
        key
        for key, one in found.items()
        if key not in unwanted and one.is_active and options().may_be_seen(one)
    }
    return Names({key: options().actor_name(one) for key, one in found.items()}, listed)
