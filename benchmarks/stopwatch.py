"""Sets an entry up in a Home Assistant of its own, and returns what that took."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import tempfile
from typing import Any

import aiohttp

from demo.home_assistant import HomeAssistant
from demo.process import free_ports

BENCHMARKS = Path(__file__).parent
STOPWATCH = BENCHMARKS / "gatehouse_stopwatch"
PLAIN = BENCHMARKS / "gatehouse_plain"

REQUIREMENTS = BENCHMARKS.parent / ".cache" / "bench"
"""Where `scripts/bench` installs what core's yardstick needs and the demo has not."""

# Without the recorder, which would write of its own accord while the clock runs.
CONFIGURATION = """\
api:
config:
frontend:
gatehouse_stopwatch:
logger:
  default: {level}
"""

_TIMEOUT = 120.0
"""Seconds for what is measured."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A config entry to set up."""

    domain: str
    title: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a set-up took: times in seconds of CPU where nothing else is said."""

    cpu: float
    wall: float
    """By the clock on the wall."""
    memory: int
    """Bytes that the process has grown by."""
    stall: float
    """The longest time that the event loop served nobody."""
    own_stall: float
    """The same, without what the garbage collector took of it."""
    collecting: float
    """All that the garbage collector took."""
    entities: int
    """Enabled ones, in all."""
    update: float | None = None
    """One of the changes of states that followed."""


async def measure(
    entry: Entry,
    *,
    updates: int = 0,
    update: Callable[[], Awaitable[None]] | None = None,
) -> Measured:
    """Start a Home Assistant, set up the entry, and end it again.

    Args:
        entry: what to set up.
        updates: how many changes of binary sensors to wait for afterwards.
        update: causes them.

    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home_assistant = HomeAssistant(
            folder,
            free_ports(1)[0],
            log_level="warning",
            integrations=(STOPWATCH, PLAIN),
            configuration=CONFIGURATION,
        )
        (folder / "stopwatch.json").write_text(
            json.dumps(
                {
                    "entry": {**asdict(entry), "paths": [str(REQUIREMENTS)]},
                    "updates": updates,
                }
            )
        )
        async with aiohttp.ClientSession() as session:
            await home_assistant.start(session)
            try:
                measured = await _read(home_assistant, "measured.json")
                if update is not None:
                    await update()
                    (measured["update"],) = (
                        await _read(home_assistant, "updated.json")
                    ).values()
            except TimeoutError as err:
                last = home_assistant.program.last_lines()
                raise RuntimeError(f"nothing was measured:\n\n{last}") from err
            finally:
                await home_assistant.program.stop()
    return Measured(**measured)


async def _read(home_assistant: HomeAssistant, name: str) -> dict[str, Any]:
    """Return what Home Assistant has written, as soon as it has."""
    file = home_assistant.folder / name
    async with asyncio.timeout(_TIMEOUT):
        while not file.exists():
            home_assistant.program.require_running()
            await asyncio.sleep(0.2)
    content: dict[str, Any] = json.loads(file.read_text())
    return content
