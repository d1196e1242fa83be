"""The client of the management server, ASM, that an IPAC 500 has built in.

Written from chapters 3 and 4 of Amphitech's release note of firmware 1.72. The note does
not say how often the station notifies, how long it waits for an answer, nor what becomes
of events that nobody took; what is done here about these is a guess.
"""

import asyncio
import base64
from collections import deque
from collections.abc import Mapping
import contextlib
from dataclasses import dataclass, field
import json
import re
import ssl
import time
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

type Endpoint = Literal["notify", "settings", "event"]
type HttpVersion = Literal["1.0", "1.1"]
type Led = Literal["green", "orange", "red"]
type TaskValueForm = Literal["printed", "json"]

# Spelled as the release note spells it.
UNKNOWN_OBJECT_ID = "unkown_objectid"

TIMEOUT = 10
LONGEST_QUEUE = 50
LARGEST_REPLY = 1024 * 1024

BAD_REQUEST = 400
RELAYS_OF = {"1": (1,), "2": (2,), "3": (1, 2)}


def wall_clock() -> float:
    """Return the seconds since 1970, also when a test has frozen them."""
    return time.time()


@dataclass(frozen=True)
class AsmReply:
    """What the server answered.

    Attributes:
        status: Of HTTP, or None if nobody answered, or not in HTTP.
        body: As it came.
        fields: Of the JSON object in the body; empty if there is none.
    """

    status: int | None
    body: bytes = b""
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AsmRequest:
    """What the station sent.

    Attributes:
        endpoint: Its last part of the path.
        head: Request line and headers, with the empty line.
        body: JSON, unless somebody wished otherwise.
        at: When, in seconds since 1970.
        reply: What came back.
    """

    endpoint: Endpoint
    head: bytes
    body: bytes
    at: float
    reply: AsmReply


class Station(Protocol):
    """What the client needs of the station that it is part of."""

    object_id: str
    task_value_form: TaskValueForm

    @property
    def reachable(self) -> bool:
        """Return whether anything can be sent at all."""

    def read_clock(self) -> int:
        """Return the station's own time in seconds, which is not the true one."""

    def write_settings(self) -> tuple[str, str]:
        """Return the two INI texts of the settings: the users' and SIP's."""

    def try_code(self, code: str, relays: tuple[int, ...]) -> dict[int, int]:
        """Fire those of some relays that a code opens; status of each relay."""


class AsmClient:
    """Tells one server of a station, and asks it what to do.

    An event that was not answered with 200 waits, and is sent again with the same body
    after the next notify that succeeds, in the order in which the events happened. Events
    that happen meanwhile do not wait for them. All this is a guess.

    Attributes:
        uri: Scheme, host and port of the server.
        path: Directory of the interface; it is joined as it is.
        token: The customer's key.
        http_version: 1.1 as the station speaks, 1.0 as the note shows it behind a proxy.
        notify_every: Seconds between two notifies, and before the first one; 0 to notify
            on demand only.
        led: Colour on the station's web page: green if connected, orange if the server
            does not know the station yet, red if there is no connection.
        last_update: Last synchronisation of the settings, as on the web page.
        sent: All requests, oldest first.
    """

    def __init__(
        self,
        station: Station,
        *,
        uri: str,
        path: str,
        token: str,
        notify_every: float,
        http_version: HttpVersion,
        sent: list[AsmRequest],
    ) -> None:
        """Take what the menu says; nothing is sent yet.

        Raises:
            ValueError: The address is none.
        """
        address = urlsplit(uri + path)
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise ValueError("the address must begin with http:// or https://")
        self.uri = uri
        self.path = path
        self.token = token
        self.notify_every = notify_every
        self.http_version: HttpVersion = http_version
        self.led: Led = "red"
        self.last_update = ""
        self.sent = sent
        self._station = station
        self._address = address
        self._port = address.port or (443 if address.scheme == "https" else 80)
        self._context = _make_context() if address.scheme == "https" else None
        self._waiting: deque[bytes] = deque(maxlen=LONGEST_QUEUE)
        # The station does one thing at a time, so that events keep their order.
        self._turn = asyncio.Lock()
        self._cycle: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> tuple[bytes, ...]:
        """Return the bodies of the events that nobody took yet."""
        return tuple(self._waiting)

    def start(self) -> None:
        """Notify from now on every so often."""
        if self._cycle is None and self.notify_every:
            self._cycle = asyncio.create_task(self._keep_notifying())

    def stop(self) -> None:
        """Notify no more."""
        if self._cycle is not None:
            self._cycle.cancel()
            self._cycle = None

    async def notify(self) -> AsmReply:
        """Send a notify, and do what its answer asks for."""
        async with self._turn:
            reply = await self._post("notify", _dump(self._signature()))
            if reply.status == 200:
                await self._send_waiting()
                if "task_id" in reply.fields:
                    await self._work(reply.fields)
            elif _is_unknown(reply):
                await self._send_settings()
            return reply

    async def report(self, code: str, value: str, request: str) -> AsmReply:
        """Send an event."""
        async with self._turn:
            return await self._send_event(
                _dump(
                    {
                        "value": value,
                        "token": self.token,
                        "code": code,
                        "objectid": self._station.object_id,
                        "request": request,
                        "time": self._station.read_clock(),
                    }
                )
            )

    async def send_settings(self) -> AsmReply:
        """Send all settings."""
        async with self._turn:
            return await self._send_settings()

    async def send_raw(self, endpoint: Endpoint, body: bytes) -> AsmReply:
        """Send any body; nothing is done about the answer."""
        async with self._turn:
            return await self._post(endpoint, body)

    async def _keep_notifying(self) -> None:
        while True:
            await asyncio.sleep(self.notify_every)
            await self.notify()

    def _signature(self) -> dict[str, Any]:
        return {
            "token": self.token,
            "objectid": self._station.object_id,
            "time": self._station.read_clock(),
        }

    async def _send_event(self, body: bytes) -> AsmReply:
        """Send an event, or keep it for later."""
        reply = AsmReply(None)
        try:
            reply = await self._post("event", body)
        finally:
            if reply.status != 200:
                self._waiting.append(body)
        return reply

    async def _send_waiting(self) -> None:
        """Send the events that wait, up to the first that is not taken this time."""
        while self._waiting:
            if (await self._post("event", self._waiting[0])).status != 200:
                return
            self._waiting.popleft()

    async def _send_settings(self) -> AsmReply:
        user, sip = (
            base64.b64encode(text.encode()).decode()
            for text in self._station.write_settings()
        )
        reply = await self._post(
            "settings",
            _dump(
                {
                    "conf_user": user,
                    **self._signature(),
                    "conf_sip": sip,
                    "request": "conf",
                }
            ),
        )
        if reply.status == 200 and reply.fields.get("message") == "conf_updated":
            moment = time.asctime(time.gmtime(self._station.read_clock()))
            self.last_update = f"Success,{moment}"
        return reply

    async def _work(self, task: Mapping[str, Any]) -> None:
        """Do a task that is an order to open, and tell how it went.

        The shape of other tasks is not known; they are left alone.
        """
        if task.get("request") != "remote":
            return
        relays = RELAYS_OF.get(str(task.get("relay")))
        code = task.get("code")
        if (
            task.get("type") != "open"
            or relays is None
            or not isinstance(code, str)
            or task.get("token") != self.token
            or task.get("objectid") != self._station.object_id
        ):
            outcome = dict.fromkeys((1, 2), BAD_REQUEST)
        else:
            outcome = self._station.try_code(code, relays)
        await self._send_event(self._outcome_body(task["task_id"], outcome))

    def _outcome_body(self, task_id: object, outcome: dict[int, int]) -> bytes:
        """Return the event that tells of a task, which has no key `request`."""
        body = {
            "task_id": task_id,
            "value": outcome,
            "token": self.token,
            "code": "RL",
            "objectid": self._station.object_id,
            "time": self._station.read_clock(),
        }
        if self._station.task_value_form == "json":
            return _dump(body)
        value = ", ".join(f"{relay} :{status}" for relay, status in outcome.items())
        del body["task_id"], body["value"]
        rest = json.dumps(body).removeprefix("{")
        # Blank by blank as in the note.
        return (
            f'{{"task_id":{json.dumps(task_id)}, "value": {{{value}}}, {rest}'.encode()
        )

    async def _post(self, endpoint: Endpoint, body: bytes) -> AsmReply:
        """Send a request on a connection of its own, and return what comes back."""
        if not self._station.reachable:
            return AsmReply(None)
        head = self._write_head(endpoint, len(body))
        at = wall_clock()
        try:
            async with asyncio.timeout(TIMEOUT):
                reply = parse_reply(await self._exchange(head + body))
        except OSError, TimeoutError:
            reply = AsmReply(None)
        self.sent.append(AsmRequest(endpoint, head, body, at, reply))
        self._light(endpoint, reply)
        return reply

    def _write_head(self, endpoint: Endpoint, length: int) -> bytes:
        """Return request line and headers, in the order of the note's two forms.

        The headers X-Real-IP and X-Forwarded-… of its second form are left out: the
        server's own proxy has added them.
        """
        line = f"POST {self._address.path}{endpoint}/ HTTP/{self.http_version}"
        named = {
            "Accept-Encoding": "identity",
            "Content-Length": str(length),
            "Host": self._address.netloc.rpartition("@")[2],
            "Content-Type": "application/json",
            "Connection": "close",
            "User-Agent": "STS-Embedded",
        }
        order = tuple(named)
        if self.http_version == "1.0":
            order = (
                "Host",
                "Connection",
                "Content-Length",
                "Accept-Encoding",
                "Content-Type",
                "User-Agent",
            )
        lines = [line, *(f"{name}: {named[name]}" for name in order)]
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()

    async def _exchange(self, request: bytes) -> bytes:
        """Return what the server sends until it closes the connection."""
        reader, writer = await asyncio.open_connection(
            self._address.hostname, self._port, ssl=self._context
        )
        try:
            writer.write(request)
            await writer.drain()
            received = b""
            while chunk := await reader.read(65536):
                received += chunk
                if len(received) > LARGEST_REPLY:
                    break
            return received
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _light(self, endpoint: Endpoint, reply: AsmReply) -> None:
        """Set the colour on the web page.

        Settings that are taken do not mean yet that somebody has let the station in.
        """
        if _is_unknown(reply):
            self.led = "orange"
        elif reply.status != 200:
            self.led = "red"
        elif endpoint != "settings":
            self.led = "green"


def parse_reply(received: bytes) -> AsmReply:
    """Return the reply that some bytes are.

    The body is what follows the headers: the lengths that the note prints in them do not
    match. Likewise, what follows the JSON object is ignored, because the note's answer to
    the settings ends with a brace too many.
    """
    head, _, body = received.partition(b"\r\n\r\n")
    line = re.match(rb"HTTP/1\.[01] ([0-9]{3})(?: |\r\n|$)", head)
    if line is None:
        return AsmReply(None, received)
    try:
        fields, _ = json.JSONDecoder().raw_decode(body.decode().lstrip())
    except ValueError, RecursionError:
        fields = None
    return AsmReply(int(line[1]), body, fields if isinstance(fields, dict) else {})


def _is_unknown(reply: AsmReply) -> bool:
    return reply.status == 404 and reply.fields.get("message") == UNKNOWN_OBJECT_ID


def _dump(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _make_context() -> ssl.SSLContext:
    """Return what a client speaks TLS with that checks no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
