"""Talks to a The Keys gateway: one request at a time, and orders exactly once.

A gateway bears neither parallel nor back-to-back calls (it refuses connections, loses
locks and finally hangs), so all requests of one gateway wait in one queue, orders first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
import heapq
from http import HTTPMethod, HTTPStatus
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
from aiohttp import hdrs
from yarl import URL

from ...wire import (
    CannotConnect,
    LostReply,
    Secret,
    TimedOut,
    UnexpectedReply,
    WireError,
    alone,
    http_errors,
    parse_json,
    read_bounded,
)
from .protocol import (
    PATH_CALIBRATE,
    PATH_CLOSE,
    PATH_LOCKER_STATUS,
    PATH_LOCKER_SYNCHRONIZE,
    PATH_LOCKER_UPDATE,
    PATH_LOCKERS,
    PATH_OPEN,
    PATH_STATUS,
    PATH_SYNCHRONIZE,
    PATH_UPDATE,
    Bolt,
    Code,
    GatewayStatus,
    Locker,
    LockerStatus,
    MalformedReplyError,
    Refusal,
    check,
    parse_locker_status,
    parse_lockers,
    parse_status,
    sign,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_HEADERS = {hdrs.CONNECTION: "close"}
_FORM_HEADERS = {
    **_HEADERS,
    hdrs.CONTENT_TYPE: "application/x-www-form-urlencoded",
}

_MAX_REPLY = 64 * 1024
"""Bytes of a reply at most; that of a gateway with many locks has a few thousand."""


class NotConfirmed(WireError):
    """Neither the reply to an order nor the bolt says that it has been carried out.

    The cause tells what became of the reply.
    """

    def __init__(self, bolt: Bolt | None) -> None:
        """Keep where the bolt is, or None if that could not be read either."""
        super().__init__("the order is not confirmed")
        self.bolt = bolt


class OrderExpired(WireError):
    """An order had to wait so long that carrying it out now might surprise someone."""


class NotSupported(UnexpectedReply):
    """The gateway's firmware does not know the address."""


class Urgency(IntEnum):
    """Who goes first when several wait."""

    ORDER = 0
    READING = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long to wait for what, in seconds; the values are those seen to work."""

    gap: float = 1.0
    """After the end of each reply, before the next request."""
    connect: float = 5.0
    light: float = 5.0
    """For a reply from the gateway's own memory."""
    heavy: float = 20.0
    """For a reply that needs Bluetooth; 3.2 to 3.6 s on average."""
    busy: float = 5.0
    """Before what a busy gateway refused is asked again."""
    travel: float = 6.0
    """Until a bolt has arrived."""
    transient: tuple[float, ...] = (1.0, 2.0, 4.0)
    """Before each repetition of a synchronisation that met a passing fault."""
    order_lifetime: float = 20.0
    """From the wish to the last moment at which an order is still sent."""


PACE = Pace()

MAX_LEAD = 60
"""Seconds that timestamps run ahead of the clock, until that counts as a reason for the
gateway to refuse them."""

BUSY_TRIES = 3
MOVING_TRIES = 3


class Share(NamedTuple):
    """A lock, and the code of the share between it and its gateway."""

    identifier: str
    code: Secret


class Timestamps:
    """Seconds to sign with: unique, and never older than one sent before."""

    def __init__(self, last: int = 0) -> None:
        """Continue after `last`, which outlives the connection."""
        self.last = last

    def take(self) -> int:
        """Return the next one; it runs ahead of the clock if it must."""
        self.last = max(int(time.time()), self.last + 1)
        return self.last

    def fall_back(self) -> None:
        """Follow the clock again if it was ahead before, and has been set right."""
        if self.last > (now := int(time.time())) + MAX_LEAD:
            self.last = now - 1


class Turns:
    """The queue of one gateway, in which orders overtake readings, with a pause after each.

    All clients of the gateway stand in it: a form may ask it, too, and an order may still
    be under way whose entry is being reloaded.
    """

    def __init__(self) -> None:
        """Begin with nobody."""
        self._taken = False
        self._free_at = 0.0
        """When the pause is over, of the event loop's clock."""
        self._pause: asyncio.TimerHandle | None = None
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None], object]] = []
        self._arrivals = 0

    @asynccontextmanager
    async def take(
        self, urgency: Urgency, asker: object, gap: float
    ) -> AsyncIterator[None]:
        """Wait for one's turn, and hold it.

        Args:
            urgency: who goes first.
            asker: on whose behalf, for `send_home`.
            gap: seconds to leave the gateway in peace afterwards.

        Raises:
            CannotConnect: the asker has been sent home.

        """
        loop = asyncio.get_running_loop()
        mine = loop.create_future()
        self._arrivals += 1
        heapq.heappush(self._waiting, (urgency, self._arrivals, mine, asker))
        self._serve()
        if not mine.done():
            try:
                await mine
            except asyncio.CancelledError:
                if not mine.cancelled() and mine.exception() is None:
                    # It had just become ours.
                    self._taken = False
                self._serve()
                raise
        try:
            yield
        finally:
            self._taken = False
            self._free_at = loop.time() + gap
            self._serve()

    def send_home(self, asker: object) -> None:
        """Have nobody wait any more on whose behalf nothing is to be asked."""
        for _, _, waiting, whose in self._waiting:
            if whose is asker and not waiting.done():
                waiting.set_exception(CannotConnect())
        self._serve()

    def _serve(self) -> None:
        """Give the turn to the most urgent who still waits, now or after the pause."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
        if self._taken or not self._waiting:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._free_at:
            self._pause = loop.call_at(self._free_at, self._serve)
        else:
            self._taken = True
            heapq.heappop(self._waiting)[2].set_result(None)


class GatewayClient:
    """A gateway.

    Every method may raise `Refusal` (the gateway's own word) or one of `CannotConnect`,
    `LostReply`, `TimedOut` and `UnexpectedReply`.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: URL,
        *,
        turns: Turns | None = None,
        timestamps: Timestamps | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Prepare to talk to the gateway at `url`; nothing is sent.

        Whoever talks to the same one takes the same `turns`.
        """
        self._session = session
        self._url = url
        self.timestamps = timestamps or Timestamps()
        self._pace = pace or PACE
        self._turns = turns or Turns()
        self._closed = False
        self._newest: dict[str, str] = {}
        """By lock: what was ordered last."""

    def close(self) -> None:
        """Send nothing any more; who waits for a turn gets `CannotConnect`."""
        self._closed = True
        self._turns.send_home(self)

    async def lockers(self) -> list[Locker]:
        """Return the locks that the gateway sees, from its memory."""
        return await self._read(PATH_LOCKERS, parse_lockers)

    async def status(self) -> GatewayStatus:
        """Return what the gateway is doing.

        Raises:
            NotSupported: its firmware is older than 17.

        """
        return await self._read(PATH_STATUS, parse_status)

    async def synchronize(self) -> None:
        """Have the gateway synchronise with the vendor, which also sets its clock."""
        await self._patiently(
            lambda: self._read(PATH_SYNCHRONIZE, check, Urgency.ORDER)
        )

    async def update(self) -> None:
        """Have the gateway write its firmware anew, even if it is up to date.

        The document shows GET, the vendor's own client posts. Posts are never repeated
        by the HTTP library.
        """
        await self._patiently(lambda: self._post(PATH_UPDATE, {}))

    async def locker_synchronize(self, identifier: str) -> None:
        """Have a lock synchronised; an empty reply is acceptance."""
        for wait in (*self._pace.transient, None):
            try:
                await self._patiently(
                    lambda: self._post(
                        PATH_LOCKER_SYNCHRONIZE, {"identifier": identifier}
                    )
                )
            except Refusal as err:
                if wait is None or err.code not in (
                    Code.NOT_SEEN,
                    Code.INVALID_SYNC_DATA,
                    Code.SYNC_FAILED,
                    Code.BLUETOOTH_FAILED,
                ):
                    raise
                await asyncio.sleep(wait)
            else:
                return

    async def locker_update(self, identifier: str) -> None:
        """Have a lock's firmware updated; an empty reply is acceptance."""
        await self._patiently(
            lambda: self._post(PATH_LOCKER_UPDATE, {"identifier": identifier})
        )

    async def locker_status(
        self, share: Share, urgency: Urgency = Urgency.READING
    ) -> LockerStatus:
        """Read where a lock's bolt is, over Bluetooth."""
        for attempt in range(MOVING_TRIES + 1):
            try:
                reply = await self._signed(PATH_LOCKER_STATUS, share, urgency)
                return _parsed(reply, parse_locker_status)
            except Refusal as err:
                # In the field 400 also means that the bolt is still moving.
                if err.code != Code.BAD_REQUEST or attempt == MOVING_TRIES:
                    raise
            await asyncio.sleep(self._pace.travel)
        raise AssertionError("unreachable")

    async def open(self, share: Share) -> None:
        """Unlock; return when the gateway has accepted, or the bolt is seen to be there.

        Raises:
            OrderExpired: it could not be sent in time, and will not be.
            NotConfirmed: its reply was lost, and the bolt is not there.

        """
        await self._move(PATH_OPEN, share, Bolt.OPEN)

    async def close_bolt(self, share: Share) -> None:
        """Lock; as `open`."""
        await self._move(PATH_CLOSE, share, Bolt.CLOSED)

    async def calibrate(self, share: Share) -> None:
        """Have the lock find the ends of its way, which moves the bolt.

        Raises:
            OrderExpired: it could not be sent in time, and will not be.

        """
        _parsed(
            await self._signed(PATH_CALIBRATE, share, Urgency.ORDER, self._deadline()),
            check,
        )

    async def _move(self, path: str, share: Share, wanted: Bolt) -> None:
        """Send an order once, and find out what became of it if the reply does not say."""
        try:
            reply = await self._signed(path, share, Urgency.ORDER, self._deadline())
            _parsed(reply, check)
        except Refusal as err:
            # "Anything else" may have moved the bolt, and 400 may be our own move that
            # is still under way.
            if err.code not in (Code.LOCK_FAILED, Code.BAD_REQUEST):
                raise
            await self._settle(share, wanted, err)
        except (LostReply, TimedOut, UnexpectedReply) as err:
            await self._settle(share, wanted, err)

    async def _settle(self, share: Share, wanted: Bolt, reason: Exception) -> None:
        """Let the bolt itself say whether an order has been carried out."""
        await asyncio.sleep(self._pace.travel)
        try:
            bolt = (await self.locker_status(share, Urgency.ORDER)).bolt
        except Refusal, WireError:
            raise NotConfirmed(None) from reason
        if bolt is not wanted:
            raise NotConfirmed(bolt) from reason

    def _deadline(self) -> float:
        """Return the moment after which an order given now is not sent any more."""
        return asyncio.get_running_loop().time() + self._pace.order_lifetime

    async def _signed(
        self, path: str, share: Share, urgency: Urgency, deadline: float | None = None
    ) -> bytes:
        """Send a signed request and return the reply, whatever it says.

        What the gateway refuses for a reason that can be mended, and so has not carried
        out, is mended and asked again: each reason once, business a few times. An order
        is not, if meanwhile its lock was given another one, which would be undone.
        """
        if deadline is not None:
            self._newest[share.identifier] = path
        mended: set[int] = set()
        busy_tries = 0
        highest = self.timestamps.last
        while True:
            reply = await self._exchange(
                HTTPMethod.POST,
                path,
                lambda: self._signed_form(share),
                self._pace.heavy,
                urgency,
                deadline,
            )
            refusal = _refusal(path, reply)
            if refusal is None:
                return reply
            if refusal.code == Code.BUSY and busy_tries < BUSY_TRIES:
                busy_tries += 1
                await asyncio.sleep(self._pace.busy)
            elif refusal.code in mended or not await self._mended(refusal.code, share):
                # It was not that our timestamps were too far ahead.
                self.timestamps.last = max(self.timestamps.last, highest)
                raise refusal
            mended.add(refusal.code)
            if deadline is not None and (
                asyncio.get_running_loop().time() > deadline
                or self._newest[share.identifier] != path
            ):
                raise refusal

    async def _mended(self, code: int, share: Share) -> bool:
        """Remove the reason of a refusal, if that can be done."""
        try:
            match code:
                case Code.INVALID_HMAC:
                    # Seen when calls collide; a newer timestamp is all it takes, and
                    # the gap between requests sees to it.
                    self.timestamps.fall_back()
                    return True
                case Code.KEY_REFUSED:
                    await self.locker_synchronize(share.identifier)
                    return True
                case Code.CLOCK_INVALID:
                    await self.synchronize()
                    return True
        except Refusal, WireError:
            return False
        return False

    def _signed_form(self, share: Share) -> Mapping[str, str]:
        """Return the fields of a request that is sent this moment."""
        timestamp = self.timestamps.take()
        return {
            "identifier": share.identifier,
            "ts": str(timestamp),
            "hash": sign(share.code.reveal(), timestamp),
        }

    async def _read[ReplyT](
        self,
        path: str,
        parse: Callable[[Any], ReplyT],
        urgency: Urgency = Urgency.READING,
    ) -> ReplyT:
        """Get what needs no signature."""
        heavy = path == PATH_SYNCHRONIZE
        return _parsed(
            await self._exchange(
                HTTPMethod.GET,
                path,
                None,
                self._pace.heavy if heavy else self._pace.light,
                urgency,
            ),
            parse,
        )

    async def _post(self, path: str, fields: Mapping[str, str]) -> None:
        """Ask for something that needs no signature."""
        reply = await self._exchange(
            HTTPMethod.POST, path, lambda: fields, self._pace.heavy, Urgency.ORDER
        )
        # Seen in the field: accepted, and nothing said.
        if reply:
            _parsed(reply, check)

    async def _patiently(self, ask: Callable[[], Awaitable[None]]) -> None:
        """Ask again when the gateway is busy, which means that it has done nothing."""
        for _ in range(BUSY_TRIES):
            try:
                await ask()
            except Refusal as err:
                if err.code != Code.BUSY:
                    raise
            else:
                return
            await asyncio.sleep(self._pace.busy)
        await ask()

    async def _exchange(
        self,
        method: HTTPMethod,
        path: str,
        form: Callable[[], Mapping[str, str]] | None,
        patience: float,
        urgency: Urgency,
        deadline: float | None = None,
    ) -> bytes:
        """Send one request when its turn has come, and return the reply's body."""
        async with self._turns.take(urgency, self, self._pace.gap):
            if self._closed:
                raise CannotConnect
            left = self._pace.connect
            if deadline is not None:
                left = min(left, deadline - asyncio.get_running_loop().time())
                if left <= 0:
                    raise OrderExpired
            with http_errors():
                async with self._session.request(
                    method,
                    self._url.with_path(path),
                    # Written here: what aiohttp has for forms of all kinds takes more
                    # time, for which somebody stands at the door.
                    data=urlencode(form()).encode() if form else None,
                    # The gateway has few sockets; a redirect could carry a signature
                    # elsewhere.
                    headers=_FORM_HEADERS if form else _HEADERS,
                    middlewares=(alone,),
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(
                        total=self._pace.connect + patience,
                        # With the look-up of a name, which can outlast an order.
                        connect=left,
                    ),
                ) as response:
                    body = await read_bounded(response.content, _MAX_REPLY)
                    if response.status == HTTPStatus.NOT_FOUND:
                        raise NotSupported(path)
        return body


def _parsed[ReplyT](reply: bytes, parse: Callable[[Any], ReplyT]) -> ReplyT:
    """Read a reply.

    Raises:
        UnexpectedReply: it is in neither dialect.

    """
    try:
        return parse(parse_json(reply))
    except MalformedReplyError as err:
        raise UnexpectedReply(str(err)) from err


def _refusal(path: str, reply: bytes) -> Refusal | None:
    """Return the refusal that a reply holds, if it holds one."""
    try:
        _parsed(reply, parse_locker_status if path == PATH_LOCKER_STATUS else check)
    except Refusal as err:
        return err
    except UnexpectedReply:
        return None
    return None
