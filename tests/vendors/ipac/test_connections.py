"""How a station treats connections and writes replies, which no document tells."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..conftest import shown
from .conftest import DOOR, order

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
CHALLENGE = (
    b"HTTP/1.1 401 Unauthorized\r\n"
    b'WWW-Authenticate: Digest realm="IPAC500", nonce="1", qop="auth", algorithm=MD5\r\n'
    b"Content-Length: 0\r\n\r\n"
)


@dataclass
class Plain:
    """A station that wants a login, and ends connections without saying that it does."""

    reply: bytes = OK
    """To orders for relays."""
    keeps_open: bool = False
    heads: list[list[str]] = field(default_factory=list)
    """Of the requests of each connection."""

    @property
    def orders(self) -> int:
        """Return how many orders for relays have come with a login."""
        return sum(
            "/api/remote/" in head and "Authorization: Digest" in head
            for heads in self.heads
            for head in heads
        )

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one request, or all that come."""
        heads: list[str] = []
        self.heads.append(heads)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                heads.append(head)
                for line in head.splitlines():
                    name, _, value = line.partition(": ")
                    if name == "Content-Length":
                        await reader.readexactly(int(value))
                if "Authorization: Digest" not in head:
                    writer.write(CHALLENGE)
                elif "/api/remote/" in head:
                    writer.write(self.reply)
                else:
                    writer.write(OK)
                await writer.drain()
                if not self.keeps_open:
                    break
        writer.close()


@pytest.fixture
def plain(socket_enabled: None) -> Plain:
    """Return the station."""
    return Plain()


@pytest.fixture
async def entry(
    entry: MockConfigEntry, hass: HomeAssistant, plain: Plain
) -> AsyncIterator[MockConfigEntry]:
    """Return its entry."""
    async with await asyncio.start_server(plain.talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        entry.add_to_hass(hass)
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, "host": f"127.0.0.1:{port}"}
        )
        yield entry
        server.close_clients()


async def test_end_that_is_not_announced(
    hass: HomeAssistant, plain: Plain, home: MockConfigEntry
) -> None:
    """Orders do not go where the station has hung up already."""
    for _ in range(3):
        await order(hass, "unlock")
    assert plain.orders == 3
    assert all(len(heads) == 1 for heads in plain.heads)


async def test_connection_of_somebody_else(
    hass: HomeAssistant, plain: Plain, home: MockConfigEntry
) -> None:
    """An order takes no connection that another integration has left open."""
    plain.keeps_open = True
    session = async_get_clientsession(hass)
    url = f"http://{home.data['host']}/"
    for _ in range(2):
        async with session.get(url):
            pass
    await order(hass, "unlock")
    assert plain.orders == 1
    # Theirs is kept, for them alone; each of ours ends with its reply.
    assert sorted(len(heads) for heads in plain.heads if "GET" in heads[0]) == [2]
    assert all(len(heads) == 1 for heads in plain.heads if "GET" not in heads[0])


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nOK",
        b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n",
        # The lengths that the release note prints are wrong, too.
        b"HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nOK",
        "HTTP/1.1 200 Exécuté\r\nContent-Length: 7\r\n\r\nExécuté".encode("latin-1"),
    ],
    ids=[
        "1.0 empty",
        "1.0",
        "no phrase",
        "chunked",
        "chunked and cut off",
        "length",
        "coding",
        "latin-1",
    ],
)
async def test_status_counts(
    hass: HomeAssistant, plain: Plain, home: MockConfigEntry, reply: bytes
) -> None:
    """A door is open when the station says so, whatever is wrong with the rest."""
    plain.reply = reply
    await order(hass, "unlock")
    assert plain.orders == 1
    assert shown(hass, DOOR) == "unlocked"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"HTTP/1.1 480 Busy\r\nContent-Length: 123\r\n\r\nbusy", "door_busy"),
        # What calls itself a page and does not show, may be one of a hotspot.
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n",
            "door_not_confirmed",
        ),
        (b"HTTP/1.1 20", "door_not_confirmed"),
    ],
    ids=["refusal", "page", "status"],
)
async def test_cut_off(
    hass: HomeAssistant, plain: Plain, home: MockConfigEntry, reply: bytes, error: str
) -> None:
    """What is not known to be open is not shown open."""
    plain.reply = reply
    with pytest.raises(HomeAssistantError) as raised:
        await order(hass, "unlock")
    assert raised.value.translation_key == error
    assert plain.orders == 1
    assert shown(hass, DOOR) == "locked"
