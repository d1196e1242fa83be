"""What SenseLink's websocket is measured against.

A bare loop receives, parses, and writes as many states of each record: a plain event
entity with what it says, and a plain sensor with the name of the person.
"""

from typing import Any

from aiohttp import web
import orjson
from websockets.asyncio.client import connect

from homeassistant.components.http import HomeAssistantView
from homeassistant.core import HomeAssistant

from .const import ADD_EVENTS, ADD_SENSORS
from .event import PlainEvent
from .sensor import PlainSensor

RECORD = 30000


class TerminalsView(HomeAssistantView):
    """Is told where to listen, and to which terminals."""

    url = "/gatehouse_yardstick/terminals"
    name = "gatehouse_yardstick:terminals"
    requires_auth = False

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin without terminals."""
        self._hass = hass
        self._entities: dict[str, tuple[PlainEvent, PlainSensor]] = {}

    async def post(self, request: web.Request) -> web.Response:
        """Add two entities for each terminal, and listen."""
        told = await request.json()
        for ldid in told["terminals"]:
            self._entities[ldid] = PlainEvent(ldid), PlainSensor(ldid)
        self._hass.data[ADD_EVENTS](event for event, _ in self._entities.values())
        self._hass.data[ADD_SENSORS](sensor for _, sensor in self._entities.values())
        await self._hass.async_block_till_done()
        self._hass.async_create_background_task(
            self._listen(told["url"]), "Listen to the yardstick's terminals"
        )
        return self.json({})

    async def _listen(self, url: str) -> None:
        """Write what comes."""
        async with connect(url, compression=None, proxy=None) as connection:
            async for message in connection:
                frame = orjson.loads(message)
                if frame["code"] == RECORD:
                    self._write(frame["data"])

    def _write(self, data: dict[str, Any]) -> None:
        """Write a record."""
        event, sensor = self._entities[data["sn"]]
        event.ring(
            {
                "person": data["name"],
                "person_id": data["userId"],
                "method": data["entryMode"],
                "score": data["verifyScore"],
                "record_id": data["id"],
                "occurred_at": data["signTime"],
            }
        )
        sensor.show(data["name"])
