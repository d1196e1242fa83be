"""What the logbook says: a sentence for all that happens, in the user's language."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
import json
import logging
from pathlib import Path
import re
from typing import Any, override

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.gatehouse.const import DOMAIN, EVENT_GATEHOUSE
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
    Direction,
    Dtmf,
    DtmfEvent,
    Inventory,
    InventoryEvent,
    Keypad,
    KeypadEvent,
    Method,
    Reason,
    Station,
    StationEvent,
    Word,
)
from custom_components.gatehouse.vendor import Vendor
from custom_components.gatehouse.vendors import VENDORS
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    translation,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from simulators.ipac import Ipac
from simulators.senselink import SenseLink
from simulators.tellicon import Tellicon, Unit

from .conftest import until
from .test_people import ipac_entry
from .test_vendor import ToyFlow
from .vendors.ipac import conftest as ipac
from .vendors.senselink import conftest as senselink

TOKEN = "invented-token-of-24-chr"

TEXTS = Path("custom_components/gatehouse/translations")

UNIT = "505/121/1001"

EXCLUDED = {"exclude": {"entities": ["event.front_door_access"]}}

# Of whatever can be said on a channel, and the sentence for it.
SAID: tuple[tuple[str, Word, str], ...] = (
    (
        "doorbell",
        Call(event_type=CallEvent.RING, caller="9001", unit=UNIT),
        "Unit 505/121/1001 was called from 9001",
    ),
    (
        "doorbell",
        Call(event_type=CallEvent.RING, callee="sip:192.0.2.23"),
        "sip:192.0.2.23 was called",
    ),
    (
        "doorbell",
        Call(event_type=CallEvent.RING, caller="9001"),
        "Called from 9001",
    ),
    ("doorbell", Call(event_type=CallEvent.RING), "The bell was rung"),
    (
        "doorbell",
        Call(event_type=CallEvent.INCOMING, caller="sip:192.0.2.40"),
        "sip:192.0.2.40 called the door station",
    ),
    (
        "doorbell",
        Call(event_type=CallEvent.INCOMING),
        "Somebody called the door station",
    ),
    (
        "doorbell",
        # The unit says more than its telephone's number.
        Call(
            event_type=CallEvent.ANSWERED,
            caller="9001",
            callee="018900000001",
            unit=UNIT,
            duration=10,
        ),
        "Unit 505/121/1001 answered the call from 9001",
    ),
    (
        "doorbell",
        Call(event_type=CallEvent.ANSWERED, callee="018900000001"),
        "018900000001 answered the call",
    ),
    (
        "doorbell",
        Call(event_type=CallEvent.ANSWERED, caller="9001"),
        "The call from 9001 was answered",
    ),
    ("doorbell", Call(event_type=CallEvent.ANSWERED), "The call was answered"),
    (
        "doorbell",
        Call(event_type=CallEvent.ENDED, duration=12.4),
        "The call ended after 12\N{NO-BREAK SPACE}s",
    ),
    ("doorbell", Call(event_type=CallEvent.ENDED), "The call ended"),
    (
        "dtmf",
        Dtmf(command="*2", caller="9001", unit=UNIT),
        "Unit 505/121/1001 pressed *2",
    ),
    ("dtmf", Dtmf(command="*2"), "*2 was pressed during a call"),
    (
        "access",
        Access(event_type=AccessEvent.GRANTED, person="Ana", method=Method.FACE),
        "Ana was let in by face",
    ),
    (
        "access",
        Access(event_type=AccessEvent.GRANTED, person_id="4711", method=Method.UNKNOWN),
        "4711 was let in",
    ),
    (
        "access",
        Access(event_type=AccessEvent.GRANTED, method=Method.QR_CODE),
        "Somebody was let in by QR code",
    ),
    ("access", Access(event_type=AccessEvent.GRANTED), "Somebody was let in"),
    *(
        (
            "access",
            Access(event_type=AccessEvent.GRANTED, person="Ana", method=method),
            f"Ana was let in {words}",
        )
        for method, words in (
            (Method.CARD, "by card"),
            (Method.FACE_AND_CARD, "by face and card"),
            (Method.ID_CARD, "by ID card"),
            (Method.FACE_AND_ID_CARD, "by face and ID card"),
            (Method.CODE, "by code"),
        )
    ),
    (
        "access",
        Access(
            event_type=AccessEvent.GRANTED,
            person="Ana",
            method=Method.FACE,
            direction=Direction.OUT,
        ),
        "Ana was let out by face",
    ),
    (
        "access",
        Access(event_type=AccessEvent.GRANTED, person="Ana", direction=Direction.OUT),
        "Ana was let out",
    ),
    (
        "access",
        Access(
            event_type=AccessEvent.GRANTED,
            method=Method.CODE,
            direction=Direction.OUT,
        ),
        "Somebody was let out by code",
    ),
    (
        "access",
        Access(event_type=AccessEvent.GRANTED, direction=Direction.OUT),
        "Somebody was let out",
    ),
    (
        "access",
        Access(event_type=AccessEvent.GRANTED, method=Method.REMOTE),
        "Front door was opened from Home Assistant",
    ),
    (
        "access",
        Access(event_type=AccessEvent.GRANTED, method=Method.REMOTE, person="Ana"),
        "Front door was opened from Home Assistant by Ana",
    ),
    (
        "access",
        Access(event_type=AccessEvent.DENIED, method=Method.REMOTE, reason=Reason.BUSY),
        "Front door was not opened from Home Assistant: Busy",
    ),
    (
        "access",
        Access(
            event_type=AccessEvent.DENIED, method=Method.REMOTE, reason=Reason.UNKNOWN
        ),
        "Front door was not opened from Home Assistant",
    ),
    (
        "access",
        Access(
            event_type=AccessEvent.DENIED,
            person="Ana",
            method=Method.CARD,
            reason=Reason.OUTSIDE_HOURS,
        ),
        "Ana was refused: Outside hours",
    ),
    (
        "access",
        Access(event_type=AccessEvent.DENIED, person="Ana", reason=Reason.UNKNOWN),
        "Ana was refused",
    ),
    (
        "access",
        Access(event_type=AccessEvent.DENIED, reason=Reason.UNRECOGNIZED),
        "Refused: Not recognized",
    ),
    ("access", Access(event_type=AccessEvent.DENIED), "Somebody was refused"),
    (
        "keypad",
        Keypad(code_name="Cleaner", known=True, person_entity="person.ana"),
        "Ana Silva entered a code",
    ),
    (
        "keypad",
        Keypad(code_name="Cleaner", known=True),
        "The code “Cleaner” was entered",
    ),
    ("keypad", Keypad(known=False), "A code without a name was entered"),
    (
        "alert",
        Alert(event_type=AlertEvent.FIRE, status=AlertStatus.ACTIVE),
        "Alert: Fire alarm",
    ),
    (
        "alert",
        Alert(event_type=AlertEvent.DOOR_FORCED, status=AlertStatus.RELEASING),
        "Alert ending: Door forced open",
    ),
    (
        "alert",
        Alert(event_type=AlertEvent.TAMPER, status=AlertStatus.RELEASED),
        "Alert over: Tampering",
    ),
    (
        "station",
        Station(event_type=StationEvent.RESTARTED),
        "The door station has restarted",
    ),
    (
        "station",
        Station(event_type=StationEvent.STREAM_STARTED),
        "A video stream was started",
    ),
    (
        "station",
        Station(event_type=StationEvent.STREAM_ENDED),
        "A video stream was ended",
    ),
    (
        "inventory",
        Inventory(event_type=InventoryEvent.ADDED, name="Reception", product="IP112"),
        "Reception was added",
    ),
    (
        "inventory",
        Inventory(event_type=InventoryEvent.REMOVED, product="IP112"),
        "IP112 was removed",
    ),
    (
        "inventory",
        Inventory(event_type=InventoryEvent.PROVISIONED, hardware_id="0090331234ab"),
        "0090331234ab was provisioned",
    ),
    # Which device is not known, so there is no more to say than the entity does.
    ("inventory", Inventory(event_type=InventoryEvent.ADDED), "Device added"),
)

type SetUp = Callable[[MockConfigEntry], Awaitable[None]]
type ChangeLanguage = Callable[[str], Awaitable[None]]
type Read = Callable[..., Awaitable[list[tuple[str, str]]]]


@pytest.fixture
def quiet_database(caplog: pytest.LogCaptureFixture) -> None:
    """Spare the log all that a database has to say."""
    for name in ("homeassistant.components.recorder", "sqlalchemy.engine"):
        caplog.set_level(logging.WARNING, name)


@pytest.fixture(autouse=True)
def custom_integrations(
    quiet_database: None, recorder_mock: Recorder, enable_custom_integrations: None
) -> None:
    """Let Home Assistant load Gatehouse, and record what happens."""


@pytest.fixture
def logbook_config() -> dict[str, Any]:
    """Return how the logbook is configured."""
    return {}


@pytest.fixture(autouse=True)
async def logbook(hass: HomeAssistant, logbook_config: dict[str, Any]) -> None:
    """Set the logbook up, without the frontend, whose files are not installed here."""
    assert await async_setup_component(hass, DOMAIN, {})
    hass.config.components.add("frontend")
    assert await async_setup_component(hass, "logbook", logbook_config)


@pytest.fixture
def read(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Read:
    """Return what reads names and sentences out of the logbook, the oldest first."""
    start = dt_util.utcnow()

    async def read(**about: Any) -> list[tuple[str, str]]:
        await hass.async_block_till_done()
        await async_wait_recording_done(hass)
        client = await hass_ws_client(hass)
        await client.send_json_auto_id(
            {
                "type": "logbook/get_events",
                "start_time": start.isoformat(),
                **about,
            }
        )
        reply = await client.receive_json()
        return [
            (line["name"], line["message"])
            for line in reply["result"]
            if "message" in line
        ]

    return read


@dataclass(frozen=True)
class Knock:
    """What a vendor may tell without bringing a sentence for it."""

    event_type: str = "knock"

    @property
    def attributes(self) -> dict[str, Any]:
        """Return nothing more."""
        return {}


class TellerHub(Hub):
    """A door at which everything can happen."""

    @override
    async def async_start(self) -> None:
        self.door = self.add_device("teller_door", "door", name="Front door")


@pytest.fixture
async def teller(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> TellerHub:
    """Return the hub of the door."""
    channels = {
        "access": AccessEvent,
        "alert": AlertEvent,
        "doorbell": CallEvent,
        "dtmf": DtmfEvent,
        "inventory": InventoryEvent,
        "keypad": KeypadEvent,
        "station": StationEvent,
    }
    monkeypatch.setitem(
        VENDORS,
        "teller",
        Vendor(
            key="teller",
            hub=TellerHub,
            flow=ToyFlow(),
            entities={
                "door": (
                    *(
                        EventDescription(key=channel, event_types=list(events))
                        for channel, events in channels.items()
                    ),
                    EventDescription(key="knocking", event_types=["knock"]),
                )
            },
        ),
    )
    entry = MockConfigEntry(domain=DOMAIN, data={"vendor": "teller"})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    hub: TellerHub = entry.runtime_data
    return hub


# --- What vendors tell


@pytest.fixture
async def set_up(hass: HomeAssistant) -> SetUp:
    """Return what sets an entry up."""

    async def set_up(entry: MockConfigEntry) -> None:
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()

    return set_up


@pytest.fixture
async def account(set_up: SetUp) -> None:
    """Set an account of Tellicon up."""
    await set_up(
        MockConfigEntry(domain=DOMAIN, data={"vendor": "tellicon", "token": TOKEN})
    )


@pytest.mark.usefixtures("account")
async def test_tellicon(hass: HomeAssistant, served_at: str, read: Read) -> None:
    """The unit says who was called, and its account does not say it again."""
    async with Tellicon(f"{served_at}/eventTellicon", TOKEN) as sender:
        await sender.ring(Unit(505, 121, 1001), src="9001")
        await hass.async_block_till_done()
        await sender.dtmf(Unit(505, 121, 1001), command="*2")
    assert await read() == [
        ("Unit 505/121/1001", "Unit 505/121/1001 was called from 9001"),
        ("Unit 505/121/1001", "Unit 505/121/1001 pressed *2"),
    ]


@pytest.mark.usefixtures("account")
async def test_tellicon_without_unit(
    hass: HomeAssistant, served_at: str, read: Read
) -> None:
    """The account says what no unit says."""
    async with Tellicon(f"{served_at}/eventTellicon", TOKEN) as sender:
        await sender.ring(Unit(505, 121, None), src="9001")
    assert await read() == [("Tellicon 505", "Called from 9001")]


@pytest.mark.usefixtures("account")
async def test_tellicon_without_event_of_the_unit(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    served_at: str,
    read: Read,
) -> None:
    """Where the user has disabled the unit's event, the account says it."""
    async with Tellicon(f"{served_at}/eventTellicon", TOKEN) as sender:
        await sender.ring(Unit(505, 121, 1001), src="9001")
        await hass.async_block_till_done()
        entity_registry.async_update_entity(
            "event.unit_505_121_1001_doorbell",
            disabled_by=er.RegistryEntryDisabler.USER,
        )
        await hass.async_block_till_done()
        await sender.ring(Unit(505, 121, 1001), src="9002")
    assert await read() == [
        ("Unit 505/121/1001", "Unit 505/121/1001 was called from 9001"),
        ("Tellicon 505", "Unit 505/121/1001 was called from 9002"),
    ]


@pytest.mark.usefixtures("account")
async def test_tellicon_without_new_events(
    hass: HomeAssistant, served_at: str, read: Read
) -> None:
    """Where the user wants new entities disabled, the account says it from the first."""
    async with Tellicon(f"{served_at}/eventTellicon", TOKEN) as sender:
        await sender.ring(Unit(505, 121, None), src="9001")
        await hass.async_block_till_done()
        (entry,) = hass.config_entries.async_entries(DOMAIN)
        hass.config_entries.async_update_entry(entry, pref_disable_new_entities=True)
        await sender.ring(Unit(505, 121, 1001), src="9002")
    assert await read() == [
        ("Tellicon 505", "Called from 9001"),
        ("Tellicon 505", "Unit 505/121/1001 was called from 9002"),
    ]


@pytest.fixture
async def station(socket_enabled: None, set_up: SetUp) -> AsyncIterator[Ipac]:
    """Return a station with a door and a named code, set up."""
    async with Ipac(
        password=ipac.PASSWORD, codes={1: [ipac.CODE, ipac.CLEANER]}
    ) as station:
        await set_up(ipac_entry(station))
        yield station


async def test_ipac(
    hass: HomeAssistant, station: Ipac, served_at: str, read: Read
) -> None:
    """A door says who was let in, and who opened it, or why that was refused."""
    ipac.connect(station, served_at)
    await station.notify()
    await station.type_code(ipac.CLEANER)
    station.relays[1].release()
    await ipac.order(hass, "unlock")
    # The station reports the relay once it has answered the order.
    await until(lambda: [told.endpoint for told in station.sent].count("event") == 3)
    station.relays[1].release()
    station.relays[1].in_time_slot = False
    with pytest.raises(HomeAssistantError):
        await ipac.order(hass, "press", ipac.OPEN)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await read() == [
        ("IPAC", "The code “Cleaner” was entered"),
        ("Front gate", "Cleaner was let in by code"),
        ("Front gate", "Front gate was opened from Home Assistant"),
        ("Front gate", "Front gate was not opened from Home Assistant: Outside hours"),
    ]


async def test_senselink(
    hass: HomeAssistant, socket_enabled: None, set_up: SetUp, read: Read
) -> None:
    """A terminal says whom it has let in, and by what."""
    async with SenseLink(
        app_key=senselink.APP_KEY, app_secret=senselink.APP_SECRET, heartbeat=None
    ) as server:
        await set_up(senselink.make_entry(server))
        await server.recognise()
        await until(lambda: hass.states.get(senselink.ACCESS))
        assert await read() == [("Main entrance", "Aiko Aoyama was let in by face")]


# --- Sentences


def texts_of(language: str) -> dict[str, str]:
    """Return the texts of which sentences are made."""
    texts = json.loads((TEXTS / f"{language}.json").read_text(encoding="utf-8"))
    return {
        key: text for key, text in texts["common"].items() if key.startswith("logbook_")
    }


def pattern_of(text: str) -> re.Pattern[str]:
    """Return what finds a text, whatever stands in for its placeholders."""
    return re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(text)))


@pytest.fixture
def change_language(hass: HomeAssistant) -> ChangeLanguage:
    """Return what changes the language of the instance."""
    translation.async_setup(hass)

    async def change_language(language: str) -> None:
        await hass.config.async_update(language=language)
        await hass.async_block_till_done()

    return change_language


async def test_sentences(hass: HomeAssistant, teller: TellerHub, read: Read) -> None:
    """All that can happen has a sentence, which tells as much as is known."""
    hass.states.async_set("person.ana", "home", {"friendly_name": "Ana Silva"})
    for channel, word, _ in SAID:
        teller.door.say(channel, word)
    assert await read() == [("Front door", sentence) for _, _, sentence in SAID]


async def test_name_is_only_a_name(
    hass: HomeAssistant, teller: TellerHub, read: Read
) -> None:
    """Who is called like a placeholder, or a template, is only called so."""
    name = "{door} {{ 1 }} <b>{0.x}"
    teller.door.say("access", Access(event_type=AccessEvent.GRANTED, person=name))
    assert await read() == [("Front door", f"{name} was let in")]


def test_texts_are_used() -> None:
    """No text is there that nothing would be said with."""
    sentences = "\n".join(sentence for _, _, sentence in SAID)
    for key, text in texts_of("en").items():
        assert pattern_of(text).search(sentences), key


@pytest.mark.parametrize("language", ["fr", "de", "pt-BR", "ja"])
async def test_languages(
    hass: HomeAssistant,
    teller: TellerHub,
    read: Read,
    change_language: ChangeLanguage,
    language: str,
) -> None:
    """The logbook speaks the language of the instance, also of what is long past."""
    for channel, word, _ in SAID:
        teller.door.say(channel, word)
    await change_language(language)
    lines = await read()
    assert len(lines) == len(SAID)
    patterns = [pattern_of(text) for text in texts_of(language).values()]
    for _, sentence in lines[:-1]:
        assert any(pattern.fullmatch(sentence) for pattern in patterns), sentence
        assert "{" not in sentence


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Ana was refused: Outside hours"),
        ("fr", "Accès refusé à Ana\N{NO-BREAK SPACE}: Hors plage horaire"),
        ("de", "Ana wurde abgewiesen: Außerhalb des Zeitfensters"),
        ("pt-BR", "Acesso negado para Ana: Fora do horário"),
        ("ja", "Anaの通行が拒否されました（時間外）"),
        # A language that Gatehouse does not speak.
        ("sv", "Ana was refused: Outside hours"),
    ],
)
async def test_language(
    teller: TellerHub,
    read: Read,
    change_language: ChangeLanguage,
    language: str,
    sentence: str,
) -> None:
    """What a sentence names is in its language, too."""
    await change_language(language)
    teller.door.say(
        "access",
        Access(
            event_type=AccessEvent.DENIED, person="Ana", reason=Reason.OUTSIDE_HOURS
        ),
    )
    assert await read() == [("Front door", sentence)]


async def test_no_sentence(hass: HomeAssistant, teller: TellerHub, read: Read) -> None:
    """What there is no sentence for is at least not lost."""
    teller.door.say("knocking", Knock())
    assert await read() == [("Front door", "knock")]


async def test_device_is_gone(
    hass: HomeAssistant,
    teller: TellerHub,
    device_registry: dr.DeviceRegistry,
    read: Read,
) -> None:
    """What happened stays told when the device is no more."""
    device_registry.async_update_device(
        teller.door.entry.id, name_by_user="Garden door"
    )
    teller.door.say("doorbell", Call(event_type=CallEvent.RING))
    teller.door.say("access", Access(event_type=AccessEvent.DENIED, reason=Reason.BUSY))
    assert await read() == [
        ("Garden door", "The bell was rung"),
        ("Garden door", "Refused: Busy"),
    ]
    teller.remove_device(teller.door)
    assert await read() == [
        ("Gatehouse", "The bell was rung"),
        ("Gatehouse", "Refused: Busy"),
    ]


async def test_entity_is_renamed(
    hass: HomeAssistant,
    teller: TellerHub,
    entity_registry: er.EntityRegistry,
    read: Read,
) -> None:
    """What happened is told in the same words when the entity has another id."""
    teller.door.say("alert", Alert(event_type=AlertEvent.DOOR_FORCED))
    before = await read()
    entity_registry.async_update_entity(
        "event.front_door_alert", new_entity_id="event.burglar"
    )
    assert await read() == before


# --- Where the sentences are


async def test_beside_the_entity(
    hass: HomeAssistant,
    teller: TellerHub,
    read: Read,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """A sentence is found by its entity and by its device."""
    teller.door.say("doorbell", Call(event_type=CallEvent.RING))
    ring = [("Front door", "The bell was rung")]
    assert await read(entity_ids=["event.front_door_doorbell"]) == ring
    assert await read(device_ids=[teller.door.entry.id]) == ring
    assert await read(entity_ids=["event.front_door_access"]) == []


async def test_live(
    hass: HomeAssistant, teller: TellerHub, hass_ws_client: WebSocketGenerator
) -> None:
    """A logbook that is open shows the sentence beside the entity's own line."""
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": "logbook/event_stream",
            "start_time": dt_util.utcnow().isoformat(),
            "entity_ids": ["event.front_door_access"],
        }
    )
    assert (await client.receive_json())["success"]
    await hass.async_block_till_done()
    teller.door.say(
        "access",
        Access(event_type=AccessEvent.GRANTED, person="Ana", method=Method.FACE),
    )
    lines: list[dict[str, Any]] = []
    while len(lines) < 2:
        lines += (await client.receive_json())["event"]["events"]
    entity, sentence = lines
    assert entity["attributes"] == {"event_type": "access_granted"}
    assert sentence["message"] == "Ana was let in by face"
    assert sentence["entity_id"] == entity["entity_id"] == "event.front_door_access"
    assert sentence["domain"] == DOMAIN


@pytest.mark.parametrize(
    ("recorder_config", "logbook_config"), [(EXCLUDED, {}), ({}, {"logbook": EXCLUDED})]
)
async def test_excluded(hass: HomeAssistant, teller: TellerHub, read: Read) -> None:
    """Who excludes an entity from the recorder or logbook excludes its sentences."""
    teller.door.say("access", Access(event_type=AccessEvent.GRANTED, person="Ana"))
    teller.door.say("doorbell", Call(event_type=CallEvent.RING))
    assert await read() == [("Front door", "The bell was rung")]


async def test_event(hass: HomeAssistant, teller: TellerHub) -> None:
    """The event of the bus holds what the entity's event holds, and where it was."""
    events = async_capture_events(hass, EVENT_GATEHOUSE)
    teller.door.say("keypad", Keypad(code_name="Cleaner", known=True))
    assert [event.data for event in events] == [
        {
            "event_type": "code_entered",
            "device_id": teller.door.entry.id,
            "entity_id": "event.front_door_keypad",
            "code_name": "Cleaner",
            "known": True,
            "person_entity": None,
            "occurred_at": None,
        }
    ]
