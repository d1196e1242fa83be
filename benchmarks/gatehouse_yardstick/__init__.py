"""What Gatehouse is measured against: the plainest things that do as much."""

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.discovery import async_load_platform
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .terminals import TerminalsView
from .view import YardstickView
from .watch import WatchView


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Serve the addresses and add the entities."""
    hass.data[DOMAIN] = {}
    hass.http.register_view(YardstickView(hass.data[DOMAIN]))
    hass.http.register_view(TerminalsView(hass))
    hass.http.register_view(WatchView(hass))
    for platform in (Platform.EVENT, Platform.SENSOR):
        hass.async_create_task(async_load_platform(hass, platform, DOMAIN, {}, config))
    return True
