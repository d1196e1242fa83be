"""Downloads diagnostics as the user does."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.setup import async_setup_component


async def _download(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, path: str
) -> dict[str, Any]:
    assert await async_setup_component(hass, "diagnostics", {})
    client = await hass_client()
    async with client.get(f"/api/diagnostics/config_entry/{path}") as reply:
        assert reply.status == 200
        data: dict[str, Any] = (await reply.json())["data"]
        return data


async def entry_diagnostics(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of an entry."""
    return await _download(hass, hass_client, entry.entry_id)


async def device_diagnostics(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    device: DeviceEntry,
) -> dict[str, Any]:
    """Return the diagnostics of a device."""
    return await _download(hass, hass_client, f"{entry.entry_id}/device/{device.id}")
