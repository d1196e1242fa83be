"""The simulated vendors, and what a passer-by can do to them."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Any

import aiohttp

from .home_assistant import ROOT
from .process import LOOPBACK, DemoError, Program, require_free

_START_TIMEOUT = 30.0


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


class Neighbourhood:
    """The simulators, as one program with a control page."""

    def __init__(self, log: Path, *, control_port: int, gateway_port: int) -> None:
        """Describe it; nothing is started."""
        self.url = f"http://{LOOPBACK}:{control_port}"
        self.gateway = f"{LOOPBACK}:{gateway_port}"
        self._ports = (control_port, gateway_port)
        self._session: aiohttp.ClientSession | None = None
        self.program = Program(
            "The simulated neighbourhood",
            (
                sys.executable,
                "-m",
                "simulators",
                "--control-port",
                str(control_port),
                "--the-keys-port",
                str(gateway_port),
            ),
            log=log,
            folder=ROOT,
        )

    async def start(self, session: aiohttp.ClientSession) -> None:
        """Start the simulators and wait until they answer.

        Raises:
            DemoError: they do not start.

        """
        for port in self._ports:
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

    async def aim_tellicon(
        self, url: str, token: str, *, every: float | None = None
    ) -> None:
        """Tell Tellicon whom to call, and how often a visitor comes by himself."""
        await self._request(
            "POST",
            "/api/tellicon/target",
            {"url": url, "token": token, "every": every},
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

    async def the_keys(self, what: str, **fields: Any) -> None:
        """Do something to the gateway or a lock: turn, link, clock or battery."""
        await self._request("POST", f"/api/the_keys/{what}", fields)

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
