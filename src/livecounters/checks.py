"""System checks: a wrong declaration or setting is told by ``manage.py check``.

Ids are stable and each has a heading in the docs. Every message says what was given and why it
will not do, every hint what to do instead.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning
from django.db import connections, router
from django.db.models import DecimalField, FloatField
from django.template import engines
from django.template.backends.django import DjangoTemplates
from django.utils.module_loading import import_string

from livecounters import addresses, capture
from livecounters.conf import KEYS, LIMITS, RETENTION, options
from livecounters.dialects import dialect_of
from livecounters.embeds import why_not
from livecounters.exceptions import Unmeasurable
from livecounters.feed import database
from livecounters.measures import Measure, counted_databases, measure_of
from livecounters.obstacles import Obstacle, cascades, obstacles
from livecounters.presence import Store
from livecounters.recordables import recordable_of
from livecounters.registry import ActivityEntry, CounterEntry, registry
from livecounters.tellings import telling_of

__all__ = ["register"]

Apps = Sequence[AppConfig] | None


def register(checks: Any) -> None:
    """Register all checks; called once when the app is ready."""
    for check in (check_declarations, check_names, check_settings, check_environment):
        checks.register(check)
    checks.register(check_addresses, Tags.urls)
    checks.register(check_triggers, Tags.database)


# Declarations


def check_declarations(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E002 to E013, E017, E022, W004, W005, W009: what cannot be kept or told."""
    entries: list[ActivityEntry | CounterEntry] = [*registry.activities, *registry.counters]
    found = [message for entry in entries for message in _entry(entry)]
    models = [entry.model for entry in entries if entry.model is not None]
    counted = {(model, router.db_for_write(model)): None for model in models}
    for model, using in counted:
        found += [_told(obstacle) for obstacle in cascades(model, using)]
    for using in {using: None for _, using in counted}:
        found += _our_tables(using)
    return found


def _our_tables(using: str) -> Iterator[CheckMessage]:
    ours = apps.get_app_config("livecounters").get_models()
    missing = [model for model in ours if not router.allow_migrate_model(using, model)]
    if missing:
        names = ", ".join(model.__name__ for model in missing)
        yield Error(
            f"Counted models are written to the database {using!r}, where the router allows no "
            f"tables of livecounters ({names}). A trigger cannot write to another database.",
            hint="Let the router's allow_migrate() allow the app livecounters there, too.",
            id="livecounters.E013",
        )


def _told(obstacle: Obstacle) -> CheckMessage:
    kind = Error if obstacle.check_id.startswith("E") else Warning
    return kind(obstacle.reason, hint=obstacle.hint, id=f"livecounters.{obstacle.check_id}")


def _entry(entry: ActivityEntry | CounterEntry) -> Iterator[CheckMessage]:
    try:
        if isinstance(entry, CounterEntry):
            measure = measure_of(entry)
            dialect_of(measure.using).try_out(measure.rows)
            if measure.value is not None and isinstance(measure.value_field, FloatField):
                yield Warning(
                    f"{entry}: it adds up a FloatField, which is kept to six decimal places.",
                    hint="Use a DecimalField for what must be exact.",
                    obj=entry.live,
                    id="livecounters.W004",
                )
            yield from _digits(entry, measure)
        elif entry.recorded:
            recordable_of(entry)
        else:
            yield from _client(entry)
            telling = telling_of(entry)
            dialect_of(telling.using).try_out(telling.rows)
            if telling.using != database():
                raise Unmeasurable(
                    "E011",
                    f"its table is in the database {telling.using!r}, the events are in "
                    f"{database()!r}; a trigger cannot write to another database.",
                    "Route livecounters' models to the database of the model.",
                )
    except Unmeasurable as error:
        yield Error(
            f"{entry}: {error}",
            hint=error.hint,
            obj=entry.live,
            id=f"livecounters.{error.check_id}",
        )


def _client(entry: ActivityEntry) -> Iterator[CheckMessage]:
    if entry.declared.client:
        yield Warning(
            f"{entry}: client= has no effect, since it is told by the rows of "
            f"{entry.rows_of.__name__}.",
            hint="Leave client away and let a view save such a row; or declare the activity in a "
            "live.LiveSite, where a browser may record it.",
            obj=entry.live,
            id="livecounters.W009",
        )


def _digits(entry: CounterEntry, measure: Measure) -> Iterator[CheckMessage]:
    if measure.value is None and not measure.extremes:
        return
    field, kept = measure.value_field, len(str(dialect_of(measure.using).bound)) - 1
    if isinstance(field, DecimalField) and (field.max_digits or 0) > kept:
        yield Warning(
            f"{entry}: numbers of {field.max_digits} digits; those of more than {kept} are left "
            f"out in the database {measure.using!r}.",
            hint=f"Give the field max_digits={kept}, or be sure that they are smaller.",
            obj=entry.live,
            id="livecounters.W005",
        )


# Names in templates

TAG = re.compile(r"{%\s*live_(?:counters?|chart|breakdown|leaderboard)\s+([^%]*?)%}")
QUOTED = re.compile(r"""(?<![=\w])["']([\w.]+)["']""")


def check_names(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E001: a short name that several apps declare, used in a template."""
    ambiguous = registry.counters.ambiguous()
    if not ambiguous:
        return []
    return [
        Error(
            f"{path} uses the counter {name!r}, which several apps declare.",
            hint=f"Use one of the full names {', '.join(map(repr, sorted(ambiguous[name])))}.",
            id="livecounters.E001",
        )
        for path, name in _names_in_templates()
        if name in ambiguous
    ]


def _names_in_templates() -> Iterator[tuple[str, str]]:
    for path in _templates():
        try:
            source = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        for tag in TAG.finditer(source):
            for name in QUOTED.findall(tag[1]):
                yield str(path), name


def _templates() -> Iterator[Path]:
    for engine in engines.all():
        if isinstance(engine, DjangoTemplates):
            for folder in engine.template_dirs:
                yield from sorted(Path(folder).rglob("*.html"))


# Settings

Rule = tuple[Callable[[Any], bool], str]


def _is_path(value: Any) -> bool:
    try:
        return callable(import_string(value))
    except (ImportError, AttributeError, TypeError):
        return False


OPTIONAL_PATH: Rule = (
    lambda value: value is None or _is_path(value),
    "the dotted path of a function that can be imported, or None",
)
BOOLEAN: Rule = (lambda value: isinstance(value, bool), "True or False")
MAPPING: Rule = (lambda value: isinstance(value, dict), "a dict")

RULES: dict[str, Rule] = {
    "ACTOR_NAME": (_is_path, "the dotted path of a function that can be imported"),
    "MAY_BE_SEEN": OPTIONAL_PATH,
    "USER_TIMEZONE": OPTIONAL_PATH,
    "WEEK_START": (
        lambda value: not isinstance(value, bool) and value in range(7),
        "0 (Monday) to 6 (Sunday)",
    ),
    "EMBEDDED_PUMP": BOOLEAN,
    "INSTALL_ON_MIGRATE": BOOLEAN,
    "FRAMES_PER_SECOND": (
        lambda value: (
            not isinstance(value, bool) and isinstance(value, (int, float)) and 0 < value <= 60
        ),
        "a number above 0 and up to 60",
    ),
    "ALLOWED_ORIGINS": (
        lambda value: (
            value is None
            or (isinstance(value, (list, tuple)) and all("://" in str(one) for one in value))
        ),
        'a list of origins such as "https://example.com", or None',
    ),
    "SOCKET_URL": (
        lambda value: value is None or (isinstance(value, str) and value.startswith("/")),
        "a path that begins with /, or None",
    ),
    "EMBEDS": MAPPING,
    "LIMITS": MAPPING,
    "METRICS": (
        lambda value: isinstance(value, bool) or (isinstance(value, str) and len(value) >= 16),
        "True, False, or a token of 16 characters or more",
    ),
    "PUMP_PATIENCE": (
        lambda value: (
            value is None or (not isinstance(value, bool) and isinstance(value, int) and value >= 5)
        ),
        "whole seconds, 5 or more, or None",
    ),
    "PRESENCE": MAPPING,
    "SITE_URL": (
        lambda value: value is None or "://" in str(value),
        'an address such as "https://example.com", or None',
    ),
    "RETENTION": MAPPING,
}

PRESENCE_RULES: dict[str, Rule] = {
    "BACKEND": (
        lambda value: _is_path(value) and issubclass(import_string(value), Store),
        "the dotted path of a livecounters.presence.base.Store whose packages are installed",
    ),
    "TTL": (
        lambda value: (
            not isinstance(value, bool) and isinstance(value, (int, float)) and 5 <= value <= 300
        ),
        "seconds, 5 to 300",
    ),
    "URL": (lambda value: value is None or isinstance(value, str), "an address, or None"),
    "PREFIX": (lambda value: isinstance(value, str) and value != "", "a text"),
    "ROTATE": BOOLEAN,
    "SIGHTINGS": BOOLEAN,
}


# What a browser sends as an origin: no path, not even a slash.
ORIGIN = re.compile(r"\*|https?://[^\s/,;*'\"]+")

EMBEDS_RULES: dict[str, Rule] = {
    "COUNTERS": (lambda value: isinstance(value, (list, tuple)), "a list of names of counters"),
    "ORIGINS": (
        lambda value: (
            isinstance(value, (list, tuple))
            and all(isinstance(one, str) and ORIGIN.fullmatch(one) for one in value)
        ),
        'a list of origins such as "https://example.com", without a path, or ["*"] for all',
    ),
    "MAX_AGE": (
        lambda value: not isinstance(value, bool) and isinstance(value, int) and value >= 1,
        "a whole number of seconds, 1 at the least",
    ),
}


def check_settings(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E020: an unknown key; E021: a value that will not do."""
    given = getattr(settings, "LIVECOUNTERS", None) or {}
    if not isinstance(given, dict):
        return [
            Error(
                f"LIVECOUNTERS is a {type(given).__name__}.",
                hint="Make it a dict.",
                id="livecounters.E021",
            )
        ]
    return [message for key, value in given.items() for message in _setting(key, value)]


def _setting(key: Any, value: Any) -> Iterator[CheckMessage]:
    if key not in RULES:
        yield _unknown("LIVECOUNTERS", key, KEYS)
        return
    holds, allowed = RULES[key]
    if not holds(value):
        yield _wrong(f"LIVECOUNTERS[{key!r}]", value, allowed)
    elif key == "RETENTION":
        days = "a whole number of days, 1 at the least, or None for good"
        yield from _whole_numbers(key, value, tuple(RETENTION), days)
    elif key == "LIMITS":
        most = "a whole number, 1 at the least, or None for without bound"
        yield from _whole_numbers(key, value, tuple(LIMITS), most)
    elif key == "PRESENCE":
        yield from _presence(value)
    elif key == "EMBEDS":
        yield from _embeds(value)


def _whole_numbers(
    key: str, given: dict[Any, Any], known: Sequence[str], allowed: str
) -> Iterator[CheckMessage]:
    """A setting that is a dict of numbers from 1 on, or None."""
    for what, number in given.items():
        if what not in known:
            yield _unknown(f"LIVECOUNTERS[{key!r}]", what, known)
        elif number is not None and (
            isinstance(number, bool) or not isinstance(number, int) or number < 1
        ):
            yield _wrong(f"LIVECOUNTERS[{key!r}][{what!r}]", number, allowed)


def _ruled(
    setting: str, given: dict[Any, Any], rules: Mapping[str, Rule]
) -> Iterator[CheckMessage]:
    """A setting that is a dict with rules of its own."""
    for key, value in given.items():
        if key not in rules:
            yield _unknown(f"LIVECOUNTERS[{setting!r}]", key, tuple(rules))
            continue
        holds, allowed = rules[key]
        if not holds(value):
            yield _wrong(f"LIVECOUNTERS[{setting!r}][{key!r}]", value, allowed)


def _embeds(given: dict[Any, Any]) -> Iterator[CheckMessage]:
    yield from _ruled("EMBEDS", given, EMBEDS_RULES)
    names = given.get("COUNTERS", ())
    for name in names if isinstance(names, (list, tuple)) else ():
        if reason := why_not(name):
            yield Error(
                f"LIVECOUNTERS['EMBEDS']['COUNTERS'] lists {name!r}: {reason}",
                hint="Name counters that are declared with public=True; others are a 404.",
                id="livecounters.E021",
            )


def _presence(given: dict[Any, Any]) -> Iterator[CheckMessage]:
    yield from _ruled("PRESENCE", given, PRESENCE_RULES)
    if "redis" in str(given.get("BACKEND", "")) and not given.get("URL"):
        allowed = 'the address of the server, such as "redis://localhost:6379/0"'
        yield _wrong("LIVECOUNTERS['PRESENCE']['URL']", given.get("URL"), allowed)


def _unknown(where: str, key: Any, known: Sequence[str]) -> Error:
    close = difflib.get_close_matches(str(key), known, n=1)
    return Error(
        f"{where} has the unknown key {key!r}.",
        hint=f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(known)}.",
        id="livecounters.E020",
    )


def _wrong(where: str, value: Any, allowed: str) -> Error:
    return Error(f"{where} is {value!r}.", hint=f"Give {allowed}.", id="livecounters.E021")


# Surroundings


def check_environment(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """W001: several processes cannot hear each other; W002: SQLite's deferred transactions."""
    return [*_channel_layer(), *_transaction_mode()]


def _channel_layer() -> Iterator[CheckMessage]:
    layers = getattr(settings, "CHANNEL_LAYERS", None) or {}
    backend = str(layers.get("default", {}).get("BACKEND", ""))
    if not options().EMBEDDED_PUMP and (not backend or "InMemory" in backend):
        yield Warning(
            "The pump runs in a process of its own (EMBEDDED_PUMP is False), but the channel "
            "layer reaches no other process: pages learn of changes only every few seconds.",
            hint="Configure CHANNEL_LAYERS with channels-redis, or set EMBEDDED_PUMP to True.",
            id="livecounters.W001",
        )


def _transaction_mode() -> Iterator[CheckMessage]:
    for alias in sorted(counted_databases()):
        connection = connections[alias]
        if connection.vendor != "sqlite":
            continue
        mode = connection.settings_dict.get("OPTIONS", {}).get("transaction_mode")
        if str(mode).upper() not in ("IMMEDIATE", "EXCLUSIVE"):
            yield Warning(
                f"The SQLite database {alias!r} begins transactions as {mode or 'DEFERRED'}: one "
                'that reads first and then writes fails at once with "database is locked" '
                "whenever another connection, such as the pump's, wrote in between.",
                hint=f'Set DATABASES[{alias!r}]["OPTIONS"]["transaction_mode"] = "IMMEDIATE".',
                id="livecounters.W002",
            )


def check_addresses(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """W010: another pattern answers at our addresses."""
    path = addresses.snapshot() if getattr(settings, "ROOT_URLCONF", None) else ""
    first = addresses.in_the_way(path) if path else ""
    if not first:
        return []
    return [
        Warning(
            f"Pages ask for {path}, where the pattern {first!r} of the URLs answers, which stands "
            "above ours: without a socket they get no numbers, and guests are not counted.",
            hint='Put path("live/", include("livecounters.urls")) above it.',
            id="livecounters.W010",
        )
    ]


# Triggers


def check_triggers(
    app_configs: Apps, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """W003: triggers that are missing, outdated or orphaned; E014 to E018, W006, W007: what stands
    in their way. Asked with ``--database``."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        try:
            if not capture.supported(alias) or not capture.ready(alias):
                continue
            found = capture.states(alias)
            messages += [_told(obstacle) for obstacle in obstacles(alias)]
        except Unmeasurable:
            # Told by the other checks.
            continue
        messages += [
            Warning(
                f"The triggers on the table {state.table!r} are {state.state}.",
                hint="Run manage.py migrate or manage.py livecounters sync.",
                id="livecounters.W003",
            )
            for state in found
            if state.state != "installed"
        ]
    return messages
