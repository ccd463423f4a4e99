"""Fixtures that hold our own tables: nothing counts twice, and no write fails."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.core.management import call_command
from django.db.models import Max

from livecounters import installation, testing
from livecounters.fixtures import after_load
from livecounters.models import ActivityEvent, Bucket, Delta, EventSource, Measured, Member
from tests.host.models import Attempt, Quiz, Sale
from tests.oracle import assert_exact

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def attempts(db: None) -> None:
    quiz = Quiz.objects.create(title="Fractions")
    ada = User.objects.create(username="ada")
    Attempt.objects.bulk_create([Attempt(quiz=quiz, user=ada, completed=True) for _ in range(3)])


def dumped(*models: Any) -> str:
    rows = [row for model in models for row in model.objects.all()]
    return serializers.serialize("json", rows)


def load(fixture: str) -> None:
    for row in serializers.deserialize("json", fixture):
        row.save()


def ready(table: str = "host_attempt") -> bool:
    return Measured.objects.filter(ready=True, tables__has_key=table).exists()


@pytest.mark.parametrize(
    "models", [(Bucket, Measured), (Measured, Bucket), (Bucket,), (Member,), (Delta,)], ids=str
)
def test_numbers_of_a_fixture_are_not_trusted(models: Iterable[Any]) -> None:
    if Delta not in models:
        testing.fold()
    fixture = dumped(*models)
    Attempt.objects.filter(completed=True).first().delete()
    testing.fold()

    load(fixture)

    assert_exact()
    installation.sync("default")
    assert ready()
    assert_exact()
    testing.verify()


def test_deltas_of_a_fixture_take_nobodys_place() -> None:
    Sale.objects.create(price=3)
    fixture = dumped(Delta)
    newest = Delta.objects.aggregate(newest=Max("id"))["newest"]
    # As in the database that the fixture is loaded into: other deltas have these keys.
    Delta.objects.all().delete()
    load(fixture.replace(f'"pk": {newest}', f'"pk": {newest + 3}'))

    for _ in range(5):
        Sale.objects.create(price=3)

    installation.sync("default")
    assert_exact()


def test_a_backfill_beside_a_fixture_is_not_trusted_either() -> None:
    measured = Measured.objects.filter(tables__has_key="host_attempt").first()
    began = measured.installation

    after_load(instance=measured, raw=True, using="default")

    measured.refresh_from_db()
    assert measured.installation not in ("", began)
    assert not measured.ready


def test_our_own_rows_are_trusted() -> None:
    for measured in Measured.objects.all():
        measured.save()
    assert ready()


@pytest.mark.parametrize("model", [Bucket, Member, Delta, Measured, ActivityEvent, EventSource])
def test_every_table_can_be_dumped(model: Any) -> None:
    if model in (Bucket, Member):
        testing.fold()
    rows = list(model.objects.all())

    again = [row.object for row in serializers.deserialize("json", dumped(model))]

    assert rows
    assert again == rows


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("as_documented", [True, False])
def test_a_site_that_moves(tmp_path: Path, as_documented: bool) -> None:
    """Everything out of one database and into an empty one, by the commands."""
    testing.fold()
    Sale.objects.create(price=3)
    told = ActivityEvent.objects.count()
    file = tmp_path / "site.json"
    apps = ["auth.user", "host", "livecounters"]
    call_command("dumpdata", *apps, output=str(file), verbosity=0)
    call_command("flush", interactive=False, verbosity=0, reset_sequences=False)
    if as_documented:
        call_command("livecounters", "sync", "--remove", stdout=StringIO())

    call_command("loaddata", str(file), verbosity=0, stdout=StringIO())

    assert Attempt.objects.count() == 3
    assert_exact()
    installation.sync("default")
    Sale.objects.create(price=3)
    assert_exact()
    testing.verify()
    if as_documented:
        assert ActivityEvent.objects.count() == told
