"""Plain event entities."""

from typing import Any

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType

from .const import ADD_EVENTS, DOMAIN


async def async_setup_platform(
    hass: HomeAssistant,
    config: ConfigType,
    async_add_entities: AddEntitiesCallback,
    discovery_info: DiscoveryInfoType | None = None,
) -> None:
    """Add an account and a hundred units."""
    entities = {key: PlainEvent(str(key)) for key in ("account", *range(100))}
    hass.data[DOMAIN].update(entities)
    hass.data[ADD_EVENTS] = async_add_entities
    async_add_entities(entities.values())


class PlainEvent(EventEntity):
    """An event entity and nothing else."""

    _attr_should_poll = False

    def __init__(self, name: str) -> None:
        """Give it a name."""
        self._attr_event_types = ["ring"]
        self._attr_name = f"Yardstick {name}"
        self._attr_unique_id = name

    def ring(self, attributes: dict[str, Any]) -> None:
        """Tell that somebody rings."""
        self._trigger_event("ring", attributes)
        self.async_write_ha_state()
