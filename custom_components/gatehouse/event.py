"""Events."""

from typing import override

from homeassistant.components.event import ATTR_EVENT_TYPE, EventEntity
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import EVENT_GATEHOUSE
from .entity import EventDescription, GatehouseEntity, async_add_platform
from .hub import Device, Echo, GatehouseConfigEntry, Hub
from .model import Access, Word
from .people import CHANNELS

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: GatehouseConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the events of an entry."""
    async_add_platform(entry, async_add_entities, EventDescription, GatehouseEvent)


class GatehouseEvent(GatehouseEntity, EventEntity):
    """What happens on a channel."""

    entity_description: EventDescription

    def __init__(self, hub: Hub, device: Device, description: EventDescription) -> None:
        """Offer the event types as plain texts, which are stored with the entity."""
        super().__init__(hub, device, description)
        self._attr_event_types = [str(event) for event in description.event_types or ()]
        self._names_people = description.key in CHANNELS

    @override
    async def _async_attach(self) -> None:
        """Listen to the channel, once the entity has been added."""
        # A word that brought the device into being waits for this entity. It must come
        # after the entity's first state, or no automation would see a change.
        self.async_on_remove(self.hass.loop.call_soon(self._listen).cancel)

    @callback
    def _listen(self) -> None:
        """Hear what was said while the entity was being added, and all that follows."""
        self.async_on_remove(
            self.device.listen(self.entity_description.key, self._on_word)
        )

    @callback
    def _on_word(self, said: Word | Echo) -> None:
        """Tell Home Assistant what happened."""
        word = said.word if isinstance(said, Echo) else said
        # Who has asked for it in Home Assistant; nobody, for what comes from outside.
        context = None
        if self._names_people:
            word = self.hub.people.recognize(word)
            context = word.context if isinstance(word, Access) else None
        event_type, attributes = str(word.event_type), word.attributes
        self._trigger_event(event_type, attributes)
        if context is None:
            self.async_write_ha_state()
        else:
            self.async_set_context(context)
            self.async_write_ha_state()
            # Home Assistant would let it stand for what happens in the next seconds.
            self._context = self._context_set = None
        if isinstance(said, Echo):
            return
        # For the logbook, which describes events of the bus alone, see `logbook.py`.
        self.hass.bus.async_fire(
            EVENT_GATEHOUSE,
            {
                **attributes,
                ATTR_EVENT_TYPE: event_type,
                ATTR_DEVICE_ID: self.device.entry.id,
                ATTR_ENTITY_ID: self.entity_id,
            },
            context=context,
        )
