"""A gateway and its locks, from the wire to the state machine and back."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
    async_mock_service,
)

from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.hub import Device
from custom_components.gatehouse.vendors.the_keys import client
from custom_components.gatehouse.wire import UnexpectedReply
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState, ConfigSubentry
from homeassistant.const import (
    EVENT_HOMEASSISTANT_STOP,
    EVENT_STATE_CHANGED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import Context, CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.setup import async_setup_component
from simulators.the_keys import Fault, Gateway

from ...conftest import Advance, until
from ...faults.simulated_time import SimulatedTime
from ..conftest import shown
from .conftest import CODE, FRONT, OTHER_CODE, SIDE, subentry

DOOR = "lock.front_door_door"
CONNECTION = "binary_sensor.the_keys_gateway_connection"
STATUS = "sensor.the_keys_gateway_status"
BATTERY = "sensor.front_door_battery"


async def order(hass: HomeAssistant, action: str, entity_id: str = DOOR) -> None:
    """Have a lock locked or unlocked."""
    await hass.services.async_call(
        "lock", action, {"entity_id": entity_id}, blocking=True
    )


async def press(hass: HomeAssistant, entity_id: str) -> None:
    """Press a button."""
    await hass.services.async_call(
        "button", "press", {"entity_id": entity_id}, blocking=True
    )


def device_of(entry: MockConfigEntry) -> Device:
    """Return the front door."""
    device: Device = entry.runtime_data.devices[f"the_keys_{FRONT}"]
    return device


@pytest.fixture
def asked(gateway: Gateway) -> Callable[[str], int]:
    """Return what counts the requests on a path."""
    return lambda path: sum(request.path == path for request in gateway.requests)


async def test_entities(
    hass: HomeAssistant, home: MockConfigEntry, device_registry: dr.DeviceRegistry
) -> None:
    """A set-up gateway shows what it knows of itself and its lock."""
    assert shown(hass, DOOR) == "locked"
    assert shown(hass, BATTERY) == "77"
    assert shown(hass, "sensor.front_door_battery_voltage") == "7.783"
    assert shown(hass, CONNECTION) == "on"
    assert shown(hass, STATUS) == "scanning"
    gateway, lock = sorted(
        dr.async_entries_for_config_entry(device_registry, home.entry_id),
        key=lambda device: device.name == "Front door",
    )
    assert (gateway.name, gateway.sw_version) == ("The Keys gateway", "65")
    assert (lock.sw_version, lock.serial_number) == ("81", str(FRONT))
    assert lock.via_device_id == gateway.id
    assert lock.config_subentry_id == next(iter(home.subentries))


@pytest.mark.parametrize("dialect", ["documented", "field"])
async def test_move(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    dialect: str,
) -> None:
    """The bolt is shown moving until it is read where it was to go."""
    gateway.dialect = dialect
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    await order(hass, "unlock")
    assert gateway.orders == [("/open", FRONT)]
    assert shown(hass, DOOR) == "unlocking"
    await advance(6)
    assert shown(hass, DOOR) == "unlocked"
    await order(hass, "lock")
    assert gateway.orders[1:] == [("/close", FRONT)]
    assert shown(hass, DOOR) == "locking"
    await advance(6)
    assert shown(hass, DOOR) == "locked"
    assert [
        change.data["new_state"].state
        for change in changes
        if change.data["entity_id"] == DOOR
    ] == ["unlocking", "unlocked", "locking", "locked"]


async def test_hand_turn(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    asked: Callable[[str], int],
) -> None:
    """A turn by hand is seen by the log's change; the lock is not asked without one."""
    before = asked("/locker_status")
    for _ in range(5):
        await advance(10)
    assert asked("/locker_status") == before
    gateway.turn_by_hand(FRONT, 50)
    await advance(10)
    assert shown(hass, DOOR) == "unlocked"
    assert asked("/locker_status") == before + 1


async def test_low_battery(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """Home Assistant's own battery trigger hears of batteries that run out."""
    calls = async_mock_service(hass, "test", "low")
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "triggers": {
                    "trigger": "battery.became_low",
                    "target": {"entity_id": "binary_sensor.front_door_low_battery"},
                },
                "actions": {"action": "test.low"},
            }
        },
    )
    await hass.async_block_till_done()
    assert shown(hass, "binary_sensor.front_door_low_battery") == "off"
    gateway.locks[FRONT].battery = 6700
    await advance(10)
    assert shown(hass, BATTERY) == "17"
    assert shown(hass, "binary_sensor.front_door_low_battery") == "on"
    assert len(calls) == 1
    gateway.locks[FRONT].battery = 0
    await advance(10)
    assert shown(hass, BATTERY) == STATE_UNKNOWN
    assert shown(hass, "binary_sensor.front_door_low_battery") == STATE_UNKNOWN


async def test_rare_reading(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    asked: Callable[[str], int],
) -> None:
    """A lock whose log does not change is read every 45 minutes all the same."""
    before = asked("/locker_status")
    await advance(44 * 60)
    assert asked("/locker_status") == before
    await advance(60)
    assert asked("/locker_status") == before + 1


async def test_unknown_is_not_unlocked(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """A lock that has just started does not know where its bolt is, nor do we."""
    gateway.reboot_lock(FRONT)
    gateway.turn_by_hand(FRONT, 48)
    await advance(10)
    assert shown(hass, DOOR) == STATE_UNKNOWN


@pytest.mark.parametrize(
    "fault",
    [
        Fault.reset(acted=True),
        Fault.hang(acted=True),
        Fault.empty(),
        Fault.reply(b"<html>", acted=True),
        Fault.reply(b'{"status": "ok", "co', acted=True),
        Fault.reply(b" " * 100_000, acted=True),
    ],
    ids=["reset", "hang", "empty", "html", "truncated", "huge"],
)
@pytest.mark.usefixtures("impatient")
async def test_lost_answer(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    asked: Callable[[str], int],
    fault: Fault,
) -> None:
    """An order whose answer is lost is settled by reading, and never sent twice."""
    gateway.inject("/open", fault)
    await order(hass, "unlock")
    assert asked("/open") == 1
    assert gateway.orders == [("/open", FRONT)]
    await advance(6)
    assert shown(hass, DOOR) == "unlocked"


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        (Fault.reset(acted=False), "not_confirmed"),
        (Fault.hang(acted=False), "not_confirmed"),
        (Fault.code(37), "lock_failed"),
        (Fault.code(400), "refused"),
    ],
    ids=["reset", "hang", "37", "400"],
)
@pytest.mark.usefixtures("impatient")
async def test_lost_order(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    asked: Callable[[str], int],
    fault: Fault,
    key: str,
) -> None:
    """An order that got lost itself is not repeated; the caller is told."""
    gateway.inject("/open", fault)
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == key
    assert asked("/open") == 1
    assert not gateway.orders
    assert shown(hass, DOOR) == "locked"
    await advance(60)
    assert shown(hass, DOOR) == "locked"


async def test_nothing_known_after_lost_answer(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """Where the bolt cannot be read either, it is unknown until it can."""
    gateway.inject("/open", Fault.reset(acted=True))
    gateway.inject("/locker_status", Fault.code(34))
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == "outcome_unknown"
    assert shown(hass, DOOR) == STATE_UNKNOWN
    await advance(6)
    assert shown(hass, DOOR) == "unlocked"


async def test_accepted_but_not_readable(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """Accepted is not arrived: a bolt that cannot be read then is unknown."""
    await order(hass, "unlock")
    gateway.inject("/locker_status", Fault.code(34))
    await advance(6)
    assert shown(hass, DOOR) == STATE_UNKNOWN
    await advance(60)
    assert shown(hass, DOOR) == "unlocked"


@pytest.mark.parametrize("dialect", ["documented", "field"])
@pytest.mark.parametrize(
    ("code", "key", "sent"),
    [
        (5, "bluetooth_failed", 1),
        (32, "share_missing", 1),
        (33, "share_code_refused", 2),
        (34, "lock_not_detected", 1),
        (35, "lock_not_compatible", 1),
        (36, "key_refused", 2),
        (38, "clock_invalid", 2),
        (99, "refused", 1),
        (500, "gateway_busy", 4),
    ],
)
async def test_refusals(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    asked: Callable[[str], int],
    dialect: str,
    code: int,
    key: str,
    sent: int,
) -> None:
    """Each refusal has its own text; what was refused may be asked again, in bounds."""
    gateway.dialect = dialect
    gateway.inject("/open", Fault.code(code), times=10)
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == key
    assert str(error.value)
    assert CODE not in str(error.value)
    assert asked("/open") == sent
    assert not gateway.orders
    assert shown(hass, DOOR) == "locked"


@pytest.mark.parametrize(
    ("code", "healed_by"),
    [(33, None), (36, "/locker/synchronize"), (38, "/synchronize"), (500, None)],
)
async def test_mended_refusals(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    asked: Callable[[str], int],
    code: int,
    healed_by: str | None,
) -> None:
    """What can be mended is mended, and the order goes through without a word."""
    gateway.inject("/open", Fault.code(code))
    await order(hass, "unlock")
    assert gateway.orders == [("/open", FRONT)]
    assert healed_by is None or asked(healed_by) == 1
    signed = [request for request in gateway.requests if "ts" in request.form]
    stamps = [int(request.form["ts"]) for request in signed]
    assert stamps == sorted(set(stamps))
    await advance(6)
    assert shown(hass, DOOR) == "unlocked"


async def test_clock(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A wrong clock is set by synchronising, past a gateway that is busy at first."""
    gateway.clock_valid = False
    gateway.inject("/synchronize", Fault.busy(), times=2)
    await order(hass, "unlock")
    assert gateway.clock_valid
    assert gateway.orders == [("/open", FRONT)]
    assert not issue_registry.issues

    gateway.clock_valid = gateway.clock_heals = False
    with pytest.raises(HomeAssistantError):
        await order(hass, "lock")
    assert (DOMAIN, f"clock_invalid_the_keys_{FRONT}") in issue_registry.issues


@pytest.mark.parametrize(
    ("code", "times", "issue"),
    # The last two are mended and asked again at once.
    [(32, 1, "share_missing"), (36, 2, "key_refused"), (38, 2, "clock_invalid")],
)
async def test_repairs(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
    code: int,
    times: int,
    issue: str,
) -> None:
    """What only the user can mend is a repair, which goes by itself when it is mended."""
    gateway.inject("/locker_status", Fault.code(code), times)
    gateway.turn_by_hand(FRONT, 50)
    await advance(10)
    found = issue_registry.async_get_issue(DOMAIN, f"{issue}_the_keys_{FRONT}")
    assert found.translation_placeholders["name"] == "Front door"
    assert shown(hass, DOOR) == "locked"
    await advance(60)
    assert not issue_registry.issues
    assert shown(hass, DOOR) == "unlocked"


@pytest.mark.parametrize(
    ("code", "path", "button"),
    [
        (36, "/locker/synchronize", "button.front_door_synchronize"),
        (38, "/synchronize", "button.the_keys_gateway_synchronize"),
    ],
)
async def test_repair_that_waits(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    asked: Callable[[str], int],
    issue_registry: ir.IssueRegistry,
    code: int,
    path: str,
    button: str,
) -> None:
    """Until the user comes, gateway and lock are not synchronised every minute."""
    gateway.inject("/locker_status", Fault.code(code), times=1000)
    gateway.turn_by_hand(FRONT, 50)
    for _ in range(3 * 60):
        await advance(60)
    assert 5 <= asked(path) <= 12
    # Whoever does what the repair asks for sees at once whether it has helped.
    gateway.clear_faults()
    await press(hass, button)
    await advance(10)
    assert not issue_registry.issues
    assert shown(hass, DOOR) == "unlocked"


async def test_repair_goes_with_the_entry(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Nobody is asked to mend what has been removed."""
    gateway.inject("/locker_status", Fault.code(32))
    gateway.turn_by_hand(FRONT, 50)
    await advance(10)
    assert issue_registry.issues
    await hass.config_entries.async_remove(home.entry_id)
    await hass.async_block_till_done()
    assert not issue_registry.issues


async def test_ignored_repair_stays_ignored(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
) -> None:
    """What the user has put aside is not brought up again by every restart."""
    gateway.inject("/locker_status", Fault.code(32))
    gateway.turn_by_hand(FRONT, 50)
    await advance(10)
    (issue,) = issue_registry.issues.values()
    ir.async_ignore_issue(hass, issue.domain, issue.issue_id, True)
    hass.set_state(CoreState.stopping)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    (issue,) = issue_registry.issues.values()
    assert issue.dismissed_version is not None


async def test_wrong_code(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """A code that is refused again and again is asked for."""
    gateway.locks[FRONT].code = "Changed"
    gateway.turn_by_hand(FRONT, 50)
    await advance(10)
    assert not hass.config_entries.flow.async_progress()
    for _ in range(2):
        await advance(60)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert flow["step_id"] == "the_keys_reauth"


async def test_gateway_lost(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    caplog: pytest.LogCaptureFixture,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Three polls without an answer: all but the connection is unavailable, and back."""
    await gateway.stop()
    for _ in range(2):
        await advance(10)
    assert shown(hass, CONNECTION) == "on"
    for _ in range(3):
        await advance(10)
    assert shown(hass, CONNECTION) == "off"
    for entity_id in (DOOR, BATTERY, STATUS, "button.the_keys_gateway_synchronize"):
        assert shown(hass, entity_id) == STATE_UNAVAILABLE
    assert caplog.text.count("does not answer") == 1
    # A loss that lasts is the user's affair, until it ends.
    await advance(800)
    assert not issue_registry.issues
    await advance(110)
    (issue,) = issue_registry.issues.values()
    assert issue.translation_key == "gateway_unreachable"

    await gateway.start()
    gateway.turn_by_hand(FRONT, 50)
    await advance(10)
    assert shown(hass, CONNECTION) == "on"
    assert shown(hass, DOOR) == "unlocked"
    assert shown(hass, STATUS) == "scanning"
    assert not issue_registry.issues
    assert caplog.text.count("answers again") == 1


async def test_loss_ends_with_the_entry(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Nothing is asked about a gateway that is no longer wanted."""
    await gateway.stop()
    for _ in range(5):
        await advance(10)
    assert shown(hass, CONNECTION) == "off"
    await hass.config_entries.async_unload(home.entry_id)
    await advance(2000)
    assert not issue_registry.issues


async def test_who_moved_the_bolt(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    hass_admin_user: MockUser,
) -> None:
    """The user of Home Assistant is named until somebody else moves the bolt."""

    def changed_by() -> str | None:
        return hass.states.get(DOOR).attributes.get("changed_by")

    async def unlock() -> None:
        await hass.services.async_call(
            "lock",
            "unlock",
            {"entity_id": DOOR},
            blocking=True,
            context=Context(user_id=hass_admin_user.id),
        )

    assert changed_by() is None
    await unlock()
    await advance(6)
    assert shown(hass, DOOR) == "unlocked"
    assert changed_by() == hass_admin_user.name
    gateway.turn_by_hand(FRONT, 49)
    for _ in range(3):
        await advance(10)
    assert shown(hass, DOOR) == "locked"
    assert changed_by() is None
    # Who is refused has moved nothing.
    gateway.inject("/open", Fault.reply(b'{"status": "ko", "code": 34}'))
    with pytest.raises(HomeAssistantError):
        await unlock()
    assert changed_by() is None


async def test_lock_out_of_reach(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A lock that the gateway does not see is unavailable, and it alone."""
    gateway.locks[FRONT].visible = False
    for _ in range(4):
        await advance(10)
    assert shown(hass, DOOR) == STATE_UNAVAILABLE
    assert shown(hass, BATTERY) == STATE_UNAVAILABLE
    assert shown(hass, STATUS) == "scanning"
    gateway.locks[FRONT].visible = True
    await advance(10)
    assert shown(hass, DOOR) == "locked"
    assert caplog.text.count("out of its gateway's reach") == 1
    assert caplog.text.count("within reach again") == 1


async def test_lock_not_there_at_the_start(
    hass: HomeAssistant, gateway: Gateway, entry: MockConfigEntry, advance: Advance
) -> None:
    """A lock that is not seen at the start appears when it is."""
    gateway.locks[FRONT].visible = False
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert shown(hass, DOOR) == STATE_UNAVAILABLE
    gateway.locks[FRONT].visible = True
    await advance(10)
    assert shown(hass, DOOR) == "locked"


async def test_busy_is_not_lost(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """A gateway that answers that it is busy is there."""
    gateway.inject("/lockers", Fault.busy(), times=5)
    for _ in range(5):
        await advance(10)
    assert shown(hass, CONNECTION) == "on"


async def test_synchronizing(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    advance: Advance,
    asked: Callable[[str], int],
    issue_registry: ir.IssueRegistry,
) -> None:
    """A gateway that synchronises is left in peace; one that goes on is a repair."""
    gateway.phase = "synchronizing_gateway"
    gateway.turn_by_hand(FRONT, 50)
    before = asked("/locker_status")
    await advance(10)
    assert shown(hass, STATUS) == "synchronizing_gateway"
    await advance(10)
    assert asked("/locker_status") == before
    assert not issue_registry.issues
    gateway.phase = "synchronizing_lock"
    await advance(600)
    assert shown(hass, STATUS) == "synchronizing_lock"
    assert len(issue_registry.issues) == 1
    gateway.phase = "scanning"
    await advance(10)
    assert shown(hass, DOOR) == "unlocked"
    assert not issue_registry.issues


@pytest.fixture
async def synchronizing(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """Have the gateway seen synchronising, when a bolt was turned."""
    gateway.phase = "synchronizing_gateway"
    gateway.turn_by_hand(FRONT, 50)
    await advance(10)
    assert shown(hass, STATUS) == "synchronizing_gateway"
    assert shown(hass, DOOR) == "locked"
    gateway.phase = "scanning"


@pytest.mark.usefixtures("synchronizing")
async def test_status_is_gone_after_synchronizing(
    hass: HomeAssistant, gateway: Gateway, advance: Advance
) -> None:
    """Locks are read again of a gateway that does not say any more what it is doing."""
    gateway.inject("/status", Fault.reply(b"", status=404))
    await advance(10)
    assert shown(hass, DOOR) == "unlocked"
    assert shown(hass, STATUS) == STATE_UNKNOWN


@pytest.mark.usefixtures("synchronizing")
async def test_status_is_lost_after_synchronizing(
    hass: HomeAssistant, gateway: Gateway, advance: Advance
) -> None:
    """Nor are they forgotten for a status that cannot be read any more."""
    gateway.inject("/status", Fault.reply(b"?"), times=2)
    await advance(10)
    assert shown(hass, DOOR) == "locked"
    await advance(600)
    assert shown(hass, DOOR) == "unlocked"


async def test_unknown_status(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """A text that nobody has seen is unknown, and reads of locks go on."""
    gateway.status_text = "Thinking"
    gateway.turn_by_hand(FRONT, 50)
    await advance(10)
    assert shown(hass, STATUS) == STATE_UNKNOWN
    assert shown(hass, DOOR) == "unlocked"


async def test_old_firmware(
    hass: HomeAssistant,
    gateway: Gateway,
    entry: MockConfigEntry,
    advance: Advance,
    asked: Callable[[str], int],
) -> None:
    """Before firmware 17 there is no status; it is asked for once a day."""
    gateway.firmware = 16
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await advance(120)
    assert shown(hass, STATUS) == STATE_UNKNOWN
    assert shown(hass, DOOR) == "locked"
    assert asked("/status") == 1
    gateway.firmware = 65
    await advance(86_400)
    assert shown(hass, STATUS) == "scanning"


async def test_status_fault(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """A status that cannot be read once is read the next time."""
    gateway.inject("/status", Fault.reply(b"?"))
    await advance(60)
    assert shown(hass, STATUS) == "scanning"


async def test_reading_fault(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """A lock that could not be read is read again after a minute."""
    gateway.inject("/locker_status", Fault.reset(acted=False))
    gateway.turn_by_hand(FRONT, 50)
    await advance(10)
    assert shown(hass, DOOR) == "locked"
    await advance(60)
    assert shown(hass, DOOR) == "unlocked"


async def test_moving_bolt_is_read_again(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """400 on a reading means that the bolt still moves."""
    await order(hass, "unlock")
    gateway.inject("/locker_status", Fault.code(400), times=3)
    await advance(6)
    assert shown(hass, DOOR) == "unlocked"


async def test_one_request_at_a_time(
    hass: HomeAssistant, gateway: Gateway, entry: MockConfigEntry
) -> None:
    """However many orders are given at once, the gateway meets them one by one."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await asyncio.gather(*(order(hass, "unlock") for _ in range(5)))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert gateway.max_concurrent == 1
    assert gateway.orders == [("/open", FRONT)] * 5


async def test_gap(
    hass: HomeAssistant,
    gateway: Gateway,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the end of a reply and the next request there is a gap."""
    monkeypatch.setattr(client, "PACE", client.Pace(gap=0.05))
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await order(hass, "unlock")
    await hass.async_block_till_done(wait_background_tasks=True)
    gaps = [
        after.received_at - before.answered_at
        for before, after in zip(gateway.requests, gateway.requests[1:], strict=False)
    ]
    assert gaps
    assert min(gaps) >= 0.04


async def test_reload_during_order(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    passing: SimulatedTime,
) -> None:
    """A gateway that is carrying out an order is not asked by the next start meanwhile."""
    carried_out = asyncio.Event()
    gateway.inject("/open", Fault.late(carried_out))
    opening = hass.async_create_task(order(hass, "unlock"))
    await passing.settle()
    asked = len(gateway.requests)
    reloading = hass.async_create_task(hass.config_entries.async_reload(home.entry_id))
    await passing.settle()
    assert home.state is ConfigEntryState.SETUP_IN_PROGRESS
    assert len(gateway.requests) == asked
    carried_out.set()
    await opening
    assert await reloading
    await hass.async_block_till_done(wait_background_tasks=True)
    assert gateway.orders == [("/open", FRONT)]
    assert shown(hass, DOOR) == "unlocked"


async def test_pause_outlives_reload(
    hass: HomeAssistant,
    gateway: Gateway,
    entry: MockConfigEntry,
    passing: SimulatedTime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next start leaves the gateway in peace after what was asked before."""
    monkeypatch.setattr(client, "PACE", replace(client.PACE, gap=1))
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await passing.pass_(60)
    await order(hass, "unlock")
    ordered = gateway.requests[-1]
    reloading = hass.async_create_task(hass.config_entries.async_reload(entry.entry_id))
    await passing.until(reloading.done, within=5)
    first = gateway.requests[gateway.requests.index(ordered) + 1]
    assert (ordered.path, first.path) == ("/open", "/lockers")
    assert first.received_at - ordered.answered_at >= 0.99


async def test_orders_go_first(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """An order overtakes what waits to be read."""
    seen = len(gateway.requests)
    gateway.turn_by_hand(FRONT, 50)
    # One request is in flight, a reading and then an order come after it.
    hub = home.runtime_data
    first = hass.async_create_task(hub.client.lockers())
    second = hass.async_create_task(hub.client.lockers())
    await asyncio.sleep(0)
    await order(hass, "lock")
    await asyncio.gather(first, second)
    assert [request.path for request in gateway.requests[seen:]] == [
        "/lockers",
        "/close",
        "/lockers",
    ]


@pytest.fixture
async def older(
    hass: HomeAssistant,
    gateway: Gateway,
    entry: MockConfigEntry,
    passing: SimulatedTime,
    monkeypatch: pytest.MonkeyPatch,
) -> asyncio.Task[None]:
    """Return an order to unlock that a busy gateway has just refused, and that waits."""
    monkeypatch.setattr(client, "PACE", replace(client.PACE, busy=5))
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    gateway.inject("/open", Fault.code(500))
    task = hass.async_create_task(order(hass, "unlock"))
    await passing.until(lambda: gateway.requests[-1].path == "/open", within=1)
    return task


@pytest.mark.standing_clock
async def test_newer_order_counts(
    hass: HomeAssistant,
    gateway: Gateway,
    older: asyncio.Task[None],
    hass_admin_user: MockUser,
    passing: SimulatedTime,
) -> None:
    """What a busy gateway has refused is not asked again after another order."""
    newer = Context(user_id=hass_admin_user.id)
    await passing.outcome(
        hass.services.async_call(
            "lock", "lock", {"entity_id": DOOR}, blocking=True, context=newer
        ),
        within=1,
    )
    assert not older.done()
    await passing.until(older.done, within=6)
    assert older.exception().translation_key == "gateway_busy"
    assert gateway.orders == [("/close", FRONT)]
    assert shown(hass, DOOR) == "locking"
    await passing.pass_(7)
    state = hass.states.get(DOOR)
    assert (state.state, state.attributes["changed_by"]) == (
        "locked",
        hass_admin_user.name,
    )


@pytest.mark.standing_clock
async def test_same_order_twice(
    hass: HomeAssistant,
    gateway: Gateway,
    older: asyncio.Task[None],
    passing: SimulatedTime,
) -> None:
    """A busy gateway is asked again, also if somebody else has ordered the same."""
    await passing.outcome(order(hass, "unlock"), within=1)
    await passing.until(older.done, within=6)
    assert older.exception() is None
    assert shown(hass, DOOR) == "unlocking"


async def test_refused_while_another_moves_the_bolt(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    hass_admin_user: MockUser,
    advance: Advance,
) -> None:
    """Who is refused takes nothing back of an order that has been accepted."""
    await hass.services.async_call(
        "lock",
        "unlock",
        {"entity_id": DOOR},
        blocking=True,
        context=Context(user_id=hass_admin_user.id),
    )
    gateway.inject("/close", Fault.code(34))
    with pytest.raises(HomeAssistantError):
        await order(hass, "lock")
    for shown_state in ("unlocking", "unlocked"):
        state = hass.states.get(DOOR)
        assert (state.state, state.attributes["changed_by"]) == (
            shown_state,
            hass_admin_user.name,
        )
        await advance(6)


async def test_refused_together(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    hass_admin_user: MockUser,
) -> None:
    """Of two who are refused, neither has moved the bolt."""
    gateway.inject("/open", Fault.code(34), times=2)
    context = Context(user_id=hass_admin_user.id)
    failures = await asyncio.gather(
        *(
            hass.services.async_call(
                "lock", "unlock", {"entity_id": DOOR}, blocking=True, context=context
            )
            for _ in range(2)
        ),
        return_exceptions=True,
    )
    assert [failure.translation_key for failure in failures] == [
        "lock_not_detected"
    ] * 2
    state = hass.states.get(DOOR)
    assert state.state == "locked"
    assert state.attributes.get("changed_by") is None


@pytest.mark.standing_clock
async def test_reading_before_arrival(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    hass_admin_user: MockUser,
    passing: SimulatedTime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reading that an order has overtaken does not show the bolt where it was."""
    monkeypatch.setattr(client, "PACE", replace(client.PACE, gap=1, travel=6))
    await passing.outcome(hass.config_entries.async_reload(home.entry_id), within=30)
    await passing.until(lambda: shown(hass, DOOR) == "locked", within=30)
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    gateway.turn_by_hand(FRONT, 50)
    gateway.turn_by_hand(FRONT, 49)
    seen = len(gateway.requests)
    # The list has told of it, and the reading waits for its turn.
    await passing.until(lambda: len(gateway.requests) > seen, within=11)
    await passing.until(lambda: gateway.requests[-1].path == "/status", within=11)
    await passing.settle()
    # As a gateway might answer that does not know yet that the bolt moves.
    gateway.inject(
        "/locker_status", Fault.reply(b'{"status": "Door closed", "code": 49}')
    )
    await passing.outcome(
        hass.services.async_call(
            "lock",
            "unlock",
            {"entity_id": DOOR},
            blocking=True,
            context=Context(user_id=hass_admin_user.id),
        ),
        within=3,
    )
    await passing.pass_(12)
    assert [request.path for request in gateway.requests[seen:]][:4] == [
        "/lockers",
        "/status",
        "/open",
        "/locker_status",
    ]
    assert [
        change.data["new_state"].state
        for change in changes
        if change.data["entity_id"] == DOOR
    ] == ["unlocking", "unlocked"]
    assert hass.states.get(DOOR).attributes["changed_by"] == hass_admin_user.name


async def test_two_callers(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """Two who press at the same time have two orders, each signed and sent once."""
    await asyncio.gather(order(hass, "unlock"), order(hass, "unlock"))
    assert gateway.orders == [("/open", FRONT)] * 2
    signed = [
        (int(request.form["ts"]), request.form["hash"])
        for request in gateway.requests
        if request.path == "/open"
    ]
    assert signed[0][0] < signed[1][0]
    assert signed[0][1] != signed[1][1]
    assert gateway.max_concurrent == 1
    assert shown(hass, DOOR) in ("unlocking", "unlocked")


async def test_order_expires(
    hass: HomeAssistant,
    gateway: Gateway,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An order that had to wait too long is not sent any more."""
    monkeypatch.setattr(client, "PACE", client.Pace(gap=0, order_lifetime=-1))
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == "order_expired"
    assert not gateway.orders
    assert shown(hass, DOOR) == "locked"


@pytest.mark.standing_clock
async def test_order_expires_while_a_name_is_looked_up(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    passing: SimulatedTime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An order is not sent late because the network took long to find the gateway."""
    found = asyncio.Event()
    look_up = aiohttp.TCPConnector._resolve_host

    async def look_up_slowly(*args: Any, **kwargs: Any) -> Any:
        await found.wait()
        return await look_up(*args, **kwargs)

    monkeypatch.setattr(aiohttp.TCPConnector, "_resolve_host", look_up_slowly)
    monkeypatch.setattr(
        home.runtime_data.client, "_pace", client.Pace(order_lifetime=3)
    )
    waiting = hass.async_create_task(order(hass, "unlock"))
    await passing.pass_(5)
    found.set()
    with pytest.raises(HomeAssistantError) as error:
        await waiting
    assert error.value.translation_key == "gateway_unreachable"
    await passing.pass_(1)
    assert not gateway.orders


async def test_buttons(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    asked: Callable[[str], int],
    advance: Advance,
) -> None:
    """The buttons reach their endpoints; those that can do harm are off by default."""
    for entity_id in (
        "button.the_keys_gateway_update_firmware",
        "button.front_door_update_firmware",
        "button.front_door_calibrate",
    ):
        found = entity_registry.async_get(entity_id)
        assert found.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        entity_registry.async_update_entity(entity_id, disabled_by=None)
    await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    for entity_id, path in (
        ("button.the_keys_gateway_synchronize", "/synchronize"),
        ("button.the_keys_gateway_update_firmware", "/update"),
        ("button.front_door_synchronize", "/locker/synchronize"),
        ("button.front_door_update_firmware", "/locker/update"),
        ("button.front_door_calibrate", "/calibrate"),
    ):
        await press(hass, entity_id)
        assert asked(path) == 1
    await advance(6)
    assert shown(hass, DOOR) == "locked"


@pytest.mark.parametrize("answered", [True, False])
async def test_calibrated_and_not_read(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    advance: Advance,
    answered: bool,
) -> None:
    """Where a bolt is that has been moved is not known until it has been read."""
    calibrate = "button.front_door_calibrate"
    entity_registry.async_update_entity(calibrate, disabled_by=None)
    await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert shown(hass, DOOR) == "locked"
    gateway.inject("/locker_status", Fault.reset(acted=False))
    if answered:
        await press(hass, calibrate)
    else:
        gateway.inject("/calibrate", Fault.reset(acted=True))
        with pytest.raises(HomeAssistantError):
            await press(hass, calibrate)
    await advance(6)
    assert shown(hass, DOOR) == STATE_UNKNOWN
    for _ in range(7):
        await advance(10)
    assert shown(hass, DOOR) == "locked"


@pytest.mark.parametrize(
    ("path", "entity_id", "faults", "key"),
    [
        ("/synchronize", "button.the_keys_gateway_synchronize", [Fault.busy()] * 4, "gateway_busy"),
        ("/synchronize", "button.the_keys_gateway_synchronize", [Fault.reset(acted=False)] * 2, "no_answer"),
        ("/synchronize", "button.the_keys_gateway_synchronize", [Fault.hang(acted=False)], "no_answer"),
        ("/synchronize", "button.the_keys_gateway_synchronize", [Fault.reply(b"?")], "unexpected_reply"),
        ("/synchronize", "button.the_keys_gateway_synchronize", [Fault.reply(b"", status=404)], "not_supported"),
        ("/locker/synchronize", "button.front_door_synchronize", [Fault.code(2)], "lock_not_compatible"),
        ("/locker/synchronize", "button.front_door_synchronize", [Fault.code(4)] * 3, "bluetooth_failed"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("impatient")
async def test_button_errors(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    path: str,
    entity_id: str,
    faults: list[Fault],
    key: str,
) -> None:
    """What goes wrong is told in a text of its own."""
    for fault in faults:
        gateway.inject(path, fault)
    with pytest.raises(HomeAssistantError) as error:
        await press(hass, entity_id)
    assert error.value.translation_key == key


async def test_button_patience(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    asked: Callable[[str], int],
) -> None:
    """Passing faults of a synchronisation, and an empty reply to it, are no errors."""
    gateway.inject("/locker/synchronize", Fault.code(1))
    gateway.inject("/locker/synchronize", Fault.empty())
    await press(hass, "button.front_door_synchronize")
    assert asked("/locker/synchronize") == 2


async def test_unreachable_button(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """A gateway that is not there is named."""
    await gateway.stop()
    with pytest.raises(HomeAssistantError) as error:
        await press(hass, "button.the_keys_gateway_synchronize")
    assert error.value.translation_key == "gateway_unreachable"
    with pytest.raises(HomeAssistantError):
        await order(hass, "unlock")
    assert shown(hass, DOOR) == "locked"


@pytest.mark.parametrize(
    "fault", [Fault.busy(), Fault.reply(b"?"), Fault.reset(acted=False)]
)
async def test_not_ready(
    hass: HomeAssistant, gateway: Gateway, entry: MockConfigEntry, fault: Fault
) -> None:
    """Without a list of locks the set-up is tried again later."""
    # Twice, for the HTTP library asks again where asking does no harm.
    gateway.inject("/lockers", fault, times=2)
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    gateway.clear_faults()
    assert await hass.config_entries.async_reload(entry.entry_id)


async def test_long_replies(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """A reply of 64 KiB is read, and none that is longer."""
    for length in (65_536, 65_537):
        body = b'{"status": "ok", "devices": []}'.ljust(length)
        gateway.inject("/lockers", Fault.reply(body))
    assert await home.runtime_data.client.lockers() == []
    with pytest.raises(UnexpectedReply):
        await home.runtime_data.client.lockers()


async def test_timestamps_survive(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """Neither a reload nor a clock that is set back repeats a timestamp."""
    stamps = home.runtime_data.client.timestamps
    stamps.last += 100
    await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert home.runtime_data.client.timestamps.last > stamps.last


@pytest.mark.usefixtures("impatient")
async def test_unload_under_order(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """An order that waits for its turn when all ends is not sent."""
    gateway.inject("/lockers", Fault.hang(acted=False))
    reading = hass.async_create_task(home.runtime_data.client.lockers())
    await asyncio.sleep(0.05)
    waiting = hass.async_create_task(order(hass, "unlock"))
    await asyncio.sleep(0)
    assert await hass.config_entries.async_unload(home.entry_id)
    with pytest.raises(HomeAssistantError) as error:
        await waiting
    assert error.value.translation_key == "gateway_unreachable"
    with pytest.raises(Exception):  # noqa: B017, PT011
        await reading
    assert not gateway.orders


async def test_two_locks(
    hass: HomeAssistant, gateway: Gateway, entry: MockConfigEntry, advance: Advance
) -> None:
    """Each order goes to its own lock."""
    entry.add_to_hass(hass)
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(**subentry(SIDE, "Side gate", OTHER_CODE)),
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await order(hass, "unlock", "lock.side_gate_door")
    assert gateway.orders == [("/open", SIDE)]
    await advance(6)
    assert shown(hass, "lock.side_gate_door") == "unlocked"
    assert shown(hass, DOOR) == "locked"


async def test_removed_entry_forgets(
    hass: HomeAssistant, home: MockConfigEntry, hass_storage: dict
) -> None:
    """Nothing is left of an entry that is removed."""
    await hass.config_entries.async_unload(home.entry_id)
    assert f"gatehouse.{home.entry_id}" in hass_storage
    await hass.config_entries.async_remove(home.entry_id)
    await hass.async_block_till_done()
    assert f"gatehouse.{home.entry_id}" not in hass_storage


@pytest.mark.usefixtures("impatient")
async def test_caller_gives_up(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, advance: Advance
) -> None:
    """Who gives up while an order is on its way leaves nothing known, until it is read."""
    gateway.inject("/open", Fault.hang(acted=True))
    caller = hass.async_create_task(home.runtime_data.async_unlock(device_of(home)))
    await until(lambda: gateway.orders)
    caller.cancel()
    await asyncio.wait([caller])
    assert shown(hass, DOOR) == STATE_UNKNOWN
    await advance(6)
    assert shown(hass, DOOR) == "unlocked"


@pytest.mark.usefixtures("impatient")
async def test_caller_gives_up_waiting(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """An order whose caller has gone while it waited is not sent; others go on."""
    hub = home.runtime_data
    gateway.inject("/lockers", Fault.hang(acted=False))
    reading = hass.async_create_task(hub.client.lockers())
    await until(
        lambda: gateway.max_concurrent and gateway.requests[-1].path == "/lockers"
    )
    first, second = (
        hass.async_create_task(hub.async_unlock(device_of(home))) for _ in range(2)
    )
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(reading, first, second, return_exceptions=True)
    assert gateway.orders == [("/open", FRONT)]
