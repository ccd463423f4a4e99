"""``livecounters explain``"""

from __future__ import annotations

import json

import pytest

import livecounters as live
from livecounters import folding
from tests.commands import refused, run
from tests.host.models import Attempt

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("filled")
def test_in_words() -> None:
    quiz = Attempt.objects.all()[0].quiz_id
    folding.fold("default")

    said = run("explain", "per_quiz", "--of", str(quiz))

    assert f"host.per_quiz of {quiz}" in said
    assert "Count(per='quiz', public=True)" in said
    assert "installed on host_attempt" in said
    assert said.splitlines()[-1] == "equal"
    numbers = [line.split()[-1] for line in said.splitlines()[-5:-1]]
    assert numbers == ["5", "0", "5", "5"]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", ["learners", "score_max", "score_avg", "revenue", "price_avg"])
def test_other_kinds(name: str) -> None:
    assert run("explain", name).splitlines()[-1] == "equal"


@pytest.mark.usefixtures("filled")
def test_as_json() -> None:
    found = json.loads(run("explain", "revenue", "--json"))

    assert (found["counter"], found["value"], found["verdict"]) == ("host.revenue", "2.20", "equal")


@pytest.mark.usefixtures("filled")
def test_an_estimate() -> None:
    said = run("explain", "learners_estimate")
    assert "estimate         one in 2 values is kept, off by " in said
    assert said.splitlines()[-1] == "equal"

    found = json.loads(run("explain", "learners_estimate", "--json"))
    assert found["sample"] == 2
    assert found["relative_error"] == live.counters["learners_estimate"].error(found["value"])
    assert "sample" not in json.loads(run("explain", "learners", "--json"))


def test_mistakes() -> None:
    assert refused("explain", "per_quiz")[1].endswith("is counted per 'quiz'; give of=.")
    assert refused("explain", "per_quiz", "--of", "x")[1].startswith("--of x: ")
