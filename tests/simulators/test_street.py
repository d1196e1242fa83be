"""The neighbourhood: its control server, and its command line."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
import os
from pathlib import Path
import signal
import sys
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from simulators import tellicon_neighbour
from simulators.__main__ import main, parse, run
from simulators.neighbour import BadInput, Input
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
        [TheKeysNeighbour(port=0, delays="none"), TelliconNeighbour()], port=0
    ) as street:
        yield street


@pytest.fixture
def gateway(street: Street) -> Gateway:
    """Return the gateway in the neighbourhood."""
    neighbour = street.neighbours["the_keys"]
    assert isinstance(neighbour, TheKeysNeighbour)
    return neighbour.gateway


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
    async with asyncio.timeout(5):
        while len(events) < 3:
            await asyncio.sleep(0.005)
    assert [event["type"] for event in events[:3]] == [
        "pushCall",
        "dtmfCommand",
        "answerCall",
    ]
    monkeypatch.setattr(tellicon_neighbour, "ANSWERED", 0)
    async with asyncio.timeout(5):
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
        async with asyncio.timeout(5):
            while not capsys.readouterr().out:
                await asyncio.sleep(0.005)
        monkeypatch.setattr(tellicon_neighbour, "TIMEOUT", 5)
        async with asyncio.timeout(5):
            while len(home[1]) < 2:
                await asyncio.sleep(0.005)
        assert [event["type"] for event in home[1][:2]] == ["pushCall", "answerCall"]
        assert neighbour.state()["every"] == 0.01


async def test_cycling() -> None:
    """The gateway synchronises itself every so often, if so wished."""
    async with TheKeysNeighbour(port=0, cycle=0.001) as neighbour:
        async with asyncio.timeout(5):
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
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert process.stdout is not None
    lines = [(await process.stdout.readline()).decode() for _ in range(3)]
    assert "share code demoShareCode001" in lines[0]
    url = lines[2].split()[-1]
    code, page = await curl(url)
    assert code == 0
    assert "The neighbourhood" in page
    process.send_signal(number)
    assert await process.wait() == 0
