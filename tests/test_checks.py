"""``manage.py check``: one test for each id, and a site that is in order."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import checks
from django.core.checks import CheckMessage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now
from django.test import override_settings

import livecounters as live
from livecounters import capture
from livecounters.registry import registry
from tests.host import practice
from tests.host.models import Attempt, Sale
from tests.zoo.models import Elsewhere, Large, Seen

pytestmark = pytest.mark.django_db

# The test settings run the pump in another process and its layer in memory, and one counter of
# the host adds up floats.
KNOWN = {"livecounters.W001", "livecounters.W004"}

Declare = Callable[..., type[live.LiveModel]]


@pytest.fixture
def declare() -> Iterator[Declare]:
    made = []

    def add(model: Any = Attempt, **given: Any) -> type[live.LiveModel]:
        made.append(live.register(model)(type("Declared", (live.LiveModel,), given)))
        return made[-1]

    yield add
    for one in made:
        registry.remove(one)


def ours(**given: Any) -> list[CheckMessage]:
    return [m for m in checks.run_checks(**given) if str(m.id).startswith("livecounters.")]


def found(check_id: str, **given: Any) -> list[CheckMessage]:
    return [m for m in ours(**given) if m.id == f"livecounters.{check_id}"]


def the(check_id: str, **given: Any) -> CheckMessage:
    (message,) = found(check_id, **given)
    assert message.hint
    return message


def test_a_site_in_order() -> None:
    assert {message.id for message in ours()} == KNOWN
    assert not [m for m in checks.run_checks() if m.id not in KNOWN]


def test_all_that_is_wrong_is_told_at_once(declare: Declare) -> None:
    declare(
        at="score",
        unknown=live.Count(filter=Q(x=1)),
        timeless=live.Count(at=None, window=live.today),
        optional=live.Count(filter=Q(quiz__tags=None)),
        clock=live.Count(filter=Q(completed_at__lt=Now())),
        text=live.Sum("note"),
        group=live.Count(per="note"),
    )
    wrong = {"EMBEDDED_PUMP": False, "WEEK_START": 9, "WEEKSTART": 1}
    with override_settings(LIVECOUNTERS=wrong), pytest.raises(SystemCheckError) as caught:
        call_command("check", deploy=True, databases=["default"])

    told = str(caught.value)
    for check_id in ("E002", "E004", "E005", "E006", "E007", "E008", "E020", "E021", "W001"):
        assert f"(livecounters.{check_id})" in told
    hinted = told.count("(livecounters."), told.count("HINT:")
    assert hinted[1] >= hinted[0]


UNREACHABLE = """
from tests import settings
settings.DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "none",
                                  "HOST": "127.0.0.1", "PORT": "1"}}
import django; django.setup()
from django.core.management import call_command
call_command("check")
"""


def test_a_database_that_is_not_there_is_no_matter() -> None:
    # As where an image is built.
    done = subprocess.run(
        [sys.executable, "-c", UNREACHABLE], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


# Declarations

TOLD = live.Activity("x", data={"score": "score"})
DONE = live.Activity("x", data={"text": str})


@pytest.mark.parametrize(
    ("check_id", "given", "reason"),
    [
        ("E002", {"n": live.Count(filter=Q(x=1))}, "Cannot resolve keyword 'x'"),
        ("E002", {"n": live.Count(filter=Q(pk__in=[]))}, "the filter matches no row at all."),
        ("E002", {"n": live.Activity("x", target="nothing")}, "Cannot resolve keyword 'nothing'"),
        ("E003", {"n": live.Count(window=live.today)}, "needs to know when a row counts."),
        ("E004", {"n": live.Count(filter=Q(quiz__tags=None))}, "it counts rows without a row of"),
        ("E004", {"n": live.Activity("x", target_label="quiz__tags__slug")}, "to many rows of"),
        ("E005", {"n": live.Count(filter=Q(completed_at__lt=Now()))}, "Now() gives another"),
        ("E006", {"n": live.Sum("note")}, "cannot be added up exactly."),
        ("E007", {"n": live.Count(per="note")}, "its values cannot name a group."),
        ("E008", {"n": live.Count(at="score")}, "at='score' is a IntegerField."),
        ("E009", {"n": live.Activity("x", target="score")}, "is no foreign key."),
        ("E009", {"n": live.Count(events=TOLD, per="quiz"), "told": TOLD}, "per='quiz'"),
        (
            "E006",
            {"n": live.Max("completed_at")},
            "is a DateTimeField; Min and Max are of numbers.",
        ),
        ("E002", {"n": live.Count(), "filter": "completed"}, "completed"),
        ("E002", {"n": live.Activity("x"), "filter": ["completed"]}, "completed"),
    ],
)
def test_a_wrong_declaration(
    declare: Declare, check_id: str, given: dict[str, Any], reason: str
) -> None:
    made = declare(**given)

    message = the(check_id)
    assert message.msg.startswith(f"{__name__}.Declared.n: ")
    assert reason in message.msg
    assert message.obj is made
    assert message.is_serious()


@pytest.mark.parametrize(
    ("check_id", "given", "reason"),
    [
        ("E022", {"n": live.Activity("x", data={"score": "score"})}, "there is no row that has it"),
        (
            "E022",
            {"n": live.Activity("x", filter=Q(completed=True))},
            "it has filter=, and no rows",
        ),
        ("E009", {"n": live.Count(events=DONE, per="target"), "done": DONE}, "of which model"),
        ("E009", {"n": live.Sum("data__text", events=DONE), "done": DONE}, "is a number"),
    ],
)
def test_a_wrong_declaration_of_a_site(check_id: str, given: dict[str, Any], reason: str) -> None:
    made = live.register(type("Declared", (live.LiveSite,), given))
    try:
        message = the(check_id)
        assert message.msg.startswith(f"{__name__}.Declared.n: ")
        assert reason in message.msg
        assert message.obj is made
        assert message.is_serious()
    finally:
        registry.remove(made)


def test_a_site_s_activities_in_order() -> None:
    with practice.declared():
        assert {message.id for message in ours()} == KNOWN


def test_what_no_browser_records(declare: Declare) -> None:
    made = declare(told=live.Activity("x", client=True))

    message = the("W009")
    assert "client= has no effect, since it is told by the rows of Attempt." in message.msg
    assert message.obj is made
    assert not message.is_serious()


@pytest.mark.parametrize("filter", [Q(note__regex="x"), Q(completed_at__month=3)])
def test_what_only_django_s_sqlite_knows(declare: Declare, filter: Q) -> None:
    declare(n=live.Count(filter=filter))

    assert bool(found("E005")) is (connection.vendor == "sqlite")


def test_all_that_is_wrong_is_said_at_once(declare: Declare) -> None:
    declare(a=live.Count(per="x"), b=live.Sum("note"), c=live.Activity("x", target="y"))

    assert [message.msg.split(":")[0].rpartition(".")[2] for message in found("E002")] == ["c", "a"]
    assert len(found("E006")) == 1


def test_what_this_database_knows_nothing_of(declare: Declare) -> None:
    declare(Sale, n=live.Count(filter=Q(extra__contains={"a": 1})))

    assert bool(found("E005")) is (connection.vendor == "sqlite")


def test_numbers_of_many_digits(declare: Declare) -> None:
    digits = 18 if connection.vendor == "sqlite" else 38
    declare(Large, few=live.Sum("small"), many=live.Sum("exact"), most=live.Max("wide"))

    said = [m.msg.split(": ")[0].rpartition(".")[2] for m in found("W005")]
    assert said == (["many", "most"] if connection.vendor == "sqlite" else ["most"])
    assert found("W005")[-1].hint.startswith(f"Give the field max_digits={digits}")


def test_a_router_that_puts_them_apart(declare: Declare, settings: Any) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.Apart"]
    declare(Elsewhere, n=live.Count())

    message = the("E013")
    assert "'other', where the router allows no tables of livecounters" in message.msg
    assert "allow_migrate()" in str(message.hint)


class Apart:
    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "other" if model is Elsewhere else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return not (db == "other" and app_label == "livecounters")


def test_what_is_in_the_way_of_triggers(declare: Declare) -> None:
    declare(Seen, n=live.Count())
    with connection.cursor() as cursor:
        cursor.execute("CREATE VIEW zoo_seen AS SELECT id, owner AS number FROM zoo_trashed")
    try:
        assert not found("E014")
        assert the("E014", databases=["default"]).is_serious()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP VIEW zoo_seen")


def test_floats(declare: Declare) -> None:
    declare(Sale, n=live.Avg(F("weight") / 2))

    said = [message.msg.split(":")[0] for message in found("W004")]
    assert said == ["tests.host.livecounters.SaleLive.weight_sum", f"{__name__}.Declared.n"]


# Names in templates


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ('{% live_counters "sales" %}', True),
        ("{% live_counter 'sales' of=course %}", True),
        ('{%live_counters "attempts" "sales"%}', True),
        ('{% live_leaderboard "sales" limit=10 %}', True),
        ('{% live_counters "host.sales" %}', False),
        ('{% live_counters group="sales" %}', False),
        ('{% live_counters %} "sales"', False),
        ('{% trans "sales" %}', False),
    ],
)
def test_an_ambiguous_name_in_a_template(
    declare: Declare, settings: Any, tmp_path: Path, text: str, uses: bool
) -> None:
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / "page.html"
    path.write_text(text, encoding="utf-8")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    assert not found("E001")

    declare(User, sales=live.Count())

    if not uses:
        assert not found("E001")
        return
    message = the("E001")
    assert message.msg == f"{path} uses the counter 'sales', which several apps declare."
    assert message.hint == "Use one of the full names 'auth.sales', 'host.sales'."


def test_a_template_that_cannot_be_read(declare: Declare, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "latin.html").write_bytes(b"\xff{% live_counter 'sales' %}")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    declare(User, sales=live.Count())

    assert not found("E001")


# Settings


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("WEEK_STRAT", "Did you mean 'WEEK_START'?"),
        ("week_start", None),
        ("ACTOR", "Did you mean 'ACTOR_NAME'?"),
        (7, None),
    ],
)
def test_an_unknown_setting(settings: Any, key: Any, hint: str | None) -> None:
    settings.LIVECOUNTERS = {key: 1}

    message = the("E020")
    assert message.msg == f"LIVECOUNTERS has the unknown key {key!r}."
    assert message.hint == hint or (hint is None and "Known are: ACTOR_NAME, " in str(message.hint))


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("ACTOR_NAME", "no.such.path", "Give the dotted path of a function that can be imported."),
        ("ACTOR_NAME", None, "Give the dotted path of a function that can be imported."),
        ("ACTOR_NAME", str, "Give the dotted path of a function that can be imported."),
        (
            "MAY_BE_SEEN",
            "os.sep",
            "Give the dotted path of a function that can be imported, or None.",
        ),
        ("USER_TIMEZONE", 3, "Give the dotted path of a function that can be imported, or None."),
        ("WEEK_START", 7, "Give 0 (Monday) to 6 (Sunday)."),
        ("WEEK_START", True, "Give 0 (Monday) to 6 (Sunday)."),
        ("WEEK_START", "monday", "Give 0 (Monday) to 6 (Sunday)."),
        ("EMBEDDED_PUMP", "yes", "Give True or False."),
        ("INSTALL_ON_MIGRATE", None, "Give True or False."),
        ("FRAMES_PER_SECOND", 0, "Give a number above 0 and up to 60."),
        ("FRAMES_PER_SECOND", "4", "Give a number above 0 and up to 60."),
        ("FRAMES_PER_SECOND", float("nan"), "Give a number above 0 and up to 60."),
        ("ALLOWED_ORIGINS", "https://x.org", None),
        ("ALLOWED_ORIGINS", ["x.org"], None),
        ("SOCKET_URL", "ws/live/", "Give a path that begins with /, or None."),
        ("PRESENCE", ["x"], "Give a dict."),
        ("RETENTION", 90, "Give a dict."),
        ("EMBEDS", ["orders"], "Give a dict."),
    ],
)
def test_a_setting_that_will_not_do(settings: Any, key: str, value: Any, hint: str | None) -> None:
    settings.LIVECOUNTERS = {key: value, "EMBEDDED_PUMP": True} | {key: value}

    message = the("E021")
    assert message.msg == f"LIVECOUNTERS[{key!r}] is {value!r}."
    assert hint is None or message.hint == hint


@pytest.mark.parametrize("value", [0, -1, "90", 1.5, True])
def test_a_retention_that_will_not_do(settings: Any, value: Any) -> None:
    settings.LIVECOUNTERS = {"EMBEDDED_PUMP": True, "RETENTION": {"events": value}}

    message = the("E021")
    assert message.msg == f"LIVECOUNTERS['RETENTION']['events'] is {value!r}."
    assert message.hint == "Give a whole number of days, 1 at the least, or None for good."


def test_a_retention_of_what_is_not_known(settings: Any) -> None:
    settings.LIVECOUNTERS = {"EMBEDDED_PUMP": True, "RETENTION": {"quarters_hour": 5}}

    message = the("E020")
    assert message.msg == "LIVECOUNTERS['RETENTION'] has the unknown key 'quarters_hour'."
    assert message.hint == "Did you mean 'quarter_hours'?"


@pytest.mark.parametrize("value", ["WEEK_START", ["WEEK_START"], 5])
def test_settings_that_are_no_dict(settings: Any, value: Any) -> None:
    settings.LIVECOUNTERS = value

    assert the("E021").msg == f"LIVECOUNTERS is a {type(value).__name__}."


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {
            "ACTOR_NAME": "builtins.repr",
            "MAY_BE_SEEN": None,
            "WEEK_START": 6,
            "FRAMES_PER_SECOND": 0.5,
            "ALLOWED_ORIGINS": ("https://x.org", "http://localhost:8000"),
            "SOCKET_URL": None,
            "PRESENCE": {"TTL": 15},
        },
    ],
)
def test_settings_that_will_do(settings: Any, value: Any) -> None:
    settings.LIVECOUNTERS = value

    assert {message.id for message in ours()} == {"livecounters.W004"}


# Surroundings


@pytest.mark.parametrize(
    ("embedded", "layers", "warned"),
    [
        (False, {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}, True),
        (False, {}, True),
        (False, {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer"}}, False),
        (True, {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}, False),
    ],
)
def test_a_pump_that_nobody_hears(
    settings: Any, embedded: bool, layers: dict[str, Any], warned: bool
) -> None:
    settings.LIVECOUNTERS = {"EMBEDDED_PUMP": embedded}
    settings.CHANNEL_LAYERS = layers

    assert bool(found("W001")) is warned
    if warned:
        assert the("W001").level == checks.WARNING


@pytest.mark.parametrize(
    ("mode", "warned"),
    [(None, True), ("DEFERRED", True), ("IMMEDIATE", False), ("exclusive", False)],
)
def test_deferred_transactions_of_sqlite(
    monkeypatch: pytest.MonkeyPatch, mode: str | None, warned: bool
) -> None:
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"transaction_mode": mode})

    assert bool(found("W002")) is (warned and connection.vendor == "sqlite")


@override_settings(ROOT_URLCONF="tests.host.pages")
def test_a_pattern_above_ours_that_takes_everything() -> None:
    message = the("W010")

    assert "/live/snapshot/" in message.msg
    assert "above it" in str(message.hint)


def test_triggers_are_asked_for_with_a_database() -> None:
    assert not found("W003", databases=["default"])
    capture.detach("default", ["host_sale"])

    assert not found("W003")
    message = the("W003", databases=["default"])
    assert message.msg == "The triggers on the table 'host_sale' are missing."
    assert message.hint == "Run manage.py migrate or manage.py livecounters sync."


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("COUNTERS", "attempts"),
        ("COUNTERS", None),
        ("ORIGINS", "https://a.example"),
        ("ORIGINS", ["a.example"]),
        ("ORIGINS", ["https://a.example/"]),
        ("ORIGINS", ["https://a.example; script-src *"]),
        ("ORIGINS", ["https://*.a.example"]),
        ("ORIGINS", [None]),
        ("MAX_AGE", 0),
        ("MAX_AGE", True),
        ("MAX_AGE", "60"),
    ],
)
def test_embeds_that_will_not_do(settings: Any, key: str, value: Any) -> None:
    settings.LIVECOUNTERS = {"EMBEDDED_PUMP": True, "EMBEDS": {key: value}}

    assert the("E021").msg == f"LIVECOUNTERS['EMBEDS'][{key!r}] is {value!r}."


def test_embeds_of_what_is_not_known(settings: Any) -> None:
    settings.LIVECOUNTERS = {"EMBEDDED_PUMP": True, "EMBEDS": {"COUNTER": ["attempts"]}}

    assert the("E020").hint == "Did you mean 'COUNTERS'?"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("sales", "'sales' is not public"), ("nothing", "nothing"), (["attempts"], "lists ['att")],
)
def test_embeds_of_what_is_not_for_others(settings: Any, name: Any, reason: str) -> None:
    given = {"COUNTERS": ["attempts", name], "ORIGINS": ["*", "http://localhost:8000"]}
    settings.LIVECOUNTERS = {"EMBEDDED_PUMP": True, "EMBEDS": given}

    assert reason in the("E021").msg
