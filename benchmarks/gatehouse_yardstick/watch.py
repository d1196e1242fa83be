"""Watches the state machine: how long it takes until so many records are there."""

import asyncio
import time

from aiohttp import web

from homeassistant.components.event import (
    DOMAIN as EVENT_DOMAIN,
    EventEntityStateAttribute,
)
from homeassistant.components.http import HomeAssistantView
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback

NAMES = "Person "
"""How those are called whom the benchmark's servers know."""


class WatchView(HomeAssistantView):
    """Is told what to wait for, and then asked how long it took."""

    url = "/gatehouse_yardstick/watch"
    name = "gatehouse_yardstick:watch"
    requires_auth = False

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with nothing to wait for."""
        self._hass = hass
        self._seconds: asyncio.Future[float] = hass.loop.create_future()

    async def post(self, request: web.Request) -> web.Response:
        """Wait for so many records, of each an event and a sensor that names somebody."""
        left = 2 * (await request.json())["records"]
        done = self._seconds = self._hass.loop.create_future()
        began_at: float | None = None

        @callback
        def count(event: Event[EventStateChangedData]) -> None:
            nonlocal left, began_at
            new = event.data["new_state"]
            if new is None or not (
                new.attributes.get(EventEntityStateAttribute.EVENT_TYPE)
                if new.domain == EVENT_DOMAIN
                else new.state.startswith(NAMES)
            ):
                return
            now = time.perf_counter()
            if began_at is None:
                began_at = now
            left -= 1
            if left == 0:
                leave()
                done.set_result(now - began_at)

        leave = self._hass.bus.async_listen(EVENT_STATE_CHANGED, count)
        return self.json({})

    async def get(self, request: web.Request) -> web.Response:
        """Return the seconds between the first one and the last one."""
        return self.json({"seconds": await self._seconds})
