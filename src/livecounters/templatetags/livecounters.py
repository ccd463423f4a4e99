"""``{% load livecounters %}``: numbers and feed as real values, which then come alive.

Every tag renders a template ``livecounters/<tag>.html`` that a host can override.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from django import template
from django.contrib.staticfiles import finders
from django.db.models import Model
from django.middleware.csrf import get_token
from django.template import Context
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from livecounters import pictures, timeline
from livecounters.ages import age
from livecounters.audience import Viewer
from livecounters.awards import unread
from livecounters.conf import options
from livecounters.cursors import Cursor
from livecounters.displays import (
    decimals_of,
    doubt_of,
    level_of,
    number_text,
    progress_cards,
    unit_of,
)
from livecounters.events import Event
from livecounters.exceptions import TopicRefused
from livecounters.feed import iso
from livecounters.frames import plain
from livecounters.gauges import SITE, Online
from livecounters.meters import Meter
from livecounters.meters import counts as counts_of
from livecounters.numbers import Question, Reader, counters, read
from livecounters.people import key_of
from livecounters.readers import Number, aware
from livecounters.registry import registry
from livecounters.selection import parties_of
from livecounters.topics import CounterTopic, OnlineTopic, feed_of, models_of, seen_by, sign
from livecounters.windows import Window, last

register = template.Library()

HUES = 6

# As many as the API gives at once.
MAX_OLDER = 100
THEMES = ("board", "paper", "vivid")

# The mean of nothing is None, so that cannot say that a number is not given.
UNKNOWN: Any = object()


@register.inclusion_tag("livecounters/live_assets.html", takes_context=True)
def live_assets(context: Context, theme: str = "") -> dict[str, Any]:
    """The stylesheet, the module script, and what they need to know; once in a page's head.

    ``theme`` names a further style sheet: one of :data:`THEMES`, or a static file
    ``livecounters/themes/<theme>.css`` of the host's own.
    """
    try:
        snapshot, visitor = reverse("livecounters:snapshot"), reverse("livecounters:visitor")
    except NoReverseMatch:
        snapshot = visitor = ""
    return {
        "socket": options().SOCKET_URL or "",
        "snapshot": snapshot,
        "visitor": visitor,
        "viewer": _viewer(context),
        "language": get_language() or "",
        "theme": _theme(theme),
        "nonce": _nonce(context),
    }


def _theme(name: str) -> str:
    """The path of a theme's style sheet below the static files."""
    path = f"livecounters/themes/{name}.css"
    if not name or name in THEMES or finders.find(path):
        return path if name else ""
    raise ValueError(
        f"live_assets theme={name!r}: there is none of this name. Give one of {', '.join(THEMES)}, "
        f"or put {path} into your static files."
    )


def _viewer(context: Context) -> str:
    """Tells pages of one person from those of another in the same browser; only where the page
    has looked who it is anyway."""
    request: Any = context.get("request")
    session = getattr(request, "session", None)
    if session is None or not session.accessed or not request.user.is_authenticated:
        return ""
    return salted_hmac("livecounters.viewer", f"{request.user.pk}").hexdigest()[:12]


def _nonce(context: Context) -> str:
    """The nonce of the page's policy, by Django or django-csp.

    Both are lazy, and false until they are used.
    """
    nonce = context.get("csp_nonce")
    if nonce is None:
        nonce = getattr(context.get("request"), "csp_nonce", None)
    return "" if nonce is None else str(nonce)


@register.inclusion_tag("livecounters/live_counters.html", takes_context=True)
def live_counters(
    context: Context,
    *names: str | list[str],
    group: str = "",
    of: Any = None,
    sparkline: bool = False,
) -> dict[str, Any]:
    """Cards: of the counters named (one by one or in a list), or of every site-wide counter that has
    a label (of a group); if so wished with the last twelve hours as a line.

    ``of`` an object, those of its model in their place: the numbers of this one.
    """
    if names:
        chosen = [counters[name] for some in names for name in _listed(some)]
    else:
        about = _whole_site if of is None else _about(of)
        chosen = [
            counter
            for counter in counters.values()
            if counter.entry.declared.label is not None
            and (not group or counter.entry.declared.group == group)
            and about(counter)
        ]
    now = timezone.now()
    scopes = [counter.scope(of) for counter in chosen]
    values = read(list(map(Question, chosen, scopes)), now)
    cards = [
        shown(*card, now) | {"hue": place % HUES}
        for place, card in enumerate(zip(chosen, scopes, values, strict=True))
    ]
    if sparkline:
        for card, line in zip(
            cards, pictures.sparklines(list(zip(chosen, scopes, strict=True))), strict=True
        ):
            card["sparkline"] = line
    return {"cards": cards, "sparkline": sparkline, "nonce": _nonce(context)}


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


def _whole_site(counter: Reader) -> bool:
    return counter.per is None


def _about(given: Any) -> Callable[[Reader], bool]:
    """Whether a counter has a number for each object of the same model, or of one it extends."""
    if not isinstance(given, Model):
        # Also what a template makes of a name that it does not know.
        raise TypeError(
            f"live_counters: of={given!r} is no object; give one, or name the counters."
        )
    found = [[party.model] for party in parties_of(given)]
    return lambda counter: counter.per is not None and models_of(counter.entry) in found


@register.simple_tag
def live_counter(name: str, of: Any = None, value: Any = UNKNOWN) -> SafeString:
    """One number, inline: nothing stands before or behind it, not even a blank.

    ``value`` is its number where that is known, such as from ``expression()``; ``None`` is one.
    """
    if isinstance(value, str):
        # Also what a template makes of a name that it does not know.
        raise TypeError(f"live_counter {name!r}: value={value!r} is no number.")
    counter = counters[name]
    scope = counter.scope(of)
    now = timezone.now()
    if value is UNKNOWN:
        value = read([Question(counter, scope)], now)[0]
    said = shown(counter, scope, value, now)
    # Rendered and escaped by the template.
    return mark_safe(render_to_string("livecounters/live_counter.html", said).strip())


@register.simple_tag
def live_status() -> SafeString:
    """How the page is connected; until a script knows, the time of the page's numbers."""
    said = render_to_string("livecounters/live_status.html", {"at": timezone.now()})
    # Rendered and escaped by the template.
    return mark_safe(said.strip())


@register.inclusion_tag("livecounters/live_online.html")
def live_online(name: str = "", of: Any = None, join: bool = True) -> dict[str, Any]:
    """Who is here, in numbers: of a declared ``live.Online``, by default the site's.

    A page that shows a room, or who is at an object (``of``), is in it itself, unless
    ``join=False``: a list of rooms is no visit to each.
    """
    meter = counters[name] if name else _site()
    if not isinstance(meter, Meter):
        raise TypeError(f"live_online {name!r}: that is a counter; name a live.Online.")
    topic = OnlineTopic(meter, meter.scope(of))
    now = timezone.now()
    found = counts_of([topic.room], aware(now).timestamp()).get(topic.room)
    return {
        "token": sign(topic),
        "join": join and topic.room != SITE,
        "name": registry.numbers.shortest(meter.entry),
        "label": meter.label,
        "icon": meter.entry.declared.icon,
        "value": "" if found is None else str(found.online),
        "text": number_text(None if found is None else found.online, 0),
        "people": None if found is None else found.people,
        "guests": None if found is None else found.guests,
        "connections": None if found is None else found.connections,
        "at": iso(now),
    }


def _site() -> Reader:
    """The site's own room."""
    for gauge in registry.gauges:
        declared = gauge.declared
        if isinstance(declared, Online) and gauge.model is None and not declared.room:
            return Meter(gauge)
    raise LookupError(
        "live_online: nobody declares who is online on the site; put online = live.Online() into "
        "a class with @live.register that is a live.LiveSite."
    )


@register.inclusion_tag("livecounters/live_progress.html", takes_context=True)
def live_progress(
    context: Context, *names: str, near: int = 70, streaks: str = "7 14 30", score: str = "50 80"
) -> dict[str, Any]:
    """What whoever looks at the page has reached: of the counters named, or of all that have
    goals, milestones or streaks; for who is not signed in, the template's invitation.

    ``near`` is the percentage from which on a goal is nearly reached; ``streaks`` and ``score``
    are the thresholds of their levels, with blanks between.
    """
    user = _user(context)
    if user is None:
        return {"user": None, "cards": []}
    cards = progress_cards(user, names, near, streaks, score)
    return {"user": user, "cards": cards, "nonce": _nonce(context)}


@register.inclusion_tag("livecounters/live_notifications.html", takes_context=True)
def live_notifications(context: Context, href: str = "") -> dict[str, Any]:
    """How much of what the reader has reached is news, and, while the page is open, each of it
    once on one of their pages: a line, or a dialog for what is great. Nothing for who is not
    signed in. The number leads to ``href``."""
    user, request = _user(context), context.get("request")
    if user is None:
        return {"user": None}
    try:
        achievements = reverse("livecounters:achievement-list")
    except NoReverseMatch:
        achievements = ""
    return {
        "user": user,
        "achievements": achievements,
        "href": href,
        "unread": unread(key_of(user)),
        "csrf": get_token(request) if request is not None else "",
        "nonce": _nonce(context),
    }


@register.inclusion_tag("livecounters/live_recorder.html", takes_context=True)
def live_recorder(context: Context) -> dict[str, Any]:
    """Where ``record()`` of ``livecounters/record.js`` sends what happens in the page; in its
    head. Nothing for who is not signed in."""
    user, request = _user(context), context.get("request")
    if user is None or request is None:
        return {"events": ""}
    return {"events": reverse("livecounters:event-list"), "csrf": get_token(request)}


@register.inclusion_tag("livecounters/live_chart.html", takes_context=True)
def live_chart(
    context: Context,
    name: str,
    of: Any = None,
    *,
    minutes: int = 0,
    hours: int = 0,
    days: int = 0,
    step: str = "",
    kind: str = "bar",
    height: int = 160,
    title: str = "",
) -> dict[str, Any]:
    """A number step by step over the last twelve hours, or as long as is said: bars, a line or an
    area, with the change against the time before, a table, and a reading by pointer and keys."""
    window = last(minutes=minutes, hours=hours, days=days) if minutes or hours or days else None
    if minutes and not (hours or days):
        step = step or "minute"
    found = pictures.chart(counters[name], of, window or last(hours=12), step, kind)
    more = {"height": str(height), "nonce": _nonce(context)}
    return found | more | ({"label": title} if title else {})


@register.inclusion_tag("livecounters/live_breakdown.html", takes_context=True)
def live_breakdown(
    context: Context,
    name: str,
    limit: int = 10,
    kind: str = "bars",
    window: str | Window | None = None,
    within: Any = None,
) -> dict[str, Any]:
    """The parts of a counter with ``per``, greatest first, as bars with their share or as chips;
    what is beyond ``limit`` is summed."""
    found = pictures.breakdown(counters[name], limit, kind, window, within)
    return found | {"nonce": _nonce(context)}


@register.inclusion_tag("livecounters/live_leaderboard.html", takes_context=True)
def live_leaderboard(
    context: Context,
    name: str,
    limit: int = 10,
    window: str | Window = "ever",
    near: int = 1,
    within: Any = None,
) -> dict[str, Any]:
    """Who has the greatest numbers of a counter; and where whoever looks at the page stands, with
    up to ``near`` before and after them, unless they are among the first anyway."""
    found = pictures.leaderboard(counters[name], limit, window, near, within, _user(context))
    return found | {"nonce": _nonce(context)}


def _user(context: Context) -> Any:
    """Who looks at the page, if that is somebody."""
    request: Any = context.get("request")
    user = getattr(request, "user", None) or context.get("user")
    return user if user is not None and user.is_authenticated else None


@register.inclusion_tag("livecounters/live_feed.html", takes_context=True)
def live_feed(
    context: Context,
    limit: int = 10,
    kinds: str = "",
    of: Any = UNKNOWN,
    actor: Any = UNKNOWN,
    more: bool = True,
) -> dict[str, Any]:
    """The newest events that whoever looks at the page may see, newest first, what belongs
    together told as one.

    ``kinds`` are names of activities with blanks between. ``of`` is an object, or several, to
    which it was done; ``actor`` who did it, or several. ``more`` says whether older pages can be
    turned to.
    """
    targets, actors = _objects("of", of), _objects("actor", actor)
    try:
        asked = feed_of(kinds.split(), targets or (), actors or ())
        topic = seen_by(asked, lambda: _user(context), shown=True)
    except TopicRefused:
        return _nothing(limit)
    if targets == [] or actors == []:
        # Who follows nobody sees nothing.
        return _nothing(limit)
    request, viewer = context.get("request"), None
    if topic.viewer is not None:
        viewer = Viewer(_user(context))
    word = f"older-{sha256(topic.asked.encode()).hexdigest()[:6]}"
    cursor = Cursor.parse(request.GET.get(word, "")) if request is not None else None
    found = timeline.page(limit, topic.selection, cursor, viewer=viewer)
    if cursor is not None and cursor.epoch != found.place.epoch:
        cursor, found = None, timeline.page(limit, topic.selection, viewer=viewer)
    older, place = found.older, found.place
    now, token = timezone.now(), sign(topic)
    return _nothing(limit) | {
        # An older page stands still.
        "topic": "" if cursor else token,
        # Attributes are for the browser, in no language.
        "epoch": place.epoch,
        "seq": str(place.seq),
        "events": [_told(event, now) for event in found.events],
        "turned": _address(request, word, None) if cursor else "",
        "older": _address(request, word, older) if older and more else "",
        "more": _more(token, limit) if more and not cursor else "",
    }


def _nothing(limit: int) -> dict[str, Any]:
    """A feed that nothing comes into."""
    return {
        "topic": "",
        "epoch": "",
        "seq": "0",
        "limit": str(limit),
        "events": [],
        "turned": "",
        "older": "",
        "more": "",
    }


def _objects(word: str, given: Any) -> list[Any] | None:
    """The objects that a feed is narrowed to; None if to none in particular."""
    if given is UNKNOWN:
        return None
    if isinstance(given, Model):
        return [given]
    if given is None or isinstance(given, str):
        # Also what a template makes of a name that it does not know.
        raise TypeError(f"live_feed {word}={given!r}: give an object, or several.")
    return list(given)


def _address(request: Any, word: str, cursor: Cursor | None) -> str:
    """The page's own address with another part of the feed; the cursor stands last."""
    if request is None:
        return ""
    query = request.GET.copy()
    query.pop(word, None)
    if cursor is not None:
        query[word] = str(cursor)
    return f"{request.path}?{query.urlencode()}" if query else str(request.path)


def _more(token: str, limit: int) -> str:
    """Where the script asks for older pages; a cursor is to be written behind it."""
    try:
        address = reverse("livecounters:event-list")
    except NoReverseMatch:
        return ""
    return f"{address}?{urlencode({'topic': token, 'limit': min(limit, MAX_OLDER)})}&cursor="


def _told(event: Event, now: dt.datetime) -> dict[str, Any]:
    return {
        "event": event,
        "key": event.key,
        "seq": str(event.seq),
        "at": iso(event.at),
        "ago": age(aware(event.at), aware(now)),
    }


def shown(counter: Reader, scope: str, value: Number, now: dt.datetime) -> dict[str, Any]:
    """What the templates say of a number."""
    decimals = decimals_of(counter)
    return {
        "token": sign(CounterTopic(counter, scope)),
        "name": registry.numbers.shortest(counter.entry),
        "label": counter.label,
        "icon": counter.entry.declared.icon,
        "level": level_of(counter, value),
        "value": "" if value is None else str(plain(value)),
        "text": number_text(value, decimals),
        "doubt": doubt_of(counter, value),
        "decimals": str(decimals),
        "unit": unit_of(counter, value),
        "at": iso(now),
    }
