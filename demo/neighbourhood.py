"""The simulated vendors, and what a passer-by can do to them."""

import asyncio
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
import sys
from typing import Any

import aiohttp

from .home_assistant import ROOT
from .process import LOOPBACK, DemoError, Program, require_free

_START_TIMEOUT = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedLock:
    """A lock that hangs at the simulated gateway."""

    identifier: str
    name: str
    share_code: str
    area: str


LOCKS = (
    SimulatedLock(
        identifier="10000001",
        name="Front door",
        share_code="demoShareCode001",
        area="Entrance",
    ),
    SimulatedLock(
        identifier="10000002",
        name="Side gate",
        share_code="demoShareCode002",
        area="Garden",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedUnit:
    """An apartment whose visitors ring through Tellicon."""

    client: int
    building: int
    apt: int
    name: str

    @property
    def code(self) -> str:
        """Return the name under which events know it."""
        return f"{self.client}/{self.building}/{self.apt}"


UNIT = SimulatedUnit(client=505, building=121, apt=1001, name="Apartment 1001")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedStation:
    """A door station, with one of its doors and one of the codes that people type."""

    username: str
    password: str
    name: str
    area: str
    relay: int
    door: str
    """Name of what the relay opens."""
    code: str
    """Opens the door, for Home Assistant alone."""
    open_time: int
    """Seconds that the relay is held."""
    person: str
    persons_code: str
    """Opens the door, too."""


STATION = SimulatedStation(
    username="admin",
    password="admin",
    name="Door station",
    area="Driveway",
    relay=1,
    door="Front gate",
    code="1111",
    open_time=5,
    person="Cleaner",
    persons_code="1234",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedServer:
    """A SenseLink server, the terminals that it looks after, and whom they know."""

    app_key: str
    app_secret: str
    terminals: tuple[str, ...]
    """Their names."""
    people: Mapping[str, str]
    """Their names, by what the simulator calls them."""


SERVER = SimulatedServer(
    app_key="00112233aabbccdd",
    app_secret="0123456789abcdef0123456789abcdef",
    terminals=("Main entrance", "Car park"),
    people={"aiko": "Aiko Aoyama", "bruno": "Bruno Brück"},
)

DOOR_FORCED = 10002
DOOR_HELD_OPEN = 10003
"""Alerts, by the vendor's codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedTelephony:
    """The Devices service of an innovaphone installation."""

    app: str
    domain: str
    instance: str
    password: str
    telephones: tuple[str, ...]
    """Names of some of its devices."""


TELEPHONY = SimulatedTelephony(
    app="innovaphone-devices-api",
    domain="example.com",
    instance="devices",
    password="demoInstance01",
    telephones=("Reception", "Meeting room", "Hall", "Door adapter"),
)
NEW_TELEPHONE = "Workshop"
"""Name of one that comes later."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the simulators listen."""

    control: int
    gateway: int
    station: int
    senselink: int
    innovaphone: int


class Neighbourhood:
    """The simulators, as one program with a control page."""

    def __init__(
        self,
        log: Path,
        ports: Ports,
        *,
        visitors_every: float = 0,
        notify_every: float = 30,
    ) -> None:
        """Describe it; nothing is started.

        Args:
            log: the file that takes its output.
            ports: where to listen.
            visitors_every: seconds between two who come by themselves; 0 for none.
            notify_every: seconds between two signs of life of the station.

        """
        self.url = f"http://{LOOPBACK}:{ports.control}"
        self.gateway = f"{LOOPBACK}:{ports.gateway}"
        self.station = f"{LOOPBACK}:{ports.station}"
        self.senselink_port = ports.senselink
        self.senselink_url = f"http://{LOOPBACK}:{ports.senselink}"
        self.innovaphone_url = (
            f"http://{LOOPBACK}:{ports.innovaphone}"
            f"/{TELEPHONY.domain}/{TELEPHONY.instance}"
        )
        self.notify_every = notify_every
        self._ports = ports
        self._visitors_every = visitors_every
        self._session: aiohttp.ClientSession | None = None
        self.program = Program(
            "The simulated neighbourhood",
            (
                sys.executable,
                "-m",
                "simulators",
                f"--control-port={ports.control}",
                f"--the-keys-port={ports.gateway}",
                f"--ipac-port={ports.station}",
                f"--ipac-every={visitors_every}",
                f"--ipac-notify-every={notify_every}",
                f"--senselink-port={ports.senselink}",
                f"--senselink-every={visitors_every}",
                f"--innovaphone-port={ports.innovaphone}",
            ),
            log=log,
            folder=ROOT,
        )

    async def start(self, session: aiohttp.ClientSession) -> None:
        """Start the simulators and wait until they answer.

        Raises:
            DemoError: they do not start.

        """
        for port in astuple(self._ports):
            require_free(port, self.program.name)
        self._session = session
        await self.program.start()
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                while not await self._is_up():
                    self.program.require_running()
                    await asyncio.sleep(0.2)
        except TimeoutError as err:
            raise DemoError(
                f"{self.program.name} has not started within {_START_TIMEOUT:.0f} s"
            ) from err

    async def state(self) -> Any:
        """Return what the simulators know of themselves."""
        return await self._request("GET", "/api/state")

    async def aim_tellicon(self, url: str, token: str) -> None:
        """Tell Tellicon whom to call."""
        await self._request(
            "POST",
            "/api/tellicon/target",
            {"url": url, "token": token, "every": self._visitors_every or None},
        )

    async def tellicon(self, event: str, **fields: Any) -> int:
        """Have Tellicon send an event (ring, answer or dtmf) about the unit.

        Returns:
            the HTTP status with which Home Assistant answered.

        """
        reply = await self._request(
            "POST",
            f"/api/tellicon/{event}",
            {
                "client": UNIT.client,
                "building": UNIT.building,
                "apt": UNIT.apt,
                **fields,
            },
        )
        return int(reply["status"])

    async def welcome(self) -> None:
        """Let the first visitors come at once, so that there is something to see."""
        await self.tellicon("ring")
        await self.tellicon("dtmf", command="*2")
        await self.tellicon("answer")
        await self.ipac("ring")
        await self.ipac("hang_up")
        await self.ipac("type_code", code=STATION.persons_code)
        alert = await self.senselink("alert", terminal=1, code=DOOR_HELD_OPEN)
        await self.senselink("release", trace_id=alert["trace_id"])
        await self.senselink("recognise", terminal=1, who="bruno")
        await self.innovaphone("add", name=NEW_TELEPHONE)

    async def the_keys(self, what: str, **fields: Any) -> None:
        """Do something to the gateway or a lock: turn, link, clock or battery."""
        await self._request("POST", f"/api/the_keys/{what}", fields)

    async def ipac(self, what: str, **fields: Any) -> int | None:
        """Do something to the door station or at it, such as ring.

        Returns:
            the HTTP status with which Home Assistant answered, if it was told.

        """
        reply = await self._request("POST", f"/api/ipac/{what}", fields)
        return None if (status := reply.get("status")) is None else int(status)

    async def senselink(self, what: str, **fields: Any) -> Any:
        """Do something at a terminal or to the server; return what it tells of it."""
        return await self._request("POST", f"/api/senselink/{what}", fields)

    async def innovaphone(self, what: str, **fields: Any) -> Any:
        """Do something to a device or to the service; return what it tells of it."""
        return await self._request("POST", f"/api/innovaphone/{what}", fields)

    async def _is_up(self) -> bool:
        try:
            await self.state()
        except aiohttp.ClientError:
            return False
        return True

    async def _request(self, method: str, path: str, body: Any = None) -> Any:
        assert self._session is not None
        async with self._session.request(
            method, f"{self.url}{path}", json=body
        ) as response:
            if not response.ok:
                raise DemoError(
                    f"The simulators answer {response.status} to {path}:"
                    f" {await response.text()}"
                )
            return await response.json()
