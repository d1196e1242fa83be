"""From Tellicon's request to the state machine."""

import asyncio
from collections import Counter
from collections.abc import Callable
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
    async_mock_service,
)
from yarl import URL

from custom_components.gatehouse import async_remove_config_entry_device, recent
from custom_components.gatehouse.const import DOMAIN, EVENT_GATEHOUSE
from custom_components.gatehouse.vendors.tellicon import hub
from custom_components.gatehouse.vendors.tellicon.protocol import parse_event
from homeassistant.components.event import EventEntity
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
from simulators.tellicon import Tellicon, Unit

from ...conftest import Devices
from .conftest import TOKEN

UNIT = Unit(505, 121, 1001)
NAME = "505/121/1001"
NOW = 1_800_000_000

type StateOf = Callable[[str, str], State | None]


@pytest.fixture(autouse=True)
def now(freezer: FrozenDateTimeFactory) -> None:
    """Let it be a moment at which Tellicon's clock agrees."""
    freezer.move_to("2027-01-15T08:00:00+00:00")


async def test_first_ring(
    hass: HomeAssistant, tellicon: Tellicon, state_of: StateOf
) -> None:
    """The first event brings account and unit into being, and is told by both."""
    assert (await tellicon.ring(UNIT, src="9001")).status == 200
    await hass.async_block_till_done()
    for name in ("505", NAME):
        state = state_of(name, "doorbell")
        assert state.state == "2027-01-15T08:00:00.000+00:00"
        assert {
            key: state.attributes[key]
            for key in (
                "event_type",
                "caller",
                "callee",
                "unit",
                "duration",
                "occurred_at",
            )
        } == {
            "event_type": "ring",
            "caller": "9001",
            "callee": None,
            "unit": NAME,
            "duration": None,
            "occurred_at": "2027-01-15T08:00:00+00:00",
        }
        assert state_of(name, "dtmf").state == STATE_UNKNOWN
    assert state_of("505", "last_contact").state == "2027-01-15T08:00:00+00:00"
    assert state_of(NAME, "last_call_duration").state == STATE_UNKNOWN


async def test_call(hass: HomeAssistant, tellicon: Tellicon, state_of: StateOf) -> None:
    """A call is answered, and the resident types; caller and callee stay the same."""
    await tellicon.ring(UNIT, src="9001")
    await tellicon.answer(UNIT, dst="018900000001", duration=10)
    await hass.async_block_till_done()
    attributes = state_of(NAME, "doorbell").attributes
    assert attributes["event_type"] == "answered"
    assert attributes["caller"] == "9001"
    assert attributes["callee"] == "018900000001"
    assert attributes["duration"] == 10
    assert state_of(NAME, "last_call_duration").state == "10"

    await tellicon.dtmf(UNIT, command="*2")
    await hass.async_block_till_done()
    for name in ("505", NAME):
        attributes = state_of(name, "dtmf").attributes
        assert attributes["event_type"] == "dtmf_received"
        assert attributes["command"] == "*2"
        assert attributes["caller"] == "9001"
        assert attributes["unit"] == NAME


async def test_first_ring_reaches_automations(
    hass: HomeAssistant, tellicon: Tellicon
) -> None:
    """Not even the event that creates the entity is lost, nor those right behind it."""
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    await tellicon.ring(UNIT)
    await tellicon.answer(UNIT, duration=1)
    await hass.async_block_till_done()
    told = [
        change.data["new_state"].attributes["event_type"]
        for change in changes
        if change.data["entity_id"] == "event.unit_505_121_1001_doorbell"
        and change.data["old_state"] is not None
    ]
    assert told == ["ring", "answered"]


async def test_doorbell_trigger(hass: HomeAssistant, tellicon: Tellicon) -> None:
    """Home Assistant's own doorbell trigger works on the unit."""
    await tellicon.answer(UNIT)
    await hass.async_block_till_done()
    calls = async_mock_service(hass, "test", "rang")
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "triggers": {
                    "trigger": "doorbell.rang",
                    "target": {"entity_id": "event.unit_505_121_1001_doorbell"},
                },
                "actions": {"action": "test.rang"},
            }
        },
    )
    await hass.async_block_till_done()
    await tellicon.ring(UNIT)
    await hass.async_block_till_done()
    assert len(calls) == 1


@pytest.mark.parametrize("dialect", ["A", "B", "C", "D"])
async def test_dialects(
    hass: HomeAssistant,
    account: MockConfigEntry,
    served_at: str,
    state_of: StateOf,
    dialect: str,
) -> None:
    """A ring reads the same in every dialect."""
    async with Tellicon(
        f"{served_at}/eventTellicon", account.data["token"], dialect=dialect
    ) as sender:
        assert (await sender.ring(UNIT)).status == 200
    await hass.async_block_till_done()
    assert state_of(NAME, "doorbell").attributes["event_type"] == "ring"
    assert state_of("505", "doorbell").attributes["unit"] == NAME


async def test_repetition(
    hass: HomeAssistant, tellicon: Tellicon, state_of: StateOf
) -> None:
    """An event that comes again is accepted and told once."""
    await tellicon.ring(UNIT)
    await hass.async_block_till_done()
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    reply = await tellicon.resend_last()
    await hass.async_block_till_done()
    assert (reply.status, json.loads(reply.body)) == (200, {"message": "duplicate"})
    assert not changes


async def test_repetition_without_time(
    hass: HomeAssistant, tellicon: Tellicon, freezer: FrozenDateTimeFactory
) -> None:
    """Without a time of its own, the same event counts as new after ten seconds.

    It does so at once when the clock has been set back.
    """
    body = b'{"eventTellicon":{"type":"pushCall","src":"1","client":5,"apt":2}}'
    messages = []
    for seconds in (0, 9, 10, -3600):
        freezer.tick(seconds)
        messages.append(json.loads((await tellicon.send_raw(body)).body)["message"])
    assert messages == ["accepted", "duplicate", "accepted", "accepted"]


async def test_repetition_after_restart(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tellicon: Tellicon,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """An event whose answer got lost with the restart is not told again.

    What is kept for that says nothing of who has typed what.
    """
    timed = (
        b'{"eventTellicon":{"type":"dtmfCommand","src":"5550199","dst":"9001",'
        b'"client":505,"bloco":1,"apt":7,"dtmfCommand":"0","eventDateTime":1799999999}}'
    )
    untimed = b'{"eventTellicon":{"type":"pushCall","src":"1","client":505,"apt":2}}'

    async def send(body: bytes) -> str:
        return json.loads((await tellicon.send_raw(body)).body)["message"]

    assert [await send(body) for body in (timed, untimed)] == ["accepted"] * 2
    for _ in range(2):
        assert await hass.config_entries.async_reload(account.entry_id)
    assert [await send(body) for body in (timed, untimed)] == ["duplicate"] * 2
    freezer.tick(10)
    assert [await send(body) for body in (timed, untimed)] == ["duplicate", "accepted"]
    assert await hass.config_entries.async_reload(account.entry_id)
    assert [await send(body) for body in (timed, untimed)] == ["duplicate"] * 2
    saved = json.dumps(hass_storage[f"gatehouse.{account.entry_id}"]["data"]["recent"])
    assert all(text not in saved for text in ("5550199", "9001", "dtmf", "505/", TOKEN))


async def test_saved_before_long(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tellicon: Tellicon,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """What has come is saved soon, also while more and more comes."""
    for number in range(6):
        await tellicon.ring(UNIT, src=str(number))
        freezer.tick(3)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
    saved = hass_storage[f"gatehouse.{account.entry_id}"]["data"]["recent"]
    assert len(saved) == 4


async def test_store_of_earlier_days(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    """A store in which nothing of this is kept is read all the same."""
    key = f"gatehouse.{entry.entry_id}"
    hass_storage[key] = {"version": 1, "key": key, "data": {"silences": {}}}
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)


async def test_repetitions_are_remembered_in_bounds(
    hass: HomeAssistant, tellicon: Tellicon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many events are remembered; the oldest are forgotten first."""
    monkeypatch.setattr(recent, "REMEMBERED", 2)
    bodies = [
        b'{"eventTellicon":{"type":"pushCall","client":5,"apt":%d,'
        b'"eventDateTime":1800000000}}' % apt
        for apt in range(4)
    ]
    for body in bodies:
        await tellicon.send_raw(body)
    assert b"accepted" in (await tellicon.send_raw(bodies[0])).body
    for body in bodies[2:]:
        assert b"duplicate" in (await tellicon.send_raw(body)).body


@pytest.mark.parametrize(
    ("epoch", "occurred_at"),
    [
        # Late, as after an outage: believed.
        (NOW - 86_400, "2027-01-14T08:00:00+00:00"),
        (NOW + 300, "2027-01-15T08:05:00+00:00"),
        # Tellicon's clock is wrong: ours is taken.
        (NOW + 3600, "2027-01-15T08:00:00+00:00"),
        (NOW * 1000, "2027-01-15T08:00:00+00:00"),
        (0, "2027-01-15T08:00:00+00:00"),
        (None, "2027-01-15T08:00:00+00:00"),
    ],
)
async def test_time(
    hass: HomeAssistant,
    tellicon: Tellicon,
    state_of: StateOf,
    epoch: int | None,
    occurred_at: str,
) -> None:
    """The source's own time is told where it can be trusted."""
    event = {"type": "pushCall", "client": 505, "apt": 1, "eventDateTime": epoch}
    await tellicon.send_raw(json.dumps({"eventTellicon": event}).encode())
    await hass.async_block_till_done()
    assert state_of("505", "doorbell").attributes["occurred_at"] == occurred_at


async def test_no_apartment(
    hass: HomeAssistant, tellicon: Tellicon, state_of: StateOf
) -> None:
    """A call that names no apartment is told by the account alone."""
    await tellicon.ring(Unit(505, None, None))
    await hass.async_block_till_done()
    assert state_of("505", "doorbell").attributes["unit"] is None
    assert len(hass.states.async_all("event")) == 2


async def test_two_accounts(
    hass: HomeAssistant,
    tellicon: Tellicon,
    served_at: str,
    device_registry: dr.DeviceRegistry,
    devices: Devices,
) -> None:
    """Several tokens stand side by side, even for a client of the same number."""
    other = MockConfigEntry(
        domain=DOMAIN, data={"vendor": "tellicon", "token": "another-token-of-24-char"}
    )
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    async with Tellicon(
        f"{served_at}/eventTellicon", "another-token-of-24-char"
    ) as sender:
        await sender.ring(UNIT)
        await hass.async_block_till_done()
        assert len(dr.async_entries_for_config_entry(device_registry, other.entry_id))
        assert len(devices()) == 2
        await tellicon.ring(UNIT)
        await hass.async_block_till_done()
    assert len(devices()) == 4


async def test_restart(
    hass: HomeAssistant, tellicon: Tellicon, account: MockConfigEntry, state_of: StateOf
) -> None:
    """Accounts and units, and what they last told, are still there after a restart."""
    await tellicon.ring(UNIT)
    await tellicon.answer(UNIT, duration=7)
    await hass.async_block_till_done()
    before = state_of(NAME, "doorbell")
    assert await hass.config_entries.async_reload(account.entry_id)
    await hass.async_block_till_done()
    after = state_of(NAME, "doorbell")
    assert (after.state, after.attributes) == (before.state, before.attributes)
    assert state_of(NAME, "last_call_duration").state == "7"
    assert state_of("505", "last_contact").state == "2027-01-15T08:00:00+00:00"


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Return what the adding of events waits for."""
    go_on = asyncio.Event()
    add = EventEntity.async_internal_added_to_hass

    async def add_slowly(entity: EventEntity) -> None:
        await go_on.wait()
        await add(entity)

    monkeypatch.setattr(EventEntity, "async_internal_added_to_hass", add_slowly)
    return go_on


async def test_order_is_kept_while_entities_are_added(
    hass: HomeAssistant, tellicon: Tellicon, go_on: asyncio.Event
) -> None:
    """The account tells in the order of their coming what units tell and what none does."""
    told = async_capture_events(hass, EVENT_STATE_CHANGED)
    for panel, unit in enumerate((UNIT, Unit(505, None, None), UNIT)):
        await tellicon.ring(unit, src=str(panel))
    go_on.set()
    await hass.async_block_till_done()
    assert [
        event.data["new_state"].attributes["caller"]
        for event in told
        if event.data["entity_id"] == "event.tellicon_505_doorbell"
        and event.data["old_state"] is not None
    ] == ["0", "1", "2"]


async def test_many_ring_before_entities_stand(
    hass: HomeAssistant, tellicon: Tellicon, go_on: asyncio.Event
) -> None:
    """However many ring meanwhile, and however long it takes, all are told."""
    told = async_capture_events(hass, EVENT_STATE_CHANGED)
    panels = [str(panel) for panel in range(500)]
    for panel in panels:
        assert (await tellicon.ring(UNIT, src=panel)).status == 200
    told.clear()
    go_on.set()
    await hass.async_block_till_done()
    # By the account and by the unit.
    assert Counter(
        caller
        for event in told
        if (caller := event.data["new_state"].attributes.get("caller")) is not None
    ) == dict.fromkeys(panels, 2)


async def test_faulty_word_before_entities_stand(
    hass: HomeAssistant,
    tellicon: Tellicon,
    go_on: asyncio.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What cannot be told keeps nothing from being told that waited with it."""
    trigger = EventEntity._trigger_event

    def trigger_or_fail(
        entity: EventEntity, event_type: str, attributes: dict[str, Any]
    ) -> None:
        if attributes["caller"] == "1":
            raise ValueError
        trigger(entity, event_type, attributes)

    monkeypatch.setattr(EventEntity, "_trigger_event", trigger_or_fail)
    told = async_capture_events(hass, EVENT_GATEHOUSE)
    for panel in range(3):
        await tellicon.ring(UNIT, src=str(panel))
    go_on.set()
    await hass.async_block_till_done()
    await tellicon.ring(UNIT, src="3")
    assert [event.data["caller"] for event in told] == ["0", "2", "3"]


async def test_sender_needs_no_more(tellicon: Tellicon) -> None:
    """Who ends his side of the connection after his ring is answered nevertheless."""
    url = URL(tellicon.url)
    body = json.dumps({"eventTellicon": {"type": "pushCall", "client": 505}})
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        f"POST {url.path} HTTP/1.1\r\nHost: {url.authority}\r\nConnection: close\r\n"
        f"authTokenTellicon: {TOKEN}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    writer.write_eof()
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_told_before_reload(
    hass: HomeAssistant, tellicon: Tellicon, account: MockConfigEntry
) -> None:
    """What is accepted in the moment in which a reload begins is told nevertheless."""
    await tellicon.ring(UNIT)
    await hass.async_block_till_done()
    told = async_capture_events(hass, EVENT_GATEHOUSE)
    callers = [str(number) for number in range(5)]
    for caller in callers:
        ring = {"type": "pushCall", "src": caller, "client": 505, "building": 121}
        assert account.runtime_data.receive(parse_event(ring | {"apt": 1001}))
    await hass.config_entries.async_reload(account.entry_id)
    assert [event.data["caller"] for event in told] == callers


async def test_too_many_units(
    hass: HomeAssistant,
    tellicon: Tellicon,
    state_of: StateOf,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Units beyond a bound are told by their account alone, and that is said once."""
    monkeypatch.setattr(hub, "MAX_DEVICES", 3)
    for apt in range(1, 5):
        await tellicon.ring(Unit(505, 1, apt))
    await hass.async_block_till_done()
    assert state_of("505/1/2", "doorbell") is not None
    assert state_of("505/1/3", "doorbell") is None
    assert state_of("505", "doorbell").attributes["unit"] == "505/1/4"
    assert caplog.text.count("further ones are told on their account only") == 1


async def test_too_many_accounts(
    hass: HomeAssistant,
    tellicon: Tellicon,
    state_of: StateOf,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Accounts beyond a bound are ignored, which is said once; the others go on."""
    monkeypatch.setattr(hub, "MAX_ACCOUNTS", 2)
    for client in (505, 506, 507, 508, 505):
        assert (await tellicon.ring(Unit(client, 1, client))).status == 200
    await hass.async_block_till_done()
    assert state_of("506", "doorbell") is not None
    assert state_of("507", "doorbell") is None
    assert state_of("507/1/507", "doorbell") is None
    assert state_of("505/1/505", "doorbell") is not None
    assert caplog.text.count("more than 2 accounts; further ones are ignored") == 1


async def test_silence(
    hass: HomeAssistant,
    tellicon: Tellicon,
    account: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """An account that used to tell of calls and does no more is the user's affair."""

    async def wait(hours: int) -> None:
        for _ in range(hours):
            freezer.tick(3600)
            async_fire_time_changed(hass)
        await hass.async_block_till_done()

    for _ in range(20):
        await tellicon.ring(UNIT)
        await wait(10)
    await tellicon.ring(UNIT)
    await wait(23)
    assert not issue_registry.issues
    # What was learnt outlives a restart.
    await hass.config_entries.async_reload(account.entry_id)
    await hass.async_block_till_done()
    assert not issue_registry.issues
    await wait(3)
    (issue,) = issue_registry.issues.values()
    assert issue.translation_key == "account_silent"
    assert TOKEN not in str(issue)
    await tellicon.ring(UNIT)
    await hass.async_block_till_done()
    assert not issue_registry.issues


async def test_silence_ends_on_a_clock_set_back(
    hass: HomeAssistant,
    tellicon: Tellicon,
    account: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Nobody is asked about an account that speaks, whatever the clock shows."""
    await tellicon.ring(UNIT)
    freezer.tick(5 * 86400)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert issue_registry.issues
    freezer.move_to("2027-01-15T08:00:01+00:00")
    await tellicon.ring(UNIT)
    await hass.async_block_till_done()
    assert not issue_registry.issues


async def test_silence_of_a_deleted_account(
    hass: HomeAssistant,
    tellicon: Tellicon,
    account: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Nobody is asked about an account that the user has deleted."""
    await tellicon.ring(Unit(505, None, None))
    await hass.async_block_till_done()
    freezer.tick(5 * 86400)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert issue_registry.issues
    (device,) = dr.async_entries_for_config_entry(device_registry, account.entry_id)
    assert await async_remove_config_entry_device(hass, account, device)
    device_registry.async_remove_device(device.id)
    assert not issue_registry.issues
    for _ in range(2):
        await hass.config_entries.async_reload(account.entry_id)
        freezer.tick(30 * 86400)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
    assert not issue_registry.issues


async def test_deleted_account_is_remembered_at_once(
    hass: HomeAssistant,
    tellicon: Tellicon,
    account: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """An unload saves also the deletion of the last account, and nothing afterwards."""
    body = (
        b'{"eventTellicon":{"type":"pushCall","client":505,"eventDateTime":%d}}' % NOW
    )
    assert b"accepted" in (await tellicon.send_raw(body)).body
    await hass.async_block_till_done()
    (device,) = dr.async_entries_for_config_entry(device_registry, account.entry_id)
    assert await async_remove_config_entry_device(hass, account, device)
    device_registry.async_remove_device(device.id)
    await hass.config_entries.async_reload(account.entry_id)
    assert b"duplicate" in (await tellicon.send_raw(body)).body
    await hass.config_entries.async_remove(account.entry_id)
    freezer.tick(60)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert f"gatehouse.{account.entry_id}" not in hass_storage


async def test_never_called(
    hass: HomeAssistant,
    account: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """What never came cannot have stopped."""
    freezer.tick(90 * 86400)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert not issue_registry.issues
