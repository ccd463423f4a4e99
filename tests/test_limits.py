"""Limits: arithmetic."""

from __future__ import annotations

import pytest

from livecounters.limits import Bucket, Crowd, is_public


def test_a_burst_and_then_so_many_a_second() -> None:
    bucket = Bucket(2)

    assert [bucket.take(0.0) for _ in range(11)] == [True] * 10 + [False]
    assert not bucket.take(0.4)
    assert bucket.take(0.5)
    assert not bucket.take(0.5)
    assert [bucket.take(1000.0) for _ in range(11)] == [True] * 10 + [False]


def test_without_bound() -> None:
    bucket = Bucket(None)

    assert all(bucket.take(0.0) for _ in range(1000))


def test_a_crowd() -> None:
    crowd = Crowd()
    crowd.add("a")
    crowd.add("a")
    assert crowd["a"] == 2
    crowd.remove("a")
    crowd.remove("a")
    crowd.remove("a")
    assert crowd["a"] == 0


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("::1", False),
        ("", False),
        ("testclient", False),
    ],
)
def test_addresses_of_the_internet(address: str, public: bool) -> None:
    assert is_public(address) is public
