"""Whoever stands before a terminal, from the websocket to the state machine."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
import json
import logging
from typing import Any
from unittest.mock import AsyncMock

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gatehouse import recent
from custom_components.gatehouse.hub import Device
from custom_components.gatehouse.together import Together
from custom_components.gatehouse.vendors.senselink import hub, words
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.helpers.storage import Store
from simulators.senselink import SenseLink
from simulators.senselink_frames import BRUNO, DENY_LIST, VERA, Group, Person, Terminal

from ...conftest import Advance, Devices, until
from ..conftest import shown
from . import manual
from .conftest import (
    ACCESS,
    APP_KEY,
    APP_SECRET,
    CONNECTION,
    ENTRANCE,
    PERSON,
    SetUp,
    Told,
    make_entry,
)


async def test_first_record(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    devices: Devices,
    area_registry: ar.AreaRegistry,
) -> None:
    """The first record brings its terminal into being, and is not lost."""
    assert [device.name for device in devices()] == ["SenseLink server"]
    frame = await server.recognise(temperature=36.5, mask=2)
    await until(lambda: told(ACCESS))
    ((event_type, attributes),) = told(ACCESS)
    assert event_type == "access_granted"
    assert {
        key: attributes[key]
        for key in (
            *("person", "person_id", "method", "reason", "direction", "score"),
            *("temperature", "mask", "groups", "record_id", "occurred_at"),
        )
    } == {
        "person": "Aiko Aoyama",
        "person_id": "1001",
        "method": "face",
        "reason": None,
        "direction": "in",
        "score": 0.963,
        "temperature": 36.5,
        "mask": "worn",
        "groups": ["Default group", "Engineering"],
        "record_id": "1000001",
        "occurred_at": datetime.fromtimestamp(
            frame["data"]["signTime"], UTC
        ).isoformat(),
    }
    assert shown(hass, PERSON) == "Aiko Aoyama"
    server_device, terminal = devices()
    assert terminal.name == "Main entrance"
    assert terminal.serial_number == ENTRANCE
    assert terminal.via_device_id == server_device.id
    assert area_registry.async_get_area(terminal.area_id).name == "Ground floor"


async def test_layouts(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """Records of 2019 say the same in other words."""
    server.layout = "2.2"
    server.extras = False
    await server.recognise()
    await until(lambda: told(ACCESS))
    ((event_type, attributes),) = told(ACCESS)
    assert event_type == "access_granted"
    assert attributes["person"] == "Aiko Aoyama"
    assert attributes["person_id"] == "1001"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (10001, "id_card_mismatch"),
        (10002, "card_mismatch"),
        (10003, "code_mismatch"),
        (20001, "visitor_expired"),
        (20002, "outside_hours"),
        (30001, "invalid_id_card"),
        (30002, "invalid_card"),
        (30003, "invalid_qr_code"),
        (40001, "abnormal_temperature"),
        (50001, "no_mask"),
        (60001, "unknown"),
        ("10002", "card_mismatch"),
        ("E1", "unknown"),
        (-1, "unknown"),
    ],
)
async def test_denied(
    server: SenseLink, home: MockConfigEntry, told: Told, code: Any, reason: str
) -> None:
    """Whatever is abnormal is a denial, and says why."""
    await server.recognise(person=VERA, abnormal_type=code)
    await until(lambda: told(ACCESS))
    ((event_type, attributes),) = told(ACCESS)
    assert event_type == "access_denied"
    assert attributes["reason"] == reason
    assert attributes["person"] == "Vera Visser"


async def test_stranger(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """A stranger is denied; and the last person is then nobody whom one knows."""
    await server.recognise()
    await server.recognise(person=None)
    await until(lambda: len(told(ACCESS)) == 2)
    event_type, attributes = told(ACCESS)[1]
    assert event_type == "access_denied"
    assert attributes["reason"] == "unrecognized"
    assert attributes["person"] is attributes["person_id"] is None
    assert shown(hass, PERSON) == STATE_UNKNOWN


async def test_deny_list(server: SenseLink, home: MockConfigEntry, told: Told) -> None:
    """Who stands on a deny list is known, and not let in."""
    barred = Person(1009, "Invented", groups=(Group(9, "Barred", DENY_LIST),))
    await server.recognise(person=barred)
    await until(lambda: told(ACCESS))
    ((event_type, attributes),) = told(ACCESS)
    assert event_type == "access_denied"
    assert attributes["reason"] == "unknown"
    assert attributes["groups"] == ["Barred"]


@pytest.mark.parametrize(
    ("mode", "method"),
    [
        (1, "face"),
        (2, "qr_code"),
        (3, "card"),
        (4, "face_and_card"),
        (5, "id_card"),
        (6, "face_and_id_card"),
        (7, "unknown"),
    ],
)
async def test_method(
    server: SenseLink, home: MockConfigEntry, told: Told, mode: int, method: str
) -> None:
    """By what somebody was recognised."""
    await server.recognise(entry_mode=mode)
    await until(lambda: told(ACCESS))
    assert told(ACCESS)[0][1]["method"] == method


@pytest.mark.parametrize(
    ("mask", "said"),
    [(None, None), (0, None), (1, "not_worn"), (2, "worn"), (3, None)],
)
async def test_mask(
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    mask: int | None,
    said: str | None,
) -> None:
    """Whether a mask was worn."""
    await server.recognise(mask=mask)
    await until(lambda: told(ACCESS))
    assert told(ACCESS)[0][1]["mask"] == said


async def test_directions(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """Which way the terminal's door leads."""
    server.terminals.append(Terminal("SHL-1", "Lift", "", 0, 103))
    await server.recognise(terminal=1)
    await server.recognise(terminal=2)
    await until(lambda: told("event.lift_access"))
    assert told("event.basement_car_park_access")[0][1]["direction"] == "out"
    assert told("event.lift_access")[0][1]["direction"] is None


async def test_repetition(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
) -> None:
    """A record that comes again is told once, also over the next link."""
    await server.recognise(person=BRUNO)
    await server.resend()
    await server.recognise()
    await until(lambda: len(told(ACCESS)) == 2)
    await server.drop()
    await until(lambda: shown(hass, CONNECTION) == "off")
    await advance(1)
    await until(lambda: shown(hass, CONNECTION) == "on")
    await server.resend()
    await server.recognise(person=None)
    await until(lambda: len(told(ACCESS)) == 3)
    assert [event["person"] for _, event in told(ACCESS)] == [
        "Bruno Brück",
        "Aiko Aoyama",
        None,
    ]


async def test_repetition_after_restart(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """So it is after a restart."""
    await server.recognise()
    await until(lambda: told(ACCESS))
    assert await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done()
    await server.resend()
    # It has the number of the first one, but another time.
    await server.recognise(person=BRUNO, record_id=1000001, at=1700000000)
    await until(lambda: len(told(ACCESS)) == 2)
    assert told(ACCESS)[1][1]["person"] == "Bruno Brück"


async def test_repetitions_are_remembered_in_bounds(
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only so many records are remembered; the oldest are forgotten first."""
    monkeypatch.setattr(recent, "REMEMBERED", 2)
    for record in (1, 2, 3, 4, 3, 4, 1):
        await server.recognise(record_id=record, at=1700000000)
    await until(lambda: len(told(ACCESS)) == 5)


async def test_server_that_counts_anew(
    server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """A server that was set up anew has the same numbers for other people."""
    await server.recognise(record_id=7)
    await server.recognise(person=BRUNO, record_id=7, at=1700000000)
    await server.resend()
    await server.recognise(record_id=8)
    await until(lambda: len(told(ACCESS)) == 3)
    assert told(ACCESS)[1][1]["person"] == "Bruno Brück"


async def test_late_record(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """A record that comes late is told with its own time, and overwrites nothing."""
    await server.recognise(at=1700000100)
    await server.recognise(person=BRUNO, at=1700000000)
    await until(lambda: len(told(ACCESS)) == 2)
    assert told(ACCESS)[1][1]["occurred_at"] == "2023-11-14T22:13:20+00:00"
    assert shown(hass, PERSON) == "Aiko Aoyama"

    # Nor does it after a restart.
    assert await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done()
    assert shown(hass, PERSON) == "Aiko Aoyama"
    await server.recognise(person=VERA, at=1700000050)
    await until(lambda: len(told(ACCESS)) == 3)
    assert shown(hass, PERSON) == "Aiko Aoyama"
    await server.recognise(person=VERA, at=1700000100)
    await until(lambda: shown(hass, PERSON) == "Vera Visser")


async def test_clock_ahead(
    server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """A time from the future is not believed."""
    await server.recognise(at=4000000000)
    await until(lambda: told(ACCESS))
    occurred_at = datetime.fromisoformat(told(ACCESS)[0][1]["occurred_at"])
    assert abs((occurred_at - datetime.now(UTC)).total_seconds()) < 60


async def test_rename(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    devices: Devices,
) -> None:
    """A terminal that is called otherwise on the server is renamed at once."""
    await server.recognise()
    await until(lambda: told(ACCESS))
    server.terminals[0] = Terminal(ENTRANCE, "Front door", "Elsewhere", 1, 101)
    await server.recognise()
    await until(lambda: len(told(ACCESS)) == 2)
    terminal = devices()[1]
    assert terminal.name == "Front door"
    assert terminal.area_id == "ground_floor"
    # One that says nothing of its name keeps it.
    server.terminals[0] = Terminal(ENTRANCE, "", "", 1, 101)
    await server.recognise()
    await until(lambda: len(told(ACCESS)) == 3)
    assert devices()[1].name == "Front door"


@pytest.mark.parametrize("text", ["愛", "½", "م", "x", "😀", "あ "])
async def test_long_names(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    devices: Devices,
    text: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A terminal has all its entities, however long its name and its place are."""
    long = text * 128
    server.terminals[0] = replace(server.terminals[0], name=long, location=long)
    await server.recognise()
    await until(lambda: len(devices()) == 2)
    await hass.async_block_till_done()
    assert len(hass.states.async_entity_ids("event")) == 2
    assert len(hass.states.async_entity_ids("binary_sensor")) == 8
    assert "Traceback" not in caplog.text


async def test_restart(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    devices: Devices,
) -> None:
    """Terminals, and whom they saw last, are still there after a restart."""
    await server.recognise()
    await server.recognise(terminal=1, person=BRUNO)
    await until(lambda: told("event.basement_car_park_access"))
    await hass.async_block_till_done()
    before = hass.states.get(ACCESS)
    assert await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done()
    assert {device.name for device in devices()} == {
        "SenseLink server",
        "Main entrance",
        "Car park",
    }
    after = hass.states.get(ACCESS)
    assert (after.state, after.attributes) == (before.state, before.attributes)
    assert shown(hass, PERSON) == "Aiko Aoyama"


async def test_terminal_can_be_deleted(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    devices: Devices,
) -> None:
    """A terminal may go, and comes back with what it tells next; the server may not."""
    gatehouse: hub.SenseLinkHub = home.runtime_data
    await server.alert(10002)
    await server.recognise()
    await until(lambda: told(ACCESS))
    kept, terminal = gatehouse.devices.values()
    assert not gatehouse.can_remove(kept)
    assert gatehouse.can_remove(terminal)
    gatehouse.forget(terminal)
    registry = dr.async_get(hass)
    registry.async_remove_device(terminal.entry.id)
    await hass.async_block_till_done()
    assert len(devices()) == 1
    await server.recognise()
    await until(lambda: len(told(ACCESS)) == 2)
    back: Device = gatehouse.devices[terminal.uid]
    assert back.values["door_forced"] is False


async def test_too_many_terminals(
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    devices: Devices,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Terminals beyond a bound are ignored, and that is said once."""
    monkeypatch.setattr(hub, "MAX_TERMINALS", 1)
    await server.recognise()
    await server.recognise(terminal=1)
    await server.recognise(terminal=1)
    await server.recognise()
    await until(lambda: len(told(ACCESS)) == 2)
    assert len(devices()) == 2
    assert caplog.text.count("further ones are ignored") == 1


BROKEN: list[str | bytes] = [
    manual.SHAPE,
    manual.ALERT,
    "",
    "null",
    "[]",
    "{",
    "[" * 3000,
    b"\xff\xfe\x00",
    '{"code": 99999}',
    '{"code": 30000}',
    '{"code": 30000, "data": {"id": 1}}',
    '{"code": 30100, "data": {"deviceSn": ""}}',
    manual.CONNECTED,
    manual.HEARTBEAT,
]


@pytest.mark.parametrize("as_text", [True, False])
async def test_broken_frames(
    server: SenseLink, home: MockConfigEntry, told: Told, as_text: bool
) -> None:
    """Frames that cannot be understood never end the listener."""
    for frame in BROKEN:
        await server.push_raw(
            frame if isinstance(frame, bytes) else frame.encode(), as_text=as_text
        )
    await server.recognise()
    await until(lambda: told(ACCESS))
    assert len(server.attempts) == 1


async def test_manual_record(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """The manual's own record, byte for byte, is that of a stranger."""
    await server.push_raw(manual.RECORD)
    await until(lambda: told("event.306_bella_pro_access"))
    ((event_type, attributes),) = told("event.306_bella_pro_access")
    assert event_type == "access_denied"
    assert attributes["reason"] == "unrecognized"
    assert attributes["record_id"] == "1364591"
    assert attributes["occurred_at"] == "2019-09-29T02:46:14+00:00"


async def test_unknown_values(
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Values that are not documented are logged once each, and not without bounds."""
    caplog.set_level(logging.INFO)
    await server.recognise()
    for number in range(200):
        frame = {
            "code": 30000,
            "data": {"sn": ENTRANCE, "userId": 1, "entryMode": 100 + number // 2},
        }
        await server.push_raw(json.dumps(frame))
    await server.recognise()
    await until(lambda: len(told(ACCESS)) == 202)
    assert caplog.text.count("entryMode 100, which is not documented") == 1
    assert caplog.text.count("which is not documented") == words.MAX_UNKNOWN


async def test_fault_of_ours(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A message that we cannot bear does not cost us the others."""
    with monkeypatch.context() as patch:
        patch.setattr(hub.SenseLinkHub, "_understand_record", None)
        await server.recognise()
        await until(lambda: "A message of SenseLink was lost" in caplog.text)
    await server.recognise(person=BRUNO)
    await until(lambda: told(ACCESS))
    assert told(ACCESS)[0][1]["person"] == "Bruno Brück"


async def test_flood(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """Thousands of records are all told, in their order, and others get their turn."""
    await server.recognise()
    await until(lambda: told(ACCESS))
    for _ in range(2000):
        await server.recognise(at=1700000000)
    longest = 0

    def taken() -> int:
        return home.runtime_data.diagnostics()["records"]

    async def wait_for_turns() -> None:
        nonlocal longest
        while True:
            before = taken()
            await asyncio.sleep(0)
            longest = max(longest, taken() - before)

    others = hass.async_create_background_task(wait_for_turns(), "others")
    await until(lambda: taken() == 2001)
    others.cancel()
    assert [event["record_id"] for _, event in told(ACCESS)] == [
        str(1000001 + number) for number in range(2001)
    ]
    # How long that takes depends on the machine; how many records it is, hardly.
    assert longest < 500


async def test_last_words(
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What came just before the link was lost is told while it still counts."""
    # As if the loss came in the same turn of the event loop.
    monkeypatch.setattr(Together, "_end_turn", lambda _: None)
    await server.recognise()
    await until(lambda: told(ACCESS))
    for _ in range(20):
        await server.recognise(at=1700000000)
    await server.drop()
    await until(lambda: len(told(ACCESS)) == 21)


async def test_two_servers(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    set_up: SetUp,
    told: Told,
    devices: Devices,
) -> None:
    """Two servers stand side by side, even with the same terminals."""
    async with SenseLink(
        app_key=APP_KEY, app_secret=APP_SECRET, heartbeat=None
    ) as other:
        await set_up(make_entry(other, entry_id="other"))
        await server.recognise()
        await other.recognise(person=BRUNO)
        await until(lambda: told(ACCESS) and told(f"{ACCESS}_2"))
        assert told(ACCESS)[0][1]["person"] == "Aiko Aoyama"
        assert told(f"{ACCESS}_2")[0][1]["person"] == "Bruno Brück"
        assert len(devices()) == 4
        await hass.config_entries.async_unload("other")


async def test_nothing_personal(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Numbers of people, their cards and their documents go nowhere, nor do pictures."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets").setLevel(logging.DEBUG)
    personal: set[str] = set()
    for mode in range(1, 7):
        frame = await server.recognise(person=VERA, entry_mode=mode, photo=True)
        data: dict[str, Any] = frame["data"]
        personal |= {
            str(data[field])
            for field in (
                *("mobile", "icNumber", "idNumber", "jobNumber", "remark", "avatar"),
                *("signAvatar", "signBgAvatar", "docPhoto", "receptionUserName"),
                *("userIcNumber", "userIdNumber", "address"),
            )
            if data[field]
        }
    await until(lambda: len(told(ACCESS)) == 6)
    await hass.async_block_till_done()
    assert len(personal) > 10
    places = [caplog.text, *(str(state.as_dict()) for state in hass.states.async_all())]
    for place in places:
        for value in (*personal, APP_SECRET, APP_KEY):
            assert value not in place
    assert VERA.name not in caplog.text


async def test_unreadable_memory(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What could not be read is not overwritten with nothing."""
    await server.recognise(at=1700000100)
    await until(lambda: told(ACCESS))
    await hass.config_entries.async_unload(home.entry_id)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "async_load", AsyncMock(side_effect=HomeAssistantError))
        assert not await hass.config_entries.async_setup(home.entry_id)
    assert await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done()
    await server.recognise(person=BRUNO, at=1700000000)
    await until(lambda: len(told(ACCESS)) == 2)
    assert shown(hass, PERSON) == "Aiko Aoyama"
