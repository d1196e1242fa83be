"""Home Assistant as the station's ASM server: pairing, events, clocks and tasks."""

import asyncio
from datetime import timedelta
import json
import socket
from typing import Any

from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.gatehouse import recent
from custom_components.gatehouse.const import EVENT_GATEHOUSE
from custom_components.gatehouse.recent import Recent
from custom_components.gatehouse.vendors.ipac.protocol import parse_event
from custom_components.gatehouse.wire import Secret
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from simulators.ipac import Fault, Ipac

from ...conftest import Advance
from ..conftest import shown
from .conftest import (
    ACCESS,
    CALL,
    CLEANER,
    CODE,
    DOOR,
    DOORBELL,
    KEYPAD,
    SECRET,
    STATION,
    TOKEN,
    Told,
    connect,
    order,
)


def station_device(
    device_registry: dr.DeviceRegistry, entry: MockConfigEntry
) -> dr.DeviceEntry:
    """Return the station's device."""
    return device_registry.async_get_device_by_identifier(
        ("gatehouse", f"ipac_{entry.entry_id}"), entry.entry_id
    )


def ours(caplog: pytest.LogCaptureFixture) -> str:
    """Return what the integration has logged; Home Assistant logs paths at debug."""
    return "\n".join(
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components")
    )


async def settled(hass: HomeAssistant) -> None:
    """Wait until all that was sent has been taken in."""
    await hass.async_block_till_done(wait_background_tasks=True)


# --- Pairing


async def test_first_contact(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
) -> None:
    """The first contact pairs, and fetches the settings that name the device."""
    reply = await asm.notify()
    assert reply.status == 404
    assert reply.fields == {"message": "unkown_objectid"}
    # The station answered that with its settings.
    assert [request.endpoint for request in asm.sent] == ["notify", "settings"]
    updated = asm.sent[1].reply.fields
    assert updated["message"] == "conf_updated"
    assert updated["request"] == "conf"
    assert updated["objectid"] == asm.object_id
    assert updated["time"].isdecimal()
    device = station_device(device_registry, home)
    assert device.serial_number == asm.object_id
    assert device.sw_version == "1.72"
    assert device.model_id == "IPAC50021"
    assert (await asm.notify()).status == 200
    assert asm.led == "green"


async def test_settings_never_come(hass: HomeAssistant, asm: Ipac) -> None:
    """A station that does not send its settings is not asked for ever."""
    body = json.dumps({"token": TOKEN, "objectid": "1", "time": 1}).encode()
    statuses = [(await asm.send_raw("notify", body)).status for _ in range(5)]
    assert statuses == [404, 404, 404, 200, 200]


async def test_pairing_lasts(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
) -> None:
    """A reload keeps the pairing, and what is known of the device."""
    await asm.notify()
    await hass.config_entries.async_reload(home.entry_id)
    await settled(hass)
    assert (await asm.notify()).status == 200
    assert station_device(device_registry, home).sw_version == "1.72"


async def test_second_station(
    hass: HomeAssistant,
    asm: Ipac,
    served_at: str,
    told: Told,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
    device_registry: dr.DeviceRegistry,
    home: MockConfigEntry,
) -> None:
    """A second station with the same secret is refused, and named in a repair."""
    assert await async_setup_component(hass, "repairs", {})
    await asm.notify()
    async with Ipac(object_id="another one") as other:
        connect(other, served_at)
        await other.press_button()
        assert other.sent[-1].reply.status == 404
        assert not told(DOORBELL)
        (issue,) = issue_registry.issues.values()
        assert issue.translation_key == "another_station"
        assert issue.translation_placeholders["object_id"] == "another one"
        # The first one goes on.
        assert (await asm.notify()).status == 200

        # The user says that it takes the first one's place.
        await home.runtime_data.async_fix(issue.data["key"], issue.data)
        assert not issue_registry.issues
        await other.notify()
        assert station_device(device_registry, home).serial_number == "another one"
        assert (await other.notify()).status == 200
        await other.press_button()
        await settled(hass)
        assert [event for event, _ in told(DOORBELL)] == ["ring"]
        assert (await asm.notify()).status == 404


# --- Who may report


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "/api/gatehouse/asm/wrong/"},
        {"path": f"/api/gatehouse/asm/{SECRET[:-1]}/"},
        {"token": "another"},
        {"token": ""},
    ],
)
async def test_refused(
    hass: HomeAssistant,
    asm: Ipac,
    served_at: str,
    told: Told,
    caplog: pytest.LogCaptureFixture,
    wrong: dict[str, str],
) -> None:
    """Who lacks secret or token is refused in the station's words, logged once."""
    connect(asm, served_at, **wrong)
    for _ in range(3):
        await asm.press_button()
        await asm.hang_up()
        reply = await asm.notify()
        assert (reply.status, reply.body) == (404, b'{"message":"invalid_token"}')
    assert not told(DOORBELL)
    assert caplog.text.count("was refused: wrong address or token") == 1
    assert SECRET not in ours(caplog)
    assert TOKEN not in ours(caplog)
    connect(asm, served_at)
    await asm.press_button()
    assert [event for event, _ in told(DOORBELL)] == ["ring"]


async def test_not_running(
    hass: HomeAssistant, asm: Ipac, home: MockConfigEntry, told: Told
) -> None:
    """An entry that is not loaded does not make the station send all its settings."""
    await hass.config_entries.async_unload(home.entry_id)
    await asm.press_button()
    assert asm.sent[-1].reply.status == 503


async def test_event_during_reload(
    hass: HomeAssistant, asm: Ipac, home: MockConfigEntry, told: Told
) -> None:
    """A ring that comes while the entry is being reloaded is not lost."""
    await asm.notify()
    asm.inject("/api/audio/", Fault.trickle(0.01))
    reloading = hass.async_create_task(hass.config_entries.async_reload(home.entry_id))
    await asyncio.sleep(0)
    await asm.press_button()
    assert asm.sent[-1].reply.status == 200
    await reloading
    await settled(hass)
    assert [event for event, _ in told(DOORBELL)] == ["ring"]


# --- Events


@pytest.mark.parametrize("form", ["spaced", "colon", "titled"])
async def test_call(
    hass: HomeAssistant, asm: Ipac, advance: Advance, told: Told, form: str
) -> None:
    """A visitor who rings is told in whichever form the station writes it."""
    asm.call_value_form = form
    await asm.notify()
    assert shown(hass, CALL) == "off"
    await asm.press_button("sip:1000@192.0.2.23:5060")
    assert shown(hass, CALL) == "on"
    await advance(20)
    await asm.hang_up()
    assert shown(hass, CALL) == "off"
    (ring, rung), (ended, over) = told(DOORBELL)
    assert (ring, ended) == ("ring", "ended")
    assert rung["callee"] == over["callee"] == "sip:1000@192.0.2.23:5060"
    assert rung["caller"] is None
    assert over["duration"] == pytest.approx(20, abs=2)


async def test_incoming_call(hass: HomeAssistant, asm: Ipac, told: Told) -> None:
    """A call to the station is no ring."""
    await asm.receive_call("sip:192.0.2.40")
    ((event, attributes),) = told(DOORBELL)
    assert event == "incoming"
    assert attributes["caller"] == "sip:192.0.2.40"
    assert attributes["callee"] is None
    assert shown(hass, CALL) == "on"
    await order(hass, "press", "button.ipac_answer")
    assert asm.call.answered
    await order(hass, "press", "button.ipac_hang_up")
    await settled(hass)
    assert asm.call is None


async def test_call_without_end(
    hass: HomeAssistant, asm: Ipac, advance: Advance
) -> None:
    """A call whose end was lost counts as over after an hour."""
    await asm.press_button()
    await advance(59 * 60)
    assert shown(hass, CALL) == "on"
    await advance(2 * 60)
    assert shown(hass, CALL) == "off"


async def test_keypad(
    hass: HomeAssistant, asm: Ipac, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    """A typed code is told by its name, never by its digits."""
    caplog.set_level("DEBUG")
    await asm.type_code(CLEANER)
    await asm.type_code("5555#")
    await settled(hass)
    (known, first), (unknown, second) = told(KEYPAD)
    assert (known, unknown) == ("code_entered", "code_entered")
    assert (first["code_name"], first["known"]) == ("Cleaner", True)
    assert (second["code_name"], second["known"]) == (None, False)
    # The known one has opened the door.
    ((granted, access),) = told(ACCESS)
    assert granted == "access_granted"
    assert (access["method"], access["person"]) == ("code", "Cleaner")
    assert shown(hass, DOOR) == "unlocked"
    texts = f"{[state.as_dict() for state in hass.states.async_all()]}{ours(caplog)}"
    assert "5555#" not in texts
    assert CLEANER not in texts


async def test_own_call_is_no_ring(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
    device_registry: dr.DeviceRegistry,
) -> None:
    """A call that Home Assistant has had placed is nobody at the door."""
    await hass.services.async_call(
        "gatehouse",
        "place_call",
        {
            "device_id": station_device(device_registry, home).id,
            "number": "sip:192.0.2.23",
        },
        blocking=True,
    )
    while not asm.sent:
        await asyncio.sleep(0.01)
    assert shown(hass, CALL) == "on"
    assert not told(DOORBELL)
    await asm.hang_up()
    assert [event for event, _ in told(DOORBELL)] == ["ended"]
    await advance(1)
    await asm.press_button()
    assert [event for event, _ in told(DOORBELL)] == ["ended", "ring"]


async def test_visitor_after_own_order(
    hass: HomeAssistant, asm: Ipac, told: Told
) -> None:
    """Who types a code right after our own order is not taken for its echo."""
    asm.silent = True
    await order(hass, "unlock")
    asm.silent = False
    asm.relays[1].release()
    await asm.type_code(CLEANER)
    assert [attributes["method"] for _, attributes in told(ACCESS)] == [
        "remote",
        "code",
    ]


async def test_exit_button(
    hass: HomeAssistant, asm: Ipac, advance: Advance, told: Told
) -> None:
    """A relay that fires without a code opens the door as well."""
    await asm.open_locally(1)
    ((event, attributes),) = told(ACCESS)
    assert (event, attributes["method"]) == ("access_granted", "unknown")
    assert attributes["person"] is None
    assert shown(hass, DOOR) == "unlocked"
    await advance(6)
    assert shown(hass, DOOR) == "locked"
    # Of a relay that has no door there is nothing to tell.
    await asm.open_locally(2)
    assert len(told(ACCESS)) == 1


async def test_own_echo(
    hass: HomeAssistant, asm: Ipac, advance: Advance, told: Told
) -> None:
    """What we open ourselves is told once, though the station reports it, too."""
    await asm.notify()
    await order(hass, "unlock")
    await settled(hass)
    while asm.sent[-1].endpoint != "event" or asm.sent[-1].reply is None:
        await asyncio.sleep(0.01)
    assert [attributes["method"] for _, attributes in told(ACCESS)] == ["remote"]
    await advance(2)
    asm.relays[1].release()
    await asm.type_code(CODE)
    await settled(hass)
    assert [attributes["method"] for _, attributes in told(ACCESS)] == [
        "remote",
        "code",
    ]


@pytest.mark.parametrize("value", [f"{CLEANER};1", f"{CLEANER};RL1"])
async def test_opening_reported(
    hass: HomeAssistant, asm: Ipac, told: Told, value: str
) -> None:
    """The station may call the relay by its number or by its name."""
    await send_event(asm, code="RL", value=value)
    # The name of another relay is no name of this one.
    await send_event(asm, code="RL", value=f"{CLEANER};RL2")
    ((event, attributes),) = told(ACCESS)
    assert (event, attributes["person"]) == ("access_granted", "Cleaner")
    assert shown(hass, DOOR) == "unlocked"


async def test_station_events(hass: HomeAssistant, asm: Ipac, told: Told) -> None:
    """The station's own doings; a restart ends a call."""
    await asm.press_button()
    await asm.start_stream()
    await asm.end_stream()
    await asm.restart()
    assert [event for event, _ in told(STATION)] == [
        "stream_started",
        "stream_ended",
        "restarted",
    ]
    assert shown(hass, CALL) == "off"


async def test_sent_again(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """An event that comes twice fires once; both get the same answer."""
    await asm.notify()
    await asm.press_button()
    again = await asm.send_raw("event", asm.sent[-1].body)
    assert (again.status, again.body) == (200, b'{"message":"event_recorded"}')
    assert len(told(DOORBELL)) == 1
    await asm.hang_up()
    await advance(1)
    await asm.press_button()
    assert [event for event, _ in told(DOORBELL)] == ["ring", "ended", "ring"]


async def test_late_event(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    clock: TickingDateTimeFactory,
    advance: Advance,
    told: Told,
) -> None:
    """An event that could not be sent carries its own time when it comes."""
    await asm.notify()
    asm.silent = True
    rung_at = dt_util.utcnow()
    await asm.press_button()
    await advance(30)
    assert not told(DOORBELL)
    asm.silent = False
    await asm.notify()
    ((event, attributes),) = told(DOORBELL)
    assert event == "ring"
    occurred = dt_util.parse_datetime(attributes["occurred_at"])
    assert abs(occurred - rung_at) <= timedelta(seconds=2)


@pytest.mark.parametrize(
    "offset", [3541, -7200, 0, -1_700_000_000], ids=["zone", "west", "right", "1970"]
)
async def test_clock(
    hass: HomeAssistant, asm: Ipac, home: MockConfigEntry, told: Told, offset: int
) -> None:
    """The station's clock may be wrong by anything; what it tells is not."""
    asm.clock_offset = offset
    await asm.notify()
    assert home.runtime_data.diagnostics()["clock_offset"] == pytest.approx(
        offset, abs=2
    )
    await asm.press_button()
    occurred = dt_util.parse_datetime(told(DOORBELL)[0][1]["occurred_at"])
    assert abs(dt_util.utcnow() - occurred) <= timedelta(seconds=2)


async def test_many_unknown_codes(asm: Ipac, caplog: pytest.LogCaptureFixture) -> None:
    """Codes that nobody knows are logged once each, and not without bounds."""
    caplog.set_level("INFO")
    for number in range(99):
        for _ in range(2):
            await send_event(asm, code=f"Z{number}", value="x")
    assert ours(caplog).count("something unknown") == 64


@pytest.mark.parametrize(
    ("body", "log"),
    [
        (b"", "cannot be understood"),
        (b"nonsense", "cannot be understood"),
        (b"[1, 2]", "cannot be understood"),
        (b'{"token": "TOKEN", "objectid": "1"}', "cannot be understood"),
        (b'{"token": "TOKEN", "code": "ZZ", "value": {}}', "unknown"),
        (b'{"token": "TOKEN", "code": "RL", "value": "?"}', "unknown"),
        (b'{"token": "TOKEN", "code": "CL", "value": null}', "unknown"),
        (b'{"token": "TOKEN", "code": "CL", "value": ["1234"]}', "unknown"),
        (b'{"token": "TOKEN", "code": "1234;RL", "value": {}}', "unknown"),
        (b'{"token": "TOKEN", "code": "RL", "value": {"x": 200}, "task_id": 7}', ""),
    ],
)
async def test_odd_events(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    told: Told,
    caplog: pytest.LogCaptureFixture,
    body: bytes,
    log: str,
) -> None:
    """What is not understood is recorded, so that it is not sent for ever."""
    for _ in range(2):
        reply = await asm.send_raw("event", body.replace(b"TOKEN", TOKEN.encode()))
        assert reply.status == 200
    assert not told(ACCESS)
    assert not told(KEYPAD)
    assert log in caplog.text
    assert "1234" not in ours(caplog)
    assert "1234" not in str(home.runtime_data.diagnostics())
    assert "Traceback" not in caplog.text
    await asm.press_button()
    assert len(told(DOORBELL)) == 1


async def test_odd_message_is_logged_once(
    asm: Ipac, caplog: pytest.LogCaptureFixture
) -> None:
    """Who sends rubbish again and again does not fill the log."""
    for _ in range(5):
        for body in (b"", b"nonsense", b"[]", b"{"):
            assert (await asm.send_raw("event", body)).status == 200
    told_of = [line for line in ours(caplog).splitlines() if "understood" in line]
    assert len(told_of) == 2


async def test_names_are_only_names(
    hass: HomeAssistant,
    asm: Ipac,
    served_at: str,
    told: Told,
    issue_registry: ir.IssueRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What a station says is shown in one line and in bounds, and is no Markdown."""
    await asm.notify()
    rubbish = "x\r\n2026-01-01 ERROR forged \u202e" + "y" * 2000
    await asm.press_button(rubbish)
    (_, ring) = told(DOORBELL)[0]
    await asm.send_raw(
        "event",
        json.dumps({"token": TOKEN, "code": "ST", "value": rubbish}).encode(),
    )
    (_, stream) = told(STATION)[-1]
    for text in (ring["callee"], stream["detail"]):
        assert text.isprintable()
        assert text.startswith("x2026")
        assert len(text) <= 255
    name = "![x](https://elsewhere.example/a.png)\n<img src=x> `www.elsewhere.example`"
    async with Ipac(object_id=name) as other:
        connect(other, served_at)
        await other.notify()
    (issue,) = issue_registry.issues.values()
    assert not set("![](){}<>`*#./\n") & set(
        issue.translation_placeholders["object_id"]
    )
    assert "ERROR forged" not in ours(caplog)


async def test_latin_1(hass: HomeAssistant, asm: Ipac, told: Told) -> None:
    """An accent in the old encoding loses no ring."""
    body = {"token": TOKEN, "objectid": asm.object_id, "code": "01"}
    text = json.dumps(body | {"value": "outgoing;Chloé"}, ensure_ascii=False)
    for encoding in ("latin-1", "utf-8"):
        await asm.send_raw("event", text.encode(encoding))
    assert [fields["callee"] for _, fields in told(DOORBELL)] == ["Chloé", "Chloé"]


async def test_too_large(hass: HomeAssistant, asm: Ipac) -> None:
    """A body beyond all reason is not read."""
    reply = await asm.send_raw("settings", b" " * 100_000)
    assert reply.status == 413


async def test_very_late_call(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """A call that is told hours later is told, but does not run now; nor is a door open."""
    await asm.notify()
    asm.silent = True
    await asm.press_button()
    await asm.open_locally(1)
    await advance(2 * 3600)
    asm.silent = False
    await asm.notify()
    assert [event for event, _ in told(DOORBELL)] == ["ring"]
    assert [event for event, _ in told(ACCESS)] == ["access_granted"]
    assert shown(hass, CALL) == "off"
    assert shown(hass, DOOR) == "locked"


async def test_end_without_beginning(
    hass: HomeAssistant, asm: Ipac, told: Told
) -> None:
    """The end of a call whose beginning was lost has no duration."""
    await send_event(asm, code="FA", value="outgoing:sip:192.0.2.23")
    ((event, attributes),) = told(DOORBELL)
    assert (event, attributes["duration"]) == ("ended", None)


async def send_event(asm: Ipac, **fields: Any) -> None:
    """Send an event that a simulated station would not."""
    body = {"token": TOKEN, "objectid": asm.object_id, "time": asm.read_clock()}
    reply = await asm.send_raw("event", json.dumps(body | fields).encode())
    assert reply.status == 200


async def test_many_events(
    hass: HomeAssistant, asm: Ipac, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the last ones are remembered."""
    monkeypatch.setattr(recent, "REMEMBERED", 3)
    for number in range(6):
        await send_event(asm, code="CL", value=f"{number}#", time=50)
    assert len(told(KEYPAD)) == 6
    await send_event(asm, code="CL", value="5#", time=50)
    assert len(told(KEYPAD)) == 6
    await send_event(asm, code="CL", value="0#", time=50)
    assert len(told(KEYPAD)) == 7


async def test_sent_again_after_restart(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    """An event whose answer got lost with a restart of Home Assistant fires once.

    The store does not tell what was typed, not even to who tries all codes.
    """
    told = async_capture_events(hass, EVENT_GATEHOUSE)
    await asm.notify()
    await send_event(asm, code="OE", value="restarted", time=40)
    await send_event(asm, code="CL", value="4711", time=50)
    for _ in range(2):
        assert await hass.config_entries.async_reload(home.entry_id)
        # It repeats its own restart, too, which is no other one.
        await send_event(asm, code="OE", value="restarted", time=40)
        await send_event(asm, code="CL", value="4711", time=50)
    assert [event.data["entity_id"] for event in told] == [STATION, KEYPAD]
    await send_event(asm, code="OE", value="restarted", time=60)
    await send_event(asm, code="CL", value="4711", time=50)
    assert [event.data["entity_id"] for event in told] == [STATION, KEYPAD] * 2
    saved = hass_storage[f"gatehouse.{home.entry_id}"]["data"]["recent"]
    assert len(saved) == 2
    # Whoever guesses the code has to guess the secret as well.
    guess: Recent[bytes] = Recent(secret=Secret(""))
    guess.is_new(parse_event({"code": "CL", "value": "4711", "time": 50}).fingerprint)
    assert not {name for name, _ in saved} & {name for name, _ in guess.as_list()}


async def test_store_of_earlier_days(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    """A store in which no event is kept is read all the same."""
    key = f"gatehouse.{entry.entry_id}"
    hass_storage[key] = {
        "version": 1,
        "key": key,
        "data": {"object_id": "1", "period": None, "clock_offset": 0, "next_task": 1},
    }
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)


async def test_untimed_events(hass: HomeAssistant, asm: Ipac, told: Told) -> None:
    """Without a time nobody can tell a repetition from a second event."""
    for _ in range(2):
        await send_event(asm, code="CL", value="1#", time=None)
    assert len(told(KEYPAD)) == 2


async def test_new_times(
    hass: HomeAssistant, asm: Ipac, told: Told, clock: TickingDateTimeFactory
) -> None:
    """A station that begins to count anew after a restart repeats nothing."""
    for _ in range(2):
        await send_event(asm, code="01", value="outgoing:1", time=40)
        await send_event(asm, code="OE", value="restarted", time=50 + _)
    assert [event for event, _ in told(DOORBELL)] == ["ring", "ring"]


async def test_settings_without_names(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
) -> None:
    """Settings in which nothing is found are taken all the same."""
    body = {
        "token": TOKEN,
        "objectid": "1",
        "time": 1,
        "conf_user": "?",
        "request": "conf",
    }
    reply = await asm.send_raw("settings", json.dumps(body).encode())
    assert reply.fields["message"] == "conf_updated"
    assert station_device(device_registry, home).sw_version is None


# --- Orders that the station fetches


async def waits(home: MockConfigEntry) -> None:
    """Wait until an order waits for the station."""
    while not home.runtime_data.diagnostics()["tasks_waiting"]:
        await asyncio.sleep(0.01)


@pytest.fixture
def unreachable(
    hass: HomeAssistant, hass_storage: dict, entry: MockConfigEntry, station: Ipac
) -> None:
    """Have a station that is known from before report, but not be called."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "host": nobody})
    hass_storage["gatehouse.entry"] = {
        "version": 1,
        "key": "gatehouse.entry",
        "data": {
            "object_id": station.object_id,
            "period": 60.0,
            "clock_offset": 3541,
            "next_task": 0,
        },
    }


@pytest.mark.parametrize("form", ["printed", "json"])
@pytest.mark.usefixtures("unreachable")
async def test_task(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
    form: str,
) -> None:
    """An order is fetched with the next sign of life, once, and its result is told."""
    asm.task_value_form = form
    await asm.notify()
    await asm.notify()
    opening = hass.async_create_task(order(hass, "unlock"))
    await waits(home)
    assert shown(hass, DOOR) == "unlocking"
    task = (await asm.notify()).fields
    assert {**task, "time": 0} == {
        "task_id": 0,
        "token": TOKEN,
        "objectid": asm.object_id,
        "request": "remote",
        "type": "open",
        "relay": "1",
        "code": CODE,
        "time": 0,
    }
    assert asm.sent[-1].reply.fields == {
        "code": "event_rl_finished",
        "task_id": 0,
        "message": "event_rl_finalise",
    }
    await opening
    assert asm.relays[1].openings == 1
    assert shown(hass, DOOR) == "unlocked"
    assert [attributes["method"] for _, attributes in told(ACCESS)] == ["remote"]
    # It is handed out once.
    assert "task_id" not in (await asm.notify()).fields
    # The next one has another number, also after a restart.
    await hass.config_entries.async_reload(home.entry_id)
    await settled(hass)
    await asm.notify()
    asm.relays[1].release()
    opening = hass.async_create_task(order(hass, "unlock"))
    await waits(home)
    assert (await asm.notify()).fields["task_id"] == 1
    await opening


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"mode": "pdl"}, "locked_out"),
        ({"in_time_slot": False}, "outside_hours"),
        ({"codes": ("9",)}, "wrong_code"),
    ],
)
@pytest.mark.usefixtures("unreachable")
async def test_task_refused(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    told: Told,
    spoil: dict,
    reason: str,
) -> None:
    """The station's reason reaches the caller this way, too."""
    for name, value in spoil.items():
        setattr(asm.relays[1], name, value)
    await asm.notify()
    await asm.notify()
    opening = hass.async_create_task(order(hass, "unlock"))
    await waits(home)
    await asm.notify()
    with pytest.raises(HomeAssistantError) as error:
        await opening
    assert error.value.translation_key == f"door_{reason}"
    ((event, attributes),) = told(ACCESS)
    assert (event, attributes["reason"]) == ("access_denied", reason)


@pytest.mark.usefixtures("unreachable")
async def test_stale_task(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    advance: Advance,
) -> None:
    """An order that is not fetched within 30 seconds never opens the door."""
    await asm.notify()
    await asm.notify()
    opening = hass.async_create_task(order(hass, "unlock"))
    await waits(home)
    await advance(31)
    with pytest.raises(HomeAssistantError) as error:
        await opening
    assert error.value.translation_key == "order_not_fetched"
    assert "task_id" not in (await asm.notify()).fields
    assert asm.relays[1].openings == 0
    assert shown(hass, DOOR) == "locked"


@pytest.mark.usefixtures("unreachable")
async def test_task_without_result(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    advance: Advance,
    told: Told,
) -> None:
    """An order that was fetched and whose result is lost may have opened the door."""
    await asm.notify()
    await asm.notify()
    opening = hass.async_create_task(order(hass, "unlock"))
    await waits(home)
    body = json.dumps({"token": TOKEN, "objectid": asm.object_id, "time": 1}).encode()
    # Sent as if by the station, which therefore does not act on it.
    task = (await asm.send_raw("notify", body)).fields
    await advance(16)
    with pytest.raises(HomeAssistantError) as error:
        await opening
    assert error.value.translation_key == "door_not_confirmed"
    # A result that comes later all the same says that the door did open.
    late = {
        "task_id": task["task_id"],
        "value": {"1": 200},
        "token": TOKEN,
        "code": "RL",
        "objectid": asm.object_id,
        "time": asm.read_clock(),
    }
    assert (await asm.send_raw("event", json.dumps(late).encode())).status == 200
    ((event, attributes),) = told(ACCESS)
    assert (event, attributes["method"]) == ("access_granted", "remote")


@pytest.mark.parametrize("end", ["caller", "unload"])
@pytest.mark.usefixtures("unreachable")
async def test_task_withdrawn(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    end: str,
) -> None:
    """An order whose caller has gone, or whose entry ends, is withdrawn at once."""
    await asm.notify()
    await asm.notify()
    opening = hass.async_create_task(order(hass, "unlock"))
    await waits(home)
    if end == "caller":
        opening.cancel()
        await asyncio.wait([opening])
        assert "task_id" not in (await asm.notify()).fields
    else:
        assert await hass.config_entries.async_unload(home.entry_id)
        with pytest.raises(HomeAssistantError):
            await opening
    assert asm.relays[1].openings == 0


@pytest.mark.usefixtures("unreachable")
async def test_no_task_while_stopping(
    hass: HomeAssistant, asm: Ipac, home: MockConfigEntry
) -> None:
    """Home Assistant does not wait with its end for an order that nobody can fetch."""
    await asm.notify()
    await asm.notify()
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await settled(hass)
    opening = hass.async_create_task(order(hass, "unlock"))
    with pytest.raises(HomeAssistantError) as error:
        # Of the thirty seconds that an order waits.
        await asyncio.wait_for(opening, 20)
    assert error.value.translation_key == "order_not_fetched"
    assert asm.relays[1].openings == 0


async def test_no_task_without_reports(
    hass: HomeAssistant, asm: Ipac, home: MockConfigEntry, advance: Advance
) -> None:
    """A station that has not reported lately is not waited for."""
    await asm.notify()
    await advance(181)
    await asm.stop()
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == "station_unreachable"


async def test_lost_answer_is_reported(
    hass: HomeAssistant, asm: Ipac, told: Told
) -> None:
    """The relay's own report settles an order whose answer was lost."""
    await asm.notify()
    await asm.notify()
    asm.inject("/api/remote/", Fault.reset(acted=True))
    await order(hass, "unlock")
    assert asm.relays[1].openings == 1
    assert shown(hass, DOOR) == "unlocked"
    assert [attributes["method"] for _, attributes in told(ACCESS)] == ["remote"]


async def test_lost_answer_is_not_reported(
    hass: HomeAssistant, asm: Ipac, told: Told, advance: Advance
) -> None:
    """Without a report nobody knows."""
    await asm.notify()
    await asm.notify()
    asm.inject("/api/remote/", Fault.reset(acted=False))
    opening = hass.async_create_task(order(hass, "unlock"))
    while not any(request.path == "/api/remote/" for request in asm.requests):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    await advance(6)
    with pytest.raises(HomeAssistantError) as error:
        await opening
    assert error.value.translation_key == "door_not_confirmed"
    assert not told(ACCESS)


async def test_refused_order_hides_no_access(
    hass: HomeAssistant, asm: Ipac, told: Told
) -> None:
    """Somebody at the door who opens it while our own order is refused is told of."""
    await asm.notify()
    await asm.notify()
    asm.inject("/api/remote/", Fault.trickle(0.05))
    asm.relays[1].remote = False
    opening = hass.async_create_task(order(hass, "unlock"))
    while not any(request.path == "/api/remote/" for request in asm.requests):
        await asyncio.sleep(0.01)
    await asm.type_code(CLEANER)
    with pytest.raises(HomeAssistantError):
        await opening
    assert sorted(event for event, _ in told(ACCESS)) == [
        "access_denied",
        "access_granted",
    ]


async def test_echo_during_another_order(
    hass: HomeAssistant, asm: Ipac, told: Told
) -> None:
    """The report of one order that comes while another runs is still its echo."""
    await asm.notify()
    await asm.notify()
    asm.silent = True
    await order(hass, "unlock")
    asm.silent = False
    asm.inject("/api/remote/", Fault.trickle(0.05))
    again = hass.async_create_task(order(hass, "unlock"))
    while len([one for one in asm.requests if one.path == "/api/remote/"]) < 2:
        await asyncio.sleep(0.01)
    await send_event(asm, code="RL", value=f"{CODE};1")
    with pytest.raises(HomeAssistantError) as error:
        await again
    assert error.value.translation_key == "door_busy"
    assert [event for event, _ in told(ACCESS)] == ["access_granted", "access_denied"]


@pytest.mark.parametrize(
    ("opened", "refused"),
    [("1111;1", {"1": 480, "2": 403}), ("1111;RL1", {"RL1": 480, "RL2": 403})],
    ids=["number", "name"],
)
@pytest.mark.usefixtures("unreachable")
async def test_two_tasks(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    opened: str,
    refused: dict[str, int],
) -> None:
    """Of several orders one is handed out at a time, and each result finds its caller."""
    await asm.notify()
    await asm.notify()
    openings = [hass.async_create_task(order(hass, "unlock")) for _ in range(2)]
    while home.runtime_data.diagnostics()["tasks_waiting"] < 2:
        await asyncio.sleep(0.01)
    body = json.dumps({"token": TOKEN, "objectid": asm.object_id, "time": 1}).encode()
    tasks = [(await asm.send_raw("notify", body)).fields["task_id"] for _ in range(2)]
    # In the form of an ordinary report, and as a bare refusal.
    await send_event(asm, code="RL", task_id=tasks[1], value=opened)
    await send_event(asm, code="RL", task_id=tasks[0], value=refused)
    await openings[1]
    with pytest.raises(HomeAssistantError) as error:
        await openings[0]
    assert error.value.translation_key == "door_busy"
    # Of a refusal that nobody waits for there is nothing to tell.
    await send_event(asm, code="RL", task_id=tasks[0], value={"1": 423}, time=1)


@pytest.mark.usefixtures("unreachable")
async def test_odd_result(
    hass: HomeAssistant, asm: Ipac, home: MockConfigEntry, told: Told
) -> None:
    """A result that does not name the relay is a refusal for an unknown reason."""
    await asm.notify()
    await asm.notify()
    opening = hass.async_create_task(order(hass, "unlock"))
    await waits(home)
    body = json.dumps({"token": TOKEN, "objectid": asm.object_id, "time": 1}).encode()
    task = (await asm.send_raw("notify", body)).fields
    await send_event(
        asm, code="RL", task_id=task["task_id"], value={"2": 200, "1": 599}
    )
    with pytest.raises(HomeAssistantError) as error:
        await opening
    assert error.value.translation_key == "door_refused"
    assert told(ACCESS)[-1][1]["reason"] == "unknown"
