"""Alerts through their life, as events and as states."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any

from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gatehouse.vendors.senselink import alerts
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from simulators.senselink import SenseLink
from simulators.senselink_frames import AlarmTimeForm

from ...conftest import Advance, until
from ..conftest import shown
from .conftest import (
    ACCESS,
    ALERT,
    CONNECTION,
    ENTRANCE,
    FIRE,
    FORCED,
    ONLINE,
    PLACE,
    TAMPER,
    Told,
)

EVENTS = {
    10001: "tamper",
    10002: "door_forced",
    10003: "door_held_open",
    10004: "password_cracking",
    10005: "unknown_alert",
    10006: "thermal_camera_fault",
    20001: "camera_dirty",
    20002: "spoofing",
    20003: "fire",
    30001: "device_offline",
    40001: "feature_extraction_error",
    77777: "unknown_alert",
}

STATES = {
    10001: "tampering",
    10002: "door_forced_open",
    10003: "door_held_open",
    10006: "thermal_camera_fault",
    20001: "dirty_camera",
    20003: "fire_alarm",
}


async def tell(
    server: SenseLink, told: Told, code: int, *, count: int = 1, **options: Any
) -> str:
    """Push an alert, and wait until it has been told; return its own number."""
    frame = await server.alert(code, **options)
    await until(lambda: len(told(ALERT)) == count)
    trace_id: str = frame["data"]["traceId"]
    return trace_id


@pytest.mark.parametrize("code", EVENTS)
async def test_kinds(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told, code: int
) -> None:
    """Every kind is told by its name, and is a state where it is one."""
    trace_id = await tell(server, told, code)
    ((event_type, attributes),) = told(ALERT)
    assert event_type == EVENTS[code]
    assert attributes["status"] == "active"
    assert attributes["level"] == "alert"
    assert attributes["alert_id"] == trace_id
    assert attributes["released_at"] is None
    on = {
        name
        for name in STATES.values()
        if shown(hass, f"binary_sensor.{PLACE}_{name}") == "on"
    }
    assert on == ({STATES[code]} if code in STATES else set())
    assert shown(hass, ONLINE) == ("off" if code == 30001 else "on")


async def test_life(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """An alert goes on, stays on while it is being released, and goes off."""
    trace_id = await tell(server, told, 10002)
    assert shown(hass, FORCED) == "on"
    await tell(server, told, 10002, status=2, trace_id=trace_id, count=2)
    assert shown(hass, FORCED) == "on"
    await server.release(trace_id)
    await until(lambda: len(told(ALERT)) == 3)
    assert shown(hass, FORCED) == "off"
    assert [attributes["status"] for _, attributes in told(ALERT)] == [
        "active",
        "releasing",
        "released",
    ]
    assert {attributes["alert_id"] for _, attributes in told(ALERT)} == {trace_id}
    assert told(ALERT)[2][1]["released_at"] is not None


async def test_two_of_a_kind(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """Two alerts of a kind are two; the state goes off with the last one."""
    first = await tell(server, told, 10001)
    second = await tell(server, told, 10001, count=2)
    await server.release(first)
    await until(lambda: len(told(ALERT)) == 3)
    assert shown(hass, TAMPER) == "on"
    await server.release(second)
    await until(lambda: len(told(ALERT)) == 4)
    assert shown(hass, TAMPER) == "off"


async def test_repetition(server: SenseLink, home: MockConfigEntry, told: Told) -> None:
    """An alert that comes again, with nothing new, is told once."""
    await tell(server, told, 10001)
    await server.resend()
    await tell(server, told, 20003, count=2)
    assert [event_type for event_type, _ in told(ALERT)] == ["tamper", "fire"]


@pytest.mark.parametrize("form", ["ms", "s", "text", "empty"])
async def test_alarm_time(
    server: SenseLink, home: MockConfigEntry, told: Told, form: AlarmTimeForm
) -> None:
    """Times are understood in any form; words are in the terminal's own zone."""
    await server.recognise()
    await until(lambda: told(ACCESS))
    await tell(server, told, 10001, alarm_time_form=form)
    occurred_at = datetime.fromisoformat(told(ALERT)[0][1]["occurred_at"])
    assert abs(occurred_at - datetime.now(UTC)) < timedelta(seconds=10)


async def test_level(server: SenseLink, home: MockConfigEntry, told: Told) -> None:
    """How grave it is."""
    await tell(server, told, 10001, level=2)
    await tell(server, told, 10002, level=3, count=2)
    assert told(ALERT)[0][1]["level"] == "abnormality"
    assert told(ALERT)[1][1]["level"] is None


async def push(server: SenseLink, **data: Any) -> None:
    """Push an alert as no stand-in would."""
    await server.push_raw(
        json.dumps(
            {
                "code": 30100,
                "data": {
                    "deviceSn": ENTRANCE,
                    "deviceName": "Main entrance",
                    "deviceLocation": "Ground floor",
                }
                | data,
            }
        )
    )


async def test_without_numbers(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """An alert without a number of its own is the only one of its kind."""
    await push(server, code=10002)
    await push(server, code=10001, id=7, status=1)
    await until(lambda: len(told(ALERT)) == 2)
    assert shown(hass, FORCED) == shown(hass, TAMPER) == "on"
    assert told(ALERT)[0][1]["status"] is None
    assert told(ALERT)[1][1]["alert_id"] == "7"
    await push(server, code=10002, status=3)
    await push(server, code=10001, id=7, status=3)
    await until(lambda: len(told(ALERT)) == 4)
    assert shown(hass, FORCED) == shown(hass, TAMPER) == "off"


async def test_unknown_status(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """A status that is not documented changes no state."""
    await push(server, code=10002, id=1, status=9)
    await until(lambda: len(told(ALERT)) == 1)
    assert shown(hass, FORCED) == "off"
    await push(server, code=10002, id=1, status=1)
    await push(server, code=10002, id=1, status=9, alarmTime=1700000000)
    await until(lambda: len(told(ALERT)) == 3)
    assert shown(hass, FORCED) == "on"
    await push(server)
    await until(lambda: len(told(ALERT)) == 4)
    assert told(ALERT)[3][0] == "unknown_alert"


async def test_restart(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """What is under way is still so after a restart, and can be released then."""
    trace_id = await tell(server, told, 20003)
    assert await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done()
    assert shown(hass, FIRE) == "on"
    await server.release(trace_id)
    await until(lambda: len(told(ALERT)) == 2)
    assert shown(hass, FIRE) == "off"


async def test_missed_release(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
) -> None:
    """A release that was missed is made good by the next alert of the same kind."""
    missed = await tell(server, told, 10002)
    tampered = await tell(server, told, 10001, count=2)
    await server.drop()
    await until(lambda: shown(hass, CONNECTION) == "off")
    del server.alerts[missed]
    await advance(1)
    await until(lambda: shown(hass, CONNECTION) == "on")
    assert shown(hass, FORCED) == "on"
    again = await tell(server, told, 10002, count=3)
    await server.release(again)
    await until(lambda: len(told(ALERT)) == 4)
    assert shown(hass, FORCED) == "off"
    # Another kind is not touched.
    assert shown(hass, TAMPER) == "on"
    await server.release(tampered)
    await until(lambda: shown(hass, TAMPER) == "off")


async def test_still_the_same(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
) -> None:
    """One that is heard of again is certain again."""
    first = await tell(server, told, 10002)
    await server.drop()
    await until(lambda: shown(hass, CONNECTION) == "off")
    await advance(1)
    await until(lambda: shown(hass, CONNECTION) == "on")
    await tell(server, told, 10002, status=2, trace_id=first, count=2)
    second = await tell(server, told, 10002, count=3)
    await server.release(second)
    await until(lambda: len(told(ALERT)) == 4)
    assert shown(hass, FORCED) == "on"


async def test_offline_and_back(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
) -> None:
    """A terminal is online again when it tells something that happened later."""
    await tell(server, told, 30001)
    assert shown(hass, ONLINE) == "off"
    await server.recognise(at=1700000000)
    await until(lambda: told(ACCESS))
    assert shown(hass, ONLINE) == "off"
    await advance(60)
    await server.recognise()
    await until(lambda: len(told(ACCESS)) == 2)
    assert shown(hass, ONLINE) == "on"
    await tell(server, told, 30001, count=2)
    assert shown(hass, ONLINE) == "off"
    await advance(60)
    await tell(server, told, 10001, count=3)
    assert shown(hass, ONLINE) == "on"


async def test_offline_ends_by_itself(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
) -> None:
    """What is never released goes off after a day, also across a restart."""
    # In this order: what it tells later would show the terminal as online again.
    await tell(server, told, 10002)
    await tell(server, told, 30001, count=2)
    half = alerts.SELF_RELEASE.total_seconds() / 2
    await advance(half)
    assert shown(hass, ONLINE) == "off"
    assert await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done()
    assert shown(hass, ONLINE) == "off"
    await advance(half + 60)
    assert shown(hass, ONLINE) == "on"
    assert shown(hass, FORCED) == "on"


async def test_offline_during_downtime(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    clock: TickingDateTimeFactory,
) -> None:
    """So it does while Home Assistant is not running."""
    await tell(server, told, 30001)
    await hass.config_entries.async_unload(home.entry_id)
    clock.move_to(clock() + alerts.SELF_RELEASE)
    assert await hass.config_entries.async_setup(home.entry_id)
    await hass.async_block_till_done()
    assert shown(hass, ONLINE) == "on"


async def test_device_gone_during_downtime(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    device_registry: dr.DeviceRegistry,
    advance: Advance,
) -> None:
    """An alert of a terminal that is no more ends all the same."""
    await tell(server, told, 30001)
    await hass.config_entries.async_unload(home.entry_id)
    terminal = device_registry.async_get_device_by_identifier(
        ("gatehouse", f"senselink_entry_{ENTRANCE}"), home.entry_id
    )
    device_registry.async_remove_device(terminal.id)
    assert await hass.config_entries.async_setup(home.entry_id)
    await advance(alerts.SELF_RELEASE.total_seconds())
    assert not home.runtime_data._alerts.as_list()


async def test_bounds(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """A terminal that numbers its alerts without end does not fill the memory."""
    for number in range(alerts.MAX_ACTIVE + 10):
        await push(server, code=10001, id=number, status=1)
    await push(server, code=10002, id=5000, status=1)
    await until(lambda: shown(hass, FORCED) == "on")
    assert len(home.runtime_data._alerts.as_list()) == alerts.MAX_ACTIVE
