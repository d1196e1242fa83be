"""A note on the display while couriers come."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from simulators.ipac import Fault, Ipac

from ..conftest import Advance, until
from .conftest import Automate, settled

HOURS = "schedule.couriers"
DISPLAY = "notify.entrance_display"
CLEAR = "button.entrance_clear_display"

type Watch = Callable[..., Awaitable[None]]


@pytest.fixture
def watch(hass: HomeAssistant, automate: Automate) -> Watch:
    """Return what makes the automation, outside of the hours."""
    hass.states.async_set(HOURS, "off")

    async def watch(**inputs: Any) -> None:
        await automate(
            {
                "note_on_display": {
                    "display": DISPLAY,
                    "clear_display": CLEAR,
                    "hours": HOURS,
                    **inputs,
                }
            }
        )

    return watch


async def test_note(
    hass: HomeAssistant, entrance: Ipac, watch: Watch, advance: Advance
) -> None:
    """It is shown during the hours, again from time to time, and cleared then."""
    await watch()
    assert not entrance.pictures
    hass.states.async_set(HOURS, "on")
    await until(lambda: entrance.picture is not None)
    await advance(14 * 60)
    assert len(entrance.pictures) == 1
    await advance(61)
    await until(lambda: len(entrance.pictures) == 2)
    hass.states.async_set(HOURS, "off")
    await until(lambda: entrance.picture is None)
    await advance(20 * 60)
    assert len(entrance.pictures) == 2


async def test_after_a_call(
    hass: HomeAssistant, entrance: Ipac, watch: Watch, advance: Advance
) -> None:
    """It is shown again after a call."""
    await watch(doorbells=["event.entrance_doorbell"])
    hass.states.async_set(HOURS, "on")
    await until(lambda: len(entrance.pictures) == 1)
    await settled()
    await entrance.press_button()
    await until(lambda: len(entrance.pictures) == 2)
    await settled()
    await entrance.hang_up()
    await until(lambda: len(entrance.pictures) == 3)
    assert entrance.picture is not None


async def test_display_comes_back(
    hass: HomeAssistant, entrance: Ipac, watch: Watch
) -> None:
    """It is shown again when the station is back within reach."""
    await watch()
    hass.states.async_set(HOURS, "on")
    await until(lambda: len(entrance.pictures) == 1)
    await settled()
    display = hass.states.get(DISPLAY)
    hass.states.async_set(DISPLAY, "unavailable")
    await settled()
    assert len(entrance.pictures) == 1
    hass.states.async_set(DISPLAY, display.state)
    await until(lambda: len(entrance.pictures) == 2)


async def test_arrival(
    hass: HomeAssistant, entrance: Ipac, watch: Watch, advance: Advance
) -> None:
    """The arrival of the parcel ends it for that day, and nothing else does."""
    hass.states.async_set("binary_sensor.parcel_box", "off")
    await watch(arrivals=["binary_sensor.parcel_box"])
    hass.states.async_set(HOURS, "on")
    await until(lambda: entrance.picture is not None)
    await settled()
    hass.states.async_set(HOURS, "on", {"next_event": "later"})
    hass.states.async_set("binary_sensor.parcel_box", "unavailable")
    hass.states.async_set("binary_sensor.parcel_box", "on")
    await settled()
    assert entrance.picture is not None
    hass.states.async_set("binary_sensor.parcel_box", "off")
    hass.states.async_set("binary_sensor.parcel_box", "on")
    await until(lambda: entrance.picture is None)
    await advance(20 * 60)
    assert entrance.picture is None


async def test_station_out_of_reach(
    hass: HomeAssistant, entrance: Ipac, watch: Watch, advance: Advance
) -> None:
    """A note that cannot be shown now is shown later, and one is cleared later, too."""
    await watch(again=1)
    entrance.inject("/api/video/", Fault.code(480))
    hass.states.async_set(HOURS, "on")
    await until(lambda: any(request.status == 480 for request in entrance.requests))
    await settled()
    assert entrance.picture is None
    await advance(61)
    await until(lambda: entrance.picture is not None)
    await settled()
    button = hass.states.get(CLEAR)
    hass.states.async_set(CLEAR, "unavailable")
    hass.states.async_set(HOURS, "off")
    await settled()
    assert entrance.picture is not None
    hass.states.async_set(CLEAR, button.state)
    await until(lambda: entrance.picture is None)


async def test_start_within_the_hours(
    hass: HomeAssistant, entrance: Ipac, watch: Watch
) -> None:
    """If Home Assistant starts within the hours, the note is shown."""
    hass.set_state(CoreState.starting)
    hass.states.async_set(HOURS, "on")
    await watch()
    await settled()
    assert not entrance.pictures
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await until(lambda: entrance.picture is not None)


async def test_left_behind(
    hass: HomeAssistant, entrance: Ipac, watch: Watch, advance: Advance
) -> None:
    """A note that was left behind is cleared at the next opportunity, others are not."""
    await watch()
    hass.states.async_set(HOURS, "on")
    await until(lambda: entrance.picture is not None)
    await settled()
    # As if Home Assistant had been stopped, and the hours had ended meanwhile.
    for action in ("turn_off", "turn_on"):
        await hass.services.async_call(
            "automation",
            action,
            {"entity_id": "automation.note_on_display"},
            blocking=True,
        )
    hass.states.async_set(HOURS, "off")
    await settled()
    assert entrance.picture is not None
    hass.bus.async_fire("automation_reloaded")
    await until(lambda: entrance.picture is None)
    await advance(1)
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": DISPLAY, "message": "Another's note"},
        blocking=True,
    )
    hass.bus.async_fire("automation_reloaded")
    await settled()
    assert entrance.picture is not None
