"""Any of a query's tables can be another relation."""

from __future__ import annotations

import pytest

import livecounters as live
from livecounters.dialects import Dialect
from tests.dialects.declared import measure


@pytest.mark.parametrize(
    ("table", "reads"),
    [
        ("host_attempt", 'FROM changed "host_attempt" INNER JOIN "host_quiz" ON'),
        ("host_quiz", 'FROM "host_attempt" INNER JOIN changed "host_quiz" ON'),
        ("host_quiz_tags", 'INNER JOIN changed "host_quiz_tags" ON'),
    ],
)
def test_one_table_is_another_relation(dialect: Dialect, table: str, reads: str) -> None:
    rows = measure(n=live.Count(per="quiz__tags")).rows
    before = dialect.rows(rows)
    found = dialect.rows(rows, {table: "changed"})

    assert reads in found
    assert found.replace(f'changed "{table}"', f'"{table}"') == before
    # The query itself is as it was.
    assert dialect.rows(rows) == before


def test_several_tables_are_other_relations(dialect: Dialect) -> None:
    rows = measure(n=live.Count(per="quiz__tags")).rows
    found = dialect.rows(rows, {"host_attempt": "a", "host_quiz_tags": "b"})

    assert 'FROM a "host_attempt"' in found
    assert 'JOIN b "host_quiz_tags"' in found
