import io
import random
import threading

import pytest
from django.contrib.auth.models import User
from learning.demo import courses, history
from learning.demo.learners import LEARNERS
from learning.models import Attempt, Enrolment
from learning.simulation import visits
from learning.simulation.browser import Browser, Refused, ServerDown, read
from learning.simulation.crowd import Crowd
from packages.demo import catalogue
from packages.models import Like, Purchase, Rating

NOWHERE = "http://127.0.0.1:9"  # the discard port, where nobody listens


def test_a_page_is_read_into_links_and_forms():
    page = read(
        "http://site/",
        """<a href="/courses/a/">A</a>
        <form action="/x/" method="post"><input type="hidden" name="token" value="t">
        <fieldset><legend> How  many? </legend>
        <label><input type="radio" name="choice" value="7"> <span>One &amp; two</span></label>
        </fieldset></form>""",
    )
    (form,) = page.forms
    assert page.links == ["/courses/a/"]
    assert page.form("/x/") is form
    assert (form.fields, form.legend) == ({"token": "t"}, "How many?")
    assert form.options == {"One & two": ("choice", "7")}


def test_a_server_that_is_down_is_told_from_one_that_refuses(live_server):
    with pytest.raises(ServerDown):
        Browser(NOWHERE).get("/")
    with pytest.raises(Refused, match="404"):
        Browser(live_server.url).get("/nowhere/")


def test_the_crowd_waits_for_the_server_but_not_for_ever(monkeypatch):
    monkeypatch.setattr("learning.simulation.crowd.RETRY", 0.01)
    crowd = Crowd(NOWHERE, random.Random(1), print)
    with pytest.raises(ServerDown):
        crowd.run(threading.Event(), pace=0.001, at_once=3, patience=0.1)


@pytest.mark.django_db(transaction=True)
def test_learners_take_quizzes_enrol_judge_and_buy_through_the_site(live_server, monkeypatch):
    for name in ("ENROLS", "LIKES", "RATES", "SHOPS"):
        monkeypatch.setattr(visits, name, 1)
    courses.load()
    catalogue.load()
    history.load_people()
    rng = random.Random(3)
    for learner in [*LEARNERS[:8], None, None]:
        person = visits.Person(Browser(live_server.url), learner, skill=0.9)
        for _ in visits.visit(person, rng, courses.right_answers()):
            pass
    done = Attempt.objects.filter(completed=True)
    assert done.filter(user__isnull=False).exists()
    assert done.filter(user=None).exists()
    assert not Attempt.objects.filter(simulated=False).exists()
    assert sum(done.values_list("score", flat=True)) / done.count() > 60
    assert Enrolment.objects.filter(status="active", simulated=True).count() == 8
    assert User.objects.filter(last_login__isnull=False).count() == 8
    for model in (Like, Rating, Purchase):
        assert model.objects.exists()
        assert not model.objects.filter(simulated=False).exists()


@pytest.mark.django_db(transaction=True)
def test_a_visit_that_goes_wrong_does_not_stop_the_crowd(live_server):
    """Without accounts and courses everybody gives up, and the crowd goes on until stopped."""
    stop, complaints = threading.Event(), io.StringIO()

    def complain(text):
        complaints.write(text)
        if complaints.getvalue().count("gave up") >= 3:
            stop.set()

    crowd = Crowd(live_server.url, random.Random(1), complain)
    crowd.run(stop, pace=0.01, at_once=4, patience=5)
    assert len(crowd.idle) >= len(LEARNERS)
