"""The stand-in of The Keys' gateway."""

import asyncio
from collections.abc import AsyncIterator
import errno
import json
import math
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
from freezegun.api import FrozenDateTimeFactory
import pytest

from simulators.the_keys import (
    Delays,
    Fault,
    Gateway,
    Lock,
    Request,
    parse_form,
    sign,
    wall_clock,
)

from .conftest import Curl

# The code of the vendor's page.
CODE = "Zmo1sps2OVyCFtl1"
NOW = 1700000000
HASH = "s7VR2V5Q+jYmOmJM8CL0aOQri6PF5Hfw8euVJ93EAJI="
FRONT = 45961123
SIDE = 45961124

FIELD_OK = {"status": "ok", "code": 0}


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """Return a gateway with two locks, whose clock stands still."""
    async with Gateway(
        [
            Lock(FRONT, CODE, battery=4065, rssi=-71),
            Lock(SIDE, None, version=59, battery=7044, rssi=-70),
        ],
        clock=lambda: NOW,
    ) as gateway:
        yield gateway


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a client."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def get(gateway: Gateway, session: aiohttp.ClientSession) -> Any:
    """Return what asks the gateway with GET."""

    async def get(path: str) -> Any:
        async with session.get(f"http://{gateway.host}{path}") as response:
            assert response.status == 200
            return await response.json()

    return get


@pytest.fixture
def post(gateway: Gateway, session: aiohttp.ClientSession) -> Any:
    """Return what sends the gateway a form."""

    async def post(path: str, **form: object) -> Any:
        async with session.post(
            f"http://{gateway.host}{path}", data=urlencode(form)
        ) as response:
            assert response.status == 200
            return json.loads(await response.read() or "null")

    return post


@pytest.fixture
def signed(post: Any) -> Any:
    """Return what sends the gateway a signed form."""

    async def signed(
        path: str, ts: int = NOW, identifier: int = FRONT, code: str = CODE
    ) -> Any:
        return await post(path, identifier=identifier, ts=ts, hash=sign(code, str(ts)))

    return signed


@pytest.mark.parametrize(
    ("code", "ts", "signature"),
    [
        (CODE, "1700000000", HASH),
        (CODE, "1700000004", "MCB3T/E+AjWWTXjHSeHlFwoWdfjw1OVbhbxwDM9RmXs="),
        (CODE, "1700000011", "v2a5aOg3QFFVZHDcTNkJZ3Wc9FKesPnPm7niAootDAA="),
        ("sEcReT", "1647349435", "jejmupCqAu5wOsraszmzcl3UyCi0hgsIdxWvfcvdzBg="),
    ],
)
def test_signature(code: str, ts: str, signature: str) -> None:
    """The published vectors hold."""
    assert sign(code, ts) == signature


def test_form() -> None:
    """Percent signs are decoded, a plus is not a space."""
    assert parse_form(b"hash=a+b%2Bc%3D&ts=1&&empty=&bare") == {
        "hash": "a+b+c=",
        "ts": "1",
        "empty": "",
        "bare": "",
    }


def test_clock(freezer: FrozenDateTimeFactory) -> None:
    """Frozen time is the gateway's time too."""
    freezer.move_to("2027-01-15T08:00:00+00:00")
    assert wall_clock() == time.time() == 1800000000


async def test_documented_examples(gateway: Gateway, curl: Curl) -> None:
    """The curl lines of the vendor's page get the vendor's answers."""
    gateway.dialect = "documented"
    gateway.firmware = 17
    gateway.locks[SIDE].visible = False
    host = gateway.host

    async def told(*arguments: str) -> Any:
        code, output = await curl(*arguments)
        assert code == 0
        return json.loads(output)

    assert await told(f"http://{host}/lockers") == {
        "status": "ok",
        "devices": [{"identifier": 45961123, "rssi": -71, "battery": 4065}],
    }
    assert await told(f"http://{host}/synchronize") == {"status": "ok", "code": 0}
    for path in ("/locker/synchronize", "/locker/update"):
        assert await told("-d", f"identifier={FRONT}", f"http://{host}{path}") == {
            "status": "0",
            "code": "ok",
        }
    assert await told(f"http://{host}/update") == {"status": "ok", "code": 0}
    assert await told(f"http://{host}/status") == {
        "version": "17",
        "current_status": "Scanning...",
    }
    # The page sends the signature as it is, with its plus.
    form = f"identifier={FRONT}&hash={HASH}&ts={NOW}"
    assert await told("-d", form, f"http://{host}/open") == {
        "status": "0",
        "code": "ok",
    }
    assert gateway.locks[FRONT].state == 50
    later = "identifier={}&hash={}&ts={}".format(
        FRONT, "v2a5aOg3QFFVZHDcTNkJZ3Wc9FKesPnPm7niAootDAA=", NOW + 11
    )
    assert await told("-d", later, f"http://{host}/close") == {
        "status": "0",
        "code": "ok",
    }
    assert gateway.orders == [("/open", FRONT), ("/close", FRONT)]
    # Without its plus, the signature is another one.
    assert await told("-d", form.replace("+", " "), f"http://{host}/open") == {
        "status": "33",
        "code": "invalid hmac",
    }


async def test_encoded_signature(gateway: Gateway, curl: Curl) -> None:
    """A percent-encoded signature is taken too, in any order of the fields."""
    form = (
        "hash=s7VR2V5Q%2BjYmOmJM8CL0aOQri6PF5Hfw8euVJ93EAJI%3D"
        f"&ts={NOW}&identifier={FRONT}"
    )
    code, output = await curl("-d", form, f"http://{gateway.host}/open")
    assert (code, json.loads(output)) == (0, FIELD_OK)
    request = gateway.requests[-1]
    assert (request.method, request.path) == ("POST", "/open")
    assert request.form == {"hash": HASH, "ts": str(NOW), "identifier": str(FRONT)}
    assert request.headers["user-agent"].startswith("curl/")
    assert request.answered_at >= request.received_at
    assert gateway.max_concurrent == 1


async def test_one_connection_per_request(
    gateway: Gateway, session: aiohttp.ClientSession
) -> None:
    """The gateway closes the connection after each answer."""
    async with session.get(f"http://{gateway.host}/lockers") as response:
        assert response.headers["Connection"] == "close"
        assert response.content_type == "application/json"


async def test_field_answers(
    gateway: Gateway, get: Any, post: Any, signed: Any
) -> None:
    """In the field, answers have other words and more fields."""
    assert await get("/lockers") == {
        "status": "ok",
        "devices": [
            {"identifier": FRONT, "rssi": -71, "battery": 4065, "last_log": 1},
            {"identifier": SIDE, "rssi": -70, "battery": 7044, "last_log": 1},
        ],
    }
    assert await post("/lockers") == await get("/lockers")
    assert await get("/status") == {"version": 65, "current_status": "Scanning..."}
    assert await get("/") == await get("/status")
    assert await get("/synchronize") == FIELD_OK
    assert await get("/update") == await post("/update", fake="True") == FIELD_OK
    assert await post("/locker/synchronize", identifier=FRONT) == FIELD_OK
    assert await post("/locker/update", identifier=SIDE) == FIELD_OK
    assert await signed("/open") == FIELD_OK
    assert await signed("/locker_status", NOW + 1) == {
        "status": "Door open",
        "code": 50,
        "id": FRONT,
        "version": 81,
        "position": 20,
        "rssi": -71,
        "battery": 4065,
    }
    assert await signed("/close", NOW + 2) == FIELD_OK
    told = await signed("/locker_status", NOW + 3)
    assert (told["status"], told["code"], told["position"]) == ("Door closed", 49, 4)
    assert await signed("/calibrate", NOW + 4) == FIELD_OK
    assert gateway.locks[FRONT].state == 49
    assert [path for path, _ in gateway.orders] == ["/open", "/close", "/calibrate"]
    assert gateway.locks[FRONT].last_log == 4


async def test_empty_acknowledgements(gateway: Gateway, post: Any) -> None:
    """The two calls to locks may answer without a body."""
    gateway.empty_acknowledgements = True
    assert await post("/locker/synchronize", identifier=FRONT) is None
    assert await post("/locker/update", identifier=FRONT) is None


@pytest.mark.parametrize(
    ("state", "code", "text"),
    [(48, "0x30", "Unknown"), (49, "0x31", "Door closed"), (50, "0x32", "Door open")],
)
async def test_states(
    gateway: Gateway, signed: Any, state: int, code: str, text: str
) -> None:
    """A lock's state is a code in both dialects, and a text in the field."""
    gateway.turn_by_hand(FRONT, state)
    told = await signed("/locker_status")
    assert (told["code"], told["status"]) == (state, text)
    gateway.dialect = "documented"
    assert await signed("/locker_status", NOW + 1) == {"status": "0", "code": code}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/open", 405),
        ("GET", "/locker_status", 405),
        ("GET", "/locker/synchronize", 405),
        ("POST", "/status", 405),
        ("POST", "/synchronize", 405),
        ("GET", "/auto", 404),
        ("GET", "/open/", 404),
    ],
)
async def test_no_such_request(
    gateway: Gateway,
    session: aiohttp.ClientSession,
    method: str,
    path: str,
    status: int,
) -> None:
    """Other methods and paths than those that clients use are refused."""
    async with session.request(method, f"http://{gateway.host}{path}") as response:
        assert response.status == status


@pytest.mark.parametrize("path", ["/", "/status"])
async def test_firmware_without_status(
    gateway: Gateway, session: aiohttp.ClientSession, path: str
) -> None:
    """Before firmware 17 there is no status, and only the field knows it at /."""
    gateway.firmware = 16
    async with session.get(f"http://{gateway.host}{path}") as response:
        assert response.status == 404
    gateway.firmware = 17
    gateway.dialect = "documented"
    async with session.get(f"http://{gateway.host}{path}") as response:
        assert response.status == (404 if path == "/" else 200)


@pytest.mark.parametrize(
    ("left_out", "cause"),
    [("identifier", "identifier"), ("ts", "timestamp"), ("hash", "hash")],
)
async def test_missing_parameter(
    gateway: Gateway, post: Any, left_out: str, cause: str
) -> None:
    """A missing parameter is named, as the vendor calls it."""
    form = {"identifier": FRONT, "ts": NOW, "hash": HASH}
    del form[left_out]
    assert await post("/open", **form) == {"status": "ko", "code": 400, "cause": cause}
    gateway.dialect = "documented"
    assert await post("/open", **form) == {"status": "400", "code": cause}
    assert not gateway.orders


async def test_text_as_timestamp(gateway: Gateway, post: Any) -> None:
    """A time that is no number is as good as none."""
    told = await post("/open", identifier=FRONT, ts="now", hash=HASH)
    assert told == {"status": "ko", "code": 400, "cause": "timestamp"}


async def test_refusals(gateway: Gateway, signed: Any, post: Any) -> None:
    """A request that cannot be verified moves nothing."""
    assert (await signed("/open", code="wrong"))["code"] == 33
    assert (await post("/open", identifier=FRONT, ts=NOW, hash="é"))["code"] == 33
    assert (await signed("/open", identifier=SIDE))["code"] == 32
    assert (await signed("/open", identifier=1))["code"] == 34
    gateway.locks[FRONT].visible = False
    assert (await signed("/open"))["code"] == 34
    assert (await post("/locker/synchronize", identifier=FRONT))["code"] == 1
    assert (await post("/locker/update", identifier=1))["code"] == 1
    assert (await post("/locker/update"))["code"] == 400
    assert not gateway.orders


@pytest.mark.parametrize(
    ("ts", "strict", "accepted"),
    [
        (NOW, True, False),
        (NOW - 1, True, False),
        (NOW + 1, True, True),
        (NOW, False, True),
        (NOW - 600, False, True),
        (NOW - 601, False, False),
        (NOW + 600, True, True),
        (NOW + 601, True, False),
    ],
)
async def test_timestamps(
    gateway: Gateway, signed: Any, ts: int, strict: bool, accepted: bool
) -> None:
    """A time must be newer than the last, if the gateway is strict, and near now."""
    gateway.strict_timestamps = strict
    assert (await signed("/open"))["code"] == 0
    assert (await signed("/close", ts))["code"] == (0 if accepted else 33)


async def test_refused_timestamp_does_not_count(signed: Any) -> None:
    """A time that was refused is not the last one."""
    assert (await signed("/open", NOW + 601))["code"] == 33
    assert (await signed("/open", NOW + 9, code="wrong"))["code"] == 33
    assert await signed("/open", NOW) == FIELD_OK


async def test_clock_heals(gateway: Gateway, get: Any, signed: Any) -> None:
    """Without a valid clock nothing can be verified; synchronising sets it."""
    gateway.clock_valid = False
    told = await signed("/open")
    assert told == {
        "status": "ko",
        "code": 38,
        "cause": "Gateway time is invalid. Should resynchronize",
    }
    assert (await get("/lockers"))["status"] == "ok"
    gateway.clock_heals = False
    assert await get("/synchronize") == FIELD_OK
    assert (await signed("/open"))["code"] == 38
    gateway.clock_heals = True
    await get("/synchronize")
    assert await signed("/open") == FIELD_OK


async def test_synchronizing(
    gateway: Gateway, get: Any, post: Any, signed: Any
) -> None:
    """While it synchronises, the gateway does not talk to locks."""
    gateway.phase = "synchronizing_gateway"
    assert (await get("/status"))["current_status"] == "Synchronizing gw"
    assert (await signed("/open"))["code"] == 34
    gateway.synchronizing_error = 500
    told = await signed("/open", NOW + 1)
    assert told == {"status": "ko", "code": 500, "cause": "busy"}
    for reply in (
        await get("/synchronize"),
        await get("/update"),
        await post("/locker/synchronize", identifier=FRONT),
    ):
        assert reply["code"] == 500
    assert (await get("/lockers"))["status"] == "ok"
    gateway.dialect = "documented"
    assert await get("/synchronize") == {"status": "500", "message": "busy"}
    gateway.phase = "synchronizing_lock"
    assert gateway.status_text == f"Synchronizing {FRONT}"
    gateway.status_text = "Thinking"
    assert (await get("/status"))["current_status"] == "Thinking"
    gateway.phase = "scanning"
    assert gateway.status_text == "Scanning..."
    assert not gateway.orders


async def test_cycle(gateway: Gateway) -> None:
    """The gateway synchronises itself and then each lock, again and again."""
    seen: list[str] = []

    async def watch() -> None:
        while seen.count("Scanning...") < 2:
            if not seen or seen[-1] != gateway.status_text:
                seen.append(gateway.status_text)
            await asyncio.sleep(0)

    cycling = asyncio.create_task(gateway.cycle(scanning=0, gateway=0, lock=0))
    await watch()
    cycling.cancel()
    assert seen == [
        "Scanning...",
        "Synchronizing gw",
        f"Synchronizing {FRONT}",
        f"Synchronizing {SIDE}",
        "Scanning...",
    ]


async def test_hand_and_reboot(gateway: Gateway, get: Any, signed: Any) -> None:
    """A hand at the door is in the lock's log; a rebooted lock knows nothing."""
    gateway.turn_by_hand(FRONT, 50)
    assert (await get("/lockers"))["devices"][0]["last_log"] == 2
    assert (await signed("/locker_status"))["code"] == 50
    gateway.reboot_lock(FRONT)
    assert (await signed("/locker_status", NOW + 1))["code"] == 48
    gateway.locks[FRONT].visible = False
    assert [lock["identifier"] for lock in (await get("/lockers"))["devices"]] == [SIDE]


async def test_travel(gateway: Gateway, signed: Any) -> None:
    """A bolt takes its time, and is left alone meanwhile."""
    gateway.delays = Delays(travel=60)
    assert await signed("/open") == FIELD_OK
    started = {"status": "ko", "code": 400, "cause": "action already started"}
    assert await signed("/locker_status", NOW + 1) == started
    assert await signed("/close", NOW + 2) == started
    assert gateway.locks[FRONT].state == 49
    # A bolt does not stop because the gateway does.
    await gateway.stop()
    assert gateway.locks[FRONT].state == 50
    await gateway.start()
    gateway.delays = Delays(travel=0.01)
    assert await signed("/close", NOW + 3) == FIELD_OK
    while gateway.locks[FRONT].state != 49:
        await asyncio.sleep(0.01)
    assert (await signed("/locker_status", NOW + 4))["code"] == 49
    assert gateway.orders == [("/open", FRONT), ("/close", FRONT)]


async def test_delays(gateway: Gateway, get: Any, signed: Any) -> None:
    """Requests take as long as they are set to."""
    gateway.delays = Delays(light=0.01, heavy=0.03, synchronize=0.02)
    await get("/lockers")
    await get("/synchronize")
    await signed("/open")
    await signed("/open")
    took = [request.answered_at - request.received_at for request in gateway.requests]
    for seconds, least in zip(took, (0.01, 0.02, 0.03, 0.01), strict=True):
        assert seconds >= least - 0.002
    assert Delays.REAL.heavy == 3.4


@pytest.mark.parametrize("dialect", ["documented", "field"])
@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 32, 33, 34, 35, 36, 37, 38, 99])
async def test_failures(
    gateway: Gateway, signed: Any, dialect: Any, number: int
) -> None:
    """Every error can be had, as often as wanted, and nothing is done."""
    gateway.dialect = dialect
    gateway.inject("/open", Fault.code(number), times=2)
    for _ in range(2):
        told = await signed("/open")
        if dialect == "field":
            assert (told["status"], told["code"]) == ("ko", number)
            assert told["cause"]
        else:
            assert told["status"] == str(number)
    assert not gateway.orders
    await signed("/open")
    assert gateway.orders == [("/open", FRONT)]


async def test_clear_faults(gateway: Gateway, signed: Any) -> None:
    """Faults that nobody has suffered yet can be forgotten."""
    gateway.inject("/open", Fault.code(37), times=9)
    gateway.clear_faults()
    assert await signed("/open") == FIELD_OK


async def test_cause(gateway: Gateway, signed: Any) -> None:
    """An injected error can have a text of its own."""
    gateway.inject("/open", Fault.code(37, "jammed"))
    assert (await signed("/open"))["cause"] == "jammed"


async def test_busy_fault(gateway: Gateway, get: Any) -> None:
    """Busy has its own shape in each dialect."""
    gateway.inject("/lockers", Fault.busy(), times=2)
    assert await get("/lockers") == {"status": "ko", "code": 500, "cause": "busy"}
    gateway.dialect = "documented"
    assert await get("/lockers") == {"status": "500", "message": "busy"}


@pytest.mark.parametrize("acted", [True, False])
async def test_reset(gateway: Gateway, signed: Any, acted: bool) -> None:
    """A connection breaks before or after the deed."""
    gateway.inject("/open", Fault.reset(acted=acted))
    with pytest.raises(aiohttp.ClientOSError) as error:
        await signed("/open")
    # Not an orderly end without an answer.
    assert error.value.errno == errno.ECONNRESET
    assert bool(gateway.orders) is acted
    assert not math.isnan(gateway.requests[0].answered_at)


@pytest.mark.parametrize("acted", [True, False])
async def test_hang(gateway: Gateway, signed: Any, acted: bool) -> None:
    """No answer comes until the client gives up; then the gateway is free again."""
    gateway.inject("/open", Fault.hang(acted=acted))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await signed("/open")
    assert bool(gateway.orders) is acted
    await asyncio.sleep(0.01)
    assert (await signed("/close", NOW + 1)) == FIELD_OK


async def test_other_answers(
    gateway: Gateway, session: aiohttp.ClientSession, signed: Any
) -> None:
    """Any answer can be given, with or without the deed."""
    gateway.inject(
        "/open", Fault.reply(b"<html>", status=502, content_type="text/html")
    )
    async with session.post(f"http://{gateway.host}/open") as response:
        assert (response.status, response.content_type) == (502, "text/html")
        assert await response.read() == b"<html>"
    assert not gateway.orders
    gateway.inject("/open", Fault.reply(b"{}", acted=True))
    assert await signed("/open") == {}
    gateway.inject("/close", Fault.empty())
    assert await signed("/close", NOW + 1) is None
    assert [path for path, _ in gateway.orders] == ["/open", "/close"]


async def test_trickle(gateway: Gateway, get: Any) -> None:
    """A right answer can come byte by byte."""
    gateway.inject("/status", Fault.trickle(0.0001))
    assert await get("/status") == {"version": 65, "current_status": "Scanning..."}
    request = gateway.requests[0]
    assert request.answered_at - request.received_at > 0.001


@pytest.mark.parametrize("mode", ["busy", "queue", "reset"])
async def test_single_flight(gateway: Gateway, get: Any, mode: Any) -> None:
    """Two requests at once are noticed, and answered as the gateway is set."""
    gateway.single_flight = mode
    gateway.delays = Delays(light=0.03)
    first, second = await asyncio.gather(
        get("/lockers"), get("/lockers"), return_exceptions=True
    )
    assert gateway.max_concurrent == 2
    if mode == "queue":
        assert first == second
        assert first["status"] == "ok"
        return
    refused = (
        first if isinstance(first, Exception) or first["status"] == "ko" else second
    )
    if mode == "busy":
        assert refused["code"] == 500
    else:
        assert isinstance(refused, aiohttp.ClientError)


async def test_restart(gateway: Gateway, get: Any) -> None:
    """A gateway that left the network comes back at the same address."""
    host = gateway.host
    await gateway.start()
    assert gateway.running
    await gateway.stop()
    await gateway.stop()
    assert not gateway.running
    assert gateway.host == host
    with pytest.raises(aiohttp.ClientConnectorError):
        await get("/lockers")
    await gateway.start()
    assert gateway.host == host
    assert await get("/lockers")


async def test_stop_breaks_connections(gateway: Gateway, get: Any) -> None:
    """Whoever waits for an answer when the gateway stops gets none."""
    gateway.inject("/lockers", Fault.hang(acted=False))
    waiting = asyncio.create_task(get("/lockers"))
    while not gateway.requests:
        await asyncio.sleep(0.001)
    await gateway.stop()
    with pytest.raises(aiohttp.ClientError):
        await waiting


async def test_port_taken(gateway: Gateway) -> None:
    """A port that is taken is told, and the gateway can start elsewhere."""
    other = Gateway([], port=int(gateway.host.rpartition(":")[2]))
    with pytest.raises(OSError, match="address already in use"):
        await other.start()
    assert not other.running
    async with Gateway([]) as other:
        assert other.host != gateway.host
        assert other.status_text == "Scanning..."
        other.phase = "synchronizing_lock"
        assert other.status_text == "Synchronizing 0"


def test_unanswered_request() -> None:
    """A request that is not answered yet has no time of it."""
    assert math.isnan(Request("GET", "/", {}, {}, 1.0).answered_at)
