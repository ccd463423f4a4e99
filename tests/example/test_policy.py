import re

import pytest
from django.core.checks import run_checks
from django.http import HttpResponse
from django.urls import reverse
from lantern.middleware import ADMIN_POLICY, POLICY, ContentSecurityPolicyMiddleware

from tests.example.taking import start, take


@pytest.mark.parametrize(
    ("path", "policy"), [("/", POLICY), ("/people/login/", POLICY), ("/admin/login/", ADMIN_POLICY)]
)
def test_every_page_has_a_strict_policy(rf, path, policy):
    response = ContentSecurityPolicyMiddleware(lambda request: HttpResponse())(rf.get(path))
    assert response.get("Content-Security-Policy") == policy


@pytest.mark.django_db
def test_no_page_needs_inline_script_or_style(member, quiz):
    results = take(member, quiz, "right", "wrong").url
    question = reverse("learning:question", args=[start(member, quiz).pk])
    pages = [
        reverse("learning:home"),
        quiz.course.get_absolute_url(),
        quiz.get_absolute_url(),
        results,
        question,
    ]
    for url in [*pages, reverse("people:profile")]:
        html = member.get(url).content.decode()
        assert not re.search(
            r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", html
        ), url


@pytest.mark.django_db
def test_our_numbers_may_stand_on_other_sites(client, quiz):
    page = client.get(reverse("learning:share")).content.decode()

    addresses = re.findall(r'<(?:iframe class="embed"|img) src="http://testserver([^"]+)"', page)
    assert len(addresses) == 4
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200
        assert not answer.cookies
        if ".svg?" not in address:
            assert "frame-ancestors 'self' *" in answer["Content-Security-Policy"]
            assert "X-Frame-Options" not in answer


@pytest.mark.django_db
def test_the_api_is_described(client):
    answer = client.get(reverse("schema"))

    assert answer.status_code == 200
    assert b"/live/counters/{id}/series/" in answer.content


@pytest.mark.django_db
def test_the_site_has_nothing_to_be_warned_of():
    told = [
        str(message)
        for message in run_checks(databases=["default"])
        if str(message.id).startswith("livecounters.")
    ]
    assert told == []
