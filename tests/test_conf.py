"""The settings: their defaults, and that a test of the host may change them."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from livecounters.checks import RULES
from livecounters.conf import KEYS, Options, imported, options, site_zone


def hide_ada(user: Any) -> bool:
    return user.username != "ada"


def shout(user: Any) -> str:
    return user.username.upper()


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("ACTOR_NAME", "builtins.str"),
        ("USER_TIMEZONE", None),
        ("WEEK_START", 0),
        ("MAY_BE_SEEN", None),
        ("EMBEDDED_PUMP", True),
        ("INSTALL_ON_MIGRATE", True),
        ("FRAMES_PER_SECOND", 4),
        ("ALLOWED_ORIGINS", None),
        ("EMBEDS", {}),
        ("SOCKET_URL", "/ws/live/"),
    ],
)
@pytest.mark.parametrize("given", [{}, None])
def test_the_defaults(settings: Any, given: Any, key: str, default: Any) -> None:
    settings.LIVECOUNTERS = given

    assert getattr(options(), key) == default


def test_no_setting_at_all(settings: Any) -> None:
    settings.LIVECOUNTERS = None

    assert options() == Options()


def test_a_change_is_seen_at_once_and_undone(settings: Any) -> None:
    before = options()
    assert options() is before

    settings.LIVECOUNTERS = {"WEEK_START": 6}
    assert options().WEEK_START == 6
    assert options().EMBEDDED_PUMP is True

    settings.LIVECOUNTERS = {}
    assert options().WEEK_START == 0


def test_unknown_keys_are_left_to_the_checks(settings: Any) -> None:
    settings.LIVECOUNTERS = {"WEEK_STRAT": 6, "WEEK_START": 5}

    assert options().WEEK_START == 5


def test_every_key_has_its_rule_and_its_sentence() -> None:
    assert set(KEYS) == set(RULES) == {option.name for option in fields(Options)}


def test_how_long_is_kept_what_is_not_kept_for_good(settings: Any) -> None:
    settings.LIVECOUNTERS = {}
    assert (options().minutes, options().quarter_hours, options().events) == (2, 60, 90)
    assert options().samples == 30

    settings.LIVECOUNTERS = {"RETENTION": {"minutes": 1, "events": None}}
    assert (options().minutes, options().quarter_hours, options().events) == (1, 60, None)


def test_options_are_read_only() -> None:
    with pytest.raises(AttributeError):
        options().WEEK_START = 3  # type: ignore[misc]


def test_names_by_default_and_by_function(settings: Any) -> None:
    ada = User(username="ada")
    settings.LIVECOUNTERS = {}
    assert options().actor_name(ada) == "ada"

    settings.LIVECOUNTERS = {"ACTOR_NAME": f"{__name__}.shout"}
    assert options().actor_name(ada) == "ADA"


def test_who_may_be_seen(settings: Any) -> None:
    ada, bob = User(username="ada"), User(username="bob")
    settings.LIVECOUNTERS = {}
    assert options().may_be_seen(ada)

    settings.LIVECOUNTERS = {"MAY_BE_SEEN": f"{__name__}.hide_ada"}
    assert not options().may_be_seen(ada)
    assert options().may_be_seen(bob) is True


def test_a_function_that_is_not_there(settings: Any) -> None:
    settings.LIVECOUNTERS = {"MAY_BE_SEEN": f"{__name__}.nobody"}

    with pytest.raises(ImportError, match="nobody"):
        options().may_be_seen(User())


def test_a_path_is_imported_once() -> None:
    assert imported("builtins.str") is str
    assert imported("builtins.str") is imported("builtins.str")


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "UTC", "America/Sao_Paulo"])
@pytest.mark.parametrize("use_tz", [True, False])
def test_the_site_s_days_are_those_of_its_zone(settings: Any, zone: str, use_tz: bool) -> None:
    settings.USE_TZ, settings.TIME_ZONE = use_tz, zone

    assert str(site_zone()) == zone
    # Whoever is logged in: a person's zone is none of the site's.
    with timezone.override(dt.timezone(dt.timedelta(hours=3))):
        assert str(site_zone()) == zone
