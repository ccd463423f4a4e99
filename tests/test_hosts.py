"""The zoo: every kind of model counts exactly, or is refused with the reason and the cure."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Cast
from django.utils import timezone

import livecounters as live
from livecounters import capture, feed, folding, installation, targets, timeline
from livecounters.models import ActivityEvent, Delta
from livecounters.registry import registry
from livecounters.topics import feed_of
from tests.oracle import assert_declared_exact
from tests.zoo.models import (
    Busy,
    Cafe,
    Computed,
    Elsewhere,
    Large,
    Note,
    Old,
    Pair,
    Place,
    Post,
    Reply,
    Seen,
    Shout,
    Ticket,
    Trashed,
    Word,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LONG_AGO = NOW - dt.timedelta(days=900)

Declare = Callable[..., type[live.LiveModel]]


@pytest.fixture
def declare() -> Iterator[Declare]:
    """Declare counters about a model, with triggers."""
    made: list[type[live.LiveModel]] = []

    def add(model: Any, **given: Any) -> type[live.LiveModel]:
        made.append(live.register(model)(type("Declared", (live.LiveModel,), given)))
        report = installation.sync("default")
        assert model._meta.concrete_model._meta.db_table in report.installed, report
        assert not report.failed
        return made[-1]

    yield add
    for one in made:
        registry.remove(one)
    if made and not connection.features.can_rollback_ddl:
        installation.sync("default")


# Each animal: what is declared, and writes between which everything must hold.

WORDS = ["a", "A", "ä", "Ä", "O'Brien", '"q"', "100%", "%s", "back\\slash", "x y", "🎓", "ß", "SS"]
KEY = uuid.UUID(int=7)


def tickets() -> list[Ticket]:
    Word.objects.bulk_create([Word(text=text) for text in ("a", "A", "%s'\"")])
    parent = Ticket.objects.create(id=KEY, number="One", word_id="a", points=3, made=NOW, open=True)
    return [
        parent,
        *Ticket.objects.bulk_create(
            [
                Ticket(parent=parent, twin=parent, word_id="A", open=False, made=LONG_AGO),
                Ticket(parent=parent, word_id="%s'\"", number="one ", points=-4),
                Ticket(),
            ]
        ),
    ]


ANIMALS: dict[str, tuple[type[models.Model], dict[str, Any], list[Callable[[], Any]]]] = {
    "text keys": (
        Word,
        {
            "n": live.Count(),
            "each": live.Count(per="text"),
            "all": live.Count("text", distinct=True),
            "starting": live.Count(filter=Q(text__startswith="a")),
        },
        [
            lambda: Word.objects.bulk_create([Word(text=text) for text in WORDS]),
            lambda: Word.objects.filter(text="a").update(text="b"),
            lambda: Word.objects.filter(text="A").delete(),
        ],
    ),
    "UUIDs, NULLs and relations": (
        Ticket,
        {
            "at": "made",
            "n": live.Count(),
            "words": live.Count(per="word"),
            "children": live.Count(per="parent"),
            "twins": live.Count(per="twin"),
            "keys": live.Count("id", distinct=True),
            "some_keys": live.Count("id", distinct=True, sample=2),
            "parents": live.Count("parent", distinct=True),
            "some_parents": live.Count("parent", distinct=True, sample=2),
            "some_keys_per_state": live.Count("id", distinct=True, sample=2, per="open"),
            "open": live.Count(per="open"),
            "not_open": live.Count(filter=~Q(open=True)),
            "points": live.Sum("points"),
            "most": live.Max("points", per="word"),
            "mean": live.Avg("points", per="open"),
        },
        [
            tickets,
            lambda: Ticket.objects.update(open=None),
            lambda: Ticket.objects.update(points=F("points") * 2, parent=F("twin")),
            lambda: Word.objects.filter(text="a").delete(),
            lambda: Ticket.objects.filter(pk=KEY).delete(),
            lambda: Ticket.objects.all().delete(),
        ],
    ),
    "to_field": (
        Note,
        {"n": live.Count(per="ticket"), "some": live.Count("ticket", distinct=True)},
        [
            tickets,
            lambda: Note.objects.bulk_create(
                [Note(ticket_id=number) for number in ("One", "One", "one ", None)]
            ),
            lambda: Note.objects.filter(ticket="one ").update(ticket="One"),
            lambda: Ticket.objects.all().delete(),
        ],
    ),
    "through a key that is none": (
        Note,
        {
            "words": live.Count(per="ticket__word"),
            "dated": live.Count(per="ticket__word", at="ticket__made"),
            "open": live.Count(filter=Q(ticket__open=True)),
            "points": live.Sum("ticket__points", per="ticket__word"),
            "most": live.Max("ticket__points", per="ticket__open"),
            "known": live.Count("ticket__word", distinct=True),
            "some_again": live.Count("ticket__parent", distinct=True, sample=2),
            "again": live.Count(per="ticket__parent"),
            "as_text": live.Count(per="ticket__word__text"),
        },
        [
            tickets,
            lambda: Note.objects.bulk_create(
                [Note(ticket_id=number) for number in ("One", "One", "one ", None)]
            ),
            lambda: Ticket.objects.filter(number="One").update(open=None, word="A", points=7),
            lambda: Note.objects.filter(ticket="one ").update(ticket="One"),
            lambda: Ticket.objects.filter(number="One").update(made=NOW, word=None),
            lambda: Ticket.objects.filter(number="One").update(made=LONG_AGO, word="a"),
            lambda: Word.objects.filter(text="a").delete(),
            lambda: Ticket.objects.all().delete(),
        ],
    ),
    "from the other end": (
        Word,
        {
            "tickets": live.Count("ticket"),
            "open": live.Count(per="ticket__open"),
            "points": live.Sum("ticket__points", filter=Q(text__startswith="a")),
            "notes": live.Count(per="ticket__note"),
            "pairs": live.Count(per=("ticket__open", "ticket__number")),
        },
        [
            tickets,
            lambda: Note.objects.bulk_create([Note(ticket_id="One"), Note(ticket_id="one ")]),
            lambda: Ticket.objects.update(points=4, word_id="a"),
            lambda: Ticket.objects.filter(number=None).update(open=True),
            lambda: Word.objects.all().delete(),
        ],
    ),
    "names": (
        Shout,
        {
            "n": live.Count(filter=Q(loud=True)),
            "size": live.Sum(F("size") + 1),
            "groups": live.Count(per="group"),
            "orders": live.Count(per="order"),
            "shouted": live.Activity("x", data={"size": "size"}, target="order"),
            "told": live.Count(events=None),
        },
        [
            lambda: Shout.objects.create(pk=1, size=4, loud=True, group="a"),
            lambda: Shout.objects.create(pk=2, size=5, group="b", order_id=1),
            lambda: Shout.objects.update(loud=True, size=F("size") - 3),
            lambda: Shout.objects.filter(pk=1).delete(),
        ],
    ),
    "a parent": (
        Place,
        {"n": live.Count(), "rank": live.Sum("rank")},
        [
            lambda: Place.objects.create(name="a", rank=2),
            lambda: Cafe.objects.create(name="b", rank=3, seats=7),
            lambda: Cafe.objects.update(rank=5, seats=8),
            lambda: Cafe.objects.all().delete(),
        ],
    ),
    "a child": (
        Cafe,
        {
            "n": live.Count(),
            "seats": live.Sum("seats", per="street"),
            "keys": live.Count(per="place_ptr"),
            "opened": live.Activity("x", target_label="name"),
        },
        [
            lambda: Cafe.objects.create(name="b", rank=3, seats=7),
            lambda: Cafe.objects.create(name="c", rank=3, seats=7, street="s"),
            lambda: Cafe.objects.update(rank=5, seats=F("seats") + 1),
            lambda: Place.objects.filter(name="b").delete(),
        ],
    ),
    "what a child has from its parent": (
        Cafe,
        {
            "names": live.Count(per="name", filter=Q(rank__gt=2)),
            "rank": live.Sum("rank"),
            "seats": live.Sum("seats", per="place_ptr__rank"),
            "both": live.Count(per=("street", "name")),
        },
        [
            lambda: Cafe.objects.create(name="b", rank=3, seats=7),
            lambda: Cafe.objects.create(name="c", rank=2, seats=5, street="s/~"),
            lambda: Place.objects.update(rank=F("rank") + 1),
            lambda: Cafe.objects.update(rank=5, seats=F("seats") + 1, name="d"),
            lambda: Place.objects.filter(rank=5).delete(),
        ],
    ),
    "a proxy of a child": (
        Busy,
        {"n": live.Count(filter=Q(seats__gt=3))},
        [
            lambda: Cafe.objects.create(name="b", seats=7),
            lambda: Busy.objects.update(seats=F("seats") - 4),
        ],
    ),
    "children of an abstract model": (
        Reply,
        {"at": "made", "n": live.Count(per="post"), "points": live.Sum("points")},
        [
            lambda: Reply.objects.create(post=Post.objects.create(), made=NOW, points=3),
            lambda: Post.objects.all().delete(),
        ],
    ),
    "a key of two columns": (
        Pair,
        {
            "n": live.Count(),
            "lefts": live.Count(per="left"),
            "rights": live.Count("right", distinct=True),
            "weight": live.Sum("weight"),
        },
        [
            lambda: Pair.objects.bulk_create(
                [Pair(left=n % 3, right=str(n % 4), weight=n) for n in range(12)]
            ),
            lambda: Pair.objects.filter(left=1).update(weight=F("weight") + 1),
            lambda: Pair.objects.filter(pk=(2, "2")).delete(),
        ],
    ),
    "columns that the database fills in": (
        Computed,
        {
            "at": "made",
            "n": live.Count(window=live.today),
            "total": live.Sum("total"),
            "most": live.Max("total", per="shout"),
            "quantity": live.Sum("quantity"),
            "names": live.Count("name", distinct=True),
            "shouts": live.Count(per="shout", filter=Q(total__gt=4)),
        },
        [
            lambda: Computed.objects.create(price="1.25"),
            lambda: Computed.objects.bulk_create(
                [Computed(price="2.10", name=name) for name in ("A", "b", "c")]
            ),
            lambda: Computed.objects.filter(name="b").update(price="9", name="C"),
            lambda: Computed.objects.filter(name="c").delete(),
        ],
    ),
    "deleted by a date": (
        Trashed,
        {
            "filter": Q(deleted_at__isnull=True),
            "n": live.Count(),
            "each": live.Count(per="owner"),
            "gone": live.Count(events=None),
        },
        [
            lambda: Trashed.objects.bulk_create([Trashed(owner=n % 2) for n in range(4)]),
            lambda: Trashed.objects.filter(owner=1).update(deleted_at=NOW),
            lambda: Trashed.objects.update(deleted_at=LONG_AGO),
            lambda: Trashed.objects.filter(owner=0).update(deleted_at=None),
            lambda: Trashed.objects.filter(owner=1).delete(),
        ],
    ),
}


@pytest.mark.parametrize("name", ANIMALS)
def test_counts_exactly(name: str, declare: Declare) -> None:
    model, given, writes = ANIMALS[name]
    declared = declare(model, **given)
    for write in writes:
        write()
        assert_declared_exact(declared)
    folding.fold("default")
    assert_declared_exact(declared)


@pytest.mark.parametrize("name", ANIMALS)
def test_counts_what_was_there_before(name: str, declare: Declare) -> None:
    model, given, writes = ANIMALS[name]
    for write in writes[:-1]:
        write()
    declared = declare(model, **given)
    assert_declared_exact(declared)
    writes[-1]()
    assert_declared_exact(declared)


# Numbers at the edge of what a column holds

NUMBERS: dict[str, dict[str, Any]] = {
    "big": {
        "total": live.Sum("big"),
        "low": live.Min("big"),
        "high": live.Max("big"),
        "mean": live.Avg("big"),
        "each": live.Count(per="big"),
    },
    "exact": {"total": live.Sum("exact"), "low": live.Min("exact"), "high": live.Max("exact")},
    "wide": {"total": live.Sum("wide")},
    "real": {
        "total": live.Sum("real"),
        "low": live.Min("real"),
        "n": live.Count(filter=Q(real__gt=1)),
    },
    "made": {"at": "made", "n": live.Count()},
}

VALUES: dict[str, list[Any]] = {
    "big": [2**63 - 1, 2**63 - 1, -(2**63), 2**53 + 1, 0, -1, None],
    "exact": [Decimal("12345678901234567890.0123456789"), Decimal("-0.0000000001"), None],
    "wide": [Decimal(10) ** 57, -(Decimal(10) ** 57), Decimal("0.01")],
    "real": [1.5, -1e11, 1e-6, None],
    "made": [
        NOW,
        LONG_AGO,
        dt.datetime(1850, 1, 3, tzinfo=dt.UTC),
        dt.datetime(2199, 1, 1, tzinfo=dt.UTC),
    ],
}


# SQLite has no numbers beyond 64 bits; numbers that reach 10^38 are left out everywhere.
KEPT = {"big", "exact", "real", "made"} - (
    {"big", "exact"} if connection.vendor == "sqlite" else set()
)


@pytest.mark.parametrize("column", VALUES)
def test_numbers_at_the_edge(column: str, declare: Declare) -> None:
    declared = declare(Large, **NUMBERS[column])
    Large.objects.bulk_create([Large(**{column: value}) for value in VALUES[column]])
    folding.fold("default")
    if column in KEPT:
        assert_declared_exact(declared)
    Large.objects.all().delete()
    folding.fold("default")
    if column in KEPT:
        assert_declared_exact(declared)
    assert not Large.objects.exists()


RAW = {
    "sqlite": [
        ("big", "'text'"),
        ("big", "x'00ff'"),
        ("big", "1e300"),
        ("big", "9e999"),
        ("small", "1.5"),
        ("exact", "''"),
        ("real", "9e999"),
        ("real", "-9e999"),
        ("real", "'nan'"),
        ("made", "'yesterday'"),
        ("made", "17"),
        ("made", "''"),
        ("made", "'0000-00-00 00:00:00'"),
        ("made", "'99999-01-01 00:00:00'"),
    ],
    "postgresql": [
        ("real", "'NaN'"),
        ("real", "'Infinity'"),
        ("real", "'-Infinity'"),
        ("exact", "'NaN'"),
        ("made", "'infinity'"),
        ("made", "'-infinity'"),
        ("made", "'4713-01-01 BC'"),
        ("made", "'200000-01-01'"),
    ],
    "mysql": [("real", "1e308"), ("made", "'9999-12-31 23:59:59'")],
}


@pytest.mark.parametrize(("column", "sql"), RAW[connection.vendor])
def test_what_only_raw_sql_can_write(column: str, sql: str, declare: Declare) -> None:
    """The write succeeds, and what cannot be added up is left out; all else is exact."""
    given = {
        "at": "made",
        "n": live.Count(),
        "big": live.Sum("big"),
        "product": live.Sum(F("big") * 2),
        "low": live.Min("big"),
        "high": live.Max("exact"),
        "exact": live.Sum("exact"),
        "real": live.Sum("real", per="small"),
        "least": live.Min("real"),
    }
    declared = declare(Large, **given)
    Large.objects.create(big=3, small=1, exact=2, real=0.5, made=NOW)
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(column)
        cursor.execute(f"INSERT INTO zoo_large ({name}) VALUES ({sql})")

    assert live.counters["n"].value() == 2
    Large.objects.filter(small=1).update(big=4)
    folding.fold("default")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE zoo_large SET {name} = NULL WHERE small IS NULL")
    assert_declared_exact(declared)
    folding.fold("default")
    assert_declared_exact(declared)


# Expressions that fail for some rows

FAILING: dict[str, tuple[Any, dict[str, Any]]] = {
    "too large a product": (live.Sum(F("small") * F("small")), {"small": 2**31 - 1}),
    "division by zero": (
        live.Count(filter=Q(big__gt=F("big") / F("small"))),
        {"small": 0, "big": 1},
    ),
    "no number": (
        live.Sum(Cast("text", models.IntegerField())),
        {"text": "many"},
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_an_expression_that_fails_does_not_fail_the_host(name: str, declare: Declare) -> None:
    counter, row = FAILING[name]
    declared = declare(
        Large, n=live.Count(), bad=counter, act=live.Activity("x", filter=counter.filter)
    )
    Large.objects.create(small=2, big=9, text="3")
    assert_declared_exact(declared)

    Large.objects.create(**row)
    Large.objects.filter(**row).update(real=4)
    assert live.counters["n"].value() == 2
    folding.fold("default")
    Large.objects.filter(**row).delete()
    installation.sync("default")
    assert_declared_exact(declared)


# Tables of other kinds


def made(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """Run statements now; what they make is dropped after the test, in transactions or not."""
    made_names: list[str] = []

    def make(name: str, *statements: str) -> None:
        made(*statements)
        made_names.append(name)

    yield make
    if not connection.features.can_rollback_ddl:
        for name in reversed(made_names):
            made(f"DROP {name}")


def test_an_unmanaged_table(table: Any, declare: Declare) -> None:
    long = "x" * 300
    table("TABLE zoo_old", "CREATE TABLE zoo_old (id bigint PRIMARY KEY, code text, number bigint)")
    declared = declare(Old, n=live.Count(per="number"), most=live.Max("number"))
    made(f"INSERT INTO zoo_old VALUES (1, '{long}', {2**40}), (2, 'b', NULL)")
    assert_declared_exact(declared)

    if connection.vendor == "mysql":
        return  # no index or key over a text of any length
    codes = declare(Old, codes=live.Count(per="code"))
    made(f"INSERT INTO zoo_old VALUES (3, '{long}', 5)", "DELETE FROM zoo_old WHERE id = 2")
    assert sum(live.counters["codes"].breakdown().values()) == 2
    assert codes


def test_a_table_that_is_not_as_the_model_says(table: Any, caplog: Any) -> None:
    """No trigger that would fail the host's writes, and the reason in the report."""
    table("TABLE zoo_old", "CREATE TABLE zoo_old (id bigint PRIMARY KEY, number bigint)")
    declared = live.register(Old)(
        type("Declared", (live.LiveModel,), {"n": live.Count(per="code")})
    )
    try:
        report = installation.sync("default")
        made("INSERT INTO zoo_old VALUES (1, 2)", "UPDATE zoo_old SET number = 3")
        (failure,) = report.failed
        assert failure.startswith("zoo_old: ")
        assert "code" in failure
    finally:
        registry.remove(declared)


def test_a_view(table: Any) -> None:
    declared = live.register(Seen)(type("Declared", (live.LiveModel,), {"n": live.Count()}))
    try:
        assert installation.sync("default").failed == [
            "zoo_seen: there is no such table, or it is a view"
        ]
        table(
            "VIEW zoo_seen", "CREATE VIEW zoo_seen AS SELECT id, owner AS number FROM zoo_trashed"
        )
        assert installation.sync("default").failed == [
            "zoo_seen: there is no such table, or it is a view"
        ]
        Trashed.objects.create()
        assert live.counters["n"].value() == 1
    finally:
        registry.remove(declared)


class Long(models.Model):
    number = models.IntegerField(null=True)

    class Meta:
        app_label = "zoo"
        managed = False
        db_table = "zoo_" + "ä" * 40


@pytest.mark.skipif(connection.vendor == "mysql", reason="allows 64 characters at the most")
def test_a_name_that_the_database_cuts(table: Any, declare: Declare) -> None:
    name = connection.ops.quote_name(Long._meta.db_table)
    table(f"TABLE {name}", f"CREATE TABLE {name} (id integer PRIMARY KEY, number integer)")
    declared = live.register(Long)(type("Declared", (live.LiveModel,), {"n": live.Sum("number")}))
    try:
        assert not installation.sync("default").failed
        made(f"INSERT INTO {name} VALUES (1, 5)")
        assert Delta.objects.filter(total=5).exists()
        assert_declared_exact(declared)
        assert set(dict(capture.states("default")).values()) == {"installed"}
    finally:
        registry.remove(declared)
    installation.sync("default")
    made(f"INSERT INTO {name} VALUES (2, 5)")


# Another database


@pytest.fixture
def elsewhere() -> Iterator[type[live.LiveModel]]:
    given = {"at": "made", "n": live.Count(), "sum": live.Sum("number", window=live.today)}
    made = live.register(Elsewhere)(type("Declared", (live.LiveModel,), given))
    yield made
    registry.remove(made)
    if not connection.features.can_rollback_ddl:
        installation.sync("other")


@pytest.mark.django_db(databases=["default", "other"])
def test_numbers_are_kept_beside_their_rows(elsewhere: Any) -> None:
    Elsewhere.objects.create(number=2)
    call_command("migrate", database="other", verbosity=0)
    call_command("migrate", database="default", verbosity=0)
    assert dict(capture.states("other")) == {"zoo_elsewhere": "installed"}
    assert "zoo_elsewhere" not in dict(capture.states("default"))

    Elsewhere.objects.bulk_create([Elsewhere(number=n) for n in range(5)])
    Elsewhere.objects.filter(number=4).delete()

    assert Delta.objects.using("other").exists()
    assert not Delta.objects.exists()
    for _ in range(2):
        assert live.counters["n"].value() == 5
        assert live.counters["sum"].value() == 8
        assert_declared_exact(elsewhere)
        folding.fold("other")
    assert not Delta.objects.using("other").exists()


# Cascades of the database


def test_a_row_may_be_the_target_of_what_it_tells(declare: Declare) -> None:
    opened = live.Activity("opened {target}", target="pk", target_label="name")
    declare(Place, opened=opened, openings=live.Count(events=opened, per="target"))
    declare(Cafe, seated=live.Activity("seated {target}", target="pk", target_label="name"))
    cafe = Cafe.objects.create(name="b")
    Place.objects.create(name="a")
    feed.number()

    rows = ActivityEvent.objects.order_by("seq")
    assert {row.target_model for row in rows} == {"zoo.place", "zoo.cafe"}
    assert set(targets.found(rows).values()) == {*Place.objects.all(), cafe}
    assert live.counters["openings"].value(of=cafe) == 1
    assert live.counters["openings"].breakdown() == {str(one.pk): 1 for one in Place.objects.all()}
    # The same row as what it is, and as its parent.
    for one, told in (
        (cafe, {"opened b", "seated b"}),
        (Busy.objects.get(), {"opened b", "seated b"}),
        (cafe.place_ptr, {"opened b"}),
    ):
        selection = feed_of(targets=[one]).selection
        assert {event.text for event in timeline.page(9, selection).events} == told


@pytest.mark.skipif(not hasattr(models, "DB_CASCADE"), reason="Django 6.1 brings it")
@pytest.mark.skipif(connection.vendor == "mysql", reason="runs no triggers then: E017")
def test_cascades_of_the_database(declare: Declare) -> None:
    from tests.zoo.models import Leaf

    declared = declare(
        Leaf,
        n=live.Count(per="post"),
        others=live.Count(per="other"),
        points=live.Sum("points"),
        joined=live.Count(filter=Q(post__points__gte=0)),
        of_others=live.Sum("points", per="other__points"),
        told=live.Activity("x", target="post", target_label="post__points"),
    )
    posts = [Post.objects.create() for _ in range(3)]
    Leaf.objects.bulk_create(
        [Leaf(post=post, other=other, points=3) for post in posts for other in posts]
    )
    assert_declared_exact(declared)
    posts[0].delete()
    assert Leaf.objects.count() == 6
    assert_declared_exact(declared)
    Post.objects.all().delete()
    assert_declared_exact(declared)
    assert live.counters["points"].value() == 0
