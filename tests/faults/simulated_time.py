"""Time that passes only when the test says so, and work that is done in between.

The stand-ins live in the same event loop, so it can be told when all has been done that
can be done without time passing. How fast the machine is plays no part.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from datetime import timedelta
import time
from typing import Any

from freezegun.api import TickingDateTimeFactory
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant

MANY_TURNS = 20_000
"""Turns of the event loop, more than anything here needs between two moments."""


class SimulatedTime:
    """The clock of Home Assistant, of the event loop and of the stand-ins."""

    def __init__(self, hass: HomeAssistant, clock: TickingDateTimeFactory) -> None:
        self._hass = hass
        self._clock = clock
        self._loop: Any = hass.loop

    async def settle(self) -> None:
        """Let everything happen that needs no time."""
        calm = turns = 0
        while calm < 3:
            turns += 1
            assert turns < MANY_TURNS, "this never comes to rest"
            # What other threads do takes real time, which the loop's clock may not know.
            if busy := self._threads_at_work():
                time.sleep(0.001)  # noqa: ASYNC251
            await asyncio.sleep(0)
            if busy or self._loop._ready or self._loop._selector.select(0):
                calm = 0
            else:
                calm += 1

    async def pass_(
        self,
        seconds: float,
        *,
        until: Callable[[], object] | None = None,
        step: float = 1.0,
    ) -> float:
        """Let seconds pass, or fewer if something happens; return how many did."""
        passed = 0.0
        await self.settle()
        while passed < seconds and not (until and until()):
            self._clock.move_to(self._clock() + timedelta(seconds=step))
            async_fire_time_changed(self._hass)
            passed += step
            await self.settle()
        return passed

    async def until(
        self, happened: Callable[[], object], within: float, *, step: float = 1.0
    ) -> None:
        """Let time pass until something has happened, which it must in so many seconds."""
        await self.pass_(within, until=happened, step=step)
        assert happened(), f"not within {within} s"

    async def outcome[ResultT](
        self, work: Coroutine[Any, Any, ResultT], within: float, *, step: float = 1.0
    ) -> ResultT:
        """Return what becomes of some work, which must end in so many seconds."""
        task = asyncio.create_task(work)
        try:
            await self.until(task.done, within, step=step)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        return task.result()

    def start[ResultT](
        self, work: Coroutine[Any, Any, ResultT]
    ) -> asyncio.Task[ResultT]:
        """Begin some work; the caller lets the time pass in which it is done."""
        return self._hass.async_create_background_task(work, "Work of a test")

    def jump(self, seconds: float) -> None:
        """Set the clock of the house, while no time passes."""
        now = self._loop.time
        before = now()
        self._clock.move_to(self._clock() + timedelta(seconds=seconds))
        leap = now() - before
        self._loop.time = lambda: now() - leap

    def _threads_at_work(self) -> bool:
        return any(
            _at_work(executor)
            for executor in (self._loop._default_executor, self._hass.import_executor)
            if executor is not None
        )


def _at_work(executor: Executor) -> bool:
    pool: Any = executor
    if pool._shutdown:
        return False
    return not pool._work_queue.empty() or pool._idle_semaphore._value < len(
        pool._threads
    )
