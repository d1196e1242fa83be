"""Fixtures of all tests: a real Home Assistant, and simulated vendors on loopback."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from freezegun import freeze_time
from freezegun.api import TickingDateTimeFactory, real_monotonic
from hypothesis import settings
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

# Imported before Home Assistant looks for custom integrations, so that it finds those
# of this checkout and not the test plugin's own.
import custom_components.gatehouse  # noqa: F401
from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.vendors.the_keys import client
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component

from .faults.simulated_time import SimulatedTime

# A run tells of the change that it tests, and neither of luck nor of how much else the
# machine does. Inputs that nobody has thought of are what `scripts/fuzz` is for.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

PATIENCE = 120.0
"""Real seconds after which something will never happen, however slow the machine is."""

type Devices = Callable[[], list[dr.DeviceEntry]]
type Advance = Callable[[float], Awaitable[None]]


async def until(happened: Callable[[], object]) -> None:
    """Wait until something has happened, which takes none of the time of the house."""
    began_at = real_monotonic()
    while not happened():
        assert real_monotonic() - began_at < PATIENCE, "it does not happen"
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant load Gatehouse."""


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Write snapshots in Home Assistant's way, without what changes at every run."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture(autouse=True)
def hurried_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take out of the talk with a gateway the time that passes between two requests."""
    monkeypatch.setattr(
        client,
        "PACE",
        client.Pace(
            gap=0, connect=5, light=5, heavy=5, busy=0, travel=0, transient=(0, 0)
        ),
    )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, hurried_gateway: None) -> None:
    """Give up soon on a gateway that does not answer; for tests in which it does not."""
    monkeypatch.setattr(
        client, "PACE", replace(client.PACE, connect=2, light=2, heavy=2)
    )


@pytest.fixture
def entity_registry_enabled_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable what is disabled by default."""
    monkeypatch.setattr(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", True
    )


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> Iterator[TickingDateTimeFactory]:
    """Return a clock that goes on by itself, and can be set forward.

    It must not stand still, or no time limit of a socket would ever be reached; but in
    tests that are marked `standing_clock` it does, for which none may be.
    """
    marked = request.node.get_closest_marker("standing_clock")
    with freeze_time(datetime.now(UTC), tick=marked is None) as clock:
        yield clock


@pytest.fixture
def passing(hass: HomeAssistant, clock: TickingDateTimeFactory) -> SimulatedTime:
    """Return what lets time pass when all has been done that needs none."""
    return SimulatedTime(hass, clock)


@pytest.fixture
def advance(hass: HomeAssistant, clock: TickingDateTimeFactory) -> Advance:
    """Return what lets seconds pass and waits for all that happens then."""

    async def advance(seconds: float) -> None:
        # Its own `tick` forgets the time that has gone by itself.
        clock.move_to(clock() + timedelta(seconds=seconds))
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)

    return advance


@pytest.fixture
async def served_at(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> str:
    """Return the base URL of Home Assistant's own web server, on loopback."""
    # Once the server has started, core's views can be registered no more.
    for component in ("config", "diagnostics", "websocket_api"):
        assert await async_setup_component(hass, component, {})
    client = await hass_client_no_auth()
    return str(client.make_url("")).rstrip("/")


@pytest.fixture
def devices(hass: HomeAssistant, device_registry: dr.DeviceRegistry) -> Devices:
    """Return what lists the devices of all entries."""
    return lambda: [
        device
        for entry in hass.config_entries.async_entries(DOMAIN)
        for device in dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    ]
