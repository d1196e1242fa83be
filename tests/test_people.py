"""Who is who: the option that says so, and the events that then name persons."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.gatehouse import people
from custom_components.gatehouse.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import ObjectSelector, SelectSelector, TextSelector
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from simulators.ipac import Ipac
from simulators.senselink import SenseLink
from simulators.senselink_frames import AIKO, BRUNO, VERA, Person

from .conftest import Advance, until
from .diagnostics import entry_diagnostics
from .vendors.conftest import shown
from .vendors.ipac import conftest as ipac
from .vendors.senselink import conftest as senselink

AIKO_IS = {"name": "aiko AOYAMA", "person": "person.aiko"}
BRUNO_IS = {"name": "1002", "person": "person.bruno"}


def ipac_entry(station: Ipac, **changes: Any) -> MockConfigEntry:
    """Return an entry for a station with a door and a named code."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="IPAC",
        data={
            "vendor": "ipac",
            "host": station.host,
            "username": "admin",
            "password": ipac.PASSWORD,
            "auth": "digest",
            "tls": False,
            "verify_tls": False,
            "asm_secret": ipac.SECRET,
            "asm_token": ipac.TOKEN,
        },
        subentries_data=[
            ipac.relay(1, "Front gate"),
            ipac.named_code(ipac.CLEANER, "Cleaner"),
        ],
        **changes,
    )


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set an entry up."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[SenseLink]:
    """Return a server of terminals."""
    async with SenseLink(
        app_key=senselink.APP_KEY, app_secret=senselink.APP_SECRET, heartbeat=None
    ) as server:
        yield server


@pytest.fixture
async def terminals(hass: HomeAssistant, server: SenseLink) -> MockConfigEntry:
    """Return the entry of the server, set up, without knowing anybody."""
    entry = senselink.make_entry(server)
    await set_up(hass, entry)
    return entry


@pytest.fixture
async def station(socket_enabled: None) -> AsyncIterator[Ipac]:
    """Return a station with two codes."""
    async with Ipac(
        password=ipac.PASSWORD, codes={1: [ipac.CODE, ipac.CLEANER]}
    ) as station:
        yield station


@pytest.fixture
async def home(hass: HomeAssistant, station: Ipac) -> MockConfigEntry:
    """Return the entry of the station, set up, without knowing anybody."""
    entry = ipac_entry(station)
    await set_up(hass, entry)
    return entry


async def dialog(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigFlowResult:
    """Open the options of an entry."""
    return await hass.config_entries.options.async_init(entry.entry_id)


async def choose(
    hass: HomeAssistant, form: ConfigFlowResult, **answers: Any
) -> ConfigFlowResult:
    """Answer the form of the options."""
    done = await hass.config_entries.options.async_configure(form["flow_id"], answers)
    await hass.async_block_till_done()
    return done


def selector_in(form: ConfigFlowResult) -> ObjectSelector:
    """Return what asks who is who."""
    selector: ObjectSelector = form["data_schema"].schema["people"]
    return selector


async def seen(
    hass: HomeAssistant, server: SenseLink, person: Person, **record: Any
) -> dict[str, Any]:
    """Let a terminal see somebody, and return the attributes of the event."""
    before = shown(hass, senselink.ACCESS)
    await server.recognise(person=person, **record)
    await until(lambda: shown(hass, senselink.ACCESS) not in (before, None))
    await hass.async_block_till_done()
    return dict(hass.states.get(senselink.ACCESS).attributes)


# --- The option


async def test_terminals(
    hass: HomeAssistant, server: SenseLink, terminals: MockConfigEntry
) -> None:
    """Somebody is known by name, however it is written, or by number."""
    form = await dialog(hass, terminals)
    assert form["step_id"] == "people"
    done = await choose(hass, form, photos=False, people=[AIKO_IS, BRUNO_IS])
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert terminals.options == {"photos": False, "people": [AIKO_IS, BRUNO_IS]}
    assert terminals.state is ConfigEntryState.LOADED

    aiko = await seen(hass, server, AIKO)
    assert (aiko["person"], aiko["person_entity"]) == ("Aiko Aoyama", "person.aiko")
    bruno = await seen(hass, server, BRUNO)
    assert (bruno["person"], bruno["person_entity"]) == ("Bruno Brück", "person.bruno")
    refused = await seen(hass, server, BRUNO, abnormal_type=5)
    assert refused["event_type"] == "access_denied"
    assert refused["person_entity"] == "person.bruno"
    vera = await seen(hass, server, VERA)
    assert (vera["person"], vera["person_entity"]) == ("Vera Visser", None)
    # Neither part of a name nor of a number is enough.
    other = await seen(hass, server, replace(VERA, id=100, name="Aiko"))
    assert other["person_entity"] is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("青山　愛子", "青山 愛子"),
        ("Anne\u00a0Lise", "Anne Lise"),
        ("علی\u200cرضا", "علیرضا"),
        ("Aiko 👩\u200d🔧", "Aiko 👩🔧"),
    ],
)
async def test_names_as_they_are_written(
    hass: HomeAssistant,
    server: SenseLink,
    terminals: MockConfigEntry,
    name: str,
    told: str,
) -> None:
    """A name that was copied from SenseLink's screen is known, whatever is in it."""
    await choose(
        hass,
        await dialog(hass, terminals),
        photos=False,
        people=[{"name": name, "person": "person.aiko"}],
    )
    attributes = await seen(hass, server, replace(AIKO, name=name))
    assert attributes["person"] == told
    assert attributes["person_entity"] == "person.aiko"


async def test_number_before_name(
    hass: HomeAssistant, server: SenseLink, terminals: MockConfigEntry
) -> None:
    """Of two people of one name the number tells who it is."""
    await choose(
        hass,
        await dialog(hass, terminals),
        photos=False,
        people=[AIKO_IS, {"name": "1004", "person": "person.aiko_junior"}],
    )
    junior = await seen(hass, server, replace(AIKO, id=1004))
    assert junior["person_entity"] == "person.aiko_junior"
    assert (await seen(hass, server, AIKO))["person_entity"] == "person.aiko"


async def test_keypad(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    served_at: str,
    advance: Advance,
) -> None:
    """A code that has a name can be somebody's."""
    ipac.connect(station, served_at)
    await station.notify()
    await station.type_code(ipac.CLEANER)
    await hass.async_block_till_done()
    for entity_id in (ipac.KEYPAD, ipac.ACCESS):
        assert hass.states.get(entity_id).attributes["person_entity"] is None

    await choose(
        hass,
        await dialog(hass, home),
        people=[{"name": " cleaner ", "person": "person.bruno"}],
    )
    station.relays[1].release()
    # In the same second it would be the same message, sent again.
    await advance(1)
    await station.type_code(ipac.CLEANER)
    await hass.async_block_till_done()
    for entity_id in (ipac.KEYPAD, ipac.ACCESS):
        attributes = hass.states.get(entity_id).attributes
        assert attributes["person_entity"] == "person.bruno"
    assert hass.states.get(ipac.KEYPAD).attributes["code_name"] == "Cleaner"

    # A code without a name is nobody's.
    await station.type_code("4444")
    await hass.async_block_till_done()
    attributes = hass.states.get(ipac.KEYPAD).attributes
    assert (attributes["known"], attributes["person_entity"]) == (False, None)


async def test_only_where_people_are_named(hass: HomeAssistant) -> None:
    """Who tells of no people does not ask for them."""
    token = "invented-token-of-24-chr"
    entry = MockConfigEntry(domain=DOMAIN, data={"vendor": "tellicon", "token": token})
    await set_up(hass, entry)
    assert "people" not in (await dialog(hass, entry))["data_schema"].schema
    keys = MockConfigEntry(
        domain=DOMAIN, data={"vendor": "the_keys", "host": "192.0.2.1"}
    )
    keys.add_to_hass(hass)
    assert not keys.supports_options


async def test_names_to_choose_from(
    hass: HomeAssistant,
    server: SenseLink,
    terminals: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever has been named and is nobody yet is offered."""
    name = selector_in(await dialog(hass, terminals)).config["fields"]["name"]
    assert isinstance(name["selector"], TextSelector)
    for person in (VERA, AIKO, VERA):
        await seen(hass, server, person)
    name = selector_in(await dialog(hass, terminals)).config["fields"]["name"]
    assert isinstance(name["selector"], SelectSelector)
    assert name["selector"].config["options"] == ["Aiko Aoyama", "Vera Visser"]

    # What is not offered can be typed.
    form = await dialog(hass, terminals)
    await choose(hass, form, photos=False, people=[BRUNO_IS])
    await seen(hass, server, BRUNO)
    await seen(hass, server, replace(VERA, name=""))
    name = selector_in(await dialog(hass, terminals)).config["fields"]["name"]
    assert name["selector"].config["options"] == ["1003"]

    # A dialog opens also while nobody is heard.
    assert await hass.config_entries.async_unload(terminals.entry_id)
    name = selector_in(await dialog(hass, terminals)).config["fields"]["name"]
    assert isinstance(name["selector"], TextSelector)


async def test_names_are_bounded(
    hass: HomeAssistant,
    server: SenseLink,
    terminals: MockConfigEntry,
) -> None:
    """Only so many names are offered; the oldest is forgotten first."""
    for number in range(people.REMEMBERED_STRANGERS + 1):
        await seen(hass, server, replace(VERA, name=f"Visitor {number:02}"))
    name = selector_in(await dialog(hass, terminals)).config["fields"]["name"]
    offered = name["selector"].config["options"]
    assert len(offered) == people.REMEMBERED_STRANGERS
    assert offered[0] == "Visitor 01"


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([{"name": "  ", "person": "person.aiko"}], "name_empty"),
        ([AIKO_IS, {"name": "Aiko Aoyama ", "person": "person.bruno"}], "name_twice"),
    ],
)
async def test_errors(
    hass: HomeAssistant, home: MockConfigEntry, answers: list[Any], error: str
) -> None:
    """An answer that cannot stand is said, is still there, and can be mended."""
    form = await dialog(hass, home)
    again = await choose(hass, form, people=answers)
    assert again["errors"] == {"people": error}
    (field,) = again["data_schema"].schema
    assert field.description == {"suggested_value": answers}
    done = await choose(hass, again, people=[AIKO_IS])
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert home.options == {"people": [AIKO_IS]}

    form = await dialog(hass, home)
    (field,) = form["data_schema"].schema
    assert field.description == {"suggested_value": [AIKO_IS]}


async def test_single_answer(hass: HomeAssistant, home: MockConfigEntry) -> None:
    """One answer that does not come in a list is taken, too; one without a name not."""
    await choose(hass, await dialog(hass, home), people=AIKO_IS)
    assert home.options == {"people": [AIKO_IS]}
    form = await dialog(hass, home)
    with pytest.raises(InvalidData):
        await choose(hass, form, people=[{"person": "person.aiko"}])
    with pytest.raises(InvalidData):
        await choose(hass, form, people=[{"name": "Aiko", "person": "light.aiko"}])


async def test_reconfiguring_keeps_people(
    hass: HomeAssistant, server: SenseLink, terminals: MockConfigEntry
) -> None:
    """Other settings can be changed without meeting everybody anew."""
    form = await dialog(hass, terminals)
    await choose(hass, form, photos=False, people=[AIKO_IS])
    form = await terminals.start_reconfigure_flow(hass)
    done = await hass.config_entries.flow.async_configure(
        form["flow_id"],
        {
            "delivery": "websocket",
            "host": "127.0.0.1",
            "port": terminals.data["port"],
            "tls": False,
            "verify_tls": True,
            "photos": True,
            "web_url": server.url,
        },
    )
    assert done["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert terminals.options == {"photos": True, "people": [AIKO_IS]}


async def test_dialog_in_the_browser(
    hass: HomeAssistant, home: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """The browser is told all that it needs to show a list of pairs."""
    assert await async_setup_component(hass, "config", {})
    client = await hass_client()
    async with client.post(
        "/api/config/config_entries/options/flow", json={"handler": home.entry_id}
    ) as reply:
        (field,) = (await reply.json())["data_schema"]
    assert field["name"] == "people"
    shown = field["selector"]["object"]
    assert shown["multiple"]
    assert (shown["label_field"], shown["description_field"]) == ("name", "person")
    assert list(shown["fields"]) == ["name", "person"]
    assert "text" in shown["fields"]["name"]["selector"]
    assert shown["fields"]["person"]["selector"]["entity"]["domain"] == ["person"]


async def test_fields_are_named(hass: HomeAssistant, home: MockConfigEntry) -> None:
    """Each field of an answer is named and described."""
    texts = await async_get_translations(hass, "en", "selector", [DOMAIN])
    config = selector_in(await dialog(hass, home)).config
    for field in config["fields"]:
        for part in ("name", "description"):
            key = f"{config['translation_key']}.fields.{field}.{part}"
            assert f"component.gatehouse.selector.{key}" in texts


# --- Persons who change


@pytest.fixture
async def known(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, station: Ipac
) -> MockConfigEntry:
    """Return an entry that knows two persons of the registry."""
    for name in ("aiko", "bruno"):
        entity_registry.async_get_or_create(
            "person", "person", name, suggested_object_id=name
        )
    entry = ipac_entry(station, options={"people": [AIKO_IS, BRUNO_IS]})
    await set_up(hass, entry)
    return entry


async def test_renamed_person(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, known: MockConfigEntry
) -> None:
    """A person whose entity is renamed stays the same person."""
    hub = known.runtime_data
    entity_registry.async_update_entity("person.aiko", name="Aiko A.")
    await hass.async_block_till_done()
    assert known.runtime_data is hub
    entity_registry.async_update_entity("person.aiko", new_entity_id="person.boss")
    await hass.async_block_till_done()
    assert known.options == {"people": [AIKO_IS | {"person": "person.boss"}, BRUNO_IS]}
    assert known.runtime_data is not hub
    # The new name is followed as well as the old one was.
    entity_registry.async_update_entity("person.boss", new_entity_id="person.aiko")
    await hass.async_block_till_done()
    assert known.options == {"people": [AIKO_IS, BRUNO_IS]}


async def test_removed_person(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, known: MockConfigEntry
) -> None:
    """Nobody stands for a person who is no more."""
    entity_registry.async_remove("person.aiko")
    await hass.async_block_till_done()
    assert known.options == {"people": [BRUNO_IS]}


async def test_persons_change_while_an_entry_is_not_running(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, known: MockConfigEntry
) -> None:
    """An entry whose station is away, or that is disabled, could not learn of it later."""
    assert await hass.config_entries.async_unload(known.entry_id)
    entity_registry.async_update_entity("person.aiko", new_entity_id="person.boss")
    # Quicker than any reload.
    entity_registry.async_update_entity("person.boss", new_entity_id="person.chief")
    entity_registry.async_remove("person.bruno")
    await hass.async_block_till_done()
    assert known.options == {"people": [AIKO_IS | {"person": "person.chief"}]}
    assert known.state is ConfigEntryState.NOT_LOADED


async def test_diagnostics(
    hass: HomeAssistant, known: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """Diagnostics tell nothing of people."""
    found = await entry_diagnostics(hass, hass_client, known)
    assert found["options"] == {"people": "**REDACTED**"}
    assert "aiko" not in str(found).casefold()
