"""Who comes to the doors, what is asked of them, and what goes wrong meanwhile.

The checks of the demo are the ordinary traffic. What is added here are events and orders
that are counted, and faults.
"""

from abc import abstractmethod
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
import itertools
import random
from typing import Any, ClassVar, override

import aiohttp

from demo.home_assistant import Api, CommandError
from demo.house import ACCOUNT, GATEWAY, TELEPHONES, TERMINALS, House, shown
from demo.innovaphone_scenario import TELEPHONE, InnovaphoneScenario
from demo.ipac_scenario import IpacScenario
from demo.neighbourhood import (
    DOOR_HELD_OPEN,
    LOCKS,
    SERVER,
    STATION,
    UNIT,
    Neighbourhood,
)
from demo.process import LOOPBACK
from demo.report import NotAsExpected
from demo.scenario import SLOWLY, Key, Scenario
from demo.senselink_scenario import TERMINAL, SenseLinkScenario
from demo.tellicon_scenario import TelliconScenario
from demo.the_keys_scenario import DOOR, GATE, TheKeysScenario

from .ledger import Ledger, Order, Outcome

RUSH = 20
"""Events that come at once."""

LATE_ORDER = 8.0
"""Seconds after a failed order in which a door could still move."""

PAUSES = (4.0, 1.0, 0.2)
"""Longest pauses between two steps, in seconds; they change from round to round."""

SLOW_SENDER = 15.0
"""Seconds within which a sender that stops amid its body must have been told off."""

QUIET = 100.0
"""Seconds for which a link is half-open: longer than three heartbeats."""

_numbers = itertools.count(100001)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is done once in a round, or a fault."""

    name: str
    do: Callable[[], Awaitable[None]]
    slow: bool = False
    """Whether it is too long for the short form."""


class Traffic(Scenario):
    """What happens at one vendor's devices."""

    vendor: ClassVar[str]
    connection: ClassVar[Key]
    """The entity that shows whether the vendor is reached."""
    ledger: Ledger
    entry_id: str
    session: aiohttp.ClientSession

    @property
    @abstractmethod
    def ordinary(self) -> Sequence[Step]:
        """What is done in each round, in any order."""

    @property
    @abstractmethod
    def faults(self) -> Sequence[Step]:
        """What goes wrong, one in each round."""

    @abstractmethod
    async def mend(self) -> None:
        """Take all faults back that last."""

    async def settle(self) -> None:
        """Take all faults back, and wait until the vendor is reached."""
        await self.mend()
        await self.reached()

    async def reached(self) -> None:
        """Wait until the vendor is reached."""
        await self._becomes(self.connection, "on", SLOWLY)

    def accept(self, key: Key, marker: str, **attributes: Any) -> None:
        """Note an event that Home Assistant must tell."""
        self.ledger.accept(self.vendor, self._entities[key], marker, **attributes)

    @asynccontextmanager
    async def reloading(self) -> AsyncIterator[None]:
        """Do something while the entry is being reloaded, and wait until it has been."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                self._api.post(
                    f"/api/config/config_entries/entry/{self.entry_id}/reload", {}
                )
            )
            await asyncio.sleep(random.uniform(0, 0.1))
            yield
        await self.reached()

    @asynccontextmanager
    async def losing(self) -> AsyncIterator[None]:
        """Do what ends the connection, and wait until Home Assistant shows that."""
        since = self._now
        yield
        await self._changes(self.connection, "off", since, SLOWLY)

    async def counted_order(
        self, door: str, moved: Callable[[], Awaitable[int]], action: str, entity: str
    ) -> Outcome:
        """Order something of a door, and note how often it has moved since."""
        before = await moved()
        outcome = Outcome.DONE
        try:
            await self._api.action(action, entity)
        except CommandError:
            outcome = Outcome.FAILED
            await asyncio.sleep(LATE_ORDER)
        self.ledger.orders.append(Order(door, outcome, await moved() - before))
        return outcome

    async def send(self, path: str, body: bytes) -> int:
        """Send something to an address that Home Assistant serves; return the status."""
        async with self.session.post(f"{self._api.url}{path}", data=body) as response:
            return response.status

    def turned_away(self, status: int | None) -> None:
        """Note that bad input was refused; raise `NotAsExpected` if it was not."""
        if status is None or not 400 <= status < 500:
            raise NotAsExpected(f"bad input is answered with {status}")
        self.ledger.refused[self.vendor] += 1

    async def breaks_off(self, path: str, headers: str) -> None:
        """Promise a body, send a part of it, and wait to be told off."""
        port = int(self._api.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            writer.write(
                f"POST {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\n{headers}"
                "Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{".encode()
            )
            async with asyncio.timeout(SLOW_SENDER):
                line = await reader.readline()
            self.turned_away(int(line.split()[1]))
        except TimeoutError as err:
            raise NotAsExpected("who stops amid a body is waited for") from err
        finally:
            writer.close()

    async def form_refuses(self, **wrong: str) -> None:
        """Change the entry to something that is wrong, and give up."""
        flows = "/api/config/config_entries/flow"
        form = await self._api.post(
            flows, {"handler": "gatehouse", "entry_id": self.entry_id}
        )
        flow = f"{flows}/{form['flow_id']}"
        page = await self._api.post(flow, {**shown(form), **wrong})
        if not page.get("errors"):
            raise NotAsExpected(f"the form says {page}")
        await self._api.delete(flow)
        self.ledger.refused[self.vendor] += 1


class TelliconTraffic(TelliconScenario, Traffic):
    """Visitors whose calls end at telephones.

    Tellicon's clock shows seconds: what is the same twice in one is a repetition, so each
    event here has a number of its own.
    """

    vendor: ClassVar[str] = "Tellicon"
    token: str

    @property
    @override
    def ordinary(self) -> Sequence[Step]:
        return (
            Step("ring", self._counted_ring),
            Step("answer", self._counted_answer),
            Step("DTMF", self._counted_dtmf),
            Step("many ring at once", self.rush),
            Step("many type at once", self.type_at_once),
        )

    @property
    @override
    def faults(self) -> Sequence[Step]:
        return (
            Step("rings during a reload", self.reload),
            Step("bad input", self.bad_input),
            Step("a ring at an impossible time", self.absurd_time),
            Step("repetition", self.repeated),
            Step("a sender that stops amid its body", self.stops, slow=True),
        )

    @override
    async def mend(self) -> None:
        """Nothing lasts."""

    @override
    async def reached(self) -> None:
        """Tellicon calls us, so nothing shows a connection."""

    async def rush(self) -> None:
        """Let many visitors ring at once."""
        await asyncio.gather(*(self._counted_ring() for _ in range(RUSH)))

    async def type_at_once(self) -> None:
        """Let many residents type at once."""
        await asyncio.gather(*(self._counted_dtmf() for _ in range(RUSH)))

    async def reload(self) -> None:
        """Ring while the entry is being reloaded."""
        async with self.reloading():
            await asyncio.gather(*(self._counted_ring() for _ in range(RUSH)))

    async def bad_input(self) -> None:
        """Send what is to be refused."""
        for fault in _BAD_INPUT:
            self.turned_away(await self._neighbourhood.tellicon("fault", fault=fault))

    async def absurd_time(self) -> None:
        """Ring at an impossible time, the manual's slip, which must be told as of now."""
        number = str(next(_numbers))
        ring = {"type": "pushCall", "src": number, "eventDateTime": 17053389625}
        unit = {"client": UNIT.client, "building": UNIT.building, "apt": UNIT.apt}
        async with self.session.post(
            f"{self._api.url}/eventTellicon",
            headers={"authTokenTellicon": self.token},
            json=ring | unit,
        ) as response:
            if response.status != HTTPStatus.OK:
                raise NotAsExpected(f"the ring is answered with {response.status}")
        self._accept_ring(number)

    async def repeated(self) -> None:
        """Send a ring twice, which must be told once."""
        await self._counted_ring()
        await self._tell("fault", fault="repetition")

    async def stops(self) -> None:
        """Begin a body and leave it at that."""
        await self.breaks_off("/eventTellicon", f"authTokenTellicon: {self.token}\r\n")

    async def _counted_ring(self) -> None:
        number = str(next(_numbers))
        await self._tell("ring", src=number)
        self._accept_ring(number)

    def _accept_ring(self, number: str) -> None:
        for device in (ACCOUNT, UNIT.name):
            self.accept((device, "doorbell"), number, event_type="ring")

    async def _counted_answer(self) -> None:
        number = str(next(_numbers))
        await self._tell("answer", dst=number)
        for device in (ACCOUNT, UNIT.name):
            self.accept((device, "doorbell"), number, event_type="answered")

    async def _counted_dtmf(self) -> None:
        command = f"*{next(_numbers)}"
        await self._tell("dtmf", command=command)
        for device in (ACCOUNT, UNIT.name):
            self.accept((device, "dtmf"), command, event_type="dtmf_received")


_BAD_INPUT = (
    "wrong_token",
    "no_token",
    "not_json",
    "too_deep",
    "too_large",
)


class TheKeysTraffic(TheKeysScenario, Traffic):
    """A gateway with two locks."""

    vendor: ClassVar[str] = "The Keys"
    connection: ClassVar[Key] = (GATEWAY, "connection")

    @property
    @override
    def ordinary(self) -> Sequence[Step]:
        return (
            Step("unlock and lock", self.there_and_back),
            Step("both doors at once", self.both),
        )

    @property
    @override
    def faults(self) -> Sequence[Step]:
        return (
            *(
                Step(
                    f"an order meets: {name}",
                    self.meets(**fault),
                    slow=fault["fault"] == "hang",
                )
                for name, fault in _ORDER_FAULTS.items()
            ),
            Step("clock wrong", self.clock),
            Step("reload amid an order", self.reload),
            Step("polls that fail", self.polls, slow=True),
            Step("gone and back", self.gone, slow=True),
            Step("turned by hand", self.by_hand_and_back, slow=True),
        )

    @override
    async def mend(self) -> None:
        await self._neighbourhood.the_keys("link", up=True)
        await self._neighbourhood.the_keys("clock", valid=True)

    async def there_and_back(self) -> None:
        """Unlock the front door and lock it."""
        for action in ("unlock", "lock"):
            await self._turn(DOOR, action)

    async def both(self) -> None:
        """Unlock both doors at once, and lock them."""
        for action in ("unlock", "lock"):
            await asyncio.gather(*(self._turn(lock, action) for lock in LOCKS))

    def meets(self, **fault: Any) -> Callable[[], Awaitable[None]]:
        """Return a step in which an order meets a fault."""

        async def order() -> None:
            await self._neighbourhood.the_keys("fault", path="/open", **fault)
            await self._turn(DOOR, "unlock", may_fail=True)
            await self._turn(DOOR, "lock")

        return order

    async def clock(self) -> None:
        """Order while the gateway's clock is wrong."""
        await self._neighbourhood.the_keys("clock", valid=False)
        await self._turn(DOOR, "unlock", may_fail=True)
        await self._neighbourhood.the_keys("clock", valid=True)
        await self._turn(DOOR, "lock")

    async def reload(self) -> None:
        """Reload the entry while an order is under way."""
        order = asyncio.create_task(self._turn(GATE, "unlock", may_fail=True))
        await asyncio.sleep(random.uniform(0, 4))
        async with self.reloading():
            await order
        await self._turn(GATE, "lock")

    async def polls(self) -> None:
        """Let readings fail in all ways."""
        for fault in _READING_FAULTS:
            await self._neighbourhood.the_keys("fault", path="/lockers", **fault)
        await asyncio.sleep(60)

    async def gone(self) -> None:
        """Pull the plug, order in vain, and plug it in again."""
        await self._neighbourhood.the_keys("link", up=False)
        await self._becomes(self.connection, "off", SLOWLY)
        await self._neighbourhood.the_keys("link", up=True)
        await self.settle()

    async def by_hand_and_back(self) -> None:
        """Turn a bolt by hand, there and back."""
        await self.by_hand()
        await self._turn(GATE, "lock")

    async def _turn(self, lock: Any, action: str, *, may_fail: bool = False) -> None:
        outcome = await self.counted_order(
            lock.name,
            lambda: self._ordered(lock.identifier),
            f"lock.{action}",
            self._entities[lock.name, "door"],
        )
        if outcome is Outcome.FAILED and not may_fail:
            raise NotAsExpected(f"{lock.name} does not {action}")
        if outcome is Outcome.DONE:
            await self._becomes((lock.name, "door"), f"{action}ed", SLOWLY)

    async def _ordered(self, identifier: str) -> int:
        """Return how often the simulated gateway has moved a bolt."""
        locks = (await self._neighbourhood.state())["the_keys"]["locks"]
        return next(
            int(one["ordered"]) for one in locks if str(one["identifier"]) == identifier
        )


_GARBAGE = {"fault": "reply", "body": '{"status": ["' + "x" * 500}

_ORDER_FAULTS: Mapping[str, Mapping[str, Any]] = {
    "a reset before the deed": {"fault": "reset", "acted": False},
    "a reset after the deed": {"fault": "reset", "acted": True},
    "busy": {"fault": "busy"},
    "clock not set (38)": {"fault": "code", "code": 38},
    "no share (32)": {"fault": "code", "code": 32},
    "a wrong reply": {**_GARBAGE, "acted": True},
    "no body": {"fault": "empty"},
    "a slow reply": {"fault": "trickle", "seconds_per_byte": 0.05},
    "silence before the deed": {"fault": "hang", "acted": False},
    "silence after the deed": {"fault": "hang", "acted": True},
}

_READING_FAULTS: Sequence[Mapping[str, Any]] = (
    {"fault": "reset"},
    {"fault": "busy"},
    _GARBAGE,
    {"fault": "empty"},
    {"fault": "hang"},
    {"fault": "trickle", "seconds_per_byte": 0.05},
)


class IpacTraffic(IpacScenario, Traffic):
    """A station with one door."""

    vendor: ClassVar[str] = "IPAC"
    connection: ClassVar[Key] = (STATION.name, "connection")
    path: str
    """Of the ASM server that Home Assistant is."""

    @property
    @override
    def ordinary(self) -> Sequence[Step]:
        return (
            Step("ring and hang up", self.ring_and_hang_up),
            Step("called, answered", self.answer),
            Step("many rings in a row", self.rush),
            Step("door order", self.door),
            Step("known code", self.known_code),
            Step("unknown code", self.unknown_code),
            Step("text on the display", self.text),
            Step("picture on the display", self.picture),
            Step("sound", self.sound),
        )

    @property
    @override
    def faults(self) -> Sequence[Step]:
        return (
            *(
                Step(
                    f"an order meets: {name}",
                    self.meets(**fault),
                    slow=fault["fault"] == "hang",
                )
                for name, fault in _RELAY_FAULTS.items()
            ),
            Step("rings during a reload", self.reload),
            Step("door switched off", self.refused),
            Step("bad input", self.bad_input),
            Step("a form with a wrong password", self.wrong_password),
            Step("an order waits for a station that is away", self.order_by_task),
            Step("restart", self.restart),
            Step("a sender that stops amid its body", self.stops, slow=True),
            Step("silent and back", self.silent, slow=True),
            Step("gone and back", self.gone, slow=True),
        )

    @override
    async def mend(self) -> None:
        await self._neighbourhood.ipac("link", up=True)
        await self._neighbourhood.ipac("silent", silent=False)
        await self._neighbourhood.ipac("hang_up")

    async def ring_and_hang_up(self) -> None:
        """Ring, and end the call from the dashboard."""
        await self.ring()
        await self.hang_up()

    async def rush(self) -> None:
        """Let one visitor after the other ring and go."""
        for _ in range(RUSH // 2):
            await self._counted_ring()

    async def door(self) -> None:
        """Open the door."""
        await self._open()

    def meets(self, **fault: Any) -> Callable[[], Awaitable[None]]:
        """Return a step in which an order meets a fault."""

        async def order() -> None:
            await self._do("fault", path="/api/remote/", **fault)
            await self._open(may_fail=True)

        return order

    async def reload(self) -> None:
        """Ring while the entry is being reloaded."""
        async with self.reloading():
            await self._counted_ring()

    async def bad_input(self) -> None:
        """Send what is to be refused, or recorded without effect."""
        path = self.path.rstrip("/")
        stranger = b'{"token": "' + b"x" * 32 + b'", "objectid": "8963225"}'
        for address in (f"{path}/notify", f"{path}/event"):
            for body in (stranger, b"x" * 70_000):
                self.turned_away(await self.send(address, body))
            for body in (b"", b"{", b"[" * 10_000):
                # A station that got another answer might send it for ever.
                if (status := await self.send(address, body)) != HTTPStatus.OK:
                    raise NotAsExpected(f"an odd message is answered with {status}")
        self.turned_away(await self.send(f"{path}x/notify", stranger))

    async def wrong_password(self) -> None:
        """Change the password to one that the station does not have."""
        await self.form_refuses(password="wrong")

    async def stops(self) -> None:
        """Begin a body and leave it at that."""
        await self.breaks_off(f"{self.path.rstrip('/')}/notify", "")

    async def silent(self) -> None:
        """Let the station give no sign of life until it is missed."""
        await self._do("silent", silent=True)
        await asyncio.sleep(40)
        await self._do("silent", silent=False)
        await self.settle()

    async def gone(self) -> None:
        """Pull the plug, and plug it in again."""
        # It is missed so soon only when its rhythm is known.
        await self.rhythm()
        await self.lost()
        await self.back()

    async def _counted_ring(self) -> None:
        number = f"sip:visitor{next(_numbers)}@192.0.2.23"
        for what in ("ring", "hang_up"):
            status = await self._neighbourhood.ipac(what, number=number)
            if status != HTTPStatus.OK:
                raise NotAsExpected(f"Home Assistant answers {status} to {what}")
        for event_type in ("ring", "ended"):
            self.accept((STATION.name, "doorbell"), number, event_type=event_type)

    async def _open(self, *, may_fail: bool = False) -> None:
        outcome = await self.counted_order(
            STATION.door,
            self._openings,
            "lock.open",
            self._entities[STATION.door, "door"],
        )
        if outcome is Outcome.FAILED and not may_fail:
            raise NotAsExpected("the door does not open")
        await self._becomes((STATION.door, "door"), "locked", SLOWLY)


_RELAY_FAULTS: Mapping[str, Mapping[str, Any]] = {
    "a reset before the deed": {"fault": "reset", "acted": False},
    "a reset after the deed": {"fault": "reset", "acted": True},
    "busy": {"fault": "busy"},
    "forbidden": {"fault": "code", "code": 403},
    "a wrong reply": {**_GARBAGE, "acted": True},
    "no body": {"fault": "empty"},
    "silence before the deed": {"fault": "hang", "acted": False},
    "silence after the deed": {"fault": "hang", "acted": True},
}


class SenseLinkTraffic(SenseLinkScenario, Traffic):
    """A server with two terminals."""

    vendor: ClassVar[str] = "SenseLink"
    connection: ClassVar[Key] = (TERMINALS, "connection")

    @property
    @override
    def ordinary(self) -> Sequence[Step]:
        return (
            Step("known face", self.known),
            Step("stranger", self.stranger),
            Step("photos", self.photo),
            Step("alert and release", self.alert),
            Step("many faces at once", self.rush),
            Step("counted alert", self.counted_alert),
        )

    @property
    @override
    def faults(self) -> Sequence[Step]:
        return (
            Step("link dropped", self.drop),
            Step("closed in good order", self.closed),
            Step("repetition", self.repeated),
            Step("reload", self.reload),
            *(
                Step(f"refused: {how}", self.refused(how))
                for how in ("sign", "timestamp", "app_key", "close", "forbidden")
            ),
            Step("a form with a wrong secret", self.wrong_secret),
            Step("half-open: nothing comes any more", self.quiet, slow=True),
            Step("gone and back", self.gone, slow=True),
        )

    @override
    async def mend(self) -> None:
        await self._neighbourhood.senselink("link", up=True)
        await self._neighbourhood.senselink("refuse", how="none")
        await self._neighbourhood.senselink("quiet", on=False)

    async def rush(self) -> None:
        """Let many people stand before the terminals at once."""
        await asyncio.gather(
            *(self._counted_record(number % 2) for number in range(RUSH))
        )

    async def counted_alert(self) -> None:
        """Raise an alert and release it."""
        alert = await self._neighbourhood.senselink("alert", code=DOOR_HELD_OPEN)
        await self._neighbourhood.senselink("release", trace_id=alert["trace_id"])
        for status in ("active", "released"):
            self.accept(
                (TERMINAL, "alert"),
                alert["trace_id"],
                event_type="door_held_open",
                status=status,
            )

    async def closed(self) -> None:
        """Let the server end the link in good order."""
        async with self.losing():
            await self._neighbourhood.senselink("drop", abort=False)
        await self.settle()

    async def repeated(self) -> None:
        """Push a record twice, which must be told once."""
        await self._counted_record(0)
        await self._neighbourhood.senselink("repeat")

    async def reload(self) -> None:
        """Reload the entry."""
        async with self.reloading():
            pass

    def refused(self, how: str) -> Callable[[], Awaitable[None]]:
        """Return a step in which the server refuses the key for a while."""

        async def refuse() -> None:
            async with self.losing():
                await self._neighbourhood.senselink("refuse", how=how)
                await self._neighbourhood.senselink("drop")
            await asyncio.sleep(5)
            await self._neighbourhood.senselink("refuse", how="none")
            # A person would now confirm the key; time alone takes longer.
            async with self.reloading():
                pass

        return refuse

    async def wrong_secret(self) -> None:
        """Change the secret to one that the server does not have."""
        await self.form_refuses(app_secret="f" * 32)

    async def quiet(self) -> None:
        """Keep the link open and say nothing, whether or not that is noticed."""
        await self._neighbourhood.senselink("quiet", on=True)
        await asyncio.sleep(QUIET)
        await self.settle()

    async def gone(self) -> None:
        """Take the server away, and bring it back."""
        async with self.losing():
            await self._neighbourhood.senselink("link", up=False)
        await asyncio.sleep(10)
        await self.settle()

    async def _counted_record(self, place: int) -> None:
        record = await self._neighbourhood.senselink("recognise", terminal=place)
        self.accept((SERVER.terminals[place], "access"), str(record["id"]))


class InnovaphoneTraffic(InnovaphoneScenario, Traffic):
    """A service with a dozen devices."""

    vendor: ClassVar[str] = "innovaphone"
    connection: ClassVar[Key] = (TELEPHONES, "connection")

    @property
    @override
    def ordinary(self) -> Sequence[Step]:
        return (
            Step("off line and back", self.off_line),
            Step("another name", self.rename),
            Step("many updates at once", self.rush),
            Step("all off line and back", self.burst),
            Step("counted devices", self.counted),
            Step("listed by an action", self.listed),
        )

    @property
    @override
    def faults(self) -> Sequence[Step]:
        return (
            Step("link dropped", self.dropped(abort=True)),
            Step("closed in good order", self.dropped(abort=False)),
            Step("reload", self.reload),
            Step("login refused", self.login_refused),
            Step("a form with a wrong password", self.wrong_password),
            Step("gone and back, with what was missed", self.lost, slow=True),
        )

    @override
    async def mend(self) -> None:
        await self._neighbourhood.innovaphone("link", up=True)
        await self._neighbourhood.innovaphone("refuse", refused=False)

    async def rush(self) -> None:
        """Update all devices at once, and look whether all is as it should be then."""
        devices = (await self._service())["devices"]
        for is_online in (False, True):
            await asyncio.gather(
                *(
                    self._neighbourhood.innovaphone(
                        "update", hw_id=one["hw_id"], online=is_online
                    )
                    for one in devices
                )
            )
            self.ledger.sent[self.vendor] += len(devices)
        await self.all_there()

    async def burst(self) -> None:
        """Take all off line and bring them back."""
        await self._neighbourhood.innovaphone("burst")
        await self.all_there()

    async def counted(self) -> None:
        """Add devices that have been here before, and remove them.

        Home Assistant remembers for a month each one that it has ever seen.
        """
        for place in range(RUSH // 4):
            hw_id, name = f"02903303{place:04x}", f"Phone {next(_numbers)}"
            await self._neighbourhood.innovaphone("add", hw_id=hw_id, name=name)
            await self._neighbourhood.innovaphone("remove", hw_id=hw_id)
            for event_type in ("device_added", "device_removed"):
                self.accept((TELEPHONES, "inventory"), name, event_type=event_type)

    def dropped(self, *, abort: bool) -> Callable[[], Awaitable[None]]:
        """Return a step in which the link is lost and comes back."""

        async def drop() -> None:
            async with self.losing():
                await self._neighbourhood.innovaphone("drop", abort=abort)
            await self.settle()
            await self.all_there()

        return drop

    async def reload(self) -> None:
        """Reload the entry while a telephone goes off line and comes back."""
        hw_id = await self._hw_id()
        async with self.reloading():
            for is_online in (False, True):
                await self._neighbourhood.innovaphone(
                    "update", hw_id=hw_id, online=is_online
                )
        await self.all_there()

    async def login_refused(self) -> None:
        """Refuse the login for a while."""
        async with self.losing():
            await self._neighbourhood.innovaphone("refuse", refused=True)
            await self._neighbourhood.innovaphone("drop")
        await asyncio.sleep(5)
        await self._neighbourhood.innovaphone("refuse", refused=False)
        # A person would now confirm the password.
        async with self.reloading():
            pass
        await self._becomes((TELEPHONE, "online"), "on", SLOWLY)

    async def wrong_password(self) -> None:
        """Change the password to one that the service does not have."""
        await self.form_refuses(password="wrong")


async def all_traffic(
    session: aiohttp.ClientSession,
    api: Api,
    neighbourhood: Neighbourhood,
    house: House,
    ledger: Ledger,
) -> list[Traffic]:
    """Return the traffic of all vendors."""
    entities, devices = await house.entities(), await house.devices()

    def entry_of(device: str) -> str:
        return str(devices[device]["primary_config_entry"])

    tellicon = TelliconTraffic(session, api, neighbourhood, entities)
    tellicon.token = (await house.page("Tellicon"))["token"]
    ipac = IpacTraffic(
        api,
        neighbourhood,
        entities,
        entry_id=entry_of(STATION.name),
        device_id=devices[STATION.name]["id"],
    )
    ipac.path = (await house.page("IPAC"))["path"]
    made: dict[str, Traffic] = {
        ACCOUNT: tellicon,
        GATEWAY: TheKeysTraffic(api, neighbourhood, entities),
        STATION.name: ipac,
        TERMINALS: SenseLinkTraffic(api, neighbourhood, entities),
        TELEPHONES: InnovaphoneTraffic(
            api, neighbourhood, entities, entry_id=entry_of(TELEPHONES)
        ),
    }
    for device, traffic in made.items():
        traffic.ledger = ledger
        traffic.entry_id = entry_of(device)
        traffic.session = session
    return list(made.values())
