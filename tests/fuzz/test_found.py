"""Inputs that once did harm, each by name.

Where one took minutes, its test would now end at the time limit of all tests.
"""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
import io
import socket
import struct

from PIL import Image
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from yarl import URL

from custom_components.gatehouse import wire
from custom_components.gatehouse.drawing import draw_text, fit_picture
from custom_components.gatehouse.flow import FormError, base_url
from custom_components.gatehouse.vendors.innovaphone import protocol as innovaphone
from custom_components.gatehouse.vendors.ipac import protocol as ipac
from custom_components.gatehouse.vendors.senselink import protocol as senselink
from custom_components.gatehouse.vendors.the_keys import protocol as the_keys
from custom_components.gatehouse.wire import (
    MAX_BRACKETS,
    MAX_DEPTH,
    MAX_READ,
    UnexpectedReply,
    open_websocket,
    parse_json,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.ssl import client_context_no_verify
from simulators.certificate import HOST, make_server_context

from .targets import SIZE


@pytest.mark.parametrize(
    "value",
    [" " * 1000 + "a\nb", "outgoing" + " " * 60_000 + "\n;\n;"],
    ids=["no direction", "a direction"],
)
def test_call_of_spaces(value: str) -> None:
    """The direction of a call was looked for in a time of the third power."""
    event = ipac.parse_event({"code": "01", "value": value})
    assert isinstance(event.value, ipac.CallValue)
    assert len(event.value.number or "") <= 255


@pytest.mark.parametrize(
    "text",
    [
        "[DEFAULT]\n"
        + "".join(f"k{number}=\n" for number in range(3500))
        + "".join(f"[{number:x}]\n" for number in range(3000)),
        "[Firmware]\na" + " " * 40_000 + "b",
    ],
    ids=["defaults", "spaces"],
)
def test_settings_made_for_the_reader(text: str) -> None:
    """Python's reader of INI texts gives each section all defaults."""
    encoded = base64.b64encode(text.encode()).decode()
    assert ipac.parse_settings({"conf_1": encoded}).firmware is None


def test_station_times_and_tasks() -> None:
    """A number that the writer of JSON does not take could not be answered."""
    event = ipac.parse_event({"code": "RL", "time": 1e300, "task_id": 1e300})
    assert (event.time, event.task_id) == (None, None)


@pytest.mark.parametrize(("depth", "taken"), [(MAX_DEPTH - 1, True), (300, False)])
def test_depth(depth: int, taken: bool) -> None:
    """The reader of JSON takes a thousand levels, its writer 254."""
    body = b"[" * depth + b"]" * depth
    if taken:
        assert parse_json(body)
        return
    with pytest.raises(UnexpectedReply):
        parse_json(body)


@pytest.mark.parametrize("item", [b"[]", b"{}", b"[[[]]]", b'"["', b'{"":0}'])
def test_lists_without_end(item: bytes) -> None:
    """A MiB of empty lists took a quarter of a second, and forty times its memory."""
    most = (MAX_BRACKETS - 1) // (item.count(b"[") + item.count(b"{"))
    assert len(parse_json(b"[" + b",".join([item] * most) + b"]")) == most
    with pytest.raises(UnexpectedReply, match="too many"):
        parse_json(b"[" + b",".join([item] * (most + 1)) + b"]")


def test_identifier_of_digits_without_end() -> None:
    """What is read from hexadecimal digits cannot always be written in decimal ones."""
    with pytest.raises(the_keys.MalformedReplyError):
        the_keys.parse_lockers(
            {"status": "ok", "devices": [{"identifier": "0x" + "f" * 5000}]}
        )


def test_signal_beyond_all_measure() -> None:
    """Diagnostics could not be written with a number of more than 64 bits."""
    (locker,) = the_keys.parse_lockers(
        {"status": "ok", "devices": [{"identifier": 10000001, "rssi": "9" * 20}]}
    )
    assert locker.rssi is None


def test_record_number_beyond_all_measure() -> None:
    """A record numbered 1e308 had an id of 309 digits."""
    frame = {"code": 30000, "data": {"sn": "SPSP-1", "id": 1e308}}
    record = senselink.parse_frame(frame)
    assert isinstance(record, senselink.Record)
    assert record.id is None


@pytest.mark.parametrize(
    "text", ["/" + "pwd-" * 50_000, "pw" * 50_000], ids=["option", "word"]
)
def test_passwords_without_end(text: str) -> None:
    """They were looked for in a time of the second power."""
    assert innovaphone.parse_config({"id": 1, "script": text}).settings == {
        "script": text
    }


@pytest.mark.parametrize(
    "text",
    [
        "mod /my-option-pwd hidden",
        "mod /addr x /pwd hidden /b",
        "mypwd_x = hidden",
        'secret: "hidden one"',
        "/user admin,hidden",
        "http://a:hidden@b",
    ],
)
def test_passwords_are_still_found(text: str) -> None:
    """No password is left, wherever it stands."""
    (kept,) = innovaphone.parse_config({"id": 1, "x": text}).settings.values()
    assert "hidden" not in kept


def test_text_without_end() -> None:
    """Passwords were looked for in one go, however long that took."""
    texts = {"short": "x" * 262_144, "long": "x" * 262_145}
    assert innovaphone.parse_config({"id": 1, **texts}).settings == {
        "short": texts["short"],
        "long": None,
    }


def test_other_spaces_without_end() -> None:
    """A name of 700,000 signs was looked at sign by sign, for a tenth of a second."""
    assert wire.printable("a\u3000\n" * 350_000) == ("a " * 128).strip()


def test_blanks_without_end() -> None:
    """Blanks in front of what is cut off counted as a word that is too long."""
    word = "9" * 18
    assert draw_text(word + " " * 3000 + "a", None, SIZE) == draw_text(word, None, SIZE)


@pytest.mark.parametrize("size", [(1, 3000), (3000, 1)])
def test_thin_picture(size: tuple[int, int]) -> None:
    """A picture that would be less than a pixel wide is a pixel wide."""
    file = io.BytesIO()
    Image.new("RGB", size).save(file, "PNG")
    assert fit_picture(file.getvalue(), SIZE)


@pytest.mark.parametrize("kind", ["EPS", "PPM", "TIFF"])
def test_kind_of_picture(kind: str) -> None:
    """What needs other programs, or no browser shows, is none."""
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, kind)
    with pytest.raises(HomeAssistantError):
        fit_picture(file.getvalue(), SIZE)


@pytest.mark.parametrize("host", ["xn--\x0f", "xn--a-ecp.ru\x0f"])
def test_international_name_that_is_none(host: str) -> None:
    """It is only read when it is asked for, and then is a UnicodeError."""
    with pytest.raises(FormError):
        base_url(host)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_frames_without_end(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    """All that had come, a hundred thousand frames of two bytes, was taken in one turn."""
    # However fast this machine is, each slice takes too long.
    monkeypatch.setattr(wire, "STRETCH", 0)
    loop = asyncio.get_running_loop()
    turn = 0
    taken: Counter[int] = Counter()
    take = ClientConnection.data_received

    def count(connection: ClientConnection, data: bytes) -> None:
        taken[turn] += len(data)
        take(connection, data)

    def take_turn() -> None:
        nonlocal turn, timer
        turn += 1
        timer = loop.call_soon(take_turn)

    async def push(connection: ServerConnection) -> None:
        connection.transport.write(b"\x89\x00" * 100_000)
        await connection.send("the last one")
        # Each is answered, though many answers go as one.
        await connection.recv()

    monkeypatch.setattr(ClientConnection, "data_received", count)
    timer = loop.call_soon(take_turn)
    async with pushing(push, tls=tls) as connection:
        assert await connection.recv() == "the last one"
        await connection.send("")
    timer.cancel()
    # The end of one read and the beginning of the next.
    assert max(taken.values()) <= 2 * MAX_READ


@asynccontextmanager
async def pushing(
    push: Callable[[ServerConnection], Awaitable[None]], *, tls: bool = False
) -> AsyncIterator[ClientConnection]:
    """Open a websocket to a server that pushes something."""
    scheme, server_side, client_side = "ws", None, None
    if tls:
        scheme, server_side = "wss", make_server_context()
        client_side = client_context_no_verify()
    async with serve(push, HOST, 0, ssl=server_side) as server:
        port = server.sockets[0].getsockname()[1]
        connection = await open_websocket(
            URL(f"{scheme}://{HOST}:{port}"),
            tls=client_side,
            open_timeout=60,
            close_timeout=60,
            max_size=1024,
        )
        try:
            yield connection
        finally:
            await connection.close()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_end_while_something_waits(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    """TLS told of the end, and what waited for its turn was not heard any more."""
    monkeypatch.setattr(wire, "STRETCH", 0)
    sizes: set[int] = set()
    take = ClientConnection.data_received

    def note(connection: ClientConnection, data: bytes) -> None:
        sizes.add(len(data))
        take(connection, data)

    monkeypatch.setattr(ClientConnection, "data_received", note)

    async def push(connection: ServerConnection) -> None:
        connection.transport.write(TINY * 20_000)
        connection.transport.close()
        await connection.wait_closed()

    assert await count_heard(push, asyncio.Event(), tls=tls) == 20_000
    # Nor is the rest taken all at once.
    assert max(sizes) <= MAX_READ


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_break_while_something_waits(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    """A ping could not be answered, and what waited for its turn was not heard."""
    monkeypatch.setattr(wire, "STRETCH", 0)
    begun = asyncio.Event()

    async def push(connection: ServerConnection) -> None:
        sock = connection.transport.get_extra_info("socket")
        # So that all of it goes at once, in one piece, and the end is a break.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1_000_000)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.transport.write((TINY * 10 + PING) * 300)
        await begun.wait()
        connection.transport.abort()

    assert await count_heard(push, begun, tls=tls) == 3_000


async def count_heard(
    push: Callable[[ServerConnection], Awaitable[None]],
    begun: asyncio.Event,
    *,
    tls: bool,
) -> int:
    """Return how many messages come until the connection ends."""
    count = 0
    async with pushing(push, tls=tls) as connection:
        with suppress(ConnectionClosed):
            while True:
                await connection.recv()
                count += 1
                begun.set()
    return count


MESSAGES = 200_000
TINY = b"\x81\x01a"
PING = b"\x89\x00"


async def push_tiny_messages(connection: ServerConnection) -> None:
    """Push messages of one letter, as many as can be on their way at once."""
    connection.transport.write(TINY * MESSAGES)
    await connection.wait_closed()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_tiny_messages(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    """What waits for its turn gets it, though the queue asks for more meanwhile."""
    monkeypatch.setattr(wire, "STRETCH", 0)
    async with pushing(push_tiny_messages, tls=tls) as connection:
        for _ in range(MESSAGES):
            assert await connection.recv() == "a"
