"""The API in OpenAPI, by drf-spectacular; loaded only where that is in ``INSTALLED_APPS``.

A new endpoint is a line in ``VIEWS``: for each method or action its parameters, and the shape of
what it answers. Words come from the docstrings of the views.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.extensions import (
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
    OpenApiViewExtension,
)
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)

from livecounters.api import shapes

__all__ = ["VIEWS"]

Decorator = Callable[[Any], Any]


class _Keyed(OpenApiSerializerExtension):
    target_class = "livecounters.api.shapes.Keyed"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        child = auto_schema._map_serializer_field(self.target.fields["child"], direction)
        return {"type": "object", "additionalProperties": child}


class _Number(OpenApiSerializerFieldExtension):
    target_class = "livecounters.api.shapes.Number"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"oneOf": [{"type": "number"}, {"type": "string"}]}


class _Text(OpenApiSerializerFieldExtension):
    target_class = "livecounters.api.shapes.Text"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        texts = {"type": "array", "items": {"type": "string"}}
        return {"oneOf": [{"type": "string"}, texts]}


# No list of them is meant, whatever the action is called.
for name in shapes.__all__:
    extend_schema_serializer(many=False)(getattr(shapes, name))

# Parameters


def _text(name: str, description: str, **given: Any) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, description=description, **given)


def _whole(name: str, least: int, most: int, default: int, description: str) -> OpenApiParameter:
    kind = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return OpenApiParameter(name, kind, description=description)


NAME = _text("id", "The name of a counter, short or full.", location="path")
ROOM = _text("id", "The name of a declared live.Online.", location="path")
ID = OpenApiParameter(
    "id", OpenApiTypes.INT64, location="path", description="The id of an achievement."
)
OF = _text("of", "The key of an object, for a counter with per.")
OFS = _text("of", "The key of an object; up to 200 of them.", many=True)
WINDOW = _text("window", "ever, today, this_week, this_month, or such as 90m, 12h, 30d.")
STEP = _text("step", "How wide a step is.", enum=["minute", "quarter", "hour", "day"])
WITHIN = _text("within", "Of a counter of several keys, the first ones.", many=True)
FORM = _text("format", "CSV instead of JSON; so does Accept: text/csv.", enum=["json", "csv"])

EMBED = [
    _text("name", "The name of a counter that EMBEDS lists.", location="path"),
    OF,
    _text("lang", "Of the words and digits; else the site's."),
]
KNOWN = _text("If-None-Match", "The ETag of an earlier answer.", location="header")
TAG = _text("ETag", "The same while the answer is.", location="header", response=[200, 304])
RETRY_AFTER = OpenApiParameter(
    "Retry-After", OpenApiTypes.INT, location="header", description="Seconds.", response=[429]
)

# Answers, and errors with an example of each

JSON = "application/json"

ERRORS: Mapping[int, tuple[str, Any]] = {
    400: ("Wrong parameters or body.", {"window": "Give one of ever, today, ..."}),
    401: ("Not signed in.", {"detail": "Authentication credentials were not provided."}),
    403: ("Not signed in, or no CSRF token.", {"detail": "CSRF Failed: CSRF token missing."}),
    404: ("Not there, or not for the caller.", {"detail": "Not found."}),
    413: ("More than 8,192 bytes.", {"detail": "At most 8192 bytes."}),
    415: ("No JSON.", {"detail": 'Unsupported media type "text/plain" in request.'}),
    429: (
        "Too often; Retry-After says when again.",
        {"detail": "Request was throttled. Expected available in 12 seconds."},
    ),
}
SAME = OpenApiResponse(description="It says the same as the answer in If-None-Match.")
OTHER = ("Any other error, such as 405.", {"detail": 'Method "PUT" not allowed.'})
OWN = (401, 403)
GIVEN = (400, 415, *OWN)


def _error(code: int | str, description: str, example: Any) -> OpenApiResponse:
    shape = shapes.Wrong if code == 400 else shapes.Problem
    said = OpenApiExample("said", example, status_codes=[str(code)])
    return OpenApiResponse(shape, description, [said])


def _operation(
    answer: Any, *errors: int, ask: Any = (), body: Any = None, called: str | None = None
) -> Decorator:
    """What is answered, by a shape or by code; the errors beside 429 there are."""
    answers: dict[Any, Any] = dict(answer) if isinstance(answer, dict) else {200: answer}
    for code in sorted({*errors, 429}):
        answers[code, JSON] = _error(code, *ERRORS[code])
    answers["default", JSON] = _error("default", *OTHER)
    return extend_schema(
        operation_id=called,
        parameters=[*ask, RETRY_AFTER],
        request=body,
        responses=answers,
        tags=["live"],
    )


def _read(
    answer: Any, *errors: int, ask: Any = (), sheet: bool = False, called: str | None = None
) -> Decorator:
    """What is answered again only if it says something else."""
    answers = dict(answer) if isinstance(answer, dict) else {(200, JSON): answer}
    if sheet:
        answers[200, "text/csv"] = str
    asked = [*ask, *([FORM] if sheet else []), KNOWN, TAG]
    return _operation({**answers, 304: SAME}, *errors, ask=asked, called=called)


VIEWS: Mapping[str, Mapping[str, Decorator]] = {
    "counters.CounterViewSet": {
        "list": _read(shapes.Counters),
        "retrieve": _read(shapes.Counter, 400, 404, ask=[NAME, OFS, WINDOW]),
        "series": _read(shapes.Series, 400, 404, ask=[NAME, OF, WINDOW, STEP], sheet=True),
        "breakdown": _read(
            shapes.Breakdown,
            400,
            404,
            ask=[NAME, WINDOW, WITHIN, _whole("limit", 1, 1000, 100, "How many.")],
            sheet=True,
        ),
        "top": _read(
            shapes.Leaderboard,
            400,
            404,
            ask=[NAME, WINDOW, WITHIN, _whole("limit", 1, 100, 10, "How many.")],
            sheet=True,
        ),
        "rank": _read(
            shapes.Standing,
            400,
            404,
            *OWN,
            ask=[NAME, WINDOW, WITHIN, _whole("near", 0, 20, 2, "Before and after the caller.")],
        ),
    },
    "embeds.EmbedNumber": {
        "get": _read(
            shapes.Embed,
            404,
            ask=[*EMBED, _text("as", "shields: as shields.io reads it.", enum=["shields"])],
            called="embed_number",
        )
    },
    "embeds.EmbedBadge": {
        "get": _read({(200, "image/svg+xml"): str}, 404, ask=EMBED, called="embed_badge")
    },
    "embeds.EmbedCard": {
        "get": _read({(200, "text/html"): str}, 404, ask=EMBED, called="embed_card")
    },
    "events.EventViewSet": {
        "list": _read(
            shapes.Events,
            400,
            404,
            ask=[
                _text("kind", "The name of an activity.", many=True),
                _text("target", "What it was done to, as app.model:key.", many=True),
                _text("actor", "Who did it: a user's key, or app.model:key.", many=True),
                _text("group", 'The number of an event, for those told with it; or "none".'),
                _text("topic", "The token of a feed."),
                _whole("limit", 1, 100, 20, "How many."),
                _text("cursor", "As it stands in next."),
            ],
        ),
        "create": _operation(
            {200: shapes.Recorded, 201: shapes.Recorded},
            404,
            413,
            *GIVEN,
            body=shapes.Recording,
        ),
    },
    "presence.PresenceViewSet": {
        "list": _read(shapes.Rooms),
        "retrieve": _read(
            shapes.Room,
            400,
            404,
            ask=[ROOM, OF, _whole("start", 0, 100_000, 0, "The first person of the roster.")],
        ),
    },
    "presence.DevicesView": {"get": _read(shapes.Devices, *OWN)},
    "presence.VisitorView": {"post": _operation(shapes.Visitor)},
    "progress.ProgressView": {"get": _read(shapes.Progress, *OWN)},
    "progress.GoalsView": {"patch": _operation(shapes.Progress, *GIVEN, body=shapes.Goals)},
    "progress.PreferencesView": {
        "get": _read(shapes.Preferences, *OWN),
        "patch": _operation(shapes.Preferences, *GIVEN, body=shapes.Preferences),
    },
    "achievements.AchievementViewSet": {
        "list": _read(
            shapes.Achievements,
            400,
            *OWN,
            ask=[
                OpenApiParameter("before", OpenApiTypes.INT64, description="As next says."),
                _text("unseen", "1: only what was not shown yet.", enum=["1"]),
            ],
        ),
        "all_seen": _operation(shapes.Marked, *OWN, called="achievements_all_seen"),
        "all_read": _operation(shapes.Marked, *OWN, called="achievements_all_read"),
        "seen": _operation(shapes.Marked, 404, *OWN, ask=[ID]),
        "read": _operation(shapes.Marked, 404, *OWN, ask=[ID]),
    },
    "shares.ShareView": {
        "post": _operation({201: shapes.Shared}, 404, *GIVEN, body=shapes.Sharing),
        "delete": _operation({204: None}, 404, *GIVEN, body=shapes.Sharing),
    },
    "snapshot.SnapshotView": {
        "get": _read(
            shapes.Snapshot,
            400,
            ask=[
                _text("topic", "A token or a plain topic; up to 200 of them.", many=True),
                _text("epoch", "What the page has seen."),
                OpenApiParameter("seq", OpenApiTypes.INT64, description="What the page has seen."),
            ],
        )
    },
}


def _extension(path: str, operations: Mapping[str, Decorator]) -> None:
    """Tell spectacular, which finds its extensions by their being there."""

    class View(OpenApiViewExtension):
        target_class = f"livecounters.api.{path}"

        def view_replacement(self) -> Any:
            described: Any = type(self.target.__name__, (self.target,), {})
            described.__doc__ = self.target.__doc__
            return extend_schema_view(**operations)(described)


for path, operations in VIEWS.items():
    _extension(path, operations)
