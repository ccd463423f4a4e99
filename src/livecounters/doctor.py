"""The doctor: looks at everything that must be right around the numbers, by trying it.

Each finding says what was looked at, how it is, and the cure if it is not well.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core import checks
from django.db import Error, connections, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from livecounters import addresses, capture, feed, folding
from livecounters.announce import GROUP
from livecounters.conf import options
from livecounters.dialects import Dialect, Watch, dialect_of
from livecounters.exceptions import Unmeasurable
from livecounters.gauges import SITE
from livecounters.leases import PUMP
from livecounters.meters import presence_declared
from livecounters.models import Lease
from livecounters.presence import store
from livecounters.readers import aware
from livecounters.standing import standings
from livecounters.watches import watches

__all__ = ["Finding", "examine"]

Level = Literal["ok", "warning", "problem"]

# Seconds that a message may take over the channel layer.
PATIENCE = 3.0

FILES = ("livecounters/livecounters.js", "livecounters/livecounters.css")

SYNC = "Run manage.py livecounters sync."
ABOVE = 'Put path("live/", include("livecounters.urls")) above it in the URLs.'

# Said by the doctor itself: table by table, and at the addresses.
OWN = {"livecounters.W003", "livecounters.W010"}


@dataclass(frozen=True)
class Finding:
    """How one thing is; ``cure`` says what to do about it."""

    level: Level
    what: str
    cure: str = ""


class _Undone(Exception):
    """Takes back what was only tried."""


def examine(now: dt.datetime) -> Iterator[Finding]:
    """Look at settings, databases, triggers, pump, channel layer, files and addresses.

    Writes nothing that stays. Each finding comes as soon as it is made.
    """
    watched = [using for using in connections if capture.supported(using) and _watches(using)]
    yield from _checks(watched)
    if not watched:
        yield Finding(
            "warning",
            "declarations: none",
            "Write <app>/livecounters.py, in an app that is in INSTALLED_APPS.",
        )
    for using in watched:
        yield from _database(using)
    yield _pump(now)
    yield _channel_layer()
    if presence_declared():
        yield _presence(now)
    yield from _static_files()
    yield from _addresses()


def _watches(using: str) -> list[Watch]:
    try:
        return watches(using)
    except Unmeasurable:
        # What cannot be kept is among the system checks.
        return []


def _checks(databases: list[str]) -> Iterator[Finding]:
    found = [
        message
        for message in checks.run_checks(databases=databases)
        if str(message.id).startswith("livecounters.") and message.id not in OWN
    ]
    for message in found:
        level: Level = "problem" if message.level >= checks.ERROR else "warning"
        yield Finding(level, f"{message.id}: {message.msg}", str(message.hint or ""))
    if not found:
        yield Finding("ok", "settings and declarations: the system checks have nothing to say")


# The database


def _database(using: str) -> Iterator[Finding]:
    try:
        tables = capture.ready(using)
    except Error as error:
        yield Finding("problem", f"database {using}: {_said(error)}", "See that it can be reached.")
        return
    if not tables:
        yield Finding("problem", f"database {using}: no tables of ours", "Run manage.py migrate.")
        return
    yield Finding("ok", f"database {using}: reached, with our tables")
    dialect = dialect_of(using)
    states = dict(capture.states(using))
    for watch in watches(using):
        state = states.pop(watch.table)
        if state == "installed":
            yield _passage(dialect, watch)
        else:
            yield Finding("problem", f"triggers on {watch.table}: {state}", SYNC)
    for table in states:
        yield Finding("warning", f"triggers on {table}: nothing is declared about it", SYNC)
    for one in standings(using):
        if one.trouble:
            what = f"{' '.join(one.names)}: counted from the source at each reading"
            yield Finding("problem", what, f"{one.trouble[:1].upper()}{one.trouble[1:]}.")
    yield _folding(dialect)


def _passage(dialect: Dialect, watch: Watch) -> Finding:
    """Send writes of no row through the triggers: they are compiled and run, and leave nothing."""
    what = f"triggers on {watch.table}: "
    fields = [one for one in watch.model._meta.local_concrete_fields if not one.generated]
    table, columns = dialect.quote(watch.table), dialect.names(str(one.column) for one in fields)
    key = dialect.quote(str(fields[0].column))
    try:
        with transaction.atomic(using=dialect.using):
            with dialect.connection.cursor() as cursor:
                nothing = f"{table} WHERE 1 = 0"
                cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {nothing}")
                cursor.execute(f"UPDATE {table} SET {key} = {key} WHERE 1 = 0")
                cursor.execute(f"DELETE FROM {nothing}")
            raise _Undone
    except _Undone:
        return Finding("ok", f"{what}installed, a write passes through them")
    except Error as error:
        return Finding("problem", f"{what}a write of no row fails: {_said(error)}", SYNC)


def _folding(dialect: Dialect) -> Finding:
    waiting = folding.pending(dialect.using)
    with folding.alone(dialect, wait=False) as so:
        how = "free" if so else "held by a process that folds now"
    return Finding("ok", f"folding in {dialect.using}: the lock is {how}, {waiting} deltas pending")


def _pump(now: dt.datetime) -> Finding:
    lease = Lease.objects.using(feed.database()).filter(name=PUMP, expires_at__gt=now).first()
    if lease is not None:
        until = timezone.localtime(aware(lease.expires_at))
        return Finding("ok", f"pump: at work, its lease is good until {until:%H:%M:%S}")
    if options().EMBEDDED_PUMP:
        return Finding("ok", "pump: none now; the ASGI server starts one")
    return Finding(
        "problem",
        "pump: none is at work, and EMBEDDED_PUMP is False",
        "Run manage.py livecounters run as a service.",
    )


# The channel layer


def _channel_layer() -> Finding:
    layer = get_channel_layer()
    if layer is None:
        return Finding(
            "warning",
            "channel layer: none",
            "One process needs none. For several, configure CHANNEL_LAYERS, so that pages hear at once.",
        )
    try:
        back = async_to_sync(_round_trip)(layer)
    except Exception as error:
        # Whatever a layer raises; there are many.
        return Finding("problem", f"channel layer: {error!r}", "See that its server is running.")
    if not back:
        cure = "See that its server is running, and that its group is not full."
        return Finding("problem", "channel layer: what was sent did not come back", cure)
    return Finding("ok", f"channel layer: a message came back ({type(layer).__name__})")


async def _round_trip(layer: Any) -> bool:
    # A group of its own: real listeners need not hear of it.
    group, message = f"{GROUP}.doctor", {"type": "livecounters.doctor"}
    async with asyncio.timeout(PATIENCE):
        channel = await layer.new_channel()
        await layer.group_add(group, channel)
        try:
            await layer.group_send(group, message)
            return bool((await layer.receive(channel))["type"] == message["type"])
        finally:
            await layer.group_discard(group, channel)


# Presence


def _presence(now: dt.datetime) -> Finding:
    name = type(store()).__name__
    try:
        room = store().counts([SITE], aware(now).timestamp())[SITE]
    except Exception as error:
        # Whatever a store's library raises; there are many.
        return Finding("problem", f"presence: {error!r}", "See that its server is running.")
    return Finding(
        "ok", f"presence: {room.online} are here on {room.connections} connections ({name})"
    )


# Files and addresses


def _static_files() -> Iterator[Finding]:
    if not apps.is_installed("django.contrib.staticfiles"):
        yield Finding(
            "warning",
            "static files: django.contrib.staticfiles is not installed",
            f"Serve {' and '.join(FILES)} yourself.",
        )
        return
    missing = [name for name in FILES if finders.find(name) is None]
    if missing:
        cure = "See STATICFILES_FINDERS: AppDirectoriesFinder finds them."
        yield Finding("problem", f"static files: {', '.join(missing)} not found", cure)
    else:
        yield Finding("ok", "static files: found")


def _addresses() -> Iterator[Finding]:
    path = addresses.snapshot()
    if not path:
        yield Finding(
            "problem",
            "pages find no address to poll at",
            'Add path("live/", include("livecounters.urls")) to the URLs.',
        )
    elif first := addresses.in_the_way(path):
        yield Finding("problem", f"pages poll at {path}, where {first!r} answers", ABOVE)
    else:
        yield Finding("ok", f"pages poll at {path}")
    yield _socket()


def _socket() -> Finding:
    url = options().SOCKET_URL
    if url is None:
        return Finding("ok", "socket: none, pages poll (SOCKET_URL is None)")
    path = getattr(settings, "ASGI_APPLICATION", None)
    if not path:
        return Finding(
            "warning",
            f"socket: pages try {url}; whether somebody answers cannot be seen from here",
            "If asgi.py does not yet, wrap the application: "
            "livecounters.routing.application(get_asgi_application()).",
        )
    try:
        import_string(path)
    except Exception as error:
        # An application is any code.
        return Finding("problem", f"socket: {path} cannot be imported: {error!r}", "Repair it.")
    return Finding("ok", f"socket: pages try {url}, the application {path} can be imported")


def _said(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
