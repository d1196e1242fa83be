"""Bad requests at the addresses that Gatehouse serves, through a real socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
import gzip
import json
import logging
from urllib.parse import urlsplit
import zlib

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gatehouse.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from . import targets
from .length import chances, longest_turn, time_limit
from .mutation import Mutator
from .promises import Given, Turns, faults, oddities, shown

COUNT = 120

TOKEN = "invented-token-of-24-chr"
SECRET = "0123456789abcdef0123456789abcdef"
ASM_TOKEN = "invented-client"

EVENT = b'{"eventTellicon":{"type":"pushCall","client":"505","src":"9001"}}'

ENTRIES: Mapping[str, Mapping[str, object]] = {
    "tellicon": {"token": TOKEN},
    "senselink": {
        "delivery": "subscription",
        "secret": SECRET,
        "tls": False,
        "verify_tls": True,
    },
    "ipac": {
        "host": "127.0.0.1:9",
        "username": "admin",
        "password": "invented",
        "auth": "none",
        "tls": False,
        "verify_tls": False,
        "asm_secret": SECRET,
        "asm_token": ASM_TOKEN,
    },
}

ADDRESSES = (
    "/eventTellicon",
    f"/api/gatehouse/senselink/{SECRET}",
    *(
        f"/api/gatehouse/asm/{SECRET}/{endpoint}{slash}"
        for endpoint in ("notify", "settings", "event")
        for slash in ("", "/")
    ),
)

VENDORS = {
    "tellicon": ADDRESSES[:1],
    "senselink": ADDRESSES[1:2],
    "ipac": ADDRESSES[2:],
}

# 403 is Home Assistant's, for OPTIONS of what is no browser.
STATUSES = {200, 400, 401, 403, 404, 405, 408, 413, 414, 415, 417, 431}


class Server:
    """Home Assistant's web server, from outside."""

    def __init__(self, hass: HomeAssistant, url: str) -> None:
        self.hass = hass
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self.host, self.port = parts.hostname, parts.port

    async def send(self, request: bytes, *, leave: bool = False) -> bytes:
        """Send bytes and return what is answered until the connection ends."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(request)
            if not leave:
                writer.write_eof()
                async with asyncio.timeout(60):
                    return await reader.read()
        except ConnectionError:
            # A server may refuse before it has read everything.
            pass
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)
            await self.hass.async_block_till_done(wait_background_tasks=True)
        return b""


def status_of(answer: bytes) -> int | None:
    """Return the status of an answer; None if there is none."""
    while answer.startswith(b"HTTP/1.1 100 "):
        # Only that the body may come.
        answer = answer.partition(b"\r\n\r\n")[2]
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else None


def request(
    path: str,
    body: bytes = b"",
    *,
    method: str = "POST",
    headers: tuple[bytes, ...] = (),
    sized: bool = True,
) -> bytes:
    """Return the bytes of a request."""
    lines = [
        f"{method} {path} HTTP/1.1".encode(errors="surrogatepass"),
        b"Host: home",
        b"Connection: close",
        *headers,
    ]
    if sized:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join((*lines, b"", body))


@pytest.fixture
async def entries(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """Set up everybody who calls us; a station that cannot be called."""
    monkeypatch.setattr(
        "custom_components.gatehouse.vendors.ipac.client.IpacClient.stop_sound",
        _nothing,
    )
    for vendor, data in ENTRIES.items():
        entry = MockConfigEntry(
            domain=DOMAIN,
            title=vendor,
            entry_id=vendor,
            data={"vendor": vendor, **data},
        )
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert entry.state is ConfigEntryState.LOADED
    yield
    for vendor in ENTRIES:
        assert await hass.config_entries.async_unload(vendor)


@pytest.fixture
def server(hass: HomeAssistant, entries: None, served_at: str) -> Server:
    """Return the server."""
    return Server(hass, served_at)


async def _nothing(_: object) -> None:
    """Do nothing."""


def make(mutator: Mutator, addresses: Sequence[str]) -> bytes:
    """Return a request that is odd somewhere."""
    path = mutator.choice(addresses)
    messages = {
        "/eventTellicon": targets.TELLICON,
        ADDRESSES[1]: targets.EVENTS,
    }.get(path, targets.IPAC)
    body = mutator.body(messages)
    if messages is targets.IPAC and not mutator.chance(8):
        body = body.replace(b'"token":"t"', f'"token":"{ASM_TOKEN}"'.encode())
    headers = [b"Content-Type: application/json"]
    if not mutator.chance(6):
        headers.append(f"authTokenTellicon: {TOKEN}".encode())
    method, sized = "POST", True
    match mutator.number(14):
        case 0:
            path = mutator.text(path).replace(" ", "%20")
        case 1:
            path += mutator.choice(("/", "//", "?x=1", "%2f", "/..", "%ff", ";a", "#"))
        case 2:
            method = mutator.choice(
                ("GET", "PUT", "HEAD", "OPTIONS", "DELETE", "BREW", "post", "P\0ST")
            )
        case 3:
            headers.append(
                b"Content-Encoding: "
                + mutator.choice(
                    (b"gzip", b"deflate", b"br", b"zstd", b"x", b"identity")
                )
            )
            if mutator.chance(2):
                body = mutator.choice(
                    (
                        gzip.compress(body, 1),
                        zlib.compress(body),
                        gzip.compress(b" " * 8_000_000),
                    )
                )
        case 4:
            headers.append(b"Transfer-Encoding: chunked")
            sized = mutator.chance(3)
            body = mutator.choice(
                (
                    b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n",
                    b"%x\r\n" % len(body) + body,
                    b"-1\r\n" + body,
                    b"ffffffffffffffffff\r\n" + body,
                    body,
                )
            )
        case 5:
            headers.append(
                b"Content-Length: "
                + mutator.choice((b"0", b"-1", b"5", b"9" * 30, b"x", b"70000"))
            )
            sized = mutator.chance(3)
        case 6:
            headers[0] = b"Content-Type: " + mutator.choice(
                (b"", b"text/plain; charset=utf-7", b"multipart/form-data", b"\xff" * 9)
            )
        case 7:
            headers.append(
                mutator.choice(
                    (
                        b"authTokenTellicon: \xff\xfe",
                        b"Expect: 100-continue",
                        b"Expect: magic",
                        b"A: " + b"b" * 9000,
                        b"\0: x",
                        b"A : x",
                    )
                )
            )
        case 8:
            body = b" " * mutator.choice((65_535, 65_537, 200_000)) + body
    made = request(path, body, method=method, headers=tuple(headers), sized=sized)
    return mutator.bytes(made) if mutator.chance(12) else made


@pytest.mark.timeout(time_limit(COUNT))
@pytest.mark.parametrize("addresses", VENDORS.values(), ids=VENDORS)
async def test_bad_requests(
    server: Server, caplog: pytest.LogCaptureFixture, addresses: Sequence[str]
) -> None:
    """Nothing is answered with a 5xx or gets into the log, and what is refused is that."""
    given, turns = Given(), Turns()
    # Or where each task was made, and each line of details, would take most of the time.
    server.hass.loop.set_debug(False)
    caplog.set_level(logging.INFO)
    left = b""
    for number, random in chances(COUNT // len(VENDORS)):
        made = make(Mutator(random), addresses)
        before = shown(server.hass)
        leave = number % 10 == 9
        with turns.watched():
            status = status_of(await server.send(made, leave=leave))
        note = f"request {number}: {made!r:.3000}"
        assert turns.longest < longest_turn(), note
        assert status is None or status in STATUSES, note
        assert not faults(caplog), (note, faults(caplog))
        after = shown(server.hass)
        # 404 with the right secret asks a station for its settings.
        if (
            not left
            and status is not None
            and (status > 404 or (status >= 400 and SECRET.encode() not in made))
        ):
            assert after == before, note
        assert not oddities(server.hass), note
        assert not given.invented(before, after, made, left), note
        # What was sent by somebody who has left may still be under way.
        left = made if leave else b""
        caplog.clear()
    # After all that a visitor is still heard.
    answer = await server.send(
        request(
            "/eventTellicon", EVENT, headers=(f"authTokenTellicon: {TOKEN}".encode(),)
        )
    )
    assert status_of(answer) == 200


@pytest.mark.parametrize("path", ADDRESSES)
async def test_sender_leaves(
    server: Server, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """A sender who leaves in the middle of its message is nobody's fault."""
    before = shown(server.hass)
    await server.send(
        request(path, headers=(f"authTokenTellicon: {TOKEN}".encode(),), sized=False)[
            :-2
        ]
        + b"Content-Length: 50\r\n\r\n{",
        leave=True,
    )
    for _ in range(20):
        await asyncio.sleep(0.01)
    assert not faults(caplog)
    assert shown(server.hass) == before


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("event", {"code": "01", "value": "a", "time": 1e300}),
        ("event", {"code": "RL", "value": "1;1", "task_id": 1e300}),
        ("event", {"code": "ZZ", "value": json.loads("[" * 300 + "]" * 300)}),
        ("event", {"code": "01", "value": " " * 1000 + "a\nb"}),
        ("event", {"code": "OE", "value": "x" * 9000 + "\0"}),
        ("notify", {"time": "9" * 18}),
        ("notify", {"time": 1e300}),
        ("notify", {"objectid": ""}),
    ],
)
async def test_station_that_is_odd(
    server: Server, caplog: pytest.LogCaptureFixture, endpoint: str, message: object
) -> None:
    """Each of these once was a 500, a traceback, or minutes without an answer."""
    assert isinstance(message, dict)
    body = json.dumps({"token": ASM_TOKEN, "objectid": "1", **message}).encode()
    status = status_of(
        await server.send(request(f"/api/gatehouse/asm/{SECRET}/{endpoint}", body))
    )
    # 404 asks a station for its settings.
    assert status in (200, 404)
    assert not faults(caplog)
    assert not oddities(server.hass)
