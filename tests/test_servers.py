"""The servers that the other tests stand on really start, answer, stop and start again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from channels_redis.core import RedisChannelLayer
from playwright.async_api import async_playwright

from tests.servers import MariaDB, Missing, PostgreSQL, Redis, Server, find_chromium
from tests.servers.programs import find_program


def test_postgresql_server_answers_on_its_port(postgresql_server: PostgreSQL) -> None:
    with psycopg.connect(postgresql_server.url) as connection:
        row = connection.execute("SELECT upper('é'), current_setting('fsync')").fetchone()
    assert row == ("É", "off")


async def test_redis_server_carries_a_channel_layer(redis_server: Redis) -> None:
    layer = RedisChannelLayer(hosts=[redis_server.url])
    await layer.send("somebody", {"type": "hello"})
    assert await layer.receive("somebody") == {"type": "hello"}
    await layer.close_pools()


def test_mariadb_server_greets(mariadb_server: MariaDB) -> None:
    mariadb_server.ping()


async def test_chromium_renders_a_page(chromium: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium)
        page = await browser.new_page()
        await page.set_content(
            "<h1></h1><script>document.querySelector('h1').append(6 * 7)</script>"
        )
        assert await page.inner_text("h1") == "42"
        await browser.close()


@pytest.mark.parametrize("kind", [PostgreSQL, Redis, MariaDB], ids=lambda kind: kind.__name__)
def test_server_restarts_on_its_port_and_leaves_nothing(
    kind: type[Server], request: pytest.FixtureRequest
) -> None:
    # Skips, or fails in CI, where the server is not installed.
    request.getfixturevalue(f"{kind.__name__.lower()}_server")
    with kind() as server:
        url, pid = server.url, server.pid
        server.stop()
        assert not server.running
        with pytest.raises(ConnectionError):
            server.ping()
        server.start()
        assert (server.url, server.running) == (url, True)
        assert server.pid != pid
    assert not server.running
    assert not server.directory.exists()


def test_server_that_does_not_start_shows_its_log(redis_server: Redis) -> None:
    class Second(Redis):
        def ping(self) -> None:
            raise ConnectionError("the first one would answer")

    second = Second()
    second.port = redis_server.port
    with pytest.raises(RuntimeError, match=r"Second does not start:\n[\s\S]+in use"), second:
        pass
    assert not second.directory.exists()


def test_missing_program_names_its_package() -> None:
    with pytest.raises(Missing, match=r"^NOT TESTED: Thing is not installed \(Debian: things\)$"):
        find_program("no-such-program", name="Thing", package="things")


def test_chromium_is_found_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "chromium"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium() == program


@pytest.mark.django_db(transaction=True)
def test_another_process_sees_the_database(
    process_environment: dict[str, str], django_user_model: Any, tmp_path: Path
) -> None:
    django_user_model.objects.create(username="ada")
    script = (
        "import django; django.setup();"
        "from django.contrib.auth import get_user_model;"
        "print(*get_user_model().objects.values_list('username', flat=True))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        env=process_environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "ada\n"
