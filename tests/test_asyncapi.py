"""The socket's description: every frame and code of ``frames.py`` is in it, and what is said keeps
to it; so does every frame that a test of sockets gets."""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from livecounters import frames
from livecounters.frames import Close
from tests import contract

GOLDEN = Path(__file__).parent / "frames"
ACTIONS = {"client": "receive", "server": "send"}


def golden(kind: str) -> list[Any]:
    paths = sorted(GOLDEN.glob(f"*-{kind}-*.json"))
    assert paths
    return [pytest.param(json.loads(p.read_text(encoding="utf-8")), id=p.stem) for p in paths]


def no_json(text: str) -> Any:
    raise ValueError(text)


def sent() -> set[str]:
    """Every op that ``frames.py`` writes."""
    tree = ast.parse(inspect.getsource(frames))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if getattr(call.func, "id", "") == "encode" and isinstance(call.args[0], ast.Constant)
    }


def test_every_op_is_in_it() -> None:
    assert set(contract.messages("receive").values()) == set(frames.OPERATIONS)
    assert set(contract.messages("send").values()) == sent()
    every = contract.messages("receive") | contract.messages("send")
    assert set(contract.asyncapi()["channels"]["live"]["messages"]) == set(every.values())
    assert set(contract.asyncapi()["components"]["messages"]) == set(every.values())


def test_every_close_code_is_in_it() -> None:
    codes = contract.asyncapi()["channels"]["live"]["x-close-codes"]

    for close in Close:
        assert codes[close.value]["retryable"] is not close.final, close


def test_the_bounds_are_those_of_the_code() -> None:
    schemas = contract.asyncapi()["components"]["schemas"]

    assert schemas["Topics"]["maxItems"] == frames.MAX_TOPICS
    assert contract.asyncapi()["info"]["version"] == str(frames.VERSION)


@pytest.mark.parametrize("name", contract.asyncapi()["components"]["schemas"])
def test_a_shape_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(contract.asyncapi()["components"]["schemas"][name])


@pytest.mark.parametrize("action", ["receive", "send"])
def test_the_examples_are_such(action: str) -> None:
    for op in contract.messages(action).values():
        for example in contract.asyncapi()["components"]["messages"][op]["examples"]:
            assert not contract.frame_error(action, example["payload"])


@pytest.mark.parametrize("case", golden("valid"))
def test_a_golden_frame_is_such(case: dict[str, Any]) -> None:
    wrong = contract.frame_error(ACTIONS[case["direction"]], case["frame"])

    # What a newer server says beside is no error to a page, and none of this server.
    assert not wrong or "later" in case["frame"], wrong


@pytest.mark.parametrize("case", golden("invalid"))
def test_what_is_no_frame_is_none(case: dict[str, Any]) -> None:
    try:
        frame = json.loads(case["text"], parse_constant=no_json)
    except ValueError:
        return
    assert contract.frame_error(ACTIONS[case["direction"]], frame)


@pytest.mark.parametrize(
    "text",
    [
        frames.values({"counter:n": 1, "counter:m": None}, "2026-03-01T12:00:00.000Z", "ab", 3),
        frames.values({"counter:n": "1.50"}, "2026-03-01T12:00:00.000Z", "ab", 3),
        frames.reset("feed", [], "ab", 3),
        frames.achievement("progress", 41, 1, "ab", 3),
        frames.error("unavailable", "ab", 3),
        frames.error("malformed", "", 0, "feed"),
        frames.beat("ab", 3),
        frames.visitor("ab", 3),
        frames.pong("2026-03-01T12:00:00.000Z", "ab", 3),
    ],
)
def test_what_the_server_writes_is_such(text: str) -> None:
    assert not contract.frame_error("send", json.loads(text))


def test_a_broken_promise_is_noticed() -> None:
    beat = json.loads(frames.beat("ab", 3))

    assert contract.frame_error("send", beat | {"more": 1})
    assert contract.frame_error("send", beat | {"op": "beet"})
    assert contract.frame_error("send", beat | {"seq": -1})
