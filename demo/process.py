"""Programs that run beside the demo, and end with it."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
import os
from pathlib import Path
import signal
import socket
import subprocess

LOOPBACK = "127.0.0.1"

_STOP_TIMEOUT = 60.0
"""Seconds for a program to end by itself; Home Assistant writes its files then."""


class DemoError(Exception):
    """Something that the demo cannot go on without; the text is for its user."""


class Program:
    """A program, whose output goes to a file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the program.

        Args:
            name: what to call it towards the user.
            command: the program and its arguments.
            log: the file that takes its output; what is in it goes.
            folder: where it runs.
            environment: variables to add to the present ones.

        """
        self.name = name
        self.log = log
        self._command = command
        self._folder = folder
        self._environment = {**os.environ, **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, in a session of its own, so that Ctrl-C reaches the demo alone."""
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return the number of its process, which must have been started."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Return how it ended, or None while it runs."""
        return None if self._process is None else self._process.returncode

    async def wait(self) -> int:
        """Return its exit code when it has ended."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> int | None:
        """End it and return its exit code, or None if it was never started."""
        process = self._process
        if process is None:
            return None
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_TIMEOUT):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        return process.returncode

    def require_running(self) -> None:
        """Raise `DemoError` with the end of its output if it has ended."""
        if self.exit_code is not None:
            raise DemoError(
                f"{self.name} has ended (exit code {self.exit_code}). The last lines"
                f" of {self.log}:\n\n{self.last_lines()}"
            )

    def last_lines(self, count: int = 15) -> str:
        """Return the end of its output."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-count:])


async def until_signal(coroutine: Coroutine[object, object, int]) -> int:
    """Run to the end, or tidy up when someone asks to stop."""
    task = asyncio.ensure_future(coroutine)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def require_free(port: int, wanted_by: str) -> None:
    """Raise `DemoError` if a port of this machine is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as err:
            raise DemoError(
                f"{wanted_by} needs port {port}, and another program has it"
                f" ({err.strerror}). End that one, or choose another port: see"
                " scripts/demo --help."
            ) from err


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def accepts(host: str, port: int) -> bool:
    """Tell whether someone listens at an address."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((host, port)) == 0
