"""What Assist answers, and that a door opens only when that was confirmed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil
from typing import Any, override

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gatehouse import intent as gatehouse_intent
from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.entity import EventDescription
from custom_components.gatehouse.hub import Device, Hub
from custom_components.gatehouse.model import (
    Access,
    AccessEvent,
    Call,
    CallEvent,
    Method,
    Reason,
)
from custom_components.gatehouse.vendor import Vendor
from custom_components.gatehouse.vendors import VENDORS
from homeassistant.components.conversation import async_converse
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    intent,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from simulators.ipac import Ipac
from simulators.the_keys import Gateway

from .conftest import Advance
from .test_people import ipac_entry
from .test_vendor import ToyFlow
from .vendors.ipac import conftest as ipac
from .vendors.the_keys import conftest as the_keys

SENTENCES = Path("custom_sentences")

FRONT = "lock.front_door_door"

type Say = Callable[..., Awaitable[str]]


@pytest.fixture(autouse=True)
async def assist(hass: HomeAssistant, tmp_path: Path) -> None:
    """Set Home Assistant's own agent up, with the sentences copied as the guide says."""
    await hass.async_add_executor_job(
        shutil.copytree, SENTENCES, tmp_path / "custom_sentences"
    )
    hass.config.config_dir = str(tmp_path)
    for component in ("homeassistant", "conversation", "intent", "llm", DOMAIN):
        assert await async_setup_component(hass, component, {})


@pytest.fixture
def say(hass: HomeAssistant) -> Say:
    """Return what says something to Home Assistant, and what it answers."""

    async def say(
        text: str,
        conversation: str = "ours",
        language: str = "en",
        user: str | None = None,
        device: str | None = None,
    ) -> str:
        result = await async_converse(
            hass,
            text,
            conversation,
            Context(user_id=user),
            language=language,
            device_id=device,
        )
        await hass.async_block_till_done(wait_background_tasks=True)
        return str(result.response.speech["plain"]["speech"])

    return say


def expose(hass: HomeAssistant, *entity_ids: str, exposed: bool = True) -> None:
    """Expose entities to Assist, or hide them."""
    for entity_id in entity_ids:
        async_expose_entity(hass, "conversation", entity_id, exposed)


class PorchHub(Hub):
    """Two doors that tell what they are told to tell."""

    doors: list[Device]

    @override
    async def async_start(self) -> None:
        self.doors = [
            self.add_device(f"porch_{number}", "door", name=name)
            for number, name in enumerate(("Front door", "Back door"))
        ]


@pytest.fixture
async def porch(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> PorchHub:
    """Return the hub of two doors, exposed."""
    monkeypatch.setitem(
        VENDORS,
        "porch",
        Vendor(
            key="porch",
            hub=PorchHub,
            flow=ToyFlow(),
            entities={
                "door": (
                    EventDescription(key="access", event_types=list(AccessEvent)),
                    EventDescription(key="doorbell", event_types=list(CallEvent)),
                )
            },
        ),
    )
    entry = MockConfigEntry(domain=DOMAIN, data={"vendor": "porch"})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    expose(hass, *hass.states.async_entity_ids("event"))
    hub: PorchHub = entry.runtime_data
    return hub


def tell(porch: PorchHub, person: str, at: datetime, door: int = 0) -> None:
    """Let somebody in."""
    porch.doors[door].say(
        "access",
        Access(
            event_type=AccessEvent.GRANTED,
            person=person,
            method=Method.FACE,
            occurred_at=at,
        ),
    )


@pytest.fixture
def noon(hass: HomeAssistant, freezer: Any) -> datetime:
    """Make it noon, and return when that is."""
    freezer.move_to("2026-10-14 12:00:00+00:00")
    return datetime(2026, 10, 14, 12, tzinfo=UTC)


@pytest.fixture
async def utc(hass: HomeAssistant) -> None:
    """Let local time be UTC."""
    await hass.config.async_set_time_zone("UTC")


# --- Who came


@pytest.mark.usefixtures("utc")
async def test_without_recorder(
    hass: HomeAssistant, noon: datetime, porch: PorchHub, say: Say
) -> None:
    """Only the last that each door has told is known."""
    tell(porch, "Ana", noon - timedelta(hours=2))
    tell(porch, "Bruno", noon - timedelta(hours=1))
    tell(porch, "Chie", noon - timedelta(minutes=30), door=1)
    await hass.async_block_till_done()
    assert await say("who came in today?") == (
        "11:00, Front door: Bruno was let in by face. "
        "11:30, Back door: Chie was let in by face."
    )
    assert await say("who came in yesterday") == "Yesterday: nobody like that."
    assert await say("did Chie come in today") == (
        "11:30, Back door: Chie was let in by face."
    )
    assert await say("who was refused") == "Today: nobody like that."


async def ask(hass: HomeAssistant, intent_type: str, **slots: Any) -> dict[str, Any]:
    """Handle an intent, and return what a language model is told."""
    response = await intent.async_handle(
        hass,
        "test",
        intent_type,
        {key: {"value": value} for key, value in slots.items()},
        assistant="conversation",
    )
    return response.as_dict()


@pytest.mark.usefixtures("utc")
async def test_places(hass: HomeAssistant, noon: datetime, porch: PorchHub) -> None:
    """It can be said at which door, in which area; unknown places are told."""
    tell(porch, "Ana", noon - timedelta(hours=2))
    tell(porch, "Bruno", noon - timedelta(hours=1), door=1)
    await hass.async_block_till_done()
    garden = ar.async_get(hass).async_create("Garden")
    dr.async_get(hass).async_update_device(
        porch.doors[1].entry.id, area_id=garden.id, name_by_user="Garden gate"
    )

    async def people(**slots: Any) -> list[str]:
        told = await ask(hass, "GatehouseGetAccess", **slots)
        return [event["person"] for event in told["speech_slots"]["events"]]

    assert await people() == ["Ana", "Bruno"]
    assert await people(name="front door") == ["Ana"]
    assert await people(name="Front door Access") == ["Ana"]
    assert await people(area="Garden", result="any", period="week") == ["Bruno"]
    assert await people(name="garden gate", area="Garden", period="hour") == ["Bruno"]
    for nowhere in ({"name": "Cellar"}, {"area": "Attic"}, {"floor": "Third"}):
        told = await ask(hass, "GatehouseGetAccess", **nowhere)
        assert told["data"] == {"code": "no_valid_targets"}


async def test_nothing_exposed(hass: HomeAssistant, porch: PorchHub, say: Say) -> None:
    """Of what is not exposed, nothing is told."""
    tell(porch, "Ana", dt_util.utcnow())
    await hass.async_block_till_done()
    expose(hass, *hass.states.async_entity_ids("event"), exposed=False)
    assert await say("who came in") == "No events of doors are exposed to Assist."


async def test_user_may_not_read(
    hass: HomeAssistant, porch: PorchHub, say: Say, hass_read_only_user: Any
) -> None:
    """A user hears of nothing that they may not see."""
    hass_read_only_user.groups = []
    assert (
        await say("who came in", user=hass_read_only_user.id)
        == "No events of doors are exposed to Assist."
    )


@pytest.mark.usefixtures("utc")
async def test_refused(
    hass: HomeAssistant, noon: datetime, porch: PorchHub, say: Say
) -> None:
    """Who was refused is told with the reason, in the language of the question."""
    porch.doors[0].say(
        "access",
        Access(
            event_type=AccessEvent.DENIED,
            person="Ana",
            reason=Reason.OUTSIDE_HOURS,
            occurred_at=noon,
        ),
    )
    await hass.async_block_till_done()
    assert await say("who was refused today") == (
        "12:00, Front door: Ana was refused: Outside hours."
    )
    assert "Ana" in await say("Wer wurde heute abgewiesen?", language="de")


@pytest.mark.usefixtures("utc")
async def test_rings(
    hass: HomeAssistant, noon: datetime, porch: PorchHub, say: Say
) -> None:
    """Rings are told once, though an account and its unit both tell of them."""
    for door in porch.doors:
        door.say(
            "doorbell",
            Call(event_type=CallEvent.RING, unit="1/2/3", occurred_at=noon),
        )
    await hass.async_block_till_done()
    assert await say("did anyone ring today?") == (
        "12:00, Front door: Unit 1/2/3 was called."
    )
    assert "12:00" in await say("did I miss anyone today?")
    assert await say("who rang yesterday") == "Yesterday: nobody rang."


# --- Doors


@pytest.fixture
async def gateway(socket_enabled: None) -> AsyncIterator[Gateway]:
    """Return a gateway that sees two locks."""
    async with Gateway(
        [
            the_keys.Lock(the_keys.FRONT, the_keys.CODE),
            the_keys.Lock(the_keys.SIDE, the_keys.OTHER_CODE),
        ]
    ) as gateway:
        yield gateway


@pytest.fixture
async def station(socket_enabled: None) -> AsyncIterator[Ipac]:
    """Return a station with a gate."""
    async with Ipac(
        password=ipac.PASSWORD, codes={1: [ipac.CODE, ipac.CLEANER]}
    ) as station:
        yield station


@pytest.fixture
async def gate(hass: HomeAssistant, station: Ipac) -> Ipac:
    """Return the station, set up, its lock and its button exposed."""
    entry = ipac_entry(station)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    expose(hass, ipac.DOOR, ipac.OPEN)
    return station


NOTHING = "There is nothing to confirm. Ask me to open the door first."

ASKED = "To open it, say “yes, open it”. Shall I open Front gate Door?"


async def test_open(hass: HomeAssistant, gate: Ipac, say: Say) -> None:
    """A gate opens once it was confirmed, and only once."""
    assert await say("open the gate") == ASKED
    assert not gate.relays[1].active
    assert await say("yes, open it") == "Front gate Door is being opened."
    assert gate.relays[1].active
    gate.relays[1].release()
    assert await say("yes, open it") == NOTHING
    assert not gate.relays[1].active


async def test_open_by_button(hass: HomeAssistant, gate: Ipac, say: Say) -> None:
    """A gate whose button alone is exposed opens by it, by its name."""
    expose(hass, ipac.DOOR, exposed=False)
    await hass.async_block_till_done()
    assert "Shall I open" in await say("open front gate open")
    assert "is being opened" in await say("yes open the gate")
    assert gate.relays[1].active


async def test_open_by_names(hass: HomeAssistant, gate: Ipac) -> None:
    """A door that nobody speaks of in a conversation cannot be confirmed."""
    for slots in ({"name": "front gate"}, {}):
        told = await ask(hass, "GatehouseOpenDoor", **slots)
        assert "only in a conversation" in told["speech"]["plain"]["speech"]
    told = await ask(hass, "GatehouseOpenDoor", name="Cellar")
    assert "no door of that name" in told["speech"]["plain"]["speech"]
    told = await ask(hass, "GatehouseConfirmOpening")
    assert "only in a conversation" in told["speech"]["plain"]["speech"]
    assert not gate.relays[1].active


@pytest.mark.parametrize(
    "other",
    [{"conversation": "another"}, {"device": "another"}, {"user": "another"}],
    ids=str,
)
async def test_confirmed_by_another(
    hass: HomeAssistant,
    gate: Ipac,
    say: Say,
    hass_admin_user: Any,
    other: dict[str, str],
) -> None:
    """Nobody else can confirm, from nowhere else."""
    if "user" in other:
        other = {"user": hass_admin_user.id}
    assert await say("open the gate") == ASKED
    assert await say("yes, open it", **other) == NOTHING
    assert not gate.relays[1].active


async def test_expired(
    hass: HomeAssistant, gate: Ipac, say: Say, advance: Advance
) -> None:
    """After a minute it is too late."""
    assert await say("open the gate") == ASKED
    assert await say("open the gate", "another") == ASKED
    await advance(61)
    assert await say("yes, open it") == NOTHING
    # What nobody has confirmed is forgotten with the next question.
    assert await say("open the gate", "a third") == ASKED
    assert not gate.relays[1].active


async def test_withdrawn(hass: HomeAssistant, gate: Ipac, say: Say) -> None:
    """A door that is hidden in between stays closed; a hidden one is not known."""
    assert await say("open the gate") == ASKED
    expose(hass, ipac.DOOR, ipac.OPEN, exposed=False)
    assert await say("yes, open it") == NOTHING
    assert await say("open the gate") == "There is no door that I may open for you."
    assert await say("which doors can be opened") == (
        "There is no door that I may open for you."
    )
    assert not gate.relays[1].active


async def test_user_may_not(
    hass: HomeAssistant, gate: Ipac, say: Say, hass_read_only_user: Any
) -> None:
    """A user who may not control the door does not open it."""
    assert await say("open the gate", user=hass_read_only_user.id) == (
        "There is no door that I may open for you."
    )
    assert await say("open the gate", user="nobody") == (
        "There is no door that I may open for you."
    )


async def test_refused_by_station(hass: HomeAssistant, gate: Ipac, say: Say) -> None:
    """What the station says against it is told."""
    assert await say("open the gate") == ASKED
    gate.relays[1].in_time_slot = False
    assert (await say("yes, open it")).startswith("The door was not opened: ")


async def test_out_of_reach(hass: HomeAssistant, gate: Ipac, say: Say) -> None:
    """A door out of reach is not said to be opened."""
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    hub: Hub = entry.runtime_data
    assert await say("open the gate") == ASKED
    for device in hub.devices.values():
        device.set_available(False)
    assert await say("yes, open it") == "Front gate Door is out of reach."
    assert await say("open the gate") == "Front gate Door is out of reach."


async def test_which_door(
    hass: HomeAssistant,
    gate: Ipac,
    gateway: Gateway,
    say: Say,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of several doors none is guessed; one without a latch is unlocked."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="The Keys",
        data={"vendor": "the_keys", "host": gateway.host},
        subentries_data=[
            the_keys.subentry(the_keys.FRONT, "Front door", the_keys.CODE)
        ],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    expose(hass, FRONT)
    assert await say("open the gate") == (
        "Which door: Front door Door, Front gate Door?"
    )
    assert await say("yes, open it") == NOTHING
    assert "Shall I open Front door Door" in await say("open front door door")
    area = ar.async_get(hass).async_create("Hall")
    er.async_get(hass).async_update_entity(FRONT, area_id=area.id)
    told = await ask(hass, "GatehouseGetDoors")
    assert {door["name"]: door["area"] for door in told["speech_slots"]["doors"]} == {
        "Front gate Door": None,
        "Front door Door": "Hall",
    }
    expose(hass, ipac.DOOR, ipac.OPEN, exposed=False)
    assert "Shall I open Front door Door" in await say("open the door")
    assert await say("yes, open it") == "Front door Door is being opened."
    assert [path for path, _ in gateway.orders] == ["/open"]
    assert not gate.relays[1].active
    # Of hundreds, nobody listens to all the names.
    expose(hass, ipac.DOOR)
    monkeypatch.setattr(gatehouse_intent, "MAX_DOORS", 1)
    told = await ask(hass, "GatehouseGetDoors")
    assert len(told["speech_slots"]["doors"]) == 1
    assert await say("open the gate") in (
        f"Which door: {name} Door?" for name in ("Front door", "Front gate")
    )


# --- Sentences

QUESTIONS = {
    "en": ("Who came in today?", "open the gate", "yes, open it"),
    "fr": ("Qui est entré aujourd'hui ?", "ouvre le portail", "oui, ouvre"),
    "de": ("Wer ist heute hereingekommen?", "öffne das Tor", "ja, öffnen"),
    "pt-BR": ("Quem entrou hoje?", "abra o portão", "sim, abra"),
    "ja": ("今日は誰が入りましたか", "門を開けて", "はい、開けて"),
}


@pytest.mark.parametrize("language", QUESTIONS)
@pytest.mark.usefixtures("utc")
async def test_languages(
    hass: HomeAssistant, gate: Ipac, say: Say, language: str
) -> None:
    """In each language one can ask who came, and open the gate."""
    expose(hass, ipac.ACCESS)
    who, opening, yes = QUESTIONS[language]
    assert await say(who, language=language)
    assert "Front gate Door" in await say(opening, language=language)
    assert not gate.relays[1].active
    assert "Front gate Door" in await say(yes, language=language)
    assert gate.relays[1].active
