"""How people are called where others can read it."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext as _


def display_name(user: AbstractBaseUser) -> str:
    """`Ada from Lyon` for those who share their city, else `Ada`. Surnames are never shown."""
    name = user.get_short_name() or user.get_username()
    profile = getattr(user, "profile", None)
    if profile and profile.share_city and profile.city:
        return _("%(name)s from %(city)s") % {"name": name, "city": profile.city}
    return name


# Whoever names many people fetches their profiles with them, in one query.
display_name.select_related = ("profile",)  # type: ignore[attr-defined]
