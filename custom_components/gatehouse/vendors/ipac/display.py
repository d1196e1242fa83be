"""The display of a station: what was asked for last is what it shows."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from homeassistant.core import HomeAssistant, callback

type Sending = Coroutine[Any, Any, None]


class Display:
    """The display of one station, which is given one order after the other.

    Of two at once, the short one that clears the display would overtake a picture, which
    would then stay.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with nothing asked for."""
        self._hass = hass
        self._asked = 0
        """How many orders there have been."""
        self._ready = 0
        """The latest of them that can be sent."""
        self._sending: asyncio.Task[None] | None = None

    async def async_show(
        self, picture: Awaitable[bytes], send: Callable[[bytes], Sending]
    ) -> None:
        """Show a picture, unless something that was asked for later takes its place.

        Args:
            picture: the picture, which may still have to be fetched or drawn.
            send: sends it to the station.

        Raises:
            Exception: what `picture` and `send` raise.

        """
        number = self._ask()
        content = await picture
        await self._async_give(number, lambda: send(content))

    async def async_clear(self, send: Callable[[], Sending]) -> None:
        """Clear the display, unless a picture that was asked for later takes its place.

        Raises:
            Exception: what `send` raises.

        """
        await self._async_give(self._ask(), send)

    def _ask(self) -> int:
        """Return the number of a new order."""
        self._asked += 1
        return self._asked

    async def _async_give(self, number: int, send: Callable[[], Sending]) -> None:
        """Send an order after the one that is under way, if it is the latest by then."""
        # Only now, as a later one may come to nothing for want of its picture.
        self._ready = max(self._ready, number)
        while self._sending is not None and not self._sending.done():
            await asyncio.wait((self._sending,))
        if number != self._ready:
            return
        # The station may show also what it has of a caller that is gone, as of an
        # automation that is begun anew; so the next order waits for that one, too.
        self._sending = sending = self._hass.async_create_task(
            send(), "Send an order to a display"
        )
        try:
            await asyncio.wait((sending,))
        except asyncio.CancelledError:
            sending.add_done_callback(_drop)
            raise
        await sending


@callback
def _drop(sending: asyncio.Task[None]) -> None:
    """Let an order fail of which nobody is left to be told."""
    if not sending.cancelled():
        sending.exception()
