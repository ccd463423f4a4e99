"""What the SELECTs say alike; as text, nothing is executed."""

from __future__ import annotations

import pytest
from django.db.models import Q

import livecounters as live
from livecounters.dialects import Dialect
from livecounters.exceptions import Unmeasurable
from tests.dialects.declared import measure, telling


def test_a_filter_that_matches_nothing(dialect: Dialect) -> None:
    nothing = measure(n=live.Count(filter=Q(pk__in=[])))

    with pytest.raises(Unmeasurable, match=r"^the filter matches no row at all\.$") as caught:
        dialect.rows(nothing.rows)
    assert caught.value.check_id == "E002"


def test_signs_and_conditions(dialect: Dialect) -> None:
    found = dialect.contribution(measure(n=live.Sum("score", per="user")), "changed", "-", "x <> y")

    assert ", -1 AS count, -" in found
    assert 'FROM changed "host_attempt"' in found
    assert " WHERE livecounters_scope IS NOT NULL AND livecounters_value IS NOT NULL" in found
    assert found.endswith(" AND (x <> y)")


@pytest.mark.parametrize(
    ("anonymous", "skips", "mutes"),
    [("skip", True, False), ("count", False, True), ("show", False, False)],
)
def test_somebody_anonymous(dialect: Dialect, anonymous: str, skips: bool, mutes: bool) -> None:
    found = dialect.happened(telling(anonymous=anonymous), "changed")

    assert ("WHERE r.livecounters_actor IS NOT NULL" in found) is skips
    assert ("OR r.livecounters_actor IS NULL) AS untold" in found) is mutes


def test_a_tombstone_is_claimed_once(dialect: Dialect) -> None:
    sql = dialect.claim_sql()

    assert sql.count("%s") == 2
    assert "livecounters_eventsource" in sql
    # Who comes second waits, on MariaDB for a lock that it does not share.
    assert ("ON CONFLICT DO NOTHING" in sql) is ("ON DUPLICATE KEY UPDATE" not in sql)
