"""What the system information says of Gatehouse."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.gatehouse.const import DOMAIN
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from simulators.ipac import Ipac
from simulators.tellicon import Tellicon, Unit

from .test_people import ipac_entry
from .vendors.ipac import conftest as ipac

TOKEN = "invented-token-of-24-chr"
OTHER_TOKEN = "another-token-of-24-char"


@pytest.fixture(autouse=True)
async def system_health(hass: HomeAssistant) -> None:
    """Set the system information up."""
    assert await async_setup_component(hass, "system_health", {})


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set an entry up, if that is possible."""
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def info(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Any:
    """Return what the user reads."""
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "system_health/info"})
    assert (await client.receive_json())["success"]
    return (await client.receive_json())["event"]["data"][DOMAIN]["info"]


async def test_nothing_has_happened(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """Who has only just begun reads so."""
    await set_up(
        hass,
        MockConfigEntry(domain=DOMAIN, data={"vendor": "tellicon", "token": TOKEN}),
    )
    shown = await info(hass, hass_ws_client)
    assert shown == {
        "vendors": "Tellicon (1)",
        "entries": 1,
        "connected": 1,
        "last_event": None,
    }
    texts = await async_get_translations(hass, "en", "system_health", [DOMAIN])
    assert {key.rpartition(".")[2] for key in texts} == shown.keys()


@pytest.fixture
async def station(socket_enabled: None) -> AsyncIterator[Ipac]:
    """Return a station."""
    async with Ipac(
        password=ipac.PASSWORD, codes={1: [ipac.CODE, ipac.CLEANER]}
    ) as station:
        yield station


@pytest.fixture
async def house(hass: HomeAssistant, station: Ipac) -> list[MockConfigEntry]:
    """Return entries of two systems, one of which was never there."""
    entries = [
        ipac_entry(station),
        MockConfigEntry(domain=DOMAIN, data={"vendor": "tellicon", "token": TOKEN}),
        MockConfigEntry(
            domain=DOMAIN, data={"vendor": "tellicon", "token": OTHER_TOKEN}
        ),
        MockConfigEntry(
            domain=DOMAIN,
            data={"vendor": "the_keys", "host": "127.0.0.1:9"},
            disabled_by=ConfigEntryDisabler.USER,
        ),
    ]
    for entry in entries:
        await set_up(hass, entry)
    return entries


async def test_health(
    hass: HomeAssistant,
    station: Ipac,
    house: list[MockConfigEntry],
    served_at: str,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Systems are counted, those that are connected, and when the last event was."""
    assert await info(hass, hass_ws_client) == {
        "vendors": "Amphitech IPAC 500 (1), Tellicon (2)",
        "entries": 3,
        "connected": 3,
        "last_event": None,
    }
    await ipac.order(hass, "unlock")
    async with Tellicon(f"{served_at}/eventTellicon", TOKEN) as sender:
        await sender.ring(Unit(505, 121, 1001))
    await hass.async_block_till_done()
    last = {
        "type": "date",
        "value": datetime.fromisoformat(
            hass.states.get("event.unit_505_121_1001_doorbell").state
        ).isoformat(),
    }
    assert (await info(hass, hass_ws_client))["last_event"] == last

    # It is remembered, whatever becomes of the entries meanwhile.
    await station.stop()
    with pytest.raises(HomeAssistantError):
        await ipac.order(hass, "unlock")
    assert await hass.config_entries.async_unload(house[2].entry_id)
    assert await hass.config_entries.async_reload(house[1].entry_id)
    await hass.async_block_till_done()
    assert await info(hass, hass_ws_client) == {
        "vendors": "Amphitech IPAC 500 (1), Tellicon (2)",
        "entries": 3,
        "connected": 1,
        "last_event": last,
    }


async def test_unreachable(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """What could not be set up is there, but not connected."""
    await set_up(
        hass,
        MockConfigEntry(
            domain=DOMAIN, data={"vendor": "the_keys", "host": "127.0.0.1:9"}
        ),
    )
    shown = await info(hass, hass_ws_client)
    assert (shown["entries"], shown["connected"]) == (1, 0)
