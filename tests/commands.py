"""The command, as tests run it."""

from __future__ import annotations

from io import StringIO

from django.core.management import CommandError, call_command


def run(*arguments: str, **options: object) -> str:
    """What ``manage.py livecounters`` writes."""
    out = StringIO()
    call_command("livecounters", *arguments, stdout=out, no_color=True, **options)
    return out.getvalue()


def refused(*arguments: str, **options: object) -> tuple[str, str]:
    """(what it writes, why its exit status is 1)"""
    out = StringIO()
    try:
        call_command("livecounters", *arguments, stdout=out, no_color=True, **options)
    except CommandError as error:
        return out.getvalue(), str(error)
    raise AssertionError(f"{arguments} succeeded: {out.getvalue()}")
