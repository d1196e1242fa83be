"""Plain buttons."""

from homeassistant.components.button import ButtonDeviceClass, ButtonEntity
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
    await async_add(entry, async_add_entities, PlainButton)


class PlainButton(ButtonEntity):
    """A button and nothing else."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _attr_device_class = ButtonDeviceClass.RESTART
    _attr_entity_category = EntityCategory.CONFIG
    _attr_entity_registry_enabled_default = False
    _attr_name = "Restart"

    def __init__(self, number: int) -> None:
        """Give it a name and a device."""
        self._attr_unique_id = f"{number}_restart"
        self._attr_device_info = device(number)
