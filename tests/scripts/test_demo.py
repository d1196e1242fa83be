"""The parts of the demo that can be wrong without anybody noticing."""

from array import array
import asyncio
import io
from pathlib import Path
import socket
import sys
import wave

import pytest

from demo.check import entities_in, faults_of_gatehouse
from demo.home_assistant import Change
from demo.media import CHIME_SECONDS, draw_chime
from demo.process import DemoError, Program, accepts, free_ports, require_free
from demo.report import NotAsExpected, Report
from demo.scenario import holds_secret, until, written_out

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


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ('{"value": "1234;1"}', True),
        ("typed 1234.", True),
        ("code=1234", True),
        ("port 51234, 12345", False),
        ("took 0.1234 s", False),
        ('File "hub.py", line 1234, in say', False),
        ("01JD1234567890", False),
        ("path=/demoShareCode001x", True),
        ("nothing", False),
    ],
)
def test_secrets_in_a_text(text: str, is_found: bool) -> None:
    assert holds_secret(text, {"1111", "1234", "demoShareCode001"}) is is_found


def test_secrets_in_states() -> None:
    changes = [
        Change("event.keypad", "2026-11-21T12:34:56.123+00:00", {"code_name": None}),
        Change("event.access", "unknown", {"person": "1234"}),
    ]
    assert not holds_secret(written_out(changes[:1]), {"1234"})
    assert holds_secret(written_out(changes), {"1234"})


async def test_waiting() -> None:
    async def holds() -> bool:
        return True

    async def never_holds() -> bool:
        return False

    assert await until(holds, 0)
    assert not await until(never_holds, -1)


def test_entities_of_a_dashboard() -> None:
    cards = [
        {"type": "tile", "entity": "lock.gate", "tap_action": {"entity": "script.say"}},
        {"type": "logbook", "target": {"entity_id": ["event.bell", "lock.gate"]}},
        {"type": "heading", "badges": [{"entity": "binary_sensor.call"}]},
    ]
    assert entities_in({"views": [{"sections": [{"cards": cards}]}]}) == {
        "lock.gate",
        "script.say",
        "event.bell",
        "binary_sensor.call",
    }


def test_chime() -> None:
    with wave.open(io.BytesIO(draw_chime())) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        assert file.getnframes() / file.getframerate() == CHIME_SECONDS
        samples = array("h", file.readframes(file.getnframes()))
    # It is heard, and not distorted.
    assert 8000 < max(samples) < 32767


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
        (sys.executable, "-c", "import time; time.sleep(600)"),
        log=tmp_path / "log",
        folder=tmp_path,
    )
    await program.start()
    program.require_running()
    async with asyncio.timeout(60):
        assert await program.stop() == -15
