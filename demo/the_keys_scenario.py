"""What is played with The Keys: bolts, batteries, and a gateway that is lost."""

from typing import override

from .house import GATEWAY
from .neighbourhood import LOCKS
from .report import NotAsExpected, Report
from .scenario import PROMPTLY, SLOWLY, Scenario

DOOR, GATE = LOCKS

EMPTYING = 6700
"""Millivolts of a lock whose batteries run out."""


class TheKeysScenario(Scenario):
    """A gateway with two locks."""

    @override
    async def play(self, report: Report) -> None:
        await report.check(
            "The Keys: the locks show where their bolts are", self.locks_read()
        )
        await report.check(
            "The Keys: unlock: the bolt moves", self.order("unlock", "unlocked")
        )
        await report.check(
            "The Keys: lock: the bolt moves back", self.order("lock", "locked")
        )
        await report.check("The Keys: a bolt turned by hand is noticed", self.by_hand())
        await report.check(
            "The Keys: batteries that run out are noticed", self.battery()
        )
        await report.check(
            "The Keys: a lost gateway makes its locks unavailable", self.lost()
        )
        await report.check("The Keys: it comes back by itself", self.back())

    async def locks_read(self) -> None:
        """Wait for the first reading of both locks."""
        for lock in LOCKS:
            await self._becomes((lock.name, "door"), "locked", SLOWLY)

    async def order(self, action: str, arrived: str) -> None:
        """Move the bolt of the front door from the dashboard."""
        since = self._now
        door = self._entities[DOOR.name, "door"]
        await self._api.action(f"lock.{action}", door)
        for state in (f"{action}ing", arrived):
            await self._changes((DOOR.name, "door"), state, since, SLOWLY)
        await self._bolt_is(DOOR.identifier, arrived)

    async def by_hand(self) -> None:
        """Turn the bolt of the side gate, and wait until that is seen."""
        since = self._now
        await self._neighbourhood.the_keys(
            "turn", identifier=int(GATE.identifier), state="unlocked"
        )
        await self._changes((GATE.name, "door"), "unlocked", since, SLOWLY)

    async def battery(self) -> None:
        """Empty the batteries of the side gate, and wait until that is seen."""
        before = await self._state((GATE.name, "battery"))
        await self._neighbourhood.the_keys(
            "battery", identifier=int(GATE.identifier), millivolts=EMPTYING
        )
        await self._becomes(
            (GATE.name, "battery_voltage"), str(EMPTYING / 1000), SLOWLY
        )
        after = await self._state((GATE.name, "battery"))
        if not float(after) < float(before):
            raise NotAsExpected(f"the battery shows {after} %, before {before} %")

    async def lost(self) -> None:
        """Pull the plug of the gateway."""
        await self._neighbourhood.the_keys("link", up=False)
        await self._becomes((GATEWAY, "connection"), "off", SLOWLY)
        for lock in LOCKS:
            await self._becomes((lock.name, "door"), "unavailable", PROMPTLY)

    async def back(self) -> None:
        """Plug it in again."""
        await self._neighbourhood.the_keys("link", up=True)
        await self._becomes((GATEWAY, "connection"), "on", SLOWLY)
        await self._becomes((DOOR.name, "door"), "locked", SLOWLY)
        await self._becomes((GATE.name, "door"), "unlocked", SLOWLY)

    async def _bolt_is(self, identifier: str, state: str) -> None:
        """Ask the simulator where a bolt really is."""
        locks = (await self._neighbourhood.state())["the_keys"]["locks"]
        lock = next(one for one in locks if str(one["identifier"]) == identifier)
        if lock["state"] != state:
            raise NotAsExpected(f"the simulated bolt is {lock['state']}")
