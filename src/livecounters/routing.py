"""Where sockets arrive.

# asgi.py
from livecounters.routing import application as live
application = live(get_asgi_application())
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from livecounters import relay
from livecounters.consumers import LiveConsumer, Receive
from livecounters.handshake import Scope
from livecounters.outbox import Send

__all__ = ["application", "websocket_urlpatterns"]

# Django's own annotations know views only, and these lead to ASGI applications.
_path: Any = path
_re_path: Any = re_path

App = Callable[[Scope, Receive, Send], Awaitable[None]]

websocket_urlpatterns: list[Any] = [_path("ws/live/", LiveConsumer.as_asgi())]
"""For hosts that route sockets of their own; checks of origin and session are inside."""


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 4404})


def application(django_asgi_app: App) -> App:
    """A host's ASGI application with live sockets at ``ws/live/`` in front of Django.

    Starts the embedded pump with the server (by lifespan where the server sends one, else with
    the first socket).
    """
    sockets: Any = URLRouter([*websocket_urlpatterns, _re_path("", _nothing_here)])

    async def live(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await sockets(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)
        else:
            await django_asgi_app(scope, receive, send)

    return live


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            relay.current().start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await relay.current().stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
