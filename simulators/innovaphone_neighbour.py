"""innovaphone's Devices in the neighbourhood: telephones and gateways come and go."""

import asyncio
from collections.abc import Mapping
import contextlib
from itertools import islice
import random
from typing import Any, ClassVar, override

from .innovaphone import Innovaphone
from .innovaphone_devices import TYPES, DeviceRecord
from .neighbour import Action, BadInput, Input, Neighbour, Option

# Most devices that the control page lists.
LISTED = 20


class InnovaphoneNeighbour(Neighbour):
    """A Devices service with a few devices."""

    name: ClassVar[str] = "innovaphone"
    options: ClassVar[tuple[Option, ...]] = (
        Option("port", int, 8304, "port of the service"),
        Option("devices", int, 12, "how many devices it has"),
        Option(
            "every",
            float,
            0,
            "seconds between two devices that go off or on line, 0 for none",
        ),
    )

    def __init__(self, port: int = 8304, devices: int = 12, every: float = 0) -> None:
        """Take what the options say; a port of 0 is any free one."""
        self.service = Innovaphone(port=port, devices=devices)
        self._every = every
        self._flickering: asyncio.Task[None] | None = None
        self._added = 0
        self._random = random.Random()

    @property
    @override
    def actions(self) -> Mapping[str, Action]:
        return {
            "update": self._update,
            "add": self._add,
            "remove": self._remove,
            "provision": self._provision,
            "burst": self._burst,
            "drop": self._drop,
            "refuse": self._refuse,
            "link": self._link,
        }

    @override
    async def start(self) -> None:
        await self.service.start()
        if self._every:
            self._flickering = asyncio.create_task(self._flicker(self._every))

    @override
    async def stop(self) -> None:
        if self._flickering is not None:
            flickering, self._flickering = self._flickering, None
            flickering.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await flickering
        await self.service.stop()

    @override
    def describe(self) -> str:
        return (
            f"innovaphone: Devices on {self.service.app_url} with"
            f" {len(self.service.devices)} devices (domain {self.service.domain},"
            f" password {self.service.password})"
        )

    @override
    def state(self) -> dict[str, Any]:
        devices = self.service.devices
        newest = list(islice(reversed(devices.values()), LISTED))
        return {
            "url": self.service.app_url,
            "domain": self.service.domain,
            "password": self.service.password,
            "up": self.service.running,
            "refused": self.service.refuse_login,
            "links": len(self.service.connections),
            "logins": len(self.service.logins),
            "requests": len(self.service.requests),
            "codes": self._codes(),
            "total": len(devices),
            "online": sum(device.online for device in devices.values()),
            "devices": [
                {
                    "hw_id": device.hw_id,
                    "name": device.name,
                    "product": device.product,
                    "version": device.version,
                    "type": device.type,
                    "online": device.online,
                }
                for device in reversed(newest)
            ],
        }

    def _codes(self) -> list[str]:
        """Return the provisioning codes that wait for a device, oldest first."""
        return [
            code
            for code, provisioning in self.service.provisionings.items()
            if provisioning.hw_id is None
        ]

    def _hw_id(self, given: Input) -> str:
        """Return the hardware id that is meant.

        Raises:
            BadInput: There is no such device.
        """
        hw_id = given.text("hw_id")
        if hw_id not in self.service.devices:
            raise BadInput(f"there is no device {hw_id}")
        return hw_id

    async def _update(self, given: Input) -> dict[str, Any]:
        """Change what is given of a device."""
        hw_id = self._hw_id(given)
        changes: dict[str, Any] = {
            name: given.text(name) for name in ("name", "version") if name in given
        }
        if "online" in given:
            changes["online"] = given.boolean("online")
        if not changes:
            raise BadInput("online, name or version is missing")
        await self.service.update(hw_id, **changes)
        return {}

    async def _add(self, given: Input) -> dict[str, Any]:
        """Add a device, by default an invented telephone."""
        device = self._new_device(given)
        await self.service.add(device)
        return {"hw_id": device.hw_id}

    async def _remove(self, given: Input) -> dict[str, Any]:
        """Remove a device."""
        await self.service.remove(self._hw_id(given))
        return {}

    async def _provision(self, given: Input) -> dict[str, Any]:
        """Type a provisioning code, by default the oldest, at a new device."""
        codes = self._codes()
        if not codes:
            raise BadInput("no provisioning code waits for a device")
        code = given.choice("code", codes, codes[0])
        device = self._new_device(given)
        try:
            await self.service.provision(code, device)
        except ValueError as error:
            raise BadInput(str(error)) from None
        return {"hw_id": device.hw_id}

    async def _burst(self, _: Input) -> dict[str, Any]:
        """Take all devices off line and bring them back, as a restart does."""
        await self.service.all_offline()
        await self.service.all_online()
        return {}

    async def _drop(self, given: Input) -> dict[str, Any]:
        """Break the links, or close them in good order."""
        await self.service.drop(abort=given.boolean("abort", default=True))
        return {}

    async def _refuse(self, given: Input) -> dict[str, Any]:
        """Refuse all logins, or accept the right ones again."""
        self.service.refuse_login = given.boolean("refused")
        return {}

    async def _link(self, given: Input) -> dict[str, Any]:
        """Take the service off the network, or bring it back."""
        if given.boolean("up"):
            await self.service.start()
        else:
            await self.service.stop()
        return {}

    def _new_device(self, given: Input) -> DeviceRecord:
        """Return a device that is not there yet.

        Raises:
            BadInput: It is, or its type is not known.
        """
        self._added += 1
        hw_id = given.text("hw_id", f"02903302{self._added:04x}")
        if hw_id in self.service.devices:
            raise BadInput(f"{hw_id} is there already")
        return DeviceRecord(
            hw_id,
            given.text("name", f"New phone {self._added}"),
            product=given.text("product", "IP112"),
            type=given.choice("type", TYPES, "PHONE"),
        )

    async def _flicker(self, every: float) -> None:
        """Let one device after the other go off or on line, until cancelled."""
        while True:
            await asyncio.sleep(every)
            if devices := list(self.service.devices.values()):
                device = self._random.choice(devices)
                await self.service.update(device.hw_id, online=not device.online)
