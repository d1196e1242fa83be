"""Somebody rings; a button on a telephone opens a door."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from simulators.ipac import Ipac
from simulators.tellicon import Tellicon
from simulators.the_keys import Gateway

from ..conftest import Advance, until
from ..vendors.the_keys.conftest import FRONT
from .conftest import UNIT, Automate, Phone, Press, settled

DOORBELL = "event.entrance_doorbell"
GATE = "lock.front_gate_door"
FRONT_DOOR = "lock.front_door_door"

type Watch = Callable[..., Awaitable[None]]


@pytest.fixture
def watch(phones: list[Phone], automate: Automate) -> Watch:
    """Return what makes the automation."""

    async def watch(**inputs: Any) -> None:
        await automate(
            {
                "open_from_notification": {
                    "doorbell": DOORBELL,
                    "phones": [phone.device_id for phone in phones],
                    "door": GATE,
                    **inputs,
                }
            }
        )

    return watch


async def test_open(
    phones: list[Phone], entrance: Ipac, watch: Watch, press: Press
) -> None:
    """A ring is shown with its picture; a button opens the door, once."""
    ana, ben = phones
    await watch(picture="camera.entrance")
    await entrance.press_button()
    await until(lambda: ben.shown)
    (shown,) = ana.shown
    assert (shown["title"], shown["message"]) == ("Somebody rings", "Entrance")
    assert shown["data"]["image"] == "/api/camera_proxy/camera.entrance"
    assert [button["title"] for button in shown["data"]["actions"]] == [
        "Open",
        "Ignore",
    ]
    button = ana.button("Open")
    await press(button)
    await until(lambda: entrance.relays[1].openings == 1)
    await until(lambda: not ben.shown)
    assert not ana.shown
    entrance.relays[1].release()
    await press(button)
    assert entrance.relays[1].openings == 1


async def test_second_door(
    gateway: Gateway, phones: list[Phone], entrance: Ipac, watch: Watch, press: Press
) -> None:
    """A second door has a button of its own; a lock without a latch is unlocked."""
    await watch(second_door=FRONT_DOOR, second_label="Front door")
    await entrance.press_button()
    await until(lambda: phones[0].shown)
    await press(phones[0].button("Front door"))
    await until(lambda: gateway.orders)
    assert gateway.orders == [("/open", FRONT)]
    assert entrance.relays[1].openings == 0


async def test_ignore(
    phones: list[Phone], entrance: Ipac, watch: Watch, press: Press
) -> None:
    """Whoever ignores it withdraws it from all telephones."""
    ana, ben = phones
    await watch()
    await entrance.press_button()
    await until(lambda: ben.shown)
    opening = ana.button("Open")
    await press(ana.button("Ignore"))
    await until(lambda: not ana.shown and not ben.shown)
    await press(opening)
    assert entrance.relays[1].openings == 0


async def test_too_late(
    phones: list[Phone], entrance: Ipac, watch: Watch, press: Press, advance: Advance
) -> None:
    """A button works for a while only."""
    await watch()
    await entrance.press_button()
    await until(lambda: phones[0].shown)
    button = phones[0].button("Open")
    await advance(90)
    await until(lambda: not phones[0].shown)
    await press(button)
    assert entrance.relays[1].openings == 0


@pytest.mark.parametrize("withdraw", [True, False])
async def test_call_over(
    phones: list[Phone], entrance: Ipac, watch: Watch, press: Press, withdraw: bool
) -> None:
    """The end of the call withdraws the buttons, unless it shall not."""
    await watch(withdraw=withdraw)
    await entrance.press_button()
    await until(lambda: phones[0].shown)
    button = phones[0].button("Open")
    await entrance.hang_up()
    await settled()
    assert bool(phones[0].shown) is not withdraw
    await press(button)
    assert entrance.relays[1].openings == (0 if withdraw else 1)


async def test_button_of_an_earlier_ring(
    phones: list[Phone], entrance: Ipac, watch: Watch, press: Press, advance: Advance
) -> None:
    """What an earlier visitor's notification still offers opens nothing for the next."""
    await watch()
    await entrance.press_button()
    await until(lambda: phones[0].shown)
    button = phones[0].button("Open")
    await entrance.hang_up()
    await advance(1)
    await entrance.press_button()
    await until(lambda: phones[0].shown)
    assert phones[0].button("Open") != button
    await press(button)
    assert entrance.relays[1].openings == 0
    assert phones[0].shown


async def test_one_visitor(
    phones: list[Phone], entrance: Ipac, watch: Watch, advance: Advance
) -> None:
    """A station that tries one number after the other rings once."""
    await watch(withdraw=False)
    for _ in range(3):
        await entrance.press_button()
        await entrance.hang_up()
        await advance(10)
    assert len(phones[0].received) == 1


async def test_slow_phone(
    phones: list[Phone], entrance: Ipac, watch: Watch, press: Press
) -> None:
    """A button works while another telephone has not been reached yet."""
    ana, ben = phones
    ben.reached.clear()
    await watch()
    await entrance.press_button()
    await until(lambda: ana.shown)
    await press(ana.button("Open"))
    await until(lambda: entrance.relays[1].openings == 1)
    ben.reached.set()
    await until(lambda: not ana.shown and len(ben.received) == 2)
    assert not ben.shown


async def test_refused(
    phones: list[Phone], entrance: Ipac, watch: Watch, press: Press
) -> None:
    """Telephones are told of a door that did not open."""
    entrance.relays[1].mode = "pdl"
    await watch()
    await entrance.press_button()
    await until(lambda: phones[0].shown)
    await press(phones[0].button("Open"))
    await until(lambda: "Front gate did not open." in phones[0].messages)
    assert entrance.relays[1].openings == 0


async def test_late_ring(
    hass: HomeAssistant,
    phones: list[Phone],
    entrance: Ipac,
    watch: Watch,
    advance: Advance,
) -> None:
    """A ring that could not be reported at its time is not shown later."""
    await entrance.notify()
    await watch()
    assert await hass.config_entries.async_unload("entrance")
    await entrance.press_button()
    await entrance.hang_up()
    await advance(120)
    assert await hass.config_entries.async_setup("entrance")
    await entrance.notify()
    await until(lambda: hass.states.get(DOORBELL).attributes["event_type"] == "ended")
    await settled()
    assert not phones[0].received


async def test_restored_ring(
    hass: HomeAssistant, phones: list[Phone], entrance: Ipac, watch: Watch
) -> None:
    """A ring that is only shown again, as after a reload, is nothing new."""
    await entrance.press_button()
    await watch()
    assert await hass.config_entries.async_reload("entrance")
    await until(lambda: hass.states.get(DOORBELL).attributes["event_type"] == "ring")
    await settled()
    assert not phones[0].received


async def test_run_by_hand(
    hass: HomeAssistant, phones: list[Phone], entrance: Ipac, watch: Watch
) -> None:
    """Without a ring nothing is shown."""
    await watch()
    await hass.services.async_call(
        "automation",
        "trigger",
        {"entity_id": "automation.open_from_notification"},
        blocking=True,
    )
    await settled()
    assert not phones[0].received


async def test_unit(phones: list[Phone], tellicon: Tellicon, watch: Watch) -> None:
    """A unit of a block has its own doorbell, and a text of one's own names it."""
    await watch(
        doorbell="event.unit_505_121_1001_doorbell",
        door="lock.elsewhere",
        title="{{ place }}",
        message="{{ caller }} → {{ unit }}",
    )
    await tellicon.ring(UNIT)
    await until(lambda: phones[0].shown)
    assert phones[0].shown[0]["title"] == "Unit 505/121/1001"
    assert phones[0].shown[0]["message"] == "9001 → 505/121/1001"
