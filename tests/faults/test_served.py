"""What can go wrong at the addresses that Gatehouse serves, for all vendors alike."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Self

import pytest
from yarl import URL

from homeassistant.core import HomeAssistant

from .conftest import Holdings, SetUp
from .simulated_time import SimulatedTime
from .table import SERVED, each
from .vendors import Row

ACCEPTED = b"HTTP/1.1 200"


class Client:
    """A connection to Home Assistant's web server, used byte by byte."""

    def __init__(self, row: Row) -> None:
        self._url = URL(row.url)
        self._row = row

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection(
            self._url.host, self._url.port
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    def head(self, number: int, length: str) -> bytes:
        """Return the head of a message."""
        path, headers, _ = self._row.request(number)
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: {self._url.host}",
            "Content-Type: application/json",
            *(f"{name}: {value}" for name, value in headers.items()),
            length,
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"

    def message(self, number: int) -> tuple[bytes, bytes]:
        """Return the head and the body of a good message."""
        _, _, body = self._row.request(number)
        return self.head(number, f"Content-Length: {len(body)}"), body

    async def status(self) -> bytes:
        """Return the beginning of the next answer, empty if there is none."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError, ConnectionError:
            return b""
        length = head.lower().split(b"content-length:")[1].split(b"\r\n")[0]
        await self.reader.readexactly(int(length))
        return head[: len(ACCEPTED)]


@pytest.fixture
async def check(
    hass: HomeAssistant,
    passing: SimulatedTime,
    lines: Callable[[], list[str]],
    holdings: Callable[[], Holdings],
) -> AsyncIterator[Callable[[Row], None]]:
    """Return what notes how much is held, and see at the end that it is no more."""
    found: list[tuple[Row, Holdings]] = []
    yield lambda row: found.append((row, holdings()))
    for row, before in found:
        await row.good_message()
        await passing.until(lambda before=before: holdings() == before, 120)
        assert not lines()


@each(SERVED)
async def test_one_byte_a_second(
    set_up: SetUp, passing: SimulatedTime, check: Callable[[Row], None], kind: type[Row]
) -> None:
    """Who is slow is not waited for long, and nobody waits for who is."""
    row = await set_up(kind)
    check(row)
    async with Client(row) as client:
        head, body = client.message(1)
        client.writer.write(head)
        answer = passing.start(client.status())
        for position, byte in enumerate(body):
            client.writer.write(bytes([byte]))
            await passing.pass_(1)
            if position == 5:
                await row.good_message()
            if answer.done():
                break
        assert answer.done()
        assert position <= 15
    assert not row.told()[1]


@each(SERVED)
@pytest.mark.parametrize("ending", ["closes", "waits", "resets"])
async def test_body_without_end(
    set_up: SetUp,
    passing: SimulatedTime,
    check: Callable[[Row], None],
    kind: type[Row],
    ending: str,
) -> None:
    """A body that is shorter than announced is nothing, whatever its sender does then."""
    row = await set_up(kind)
    check(row)
    async with Client(row) as client:
        _, body = client.message(1)
        client.writer.write(client.head(1, f"Content-Length: {len(body) + 100}"))
        client.writer.write(body)
        await passing.settle()
        if ending == "waits":
            answer = passing.start(client.status())
            await passing.until(answer.done, 15)
        elif ending == "closes":
            client.writer.write_eof()
        else:
            client.writer.transport.abort()
        await passing.settle()
    assert not row.told()[1]


@each(SERVED)
async def test_a_hundred_connections(
    set_up: SetUp, passing: SimulatedTime, check: Callable[[Row], None], kind: type[Row]
) -> None:
    """Whose connections all break has each message told that was complete, once."""
    row = await set_up(kind)
    check(row)
    for number in range(1, 101):
        async with Client(row) as client:
            client.writer.write(b"".join(client.message(number)))
            assert await passing.outcome(client.status(), 5) == ACCEPTED
            # What comes of the next is lost with the connection.
            client.writer.write(client.message(number + 1)[0])
            await passing.settle()
            client.writer.transport.abort()
        await passing.settle()
    assert {number for number in row.told() if number < 1001} == {*range(1, 101)}
    assert max(row.told().values()) == 1


@each(SERVED)
@pytest.mark.parametrize("given", ["text/html", "application/octet-stream", "x", ""])
async def test_wrong_content_type(
    set_up: SetUp,
    passing: SimulatedTime,
    check: Callable[[Row], None],
    kind: type[Row],
    given: str,
) -> None:
    """A message is known by what it says, and not by what it says that it is."""
    row = await set_up(kind)
    check(row)
    async with Client(row) as client:
        head, body = client.message(1)
        client.writer.write(head.replace(b"application/json", given.encode()) + body)
        assert await passing.outcome(client.status(), 5) == ACCEPTED
    await passing.settle()
    assert row.told()[1] == 1


@each(SERVED)
async def test_pipelined(
    set_up: SetUp, passing: SimulatedTime, check: Callable[[Row], None], kind: type[Row]
) -> None:
    """Messages that are sent without waiting for answers are all told, in order."""
    row = await set_up(kind)
    check(row)
    async with Client(row) as client:
        numbers = range(1, 6)
        client.writer.write(
            b"".join(part for number in numbers for part in client.message(number))
        )
        for _ in numbers:
            assert await passing.outcome(client.status(), 5) == ACCEPTED
    await passing.settle()
    assert [number for number in row.told() if number < 10] == [*numbers]
    assert max(row.told().values()) == 1


@each(SERVED)
async def test_chunked(
    set_up: SetUp, passing: SimulatedTime, check: Callable[[Row], None], kind: type[Row]
) -> None:
    """A message in pieces of unknown number is one like others."""
    row = await set_up(kind)
    check(row)
    async with Client(row) as client:
        _, body = client.message(1)
        client.writer.write(client.head(1, "Transfer-Encoding: chunked"))
        for start in range(0, len(body), 7):
            piece = body[start : start + 7]
            client.writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await passing.settle()
        client.writer.write(b"0\r\n\r\n")
        assert await passing.outcome(client.status(), 5) == ACCEPTED
    await passing.settle()
    assert row.told()[1] == 1


@each(SERVED)
async def test_sent_again(
    hass: HomeAssistant,
    set_up: SetUp,
    passing: SimulatedTime,
    check: Callable[[Row], None],
    kind: type[Row],
) -> None:
    """A message that is sent again, for its answer was lost, is told once.

    Also when there was a reload in between.
    """
    row = await set_up(kind)
    check(row)
    for _ in range(3):
        await passing.outcome(row.repeat(), 5)
    await passing.settle()
    assert set(row.told().values()) == {1}
    assert await passing.outcome(
        hass.config_entries.async_reload(row.entry.entry_id), 30
    )
    await passing.outcome(row.repeat(), 5)
    await passing.settle()
    assert set(row.told().values()) == {1}
