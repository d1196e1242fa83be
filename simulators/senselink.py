"""SenseLink: the server of face terminals, as far as it pushes and shows pictures.

Written from the vendor's chapter "3 Push通知" ("the document" below), its chapters on
event subscription, and what public clients tell of real servers ("in the field").
Records and alerts go to every websocket that is open, and to one subscriber by HTTP.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
import contextlib
from dataclasses import dataclass, field
from datetime import timedelta, timezone
import hmac
import itertools
import json
import secrets
import time
from typing import Literal, override
import uuid

import aiohttp
from aiohttp import WSCloseCode, WSMsgType, web

from . import senselink_frames as frames
from .loopback import LoopbackServer, make_app_runner
from .senselink_frames import (
    ACTIVE,
    AIKO,
    ALERT,
    RECORD,
    RELEASED,
    TERMINALS,
    AlarmTimeForm,
    Envelope,
    Frame,
    Layout,
    Person,
    Photos,
    Terminal,
)
from .senselink_pictures import draw_portrait, draw_scene

PORTRAIT = "1"
CAPTURED = "2"

# How sure a terminal is of somebody whom it knows.
SURE = 0.963
# How long to wait for a client's half of an orderly end, in seconds.
CLOSING = 1

type Refusal = Literal["app_key", "sign", "timestamp", "close", "forbidden"]
type Status = Literal["normal", "abnormal"]

# The document has the first one only; the words of the others are a guess.
REFUSALS = {
    "app_key": "app key not exist",
    "sign": "sign error",
    "timestamp": "timestamp expired",
}


def wall_clock() -> float:
    """Return the seconds since 1970, also when a test has frozen them."""
    return time.time()


@dataclass(frozen=True)
class Attempt:
    """A websocket that somebody asked for.

    Attributes:
        path: As it came, with key, time and signature.
        accepted: Whether it was given.
        at: When, in seconds since 1970.
    """

    path: str
    accepted: bool
    at: float


@dataclass(frozen=True)
class Fetch:
    """A picture that somebody asked for.

    Attributes:
        path: Without a query.
        query: By the names of its parameters.
        status: What was answered.
    """

    path: str
    query: dict[str, str]
    status: int


@dataclass(frozen=True)
class Delivery:
    """An event that was posted to the subscriber.

    Attributes:
        status: Of HTTP, or None if nobody answered in time.
        body: Of the answer.
        elapsed: Until the answer or its absence, in seconds.
        sent: The body that was posted.
    """

    status: int | None
    body: bytes
    elapsed: float
    sent: bytes

    @property
    def taken(self) -> bool:
        """Return whether the subscriber has acknowledged it.

        The document asks for "return code 200", which may be that of HTTP or one in the
        body: a body that has a code must have this one.
        """
        try:
            reply = json.loads(self.body)
        except ValueError:
            reply = None
        code = reply.get("code", 200) if isinstance(reply, dict) else 200
        return self.status == code == 200


@dataclass
class Subscription:
    """What is set under System management > Open Platform > Subscription service.

    Attributes:
        url: Where events are posted.
        records: Whether records are.
        alerts: Whether alerts are.
        attempts: How often an event is posted until it counts as failed.
        status: Normal, or abnormal after a failure: nothing is posted any more.
        deliveries: All that was posted, oldest first, each attempt for itself.
    """

    url: str
    records: bool = True
    alerts: bool = True
    attempts: int = 3
    status: Status = "normal"
    deliveries: list[Delivery] = field(default_factory=list)

    def wants(self, code: int) -> bool:
        """Return whether a kind of event is to be posted now."""
        chosen = {RECORD: self.records, ALERT: self.alerts}
        return self.status == "normal" and chosen[code]


@dataclass(frozen=True)
class _Pushed:
    """A record or an alert that was pushed, with all that a repetition repeats."""

    code: int
    data: Frame
    message_id: str
    at: float


class SenseLink(LoopbackServer):
    """A server on a loopback port, with the terminals that it looks after.

    Times are of the clock given, in seconds since 1970.

    Attributes:
        app_key: Names the client.
        app_secret: Signs the client's requests.
        tls: Whether it speaks TLS, with a certificate that nobody has signed.
        validity: How far a client's time may be from the clock, in seconds.
        layout: How the fields of records are called.
        terminals: That recognise people; more can be added.
        zone: The terminals' time zone.
        envelope: How numbers are written in events to the subscriber.
        extras: Whether records have what they have in the field besides the document.
        greeting: Text of the first frame; None keeps it back. The document writes it
            with a leading blank in one place.
        refuse: How whoever connects is refused: with a reason, by an end without any,
            or by HTTP. Those who are connected stay so.
        closes_refused: Whether the end follows a reason; the document does not say.
        answers_pings: Whether pings of the websocket protocol are answered.
        guards_pictures: Whether pictures are shown to signed requests only. In the
            field they are not, but newer servers may.
        reply_timeout: How long the subscriber may take to answer, in seconds.
        retry_pause: Between two attempts to post an event, in seconds; the document
            does not say how long.
        pictures: JPEG files by their identifiers.
        connections: Accepted websockets that are open.
        attempts: All websockets that were asked for, oldest first.
        received: Texts that clients have sent; real ones send none.
        pings: How many pings have come.
        fetches: All pictures that were asked for, oldest first.
        alerts: Data of the alerts that are not released, by their traceId.
        subscription: The subscriber, if there is one.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        app_key: str = "00112233aabbccdd",
        app_secret: str = "0123456789abcdef0123456789abcdef",
        tls: bool = False,
        heartbeat: float | None = 30.0,
        validity: float = 1800.0,
        layout: Layout = "2.3",
        terminals: Sequence[Terminal] = TERMINALS,
        zone: timezone = timezone(timedelta(hours=9)),
        clock: Callable[[], float] = wall_clock,
    ) -> None:
        """Take the key, the habits and the terminals; it serves once started.

        Args:
            port: Where to serve; 0 is any free one.
            app_key: Names the client.
            app_secret: Signs the client's requests.
            tls: Whether to speak TLS.
            heartbeat: Seconds between two heartbeats, or None for none.
            validity: How far a client's time may be from the clock, in seconds.
            layout: How the fields of records are called.
            terminals: That recognise people.
            zone: The terminals' time zone.
            clock: Tells the seconds since 1970.
        """
        super().__init__(port, tls=tls)
        self.app_key = app_key
        self.app_secret = app_secret
        self.validity = validity
        self.layout: Layout = layout
        self.terminals = list(terminals)
        self.zone = zone
        self.envelope: Envelope = "field"
        self.extras = True
        self.greeting: str | None = "Connected!"
        self.refuse: Refusal | None = None
        self.closes_refused = True
        self.answers_pings = True
        self.guards_pictures = False
        self.reply_timeout = 5.0
        self.retry_pause = 0.0
        self.pictures: dict[str, bytes] = {}
        self.connections: list[web.WebSocketResponse] = []
        self.attempts: list[Attempt] = []
        self.received: list[str] = []
        self.pings = 0
        self.fetches: list[Fetch] = []
        self.alerts: dict[str, Frame] = {}
        self.subscription: Subscription | None = None
        self._clock = clock
        self._heartbeat = heartbeat
        self._beating: asyncio.Task[None] | None = None
        self._quiet = False
        self._portraits: set[str] = set()
        self._open: set[asyncio.Transport] = set()
        self._last: _Pushed | None = None
        self._record_ids = itertools.count(1000001)
        self._alert_ids = itertools.count(5001)

    @property
    def is_quiet(self) -> bool:
        """Return whether nothing is sent into the websockets."""
        return self._quiet

    @override
    async def start(self) -> None:
        """Enter the network.

        Raises:
            OSError: The port is taken.
        """
        if self.running:
            return
        await super().start()
        if self._heartbeat is not None:
            self._beating = asyncio.create_task(self._keep_beating(self._heartbeat))

    @override
    async def stop(self) -> None:
        """Leave the network: connections break, and new ones are refused."""
        if self._beating is not None:
            beating, self._beating = self._beating, None
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating
        await super().stop()

    @override
    def _make_runner(self) -> web.AppRunner:
        app = web.Application()
        app.add_routes(
            [
                web.get(
                    "/websocket/record/{app_key}/{timestamp}/{sign}", self._connect
                ),
                web.get("/v1/image/{kind}/{image}", self._show_picture),
            ]
        )
        return make_app_runner(app)

    @override
    def _to_break(self) -> Iterable[asyncio.Transport]:
        return list(self._open)

    async def recognise(
        self,
        *,
        terminal: int = 0,
        person: Person | None = AIKO,
        entry_mode: int = 1,
        abnormal_type: int = 0,
        score: float | None = None,
        temperature: float | None = None,
        mask: int | None = None,
        at: float | None = None,
        record_id: int | None = None,
        photo: bool = False,
    ) -> Frame:
        """Push the record of somebody before a terminal, and return its frame.

        Args:
            terminal: Which of the terminals.
            person: Who it is, or None for a stranger.
            entry_mode: 1 face, 2 QR code, 3 card, 4 face and card, 5 identity card,
                6 face and identity card.
            abnormal_type: Why the door stays closed, or 0.
            score: How sure the terminal is, 0 to 1; None is 0 for a stranger and high
                for others.
            temperature: In °C; left out if None.
            mask: 0 unknown, 1 not worn, 2 worn; left out if None.
            at: When; None is now.
            record_id: The server's number of it; None is the next one.
            photo: Whether pictures are taken.
        """
        if person is not None:
            self._portray(person)
        if score is None:
            score = 0 if person is None else SURE
        data = frames.record(
            record_id=next(self._record_ids) if record_id is None else record_id,
            terminal=self.terminals[terminal],
            person=person,
            at=self._clock() if at is None else at,
            zone=self.zone,
            entry_mode=entry_mode,
            abnormal_type=abnormal_type,
            score=score,
            temperature=temperature,
            mask=mask,
            photos=self._photograph(person, entry_mode, mask) if photo else Photos(),
            layout=self.layout,
        )
        if self.extras:
            data |= frames.extras(person)
        return await self._push(RECORD, data)

    async def alert(
        self,
        code: int,
        *,
        terminal: int = 0,
        status: int = ACTIVE,
        trace_id: str | None = None,
        level: int = 1,
        photo: bool = False,
        alarm_time_form: AlarmTimeForm = "ms",
    ) -> Frame:
        """Push an alert, and return its frame.

        Args:
            code: What has happened.
            terminal: Where.
            status: 1 active, 2 releasing, 3 released.
            trace_id: The terminal's own number of it; None is a new one. With the
                number of an alert that is not released yet, this is the same alert.
            level: 1 alert, 2 abnormality.
            photo: Whether a picture is taken.
            alarm_time_form: How times are written.
        """
        now = frames.write_time(self._clock(), alarm_time_form, self.zone)
        data = frames.alert(
            alert_id=next(self._alert_ids),
            code=code,
            terminal=self.terminals[terminal],
            trace_id=trace_id or uuid.uuid4().hex,
            status=status,
            level=level,
            alarm_time=now,
            photo=self._keep(draw_scene(0)) if photo else "",
        )
        if known := self.alerts.get(data["traceId"]):
            data |= {name: known[name] for name in ("id", "alarmTime", "alarmPhoto")}
        if status == RELEASED:
            data["releaseTime"] = now
            self.alerts.pop(data["traceId"], None)
        else:
            self.alerts[data["traceId"]] = data
        return await self._push(ALERT, data)

    async def release(
        self, trace_id: str, *, alarm_time_form: AlarmTimeForm = "ms"
    ) -> Frame:
        """Push that an alert is released, and return the frame.

        Raises:
            ValueError: There is no such alert, or not any more.
        """
        data = self.alerts.pop(trace_id, None)
        if data is None:
            raise ValueError("there is no such alert")
        now = frames.write_time(self._clock(), alarm_time_form, self.zone)
        return await self._push(ALERT, {**data, "status": RELEASED, "releaseTime": now})

    async def resend(self) -> Frame:
        """Push the last record or alert again, with the same numbers.

        Raises:
            ValueError: Nothing has been pushed yet.
        """
        if self._last is None:
            raise ValueError("nothing has been pushed yet")
        return await self._send(self._last)

    async def beat(self) -> None:
        """Send a heartbeat now."""
        await self.push_raw(json.dumps(frames.heartbeat()))

    async def push_raw(self, message: str | bytes, *, as_text: bool = False) -> None:
        """Send anything into the websockets.

        Args:
            message: A text, or bytes, which go as a binary message.
            as_text: Whether bytes go as a text, which they need not be.
        """
        if self._quiet:
            return
        opcode = WSMsgType.TEXT
        if isinstance(message, str):
            message = message.encode()
        elif not as_text:
            opcode = WSMsgType.BINARY
        for connection in list(self.connections):
            # It may have broken off, and its handler not know yet.
            with contextlib.suppress(ConnectionError):
                await connection.send_frame(message, opcode)

    async def drop(self, *, abort: bool = True) -> None:
        """End all websockets.

        Args:
            abort: Whether they break, instead of being closed in good order.
        """
        if abort:
            for transport in list(self._open):
                transport.abort()
            return
        for connection in list(self.connections):
            await connection.close(code=WSCloseCode.GOING_AWAY)

    async def quiet(self, on: bool) -> None:
        """Send nothing into the websockets, which stay open; or speak again.

        What would have been sent in the meantime is lost, pongs included.
        """
        self._quiet = on

    def subscribe(
        self, url: str, *, records: bool = True, alerts: bool = True, attempts: int = 3
    ) -> None:
        """Post events from now on; also what lets a subscriber be normal again.

        Args:
            url: Where to.
            records: Whether records are posted.
            alerts: Whether alerts are.
            attempts: How often an event is posted until it counts as failed; the
                document does not say.
        """
        self.subscription = Subscription(url, records, alerts, attempts)

    def unsubscribe(self) -> None:
        """Post no events any more."""
        self.subscription = None

    async def post_raw(
        self, body: bytes, *, content_type: str = "application/json"
    ) -> Delivery:
        """Post anything to the subscriber, once, however it is answered.

        Raises:
            ValueError: There is no subscriber.
        """
        if self.subscription is None:
            raise ValueError("there is no subscriber")
        return await self._post(self.subscription, body, content_type)

    async def _push(self, code: int, data: Frame) -> Frame:
        """Push something new, and return its frame."""
        self._last = _Pushed(code, data, str(uuid.uuid4()), self._clock())
        return await self._send(self._last)

    async def _send(self, pushed: _Pushed) -> Frame:
        """Send something into the websockets and to the subscriber."""
        frame = frames.push(pushed.code, pushed.data)
        if not self.running:
            return frame
        await self.push_raw(json.dumps(frame, ensure_ascii=False))
        subscription = self.subscription
        if subscription is not None and subscription.wants(pushed.code):
            event = frames.event(
                pushed.code,
                pushed.data,
                message_id=pushed.message_id,
                at=pushed.at,
                envelope=self.envelope,
            )
            await self._notify(
                subscription, json.dumps(event, ensure_ascii=False).encode()
            )
        return frame

    async def _notify(self, subscription: Subscription, body: bytes) -> None:
        """Post an event until it is taken; give the subscriber up if it is not."""
        for attempt in range(subscription.attempts):
            if attempt:
                await asyncio.sleep(self.retry_pause)
            delivery = await self._post(subscription, body, "application/json")
            if delivery.taken:
                return
        subscription.status = "abnormal"

    async def _post(
        self, subscription: Subscription, body: bytes, content_type: str
    ) -> Delivery:
        """Post a body once."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        status, reply = None, b""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with (
                asyncio.timeout(self.reply_timeout),
                aiohttp.ClientSession() as session,
                session.post(
                    subscription.url,
                    data=body,
                    headers={"Content-Type": content_type},
                    allow_redirects=False,
                ) as response,
            ):
                reply = await response.read()
                status = response.status
        delivery = Delivery(status, reply, loop.time() - started, body)
        subscription.deliveries.append(delivery)
        return delivery

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        """Take somebody's websocket, or refuse it; both after the upgrade."""
        refusal = self.refuse or self._check(request.match_info)
        attempt = Attempt(request.rel_url.raw_path, refusal is None, self._clock())
        if refusal == "forbidden":
            self.attempts.append(attempt)
            return web.Response(status=403)
        connection = web.WebSocketResponse(
            autoping=False, compress=False, timeout=CLOSING
        )
        await connection.prepare(request)
        self.attempts.append(attempt)
        assert request.transport is not None
        self._open.add(request.transport)
        try:
            # It may break off at any time.
            with contextlib.suppress(ConnectionError):
                if refusal is None:
                    await self._welcome(connection)
                else:
                    await self._turn_away(connection, refusal)
        finally:
            self._open.discard(request.transport)
        return connection

    async def _welcome(self, connection: web.WebSocketResponse) -> None:
        """Greet somebody, and let records and alerts come in."""
        if self.greeting is not None and not self._quiet:
            await connection.send_json(frames.connected(self.greeting))
        self.connections.append(connection)
        try:
            await self._listen(connection)
        finally:
            self.connections.remove(connection)

    async def _turn_away(
        self, connection: web.WebSocketResponse, refusal: Refusal
    ) -> None:
        """Say why somebody is refused, and end it unless the client is to."""
        if refusal in REFUSALS:
            await connection.send_json(frames.denied(REFUSALS[refusal]))
            if not self.closes_refused:
                await self._listen(connection)
        await connection.close()

    async def _listen(self, connection: web.WebSocketResponse) -> None:
        """Take what somebody sends until the end; only pings are answered."""
        async for message in connection:
            if message.type is WSMsgType.TEXT:
                self.received.append(message.data)
            elif message.type is WSMsgType.PING:
                self.pings += 1
                if self.answers_pings and not self._quiet:
                    await connection.pong(message.data)

    async def _keep_beating(self, every: float) -> None:
        """Send a heartbeat every so often, until cancelled."""
        while True:
            await asyncio.sleep(every)
            await self.beat()

    def _check(self, given: Mapping[str, str]) -> Refusal | None:
        """Return what is wrong with a key, a time and a signature."""
        timestamp = given.get("timestamp", "")
        if given.get("app_key") != self.app_key:
            return "app_key"
        right = frames.sign(timestamp, self.app_secret)
        if not hmac.compare_digest(right.encode(), given.get("sign", "").encode()):
            return "sign"
        if not (timestamp.isascii() and timestamp.isdecimal()):
            return "timestamp"
        if abs(int(timestamp) / 1000 - self._clock()) > self.validity:
            return "timestamp"
        return None

    async def _show_picture(self, request: web.Request) -> web.Response:
        """Show a picture, as bytes."""
        response = self._find_picture(
            request.match_info["kind"], request.match_info["image"], request.query
        )
        self.fetches.append(Fetch(request.path, dict(request.query), response.status))
        return response

    def _find_picture(
        self, kind: str, image: str, given: Mapping[str, str]
    ) -> web.Response:
        """Return a picture if it exists and may be seen."""
        if self.guards_pictures and self._check(given):
            return web.Response(status=401)
        if image not in self.pictures:
            return web.Response(status=404)
        if kind != (PORTRAIT if image in self._portraits else CAPTURED):
            return web.Response(status=404)
        return web.Response(body=self.pictures[image], content_type="image/jpeg")

    def _portray(self, person: Person) -> None:
        """Have the registered portrait of a person, who may have none."""
        if person.avatar and person.avatar not in self.pictures:
            self.pictures[person.avatar] = draw_portrait(person.id)
            self._portraits.add(person.avatar)

    def _photograph(
        self, person: Person | None, entry_mode: int, mask: int | None
    ) -> Photos:
        """Take the pictures of a recognition."""
        who = 0 if person is None else person.id
        masked = mask == 2
        return Photos(
            self._keep(draw_portrait(who, masked=masked)),
            self._keep(draw_scene(who, masked=masked)),
            self._keep(draw_portrait(who)) if entry_mode in {5, 6} else "",
        )

    def _keep(self, picture: bytes) -> str:
        """Return the new identifier of a picture."""
        image = secrets.token_hex(12)
        self.pictures[image] = picture
        return image
