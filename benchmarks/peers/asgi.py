"""The site with live sockets. Where a measurement asks for it, the statements that the process
has executed are counted by the thread that did, and told at ``/queries``."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from typing import Any

from django.core.asgi import get_asgi_application

django = get_asgi_application()

from django.db.backends.signals import connection_created  # noqa: E402 - apps must be ready

from livecounters.routing import application as live  # noqa: E402

application = live(django)

executed: Counter[str] = Counter()


def _count(execute: Any, *arguments: Any) -> Any:
    executed[threading.current_thread().name.partition("_")[0]] += 1
    return execute(*arguments)


def _watch(connection: Any, **given: Any) -> None:
    connection.execute_wrappers.append(_count)


async def counted(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http" or scope["path"] != "/queries":
        await site(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(executed).encode()})


if "LIVECOUNTERS_BENCH_QUERIES" in os.environ:
    connection_created.connect(_watch)
    site, application = application, counted
