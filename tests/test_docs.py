"""What is public is documented: a name without a heading or definition in the docs is private."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import load_command_class

import livecounters
from livecounters import exceptions, testing, urls
from livecounters.conf import KEYS, Options
from livecounters.frames import OPERATIONS, Close
from livecounters.meters import Meter
from livecounters.readers import Counter
from livecounters.templatetags.livecounters import register
from tests.manual import DOCS, PAGES, ROOT, blocks

SOURCES = sorted(Path(livecounters.__file__).parent.rglob("*.py"))

CHECK_ID = re.compile(r'"(?:livecounters\.)?([EW]\d{3})"')
# A heading, or a line that is followed by its definition.
TERM = re.compile(r"^#+ .+$|^.+(?=\n: )", re.MULTILINE)


def terms(*names: str) -> str:
    """The headings and defined terms of some pages, a line each."""
    return "\n".join(
        term for name in names for term in TERM.findall((DOCS / name).read_text(encoding="utf-8"))
    )


def python_blocks() -> list[tuple[Path, str]]:
    pages = [ROOT / "README.md", *PAGES]
    return [
        (page, block.text)
        for page in pages
        for block in blocks(page)
        if block.language in {"pycon", "python"}
    ]


def check_ids() -> set[str]:
    return {
        found for file in SOURCES for found in CHECK_ID.findall(file.read_text(encoding="utf-8"))
    }


def verbs() -> dict[str, list[str]]:
    """The verbs of the command, each with its own options."""
    command: Any = load_command_class("livecounters", "livecounters")
    parser = command.create_parser("manage.py", "")
    (chosen,) = (action for action in parser._actions if action.dest == "verb")
    return {
        verb: [option for option in sub._option_string_actions if option.startswith("--")]
        for verb, sub in chosen.choices.items()
    }


@pytest.mark.parametrize("name", livecounters.__all__)
def test_public_name(name: str) -> None:
    assert re.search(
        rf"`live\.{name}\b", terms("reference/declarations.md", "reference/reading.md")
    )


@pytest.mark.parametrize("key", KEYS)
def test_setting(key: str) -> None:
    assert re.search(rf"^## `{key}`$", terms("reference/settings.md"), re.MULTILINE)


@pytest.mark.parametrize("key", KEYS)
def test_default_of_a_setting(key: str) -> None:
    page = (DOCS / "reference/settings.md").read_text(encoding="utf-8")
    section = page.split(f"## `{key}`\n")[1]
    told = re.match(r"\s*Default: `(.+?)`", section)
    given = getattr(Options(), key)
    assert told is not None
    assert ast.literal_eval(told[1]) == given


def test_no_setting_is_invented() -> None:
    told = re.findall(r"^## `([A-Z_]+)`$", terms("reference/settings.md"), re.MULTILINE)
    assert set(told) == set(KEYS)


def test_check_ids() -> None:
    told = re.findall(r"^## `livecounters\.(\w+)`$", terms("reference/checks.md"), re.MULTILINE)
    assert sorted(told) == sorted(check_ids())


def test_verbs() -> None:
    page = (DOCS / "reference/commands.md").read_text(encoding="utf-8")
    told = re.findall(r"^## `livecounters (\w+)`$", page, re.MULTILINE)
    assert sorted(told) == sorted(verbs())


@pytest.mark.parametrize(("verb", "options"), verbs().items())
def test_options_of_a_verb(verb: str, options: list[str]) -> None:
    page = (DOCS / "reference/commands.md").read_text(encoding="utf-8")
    section = page.split(f"## `livecounters {verb}`\n")[1].split("\n## ")[0]
    told = re.findall(r"^`(--[\w-]+)`\n: ", section, re.MULTILINE)
    assert sorted(told) == sorted(option for option in options if option != "--help")


def test_tags() -> None:
    told = re.findall(r"^## `{% (\w+) %}`$", terms("reference/tags.md"), re.MULTILINE)
    assert sorted(told) == sorted(register.tags)


@pytest.mark.parametrize("op", [*OPERATIONS, "values", "events", "reset", "error", "pong"])
def test_frame(op: str) -> None:
    assert re.search(rf"^### `{op}`$", terms("reference/wire.md"), re.MULTILINE)


@pytest.mark.parametrize("close", Close)
def test_close_code(close: Close) -> None:
    page = (DOCS / "reference/wire.md").read_text(encoding="utf-8")
    kind = "final" if close.final else "retryable"
    assert re.search(rf"^\| [\d, ]*\b{close.value}\b[\d, ]* \| {kind} \|", page, re.MULTILINE)


def test_every_page_is_in_the_contents() -> None:
    listed = {
        (page.parent / line).relative_to(DOCS).as_posix()
        for page in PAGES
        for block in re.findall(r"```{toctree}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        for line in block.splitlines()
        if line and not line.startswith(":")
    }
    found = {page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES}
    assert listed == found - {"index"}


@pytest.mark.parametrize(
    ("page", "code"), python_blocks(), ids=lambda given: getattr(given, "name", None)
)
def test_python_is_python(page: Path, code: str) -> None:
    lines = code.splitlines()
    if lines and lines[0].startswith(">>>"):
        code = "\n".join(line[4:] for line in lines if line.startswith((">>>", "...")))
    ast.parse(code, filename=str(page))


def test_links_of_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert targets
    assert not [target for target in targets if not (ROOT / target).exists()]


def test_all_results_are_in_the_page() -> None:
    results = ROOT / "benchmarks" / "results"
    page = (DOCS / "topics" / "benchmarks.md").read_text(encoding="utf-8")
    told = re.findall(r"^```\{include\} \S+/([\w-]+\.md)$", page, re.MULTILINE)
    drawn = re.findall(r"^```\{image\} \S+/([\w-]+\.svg)$", page, re.MULTILINE)

    assert sorted(told) == sorted(path.name for path in results.glob("*.md"))
    assert not [name for name in drawn if not (results / name).is_file()]


DECLARED = (
    "Activity",
    "Active",
    "Avg",
    "Badge",
    "Count",
    "Gauge",
    "Goal",
    "Max",
    "Min",
    "Online",
    "Sum",
)


@pytest.mark.parametrize("name", DECLARED)
def test_keywords_of_a_declaration(name: str) -> None:
    page = (DOCS / "reference/declarations.md").read_text(encoding="utf-8")
    given = inspect.signature(getattr(livecounters, name)).parameters
    told = "\n".join(TERM.findall(page))
    assert not [key for key in given if not re.search(rf"\b{key}\b", told)]


@pytest.mark.parametrize("reader", [Counter, Meter])
def test_methods_of_a_reader(reader: type) -> None:
    told = terms("reference/reading.md")
    names = [name for name in vars(reader) if not name.startswith("_")]
    # What other modules of the package ask of it.
    internal = {"ask", "entry", "interval", "label", "measure", "name", "origin", "per", "room"}
    internal |= {"both", "first_keys", "scope", "stretch", "worth"}
    assert not [n for n in names if n not in internal and not re.search(rf"\b{n}\b", told)]


@pytest.mark.parametrize("pattern", [str(entry.pattern) for entry in urls.urlpatterns])
def test_address(pattern: str) -> None:
    page = (DOCS / "reference/api.md").read_text(encoding="utf-8")
    address = re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]+>", "<>", pattern.strip("^$"))
    assert re.search(rf"[` ]{re.escape(address)}`", re.sub(r"<\w+>", "<>", page))


@pytest.mark.parametrize("name", testing.__all__)
def test_helpers_of_tests(name: str) -> None:
    page = (DOCS / "reference/testing.md").read_text(encoding="utf-8")
    assert re.search(rf"`testing\.{name}\b", page)


@pytest.mark.parametrize("name", exceptions.__all__)
def test_exceptions(name: str) -> None:
    assert re.search(rf"^`{name}`$", terms("reference/declarations.md"), re.MULTILINE)
