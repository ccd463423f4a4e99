"""What openapi.yaml and asyncapi.yaml in docs/reference promise, and whether what is said keeps it."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.urls import Resolver404, resolve
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

DOCS = Path(__file__).resolve().parent.parent / "docs" / "reference"

JSON = "application/json"

FORMATS = FormatChecker()


@FORMATS.checks("date-time", ValueError)
def _is_moment(value: Any) -> bool:
    return not isinstance(value, str) or dt.datetime.fromisoformat(value).tzinfo is not None


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DOCS / name).read_text(encoding="utf-8"))
    return found


@cache
def openapi() -> dict[str, Any]:
    return _read("openapi.yaml")


@cache
def asyncapi() -> dict[str, Any]:
    return _read("asyncapi.yaml")


@cache
def _strict() -> Registry[Any]:
    """Both; what a shape does not name the server may not say. A client may."""
    said = _read("openapi.yaml"), _read("asyncapi.yaml")
    for shape in said[0]["components"]["schemas"].values():
        if "properties" in shape:
            shape["additionalProperties"] = False
    for message in messages("send"):
        said[1]["components"]["schemas"][message]["unevaluatedProperties"] = False
    names = "openapi.yaml", "asyncapi.yaml"
    return Registry().with_resources(
        (name, DRAFT202012.create_resource(one)) for name, one in zip(names, said, strict=True)
    )


def validator(schema: Any) -> Draft202012Validator:
    return Draft202012Validator(schema, registry=_strict(), format_checker=FORMATS)


@cache
def of_shape(name: str, of: str = "openapi.yaml") -> Draft202012Validator:
    return validator({"$ref": f"{of}#/components/schemas/{name}"})


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    # What is fixed before what is not: achievements/seen/ is no achievement.
    return [
        (re.compile(re.sub(r"\{\w+\}", r"[\\w.]+", path)), path)
        for path in sorted(openapi()["paths"], key=lambda path: (path.count("{"), path))
    ]


def template_of(path: str) -> str | None:
    """The path of the schema that a request's path is one of."""
    return next((found for pattern, found in _paths() if pattern.fullmatch(path)), None)


def is_routed(path: str) -> bool:
    """Whether there is such a path."""
    try:
        return bool(resolve(path))
    except Resolver404:
        return False


def check(method: str, path: str, answer: Any) -> None:
    """Raise ``AssertionError`` if an answer, of Django or over HTTP, is not as promised."""
    template = template_of(path)
    if template is None or method in ("HEAD", "OPTIONS"):
        return
    if answer.status_code == 404 and not is_routed(path):
        return
    operation = openapi()["paths"][template].get(method.lower())
    code = str(answer.status_code)
    if operation is None:
        # 404 and 406 are seen before the method is.
        assert code[0] == "4", f"{method} {path}: {code} is not in the schema"
        return
    promised = operation["responses"].get(code) or operation["responses"]["default"]
    _check_headers(method, path, answer)
    if "content" not in promised:
        assert not answer.content, f"{method} {path}: {code} has no body"
        return
    kind = answer.headers["Content-Type"].partition(";")[0]
    if kind in operation["responses"].get("200", promised)["content"] and kind != JSON:
        return
    assert kind == JSON, f"{method} {path}: {kind}"
    errors = list(_of(promised["content"][JSON]["schema"]).iter_errors(answer.json()))
    assert not errors, f"{method} {path}: {code}: {errors[0]}"


def _check_headers(method: str, path: str, answer: Any) -> None:
    assert answer.status_code < 500, f"{method} {path}: {answer.status_code}"
    assert ("ETag" in answer.headers) == (method == "GET" and answer.status_code in (200, 304)), (
        path
    )
    assert ("Retry-After" in answer.headers) == (answer.status_code == 429), path
    assert answer.headers["Cache-Control"], path


def _of(schema: dict[str, Any]) -> Draft202012Validator:
    return of_shape(schema["$ref"].rpartition("/")[2])


# Frames


def messages(action: str) -> dict[str, str]:
    """The shapes of the frames that a server receives or sends, and their op."""
    found = {}
    for reference in asyncapi()["operations"][action]["messages"]:
        op = reference["$ref"].rpartition("/")[2]
        payload = asyncapi()["components"]["messages"][op]["payload"]
        found[payload["$ref"].rpartition("/")[2]] = op
    return found


@cache
def _frames(action: str) -> dict[str, Draft202012Validator]:
    return {op: of_shape(name, "asyncapi.yaml") for name, op in messages(action).items()}


def frame_error(action: str, frame: Any) -> str:
    """What is wrong with a frame; empty if nothing is."""
    op = frame.get("op") if isinstance(frame, dict) else None
    found = _frames(action).get(op) if isinstance(op, str) else None
    if found is None:
        return f"no such op: {frame!r}"
    return "; ".join(str(error) for error in found.iter_errors(frame))
