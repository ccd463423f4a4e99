"""Answers: what the readers give back where it is more than a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError

from livecounters.worth import Number

__all__ = ["Change", "Values"]


class Values(dict[Any, Number]):
    """Numbers by the objects that were asked for (or by scope); objects and keys find them too,
    by the scope that they have."""

    def __init__(self, found: Mapping[Any, Number], scope: Callable[[Any], str]) -> None:
        super().__init__(found)
        self._by_scope = {scope(of): value for of, value in found.items()}
        self._scope = scope

    def __missing__(self, of: Any) -> Number:
        try:
            return self._by_scope[self._scope(of)]
        except (KeyError, ValueError, TypeError, ValidationError):
            raise KeyError(of) from None


class Change(NamedTuple):
    """A number and what it was one window before."""

    value: Number
    before: Number

    @property
    def difference(self) -> Number:
        """How much more it is; ``None`` if either is not known."""
        if self.value is None or self.before is None:
            return None
        return self.value - self.before  # type: ignore[operator]

    @property
    def percent(self) -> float | None:
        """How much more it is in hundredths of what it was; ``None`` if that was nothing."""
        if not self.before or self.difference is None:
            return None
        return float(self.difference) / abs(float(self.before)) * 100
