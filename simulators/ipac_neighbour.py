"""The IPAC 500 in the neighbourhood: a door station, and who comes to it."""

import asyncio
import base64
from collections.abc import Awaitable, Mapping
import contextlib
import random
from typing import Any, ClassVar, cast, override

from .faults import Fault
from .ipac import METHODS, Auth, Ipac, Mode, Sound
from .neighbour import Action, BadInput, Input, Neighbour, Option, Unreachable

NAMES = {1: "Main door", 2: "Garage"}
PATHS = tuple(f"{name}/" for name in METHODS)
# Longest time that a visitor waits to be let in, in seconds.
PATIENCE = 8
# Pictures that are larger are not put into the state.
LARGEST_SHOWN = 512 * 1024


class IpacNeighbour(Neighbour):
    """A door station with two relays."""

    name: ClassVar[str] = "ipac"
    options: ClassVar[tuple[Option, ...]] = (
        Option("port", int, 8302, "port of the station"),
        Option(
            "auth",
            str,
            "digest",
            "how it wants user and password",
            choices=("none", "basic", "digest"),
        ),
        Option("asm_uri", str, None, "scheme, host and port of its ASM server"),
        Option("asm_path", str, "/api/v2/", "path on the ASM server"),
        Option("asm_token", str, None, "key for the ASM server"),
        Option("notify_every", float, 30, "seconds between two notifies"),
        Option("every", float, 0, "seconds between two visitors, 0 for none"),
    )

    def __init__(
        self,
        port: int = 8302,
        auth: Auth = "digest",
        asm_uri: str | None = None,
        asm_path: str = "/api/v2/",
        asm_token: str | None = None,
        notify_every: float = 30,
        every: float = 0,
    ) -> None:
        """Take what the options say; a port of 0 is any free one.

        Raises:
            ValueError: The address of the ASM server is none.
        """
        self.station = Ipac(
            port=port, auth=auth, codes={1: ["1111", "1234"], 2: ["2222"]}
        )
        self._notify_every = notify_every
        self._every = every
        self._visitor: asyncio.Task[None] | None = None
        self._random = random.Random()
        if asm_uri and asm_token:
            self.station.connect_asm(
                uri=asm_uri, path=asm_path, token=asm_token, notify_every=notify_every
            )

    @property
    @override
    def actions(self) -> Mapping[str, Action]:
        return {
            "asm": self._connect,
            "ring": self._ring,
            "incoming": self._receive,
            "hang_up": self._hang_up,
            "type_code": self._type_code,
            "open": self._open,
            "relay": self._set_relay,
            "silent": self._silence,
            "restart": self._restart,
            "link": self._link,
            "fault": self._fault,
        }

    @override
    async def start(self) -> None:
        await self.station.start()
        if self._every:
            self._visitor = asyncio.create_task(self._visit(self._every))

    @override
    async def stop(self) -> None:
        if self._visitor is not None:
            visitor, self._visitor = self._visitor, None
            visitor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await visitor
        await self.station.stop()

    @override
    def describe(self) -> str:
        station = self.station
        codes = ", ".join(
            f"{NAMES[number]} (relay {number}, code {' or '.join(relay.codes)})"
            for number, relay in station.relays.items()
        )
        return (
            f"IPAC 500: a station on {station.url}"
            f" ({station.auth}, {station.username} / {station.password}) with {codes}"
        )

    @override
    def state(self) -> dict[str, Any]:
        station = self.station
        notifies = [sent for sent in station.sent if sent.endpoint == "notify"]
        return {
            "host": station.host,
            "up": station.running,
            "auth": station.auth,
            "username": station.username,
            "password": station.password,
            "asm": station.asm
            and {
                "uri": station.asm.uri,
                "path": station.asm.path,
                "every": station.asm.notify_every,
                "last_update": station.asm.last_update,
                "waiting": len(station.asm.waiting),
            },
            "led": station.led,
            "silent": station.silent,
            "last_notify": {
                "at": notifies[-1].at,
                "status": notifies[-1].reply.status,
            }
            if notifies
            else None,
            "sent": len(station.sent),
            "requests": len(station.requests),
            "call": station.call
            and {
                "direction": station.call.direction,
                "number": station.call.number,
                "answered": station.call.answered,
            },
            "relays": [
                {
                    "number": number,
                    "name": NAMES[number],
                    "codes": relay.codes,
                    "mode": relay.mode,
                    "in_time_slot": relay.in_time_slot,
                    "remote": relay.remote,
                    "active": relay.active,
                    "openings": relay.openings,
                }
                for number, relay in station.relays.items()
            ],
            "picture": self._picture(),
            "sound": _describe(station.sound),
            "last_sound": _describe(station.sounds[-1] if station.sounds else None),
            "pictures": len(station.pictures),
            "sounds": len(station.sounds),
        }

    def _picture(self) -> dict[str, Any] | None:
        """Return what the LCD shows."""
        picture = self.station.picture
        if picture is None:
            return None
        address = None
        if len(picture.data) <= LARGEST_SHOWN:
            text = base64.b64encode(picture.data).decode()
            address = f"data:{picture.media_type};base64,{text}"
        return {"size": len(picture.data), "tempo": picture.tempo, "data": address}

    async def _connect(self, given: Input) -> dict[str, Any]:
        """Set the ASM server, and notify it."""
        uri, path = given.text("uri"), given.text("path", "/api/v2/")
        token = given.text("token")
        if not path.isascii() or not path.startswith("/"):
            raise BadInput("path must begin with a slash and be plain ASCII")
        every = given.seconds("every", self._notify_every)
        try:
            self.station.connect_asm(
                uri=uri, path=path, token=token, notify_every=every
            )
        except ValueError as error:
            raise BadInput(f"uri: {error}") from None
        return await self._do(self.station.notify())

    async def _ring(self, given: Input) -> dict[str, Any]:
        """Press a call button."""
        number = given.text("number", "sip:192.0.2.23")
        return await self._do(self.station.press_button(number))

    async def _receive(self, given: Input) -> dict[str, Any]:
        """Call the station."""
        number = given.text("number", "sip:192.0.2.40")
        return await self._do(self.station.receive_call(number))

    async def _hang_up(self, _: Input) -> dict[str, Any]:
        """End the call."""
        return await self._do(self.station.hang_up())

    async def _type_code(self, given: Input) -> dict[str, Any]:
        """Type a code at the keypad."""
        return await self._do(self.station.type_code(given.number_or_text("code")))

    async def _open(self, given: Input) -> dict[str, Any]:
        """Press a door's exit button."""
        return await self._do(self.station.open_locally(self._relay_number(given)))

    async def _set_relay(self, given: Input) -> dict[str, Any]:
        """Change what codes may do; what is not given stays."""
        relay = self.station.relays[self._relay_number(given)]
        mode = given.choice("mode", ("normal", "pdl", "netcut"), relay.mode)
        in_time_slot = given.boolean("in_time_slot", relay.in_time_slot)
        relay.remote = given.boolean("remote", relay.remote)
        relay.mode, relay.in_time_slot = cast("Mode", mode), in_time_slot
        return {}

    async def _silence(self, given: Input) -> dict[str, Any]:
        """Let the station tell ASM nothing, or speak again."""
        self.station.silent = given.boolean("silent")
        return {}

    async def _restart(self, _: Input) -> dict[str, Any]:
        """Start the station again."""
        return await self._do(self.station.restart())

    async def _link(self, given: Input) -> dict[str, Any]:
        """Take the station off the network, or bring it back."""
        if given.boolean("up"):
            await self.station.start()
        else:
            await self.station.stop()
        return {}

    async def _fault(self, given: Input) -> dict[str, Any]:
        """Let the next requests of a path fail."""
        path = given.choice("path", PATHS)
        times = given.integer("times", 1)
        if times > 1000:
            raise BadInput("times must be 1000 or less")
        self.station.inject(path, fault_from(given), times)
        return {}

    def _relay_number(self, given: Input) -> int:
        """Return the number of the relay that is meant.

        Raises:
            BadInput: There is no such relay.
        """
        number = given.number_or_text("relay")
        if number not in map(str, self.station.relays):
            raise BadInput("relay must be 1 or 2")
        return int(number)

    async def _do(self, deed: Awaitable[object]) -> dict[str, Any]:
        """Let the station do something, and return what ASM answered to it, if asked.

        Raises:
            Unreachable: ASM did not answer; the deed is done all the same.
        """
        before = len(self.station.sent)
        await deed
        replies = [sent.reply for sent in self.station.sent[before:]]
        if not replies:
            return {}
        if any(reply.status is None for reply in replies):
            uri = self.station.asm.uri if self.station.asm is not None else "ASM"
            raise Unreachable(f"{uri} did not answer")
        return {"status": replies[-1].status}

    async def _visit(self, every: float) -> None:
        """Call one resident after the other, until cancelled."""
        while True:
            await asyncio.sleep(every)
            if self.station.call is not None:
                continue
            number = self._random.choice(list(self.station.contacts.values()))
            await self.station.press_button(number)
            await asyncio.sleep(min(PATIENCE, every / 4))
            await self.station.hang_up()


def _describe(sound: Sound | None) -> dict[str, Any] | None:
    """Return what the page shows of a sound."""
    if sound is None:
        return None
    return {
        "seconds": sound.seconds,
        "loop": sound.loop,
        "channels": sound.channels,
        "rate": sound.rate,
        "bits": sound.bits,
    }


def fault_from(given: Input) -> Fault:
    """Return the fault that is meant.

    Raises:
        BadInput: The fault or one of its fields is not known.
    """
    match given.choice(
        "fault", ("code", "busy", "empty", "reset", "hang", "reply", "trickle")
    ):
        case "code":
            return Fault.code(
                _status(given, "code"), given.text("cause") if "cause" in given else ""
            )
        case "busy":
            return Fault.busy()
        case "empty":
            return Fault.empty()
        case "reset":
            return Fault.reset(given.boolean("acted", default=False))
        case "hang":
            return Fault.hang(given.boolean("acted", default=False))
        case "reply":
            return Fault.reply(
                given.text("body").encode(),
                status=_status(given, "status", 200),
                acted=given.boolean("acted", default=False),
            )
    return Fault.trickle(given.seconds("seconds_per_byte"))


def _status(given: Input, name: str, default: int | None = None) -> int:
    """Return a status of HTTP.

    Raises:
        BadInput: It is missing or none.
    """
    status = given.integer(name, default)
    if not 200 <= status <= 599:
        raise BadInput(f"{name} must be between 200 and 599")
    return status
