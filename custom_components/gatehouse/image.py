"""Images."""

from typing import override

from homeassistant.components.image import ImageEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import ChannelEntity, ImageDescription, Picture, async_add_platform
from .hub import Device, GatehouseConfigEntry, Hub

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: GatehouseConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the images of an entry."""
    async_add_platform(entry, async_add_entities, ImageDescription, GatehouseImage)


class GatehouseImage(ChannelEntity, ImageEntity):
    """A picture."""

    entity_description: ImageDescription

    def __init__(self, hub: Hub, device: Device, description: ImageDescription) -> None:
        """Begin without a picture."""
        ChannelEntity.__init__(self, hub, device, description)
        ImageEntity.__init__(self, hub.hass)
        self._picture: Picture | None = None

    @property
    @override
    def entity_picture(self) -> str | None:
        """Return where the picture is; without one, the entity shows its icon."""
        return None if self._picture is None else super().entity_picture

    @override
    async def async_image(self) -> bytes | None:
        """Return the picture."""
        return None if self._picture is None else self._picture.content

    @override
    def _show(self, value: Picture | None) -> None:
        self._picture = value
        self._attr_image_last_updated = None if value is None else value.changed_at
        if value is not None:
            self._attr_content_type = value.content_type
