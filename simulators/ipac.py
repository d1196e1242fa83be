"""The IPAC 500, a door station of Amphitech: its local interface and what it reports.

Written from Amphitech's release note of firmware 1.72, which prints requests but hardly
any answers. What is done where the note is silent or contradicts itself is marked below
as a guess.
"""

import asyncio
import base64
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import io
import json
import math
from typing import Any, Literal, override
from urllib.parse import parse_qsl
import wave

from aiohttp import hdrs, web

from . import faults
from .digest import DigestGuard
from .ipac_asm import (
    RELAYS_OF,
    AsmClient,
    AsmReply,
    AsmRequest,
    Endpoint,
    HttpVersion,
    Led,
    TaskValueForm,
    wall_clock,
)
from .ipac_settings import write_conf_sip, write_conf_user
from .loopback import LoopbackServer

REALM = "IPAC500"

# What `Ipac.inject` takes.
Fault = faults.Fault

type Auth = Literal["none", "basic", "digest"]
type BodyKind = Literal["query", "form", "json"]
type CallValueForm = Literal["spaced", "colon", "titled"]
type Direction = Literal["outgoing", "incoming"]
type Mode = Literal["normal", "pdl", "netcut"]

OK = 200
BAD_REQUEST = 400
OUTSIDE_TIME_SLOT = 401
FORBIDDEN = 403
LOCKED = 423
BUSY = 480

# As the release note has them for the door.
REASONS = {
    OK: "OK",
    BAD_REQUEST: "Bad Request",
    OUTSIDE_TIME_SLOT: "Unauthorized",
    FORBIDDEN: "Forbidden",
    LOCKED: "LOCKED",
    BUSY: "Temporarily Unavailable",
}

METHODS = {
    "/api/remote": frozenset({"GET", "POST"}),
    "/api/voip": frozenset({"GET", "POST"}),
    "/api/audio": frozenset({"GET", "POST"}),
    "/api/video": frozenset({"POST"}),
}

CODES_PER_RELAY = 4
# "1 Mo max.": read in the stricter way.
LARGEST_WAV = 1_000_000
LARGEST_BODY = 2 * 1024 * 1024
IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


@dataclass
class Relay:
    """A relay, with its common codes.

    Attributes:
        number: 1 or 2.
        codes: Up to four that fire it.
        mode: "pdl" and "netcut" are the two in which codes do not fire it.
        in_time_slot: Whether the codes hold now.
        remote: Whether the codes hold for those who are not at the door.
        openings: How often it was fired.
    """

    number: int
    codes: list[str]
    mode: Mode = "normal"
    in_time_slot: bool = True
    remote: bool = True
    openings: int = 0
    _until: float = field(default=0, init=False, repr=False)

    @property
    def active(self) -> bool:
        """Return whether the door is open."""
        return wall_clock() < self._until

    def fire(self, hold: float) -> None:
        """Open the door for some seconds."""
        self._until = wall_clock() + hold
        self.openings += 1

    def release(self) -> None:
        """Let the door close."""
        self._until = 0


@dataclass
class Request:
    """A request that the station has received.

    Attributes:
        method: Of HTTP.
        path: Without a query.
        fields: Of the query, the form or the JSON object.
        content_type: Of the body.
        authorized: Whether user and password were right.
        status: Of the answer; 0 until then.
    """

    method: str
    path: str
    fields: dict[str, Any]
    content_type: str
    authorized: bool = False
    status: int = 0


@dataclass
class Call:
    """A voice call.

    Attributes:
        direction: As seen by the station.
        number: Of the other side.
        answered: Whether both sides talk.
        value: What the events of its beginning and end say.
        request: What kind of event these call themselves.
    """

    direction: Direction
    number: str
    value: str
    request: str
    answered: bool = False


@dataclass(frozen=True)
class Sound:
    """A file for the loudspeaker.

    Attributes:
        wav: The file.
        loop: How often it is played, 0 for until something else happens.
        seconds: Of one pass.
        channels: 1 for mono.
        rate: Samples per second.
        bits: Of one sample.
    """

    wav: bytes
    loop: int
    seconds: float
    channels: int
    rate: int
    bits: int


@dataclass(frozen=True)
class Picture:
    """A file for the LCD.

    Attributes:
        data: The file.
        tempo: Seconds for which it is shown, 0 for until something else happens.
        media_type: What the file begins like.
    """

    data: bytes
    tempo: int
    media_type: str


@dataclass(frozen=True)
class _Refusal(Exception):
    """What ends a request early."""

    status: int


class Ipac(LoopbackServer):
    """A door station on a loopback port.

    Guesses about its local interface:

    - Without authentication, a wrong login gets 401 without a challenge, and one in the
      header is taken as well, because the note prints it so for "NONE/BASIC".
    - GET is taken with digest authentication everywhere: the note lists it for the door.
    - Requests that cannot be understood get 400, which the note has for ASM only.
    - For both relays at once, each decides for itself; 200 if any was fired.
    - There is nothing to answer or to end: 200. There is a call already: 480.
    - Pictures and endless sounds that come while it is not idle are taken, and shown or
      heard if they are not over by the time it is idle again.
    - JSON values are texts, as in all examples; others get 400.

    Attributes:
        auth: How it wants user and password.
        username: Of its web pages.
        password: Of its web pages.
        hold: Seconds for which a relay stays active.
        object_id: Its serial number.
        clock_offset: Seconds that its own clock is ahead. In all printed exchanges it has
            local winter time as if that were UTC, and is a minute slow.
        strict_form: Whether a comma is no separator in a form, although the note prints
            it as one.
        slot_challenge: Whether it asks for a password when a code is outside of its time
            slot, because that is 401 too.
        typing: Whether somebody at the keypad has begun with a code.
        contacts: Numbers of the list, by index.
        relays: By their numbers.
        requests: All that it received, oldest first.
        call: The running one.
        sounds: All that were accepted, oldest first.
        pictures: All that were accepted, oldest first.
        call_value_form: How events write a call: the three ways of the note.
        task_value_form: How the outcome of a task of ASM is written.
        silent: Whether it tells ASM nothing although it is alive.
        asm: Its connection to ASM, or None if none is set.
        sent: All that was sent to ASM, oldest first.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        username: str = "admin",
        password: str = "admin",
        auth: Auth = "digest",
        tls: bool = False,
        codes: Mapping[int, Sequence[str]] | None = None,
        hold: float = 5.0,
        object_id: str = "8963225",
        clock_offset: float = 3541,
        strict_form: bool = True,
    ) -> None:
        """Take the station's settings; it serves once started.

        Raises:
            ValueError: A relay has more codes than there is place for.
        """
        super().__init__(port, tls=tls)
        if codes is None:
            codes = {1: ["1111"], 2: ["2222"]}
        if any(len(some) > CODES_PER_RELAY for some in codes.values()):
            raise ValueError("a relay has up to four codes")
        self.auth: Auth = auth
        self.username = username
        self.password = password
        self.hold = hold
        self.object_id = object_id
        self.clock_offset = clock_offset
        self.strict_form = strict_form
        self.slot_challenge = False
        self.typing = False
        self.contacts = {"1": "sip:192.0.2.23", "4": "sip:192.0.2.24"}
        self.relays = {
            number: Relay(number, list(codes.get(number, ()))) for number in (1, 2)
        }
        self.requests: list[Request] = []
        self.call: Call | None = None
        self.sounds: list[Sound] = []
        self.pictures: list[Picture] = []
        self.call_value_form: CallValueForm = "colon"
        self.silent = False
        self.asm: AsmClient | None = None
        self.sent: list[AsmRequest] = []
        self.task_value_form: TaskValueForm = "printed"
        self._sound: tuple[Sound, float] | None = None
        self._picture: tuple[Picture, float] | None = None
        self._stream: str | None = None
        self._digest = DigestGuard(REALM)
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._open: set[asyncio.Transport] = set()
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> bool:
        """Return whether nobody calls and no door is open."""
        return self.call is None and not any(
            relay.active for relay in self.relays.values()
        )

    @property
    def sound(self) -> Sound | None:
        """Return what is to be heard."""
        if self._sound is None:
            return None
        sound, until = self._sound
        if wall_clock() >= until or (not sound.loop and not self.idle):
            return None
        return sound

    @property
    def picture(self) -> Picture | None:
        """Return what is to be seen on the LCD."""
        if self._picture is None:
            return None
        picture, until = self._picture
        return picture if wall_clock() < until and self.idle else None

    @property
    def led(self) -> Led:
        """Return the colour of the connection to ASM on the web page."""
        return self.asm.led if self.asm is not None else "red"

    @property
    def reachable(self) -> bool:
        """Return whether it can and will talk to ASM."""
        return self.running and not self.silent

    @override
    async def start(self) -> None:
        """Enter the network.

        Raises:
            OSError: The port is taken.
        """
        if self.running:
            return
        await super().start()
        if self.asm is not None:
            self.asm.start()

    @override
    async def stop(self) -> None:
        """Leave the network: connections break, and new ones are refused."""
        if self.asm is not None:
            self.asm.stop()
        telling = list(self._telling)
        for task in telling:
            task.cancel()
        await asyncio.gather(*telling, return_exceptions=True)
        await super().stop()

    def inject(self, path: str, fault: Fault, times: int = 1) -> None:
        """Let the next requests of a path suffer a fault.

        Only requests with the right user and password do, so that digest
        authentication's first request is not taken for the order.
        """
        self._faults[path.rstrip("/")].extend([fault] * times)

    def clear_faults(self) -> None:
        """Forget the injected faults that nobody has suffered yet."""
        self._faults.clear()

    def forget_nonces(self) -> None:
        """Take all nonces of digest authentication for stale."""
        self._digest.forget_nonces()

    def connect_asm(
        self,
        *,
        uri: str,
        path: str,
        token: str,
        notify_every: float = 60.0,
        http_version: HttpVersion = "1.1",
    ) -> None:
        """Fill in the menu of ASM: "uri", "Chemin" and "Clé client".

        Raises:
            ValueError: The address is none.
        """
        asm = AsmClient(
            self,
            uri=uri,
            path=path,
            token=token,
            notify_every=notify_every,
            http_version=http_version,
            sent=self.sent,
        )
        self.disconnect_asm()
        self.asm = asm
        if self.running:
            asm.start()

    def disconnect_asm(self) -> None:
        """Empty the menu again; events that wait are lost."""
        if self.asm is not None:
            self.asm.stop()
            self.asm = None

    async def notify(self) -> AsmReply:
        """Send a notify to ASM now, and do what the answer asks for.

        Raises:
            ValueError: No server is set.
        """
        return await self._get_asm().notify()

    async def send_raw(self, endpoint: Endpoint, body: bytes) -> AsmReply:
        """Send any body to ASM.

        Raises:
            ValueError: No server is set.
        """
        return await self._get_asm().send_raw(endpoint, body)

    async def press_button(self, number: str = "sip:192.0.2.23") -> None:
        """Call a resident; nothing happens during another call."""
        if self.call is None:
            await self._tell(*self._begin_call("outgoing", number))

    async def receive_call(self, number: str = "sip:192.0.2.40") -> None:
        """Be called; nothing happens during another call."""
        if self.call is None:
            await self._tell(*self._begin_call("incoming", number))

    async def hang_up(self) -> None:
        """End the call, if there is one."""
        if self.call is not None:
            await self._tell(*self._end_call(self.call))

    async def type_code(self, code: str) -> None:
        """Type a code at the keypad, which may fire relays."""
        await self._tell("CL", code, "KeyBoard")
        for relay in self.relays.values():
            if self._judge(relay, code) == OK:
                relay.fire(self.hold)
                await self._tell(*_tell_of(relay, code))

    async def open_locally(self, relay: int, code: str = "") -> None:
        """Fire a relay by its exit button, at any hour.

        What the event's value then has in place of the code is a guess: nothing.
        """
        if self.relays[relay].mode == "normal":
            self.relays[relay].fire(self.hold)
            await self._tell(*_tell_of(self.relays[relay], code))

    async def start_stream(
        self, address: str = "192.0.2.40", number: str = "sip:192.0.2.23"
    ) -> None:
        """Begin to send video to ASM."""
        self._stream, _ = self._write_call("outgoing", number)
        await self._tell("ST", f"{address} {number}", "Stream")

    async def end_stream(self) -> None:
        """End the video to ASM, if there is any."""
        if self._stream is not None:
            value, self._stream = self._stream, None
            await self._tell("FS", value, "Stream")

    async def restart(self) -> None:
        """Start again: what it did is over, and ASM gets the settings anew."""
        self.call = self._sound = self._picture = self._stream = None
        self.typing = False
        for relay in self.relays.values():
            relay.release()
        self.forget_nonces()
        await self._tell("OE", "restarted", "application")
        await self.settings_changed()

    async def settings_changed(self) -> None:
        """Send the settings to ASM, as after a change on the web pages."""
        if self.asm is not None:
            await self.asm.send_settings()

    def read_clock(self) -> int:
        """Return its own time in seconds."""
        return int(wall_clock() + self.clock_offset)

    def write_settings(self) -> tuple[str, str]:
        """Return the INI texts of the users' settings and of SIP's."""
        return (
            write_conf_user(
                self.object_id,
                {number: relay.codes for number, relay in self.relays.items()},
                self.contacts,
            ),
            write_conf_sip(self.object_id),
        )

    def try_code(self, code: str, relays: tuple[int, ...]) -> dict[int, int]:
        """Fire those of some relays that a code opens for someone who is not here.

        Returns:
            The status of each of the station's relays.
        """
        outcome = {}
        for number, relay in self.relays.items():
            status = FORBIDDEN
            if number in relays:
                status = self._judge(relay, code, remote=True)
            if status == OK:
                relay.fire(self.hold)
            outcome[number] = status
        return outcome

    def _judge(self, relay: Relay, code: str, *, remote: bool = False) -> int:
        """Return what a code would get; the order of the reasons is a guess."""
        if code not in relay.codes or (remote and not relay.remote):
            return FORBIDDEN
        if relay.mode != "normal":
            return LOCKED
        if not relay.in_time_slot:
            return OUTSIDE_TIME_SLOT
        if relay.active or (remote and self.typing):
            return BUSY
        return OK

    def _get_asm(self) -> AsmClient:
        if self.asm is None:
            raise ValueError("set an ASM server first")
        return self.asm

    async def _tell(self, code: str, value: str, request: str) -> None:
        """Tell ASM of an event, if a server is set."""
        if self.asm is not None:
            await self.asm.report(code, value, request)

    def _tell_later(self, code: str, value: str, request: str) -> None:
        """Tell ASM of what a local request has done, which is answered first."""
        task = asyncio.create_task(self._tell(code, value, request))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _write_call(self, direction: Direction, number: str) -> tuple[str, str]:
        """Return how events write a call, and the kind that they are of."""
        match self.call_value_form:
            case "spaced":
                return f"{direction} ;{number}", "vocal"
            case "colon":
                return f"{direction}:{number}", "vocal"
        # The note's table says "Outgoing/incoming".
        word = "Outgoing" if direction == "outgoing" else direction
        return f"{word} ; {number}", "Vocal"

    def _begin_call(self, direction: Direction, number: str) -> tuple[str, str, str]:
        """Begin a call, and return the event of it."""
        value, request = self._write_call(direction, number)
        self.call = Call(direction, number, value, request)
        return "01", value, request

    def _end_call(self, call: Call) -> tuple[str, str, str]:
        """End the call, and return the event of it."""
        self.call = None
        return "FA", call.value, call.request

    @override
    def _make_runner(self) -> web.AppRunner:
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route(hdrs.METH_ANY, "/{path:.*}", self._handle)
        return web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )

    @override
    def _to_break(self) -> Iterable[asyncio.Transport]:
        return list(self._open)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        """Record a request and answer it."""
        received = Request(request.method, request.path, {}, request.content_type)
        self.requests.append(received)
        transport = request.transport
        assert transport is not None
        self._open.add(transport)
        try:
            kind, received.fields = self._parse(request, await request.read())
            response = await self._respond(request, received, kind)
            received.status = response.status
        except web.HTTPException as error:
            received.status = error.status
            raise
        finally:
            self._open.discard(transport)
        return response

    def _parse(
        self, request: web.Request, body: bytes
    ) -> tuple[BodyKind | None, dict[str, Any]]:
        """Return how a request carries its fields, and the fields.

        Of a GET, the query counts, of others the body. None is for what is neither.
        """
        if request.method == "GET":
            return "query", dict(request.query)
        match request.content_type:
            case "application/x-www-form-urlencoded":
                return "form", parse_form(body, strict=self.strict_form)
            case "application/json":
                try:
                    fields = json.loads(body)
                except ValueError, RecursionError:
                    return None, {}
                if isinstance(fields, dict) and all(
                    isinstance(value, str) for value in fields.values()
                ):
                    return "json", fields
        return None, {}

    async def _respond(
        self, request: web.Request, received: Request, kind: BodyKind | None
    ) -> web.StreamResponse:
        """Return the answer, or what a fault makes of it."""
        name = received.path.removesuffix("/")
        if name not in METHODS:
            return web.Response(status=404, text="Not Found")
        # The note prints the door's path both ways, and the others with a slash.
        if received.path == name != "/api/remote":
            target = f"{name}/"
            if request.query_string:
                target = f"{target}?{request.query_string}"
            return web.Response(status=301, headers={hdrs.LOCATION: target})
        refusal = self._let_in(request, received)
        if refusal is not None:
            return refusal
        received.authorized = True
        if received.method not in METHODS[name]:
            return web.Response(
                status=405,
                text="Method Not Allowed",
                headers={hdrs.ALLOW: ", ".join(sorted(METHODS[name]))},
            )
        waiting = self._faults[name]
        fault = waiting.popleft() if waiting else None
        match fault:
            case faults.Failure():
                return _answer(fault.number, fault.cause)
            case faults.Busy():
                return _answer(BUSY)

        async def answer() -> web.Response:
            try:
                status = self._act(name, kind, received.fields)
            except _Refusal as refused:
                status = refused.status
            response = _answer(status)
            if status == OUTSIDE_TIME_SLOT and self.slot_challenge:
                response.headers[hdrs.WWW_AUTHENTICATE] = self._challenge()
            return response

        return await faults.suffer(fault, request, answer)

    def _let_in(self, request: web.Request, received: Request) -> web.Response | None:
        """Return a refusal if user and password are not right."""
        header = request.headers.get(hdrs.AUTHORIZATION, "")
        if self.auth == "digest":
            verdict = self._digest.judge(
                header,
                method=request.method,
                uri=request.raw_path,
                username=self.username,
                password=self.password,
            )
            if verdict == "right":
                return None
            return _unauthorized(self._digest.challenge(stale=verdict == "stale"))
        if self._knows(header):
            return None
        if self.auth == "basic":
            return _unauthorized(self._challenge())
        login, password = received.fields.get("login"), received.fields.get("password")
        if (login, password) == (self.username, self.password):
            return None
        return _unauthorized(None)

    def _knows(self, header: str) -> bool:
        """Return whether a header has the right user and password for all to read."""
        scheme, _, given = header.partition(" ")
        known = f"{self.username}:{self.password}".encode()
        try:
            return scheme.lower() == "basic" and base64.b64decode(given) == known
        except ValueError:
            return False

    def _challenge(self) -> str:
        """Return what asks for user and password."""
        if self.auth == "digest":
            return self._digest.challenge()
        return f'Basic realm="{REALM}"'

    def _act(self, name: str, kind: BodyKind | None, fields: dict[str, str]) -> int:
        """Do what a request asks for, in those forms that the note prints.

        Returns:
            The status of the answer.

        Raises:
            _Refusal: It cannot be done.
        """
        match name.rpartition("/")[2], fields.get("type"), kind:
            case "remote", _, "query" | "form" | "json":
                return self._open_door(fields)
            case "voip", "answer", "query" | "form":
                return self._answer_call()
            case "voip", "terminate_all", "query" | "form":
                if self.call is not None:
                    self._tell_later(*self._end_call(self.call))
                return OK
            case "voip", "call", "query" | "form" | "json":
                return self._dial(fields)
            # The note prints the second of these with the path of the first.
            case ("voip", "wav", "query") | ("audio", "wav", "query" | "form"):
                if fields.get("data") != "stop":
                    return BAD_REQUEST
                self._sound = None
                return OK
            case "audio", "wav", "json":
                return self._play(fields)
            case "video", "img", "json":
                return self._show(fields)
        return BAD_REQUEST

    def _open_door(self, fields: dict[str, str]) -> int:
        code, relays = fields.get("code"), RELAYS_OF.get(fields.get("relay", ""))
        if not code or relays is None:
            return BAD_REQUEST
        outcome = self.try_code(code, relays)
        for number, status in outcome.items():
            if status == OK:
                self._tell_later(*_tell_of(self.relays[number], code))
        # What went well counts, and what was refused for another reason than the code.
        return min(
            (outcome[number] for number in relays),
            key=lambda status: (status != OK, status == FORBIDDEN),
        )

    def _answer_call(self) -> int:
        if self.call is not None and self.call.direction == "incoming":
            self.call.answered = True
        return OK

    def _dial(self, fields: dict[str, str]) -> int:
        table, entry = fields.get("table"), fields.get("id")
        if table not in {"liste", "ldap", "libre"} or not entry:
            return BAD_REQUEST
        number = entry
        if table == "liste":
            if entry not in self.contacts:
                return BAD_REQUEST
            number = self.contacts[entry]
        if self.call is not None:
            return BUSY
        if not number.startswith("sip:"):
            number = f"sip:{number}"
        self._tell_later(*self._begin_call("outgoing", number))
        return OK

    def _play(self, fields: dict[str, str]) -> int:
        loop = _up_to_9999(fields.get("loop"))
        wav = _decode(fields.get("data"))
        if len(wav) > LARGEST_WAV:
            return BAD_REQUEST
        sound = read_sound(wav, loop)
        self.sounds.append(sound)
        self._sound = sound, _end_after(loop * sound.seconds)
        return OK

    def _show(self, fields: dict[str, str]) -> int:
        tempo = _up_to_9999(fields.get("tempo"))
        if fields.get("data") == "stop":
            self._picture = None
            return OK
        data = _decode(fields.get("data"))
        for beginning, media_type in IMAGES.items():
            if data.startswith(beginning):
                picture = Picture(data, tempo, media_type)
                self.pictures.append(picture)
                self._picture = picture, _end_after(tempo)
                return OK
        return BAD_REQUEST


def parse_form(body: bytes, *, strict: bool = True) -> dict[str, str]:
    """Return the fields of a form, which commas separate too if not strict."""
    text = body.decode("latin-1")
    if not strict:
        text = text.replace(",", "&")
    return dict(parse_qsl(text, keep_blank_values=True))


def read_sound(wav: bytes, loop: int) -> Sound:
    """Return what a WAV file is like.

    Raises:
        _Refusal: It is none, or not as long as it says.
    """
    try:
        with wave.open(io.BytesIO(wav), "rb") as file:
            frames, rate = file.getnframes(), file.getframerate()
            size = file.getsampwidth() * file.getnchannels()
            if not frames or not rate or len(file.readframes(frames)) != frames * size:
                raise _Refusal(BAD_REQUEST)
            return Sound(
                wav,
                loop,
                frames / rate,
                file.getnchannels(),
                rate,
                file.getsampwidth() * 8,
            )
    except wave.Error, EOFError, RuntimeError:
        raise _Refusal(BAD_REQUEST) from None


def _tell_of(relay: Relay, code: str) -> tuple[str, str, str]:
    """Return the event of a relay that was fired."""
    return "RL", f"{code};{relay.number}", "open"


def _up_to_9999(text: str | None) -> int:
    """Return the number of a field that may be left out.

    Raises:
        _Refusal: It is none, or out of range.
    """
    if text is None:
        return 0
    if not text.isascii() or not text.isdecimal() or int(text) > 9999:
        raise _Refusal(BAD_REQUEST)
    return int(text)


def _decode(text: str | None) -> bytes:
    """Return the bytes of Base64 text.

    Raises:
        _Refusal: It is none.
    """
    try:
        return base64.b64decode(text or "", validate=True)
    except ValueError:
        raise _Refusal(BAD_REQUEST) from None


def _end_after(seconds: float) -> float:
    """Return when something ends, which is never after no time."""
    return wall_clock() + seconds if seconds else math.inf


def _answer(status: int, text: str = "") -> web.Response:
    """Return an answer; the note does not print any bodies."""
    reason = REASONS.get(status)
    return web.Response(status=status, reason=reason, text=text or reason or "")


def _unauthorized(challenge: str | None) -> web.Response:
    """Return the refusal of a wrong login."""
    response = _answer(401)
    if challenge is not None:
        response.headers[hdrs.WWW_AUTHENTICATE] = challenge
    return response
