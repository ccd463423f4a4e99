"""The schema: whole, without a warning, what the code says, and what is said keeps to it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import yaml
from django.urls import get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator
from rest_framework.views import APIView

from tests import contract

OPERATIONS = [
    pytest.param(operation, id=operation["operationId"])
    for path in contract.openapi()["paths"].values()
    for operation in path.values()
]


@pytest.fixture
def generated() -> Any:
    GENERATOR_STATS.reset()
    with GENERATOR_STATS.silence():
        found = SchemaGenerator().get_schema(public=True)
    assert not GENERATOR_STATS
    return found


def test_the_file_says_what_the_code_does(generated: Any) -> None:
    written = yaml.safe_load(OpenApiYamlRenderer().render(generated, renderer_context={}))

    assert contract.openapi() == written, "run make schema"
    validate_schema(generated)


def test_every_view_is_in_it() -> None:
    views = {
        pattern.name
        for pattern in get_resolver("livecounters.urls").url_patterns
        if issubclass(getattr(pattern.callback, "cls", object), APIView)
    }
    paths = contract.openapi()["paths"]

    assert len(views) == len(paths)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_described(operation: dict[str, Any]) -> None:
    assert operation["description"]
    assert all(asked["description"] for asked in operation.get("parameters", []))
    assert {"429", "default"} <= operation["responses"].keys()
    assert {code[0] for code in operation["responses"]} <= {"2", "3", "4", "d"}
    if "requestBody" in operation:
        assert {"400", "403", "415"} <= operation["responses"].keys()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_examples_of_errors_are_such(operation: dict[str, Any]) -> None:
    for code, response in operation["responses"].items():
        if code in ("default",) or code.startswith("4"):
            content = response["content"]["application/json"]
            (example,) = content["examples"].values()
            shape = content["schema"]["$ref"].rpartition("/")[2]
            contract.of_shape(shape).validate(example["value"])


@pytest.mark.parametrize("name", contract.openapi()["components"]["schemas"])
def test_a_shape_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(contract.openapi()["components"]["schemas"][name])


def test_a_broken_promise_is_noticed() -> None:
    described = {"name": "n", "label": "", "unit": "count", "per": None}
    shape = contract.of_shape("Counter")

    assert shape.is_valid(described | {"value": "1.50", "at": "2026-03-01T12:00:00.000Z"})
    assert not shape.is_valid(described | {"value": 1})
    assert not shape.is_valid(described | {"value": [1], "at": "2026-03-01T12:00:00.000Z"})
    assert not shape.is_valid(described | {"value": 1, "at": "2026-03-01T12:00:00"})
    assert not shape.is_valid(described | {"more": 1, "at": "2026-03-01T12:00:00.000Z"})


def test_nothing_of_it_is_needed() -> None:
    """The package without drf-spectacular, whose imports fail."""
    code = """
import sys
sys.modules["drf_spectacular"] = None
from tests import settings
settings.INSTALLED_APPS.remove("drf_spectacular")
del settings.REST_FRAMEWORK
import django; django.setup()
from django.urls import reverse
from django.test import Client
from livecounters.api import shapes
print(reverse("livecounters:snapshot"), Client().get("/live/progress/").status_code)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["/live/snapshot/", "403"]
