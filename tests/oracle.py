"""What the host itself says: plain queries over its tables, against which the counters are held."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from decimal import Decimal
from typing import Any

from django.db import connection, router
from django.db.models import Avg, CharField, Count, DecimalField, F, Max, Min, Sum
from django.db.models.functions import Cast, Collate
from django.utils import timezone

import livecounters as live
from livecounters import audit
from livecounters.keys import target_of
from livecounters.measures import declared_measures, measure_of
from livecounters.models import Measured
from livecounters.registry import CounterEntry, registry
from tests.host.models import Attempt, GiftSale, Sale


def truth(now: dt.datetime | None = None) -> dict[str, Any]:
    now = now or timezone.now()
    done = Attempt.objects.filter(completed=True)
    today = timezone.localdate(now)
    total = F("price") * F("quantity")
    paid = Sale.objects.filter(gift=False)
    month = done.filter(completed_at__gte=_ago(now, days=30), completed_at__lt=_step(now, 15))
    hour = done.filter(completed_at__gte=_ago(now, hours=1), completed_at__lt=_step(now, 1))
    return {
        "attempts": done.count(),
        "attempts_today": done.filter(completed_at__date=today).count(),
        "scored": done.filter(score__isnull=False).count(),
        "good": done.filter(score__gte=50).count(),
        "score_sum": done.aggregate(n=Sum("score"))["n"] or 0,
        "score_avg": _float(done.aggregate(n=_mean("score"))["n"]),
        "per_quiz": _grouped(done, "quiz", n=Count("*")),
        "per_user": _grouped(done, "user", n=Count("*")),
        "score_avg_per_quiz": _grouped(done.filter(score__isnull=False), "quiz", n=_mean("score")),
        "learners": _distinct(month),
        "learners_ever": _distinct(done),
        "learners_today": _distinct(done.filter(completed_at__date=today)),
        "learners_hour": _distinct(hour),
        "learners_per_quiz": _grouped(
            done.filter(user__isnull=False), "quiz", n=Count("user", distinct=True)
        ),
        "learners_per_quiz_month": _grouped(
            month.filter(user__isnull=False), "quiz", n=Count("user", distinct=True)
        ),
        "learners_estimate": _estimated(month.values_list("user"), 2).get("", 0),
        "score_min": done.aggregate(n=Min("score"))["n"],
        "score_max": done.aggregate(n=Max("score"))["n"],
        "score_max_per_quiz": _grouped(done.filter(score__isnull=False), "quiz", n=Max("score")),
        "score_max_month": month.aggregate(n=Max("score"))["n"],
        "price_min": Sale.objects.aggregate(n=Min("price"))["n"],
        "price_max_per_currency": _grouped(Sale.objects, "currency", n=Max("price")),
        "per_tag": _grouped(done, "quiz__tags", n=Count("*")),
        "per_tag_and_user": _paired(done, "quiz__tags", "user"),
        "score_sum_per_tag": _grouped(
            done.filter(quiz__published=True, score__isnull=False), "quiz__tags", n=Sum("score")
        ),
        "learners_per_course": _grouped(
            done.filter(user__isnull=False), "quiz__course", n=Count("user", distinct=True)
        ),
        "learners_estimate_per_course": _estimated(
            done.filter(quiz__course__isnull=False).values_list("quiz__course", "user"), 2
        ),
        "published": done.filter(quiz__published=True).count(),
        "sales": Sale.objects.count(),
        "sales_today": Sale.objects.filter(day=today).count(),
        "sales_per_course": _grouped(Sale.objects, "course", n=Count("*")),
        "sales_per_tag": _grouped(Sale.objects, "tag", n=Count("*")),
        "sales_per_currency": _grouped(Sale.objects, "currency", n=Count("*")),
        "sales_per_gift": _grouped(Sale.objects, "gift", n=Count("*")),
        "revenue": sum((sale.price * sale.quantity for sale in paid), start=0),
        "revenue_per_currency": _grouped(Sale.objects, "currency", n=Sum(total)),
        "price_avg": _float(Sale.objects.aggregate(n=_mean("price"))["n"]),
        "gifts": GiftSale.objects.filter(gift=True).count(),
    }


def kept(now: dt.datetime | None = None) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for name in truth(now):
        counter = live.counters[name]
        if counter.entry.declared.per is not None:
            answers[name] = counter.breakdown(at=now)
        elif name in ("score_avg", "price_avg"):
            answers[name] = _float(counter.value(at=now))
        else:
            answers[name] = counter.value(at=now)
    return answers


def assert_exact(now: dt.datetime | None = None) -> None:
    """Every counter says what the host's own COUNT and SUM say."""
    expected, found = _rounded(truth(now)), _rounded(kept(now))
    wrong = {name: (found[name], expected[name]) for name in found if found[name] != expected[name]}
    assert not wrong, f"(kept, counted): {wrong}"


def assert_audited(now: dt.datetime | None = None) -> None:
    """That, and the audit finds no bucket wrong of any measure that is read from its buckets;
    which takes longer than most tests."""
    assert_exact(now)
    ready = set(Measured.objects.filter(ready=True).values_list("measure", flat=True))
    for measure in declared_measures():
        if measure.key in ready:
            found = audit.verify(measure, now=now)
            assert not found.wrong, (measure.model, measure.scope, measure.member, found.some[:3])


def _ago(now: dt.datetime, **before: int) -> dt.datetime:
    """The beginning of a rolling window: the step that the moment lies in is in it."""
    moment = now - dt.timedelta(**before)
    return _step(moment, 1 if "hours" in before else 15) - dt.timedelta(
        minutes=1 if "hours" in before else 15
    )


def _step(moment: dt.datetime, minutes: int) -> dt.datetime:
    """The end of the step of so many minutes that a moment lies in."""
    seconds = int(moment.timestamp()) // (60 * minutes) * 60 * minutes + 60 * minutes
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _distinct(rows: Any) -> int:
    found: int = rows.aggregate(n=Count("user", distinct=True))["n"]
    return found


def _grouped(rows: Any, field: str, **annotation: Any) -> dict[str, Any]:
    found = rows.filter(**{f"{field}__isnull": False})
    scope: Any = F(field)
    if connection.vendor == "mysql" and isinstance(_stored(rows.model, field), CharField):
        # Groups are told apart exactly, also where the column takes "a" and "A" for the same.
        scope = Collate(F(field), "utf8mb4_nopad_bin")
    found = found.values_list(scope).annotate(**annotation)
    return {_text(scope): number for scope, number in found}


def _stored(model: Any, path: str) -> Any:
    for name in path.split("__"):
        field = model._meta.get_field(name)
        model = field.related_model
    return target_of(field)


def _paired(rows: Any, *fields: str) -> dict[str, int]:
    """How many rows there are of each pair of keys, told apart exactly by Python."""
    found = rows.filter(**{f"{field}__isnull": False for field in fields}).values_list(*fields)
    texts = ([_text(key).replace("~", "~0").replace("/", "~1") for key in pair] for pair in found)
    return dict(Counter(map("/".join, texts)))


def _text(scope: Any) -> str:
    if isinstance(scope, bool):
        return str(int(scope))
    return getattr(scope, "hex", None) or str(scope)


def _mean(field: str) -> Avg:
    # MariaDB's mean of integers has four decimal places.
    return Avg(Cast(field, DecimalField(max_digits=30, decimal_places=12)))


def _float(number: Any) -> float | None:
    return None if number is None else float(number)


def _rounded(numbers: dict[str, Any]) -> dict[str, Any]:
    def plain(number: Any) -> Any:
        return number if number is None or isinstance(number, int) else round(float(number), 6)

    return {
        name: {k: plain(v) for k, v in n.items()} if isinstance(n, dict) else plain(n)
        for name, n in numbers.items()
    }


# Samples

PRIME = 2**31 - 1


def in_sample(text: str, sample: int) -> bool:
    """Whether a text is among the one in ``sample`` that are kept. Of a CharField on MariaDB and
    MySQL it is not the text itself that is chosen by."""
    if connection.vendor == "sqlite":
        number = sum(ord(sign) * pow(48271, n, PRIME) for n, sign in enumerate(text, 1))
        return pow(number, 5, PRIME) < PRIME // sample
    drawn = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    return drawn < 2**32 // sample


def _estimated(rows: Any, sample: int) -> dict[str, int]:
    """What a sample says of the different last values of each key before it."""
    found = {(*map(_text, keys), _text(value)) for *keys, value in rows if value is not None}
    chosen = Counter("/".join(keys) for *keys, value in found if in_sample(value, sample))
    return {scope: sample * number for scope, number in chosen.items()}


# Any other declaration


def assert_declared_exact(declared: type[live.LiveModel], now: dt.datetime | None = None) -> None:
    """Every counter of a class says what the ORM says, of all times; the audit agrees."""
    wrong = {}
    entries = [entry for entry in registry.counters if entry.live is declared]
    assert entries
    for entry in entries:
        counter = live.counters[entry.full_name]
        kept = counter.value() if entry.declared.per is None else counter.breakdown()
        counted = _counted(entry)
        if _plain(kept) != _plain(counted):
            wrong[entry.name] = (kept, counted)
        measure = measure_of(entry)
        if Measured.objects.using(measure.using).filter(measure=measure.key, ready=True).exists():
            found = audit.verify(measure, now=now)
            assert not found.wrong, (entry.name, found.some[:3])
    assert not wrong, f"(kept, counted): {wrong}"


def _counted(entry: CounterEntry) -> Any:
    counter, using = entry.declared, router.db_for_write(entry.model)
    rows = entry.model._default_manager.using(using).filter(entry.where)
    of: Any = counter.expression if counter.expression is not None else "pk"
    distinct = {"distinct": True} if getattr(counter, "distinct", False) else {}
    if isinstance(counter, live.Count) and counter.expression is None:
        of = "*"
    function: Any = {
        live.Count: Count,
        live.Sum: Sum,
        live.Avg: Avg,
        live.Min: Min,
        live.Max: Max,
    }[type(counter)]
    sample = getattr(counter, "sample", 1)
    if sample > 1:
        paths = [] if counter.per is None else [counter.per]
        rows = rows.filter(**{f"{path}__isnull": False for path in paths})
        estimated = _estimated(rows.values_list(*paths, counter.expression), sample)
        return estimated if paths else estimated.get("", 0)
    number = function(of, **distinct)
    if counter.per is not None:
        if counter.expression is not None:
            rows = rows.annotate(lc_of=F(of) if isinstance(of, str) else of)
            rows = rows.filter(lc_of__isnull=False)
        if isinstance(counter.per, tuple):
            return _paired(rows, *counter.per)
        return _grouped(rows, counter.per, n=number)
    found = rows.aggregate(n=number)["n"]
    return 0 if found is None and isinstance(counter, live.Sum) else found


def _plain(number: Any) -> Any:
    if isinstance(number, dict):
        return {scope: _plain(one) for scope, one in number.items()}
    return round(number, 6) if isinstance(number, (float, Decimal)) else number
