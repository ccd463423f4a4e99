"""``manage.py livecounters <verb>``: the verbs themselves are tested in verbs/."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, load_command_class
from django.utils import translation

from livecounters.exceptions import Unmeasurable
from livecounters.management.commands.livecounters import VERBS
from tests.commands import run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["sync", "--nothing"]])
def test_an_unknown_verb(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)


def test_every_verb_says_what_it_does() -> None:
    command = load_command_class("livecounters", "livecounters")
    text = command.create_parser("manage.py", "livecounters").format_help()

    for verb in VERBS:
        assert verb.name in text
        assert verb.help.endswith(".")


def test_an_error_of_ours_is_said_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, **given: object) -> None:
        raise Unmeasurable("E002", "it cannot be.", "Leave it.")

    monkeypatch.setattr(VERBS[0], "run", fail)

    with pytest.raises(CommandError) as caught:
        run(VERBS[0].name)

    assert str(caught.value) == "it cannot be.\nLeave it."


def test_operators_and_programs_are_spoken_to_in_english() -> None:
    with translation.override("de"):
        assert "pending deltas" in run("explain", "attempts")
        assert translation.get_language() == "de"
