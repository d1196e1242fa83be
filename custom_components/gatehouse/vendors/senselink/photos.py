"""Fetches the pictures that records and alerts name, for those who want to see them."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
import logging

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ...entity import Picture
from ...hub import Device, GatehouseConfigEntry
from ...wire import WireError
from .client import PictureClient

_LOGGER = logging.getLogger(__name__)

LAST_PHOTO = "last_photo"

MAX_KEPT = 64 * 1024 * 1024
"""Bytes of all pictures that are kept; of more, what was fetched first is shown no more."""

PARALLEL = 4
"""Pictures that are fetched at the same time."""


@dataclass(slots=True)
class _Newest:
    """The newest picture of one terminal."""

    taken_at: datetime
    wanted: str | None
    """Its id, until it is being fetched."""
    fetching: bool = False


class Photos:
    """Shows the newest picture of each terminal; what it replaces is skipped."""

    def __init__(
        self, hass: HomeAssistant, entry: GatehouseConfigEntry, client: PictureClient
    ) -> None:
        """Prepare to ask the server; nothing is sent."""
        self._hass = hass
        self._entry = entry
        self._client = client
        self._turns = asyncio.Semaphore(PARALLEL)
        self._newest: dict[str, _Newest] = {}
        self._kept: OrderedDict[Device, int] = OrderedDict()

    @callback
    def want(self, device: Device, picture: str, taken_at: datetime) -> None:
        """Have a picture fetched, unless a newer one is shown or under way."""
        newest = self._newest.get(device.uid)
        if newest is None:
            newest = self._newest[device.uid] = _Newest(taken_at, picture)
        elif taken_at < newest.taken_at:
            return
        newest.taken_at = taken_at
        newest.wanted = picture
        if not newest.fetching:
            newest.fetching = True
            self._entry.async_create_background_task(
                self._hass,
                self._async_fetch(device, newest),
                f"Fetch the picture of {device.uid}",
                # The event comes first.
                eager_start=False,
            )

    @callback
    def forget(self, device: Device) -> None:
        """Forget a device; one that comes back in its place begins anew."""
        self._newest.pop(device.uid, None)
        self._kept.pop(device, None)

    async def _async_fetch(self, device: Device, newest: _Newest) -> None:
        """Fetch the newest picture, until there is no newer one."""
        try:
            while (picture := newest.wanted) is not None:
                newest.wanted = None
                try:
                    async with self._turns:
                        content, content_type = await self._client.fetch(picture)
                except WireError as err:
                    _LOGGER.debug(
                        "A picture of %s was not to be had: %s",
                        device.uid,
                        type(err).__name__,
                    )
                else:
                    if self._newest.get(device.uid) is not newest:
                        return
                    device.publish(
                        LAST_PHOTO, Picture(content, content_type, dt_util.utcnow())
                    )
                    self._make_room(device, len(content))
        finally:
            newest.fetching = False

    @callback
    def _make_room(self, device: Device, size: int) -> None:
        """Drop the oldest pictures, as long as all together are too large."""
        self._kept[device] = size
        self._kept.move_to_end(device)
        while sum(self._kept.values()) > MAX_KEPT:
            oldest, _ = self._kept.popitem(last=False)
            oldest.publish(LAST_PHOTO, None)
