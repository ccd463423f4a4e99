"""What a table's triggers are made from."""

from __future__ import annotations

from livecounters import capture
from livecounters.models import ActivityEvent


def watch(table: str):
    return next(found for found in capture.watches("default") if found.table == table)


def test_columns_that_any_query_names() -> None:
    assert watch("host_attempt").columns == [
        "id",
        "quiz_id",
        "user_id",
        "completed",
        "completed_at",
        "score",
    ]


def test_tables_that_triggers_mention() -> None:
    # The label of what was done is read where it stands.
    assert watch("host_attempt").tables == {"host_attempt", "host_quiz", "host_quiz_tags"}
    assert watch("host_sale").tables == {"host_sale"}


def test_what_happened_stays() -> None:
    assert watch(ActivityEvent._meta.db_table).operations == ("insert",)
    assert watch("host_sale").operations == ("insert", "update", "delete")


def test_a_proxy_is_watched_with_its_table() -> None:
    tables = [found.table for found in capture.watches("default")]

    assert tables.count("host_sale") == 1


def test_names_are_short_and_differ() -> None:
    names = {found.name for found in capture.watches("default")}

    assert len(names) == 5
    assert all(len(name) < 40 for name in names)
