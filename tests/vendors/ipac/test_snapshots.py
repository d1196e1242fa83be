"""What the entities and diagnostics look like, all of them enabled."""

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    snapshot_platform,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ...diagnostics import device_diagnostics, entry_diagnostics
from .conftest import CLEANER, CODE, PASSWORD, SECRET, TOKEN

pytestmark = pytest.mark.usefixtures("moment")


@pytest.mark.parametrize(
    "platform",
    [
        Platform.BINARY_SENSOR,
        Platform.BUTTON,
        Platform.EVENT,
        Platform.LOCK,
        Platform.MEDIA_PLAYER,
        Platform.NOTIFY,
        Platform.SENSOR,
    ],
)
async def test_entities(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    entity_registry_enabled_by_default: None,
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
    platform: Platform,
) -> None:
    """Every entity of a platform."""
    monkeypatch.setattr("custom_components.gatehouse.PLATFORMS", [platform])
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await snapshot_platform(hass, entity_registry, snapshot, entry.entry_id)


async def test_diagnostics(
    hass: HomeAssistant,
    home: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    device_registry: dr.DeviceRegistry,
    snapshot: SnapshotAssertion,
) -> None:
    """Diagnostics of the entry and of a door, without any code or secret."""
    of_entry = await entry_diagnostics(hass, hass_client, home)
    device = device_registry.async_get_device_by_identifier(
        ("gatehouse", "ipac_entry_relay_1"), home.entry_id
    )
    of_device = await device_diagnostics(hass, hass_client, home, device)
    for secret in (CODE, CLEANER, PASSWORD, SECRET, TOKEN):
        assert f"'{secret}'" not in f"{of_entry}{of_device}"
    of_entry["data"]["host"] = "the station's"
    assert (of_entry, of_device) == snapshot


async def test_diagnostics_without_a_station(
    hass: HomeAssistant,
    home: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    device_registry: dr.DeviceRegistry,
) -> None:
    """What is configured is told also of an entry that does not run."""
    await hass.config_entries.async_unload(home.entry_id)
    of_entry = await entry_diagnostics(hass, hass_client, home)
    assert of_entry["data"]["password"] == "**REDACTED**"
    assert "devices" not in of_entry
    device = device_registry.async_get_device_by_identifier(
        ("gatehouse", "ipac_entry"), home.entry_id
    )
    assert await device_diagnostics(hass, hass_client, home, device) == {}
