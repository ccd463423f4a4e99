import re

import pytest
from django.contrib import admin
from django.contrib.messages.storage.cookie import CookieStorage
from django.urls import reverse
from learning.admin import EnrolmentAdmin
from learning.models import Attempt, Enrolment

pytestmark = pytest.mark.django_db


def press(client, name, course):
    return client.post(reverse(f"learning:{name}", args=[course.slug]))


def test_an_enrolment_is_pending_until_it_is_confirmed(member, user, course):
    press(member, "enrol", course)
    enrolment = Enrolment.objects.get(user=user, course=course)
    assert (enrolment.status, enrolment.activated_at) == ("pending", None)
    press(member, "confirm", course)
    enrolment.refresh_from_db()
    assert enrolment.status == "active"
    assert enrolment.activated_at > enrolment.created_at


def test_enrolling_and_confirming_twice_changes_nothing(member, course):
    for name in ("enrol", "enrol", "confirm"):
        press(member, name, course)
    before = Enrolment.objects.get().activated_at
    for name in ("enrol", "confirm"):
        press(member, name, course)
    assert Enrolment.objects.get().activated_at == before


def test_leaving_a_course_deletes_the_enrolment(member, course):
    press(member, "enrol", course)
    press(member, "leave_course", course)
    assert not Enrolment.objects.exists()


@pytest.mark.parametrize("name", ["enrol", "confirm", "leave_course"])
def test_guests_are_asked_to_log_in_and_come_back_to_the_course(client, user, course, name):
    response = press(client, name, course)
    assert response.url.startswith(reverse("people:login"))
    client.force_login(user)
    assert (
        client.get(reverse(f"learning:{name}", args=[course.slug])).url == course.get_absolute_url()
    )


def test_the_page_offers_the_next_step(member, course):
    steps = [
        ("enrol", "Confirm my place"),
        ("confirm", "You are enrolled"),
        ("leave_course", "Enrol in this course"),
    ]
    for name, offered in steps:
        press(member, name, course)
        assert offered in member.get(course.get_absolute_url()).content.decode()


def test_home_lists_the_courses(client, course, quiz):
    page = client.get(reverse("learning:home")).content.decode()
    assert course.title in page
    assert "1 quiz<" in page


def test_the_note_about_simulation_appears_with_simulated_data(client, quiz, settings):
    settings.LANTERN_SIMULATION = False
    note = "the activity you see is simulated"
    assert note not in client.get(reverse("learning:home")).content.decode()
    Attempt.objects.create(quiz=quiz, simulated=True)
    assert note in client.get(reverse("learning:home")).content.decode()


def test_admin_actions_update_many_at_once(
    rf, course, django_user_model, django_assert_num_queries
):
    for number in range(3):
        Enrolment.objects.create(
            user=django_user_model.objects.create_user(f"user{number}"), course=course
        )
    request = rf.post("/")
    request._messages = CookieStorage(request)
    actions = EnrolmentAdmin(Enrolment, admin.site)
    with django_assert_num_queries(1):
        actions.activate(request, Enrolment.objects.all())
    assert Enrolment.objects.filter(status="active", activated_at__isnull=False).count() == 3
    with django_assert_num_queries(1):
        actions.suspend(request, Enrolment.objects.all())
    assert Enrolment.objects.filter(status="pending", activated_at=None).count() == 3


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_others_embed_speaks_the_language_of_the_page(client, language):
    client.cookies["django_language"] = language

    page = client.get("/share/").content.decode()

    addresses = re.findall(r'src="(http://[^"]*)"', page)
    # A card and a badge of two numbers, as shown and as copied.
    assert len(addresses) == 8
    assert all(address.endswith(f"?lang={language}") for address in addresses)
    assert client.get(addresses[0]).headers["Content-Language"] == language
