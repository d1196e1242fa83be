"""Fixtures of all tests: a real Home Assistant, and simulated vendors on loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

# Imported before Home Assistant looks for custom integrations, so that it finds those
# of this checkout and not the test plugin's own.
import custom_components.gatehouse  # noqa: F401
from custom_components.gatehouse.vendors.the_keys import client
from homeassistant.core import HomeAssistant

type Advance = Callable[[float], Awaitable[None]]


@pytest.fixture(autouse=True)
def custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant load Gatehouse."""


@pytest.fixture(autouse=True)
def hurried_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take out of the talk with a gateway the time that passes between two requests."""
    monkeypatch.setattr(
        client,
        "PACE",
        client.Pace(
            gap=0, connect=1, light=0.3, heavy=0.3, busy=0, travel=0, transient=(0, 0)
        ),
    )


@pytest.fixture
def advance(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Advance:
    """Return what lets seconds pass and waits for all that happens then."""

    async def advance(seconds: float) -> None:
        freezer.tick(seconds)
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)

    return advance


@pytest.fixture
async def served_at(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> str:
    """Return the base URL of Home Assistant's own web server, on loopback."""
    client = await hass_client_no_auth()
    return str(client.make_url("")).rstrip("/")
