"""A station with a door, and Home Assistant as its ASM server."""

from collections.abc import AsyncIterator, Callable

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.gatehouse.const import DOMAIN
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant
from simulators.ipac import Ipac

SECRET = "0123456789abcdef0123456789abcdef"
TOKEN = "invented-client"
PASSWORD = "invented password"
CODE = "1111"
CLEANER = "4711#"

DOOR = "lock.front_gate_door"
OPEN = "button.front_gate_open"
ACCESS = "event.front_gate_access"
DOORBELL = "event.ipac_doorbell"
KEYPAD = "event.ipac_keypad"
STATION = "event.ipac_station"
CALL = "binary_sensor.ipac_call"
CONNECTION = "binary_sensor.ipac_connection"
SPEAKER = "media_player.ipac_speaker"
DISPLAY = "notify.ipac_display"

type Told = Callable[[str], list[tuple[str, dict]]]


def relay(number: int, title: str, code: str = CODE) -> ConfigSubentryData:
    """Return the sub-entry of a door."""
    return ConfigSubentryData(
        data={"relay": str(number), "code": code, "open_time": 5},
        subentry_type="relay",
        title=title,
        unique_id=f"relay_{number}",
    )


def named_code(code: str, title: str) -> ConfigSubentryData:
    """Return the sub-entry of a keypad code."""
    return ConfigSubentryData(
        data={"code": code},
        subentry_type="keypad_code",
        title=title,
        unique_id=None,
    )


@pytest.fixture
async def station(socket_enabled: None) -> AsyncIterator[Ipac]:
    """Return a station that knows one code for each relay."""
    async with Ipac(
        password=PASSWORD, codes={1: [CODE, CLEANER], 2: ["2222"]}
    ) as station:
        yield station


@pytest.fixture
def entry(station: Ipac) -> MockConfigEntry:
    """Return an entry with a door and a named code, not set up yet."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="IPAC",
        entry_id="entry",
        data={
            "vendor": "ipac",
            "host": station.host,
            "username": "admin",
            "password": PASSWORD,
            "auth": "digest",
            "tls": False,
            "verify_tls": False,
            "asm_secret": SECRET,
            "asm_token": TOKEN,
        },
        subentries_data=[relay(1, "Front gate"), named_code(CLEANER, "Cleaner")],
    )


@pytest.fixture
async def home(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Return the entry, set up."""
    if hass.config_entries.async_get_entry(entry.entry_id) is None:
        entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


@pytest.fixture
def asm(home: MockConfigEntry, served_at: str, station: Ipac) -> Ipac:
    """Return the station, which reports to Home Assistant when it is told to."""
    connect(station, served_at)
    return station


def connect(station: Ipac, served_at: str, **changes: str) -> None:
    """Enter in a station's ASM screen what Gatehouse shows."""
    station.connect_asm(
        **{
            "uri": served_at,
            "path": f"/api/gatehouse/asm/{SECRET}/",
            "token": TOKEN,
            "notify_every": 0,
        }
        | changes
    )


@pytest.fixture
def told(hass: HomeAssistant) -> Told:
    """Return what lists the events that an event entity has told since the start."""
    changes: list[Event] = async_capture_events(hass, EVENT_STATE_CHANGED)

    def told(entity_id: str) -> list[tuple[str, dict]]:
        return [
            (state.attributes["event_type"], dict(state.attributes))
            for change in changes
            if change.data["entity_id"] == entity_id
            and (state := change.data["new_state"]) is not None
            and state.state not in ("unknown", "unavailable")
            and (
                change.data["old_state"] is None
                or change.data["old_state"].state != state.state
            )
        ]

    return told


async def order(hass: HomeAssistant, action: str, entity_id: str = DOOR) -> None:
    """Call an action of an entity's domain and wait for its end."""
    await hass.services.async_call(
        entity_id.partition(".")[0], action, {"entity_id": entity_id}, blocking=True
    )
