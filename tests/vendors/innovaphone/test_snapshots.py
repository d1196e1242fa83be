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
from homeassistant.helpers import entity_registry as er
from simulators.innovaphone import Innovaphone

from ...diagnostics import device_diagnostics, entry_diagnostics
from .conftest import DOCKER, PASSWORD, RECEPTION, DeviceOf, SetUp


@pytest.fixture(autouse=True)
def few(service: Innovaphone) -> None:
    """Let there be two devices only."""
    for hw_id in set(service.devices) - {RECEPTION, DOCKER}:
        del service.devices[hw_id]


@pytest.mark.parametrize(
    "platform",
    [Platform.BINARY_SENSOR, Platform.BUTTON, Platform.EVENT, Platform.SENSOR],
)
async def test_entities(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    set_up: SetUp,
    entity_registry: er.EntityRegistry,
    entity_registry_enabled_by_default: None,
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
    platform: Platform,
) -> None:
    """Every entity of a platform."""
    monkeypatch.setattr("custom_components.gatehouse.PLATFORMS", [platform])
    await set_up()
    await snapshot_platform(hass, entity_registry, snapshot, entry.entry_id)


async def test_diagnostics(
    hass: HomeAssistant,
    home: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    device_of: DeviceOf,
    snapshot: SnapshotAssertion,
) -> None:
    """Diagnostics of the entry and of a device, without the password."""
    of_entry = await entry_diagnostics(hass, hass_client, home)
    of_device = await device_diagnostics(hass, hass_client, home, device_of(RECEPTION))
    assert PASSWORD not in f"{of_entry}{of_device}"
    of_entry["data"]["url"] = "the service's"
    assert (of_entry, of_device) == snapshot
