"""What thousands of innovaphone devices are measured against: as many plain entities.

Each device has what an innovaphone device has: a binary sensor, and a sensor and a
button that are disabled.
"""

import asyncio
from collections.abc import Callable
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

DOMAIN = "gatehouse_plain"
PLATFORMS = [Platform.BINARY_SENSOR, Platform.BUTTON, Platform.SENSOR]

STRETCH = 0.005
"""Seconds after which others have their turn, if the entities are added in stretches."""


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Set up the platforms."""
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_add(
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make: Callable[[int], Entity],
) -> None:
    """Add a platform's entities: all at once, or in stretches as Gatehouse does."""
    count = entry.data["devices"]
    if not entry.data["in_stretches"]:
        async_add_entities([make(number) for number in range(count)])
        return
    since = time.monotonic()
    for number in range(count):
        if time.monotonic() - since >= STRETCH:
            await asyncio.sleep(0)
            since = time.monotonic()
        async_add_entities([make(number)])


def device(number: int) -> DeviceInfo:
    """Return what the device registry is to say."""
    return DeviceInfo(
        identifiers={(DOMAIN, str(number))},
        connections={
            (
                CONNECTION_NETWORK_MAC,
                f"02:90:33:01:{number >> 8:02x}:{number & 255:02x}",
            )
        },
        manufacturer="Plain",
        model="IP112",
        name=f"Phone {number}",
        serial_number=f"02903301{number:04x}",
        sw_version="14r1 sr1 [14.0520/140520/300]",
    )
