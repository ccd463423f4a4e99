"""The audit: what is kept against what there is, and the repair of the difference.

The difference (see ``difference``) may be added to the buckets at any time after it was taken,
in any portions, since nobody's write and nobody's fold changes it: that is repair, backfill and
rebuild in one, without a lock that a writer would notice. Only two repairs of one measure at a
time would both add it: hence the lease, taken before the snapshot, and the fence, asked in the
transaction of each portion.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone

from livecounters import ladders, leases, scores
from livecounters.dialects import Dialect, dialect_of
from livecounters.difference import Difference, differences
from livecounters.exceptions import Busy
from livecounters.folding import alone
from livecounters.marks import concerned
from livecounters.measures import Measure
from livecounters.models import Bucket, Lease, Measured
from livecounters.telemetry import tally
from livecounters.windows import Clock, Grain

__all__ = ["Audit", "Drift", "Turn", "repair", "sample", "verify"]

logger = logging.getLogger("livecounters")

# Rows that one transaction adds.
PORTION = 5_000
# Seconds after which a repair that does not go on may be taken over.
LEASE = 120.0

TEMPORARY = "livecounters_difference"

# Times that a difference of a joined measure is looked at again.
LOOKS = 3

Progress = Callable[[int, int], None]
"""Called with (portions' rows done, rows in all)."""


@dataclass(frozen=True)
class Drift:
    """One bucket that is not what it should be; the numbers are (kept, right)."""

    scope: str
    member: str
    grain: Grain
    start: int
    count: tuple[int, int]
    total: tuple[int, int]
    members: tuple[int, int]

    def told(self, clock: Clock) -> str:
        """In words, its time on the measure's clock."""
        words = [self.grain.name.lower()]
        if self.grain is not Grain.EVER:
            words[0] += f" of {clock.moment(self.start):%Y-%m-%d %H:%M}"
        words += [
            f"{name} {value}" for name in ("scope", "member") if (value := getattr(self, name))
        ]
        for name in ("count", "total", "members"):
            kept, right = getattr(self, name)
            if kept != right:
                words.append(f"{name} is {kept}, right is {right}")
        return ", ".join(words)

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "scope": self.scope,
            "grain": self.grain.name.lower(),
            "start": self.start,
        }
        if self.member:
            found["member"] = self.member
        for name in ("count", "total", "members"):
            kept, right = getattr(self, name)
            if kept != right:
                found[name] = {"kept": kept, "right": right}
        return found


@dataclass(frozen=True)
class Audit:
    """What an audit of one measure found: how many buckets are wrong, and some of them.

    ``unsettled`` are those that differ because transactions changed joined tables at once, and
    that are about to be settled.
    """

    wrong: int
    some: list[Drift]
    unsettled: int = 0
    scores: int = 0
    """How many scores and rungs of its ladder are not what the buckets say."""


def verify(
    measure: Measure,
    scopes: Sequence[str] | None = None,
    now: dt.datetime | None = None,
    limit: int = 100,
) -> Audit:
    """Compare what is kept with what there is, in one snapshot for each table.

    Never a false alarm, beside writers and folders alike.
    """
    now = now or timezone.now()
    found, unsettled = _compare(measure, scopes, now, limit), 0
    for _ in range(LOOKS if measure.joined else 0):
        if not found.wrong:
            break
        # Whoever sees what two transactions did at once sees their marks, too, unless they were
        # settled meanwhile.
        rest = _compare(measure, scopes, now, limit, concerned(measure))
        found, unsettled = rest, unsettled + max(0, found.wrong - rest.wrong)
    order = 0
    if scopes is None:
        _audited(measure, now, found.wrong)
        order = scores.wrong(measure)
    return replace(found, unsettled=unsettled, scores=order)


def _compare(
    measure: Measure,
    scopes: Sequence[str] | None,
    now: dt.datetime,
    limit: int,
    but: Iterable[str] = (),
) -> Audit:
    dialect = dialect_of(measure.using)
    wrong, some = 0, []
    others = ", ".join(map(dialect.literal, sorted(but)))
    where = f"WHERE scope NOT IN ({others}) " if others else ""
    for difference in differences(dialect, measure, scopes, _aware(now)):
        if wrong and difference.foreseen is not None:
            difference = difference.foreseen
        with dialect.connection.cursor() as cursor:
            cursor.execute(
                f"SELECT d.*, COUNT(*) OVER () FROM ({difference.sql}) d {where}"
                f"ORDER BY {', '.join(difference.keys)} LIMIT {limit}"
            )
            rows = cursor.fetchall()
        wrong += rows[0][-1] if rows else 0
        some += [_drift(difference, row[:-1]) for row in rows]
    return Audit(wrong, some[:limit])


def repair(
    measure: Measure,
    scopes: Sequence[str] | None = None,
    now: dt.datetime | None = None,
    progress: Progress | None = None,
    told: bool = True,
) -> int:
    """Make what is kept equal to what there is; answers how many buckets were corrected.

    Safe beside writers, readers and folders; killed at any point it can be begun again and goes
    on. Every correction is logged if ``told``. Raises ``Busy`` while another repairs the measure.
    """
    now = now or timezone.now()
    dialect, turn = dialect_of(measure.using), Turn(measure, secrets.token_hex(8))
    turn.take()
    try:
        corrected = 0
        for difference in differences(dialect, measure, scopes, _aware(now)):
            adding = _Adding(dialect, difference, turn)
            corrected += adding.run(progress, told)
        if told:
            tally.add("corrected", corrected)
    finally:
        turn.end()
    if scopes is None:
        _audited(measure, now, 0)
    return corrected


def _aware(now: dt.datetime) -> dt.datetime:
    return timezone.make_aware(now) if timezone.is_naive(now) else now


def _audited(measure: Measure, now: dt.datetime, wrong: int) -> None:
    measured = Measured.objects.using(measure.using).filter(measure=measure.key)
    measured.update(audited_at=now, drift=wrong)


def _drift(difference: Difference, row: Sequence[Any]) -> Drift:
    columns = [*difference.columns, *(f"kept_{name}" for name in difference.sums)]
    found = dict(zip(columns, row, strict=True))
    pairs = {}
    for name in ("count", "total", "members"):
        kept = int(found.get(f"kept_{name}", 0))
        pairs[name] = (kept, kept + int(found.get(name, 0)))
    return Drift(
        found["scope"], found.get("member", ""), Grain(found["grain"]), found["start"], **pairs
    )


def sample(measure: Measure, number: int, seed: object = None) -> list[str]:
    """Some scopes at random, of those that there are and those that are kept; the same for the
    same seed. For an audit that is to be cheap: it finds what is wrong with them, and no more."""
    if measure.scope is None:
        return [""]
    dialect, key = dialect_of(measure.using), [measure.key]
    there = dialect.contribution(measure, None).replace("%", "%%")
    sql = (
        f"SELECT scope FROM ({there}) r UNION "
        f"SELECT scope FROM {dialect.table(Bucket)} WHERE measure = %s ORDER BY scope"
    )
    chance, chosen = random.Random(repr(seed) if seed is not None else None), []
    with dialect.connection.chunked_cursor() as cursor:
        cursor.execute(sql, key)
        # Each of the n seen so far is among the chosen with the same chance.
        for n, (scope,) in enumerate(cursor):
            if n < number:
                chosen.append(scope)
            elif (place := chance.randrange(n + 1)) < number:
                chosen[place] = scope
    return sorted(chosen)


# One repair at a time


@dataclass(frozen=True)
class Turn:
    """This process's turn to change what is kept of a measure; nobody else has one meanwhile."""

    measure: Measure
    holder: str

    @property
    def name(self) -> str:
        return f"repair:{self.measure.key}"

    def take(self) -> None:
        using = self.measure.using
        if leases.hold(self.name, self.holder, timezone.now(), LEASE, using):
            return
        until = Lease.objects.using(using).filter(name=self.name).values_list("expires_at").first()
        expiry = (
            f"; if it was killed, from {timezone.localtime(_aware(until[0])):%H:%M:%S} on"
            if until
            else ""
        )
        raise Busy(f"another process is repairing {self.names}. Try again when it is done{expiry}.")

    def go_on(self) -> None:
        """In a transaction: nobody else has a turn until it ends."""
        # First the fence, then the renewal: a turn that another has had meanwhile and has ended
        # is over, although nobody holds it.
        using = self.measure.using
        if not leases.keep(self.name, self.holder, using):
            raise Busy(f"another process has taken over the repair of {self.names}.")
        leases.hold(self.name, self.holder, timezone.now(), LEASE, using)

    def end(self) -> None:
        leases.release(self.name, self.holder, self.measure.using)

    @property
    def names(self) -> str:
        """The counters that read the measure."""
        measured = Measured.objects.using(self.measure.using).filter(measure=self.measure.key)
        return measured.values_list("names", flat=True).first() or self.measure.key


# Adding the difference


@dataclass(frozen=True)
class _Adding:
    """A difference, put aside in a temporary table and added portion by portion."""

    dialect: Dialect
    difference: Difference
    turn: Turn

    def run(self, progress: Progress | None, told: bool) -> int:
        number, names = self._prepare(), self.turn.names
        for done in range(0, number, PORTION):
            portion = f"n > {done} AND n <= {done + PORTION}"
            rows = self._rows(portion) if told else []
            self._add(portion)
            for drift in rows:
                _tell(self.turn.measure, names, drift)
            if progress is not None:
                progress(min(done + PORTION, number), number)
        with self.dialect.connection.cursor() as cursor:
            cursor.execute(self.dialect.drop_temporary_sql(TEMPORARY))
        return number

    def _prepare(self) -> int:
        """Take the difference; answers its rows."""
        order = ", ".join(self.difference.keys)
        numbered = (
            f"SELECT ROW_NUMBER() OVER (ORDER BY {order}) AS n, d.* FROM ({self.difference.sql}) d"
        )
        with self.dialect.connection.cursor() as cursor:
            # One that was left behind by a repair that failed.
            cursor.execute(self.dialect.drop_temporary_sql(TEMPORARY))
            for statement in self.dialect.temporary_sql(TEMPORARY, numbered):
                cursor.execute(statement)
            cursor.execute(f"SELECT COUNT(*) FROM {TEMPORARY}")
            return int(cursor.fetchone()[0])

    def _rows(self, portion: str) -> list[Drift]:
        with self.dialect.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {TEMPORARY} WHERE {portion} ORDER BY n")
            return [_drift(self.difference, row[1:]) for row in cursor.fetchall()]

    def _add(self, portion: str) -> None:
        columns = ", ".join(self.difference.columns)
        select = f"SELECT {columns} FROM {TEMPORARY} WHERE {portion}"
        with alone(self.dialect), self.dialect.connection.cursor() as cursor:
            self.turn.go_on()
            cursor.execute(self.dialect.add_from_sql(self.difference.model, select))
            self._renew(portion)

    def _renew(self, portion: str) -> None:
        """Scores follow from the buckets."""
        measure = self.turn.measure
        for ladder in ladders.ladders(self.dialect.using, [measure]).values():
            with self.dialect.connection.cursor() as cursor:
                cursor.execute(f"SELECT DISTINCT scope FROM {TEMPORARY} WHERE {portion}")
                scopes = [row[0] for row in cursor.fetchall()]
            ladders.renew(self.dialect, measure, ladder, scopes)


def _tell(measure: Measure, names: str, drift: Drift) -> None:
    found = drift.as_json()
    logger.warning(
        "livecounters: corrected %s: %s",
        names,
        found,
        extra={"measure": measure.key, "counters": names, "drift": found},
    )
