"""A SenseLink server with two terminals, and entries that listen to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.gatehouse.const import DOMAIN
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, HomeAssistant
from simulators.senselink import SenseLink
from simulators.senselink_frames import TERMINALS

from ..websocket import advance, steady

__all__ = ["advance", "steady"]


APP_KEY = "00112233aabbccdd"
APP_SECRET = "0123456789abcdef0123456789abcdef"
SECRET = "fedcba9876543210fedcba9876543210"

ENTRANCE, CAR_PARK = (terminal.ldid for terminal in TERMINALS)

PLACE = "ground_floor_main_entrance"
ACCESS = f"event.{PLACE}_access"
ALERT = f"event.{PLACE}_alert"
PERSON = f"sensor.{PLACE}_last_person"
TEMPERATURE = f"sensor.{PLACE}_body_temperature"
PHOTO = f"image.{PLACE}_last_photo"
TAMPER = f"binary_sensor.{PLACE}_tampering"
FORCED = f"binary_sensor.{PLACE}_door_forced_open"
HELD_OPEN = f"binary_sensor.{PLACE}_door_held_open"
FIRE = f"binary_sensor.{PLACE}_fire_alarm"
ONLINE = f"binary_sensor.{PLACE}_online"
CONNECTION = "binary_sensor.senselink_server_connection"
CONTACT = "sensor.senselink_server_last_contact"

type Told = Callable[[str], list[tuple[str, dict[str, Any]]]]
type SetUp = Callable[[MockConfigEntry], Awaitable[None]]


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[SenseLink]:
    """Return a server whose heart beats only when told to."""
    async with SenseLink(
        app_key=APP_KEY, app_secret=APP_SECRET, heartbeat=None
    ) as server:
        yield server


def make_entry(server: SenseLink, **changes: Any) -> MockConfigEntry:
    """Return an entry for a server, not set up yet; what is None is left out."""
    host, port = server.host.split(":")
    options = {"photos": changes.pop("photos", False)}
    return MockConfigEntry(
        domain=DOMAIN,
        title="SenseLink",
        # Part of all unique ids.
        entry_id=changes.pop("entry_id", "entry"),
        unique_id=f"senselink:{host}:{port}",
        data={
            key: value
            for key, value in (
                {
                    "vendor": "senselink",
                    "delivery": "websocket",
                    "host": host,
                    "port": int(port),
                    "app_key": APP_KEY,
                    "app_secret": APP_SECRET,
                    "tls": False,
                    "verify_tls": True,
                    "web_url": server.url,
                }
                | changes
            ).items()
            if value is not None
        },
        options=options,
    )


@pytest.fixture
def entry(server: SenseLink) -> MockConfigEntry:
    """Return an entry that listens at the websocket, not set up yet."""
    return make_entry(server)


@pytest.fixture
def set_up(hass: HomeAssistant) -> SetUp:
    """Return what sets an entry up."""

    async def set_up(entry: MockConfigEntry) -> None:
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()

    return set_up


@pytest.fixture
async def home(
    hass: HomeAssistant, entry: MockConfigEntry, set_up: SetUp
) -> MockConfigEntry:
    """Return the entry, set up."""
    await set_up(entry)
    return entry


@pytest.fixture
async def subscription(server: SenseLink, set_up: SetUp) -> MockConfigEntry:
    """Return an entry that waits for events, set up."""
    entry = make_entry(server, delivery="subscription", secret=SECRET)
    await set_up(entry)
    return entry


@pytest.fixture
def address(subscription: MockConfigEntry, served_at: str) -> str:
    """Return the address to type into SenseLink's screen."""
    return f"{served_at}/api/gatehouse/senselink/{SECRET}"


@pytest.fixture
def subscribed(
    server: SenseLink, subscription: MockConfigEntry, address: str
) -> MockConfigEntry:
    """Return the entry; the server posts events to it."""
    server.subscribe(address)
    return subscription


@pytest.fixture
def told(hass: HomeAssistant) -> Told:
    """Return what lists the events that an event entity has told since the start."""
    changes: list[Event[Any]] = async_capture_events(hass, EVENT_STATE_CHANGED)

    def told(entity_id: str) -> list[tuple[str, dict[str, Any]]]:
        # An entity that comes within reach again shows its last event anew.
        events = {
            state.state: dict(state.attributes)
            for change in changes
            if change.data["entity_id"] == entity_id
            and (state := change.data["new_state"]) is not None
            and state.state not in (STATE_UNKNOWN, STATE_UNAVAILABLE)
        }
        return [(event["event_type"], event) for event in events.values()]

    return told
