"""What all verbs share: databases, names, scopes, mistakes."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

import livecounters as live
from livecounters.registry import registry
from tests.commands import refused, run
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

EVERYWHERE = ["status", "sync", "fold", "verify", "rebuild"]


@pytest.mark.parametrize("verb", EVERYWHERE)
def test_an_unknown_database(verb: str) -> None:
    _, why = refused(verb, "--database", "elsewhere")

    assert why == f"There is no database 'elsewhere'; known: {', '.join(connections)}."


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", [*EVERYWHERE, "run --once", "explain attempts"])
def test_tables_that_are_not_there_yet(verb: str) -> None:
    call_command("migrate", "livecounters", "zero", verbosity=0)
    try:
        _, why = refused(*verb.split())
    finally:
        call_command("migrate", verbosity=0)
    assert why == "The tables are not there yet: manage.py migrate (default)."


@pytest.mark.parametrize("verb", EVERYWHERE)
def test_a_declaration_that_cannot_be_kept_is_named(verb: str) -> None:
    class Wrong(live.LiveModel):
        n = live.Count(per="note")

    live.register(Attempt)(Wrong)
    try:
        _, why = refused(verb)
    finally:
        registry.remove(Wrong)
    said, cure = why.splitlines()
    assert "Wrong.n: 'note' is a TextField; its values cannot name a group." in said
    assert cure == "Use a foreign key, an integer, a UUID, a boolean or a CharField."


def test_a_command_for_a_database_without_triggers() -> None:
    backend: Any = connections["default"]
    vendor, backend.vendor = backend.vendor, "unknown"
    try:
        with pytest.raises(CommandError, match="for which there are no triggers yet"):
            run("status", "--database", "default")
    finally:
        backend.vendor = vendor


@pytest.mark.parametrize("verb", ["verify", "rebuild", "explain"])
def test_a_name_that_nobody_declares(verb: str) -> None:
    _, why = refused(verb, "atempts")

    assert why == "No counter 'atempts' is declared. Did you mean 'attempts'?"


@pytest.mark.parametrize("verb", ["verify", "rebuild"])
def test_a_scope_is_of_one_counter(verb: str) -> None:
    assert refused(verb, "--of", "1")[1] == "--of is a scope of one counter; give its name."
    assert refused(verb, "per_quiz", "per_user", "--of", "1")[1].startswith("--of is")
    assert refused(verb, "attempts", "--of", "1")[1] == (
        "--of 1: host.attempts is one number for the site; it has no of=."
    )
    assert refused(verb, "per_quiz", "--of", "x")[1].startswith("--of x: ")


@pytest.mark.parametrize("verb", ["verify", "rebuild"])
def test_a_scope_is_the_key_of_an_object(verb: str) -> None:
    quiz = Quiz.objects.create(title="Fractions")
    Attempt.objects.create(quiz=quiz, completed=True)

    run(verb, "host.per_quiz", "--of", str(quiz.pk))
