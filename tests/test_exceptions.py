"""Errors: one base, and the built-in classes that hosts catch already."""

from __future__ import annotations

import ast
import inspect
import pickle

import pytest

from livecounters import exceptions
from livecounters.exceptions import LiveCountersError, MalformedFrame, Unmeasurable

BUILTINS = {
    "AlreadyDeclared": ValueError,
    "UnknownName": LookupError,
    "AmbiguousName": LookupError,
    "Busy": RuntimeError,
    "Unrecordable": ValueError,
    "Unmeasurable": ValueError,
    "TopicRefused": PermissionError,
    "MalformedFrame": ValueError,
}


@pytest.mark.parametrize(("name", "builtin"), BUILTINS.items())
def test_each_is_ours_and_a_builtin(name: str, builtin: type[Exception]) -> None:
    error = getattr(exceptions, name)

    assert issubclass(error, LiveCountersError)
    assert issubclass(error, builtin)
    assert error.__doc__


def test_all_of_them_are_in_the_list_of_the_module() -> None:
    made = {
        node.name
        for node in ast.parse(inspect.getsource(exceptions)).body
        if isinstance(node, ast.ClassDef)
    }

    assert set(exceptions.__all__) == made == {*BUILTINS, "LiveCountersError"}
    for name in BUILTINS:
        assert f"── {name} (" in (exceptions.__doc__ or "")


def test_what_cannot_be_kept_carries_its_check_and_cure() -> None:
    error = Unmeasurable("E007", "the reason", "the cure")

    assert (str(error), error.check_id, error.hint) == ("the reason", "E007", "the cure")


def test_what_is_malformed_carries_its_code() -> None:
    error = MalformedFrame("too_large", "the reason")

    assert (str(error), error.code) == ("the reason", "too_large")


@pytest.mark.parametrize(
    "name", ["AlreadyDeclared", "UnknownName", "AmbiguousName", "Busy", "TopicRefused"]
)
def test_plain_errors_travel_between_processes(name: str) -> None:
    error = getattr(exceptions, name)("said")

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is type(error)
    assert str(again) == str(error)
    assert str(error).startswith("said")
