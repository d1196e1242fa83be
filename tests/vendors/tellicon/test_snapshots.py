"""What Tellicon's entities and diagnostics look like."""

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
from simulators.tellicon import Tellicon, Unit

from ...diagnostics import device_diagnostics, entry_diagnostics
from .conftest import TOKEN, now

UNIT = Unit(505, 121, 1001)


pytestmark = pytest.mark.usefixtures("moment")


@pytest.fixture
def entry() -> MockConfigEntry:
    """Return an entry with a known id, which is part of all unique ids."""
    return MockConfigEntry(
        domain="gatehouse",
        title="Tellicon",
        data={"vendor": "tellicon", "token": TOKEN},
        entry_id="entry",
    )


@pytest.mark.parametrize("platform", [Platform.EVENT, Platform.SENSOR])
async def test_entities(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
    platform: Platform,
) -> None:
    """Every entity of a platform, after a call that was answered."""
    monkeypatch.setattr("custom_components.gatehouse.PLATFORMS", [platform])
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    client = await hass_client_no_auth()
    url = str(client.make_url("/eventTellicon"))
    async with Tellicon(url, TOKEN, clock=now) as tellicon:
        await tellicon.ring(UNIT, src="9001")
        await tellicon.answer(UNIT, dst="018900000001", duration=10)
        await tellicon.dtmf(UNIT, command="*2")
    await hass.async_block_till_done()
    await snapshot_platform(hass, entity_registry, snapshot, entry.entry_id)


async def test_diagnostics(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tellicon: Tellicon,
    hass_client: ClientSessionGenerator,
    device_registry: dr.DeviceRegistry,
    snapshot: SnapshotAssertion,
) -> None:
    """Diagnostics of the entry and of a unit, without the token."""
    await tellicon.ring(UNIT)
    await hass.async_block_till_done()
    of_entry = await entry_diagnostics(hass, hass_client, account)
    device = device_registry.async_get_device_by_identifier(
        ("gatehouse", "tellicon_entry_505/121/1001"), account.entry_id
    )
    of_device = await device_diagnostics(hass, hass_client, account, device)
    assert TOKEN not in f"{of_entry}{of_device}"
    assert (of_entry, of_device) == snapshot
