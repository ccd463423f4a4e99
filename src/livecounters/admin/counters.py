"""The counters, as they stand: value, triggers, what is pending, the last audit. Each may be
verified, repaired, paused and reset by who is permitted to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.db.transaction import non_atomic_requests
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from livecounters import interventions
from livecounters.account import account_of
from livecounters.admin.tables import ReadOnly
from livecounters.displays import counter_text, decimals_of, number_text
from livecounters.exceptions import Busy
from livecounters.interventions import Refused
from livecounters.measures import counted_databases
from livecounters.models import Delta, Measured
from livecounters.numbers import counters
from livecounters.readers import Counter, Question, read
from livecounters.standing import STATES, Standing, standings
from livecounters.topics import may_read

__all__ = ["MeasuredAdmin"]

HISTORY = 20
"""Entries of a counter's log that are shown."""


@dataclass(frozen=True)
class Row:
    """One measure: how it stands, and the counters that this user may read of it."""

    standing: Standing
    readers: list[Counter]
    values: list[str]
    pending: int

    @property
    def key(self) -> str:
        return self.standing.measure.key

    @property
    def names(self) -> str:
        return ", ".join(reader.name for reader in self.readers)

    @property
    def triggers(self) -> str:
        return str(STATES[self.standing.triggers])


# What may be done


@dataclass(frozen=True)
class Action:
    """Something that may be done to a measure: what it means, who may, why not, and doing it."""

    label: str | Promise
    explained: str | Promise
    permission: str
    refuses: Callable[[Standing, dt.datetime], str]
    run: Callable[[Standing, dt.datetime], str]

    def allowed(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"livecounters.{self.permission}")


def _verify(standing: Standing, now: dt.datetime) -> str:
    found = interventions.verify(standing)
    if found is None:
        raise Refused(standing.trouble)
    wrong = found.wrong + found.scores
    return ngettext("Verified: %(n)s wrong number", "Verified: %(n)s wrong numbers", wrong) % {
        "n": wrong
    }


def _repair(standing: Standing, now: dt.datetime) -> str:
    number, brought = interventions.repair(standing)
    if brought:
        return _("Counted anew, and in force")
    return ngettext("Repaired: %(n)s bucket", "Repaired: %(n)s buckets", number) % {"n": number}


def _pause(standing: Standing, now: dt.datetime) -> str:
    interventions.pause(standing, now)
    return _("Paused")


def _resume(standing: Standing, now: dt.datetime) -> str:
    interventions.resume(standing)
    return _("Resumed")


def _reset(standing: Standing, now: dt.datetime) -> str:
    number = interventions.reset(standing, now)
    return ngettext("Reset: %(n)s bucket dropped", "Reset: %(n)s buckets dropped", number) % {
        "n": number
    }


def _missing(standing: Standing, now: dt.datetime) -> str:
    return "" if standing.installed else standing.trouble


def _paused(standing: Standing) -> bool:
    return standing.captured is not None and standing.captured.paused_at is not None


ACTIONS = {
    "verify": Action(
        gettext_lazy("Verify"),
        gettext_lazy(
            "What is kept is compared with the rows there are. It reads the whole table, beside "
            "readers and writers, and changes nothing."
        ),
        "repair_measured",
        lambda standing, now: "" if standing.in_force else standing.trouble,
        _verify,
    ),
    "repair": Action(
        gettext_lazy("Repair"),
        gettext_lazy(
            "What is kept is made equal to the rows there are, beside readers and writers. It "
            "takes as long as counting the table; for a big one run it on the command line."
        ),
        "repair_measured",
        _missing,
        _repair,
    ),
    "pause": Action(
        gettext_lazy("Pause"),
        gettext_lazy(
            "Open pages are not told of it and keep the number they show. It goes on counting: "
            "whoever loads a page, or asks the API, sees the right number."
        ),
        "pause_measured",
        lambda standing, now: (
            _("It is paused.") if _paused(standing) else interventions.refuses_pause(standing)
        ),
        _pause,
    ),
    "resume": Action(
        gettext_lazy("Resume"),
        gettext_lazy("Open pages are told the right number within seconds."),
        "pause_measured",
        lambda standing, now: "" if _paused(standing) else _("It is not paused."),
        _resume,
    ),
    "reset": Action(
        gettext_lazy("Reset"),
        gettext_lazy(
            "It counts from now on. What happened before stays in the feed and is never counted "
            "again. This cannot be undone."
        ),
        "reset_measured",
        interventions.refuses_reset,
        _reset,
    ),
}


# Its pages


@admin.register(Measured)
class MeasuredAdmin(ReadOnly):
    """A list, a page for each, and a page to confirm each action."""

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "livecounters_measured"
        return [
            path("", view(self.changelist_view), name=f"{name}_changelist"),
            path("<str:key>/", view(self.one_view), name=f"{name}_change"),
            path("<str:key>/<str:action>/", view(self.action_view), name=f"{name}_action"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self._check(request)
        return self.page(request, "counters", _("Counters"), rows=_rows(request))

    def one_view(self, request: HttpRequest, key: str) -> HttpResponse:
        self._check(request)
        row = _row(request, key)
        now = timezone.now()
        log = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(Measured), object_id=key
        )
        # Its source is counted only if somebody asks: that takes as long as the table is big.
        whole = [reader for reader in row.readers if reader.per is None]
        return self.page(
            request,
            "counter",
            row.names,
            row=row,
            paused=_paused(row.standing),
            actions=[
                (name, action, action.refuses(row.standing, now))
                for name, action in ACTIONS.items()
                if action.allowed(request)
            ],
            account=_account(whole[0], now) if whole and "account" in request.GET else None,
            countable=bool(whole),
            log=log.select_related("user").order_by("-action_time")[:HISTORY],
        )

    @non_atomic_requests
    def action_view(self, request: HttpRequest, key: str, action: str) -> HttpResponse:
        """A GET asks, a POST does it."""
        self._check(request)
        chosen = ACTIONS.get(action)
        if chosen is None:
            raise Http404
        if not chosen.allowed(request):
            raise PermissionDenied
        row, now = _row(request, key), timezone.now()
        if request.method != "POST":
            reason = chosen.refuses(row.standing, now)
            title = f"{chosen.label}: {row.names}"
            return self.page(request, "confirm", title, row=row, action=chosen, reason=reason)
        try:
            said = chosen.run(row.standing, now)
        except (Refused, Busy) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"{row.names}: {said}")
            self._log(request, row, said)
        return HttpResponseRedirect(
            reverse(f"{self._name}:livecounters_measured_change", args=[key])
        )

    @property
    def _name(self) -> str:
        return self.admin_site.name

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _log(self, request: HttpRequest, row: Row, said: str) -> None:
        found = Measured.objects.using(row.standing.measure.using).filter(measure=row.key).first()
        if found is not None:
            self.log_change(request, found, said)


def _rows(request: HttpRequest, key: str | None = None) -> list[Row]:
    """All measures of which this user may read a counter."""
    return [row for using in counted_databases() for row in _of_database(request, using, key)]


def _of_database(request: HttpRequest, using: str, key: str | None) -> Iterator[Row]:
    deltas = Delta.objects.using(using).order_by().values_list("measure")
    pending = dict(deltas.annotate(number=Count("id")))
    found = [
        (standing, [one for one in map(_reader, standing.names) if _readable(request, one)])
        for standing in standings(using)
        if key in (None, standing.measure.key)
    ]
    whole = [reader for _, readers in found for reader in readers if reader.per is None]
    said = dict(zip(whole, read([Question(reader) for reader in whole]), strict=True))
    text = partial(_text, said)
    for standing, readers in found:
        if readers:
            number = pending.get(standing.measure.key, 0)
            yield Row(standing, readers, [text(reader) for reader in readers], number)


def _account(reader: Counter, now: dt.datetime) -> dict[str, Any]:
    """How a number comes about, its amounts as they are written."""
    found, decimals = account_of(reader, now=now), decimals_of(reader)

    def text(amount: Any) -> str:
        if isinstance(amount, dict):
            # The two numbers of a mean.
            return f"{number_text(amount['total'], 0)} / {number_text(amount['count'], 0)}"
        return number_text(amount, decimals)

    return {
        "parts": [
            (part.what, number_text(part.rows, 0), text(part.amount)) for part in found.parts
        ],
        "counted": text(found.counted),
        "verdict": found.verdict,
        "declared": found.declared,
        "sql": found.sql,
    }


def _reader(name: str) -> Counter:
    reader: Counter = counters[name]
    return reader


def _readable(request: HttpRequest, reader: Counter) -> bool:
    """Of a number about objects: whether staff may read those of any."""
    if reader.per is not None:
        return reader.entry.declared.audience is None
    return may_read(reader.entry, "", request.user)


def _text(said: dict[Counter, Any], reader: Counter) -> str:
    return counter_text(reader, said[reader]) if reader in said else ""


def _row(request: HttpRequest, key: str) -> Row:
    for row in _rows(request, key):
        return row
    raise Http404
