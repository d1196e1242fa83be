"""Handles together what comes at once, which costs less than one after the other.

A processor runs several times as fast what it has just run. So when much comes, each kind
of work is done for all of it before the next kind begins. Nobody waits for company: what
comes alone is told at once. Then it is somebody at a door, and what is only noted waits
until what an automation makes of it is on its way.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
import logging
import math
import time

from homeassistant.core import callback

from .wire import STRETCH

_LOGGER = logging.getLogger(__name__)

MAX_TOGETHER = 128
"""Messages that are handled together; they take some milliseconds."""

UNDERSTANDING = STRETCH / 5
"""Seconds after which no more are understood before the first of them are told, which
takes several times as long."""

QUIET = 1.0
"""Seconds without a message after which the next one comes alone."""

UNDER_WAY = STRETCH
"""Seconds after which what an automation makes of a message is on its way."""


class Together[ItemT, ToldT]:
    """Handles a message that comes alone at once, and others that follow it together.

    Together with what else comes in the next turns of the event loop, too, but within
    `STRETCH`. What comes after `QUIET` is told at once, and noted after `UNDER_WAY` or as
    soon as another message comes. All keep their order in every step, and the fault of one
    costs the others nothing.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        source: str,
        understand: Callable[[ItemT], ToldT | None],
        *steps: Callable[[ToldT], None],
        note: Callable[[ToldT], None] | None = None,
    ) -> None:
        """Prepare to take messages.

        Args:
            loop: whose turns count.
            source: whose messages they are, for the log.
            understand: returns what a message says, None if that is nothing.
            steps: have automations hear of it, each for all messages before the next.
            note: does afterwards what no automation waits for.

        """
        self._loop = loop
        self._source = source
        self._understand = understand
        self._steps = steps
        self._note: Collection[Callable[[ToldT], None]] = (
            () if note is None else (note,)
        )
        self._waiting: list[ItemT] | None = None
        """What has followed the first one; None as long as nothing has come."""
        self._waiting_since = 0.0
        self._counted = 0
        """How many waited when the last turn was over."""
        self._quiet_since = -math.inf
        """When all had been handled, of the event loop's clock."""
        self._alone: Sequence[ToldT] = ()
        """What has been told and not yet noted."""
        self._timer: asyncio.TimerHandle | None = None
        """Ends the turn of what came alone, as long as it still is."""

    @callback
    def take(self, item: ItemT) -> None:
        """Handle a message, at once or soon."""
        if self._waiting is None:
            self._waiting = []
            if self._loop.time() - self._quiet_since >= QUIET:
                self._take_alone(item)
            else:
                self._loop.call_soon(self._end_turn)
                self._handle((item,))
            return
        if not self._waiting:
            self._hurry()
            self._waiting_since = time.monotonic()
            self._counted = 0
        self._waiting.append(item)
        if len(self._waiting) >= MAX_TOGETHER:
            self._handle_waiting(self._waiting)

    @callback
    def flush(self) -> None:
        """Handle all that waits, before something that would make it come too late."""
        self._hurry()
        self._note_alone()
        while self._waiting:
            self._handle_waiting(self._waiting)

    def _take_alone(self, item: ItemT) -> None:
        """Tell a message; note it when what that sets off is on its way."""
        told, _ = self._understand_each((item,))
        if self._note:
            self._alone = told
        self._do(self._steps, told)
        # Whoever heard it may have had everything flushed.
        if self._alone:
            self._timer = self._loop.call_later(UNDER_WAY, self._end_turn)
        else:
            self._loop.call_soon(self._end_turn)

    def _note_alone(self) -> None:
        """Note what has been told already."""
        alone, self._alone = self._alone, ()
        self._do(self._note, alone)

    def _hurry(self) -> None:
        """Have the turn of what came alone end with the turn of the event loop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        """Handle what waits, once no more comes or it has waited long enough."""
        self._timer = None
        self._note_alone()
        if not self._waiting:
            self._waiting = None
            self._quiet_since = self._loop.time()
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
        self._note_alone()
        understood, handled = self._understand_each(items)
        self._do((*self._steps, *self._note), understood)
        return handled

    def _understand_each(self, items: Sequence[ItemT]) -> tuple[list[ToldT], int]:
        """Return what messages say, and how many of them there was time for."""
        since = time.monotonic()
        understood: list[ToldT] = []
        handled = 0
        for item in items:
            handled += 1
            try:
                said = self._understand(item)
            except Exception:
                _LOGGER.exception("A message of %s was lost", self._source)
                continue
            if said is not None:
                understood.append(said)
            # To meet a device for the first time takes long.
            if time.monotonic() - since >= UNDERSTANDING:
                break
        return understood, handled

    def _do(
        self, steps: Collection[Callable[[ToldT], None]], understood: Sequence[ToldT]
    ) -> None:
        """Do each step for all messages before the next step."""
        for step in steps:
            for one in understood:
                try:
                    step(one)
                except Exception:
                    _LOGGER.exception(
                        "A message of %s was told in part only", self._source
                    )
