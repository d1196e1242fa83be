"""Keeps a link to a server, comes back when it is lost, and hands on what comes."""

import asyncio
from collections.abc import Callable
import logging
from typing import NamedTuple

from homeassistant.core import HomeAssistant

from ...hub import GatehouseConfigEntry
from ...wire import STRETCH, Backoff, InvalidAuth, WireError
from .client import Link, LinkLost, SenseLinkClient
from .protocol import Message, Signal
from .watchdog import Watchdog

_LOGGER = logging.getLogger(__name__)

STABLE = 60.0
"""Seconds that a link must have held for the next one to be tried at once."""

REFUSED_WAIT = 120.0
LONGEST_REFUSED_WAIT = 900.0
"""Seconds to wait after the key has been refused, which time alone seldom mends."""


class Handlers(NamedTuple):
    """What a listener tells."""

    take: Callable[[Message], None]
    """Something came."""

    lose: Callable[[WireError], None]
    """The link is lost."""

    find: Callable[[], None]
    """There is a link again."""

    refuse: Callable[[], None]
    """The key is refused; told once until there is a link again."""


class Listener:
    """A link to a server, and all that follow it."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: GatehouseConfigEntry,
        client: SenseLinkClient,
        handlers: Handlers,
    ) -> None:
        """Prepare to listen; nothing is connected."""
        self._hass = hass
        self._entry = entry
        self._client = client
        self._handlers = handlers
        self._watchdog = Watchdog(hass)
        self._losses = Backoff()
        self._refusals = Backoff(REFUSED_WAIT, LONGEST_REFUSED_WAIT)
        self._refused = False
        self._task: asyncio.Task[None] | None = None
        self.links = 0
        """Links that there have been."""
        self.not_understood = 0
        """Frames that could not be understood."""
        self.last_failure: str | None = None
        """Why the last attempt to come back, or the last link, has failed."""

    @property
    def heartbeat_period(self) -> float | None:
        """Return the seconds between two heartbeats, if that is known."""
        return self._watchdog.period

    async def async_start(self) -> None:
        """Connect, and go on listening in the background.

        Raises:
            InvalidAuth: the key is refused.
            WireError: there is no link to be had now.

        """
        link = await self._client.connect()
        self.links += 1
        self._task = self._entry.async_create_background_task(
            self._hass, self._async_listen(link), f"Listen to {self._entry.title}"
        )

    async def async_stop(self) -> None:
        """End the link, and do not come back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def _async_listen(self, link: Link) -> None:
        """Take what comes over a link, and over all that follow it."""
        while True:
            wait = await self._async_follow(link)
            link = await self._async_next_link(wait)
            self.links += 1
            self._refused = False
            self._refusals.reset()
            self._handlers.find()

    async def _async_follow(self, link: Link) -> float:
        """Take what comes over a link until its end; return how long to wait then."""
        opened_at = breathed_at = self._hass.loop.time()
        self._watchdog.watch(link)
        try:
            while True:
                message = await link.receive()
                if message is Signal.HEARTBEAT:
                    self._watchdog.beat()
                self._handlers.take(message)
                # Others have their turn while many messages come at once.
                if link.frame_at - breathed_at >= STRETCH:
                    await asyncio.sleep(0)
                    breathed_at = self._hass.loop.time()
        except InvalidAuth as err:
            self._handlers.lose(err)
            self._refuse()
            return self._refusals.next()
        except LinkLost as err:
            self.last_failure = type(err).__name__
            self._handlers.lose(err)
            if self._hass.loop.time() - opened_at > STABLE:
                self._losses.reset()
            return self._losses.next()
        except Exception as err:
            _LOGGER.exception("The link to SenseLink has failed")
            self.last_failure = type(err).__name__
            self._handlers.lose(LinkLost())
            return self._losses.next()
        finally:
            self._watchdog.leave()
            self.not_understood += link.malformed
            await link.close()

    async def _async_next_link(self, wait: float) -> Link:
        """Try to connect after a wait in seconds, and again after longer ones."""
        while True:
            await asyncio.sleep(wait)
            try:
                return await self._client.connect()
            except InvalidAuth:
                self._refuse()
                wait = self._refusals.next()
            except Exception as err:
                if not isinstance(err, WireError):
                    _LOGGER.exception("The link to SenseLink has failed")
                self.last_failure = type(err).__name__
                wait = self._losses.next()

    def _refuse(self) -> None:
        """Tell once that the key is refused."""
        if not self._refused:
            self._refused = True
            self._handlers.refuse()
