"""Calls of the API that nobody in their right mind makes, made from its schema: right ones, wrong
ones, and bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlencode

from livecounters.registry import registry
from tests import contract

# What breaks programs that have not thought of it.
TEXTS = [
    "",
    " ",
    "0",
    "1",
    "-1",
    "1.5",
    "1e309",
    "NaN",
    "true",
    "null",
    "None",
    "\x00",
    "a\x00b",
    "\N{SUPERSCRIPT TWO}",
    "\N{ARABIC-INDIC DIGIT THREE}",
    "9" * 18,
    "9" * 19,
    "9" * 400,
    "9" * 5000,
    "x" * 3000,
    "'; DROP TABLE auth_user; --",
    '"><script>alert(1)</script>',
    "../../etc/passwd",
    "..%2f..%2f",
    "%",
    "%00",
    "{}",
    "[]",
    "~",
    ":",
    "a:b:c~d",
    "\N{RIGHT-TO-LEFT OVERRIDE}abc",
    "\N{COMBINING ACUTE ACCENT}" * 50,
    "\N{GRADUATION CAP}",
    "\ufffe",
    "ß" * 255,
    "a" * 254 + "!",
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "0000-00-00",
    "(a+)+$",
    "=1+1",
    "\r\nSet-Cookie: a=b",
]

# What somebody may ask who has read the documentation.
SENSE: dict[str, list[str]] = {
    "window": [
        "ever",
        "today",
        "this_week",
        "this_month",
        "90m",
        "12h",
        "30d",
        "99999d",
        "day",
        "000001" + "9" * 400 + "d",
    ],
    "step": ["minute", "quarter", "hour", "day", "week"],
    "limit": ["1", "10", "100", "1000"],
    "near": ["0", "2", "20"],
    "start": ["0", "50", "100000"],
    "format": ["json", "csv", "svg", "html"],
    "of": ["1", "2", "EUR", "1:2"],
    "within": ["1", "easy"],
    "lang": ["en", "de", "zh-hans", "xx"],
    "as": ["shields"],
    "cursor": ["", "ab-1", "0-0", "f" * 32 + "-" + "9" * 18],
    "epoch": ["ab12", ""],
    "seq": ["0", "12", "9" * 18],
    "before": ["1", "41"],
    "unseen": ["0", "1"],
    "id": ["1", "41"],
    "If-None-Match": ["*", '"x"', 'W/"x"', ","],
}

KINDS = ["application/json"] * 4 + [
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
]
# What changes most is called most.
OFTEN = ["/live/events/", "/live/progress/goals/"] * 4
METHODS = ["GET", "GET", "GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"]

LONGEST = 10_000
"""Of an address: with the longest headers less than the 16 KiB that uvicorn waits for; a request that is
longer is refused before any program hears of it, if it comes in two pieces."""


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    body: bytes = b""
    kind: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def call(chance: Random) -> Call:
    """One of endless many, right about half of the time."""
    path = chance.choice([*contract.openapi()["paths"], *OFTEN])
    methods = contract.openapi()["paths"][path]
    method = chance.choice(list(methods) if chance.random() < 0.9 else METHODS).upper()
    operation = methods.get(method.lower()) or next(iter(methods.values()))
    query, headers = [], {}
    for asked in operation.get("parameters", []):
        name, place = asked["name"], asked["in"]
        if place == "path":
            path = path.replace(f"{{{name}}}", _quoted(_text(chance, name)))
        elif chance.random() < 0.4:
            texts = [_text(chance, name) for _ in range(chance.choice([1, 1, 1, 2, 3, 250]))]
            if place == "query":
                query += [(name, text) for text in texts]
            else:
                headers[name] = texts[0].replace("\r", "").replace("\n", "")
    if chance.random() < 0.1:
        headers["Accept"] = chance.choice(["*/*", "text/csv", "text/html", "x", "", "a/b;q=2"])
    body, kind = b"", ""
    if path in OFTEN and method in ("POST", "PATCH") and chance.random() < 0.5:
        body, kind = json.dumps(_right(chance, path)).encode(), KINDS[0]
    elif method in ("POST", "PATCH", "PUT", "DELETE"):
        body, kind = _body(chance, path), chance.choice(KINDS)
    return Call(method, f"{path}?{urlencode(query)}"[:LONGEST], body, kind, headers)


def _quoted(text: str) -> str:
    return urlencode({"": text})[1:].replace("+", "%20") or "%20"


def _names() -> list[str]:
    entries = [*registry.numbers, *registry.activities]
    return [name for entry in entries for name in (entry.name, entry.full_name)]


def _text(chance: Random, name: str) -> str:
    """A value for a parameter: sense, nonsense, or a name."""
    if chance.random() < 0.4:
        return chance.choice(TEXTS)
    if name == "topic":
        return chance.choice(["feed", "progress", "online:", "feed:", "counter:"]) + chance.choice(
            ["", *_names(), *TEXTS]
        )
    if name in SENSE and (name != "id" or chance.random() < 0.3):
        return chance.choice(SENSE[name])
    return chance.choice(_names())


def _right(chance: Random, path: str) -> Any:
    """What is recorded, or set, if somebody signed in gives it."""
    if "goals" in path:
        return {"sessions": {"day": chance.randint(1, 50), "week": chance.randint(1, 50)}}
    data = {"score": chance.randint(0, 100), "minutes": chance.randint(1, 60), "mode": "timed"}
    return {"kind": "session_completed", "key": str(chance.random()), "data": data}


def _body(chance: Random, path: str) -> bytes:
    if chance.random() < 0.1:
        return chance.choice(
            [
                b"",
                b"{",
                b"\xff\xfe",
                b"[" * 20_000,
                b"1" * 9_000,
                b'{"a":1e999}',
                b"NaN",
                b"--x\r\n",
            ]
        )
    given: Any = {}
    if "events" in path:
        kind = chance.choice(["session_completed", "quiz_rated", _text(chance, "kind")])
        given = {"kind": kind, "key": str(chance.random())}
        for key in ("data", "target", "at", "key"):
            if chance.random() < 0.2:
                given[key] = _json(chance)
        if chance.random() < 0.5:
            given["data"] = {"score": chance.choice([80, _json(chance)]), "minutes": 5}
    elif "goals" in path:
        given = {"sessions": {"day": chance.choice([1, 5, 50, _json(chance)]), "week": 20}}
    elif "preferences" in path:
        given = {chance.choice(["leaderboard", "report", "x"]): chance.choice([True, False, 1])}
    elif "shares" in path:
        given = {"counter": _text(chance, "id")}
    if chance.random() < 0.2:
        given = _json(chance)
    return json.dumps(given).encode()


def _json(chance: Random, depth: int = 0) -> Any:
    kind = chance.randrange(9 if depth < 3 else 7)
    if kind == 7:
        return [_json(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind == 8:
        return {chance.choice(TEXTS): _json(chance, depth + 1) for _ in range(chance.randrange(4))}
    return chance.choice(
        [
            None,
            True,
            chance.choice([0, 1, -1, 50, 2**31, 2**63, 2**64, 10**40]),
            chance.choice([0.5, -0.0, 1e308, float("nan"), float("inf")]),
            chance.choice(TEXTS),
            chance.choice(TEXTS) + "\ud800",
            chance.choice(_names()),
        ]
    )


def frame(chance: Random) -> str:
    """A frame of a client, right about half of the time."""
    if chance.random() < 0.1:
        return chance.choice(
            ["", "{", "[" * 9_000, "1" * 5_000, "x" * 17_000, chance.choice(TEXTS)]
        )
    op = chance.choice([*contract.messages("receive").values(), "values", _json(chance)])
    said: dict[str, Any] = {"op": op}
    topics = [_text(chance, "topic") for _ in range(chance.choice([0, 1, 3]))]
    if chance.random() < 0.1:
        topics = ["feed"] * 201
    if chance.random() < 0.8:
        said["topics"] = topics if chance.random() < 0.8 else _json(chance)
    for key in ("epoch", "seq", "room", "here", "state", "tabs", "visitor", "more"):
        if chance.random() < 0.2:
            said[key] = chance.choice([_json(chance), _text(chance, "topic"), 1, True, "away"])
    return json.dumps(said)
