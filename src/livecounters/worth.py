"""Worth: what the sums of a measure say of a counter, in Python and in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import models

from livecounters.declarations import Aggregate, Avg, Count, Max, Min
from livecounters.dialects import Dialect
from livecounters.keys import Field
from livecounters.ledger import Tally
from livecounters.measures import FLOAT_PLACES, Measure

__all__ = ["Number", "Worth"]

Number = int | float | Decimal | None

# Digits of a number in SQL, and decimal places of a mean.
DIGITS = 40
MEAN_PLACES = 15


@dataclass(frozen=True)
class Worth:
    """Of one counter over one measure."""

    declared: Aggregate
    measure: Measure

    def of(self, tally: Tally) -> Number:
        declared = self.declared
        if isinstance(declared, Count):
            return tally.members * declared.sample if declared.distinct else tally.count
        if isinstance(declared, (Min, Max)):
            end = tally.low if isinstance(declared, Min) else tally.high
            return None if end is None else self._unscaled(end)
        if isinstance(declared, Avg):
            return self._mean(tally)
        return self._unscaled(tally.total)

    def _unscaled(self, total: int) -> int | float | Decimal:
        if self._decimal:
            return Decimal(total).scaleb(-self.measure.places)
        return total / 10**FLOAT_PLACES if self.measure.places else total

    def _mean(self, tally: Tally) -> Number:
        return self._unscaled(tally.total) / tally.count if tally.count else None

    @property
    def _decimal(self) -> bool:
        return self.measure.value_field.get_internal_type() == "DecimalField"

    # In SQL

    @property
    def zero(self) -> bool:
        """Whether it is 0, and not unknown, where there are no rows."""
        return not isinstance(self.declared, (Avg, Min, Max))

    @property
    def output_field(self) -> Field:
        """What it is in a query."""
        if isinstance(self.declared, Count):
            return models.BigIntegerField()
        mean = isinstance(self.declared, Avg)
        if self._decimal:
            places = MEAN_PLACES if mean else self.measure.places
            return models.DecimalField(max_digits=DIGITS, decimal_places=places)
        if mean or self.measure.places:
            return models.FloatField()
        return models.BigIntegerField()

    @property
    def sums(self) -> tuple[str, ...]:
        """Of a measure without members: the columns that :meth:`sql` names, each once, in this
        order."""
        if isinstance(self.declared, Count):
            return ("count",)
        return ("total", "count") if isinstance(self.declared, Avg) else ("total",)

    def sql(self, dialect: Dialect, count: str = "count", total: str = "total") -> str:
        """An expression of the columns of ``summands.whole``, or of what stands for them."""
        declared = self.declared
        if isinstance(declared, Count):
            members = "members" if declared.sample == 1 else f"(members * {declared.sample})"
            return members if declared.distinct else count
        inexact = isinstance(self.output_field, models.FloatField)
        if isinstance(declared, (Min, Max)):
            end = dialect.number("low" if isinstance(declared, Min) else "high")
            return self._unscaled_sql(dialect, end, inexact)
        total = self._unscaled_sql(dialect, total, inexact)
        return dialect.mean(total, count, inexact) if isinstance(declared, Avg) else total

    def _unscaled_sql(self, dialect: Dialect, sql: str, inexact: bool) -> str:
        if not self.measure.places and isinstance(self.output_field, models.BigIntegerField):
            return f"({sql})"
        return dialect.unscaled(sql, self.measure.places, inexact)
