"""Doors: orders through the local API, what the station says, and what is shown."""

import asyncio
import json

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
)

from custom_components.gatehouse.diagnostics import async_get_config_entry_diagnostics
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from simulators.ipac import Fault, Ipac

from ...conftest import Advance
from ..conftest import shown
from .conftest import (
    ACCESS,
    CLEANER,
    CODE,
    CONNECTION,
    DOOR,
    OPEN,
    PASSWORD,
    Told,
    order,
    relay,
)

PAGE = Fault.reply(b"<html>Welcome</html>", content_type="text/html")


def orders(station: Ipac) -> list[dict[str, str]]:
    """Return the orders for relays that came with a login."""
    return [
        dict(request.fields)
        for request in station.requests
        if request.path == "/api/remote/" and request.authorized
    ]


@pytest.mark.parametrize(
    ("action", "entity_id"), [("unlock", DOOR), ("open", DOOR), ("press", OPEN)]
)
async def test_open(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    advance: Advance,
    told: Told,
    action: str,
    entity_id: str,
) -> None:
    """A door opens once, is shown so for its time, and says that we have opened it."""
    assert shown(hass, DOOR) == "locked"
    await order(hass, action, entity_id)
    assert station.relays[1].openings == 1
    assert station.relays[2].openings == 0
    assert orders(station) == [{"code": CODE, "relay": "1"}]
    assert shown(hass, DOOR) == "unlocked"
    ((event, attributes),) = told(ACCESS)
    assert event == "access_granted"
    assert attributes["method"] == "remote"
    assert attributes["reason"] is None
    await advance(4)
    assert shown(hass, DOOR) == "unlocked"
    await advance(2)
    assert shown(hass, DOOR) == "locked"


@pytest.mark.parametrize("auth", ["none", "basic", "digest"])
@pytest.mark.parametrize("tls", [False, True])
async def test_every_login(
    hass: HomeAssistant,
    socket_enabled: None,
    entry: MockConfigEntry,
    auth: str,
    tls: bool,
) -> None:
    """All modes of authentication work, also with the station's own certificate."""
    async with Ipac(password=PASSWORD, auth=auth, tls=tls) as station:
        entry.add_to_hass(hass)
        hass.config_entries.async_update_entry(
            entry,
            data={**entry.data, "host": station.host, "auth": auth, "tls": tls},
        )
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        for _ in range(2):
            station.relays[1].release()
            await order(hass, "unlock")
        assert station.relays[1].openings == 2
        assert len(orders(station)) == 2


async def test_moving(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry, told: Told
) -> None:
    """While the station has not answered, the door is shown on its way."""
    station.inject("/api/remote/", Fault.trickle(0.02))
    opening = hass.async_create_task(order(hass, "unlock"))
    while not station.relays[1].openings:
        await asyncio.sleep(0)
    assert shown(hass, DOOR) == "unlocking"
    await opening
    assert shown(hass, DOOR) == "unlocked"


@pytest.mark.parametrize(
    ("spoil", "reason", "key"),
    [
        ({"mode": "pdl"}, "locked_out", "door_locked_out"),
        ({"mode": "netcut"}, "locked_out", "door_locked_out"),
        ({"in_time_slot": False}, "outside_hours", "door_outside_hours"),
        ({"remote": False}, "wrong_code", "door_wrong_code"),
        ({"codes": ("9999",)}, "wrong_code", "door_wrong_code"),
    ],
)
async def test_refusals(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    told: Told,
    spoil: dict,
    reason: str,
    key: str,
) -> None:
    """What the station refuses is told with its reason, to caller and automations."""
    for name, value in spoil.items():
        setattr(station.relays[1], name, value)
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == key
    assert CODE not in str(error.value)
    assert len(orders(station)) == 1
    assert shown(hass, DOOR) == "locked"
    ((event, attributes),) = told(ACCESS)
    assert (event, attributes["reason"]) == ("access_denied", reason)
    assert attributes["method"] == "remote"
    assert not hass.config_entries.flow.async_progress()
    assert shown(hass, CONNECTION) == "on"


@pytest.mark.parametrize(
    ("status", "reason", "key"),
    [(400, "bad_request", "door_bad_request"), (480, "busy", "door_busy")],
)
async def test_other_refusals(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    told: Told,
    status: int,
    reason: str,
    key: str,
) -> None:
    """So are those that a simulated station has no cause for."""
    station.inject("/api/remote/", Fault.code(status))
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == key
    assert told(ACCESS)[-1][1]["reason"] == reason
    await order(hass, "unlock")
    assert shown(hass, DOOR) == "unlocked"


@pytest.mark.parametrize("fault", [None, Fault.code(403)])
async def test_outside_hours_with_a_challenge(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    told: Told,
    fault: Fault | None,
) -> None:
    """A 401 that looks like a refused login is told from one by a harmless request."""
    station.relays[1].in_time_slot = False
    if fault is not None:
        station.inject("/api/audio/", fault)
    station.slot_challenge = True
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == "door_outside_hours"
    assert told(ACCESS)[-1][1]["reason"] == "outside_hours"
    assert not hass.config_entries.flow.async_progress()


async def test_outside_hours_without_authentication(
    hass: HomeAssistant, station: Ipac, entry: MockConfigEntry, told: Told
) -> None:
    """Where the login is a field, its refusal looks like that of a code."""
    station.auth = "none"
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "auth": "none"})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    station.relays[1].in_time_slot = False
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == "door_outside_hours"
    assert not hass.config_entries.flow.async_progress()


@pytest.mark.parametrize("auth", ["basic", "digest", "none"])
async def test_wrong_login(
    hass: HomeAssistant,
    station: Ipac,
    entry: MockConfigEntry,
    told: Told,
    auth: str,
) -> None:
    """A refused login is nobody's wrong code: the user is asked for the present one."""
    station.auth = auth
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "auth": auth})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    station.password = "another"
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == "station_login_refused"
    assert not told(ACCESS)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_stale_nonces(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry
) -> None:
    """A station that has forgotten its challenge gets the order once all the same."""
    await order(hass, "unlock")
    station.forget_nonces()
    station.relays[1].release()
    await order(hass, "unlock")
    assert station.relays[1].openings == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault.reset(acted=True),
        Fault.reset(acted=False),
        Fault.reply(b"", status=500),
        Fault.reply(b"", status=302),
        Fault.reply(b"x" * 100_000),
        # Somebody else answers, who has opened no door.
        PAGE,
    ],
    ids=["reset after", "reset before", "500", "redirect", "huge", "web page"],
)
async def test_lost_answer(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    told: Told,
    fault: Fault,
) -> None:
    """An order whose answer is lost is never sent again; the caller is told to look."""
    station.inject("/api/remote/", fault)
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == "door_not_confirmed"
    assert len(orders(station)) == 1
    assert shown(hass, DOOR) == "locked"
    assert not told(ACCESS)


async def test_silent_station(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry, advance: Advance
) -> None:
    """A station that takes an order and says nothing gets ten seconds, and no second."""
    station.inject("/api/remote/", Fault.hang(acted=True))
    opening = hass.async_create_task(order(hass, "unlock"))
    while not orders(station):
        await asyncio.sleep(0.01)
    await advance(11)
    with pytest.raises(HomeAssistantError) as error:
        await opening
    assert error.value.translation_key == "door_not_confirmed"
    assert len(orders(station)) == 1


async def test_plain_answer_of_a_web_server(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry
) -> None:
    """How the station's web server calls its plain text is not documented."""
    station.inject(
        "/api/remote/", Fault.reply(b"OK", content_type="text/html", acted=True)
    )
    await order(hass, "unlock")
    assert shown(hass, DOOR) == "unlocked"


@pytest.mark.parametrize("action", ["unlock", "press"])
@pytest.mark.parametrize(
    "fault", [Fault.hang(acted=False), Fault.reset(acted=False), PAGE]
)
async def test_station_that_answers_no_more(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    advance: Advance,
    caplog: pytest.LogCaptureFixture,
    fault: Fault,
    action: str,
) -> None:
    """A station that leaves an order and then a question unanswered counts as gone.

    The order is not sent again, and the first answer brings the station back.
    """
    for path in ("/api/remote/", "/api/voip/", "/api/audio/"):
        station.inject(path, fault, times=3)
    entity_id = DOOR if action == "unlock" else "button.ipac_hang_up"
    asking = hass.async_create_task(order(hass, action, entity_id))
    await asked(station, 1)
    assert shown(hass, CONNECTION) == "on"
    for number in (2, 3, 4):
        # The time limit of what was asked last, and the wait for the next question.
        await advance(11)
        if number > 2:
            assert shown(hass, CONNECTION) == "off"
            assert shown(hass, DOOR) == "unavailable"
            await advance(60)
        await asked(station, number)
    with pytest.raises(HomeAssistantError):
        await asking
    await advance(11)
    assert len(orders(station)) == (action == "unlock")
    await advance(60)
    assert shown(hass, DOOR) == "locked"
    assert shown(hass, CONNECTION) == "on"
    assert caplog.text.count("cannot be reached") == 1
    assert caplog.text.count("is there again") == 1


async def asked(station: Ipac, number: int) -> None:
    """Wait until the station has been asked so many things since it was found."""
    while sum(request.authorized for request in station.requests) <= number:
        await asyncio.sleep(0)


async def test_single_lost_answer(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry
) -> None:
    """A station that answers the question after a lost answer stays."""
    station.inject("/api/remote/", Fault.reset(acted=True))
    with pytest.raises(HomeAssistantError):
        await order(hass, "unlock")
    await asked(station, 2)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert shown(hass, CONNECTION) == "on"
    assert shown(hass, DOOR) == "locked"


async def test_refusal_is_an_answer(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry, advance: Advance
) -> None:
    """A station that was lost is back when it answers, be it with a refusal."""
    await station.stop()
    with pytest.raises(HomeAssistantError):
        await order(hass, "unlock")
    await station.start()
    station.inject("/api/voip/", Fault.code(480))
    with pytest.raises(HomeAssistantError):
        await home.runtime_data.async_hang_up(None, None)
    assert shown(hass, CONNECTION) == "on"


async def test_unreachable(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    advance: Advance,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A station that is gone is shown so, and found again by itself."""
    await station.stop()
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "unlock")
    assert error.value.translation_key == "station_unreachable"
    assert shown(hass, DOOR) == "unavailable"
    assert shown(hass, CONNECTION) == "off"
    for _ in range(3):
        await advance(60)
    assert shown(hass, DOOR) == "unavailable"
    await station.start()
    await advance(60)
    assert shown(hass, DOOR) == "locked"
    assert shown(hass, CONNECTION) == "on"
    assert caplog.text.count("cannot be reached") == 1
    assert caplog.text.count("is there again") == 1
    assert not orders(station)


async def test_second_press(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    advance: Advance,
    told: Told,
) -> None:
    """A press while the door is open is passed on, once; the station may be busy."""
    await order(hass, "press", OPEN)
    await advance(3)
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "press", OPEN)
    assert error.value.translation_key == "door_busy"
    assert len(orders(station)) == 2
    assert shown(hass, DOOR) == "unlocked"
    station.relays[1].release()
    await order(hass, "press", OPEN)
    assert len(orders(station)) == 3
    assert [event for event, _ in told(ACCESS)] == [
        "access_granted",
        "access_denied",
        "access_granted",
    ]
    await advance(4)
    # The time runs anew from the last opening.
    assert shown(hass, DOOR) == "unlocked"
    await advance(2)
    assert shown(hass, DOOR) == "locked"


async def test_cannot_lock(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry
) -> None:
    """The hardware locks by itself, and the caller is told that."""
    with pytest.raises(HomeAssistantError) as error:
        await order(hass, "lock")
    assert error.value.translation_key == "door_locks_itself"
    assert not orders(station)


async def test_both_relays(
    hass: HomeAssistant, station: Ipac, entry: MockConfigEntry, told: Told
) -> None:
    """A door of both relays opens both, and the doors of each are shown open, too."""
    station.relays[2].codes = (CODE,)
    entry.add_to_hass(hass)
    for number, title in ((2, "Side door"), (3, "Both")):
        hass.config_entries.async_add_subentry(
            entry, ConfigSubentry(**relay(number, title))
        )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await order(hass, "unlock", "lock.both_door")
    assert orders(station) == [{"code": CODE, "relay": "3"}]
    for door in ("both", "front_gate", "side_door"):
        assert shown(hass, f"lock.{door}_door") == "unlocked"
        assert len(told(f"event.{door}_access")) == 1
    station.relays[1].release()
    station.relays[2].release()
    await order(hass, "unlock", "lock.side_door_door")
    assert orders(station)[-1] == {"code": CODE, "relay": "2"}
    assert len(told("event.both_access")) == 1


@pytest.mark.parametrize("end", ["reload", "remove", "stop"])
async def test_nothing_left(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    advance: Advance,
    end: str,
) -> None:
    """Whatever ends while a door is open leaves nothing planned."""
    await order(hass, "unlock")
    match end:
        case "reload":
            await hass.config_entries.async_reload(home.entry_id)
            await hass.async_block_till_done()
            assert shown(hass, DOOR) == "locked"
        case "remove":
            await hass.config_entries.async_remove(home.entry_id)
            assert hass.states.get(DOOR) is None
        case "stop":
            await home.runtime_data.async_stop()
    await advance(6)
    assert station.relays[1].openings == 1


async def test_removed_door(
    hass: HomeAssistant, home: MockConfigEntry, advance: Advance
) -> None:
    """A door that is removed goes at once, open or not."""
    await order(hass, "unlock")
    (subentry_id,) = (
        subentry.subentry_id
        for subentry in home.subentries.values()
        if subentry.subentry_type == "relay"
    )
    hass.config_entries.async_remove_subentry(home, subentry_id)
    await hass.async_block_till_done()
    assert hass.states.get(DOOR) is None
    assert home.state is ConfigEntryState.LOADED
    await advance(6)


async def test_who_opened(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    told: Told,
    hass_admin_user: MockUser,
) -> None:
    """The user who opens a door is named, as the person that they are."""
    guest = MockUser(name="Guest", is_owner=True).add_to_hass(hass)
    hass.states.async_set(
        "person.ana", "home", {"user_id": hass_admin_user.id, "friendly_name": "Ana"}
    )
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    context = Context(user_id=hass_admin_user.id)
    await hass.services.async_call(
        "button", "press", {"entity_id": OPEN}, blocking=True, context=context
    )
    await hass.async_block_till_done()
    ((event, attributes),) = told(ACCESS)
    assert event == "access_granted"
    assert attributes["person"] == "Ana"
    assert attributes["person_entity"] == "person.ana"
    assert hass.states.get(ACCESS).context is context
    # The change that shows the door open also shows who has opened it.
    (opened,) = [
        change.data["new_state"]
        for change in changes
        if change.data["entity_id"] == DOOR
        and change.data["new_state"].state == "unlocked"
    ]
    assert opened.attributes["changed_by"] == "Ana"
    station.relays[1].release()
    # Who is nobody's person is named as the user is, and is no stranger to be asked for.
    await hass.services.async_call(
        "lock",
        "unlock",
        {"entity_id": DOOR},
        blocking=True,
        context=Context(user_id=guest.id),
    )
    await hass.async_block_till_done()
    attributes = told(ACCESS)[-1][1]
    assert attributes["person"] == guest.name
    assert attributes["person_entity"] is None
    assert not home.runtime_data.people.strangers
    assert hass.states.get(DOOR).attributes["changed_by"] == guest.name
    diagnosed = json.dumps(
        await async_get_config_entry_diagnostics(hass, home), default=str
    )
    assert guest.name not in diagnosed


async def test_automation_opened(
    hass: HomeAssistant,
    asm: Ipac,
    advance: Advance,
    home: MockConfigEntry,
    told: Told,
    hass_admin_user: MockUser,
) -> None:
    """An automation is nobody; what comes from the door is not laid to it."""
    await hass.services.async_call(
        "lock",
        "unlock",
        {"entity_id": DOOR},
        blocking=True,
        context=Context(user_id=hass_admin_user.id),
    )
    asm.relays[1].release()
    automation = Context(parent_id="01HZZZZZZZZZZZZZZZZZZZZZZZ")
    await hass.services.async_call(
        "lock", "unlock", {"entity_id": DOOR}, blocking=True, context=automation
    )
    await hass.async_block_till_done()
    assert told(ACCESS)[-1][1]["person"] is None
    assert hass.states.get(ACCESS).context is automation
    assert "changed_by" not in hass.states.get(DOOR).attributes
    asm.relays[1].release()
    await asm.type_code(CLEANER)
    await hass.async_block_till_done()
    assert told(ACCESS)[-1][1]["person"] == "Cleaner"
    assert hass.states.get(ACCESS).context is not automation
    assert hass.states.get(DOOR).attributes["changed_by"] == "Cleaner"
    await advance(6)
    assert shown(hass, DOOR) == "locked"
    assert hass.states.get(DOOR).attributes["changed_by"] == "Cleaner"
