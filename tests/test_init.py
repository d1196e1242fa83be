"""An entry's life: set-up, changes, unloading, and what may be deleted."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.gatehouse.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import UnknownStep
from homeassistant.helpers import device_registry as dr
from simulators.tellicon import Tellicon, Unit

from .conftest import Devices

TOKEN = "invented-token-of-24-chr"
UNIT = Unit(505, 121, 1001)


@pytest.fixture
async def entry(hass: HomeAssistant) -> MockConfigEntry:
    """Return an entry that is set up."""
    entry = MockConfigEntry(
        domain=DOMAIN, data={"vendor": "tellicon", "token": TOKEN}, title="Tellicon"
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    return entry


async def test_title_does_not_reload(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """A new title changes nothing, so nothing is interrupted."""
    hub = entry.runtime_data
    hass.config_entries.async_update_entry(entry, title="Concierge")
    await hass.async_block_till_done()
    assert entry.runtime_data is hub
    hass.config_entries.async_update_entry(entry, options={"units": "listed"})
    await hass.async_block_till_done()
    assert entry.runtime_data is not hub
    assert entry.state is ConfigEntryState.LOADED


async def test_stop(
    hass: HomeAssistant, entry: MockConfigEntry, served_at: str
) -> None:
    """What comes after Home Assistant has begun to stop is not accepted."""
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    async with Tellicon(f"{served_at}/eventTellicon", TOKEN) as tellicon:
        assert (await tellicon.ring(UNIT)).status == 503
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_unknown_step(hass: HomeAssistant) -> None:
    """A way of discovery that Gatehouse does not have is refused."""
    with pytest.raises(UnknownStep):
        await hass.config_entries.flow.async_init(DOMAIN, context={"source": "owl"})


async def test_delete_device(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    devices: Devices,
    device_registry: dr.DeviceRegistry,
    hass_ws_client: WebSocketGenerator,
    served_at: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What came by itself may be deleted, units first, and comes back with an event."""
    client = await hass_ws_client(hass)

    async def delete(device: dr.DeviceEntry) -> bool:
        await client.send_json_auto_id(
            {
                "type": "config/device_registry/remove_config_entry",
                "config_entry_id": entry.entry_id,
                "device_id": device.id,
            }
        )
        return bool((await client.receive_json())["success"])

    async with Tellicon(f"{served_at}/eventTellicon", TOKEN) as tellicon:
        await tellicon.ring(UNIT)
        await hass.async_block_till_done()
        account, unit = sorted(
            devices(), key=lambda device: device.name == "Unit 505/121/1001"
        )
        assert not await delete(account)
        assert await delete(unit)
        await hass.async_block_till_done()
        assert len(devices()) == 1
        assert await delete(account)
        await hass.async_block_till_done()
        assert not devices()
        await tellicon.answer(UNIT)
        await hass.async_block_till_done()
    assert len(devices()) == 2
    state = hass.states.get("event.unit_505_121_1001_doorbell")
    assert state.attributes["event_type"] == "answered"

    # What nothing stands behind any more may go as well.
    stranger = device_registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={(DOMAIN, "stranger")}
    )
    assert await delete(stranger)

    # Who is not running cannot say whether it is one of those.
    assert await hass.config_entries.async_unload(entry.entry_id)
    for device in devices():
        assert not await delete(device)
    assert len(devices()) == 2
    assert "Traceback" not in caplog.text
