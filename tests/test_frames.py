"""The wire: golden frames that the browser's tests read too, and what no client can break."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from livecounters import frames
from livecounters.exceptions import MalformedFrame
from livecounters.frames import MAX_FRAME, MAX_TOPICS, Close, Request, parse

GOLDEN = Path(__file__).parent / "frames"


def golden(pattern: str) -> list[Any]:
    paths = sorted(GOLDEN.glob(pattern))
    assert paths, pattern
    return [pytest.param(json.loads(p.read_text(encoding="utf-8")), id=p.stem) for p in paths]


@pytest.mark.parametrize("case", golden("client-valid-*.json"))
def test_a_client_s_frame(case: dict[str, Any]) -> None:
    said = case["frame"]

    state = said.pop("state", None)
    said |= {"topics": tuple(said.get("topics", ()))}
    assert parse(case["text"]) == Request(**said, away=None if state is None else state == "away")


@pytest.mark.parametrize("case", golden("client-invalid-*.json"))
def test_what_is_no_client_s_frame(case: dict[str, Any]) -> None:
    with pytest.raises(MalformedFrame) as caught:
        parse(case["text"])
    assert caught.value.code in {"malformed", "unknown_op"}
    assert str(caught.value)


@pytest.mark.parametrize("case", golden("server-valid-*.json"))
def test_a_server_s_frame_is_what_the_browser_was_promised(case: dict[str, Any]) -> None:
    said = dict(case["frame"])
    assert json.loads(case["text"]) == said
    op, epoch, seq = said.pop("op"), said.pop("epoch"), said.pop("seq")
    made = {
        "values": lambda: frames.values(said["values"], said["at"], epoch, seq),
        "events": lambda: frames.events(said["topic"], said["events"], epoch, seq),
        "reset": lambda: frames.reset(said["topic"], said["events"], epoch, seq),
        "error": lambda: frames.error(said["code"], epoch, seq, said.get("topic")),
        "pong": lambda: frames.pong(said["at"], epoch, seq),
        "beat": lambda: frames.beat(epoch, seq),
        "visitor": lambda: frames.visitor(epoch, seq),
    }[op]()

    # A newer server may say more than this one does.
    expected = {k: v for k, v in case["frame"].items() if op != "pong" or k in json.loads(made)}
    assert json.loads(made) == expected
    assert frames.encode(op, epoch, seq, **said) == case["text"]


# Whatever a client sends

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None, exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "op": st.sampled_from(["subscribe", "unsubscribe", "ping"]) | JSON,
        "topics": st.lists(st.text(st.characters(codec=None, exclude_categories=()))) | JSON,
        "epoch": JSON,
        "seq": JSON,
        "more": JSON,
    },
)


def survives(text: str | None) -> Request | None:
    """Read it; only MalformedFrame may be raised, and what is read can be told again."""
    try:
        request = parse(text)
    except MalformedFrame as error:
        assert error.code in {"malformed", "unknown_op", "too_large", "too_many_topics"}
        return None
    for topic in request.topics:
        frames.error("unavailable", "e", 1, topic).encode()
    return request


@given(st.text(st.characters(codec=None, exclude_categories=())))
@example("[" * 16_000)
@example('{"op":"subscribe","topics":' + "[" * 16_000)
@example('{"op":' * 2_600)
@example("1" * 5_000)
@example('{"op":"subscribe","topics":[],"seq":' + "9" * 5_000 + "}")
@example('{"op":"subscribe","topics":[],"seq":1e999}')
@example('{"op":"subscribe","topics":[NaN]}')
@example('{"op":"subscribe","topics":[],"seq":-Infinity}')
@example('{"op":["subscribe"],"topics":[]}')
@example('{"op":{},"topics":[]}')
@example("\ufeff{}")
@example("\x00")
def test_any_text_is_read_or_refused(text: str) -> None:
    survives(text)


@given(FRAMES)
def test_any_object_is_read_or_refused(frame: dict[str, Any]) -> None:
    survives(json.dumps(frame))
    survives(json.dumps(frame, ensure_ascii=False))


def test_a_lone_surrogate_is_a_topic_that_can_be_named_in_an_answer() -> None:
    request = survives('{"op":"subscribe","topics":["feed\\ud800"]}')

    assert request is not None
    assert request.topics == ("feed?",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "malformed"),
        ("", "malformed"),
        ("{}", "unknown_op"),
        (" " * (MAX_FRAME + 1), "too_large"),
        (json.dumps({"op": "subscribe", "topics": ["x"] * (MAX_TOPICS + 1)}), "too_many_topics"),
        (json.dumps({"op": "subscribe", "topics": None}), "malformed"),
        (json.dumps({"op": "subscribe", "topics": [], "seq": True}), "malformed"),
        (json.dumps({"op": "subscribe", "topics": [], "seq": -1}), "malformed"),
    ],
)
def test_a_refusal_has_its_code(text: str | None, code: str) -> None:
    with pytest.raises(MalformedFrame) as caught:
        parse(text)
    assert caught.value.code == code


def test_the_bounds_themselves_are_allowed() -> None:
    most = json.dumps({"op": "unsubscribe", "topics": ["x"] * MAX_TOPICS})
    assert len(parse(most.ljust(MAX_FRAME)).topics) == MAX_TOPICS


def test_more_than_is_known_is_ignored() -> None:
    assert parse('{"op":"ping","topics":7,"seq":"x","new":{"a":1}}') == Request("ping")


# From the server


def test_frames_are_short_and_carry_their_place() -> None:
    text = frames.values({"counter:n": 1}, "now", "ab", 3)

    assert text == '{"op":"values","values":{"counter:n":1},"at":"now","epoch":"ab","seq":3}'
    assert "Zoë 🎓" in frames.error("Zoë 🎓", "ab", 3)
    assert "topic" not in frames.error("x", "ab", 3)


def test_what_is_no_json_is_never_sent() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        frames.values({"counter:n": float("nan")}, "now", "ab", 3)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (None, None),
        (0, 0),
        (-4, -4),
        (66.7, 66.7),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (10**30, "1" + "0" * 30),
        (Decimal("12.50"), "12.50"),
        (Decimal("-0.05"), "-0.05"),
    ],
)
def test_a_value_is_said_exactly(number: Any, said: Any) -> None:
    assert frames.plain(number) == said
    assert type(frames.plain(number)) is type(said)


@given(st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_no_digit_is_lost_in_a_browser(number: Any) -> None:
    said = json.loads(json.dumps(frames.plain(number)))

    # A browser reads every JSON number as a double.
    assert Decimal(said if isinstance(said, str) else float(said)) == number


def test_which_closings_are_final() -> None:
    final = {code.name for code in Close if code.final}

    assert final == {"PROTOCOL", "FORBIDDEN", "UPGRADE"}
    assert Close.SLOW == 4408
