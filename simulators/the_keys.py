"""The gateway of The Keys: its HTTP interface on the local network.

Written from the vendor's page "Contrôler la serrure avec la gateway" and from what
public clients of the gateway tell of its behaviour ("in the field" below). The
gateway answers one request at a time and closes the connection after each.
"""

import asyncio
import base64
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
import hashlib
import hmac
import json
import math
import time
from typing import Any, ClassVar, Literal, override
from urllib.parse import unquote

from aiohttp import web

from . import faults
from .loopback import LoopbackServer

UNKNOWN = 48
CLOSED = 49
OPEN = 50

# What `Gateway.inject` takes.
Fault = faults.Fault

type Dialect = Literal["documented", "field"]
type Phase = Literal["scanning", "synchronizing_gateway", "synchronizing_lock"]
type SingleFlight = Literal["queue", "busy", "reset"]

# The errors of the vendor's page (32 to 37), and 38 of the field.
MISSING_PARAMETER = 400
NOT_SHARED = 32
INVALID_HMAC = 33
NOT_DETECTED = 34
CLOCK_INVALID = 38
BUSY = 500

CAUSES = {
    1: "locker not found",
    2: "locker not compatible",
    3: "invalid synchronization data",
    4: "synchronization error",
    5: "bluetooth error",
    NOT_SHARED: "no share with this locker",
    INVALID_HMAC: "invalid hmac",
    NOT_DETECTED: "locker not detected",
    35: "locker not compatible",
    36: "invalid key",
    37: "other error",
    CLOCK_INVALID: "Gateway time is invalid. Should resynchronize",
    BUSY: "busy",
}

# Raw values that clients saw with a closed and an open bolt; their scale is not known.
POSITIONS = {CLOSED: 4, OPEN: 20}
STATE_TEXTS = {UNKNOWN: "Unknown", CLOSED: "Door closed", OPEN: "Door open"}
TARGETS = {"/open": OPEN, "/close": CLOSED}


def wall_clock() -> float:
    """Return the seconds since 1970, also when a test has frozen them."""
    return time.time()


@dataclass
class Lock:
    """A lock that the gateway hears.

    Attributes:
        identifier: The number that requests name it by.
        code: The code of the gateway's share, or None without a share (error 32).
        state: 48 unknown, 49 closed, 50 open.
        battery: In millivolts, over 5000 for the newer battery pack.
        rssi: Strength of its signal at the gateway, in dBm.
        last_log: Number of its newest log record.
        version: Of its firmware.
        position: Raw position of the bolt.
        visible: Whether the gateway hears it.
    """

    identifier: int
    code: str | None
    state: int = CLOSED
    battery: int = 7783
    rssi: int = -62
    last_log: int = 1
    version: int = 81
    position: int = 4
    visible: bool = True


@dataclass(frozen=True)
class Delays:
    """How long things take, in seconds.

    Attributes:
        light: A request that the gateway answers from memory.
        heavy: A request for which it talks to a lock.
        travel: A bolt's way. The answer does not wait for it.
        synchronize: A synchronisation of the gateway or of a lock.
    """

    light: float = 0
    heavy: float = 0
    travel: float = 0
    synchronize: float = 0

    REAL: ClassVar[Delays]


# Measured by users of real gateways; the last one is a guess.
Delays.REAL = Delays(light=0.13, heavy=3.4, travel=5, synchronize=4)


@dataclass
class Request:
    """A request that the gateway has received.

    Attributes:
        method: GET or POST.
        path: Without a query.
        form: The body's fields, percent-decoded.
        headers: By their names in lower case.
        received_at: When, in seconds of the event loop's monotonic clock.
        answered_at: When it was answered or given up; NaN until then.
    """

    method: str
    path: str
    form: dict[str, str]
    headers: dict[str, str]
    received_at: float
    answered_at: float = math.nan


@dataclass(frozen=True)
class _Refusal(Exception):
    """What ends a request early: an error number and what caused it."""

    number: int
    cause: str = ""


@dataclass(frozen=True)
class _Route:
    """What a path does, how long that takes, and for which methods."""

    act: Callable[[Request], dict[str, Any] | None]
    methods: frozenset[str]
    delay: Literal["light", "heavy", "synchronize"]


@dataclass
class _Move:
    """A bolt on its way."""

    target: int
    timer: asyncio.TimerHandle = field(repr=False)


def sign(code: str, ts: str) -> str:
    """Return the Base64 text that proves knowledge of a share's code at a time."""
    digest = hmac.new(code.encode("ascii"), ts.encode("ascii"), hashlib.sha256)
    return base64.b64encode(digest.digest()).decode("ascii")


def parse_form(body: bytes) -> dict[str, str]:
    """Return the fields of a form's body.

    Percent signs are decoded, but a plus stays a plus: half of the clients send the
    Base64 text of the signature as it is, and the gateway takes it from them.
    """
    pairs = (pair.partition("=") for pair in body.decode("latin-1").split("&") if pair)
    return {unquote(name): unquote(value) for name, _, value in pairs}


class Gateway(LoopbackServer):
    """A gateway on a loopback port, with the locks that it hears.

    Attributes:
        locks: By their identifiers.
        dialect: How it answers: as on the vendor's page, or as seen in the field.
        firmware: Version; `/status` exists from 17.
        strict_timestamps: Whether a time that is not newer than the last is refused.
        past_tolerance: How old a time may be, in seconds.
        future_tolerance: How far ahead a time may be, in seconds.
        clock_valid: Whether its own clock is; if not, signed requests get error 38.
        clock_heals: Whether `/synchronize` sets the clock.
        empty_acknowledgements: Whether the two `/locker/` calls answer without a body.
        single_flight: What a request meets while another one is answered.
        synchronizing_error: What lock calls get while it synchronises: 34 or 500.
        requests: All that it received, oldest first.
        orders: Path and identifier of each request that moved a bolt.
        max_concurrent: Highest number of requests ever in flight at once.
    """

    def __init__(
        self,
        locks: Iterable[Lock],
        *,
        dialect: Dialect = "field",
        firmware: int = 65,
        strict_timestamps: bool = True,
        past_tolerance: float = 600,
        future_tolerance: float = 600,
        clock: Callable[[], float] = wall_clock,
        delays: Delays = Delays(),
        port: int = 0,
    ) -> None:
        """Take the gateway's locks and habits; it serves once started."""
        super().__init__(port)
        self.locks = {lock.identifier: lock for lock in locks}
        self.dialect: Dialect = dialect
        self.firmware = firmware
        self.strict_timestamps = strict_timestamps
        self.past_tolerance = past_tolerance
        self.future_tolerance = future_tolerance
        self.delays = delays
        self.clock_valid = True
        self.clock_heals = True
        self.empty_acknowledgements = False
        self.single_flight: SingleFlight = "busy"
        self.synchronizing_error: Literal[34, 500] = 34
        self.requests: list[Request] = []
        self.orders: list[tuple[str, int]] = []
        self.max_concurrent = 0
        self._clock = clock
        self._phase: Phase = "scanning"
        self._status_text: str | None = None
        self._synchronizing: int | None = None
        self._last_ts: int | None = None
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._moves: dict[int, _Move] = {}
        self._turn = asyncio.Lock()
        self._open: set[asyncio.Transport] = set()
        self._routes = self._make_routes()

    @property
    def paths(self) -> tuple[str, ...]:
        """Return all paths that some firmware serves."""
        return tuple(self._routes)

    @property
    def phase(self) -> Phase:
        """Return what the gateway does by itself."""
        return self._phase

    @phase.setter
    def phase(self, phase: Phase) -> None:
        self._phase = phase
        self._status_text = self._synchronizing = None

    @property
    def status_text(self) -> str:
        """Return what `/status` says of the phase, or what was set instead."""
        if self._status_text is not None:
            return self._status_text
        if self._phase == "synchronizing_gateway":
            return "Synchronizing gw"
        if self._phase == "synchronizing_lock":
            return f"Synchronizing {self._synchronizing or next(iter(self.locks), 0)}"
        return "Scanning..."

    @status_text.setter
    def status_text(self, text: str) -> None:
        self._status_text = text

    @override
    async def stop(self) -> None:
        """Leave the network: connections break, and new ones are refused."""
        await super().stop()
        # A bolt does not stop because the gateway does.
        for identifier in list(self._moves):
            self._arrive(identifier)

    @override
    def _make_runner(self) -> web.ServerRunner:
        return web.ServerRunner(
            web.Server(self._handle, handler_cancellation=True, access_log=None),
            shutdown_timeout=0.1,
        )

    @override
    def _to_break(self) -> Iterable[asyncio.Transport]:
        return list(self._open)

    def inject(self, path: str, fault: Fault, times: int = 1) -> None:
        """Let the next requests of a path suffer a fault."""
        self._faults[path].extend([fault] * times)

    def clear_faults(self) -> None:
        """Forget the injected faults that nobody has suffered yet."""
        self._faults.clear()

    def turn_by_hand(self, identifier: int, state: int) -> None:
        """Turn a lock's bolt as a person at the door does."""
        lock = self.locks[identifier]
        lock.state = state
        lock.position = POSITIONS.get(state, lock.position)
        lock.last_log += 1

    def reboot_lock(self, identifier: int) -> None:
        """Restart a lock, which does not know its state after that."""
        self.locks[identifier].state = UNKNOWN

    async def cycle(
        self, *, scanning: float = 600, gateway: float = 60, lock: float = 8
    ) -> None:
        """Scan and synchronise in turn until cancelled; durations in seconds."""
        while True:
            self.phase = "scanning"
            await asyncio.sleep(scanning)
            self.phase = "synchronizing_gateway"
            await asyncio.sleep(gateway)
            for identifier in self.locks:
                self.phase = "synchronizing_lock"
                self._synchronizing = identifier
                await asyncio.sleep(lock)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Record a request and answer it."""
        loop = asyncio.get_running_loop()
        received = Request(
            request.method,
            request.path,
            {},
            {name.lower(): value for name, value in request.headers.items()},
            loop.time(),
        )
        self.requests.append(received)
        transport = request.transport
        assert transport is not None
        self._open.add(transport)
        self.max_concurrent = max(self.max_concurrent, len(self._open))
        try:
            received.form = parse_form(await request.read())
            return await self._respond(request, received)
        finally:
            self._open.discard(transport)
            received.answered_at = loop.time()

    async def _respond(
        self, request: web.BaseRequest, received: Request
    ) -> web.StreamResponse:
        """Return the answer when it is the request's turn."""
        if self._turn.locked() and self.single_flight == "busy":
            return self._fail(BUSY)
        if self._turn.locked() and self.single_flight == "reset":
            return await faults.break_off(request)
        async with self._turn:
            waiting = self._faults[received.path]
            fault = waiting.popleft() if waiting else None
            match fault:
                case faults.Failure():
                    await asyncio.sleep(self.delays.light)
                    return self._fail(fault.number, fault.cause)
                case faults.Busy():
                    await asyncio.sleep(self.delays.light)
                    return self._fail(BUSY)
            return await faults.suffer(fault, request, lambda: self._answer(received))

    async def _answer(self, received: Request) -> web.Response:
        """Do what was asked for, and return the answer when that takes its time."""
        route = self._routes.get(received.path)
        if route is None or not self._offers(received.path):
            return _close_after(web.Response(status=404, text="Not found"))
        if received.method not in route.methods:
            return _close_after(web.Response(status=405, text="Method not allowed"))
        try:
            reply = route.act(received)
        except _Refusal as refusal:
            await asyncio.sleep(self.delays.light)
            return self._fail(refusal.number, refusal.cause)
        await asyncio.sleep(getattr(self.delays, route.delay))
        if reply is None:
            return _close_after(web.Response(content_type="application/json"))
        return _json(reply)

    def _fail(self, number: int, cause: str = "") -> web.Response:
        """Return a failure as the dialect puts it."""
        cause = cause or CAUSES.get(number, f"error {number}")
        if self.dialect == "field":
            return _json({"status": "ko", "code": number, "cause": cause})
        if number == BUSY:
            return _json({"status": "500", "message": "busy"})
        return _json({"status": str(number), "code": cause})

    def _succeed(self) -> dict[str, Any]:
        """Return the success of a call about a lock as the dialect puts it."""
        if self.dialect == "field":
            return {"status": "ok", "code": 0}
        return {"status": "0", "code": "ok"}

    def _offers(self, path: str) -> bool:
        """Return whether this firmware and dialect have a path."""
        if path == "/":
            return self.firmware >= 17 and self.dialect == "field"
        return path != "/status" or self.firmware >= 17

    def _make_routes(self) -> dict[str, _Route]:
        get, post = frozenset({"GET"}), frozenset({"POST"})
        return {
            "/": _Route(self._tell_status, get, "light"),
            "/status": _Route(self._tell_status, get, "light"),
            "/lockers": _Route(self._list_locks, get | post, "light"),
            "/synchronize": _Route(self._synchronize, get, "synchronize"),
            "/update": _Route(self._update, get | post, "synchronize"),
            "/locker/synchronize": _Route(self._serve_lock, post, "synchronize"),
            "/locker/update": _Route(self._serve_lock, post, "synchronize"),
            "/open": _Route(self._turn_bolt, post, "heavy"),
            "/close": _Route(self._turn_bolt, post, "heavy"),
            "/calibrate": _Route(self._calibrate, post, "heavy"),
            "/locker_status": _Route(self._tell_lock, post, "heavy"),
        }

    def _tell_status(self, _: Request) -> dict[str, Any]:
        """Return the gateway's version, a text on the vendor's page, and its phase."""
        version = self.firmware if self.dialect == "field" else str(self.firmware)
        return {"version": version, "current_status": self.status_text}

    def _list_locks(self, _: Request) -> dict[str, Any]:
        """Return what the gateway remembers of the locks that it hears."""
        devices = []
        for lock in self.locks.values():
            if not lock.visible:
                continue
            device = {
                "identifier": lock.identifier,
                "rssi": lock.rssi,
                "battery": lock.battery,
            }
            if self.dialect == "field":
                device["last_log"] = lock.last_log
            devices.append(device)
        return {"status": "ok", "devices": devices}

    def _synchronize(self, _: Request) -> dict[str, Any]:
        """Synchronise the gateway, which sets its clock."""
        if self._phase != "scanning":
            raise _Refusal(BUSY)
        self.clock_valid = self.clock_valid or self.clock_heals
        return {"status": "ok", "code": 0}

    def _update(self, _: Request) -> dict[str, Any]:
        """Write the gateway's firmware anew."""
        if self._phase != "scanning":
            raise _Refusal(BUSY)
        return {"status": "ok", "code": 0}

    def _serve_lock(self, received: Request) -> dict[str, Any] | None:
        """Synchronise a lock or write its firmware."""
        identifier = _required(received, "identifier")
        if self._phase != "scanning":
            raise _Refusal(BUSY)
        lock = self._find(identifier)
        if lock is None or not lock.visible:
            raise _Refusal(1)
        return None if self.empty_acknowledgements else self._succeed()

    def _turn_bolt(self, received: Request) -> dict[str, Any]:
        """Open or close a lock."""
        lock = self._signed_for(received)
        self._start(lock, TARGETS[received.path], received.path)
        return self._succeed()

    def _calibrate(self, received: Request) -> dict[str, Any]:
        """Let a lock learn its way again; its bolt ends where it was."""
        lock = self._signed_for(received)
        self._start(lock, lock.state, received.path)
        return self._succeed()

    def _tell_lock(self, received: Request) -> dict[str, Any]:
        """Return a lock's state."""
        lock = self._signed_for(received)
        if self.dialect == "documented":
            return {"status": "0", "code": f"{lock.state:#x}"}
        return {
            "status": STATE_TEXTS[lock.state],
            "code": lock.state,
            "id": lock.identifier,
            "version": lock.version,
            "position": lock.position,
            "rssi": lock.rssi,
            "battery": lock.battery,
        }

    def _find(self, identifier: str) -> Lock | None:
        """Return a lock by the text of its identifier."""
        return next(
            (
                lock
                for lock in self.locks.values()
                if str(lock.identifier) == identifier
            ),
            None,
        )

    def _signed_for(self, received: Request) -> Lock:
        """Return the lock of a signed request, if it can be reached and is at rest.

        Raises:
            _Refusal: The request is not valid, or the lock cannot do it now.
        """
        identifier = _required(received, "identifier")
        ts = _required(received, "ts", "timestamp")
        signature = _required(received, "hash")
        if not (ts.isascii() and ts.isdecimal()):
            raise _Refusal(MISSING_PARAMETER, "timestamp")
        if not self.clock_valid:
            raise _Refusal(CLOCK_INVALID)
        lock = self._find(identifier)
        if lock is None:
            raise _Refusal(NOT_DETECTED)
        if lock.code is None:
            raise _Refusal(NOT_SHARED)
        if not hmac.compare_digest(
            sign(lock.code, ts).encode(), signature.encode("utf-8", "surrogatepass")
        ):
            raise _Refusal(INVALID_HMAC)
        self._accept(int(ts))
        if self._phase != "scanning":
            raise _Refusal(self.synchronizing_error)
        if not lock.visible:
            raise _Refusal(NOT_DETECTED)
        if lock.identifier in self._moves:
            raise _Refusal(MISSING_PARAMETER, "action already started")
        return lock

    def _accept(self, ts: int) -> None:
        """Take note of a signed time.

        Whether the vendor counts per lock or per gateway is not known; per gateway is
        the stricter reading, as is refusing an equal time.

        Raises:
            _Refusal: It is not newer than the last one, or too far from now.
        """
        if self.strict_timestamps and self._last_ts is not None and ts <= self._last_ts:
            raise _Refusal(INVALID_HMAC, "timestamp is too old")
        ahead = ts - self._clock()
        if not -self.past_tolerance <= ahead <= self.future_tolerance:
            raise _Refusal(INVALID_HMAC, "timestamp is out of range")
        self._last_ts = ts

    def _start(self, lock: Lock, target: int, path: str) -> None:
        """Set a bolt in motion."""
        self.orders.append((path, lock.identifier))
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self.delays.travel, self._arrive, lock.identifier)
        self._moves[lock.identifier] = _Move(target, timer)
        if not self.delays.travel:
            self._arrive(lock.identifier)

    def _arrive(self, identifier: int) -> None:
        """End a bolt's motion; the lock writes it into its log."""
        move = self._moves.pop(identifier)
        move.timer.cancel()
        self.turn_by_hand(identifier, move.target)


def _required(received: Request, name: str, known_as: str = "") -> str:
    """Return a field of a request.

    Raises:
        _Refusal: It is missing; the cause names it in the vendor's words.
    """
    if value := received.form.get(name):
        return value
    raise _Refusal(MISSING_PARAMETER, known_as or name)


def _close_after(response: web.Response) -> web.Response:
    """Return a response after which the connection is closed."""
    response.force_close()
    return response


def _json(reply: dict[str, Any]) -> web.Response:
    """Return the response that carries a reply. Failures come with HTTP 200 too."""
    return _close_after(
        web.Response(body=json.dumps(reply).encode(), content_type="application/json")
    )
