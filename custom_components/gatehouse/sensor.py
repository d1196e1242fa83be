"""Sensors."""

from datetime import datetime
from typing import override

from homeassistant.components.sensor import RestoreSensor
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from .entity import ChannelEntity, SensorDescription, async_add_platform
from .hub import GatehouseConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: GatehouseConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of an entry."""
    async_add_platform(entry, async_add_entities, SensorDescription, GatehouseSensor)


class GatehouseSensor(ChannelEntity, RestoreSensor):
    """A value."""

    entity_description: SensorDescription

    @override
    async def _async_attach(self) -> None:
        """Begin with what was known before a restart, where that still holds."""
        channel = self.entity_description.key
        if (
            self.entity_description.remembered
            and channel not in self.device.values
            and (before := await self.async_get_last_sensor_data()) is not None
        ):
            self.device.publish(channel, before.native_value)
        await super()._async_attach()

    @override
    def _show(self, value: StateType | datetime) -> None:
        self._attr_native_value = value
