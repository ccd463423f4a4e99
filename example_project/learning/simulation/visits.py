"""What simulated learners do. A visit is a generator that yields where people stop and think."""

import random
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from django.urls import reverse

from ..demo.learners import PASSWORD, Learner
from .browser import Browser, Page, Refused

ABANDONS = 0.12  # of all quizzes begun
PRACTISES = 0.15
ENROLS = 0.25  # of all visits to a course
COURSES_AT_ONCE = 4
LIKES = 0.25  # of all quizzes finished
RATES = 0.25
CHANGES_MIND = 0.3  # of those who come to a quiz they like, so likes never run out
SHOPS = 0.06  # of all visits
CURRENCIES = ("EUR", "EUR", "USD", "GBP")


@dataclass
class Person:
    """A simulated learner, or a guest without an account, and their browser."""

    browser: Browser
    learner: Learner | None
    skill: float
    courses: int = 0


def visit(person: Person, rng: random.Random, right_answers: dict[str, str]) -> Iterator[None]:
    """Come to the site, choose a course, perhaps enrol, take one of its quizzes and judge it."""
    home = person.browser.get(reverse("learning:home"))
    if person.learner and not _is_signed_in(home):
        _sign_in(person, person.learner)
    yield
    course = _follow(person, home, rng, "/courses/")
    yield
    if person.learner and rng.random() < ENROLS:
        yield from _enrol_or_leave(person, course)
    quiz = _follow(person, course, rng, "/quizzes/")
    yield
    results = yield from _take(person, quiz, rng, right_answers)
    if person.learner and results:
        yield from _judge(person, results, rng)
    if person.learner and rng.random() < SHOPS:
        yield from _shop(person, rng)


def _sign_in(person: Person, learner: Learner) -> None:
    page = person.browser.get(reverse("people:login"))
    form = next((form for form in page.forms if "password" in form.fields), None)
    if form is not None:
        page = person.browser.submit(page, form, username=learner.username, password=PASSWORD)
    if not _is_signed_in(page):
        raise Refused(f"{learner.username} could not log in")


def _is_signed_in(page: Page) -> bool:
    return page.form(reverse("people:logout")) is not None


def _follow(person: Person, page: Page, rng: random.Random, prefix: str) -> Page:
    links = sorted({link for link in page.links if link.startswith(prefix)})
    if not links:
        raise Refused(f"no link to {prefix} on {page.url}")
    return person.browser.get(rng.choice(links))


def _enrol_or_leave(person: Person, course: Page) -> Iterator[None]:
    """Ask for a place and confirm it. Who has many gives one up, so places never run out."""
    if form := course.form("/enrol/"):
        course = person.browser.submit(course, form)
        yield
    if form := course.form("/confirm/"):
        person.browser.submit(course, form)
        person.courses += 1
        yield
    elif (form := course.form("/leave/")) and person.courses >= COURSES_AT_ONCE:
        person.browser.submit(course, form)
        person.courses -= 1
        yield


def _take(
    person: Person, quiz: Page, rng: random.Random, right_answers: dict[str, str]
) -> Generator[None, None, Page | None]:
    """The page with the results, if it comes to that."""
    start = quiz.form("/start/")
    if start is None:
        return None
    mode = "practice" if rng.random() < PRACTISES else "real"
    page = person.browser.submit(quiz, start, mode=mode)
    stops_at = rng.randint(1, 4) if rng.random() < ABANDONS else None
    asked = 0
    while (form := next((form for form in page.forms if form.options), None)) is not None:
        yield
        if asked == stops_at:
            if rng.random() < 0.5 and (leave := page.form("/leave/")):
                person.browser.submit(page, leave)
            return None  # the others just close the tab
        name, value = _choose(form.options, right_answers.get(form.legend), person.skill, rng)
        page = person.browser.submit(page, form, **{name: value})
        asked += 1
    return page


def _choose(
    options: dict[str, tuple[str, str]], right: str | None, skill: float, rng: random.Random
) -> tuple[str, str]:
    if right in options and rng.random() < skill:
        return options[right]
    return rng.choice([option for text, option in options.items() if text != right])


def _judge(person: Person, results: Page, rng: random.Random) -> Iterator[None]:
    """Like the quiz or take that back, and give it stars."""
    if rng.random() < LIKES:
        form = results.form("/like/")
        if form is None and rng.random() < CHANGES_MIND:
            form = results.form("/unlike/")
        if form is not None:
            yield
            results = person.browser.submit(results, form)
    if rng.random() < RATES and (form := results.form("/rate/")):
        yield
        person.browser.submit(results, form, stars=str(rng.choice((2, 3, 4, 4, 5, 5))))


def _shop(person: Person, rng: random.Random) -> Iterator[None]:
    """Look at a package, and buy it if one has not yet."""
    packages = person.browser.get(reverse("packages:packages"))
    yield
    package = _follow(person, packages, rng, "/packages/")
    if form := package.form("/buy/"):
        yield
        person.browser.submit(package, form, currency=rng.choice(CURRENCIES))
