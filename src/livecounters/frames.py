"""The wire: JSON text frames between server and page, and the codes a socket is closed with.

The browser's twin of this module is ``client/frames.js``; golden frames in ``tests/frames`` are
read by the tests of both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from livecounters.exceptions import MalformedFrame

__all__ = [
    "MAX_FRAME",
    "MAX_TOPICS",
    "VERSION",
    "Close",
    "Request",
    "achievement",
    "beat",
    "encode",
    "error",
    "events",
    "parse",
    "plain",
    "pong",
    "reset",
    "values",
    "visitor",
]

VERSION = 1

# Characters in a frame from a client, and topics in one; more is refused.
MAX_FRAME = 16 * 1024
MAX_TOPICS = 200

# Beyond this a JavaScript number is no longer exact; such integers are sent as text.
EXACT = 2**53

OPERATIONS = ("subscribe", "unsubscribe", "presence", "ping")

# A page is looked at, or it is not.
STATES = ("active", "away")


class Close(IntEnum):
    """Why a socket is closed. A page tries again, unless the code is final."""

    GOING_AWAY = 1001
    RESTART = 1012
    PROTOCOL = 4400
    FORBIDDEN = 4403
    SLOW = 4408
    SILENT = 4409
    UPGRADE = 4426
    TOO_MANY = 4429

    @property
    def final(self) -> bool:
        return self in (Close.PROTOCOL, Close.FORBIDDEN, Close.UPGRADE)


@dataclass(frozen=True)
class Request:
    """A frame from a client; ``epoch`` and ``seq`` say what its page has seen.

    Of ``presence``: the ``room`` it is about (the site, if none), whether the page is ``here``,
    whether nobody looks at it or touches it (``away``), how many pages share the socket
    (``tabs``) and the ``visitor`` it belongs to.
    """

    op: str
    topics: tuple[str, ...] = ()
    epoch: str | None = None
    seq: int | None = None
    room: str | None = None
    here: bool = True
    away: bool | None = None
    tabs: int | None = None
    visitor: str | None = None


def parse(text: str | None) -> Request:
    """Read a client's frame. Raises ``MalformedFrame`` with a code; never anything else.

    Unknown keys are ignored, so that a newer page can talk to an older server.
    """
    if text is None:
        raise MalformedFrame("malformed", "binary frames are not understood")
    if len(text) > MAX_FRAME:
        raise MalformedFrame("too_large", f"a frame has at most {MAX_FRAME} characters")
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        # ValueError covers bad JSON and integers of thousands of digits.
        raise MalformedFrame("malformed", "a frame is one JSON object") from None
    if not isinstance(frame, dict):
        raise MalformedFrame("malformed", "a frame is one JSON object")
    op = frame.get("op")
    if op not in OPERATIONS:
        raise MalformedFrame("unknown_op", f"op is one of {', '.join(OPERATIONS)}")
    if op == "ping":
        return Request("ping")
    if op == "presence":
        return _presence(frame)
    return Request(op, _topics(frame), _text(frame, "epoch"), _number(frame, "seq"))


def _presence(frame: Mapping[str, Any]) -> Request:
    here, state = frame.get("here", True), frame.get("state")
    if not isinstance(here, bool):
        raise MalformedFrame("malformed", "here is true or false")
    if state is not None and state not in STATES:
        raise MalformedFrame("malformed", f"state is one of {', '.join(STATES)}")
    room = _text(frame, "room")
    return Request(
        "presence",
        room=None if room is None else _encodable(room),
        here=here,
        away=None if state is None else state == "away",
        tabs=_number(frame, "tabs"),
        visitor=_text(frame, "visitor"),
    )


def _topics(frame: Mapping[str, Any]) -> tuple[str, ...]:
    topics = frame.get("topics")
    if not isinstance(topics, list) or not all(isinstance(topic, str) for topic in topics):
        raise MalformedFrame("malformed", "topics is a list of texts")
    if len(topics) > MAX_TOPICS:
        raise MalformedFrame("too_many_topics", f"a frame has at most {MAX_TOPICS} topics")
    return tuple(map(_encodable, topics))


def _encodable(topic: str) -> str:
    """What cannot be encoded again can be no topic, and could not be named in an answer."""
    return topic.encode("utf-8", "replace").decode()


def _text(frame: Mapping[str, Any], key: str) -> str | None:
    text = frame.get(key)
    if text is not None and not isinstance(text, str):
        raise MalformedFrame("malformed", f"{key} is a text")
    return text


def _number(frame: Mapping[str, Any], key: str) -> int | None:
    number = frame.get(key)
    if number is not None and (
        isinstance(number, bool) or not isinstance(number, int) or number < 0
    ):
        raise MalformedFrame("malformed", f"{key} is a whole number")
    return number


# From the server; every frame carries the place in the stream that was reached when it was sent.


def encode(op: str, epoch: str, seq: int, **rest: Any) -> str:
    """A server frame as text."""
    frame = {"op": op, **rest, "epoch": epoch, "seq": seq}
    return json.dumps(frame, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def values(found: Mapping[str, Any], at: str, epoch: str, seq: int) -> str:
    """The newest values of some counter topics, and when they were read."""
    return encode("values", epoch, seq, values=dict(found), at=at)


def events(topic: str, new: Iterable[Mapping[str, Any]], epoch: str, seq: int) -> str:
    """What is new in a feed, oldest first."""
    return encode("events", epoch, seq, topic=topic, events=list(new))


def reset(topic: str, whole: Iterable[Mapping[str, Any]], epoch: str, seq: int) -> str:
    """A feed's snapshot, oldest first, for a page that cannot resume."""
    return encode("reset", epoch, seq, topic=topic, events=list(whole))


def error(code: str, epoch: str, seq: int, topic: str | None = None) -> str:
    """Something the client asked for is not to be had; the socket stays open."""
    rest = {} if topic is None else {"topic": topic}
    return encode("error", epoch, seq, code=code, **rest)


def pong(at: str, epoch: str, seq: int) -> str:
    return encode("pong", epoch, seq, at=at)


def achievement(topic: str, newest: int, unseen: int, epoch: str, seq: int) -> str:
    """The reader has reached something: the id of the newest achievement, and how many were not
    shown yet. A page asks for them over HTTP, in its language."""
    return encode("achievement", epoch, seq, topic=topic, newest=newest, unseen=unseen)


def beat(epoch: str, seq: int) -> str:
    """Is anybody there? A page answers with ``presence``."""
    return encode("beat", epoch, seq)


def visitor(epoch: str, seq: int) -> str:
    """The server does not know whose browser this is; a page asks for a visitor over HTTP."""
    return encode("visitor", epoch, seq)


def plain(number: Any) -> Any:
    """A value as JSON says it exactly: decimals and integers beyond 2^53 as text."""
    if number is None or isinstance(number, (float, dict)):
        return number
    if isinstance(number, int):
        return number if -EXACT < number < EXACT else str(number)
    return str(number)
