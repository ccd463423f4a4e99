"""Marks: which numbers they concern.

A mark is a changed row of a table that a counter goes over; see ``settling``.
"""

from __future__ import annotations

from livecounters.dialects import dialect_of
from livecounters.measures import Measure
from livecounters.models import Delta, Mark, Suspect

__all__ = ["concerned"]


def concerned(measure: Measure) -> set[str]:
    """The scopes of a measure that may be wrong while there are marks; none without marks.

    They are those that the marked rows reach, over rows that are there and rows that are marked;
    those of pending deltas; and the suspects, whose deltas were folded a moment ago.
    """
    using, dialect = measure.using, dialect_of(measure.using)
    marked = set(Mark.objects.using(using).values_list("table", flat=True).distinct())
    over = [model for model in measure.models[1:] if model._meta.db_table in marked]
    if not over:
        return set()
    if measure.scope is None:
        return {""}
    found: set[str] = set()
    for rows in (Delta.objects, Suspect.objects):
        kept = rows.using(using).filter(measure=measure.key)
        found.update(kept.values_list("scope", flat=True).distinct())
    with dialect.connection.cursor() as cursor:
        for model in over:
            cursor.execute(dialect.reached(measure, model, marked))
            found.update(scope for (scope,) in cursor.fetchall())
    return found
