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
from simulators.senselink import SenseLink

from ...conftest import until
from ...diagnostics import device_diagnostics, entry_diagnostics
from .conftest import (
    ACCESS,
    APP_KEY,
    APP_SECRET,
    ENTRANCE,
    SECRET,
    SetUp,
    Told,
    make_entry,
)

pytestmark = pytest.mark.usefixtures("moment")


async def let_happen(
    hass: HomeAssistant, server: SenseLink, entry: MockConfigEntry
) -> None:
    """Let somebody be recognised, a door be forced and a terminal be lost."""
    await server.recognise(temperature=36.5, mask=2, photo=True)
    await server.alert(10002, trace_id="invented-1")
    await server.alert(30001, terminal=1, trace_id="invented-2")
    await until(lambda: entry.runtime_data.diagnostics()["alerts"] == 2)
    await hass.async_block_till_done()


@pytest.mark.parametrize(
    "platform",
    [Platform.BINARY_SENSOR, Platform.EVENT, Platform.IMAGE, Platform.SENSOR],
)
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_entities(
    hass: HomeAssistant,
    server: SenseLink,
    set_up: SetUp,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
    platform: Platform,
) -> None:
    """Every entity of a platform."""
    monkeypatch.setattr("custom_components.gatehouse.PLATFORMS", [platform])
    # Else the address of an image were another each time.
    monkeypatch.setattr("homeassistant.components.image._RND.getrandbits", lambda _: 1)
    entry = make_entry(server, photos=True)
    await set_up(entry)
    await let_happen(hass, server, entry)
    await until(
        lambda: all(
            "last_photo" in device.values
            for device in entry.runtime_data.devices.values()
            if ENTRANCE in device.uid
        )
    )
    await hass.async_block_till_done()
    await snapshot_platform(hass, entity_registry, snapshot, entry.entry_id)


@pytest.fixture(params=["websocket", "subscription"])
async def known(
    request: pytest.FixtureRequest, server: SenseLink, set_up: SetUp
) -> MockConfigEntry:
    """Return an entry of either delivery, set up."""
    entry = make_entry(server, delivery=request.param, secret=SECRET, photos=True)
    await set_up(entry)
    return entry


async def test_diagnostics(
    hass: HomeAssistant,
    server: SenseLink,
    known: MockConfigEntry,
    served_at: str,
    told: Told,
    hass_client: ClientSessionGenerator,
    device_registry: dr.DeviceRegistry,
    snapshot: SnapshotAssertion,
) -> None:
    """Diagnostics of the entry and of a terminal: no secret, and nothing of people."""
    server.subscribe(f"{served_at}/api/gatehouse/senselink/{SECRET}")
    await let_happen(hass, server, known)
    await until(lambda: told(ACCESS))
    await until(
        lambda: any(
            "last_photo" in device.values
            for device in known.runtime_data.devices.values()
        )
    )
    of_entry = await entry_diagnostics(hass, hass_client, known)
    device = device_registry.async_get_device_by_identifier(
        ("gatehouse", f"senselink_entry_{ENTRANCE}"), known.entry_id
    )
    of_device = await device_diagnostics(hass, hass_client, known, device)
    for secret in (APP_KEY, APP_SECRET, SECRET, "Aiko", "36.5", "JFIF"):
        assert secret not in f"{of_entry}{of_device}"
    of_entry["data"] |= {"port": "the server's", "web_url": "the server's"}
    assert (of_entry, of_device) == snapshot
