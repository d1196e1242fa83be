"""The neighbourhood: its control server, and its command line."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
import os
from pathlib import Path
import signal
import sys
import time
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from simulators import senselink_neighbour, tellicon_neighbour
from simulators.__main__ import main, parse, run
from simulators.innovaphone import Innovaphone
from simulators.innovaphone_login import login_digest
from simulators.innovaphone_neighbour import InnovaphoneNeighbour
from simulators.ipac import Ipac
from simulators.ipac_neighbour import IpacNeighbour, fault_from as ipac_fault_from
from simulators.neighbour import BadInput, Input
from simulators.senselink import SenseLink
from simulators.senselink_frames import sign
from simulators.senselink_neighbour import SenseLinkNeighbour
from simulators.street import Street
from simulators.tellicon_neighbour import TelliconNeighbour
from simulators.the_keys import Delays, Fault, Gateway
from simulators.the_keys_neighbour import TheKeysNeighbour, fault_from

from .conftest import Curl

ROOT = Path(__file__).parents[2]
TOKEN = "invented-token-of-24-chr"
FRONT = 10000001
UNIT = {"client": 505, "building": 121, "apt": 1001}

type Act = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    """Return the neighbourhood on free ports."""
    async with Street(
        [
            TheKeysNeighbour(port=0, delays="none"),
            TelliconNeighbour(),
            IpacNeighbour(port=0),
            SenseLinkNeighbour(port=0),
            InnovaphoneNeighbour(port=0),
        ],
        port=0,
    ) as street:
        yield street


@pytest.fixture
def gateway(street: Street) -> Gateway:
    """Return the gateway in the neighbourhood."""
    neighbour = street.neighbours["the_keys"]
    assert isinstance(neighbour, TheKeysNeighbour)
    return neighbour.gateway


@pytest.fixture
def station(street: Street) -> Ipac:
    """Return the door station in the neighbourhood."""
    neighbour = street.neighbours["ipac"]
    assert isinstance(neighbour, IpacNeighbour)
    return neighbour.station


@pytest.fixture
def senselink(street: Street) -> SenseLink:
    """Return the server of face terminals in the neighbourhood."""
    neighbour = street.neighbours["senselink"]
    assert isinstance(neighbour, SenseLinkNeighbour)
    return neighbour.server


@pytest.fixture
def innovaphone(street: Street) -> Innovaphone:
    """Return the Devices service in the neighbourhood."""
    neighbour = street.neighbours["innovaphone"]
    assert isinstance(neighbour, InnovaphoneNeighbour)
    return neighbour.service


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a browser."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def act(street: Street, session: aiohttp.ClientSession) -> Act:
    """Return what asks a stand-in for something: status and answer."""

    async def act(path: str, /, **fields: object) -> tuple[int, Any]:
        async with session.post(f"{street.url}/api/{path}", json=fields) as response:
            return response.status, await response.json()

    return act


@pytest.fixture
async def home() -> AsyncIterator[tuple[str, list[Any]]]:
    """Return the address of a Home Assistant, and the events that it receives."""
    events: list[Any] = []

    async def accept(request: web.Request) -> web.Response:
        if request.headers.get("authTokenTellicon") != TOKEN:
            return web.Response(status=401)
        events.append((await request.json())["eventTellicon"])
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/eventTellicon", accept)])
    async with TestServer(app) as server:
        yield str(server.make_url("/eventTellicon")), events


async def test_page(street: Street, session: aiohttp.ClientSession) -> None:
    """The page is there, and asks nobody else for anything."""
    async with session.get(f"{street.url}/") as response:
        assert response.content_type == "text/html"
        page = await response.text()
    assert "<title>The neighbourhood</title>" in page
    assert "https://" not in page
    assert street.url in street.describe()


async def test_state(street: Street, session: aiohttp.ClientSession) -> None:
    """The state names the locks and their codes."""
    async with session.get(f"{street.url}/api/state") as response:
        state = await response.json()
    assert [
        (lock["identifier"], lock["name"], lock["share_code"], lock["battery"])
        for lock in state["the_keys"]["locks"]
    ] == [
        (FRONT, "Front door", "demoShareCode001", 7783),
        (10000002, "Side gate", "demoShareCode002", 7235),
    ]
    assert state["the_keys"]["up"] is True
    assert state["tellicon"] == {
        "url": None,
        "every": None,
        "dialect": "B",
        "sent": 0,
        "last": None,
    }


async def test_the_keys(act: Act, gateway: Gateway) -> None:
    """A passer-by turns bolts, pulls plugs and empties batteries."""
    for identifier in (FRONT, str(FRONT)):
        assert await act("the_keys/turn", identifier=identifier, state="unlocked") == (
            200,
            {},
        )
        assert gateway.locks[FRONT].state == 50
        await act("the_keys/turn", identifier=identifier, state="locked")
        assert gateway.locks[FRONT].state == 49
    host = gateway.host
    assert (await act("the_keys/link", up=False))[0] == 200
    assert not gateway.running
    await act("the_keys/link", up=True)
    assert gateway.running
    assert gateway.host == host
    await act("the_keys/clock", valid=False)
    assert not gateway.clock_valid
    await act("the_keys/battery", identifier=FRONT, millivolts=6500)
    assert gateway.locks[FRONT].battery == 6500


async def test_the_keys_fault(
    act: Act, gateway: Gateway, session: aiohttp.ClientSession
) -> None:
    """A passer-by lets requests fail."""
    assert await act("the_keys/fault", path="/lockers", fault="busy", times=2) == (
        200,
        {},
    )
    for code in (500, 500, None):
        async with session.get(f"http://{gateway.host}/lockers") as response:
            assert (await response.json()).get("code") == code


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"fault": "code", "code": 37}, Fault.code(37)),
        ({"fault": "code", "code": 37, "cause": "jam"}, Fault.code(37, "jam")),
        ({"fault": "busy"}, Fault.busy()),
        ({"fault": "empty"}, Fault.empty()),
        ({"fault": "reset"}, Fault.reset(acted=False)),
        ({"fault": "hang", "acted": True}, Fault.hang(acted=True)),
        (
            {"fault": "reply", "body": "?", "status": 404, "acted": True},
            Fault.reply(b"?", status=404, acted=True),
        ),
        ({"fault": "trickle", "seconds_per_byte": 0.5}, Fault.trickle(0.5)),
    ],
)
def test_faults(fields: dict[str, Any], fault: Fault) -> None:
    """Every fault can be named."""
    assert fault_from(Input(fields)) == fault


@pytest.mark.parametrize(
    ("path", "fields", "text"),
    [
        ("the_keys/turn", {}, "identifier is missing"),
        ("the_keys/turn", {"identifier": True}, "identifier must be a number"),
        ("the_keys/turn", {"identifier": 1}, "identifier must be one of 10000001, "),
        ("the_keys/turn", {"identifier": FRONT, "state": "ajar"}, "locked, unlocked"),
        ("the_keys/link", {"up": "yes"}, "up must be true or false"),
        ("the_keys/clock", {}, "valid is missing"),
        (
            "the_keys/battery",
            {"identifier": FRONT, "millivolts": -1},
            "millivolts must be a whole number",
        ),
        ("the_keys/fault", {"path": "/nowhere"}, "path must be one of /, /status"),
        ("the_keys/fault", {"path": "/open", "fault": "fire"}, "fault must be one of"),
        ("the_keys/fault", {"path": "/open", "fault": "code"}, "code is missing"),
        (
            "the_keys/fault",
            {"path": "/open", "fault": "busy", "times": 1001},
            "1000 or less",
        ),
        (
            "the_keys/fault",
            {"path": "/open", "fault": "reply", "body": "?", "status": 99},
            "status must be between",
        ),
        (
            "the_keys/fault",
            {"path": "/open", "fault": "trickle", "seconds_per_byte": 0},
            "seconds above zero",
        ),
        ("tellicon/ring", UNIT, "set a target first"),
        ("tellicon/target", {"url": 1}, "url must be a text"),
        ("tellicon/target", {"url": "ftp://x/", "token": "x"}, "http or https"),
        ("tellicon/target", {"url": "http://[", "token": "x"}, "http or https"),
        ("tellicon/target", {"url": "http://x", "token": "é"}, "plain ASCII"),
        (
            "tellicon/target",
            {"url": "http://x", "token": "x", "every": 0},
            "seconds above zero",
        ),
    ],
)
async def test_bad_input(
    act: Act, path: str, fields: dict[str, Any], text: str
) -> None:
    """Bad input is refused with a text that says why."""
    status, told = await act(path, **fields)
    assert status == 400
    assert text in told["error"]


async def test_no_object() -> None:
    """Fields come in an object."""
    with pytest.raises(BadInput, match="object"):
        Input([])


@pytest.mark.parametrize(
    ("path", "body", "content_type", "status"),
    [
        ("the_keys/clock", "{", "application/json", 400),
        ("the_keys/clock", "[" * 100_000, "application/json", 400),
        ("the_keys/clock", "[]", "application/json", 400),
        # What a page of another site could send without being asked back.
        ("the_keys/clock", '{"valid":false}', "text/plain", 400),
        ("the_keys/nothing", "{}", "application/json", 404),
        ("nobody/clock", "{}", "application/json", 404),
    ],
)
async def test_bad_requests(
    street: Street,
    session: aiohttp.ClientSession,
    gateway: Gateway,
    path: str,
    body: str,
    content_type: str,
    status: int,
) -> None:
    """Requests that are none are refused."""
    async with session.post(
        f"{street.url}/api/{path}", data=body, headers={"Content-Type": content_type}
    ) as response:
        assert response.status == status
        assert (await response.json())["error"]
    assert gateway.clock_valid


async def test_tellicon(street: Street, act: Act, home: tuple[str, list[Any]]) -> None:
    """Calls go to Home Assistant, and its answers come back."""
    url, events = home
    assert await act("tellicon/target", url=url, token=TOKEN) == (200, {})
    assert await act("tellicon/ring", **UNIT) == (200, {"status": 200})
    assert events[-1]["type"] == "pushCall"
    await act("tellicon/answer", **UNIT, duration=3)
    assert events[-1]["callDurationTime"] == 3
    await act("tellicon/dtmf", **UNIT, command="#9")
    assert events[-1]["dtmfCommand"] == "#9"
    await act("tellicon/ring", client=505, dialect="D")
    assert (events[-1]["tipo"], "bloco" in events[-1]) == ("pushCall", False)
    status, told = await act("tellicon/answer", **UNIT, dialect="A")
    assert (status, told["error"]) == (400, "dialect A knows pushCall only")
    state = street.neighbours["tellicon"].state()
    assert (state["url"], state["every"], state["sent"]) == (url, None, 4)
    assert state["last"]["event"] == "ring"
    assert TOKEN not in str(state)
    assert url in street.describe()


async def test_tellicon_faults(act: Act, home: tuple[str, list[Any]]) -> None:
    """What should be refused can be sent from the page too."""
    url, events = home
    await act("tellicon/target", url=url, token=TOKEN)
    assert (await act("tellicon/fault", fault="repetition"))[0] == 400
    assert await act("tellicon/fault", fault="no_token") == (200, {"status": 401})
    await act("tellicon/ring", **UNIT)
    assert await act("tellicon/fault", fault="repetition") == (200, {"status": 200})
    assert events[0] == events[1]


async def test_unreachable(
    act: Act,
    street: Street,
    home: tuple[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A Home Assistant that does not answer is told."""
    await act("tellicon/target", url="http://127.0.0.1:1/eventTellicon", token=TOKEN)
    status, told = await act("tellicon/ring", **UNIT)
    assert status == 502
    assert "did not answer" in told["error"]
    assert street.neighbours["tellicon"].state()["last"]["status"] is None
    monkeypatch.setattr(tellicon_neighbour, "TIMEOUT", 0)
    await act("tellicon/target", url=home[0], token=TOKEN)
    status, told = await act("tellicon/ring", **UNIT)
    assert (status, told["error"]) == (502, f"{home[0]} did not answer: timeout")


async def test_visitor(
    act: Act,
    street: Street,
    home: tuple[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A visitor rings every so often, is answered and let in, until told to stop."""
    url, events = home
    monkeypatch.setattr(tellicon_neighbour, "ANSWERED", 1)
    monkeypatch.setattr(tellicon_neighbour, "LET_IN", 1)
    await act("tellicon/target", url=url, token=TOKEN, every=0.01)
    state = street.neighbours["tellicon"].state
    assert state()["every"] == 0.01
    async with asyncio.timeout(60):
        while len(events) < 3:
            await asyncio.sleep(0.005)
    assert [event["type"] for event in events[:3]] == [
        "pushCall",
        "dtmfCommand",
        "answerCall",
    ]
    monkeypatch.setattr(tellicon_neighbour, "ANSWERED", 0)
    async with asyncio.timeout(60):
        while [event["type"] for event in events[-2:]] != ["pushCall"] * 2:
            await asyncio.sleep(0.005)
    await act("tellicon/target", url=url, token=TOKEN, every=None)
    assert state()["every"] is None
    sent = len(events)
    await asyncio.sleep(0.03)
    assert len(events) == sent


async def test_visitor_before_a_closed_door(
    home: tuple[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A visitor comes back though nobody answered."""
    monkeypatch.setattr(tellicon_neighbour, "LET_IN", 0)
    monkeypatch.setattr(tellicon_neighbour, "ANSWERED", 1)
    async with TelliconNeighbour(home[0], TOKEN, every=0.01) as neighbour:
        monkeypatch.setattr(tellicon_neighbour, "TIMEOUT", 0)
        async with asyncio.timeout(60):
            while not capsys.readouterr().out:
                await asyncio.sleep(0.005)
        monkeypatch.setattr(tellicon_neighbour, "TIMEOUT", 5)
        async with asyncio.timeout(60):
            while len(home[1]) < 2:
                await asyncio.sleep(0.005)
        assert [event["type"] for event in home[1][:2]] == ["pushCall", "answerCall"]
        assert neighbour.state()["every"] == 0.01


@pytest.fixture
async def asm() -> AsyncIterator[tuple[str, list[tuple[str, Any]]]]:
    """Return the address of an ASM server, and what it receives."""
    received: list[tuple[str, Any]] = []

    async def accept(request: web.Request) -> web.Response:
        received.append((request.match_info["endpoint"], await request.json()))
        return web.json_response({"message": "taken"})

    app = web.Application()
    app.add_routes([web.post("/asm/{endpoint}/", accept)])
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/"), received


async def test_ipac(
    act: Act,
    street: Street,
    station: Ipac,
    asm: tuple[str, list[tuple[str, Any]]],
) -> None:
    """A visitor comes to the door station, which tells its server."""
    state = street.neighbours["ipac"].state
    uri, received = asm
    assert (state()["asm"], state()["last_notify"]) == (None, None)
    assert await act("ipac/ring") == (200, {})
    assert state()["call"]["number"] == "sip:192.0.2.23"
    assert await act("ipac/hang_up") == (200, {})
    assert await act("ipac/asm", uri=uri, path="/asm/", token="invented", every=9) == (
        200,
        {"status": 200},
    )
    assert received[0][0] == "notify"
    assert (received[0][1]["token"], state()["led"]) == ("invented", "green")
    assert await act("ipac/incoming", number="sip:192.0.2.9") == (200, {"status": 200})
    assert state()["call"] == {
        "direction": "incoming",
        "number": "sip:192.0.2.9",
        "answered": False,
    }
    await act("ipac/hang_up")
    await act("ipac/type_code", code="1234")
    await act("ipac/open", relay=2)
    assert [body.get("value") for _, body in received[1:]] == [
        "incoming:sip:192.0.2.9",
        "incoming:sip:192.0.2.9",
        "1234",
        "1234;1",
        ";2",
    ]
    assert all(relay["active"] for relay in state()["relays"])
    await act("ipac/restart")
    assert [endpoint for endpoint, _ in received[-2:]] == ["event", "settings"]
    assert not any(relay["active"] for relay in state()["relays"])
    assert (state()["sent"], state()["last_notify"]["status"]) == (8, 200)
    assert "invented" not in str(state())
    await act("ipac/silent", silent=True)
    assert await act("ipac/ring") == (200, {})
    assert (state()["silent"], state()["asm"]["waiting"]) == (True, 1)
    host = station.host
    await act("ipac/link", up=False)
    assert not state()["up"]
    await act("ipac/link", up=True)
    assert (state()["up"], state()["host"]) == (True, host)


async def test_ipac_shows(
    act: Act, station: Ipac, street: Street, session: aiohttp.ClientSession
) -> None:
    """What was sent to the LCD and the loudspeaker can be seen on the page."""
    station.auth = "basic"
    state = street.neighbours["ipac"].state
    assert (state()["picture"], state()["sound"]) == (None, None)
    admin = {"Authorization": "Basic YWRtaW46YWRtaW4="}
    for size, shown in ((6, "data:image/gif;base64,R0lGODlh"), (512 * 1024 + 1, None)):
        data = base64.b64encode(b"GIF89a".ljust(size, b"\0")).decode()
        async with session.post(
            f"{station.url}/api/video/",
            json={"type": "img", "tempo": "60", "data": data},
            headers=admin,
        ) as response:
            assert response.status == 200
        assert state()["picture"] == {"size": size, "tempo": 60, "data": shown}
    silence = (
        b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x04\0\0\0\x04\0\0\0\x01\0\x08\0"
        b"data\x08\0\0\0\x80\x80\x80\x80\x80\x80\x80\x80"
    )
    async with session.post(
        f"{station.url}/api/audio/",
        json={"type": "wav", "loop": "9", "data": base64.b64encode(silence).decode()},
        headers=admin,
    ) as response:
        assert response.status == 200
    assert state()["sound"] == {
        "seconds": 2,
        "loop": 9,
        "channels": 1,
        "rate": 4,
        "bits": 8,
    }
    await act("ipac/fault", path="/api/audio/", fault="busy", times=2)
    for status in (480, 480, 200):
        async with session.post(
            f"{station.url}/api/audio/",
            data={"type": "wav", "data": "stop"},
            headers=admin,
        ) as response:
            assert response.status == status
    assert (state()["sound"], state()["last_sound"]) == (
        None,
        {"seconds": 2, "loop": 9, "channels": 1, "rate": 4, "bits": 8},
    )


async def test_ipac_relay(act: Act, station: Ipac) -> None:
    """What is not mentioned of a relay stays as it is."""
    await act("ipac/relay", relay=1, mode="pdl")
    await act("ipac/relay", relay="1", in_time_slot=False)
    relay = station.relays[1]
    assert (relay.mode, relay.in_time_slot, relay.remote) == ("pdl", False, True)
    await act("ipac/relay", relay=1, mode="normal", in_time_slot=True, remote=False)
    assert (relay.mode, relay.in_time_slot, relay.remote) == ("normal", True, False)
    assert (await act("ipac/relay", relay=1, mode="netcut", remote="no"))[0] == 400
    assert relay.mode == "normal"


async def test_ipac_unreachable(act: Act, station: Ipac) -> None:
    """An ASM server that does not answer is told; the deed is done all the same."""
    status, told = await act(
        "ipac/asm", uri="http://127.0.0.1:1", path="/asm/", token="x"
    )
    assert (status, told["error"]) == (502, "http://127.0.0.1:1 did not answer")
    assert (await act("ipac/ring"))[0] == 502
    assert station.call is not None


@pytest.mark.parametrize(
    ("action", "fields", "text"),
    [
        ("asm", {"uri": "x", "token": "x"}, "uri: the address must begin with http"),
        ("asm", {"uri": "http://[", "token": "x"}, "uri: "),
        ("asm", {"uri": "http://x", "path": "é", "token": "x"}, "path must begin"),
        ("asm", {"uri": "http://x"}, "token is missing"),
        ("type_code", {}, "code is missing"),
        ("open", {"relay": 3}, "relay must be 1 or 2"),
        ("relay", {"relay": 1, "mode": "ajar"}, "mode must be one of normal, pdl"),
        ("silent", {}, "silent is missing"),
        ("fault", {"path": "/api/"}, "path must be one of /api/remote/, "),
        ("fault", {"path": "/api/voip/", "fault": "fire"}, "fault must be one of"),
        ("fault", {"path": "/api/voip/", "fault": "code", "code": 1}, "between 200"),
        ("fault", {"path": "/api/voip/", "fault": "busy", "times": 1001}, "or less"),
    ],
)
async def test_ipac_bad_input(
    act: Act, action: str, fields: dict[str, Any], text: str
) -> None:
    """Bad input is refused with a text that says why."""
    status, told = await act(f"ipac/{action}", **fields)
    assert status == 400
    assert text in told["error"]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"fault": "code", "code": 503}, Fault.code(503)),
        ({"fault": "code", "code": 503, "cause": "jam"}, Fault.code(503, "jam")),
        ({"fault": "busy"}, Fault.busy()),
        ({"fault": "empty"}, Fault.empty()),
        ({"fault": "reset", "acted": True}, Fault.reset(acted=True)),
        ({"fault": "hang"}, Fault.hang(acted=False)),
        ({"fault": "reply", "body": "?", "status": 404}, Fault.reply(b"?", status=404)),
        ({"fault": "trickle", "seconds_per_byte": 0.5}, Fault.trickle(0.5)),
    ],
)
def test_ipac_faults(fields: dict[str, Any], fault: Fault) -> None:
    """Every fault can be named."""
    assert ipac_fault_from(Input(fields)) == fault


async def test_ipac_visitors(asm: tuple[str, list[tuple[str, Any]]]) -> None:
    """A visitor rings every so often and goes again, unless somebody calls."""
    uri, received = asm
    neighbour = IpacNeighbour(
        port=0,
        asm_uri=uri,
        asm_path="/asm/",
        asm_token="x",
        notify_every=0.01,
        every=0.001,
    )
    async with neighbour, asyncio.timeout(60):
        while len([body for _, body in received if "code" in body]) < 4:
            await asyncio.sleep(0.001)
        while neighbour.station.call is not None:
            await asyncio.sleep(0)
        await neighbour.station.receive_call()
        sent = len(received)
        while len(received) < sent + 2:
            await asyncio.sleep(0.001)
    assert {endpoint for endpoint, _ in received} == {"notify", "event"}
    codes = [body["code"] for _, body in received if "code" in body]
    assert codes[:4] == ["01", "FA", "01", "FA"]
    assert codes[-1] == "01"
    assert not neighbour.station.running


def linked(
    server: SenseLink, session: aiohttp.ClientSession
) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
    """Return a websocket to a server of face terminals."""
    timestamp = str(int(time.time() * 1000))
    return session.ws_connect(
        f"{server.url}/websocket/record/{server.app_key}/{timestamp}"
        f"/{sign(timestamp, server.app_secret)}"
    )


async def test_senselink(
    act: Act, street: Street, senselink: SenseLink, session: aiohttp.ClientSession
) -> None:
    """Somebody comes to a terminal, and the server tells of it."""
    state = street.neighbours["senselink"].state
    async with linked(senselink, session) as socket:
        assert (await socket.receive_json())["code"] == 20000

        async def hear() -> Any:
            return (await socket.receive_json(timeout=5))["data"]

        status, told = await act("senselink/recognise")
        data = await hear()
        assert (status, told) == (200, {"id": data["id"]})
        assert (data["name"], data["deviceName"]) == ("Aiko Aoyama", "Main entrance")
        assert (data["abnormalType"], data["entryMode"]) == (0, 1)
        assert data["signAvatar"] in senselink.pictures
        await act(
            "senselink/recognise",
            terminal=1,
            who="visitor",
            what="out_of_hours",
            mode="id_card",
        )
        data = await hear()
        assert (data["name"], data["deviceName"]) == ("Vera Visser", "Car park")
        assert (data["abnormalType"], data["entryMode"]) == (20002, 5)
        await act("senselink/recognise", who="stranger", what="hot")
        data = await hear()
        assert (data["userId"], data["bodyTemperature"]) == (0, 38.4)
        await act("senselink/recognise", who="bruno", what="no_mask")
        data = await hear()
        assert (data["abnormalType"], data["mask"]) == (50001, 1)
        assert state()["last"]["what"] == "Bruno Brück"
        await act("senselink/recognise", what="spoof")
        assert (await hear())["code"] == 20002
        assert (state()["pushed"], state()["links"]) == (5, 1)
        await act("senselink/repeat")
        assert (await hear())["code"] == 20002
        await act("senselink/drop", abort=False)
        assert (await socket.receive(timeout=5)).data == 1001
    assert state()["last"]["what"] == "Non-living attack"


async def test_senselink_alerts(act: Act, street: Street, senselink: SenseLink) -> None:
    """Alerts are raised, shown and released."""
    _, told = await act("senselink/alert", code=10002, terminal=1)
    state = street.neighbours["senselink"].state
    assert state()["alerts"] == [
        {
            "trace_id": told["trace_id"],
            "code": 10002,
            "description": "Door forced open",
            "terminal": "Car park",
            "status": "active",
        }
    ]
    status, again = await act("senselink/release", trace_id=told["trace_id"])
    assert (status, again) == (200, told)
    assert not state()["alerts"]
    assert not senselink.alerts


async def test_senselink_faults(
    act: Act, street: Street, senselink: SenseLink, session: aiohttp.ClientSession
) -> None:
    """Links break, fall silent and are refused."""
    state = street.neighbours["senselink"].state
    async with linked(senselink, session) as socket:
        await socket.receive()
        await act("senselink/quiet", on=True)
        assert state()["quiet"] is True
        await act("senselink/recognise")
        await act("senselink/quiet", on=False)
        await act("senselink/recognise", who="bruno")
        assert (await socket.receive_json(timeout=5))["data"]["name"] == "Bruno Brück"
        await act("senselink/drop")
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSED
    await act("senselink/refuse", how="app_key")
    assert state()["refuse"] == "app_key"
    async with linked(senselink, session) as socket:
        assert (await socket.receive_json(timeout=5))["code"] == 20002
    assert state()["refused"] == 1
    await act("senselink/refuse", how="none")
    assert senselink.refuse is None
    host = senselink.host
    await act("senselink/link", up=False)
    assert not state()["up"]
    await act("senselink/link", up=True)
    assert (state()["up"], state()["host"]) == (True, host)


async def test_senselink_subscription(
    act: Act, street: Street, senselink: SenseLink
) -> None:
    """Events are posted to whoever is set."""
    state = street.neighbours["senselink"].state
    assert state()["subscription"] is None
    app = web.Application()
    events: list[Any] = []

    async def accept(request: web.Request) -> web.Response:
        events.append(await request.json())
        return web.Response()

    app.add_routes([web.post("/", accept)])
    async with TestServer(app) as home:
        url = str(home.make_url("/"))
        await act("senselink/subscribe", url=url, alerts=False)
        await act("senselink/alert", code=20003)
        await act("senselink/recognise")
        assert [event["eventType"] for event in events] == [30000]
        assert state()["subscription"] == {
            "url": url,
            "status": "normal",
            "deliveries": 1,
        }
        await act("senselink/subscribe")
        assert senselink.subscription is None


@pytest.mark.parametrize(
    ("action", "fields", "text"),
    [
        ("recognise", {"terminal": 2}, "terminal must be below 2"),
        ("recognise", {"who": "nobody"}, "who must be one of aiko, bruno, "),
        ("recognise", {"what": "rain"}, "what must be one of ok, "),
        ("recognise", {"mode": "key"}, "mode must be one of face, "),
        ("alert", {"code": 1}, "code must be one of 10001, "),
        ("alert", {}, "code is missing"),
        ("release", {"trace_id": "?"}, "no such alert"),
        ("repeat", {}, "nothing has been pushed"),
        ("quiet", {}, "on is missing"),
        ("refuse", {"how": "rudely"}, "how must be one of none, app_key, "),
        ("subscribe", {"url": 1}, "url must be a text"),
    ],
)
async def test_senselink_bad_input(
    act: Act, action: str, fields: dict[str, Any], text: str
) -> None:
    """Bad input is refused with a text that says why."""
    status, told = await act(f"senselink/{action}", **fields)
    assert status == 400
    assert text in told["error"]


@pytest.mark.parametrize(
    ("strangers", "refused", "person", "abnormal"),
    [(0, 0, True, 0), (1, 0, False, 0), (0, 1, True, 20002)],
)
async def test_passers_by(
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    strangers: float,
    refused: float,
    person: bool,
    abnormal: int,
) -> None:
    """Somebody comes to a terminal every so often, if so wished."""
    monkeypatch.setattr(senselink_neighbour, "STRANGERS", strangers)
    monkeypatch.setattr(senselink_neighbour, "REFUSED", refused)
    neighbour = SenseLinkNeighbour(port=0, every=0.001, subscribe_url="http://[")
    async with neighbour, linked(neighbour.server, session) as socket:
        assert neighbour.describe().endswith("somebody every 0.001 s")
        assert (await socket.receive_json(timeout=5))["code"] == 20000
        for _ in range(3):
            data = (await socket.receive_json(timeout=5))["data"]
            assert (bool(data["name"]), data["abnormalType"]) == (person, abnormal)
            assert 36 < data["bodyTemperature"] < 37
        state = neighbour.state()
        assert (state["every"], state["links"]) == (0.001, 1)
        assert state["subscription"]["status"] == "abnormal"
    assert not neighbour.server.running


@pytest.fixture
async def listener(
    innovaphone: Innovaphone, session: aiohttp.ClientSession
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Return a websocket that is told of devices."""
    async with session.ws_connect(innovaphone.app_url) as socket:
        await socket.send_json({"mt": "AppChallenge"})
        challenge = (await socket.receive_json())["challenge"]
        login = {
            "mt": "AppLogin",
            "app": "innovaphone-devices-api",
            "domain": innovaphone.domain,
        }
        login["digest"] = login_digest(login, challenge, innovaphone.password)
        await socket.send_json(login)
        assert (await socket.receive_json())["ok"] is True
        await socket.send_json({"mt": "GetDevices", "recvUpdates": True})
        assert len((await socket.receive_json())["devices"]) == 12
        yield socket


async def test_innovaphone(
    act: Act,
    street: Street,
    innovaphone: Innovaphone,
    listener: aiohttp.ClientWebSocketResponse,
) -> None:
    """Telephones come and go, and the service tells of it."""
    state = street.neighbours["innovaphone"].state
    assert (state()["total"], state()["online"], state()["links"]) == (12, 11, 1)
    assert state()["devices"][0] == {
        "hw_id": "029033000001",
        "name": "Reception",
        "product": "IP112",
        "version": innovaphone.devices["029033000001"].version,
        "type": "PHONE",
        "online": True,
    }

    async def hear() -> tuple[str, Any]:
        message = await listener.receive_json(timeout=5)
        return message["mt"], message["device"]

    given = {"name": "Porter", "version": "14r2", "online": False}
    assert await act("innovaphone/update", hw_id="docker0", **given) == (200, {})
    mt, device = await hear()
    assert mt == "DeviceUpdate"
    assert {name: device[name] for name in given} == given
    status, told = await act("innovaphone/add", name="Gate", type="GW", product="IP29")
    assert status == 200
    mt, device = await hear()
    assert (mt, device["hwId"], device["name"]) == (
        "DeviceAdded",
        told["hw_id"],
        "Gate",
    )
    assert (device["type"], device["product"]) == ("GW", "IP29")
    assert await act("innovaphone/remove", hw_id=told["hw_id"]) == (200, {})
    assert await hear() == ("DeviceRemoved", device)
    assert await act("innovaphone/burst") == (200, {})
    assert [(await hear())[1]["online"] for _ in range(22)] == [False] * 10 + [
        True
    ] * 12
    for _ in range(9):
        await act("innovaphone/add")
    assert state()["total"] == 21
    assert len(state()["devices"]) == 20
    assert state()["devices"][-1]["name"] == "New phone 10"


async def test_innovaphone_provisioning(
    act: Act,
    street: Street,
    innovaphone: Innovaphone,
    listener: aiohttp.ClientWebSocketResponse,
) -> None:
    """Somebody types a provisioning code at a new device."""
    status, told = await act("innovaphone/provision")
    assert (status, told["error"]) == (400, "no provisioning code waits for a device")
    codes = []
    for _ in range(2):
        await listener.send_json({"mt": "GetProvisioningCode", "category": "Doors"})
        codes.append((await listener.receive_json(timeout=5))["code"])
    state = street.neighbours["innovaphone"].state
    assert state()["codes"] == codes
    hw_ids = [
        (await act("innovaphone/provision", **fields))[1]["hw_id"]
        for fields in ({"code": codes[1]}, {"name": "Gate"})
    ]
    messages = [await listener.receive_json(timeout=5) for _ in range(4)]
    assert [
        (message["mt"], message["device"]["hwId"], message.get("code"))
        for message in messages
    ] == [
        ("DeviceAdded", hw_ids[0], None),
        ("DeviceProvisioned", hw_ids[0], codes[1]),
        ("DeviceAdded", hw_ids[1], None),
        ("DeviceProvisioned", hw_ids[1], codes[0]),
    ]
    assert state()["codes"] == []
    await listener.send_json({"mt": "GetProvisioningCode", "category": "Doors"})
    code = (await listener.receive_json(timeout=5))["code"]
    innovaphone.provisionings[code].valid_until = 0
    status, told = await act("innovaphone/provision")
    assert (status, told["error"]) == (400, f"{code} is too old")


async def test_innovaphone_links(
    act: Act,
    street: Street,
    innovaphone: Innovaphone,
    listener: aiohttp.ClientWebSocketResponse,
    session: aiohttp.ClientSession,
) -> None:
    """A passer-by breaks links, refuses logins and pulls the plug."""
    state = street.neighbours["innovaphone"].state
    await act("innovaphone/refuse", refused=True)
    assert innovaphone.refuse_login
    assert state()["refused"]
    await act("innovaphone/drop", abort=False)
    assert (await listener.receive(timeout=5)).data == 1001
    async with session.ws_connect(innovaphone.app_url) as socket:
        assert state()["links"] == 1
        await act("innovaphone/drop")
        await socket.receive(timeout=5)
        assert socket.close_code == 1006
    url = innovaphone.app_url
    await act("innovaphone/link", up=False)
    assert not state()["up"]
    await act("innovaphone/link", up=True)
    assert (state()["up"], state()["url"]) == (True, url)


@pytest.mark.parametrize(
    ("action", "fields", "text"),
    [
        ("update", {"hw_id": "nowhere", "online": True}, "there is no device nowhere"),
        ("update", {"hw_id": "docker0"}, "online, name or version is missing"),
        (
            "update",
            {"hw_id": "docker0", "online": "no"},
            "online must be true or false",
        ),
        ("remove", {}, "hw_id is missing"),
        ("add", {"hw_id": "docker0"}, "docker0 is there already"),
        ("add", {"type": "DOOR"}, "type must be one of GW, VA"),
        ("refuse", {}, "refused is missing"),
    ],
)
async def test_innovaphone_bad_input(
    act: Act, action: str, fields: dict[str, Any], text: str
) -> None:
    """Bad input is refused with a text that says why."""
    status, told = await act(f"innovaphone/{action}", **fields)
    assert status == 400
    assert text in told["error"]


async def test_innovaphone_flickers() -> None:
    """Every so often a device goes off or on line, if there is one."""
    async with (
        InnovaphoneNeighbour(port=0, devices=1, every=0.001) as neighbour,
        asyncio.timeout(60),
    ):
        for online in (0, 1):
            while neighbour.state()["online"] != online:
                await asyncio.sleep(0.001)
        await neighbour.service.remove("029033000001")
        await asyncio.sleep(0.005)
    assert not neighbour.service.running


async def test_cycling() -> None:
    """The gateway synchronises itself every so often, if so wished."""
    async with TheKeysNeighbour(port=0, cycle=0.001) as neighbour:
        async with asyncio.timeout(60):
            while neighbour.state()["phase"] == "scanning":
                await asyncio.sleep(0.001)
    assert not neighbour.gateway.running


async def test_port_taken(street: Street) -> None:
    """A port that is taken is told, and nothing is left running."""
    gateway = TheKeysNeighbour(port=0)
    with pytest.raises(OSError, match="address already in use"):
        await Street([gateway], int(street.url.rpartition(":")[2])).start()
    assert not gateway.gateway.running


async def test_not_started() -> None:
    """What never started can be stopped."""
    street = Street([TheKeysNeighbour(port=0), TelliconNeighbour()], port=0)
    await street.stop()
    assert not street.neighbours["the_keys"].state()["up"]


def test_command_line() -> None:
    """One stand-in or all of them can be asked for."""
    alone = parse(["the_keys", "--port", "1", "--delays", "none"])
    assert isinstance(alone, TheKeysNeighbour)
    assert alone.gateway.delays == Delays()
    sender = parse(
        ["tellicon", "--url", "http://127.0.0.1/eventTellicon", "--token", TOKEN]
    )
    assert isinstance(sender, TelliconNeighbour)
    assert sender.describe().endswith("every 45 s")
    street = parse(["--the-keys-port", "2", "--the-keys-dialect", "documented"])
    assert isinstance(street, Street)
    assert street.url == "http://127.0.0.1:8300"
    gateway = street.neighbours["the_keys"]
    assert isinstance(gateway, TheKeysNeighbour)
    assert gateway.gateway.dialect == "documented"
    assert gateway.gateway.delays == Delays.REAL
    door = parse(["ipac", "--port", "3", "--asm-uri", "http://127.0.0.1:8123"])
    assert isinstance(door, IpacNeighbour)
    assert door.state()["asm"] is None
    assert "http://127.0.0.1:3 (digest, admin / admin)" in door.describe()
    terminals = parse(["senselink", "--subscribe-url", "http://127.0.0.1/"])
    assert isinstance(terminals, SenseLinkNeighbour)
    assert terminals.server.url == "http://127.0.0.1:8303"
    assert "0123456789abcdef0123456789abcdef" in terminals.describe()
    assert terminals.state()["subscription"]["url"] == "http://127.0.0.1/"
    telephones = parse(["innovaphone", "--port", "4", "--devices", "2"])
    assert isinstance(telephones, InnovaphoneNeighbour)
    assert telephones.describe() == (
        "innovaphone: Devices on http://127.0.0.1:4/example.com/devices"
        "/innovaphone-devices-api with 2 devices (domain example.com, password"
        " demoInstance01)"
    )
    with pytest.raises(SystemExit):
        parse(["tellicon"])


async def test_run(capsys: pytest.CaptureFixture[str]) -> None:
    """What runs is announced, and ends with a signal."""
    neighbour = TheKeysNeighbour(port=0)
    running = asyncio.create_task(run(neighbour))
    while not neighbour.gateway.running:
        await asyncio.sleep(0)
    signal.raise_signal(signal.SIGTERM)
    await running
    assert not neighbour.gateway.running
    assert "Side gate (share code demoShareCode002)" in capsys.readouterr().out


def test_main(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A port that is taken ends the program with a reason."""
    asked: list[Any] = []

    def refuse(runnable: Coroutine[Any, Any, None]) -> None:
        runnable.close()
        asked.append(runnable)
        if len(asked) > 1:
            raise OSError(98, "address already in use")

    monkeypatch.setattr(asyncio, "run", refuse)
    assert main(["the_keys"]) == 0
    assert main(["the_keys"]) == 1
    assert "already in use" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_program(curl: Curl, number: signal.Signals) -> None:
    """The program runs until it is told to end, and ends well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulators",
        "--control-port",
        "0",
        "--the-keys-port",
        "0",
        "--ipac-port",
        "0",
        "--senselink-port",
        "0",
        "--innovaphone-port",
        "0",
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert process.stdout is not None
    line = told = (await process.stdout.readline()).decode()
    while line and not line.startswith("Control page"):
        line = (await process.stdout.readline()).decode()
        told += line
    assert "share code demoShareCode001" in told
    url = line.split()[-1]
    code, page = await curl(url)
    assert code == 0
    assert "The neighbourhood" in page
    process.send_signal(number)
    assert await process.wait() == 0
