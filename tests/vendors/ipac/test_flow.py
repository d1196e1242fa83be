"""Setting a station up, changing it, its doors and its named codes."""

from typing import Any
from unittest.mock import Mock

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    start_reauth_flow,
)

from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.vendors.ipac import flow
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.network import NoURLAvailableError
from simulators.ipac import Fault, Ipac

from ..conftest import shown
from .conftest import CLEANER, CODE, DOOR, PASSWORD, SECRET, TOKEN, connect

DOOR_ANSWERS = {"name": "Side door", "relay": "2", "code": "2222", "open_time": 7}


async def form(hass: HomeAssistant) -> ConfigFlowResult:
    """Return the station's form, reached through the menu."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert "ipac" in menu["menu_options"]
    return await hass.config_entries.flow.async_configure(
        menu["flow_id"], {"next_step_id": "ipac"}
    )


async def answer(
    hass: HomeAssistant, shown_form: ConfigFlowResult, answers: dict[str, Any]
) -> ConfigFlowResult:
    """Fill in a form; what is not given has its default."""
    return await hass.config_entries.flow.async_configure(
        shown_form["flow_id"], shown_form["data_schema"](answers)
    )


def suggested(shown_form: ConfigFlowResult) -> dict[str, Any]:
    """Return what a form is filled with before its user types."""
    return {
        str(marker): marker.description["suggested_value"]
        for marker in shown_form["data_schema"].schema
        if "suggested_value" in (marker.description or {})
    }


async def test_set_up(hass: HomeAssistant, station: Ipac) -> None:
    """The station is asked for the harmless call, and the page says what to type."""
    await async_process_ha_core_config(hass, {"internal_url": "http://192.0.2.10:8123"})
    shown_form = await form(hass)
    assert shown_form["step_id"] == "ipac"
    page = await answer(
        hass,
        shown_form,
        {"host": f" http://{station.host}/ ", "password": PASSWORD},
    )
    assert page["step_id"] == "ipac_page"
    (proof,) = {
        (request.path, tuple(request.fields.items())) for request in station.requests
    }
    assert proof == ("/api/audio/", (("type", "wav"), ("data", "stop")))
    told = page["description_placeholders"]
    assert told["uri"] == "http://192.0.2.10:8123"
    assert told["path"].startswith("/api/gatehouse/asm/")
    assert told["path"].endswith("/")
    assert len(told["path"]) > 50
    created = await hass.config_entries.flow.async_configure(page["flow_id"], {})
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert created["title"] == f"IPAC {station.host}"
    data = created["data"]
    assert f"/api/gatehouse/asm/{data['asm_secret']}/" == told["path"]
    assert data["asm_token"] == told["token"]
    assert {key: data[key] for key in data if not key.startswith("asm_")} == {
        "vendor": "ipac",
        "host": station.host,
        "username": "admin",
        "password": PASSWORD,
        "auth": "digest",
        "tls": False,
        "verify_tls": False,
    }
    assert created["result"].state is ConfigEntryState.LOADED


async def test_no_address(
    hass: HomeAssistant, station: Ipac, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is shown also where Home Assistant does not know its own address."""
    monkeypatch.setattr(flow, "get_url", Mock(side_effect=NoURLAvailableError))
    page = await answer(
        hass, await form(hass), {"host": station.host, "password": PASSWORD}
    )
    assert page["description_placeholders"]["uri"] == ""


@pytest.mark.parametrize("prefix", ["", "https://", "HTTPS://"])
async def test_tls(hass: HomeAssistant, socket_enabled: None, prefix: str) -> None:
    """A self-signed certificate is taken."""
    async with Ipac(tls=True) as station:
        page = await answer(
            hass,
            await form(hass),
            {"host": prefix + station.host, "password": "admin", "tls": not prefix},
        )
        created = await hass.config_entries.flow.async_configure(page["flow_id"], {})
        assert created["data"]["tls"] is True
        assert created["data"]["host"] == station.host


async def test_verified_tls(hass: HomeAssistant, socket_enabled: None) -> None:
    """It is not taken if certificates are to be verified."""
    # The server in the same loop sees a connection that breaks.
    hass.loop.set_exception_handler(lambda *_: None)
    async with Ipac(tls=True) as station:
        shown_form = await form(hass)
        answers = {"host": station.host, "password": "admin", "tls": True}
        again = await answer(hass, shown_form, answers | {"verify_tls": True})
        assert again["errors"] == {"base": "cannot_connect"}
        page = await answer(hass, shown_form, answers)
        created = await hass.config_entries.flow.async_configure(page["flow_id"], {})
        assert created["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.reset(acted=False), "cannot_connect"),
        (Fault.code(401), "invalid_auth"),
        (Fault.code(403), "unexpected_reply"),
        (Fault.reply(b"<html>", status=404), "unexpected_reply"),
        (Fault.reply(b"", status=301), "unexpected_reply"),
        (
            Fault.reply(b"\n<!DOCTYPE html>", content_type="text/html"),
            "unexpected_reply",
        ),
    ],
)
async def test_errors(
    hass: HomeAssistant, station: Ipac, fault: Fault, error: str
) -> None:
    """What goes wrong is said in the form, which can be sent again."""
    station.inject("/api/audio/", fault)
    shown_form = await form(hass)
    answers = {"host": station.host, "password": PASSWORD}
    again = await answer(hass, shown_form, answers)
    assert again["errors"] == {"base": error}
    page = await answer(hass, shown_form, answers)
    created = await hass.config_entries.flow.async_configure(page["flow_id"], {})
    assert created["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"password": "wrong"}, {"base": "invalid_auth"}),
        ({"host": "not a host"}, {"host": "invalid_host"}),
        ({"host": "192.0.2.1/path"}, {"host": "invalid_host"}),
        ({"username": "ad:min"}, {"username": "invalid_username"}),
    ],
)
async def test_wrong_answers(
    hass: HomeAssistant,
    station: Ipac,
    wrong: dict[str, str],
    errors: dict[str, str],
) -> None:
    """Answers that cannot stand are told at their field."""
    shown_form = await form(hass)
    answers = {"host": station.host, "password": PASSWORD}
    again = await answer(hass, shown_form, answers | wrong)
    assert again["errors"] == errors
    page = await answer(hass, shown_form, answers)
    created = await hass.config_entries.flow.async_configure(page["flow_id"], {})
    assert created["type"] is FlowResultType.CREATE_ENTRY


async def test_duplicate(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry
) -> None:
    """A station is set up once."""
    aborted = await answer(
        hass, await form(hass), {"host": f"{station.host}", "password": PASSWORD}
    )
    assert aborted["reason"] == "already_configured"


async def test_reconfigure(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry
) -> None:
    """Changes keep the password if it is left empty, and what the station was told."""
    station.auth = "basic"
    shown_form = await home.start_reconfigure_flow(hass)
    assert shown_form["step_id"] == "ipac_reconfigure"
    assert PASSWORD not in suggested(shown_form).values()
    page = await answer(hass, shown_form, {"host": station.host, "auth": "basic"})
    assert page["description_placeholders"]["path"] == f"/api/gatehouse/asm/{SECRET}/"
    assert page["description_placeholders"]["token"] == TOKEN
    done = await hass.config_entries.flow.async_configure(page["flow_id"], {})
    await hass.async_block_till_done()
    assert done["reason"] == "reconfigure_successful"
    assert home.data["auth"] == "basic"
    assert home.data["password"] == PASSWORD
    assert home.state is ConfigEntryState.LOADED


async def test_reconfigure_after_a_failed_start(
    hass: HomeAssistant, station: Ipac, entry: MockConfigEntry
) -> None:
    """A station that could not be reached is, as soon as its new address is known."""
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "host": "127.0.0.1:9"}
    )
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    page = await answer(
        hass, await entry.start_reconfigure_flow(hass), {"host": station.host}
    )
    done = await hass.config_entries.flow.async_configure(page["flow_id"], {})
    await hass.async_block_till_done()
    assert done["reason"] == "reconfigure_successful"
    assert entry.state is ConfigEntryState.LOADED


async def test_page_again(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry
) -> None:
    """Who changes nothing sees the page also while the station does not answer."""
    await station.stop()
    shown_form = await home.start_reconfigure_flow(hass)
    page = await answer(hass, shown_form, {"host": station.host})
    assert page["step_id"] == "ipac_page"
    await station.start()


async def test_reauth_after_a_failed_start(
    hass: HomeAssistant, station: Ipac, entry: MockConfigEntry
) -> None:
    """A station that has refused the login is there with the right one."""
    station.password = "new"
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    (refused,) = hass.config_entries.flow.async_progress()
    done = await hass.config_entries.flow.async_configure(
        refused["flow_id"], {"username": "admin", "password": "new"}
    )
    await hass.async_block_till_done()
    assert done["reason"] == "reauth_successful"
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("username", [None, "operator"])
async def test_reauth(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry, username: str | None
) -> None:
    """The present login is asked for until it is the right one."""
    station.password = "new"
    station.username = username or "admin"
    shown_form = await start_reauth_flow(hass, home)
    assert shown_form["step_id"] == "ipac_reauth"
    assert shown_form["description_placeholders"]["name"] == "IPAC"
    assert suggested(shown_form) == {"username": "admin"}
    typed = {"username": "typed", "password": "wrong"}
    again = await answer(hass, shown_form, typed)
    assert again["errors"] == {"base": "invalid_auth"}
    assert suggested(again) == typed
    answers = {"password": "new"} | ({"username": username} if username else {})
    done = await answer(hass, shown_form, answers)
    await hass.async_block_till_done()
    assert done["reason"] == "reauth_successful"
    assert home.data["password"] == "new"
    assert home.data["username"] == station.username
    assert home.data["asm_secret"] == SECRET
    assert home.state is ConfigEntryState.LOADED


# --- Doors and codes


async def add(hass: HomeAssistant, entry: MockConfigEntry, kind: str) -> Any:
    """Return the form of a new sub-entry."""
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, kind), context={"source": SOURCE_USER}
    )


async def fill(hass: HomeAssistant, shown_form: Any, answers: dict[str, Any]) -> Any:
    """Fill in the form of a sub-entry."""
    return await hass.config_entries.subentries.async_configure(
        shown_form["flow_id"], shown_form["data_schema"](answers)
    )


async def test_door(hass: HomeAssistant, home: MockConfigEntry, station: Ipac) -> None:
    """A relay becomes a door."""
    created = await fill(hass, await add(hass, home, "relay"), DOOR_ANSWERS)
    assert created["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert shown(hass, "lock.side_door_door") == "locked"
    # Setting a door up has opened none.
    assert station.relays[2].openings == 0


@pytest.mark.parametrize("code", ["", " ", "12 34", "1234;1", "é", "1" * 17, "1234\n5"])
async def test_bad_door_code(
    hass: HomeAssistant, home: MockConfigEntry, code: str
) -> None:
    """A code that no keypad has is refused."""
    shown_form = await add(hass, home, "relay")
    again = await fill(hass, shown_form, DOOR_ANSWERS | {"code": code})
    assert again["errors"] == {"code": "invalid_code"}
    created = await fill(hass, shown_form, DOOR_ANSWERS)
    assert created["type"] is FlowResultType.CREATE_ENTRY


async def test_relay_twice(hass: HomeAssistant, home: MockConfigEntry) -> None:
    """A relay is one door, also after a change."""
    aborted = await fill(
        hass, await add(hass, home, "relay"), DOOR_ANSWERS | {"relay": "1"}
    )
    assert aborted["reason"] == "already_configured"
    await fill(hass, await add(hass, home, "relay"), DOOR_ANSWERS)
    await hass.async_block_till_done()
    (side,) = (
        subentry
        for subentry in home.subentries.values()
        if subentry.title == "Side door"
    )
    shown_form = await home.start_subentry_reconfigure_flow(hass, side.subentry_id)
    aborted = await fill(hass, shown_form, DOOR_ANSWERS | {"relay": "1"})
    assert aborted["reason"] == "already_configured"


async def test_change_door(
    hass: HomeAssistant, home: MockConfigEntry, station: Ipac
) -> None:
    """The code of a door is kept if it is left empty, and not shown."""
    (door,) = (
        subentry
        for subentry in home.subentries.values()
        if subentry.subentry_type == "relay"
    )
    shown_form = await home.start_subentry_reconfigure_flow(hass, door.subentry_id)
    assert not any(
        (marker.description or {}).get("suggested_value") == CODE
        for marker in shown_form["data_schema"].schema
    )
    done = await fill(hass, shown_form, {"name": "Gate", "relay": "1", "open_time": 9})
    await hass.async_block_till_done()
    assert done["reason"] == "reconfigure_successful"
    changed = home.subentries[door.subentry_id]
    assert changed.title == "Gate"
    assert dict(changed.data) == {"relay": "1", "code": CODE, "open_time": 9}
    assert shown(hass, DOOR) == "locked"


async def test_named_code(hass: HomeAssistant, home: MockConfigEntry) -> None:
    """A code has one name, and a name has one code."""
    shown_form = await add(hass, home, "keypad_code")
    for code, error in ((CLEANER, "code_has_name"), ("x y", "invalid_code")):
        again = await fill(hass, shown_form, {"name": "Postman", "code": code})
        assert again["errors"] == {"code": error}
    created = await fill(hass, shown_form, {"name": "Postman", "code": "0815"})
    assert created["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    (cleaner,) = (
        subentry for subentry in home.subentries.values() if subentry.title == "Cleaner"
    )
    shown_form = await home.start_subentry_reconfigure_flow(hass, cleaner.subentry_id)
    done = await fill(hass, shown_form, {"name": "Cleaners"})
    assert done["reason"] == "reconfigure_successful"
    assert home.subentries[cleaner.subentry_id].data["code"] == CLEANER


# --- A repair that asks


async def test_replaced_station(
    hass: HomeAssistant,
    asm: Ipac,
    served_at: str,
    home: MockConfigEntry,
    issue_registry: ir.IssueRegistry,
) -> None:
    """The repair flow lets another station take the place of the first."""
    await asm.notify()
    async with Ipac(object_id="another one") as other:
        connect(other, served_at)
        assert (await other.notify()).fields == {"message": "unkown_objectid"}
        (issue,) = issue_registry.issues.values()
        started = await start_repair(hass, issue)
        assert started["description_placeholders"]["object_id"] == "another one"
        done = await hass.data["repairs"]["flow_manager"].async_configure(
            started["flow_id"], {}
        )
        assert done["type"] is FlowResultType.CREATE_ENTRY
        await other.notify()
        assert (await other.notify()).status == 200
    assert not issue_registry.issues


async def start_repair(hass: HomeAssistant, issue: ir.IssueEntry) -> Any:
    """Open a repair as the user does."""
    return await hass.data["repairs"]["flow_manager"].async_init(
        issue.domain, data={"issue_id": issue.issue_id}
    )
