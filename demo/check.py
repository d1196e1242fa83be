"""The scenario of the demo, played once without a person.

Everything is read from Home Assistant's public API, each with a deadline.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from http import HTTPStatus
from pathlib import Path
import re
import tempfile
import time
from typing import Any

import aiohttp

from .home_assistant import Api, ApiError, Change, HomeAssistant
from .house import ACCOUNT, GATEWAY, House
from .neighbourhood import LOCKS, UNIT, Neighbourhood
from .process import DemoError, accepts, free_ports

PROMPTLY = 5.0
"""Seconds for what a vendor reports by itself."""

SLOWLY = 75.0
"""Seconds for what is seen by polling, a lost gateway included."""

DOOR, GATE = LOCKS

COMMAND = "*2"
EMPTYING = 6700
"""Millivolts of a lock whose batteries run out."""

type Key = tuple[str, str]


class NotAsExpected(Exception):
    """A check has failed; the text says why."""


class Scenario:
    """The checks, and what they need."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        home_assistant: HomeAssistant,
        neighbourhood: Neighbourhood,
        api: Api,
    ) -> None:
        """Prepare the checks; none is made."""
        self._session = session
        self._home_assistant = home_assistant
        self._neighbourhood = neighbourhood
        self._api = api
        self._house = House(api, neighbourhood)
        self._entities: dict[Key, str] = {}
        self._token = ""

    async def play(self, report: Report) -> None:
        """Make all checks, in an order in which each finds what it needs."""
        await report.check("set up through the forms of the frontend", self.set_up())
        if report.failures:
            # Nothing else could hold.
            return
        await report.check("only this machine reaches Home Assistant", self.loopback())
        await report.check("a visitor rings: account and unit", self.ring())
        await report.check("the call is answered, its duration is kept", self.answer())
        await report.check(f"{COMMAND} is typed at the telephone", self.dtmf())
        await report.check("a wrong token is refused", self.wrong_token())
        await report.check("the locks show where their bolts are", self.locks_read())
        await report.check("unlock: the bolt moves", self.order("unlock", "unlocked"))
        await report.check("lock: the bolt moves back", self.order("lock", "locked"))
        await report.check("a bolt turned by hand is noticed", self.by_hand())
        await report.check("batteries that run out are noticed", self.battery())
        await report.check("a lost gateway makes its locks unavailable", self.lost())
        await report.check("it comes back by itself", self.back())

    async def set_up(self) -> None:
        """Fill in all forms."""
        await self._house.move_in(every=None)
        self._token = await self._house.token()
        self._entities = await self._house.entities()
        entries = await self._house.entries()
        if sorted(entry["state"] for entry in entries.values()) != ["loaded"] * 2:
            raise NotAsExpected(f"the entries are {entries}")

    async def loopback(self) -> None:
        """Try another address of this machine."""
        port = self._home_assistant.port
        # One that is bound to everything answers here too.
        if await asyncio.to_thread(accepts, "127.0.0.2", port):
            raise NotAsExpected(f"something answers at 127.0.0.2:{port}")

    async def ring(self) -> None:
        """Ring, and look at both doorbells."""
        since = len(self._api.changes)
        await self._tellicon("ring")
        for device in (ACCOUNT, UNIT.name):
            await self._event(device, "doorbell", "ring", since, unit=UNIT.code)

    async def answer(self) -> None:
        """Answer, and look at the doorbell and the duration."""
        since = len(self._api.changes)
        await self._tellicon("answer")
        call = await self._event(
            UNIT.name, "doorbell", "answered", since, unit=UNIT.code
        )
        duration = call.attributes["duration"]
        if not isinstance(duration, int) or duration <= 0:
            raise NotAsExpected(f"the duration is {duration!r}")
        await self._becomes((UNIT.name, "last_call_duration"), str(duration), PROMPTLY)

    async def dtmf(self) -> None:
        """Type, and look at the event."""
        since = len(self._api.changes)
        await self._tellicon("dtmf", command=COMMAND)
        await self._event(
            UNIT.name, "dtmf", "dtmf_received", since, unit=UNIT.code, command=COMMAND
        )

    async def wrong_token(self) -> None:
        """Ring with a token that nobody has; nothing may change."""
        since = len(self._api.changes)
        async with self._session.post(
            f"{self._api.url}/eventTellicon",
            headers={"authTokenTellicon": "x" * 24},
            json={"eventTellicon": {"type": "pushCall", "client": UNIT.client}},
        ) as response:
            if response.status != HTTPStatus.UNAUTHORIZED:
                raise NotAsExpected(f"the answer is {response.status}")
        doorbell = self._entities[ACCOUNT, "doorbell"]
        if any(change.entity_id == doorbell for change in self._api.changes[since:]):
            raise NotAsExpected("the doorbell rang")

    async def locks_read(self) -> None:
        """Wait for the first reading of both locks."""
        for lock in LOCKS:
            await self._becomes((lock.name, "door"), "locked", SLOWLY)

    async def order(self, action: str, arrived: str) -> None:
        """Move the bolt of the front door from the dashboard."""
        since = len(self._api.changes)
        door = self._entities[DOOR.name, "door"]
        await self._api.action(f"lock.{action}", door)
        for state in (f"{action}ing", arrived):
            await self._changes((DOOR.name, "door"), state, since, SLOWLY)
        await self._bolt_is(DOOR.identifier, arrived)

    async def by_hand(self) -> None:
        """Turn the bolt of the side gate, and wait until that is seen."""
        since = len(self._api.changes)
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

    async def clean_log(self) -> None:
        """Search everything that Home Assistant has written to its log."""
        log = self._home_assistant.program.log.read_text(errors="replace")
        secrets = {self._token, *(lock.share_code for lock in LOCKS)}
        if any(secret in log for secret in secrets):
            raise NotAsExpected("a secret is in it")
        if faults := faults_of_gatehouse(log):
            raise NotAsExpected("it holds\n       " + "\n       ".join(faults))

    async def _tellicon(self, event: str, **fields: Any) -> None:
        status = await self._neighbourhood.tellicon(event, **fields)
        if status != HTTPStatus.OK:
            raise NotAsExpected(f"Home Assistant answers {status}")

    async def _event(
        self, device: str, key: str, event_type: str, since: int, **attributes: Any
    ) -> Change:
        """Return an event that has been told since, with these attributes."""

        def wanted(change: Change) -> bool:
            expected = {"event_type": event_type, **attributes}
            return expected.items() <= dict(change.attributes).items()

        return await self._change((device, key), wanted, since, PROMPTLY)

    async def _changes(
        self, entity: Key, state: str, since: int, seconds: float
    ) -> None:
        """Wait for a state that may pass."""
        await self._change(
            entity, lambda change: change.state == state, since, seconds, state
        )

    async def _change(
        self,
        entity: Key,
        wanted: Callable[[Change], bool],
        since: int,
        seconds: float,
        what: str = "the event",
    ) -> Change:
        entity_id = self._entities[entity]
        try:
            return await self._api.wait_for_change(
                entity_id, wanted, since=since, seconds=seconds
            )
        except TimeoutError as err:
            now = await self._api.state(entity_id)
            raise NotAsExpected(
                f"{entity_id} has not told {what} within {seconds:.0f} s; it is"
                f" {now.state}, {dict(now.attributes)}"
            ) from err

    async def _becomes(self, entity: Key, state: str, seconds: float) -> None:
        """Wait for a state that stays."""
        end = time.monotonic() + seconds
        while (now := await self._state(entity)) != state:
            if time.monotonic() > end:
                raise NotAsExpected(
                    f"{self._entities[entity]} is {now}, not {state}, after"
                    f" {seconds:.0f} s"
                )
            await asyncio.sleep(0.2)

    async def _state(self, entity: Key) -> str:
        return (await self._api.state(self._entities[entity])).state

    async def _bolt_is(self, identifier: str, state: str) -> None:
        """Ask the simulator where a bolt really is."""
        locks = (await self._neighbourhood.state())["the_keys"]["locks"]
        lock = next(one for one in locks if str(one["identifier"]) == identifier)
        if lock["state"] != state:
            raise NotAsExpected(f"the simulated bolt is {lock['state']}")


class Report:
    """Says what holds, one line each."""

    def __init__(self) -> None:
        """Begin without failures."""
        self.checks = 0
        self.failures = 0

    async def check(self, what: str, checking: Coroutine[Any, Any, None]) -> None:
        """Make a check and print its line."""
        self.checks += 1
        begin = time.monotonic()
        try:
            await checking
        except (NotAsExpected, ApiError, DemoError, aiohttp.ClientError) as err:
            self.failures += 1
            print(f"FAIL   {what}: {err or type(err).__name__}", flush=True)
        else:
            print(f"ok     {what} ({time.monotonic() - begin:.1f} s)", flush=True)


async def check() -> int:
    """Play the scenario in a house of its own; return the exit code."""
    report = Report()
    begin = time.monotonic()
    port, control_port, gateway_port = free_ports(3)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        home_assistant = HomeAssistant(folder / "config", port, log_level="debug")
        neighbourhood = Neighbourhood(
            folder / "simulators.log",
            control_port=control_port,
            gateway_port=gateway_port,
        )
        stack.push_async_callback(neighbourhood.program.stop)
        stack.push_async_callback(home_assistant.program.stop)
        await neighbourhood.start(session)
        await home_assistant.start(session)
        async with Api(session, home_assistant.url) as api:
            scenario = Scenario(session, home_assistant, neighbourhood, api)
            await scenario.play(report)
        await report.check("Home Assistant stops cleanly", stop(home_assistant))
        await report.check(
            "its log holds no fault of Gatehouse and no secret", scenario.clean_log()
        )
    print(f"\nPlayed in {time.monotonic() - begin:.0f} s")
    print(f"{report.checks - report.failures} passed, {report.failures} failed")
    return 1 if report.failures else 0


async def stop(home_assistant: HomeAssistant) -> None:
    """Stop Home Assistant as the system does."""
    code = await home_assistant.program.stop()
    if code != 0:
        raise NotAsExpected(f"its exit code is {code}")


def faults_of_gatehouse(log: str) -> list[str]:
    """Return the lines that tell of a fault of Gatehouse, or of a use that ends soon."""
    first_lines = re.split(r"\n(?=\d{4}-\d\d-\d\d )", log)
    return [
        entry.splitlines()[0]
        for entry in first_lines
        if "gatehouse" in entry
        and (
            re.search(r"^\S+ \S+ (ERROR|CRITICAL) ", entry)
            or "Traceback" in entry
            or "Detected that custom integration" in entry
        )
    ]
