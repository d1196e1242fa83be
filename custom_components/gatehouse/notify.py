"""Notifiers: the displays of doors."""

from typing import override

from homeassistant.components.notify import NotifyEntity, NotifyEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .drawing import draw_text
from .entity import GatehouseEntity, NotifyDescription, async_add_platform
from .hub import GatehouseConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: GatehouseConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the notifiers of an entry."""
    async_add_platform(entry, async_add_entities, NotifyDescription, GatehouseNotifier)


class GatehouseNotifier(GatehouseEntity, NotifyEntity):
    """A display that takes pictures, and so also a text that has been drawn."""

    entity_description: NotifyDescription

    _attr_supported_features = NotifyEntityFeature.TITLE

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Show a text until something else is shown."""
        picture = self.hass.async_add_executor_job(
            draw_text, message, title, self.entity_description.size
        )
        await self.entity_description.show(self.hub, self.device, picture)
