"""Orders that the station fetches itself, for want of another way to reach it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...wire import Secret, WireError
from .protocol import BOTH_RELAYS, RelayReply

LIFETIME = 30.0
"""Seconds from an order to its withdrawal, if the station has not fetched it."""

RESULT_TIMEOUT = 15.0
"""Seconds that a station may take to tell what became of an order that it fetched."""


class NotFetched(WireError):
    """The station has not come for the order, which is withdrawn."""


class NoResult(WireError):
    """The station has fetched the order, and has not told what became of it."""


@dataclass(slots=True, kw_only=True)
class Task:
    """An order for a relay, which waits to be fetched."""

    task_id: int
    relay: int
    code: Secret
    fetched: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    result: asyncio.Future[RelayReply | None] = field(repr=False)
    """What the station says to it; None if it names the relay in no way we know."""


class Tasks:
    """The orders that wait; each is handed out once, and never late."""

    def __init__(self) -> None:
        """Begin with none."""
        self.next_id = 0
        """Number of the next order; it outlives a restart, or an old result could be
        taken for that of a new order."""
        self._waiting: dict[int, Task] = {}
        self._closed = False

    def __len__(self) -> int:
        """Return how many wait, for the station or for its result."""
        return len(self._waiting)

    async def run(self, relay: int, code: Secret) -> RelayReply | None:
        """Have a relay fired with the station's next sign of life.

        Raises:
            NotFetched: it was not; whatever happens, it will not be any more.
            NoResult: it may have been.

        """
        if self._closed:
            raise NotFetched
        task = Task(
            task_id=self.next_id,
            relay=relay,
            code=code,
            result=asyncio.get_running_loop().create_future(),
        )
        self.next_id += 1
        self._waiting[task.task_id] = task
        try:
            try:
                async with asyncio.timeout(LIFETIME):
                    await task.fetched.wait()
            except TimeoutError as err:
                raise NotFetched from err
            try:
                async with asyncio.timeout(RESULT_TIMEOUT):
                    return await task.result
            except TimeoutError as err:
                raise NoResult from err
        finally:
            # Also if the caller has gone.
            del self._waiting[task.task_id]

    def fetch(self) -> Task | None:
        """Hand out the order that has waited longest, if any is still to be fetched."""
        for task in self._waiting.values():
            if not task.fetched.is_set():
                task.fetched.set()
                return task
        return None

    def settle(self, task_id: int | None, replies: Mapping[int, int]) -> bool:
        """Hand a result to the caller who waits for it; return whether one does."""
        task = None if task_id is None else self._waiting.get(task_id)
        if task is None or not task.fetched.is_set() or task.result.done():
            return False
        task.result.set_result(_reply_for(task.relay, replies))
        return True

    def close(self) -> None:
        """Withdraw all that wait, and take no more."""
        self._closed = True
        for task in self._waiting.values():
            if not task.result.done():
                task.result.set_exception(
                    NoResult() if task.fetched.is_set() else NotFetched()
                )
            task.fetched.set()


def _reply_for(relay: int, replies: Mapping[int, int]) -> RelayReply | None:
    """Return what the station says of an order; of one for both relays, the best."""
    told = [
        reply
        for told_relay, reply in replies.items()
        if relay in (told_relay, BOTH_RELAYS)
    ]
    if RelayReply.GRANTED in told:
        return RelayReply.GRANTED
    known = [reply for reply in told if reply in tuple(RelayReply)]
    return RelayReply(known[0]) if known else None
