import pytest
from django.urls import reverse
from people.models import Profile
from people.names import display_name

from livecounters.preferences import preferences

pytestmark = pytest.mark.django_db

ACCOUNT = {
    "first_name": "Ada",
    "username": "ada",
    "password1": "a lantern in the dark",
    "password2": "a lantern in the dark",
    "city": "Lyon",
}


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        (None, "Ines"),
        ({"city": "Lyon", "share_city": True}, "Ines from Lyon"),
        ({"city": "Lyon", "share_city": False}, "Ines"),
        ({"city": "", "share_city": True}, "Ines"),
    ],
)
def test_the_city_is_shown_only_when_it_is_shared(user, profile, name):
    if profile is not None:
        Profile.objects.create(user=user, **profile)
    assert display_name(user) == name


def test_without_a_first_name_the_user_name_is_shown(django_user_model):
    assert display_name(django_user_model.objects.create_user("root")) == "root"


@pytest.mark.parametrize(("shares", "name"), [({"share_city": "on"}, "Ada from Lyon"), ({}, "Ada")])
def test_signing_up_logs_in_and_shares_the_city_only_if_asked(
    client, django_user_model, shares, name
):
    response = client.post(reverse("people:sign_up"), {**ACCOUNT, **shares})
    assert response.url == reverse("learning:home")
    user = django_user_model.objects.get()
    assert client.session["_auth_user_id"] == str(user.pk)
    assert display_name(user) == name


def test_signing_up_with_a_taken_name_says_so(client, user):
    page = client.post(reverse("people:sign_up"), {**ACCOUNT, "username": user.username})
    assert "already exists" in page.content.decode()
    assert not Profile.objects.exists()


def test_log_in_and_out(client, user, course):
    url = reverse("people:login")
    data = {"username": "ines", "password": "secret", "next": course.get_absolute_url()}
    assert client.post(url, data).url == course.get_absolute_url()
    assert client.get(url).url == reverse("learning:home")
    client.post(reverse("people:logout"))
    assert client.get(url).status_code == 200


def test_the_profile_is_edited_and_lists_what_was_done(member, user, course):
    user.enrolments.create(course=course)
    assert course.title in member.get(reverse("people:profile")).content.decode()
    member.post(
        reverse("people:profile"), {"first_name": "Inês", "city": "Porto", "share_city": "on"}
    )
    user.refresh_from_db()
    assert display_name(user) == "Inês from Porto"


def test_what_is_shown_of_what_was_reached(member, user):
    wanted = preferences(str(user.pk))
    shown = {what: "on" for what in wanted if what != "notices:streak"}
    member.post(reverse("people:profile"), {"shown": "1", **shown})

    assert preferences(str(user.pk)) == {**wanted, "notices:streak": False}
    assert "Show me streaks that I reach" in member.get(reverse("people:profile")).content.decode()
