"""Channels as it is usually written: each connection is a member of a group, with a channel and a
queue of its own. Served by uvicorn, over the Redis layer."""

from __future__ import annotations

from typing import Any

import django

django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402 - apps must be ready

GROUP = "hits"


class Consumer(AsyncJsonWebsocketConsumer):
    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def hits_changed(self, message: dict[str, Any]) -> None:
        await self.send_json(message["frame"])


application = Consumer.as_asgi()
