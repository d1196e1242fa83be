"""The parts of the demo that can be wrong without anybody noticing."""

import asyncio
from pathlib import Path
import socket
import sys

import pytest

from demo.check import NotAsExpected, Report, faults_of_gatehouse
from demo.process import DemoError, Program, accepts, free_ports, require_free

BEGIN = "2026-11-21 09:15:25.095+00:00"


@pytest.mark.parametrize(
    ("entry", "is_fault"),
    [
        (f"{BEGIN} ERROR (MainThread) [custom_components.gatehouse.hub] Broken", True),
        (f"{BEGIN} DEBUG (MainThread) [custom_components.gatehouse.hub] Error", False),
        (f"{BEGIN} WARNING (MainThread) [homeassistant.x] gatehouse is new", False),
        (f"{BEGIN} ERROR (MainThread) [homeassistant.x] Something else", False),
        (
            (
                f"{BEGIN} WARNING (MainThread) [homeassistant.helpers.frame] Detected that"
                " custom integration 'gatehouse' calls what will be gone"
            ),
            True,
        ),
        (
            (
                f"{BEGIN} WARNING (MainThread) [x] Task failed\nTraceback (most recent"
                ' call last):\n  File "custom_components/gatehouse/hub.py", line 1'
            ),
            True,
        ),
        (
            (
                f"{BEGIN} WARNING (MainThread) [x] Task failed\nTraceback (most recent"
                ' call last):\n  File "homeassistant/core.py", line 1'
            ),
            False,
        ),
    ],
)
def test_faults_in_a_log(entry: str, is_fault: bool) -> None:
    other = f"{BEGIN} INFO (MainThread) [homeassistant.core] Starting"
    found = faults_of_gatehouse(f"{other}\n{entry}\n{other}\n")
    assert found == ([entry.splitlines()[0]] if is_fault else [])


async def test_report(capsys: pytest.CaptureFixture[str]) -> None:
    async def holds() -> None:
        pass

    async def fails() -> None:
        raise NotAsExpected("the door is open")

    report = Report()
    await report.check("the bell rings", holds())
    await report.check("the door is shut", fails())
    assert (report.checks, report.failures) == (2, 1)
    assert capsys.readouterr().out.splitlines() == [
        "ok     the bell rings (0.0 s)",
        "FAIL   the door is shut: the door is open",
    ]


@pytest.mark.usefixtures("socket_enabled")
def test_taken_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert accepts("127.0.0.1", port)
        assert not accepts("127.0.0.2", port)
        with pytest.raises(DemoError, match=f"The bell needs port {port}"):
            require_free(port, "The bell")
    require_free(port, "The bell")


@pytest.mark.usefixtures("socket_enabled")
def test_free_ports() -> None:
    assert len(set(free_ports(3))) == 3


async def test_program_that_ends_by_itself(tmp_path: Path) -> None:
    program = Program(
        "The bell",
        (sys.executable, "-c", "print('no current'); raise SystemExit(3)"),
        log=tmp_path / "log",
        folder=tmp_path,
    )
    assert await program.stop() is None
    await program.start()
    assert await program.wait() == 3
    assert await program.stop() == 3
    with pytest.raises(DemoError, match=r"(?s)The bell has ended.*3.*no current"):
        program.require_running()


async def test_program_that_is_ended(tmp_path: Path) -> None:
    program = Program(
        "The bell",
        (sys.executable, "-c", "import time; time.sleep(60)"),
        log=tmp_path / "log",
        folder=tmp_path,
    )
    await program.start()
    program.require_running()
    async with asyncio.timeout(10):
        assert await program.stop() == -15
