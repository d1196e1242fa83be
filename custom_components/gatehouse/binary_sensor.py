"""Binary sensors."""

from typing import override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import BinarySensorDescription, ChannelEntity, async_add_platform
from .hub import GatehouseConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: GatehouseConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the binary sensors of an entry."""
    async_add_platform(
        entry, async_add_entities, BinarySensorDescription, GatehouseBinarySensor
    )


class GatehouseBinarySensor(ChannelEntity, BinarySensorEntity):
    """A state of two values."""

    entity_description: BinarySensorDescription

    @override
    def _show(self, value: bool | None) -> None:
        self._attr_is_on = value
