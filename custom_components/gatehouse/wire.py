"""What the clients of all vendors share, free of Home Assistant.

Secrets that cannot be printed by accident, one family of errors, and reading that is
bounded in size.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from hmac import compare_digest
import logging
import random
import ssl
import sys
import time
from typing import Any, Self, override
from unicodedata import category

import aiohttp
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import CloseCode
from yarl import URL

MAX_TEXT = 255
"""Characters of a text at most; a state can have no more."""

MAX_DEPTH = 32
"""Lists and objects within each other at most; vendors' messages have up to five."""

MAX_READ = 4096
"""Bytes of a websocket that are taken before a look at the time; two thousand frames at
most."""

STRETCH = 0.005
"""Seconds for which one may go on before others have their turn."""

MAX_BRACKETS = 16_384
"""Opening brackets of a message at most; the longest that vendors document have some
thousands. Each is a list or an object, or stands in a text."""

# Looked at once for each value of a message, so it must be quick.
_NESTING = frozenset({dict, list})


class WireError(Exception):
    """Something went wrong between Gatehouse and a vendor's device or service."""


class CannotConnect(WireError):
    """No connection came about, so the other side has received nothing."""


class LostReply(WireError):
    """The request may have arrived, but no reply to it came."""


class TimedOut(WireError):
    """The other side was reached and then took too long."""


class InvalidAuth(WireError):
    """The other side refused the credentials."""


class UnexpectedReply(WireError):
    """Something answered, but not in this vendor's words."""


class UnexpectedStatus(UnexpectedReply):
    """Where a websocket was asked for, an HTTP status answered."""

    def __init__(self, status: int) -> None:
        """Keep the status."""
        super().__init__(f"status {status}")
        self.status = status


class TooLarge(WireError):
    """A body is longer than its limit."""


class Secret:
    """A credential that shows itself only to the one who asks for it by name.

    It goes through logs, tracebacks and data classes as `Secret(…)`.
    """

    __slots__ = ("_encoded", "_value")

    def __init__(self, value: str) -> None:
        """Wrap the credential."""
        self._value = value
        self._encoded = _encoded(value)

    def reveal(self) -> str:
        """Return the credential itself, to be put on the wire."""
        return self._value

    def matches(self, presented: str) -> bool:
        """Compare in a time that tells nothing about the credential."""
        return compare_digest(self._encoded, _encoded(presented))

    @override
    def __repr__(self) -> str:
        """Show that there is a secret, and nothing of it."""
        return "Secret(…)"


def _encoded(text: str) -> bytes:
    """Return the bytes of any text, also of one that had no valid ones on the wire."""
    return text.encode(errors="surrogatepass")


class Backoff:
    """Growing waits between attempts to come back to the other side.

    They differ at random by a fifth, so that what was lost together does not return
    together.
    """

    def __init__(self, first: float = 1.0, longest: float = 60.0) -> None:
        """Set the first and the longest wait, in seconds."""
        self._first = first
        self._longest = longest
        self._next = first

    def next(self) -> float:
        """Return the seconds to wait now; the next wait will be twice as long."""
        wait = self._next
        self._next = min(wait * 2, self._longest)
        return wait * random.uniform(0.8, 1.0)  # noqa: S311  # no secret hangs on it

    def reset(self) -> None:
        """Begin anew, because an attempt has succeeded."""
        self._next = self._first


class Breather:
    """Lets the event loop serve others while there is much to do at a stretch."""

    def __init__(self, stretch: float = STRETCH) -> None:
        """Set how long others may have to wait, in seconds."""
        self._stretch = stretch
        self._since = time.monotonic()

    async def breathe(self) -> None:
        """Let others have their turn, if this one has lasted long enough."""
        if time.monotonic() - self._since >= self._stretch:
            await asyncio.sleep(0)
            self._since = time.monotonic()


@contextmanager
def http_errors() -> Iterator[None]:
    """Say in our own words what went wrong with an HTTP request.

    Raises:
        CannotConnect: nothing was received.
        TimedOut: it took too long.
        LostReply: it may have been received.
        UnexpectedReply: the reply was too large, or no HTTP.

    """
    try:
        yield
    except (
        aiohttp.ClientConnectorError,
        aiohttp.ConnectionTimeoutError,
        aiohttp.InvalidURL,
    ) as err:
        raise CannotConnect from err
    except TimeoutError as err:
        raise TimedOut from err
    except TooLarge as err:
        raise UnexpectedReply("reply too large") from err
    except aiohttp.ClientResponseError as err:
        raise UnexpectedReply("not HTTP") from err
    except aiohttp.ClientError as err:
        raise LostReply from err


class _OnlyReply(aiohttp.ClientResponse):
    """The only reply on its connection."""

    @override
    async def start(self, connection: aiohttp.connector.Connection) -> Self:
        """Have the connection closed after the reply, whatever that says of it."""
        assert connection.protocol is not None
        connection.protocol.force_close()
        await super().start(connection)
        return self


async def alone(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Give a request a connection that no other request has used or will use.

    A connection that the other side has given up meanwhile would lose it. To ask for the
    end of the connection does not do: the library keeps it unless the reply says that it
    ends, and not every device says what it does.
    """
    request.response_class = _OnlyReply
    # Connections are kept by this name, too, so that none is taken that somebody else in
    # Home Assistant has left open. It is the one that certificates are checked for anyway.
    request.server_hostname = request.host
    return await handler(request)


# What the library logs when asked to: whole frames, and addresses that are keys.
_SILENT = logging.Logger("websocket", level=sys.maxsize)  # noqa: LOG001  # apart


class _InTurns(ClientConnection):
    """A connection that lets others have their turn while much comes at once.

    One read of the event loop brings 256 KiB, which can be a hundred thousand frames.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin with nothing that waits."""
        super().__init__(*args, **kwargs)
        self._waiting = b""
        self._lost: tuple[Exception | None] | None = None

    @override
    def data_received(self, data: bytes) -> None:
        """Take what has come, in slices and for a short while; the rest waits."""
        since = time.monotonic()
        data = self._waiting + data
        self._waiting = b""
        for begin in range(0, len(data), MAX_READ):
            end = begin + MAX_READ
            super().data_received(data[begin:end])
            if end < len(data) and time.monotonic() - since >= STRETCH:
                self._waiting = data[end:]
                self.transport.pause_reading()
                self.loop.call_soon(self._go_on)
                return

    def _go_on(self) -> None:
        """Take more of what waits; when nothing does, read again or end."""
        self.data_received(b"")
        if self._waiting:
            return
        if self._lost is not None:
            super().connection_lost(*self._lost)
        elif not (self.recv_messages.paused or self.transport.is_closing()):
            self.transport.resume_reading()

    @override
    def eof_received(self) -> None:
        """Take the end for one, unless something waits: the loss of it all follows.

        TLS tells of the end although nothing is read.
        """
        if not self._waiting:
            super().eof_received()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Take the connection for lost as soon as nothing waits that came before."""
        if self._waiting:
            self._lost = (exc,)
        else:
            super().connection_lost(exc)

    @override
    async def close(
        self, code: CloseCode | int = CloseCode.NORMAL_CLOSURE, reason: str = ""
    ) -> None:
        """End it in good order, or without it if the other side takes nothing more.

        The library waits without end until what is to be sent before is on its way.
        """
        try:
            async with asyncio.timeout(self.close_timeout):
                await super().close(code, reason)
        except TimeoutError:
            self.transport.abort()

    @override
    def send_data(self) -> None:
        """Send as one what answers a slice: a thousand pongs, each encrypted for itself.

        An empty piece is the end, which must stay apart. After a loss nobody is left.
        """
        if self._lost is not None:
            self.protocol.data_to_send()
            return
        writes = self.protocol.writes
        if len(writes) > 1 and all(writes):
            self.protocol.writes = [b"".join(writes)]
        super().send_data()


class _Connect(connect):
    """An attempt that is not sent elsewhere, where neither login nor key belongs."""

    @override
    def process_redirect(self, exc: Exception) -> Exception:
        """Take a redirect for what it is here, an unexpected reply."""
        return exc


async def open_websocket(
    url: URL,
    *,
    tls: ssl.SSLContext | None,
    open_timeout: float,
    close_timeout: float,
    max_size: int,
) -> ClientConnection:
    """Open a websocket of a vendor that documents neither pings nor compression.

    Args:
        url: where, with ws or wss.
        tls: what to verify with; None for ws.
        open_timeout: seconds until it must be open.
        close_timeout: seconds for the other side's half of an orderly end.
        max_size: bytes of a message at most.

    Raises:
        CannotConnect: nobody is there.
        TimedOut: it took too long.
        UnexpectedReply: something answered, but with no websocket; `UnexpectedStatus`
            if with HTTP.

    """
    try:
        return await _Connect(
            str(url),
            create_connection=_InTurns,
            ssl=tls,
            proxy=None,
            compression=None,
            user_agent_header=None,
            open_timeout=open_timeout,
            close_timeout=close_timeout,
            ping_interval=None,
            max_size=max_size,
            logger=_SILENT,
        )
    except InvalidStatus as err:
        raise UnexpectedStatus(err.response.status_code) from err
    except (InvalidURI, UnicodeError) as err:
        raise CannotConnect from err
    except InvalidHandshake as err:
        raise UnexpectedReply("no websocket") from err
    except TimeoutError as err:
        raise TimedOut from err
    except OSError as err:
        raise CannotConnect from err


async def read_bounded(content: aiohttp.StreamReader, limit: int) -> bytes:
    """Read a whole body of at most `limit` bytes.

    Raises:
        TooLarge: there is more; the rest has not been read.

    """
    chunks: list[bytes] = []
    size = 0
    while chunk := await content.readany():
        size += len(chunk)
        if size > limit:
            raise TooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def parse_json(body: bytes) -> Any:
    """Parse JSON.

    Raises:
        UnexpectedReply: the body is not JSON, nested too deeply, or in too many pieces.

    """
    brackets = body.count(b"{") + body.count(b"[")
    if brackets > MAX_BRACKETS:
        # To make so many lists and objects, and to look at each, holds up all others.
        raise UnexpectedReply("too many lists and objects")
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        # The parser's own text would quote the body, which may hold a secret.
        raise UnexpectedReply("not JSON") from err
    # The parser takes a thousand levels, which neither its own writer nor Python does.
    # So few brackets cannot be as many levels.
    if brackets <= MAX_DEPTH:
        return parsed
    level = [parsed] if type(parsed) in _NESTING else []
    for _ in range(MAX_DEPTH):
        if not level:
            return parsed
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if type(inner) in _NESTING
        ]
    raise UnexpectedReply("nested too deeply")


def printable(text: str, limit: int = MAX_TEXT) -> str | None:
    """Return what can be shown of a vendor's text in one line, None if that is nothing.

    Line breaks and other control characters are left out, those that turn the direction
    of writing included, and what is beyond `limit` characters. Spaces of another width,
    such as Japanese names have between their parts, become ordinary ones.
    """
    if not text.isprintable():
        # There may be a million signs, but few different ones.
        others = {sign for sign in set(text) if not sign.isprintable()}
        text = text.translate(
            {ord(sign): " " if category(sign) == "Zs" else None for sign in others}
        )
    return text.strip()[:limit].rstrip() or None
