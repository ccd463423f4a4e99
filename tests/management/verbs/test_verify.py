"""``livecounters verify``"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from django.db.models import F

import livecounters as live
from livecounters import capture, folding
from livecounters.models import Bucket
from livecounters.windows import Grain
from tests.commands import refused, run
from tests.host.models import Attempt

pytestmark = pytest.mark.django_db


@pytest.fixture
def drift(filled: None) -> None:
    folding.fold("default")
    days = Bucket.objects.filter(measure=live.counters["per_quiz"].measure.key, grain=Grain.DAY)
    days.update(count=F("count") + 2)


@pytest.mark.usefixtures("filled")
def test_nothing_is_wrong() -> None:
    assert re.fullmatch(r"\d\d measures audited, 0 buckets wrong\n", run("verify"))
    assert run("verify", "attempts") == "1 measures audited, 0 buckets wrong\n"
    assert all(one["wrong"] == 0 for one in json.loads(run("verify", "--json")))


@pytest.mark.usefixtures("drift")
def test_what_is_wrong() -> None:
    said, why = refused("verify")

    lines = said.splitlines()
    assert lines[0] == "1 wrong: host.per_quiz"
    assert re.fullmatch(
        r"  day of \d{4}-\d\d-\d\d 00:00, scope \d+, count is 7, right is 5", lines[1]
    )
    assert why == "1 buckets are wrong: run manage.py livecounters rebuild."
    assert run("verify", "attempts", "sales").startswith("2 measures")


@pytest.mark.usefixtures("drift")
def test_as_json() -> None:
    said, _ = refused("verify", "per_quiz", "--json")

    (found,) = json.loads(said)
    quiz = str(Attempt.objects.all()[0].quiz_id)
    assert found["counters"] == ["host.per_quiz"]
    assert (found["database"], found["table"], found["wrong"]) == ("default", "host_attempt", 1)
    assert found["audited"] is True
    (one,) = found["some"]
    assert one["count"] == {"kept": 7, "right": 5}
    assert (one["scope"], one["grain"]) == (quiz, "day")


@pytest.mark.usefixtures("drift")
def test_one_object_and_a_sample() -> None:
    quiz = Attempt.objects.all()[0].quiz_id

    assert run("verify", "per_quiz", "--of", str(quiz + 1)).endswith("0 buckets wrong\n")
    refused("verify", "per_quiz", "--of", str(quiz))
    refused("verify", "--sample", "1", "--seed", "a")
    run("verify", "per_user", "--sample", "2")
    assert refused("verify", "--sample", "0")[1] == "--sample 0: give a number of 1 or more."


@pytest.mark.usefixtures("filled")
def test_what_is_not_ready_is_no_drift() -> None:
    folding.fold("default")
    capture.detach("default", ["host_attempt"])
    Attempt.objects.all().delete()

    said = run("verify")

    assert "not ready: host.per_quiz\n" in said
    assert "no triggers capture it from host_attempt: run manage.py livecounters sync" in said


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wrong", [0, 1])
def test_the_exit_status(process_environment: dict[str, str], wrong: int) -> None:
    Bucket.objects.create(
        measure=live.counters["attempts"].measure.key, scope="", grain=0, start=0, count=wrong
    )
    ended = subprocess.run(
        [sys.executable, "-m", "django", "livecounters", "verify"],
        env=os.environ | process_environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == wrong, ended.stderr
