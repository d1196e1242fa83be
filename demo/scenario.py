"""What is played with one vendor, and how its effects are seen.

Everything is read from Home Assistant's public API, each with a deadline.
"""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Iterable
import json
import re
import time
from typing import Any

from .home_assistant import Api, Change
from .house import Keys
from .neighbourhood import Neighbourhood
from .report import NotAsExpected, Report

PROMPTLY = 5.0
"""Seconds for what a vendor reports by itself."""

SLOWLY = 75.0
"""Seconds for what is seen by polling, a lost gateway included."""

_LONGEST_CODE = 8

type Key = tuple[str, str]


class Scenario(ABC):
    """The checks of one vendor."""

    def __init__(self, api: Api, neighbourhood: Neighbourhood, entities: Keys) -> None:
        """Prepare the checks; none is made.

        Args:
            api: of the Home Assistant to look at.
            neighbourhood: where the vendor's devices are.
            entities: the ids of Gatehouse's entities by device and key.

        """
        self._api = api
        self._neighbourhood = neighbourhood
        self._entities = entities

    @abstractmethod
    async def play(self, report: Report) -> None:
        """Make all checks, in an order in which each finds what it needs."""

    @property
    def _now(self) -> int:
        """Return the place in all changes from which on new ones come."""
        return len(self._api.changes)

    async def _event(
        self, device: str, key: str, event_type: str, since: int, **attributes: Any
    ) -> Change:
        """Return an event that has been told since, with these attributes."""

        def wanted(change: Change) -> bool:
            expected = {"event_type": event_type, **attributes}
            return expected.items() <= dict(change.attributes).items()

        return await self._change((device, key), wanted, since, PROMPTLY)

    async def _changes(
        self, entity: Key, state: str, since: int, seconds: float
    ) -> None:
        """Wait for a state that may pass."""
        await self._change(
            entity, lambda change: change.state == state, since, seconds, state
        )

    async def _change(
        self,
        entity: Key,
        wanted: Callable[[Change], bool],
        since: int,
        seconds: float,
        what: str = "the event",
    ) -> Change:
        entity_id = self._entities[entity]
        try:
            return await self._api.wait_for_change(
                entity_id, wanted, since=since, seconds=seconds
            )
        except TimeoutError as err:
            now = await self._api.state(entity_id)
            raise NotAsExpected(
                f"{entity_id} has not told {what} within {seconds:.0f} s; it is"
                f" {now.state}, {dict(now.attributes)}"
            ) from err

    async def _becomes(self, entity: Key, state: str, seconds: float) -> None:
        """Wait for a state that stays."""

        async def is_there() -> bool:
            return await self._state(entity) == state

        if not await until(is_there, seconds):
            raise NotAsExpected(
                f"{self._entities[entity]} is {await self._state(entity)}, not {state},"
                f" after {seconds:.0f} s"
            )

    async def _state(self, entity: Key) -> str:
        return (await self._api.state(self._entities[entity])).state


async def until(holds: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Ask again and again whether something holds; return whether it does in time."""
    end = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.2)
    return True


def holds_secret(text: str, secrets: Iterable[str]) -> bool:
    """Tell whether a text holds one of these secrets.

    Codes are so short that they occur by chance: in longer numbers, in decimals, and where
    Python says in which line an error is. There they do not count.
    """
    return any(
        re.search(rf"(?<!line )(?<![\w.]){re.escape(secret)}(?!\w)", text)
        if len(secret) <= _LONGEST_CODE
        else secret in text
        for secret in secrets
    )


def written_out(changes: Iterable[Change]) -> str:
    """Return all that states have held, as text to search."""
    return "\n".join(
        json.dumps([change.entity_id, change.state, change.attributes])
        for change in changes
    )
