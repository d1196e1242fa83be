"""A gateway with two locks, and an entry for it."""

from collections.abc import AsyncIterator, Awaitable, Callable

from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gatehouse.const import DOMAIN
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from simulators.the_keys import Gateway, Lock

CODE = "InventedCode0001"
OTHER_CODE = "InventedCode0002"
FRONT = 10000001
SIDE = 10000002

type SetUp = Callable[[], Awaitable[MockConfigEntry]]


def subentry(identifier: int, title: str, code: str) -> ConfigSubentryData:
    """Return the sub-entry of a lock."""
    return ConfigSubentryData(
        data={"identifier": str(identifier), "share_code": code},
        subentry_type="lock",
        title=title,
        unique_id=str(identifier),
    )


@pytest.fixture(autouse=True)
def steady(clock: TickingDateTimeFactory) -> None:
    """Let the clock leap before a gateway is polled, and not while it is."""


@pytest.fixture
async def gateway(socket_enabled: None) -> AsyncIterator[Gateway]:
    """Return a gateway that sees two locks and knows shares of both."""
    async with Gateway(
        [
            Lock(FRONT, CODE, battery=7783, rssi=-62),
            Lock(SIDE, OTHER_CODE, battery=7235, rssi=-80),
        ]
    ) as gateway:
        yield gateway


@pytest.fixture
def entry(gateway: Gateway) -> MockConfigEntry:
    """Return an entry with one of the locks, not set up yet."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="The Keys",
        data={"vendor": "the_keys", "host": gateway.host},
        # Part of the gateway's unique ids.
        entry_id="entry",
        subentries_data=[subentry(FRONT, "Front door", CODE)],
    )


@pytest.fixture
async def home(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Return the entry, set up, with its lock read."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry
