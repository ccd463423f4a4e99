"""The app: discovered declarations, migrations that fit every host, triggers kept in step."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models.signals import post_migrate, pre_migrate

from livecounters import capture
from livecounters.apps import LiveCountersConfig, after_migrate, before_migrate
from livecounters.models import Measured
from livecounters.registry import registry
from tests.host.models import Attempt, Quiz
from tests.oracle import assert_exact

CONFIG = apps.get_app_config("livecounters")


def states() -> set[str]:
    return {state.state for state in capture.states("default")}


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


MIGRATIONS = """
import sys
from tests import settings
settings.DEFAULT_AUTO_FIELD = "django.db.models.{field}"
settings.DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
settings.USE_I18N = {i18n}
import django; django.setup()
from django.core.management import call_command
call_command("makemigrations", "livecounters", check=True, dry_run=True)
"""


@pytest.mark.parametrize(
    ("field", "i18n"),
    [("AutoField", True), ("BigAutoField", True), ("SmallAutoField", True), ("AutoField", False)],
)
def test_no_host_has_to_make_migrations_of_ours(field: str, i18n: bool) -> None:
    said = run(MIGRATIONS.format(field=field, i18n=i18n))

    assert said.strip() == "No changes detected in app 'livecounters'"


def test_the_name_of_the_app() -> None:
    assert isinstance(CONFIG, LiveCountersConfig)
    assert (CONFIG.label, str(CONFIG.verbose_name)) == ("livecounters", "Live counters")


def test_declarations_are_found_beside_their_models() -> None:
    assert {entry.live.__module__ for entry in registry.counters} == {"tests.host.livecounters"}


def test_an_app_without_declarations_is_no_error() -> None:
    without = """
from tests import settings
settings.INSTALLED_APPS = [a for a in settings.INSTALLED_APPS if a != "tests.host"]
import django; django.setup()
import livecounters
print(len(livecounters.counters))
"""
    assert run(without) == "0\n"


def test_an_error_in_declarations_is_not_swallowed(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "__init__.py").touch()
    (tmp_path / "broken" / "livecounters.py").write_text("import nowhere")
    program = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r})
from tests import settings
settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "broken"]
import django
try:
    django.setup()
except ImportError as error:
    print(error)
"""
    assert run(program) == "No module named 'nowhere'\n"


# Around migrate


def test_only_the_end_of_our_own_migrations_is_heard() -> None:
    for signal, receiver in ((pre_migrate, before_migrate), (post_migrate, after_migrate)):
        assert receiver in signal._live_receivers(CONFIG)[0]  # type: ignore[attr-defined]
        other = apps.get_app_config("host")
        assert receiver not in signal._live_receivers(other)[0]  # type: ignore[attr-defined]


@pytest.fixture
def attempts(db: None) -> None:
    quiz = Quiz.objects.create(title="Fractions")
    ada = User.objects.create(username="ada")
    Attempt.objects.bulk_create([Attempt(quiz=quiz, user=ada, completed=True) for _ in range(3)])


@pytest.mark.usefixtures("attempts")
def test_migrate_puts_back_what_is_missing() -> None:
    capture.detach("default")
    assert states() == {"missing"}

    call_command("migrate", verbosity=0, stdout=StringIO())

    assert states() == {"installed"}
    assert_exact()


@pytest.mark.usefixtures("attempts")
def test_a_host_may_install_by_hand(settings: Any) -> None:
    settings.LIVECOUNTERS = {"INSTALL_ON_MIGRATE": False}
    capture.detach("default")

    call_command("migrate", verbosity=0, stdout=StringIO())

    assert states() == {"missing"}
    assert not Measured.objects.exclude(installation="", ready=False).exists()
    assert_exact()


@pytest.mark.usefixtures("attempts")
def test_migrate_with_nothing_to_do_changes_nothing() -> None:
    before = set(Measured.objects.values_list("measure", "since"))

    call_command("migrate", verbosity=0, stdout=StringIO())

    assert set(Measured.objects.values_list("measure", "since")) == before


@pytest.mark.usefixtures("attempts")
def test_what_was_installed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    capture.detach("default", ["host_sale"])

    with caplog.at_level("INFO", "livecounters"):
        after_migrate(using="default")

    assert caplog.messages == ["livecounters: installed triggers on host_sale."]
