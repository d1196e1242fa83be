"""Gatehouse's part of the system information."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .const import CONF_VENDOR, DOMAIN
from .hub import GatehouseConfigEntry

_NAMES = f"component.{DOMAIN}.config.step.user.menu_options"
"""Where translations have what vendors are called."""


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Tell system health whom to ask."""
    register.async_register_info(async_system_health_info)


async def async_system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return which systems there are, how many are connected, and the last event."""
    entries: list[GatehouseConfigEntry] = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
    texts = await async_get_translations(hass, hass.config.language, "config", {DOMAIN})
    vendors = Counter(
        texts.get(f"{_NAMES}.{vendor}", vendor)
        for vendor in (entry.data[CONF_VENDOR] for entry in entries)
    )
    return {
        "vendors": ", ".join(
            f"{name} ({number})" for name, number in sorted(vendors.items())
        ),
        "entries": len(entries),
        "connected": sum(
            entry.state is ConfigEntryState.LOADED and entry.runtime_data.connected
            for entry in entries
        ),
        "last_event": max(_event_times(hass, entries), default=None),
    }


def _event_times(
    hass: HomeAssistant, entries: Iterable[GatehouseConfigEntry]
) -> Iterable[datetime]:
    """Yield when each event entity has told something last, before a restart or since."""
    registry = er.async_get(hass)
    for entry in entries:
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
            if (
                entity.domain == EVENT_DOMAIN
                and (state := hass.states.get(entity.entity_id)) is not None
                and (told_at := dt_util.parse_datetime(state.state)) is not None
            ):
                yield told_at
