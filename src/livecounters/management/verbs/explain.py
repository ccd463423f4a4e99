"""``livecounters explain``"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from livecounters.account import Account, account_of
from livecounters.management.verbs.base import Verb, add_json, counted, databases

__all__ = ["Explain"]


class Explain(Verb):
    name = "explain"
    help = "A number's own account: what it is made of, and that it adds up."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("counter", metavar="name")
        parser.add_argument("--of", help="The key of the object, of a counter with per=.")
        add_json(parser)

    def run(self, *, counter: str, of: str | None, as_json: bool, **given: Any) -> None:
        read = counted(counter)
        databases(read.measure.using)
        try:
            found = account_of(read, of)
        except (TypeError, ValueError, ValidationError) as error:
            raise CommandError(f"--of {of}: {error}") from error
        if as_json:
            self.write_json(found.as_json())
        else:
            self._tell(found)

    def _tell(self, found: Account) -> None:
        given = found.as_json()
        window = given["window"]
        lines = {
            "counter": given["counter"] + (f" of {given['of']}" if given["of"] else ""),
            "declared": given["declared"],
            "defined by": given["sql"],
            "shared with": " ".join(given["shared_with"]),
            "triggers": f"{given['triggers']} on {', '.join(given['tables'])} ({given['database']})",
            "captured since": given["since"],
            "read from": "buckets and deltas" if given["ready"] else "its source",
            "because": given["trouble"],
            "floor": given["floor"],
            "estimate": _estimate(given),
            "window": window["from"] and f"{window['from']} until {window['until']}",
            "to settle": _waiting(found),
            "last audit": _audit(found),
        }
        for word, text in lines.items():
            if text:
                self.out.write(f"{word:<16} {text}")
        self.out.write("")
        for part in found.parts:
            self.out.write(f"  {part.rows:>8} {part.what:<20} {_amount(part.amount):>20}")
        self.out.write(f"  {'':>8} {'value':<20} {found.value!s:>20}")
        self.out.write(f"  {'':>8} {'counted now':<20} {found.counted!s:>20}")
        self.out.write(found.verdict)


def _estimate(given: dict[str, Any]) -> str:
    if "sample" not in given:
        return ""
    off = f", off by {given['relative_error']:.1%} (standard error)"
    return f"one in {given['sample']} values is kept{off}"


def _waiting(found: Account) -> str:
    who = ", ".join(f"{one.who} ({one.seconds} s)" for one in found.waiting.holders)
    return f"{found.waiting.marks} changes{who and f', after {who}'}" if found.waiting.marks else ""


def _audit(found: Account) -> str:
    captured, age = found.standing.captured, found.audit_age
    if captured is None or age is None:
        return "never"
    return f"{age / 3600:.1f} hours ago, {captured.drift or 0} buckets were wrong"


def _amount(amount: Any) -> str:
    if isinstance(amount, dict):
        return f"{amount['total']} / {amount['count']}"
    return str(amount)
