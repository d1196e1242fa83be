"""Triggers: what makes an automation run, and what does not."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
import re
import sys
from typing import Any, override

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
    mock_restore_cache_with_extra_data,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator
import voluptuous as vol
import yaml

from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.entity import EventDescription
from custom_components.gatehouse.hub import Hub
from custom_components.gatehouse.model import (
    Access,
    AccessEvent,
    Alert,
    AlertEvent,
    AlertStatus,
    Call,
    CallEvent,
    Dtmf,
    DtmfEvent,
    Keypad,
    KeypadEvent,
    Method,
    Reason,
    Word,
)
from custom_components.gatehouse.vendors import VENDORS
from homeassistant.components.event import EventDeviceClass
from homeassistant.config_entries import ConfigEntryState, ConfigSubentryData
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, ServiceCall, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    label_registry as lr,
    trigger as trigger_helpers,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from scripts.check_integration import LANGUAGES
from simulators.ipac import Ipac
from simulators.senselink import SenseLink
from simulators.tellicon import Tellicon, Unit

from .conftest import Devices, until

GRANTED = Access(
    event_type=AccessEvent.GRANTED,
    person="Ana Lima",
    person_id="0042",
    person_entity="person.ana",
    method=Method.FACE,
)
DENIED = Access(
    event_type=AccessEvent.DENIED, method=Method.CARD, reason=Reason.OUTSIDE_HOURS
)
KEYPAD = Keypad(code_name="Cleaner", known=True)
DTMF = Dtmf(command="*2")
ALERT = Alert(event_type=AlertEvent.DOOR_FORCED, status=AlertStatus.ACTIVE)

# All that a door can tell, and on which channel.
WORDS: Mapping[str, tuple[Word, ...]] = {
    "doorbell": tuple(Call(event_type=event) for event in CallEvent),
    "access": (GRANTED, DENIED),
    "keypad": (KEYPAD,),
    "dtmf": (DTMF,),
    "alert": (
        *(Alert(event_type=event, status=AlertStatus.ACTIVE) for event in AlertEvent),
        ALERT._replace(status=AlertStatus.RELEASING),
        ALERT._replace(status=AlertStatus.RELEASED),
        ALERT._replace(status=None),
    ),
}

EVENT_TYPES = {
    "doorbell": CallEvent,
    "access": AccessEvent,
    "keypad": KeypadEvent,
    "dtmf": DtmfEvent,
    "alert": AlertEvent,
}

# Which of these events each trigger is for.
FOR = {
    "access_denied": ["access_denied"],
    "access_granted": ["access_granted"],
    "alert_raised": list(AlertEvent),
    "call_answered": ["answered"],
    "call_ended": ["ended"],
    "code_entered": ["code_entered"],
    "dtmf_received": ["dtmf_received"],
    "visitor_called": ["ring"],
}

FRONT_BELL = "event.front_doorbell"
BACK_BELL = "event.back_doorbell"

type Runs = list[ServiceCall]
type Automate = Callable[..., Awaitable[Runs]]


class ToyHub(Hub):
    """Two doors that can tell everything."""

    @override
    async def async_start(self) -> None:
        for name in ("Front", "Back"):
            self.add_device(name.lower(), "door", name=name)

    def say(self, channel: str, word: Word, door: str = "front") -> None:
        """Tell something at a door."""
        self.devices[door].say(channel, word)

    def ring(self, door: str = "front", **attributes: Any) -> None:
        """Tell that somebody rings at a door."""
        self.say("doorbell", Call(event_type=CallEvent.RING, **attributes), door)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> MockConfigEntry:
    """Return an entry of two doors that can tell everything, not set up yet."""
    offered = tuple(
        EventDescription(
            key=channel,
            event_types=list(event_types),
            device_class=EventDeviceClass.DOORBELL if channel == "doorbell" else None,
        )
        for channel, event_types in EVENT_TYPES.items()
    )
    toy = replace(
        VENDORS["tellicon"],
        key="toy",
        hub=ToyHub,
        entities={"door": offered},
        view=None,
    )
    monkeypatch.setitem(VENDORS, "toy", toy)
    return MockConfigEntry(domain=DOMAIN, data={"vendor": "toy"}, title="Toy")


@pytest.fixture
async def hub(hass: HomeAssistant, toy: MockConfigEntry) -> ToyHub:
    """Return the hub of the two doors, set up."""
    await set_up(hass, toy)
    hub: ToyHub = toy.runtime_data
    return hub


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set an entry up."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.fixture
def automate(hass: HomeAssistant) -> Automate:
    """Return what makes an automation, and returns the list of its runs to be."""

    async def automate(
        target: Mapping[str, Any], *keys: str, **options: Mapping[str, Any]
    ) -> Runs:
        runs = async_mock_service(hass, "test", "run")
        triggers = [
            {"trigger": f"gatehouse.{key}", "target": target, "id": key}
            | ({"options": options[key]} if key in options else {})
            for key in (*keys, *options)
        ]
        action = {
            "action": "test.run",
            "data": {
                "key": "{{ trigger.id }}",
                "entity_id": "{{ trigger.entity_id }}",
                "before": "{{ trigger.from_state.state }}",
                "told": "{{ trigger.to_state.attributes.event_type }}",
                "caller": "{{ trigger.to_state.attributes.caller }}",
            },
        }
        automation = {
            "triggers": triggers,
            "actions": action,
            "mode": "queued",
            "max": 50,
        }
        assert await async_setup_component(
            hass, "automation", {"automation": automation}
        )
        await hass.async_block_till_done()
        return runs

    return automate


def told(runs: Runs) -> list[str]:
    """Return of which events the runs tell."""
    return [run.data["told"] for run in runs]


# --- What each is for


@pytest.mark.parametrize("key", FOR)
async def test_trigger(
    hass: HomeAssistant,
    hub: ToyHub,
    automate: Automate,
    device_registry: dr.DeviceRegistry,
    key: str,
) -> None:
    """Each trigger fires on its own events, and on no other that a door can tell."""
    runs = await automate({"device_id": hub.devices["front"].entry.id}, key)
    for channel, words in WORDS.items():
        for word in words:
            hub.say(channel, word)
            await hass.async_block_till_done()
    assert told(runs) == FOR[key]


async def test_variables(hass: HomeAssistant, hub: ToyHub, automate: Automate) -> None:
    """An automation learns from the trigger where it was, and all that was told."""
    runs = await automate({"entity_id": FRONT_BELL}, "visitor_called")
    hub.ring(caller="Gate")
    await hass.async_block_till_done()
    (run,) = runs
    assert run.data == {
        "key": "visitor_called",
        "entity_id": FRONT_BELL,
        "before": STATE_UNKNOWN,
        "told": "ring",
        "caller": "Gate",
    }


async def test_same_event_again(
    hass: HomeAssistant, hub: ToyHub, automate: Automate
) -> None:
    """Whoever rings twice is heard twice."""
    runs = await automate({"entity_id": FRONT_BELL}, "visitor_called")
    hub.ring()
    hub.ring()
    await hass.async_block_till_done()
    assert len(runs) == 2


# --- Options


@pytest.mark.parametrize(
    ("key", "options", "word", "fires"),
    [
        ("access_granted", {"person": "ana lima"}, GRANTED, True),
        ("access_granted", {"person": " Ana Lima "}, GRANTED, True),
        ("access_granted", {"person": "0042"}, GRANTED, True),
        ("access_granted", {"person": "person.ana"}, GRANTED, True),
        ("access_granted", {"person": ["Bo", "ANA LIMA"]}, GRANTED, True),
        ("access_granted", {"person": "Ana"}, GRANTED, False),
        ("access_granted", {"person": "42"}, GRANTED, False),
        ("access_granted", {"person": "none"}, GRANTED._replace(person=None), False),
        ("access_granted", {"method": "face"}, GRANTED, True),
        ("access_granted", {"method": ["card", "face"]}, GRANTED, True),
        ("access_granted", {"method": "card"}, GRANTED, False),
        ("access_granted", {"method": "unknown"}, GRANTED._replace(method=None), False),
        ("access_granted", {"person": "0042", "method": "face"}, GRANTED, True),
        ("access_granted", {"person": "0042", "method": "card"}, GRANTED, False),
        ("access_denied", {"person": "Ana Lima"}, DENIED, False),
        ("access_denied", {"person": "Bo"}, DENIED._replace(person="Bo"), True),
        ("access_denied", {"reason": ["busy", "outside_hours"]}, DENIED, True),
        ("access_denied", {"reason": "busy"}, DENIED, False),
        ("access_denied", {"method": "card", "reason": "busy"}, DENIED, False),
        ("access_denied", {"reason": "outside_hours"}, GRANTED, False),
        ("alert_raised", {"alert": "door_forced"}, ALERT, True),
        ("alert_raised", {"alert": ["fire", "tamper"]}, ALERT, False),
        (
            "alert_raised",
            {"alert": "door_forced"},
            ALERT._replace(status=AlertStatus.RELEASED),
            False,
        ),
        ("code_entered", {"code_name": "cleaner"}, KEYPAD, True),
        ("code_entered", {"code_name": "Gardener"}, KEYPAD, False),
        ("code_entered", {"code_name": "Cleaner"}, Keypad(known=False), False),
        ("dtmf_received", {"command": "*2"}, DTMF, True),
        ("dtmf_received", {"command": ["1", "*2"]}, DTMF, True),
        ("dtmf_received", {"command": "*"}, DTMF, False),
        # Whoever writes it without quotes means the same.
        ("dtmf_received", {"command": 12}, Dtmf(command="12"), True),
    ],
)
async def test_options(
    hass: HomeAssistant,
    hub: ToyHub,
    automate: Automate,
    key: str,
    options: dict[str, Any],
    word: Word,
    fires: bool,
) -> None:
    """Options narrow the events down; one of the values of each has to fit."""
    device_id = hub.devices["front"].entry.id
    runs = await automate({"device_id": device_id}, **{key: options})
    (channel,) = {
        channel
        for channel, words in WORDS.items()
        for one in words
        if type(one) is type(word)
    }
    hub.say(channel, word)
    await hass.async_block_till_done()
    assert len(runs) == fires


@pytest.mark.parametrize(
    ("key", "options"),
    [
        # Nobody must be let in because the last name of a list was removed.
        ("access_granted", {"person": []}),
        ("access_granted", {"person": [" "]}),
        ("access_granted", {"method": "magic"}),
        ("access_granted", {"reason": "busy"}),
        ("access_denied", {"reason": "mood"}),
        ("alert_raised", {"alert": "unheard"}),
        ("visitor_called", {"person": "Ana"}),
    ],
)
async def test_bad_options(
    hass: HomeAssistant, hub: ToyHub, key: str, options: dict[str, Any]
) -> None:
    """What could never fit, or would let everything pass, is refused."""
    with pytest.raises(vol.Invalid):
        await trigger_helpers.async_validate_trigger_config(
            hass,
            [
                {
                    "platform": f"gatehouse.{key}",
                    "target": {"entity_id": "event.front_access"},
                    "options": options,
                }
            ],
        )


# --- Targets


@pytest.mark.parametrize("kind", ["entity", "device", "area", "floor", "label"])
async def test_targets(
    hass: HomeAssistant,
    hub: ToyHub,
    automate: Automate,
    area_registry: ar.AreaRegistry,
    device_registry: dr.DeviceRegistry,
    floor_registry: fr.FloorRegistry,
    label_registry: lr.LabelRegistry,
    kind: str,
) -> None:
    """What is targeted fires, whatever it is targeted by, and nothing else."""
    floor = floor_registry.async_create("Ground floor")
    area = area_registry.async_create("Hall", floor_id=floor.floor_id)
    label = label_registry.async_create("Public")
    device = device_registry.async_update_device(
        hub.devices["front"].entry.id, area_id=area.id, labels={label.label_id}
    )
    target = {
        "entity": FRONT_BELL,
        "device": device.id,
        "area": area.id,
        "floor": floor.floor_id,
        "label": label.label_id,
    }[kind]
    runs = await automate({f"{kind}_id": target}, "visitor_called")
    hub.ring("back")
    hub.ring("front")
    await hass.async_block_till_done()
    assert [run.data["entity_id"] for run in runs] == [FRONT_BELL]


async def test_other_integrations(
    hass: HomeAssistant,
    hub: ToyHub,
    automate: Automate,
    entity_registry: er.EntityRegistry,
) -> None:
    """Doorbells of others are left to Home Assistant's own trigger."""
    other = entity_registry.async_get_or_create("event", "other", "doorbell")
    ids = [FRONT_BELL, other.entity_id, "event.template"]
    for entity_id in ids[1:]:
        hass.states.async_set(entity_id, STATE_UNKNOWN)
    runs = await automate({"entity_id": ids}, "visitor_called")
    for entity_id in ids[1:]:
        hass.states.async_set(
            entity_id, dt_util.utcnow().isoformat(), {"event_type": "ring"}
        )
    hub.ring()
    await hass.async_block_till_done()
    assert [run.data["entity_id"] for run in runs] == [FRONT_BELL]


# --- What is not an event


async def test_start(
    hass: HomeAssistant, toy: MockConfigEntry, automate: Automate
) -> None:
    """The last event before a start is not one of after it."""
    moment = "2027-01-15T08:00:00.000+00:00"
    mock_restore_cache_with_extra_data(
        hass,
        [
            (
                State(FRONT_BELL, moment),
                {
                    "last_event_type": "ring",
                    "last_event_attributes": {"caller": "9001"},
                },
            )
        ],
    )
    runs = await automate({"entity_id": FRONT_BELL}, "visitor_called")
    await set_up(hass, toy)
    assert hass.states.get(FRONT_BELL).attributes["event_type"] == "ring"
    assert not runs
    toy.runtime_data.ring()
    await hass.async_block_till_done()
    assert [run.data["before"] for run in runs] == [moment]


async def test_unavailable(
    hass: HomeAssistant, hub: ToyHub, toy: MockConfigEntry, automate: Automate
) -> None:
    """A door that comes back shows its last event, which is not a new one."""
    hub.ring()
    await hass.async_block_till_done()
    runs = await automate({"entity_id": FRONT_BELL}, "visitor_called")
    hub.devices["front"].set_available(False)
    await hass.async_block_till_done()
    assert hass.states.get(FRONT_BELL).state == STATE_UNAVAILABLE
    hub.devices["front"].set_available(True)
    await hass.async_block_till_done()
    assert hass.states.get(FRONT_BELL).attributes["event_type"] == "ring"
    await hass.config_entries.async_reload(toy.entry_id)
    await hass.async_block_till_done()
    assert not runs
    toy.runtime_data.ring()
    await hass.async_block_till_done()
    assert len(runs) == 1


# --- Vendors


@pytest.fixture
def now(freezer: FrozenDateTimeFactory) -> Callable[[], float]:
    """Let time stand still, so that nobody's clock is ahead; return what tells it."""
    freezer.move_to(datetime(2027, 1, 15, 8, tzinfo=UTC))
    return lambda: dt_util.utcnow().timestamp()


@pytest.fixture
async def account(hass: HomeAssistant, now: Callable[[], float]) -> MockConfigEntry:
    """Return an entry of Tellicon, set up."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Tellicon",
        data={"vendor": "tellicon", "token": "invented-token-of-24-chr"},
    )
    await set_up(hass, entry)
    return entry


@pytest.fixture
async def tellicon(
    account: MockConfigEntry, served_at: str, now: Callable[[], float]
) -> AsyncIterator[Tellicon]:
    """Return Tellicon, which knows the account's token."""
    async with Tellicon(
        f"{served_at}/eventTellicon", account.data["token"], clock=now
    ) as tellicon:
        yield tellicon


async def test_tellicon(
    hass: HomeAssistant,
    tellicon: Tellicon,
    automate: Automate,
    devices: Devices,
    area_registry: ar.AreaRegistry,
    device_registry: dr.DeviceRegistry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What a unit and its account both tell happens once, not twice."""
    unit, neighbour = Unit(505, 121, 1001), Unit(505, 121, 1002)
    await tellicon.ring(unit)
    await hass.async_block_till_done()
    hall = area_registry.async_create("Hall")
    for device in devices():
        device_registry.async_update_device(device.id, area_id=hall.id)
    runs = await automate(
        {"area_id": hall.id},
        "visitor_called",
        "call_answered",
        dtmf_received={"command": "*2"},
    )
    freezer.tick(60)
    await tellicon.ring(unit)
    await tellicon.answer(unit, duration=1)
    await tellicon.dtmf(unit, "*2")
    await tellicon.dtmf(unit, "*3")
    freezer.tick(60)
    await tellicon.dtmf(unit, "*2")
    # This is told in the hall by the account alone: the unit's device is in no area.
    await tellicon.ring(neighbour)
    await hass.async_block_till_done()
    assert [run.data["key"] for run in runs] == [
        "visitor_called",
        "call_answered",
        "dtmf_received",
        "dtmf_received",
        "visitor_called",
    ]


async def test_tellicon_first_event(
    hass: HomeAssistant, tellicon: Tellicon, automate: Automate
) -> None:
    """A unit of which only the name is known fires with the event that brings it."""
    bell = "event.unit_505_121_1001_doorbell"
    runs = await automate({"entity_id": bell}, "visitor_called")
    await tellicon.ring(Unit(505, 121, 1001))
    await hass.async_block_till_done()
    assert [run.data["entity_id"] for run in runs] == [bell]


@pytest.fixture
async def station(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[Ipac]:
    """Return a station whose entry, with a door and a named code, is set up."""
    async with Ipac(password="invented", codes={1: ["1111", "4711#"]}) as station:
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="IPAC",
            data={
                "vendor": "ipac",
                "host": station.host,
                "username": "admin",
                "password": "invented",
                "auth": "digest",
                "tls": False,
                "verify_tls": False,
                "asm_secret": "0123456789abcdef0123456789abcdef",
                "asm_token": "invented-client",
            },
            subentries_data=[
                ConfigSubentryData(
                    data={"relay": "1", "code": "1111", "open_time": 5},
                    subentry_type="relay",
                    title="Gate",
                    unique_id="relay_1",
                ),
                ConfigSubentryData(
                    data={"code": "4711#"},
                    subentry_type="keypad_code",
                    title="Cleaner",
                    unique_id=None,
                ),
            ],
        )
        await set_up(hass, entry)
        yield station


async def test_ipac(
    hass: HomeAssistant,
    station: Ipac,
    served_at: str,
    automate: Automate,
    devices: Devices,
    area_registry: ar.AreaRegistry,
    device_registry: dr.DeviceRegistry,
) -> None:
    """A station and its door: who calls it is no visitor, and not everybody gets in."""
    station.connect_asm(
        uri=served_at,
        path="/api/gatehouse/asm/0123456789abcdef0123456789abcdef/",
        token="invented-client",
        notify_every=0,
    )
    entrance = area_registry.async_create("Entrance")
    for device in devices():
        device_registry.async_update_device(device.id, area_id=entrance.id)
    runs = await automate(
        {"area_id": entrance.id},
        "visitor_called",
        "call_ended",
        access_granted={"person": "cleaner", "method": "code"},
        access_denied={"method": "remote", "reason": "locked_out"},
        code_entered={"code_name": "cleaner"},
    )
    await station.press_button()
    await station.hang_up()
    await station.receive_call()
    await station.hang_up()
    await station.type_code("1111")
    station.relays[1].release()
    await station.type_code("4711#")
    await hass.async_block_till_done()
    station.relays[1].mode = "netcut"
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(
            "button", "press", {"entity_id": "button.gate_open"}, blocking=True
        )
    await hass.async_block_till_done()
    assert [run.data["key"] for run in runs] == [
        "visitor_called",
        "call_ended",
        "call_ended",
        "code_entered",
        "access_granted",
        "access_denied",
    ]


@pytest.fixture
async def server(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[SenseLink]:
    """Return a SenseLink server whose entry is set up."""
    async with SenseLink(
        app_key="00112233aabbccdd",
        app_secret="0123456789abcdef0123456789abcdef",
        heartbeat=None,
    ) as server:
        host, port = server.host.split(":")
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="SenseLink",
            data={
                "vendor": "senselink",
                "delivery": "websocket",
                "host": host,
                "port": int(port),
                "app_key": server.app_key,
                "app_secret": server.app_secret,
                "tls": False,
                "verify_tls": True,
            },
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        yield server


async def test_senselink(
    hass: HomeAssistant, server: SenseLink, automate: Automate
) -> None:
    """A terminal lets somebody in, refuses a stranger, and raises the alarm once."""
    place = "event.ground_floor_main_entrance"
    runs = await automate(
        {"entity_id": [f"{place}_access", f"{place}_alert"]},
        # As in a text that was copied, with another space.
        access_granted={"person": "AIKO\u00a0AOYAMA", "method": "face"},
        access_denied={"reason": "unrecognized"},
        alert_raised={"alert": "door_forced"},
    )
    await server.recognise()
    await server.recognise(entry_mode=3)
    await server.recognise(person=None)
    await server.alert(10001)
    forced = await server.alert(10002)
    await server.release(forced["data"]["traceId"])
    await until(
        lambda: (
            (state := hass.states.get(f"{place}_alert")) is not None
            and state.attributes.get("status") == "released"
        )
    )
    await hass.async_block_till_done()
    assert [run.data["key"] for run in runs] == [
        "access_granted",
        "access_denied",
        "alert_raised",
    ]


# --- The editor


async def test_descriptions(
    hass: HomeAssistant, hub: ToyHub, hass_ws_client: WebSocketGenerator
) -> None:
    """The editor learns of each trigger, and offers what the code knows."""
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "trigger_platforms/subscribe"})
    assert (await client.receive_json())["success"]
    described = {
        key.removeprefix("gatehouse."): description
        for key, description in (await client.receive_json())["event"].items()
        if key.startswith("gatehouse.")
    }
    assert described.keys() == FOR.keys()
    choices = {
        f"{key}.{name}": field["selector"]["select"]["options"]
        for key, description in described.items()
        for name, field in description["fields"].items()
        if "select" in field["selector"]
    }
    assert choices == {
        "access_denied.method": list(Method),
        "access_denied.reason": list(Reason),
        "access_granted.method": list(Method),
        "alert_raised.alert": list(AlertEvent),
    }
    for key, description in described.items():
        for name, field in description["fields"].items():
            # What the editor can enter is accepted.
            value = choices.get(f"{key}.{name}", ["something"])
            assert field["selector"].popitem()[1]["multiple"]
            assert await trigger_helpers.async_validate_trigger_config(
                hass,
                [
                    {
                        "platform": f"gatehouse.{key}",
                        "target": {"entity_id": FRONT_BELL},
                        "options": {name: value},
                    }
                ],
            )


async def test_offered_for_target(
    hass: HomeAssistant, hub: ToyHub, hass_ws_client: WebSocketGenerator
) -> None:
    """For a doorbell the editor offers the triggers of calls."""
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {"type": "get_triggers_for_target", "target": {"entity_id": [FRONT_BELL]}}
    )
    offered = set((await client.receive_json())["result"])
    assert offered >= {
        "gatehouse.visitor_called",
        "gatehouse.call_answered",
        "gatehouse.call_ended",
    }
    await client.send_json_auto_id(
        {
            "type": "get_triggers_for_target",
            "target": {"entity_id": ["event.front_access"]},
        }
    )
    offered = set((await client.receive_json())["result"])
    assert "gatehouse.access_granted" in offered
    assert "gatehouse.visitor_called" not in offered


async def test_examples(hass: HomeAssistant, hub: ToyHub) -> None:
    """README shows each trigger, in a form that Home Assistant accepts."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    shown = [
        {**trigger, "platform": trigger["trigger"]}
        for block in re.findall(
            r"^```yaml\n(.*?)^```", readme, re.DOTALL | re.MULTILINE
        )
        if isinstance(example := yaml.safe_load(block), dict)
        for trigger in example.get("triggers", ())
        if trigger["trigger"].startswith("gatehouse.")
    ]
    assert {trigger["platform"] for trigger in shown} == {
        f"gatehouse.{key}" for key in FOR
    }
    for trigger in shown:
        del trigger["trigger"]
    assert await trigger_helpers.async_validate_trigger_config(hass, shown)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_texts(hass: HomeAssistant, hub: ToyHub, language: str) -> None:
    """What can be chosen is called as it is where it is shown."""
    triggers = await async_get_translations(hass, language, "triggers", {DOMAIN})
    prefix = "component.gatehouse"
    for key in FOR:
        assert triggers[f"{prefix}.triggers.{key}.name"]
        assert triggers[f"{prefix}.triggers.{key}.description"]
    texts = await async_get_translations(hass, language, "selector", {DOMAIN})
    shown = await async_get_translations(hass, language, "entity", {DOMAIN})
    for name, words, where in (
        ("access_method", Method, "access.state_attributes.method"),
        ("denial_reason", Reason, "access.state_attributes.reason"),
        ("alert", AlertEvent, "alert.state_attributes.event_type"),
    ):
        for word in words:
            assert (
                texts[f"{prefix}.selector.{name}.options.{word}"]
                == shown[f"{prefix}.entity.event.{where}.state.{word}"]
            )


async def test_without_support(
    hass: HomeAssistant, toy: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Home Assistant whose triggers are made otherwise has the rest of Gatehouse."""
    monkeypatch.delattr(trigger_helpers, "StatelessEntityTriggerBase")
    monkeypatch.delitem(sys.modules, "custom_components.gatehouse.trigger", False)
    await set_up(hass, toy)
    assert toy.state is ConfigEntryState.LOADED
    assert hass.states.get(FRONT_BELL) is not None
    assert "custom_components.gatehouse.trigger" not in sys.modules
