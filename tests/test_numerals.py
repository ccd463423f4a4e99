"""Numbers as each language writes them, and as the page's script does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.conf.global_settings import LANGUAGES
from playwright.sync_api import Page, sync_playwright

from livecounters.numerals import numeral, percent_sign

# Those that the package's own words are in, and some that write otherwise.
SPOKEN = ("en", "de", "fr", "es", "pt", "zh-hans")
OTHERS = (
    "de-ch",
    "de-at",
    "pt-pt",
    "es-mx",
    "en-gb",
    "hi",
    "fa",
    "he",
    "sv",
    "pl",
    "ru",
    "bn",
    "ja",
)
NUMBERS = (
    *((number, 0) for number in (0, 9, 10, 999, 1_000, 9_999, 10_000, 1_234_567, 10**12)),
    *((number, 0) for number in (-1, -1_000, -(10**12), 2**63)),
    *((number, 1) for number in (0, 12.25, -0.04, 66.66, 99.95, 12_345.6)),
    *((Decimal(text), 2) for text in ("19.90", "1234.565", "-99999999999999.99", "0.005")),
)

# Asks for each number of each language; a text stays exact, as in the script.
WRITE = """([languages, numbers]) => languages.map((language) => numbers.map(([number, digits]) =>
    new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits })
        .format(number)))"""
PERCENT = """(languages) => languages.map((language) =>
    new Intl.NumberFormat(language, { style: "percent" }).format(0.5))"""


@pytest.mark.parametrize(
    ("number", "decimals", "language", "text"),
    [
        (1234567.5, 1, "en", "1,234,567.5"),
        (1234567.5, 1, "de", "1.234.567,5"),
        (1234567.5, 1, "fr", "1\u202f234\u202f567,5"),
        (1234, 0, "es", "1234"),
        (12345, 0, "es", "12.345"),
        (1234, 0, "es-mx", "1,234"),
        (123456, 0, "zh-hans", "123,456"),
        (12345678, 0, "hi", "1,23,45,678"),
        (-1234, 0, "fa", "\u200e\u2212\u06f1\u066c\u06f2\u06f3\u06f4"),
        (10**12, 0, "en", "1,000,000,000,000"),
        (Decimal("1234.565"), 2, "en", "1,234.57"),
        (2**63 - 1, 0, "en", "9,223,372,036,854,775,807"),
        # A variety that is not known is written as its language; a language that is not, as English.
        (1234.5, 1, "de-li", "1.234,5"),
        (1234.5, 1, "tlh", "1,234.5"),
        (1234.5, 1, "", "1,234.5"),
    ],
)
def test_numbers(number: float, decimals: int, language: str, text: str) -> None:
    assert numeral(number, decimals, language) == text


@pytest.mark.parametrize(
    ("language", "signs"),
    [("en", ("", "%")), ("de", ("", "\u00a0%")), ("tr", ("%", "")), ("es-mx", ("", "%"))],
)
def test_percentages(language: str, signs: tuple[str, str]) -> None:
    assert percent_sign(language) == signs


def test_every_language_of_django_writes_digits() -> None:
    for code, _ in LANGUAGES:
        written = numeral(1234567, 0, code)
        assert [int(digit) for digit in written if digit.isdigit()] == [1, 2, 3, 4, 5, 6, 7]


@pytest.fixture(scope="module")
def page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_as_a_browser_writes_them(page: Page) -> None:
    languages = [*SPOKEN, *OTHERS]
    asked = json.loads(json.dumps([(str(number), digits) for number, digits in NUMBERS]))
    written = page.evaluate(WRITE, [languages, asked])

    ours = [[numeral(n, digits, code) for n, digits in NUMBERS] for code in languages]
    assert dict(zip(languages, ours, strict=True)) == dict(zip(languages, written, strict=True))


def test_percentages_as_a_browser_writes_them(page: Page) -> None:
    written = page.evaluate(PERCENT, [*SPOKEN, "tr", "sv"])

    signs = [percent_sign(code) for code in (*SPOKEN, "tr", "sv")]
    assert [f"{before}50{behind}" for before, behind in signs] == written
