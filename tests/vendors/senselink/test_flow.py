"""Setting SenseLink up, changing it, and its page."""

import asyncio
from typing import Any
from unittest.mock import Mock

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    start_reauth_flow,
)

from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.vendors.senselink import client, flow
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.network import NoURLAvailableError
from simulators.senselink import SenseLink

from ...conftest import until
from ..conftest import shown
from .conftest import (
    ACCESS,
    APP_KEY,
    APP_SECRET,
    PHOTO,
    SECRET,
    SetUp,
    Told,
    make_entry,
)

OTHER_KEY = "ffeeddccbbaa9988"
OTHER_SECRET = "fedcba9876543210fedcba9876543210"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up soon on a server that does not answer."""
    monkeypatch.setattr(client, "PACE", client.Pace(connect=2, greeting=2))


def answers(server: SenseLink, **changes: Any) -> dict[str, Any]:
    """Return what a user types for a server; what is None is left empty."""
    host, port = server.host.split(":")
    return {
        key: value
        for key, value in (
            {
                "delivery": "websocket",
                "host": host,
                "port": int(port),
                "app_key": APP_KEY,
                "app_secret": APP_SECRET,
                "tls": False,
                "verify_tls": True,
                "photos": False,
            }
            | changes
        ).items()
        if value is not None
    }


async def form(hass: HomeAssistant) -> ConfigFlowResult:
    """Return SenseLink's form, reached through the menu."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert "senselink" in menu["menu_options"]
    return await hass.config_entries.flow.async_configure(
        menu["flow_id"], {"next_step_id": "senselink"}
    )


async def send(
    hass: HomeAssistant, shown: ConfigFlowResult, answers: dict[str, Any]
) -> ConfigFlowResult:
    """Send a form."""
    result = await hass.config_entries.flow.async_configure(shown["flow_id"], answers)
    await hass.async_block_till_done()
    return result


async def test_defaults(hass: HomeAssistant) -> None:
    """The form is filled in as the manual has it."""
    shown = await form(hass)
    assert shown["step_id"] == "senselink"
    assert shown["data_schema"]({}) == {
        "delivery": "websocket",
        "port": 9000,
        "tls": False,
        "verify_tls": True,
        "photos": False,
    }


async def test_websocket(hass: HomeAssistant, server: SenseLink) -> None:
    """A server that accepts the key is set up, with no page to show."""
    created = await send(hass, await form(hass), answers(server))
    host, port = server.host.split(":")
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert created["title"] == f"SenseLink {host}"
    assert created["data"] == {
        "vendor": "senselink",
        "delivery": "websocket",
        "host": host,
        "port": int(port),
        "app_key": APP_KEY,
        "app_secret": APP_SECRET,
        "tls": False,
        "verify_tls": True,
    }
    assert created["options"] == {"photos": False}
    assert created["result"].unique_id == f"senselink:{host}:{port}"
    assert created["result"].state is ConfigEntryState.LOADED
    # One to prove it, one to listen at.
    await until(lambda: len(server.connections) == 1)
    assert len(server.attempts) == 2


async def test_photos(hass: HomeAssistant, server: SenseLink, told: Told) -> None:
    """Photos begin as the form says, and the address of theirs is taken."""
    created = await send(
        hass,
        await form(hass),
        answers(server, photos=True, web_url=f" {server.url}/ "),
    )
    assert created["options"] == {"photos": True}
    assert created["data"]["web_url"] == server.url
    await server.recognise(photo=True)
    await until(lambda: told(ACCESS))
    await until(lambda: shown(hass, PHOTO) not in (None, "unknown"))


@pytest.mark.parametrize("field", ["host", "app_key", "app_secret"])
@pytest.mark.parametrize("empty", [None, "", " "])
async def test_needed_for_websocket(
    hass: HomeAssistant, server: SenseLink, field: str, empty: str | None
) -> None:
    """The websocket needs host and key; the form can be sent again."""
    shown = await form(hass)
    again = await send(hass, shown, answers(server, **{field: empty}))
    assert again["errors"] == {field: "needed_for_websocket"}
    created = await send(hass, shown, answers(server))
    assert created["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        ("app_key", "invalid_auth"),
        ("sign", "invalid_auth"),
        ("timestamp", "invalid_auth"),
        ("forbidden", "invalid_auth"),
        ("close", "cannot_connect"),
    ],
)
@pytest.mark.parametrize("closes", [True, False])
async def test_refused(
    hass: HomeAssistant, server: SenseLink, refusal: str, error: str, closes: bool
) -> None:
    """An open websocket is no proof: the key must be accepted."""
    server.refuse = refusal
    server.closes_refused = closes
    shown = await form(hass)
    again = await send(hass, shown, answers(server))
    assert again["errors"] == {"base": error}
    await until(lambda: not server._open)
    server.refuse = None
    created = await send(hass, shown, answers(server))
    assert created["type"] is FlowResultType.CREATE_ENTRY


async def test_wrong_secret(hass: HomeAssistant, server: SenseLink) -> None:
    """A key whose secret is another is refused as the server does it."""
    shown = await form(hass)
    again = await send(hass, shown, answers(server, app_secret=OTHER_SECRET))
    assert again["errors"] == {"base": "invalid_auth"}
    created = await send(hass, shown, answers(server))
    assert created["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("impatient")
async def test_no_greeting(hass: HomeAssistant, server: SenseLink) -> None:
    """A server that says nothing, or nothing of this kind, is not SenseLink."""
    server.greeting = None
    shown = await form(hass)
    again = await send(hass, shown, answers(server))
    assert again["errors"] == {"base": "timeout"}
    sending = hass.async_create_task(send(hass, shown, answers(server)))
    await until(lambda: server.connections)
    await server.push_raw("Welcome to the chat")
    assert (await sending)["errors"] == {"base": "unexpected_reply"}
    sending = hass.async_create_task(send(hass, shown, answers(server)))
    await until(lambda: server.connections)
    await server.push_raw('{"code": 20003, "desc": "too many clients"}')
    await server.drop(abort=False)
    assert (await sending)["errors"] == {"base": "unexpected_reply"}
    server.greeting = " Connected!"
    created = await send(hass, shown, answers(server))
    assert created["type"] is FlowResultType.CREATE_ENTRY


async def test_nobody_there(hass: HomeAssistant, server: SenseLink) -> None:
    """A refused connection is told from a wrong answer."""
    await server.stop()
    shown = await form(hass)
    again = await send(hass, shown, answers(server))
    assert again["errors"] == {"base": "cannot_connect"}
    await server.start()
    created = await send(hass, shown, answers(server))
    assert created["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, "unexpected_reply"),
        (302, "unexpected_reply"),
        (401, "invalid_auth"),
        (404, "unexpected_reply"),
        (502, "cannot_connect"),
    ],
)
async def test_other_server(
    hass: HomeAssistant, server: SenseLink, status: int, error: str
) -> None:
    """Something that answers, but not with a websocket."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    shown = await form(hass)
    async with TestServer(make_app(answer)) as other:
        again = await send(hass, shown, answers(server, port=other.port))
    assert again["errors"] == {"base": error}
    created = await send(hass, shown, answers(server))
    assert created["type"] is FlowResultType.CREATE_ENTRY


def make_app(answer: Handler) -> web.Application:
    """Return an application that answers everything in the same way."""
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    return app


@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.usefixtures("impatient")
async def test_no_web_server(
    hass: HomeAssistant, server: SenseLink, silent: bool
) -> None:
    """Something that does not even speak HTTP."""

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if silent:
            await reader.read()
        else:
            writer.write(b"220 Invented mail server\r\n")
        writer.close()

    other = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    shown = await form(hass)
    again = await send(hass, shown, answers(server, port=port))
    assert again["errors"] == {"base": "timeout" if silent else "unexpected_reply"}
    other.close()
    await other.wait_closed()
    created = await send(hass, shown, answers(server))
    assert created["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("host", "a b", "invalid_host"),
        ("host", "host/path", "invalid_host"),
        ("host", "user@host", "invalid_host"),
        ("web_url", "192.0.2.1", "invalid_url"),
        ("web_url", "ftp://192.0.2.1", "invalid_url"),
        ("web_url", "http://", "invalid_url"),
        ("web_url", "http://user:secret@192.0.2.1", "invalid_url"),
        ("web_url", "http://192.0.2.1/?a=b", "invalid_url"),
        ("web_url", "http://192.0.2.1/#a", "invalid_url"),
        ("web_url", "http://[", "invalid_url"),
    ],
)
async def test_bad_address(
    hass: HomeAssistant, server: SenseLink, field: str, value: str, error: str
) -> None:
    """What is no address is refused before anything is sent."""
    shown = await form(hass)
    again = await send(hass, shown, answers(server, **{field: value}))
    assert again["errors"] == {field: error}
    assert not server.attempts
    created = await send(hass, shown, answers(server))
    assert created["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("192.0.2.1", 9000),
        (" SenseLink.example.com ", 9000),
        ("http://192.0.2.1/", 9000),
        ("https://192.0.2.1:8888", 8888),
        ("HTTPS://192.0.2.1:443", 443),
        ("192.0.2.1:5051", 5051),
        ("fd00::1", 9000),
        ("[fd00::1]:80", 80),
    ],
)
def test_spellings(host: str, port: int) -> None:
    """An address is written in one way, and a port in it is meant."""
    cleaned = flow.SenseLinkFlow().clean({"host": host, "port": 9000.0, "tls": False})
    assert cleaned["port"] == port
    assert cleaned["tls"] is host.lower().startswith("https://")
    assert isinstance(cleaned["port"], int)
    assert cleaned["host"] in ("192.0.2.1", "senselink.example.com", "fd00::1")


async def test_duplicate(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry
) -> None:
    """A server is set up once, by whatever delivery."""
    for delivery in ("websocket", "subscription"):
        aborted = await send(hass, await form(hass), answers(server, delivery=delivery))
        assert aborted["type"] is FlowResultType.ABORT
        assert aborted["reason"] == "already_configured"


SUBSCRIPTION = {
    "delivery": "subscription",
    "port": 9000,
    "tls": False,
    "verify_tls": True,
    "photos": False,
}


async def test_subscription(hass: HomeAssistant) -> None:
    """A subscription needs nothing but the page that shows its address."""
    await async_process_ha_core_config(hass, {"internal_url": "http://192.0.2.5:8123"})
    page = await send(hass, await form(hass), SUBSCRIPTION)
    assert page["step_id"] == "senselink_page"
    url = page["description_placeholders"]["url"]
    prefix = "http://192.0.2.5:8123/api/gatehouse/senselink/"
    assert url.startswith(prefix)
    assert set(page["description_placeholders"]) == {"url"}
    created = await send(hass, page, {})
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert created["title"] == "SenseLink"
    secret = created["data"]["secret"]
    assert url == prefix + secret
    assert len(secret) == 32
    assert created["result"].state is ConfigEntryState.LOADED
    # Another one has another address.
    page = await send(hass, await form(hass), SUBSCRIPTION)
    assert secret not in page["description_placeholders"]["url"]
    created = await send(hass, page, {})
    assert created["type"] is FlowResultType.CREATE_ENTRY


async def test_no_address(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Home Assistant does not know its address, the page shows the path."""
    monkeypatch.setattr(flow, "get_url", Mock(side_effect=NoURLAvailableError))
    page = await send(hass, await form(hass), SUBSCRIPTION)
    assert page["description_placeholders"]["url"].startswith("/api/gatehouse/")


async def test_needed_for_photos(hass: HomeAssistant) -> None:
    """Photos must be fetched from somewhere."""
    shown = await form(hass)
    again = await send(hass, shown, SUBSCRIPTION | {"photos": True})
    assert again["errors"] == {"host": "needed_for_photos"}
    page = await send(
        hass, shown, SUBSCRIPTION | {"photos": True, "web_url": "https://192.0.2.1/s"}
    )
    assert page["step_id"] == "senselink_page"
    created = await send(hass, page, {})
    assert created["data"]["web_url"] == "https://192.0.2.1/s"


async def test_option_needs_what_photos_need(
    hass: HomeAssistant, server: SenseLink, set_up: SetUp
) -> None:
    """What could not be fetched from anywhere is not promised."""
    entry = make_entry(
        server, delivery="subscription", secret=SECRET, host=None, web_url=None
    )
    await set_up(entry)
    options = await hass.config_entries.options.async_init(entry.entry_id)
    again = await hass.config_entries.options.async_configure(
        options["flow_id"], {"photos": True}
    )
    assert again["errors"] == {"photos": "needed_for_photos"}
    assert entry.options == {"photos": False}
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "web_url": server.url}
    )
    await hass.config_entries.options.async_configure(
        options["flow_id"], {"photos": True}
    )
    await hass.async_block_till_done()
    assert entry.options == {"photos": True}


async def test_reconfigure(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry
) -> None:
    """All can be changed; the key is not shown, and may stay. The entry starts once."""
    states: list[ConfigEntryState] = []
    home.async_on_state_change(lambda: states.append(home.state))
    shown = await home.start_reconfigure_flow(hass)
    assert shown["step_id"] == "senselink_reconfigure"
    assert APP_SECRET not in str(shown["data_schema"].schema)
    suggested = {
        str(key): key.description["suggested_value"]
        for key in shown["data_schema"].schema
        if key.description
    }
    assert suggested == {
        "delivery": "websocket",
        "host": "127.0.0.1",
        "port": home.data["port"],
        "tls": False,
        "verify_tls": True,
        "photos": False,
        "web_url": server.url,
    }
    done = await send(
        hass,
        shown,
        answers(server, app_key=None, app_secret=None, photos=True, web_url=None),
    )
    assert done["reason"] == "reconfigure_successful"
    assert home.data["app_key"] == APP_KEY
    assert home.data["app_secret"] == APP_SECRET
    assert "web_url" not in home.data
    assert home.options == {"photos": True}
    await hass.async_block_till_done()
    assert home.state is ConfigEntryState.LOADED
    assert states.count(ConfigEntryState.LOADED) == 1


async def test_reconfigure_refused(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry
) -> None:
    """A wrong key is noticed, and the present one stays."""
    shown = await home.start_reconfigure_flow(hass)
    again = await send(hass, shown, answers(server, app_key=OTHER_KEY))
    assert again["errors"] == {"base": "invalid_auth"}
    assert home.data["app_key"] == APP_KEY
    server.app_key = OTHER_KEY
    done = await send(hass, shown, answers(server, app_key=OTHER_KEY))
    assert done["reason"] == "reconfigure_successful"
    assert home.data["app_key"] == OTHER_KEY


async def test_reconfigure_to_another_entrys_server(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry
) -> None:
    """Two entries do not come to share a server."""
    other = make_entry(server, entry_id="other", delivery="subscription", secret=SECRET)
    other.add_to_hass(hass)
    hass.config_entries.async_update_entry(other, unique_id="senselink:192.0.2.1:9000")
    shown = await other.start_reconfigure_flow(hass)
    aborted = await send(hass, shown, answers(server))
    assert aborted["reason"] == "already_configured"


async def test_address_survives(
    hass: HomeAssistant, server: SenseLink, subscription: MockConfigEntry
) -> None:
    """The address stays the same, whatever else is changed in between."""
    for delivery in ("subscription", "websocket", "subscription"):
        result = await send(
            hass,
            await subscription.start_reconfigure_flow(hass),
            answers(server, delivery=delivery, app_key=None, app_secret=None),
        )
        if result["type"] is FlowResultType.FORM:
            assert result["step_id"] == "senselink_page"
            assert result["description_placeholders"]["url"].endswith(f"/{SECRET}")
            result = await send(hass, result, {})
        assert result["reason"] == "reconfigure_successful"
        assert subscription.data["secret"] == SECRET
        assert subscription.data["delivery"] == delivery
        assert subscription.data["app_key"] == APP_KEY


async def test_reauth(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry
) -> None:
    """Another key is proven before it is kept, and the entry is started with it once."""
    states: list[ConfigEntryState] = []
    home.async_on_state_change(lambda: states.append(home.state))
    server.app_key, server.app_secret = OTHER_KEY, OTHER_SECRET
    shown = await start_reauth_flow(hass, home)
    assert shown["step_id"] == "senselink_reauth"
    assert shown["description_placeholders"] == {"name": "SenseLink"}
    assert {str(key) for key in shown["data_schema"].schema} == {
        "app_key",
        "app_secret",
    }
    again = await send(hass, shown, {"app_key": OTHER_KEY, "app_secret": APP_SECRET})
    assert again["errors"] == {"base": "invalid_auth"}
    done = await send(
        hass, shown, {"app_key": f" {OTHER_KEY} ", "app_secret": OTHER_SECRET}
    )
    assert done["reason"] == "reauth_successful"
    assert (home.data["app_key"], home.data["app_secret"]) == (OTHER_KEY, OTHER_SECRET)
    await hass.async_block_till_done()
    assert home.state is ConfigEntryState.LOADED
    assert states.count(ConfigEntryState.LOADED) == 1


@pytest.mark.parametrize("key", [APP_KEY, OTHER_KEY])
async def test_reauth_after_a_failed_start(
    hass: HomeAssistant, server: SenseLink, entry: MockConfigEntry, key: str
) -> None:
    """An entry that was refused starts with the key, be it a new one or the same."""
    server.refuse = "app_key"
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (refused,) = hass.config_entries.flow.async_progress()
    server.refuse, server.app_key = None, key
    done = await send(hass, refused, {"app_key": key, "app_secret": APP_SECRET})
    assert done["reason"] == "reauth_successful"
    assert entry.state is ConfigEntryState.LOADED
    assert not hass.config_entries.flow.async_progress()


async def test_reauth_with_the_same_key(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry
) -> None:
    """A key that is accepted once more is used at once, without the long wait."""
    server.refuse = "timestamp"
    await server.drop()
    await until(hass.config_entries.flow.async_progress)
    (refused,) = hass.config_entries.flow.async_progress()
    server.refuse = None
    done = await send(hass, refused, {"app_key": APP_KEY, "app_secret": APP_SECRET})
    assert done["reason"] == "reauth_successful"
    assert home.state is ConfigEntryState.LOADED
    assert len(server.connections) == 1


@pytest.mark.parametrize("refused", [True, False])
async def test_reconfigure_after_a_failed_start(
    hass: HomeAssistant, server: SenseLink, entry: MockConfigEntry, refused: bool
) -> None:
    """An entry that could not start does so with what has been proven."""
    if refused:
        server.refuse = "app_key"
    else:
        await server.stop()
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    server.refuse = None
    await server.start()
    shown = await entry.start_reconfigure_flow(hass)
    done = await send(hass, shown, answers(server, web_url=server.url))
    assert done["reason"] == "reconfigure_successful"
    assert entry.state is ConfigEntryState.LOADED


async def test_reconfigure_without_host(
    hass: HomeAssistant, server: SenseLink, subscription: MockConfigEntry
) -> None:
    """A server that an entry names no longer can be set up by another."""
    shown = await subscription.start_reconfigure_flow(hass)
    changed = answers(server, delivery="subscription", host=None)
    page = await send(hass, shown, changed)
    assert (await send(hass, page, {}))["reason"] == "reconfigure_successful"
    done = await send(hass, await form(hass), answers(server))
    assert done["type"] is FlowResultType.CREATE_ENTRY
