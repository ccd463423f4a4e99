"""People: the users of the site, and their keys as text, by which all that is theirs is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth import get_user_model

from livecounters.keys import is_key, text_of

__all__ = ["key_of", "users"]

# People who are fetched at once.
PORTION = 500


def key_of(user: Any) -> str:
    """The text of a user's key; the key itself will do."""
    return text_of(get_user_model()._meta.pk, user)


def users(keys: Iterable[str]) -> Iterator[Any]:
    """The users with these keys, in portions. Whoever is gone is left out, and whoever was
    forgotten, of whom a random token is kept."""
    model: Any = get_user_model()
    wanted = [key for key in keys if is_key(model._meta.pk, key)]
    for start in range(0, len(wanted), PORTION):
        yield from model._default_manager.filter(pk__in=wanted[start : start + PORTION])
