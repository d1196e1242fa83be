"""Plain sensors."""

from homeassistant.components.sensor import SensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import EntityCategory
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import async_add, device


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add one for each device."""
    await async_add(entry, async_add_entities, PlainSensor)


class PlainSensor(SensorEntity):
    """A sensor and nothing else."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_entity_registry_enabled_default = False
    _attr_name = "IP address"

    def __init__(self, number: int) -> None:
        """Give it a name and a device."""
        self._attr_unique_id = f"{number}_ip_address"
        self._attr_device_info = device(number)
        self._attr_native_value = "192.0.2.1"
