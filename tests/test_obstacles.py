"""Obstacles: what would keep triggers from being installed, or host's writes from succeeding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

import livecounters as live
from livecounters import capture, installation
from livecounters.models import Mark
from livecounters.obstacles import Obstacle, cascades, obstacles
from livecounters.registry import registry
from livecounters.settling import Waiting, settle, waiting
from livecounters.status import status_of
from tests.host.models import Attempt, Quiz, Sale, Tag
from tests.zoo.models import Old, Seen, Trashed

pytestmark = pytest.mark.django_db

Declare = Callable[..., type[live.LiveModel]]

postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="is of PostgreSQL")
mysql = pytest.mark.skipif(connection.vendor != "mysql", reason="is of MariaDB and MySQL")


@pytest.fixture
def declare() -> Iterator[Declare]:
    made = []

    def add(model: Any, **given: Any) -> type[live.LiveModel]:
        made.append(live.register(model)(type("Declared", (live.LiveModel,), given)))
        return made[-1]

    yield add
    for one in made:
        registry.remove(one)
    if made and not connection.features.can_rollback_ddl:
        installation.sync("default")


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def found() -> dict[str, Obstacle]:
    return {obstacle.check_id: obstacle for obstacle in obstacles("default")}


def test_nothing_in_the_way() -> None:
    assert found() == {}


def test_a_view(declare: Declare) -> None:
    declare(Seen, n=live.Count())
    run("CREATE VIEW zoo_seen AS SELECT id, owner AS number FROM zoo_trashed")
    try:
        assert found()["E014"].reason == "'zoo_seen' is a view, on which there can be no triggers."
    finally:
        run("DROP VIEW zoo_seen")


def test_a_table_that_is_not_as_the_model_says(declare: Declare) -> None:
    declare(Old, n=live.Count(per="code"))
    assert not found()
    run("CREATE TABLE zoo_old (id bigint PRIMARY KEY, number bigint)")
    try:
        assert "'zoo_old': " in found()["W007"].reason
        assert "code" in found()["W007"].reason
    finally:
        run("DROP TABLE zoo_old")


@postgresql
def test_what_the_database_cannot_compare(declare: Declare) -> None:
    """A trigger is not looked at before a host's write runs it: this would fail them all."""
    declare(Trashed, n=live.Count(filter=models.Q(owner__lt=models.F("deleted_at"))))

    assert "operator does not exist" in found()["W007"].reason
    (failure,) = installation.sync("default").failed
    assert "operator does not exist" in failure
    Trashed.objects.create()


@postgresql
def test_partitions(declare: Declare) -> None:
    run(
        "CREATE TABLE zoo_old (id bigint, code text, number bigint) PARTITION BY RANGE (number)",
        "CREATE TABLE zoo_old_low PARTITION OF zoo_old FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE zoo_old_high PARTITION OF zoo_old FOR VALUES FROM (10) TO (20)",
    )
    declare(Old, n=live.Count(per="number"), sum=live.Sum("number"))
    assert "'zoo_old' is partitioned." in found()["W006"].reason
    assert not installation.sync("default").failed

    def kept() -> Any:
        return live.counters["sum"].value(), live.counters["n"].breakdown()

    run("INSERT INTO zoo_old VALUES (1, 'a', 1), (2, 'a', 11)")
    assert kept() == (12, {"1": 1, "11": 1})
    # From one partition to the other.
    run("UPDATE zoo_old SET number = 15 WHERE number = 1")
    assert kept() == (26, {"11": 1, "15": 1})
    run("DELETE FROM zoo_old WHERE number = 11")
    assert kept() == (15, {"15": 1})

    # What is not seen is found.
    run(
        "INSERT INTO zoo_old_low VALUES (3, 'a', 3)",
        "ALTER TABLE zoo_old DETACH PARTITION zoo_old_high",
    )
    assert kept() == (15, {"15": 1})
    from livecounters import audit
    from livecounters.measures import measure_of

    for name in ("n", "sum"):
        measure = measure_of(registry.counters.get(f"zoo.{name}"))
        assert audit.verify(measure).wrong
        audit.repair(measure)
        assert not audit.verify(measure).wrong
    assert kept() == (3, {"3": 1})


# Rights


@postgresql
def test_a_role_that_may_not_install() -> None:
    capture.detach("default", ["host_sale"])
    run("CREATE ROLE lc_poor", "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO lc_poor")
    run("REVOKE CREATE ON SCHEMA public FROM PUBLIC", "SET ROLE lc_poor")
    try:
        reasons = [one.reason for one in obstacles("default") if one.check_id == "E016"]
    finally:
        run("RESET ROLE")
    assert reasons == [
        "No triggers can be installed: the role 'lc_poor' may not create triggers on 'host_sale'.",
        "No triggers can be installed: the role 'lc_poor' may not create functions in the schema "
        "'public'.",
    ]


@postgresql
def test_a_role_with_rights_to_read_and_write_only_needs_no_more() -> None:
    run("CREATE ROLE lc_poor", "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO lc_poor")
    run("GRANT pg_read_all_stats TO lc_poor", "SET ROLE lc_poor")
    try:
        assert found() == {}
    finally:
        run("RESET ROLE")


@postgresql
@pytest.mark.parametrize(
    ("statements", "fails"),
    [
        (["ALTER TABLE livecounters_delta OWNER TO lc_owner"], False),
        (["REVOKE INSERT ON livecounters_delta FROM lc_owner"], True),
        (["ALTER TABLE livecounters_delta ENABLE ROW LEVEL SECURITY"], True),
        (
            [
                "ALTER TABLE livecounters_delta OWNER TO lc_owner",
                "ALTER TABLE livecounters_delta ENABLE ROW LEVEL SECURITY",
            ],
            False,
        ),
        (
            [
                "ALTER TABLE livecounters_delta OWNER TO lc_owner",
                "ALTER TABLE livecounters_delta ENABLE ROW LEVEL SECURITY",
                "ALTER TABLE livecounters_delta FORCE ROW LEVEL SECURITY",
            ],
            True,
        ),
    ],
)
def test_triggers_whose_owner_may_not_write(statements: list[str], fails: bool) -> None:
    """The check says it exactly when a host's write fails."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'livecounters%'")
        functions = [row[0] for row in cursor.fetchall()]
    run("CREATE ROLE lc_owner", "GRANT ALL ON ALL TABLES IN SCHEMA public TO lc_owner")
    run(
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO lc_owner",
        "GRANT CREATE ON SCHEMA public TO lc_owner",
    )
    run(*(f"ALTER FUNCTION {name}() OWNER TO lc_owner" for name in functions), *statements)

    try:
        with transaction.atomic():
            Sale.objects.create(price=1)
        failed = False
    except DatabaseError:
        failed = True

    assert (failed, "E018" in found()) == (fails, fails)
    if fails:
        assert "'lc_owner', which may not write to 'livecounters_delta'" in found()["E018"].reason


@mysql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("more", ["SELECT", "TRIGGER"])
def test_an_account_that_may_not_install(more: str) -> None:
    name = connection.settings_dict["NAME"]
    account = "lc_poor@localhost"
    capture.detach("default", ["host_sale"])
    run(f"CREATE USER {account}", f"GRANT SELECT, INSERT, {more} ON {name}.* TO {account}")
    user = connection.settings_dict["USER"]
    connection.close()
    connection.settings_dict["USER"] = "lc_poor"
    try:
        reasons = [one.reason for one in obstacles("default") if one.check_id == "E016"]
    finally:
        connection.close()
        connection.settings_dict["USER"] = user
        run(f"DROP USER {account}")
        installation.sync("default")
    assert reasons == [
        f"No triggers can be installed: {account} may not create triggers on 'host_sale'."
    ] * (more == "SELECT")


@mysql
@pytest.mark.django_db(transaction=True)
def test_an_account_that_cannot_see_who_is_at_work() -> None:
    """Nothing is settled then, and that is said; no number is taken for settled."""
    name, account = connection.settings_dict["NAME"], "lc_blind@localhost"
    quiz = Quiz.objects.create(title="q")
    quiz.tags.add(Tag.objects.create(slug="a"))
    marks = Mark.objects.count()
    assert marks
    run(f"CREATE USER {account}", f"GRANT ALL ON {name}.* TO {account}")
    user = connection.settings_dict["USER"]
    connection.close()
    connection.settings_dict["USER"] = "lc_blind"
    try:
        assert "may not see which transactions are at work" in found()["E019"].reason
        for _ in range(3):
            assert settle("default") == {}
        assert waiting("default") == Waiting(marks, (), blind=True)
        assert f"{marks} changes are never settled: see the check livecounters.E019" in (
            status_of("default", timezone.now()).problems
        )
    finally:
        connection.close()
        connection.settings_dict["USER"] = user
        run(f"DROP USER {account}")
    assert "E019" not in found()


@postgresql
def test_a_role_that_cannot_see_the_sessions_of_others() -> None:
    assert "W008" not in found()
    run("CREATE ROLE lc_small", "GRANT ALL ON ALL TABLES IN SCHEMA public TO lc_small")
    run("SET LOCAL ROLE lc_small")
    assert "their snapshots cannot be seen" in found()["W008"].reason
    run("RESET ROLE", "GRANT pg_read_all_stats TO lc_small", "SET LOCAL ROLE lc_small")
    assert "W008" not in found()
    run("RESET ROLE")


@mysql
@pytest.mark.django_db(transaction=True)
def test_an_account_that_is_gone() -> None:
    run("CREATE USER lc_gone@localhost")
    try:
        run(
            "CREATE DEFINER = lc_gone@localhost TRIGGER livecounters_x BEFORE INSERT ON zoo_trashed FOR EACH ROW BEGIN END"
        )
        assert "E018" not in found()
        run("DROP USER lc_gone@localhost")
        with pytest.raises(DatabaseError, match="1449"):
            Trashed.objects.create()
        assert "lc_gone@localhost, an account that is gone" in found()["E018"].reason
    finally:
        run("DROP TRIGGER livecounters_x", "DROP USER IF EXISTS lc_gone@localhost")


# Cascades of the database


@pytest.mark.skipif(not hasattr(models, "DB_CASCADE"), reason="Django 6.1 brings it")
def test_cascades_that_run_no_triggers() -> None:
    class Child(models.Model):
        sale = models.ForeignKey(Sale, models.DB_CASCADE)
        attempt = models.ForeignKey(Attempt, models.CASCADE)

        class Meta:
            app_label = "obstacles"

    reasons = [one.reason for one in cascades(Child, "default")]
    assert len(reasons) == (connection.vendor == "mysql")
    assert not reasons or "'sale'" in reasons[0]
    assert not list(cascades(Sale, "default"))


@mysql
@pytest.mark.django_db(transaction=True)
def test_cascades_made_by_hand(declare: Declare) -> None:
    run(
        "CREATE TABLE zoo_old (id bigint PRIMARY KEY, number bigint, "
        "FOREIGN KEY (number) REFERENCES host_sale (id) ON DELETE CASCADE)"
    )
    try:
        declare(Old, n=live.Count())
        assert "over 'number'" in found()["E017"].reason
    finally:
        run("DROP TABLE zoo_old")
