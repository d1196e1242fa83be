"""Tellicon in the neighbourhood: a visitor who rings every so often, or on demand."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import contextlib
import random
import time
from typing import Any, ClassVar, cast, override

import aiohttp
from yarl import URL

from .neighbour import Action, BadInput, Input, Neighbour, Option, Unreachable
from .tellicon import DIALECTS, Dialect, Reply, Tellicon, Unit

UNITS = (Unit(505, 121, 1001), Unit(505, 121, 1002), Unit(505, 122, 304))
# Of all visits, how many are answered, and of these, how many are let in.
ANSWERED = 0.7
LET_IN = 0.6
# Longest time that a visitor waits, and then talks, in seconds.
PATIENCE = 8
TIMEOUT = 20


class TelliconNeighbour(Neighbour):
    """The sender of calls to one Home Assistant."""

    name: ClassVar[str] = "tellicon"
    options: ClassVar[tuple[Option, ...]] = (
        Option("url", str, None, "address of /eventTellicon", required=True),
        Option("token", str, None, "token of 24 characters", required=True),
        Option("every", float, 45, "seconds between two visitors"),
        Option("dialect", str, "B", "how events are written", choices=DIALECTS),
    )

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        every: float | None = 45,
        dialect: Dialect = "B",
    ) -> None:
        """Take what the options say; without an address nobody rings yet."""
        self._url = url
        self._token = token
        self._every = every
        self._dialect: Dialect = dialect
        self._senders: dict[Dialect, Tellicon] = {}
        self._visitor: asyncio.Task[None] | None = None
        self._sent = 0
        self._last: dict[str, Any] | None = None
        self._random = random.Random()

    @property
    @override
    def actions(self) -> Mapping[str, Action]:
        return {
            "target": self._aim,
            "ring": self._ring,
            "answer": self._answer,
            "dtmf": self._dtmf,
            "fault": self._fault,
        }

    @override
    async def start(self) -> None:
        if self._url and self._token and self._every:
            self._visitor = asyncio.create_task(self._visit(self._every))

    @override
    async def stop(self) -> None:
        if self._visitor is not None:
            visitor, self._visitor = self._visitor, None
            visitor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await visitor
        senders, self._senders = self._senders, {}
        for sender in senders.values():
            await sender.aclose()

    @override
    def describe(self) -> str:
        if not self._url:
            return "Tellicon: waits to be told whom to ring"
        if not self._every:
            return f"Tellicon: rings {self._url} on demand"
        return f"Tellicon: rings {self._url} every {self._every:g} s"

    @override
    def state(self) -> dict[str, Any]:
        return {
            "url": self._url,
            "every": self._every if self._visitor is not None else None,
            "dialect": self._dialect,
            "sent": self._sent,
            "last": self._last,
        }

    async def _aim(self, given: Input) -> dict[str, Any]:
        """Set whom to ring, and how often."""
        url = given.text("url")
        if not _is_address(url):
            raise BadInput("url must be an http or https address")
        token = given.text("token")
        if not token.isascii() or not token.isprintable():
            raise BadInput("token must be plain ASCII")
        every = given.seconds("every") if "every" in given else None
        await self.stop()
        self._url, self._token, self._every = url, token, every
        await self.start()
        return {}

    async def _ring(self, given: Input) -> dict[str, Any]:
        """Ring at a unit."""
        unit, sender = self._unit(given), self._sender(given)
        src = given.text("src", "9001")
        return await self._tell("ring", unit, lambda: sender.ring(unit, src))

    async def _answer(self, given: Input) -> dict[str, Any]:
        """Answer for a unit."""
        unit, sender = self._unit(given), self._sender(given)
        dst = given.text("dst", "018900000001")
        duration = given.integer("duration", 10)
        return await self._tell(
            "answer", unit, lambda: sender.answer(unit, dst=dst, duration=duration)
        )

    async def _dtmf(self, given: Input) -> dict[str, Any]:
        """Press keys in a unit."""
        unit, sender = self._unit(given), self._sender(given)
        command = given.text("command", "*2")
        return await self._tell("dtmf", unit, lambda: sender.dtmf(unit, command))

    async def _fault(self, given: Input) -> dict[str, Any]:
        """Send something that Home Assistant should refuse, or has had already."""
        sender = self._sender(given)
        faults = {
            "wrong_token": sender.wrong_token,
            "no_token": sender.no_token,
            "not_json": sender.not_json,
            "too_deep": sender.too_deep,
            "too_large": sender.too_large,
            "absurd_time": sender.absurd_time,
            "repetition": sender.resend_last,
        }
        fault = given.choice("fault", tuple(faults))
        return await self._tell(fault, None, faults[fault])

    def _unit(self, given: Input) -> Unit:
        """Return the unit that is meant; block and apartment may be left out."""
        return Unit(
            given.integer("client"),
            given.integer("building") if "building" in given else None,
            given.integer("apt") if "apt" in given else None,
        )

    def _sender(self, given: Input | None = None) -> Tellicon:
        """Return the sender of the dialect that is meant.

        Raises:
            BadInput: Nobody said yet whom to ring, or there is no such dialect.
        """
        if not self._url or not self._token:
            raise BadInput("set a target first")
        dialect = self._dialect
        if given is not None:
            dialect = cast("Dialect", given.choice("dialect", DIALECTS, dialect))
        if dialect not in self._senders:
            self._senders[dialect] = Tellicon(self._url, self._token, dialect=dialect)
        return self._senders[dialect]

    async def _tell(
        self, event: str, unit: Unit | None, send: Callable[[], Awaitable[Reply]]
    ) -> dict[str, Any]:
        """Send an event and note how it went.

        Raises:
            BadInput: There is no such event in the dialect, or none to repeat.
            Unreachable: Nobody answered.
        """
        told: dict[str, Any] = {
            "event": event,
            "unit": unit and [unit.client, unit.building, unit.apt],
            "status": None,
            "at": time.time(),
        }
        try:
            async with asyncio.timeout(TIMEOUT):
                told["status"] = (await send()).status
        except ValueError as error:
            raise BadInput(str(error)) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            self._last = told
            raise Unreachable(
                f"{self._url} did not answer: {str(error) or 'timeout'}"
            ) from error
        self._sent += 1
        self._last = told
        return {"status": told["status"]}

    async def _visit(self, every: float) -> None:
        """Ring at one unit after the other, until cancelled."""
        while True:
            await asyncio.sleep(every)
            unit = self._random.choice(UNITS)
            try:
                await self._call(unit, min(PATIENCE, every / 4))
            except Unreachable as error:
                print(f"Tellicon: {error}", flush=True)

    async def _call(self, unit: Unit, pause: float) -> None:
        """Ring; the resident may answer, and may let the visitor in."""
        sender = self._sender()
        await self._tell("ring", unit, lambda: sender.ring(unit))
        if self._dialect == "A" or self._random.random() > ANSWERED:
            return
        await asyncio.sleep(pause)
        if self._random.random() < LET_IN:
            await self._tell("dtmf", unit, lambda: sender.dtmf(unit))
        await asyncio.sleep(pause)
        # Tellicon tells of an answered call when it is over.
        duration = max(1, round(pause))
        await self._tell("answer", unit, lambda: sender.answer(unit, duration=duration))


def _is_address(url: str) -> bool:
    """Return whether a text is an address that can be posted to."""
    try:
        parsed = URL(url)
    except ValueError:
        return False
    return parsed.scheme in {"http", "https"} and bool(parsed.host)
