"""The template tags: real values on the server, in the page's language, safe to show."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.staticfiles import finders
from django.db.models import Q
from django.template import Context, Template, TemplateSyntaxError
from django.test import Client, RequestFactory
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

import livecounters
import livecounters as live
from livecounters import feed, meters
from livecounters.exceptions import UnknownName
from livecounters.presence import Changes, Kind, Who, store
from livecounters.presence.base import Came
from livecounters.registry import registry
from livecounters.templatetags.livecounters import THEMES
from livecounters.topics import granted
from tests.host.models import Attempt, Course, Quiz, Sale
from tests.zoo.models import Busy, Cafe

pytestmark = pytest.mark.django_db

urlpatterns: list[Any] = []  # a site without the addresses of ours
SCRIPT = "<script>alert('x')</script>"


def render(text: str, **context: Any) -> str:
    return Template("{% load livecounters %}" + text).render(Context(context))


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text in it that is its own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append({"tag": tag, "text": "", **dict(attrs)})

    def handle_data(self, data: str) -> None:
        if self.found:
            self.found[-1]["text"] += data.strip()

    def all(self, tag: str, **attrs: Any) -> list[dict[str, Any]]:
        return [e for e in self.found if e["tag"] == tag and attrs.items() <= e.items()]

    def one(self, tag: str, **attrs: Any) -> dict[str, Any]:
        (element,) = self.all(tag, **attrs)
        return element


def nobody() -> Any:
    raise AssertionError("asked who it is")


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


def complete(quiz: Quiz, user: User | None = None, times: int = 1, **given: Any) -> None:
    given = {"completed": True, "completed_at": timezone.now(), "score": 70} | given
    Attempt.objects.bulk_create([Attempt(quiz=quiz, user=user, **given) for _ in range(times)])


@pytest.fixture
def declared() -> Iterator[None]:
    class Declared(live.LiveModel):
        hostile = live.Count(label=SCRIPT, icon='"><b>', group="odd")
        odd = live.Count(label="Odd", group="odd", levels={"calm": 0, "busy": 2, "full": 5})
        silent = live.Count(group="odd")

    live.register(Attempt)(Declared)
    yield
    registry.remove(Declared)


# Cards


def test_every_counter_of_the_site_that_has_a_label(quiz: Quiz) -> None:
    complete(quiz)
    page = Elements(render("{% live_counters %}"))

    cards = page.all("live-counter")
    assert [card["data-name"] for card in cards] == [
        entry.name for entry in registry.counters if entry.declared.label
    ]
    assert [card["value"] for card in cards][:2] == ["1", "1"]
    assert [card["data-hue"] for card in cards] == [str(n % 6) for n in range(len(cards))]
    labels = [span["text"] for span in page.all("span", **{"class": "live-card__label"})]
    assert labels[:2] == ["Quizzes today", "Attempts"]
    assert page.all("span")[0]["data-icon"] == "check"


def test_those_that_are_named_in_that_order() -> None:
    page = Elements(render('{% live_counters "sales" "host.attempts" %}'))

    assert [card["data-name"] for card in page.all("live-counter")] == ["sales", "attempts"]


@pytest.mark.usefixtures("declared")
def test_those_of_a_group() -> None:
    page = Elements(render('{% live_counters group="odd" %}'))

    assert [card["data-name"] for card in page.all("live-counter")] == ["hostile", "odd"]


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize(("rows", "level"), [(0, "calm"), (1, "calm"), (2, "busy"), (9, "full")])
def test_levels(quiz: Quiz, rows: int, level: str) -> None:
    complete(quiz, times=rows)

    assert Elements(render('{% live_counter "odd" %}')).one("live-counter")["data-level"] == level


def test_cards_are_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        render("{% live_counters %}")
    with django_assert_num_queries(1):
        render('{% live_counter "attempts" %}')


# One number


@pytest.mark.parametrize("by", ["object", "key"])
def test_the_number_of_an_object(quiz: Quiz, by: str) -> None:
    complete(quiz, times=3)
    of = quiz if by == "object" else str(quiz.pk)

    page = Elements(render('{% live_counter "per_quiz" of=of %}', of=of))

    assert page.one("live-counter")["value"] == "3"
    assert page.one("data")["text"] == "3"
    assert granted(page.one("live-counter")["topic"], nobody)


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_number_is_a_dash(language: str) -> None:
    with translation.override(language):
        page = Elements(render('{% live_counter "score_avg" %}'))

    assert page.one("data")["text"] == "\N{EN DASH}"
    assert page.one("live-counter")["value"] == ""


def test_what_nobody_was_shown_may_be_followed_with_its_token() -> None:
    page = Elements(render('{% live_counters "sales" "weight_sum" %}'))

    for card in page.all("live-counter"):
        assert str(granted(card["topic"], nobody)) == f"counter:{card['data-name']}"


@pytest.mark.parametrize(
    ("language", "price", "text"),
    [
        ("en", "1234.50", "1,234.50"),
        ("de", "1234.50", "1.234,50"),
        ("fr", "1234.50", "1\u202f234,50"),
        ("de", "-0.05", "-0,05"),
        ("de", "0", "0,00"),
    ],
)
def test_numbers_in_the_language_of_the_page(language: str, price: str, text: str) -> None:
    Sale.objects.create(price=price)

    with translation.override(language):
        page = Elements(render('{% live_counter "revenue" %}'))

    assert page.one("data")["text"].replace("\xa0", "\u202f") == text
    assert page.one("live-counter")["decimals"] == "2"


def test_whole_numbers_are_grouped(quiz: Quiz) -> None:
    complete(quiz, score=1_234_567)

    with translation.override("de"):
        page = Elements(render('{% live_counter "score_sum" %}'))

    assert page.one("data")["text"] == "1.234.567"
    assert page.one("live-counter")["value"] == "1234567"


@pytest.mark.parametrize(
    ("scores", "text"), [([66, 67, 67], "66.7"), ([1, 1, 0], "0.7"), ([50, 51], "50.5")]
)
def test_means_are_rounded_as_in_the_browser(quiz: Quiz, scores: list[int], text: str) -> None:
    for score in scores:
        complete(quiz, score=score)

    assert Elements(render('{% live_counter "score_avg" %}')).one("data")["text"] == text


@pytest.fixture
def of_courses() -> Iterator[None]:
    """Each course is a tenant: what it has sold, and what is done with its quizzes."""

    class SaleLive(live.LiveModel):
        sold = live.Count(per="course", label="Sold")
        unlabelled = live.Count(per="course")

    class AttemptLive(live.LiveModel):
        done = live.Count(per="quiz__course", label="Done", group="learning")
        by_quiz = live.Count(per="quiz", label="By quiz")

    live.register(Sale)(SaleLive)
    live.register(Attempt)(AttemptLive)
    yield
    registry.remove(SaleLive)
    registry.remove(AttemptLive)


def test_counters_of_an_object(of_courses: None) -> None:
    here, there = (Course.objects.create() for _ in range(2))
    Sale.objects.create(course=here, price=5)
    for quiz in (Quiz.objects.create(title="a", course=tenant) for tenant in (here, here, there)):
        Attempt.objects.create(quiz=quiz)

    def cards(tag: str, of: Course) -> dict[str, str]:
        found = Elements(render(tag, of=of)).all("live-counter")
        return {card["data-name"]: card["value"] for card in found}

    assert cards("{% live_counters of=of %}", here) == {"sold": "1", "done": "2"}
    assert cards("{% live_counters of=of %}", there) == {"sold": "0", "done": "1"}
    assert cards('{% live_counters of=of group="learning" %}', here) == {"done": "2"}
    assert cards('{% live_counters "unlabelled" of=of %}', here) == {"unlabelled": "1"}
    token = Elements(render("{% live_counters of=of %}", of=there)).one(
        "live-counter", **{"data-name": "done"}
    )["topic"]
    assert str(granted(token, AnonymousUser)) == f"counter:done:{there.pk.hex}"


@pytest.fixture
def of_places() -> Iterator[None]:
    class CafeLive(live.LiveModel):
        here = live.Count(per="place_ptr", label="Here")

    live.register(Cafe)(CafeLive)
    yield
    registry.remove(CafeLive)


def test_counters_of_what_an_object_extends(of_places: None) -> None:
    cafe = Cafe.objects.create(name="b")

    for of in (cafe, Busy.objects.get(), cafe.place_ptr):
        card = Elements(render("{% live_counters of=of %}", of=of)).one("live-counter")
        assert (card["data-name"], card["value"]) == ("here", "1")


@pytest.mark.parametrize("given", ["", 1, None])
def test_counters_of_no_object(of_courses: None, given: Any) -> None:
    if given is None:
        assert "sold" not in render("{% live_counters of=of %}", of=None)
    else:
        with pytest.raises(TypeError, match=r"of=.* is no object"):
            render("{% live_counters of=of %}", of=given)


@pytest.mark.parametrize("tag", ['live_counter "score_avg"', 'live_counters "score_avg"'])
@pytest.mark.parametrize("grouping", [True, False])
def test_values_for_the_browser_are_in_no_language(
    quiz: Quiz, settings: Any, tag: str, grouping: bool
) -> None:
    settings.USE_THOUSAND_SEPARATOR = grouping
    for score in (2000, 2001):
        complete(quiz, score=score)

    with translation.override("de"):
        page = Elements(render("{% " + tag + " %}"))

    assert page.one("live-counter")["value"] == "2000.5"
    assert page.one("data")["value"] == "2000.5"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{% live_counter "atempts" %}', UnknownName),
        ('{% live_counters "attempts" "nothing" %}', UnknownName),
        ('{% live_counter "per_quiz" %}', TypeError),
        ('{% live_counter "attempts" of=3 %}', TypeError),
        ('{% live_feed kinds="quiz_complete" %}', UnknownName),
        ("{% live_counter %}", TemplateSyntaxError),
    ],
)
def test_a_mistake_in_a_template_is_an_error(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        render(text)


# The feed


def test_the_newest_first(quiz: Quiz, ada: User) -> None:
    for title in ("One", "Two", "Three"):
        complete(Quiz.objects.create(title=title), ada)
    page = Elements(render('{% live_feed kinds="quiz_completed" %}'))

    texts = [span["text"] for span in page.all("a", **{"data-live": "text"})]
    # The last one is the pattern for those to come.
    assert texts == [f"ada just completed {title}!" for title in ("Three", "Two", "One")] + [""]
    numbers = [int(item["data-seq"]) for item in page.all("article") if "data-seq" in item]
    assert numbers == sorted(numbers, reverse=True)
    place = feed.head()
    assert page.one("live-feed")["epoch"] == place.epoch
    assert int(page.one("live-feed")["seq"]) == place.seq >= numbers[0]
    assert "hidden" in page.one("p", **{"data-live": "empty"})


def test_nothing_has_happened_yet() -> None:
    page = Elements(render("{% live_feed %}"))

    empty = page.one("p", **{"data-live": "empty"})
    assert empty["text"] == "Nothing has happened yet."
    assert "hidden" not in empty


@pytest.mark.parametrize(
    ("arguments", "kinds"),
    [
        ("", ["quiz_completed", "perfect", "named_only"]),
        ('kinds="perfect"', ["perfect"]),
        ('kinds="perfect host.named_only"', ["perfect", "named_only"]),
        ("limit=1", None),
    ],
)
def test_kinds_and_limit(quiz: Quiz, ada: User, arguments: str, kinds: list[str] | None) -> None:
    complete(quiz, ada, score=100)
    complete(quiz, ada, score=100)

    page = Elements(render("{% live_feed " + arguments + " %}"))
    shown = [item for item in page.all("article") if "data-seq" in item]
    assert len(shown) == (2 * len(kinds) if kinds else 1)
    topic = str(granted(page.one("live-feed")["topic"], nobody))
    assert topic == ("feed:" + ",".join(kinds or ()) if "kinds" in arguments else "feed")


def test_the_feed_is_two_queries(quiz: Quiz, django_assert_num_queries: Any) -> None:
    for n in range(12):
        complete(quiz, User.objects.create(username=f"u{n}"))
    feed.number()

    with django_assert_num_queries(2):
        render("{% live_feed limit=30 %}")


def test_how_long_ago(quiz: Quiz, ada: User) -> None:
    complete(quiz, ada, completed_at=timezone.now() - dt.timedelta(hours=3, minutes=20))
    complete(quiz, ada)
    text = '{% live_feed kinds="quiz_completed" %}'

    times = [time["text"] for time in Elements(render(text)).all("time")]
    assert [re.sub(r"\s", " ", time) for time in times] == ["now", "3 hours ago", ""]


def test_big_numbers_of_the_feed_are_in_no_language(quiz: Quiz, ada: User, settings: Any) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    complete(quiz, ada, times=400, score=100)

    with translation.override("de"):
        page = Elements(render('{% live_feed limit=1000 kinds="perfect" %}'))

    assert page.one("live-feed")["seq"] == str(feed.head().seq)
    assert page.one("live-feed")["limit"] == "1000"
    assert all(item["data-seq"].isdigit() for item in page.all("article") if "data-seq" in item)


# Older pages, the feed of an object


def visit(text: str, address: str, **context: Any) -> Elements:
    request = RequestFactory().get(address)
    return Elements(render(text, request=request, user=AnonymousUser(), **context))


def test_older_pages_without_javascript(quiz: Quiz, ada: User) -> None:
    for score in range(25):
        complete(quiz, ada, score=score)
    text, address, found = '{% live_feed kinds="quiz_completed" %}', "/a/?b=ä&c=1", []
    for turned in range(3):
        page = visit(text, address)
        found += [int(item["data-seq"]) for item in page.all("article") if "data-seq" in item]
        # An older page stands still, and leads back.
        assert bool(page.one("live-feed")["topic"]) is (turned == 0)
        assert len([a for a in page.all("a") if a["text"] == "Newest"]) == (turned > 0)
        older = [a for a in page.all("a") if a["text"] == "Older"]
        if turned == 2:
            assert not older
            break
        address = older[0]["href"]
        assert address.startswith("/a/?b=%C3%A4&c=1&older-")
        complete(quiz, ada)

    assert found == sorted(found, reverse=True)
    assert len(found) == len(set(found)) == 25


def test_where_the_script_asks_for_older_ones(quiz: Quiz, ada: User) -> None:
    complete(quiz, ada, times=12, score=100)
    page = visit('{% live_feed kinds="perfect" limit=5 %}', "/")
    link, place = page.one("a", **{"data-live": "older"}), feed.head()

    last = page.all("article")[4]["data-seq"]
    answer = Client().get(f"{link['data-more']}{place.epoch}-{last}-{place.seq}").json()
    assert [event["seq"] for event in answer["results"]] == [int(last) - 3 * n for n in range(1, 6)]
    assert not visit("{% live_feed more=False %}", "/").all("a", **{"data-live": "older"})


@pytest.mark.parametrize("cursor", ["", "x", "ff-1-1", "<script>", "9" * 5000])
def test_a_page_that_is_not_there_is_the_newest(quiz: Quiz, ada: User, cursor: str) -> None:
    complete(quiz, ada, times=12)
    older = visit("{% live_feed %}", "/").one("a", **{"data-live": "older"})["href"]
    name = older.lstrip("/?").partition("=")[0]

    assert visit("{% live_feed %}", f"/?{urlencode({name: cursor})}").one("live-feed")["topic"]


def test_the_feed_of_an_object(quiz: Quiz, ada: User) -> None:
    other = Quiz.objects.create(title="Algebra")
    complete(quiz, ada)
    complete(other, ada)
    feed.number()

    def shown(arguments: str) -> list[str]:
        page = visit("{% live_feed " + arguments + " %}", "/", quiz=quiz, ada=ada, none=[])
        return [a["text"] for a in page.all("a", **{"data-live": "text"})][:-1]

    assert shown("of=quiz") == ["ada just completed Fractions!"]
    assert len(shown('actor=ada kinds="quiz_completed"')) == 2
    assert shown("of=quiz actor=ada") == shown("of=quiz")
    assert shown("of=none") == shown("actor=none") == shown("of=ada") == []
    for mistake in ("of=nothing", 'actor="ada"', "of=None"):
        with pytest.raises(TypeError, match="give an object"):
            shown(mistake)


# Hostile texts


@pytest.mark.usefixtures("declared")
def test_hostile_texts_are_shown_and_not_run() -> None:
    ada = User.objects.create(username=SCRIPT)
    quiz = Quiz.objects.create(title=SCRIPT + '"{0}', course=Course.objects.create(title=SCRIPT))
    complete(quiz, ada)
    page = render('{% live_counters %}{% live_counter "hostile" %}{% live_feed %}')

    assert "<script>" not in page
    elements = Elements(page)
    labels = [span["text"] for span in elements.all("span", **{"class": "live-card__label"})]
    assert SCRIPT in labels
    assert elements.all("span", **{"data-icon": '"><b>'})
    texts = [span["text"] for span in elements.all("a", **{"data-live": "text"})]
    assert f'{SCRIPT} just completed {SCRIPT}"{{0}}!' in texts


def test_hostile_keys_stay_in_their_attribute() -> None:
    page = Elements(render('{% live_counter "sales_per_tag" of=of %}', of='"><script>'))

    assert not page.all("script")
    assert str(granted(page.one("live-counter")["topic"], nobody)).endswith('"><script>')


# Assets


def test_what_a_page_needs(settings: Any) -> None:
    page = Elements(render("{% live_assets %}"))

    meta = page.one("meta", name="livecounters")
    assert (meta["data-socket"], meta["data-snapshot"]) == ("/ws/live/", "/live/snapshot/")
    assert page.one("link")["href"] == "/static/livecounters/livecounters.css"
    script = page.one("script", type="module")
    assert script["src"] == "/static/livecounters/livecounters.js"
    assert "nonce" not in script
    assert script["text"] == ""
    settings.LIVECOUNTERS = {"SOCKET_URL": None}
    assert Elements(render("{% live_assets %}")).one("meta")["data-socket"] == ""


@pytest.mark.urls(__name__)
def test_a_site_without_our_addresses() -> None:
    assert Elements(render("{% live_assets %}")).one("meta")["data-snapshot"] == ""


def test_the_language_is_told() -> None:
    with translation.override("de"):
        assert Elements(render("{% live_assets %}")).one("meta")["data-language"] == "de"


@pytest.mark.parametrize("where", ["context", "request", "lazy"])
def test_a_nonce(where: str) -> None:
    request = RequestFactory().get("/")
    if where == "request":
        request.csp_nonce = "abc"  # type: ignore[attr-defined]
    given: dict[str, Any] = {
        "context": {"csp_nonce": "abc"},
        "request": {"request": request},
        "lazy": {"csp_nonce": SimpleLazyObject(lambda: "abc")},
    }[where]

    page = Elements(render("{% live_assets %}", **given))
    assert page.one("script")["nonce"] == page.one("link")["nonce"] == "abc"


# A host's own templates


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("live_counter", 'live_counter "attempts"'),
        ("live_counters", "live_counters"),
        ("live_feed", "live_feed"),
        ("live_assets", "live_assets"),
    ],
)
def test_a_host_overrides_a_template(settings: Any, tmp_path: Path, name: str, tag: str) -> None:
    folder = tmp_path / "livecounters"
    folder.mkdir()
    (folder / f"{name}.html").write_text("own {{ value }}{{ cards|length }}", encoding="utf-8")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]

    assert render("{% " + tag + " %}").startswith("own ")


def test_the_host_s_page(client: Any, quiz: Quiz, ada: User) -> None:
    complete(quiz, ada)
    answer = client.get("/")

    page = Elements(answer.content.decode())
    assert answer.status_code == 200
    assert [card["value"] for card in page.all("live-counter")] == ["1", "1", "70.0"]
    assert "Cookie" not in answer.get("Vary", "")


@pytest.mark.usefixtures("rooms")
class TestOnline:
    def test_the_site(self) -> None:
        now = time.time()
        whos = [Who(Kind.PERSON, "1"), Who(Kind.GUEST, "g")]
        came = [Came("site", who, now) for who in whos]
        store().beat("p", Changes(came, (), {"site": 3}, True), now, 60.0)

        html = render("{% live_online %}")

        assert 'topic="online:site~' in html
        assert '<data class="live-online__value" data-live="value" value="2">2</data>' in html
        assert " room=" not in html
        cards = render("{% live_counters %}")
        assert "Online now" in cards
        assert 'topic="counter:online~' in cards

    def test_a_page_about_an_object_is_in_its_room(self) -> None:
        quiz = Quiz.objects.create(title="Fractions")

        html = render('{% live_online "readers" of=quiz %}', quiz=quiz)
        assert f'room="online:readers:{quiz.pk}~' in html
        html = render('{% live_online "readers" of=quiz join=False %}', quiz=quiz)
        assert " room=" not in html
        assert f'topic="counter:readers:{quiz.pk}~' in render(
            '{% live_counter "readers" of=quiz %}', quiz=quiz
        )

    def test_a_counter_is_no_room(self) -> None:
        with pytest.raises(TypeError, match=r"name a live\.Online"):
            render('{% live_online "attempts" %}')

    def test_a_store_that_does_not_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*given: Any) -> None:
            raise ConnectionError

        monkeypatch.setattr(type(store()), "counts", fail)
        monkeypatch.setattr(meters, "AWAY", 0.0)

        assert 'value="">\N{EN DASH}</data>' in render("{% live_online %}")


def test_nobody_declares_who_is_online() -> None:
    with pytest.raises(LookupError, match=r"live\.LiveSite"):
        render("{% live_online %}")


# Progress and leaderboards


@pytest.fixture
def learning() -> Iterator[None]:
    class Learning(live.LiveModel):
        at = "completed_at"
        filter = Q(completed=True)

        sessions = live.Count(per="user", goals={"day": 3, "week": 15}, label=SCRIPT)
        session_score = live.Avg("score", per="user")

    registry.add(Attempt, Learning)
    yield
    registry.remove(Learning)


def request_of(user: Any) -> Any:
    request = RequestFactory().get("/")
    request.user = user
    return request


@pytest.mark.usefixtures("learning")
def test_one_s_own_progress(ada: User, quiz: Quiz) -> None:
    complete(quiz, ada, 2)
    text = render('{% live_progress "sessions" %}', request=request_of(ada))
    page = Elements(text)

    assert page.one("live-progress")["topic"] == "progress"
    assert page.one("section")["data-name"] == "sessions"
    assert page.one("data", **{"data-live": "total"})["text"] == "2"
    assert page.one("data", **{"data-live": "goals.day.progress"})["value"] == "2"
    day, week = page.all("progress")
    assert (day["value"], day["max"], day["data-live"]) == ("66.7", "100", "goals.day.percent")
    assert week["value"] == "13.3"
    assert page.one("div", **{"data-period": "day"}).get("data-level") is None
    assert page.one("circle", **{"data-live-ring": "average"})["stroke-dasharray"] == "70 100"
    assert page.one("div", **{"class": "live-ring"})["data-level"] == "middle"
    # Nothing that a strict policy would refuse, and nobody's markup.
    assert all("src" in script for script in page.all("script"))
    assert "style=" not in text
    assert SCRIPT not in text


@pytest.mark.usefixtures("learning")
def test_levels_are_said_in_words(ada: User, quiz: Quiz) -> None:
    complete(quiz, ada, 2)
    page = Elements(render('{% live_progress "sessions" near=60 %}', request=request_of(ada)))
    day = page.one("div", **{"data-period": "day"})
    assert (day["data-level"], day["data-levels"]) == ("near", "near:60 done:100")
    said = [(e["data-when"], "hidden" in e) for e in page.all("span") if "data-when" in e]
    assert said[:2] == [("near", False), ("done", True)]
    complete(quiz, ada, 2)
    text = render("{% live_progress %}", request=request_of(ada))
    assert re.search(r'data-when="done"\s*>✓ Goal reached', text)


@pytest.mark.usefixtures("learning")
def test_who_is_not_signed_in_has_no_progress() -> None:
    assert render("{% live_progress %}", request=request_of(AnonymousUser())).strip() == ""
    assert render("{% live_progress %}").strip() == ""


@pytest.mark.usefixtures("learning")
def test_a_leaderboard(ada: User, quiz: Quiz) -> None:
    for number in range(4):
        other = User.objects.create(username=f"<b>u{number}</b>")
        complete(quiz, other, number + 2)
    complete(quiz, ada)
    text = render(
        '{% live_leaderboard "sessions" limit=2 window="week" %}', request=request_of(ada)
    )
    page = Elements(text)

    names = page.all("span", **{"data-live": "name"})
    # The last one is the blank for new lines.
    assert [one["text"] for one in names] == ["<b>u3</b>", "<b>u2</b>", "<b>u0</b>", "ada", ""]
    assert [d["value"] for d in page.all("data")] == ["5", "4", "2", "1", ""]
    page.one("tr", **{"aria-current": "true"})
    assert granted(page.one("live-leaderboard")["topic"], nobody)
    assert "data-gap" in page.all("tbody")[1]
    assert "<b>" not in text


@pytest.mark.usefixtures("learning")
def test_an_empty_leaderboard() -> None:
    assert "Nobody yet." in render('{% live_leaderboard "sessions" %}')


# Charts and breakdowns


def words(element: dict[str, Any]) -> str:
    return " ".join(element["text"].split())


class TestChart:
    def test_bars_without_a_script(self, quiz: Quiz, django_assert_num_queries: Any) -> None:
        complete(quiz, times=1200)
        with django_assert_num_queries(2):
            page = Elements(render('{% live_chart "attempts" hours=12 %}'))

        chart = page.one("live-chart")
        topic = granted(chart["topic"], nobody)
        assert str(topic) == "series:12h:hour:attempts"
        shape, running, _ = page.all("path")
        assert shape["d"].count("M") == 11
        assert running["d"] == "M11.1 98.0V2.0h0.8V98.0z"
        assert [words(row) for row in page.all("td")][-2:] == ["0", "1,200 (so far)"]
        assert page.one("input", type="range")["aria-label"] == "Attempts"
        assert page.one("svg")["aria-hidden"] == "true"
        assert page.one("script")["src"].endswith("charts.js")

    @pytest.mark.parametrize(
        ("given", "topic"),
        [
            ("", "series:12h:hour:attempts"),
            ("minutes=90", "series:90m:minute:attempts"),
            ("minutes=1440", "series:1d:minute:attempts"),
            ("hours=2", "series:2h:minute:attempts"),
            ("days=7", "series:7d:day:attempts"),
            ('days=7 step="hour"', "series:7d:hour:attempts"),
        ],
    )
    def test_how_long_and_in_which_steps(self, given: str, topic: str) -> None:
        page = Elements(render('{% live_chart "attempts" ' + given + " %}"))

        assert page.one("live-chart")["topic"].startswith(f"{topic}~")

    def test_in_other_words(self, quiz: Quiz) -> None:
        text = '{% live_chart "per_quiz" of=quiz kind="area" height=40 title=title %}'
        page = Elements(render(text, quiz=quiz, title="<b>"))

        assert page.one("live-chart", **{"data-kind": "area"})["topic"].startswith(
            f"series:12h:hour:per_quiz:{quiz.pk}~"
        )
        assert page.one("svg")["height"] == "40"
        assert page.one("strong")["text"] == "<b>"
        assert not page.all("b")

    @pytest.mark.usefixtures("declared")
    def test_nothing_is_markup_and_nothing_is_inline(self) -> None:
        text = render('{% live_chart "quizzes_today" title=title %}', title=SCRIPT)

        assert SCRIPT not in text
        assert "style=" not in text
        assert len(re.findall("<script", text)) == 1

    def test_unknown_is_not_zero(self) -> None:
        page = Elements(render('{% live_chart "score_avg" %}'))

        assert {words(row) for row in page.all("td")} == {"\N{EN DASH}", "\N{EN DASH} (so far)"}
        assert "hidden" in page.one("span", **{"data-live": "trend"})

    def test_the_nonce_of_the_page(self) -> None:
        page = Elements(render('{% live_chart "attempts" %}', csp_nonce="n0"))

        assert page.one("script")["nonce"] == "n0"

    def test_thousands_of_points_are_quickly_there(self) -> None:
        begin = time.perf_counter()
        page = Elements(render('{% live_chart "attempts" days=2000 %}'))

        assert len(page.all("td")) == 2000
        assert time.perf_counter() - begin < 2

    def test_what_cannot_be_drawn(self) -> None:
        with pytest.raises(TypeError, match="no history to draw"):
            render('{% live_chart "gifts" %}')
        with pytest.raises(ValueError, match="2000 are the most"):
            render('{% live_chart "attempts" days=2001 %}')
        with pytest.raises(ValueError, match="give a whole number that is not negative"):
            render('{% live_chart "attempts" hours=-1 %}')


class TestSparkline:
    def test_two_queries_more_however_many_cards(
        self, quiz: Quiz, django_assert_num_queries: Any
    ) -> None:
        complete(quiz, times=3)
        with django_assert_num_queries(3):
            page = Elements(render("{% live_counters sparkline=True %}"))

        lines = page.all("live-chart")
        assert len(lines) == len(page.all("live-counter"))
        assert {line["aria-hidden"] for line in lines} == {"true"}
        assert len(page.all("script")) == 1
        assert not Elements(render("{% live_counters %}")).all("script")

    def test_not_of_what_has_no_history(self) -> None:
        page = Elements(render('{% live_counters "gifts" sparkline=True %}'))

        assert not page.all("live-chart")


class TestBreakdown:
    def test_bars(self, quiz: Quiz, django_assert_num_queries: Any) -> None:
        other = Quiz.objects.create(title="Maps")
        complete(quiz, times=3)
        complete(other)
        with django_assert_num_queries(2):
            page = Elements(render('{% live_breakdown "per_quiz" %}'))

        names = page.all("span", **{"data-live": "name"})
        assert [one["text"] for one in names] == [str(quiz), str(other), ""]
        assert [bar["value"] for bar in page.all("progress")] == ["100", "33.3", ""]
        shares = page.all("span", **{"data-live": "share"})
        assert [one["text"] for one in shares] == ["75%", "25%", "%"]
        topic = granted(page.one("live-breakdown")["topic"], nobody)
        assert str(topic).endswith(":ever:10:per_quiz")

    def test_chips(self, quiz: Quiz) -> None:
        complete(quiz)
        page = Elements(render('{% live_breakdown "per_quiz" kind="chips" window="today" %}'))

        assert not page.all("progress")
        assert "hidden" in page.one("p")

    def test_names_are_text(self) -> None:
        Sale.objects.create(price=1, currency="<b>")
        page = render('{% live_breakdown "sales_per_currency" %}')

        assert "&lt;b&gt;" in page
        assert "<b>" not in page

    def test_nothing_yet(self) -> None:
        page = Elements(render('{% live_breakdown "per_quiz" %}'))

        assert "hidden" not in page.one("p")


class TestRecorder:
    def test_where_to_record(self, rf: Any) -> None:
        request = rf.get("/")
        request.user = User.objects.create(username="ada")

        said = render("{% live_recorder %}", request=request, user=request.user)

        assert 'content="/live/events/"' in said
        assert "CSRF_COOKIE" in request.META

    def test_nobody_records(self, rf: Any) -> None:
        request = rf.get("/")
        request.user = AnonymousUser()

        assert render("{% live_recorder %}", request=request, user=request.user).strip() == ""
        assert "CSRF_COOKIE" not in request.META


class TestNotifications:
    def test_the_number_leads_somewhere(self, rf: Any) -> None:
        request = rf.get("/")
        request.user = User.objects.create(username="ada")
        given = {"request": request, "user": request.user}

        assert 'href="/reached/"' in render('{% live_notifications href="/reached/" %}', **given)
        assert "href=" not in render("{% live_notifications %}", **given)


# Themes, and templates of the host's own


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_is_a_further_style_sheet(theme: str) -> None:
    links = Elements(render(f'{{% live_assets theme="{theme}" %}}')).all("link")

    assert [link["href"].rpartition("livecounters/")[2] for link in links] == [
        "livecounters.css",
        f"themes/{theme}.css",
    ]
    assert finders.find(f"livecounters/themes/{theme}.css")


def test_every_theme_is_known() -> None:
    shipped = Path(livecounters.__file__).parent / "static/livecounters/themes"

    assert tuple(sorted(file.stem for file in shipped.iterdir())) == THEMES


def test_a_theme_of_the_hosts_own(settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "livecounters/themes/ours.css"
    file.parent.mkdir(parents=True)
    file.write_text("")
    settings.STATICFILES_DIRS = [tmp_path]
    finders.get_finder.cache_clear()

    assert "livecounters/themes/ours.css" in render('{% live_assets theme="ours" %}')
    finders.get_finder.cache_clear()


def test_a_theme_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="Give one of board, paper, vivid, or put"):
        render('{% live_assets theme="payper" %}')


def overridden(settings: Any, directory: Path, name: str, text: str) -> None:
    """A host's own template, which stands before the package's and extends it under its name."""
    file = directory / "livecounters" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'{{% extends "livecounters/{name}" %}}{text}')
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [engine | {"DIRS": [directory]}]


def test_a_block_is_overridden_and_the_rest_stays(settings: Any, tmp_path: Path) -> None:
    label = "{% block label %}{{ block.super }}<small>of {{ card.name }}</small>{% endblock %}"
    overridden(settings, tmp_path, "live_counters.html", label)

    page = Elements(render('{% live_counters "attempts" "score_avg" %}'))

    assert [small["text"] for small in page.all("small")] == ["of attempts", "of score_avg"]
    assert [data["text"] for data in page.all("data")] == ["0", "\N{EN DASH}"]
    labels = page.all("span", **{"class": "live-card__label"})
    assert [label["text"] for label in labels] == ["Attempts", "Average score"]


@pytest.mark.parametrize(
    ("name", "block", "tag"),
    [
        ("live_counter.html", "value", '{% live_counter "attempts" %}'),
        ("live_counters.html", "card", '{% live_counters "attempts" %}'),
        ("live_event.html", "icon", "{% live_feed %}"),
        ("live_feed.html", "empty", "{% live_feed %}"),
        ("live_leaderboard.html", "empty", '{% live_leaderboard "per_user" %}'),
        ("live_status.html", "status", "{% live_status %}"),
    ],
)
def test_blocks(settings: Any, tmp_path: Path, name: str, block: str, tag: str) -> None:
    overridden(settings, tmp_path, name, "{% block " + block + " %}<u>ours</u>{% endblock %}")

    assert "<u>ours</u>" in render(tag)


def test_a_page_that_extends_another_keeps_its_own_blocks(settings: Any, tmp_path: Path) -> None:
    """A tag's block is none of the page's, whatever they are called."""
    (tmp_path / "base.html").write_text("{% block label %}base{% endblock %}")
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [engine | {"DIRS": [tmp_path]}]
    page = (
        '{% extends "base.html" %}{% load livecounters %}{% block label %}[{{ block.super }}'
        '{% live_counters "attempts" %}]{% endblock %}'
    )

    written = Template(page).render(Context({}))
    assert written.startswith("[base")
    assert "Attempts" in written


def test_the_status_says_when_the_page_was_made() -> None:
    with translation.override("de"):
        assert Elements(render("{% live_status %}")).one("live-status")["text"].startswith("Stand:")
