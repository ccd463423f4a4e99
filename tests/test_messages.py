"""The catalogues: every text of the package and of the example project, in six languages."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.template.base import Lexer, TokenType
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
PLACES = {"livecounters": ROOT / "src/livecounters", "example": ROOT / "example_project"}
LANGUAGES = ("de", "en", "es", "fr", "pt", "zh_Hans")
CATALOGUES = [(place, language) for place in PLACES for language in LANGUAGES]

# The functions that mark a text, and which of their arguments are texts; a context is none.
MARKS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), (0, 1)),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (0, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), (1, 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), (1, 3)),
}
# Arguments that people read.
READ = {"description", "empty_label", "label", "message", "verbose_name", "verbose_name_plural"}
# What programs and programmers read: it stays as it is.
SILENT = {"code", "script", "style"}
FOREIGN = {"schema.py"}
SPOKEN = {"aria-label", "aria-roledescription", "alt", "placeholder", "title"}

_TEXT = r"""u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
CALL = re.compile(rf"\bn?p?gettext\({_TEXT}(?:, *{_TEXT})*")
PLACEHOLDER = re.compile(r"%\(\w+\)s|%%|\{\w+\}")


def catalogue(place: str, language: str) -> Path:
    return PLACES[place] / "locale" / language / "LC_MESSAGES/django.po"


def files(place: str, *patterns: str) -> list[Path]:
    return sorted(file for pattern in patterns for file in PLACES[place].rglob(pattern))


def python(place: str) -> Iterator[tuple[Path, ast.AST]]:
    for file in files(place, "*.py"):
        if "migrations" not in file.parts:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                yield file, node


def templates(place: str) -> list[Path]:
    return [file for file in files(place, "*.html", "*.txt", "*.svg") if "templates" in file.parts]


def marked(place: str) -> set[str]:
    """Every text that is marked for translation."""
    found = {text for _, node in python(place) for text in _texts(node)}
    for file in templates(place):
        # What Django gives to gettext: the same calls, among what is no Python.
        code = templatize(file.read_text(encoding="utf-8"))
        for call in CALL.findall(code):
            found |= {text for node in ast.walk(ast.parse(call + ")")) for text in _texts(node)}
    return found


def _texts(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if name in MARKS:
        first, last = MARKS[name]
        for argument in node.args[first:last]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


@pytest.mark.parametrize(("place", "language"), CATALOGUES)
def test_nothing_is_missing(place: str, language: str) -> None:
    entries = polib.pofile(str(catalogue(place, language)))
    known = {entry.msgid for entry in entries} | {
        entry.msgid_plural for entry in entries if entry.msgid_plural
    }

    assert marked(place) == known, "run: make messages"
    assert [entry.msgid for entry in entries if not entry.translated()] == []
    assert [entry.msgid for entry in entries if entry.fuzzy or entry.obsolete] == []


@pytest.mark.parametrize(("place", "language"), CATALOGUES)
def test_compiled(place: str, language: str) -> None:
    path = catalogue(place, language)
    compiled = polib.mofile(str(path.with_suffix(".mo")))

    def said(entries: list[polib.POEntry] | list[polib.MOEntry]) -> set[tuple[object, ...]]:
        return {
            (e.msgctxt, e.msgid, e.msgid_plural, e.msgstr, *e.msgstr_plural.values())
            for e in entries
        }

    assert said(compiled) == said(polib.pofile(str(path))), "run: make messages"


@pytest.mark.parametrize(("place", "language"), CATALOGUES)
def test_placeholders(place: str, language: str) -> None:
    for entry in polib.pofile(str(catalogue(place, language))):
        one, many = (_placeholders(text) for text in (entry.msgid, entry.msgid_plural))
        forms = entry.msgstr_plural
        if not forms:
            assert _placeholders(entry.msgstr) == one, entry.msgstr
        for number, text in forms.items():
            # "The last day" is without a number, where a form is of one only.
            wanted = one if number == 0 and len(forms) > 1 else many
            assert _placeholders(text) == wanted, text


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


@pytest.mark.parametrize(("place", "language"), CATALOGUES)
def test_every_number_has_its_form(place: str, language: str) -> None:
    entries = polib.pofile(str(catalogue(place, language)))
    forms = int(re.findall(r"nplurals=(\d)", entries.metadata["Plural-Forms"])[0])

    assert all(len(e.msgstr_plural) == forms for e in entries if e.msgid_plural)


# What nobody has marked


def letters(text: str) -> bool:
    return any(letter.isalpha() for letter in text)


class Unmarked(HTMLParser):
    """Words in a template that no tag gives: between elements, and in attributes that are read."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0
        self.feed(self._own(file.read_text(encoding="utf-8")))

    def _own(self, text: str) -> str:
        """The template without what tags and variables give."""
        kept, inside = [], False
        for token in Lexer(text).tokenize():
            if token.token_type == TokenType.BLOCK:
                first = token.contents.split()[0]
                inside = first == "blocktranslate" or (inside and first != "endblocktranslate")
            elif token.token_type == TokenType.TEXT and not inside:
                kept.append(token.contents)
        return "".join(kept)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in SILENT
        for name, value in attrs:
            if (name in SPOKEN or name.startswith("data-text-")) and letters(value or ""):
                self.found.append(f"{name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self.silent and letters(data):
            self.found.append(data.strip())


# The name of the site, and of what nobody translates.
NAMES = {"Lantern", "· Lantern"}


@pytest.mark.parametrize("place", PLACES)
def test_no_template_says_what_is_not_marked(place: str) -> None:
    found = {
        f"{file.name}: {text}"
        for file in templates(place)
        for text in Unmarked(file).found
        if text.strip(string.whitespace + "·") not in NAMES
    }

    assert found == set()


@pytest.mark.parametrize("place", PLACES)
def test_no_module_says_what_is_not_marked(place: str) -> None:
    found = {
        f"{file.name}:{node.value.lineno}: {node.arg}"
        for file, node in python(place)
        if file.name not in FOREIGN
        and isinstance(node, ast.keyword)
        and node.arg in READ
        and isinstance(node.value, ast.Constant | ast.JoinedStr)
        and (not isinstance(node.value, ast.Constant) or letters(str(node.value.value or "")))
    }

    assert found == set()
