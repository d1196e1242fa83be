"""Talks to a SenseLink server: listens at its websocket, and fetches pictures."""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from http import HTTPStatus
import logging
import ssl
import time
from typing import NamedTuple

import aiohttp
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from yarl import URL

from ...wire import (
    CannotConnect,
    InvalidAuth,
    Secret,
    TimedOut,
    UnexpectedReply,
    UnexpectedStatus,
    WireError,
    http_errors,
    open_websocket,
    parse_json,
    read_bounded,
)
from .protocol import (
    MalformedFrameError,
    Message,
    Signal,
    parse_frame,
    picture_path,
    picture_type,
    sign,
    websocket_path,
)

_LOGGER = logging.getLogger(__name__)

MAX_FRAME = 256 * 1024
"""Bytes of a frame at most; real ones have about a thousand, for pictures are ids."""

MAX_EARLY = 64
"""Messages that are kept until the server has said that it accepts the key."""

MAX_PICTURE = 2 * 1024 * 1024
"""Bytes of a picture at most."""

_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)

# A server that wants its pictures signed for may as well deny that they exist.
_GUARDED = (*_REFUSED, HTTPStatus.NOT_FOUND)


class LinkLost(WireError):
    """The websocket has ended."""


class GoneQuiet(LinkLost):
    """We have ended the websocket, for nothing came any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long to wait for what, in seconds."""

    connect: float = 10.0
    greeting: float = 10.0
    """From the opened websocket to the word that the key is accepted."""
    ping: float = 30.0
    """Between two pings, which keep routers from forgetting a silent connection."""
    close: float = 0.5
    """For the other side's half of an orderly end."""
    picture: float = 10.0


PACE = Pace()


class Credentials(NamedTuple):
    """A key of the open platform, as its CSV file has it."""

    app_key: Secret
    app_secret: Secret


class Link:
    """An open websocket, over which SenseLink has accepted the key."""

    def __init__(
        self, connection: ClientConnection, pace: Pace, early: Iterable[Message]
    ) -> None:
        """Keep the connection alive from now on; `early` has come over it already."""
        self._connection = connection
        self._pace = pace
        self._early = deque(early)
        self._pinging = asyncio.create_task(self._ping())
        self._quiet = False
        self.malformed = 0
        """Frames that could not be understood."""
        self.frame_at = self.pong_at = asyncio.get_running_loop().time()
        """When the last frame, and the last answer to a ping, came; of the loop's
        clock."""

    async def receive(self) -> Message:
        """Return the next message that can be understood.

        Raises:
            InvalidAuth: the key is not accepted any more.
            LinkLost: the websocket has ended; `GoneQuiet`, if by our own hand.

        """
        if self._early:
            return self._early.popleft()
        while True:
            try:
                # As bytes, so that broken UTF-8 is a broken frame and not the end.
                frame = await self._connection.recv(decode=False)
            except ConnectionClosed as err:
                raise (GoneQuiet if self._quiet else LinkLost) from err
            self.frame_at = asyncio.get_running_loop().time()
            message = _message(frame)
            if message is Signal.DENIED:
                raise InvalidAuth
            if message is not None:
                return message
            self.malformed += 1

    def break_off(self) -> None:
        """End the websocket at once, for it has gone quiet."""
        self._quiet = True
        self._connection.transport.abort()

    async def close(self) -> None:
        """End the websocket in good order, or without it if that takes too long."""
        self._pinging.cancel()
        try:
            await self._connection.close()
        finally:
            self._connection.transport.abort()

    async def _ping(self) -> None:
        """Ping now and then; a server that leaves one unanswered is not asked again.

        Whether SenseLink answers is not documented, so nothing else follows from it.
        """
        try:
            while True:
                await asyncio.sleep(self._pace.ping)
                await (await self._connection.ping())
                self.pong_at = asyncio.get_running_loop().time()
        except ConnectionClosed:
            pass


class SenseLinkClient:
    """A SenseLink server's websocket."""

    def __init__(
        self,
        host: str,
        port: int,
        credentials: Credentials,
        *,
        tls: ssl.SSLContext | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Prepare to connect; without `tls` the connection is a plain one."""
        self._url = URL.build(
            scheme="ws" if tls is None else "wss", host=host, port=port
        )
        self._credentials = credentials
        self._tls = tls
        self._pace = pace or PACE

    async def connect(self) -> Link:
        """Connect, and return when SenseLink has accepted the key.

        Raises:
            CannotConnect: nobody is there, or the websocket ended before a word.
            InvalidAuth: the key, or its signature, is refused.
            TimedOut: nothing came in time.
            UnexpectedReply: something answered that is not SenseLink.

        """
        timestamp = _now()
        path = websocket_path(
            self._credentials.app_key.reveal(),
            self._credentials.app_secret.reveal(),
            timestamp,
        )
        try:
            connection = await open_websocket(
                self._url.join(URL(path, encoded=True)),
                tls=self._tls,
                open_timeout=self._pace.connect,
                close_timeout=self._pace.close,
                max_size=MAX_FRAME,
            )
        except UnexpectedStatus as err:
            raise _refusal(err.status) from err
        try:
            early = await self._await_greeting(connection)
        except BaseException:
            await connection.close()
            raise
        return Link(connection, self._pace, early)

    async def _await_greeting(
        self, connection: ClientConnection
    ) -> Collection[Message]:
        """Wait for the word that the key is accepted; return what came before it.

        The refusal, too, comes as a frame after the websocket has opened. That it is
        the first one, and no record slips in before it, is not documented.
        """
        early: deque[Message] = deque(maxlen=MAX_EARLY)
        frames = 0
        try:
            async with asyncio.timeout(self._pace.greeting):
                while True:
                    message = _message(await connection.recv(decode=False))
                    frames += 1
                    if message is Signal.CONNECTED:
                        return early
                    if message is Signal.DENIED:
                        raise InvalidAuth
                    if message is not None:
                        early.append(message)
        except TimeoutError as err:
            raise (UnexpectedReply("no greeting") if frames else TimedOut) from err
        except ConnectionClosed as err:
            raise (UnexpectedReply("no greeting") if frames else CannotConnect) from err


class PictureClient:
    """The web server of SenseLink, as far as it shows pictures."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: URL,
        credentials: Credentials | None,
        *,
        pace: Pace | None = None,
    ) -> None:
        """Prepare to ask the server at `url`; nothing is sent."""
        self._session = session
        self._url = url
        self._credentials = credentials
        self._pace = pace or PACE

    async def fetch(self, picture: str) -> tuple[bytes, str]:
        """Return a picture that was taken, and its content type.

        In the field nothing is asked for in return. Newer servers may want a signature,
        so a refused request is repeated once with one.

        Raises:
            WireError: it is missing, refused, too large, no picture, or was not to be
                had.

        """
        status, content = await self._get(picture, None)
        if status in _GUARDED and self._credentials is not None:
            status, content = await self._get(picture, self._credentials)
        if status != HTTPStatus.OK:
            raise _refusal(status)
        if (content_type := picture_type(content)) is None:
            raise UnexpectedReply("no picture")
        return content, content_type

    async def _get(
        self, picture: str, credentials: Credentials | None
    ) -> tuple[int, bytes]:
        """Ask for a picture; return status and body."""
        url = self._url / picture_path(picture).removeprefix("/")
        if credentials is not None:
            timestamp = _now()
            url = url.with_query(
                app_key=credentials.app_key.reveal(),
                sign=sign(credentials.app_secret.reveal(), timestamp),
                timestamp=timestamp,
            )
        with http_errors():
            async with self._session.get(
                url,
                # A redirect could carry the signature elsewhere.
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self._pace.picture),
            ) as response:
                if response.status != HTTPStatus.OK:
                    return response.status, b""
                return response.status, await read_bounded(
                    response.content, MAX_PICTURE
                )


def _now() -> str:
    """Return the moment to sign with, in milliseconds since 1970."""
    return str(int(time.time() * 1000))


def _message(frame: bytes) -> Message | None:
    """Return what a frame says; None if that cannot be understood."""
    try:
        return parse_frame(parse_json(frame))
    except (UnexpectedReply, MalformedFrameError) as err:
        _LOGGER.debug("A frame cannot be understood: %s", err)
        return None


def _refusal(status: int) -> WireError:
    """Return what a status other than the wanted one means."""
    if status in _REFUSED:
        return InvalidAuth()
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return CannotConnect()
    return UnexpectedReply(f"status {status}")
