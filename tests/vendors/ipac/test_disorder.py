"""Reports that come late, again, in another order, or together with an order of ours."""

import asyncio
from datetime import timedelta
import json

from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
from simulators.ipac import Fault, Ipac

from ...conftest import Advance
from ..conftest import shown
from .conftest import ACCESS, CALL, CLEANER, CODE, DOOR, DOORBELL, STATION, Told, order
from .test_asm import send_event, station_device
from .test_doors import orders

HOUR = 3600


@pytest.fixture
async def asm(asm: Ipac) -> Ipac:
    """Return a station that has reported already, and is asked for nothing more."""
    await asm.notify()
    assert (await asm.notify()).status == 200
    return asm


async def ordered(asm: Ipac, number: int = 1) -> None:
    """Wait until the station has so many orders, and the caller its answer or none."""
    while len(orders(asm)) < number:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


async def reported(asm: Ipac, number: int) -> None:
    """Wait until the station has reported so many events."""
    while sum(sent.endpoint == "event" for sent in asm.sent) < number:
        await asyncio.sleep(0.01)


def methods(told: Told) -> list[str]:
    """Return how the door was opened, as it was told."""
    return [
        attributes["method"]
        for event, attributes in told(ACCESS)
        if event == "access_granted"
    ]


def age(told: Told, entity_id: str) -> float:
    """Return how many seconds ago the last event is said to have happened."""
    _, attributes = told(entity_id)[-1]
    occurred_at = dt_util.parse_datetime(attributes["occurred_at"])
    return (dt_util.utcnow() - occurred_at).total_seconds()


# --- Again


async def test_again_after_a_slow_sign_of_life(
    hass: HomeAssistant, asm: Ipac, told: Told
) -> None:
    """A network that loses answers is slow, too; that is no clock which was set back."""
    await asm.press_button()
    ring = asm.sent[-1].body
    asm.clock_offset -= 20
    await asm.notify()
    asm.clock_offset += 20
    await asm.notify()
    await asm.send_raw("event", ring)
    assert [event for event, _ in told(DOORBELL)] == ["ring"]


async def test_again_after_a_restart_of_the_station(
    hass: HomeAssistant, asm: Ipac, told: Told
) -> None:
    """A restart from which the clock goes on makes no repetition new."""
    await asm.press_button()
    ring = asm.sent[-1].body
    await asm.restart()
    await asm.send_raw("event", ring)
    assert [event for event, _ in told(DOORBELL)] == ["ring"]


async def test_clock_set_back(hass: HomeAssistant, asm: Ipac, told: Told) -> None:
    """When the hour comes twice, so may what is typed in it."""
    at = asm.read_clock()
    for _ in range(2):
        await send_event(asm, code="01", value="outgoing:1", time=at)
        asm.clock_offset -= HOUR
        await asm.notify()
    assert [event for event, _ in told(DOORBELL)] == ["ring", "ring"]


async def test_clock_set_back_a_little(
    hass: HomeAssistant, asm: Ipac, told: Told
) -> None:
    """What happens in the seconds that come twice is told; signs of life date it right."""
    await asm.press_button("sip:192.0.2.1")
    await asm.hang_up()
    asm.clock_offset -= 20
    await asm.press_button("sip:192.0.2.1")
    assert [event for event, _ in told(DOORBELL)] == ["ring", "ended", "ring"]
    await asm.notify()
    await asm.type_code(CLEANER)
    assert age(told, ACCESS) == pytest.approx(0, abs=5)
    assert shown(hass, DOOR) == "unlocked"


async def test_replaced_station_has_its_own_clock(
    hass: HomeAssistant, asm: Ipac, home: MockConfigEntry, told: Told
) -> None:
    """What a new station tells first is not dated by the clock of the old one."""
    asm.object_id = "another one"
    asm.clock_offset -= 1800
    assert (await asm.notify()).status == 404
    await home.runtime_data.async_fix("another_station", {"object_id": "another one"})
    assert home.runtime_data.diagnostics()["clock_offset"] is None
    await asm.press_button()
    occurred = dt_util.parse_datetime(told(DOORBELL)[0][1]["occurred_at"])
    assert abs(dt_util.utcnow() - occurred) <= timedelta(seconds=2)


# --- Summer time


@pytest.fixture
async def before_autumn(hass: HomeAssistant, clock: TickingDateTimeFactory) -> None:
    """Let it be half a minute before the clocks go back."""
    await hass.config.async_set_time_zone("Europe/Paris")
    clock.move_to("2030-10-27T00:59:30+00:00")


@pytest.fixture
async def paris(before_autumn: None, asm: Ipac) -> Ipac:
    """Return a station that has given its last sign of life of the summer."""
    asm.clock_offset = 2 * HOUR - 59
    await asm.notify()
    return asm


async def test_end_of_summer_time(
    hass: HomeAssistant,
    paris: Ipac,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
) -> None:
    """Who comes before the first sign of life of the winter has come just now."""
    await advance(40)
    paris.clock_offset -= HOUR
    await paris.press_button()
    assert age(told, DOORBELL) == pytest.approx(0, abs=5)
    assert shown(hass, CALL) == "on"
    await paris.type_code(CLEANER)
    assert age(told, ACCESS) == pytest.approx(0, abs=5)
    assert shown(hass, DOOR) == "unlocked"
    assert home.runtime_data.diagnostics()["clock_offset"] == pytest.approx(
        HOUR - 59, abs=3
    )
    # What comes late now is late by the new time.
    paris.silent = True
    await paris.hang_up()
    await advance(30)
    paris.silent = False
    await paris.notify()
    assert age(told, DOORBELL) == pytest.approx(30, abs=5)


async def test_end_of_summer_time_while_away(
    hass: HomeAssistant,
    paris: Ipac,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
) -> None:
    """The same if Home Assistant was not there when it ended."""
    await hass.config_entries.async_unload(home.entry_id)
    await advance(2 * HOUR)
    paris.clock_offset -= HOUR
    await hass.config_entries.async_setup(home.entry_id)
    await paris.press_button()
    assert age(told, DOORBELL) == pytest.approx(0, abs=5)


async def test_same_in_the_hour_that_comes_twice(
    hass: HomeAssistant, paris: Ipac, told: Told, advance: Advance
) -> None:
    """Who rings when the clock shows the same time again is not taken for a repetition."""
    at = paris.read_clock()
    await send_event(paris, code="01", value="outgoing:1", time=at)
    await advance(HOUR)
    await send_event(paris, code="01", value="outgoing:1", time=at)
    assert [event for event, _ in told(DOORBELL)] == ["ring", "ring"]
    await send_event(paris, code="01", value="outgoing:1", time=at)
    assert len(told(DOORBELL)) == 2


async def test_late_when_summer_time_ends(
    hass: HomeAssistant, paris: Ipac, told: Told, advance: Advance
) -> None:
    """What happened before and comes after is as late as it is, and no news again."""
    paris.silent = True
    await paris.press_button()
    ring = json.loads(paris.asm.waiting[0])
    await advance(40)
    paris.silent = False
    paris.clock_offset -= HOUR
    for _ in range(2):
        await send_event(paris, **ring)
    assert len(told(DOORBELL)) == 1
    assert age(told, DOORBELL) == pytest.approx(40, abs=5)


async def test_clock_that_is_not_set_in_autumn(
    hass: HomeAssistant, paris: Ipac, told: Told, advance: Advance
) -> None:
    """A station that keeps summer time is as right as before."""
    await advance(40)
    await paris.press_button()
    assert age(told, DOORBELL) == pytest.approx(0, abs=5)
    await paris.notify()
    # An hour is an hour then.
    await send_event(
        paris, code="FA", value="outgoing:1", time=paris.read_clock() - HOUR
    )
    assert age(told, DOORBELL) == pytest.approx(HOUR, abs=5)


async def test_beginning_of_summer_time(
    hass: HomeAssistant,
    clock: TickingDateTimeFactory,
    paris: Ipac,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
) -> None:
    """In spring, too, an event is enough."""
    clock.move_to("2031-03-30T00:59:30+00:00")
    paris.clock_offset -= HOUR
    await paris.notify()
    await paris.press_button()
    ring = paris.sent[-1].body
    await paris.hang_up()
    await advance(40)
    paris.clock_offset += HOUR
    await paris.press_button()
    assert age(told, DOORBELL) == pytest.approx(0, abs=5)
    # No time comes again, so what comes again is a repetition.
    await paris.send_raw("event", ring)
    assert [event for event, _ in told(DOORBELL)] == ["ring", "ended", "ring"]
    assert home.runtime_data.diagnostics()["clock_offset"] == pytest.approx(
        2 * HOUR - 59, abs=3
    )


# --- Calls


async def test_beginning_after_the_end(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """A call of which the end was told first is told, but does not run."""
    asm.silent = True
    await asm.press_button()
    await advance(20)
    asm.silent = False
    await asm.hang_up()
    await advance(20)
    await asm.notify()
    assert [event for event, _ in told(DOORBELL)] == ["ended", "ring"]
    assert shown(hass, CALL) == "off"
    await asm.press_button()
    assert shown(hass, CALL) == "on"


@pytest.mark.parametrize("pause", [0, 20])
async def test_end_after_the_next_beginning(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance, pause: int
) -> None:
    """The late end of one call does not end the next, as when numbers are called in turn."""
    await asm.press_button("sip:192.0.2.1")
    await advance(20)
    asm.silent = True
    await asm.hang_up()
    await advance(pause)
    asm.silent = False
    await asm.press_button("sip:192.0.2.2")
    await advance(20)
    await asm.notify()
    assert [event for event, _ in told(DOORBELL)] == ["ring", "ring", "ended"]
    assert told(DOORBELL)[-1][1]["duration"] is None
    assert shown(hass, CALL) == "on"
    await asm.hang_up()
    assert told(DOORBELL)[-1][1]["duration"] == pytest.approx(20, abs=5)
    assert shown(hass, CALL) == "off"


async def test_two_calls_in_the_wrong_order(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """A call of which all is told during the next one does not touch that."""
    asm.silent = True
    await asm.press_button("sip:192.0.2.1")
    await advance(20)
    await asm.hang_up()
    await advance(20)
    asm.silent = False
    await asm.press_button("sip:192.0.2.2")
    await advance(20)
    await asm.notify()
    assert [event for event, _ in told(DOORBELL)] == ["ring", "ring", "ended"]
    assert shown(hass, CALL) == "on"
    await asm.hang_up()
    assert told(DOORBELL)[-1][1]["duration"] == pytest.approx(20, abs=5)


async def test_late_end(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """The end of the call that runs ends it, however late it is told."""
    await asm.press_button()
    asm.silent = True
    await asm.hang_up()
    await advance(30)
    asm.silent = False
    await asm.notify()
    assert shown(hass, CALL) == "off"
    assert told(DOORBELL)[-1][1]["duration"] == pytest.approx(0, abs=3)


async def test_late_restart(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """A restart that is told late does not end a call that began after it."""
    asm.silent = True
    await asm.restart()
    await advance(30)
    asm.silent = False
    await asm.press_button()
    await asm.notify()
    assert [event for event, _ in told(STATION)] == ["restarted"]
    assert shown(hass, CALL) == "on"


async def test_old_ring_after_own_call(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
    device_registry: dr.DeviceRegistry,
) -> None:
    """A ring of ten minutes ago is not the call that was just placed."""
    asm.silent = True
    await asm.press_button("sip:192.0.2.1")
    await advance(600)
    asm.call = None
    await hass.services.async_call(
        "gatehouse",
        "place_call",
        {"device_id": station_device(device_registry, home).id, "number": "sip:9"},
        blocking=True,
    )
    while len(asm.asm.waiting) < 2:
        await asyncio.sleep(0.01)
    asm.silent = False
    await asm.notify()
    assert [attributes["callee"] for _, attributes in told(DOORBELL)] == [
        "sip:192.0.2.1"
    ]


# --- Orders


async def test_old_report_confirms_nothing(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """What happened an hour ago does not show that an order was carried out."""
    asm.inject("/api/remote/", Fault.reset(acted=False))
    opening = hass.async_create_task(order(hass, "unlock"))
    await ordered(asm)
    await send_event(asm, code="RL", value=f"{CODE};1", time=asm.read_clock() - HOUR)
    await advance(6)
    with pytest.raises(HomeAssistantError) as error:
        await opening
    assert error.value.translation_key == "door_not_confirmed"
    assert methods(told) == ["code"]
    assert shown(hass, DOOR) == "locked"


async def test_code_of_another_confirms_nothing(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """Who opens the door by a code of their own is told of, and not taken for an order."""
    asm.inject("/api/remote/", Fault.reset(acted=False))
    opening = hass.async_create_task(order(hass, "unlock"))
    await ordered(asm)
    # Without what is told of the keypad, which might be lost.
    await send_event(asm, code="RL", value=f"{CLEANER};1")
    await advance(6)
    with pytest.raises(HomeAssistantError) as error:
        await opening
    assert error.value.translation_key == "door_not_confirmed"
    ((_, attributes),) = told(ACCESS)
    assert (attributes["method"], attributes["person"]) == ("code", "Cleaner")


async def test_code_of_another_after_an_order(
    hass: HomeAssistant, asm: Ipac, told: Told
) -> None:
    """Nor is it taken for the echo of an order, though nothing was told of the keypad."""
    await order(hass, "unlock")
    await send_event(asm, code="RL", value=f"{CLEANER};1")
    await reported(asm, 2)
    assert methods(told) == ["remote", "code"]


async def test_old_report_after_an_order(
    hass: HomeAssistant, asm: Ipac, told: Told
) -> None:
    """An opening of an hour ago is not the echo of an order."""
    asm.silent = True
    await order(hass, "unlock")
    asm.silent = False
    await send_event(asm, code="RL", value=";1", time=asm.read_clock() - HOUR)
    assert methods(told) == ["remote", "unknown"]


async def test_late_echo(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """The station's report of an order that comes half a minute late is still its echo."""
    asm.silent = True
    await order(hass, "unlock")
    while not asm.asm.waiting:
        await asyncio.sleep(0.01)
    await advance(30)
    asm.silent = False
    await asm.notify()
    assert methods(told) == ["remote"]
    assert shown(hass, DOOR) == "locked"


async def test_two_late_echoes(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """Each of two orders has its echo."""
    asm.silent = True
    for number in (1, 2):
        await order(hass, "unlock")
        while len(asm.asm.waiting) < number:
            await asyncio.sleep(0.01)
        await advance(3)
        asm.relays[1].release()
    asm.silent = False
    await asm.notify()
    assert methods(told) == ["remote", "remote"]


async def test_many_late_echoes(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """Sixteen reports are awaited; those of more orders are told as ones of a code."""
    asm.silent = True
    for number in range(1, 19):
        await order(hass, "unlock")
        while len(asm.asm.waiting) < number:
            await asyncio.sleep(0.01)
        await advance(1)
        asm.relays[1].release()
    asm.silent = False
    await asm.notify()
    await reported(asm, 18)
    assert methods(told) == ["remote"] * 18 + ["code"] * 2


@pytest.mark.parametrize("end", ["lost", "cancelled", "cancelled before the report"])
async def test_report_after_the_caller_has_gone(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance, end: str
) -> None:
    """An order of which nobody knew, and which was carried out, is told as what it is."""
    asm.silent = end != "cancelled"
    asm.inject(
        "/api/remote/",
        Fault.reset(acted=True) if end == "lost" else Fault.hang(acted=True),
    )
    opening = hass.async_create_task(order(hass, "unlock"))
    await ordered(asm)
    if end == "lost":
        await advance(6)
        with pytest.raises(HomeAssistantError):
            await opening
    else:
        if end == "cancelled":
            await reported(asm, 1)
        opening.cancel()
        await asyncio.wait([opening])
    asm.silent = False
    await asm.notify()
    assert methods(told) == ["remote"]
    # Who presses a button next is somebody else.
    await send_event(asm, code="RL", value=";1")
    assert methods(told) == ["remote", "unknown"]


async def test_button_after_a_lost_order(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """A push-button that is pressed then does not show that an order was carried out."""
    asm.inject("/api/remote/", Fault.reset(acted=False))
    opening = hass.async_create_task(order(hass, "unlock"))
    await ordered(asm)
    await advance(6)
    with pytest.raises(HomeAssistantError):
        await opening
    await send_event(asm, code="RL", value=";1")
    assert methods(told) == ["unknown"]


async def test_twice_at_once(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """Of two orders at once one opens the door, which is told once, and the other hears why.

    The answer to the first one is lost; its report shows that it was carried out.
    """
    asm.inject("/api/remote/", Fault.hang(acted=True))
    first = hass.async_create_task(order(hass, "unlock"))
    await ordered(asm)
    await reported(asm, 1)
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == "door_busy"
    await advance(11)
    await first
    assert asm.relays[1].openings == 1
    assert methods(told) == ["remote"]


async def test_refused_order_hands_the_report_on(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """A report that came first to an order which is refused belongs to the other one."""
    asm.silent = True
    asm.inject("/api/remote/", Fault.hang(acted=False))
    asm.inject("/api/remote/", Fault.hang(acted=True))
    refused = hass.async_create_task(order(hass, "unlock"))
    await ordered(asm, 1)
    opened = hass.async_create_task(order(hass, "unlock"))
    await ordered(asm, 2)
    asm.silent = False
    await send_event(asm, code="RL", value=f"{CODE};1")
    refused.cancel()
    await asyncio.wait([refused])
    assert not told(ACCESS)
    await advance(11)
    await opened
    assert methods(told) == ["remote"]


async def test_typed_before_an_order(
    hass: HomeAssistant, asm: Ipac, told: Told
) -> None:
    """A code that has opened the door is not what opens it the next time."""
    await asm.type_code(CODE)
    asm.relays[1].release()
    await order(hass, "unlock")
    await reported(asm, 3)
    assert methods(told) == ["code", "remote"]
