"""Plain binary sensors."""

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import async_add, device


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add one for each device."""
    await async_add(entry, async_add_entities, PlainBinarySensor)


class PlainBinarySensor(BinarySensorEntity):
    """A binary sensor and nothing else."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_is_on = True
    _attr_name = "Online"

    def __init__(self, number: int) -> None:
        """Give it a name and a device."""
        self._attr_unique_id = f"{number}_online"
        self._attr_device_info = device(number)
