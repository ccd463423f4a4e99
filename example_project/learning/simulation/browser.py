"""As much of a browser as the simulation needs: pages, forms, cookies."""

from __future__ import annotations

import http.client
import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser

from . import USER_AGENT

TIMEOUT = 20  # seconds


class ServerDown(Exception):
    """Nobody answers, or only a proxy in front of nobody. Worth trying again later."""


class Refused(Exception):
    """The site answered, but not with a page: this visit has gone wrong."""


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    legend: str = ""
    options: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # text beside a radio button -> name, value


@dataclass
class Page:
    url: str
    forms: list[Form]
    links: list[str]

    def form(self, ending: str) -> Form | None:
        """The form whose address ends like this."""
        return next((form for form in self.forms if form.action.endswith(ending)), None)


class Browser:
    """One person's browser: it keeps its cookies from page to page."""

    def __init__(self, base_url: str):
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies, urllib.request.ProxyHandler({}))
        self._opener.addheaders = [("User-Agent", USER_AGENT)]
        self._base_url = base_url

    def get(self, path: str) -> Page:
        return self._open(urllib.parse.urljoin(self._base_url, path))

    def submit(self, page: Page, form: Form, **fields: str) -> Page:
        data = urllib.parse.urlencode({**form.fields, **fields}).encode()
        return self._open(urllib.parse.urljoin(page.url, form.action), data)

    def _open(self, url: str, data: bytes | None = None) -> Page:
        try:
            with self._opener.open(url, data, timeout=TIMEOUT) as response:
                return read(response.url, response.read().decode())
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (502, 503, 504):
                raise ServerDown(url) from error
            raise Refused(f"{error.code} for {url}") from error
        except OSError as error:  # URLError, timeouts and broken connections are all of this family
            raise ServerDown(url) from error
        except (
            http.client.HTTPException
        ) as error:  # the server went away in the middle of a sentence
            raise ServerDown(url) from error


def read(url: str, html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    return Page(url, reader.forms, reader.links)


class _Reader(HTMLParser):
    """Collects links and forms. Radio buttons are known by the text of the label around them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._form: Form | None = None
        self._radio: tuple[str, str] | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._form)
        elif tag in ("legend", "label"):
            self._text = []
        elif tag == "input" and self._form is not None:
            self._read_input(self._form, given)

    def _read_input(self, form: Form, given: dict[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        if given.get("type") == "radio":
            self._radio = name, value
        elif given.get("type") != "submit" and name:
            form.fields[name] = value

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._text).split())
        if tag == "form":
            self._form = None
        elif tag == "legend" and self._form is not None:
            self._form.legend = text
        elif tag == "label" and self._form is not None and self._radio is not None:
            self._form.options[text] = self._radio
            self._radio = None
