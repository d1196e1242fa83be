"""Handles together what comes at once, which costs less than one after the other.

A processor runs several times as fast what it has just run. So when much comes, each kind
of work is done for all of it before the next kind begins. Nobody waits for company: what
comes alone is handled at once.
"""

import asyncio
from collections.abc import Callable, Sequence
import logging
import time

from homeassistant.core import callback

from .wire import STRETCH

_LOGGER = logging.getLogger(__name__)

MAX_TOGETHER = 128
"""Messages that are handled together; they take some milliseconds."""

UNDERSTANDING = STRETCH / 5
"""Seconds after which no more are understood before the first of them are told, which
takes several times as long."""


class Together[ItemT, ToldT]:
    """Handles a message that comes alone at once, and others that follow it together.

    Together with what else comes in the next turns of the event loop, too, but within
    `STRETCH`. All keep their order in every step, and the fault of one costs the others
    nothing.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        source: str,
        understand: Callable[[ItemT], ToldT | None],
        *steps: Callable[[ToldT], None],
    ) -> None:
        """Prepare to take messages.

        Args:
            loop: whose turns count.
            source: whose messages they are, for the log.
            understand: returns what a message says, None if that is nothing.
            steps: what is done with it, each for all messages before the next.

        """
        self._loop = loop
        self._source = source
        self._understand = understand
        self._steps = steps
        self._waiting: list[ItemT] | None = None
        """What has followed the first one; None as long as nothing has come."""
        self._waiting_since = 0.0
        self._counted = 0
        """How many waited when the last turn was over."""

    @callback
    def take(self, item: ItemT) -> None:
        """Handle a message, at once or soon."""
        if self._waiting is None:
            self._waiting = []
            self._loop.call_soon(self._end_turn)
            self._handle((item,))
            return
        if not self._waiting:
            self._waiting_since = time.monotonic()
            self._counted = 0
        self._waiting.append(item)
        if len(self._waiting) >= MAX_TOGETHER:
            self._handle_waiting(self._waiting)

    @callback
    def flush(self) -> None:
        """Handle all that waits, before something that would make it come too late."""
        while self._waiting:
            self._handle_waiting(self._waiting)

    def _end_turn(self) -> None:
        """Handle what waits, once no more comes or it has waited long enough."""
        if not self._waiting:
            self._waiting = None
            return
        counted, self._counted = self._counted, len(self._waiting)
        if (
            self._counted <= counted
            or time.monotonic() - self._waiting_since >= STRETCH
        ):
            self._handle_waiting(self._waiting)
        self._loop.call_soon(self._end_turn)

    def _handle_waiting(self, waiting: list[ItemT]) -> None:
        """Handle what waits, as far as others need not wait long for that."""
        self._waiting = []
        handled = self._handle(waiting)
        self._waiting[:0] = waiting[handled:]

    def _handle(self, items: Sequence[ItemT]) -> int:
        """Handle messages step by step; return how many there was time for."""
        since = time.monotonic()
        told: list[ToldT] = []
        handled = 0
        for item in items:
            handled += 1
            try:
                understood = self._understand(item)
            except Exception:
                _LOGGER.exception("A message of %s was lost", self._source)
                continue
            if understood is not None:
                told.append(understood)
            # To meet a device for the first time takes long.
            if time.monotonic() - since >= UNDERSTANDING:
                break
        for step in self._steps:
            for one in told:
                try:
                    step(one)
                except Exception:
                    _LOGGER.exception(
                        "A message of %s was told in part only", self._source
                    )
        return handled
