"""The gateway of The Keys in the neighbourhood: two locks, and what can befall them."""

import asyncio
from collections.abc import Mapping
import contextlib
from typing import Any, ClassVar, override

from .neighbour import Action, BadInput, Input, Neighbour, Option
from .the_keys import CLOSED, OPEN, UNKNOWN, Delays, Dialect, Fault, Gateway, Lock

STATES = {CLOSED: "locked", OPEN: "unlocked", UNKNOWN: "unknown"}
DELAYS = {"real": Delays.REAL, "none": Delays()}
NAMES = {10000001: "Front door", 10000002: "Side gate"}


def default_locks() -> list[Lock]:
    """Return the two locks of the neighbourhood."""
    return [
        Lock(10000001, "demoShareCode001", battery=7783, rssi=-62),
        Lock(10000002, "demoShareCode002", battery=7235, rssi=-74),
    ]


class TheKeysNeighbour(Neighbour):
    """A gateway with two locks."""

    name: ClassVar[str] = "the_keys"
    options: ClassVar[tuple[Option, ...]] = (
        Option("port", int, 8301, "port of the gateway"),
        Option(
            "dialect",
            str,
            "field",
            "how it answers",
            choices=("documented", "field"),
        ),
        Option("delays", str, "real", "how long things take", choices=("real", "none")),
        Option(
            "cycle",
            float,
            0,
            "seconds of scanning between two synchronisations, 0 for none",
        ),
    )

    def __init__(
        self,
        port: int = 8301,
        dialect: Dialect = "field",
        delays: str = "real",
        cycle: float = 0,
    ) -> None:
        """Take what the options say; a port of 0 is any free one."""
        self.gateway = Gateway(
            default_locks(), dialect=dialect, delays=DELAYS[delays], port=port
        )
        self._cycle = cycle
        self._cycling: asyncio.Task[None] | None = None

    @property
    @override
    def actions(self) -> Mapping[str, Action]:
        return {
            "turn": self._turn,
            "link": self._link,
            "clock": self._clock,
            "battery": self._battery,
            "fault": self._fault,
        }

    @override
    async def start(self) -> None:
        await self.gateway.start()
        if self._cycle:
            self._cycling = asyncio.create_task(
                self.gateway.cycle(scanning=self._cycle)
            )

    @override
    async def stop(self) -> None:
        if self._cycling is not None:
            self._cycling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._cycling
        await self.gateway.stop()

    @override
    def describe(self) -> str:
        locks = ", ".join(
            f"{lock.identifier} {NAMES[lock.identifier]} (share code {lock.code})"
            for lock in self.gateway.locks.values()
        )
        return f"The Keys: a gateway on http://{self.gateway.host} with {locks}"

    @override
    def state(self) -> dict[str, Any]:
        return {
            "host": self.gateway.host,
            "up": self.gateway.running,
            "clock_valid": self.gateway.clock_valid,
            "phase": self.gateway.phase,
            "requests": len(self.gateway.requests),
            "orders": [list(order) for order in self.gateway.orders[-10:]],
            "locks": [
                {
                    "identifier": lock.identifier,
                    "name": NAMES[lock.identifier],
                    "share_code": lock.code,
                    "state": STATES[lock.state],
                    "battery": lock.battery,
                    "rssi": lock.rssi,
                    "last_log": lock.last_log,
                    "ordered": sum(
                        identifier == lock.identifier
                        for _, identifier in self.gateway.orders
                    ),
                }
                for lock in self.gateway.locks.values()
            ],
        }

    def _lock(self, given: Input) -> Lock:
        """Return the lock that is meant.

        Raises:
            BadInput: There is no such lock.
        """
        identifier = given.number_or_text("identifier")
        for lock in self.gateway.locks.values():
            if str(lock.identifier) == identifier:
                return lock
        known = ", ".join(map(str, self.gateway.locks))
        raise BadInput(f"identifier must be one of {known}")

    async def _turn(self, given: Input) -> dict[str, Any]:
        """Turn a bolt by hand."""
        lock = self._lock(given)
        word = given.choice("state", ("locked", "unlocked"))
        self.gateway.turn_by_hand(
            lock.identifier, OPEN if word == "unlocked" else CLOSED
        )
        return {}

    async def _link(self, given: Input) -> dict[str, Any]:
        """Take the gateway off the network, or bring it back."""
        if given.boolean("up"):
            await self.gateway.start()
        else:
            await self.gateway.stop()
        return {}

    async def _clock(self, given: Input) -> dict[str, Any]:
        """Spoil or mend the gateway's clock."""
        self.gateway.clock_valid = given.boolean("valid")
        return {}

    async def _battery(self, given: Input) -> dict[str, Any]:
        """Set the voltage of a lock's battery."""
        self._lock(given).battery = given.integer("millivolts")
        return {}

    async def _fault(self, given: Input) -> dict[str, Any]:
        """Let the next requests of a path fail."""
        path = given.choice("path", self.gateway.paths)
        times = given.integer("times", 1)
        if times > 1000:
            raise BadInput("times must be 1000 or less")
        self.gateway.inject(path, fault_from(given), times)
        return {}


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
                given.integer("code"), given.text("cause") if "cause" in given else ""
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
            status = given.integer("status", 200)
            if not 200 <= status <= 599:
                raise BadInput("status must be between 200 and 599")
            return Fault.reply(
                given.text("body").encode(),
                status=status,
                acted=given.boolean("acted", default=False),
            )
    return Fault.trickle(given.seconds("seconds_per_byte"))
