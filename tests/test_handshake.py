"""Who opens a socket: origins, sessions, languages."""

from __future__ import annotations

import pytest

from livecounters.handshake import language_of, origin_allowed, user_of


def test_a_host_may_authenticate_otherwise() -> None:
    user = object()

    assert user_of({"user": user}) is user


@pytest.mark.parametrize(
    "cookie", [b"sessionid=unknown", b"other=1", b'sessionid="\x00', b"\xff;="]
)
def test_a_strange_cookie_is_nobody(cookie: bytes) -> None:
    assert user_of({"headers": [(b"cookie", cookie)]}).is_anonymous


@pytest.mark.parametrize(
    ("origin", "allowed", "may"),
    [
        (None, None, True),
        (b"https://site.example", None, True),
        (b"http://SITE.example", None, True),
        (b"https://evil.example", None, False),
        (b"https://site.example:8000", None, False),
        (b"https://sub.site.example", None, False),
        (b"null", None, False),
        (b"", None, False),
        (b"https://site.example", ["https://app.example"], False),
        (b"https://app.example", ["https://app.example"], True),
    ],
)
def test_origins(origin: bytes | None, allowed: list[str] | None, may: bool) -> None:
    headers = [(b"host", b"site.example")] + ([(b"origin", origin)] if origin is not None else [])

    assert origin_allowed({"headers": headers}, allowed) is may


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("de", "de"), ("de-at", "de"), ("pt-br", "pt-br"), ("xx", "en"), ("", "en"), ("../", "en")],
)
def test_a_language_that_the_site_speaks(asked: str, spoken: str) -> None:
    assert language_of({"lang": [asked]}) == spoken
    assert language_of({}) == "en"
