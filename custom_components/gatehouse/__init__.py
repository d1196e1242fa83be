"""Gatehouse: door and access systems of five vendors as one set of entities."""

import logging

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.importlib import async_import_module
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN, PLATFORMS
from .dashboard import async_setup_dashboard
from .hub import GatehouseConfigEntry, entry_store
from .people import async_follow_persons
from .services import async_setup_actions
from .vendors import vendor_of

_LOGGER = logging.getLogger(__name__)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what stands also while no entry is loaded: the actions, the dashboard."""
    async_setup_actions(hass)
    async_follow_persons(hass)
    await async_setup_dashboard(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: GatehouseConfigEntry) -> bool:
    """Set up a vendor's connection."""
    vendor = vendor_of(entry)
    hub = vendor.hub(hass, entry, vendor.entities)

    async def stop(_: Event) -> None:
        await hub.async_stop()

    try:
        await hub.async_start()
        await hub.async_remove_unknown_devices()
        entry.runtime_data = hub
        await hass.config_entries.async_forward_entry_setups(
            entry, _platforms_of(entry)
        )
        await hub.async_give_devices()
    except BaseException:
        await hub.async_stop()
        raise
    if vendor.view is not None:
        hub.address = vendor.view.attach(hass, hub)
    await _async_offer_tools(hass, entry)
    entry.async_on_unload(entry.add_update_listener(_async_reload_if_outdated))
    # Of what has been changed while the hub started nobody was told.
    await _async_reload_if_outdated(hass, entry)
    # Home Assistant does not unload entries when it stops.
    entry.async_on_unload(hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, stop))
    if hass.is_stopping:
        # That has been told already.
        await hub.async_stop()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: GatehouseConfigEntry) -> bool:
    """Unload a vendor's connection."""
    # First of all: what is accepted from here on would reach no entity.
    entry.runtime_data.leave_address()
    entry.runtime_data.keep_devices()
    if unloaded := await hass.config_entries.async_unload_platforms(
        entry, _platforms_of(entry)
    ):
        await entry.runtime_data.async_stop()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: GatehouseConfigEntry) -> None:
    """Forget what the hub of a removed entry has remembered."""
    await entry_store(hass, entry).async_remove()


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: GatehouseConfigEntry, device_entry: DeviceEntry
) -> bool:
    """Tell whether a user may delete a device, which only a running hub knows."""
    if entry.state is not ConfigEntryState.LOADED:
        return False
    device = entry.runtime_data.device_of(device_entry)
    if device is None:
        return True
    if not entry.runtime_data.can_remove(device):
        return False
    entry.runtime_data.forget(device)
    return True


async def _async_offer_tools(hass: HomeAssistant, entry: GatehouseConfigEntry) -> None:
    """Offer the API for language models, where Home Assistant has what it needs."""
    if "conversation" not in hass.config.components:
        return
    try:
        llm = await async_import_module(hass, f"{__package__}.llm")
        entry.async_on_unload(llm.async_offer_api(hass, entry.entry_id))
    except ImportError:
        # Older releases lack some of it.
        return
    except Exception:
        # Nothing of Assist may keep doors from working.
        _LOGGER.exception("Language models are not offered the tools of Gatehouse")


def _platforms_of(entry: GatehouseConfigEntry) -> list[Platform]:
    """Return the platforms that the entities of an entry need."""
    needed = vendor_of(entry).platforms
    return [platform for platform in PLATFORMS if platform in needed]


async def _async_reload_if_outdated(
    hass: HomeAssistant, entry: GatehouseConfigEntry
) -> None:
    """Start anew after a change of settings or sub-entries, not of the title alone."""
    if entry.runtime_data.outdated:
        hass.config_entries.async_schedule_reload(entry.entry_id)
