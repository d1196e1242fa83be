"""The base of all entities: each is bound to one channel of one device.

The descriptions stand here, beside Home Assistant's own, so that vendors can declare
what they offer without knowing the platforms.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntityDescription,
)
from homeassistant.components.button import ButtonEntityDescription
from homeassistant.components.event import EventEntityDescription
from homeassistant.components.image import ImageEntityDescription
from homeassistant.components.lock import LockEntityDescription
from homeassistant.components.media_player import MediaPlayerEntityDescription
from homeassistant.components.notify import NotifyEntityDescription
from homeassistant.components.sensor import SensorDeviceClass, SensorEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import callback
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .hub import CONNECTION, LAST_CONTACT, Device, GatehouseConfigEntry, Hub
from .people import Actor, async_actor
from .sound import SoundFormat

type Order = Callable[[Any, Device, Actor], Awaitable[None]]
"""A method of the vendor's hub that has a device do something in somebody's name."""


@dataclass(frozen=True, kw_only=True)
class BinarySensorDescription(BinarySensorEntityDescription):
    """A state of two values, published on the channel of the same key."""

    tells_availability: bool = False
    """Whether it goes on speaking when its device is out of reach."""


@dataclass(frozen=True, kw_only=True)
class ButtonDescription(ButtonEntityDescription):
    """Something that a device can be asked to do."""

    press: Order


@dataclass(frozen=True, kw_only=True)
class NotifyDescription(NotifyEntityDescription):
    """A display that takes pictures, and drawn texts, of one size."""

    size: tuple[int, int]
    """Width and height in pixels."""

    show: Callable[[Any, Device, Awaitable[bytes]], Awaitable[None]]
    """A method of the vendor's hub that has a PNG shown until it is cleared. It is called
    while that is still being drawn, so that it knows what was asked for last."""


@dataclass(frozen=True, kw_only=True)
class EventDescription(EventEntityDescription):
    """A channel on which words are said."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What an image shows; it lives in memory only."""

    content: bytes = field(repr=False)
    content_type: str
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class ImageDescription(ImageEntityDescription):
    """An image, whose `Picture` is published on the channel of the same key."""


@dataclass(frozen=True, kw_only=True)
class LockDescription(LockEntityDescription):
    """A bolt, whose `BoltState` is published on the channel of the same key."""

    lock: Order
    unlock: Order
    open: Order | None = None
    """Releases the latch, where there is one."""


@dataclass(frozen=True, kw_only=True)
class SensorDescription(SensorEntityDescription):
    """A value, published on the channel of the same key."""

    remembered: bool = False
    """Whether it tells of the past, and so still holds after a restart."""

    tells_availability: bool = False
    """Whether it goes on speaking when its device is out of reach."""


@dataclass(frozen=True, kw_only=True)
class MediaPlayerDescription(MediaPlayerEntityDescription):
    """A loudspeaker.

    On the channel of the same key the hub publishes when it fell silent by itself.
    """

    format: SoundFormat

    play: Callable[[Any, Device, bytes, int], Awaitable[None]]
    """A method of the vendor's hub that has a WAV file played so many times."""

    stop: Callable[[Any, Device], Awaitable[None]]
    """A method of the vendor's hub that ends what is being played."""


CONNECTION_ENTITY = BinarySensorDescription(
    key=CONNECTION,
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
    tells_availability=True,
)
"""Whether the device can be reached through which all others are."""

LAST_CONTACT_ENTITY = SensorDescription(
    key=LAST_CONTACT,
    device_class=SensorDeviceClass.TIMESTAMP,
    entity_category=EntityCategory.DIAGNOSTIC,
    remembered=True,
    tells_availability=True,
)
"""When it was last heard."""

PLATFORM_OF: dict[type[EntityDescription], Platform] = {
    BinarySensorDescription: Platform.BINARY_SENSOR,
    ButtonDescription: Platform.BUTTON,
    EventDescription: Platform.EVENT,
    ImageDescription: Platform.IMAGE,
    LockDescription: Platform.LOCK,
    MediaPlayerDescription: Platform.MEDIA_PLAYER,
    NotifyDescription: Platform.NOTIFY,
    SensorDescription: Platform.SENSOR,
}
"""Where the entities of a description belong."""


class GatehouseEntity(Entity):
    """An entity that shows, or acts on, one channel of one device."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self, hub: Hub, device: Device, description: EntityDescription
    ) -> None:
        """Bind the entity to the channel that its description names."""
        self.hub = hub
        self.device = device
        self.entity_description = description
        self.device_entry = device.entry
        self._attr_translation_key = description.key
        self._attr_unique_id = f"{device.uid}_{description.key}"

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the device's reach and what is said on the channel."""
        await super().async_added_to_hass()
        self._attr_available = self._is_known
        self.async_on_remove(self.device.listen_availability(self._on_availability))
        await self._async_attach()

    @property
    def _is_known(self) -> bool:
        """Return whether the device can be reached, or what is told needs no reach."""
        return self.device.available or getattr(
            self.entity_description, "tells_availability", False
        )

    @callback
    def _on_availability(self) -> None:
        """Show whether the device can be reached."""
        self._attr_available = self._is_known
        self.async_write_ha_state()

    async def _async_attach(self) -> None:
        """Begin to listen to the channel; a button has nothing to hear."""

    async def _async_actor(self) -> Actor:
        """Return who has asked for the action that is being carried out."""
        return await async_actor(self.hass, self._context)

    @callback
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Stay as it is when the entity is renamed: nothing here hangs on its id.

        Home Assistant 2026.11 and newer remove and add again what does not say so.
        """


class ChannelEntity(GatehouseEntity):
    """An entity that shows the value of its channel."""

    @override
    async def _async_attach(self) -> None:
        """Show the value of the channel now, and whenever it changes."""
        channel = self.entity_description.key
        self._show(self.device.values.get(channel))
        self.async_on_remove(self.device.listen(channel, self._on_value))

    @callback
    def _on_value(self, value: Any) -> None:
        """Show a new value."""
        self._show(value)
        self.async_write_ha_state()

    def _show(self, value: Any) -> None:
        """Set the attributes from a value; None is unknown."""
        raise NotImplementedError


@callback
def async_add_platform[DescriptionT: EntityDescription](
    entry: GatehouseConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    description_type: type[DescriptionT],
    entity_type: Callable[[Hub, Device, DescriptionT], Entity],
) -> None:
    """Give a platform the entities of all devices, those to come included."""
    hub = entry.runtime_data
    descriptions = {
        kind: [item for item in offered if isinstance(item, description_type)]
        for kind, offered in hub.offers.items()
    }

    @callback
    def add(device: Device) -> None:
        async_add_entities(
            [
                entity_type(hub, device, description)
                for description in descriptions[device.kind]
            ],
            config_subentry_id=device.subentry_id,
        )

    entry.async_on_unload(hub.on_device(add))
