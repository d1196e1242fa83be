"""An account that is set up, and Tellicon on the other side."""

from collections.abc import AsyncIterator, Callable

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gatehouse.const import DOMAIN
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from simulators.tellicon import Tellicon

TOKEN = "invented-token-of-24-chr"


def now() -> float:
    """Return the time of the tests, which may stand still."""
    return dt_util.utcnow().timestamp()


@pytest.fixture
def entry() -> MockConfigEntry:
    """Return an entry that is not set up yet."""
    return MockConfigEntry(
        domain=DOMAIN, title="Tellicon", data={"vendor": "tellicon", "token": TOKEN}
    )


@pytest.fixture
async def account(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Return an entry that is set up."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


@pytest.fixture
async def tellicon(account: MockConfigEntry, served_at: str) -> AsyncIterator[Tellicon]:
    """Return Tellicon, which knows the account's token."""
    async with Tellicon(f"{served_at}/eventTellicon", TOKEN, clock=now) as sender:
        yield sender


@pytest.fixture
def state_of(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, entry: MockConfigEntry
) -> Callable[[str, str], State | None]:
    """Return what looks up the state of a channel of an account or unit."""

    def state_of(name: str, key: str) -> State | None:
        return next(
            (
                hass.states.get(found.entity_id)
                for found in er.async_entries_for_config_entry(
                    entity_registry, entry.entry_id
                )
                if found.unique_id == f"tellicon_{entry.entry_id}_{name}_{key}"
            ),
            None,
        )

    return state_of
