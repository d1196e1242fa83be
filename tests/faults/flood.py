"""A flood of numbered events, counted where automations hear of them.

`python -m tests.faults.flood [--count 20000]`, or `scripts/flood`.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import itertools
from typing import Any

import aiohttp

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .vendors import (
    InnovaphoneService,
    Row,
    SenseLinkWebsocket,
)

CONNECTIONS = 8

FLOODED = "flooded"
"""The event by which the automation tells a number."""


async def count_at_automation(
    hass: HomeAssistant, entity_id: str, attribute: str, event_type: str
) -> Counter[int]:
    """Return what counts the numbers that an automation hears of."""
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "alias": "Count",
                "mode": "parallel",
                "max": 1000,
                "max_exceeded": "critical",
                "triggers": {
                    "trigger": "event.received",
                    "target": {"entity_id": entity_id},
                    "options": {"event_type": [event_type]},
                },
                "actions": {
                    "event": FLOODED,
                    "event_data": {
                        "number": (
                            "{{ trigger.to_state.attributes."
                            + attribute
                            + " | replace('sip:', '') }}"
                        )
                    },
                },
            }
        },
    )
    counted: Counter[int] = Counter()

    def count(event: Any) -> None:
        counted[int(event.data["number"])] += 1

    hass.bus.async_listen(FLOODED, count)
    return counted
