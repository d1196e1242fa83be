"""The web servers of the devices themselves, which Devices lets its clients reach.

What answers a dead key, an unknown device, one that is off line or another
manufacturer's is not documented, and can be set. The pages are those that clients and
manuals tell of; all secrets in them are invented.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from .faults import Fault, suffer
from .innovaphone_devices import DeviceRecord

CONFIG_SECRETS = ("inventedAdminSecret", "inventedPhoneSecret")

# In a script, `i` waits until the device is idle, and `n` is for if a reset is needed.
RESTARTS = ("reset", "ireset", "resetn", "iresetn")


@dataclass(frozen=True)
class PassthroughRequest:
    """A request to a device.

    Attributes:
        hw_id: The device's.
        method: Of HTTP.
        path: Below the device, decoded, with its query.
        body: As it came.
    """

    hw_id: str
    method: str
    path: str
    body: bytes = b""


class Passthrough:
    """What lies behind the passthrough addresses.

    Attributes:
        requests: All that was received, oldest first; those that were refused too.
        restarts: Hardware ids of the devices that were restarted, oldest first.
        reset_required: Hardware ids of the devices that need a reset.
        pages: Further pages of all devices, by their paths; they come first.
        delay: How long each answer takes, in seconds.
        chunked: Whether answers come without their length.
        bad_key: What becomes of a request without a key that is valid.
        unknown: The same for a device that there is not, or not for this client.
        offline: The same for a device that is off line.
        third_party: The same for another manufacturer's.
    """

    def __init__(self, restart: Callable[[DeviceRecord], None]) -> None:
        """Take what restarts a device."""
        self.requests: list[PassthroughRequest] = []
        self.restarts: list[str] = []
        self.reset_required: set[str] = set()
        self.pages: dict[str, bytes] = {}
        self.delay: float = 0
        self.chunked = False
        self.bad_key: Fault = _refusal(403)
        self.unknown: Fault = _refusal(404)
        self.offline: Fault = _refusal(503)
        self.third_party: Fault = _refusal(502)
        self._restart = restart
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._configs: dict[str, list[str]] = {}

    def inject(self, path: str, fault: Fault, times: int = 1) -> None:
        """Let the next requests for a path suffer a fault, whatever the device."""
        self._faults[path].extend([fault] * times)

    async def answer(
        self,
        request: web.Request,
        received: PassthroughRequest,
        *,
        key_valid: bool,
        device: DeviceRecord | None,
    ) -> web.StreamResponse:
        """Record a request and answer it.

        Args:
            request: As the web server has it.
            received: As it is recorded.
            key_valid: Whether its key is.
            device: Whom it is for, if its client may reach such a device.
        """
        self.requests.append(received)

        async def act() -> web.Response:
            assert device is not None
            return await self._serve(device, received)

        if not key_valid:
            return await suffer(self.bad_key, request, act)
        if device is None:
            return await suffer(self.unknown, request, act)
        if device.other:
            return await suffer(self.third_party, request, act)
        if not device.online:
            return await suffer(self.offline, request, act)
        faults = self._faults[received.path]
        return await suffer(faults.popleft() if faults else None, request, act)

    async def _serve(
        self, device: DeviceRecord, received: PassthroughRequest
    ) -> web.Response:
        """Return what a device answers."""
        await asyncio.sleep(self.delay)
        response = self._page(device, received.path)
        if self.chunked:
            response.enable_chunked_encoding()
        return response

    def _page(self, device: DeviceRecord, path: str) -> web.Response:
        if path in self.pages:
            return web.Response(body=self.pages[path])
        if path.startswith("!"):
            return _text(self._command(device, path[1:]))
        match path:
            case "cfg.txt":
                return _text(self.config(device))
            case "cfg-standard.txt":
                config = self.config(device)
                for secret in CONFIG_SECRETS:
                    config = config.replace(secret, "standard")
                return _text(config)
            case "log.txt":
                return _text(
                    "20270115-080000 IP0 link up\r\n20270115-080003 UP1 config read\r\n"
                )
            case "CMD0/box_info.xml":
                needed = str(device.hw_id in self.reset_required).lower()
                return web.Response(
                    text=f'<info><sys temp="41" sync="ok" reset-required="{needed}"/></info>',
                    content_type="text/xml",
                )
        module, _, rest = path.partition("/")
        if module and rest.partition("?")[0].rpartition("/")[2] == "mod_cmd.xml":
            # What any device answers about a module that it does not have.
            return _text("?\r\n")
        return web.Response(status=404)

    def config(self, device: DeviceRecord) -> str:
        """Return a device's whole configuration."""
        lines = self._configs.setdefault(
            device.hw_id,
            [
                f"config change CMD0 /name {device.name or device.hw_id}",
                f"config change CMD0 USER /user admin,{CONFIG_SECRETS[0]}",
                f"config change PHONE SIG /prot H323 /password {CONFIG_SECRETS[1]}",
            ],
        )
        return "".join(f"{line}\r\n" for line in lines)

    def _command(self, device: DeviceRecord, command: str) -> str:
        """Do what a line of a script says, and return what is told of it."""
        if command.startswith("config change "):
            self._change_config(device, command)
            return ""
        if command in {"config write", "config activate"}:
            return ""
        if command in RESTARTS:
            if not command.endswith("n") or device.hw_id in self.reset_required:
                self.reset_required.discard(device.hw_id)
                self.restarts.append(device.hw_id)
                self._restart(device)
            return ""
        return "?\r\n"

    def _change_config(self, device: DeviceRecord, line: str) -> None:
        """Put a line in the place of the one for the same part of a module."""
        self.config(device)
        lines = self._configs[device.hw_id]
        part = _part_of(line)
        for index, old in enumerate(lines):
            if _part_of(old) == part:
                lines[index] = line
                return
        lines.append(line)


def _part_of(line: str) -> str:
    """Return what a configuration's line is about."""
    return line.partition("/")[0].strip()


def _refusal(status: int) -> Fault:
    return Fault.reply(b"", status=status, content_type="text/plain")


def _text(text: str) -> web.Response:
    return web.Response(text=text)
