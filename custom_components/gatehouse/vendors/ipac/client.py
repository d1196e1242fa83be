"""Talks to an IPAC 500 at its local API."""

from contextlib import suppress
from enum import StrEnum
from http import HTTPStatus

import aiohttp
from aiohttp import hdrs
from yarl import URL

from ...wire import (
    InvalidAuth,
    LostReply,
    Secret,
    UnexpectedReply,
    WireError,
    alone,
    http_errors,
    read_bounded,
)
from .protocol import (
    ANSWER,
    CLEAR_DISPLAY,
    HANG_UP,
    STOP_SOUND,
    Order,
    RelayReply,
    Table,
    open_relay,
    place_call,
    play_sound,
    show_picture,
)

CONNECT_TIMEOUT = 5.0
REPLY_TIMEOUT = 10.0
"""Seconds for the whole of a request that carries little."""

UPLOAD_TIMEOUT = 60.0
"""Seconds for a request that carries a sound or a picture."""

_MAX_REPLY = 64 * 1024

_PAGES = ("text/html", "application/xhtml+xml")


class Auth(StrEnum):
    """How the station wants to be told the login."""

    DIGEST = "digest"
    BASIC = "basic"
    NONE = "none"
    """As fields of the request."""


class Refused(WireError):
    """The station understood, and does not do it."""

    def __init__(self, status: int) -> None:
        """Keep the status; the text that may come with it is not documented."""
        super().__init__(f"status {status}")
        self.status = status


class IpacClient:
    """A station.

    Every method may raise `CannotConnect`, `LostReply`, `TimedOut`, `InvalidAuth` or
    `UnexpectedReply`; all but `open_relay` also `Refused`. Nothing is sent twice, except
    what the station has answered with nothing but a challenge to log in.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: URL,
        *,
        auth: Auth,
        username: str,
        password: Secret,
    ) -> None:
        """Prepare to talk to the station at `url`; nothing is sent."""
        self._session = session
        self._url = url
        self._auth = auth
        self._username = username
        self._password = password
        self._headers = {hdrs.CONNECTION: "close"}
        self._middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = (alone,)
        if auth is Auth.DIGEST:
            self._forget_challenge()
        elif auth is Auth.BASIC:
            self._headers[hdrs.AUTHORIZATION] = aiohttp.encode_basic_auth(
                username, password.reveal()
            )

    def _forget_challenge(self) -> None:
        """Keep the station's next challenge, so that later orders need one request."""
        self._middlewares = (
            aiohttp.DigestAuthMiddleware(self._username, self._password.reveal()),
            alone,
        )

    async def open_relay(self, relay: int, code: Secret) -> RelayReply:
        """Fire relay 1 or 2, or with 3 both; return what the station says to it."""
        status, challenged = await self._send(open_relay(relay, code))
        if status == RelayReply.OUTSIDE_HOURS and (
            challenged or self._auth is Auth.NONE
        ):
            # This means the login, unless the station sends a challenge with all that it
            # refuses; where the login is a field, none is sent for either. Only a request
            # that has no time slot can tell.
            with suppress(Refused):
                await self.stop_sound()
        try:
            return RelayReply(status)
        except ValueError:
            raise UnexpectedReply(f"status {status}") from None

    async def answer(self) -> None:
        """Answer the call that is coming in."""
        await self._do(ANSWER)

    async def hang_up(self) -> None:
        """End the call, or refuse the one that is coming in."""
        await self._do(HANG_UP)

    async def place_call(self, table: Table, number: str) -> None:
        """Call a contact of the station's tables, or with `libre` any address."""
        await self._do(place_call(table, number))

    async def play_sound(self, wav: bytes, loop: int) -> None:
        """Play a WAV file of at most `MAX_WAV` bytes, `loop` times."""
        await self._do(play_sound(wav, loop), UPLOAD_TIMEOUT)

    async def stop_sound(self) -> None:
        """End what is being played. It does no harm if nothing is."""
        await self._do(STOP_SOUND)

    async def show_picture(self, picture: bytes, seconds: int) -> None:
        """Show a picture; 0 seconds is until it is cleared."""
        await self._do(show_picture(picture, seconds), UPLOAD_TIMEOUT)

    async def clear_display(self) -> None:
        """Show what the station shows by itself."""
        await self._do(CLEAR_DISPLAY)

    async def _do(self, order: Order, patience: float = REPLY_TIMEOUT) -> None:
        """Send what is either done or not."""
        status, _ = await self._send(order, patience)
        if status == HTTPStatus.UNAUTHORIZED:
            raise InvalidAuth
        if status in tuple(RelayReply) and status != RelayReply.GRANTED:
            raise Refused(status)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise UnexpectedReply(f"status {status}")

    async def _send(
        self, order: Order, patience: float = REPLY_TIMEOUT
    ) -> tuple[int, bool]:
        """Send an order; return the status, and whether it came with a challenge."""
        fields = dict(order.fields)
        if self._auth is Auth.NONE:
            fields |= {"login": self._username, "password": self._password.reveal()}
        try:
            with http_errors():
                async with self._session.post(
                    self._url.joinpath(order.path.removeprefix("/")),
                    json=fields if order.as_json else None,
                    data=None if order.as_json else fields,
                    headers=self._headers,
                    # Home Assistant's own guard against redirects is not needed where
                    # none is followed.
                    middlewares=self._middlewares,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(
                        total=patience, sock_connect=CONNECT_TIMEOUT
                    ),
                ) as response:
                    try:
                        body = await read_bounded(response.content, _MAX_REPLY)
                    except aiohttp.ClientError, TimeoutError:
                        # The status has come, and nothing else is documented. That what
                        # calls itself a page is none, it would have to show.
                        body = b"<"
                    if (
                        response.status == HTTPStatus.OK
                        and response.content_type in _PAGES
                        and body.lstrip().startswith(b"<")
                    ):
                        # Only the status of an answer is documented. But a page is what
                        # a hotspot, or another device that has got the address, answers.
                        raise UnexpectedReply("a web page")
                    return response.status, hdrs.WWW_AUTHENTICATE in response.headers
        except (LostReply, UnicodeError) as err:
            # Perhaps of a challenge that is none, with which every order would fail.
            if self._auth is Auth.DIGEST:
                self._forget_challenge()
            if isinstance(err, UnicodeError):
                raise UnexpectedReply("no challenge") from err
            raise
