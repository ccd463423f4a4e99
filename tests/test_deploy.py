"""The sample files of docs/howto/deploy: read by those who will read them in earnest."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml
from django.core.checks import run_checks
from django.test import override_settings
from websockets.asyncio.client import connect

from tests.manual import DOCS
from tests.processes import uvicorn, wait_for
from tests.servers.server import free_port

DEPLOY = DOCS / "howto" / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])


def tool(name: str) -> str:
    path = ":".join(("/usr/local/sbin", "/usr/sbin", "/sbin"))
    found = shutil.which(name) or shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def test_all_files_are_in_the_page() -> None:
    page = (DOCS / "howto" / "deploy.md").read_text(encoding="utf-8")
    included = set(re.findall(r"^```{literalinclude} deploy/(\S+)$", page, re.MULTILINE))
    assert included == {path.name for path in DEPLOY.iterdir()}


def test_units(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        # It looks whether the program is there, and whether the user is.
        text = text.replace("/srv/mysite/venv/bin/python", sys.executable)
        text = text.replace("/srv/mysite", str(tmp_path)).replace("User=mysite", "User=root")
        (tmp_path / unit.name).write_text(text)

    done = subprocess.run(
        [analyze, "verify", "--man=no", *(str(tmp_path / unit.name) for unit in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )

    told = [line for line in done.stderr.splitlines() if "mysite" in line]
    assert (done.returncode, told) == (0, []), done.stderr


def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def test_compose() -> None:
    file = compose()
    services = file["services"]
    targets = re.findall(r"^FROM \S+ AS (\w+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)

    assert set(file["volumes"]) == {"postgres"}
    for service in services.values():
        assert "image" in service or service["build"]["target"] in targets
        for name, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in services[name]
            else:
                assert services[name]["restart"] == "no"


@pytest.mark.django_db(databases="__all__")
def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in compose()["services"]["web"]["environment"]:
        monkeypatch.setenv(name, "redis://127.0.0.1/0" if name == "REDIS_URL" else "given")

    found = runpy.run_path(str(DEPLOY / "settings.py"))

    before = told()
    given = {name: found[name] for name in ("LIVECOUNTERS", "CHANNEL_LAYERS")}
    with override_settings(**given):
        # What else the test project is told has to do with other settings.
        assert set(told()) <= set(before)


def told() -> list[str]:
    return [str(message) for message in run_checks() if message.id.startswith("livecounters.")]


@contextmanager
def nginx(directory: Path, behind: str) -> Iterator[str]:
    """The sample configuration, as the only site of an nginx; its address."""
    program, port = tool("nginx"), free_port()
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for given, here in (
        ("server 127.0.0.1:8000;", f"server {behind};"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("/srv/mysite", str(directory)),
    ):
        assert given in site
        site = site.replace(given, here)
    paths = "".join(
        f"{name}_temp_path {directory}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (directory / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''}"
        f"daemon off; pid {directory}/pid; error_log {directory}/errors; events {{}}"
        f"http {{ access_log off; {paths} {site} }}"
    )
    command = [program, "-c", str(directory / "nginx.conf"), "-e", f"{directory}/errors"]
    done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    started = subprocess.Popen(command)
    try:
        wait_for(port, started)
        yield f"127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(15)


@pytest.mark.django_db(transaction=True)
async def test_nginx(tmp_path: Path, process_environment: dict[str, str]) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "site.css").write_text("body {}")
    environment = process_environment | {"LIVECOUNTERS_TEST_PUMP": "1"}
    with uvicorn(environment) as server, nginx(tmp_path, server.removeprefix("http://")) as site:
        with urlopen(f"http://{site}/static/site.css") as answer:
            assert "immutable" in answer.headers["Cache-Control"]
        with urlopen(f"http://{site}/live/counters/") as answer:
            assert json.load(answer)["counters"]
        # The origin of the page is the host that the socket is asked for, through the proxy as well.
        socket = f"ws://{site}/ws/live/?v=1&lang=en"
        async with connect(socket, origin=f"http://{site}") as page:  # type: ignore[arg-type]
            await page.send(json.dumps({"op": "ping"}))
            assert json.loads(await page.recv())["op"] == "pong"
