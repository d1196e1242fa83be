"""Tells how many tasks, timers and objects the Home Assistant has that it runs in."""

import asyncio
from collections import Counter
import gc
from http import HTTPStatus
import os
import tracemalloc
from typing import Any

from aiohttp import web

# Linked beside this one.
from custom_components.gatehouse_stopwatch import Loop  # type: ignore[import-not-found]
from homeassistant.components.http import HomeAssistantView
from homeassistant.core import HomeAssistant
from homeassistant.helpers.typing import ConfigType

DOMAIN = "gatehouse_gauge"

TRACE = "GATEHOUSE_GAUGE_TRACE"
"""Environment variable: how many frames of each allocation to keep."""

FOREMOST = 400
"""Types, or lines of code, that are told of."""


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Serve the numbers."""
    if frames := os.environ.get(TRACE):
        tracemalloc.start(int(frames))
    for view in (GaugeView(hass), ObjectsView):
        hass.http.register_view(view)
    return True


class GaugeView(HomeAssistantView):
    """What there is now, and how late the event loop was since the last look."""

    url = "/api/gatehouse_gauge"
    name = "api:gatehouse_gauge"

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin to watch the event loop."""
        self._hass = hass
        self._loop = Loop(hass)

    async def get(self, request: web.Request) -> web.Response:
        """Return the numbers."""
        self._loop.leave()
        late = self._loop.longest
        timers = [
            timer
            for timer in self._hass.loop._scheduled  # type: ignore[attr-defined] # noqa: SLF001
            if not timer.cancelled()
        ]
        numbers = {
            "tasks": len(asyncio.all_tasks()),
            "timers": len(timers),
            "objects": len(gc.get_objects()),
            "late": late,
        }
        # Counting all objects takes long, and is not what the loop is watched for.
        self._loop = Loop(self._hass)
        return self.json(numbers)


class ObjectsView(HomeAssistantView):
    """What the objects are, and with tracing where they come from."""

    url = "/api/gatehouse_gauge/objects"
    name = "api:gatehouse_gauge:objects"

    async def get(self, request: web.Request) -> web.Response:
        """Return the number of objects by type, and bytes by line of code."""
        gc.collect()
        types = Counter(
            f"{type(one).__module__}.{type(one).__qualname__}"
            for one in gc.get_objects()
        )
        told: dict[str, Any] = {"types": dict(types.most_common(FOREMOST))}
        if tracemalloc.is_tracing():
            lines = tracemalloc.take_snapshot().statistics("traceback")[:FOREMOST]
            told["lines"] = {
                "\n".join(line.traceback.format()): line.size for line in lines
            }
        return self.json(told, HTTPStatus.OK)
