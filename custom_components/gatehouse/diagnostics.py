"""Diagnostics of an entry and of a device, without secrets."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .hub import Device, GatehouseConfigEntry
from .people import CONF_PEOPLE
from .vendor import Vendor
from .vendors import vendor_of


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: GatehouseConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of an entry."""
    vendor = vendor_of(entry)
    secrets = vendor.secrets
    configured = {
        "data": async_redact_data(dict(entry.data), secrets),
        "options": async_redact_data(dict(entry.options), {CONF_PEOPLE}),
        "subentries": [
            {
                "type": subentry.subentry_type,
                "data": async_redact_data(dict(subentry.data), secrets),
            }
            for subentry in entry.subentries.values()
        ],
    }
    if entry.state is not ConfigEntryState.LOADED:
        return configured
    hub = entry.runtime_data
    return {
        **configured,
        "hub": async_redact_data(dict(hub.diagnostics()), secrets),
        "devices": [_of_device(device, vendor) for device in hub.devices.values()],
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: GatehouseConfigEntry, device_entry: DeviceEntry
) -> dict[str, Any]:
    """Return the diagnostics of a device."""
    if entry.state is not ConfigEntryState.LOADED:
        return {}
    device = entry.runtime_data.device_of(device_entry)
    return {} if device is None else dict(_of_device(device, vendor_of(entry)))


def _of_device(device: Device, vendor: Vendor) -> Mapping[str, Any]:
    return {
        "uid": device.uid,
        "kind": device.kind,
        "available": device.available,
        "values": async_redact_data(device.values, vendor.personal),
        "sw_version": device.entry.sw_version,
    }
