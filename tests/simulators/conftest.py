"""What tests of the simulators need: no Home Assistant, but sockets and curl."""

import asyncio
from collections.abc import Awaitable, Callable
import shutil

import pytest

type Curl = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture(autouse=True)
def custom_integrations() -> None:
    """Leave Home Assistant out: simulators stand alone."""


@pytest.fixture(autouse=True)
def hurried_gateway() -> None:
    """Leave the integration out."""


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Let all tests here use loopback."""


@pytest.fixture
def curl() -> Curl:
    """Return what runs the vendors' own examples: exit code and output of curl."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")

    async def run(*arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            program,
            "--silent",
            "--noproxy",
            "*",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    return run
