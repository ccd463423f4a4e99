import pytest
from django.urls import reverse

from livecounters.visitors import COOKIE

pytestmark = pytest.mark.django_db
BROWSER = {"user-agent": "Mozilla/5.0 Firefox/140.0"}


def test_the_status_page_shows_who_is_here_and_how_the_server_does(client):
    page = client.get(reverse("learning:status"), headers=BROWSER).content.decode()
    for name in ("online", "active_lately", "response_time", "database_round_trip"):
        assert f'topic="counter:{name}~' in page


def test_a_reader_of_a_quiz_is_in_its_room(client, quiz):
    page = client.get(quiz.get_absolute_url(), headers=BROWSER).content.decode()
    assert f'room="online:quiz_readers:{quiz.pk}~' in page


def test_a_visitor_gets_a_cookie_once(client):
    assert COOKIE in client.get(reverse("learning:home"), headers=BROWSER).cookies
    assert COOKIE not in client.get(reverse("learning:home"), headers=BROWSER).cookies
