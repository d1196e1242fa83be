"""Plain sensors."""

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType

from .const import ADD_SENSORS


async def async_setup_platform(
    hass: HomeAssistant,
    config: ConfigType,
    async_add_entities: AddEntitiesCallback,
    discovery_info: DiscoveryInfoType | None = None,
) -> None:
    """Keep what adds sensors."""
    hass.data[ADD_SENSORS] = async_add_entities


class PlainSensor(SensorEntity):
    """A sensor and nothing else."""

    _attr_should_poll = False

    def __init__(self, name: str) -> None:
        """Give it a name."""
        self._attr_name = f"Yardstick {name}"
        self._attr_unique_id = name

    def show(self, value: str) -> None:
        """Show a value."""
        self._attr_native_value = value
        self.async_write_ha_state()
