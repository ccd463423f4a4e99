import re
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from learning.models import Attempt, Quiz
from learning.simulation import USER_AGENT
from packages.models import Like, Package, Purchase, Rating
from packages.numbers import with_package_numbers, with_quiz_numbers
from packages.sorting import Sorting
from packages.templatetags.packages import halves

import livecounters as live
from livecounters.models import ActivityEvent
from livecounters.testing import assert_counter, verify
from tests.example.taking import take

pytestmark = pytest.mark.django_db

JSON = {"accept": "application/json"}


def make_package(title="Ropes", *quizzes, **fields):
    package = Package.objects.create(
        title=title, slug=title.lower().replace(" ", "-"), **{"price": Decimal("12.50"), **fields}
    )
    package.quizzes.set(quizzes)
    return package


@pytest.fixture
def package(quiz):
    return make_package("Ropes", quiz)


@pytest.fixture
def other(django_user_model):
    return django_user_model.objects.create_user("other")


def press(client, name, quiz, headers=JSON, **data):
    return client.post(reverse(f"packages:{name}", args=[quiz.pk]), data, headers=headers)


def buy(client, package, currency="EUR", **kwargs):
    return client.post(
        reverse("packages:buy", args=[package.slug]), {"currency": currency}, **kwargs
    )


def shown(client, url, name):
    """What a page says of a counter, each time it does."""
    html = client.get(url).content.decode()
    found = re.findall(
        rf'<live-counter[^>]*data-name="{name}".*?<data[^>]*>([^<]*)</data>', html, re.DOTALL
    )
    assert found, f"{url} does not show {name}"
    return found


def shows(client, url, name, *texts):
    assert shown(client, url, name) == list(texts)


# Likes


def test_a_like_counts_once_however_often_it_is_pressed(member, quiz, package):
    for _ in range(2):
        assert press(member, "like", quiz).json() == {"likes": 1, "liked": True}
    assert Like.objects.count() == 1
    assert_counter("package_likes", 1, of=package)
    for _ in range(2):
        assert press(member, "unlike", quiz).json() == {"likes": 0, "liked": False}
    assert_counter("package_likes", 0, of=package)
    verify()


def test_likes_of_all_people_are_told(client, member, quiz, other):
    press(member, "like", quiz)
    client.force_login(other)
    assert press(client, "like", quiz).json() == {"likes": 2, "liked": True}
    assert press(client, "unlike", quiz).json() == {"likes": 1, "liked": False}


def test_without_javascript_one_comes_back_to_the_page(member, quiz, package):
    page = package.get_absolute_url()
    for name in ("like", "unlike"):
        assert press(member, name, quiz, headers=None, next=page).url == page
    assert press(member, "rate", quiz, headers=None, stars=4, next=page).url == page


@pytest.mark.parametrize("page", ["", "https://evil.example/", "//evil.example/", "javascript:1"])
def test_one_comes_back_to_this_site_only(member, quiz, page):
    assert press(member, "like", quiz, headers=None, next=page).url == quiz.get_absolute_url()


@pytest.mark.parametrize("name", ["like", "unlike", "rate"])
def test_guests_log_in_and_come_back(client, quiz, package, name, user):
    page = package.get_absolute_url()
    response = press(client, name, quiz, headers=None, stars=5, next=page)
    assert response.url == f"{reverse('people:login')}?next={page}"
    answer = client.post(response.url, {"username": "ines", "password": "secret", "next": page})
    assert answer.url == page
    assert not Like.objects.exists()
    assert not Rating.objects.exists()


@pytest.mark.parametrize("name", ["like", "unlike", "rate"])
def test_scripts_of_guests_are_told_where_to_log_in(client, quiz, name):
    response = press(client, name, quiz, stars=5)
    assert response.status_code == 401
    assert response.json() == {"error": "Log in first.", "login": reverse("people:login")}


@pytest.mark.parametrize("name", ["like", "unlike", "rate"])
def test_looking_at_an_action_does_nothing(member, quiz, name):
    url = reverse(f"packages:{name}", args=[quiz.pk])
    assert member.get(url).url == quiz.get_absolute_url()
    assert not Like.objects.exists()


@pytest.mark.parametrize("name", ["like", "unlike", "rate"])
def test_a_quiz_that_is_not_there_cannot_be_judged(member, name):
    assert member.post(reverse(f"packages:{name}", args=[999]), {"stars": 5}).status_code == 404


@pytest.mark.parametrize("name", ["like", "unlike", "rate"])
def test_forms_of_other_sites_are_refused(user, quiz, name):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    assert press(strict, name, quiz, stars=5).status_code == 403


# Ratings


def test_rating_again_replaces_the_stars(member, quiz, package):
    assert press(member, "rate", quiz, stars=2).json() == {"average": 2, "stars": 2}
    first = Rating.objects.get()
    for _ in range(2):
        assert press(member, "rate", quiz, stars=5).json() == {"average": 5, "stars": 5}
    again = Rating.objects.get()
    assert (again.pk, again.stars, again.created_at) == (first.pk, 5, first.created_at)
    assert again.updated_at > first.updated_at
    assert_counter("package_rating", 5, of=package)
    verify()


def test_the_average_is_that_of_everybody(client, member, quiz, other):
    press(member, "rate", quiz, stars=2)
    client.force_login(other)
    assert press(client, "rate", quiz, stars=5).json() == {"average": 3.5, "stars": 5}


@pytest.mark.parametrize("stars", ["0", "6", "-1", "", "four", "3.5", "1e0", "٣", "5 stars"])
def test_other_than_one_to_five_stars_are_refused(member, quiz, stars):
    press(member, "rate", quiz, stars=3)
    response = press(member, "rate", quiz, stars=stars)
    assert response.status_code == 400
    assert response.json() == {"error": "Give one to five stars."}
    assert Rating.objects.get().stars == 3


def test_who_needs_a_page_gets_the_refusal_as_one(member, quiz, package):
    page = package.get_absolute_url()
    response = press(member, "rate", quiz, headers=None, next=page)
    assert response.status_code == 400
    html = response.content.decode()
    assert "Give one to five stars." in html
    assert f'href="{page}"' in html


@pytest.mark.parametrize("stars", [0, 6])
def test_the_database_knows_only_one_to_five_stars(user, quiz, stars):
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(user=user, quiz=quiz, stars=stars)


# Purchases


def test_a_package_is_bought_once(member, user, package):
    for currency in ("USD", "EUR", "USD"):
        assert buy(member, package, currency).url == package.get_absolute_url()
    purchase = Purchase.objects.get()
    assert (purchase.user, purchase.currency, purchase.price) == (user, "USD", Decimal("12.50"))
    assert_counter("package_buyers", 1, of=package)
    assert_counter("package_earnings", Decimal("12.50"), of=(package, "USD"))
    assert_counter("package_earnings", Decimal(0), of=(package, "EUR"))
    assert "This package is yours" in member.get(package.get_absolute_url()).content.decode()
    verify()


def test_a_purchase_is_told_once(member, user, package):
    for _ in range(2):
        buy(member, package)
    (event,) = ActivityEvent.objects.filter(kind="packages.package_bought")
    assert (event.actor, event.target_label) == (str(user.pk), "Ropes")


def test_a_purchase_keeps_its_price(client, member, package, other):
    buy(member, package)
    Package.objects.update(price=Decimal("20.00"))
    client.force_login(other)
    buy(client, package)
    assert_counter("package_earnings", Decimal("32.50"), of=(package, "EUR"))


@pytest.mark.parametrize(
    ("currency", "error"),
    [("", "Choose a currency."), ("XXX", "Choose one of these currencies.")],
)
def test_a_package_is_not_sold_for_another_currency(member, package, currency, error):
    response = buy(member, package, currency)
    assert response.status_code == 400
    assert error in response.content.decode()
    assert not Purchase.objects.exists()


def test_guests_log_in_before_they_buy(client, package):
    response = buy(client, package)
    assert response.url == f"{reverse('people:login')}?next={package.get_absolute_url()}"
    assert client.get(reverse("packages:buy", args=[package.slug])).url == (
        package.get_absolute_url()
    )


def test_what_is_not_published_is_neither_shown_nor_sold(member, quiz):
    package = make_package("Draft", quiz, published=False)
    assert member.get(package.get_absolute_url()).status_code == 404
    assert buy(member, package).status_code == 404
    for page in (reverse("packages:packages"), quiz.get_absolute_url()):
        assert "Draft" not in member.get(page).content.decode()


def test_what_is_sold_cannot_be_deleted(member, package):
    buy(member, package)
    with pytest.raises(ProtectedError):
        package.delete()


@pytest.mark.parametrize(("agent", "simulated"), [(USER_AGENT, True), ("Mozilla/5.0", False)])
def test_what_simulated_learners_do_is_marked(member, quiz, package, agent, simulated):
    headers = {"user-agent": agent}
    press(member, "like", quiz, headers=headers)
    press(member, "rate", quiz, headers=headers, stars=4)
    buy(member, package, headers=headers)
    for model in (Like, Rating, Purchase):
        assert model.objects.get().simulated is simulated


# Two at the same time


@contextmanager
def outrun(row):
    """Somebody else writes this row right after one has looked and not found it."""

    def write(execute, sql, params, many, context):
        found = execute(sql, params, many, context)
        if sql.startswith("SELECT") and f'FROM "{row._meta.db_table}"' in sql and not row.pk:
            row.save()
        return found

    with connection.execute_wrapper(write):
        yield
    assert row.pk


def test_the_second_of_two_equal_requests_changes_nothing(member, user, quiz, package):
    with outrun(Like(user=user, quiz=quiz)):
        assert press(member, "like", quiz).json() == {"likes": 1, "liked": True}
    with outrun(Rating(user=user, quiz=quiz, stars=2)):
        assert press(member, "rate", quiz, stars=4).json() == {"average": 4, "stars": 4}
    with outrun(Purchase(user=user, package=package, price=1)):
        assert buy(member, package).url == package.get_absolute_url()
    assert [model.objects.count() for model in (Like, Rating, Purchase)] == [1, 1, 1]
    assert_counter("package_earnings", 1, of=(package, "EUR"))
    verify()


# Numbers on the pages


def test_pages_show_each_number_right_after_the_action(member, quiz, package):
    pages = (reverse("packages:packages"), package.get_absolute_url())
    for page in pages:
        shows(member, page, "package_attempts", "0")
        shows(member, page, "package_rating", "–")  # noqa: RUF001 - what is shown of nothing
    take(member, quiz, "right", "wrong")
    press(member, "like", quiz)
    press(member, "rate", quiz, stars=4)
    buy(member, package, "GBP")
    for page in pages:
        shows(member, page, "package_attempts", "1")
        shows(member, page, "package_score", "50.0")
        shows(member, page, "package_likes", "1")
        shows(member, page, "package_rating", "4.0")
        shows(member, page, "package_buyers", "1")
    shows(member, pages[1], "package_earnings", "0.00", "0.00", "12.50")
    for page in (pages[1], quiz.get_absolute_url()):
        shows(member, page, "quiz_attempts", "1")
        shows(member, page, "quiz_likes", "1")
        shows(member, page, "quiz_rating", "4.0")
    press(member, "unlike", quiz)
    press(member, "rate", quiz, stars=1)
    for page in pages:
        shows(member, page, "package_likes", "0")
        shows(member, page, "package_rating", "1.0")


def test_a_quiz_counts_in_all_its_packages_and_moves_with_its_numbers(member, quiz, package):
    second = make_package("Knots and Loops", quiz)
    press(member, "like", quiz)
    press(member, "rate", quiz, stars=3)
    take(member, quiz, "right", "right")
    for each in (package, second):
        shows(member, each.get_absolute_url(), "package_likes", "1")
    package.quizzes.remove(quiz)
    page = package.get_absolute_url()
    shows(member, page, "package_likes", "0")
    shows(member, page, "package_rating", "–")  # noqa: RUF001
    shows(member, page, "package_attempts", "0")
    shows(member, second.get_absolute_url(), "package_score", "100.0")
    verify()


def test_a_quiz_links_to_its_packages(client, quiz, package):
    page = client.get(quiz.get_absolute_url()).content.decode()
    assert package.get_absolute_url() in page
    assert reverse("packages:packages") in client.get("/").content.decode()


def test_the_page_says_what_one_has_said(client, member, quiz, package, other):
    press(member, "like", quiz)
    press(member, "rate", quiz, stars=4)
    for page in (package.get_absolute_url(), quiz.get_absolute_url()):
        html = member.get(page).content.decode()
        assert reverse("packages:unlike", args=[quiz.pk]) in re.search(
            r'action="([^"]*like/)"', html
        ).group(1)
        assert re.findall(r'value="(\d)"\s+aria-pressed="true"', html) == ["4"]
    client.force_login(other)
    html = client.get(package.get_absolute_url()).content.decode()
    assert 'aria-pressed="true"' not in html


@pytest.mark.parametrize(
    ("stars", "drawn"), [(None, "0"), (1, "1"), (3.24, "3"), (3.25, "3.5"), (4.75, "5"), (5, "5")]
)
def test_stars_are_drawn_in_halves(stars, drawn):
    assert halves(stars) == drawn


def test_no_page_needs_inline_script_or_style(member, quiz, package):
    refused = press(member, "rate", quiz, headers=None)
    pages = [
        member.get(url)
        for url in (
            reverse("packages:packages"),
            package.get_absolute_url(),
            quiz.get_absolute_url(),
        )
    ]
    for response in [*pages, refused]:
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert not re.search(
            r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:",
            response.content.decode(),
        )


# The list


@pytest.fixture
def three(course, django_user_model):
    """Three packages, by title: of which the first has most likes, the second most attempts and
    the best score, the third the best rating, most buyers and the highest price."""
    people = [django_user_model.objects.create_user(f"user{number}") for number in range(4)]
    packages, now = [], timezone.now()
    for position, title in enumerate(("Anchors", "Bends", "Coils")):
        quiz = Quiz.objects.create(course=course, title=title, position=position)
        price = Decimal(position)
        packages.append(make_package(title, quiz, price=price))
    anchors, bends, coils = (each.quizzes.get() for each in packages)

    def attempt(quiz, score):
        Attempt.objects.create(quiz=quiz, score=score, completed=True, completed_at=now)

    for user in people[:3]:
        Like.objects.create(user=user, quiz=anchors)
    Like.objects.create(user=people[0], quiz=bends)
    for score in (70, 90, 80):
        attempt(bends, score)
    attempt(anchors, 60)
    Rating.objects.create(user=people[0], quiz=anchors, stars=2)
    Rating.objects.create(user=people[0], quiz=coils, stars=5)
    for number in (0, 2):
        for user in people[: number + 1]:
            Purchase.objects.create(user=user, package=packages[number], price=1)
    return packages


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("title", "ABC"),
        ("-title", "CBA"),
        ("attempts", "CAB"),
        ("-attempts", "BAC"),
        ("likes", "CBA"),
        ("-likes", "ABC"),
        ("rating", "ACB"),  # who has none comes last
        ("-rating", "CAB"),
        ("score", "ABC"),
        ("-score", "BAC"),
        ("buyers", "BAC"),
        ("-buyers", "CAB"),
        ("price", "ABC"),
        ("-price", "CBA"),
        ("", "BAC"),
        ("pk", "BAC"),
        ("--likes", "BAC"),
        ("quizzes__title", "BAC"),
        ("-", "BAC"),
    ],
)
def test_the_list_is_sorted(client, three, sort, order):
    page = client.get(reverse("packages:packages"), {"sort": sort})
    assert "".join(each.title[0] for each in page.context["packages"]) == order
    current = re.findall(r'href="([^"]*)"\s+aria-current="true"', page.content.decode())
    assert current == [f"?sort={next(c['name'] for c in Sorting(sort).choices if c['current'])}"]


def test_the_link_of_the_current_column_turns_it_round():
    def names(sort):
        return [choice["name"] for choice in Sorting(sort).choices]

    assert names("-likes")[:3] == ["title", "-attempts", "likes"]
    assert names("likes")[:3] == ["title", "-attempts", "-likes"]
    assert names("title")[0] == "-title"


def test_the_numbers_of_lists_are_those_of_the_counters(three, user):
    for package in with_package_numbers(Package.objects.all()):
        for name, counter in (
            ("attempts", "package_attempts"),
            ("likes", "package_likes"),
            ("rating", "package_rating"),
            ("score", "package_score"),
            ("buyers", "package_buyers"),
        ):
            assert getattr(package, name) == live.counters[counter].value(of=package), counter
        assert package.size == 1
    for quiz in with_quiz_numbers(Quiz.objects.all(), user):
        assert quiz.taken == live.counters["quiz_attempts"].value(of=quiz)
        assert quiz.like_count == live.counters["quiz_likes"].value(of=quiz)
        assert quiz.average_stars == live.counters["quiz_rating"].value(of=quiz)
        assert (quiz.is_liked, quiz.my_stars) == (False, None)


def queries_of(client, url):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in queries]


def test_a_hundred_packages_cost_the_queries_of_three(client, three):
    url = reverse("packages:packages")
    queries_of(client, url)  # what is read once and remembered
    few = queries_of(client, url)
    for number in range(97):
        make_package(f"More {number}")
    many = queries_of(client, url)
    assert len(many) == len(few)
    assert len([sql for sql in many if '"packages_package"' in sql]) == 1


def test_a_package_of_many_quizzes_costs_the_queries_of_one(member, course, package):
    url = package.get_absolute_url()
    queries_of(member, url)
    few = queries_of(member, url)
    for position in range(20):
        package.quizzes.add(
            Quiz.objects.create(course=course, title=f"Quiz {position}", position=position)
        )
    assert len(queries_of(member, url)) == len(few)


def test_people_who_leave_take_their_opinions_along(member, user, quiz, package):
    press(member, "like", quiz)
    press(member, "rate", quiz, stars=4)
    buy(member, package)
    User.objects.get(pk=user.pk).delete()
    page = package.get_absolute_url()
    shows(Client(), page, "package_likes", "0")
    shows(Client(), page, "package_rating", "–")  # noqa: RUF001
    shows(Client(), page, "package_buyers", "0")
