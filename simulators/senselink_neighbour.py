"""SenseLink in the neighbourhood: who stands before a terminal, and what goes wrong."""

import asyncio
from collections.abc import Mapping
import contextlib
import random
import time
from typing import Any, ClassVar, cast, override

from .neighbour import Action, BadInput, Input, Neighbour, Option
from .senselink import REFUSALS, Refusal, SenseLink
from .senselink_frames import AIKO, ALERTS, BRUNO, VERA, Frame, Person

PEOPLE: Mapping[str, Person | None] = {
    "aiko": AIKO,
    "bruno": BRUNO,
    "visitor": VERA,
    "stranger": None,
}
# What can be the matter with somebody, as fields of the record.
MATTERS: Mapping[str, Mapping[str, Any]] = {
    "ok": {},
    "id_card_mismatch": {"abnormal_type": 10001},
    "card_mismatch": {"abnormal_type": 10002},
    "code_mismatch": {"abnormal_type": 10003},
    "visitor_expired": {"abnormal_type": 20001},
    "out_of_hours": {"abnormal_type": 20002},
    "invalid_id_card": {"abnormal_type": 30001, "entry_mode": 5},
    "invalid_card": {"abnormal_type": 30002, "entry_mode": 3},
    "invalid_qr_code": {"abnormal_type": 30003, "entry_mode": 2},
    "hot": {"abnormal_type": 40001, "temperature": 38.4},
    "no_mask": {"abnormal_type": 50001, "mask": 1},
}
# The terminal takes it for a picture: no record, but an alert.
SPOOF = "spoof"
NON_LIVING = 20002

MODES = ("face", "qr_code", "card", "face_and_card", "id_card", "face_and_id_card")
REFUSING = ("none", *REFUSALS, "close", "forbidden")
STATUSES = {1: "active", 2: "releasing", 3: "released"}

# Of all passers-by, how many are strangers, and how many others are refused.
STRANGERS = 0.15
REFUSED = 0.15


class SenseLinkNeighbour(Neighbour):
    """A server with two terminals."""

    name: ClassVar[str] = "senselink"
    options: ClassVar[tuple[Option, ...]] = (
        Option("port", int, 8303, "port of the server"),
        Option("every", float, 0, "seconds between two passers-by, 0 for none"),
        Option("subscribe_url", str, None, "address that events are posted to"),
    )

    def __init__(
        self, port: int = 8303, every: float = 0, subscribe_url: str | None = None
    ) -> None:
        """Take what the options say; a port of 0 is any free one."""
        self.server = SenseLink(port=port)
        self._every = every
        self._passing: asyncio.Task[None] | None = None
        self._pushed = 0
        self._last: dict[str, Any] | None = None
        self._random = random.Random()
        if subscribe_url is not None:
            self.server.subscribe(subscribe_url)

    @property
    @override
    def actions(self) -> Mapping[str, Action]:
        return {
            "recognise": self._recognise,
            "alert": self._alert,
            "release": self._release,
            "repeat": self._repeat,
            "drop": self._drop,
            "quiet": self._quiet,
            "refuse": self._refuse,
            "subscribe": self._subscribe,
            "link": self._link,
        }

    @override
    async def start(self) -> None:
        await self.server.start()
        if self._every:
            self._passing = asyncio.create_task(self._pass_by(self._every))

    @override
    async def stop(self) -> None:
        if self._passing is not None:
            passing, self._passing = self._passing, None
            passing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await passing
        await self.server.stop()

    @override
    def describe(self) -> str:
        line = (
            f"SenseLink: a server on {self.server.url} with the app key"
            f" {self.server.app_key} and the app secret {self.server.app_secret}"
        )
        return f"{line}, somebody every {self._every:g} s" if self._every else line

    @override
    def state(self) -> dict[str, Any]:
        subscription = self.server.subscription
        return {
            "host": self.server.host,
            "up": self.server.running,
            "app_key": self.server.app_key,
            "app_secret": self.server.app_secret,
            "every": self._every or None,
            "links": len(self.server.connections),
            "quiet": self.server.is_quiet,
            "refuse": self.server.refuse,
            "refused": sum(not attempt.accepted for attempt in self.server.attempts),
            "pushed": self._pushed,
            "last": self._last,
            "terminals": [
                {
                    "name": terminal.name,
                    "location": terminal.location,
                    "ldid": terminal.ldid,
                }
                for terminal in self.server.terminals
            ],
            "people": {
                key: "A stranger" if person is None else person.name
                for key, person in PEOPLE.items()
            },
            "alerts": [
                {
                    "trace_id": trace_id,
                    "code": data["code"],
                    "description": data["description"],
                    "terminal": data["deviceName"],
                    "status": STATUSES[data["status"]],
                }
                for trace_id, data in self.server.alerts.items()
            ],
            "subscription": subscription
            and {
                "url": subscription.url,
                "status": subscription.status,
                "deliveries": len(subscription.deliveries),
            },
        }

    async def _recognise(self, given: Input) -> dict[str, Any]:
        """Let somebody stand before a terminal."""
        terminal = self._terminal(given)
        who = given.choice("who", tuple(PEOPLE), "aiko")
        what = given.choice("what", (*MATTERS, SPOOF), "ok")
        if what == SPOOF:
            frame = await self.server.alert(NON_LIVING, terminal=terminal, photo=True)
            return self._note(frame)
        fields = dict(MATTERS[what])
        if "mode" in given:
            fields["entry_mode"] = MODES.index(given.choice("mode", MODES)) + 1
        return self._note(
            await self.server.recognise(
                terminal=terminal, person=PEOPLE[who], photo=True, **fields
            )
        )

    async def _alert(self, given: Input) -> dict[str, Any]:
        """Raise an alert.

        Raises:
            BadInput: There is no such kind.
        """
        code = given.integer("code")
        if code not in ALERTS:
            raise BadInput(f"code must be one of {', '.join(map(str, ALERTS))}")
        return self._note(
            await self.server.alert(code, terminal=self._terminal(given), photo=True)
        )

    async def _release(self, given: Input) -> dict[str, Any]:
        """Release an alert.

        Raises:
            BadInput: There is no such alert.
        """
        try:
            frame = await self.server.release(given.text("trace_id"))
        except ValueError as error:
            raise BadInput(str(error)) from None
        return self._note(frame)

    async def _repeat(self, _: Input) -> dict[str, Any]:
        """Push the last record or alert again.

        Raises:
            BadInput: There is none.
        """
        try:
            frame = await self.server.resend()
        except ValueError as error:
            raise BadInput(str(error)) from None
        return self._note(frame)

    async def _drop(self, given: Input) -> dict[str, Any]:
        """Break all links."""
        await self.server.drop(abort=given.boolean("abort", default=True))
        return {}

    async def _quiet(self, given: Input) -> dict[str, Any]:
        """Say nothing on the links any more, or speak again."""
        await self.server.quiet(given.boolean("on"))
        return {}

    async def _refuse(self, given: Input) -> dict[str, Any]:
        """Refuse whoever connects from now on, or nobody."""
        how = given.choice("how", REFUSING)
        self.server.refuse = None if how == "none" else cast("Refusal", how)
        return {}

    async def _subscribe(self, given: Input) -> dict[str, Any]:
        """Post events to an address, or to none without one."""
        if "url" not in given:
            self.server.unsubscribe()
            return {}
        self.server.subscribe(
            given.text("url"),
            records=given.boolean("records", default=True),
            alerts=given.boolean("alerts", default=True),
        )
        return {}

    async def _link(self, given: Input) -> dict[str, Any]:
        """Take the server off the network, or bring it back."""
        if given.boolean("up"):
            await self.server.start()
        else:
            await self.server.stop()
        return {}

    def _terminal(self, given: Input) -> int:
        """Return the place of the terminal that is meant.

        Raises:
            BadInput: There is no such terminal.
        """
        place = given.integer("terminal", 0)
        if place >= len(self.server.terminals):
            raise BadInput(f"terminal must be below {len(self.server.terminals)}")
        return place

    def _note(self, frame: Frame) -> dict[str, Any]:
        """Note what was pushed, and return what to tell of it."""
        data = frame["data"]
        self._pushed += 1
        self._last = {
            "code": frame["code"],
            "id": data["id"],
            "what": data.get("description") or data["name"] or "A stranger",
            "at": time.time(),
        }
        told: dict[str, Any] = {"id": data["id"]}
        if "traceId" in data:
            told["trace_id"] = data["traceId"]
        return told

    async def _pass_by(self, every: float) -> None:
        """Let one person after the other stand before a terminal, until cancelled."""
        while True:
            await asyncio.sleep(every)
            who = self._random.choice([AIKO, BRUNO, VERA])
            stranger = self._random.random() < STRANGERS
            refused = not stranger and self._random.random() < REFUSED
            self._note(
                await self.server.recognise(
                    terminal=self._random.randrange(len(self.server.terminals)),
                    person=None if stranger else who,
                    abnormal_type=20002 if refused else 0,
                    temperature=round(self._random.uniform(36.1, 36.9), 1),
                    photo=True,
                )
            )
