"""Buttons."""

from typing import override

from homeassistant.components.button import ButtonEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import ButtonDescription, GatehouseEntity, async_add_platform
from .hub import GatehouseConfigEntry

# The vendor's client keeps order where a device bears one request at a time.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: GatehouseConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the buttons of an entry."""
    async_add_platform(entry, async_add_entities, ButtonDescription, GatehouseButton)


class GatehouseButton(GatehouseEntity, ButtonEntity):
    """Something that a device can be asked to do."""

    entity_description: ButtonDescription

    @override
    async def async_press(self) -> None:
        """Have the device do it."""
        await self.entity_description.press(
            self.hub, self.device, await self._async_actor()
        )
