"""The address that faces the internet."""

import asyncio
import json

import aiohttp
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.gatehouse import inbound
from custom_components.gatehouse.vendors.tellicon.hub import TelliconHub
from custom_components.gatehouse.vendors.tellicon.view import TelliconView
from homeassistant.components.http import ban
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from simulators.tellicon import Tellicon, Unit

from ...conftest import Devices
from .conftest import TOKEN

UNIT = Unit(505, 121, 1001)


@pytest.fixture
async def entry(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Have Home Assistant count failed logins."""
    assert await async_setup_component(
        hass, "http", {"http": {"login_attempts_threshold": 100}}
    )
    return entry


@pytest.fixture(autouse=True)
async def nothing_left(
    hass: HomeAssistant,
    tellicon: Tellicon,
    devices: Devices,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After every test: no trace of what was refused, and the next good event works."""
    yield
    await hass.async_block_till_done()
    assert not devices()
    assert not hass.states.async_all("event")
    assert TOKEN not in caplog.text
    assert (await tellicon.ring(UNIT)).status == 200
    await hass.async_block_till_done()
    assert len(hass.states.async_all("event")) == 4


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authTokenTellicon": ""},
        {"authTokenTellicon": TOKEN[:-1]},
        {"authTokenTellicon": TOKEN.upper()},
        {"authTokenTellicon": "não"},
    ],
)
async def test_wrong_token(
    hass: HomeAssistant, served_at: str, headers: dict[str, str]
) -> None:
    """A wrong token is refused and counts as a failed login."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{served_at}/eventTellicon", data=b"{}", headers=headers
        ) as reply,
    ):
        assert reply.status == 401
        assert await reply.json() == {"message": "wrong or no token"}
    attempts = hass.http.app[ban.KEY_FAILED_LOGIN_ATTEMPTS]
    assert sum(attempts.values()) == 1


async def test_token_comes_before_body(served_at: str) -> None:
    """A sender without the token is refused before it has sent a body."""
    url = URL(served_at)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        b"POST /eventTellicon HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    )
    assert (await reader.readline()).split()[1] == b"401"
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b"[" * 3000 + b"]" * 3000, 400, "not JSON"),
        (b'{"eventTellicon":{"type":"pushCall","client":NaN}}', 400, "not JSON"),
        (b"[]", 400, "not an object"),
        (b'{"eventTellicon":{"type":"openDoor","client":1}}', 400, "unknown type"),
        (
            b'{"type":"pushCall","client":1,"apt":1,"eventDateTime":"soon"}',
            400,
            "time is not a whole number",
        ),
        (b" " * (inbound.MAX_BODY + 1), 413, "body too large"),
    ],
)
async def test_bad_body(
    tellicon: Tellicon, body: bytes, status: int, message: str
) -> None:
    """A bad body gets a clear answer."""
    reply = await tellicon.send_raw(body)
    assert (reply.status, json.loads(reply.body)) == (status, {"message": message})


async def test_final_slash(tellicon: Tellicon, served_at: str) -> None:
    """The address may have been entered with a slash at its end."""
    tellicon.url = f"{served_at}/eventTellicon/"
    assert (await tellicon.send_raw(b"{")).status == 400


async def test_body_without_end(served_at: str) -> None:
    """A body that does not say how long it is, is read up to the limit."""

    async def endless() -> bytes:
        while True:
            yield b" " * 8192

    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{served_at}/eventTellicon",
            data=endless(),
            headers={"authTokenTellicon": TOKEN},
        ) as reply,
    ):
        assert reply.status == 413


async def test_slow_body(served_at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come is not waited for."""
    monkeypatch.setattr(inbound, "BODY_TIMEOUT", 0.01)
    url = URL(served_at)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        b"POST /eventTellicon HTTP/1.1\r\nHost: x\r\nauthTokenTellicon: "
        + TOKEN.encode()
        + b"\r\nContent-Length: 1000\r\n\r\n"
    )
    assert (await reader.readline()).split()[1] == b"408"
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "rest",
    [
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    ],
)
async def test_broken_transfer(served_at: str, rest: bytes) -> None:
    """A body that breaks the rules of HTTP is the sender's fault."""
    url = URL(served_at)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        b"POST /eventTellicon HTTP/1.1\r\nHost: x\r\nauthTokenTellicon: "
        + TOKEN.encode()
        + b"\r\n"
        + rest
    )
    assert (await reader.readline()).split()[1] == b"400"
    writer.close()
    await writer.wait_closed()


async def test_account_not_running(
    hass: HomeAssistant, tellicon: Tellicon, account: MockConfigEntry
) -> None:
    """Who has the token of an account that is not running is told to come again.

    It must not count as a failed login, for that could ban Tellicon.
    """
    await hass.config_entries.async_unload(account.entry_id)
    assert (await tellicon.ring(UNIT)).status == 503
    assert not sum(hass.http.app[ban.KEY_FAILED_LOGIN_ATTEMPTS].values())
    await hass.config_entries.async_setup(account.entry_id)


async def test_ring_during_reload(
    hass: HomeAssistant,
    tellicon: Tellicon,
    account: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who rings while the account is being reloaded is told once it is there again."""
    reached, go_on = asyncio.Event(), asyncio.Event()
    start = TelliconHub.async_start

    async def start_slowly(hub: TelliconHub) -> None:
        reached.set()
        await go_on.wait()
        await start(hub)

    monkeypatch.setattr(TelliconHub, "async_start", start_slowly)
    reloading = hass.async_create_task(
        hass.config_entries.async_reload(account.entry_id)
    )
    await reached.wait()
    ringing = hass.async_create_task(tellicon.ring(Unit(7, 7, 7)))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not ringing.done()
    go_on.set()
    assert (await ringing).status == 200
    await reloading
    await hass.async_block_till_done()
    state = hass.states.get("event.unit_7_7_7_doorbell")
    assert state.attributes["event_type"] == "ring"
    await hass.config_entries.async_remove(account.entry_id)
    await hass.config_entries.async_add(
        MockConfigEntry(
            domain=account.domain, data=dict(account.data), title=account.title
        )
    )


async def test_many_during_reload(
    hass: HomeAssistant,
    tellicon: Tellicon,
    account: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of those who ring during a reload only so many are kept waiting."""
    monkeypatch.setattr(inbound, "RELOAD_TIMEOUT", 3600)
    monkeypatch.setattr(inbound, "MAX_WAITING", 1)
    hub = account.runtime_data
    hub.leave_address()
    async with account.setup_lock:
        rings = {hass.async_create_task(tellicon.ring(UNIT)) for _ in range(3)}
        refused, waiting = set(), rings
        while len(waiting) > 1:
            done, waiting = await asyncio.wait(
                waiting, return_when=asyncio.FIRST_COMPLETED
            )
            refused |= done
        assert [ring.result().status for ring in refused] == [503, 503]
    await asyncio.wait(waiting)
    hub.address = TelliconView.attach(hub.hass, hub)


async def test_reload_that_does_not_end(
    tellicon: Tellicon, account: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender is not kept waiting for ever."""
    monkeypatch.setattr(inbound, "RELOAD_TIMEOUT", 0.01)
    hub = account.runtime_data
    hub.leave_address()
    async with account.setup_lock:
        assert (await tellicon.ring(UNIT)).status == 503
    hub.address = TelliconView.attach(hub.hass, hub)
