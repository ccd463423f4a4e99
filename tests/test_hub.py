"""The hub alone: what comes in, which frames go out, to whom."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from livecounters.hub import RING, Delivery, Hub, ReadOut


@dataclass(eq=False)
class Page:
    """A socket that remembers."""

    language: str = "en"
    texts: list[str] = field(default_factory=list)

    def write(self, text: str) -> None:
        self.texts.append(text)

    @property
    def frames(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]


@dataclass(frozen=True)
class Happening:
    seq: int
    group: str = ""

    @property
    def key(self) -> str:
        return self.group or str(self.seq)

    def say(self, language: str) -> dict[str, Any]:
        return {"seq": self.seq, "text": f"{language} {self.seq}"}


def happenings(*numbers: int) -> list[Any]:
    return [Happening(number) for number in numbers]


def read(seq: int = 0, epoch: str = "e", **rest: Any) -> ReadOut:
    return ReadOut(epoch=epoch, seq=seq, at="now", **rest)


def deliver(deliveries: list[Delivery]) -> None:
    for text, sockets, _ in deliveries:
        for socket in sockets:
            socket.write(text)


@pytest.fixture
def hub() -> Hub:
    return Hub(interval=0.25)


def test_a_value_is_encoded_once_for_everybody(hub: Hub) -> None:
    pages = [Page(), Page(language="de")]
    for page in pages:
        assert not hub.follow_number(page, "counter:n", "m", "")
    assert hub.due(0) == ["counter:n"]

    deliver(hub.take(read(3, values={"counter:n": 7})))

    assert pages[0].texts[0] is pages[1].texts[0]
    assert pages[0].frames == [
        {"op": "values", "values": {"counter:n": 7}, "at": "now", "epoch": "e", "seq": 3}
    ]


def test_what_the_same_pages_follow_shares_a_frame(hub: Hub) -> None:
    pages = [Page(), Page()]
    for page in pages:
        for name in ("counter:a", "counter:b"):
            hub.follow_number(page, name, name, "")
    hub.follow_number(pages[0], "counter:c", "c", "")

    deliveries = hub.take(read(values={"counter:a": 1, "counter:b": 2, "counter:c": 3}))
    deliver(deliveries)

    assert len(deliveries) == 2
    assert [frame["values"] for frame in pages[0].frames] == [
        {"counter:a": 1, "counter:b": 2},
        {"counter:c": 3},
    ]
    assert len(pages[1].frames) == 1


def test_a_known_value_needs_no_reading(hub: Hub) -> None:
    hub.follow_number(Page(), "counter:n", "m", "")
    hub.due(0)
    hub.take(read(values={"counter:n": 7}))

    late = Page()
    assert hub.follow_number(late, "counter:n", "m", "")
    late.write(hub.known_values(["counter:n"]))

    assert hub.due(10) == []
    assert late.frames[0]["values"] == {"counter:n": 7}


def test_an_equal_value_is_not_sent_again(hub: Hub) -> None:
    page = Page()
    hub.follow_number(page, "counter:n", "m", "")
    for now in (0, 1, 2):
        hub.touch_all()
        assert hub.due(now) == ["counter:n"]
        deliver(hub.take(read(values={"counter:n": 7})))

    assert len(page.frames) == 1


def test_the_first_at_once_the_last_always(hub: Hub) -> None:
    hub.follow_number(Page(), "counter:n", "m", "")
    assert hub.due(0) == ["counter:n"]
    hub.take(read(values={"counter:n": 1}))

    hub.touch({"m": None}, "e", 0)
    assert hub.due(0.1) == []
    assert hub.next_due(0.1) == pytest.approx(0.15)
    assert hub.due(0.25) == ["counter:n"]
    assert hub.next_due(0.3) is None


def test_a_look_that_finds_nothing_new_delays_nothing(hub: Hub) -> None:
    page = Page()
    hub.follow_number(page, "counter:n", "m", "")
    assert hub.due(0.0) == ["counter:n"]
    hub.take(read(values={"counter:n": 1}))

    hub.touch_all()
    assert hub.due(5.0) == ["counter:n"]
    hub.take(read(values={"counter:n": 1}))
    hub.touch({"m": {""}}, "e", 1)
    assert hub.due(5.01) == ["counter:n"]
    hub.take(read(values={"counter:n": 2}))

    # What was sent makes the next one wait, as ever.
    hub.touch({"m": {""}}, "e", 1)
    assert hub.due(5.02) == []


def test_what_changes_while_it_is_read_is_read_again(hub: Hub) -> None:
    hub.follow_number(Page(), "counter:n", "m", "")
    hub.due(0)
    hub.touch({"m": [""]}, "e", 0)
    hub.take(read(values={"counter:n": 1}))

    assert hub.due(1) == ["counter:n"]


def test_only_what_changed_is_read(hub: Hub) -> None:
    page = Page()
    for scope in "ab":
        hub.follow_number(page, f"counter:n:{scope}", "m", scope)
    hub.follow_number(page, "counter:x", "other", "")
    hub.due(0)

    hub.touch({"m": ["b"]}, "e", 0)
    assert hub.due(1) == ["counter:n:b"]
    hub.touch({"m": None, "nobody": ["a"]}, "e", 0)
    assert hub.due(2) == ["counter:n:a", "counter:n:b"]


def test_a_new_page_gets_the_whole_feed(hub: Hub) -> None:
    page = Page()
    assert hub.follow_feed(page, "feed", None, None) == []
    assert hub.behind

    deliver(hub.take(read(5, whole={"feed": happenings(4, 5)})))

    (frame,) = page.frames
    assert (frame["op"], frame["seq"]) == ("reset", 5)
    assert [event["seq"] for event in frame["events"]] == [4, 5]
    assert not hub.behind


def test_a_page_resumes_where_it_was(hub: Hub) -> None:
    hub.follow_feed(Page(), "feed", None, None)
    deliver(hub.take(read(5, whole={"feed": happenings(3, 4, 5)})))

    page = Page()
    deliver(hub.follow_feed(page, "feed", "e", 3))

    (frame,) = page.frames
    assert frame["op"] == "events"
    assert [event["seq"] for event in frame["events"]] == [4, 5]


def test_a_page_resumes_before_the_first_reading(hub: Hub) -> None:
    page = Page()
    hub.follow_feed(page, "feed", "e", 4)

    deliver(hub.take(read(5, whole={"feed": happenings(3, 4, 5)})))

    assert [event["seq"] for event in page.frames[0]["events"]] == [5]


@pytest.mark.parametrize(("epoch", "seq"), [("old", 4), ("e", None), ("e", 99)])
def test_who_cannot_resume_is_reset(hub: Hub, epoch: str, seq: int | None) -> None:
    hub.follow_feed(Page(), "feed", None, None)
    deliver(hub.take(read(5, whole={"feed": happenings(4, 5)})))

    page = Page()
    deliver(hub.follow_feed(page, "feed", epoch, seq))

    assert page.frames[0]["op"] == "reset"


def test_who_missed_more_than_is_kept_is_reset(hub: Hub) -> None:
    hub.follow_feed(Page(), "feed", None, None)
    first = happenings(*range(1, RING + 1))
    deliver(hub.take(read(RING, whole={"feed": first})))
    news = happenings(RING + 1, RING + 2)
    deliver(hub.take(read(RING + 2, events={"feed": news})))

    within, beyond = Page(), Page()
    deliver(hub.follow_feed(within, "feed", "e", 2))
    deliver(hub.follow_feed(beyond, "feed", "e", 1))

    assert within.frames[0]["op"] == "events"
    assert len(within.frames[0]["events"]) == RING
    assert beyond.frames[0]["op"] == "reset"


def test_news_is_said_once_a_language(hub: Hub) -> None:
    pages = [Page(), Page(), Page(language="de")]
    for page in pages:
        hub.follow_feed(page, "feed", None, None)
    deliver(hub.take(read(1, whole={"feed": happenings(1)})))

    deliveries = hub.take(read(2, events={"feed": happenings(2)}))
    deliver(deliveries)

    assert len(deliveries) == 2
    assert [page.frames[-1]["events"][0]["text"] for page in pages] == ["en 2", "en 2", "de 2"]


def test_events_go_before_the_values_that_know_of_them(hub: Hub) -> None:
    page = Page()
    hub.follow_feed(page, "feed", None, None)
    hub.follow_number(page, "counter:n", "m", "")
    deliver(hub.take(read(1, whole={"feed": happenings(1)}, values={"counter:n": 1})))

    deliver(hub.take(read(2, events={"feed": happenings(2)}, values={"counter:n": 2})))

    assert [frame["op"] for frame in page.frames] == ["reset", "values", "events", "values"]


def test_a_new_epoch_begins_everything_anew(hub: Hub) -> None:
    page = Page()
    hub.follow_feed(page, "feed", None, None)
    deliver(hub.take(read(9, whole={"feed": happenings(9)})))

    hub.touch({}, "f", 2)
    assert hub.behind
    deliver(hub.take(read(2, epoch="f", whole={"feed": happenings(1, 2)})))

    assert page.frames[-1]["op"] == "reset"
    assert (page.frames[-1]["epoch"], page.frames[-1]["seq"]) == ("f", 2)
    assert not hub.behind


def test_a_known_feed_read_whole_is_reset_for_all(hub: Hub) -> None:
    page = Page()
    hub.follow_feed(page, "feed", None, None)
    deliver(hub.take(read(1, whole={"feed": happenings(1)})))

    deliver(hub.take(read(900, whole={"feed": happenings(899, 900)})))

    assert page.frames[-1]["op"] == "reset"


def test_what_nobody_follows_is_forgotten(hub: Hub) -> None:
    page, other = Page(), Page()
    hub.follow_number(page, "counter:n", "m", "")
    hub.follow_number(other, "counter:n", "m", "")
    hub.follow_feed(page, "feed", None, None)

    hub.unfollow(page, ["counter:n", "feed", "feed:unknown"])
    assert (list(hub.numbers), list(hub.feeds)) == (["counter:n"], [])
    hub.unfollow(other, ["counter:n"])
    assert not hub.numbers
    assert hub.take(read(1, values={"counter:n": 1})) == []


def test_who_left_while_the_feed_was_read_gets_nothing(hub: Hub) -> None:
    page, other = Page(), Page()
    hub.follow_feed(page, "feed", None, None)
    hub.follow_feed(other, "feed", None, None)
    hub.unfollow(page, ["feed"])

    deliver(hub.take(read(1, whole={"feed": happenings(1)})))

    assert not page.frames
    assert len(other.frames) == 1


def test_an_item_told_anew_takes_the_place_of_what_was_told() -> None:
    hub, first, late = Hub(0), Page(), Page()
    hub.follow_feed(first, "feed#audience", None, None, "feed")
    deliver(hub.take(read(3, whole={"feed#audience": happenings(1, 2, 3)})))
    for seq in range(4, 4 + 3 * RING):
        joined: list[Any] = [Happening(seq, "group")]
        deliver(hub.take(read(seq, events={"feed#audience": joined})))

    deliver(hub.follow_feed(late, "feed#audience", "e", 2, "feed"))

    (frame,) = late.frames
    assert (frame["op"], frame["topic"]) == ("events", "feed")
    # A storm pushes nothing out, so who missed it resumes.
    assert [event["seq"] for event in frame["events"]] == [3, 3 + 3 * RING]
    assert len(first.frames) == 1 + 3 * RING
