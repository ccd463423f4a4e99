"""The presence store in Redis."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from livecounters.presence.base import Changes, Store
from livecounters.presence.redis import RedisPresence
from tests.presence.suite import ADA, BOB, LEASE, StoreSuite
from tests.servers import Redis


class TestRedis(StoreSuite):
    @pytest.fixture
    def url(self, redis_server: Redis, settings: Any) -> str:
        settings.LIVECOUNTERS = self.given(redis_server)
        return redis_server.url

    @staticmethod
    def given(server: Redis) -> dict[str, Any]:
        return {"PRESENCE": {"URL": server.url, "PREFIX": uuid.uuid4().hex}}

    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        store = RedisPresence()
        yield store
        store.close()

    def test_random(self, redis_server: Redis, settings: Any) -> None:
        opened: list[Store] = []

        def fresh() -> Store:
            settings.LIVECOUNTERS = self.given(redis_server)
            opened.append(RedisPresence())
            return opened[-1]

        self.random(fresh)
        for store in opened:
            store.close()

    def test_nothing_is_left_of_those_who_left(self, store: Store) -> None:
        self.come(store, "p", 0.0, ADA, BOB)
        self.come(store, "q", 0.0, ADA)
        store.withdraw("p")
        store.withdraw("q")

        redis = store._redis  # type: ignore[attr-defined]
        assert list(redis.scan_iter(f"{store._tag}*")) == []  # type: ignore[attr-defined]

    def test_a_store_that_was_emptied_is_told_everything(self, store: Store) -> None:
        self.come(store, "p", 0.0, ADA)
        store._redis.flushall()  # type: ignore[attr-defined]

        assert store.counts(["site"], 1.0)["site"].people == 0
        assert not store.beat("p", Changes(), 1.0, LEASE)
        self.come(store, "p", 1.0, ADA)
        assert store.counts(["site"], 1.0)["site"].people == 1
