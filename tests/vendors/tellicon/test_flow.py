"""Setting Tellicon up, changing it, and its units."""

from typing import Any
from unittest.mock import Mock

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    start_reauth_flow,
)

from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.vendors.tellicon import flow
from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.network import NoURLAvailableError
from simulators.tellicon import Tellicon, Unit

from ...conftest import Devices
from .conftest import TOKEN

OTHER_TOKEN = "another-token-of-24-char"
UNIT = {"name": "Ana's flat", "client": "505", "building": "121", "apt": "1001"}


async def form(hass: HomeAssistant) -> ConfigFlowResult:
    """Return Tellicon's form, reached through the menu."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert menu["type"] is FlowResultType.MENU
    assert "tellicon" in menu["menu_options"]
    return await hass.config_entries.flow.async_configure(
        menu["flow_id"], {"next_step_id": "tellicon"}
    )


async def test_set_up(hass: HomeAssistant) -> None:
    """The offered token is taken, and the page shows what to type at Tellicon."""
    await async_process_ha_core_config(
        hass, {"external_url": "https://doors.example.org"}
    )
    shown = await form(hass)
    assert shown["step_id"] == "tellicon"
    answers = shown["data_schema"]({})
    assert len(answers["token"]) == 24
    page = await hass.config_entries.flow.async_configure(shown["flow_id"], answers)
    assert page["step_id"] == "tellicon_page"
    assert page["description_placeholders"] == {
        "url": "https://doors.example.org/eventTellicon",
        "header": "authTokenTellicon",
        "token": answers["token"],
    }
    created = await hass.config_entries.flow.async_configure(page["flow_id"], {})
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert created["title"] == "Tellicon"
    assert created["data"] == {"vendor": "tellicon", "token": answers["token"]}


@pytest.mark.parametrize(
    "token", ["", "short", TOKEN + "x", "cafécafécafécafécafécafé", "a" * 23 + "\t"]
)
async def test_bad_token(hass: HomeAssistant, token: str) -> None:
    """A token that Tellicon cannot send is refused; a good one then goes through."""
    shown = await form(hass)
    again = await hass.config_entries.flow.async_configure(
        shown["flow_id"], {"token": token}
    )
    assert again["errors"] == {"token": "invalid_token"}
    page = await hass.config_entries.flow.async_configure(
        shown["flow_id"], {"token": f" {TOKEN} "}
    )
    created = await hass.config_entries.flow.async_configure(page["flow_id"], {})
    assert created["data"]["token"] == TOKEN


async def test_duplicate(hass: HomeAssistant, account: MockConfigEntry) -> None:
    """No two accounts share a token."""
    for token in (TOKEN, f" {TOKEN} "):
        shown = await form(hass)
        aborted = await hass.config_entries.flow.async_configure(
            shown["flow_id"], {"token": token}
        )
        assert aborted["type"] is FlowResultType.ABORT
        assert aborted["reason"] == "already_configured"


async def test_reauth_with_the_token_of_another(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    """Nor do they come to share one by re-authentication."""
    other = MockConfigEntry(
        domain=DOMAIN, data={"vendor": "tellicon", "token": OTHER_TOKEN}
    )
    other.add_to_hass(hass)
    shown = await start_reauth_flow(hass, account)
    aborted = await hass.config_entries.flow.async_configure(
        shown["flow_id"], {"token": OTHER_TOKEN}
    )
    assert aborted["reason"] == "already_configured"
    assert account.data["token"] == TOKEN


async def test_no_address(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Home Assistant does not know its address, the page shows the path."""
    monkeypatch.setattr(flow, "get_url", Mock(side_effect=NoURLAvailableError))
    shown = await form(hass)
    page = await hass.config_entries.flow.async_configure(
        shown["flow_id"], {"token": TOKEN}
    )
    assert page["description_placeholders"]["url"] == "/eventTellicon"


async def reconfigure(
    hass: HomeAssistant, entry: MockConfigEntry, answers: dict[str, Any]
) -> dict[str, str]:
    """Go through the form and the page again; return what the page showed."""
    shown = await entry.start_reconfigure_flow(hass)
    assert shown["step_id"] == "tellicon_reconfigure"
    assert TOKEN not in str(shown)
    page = await hass.config_entries.flow.async_configure(shown["flow_id"], answers)
    assert page["step_id"] == "tellicon_page"
    done = await hass.config_entries.flow.async_configure(page["flow_id"], {})
    assert done["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    return page["description_placeholders"]


async def test_reconfigure_shows_the_page_again(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    """An empty token keeps the present one."""
    assert (await reconfigure(hass, account, {}))["token"] == TOKEN
    assert account.data["token"] == TOKEN


async def test_reconfigure(
    hass: HomeAssistant, account: MockConfigEntry, tellicon: Tellicon
) -> None:
    """A new token counts at once, the old one no more."""
    await reconfigure(hass, account, {"token": OTHER_TOKEN})
    assert (await tellicon.ring(Unit(1, 1, 1))).status == 401
    async with Tellicon(tellicon.url, OTHER_TOKEN) as sender:
        assert (await sender.ring(Unit(1, 1, 1))).status == 200


async def test_reauth(hass: HomeAssistant, account: MockConfigEntry) -> None:
    """Another token can be entered where re-authentication is asked for."""
    shown = await start_reauth_flow(hass, account)
    assert shown["step_id"] == "tellicon_reauth"
    assert shown["description_placeholders"]["name"] == "Tellicon"
    again = await hass.config_entries.flow.async_configure(
        shown["flow_id"], {"token": "short"}
    )
    assert again["errors"] == {"token": "invalid_token"}
    done = await hass.config_entries.flow.async_configure(
        shown["flow_id"], {"token": OTHER_TOKEN}
    )
    assert done["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert account.data["token"] == OTHER_TOKEN


async def add_unit(
    hass: HomeAssistant, account: MockConfigEntry, answers: dict[str, str]
) -> Any:
    """Add a unit on the integration's card."""
    shown = await hass.config_entries.subentries.async_init(
        (account.entry_id, "unit"), context={"source": SOURCE_USER}
    )
    assert shown["step_id"] == "user"
    result = await hass.config_entries.subentries.async_configure(
        shown["flow_id"], answers
    )
    await hass.async_block_till_done()
    return result


async def test_unit(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tellicon: Tellicon,
    devices: Devices,
) -> None:
    """A unit is a device with the name it was given, before its first event."""
    result = await add_unit(hass, account, UNIT)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert hass.states.get("event.ana_s_flat_doorbell") is not None
    await tellicon.ring(Unit(505, 121, 1001))
    await hass.async_block_till_done()
    state = hass.states.get("event.ana_s_flat_doorbell")
    assert state.attributes["unit"] == "505/121/1001"
    assert len(devices()) == 2


@pytest.mark.parametrize("name", ["x" * 300, "門" * 100, "Ünïcode 門 / <b>"])
async def test_any_name(
    hass: HomeAssistant,
    account: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    name: str,
) -> None:
    """A long name leaves room for those of the entities, however ids spell it."""
    result = await add_unit(hass, account, UNIT | {"name": f" {name}\t"})
    assert result["title"] == name
    entities = er.async_entries_for_config_entry(entity_registry, account.entry_id)
    assert len(entities) == 6
    for entity in entities:
        assert hass.states.get(entity.entity_id) is not None
        assert entity.entity_id.endswith(entity.translation_key)


async def test_unit_errors(hass: HomeAssistant, account: MockConfigEntry) -> None:
    """Codes that no event can have are refused; a unit is added once."""
    again = await add_unit(hass, account, UNIT | {"apt": "10/01"})
    assert again["errors"] == {"apt": "invalid_code"}
    done = await hass.config_entries.subentries.async_configure(again["flow_id"], UNIT)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    aborted = await add_unit(hass, account, UNIT | {"name": "Again"})
    assert aborted["reason"] == "already_configured"


async def test_unit_takes_over_what_was_found(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tellicon: Tellicon,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
) -> None:
    """A unit that came by itself keeps its entities when it is given a name."""
    await tellicon.ring(Unit(505, 121, 1001))
    await hass.async_block_till_done()
    entity_registry.async_update_entity(
        "event.unit_505_121_1001_doorbell", new_entity_id="event.mine"
    )
    await hass.async_block_till_done()
    await add_unit(hass, account, UNIT)
    subentry_id = next(iter(account.subentries))
    entity = entity_registry.async_get("event.mine")
    assert entity.config_subentry_id == subentry_id
    device = device_registry.async_get(entity.device_id)
    assert device.config_subentry_id == subentry_id
    assert device.name == "Ana's flat"
    await tellicon.answer(Unit(505, 121, 1001))
    await hass.async_block_till_done()
    assert hass.states.get("event.mine").attributes["event_type"] == "answered"


async def test_reconfigure_unit(
    hass: HomeAssistant, account: MockConfigEntry, devices: Devices
) -> None:
    """A unit's name and codes can be changed; the device of the old codes goes."""
    await add_unit(hass, account, UNIT)
    subentry_id = next(iter(account.subentries))
    shown = await account.start_subentry_reconfigure_flow(hass, subentry_id)
    assert shown["step_id"] == "reconfigure"
    done = await hass.config_entries.subentries.async_configure(
        shown["flow_id"], UNIT | {"name": "Bo's flat", "apt": "1002"}
    )
    assert done["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    names = {device.name for device in devices()}
    assert names == {"Tellicon 505", "Bo's flat"}


async def test_listed(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tellicon: Tellicon,
    devices: Devices,
) -> None:
    """In `listed` mode only named units are devices; the account hears of all."""
    await add_unit(hass, account, UNIT)
    await tellicon.ring(Unit(505, 121, 1002))
    await hass.async_block_till_done()
    assert len(devices()) == 3

    assert account.supports_options
    shown = await hass.config_entries.options.async_init(account.entry_id)
    assert shown["step_id"] == "init"
    await hass.config_entries.options.async_configure(
        shown["flow_id"], {"units": "listed"}
    )
    await hass.async_block_till_done()
    assert len(devices()) == 2
    await tellicon.ring(Unit(505, 121, 1003))
    await hass.async_block_till_done()
    assert len(devices()) == 2
    state = hass.states.get("event.tellicon_505_doorbell")
    assert state.attributes["unit"] == "505/121/1003"


async def test_unknown_error(
    hass: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A fault of ours is said in the form and logged; the form can be sent again."""
    shown = await form(hass)
    with monkeypatch.context() as patch:
        patch.setattr(flow, "_valid_token", None)
        again = await hass.config_entries.flow.async_configure(
            shown["flow_id"], {"token": TOKEN}
        )
    assert again["errors"] == {"base": "unknown"}
    assert "Unexpected error in the config flow" in caplog.text
    page = await hass.config_entries.flow.async_configure(
        shown["flow_id"], {"token": TOKEN}
    )
    assert page["step_id"] == "tellicon_page"
