"""Sets a config entry up inside a running Home Assistant, and measures what that takes.

It reads from `stopwatch.json` what to set up, begins when Home Assistant has started,
and writes what it has measured to `measured.json`, all in the configuration folder.
"""

import gc
import json
import logging
from pathlib import Path
import sys
import time
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component

_LOGGER = logging.getLogger(__name__)

DOMAIN = "gatehouse_stopwatch"

PERIOD = 0.005
"""Seconds between two looks at whether the event loop is on time."""


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Begin as soon as everything else is up."""
    folder = Path(hass.config.config_dir)
    wanted = json.loads((folder / "stopwatch.json").read_text())

    async def measure(_: HomeAssistant) -> None:
        try:
            measured = await set_up(hass, **wanted["entry"])
        except Exception:
            _LOGGER.exception("Nothing can be measured")
            await hass.async_stop(exit_code=1)
            return
        _write(folder / "measured.json", measured)
        if wanted["updates"]:
            count_updates(hass, wanted["updates"], folder / "updated.json")

    async_at_started(hass, measure)
    return True


async def set_up(
    hass: HomeAssistant, domain: str, title: str, data: dict[str, Any], paths: list[str]
) -> dict[str, float]:
    """Set an entry up and return what it took, in seconds and bytes.

    What it depends on is up before the clock starts: another integration would have
    brought it, and for both sides alike only what is their own counts.
    """
    sys.path.extend(paths)
    # Core's discovery would look around in the network.
    hass.data["unifi_discovery"] = True
    for dependency in (await async_get_integration(hass, domain)).dependencies:
        await async_setup_component(hass, dependency, {})
    entry: ConfigEntry[Any] = ConfigEntry(
        data=data,
        discovery_keys=MappingProxyType({}),
        domain=domain,
        minor_version=1,
        options={},
        source="user",
        subentries_data=(),
        title=title,
        unique_id=None,
        version=1,
    )
    gc.collect()
    memory = resident()
    loop = Loop(hass)
    wall, cpu = time.perf_counter(), time.process_time()
    await hass.config_entries.async_add(entry)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    loop.leave()
    if entry.state is not ConfigEntryState.LOADED:
        raise RuntimeError(f"{domain} is not set up: {entry.reason}")
    gc.collect()
    return {
        "cpu": cpu,
        "wall": wall,
        "memory": resident() - memory,
        "stall": loop.longest,
        "own_stall": loop.longest_outside_collections,
        "collecting": loop.collecting,
        "entities": len(hass.states.async_entity_ids()),
    }


@callback
def count_updates(hass: HomeAssistant, count: int, file: Path) -> None:
    """Write down the CPU time of one of so many changes of states, from the first on."""
    seen = 0
    since = 0.0

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        nonlocal seen, since
        if not event.data["entity_id"].startswith("binary_sensor."):
            return
        seen += 1
        if seen == 1:
            since = time.process_time()
        elif seen == count:
            leave()
            _write(file, {"cpu": (time.process_time() - since) / (count - 1)})

    leave = hass.bus.async_listen("state_changed", changed)


class Loop:
    """How late the event loop is, and what of that is the garbage collector's.

    What counts is CPU time of this process: other programs on the machine also make the
    loop late, and have nothing to do with what is measured.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Look from now on."""
        self.longest = 0.0
        self.longest_outside_collections = 0.0
        self.collecting = 0.0
        """All time in the collector, in seconds."""
        self._loop = hass.loop
        self._collection = 0.0
        self._collected = 0.0
        self._before = time.process_time()
        gc.callbacks.append(self._on_collection)
        self._timer = self._loop.call_later(PERIOD, self._look)

    def leave(self) -> None:
        """Look no more."""
        self._timer.cancel()
        self._look()
        self._timer.cancel()
        gc.callbacks.remove(self._on_collection)

    def _look(self) -> None:
        now = time.process_time()
        late = min(self._loop.time() - self._timer.when(), now - self._before)
        self.longest = max(self.longest, late)
        self.longest_outside_collections = max(
            self.longest_outside_collections, late - self._collected
        )
        self._collected = 0.0
        self._before = now
        self._timer = self._loop.call_later(PERIOD, self._look)

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._collection = time.process_time()
        else:
            took = time.process_time() - self._collection
            self._collected += took
            self.collecting += took


def resident() -> int:
    """Return the bytes of memory that this process has for itself."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def _write(file: Path, measured: dict[str, float]) -> None:
    """Write a file that is whole as soon as it is there."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(measured))
    part.rename(file)
