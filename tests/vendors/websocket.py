"""Time for vendors who talk over a websocket."""

from datetime import timedelta

from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant

from ..conftest import Advance


@pytest.fixture(autouse=True)
def steady(clock: TickingDateTimeFactory) -> None:
    """Let the clock leap before a websocket is watched over, and not while it is."""


@pytest.fixture
def advance(hass: HomeAssistant, clock: TickingDateTimeFactory) -> Advance:
    """Return what lets seconds pass; the websocket is listened to all the time."""

    async def advance(seconds: float) -> None:
        clock.move_to(clock() + timedelta(seconds=seconds))
        async_fire_time_changed(hass)
        await hass.async_block_till_done()

    return advance
