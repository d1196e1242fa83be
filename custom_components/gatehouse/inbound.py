"""The guard of every address that Gatehouse serves to vendors.

Such an address is open to whoever can reach Home Assistant, so a view looks at the
sender's token before anything else, and reads little and not for long.
"""

from abc import abstractmethod
import asyncio
from functools import lru_cache
from http import HTTPStatus
import logging
from typing import Any

from aiohttp import web

from homeassistant.components.http import HomeAssistantView
from homeassistant.const import CONTENT_TYPE_JSON
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.json import json_bytes
from homeassistant.util.hass_dict import HassKey

from . import wire
from .hub import GatehouseConfigEntry, Hub

_LOGGER = logging.getLogger(__name__)

MAX_BODY = 64 * 1024
"""Bytes of a body at most; vendors' messages have a few hundred."""

BODY_TIMEOUT = 10.0
"""Seconds that a sender may take for its body."""

MAX_REFUSED = 64
"""Refused senders of an address that are logged."""

RELOAD_TIMEOUT = 10.0
"""Seconds that a message waits for its entry while that is being reloaded."""

MAX_WAITING = 64
"""Messages of an address that wait at the same time for an entry being reloaded."""

_VIEWS: HassKey[dict[type, Any]] = HassKey("gatehouse_views")


class Rejected(Exception):
    """A message that cannot be taken; the sender is told the reason."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        """Name the status and the reason that are answered."""
        super().__init__(message)
        self.status = status
        self.message = message


class InboundView[HubT: Hub](HomeAssistantView):
    """An address of one vendor, behind which any number of its hubs listen."""

    requires_auth = False

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with nobody behind the address."""
        self.hass = hass
        self.hubs: list[HubT] = []
        self._refused: set[str | None] = set()
        self._waiting = 0

    @classmethod
    @callback
    def attach(cls, hass: HomeAssistant, hub: HubT) -> CALLBACK_TYPE:
        """Put a hub behind the address, which is served from the first one on.

        Routes cannot be taken back, so the view stays while the hubs come and go.
        """
        views = hass.data.setdefault(_VIEWS, {})
        if (view := views.get(cls)) is None:
            view = views[cls] = cls(hass)
            hass.http.register_view(view)
        view.hubs.append(hub)
        return lambda: view.hubs.remove(hub)

    @abstractmethod
    async def receive(self, request: web.Request) -> web.Response:
        """Check the token, read the body and hand the message to a hub.

        Raises:
            Rejected: the message cannot be taken; the sender is told.

        """

    async def async_hub_of(self, entry: GatehouseConfigEntry) -> HubT:
        """Return the hub of an entry, to be called when a message is complete.

        A change of settings reloads an entry. A visitor who rings in that moment must
        not be lost, for nobody knows whether the vendor would tell of him again.

        Raises:
            Rejected: the entry is not running.

        """
        if entry.setup_lock.locked() and self._waiting < MAX_WAITING:
            self._waiting += 1
            try:
                async with asyncio.timeout(RELOAD_TIMEOUT), entry.setup_lock:
                    pass
            except TimeoutError:
                pass
            finally:
                self._waiting -= 1
        for hub in self.hubs:
            if hub.entry is entry:
                return hub
        raise Rejected(HTTPStatus.SERVICE_UNAVAILABLE, "not running")

    def log_refusal(self, request: web.Request) -> None:
        """Log a sender that does not know the secret, once for each source.

        It is not counted as a failed login: a device that is set up wrongly would get
        itself banned, or the proxy that all others come through.
        """
        if request.remote in self._refused or len(self._refused) >= MAX_REFUSED:
            return
        self._refused.add(request.remote)
        _LOGGER.warning(
            "A message from %s to %s was refused: wrong address or token",
            request.remote,
            self.url,
        )
        if len(self._refused) == MAX_REFUSED:
            _LOGGER.warning(
                "Further senders to %s are refused without a word", self.url
            )

    async def post(self, request: web.Request, **_: str) -> web.Response:
        """Answer the vendor."""
        try:
            return await self.receive(request)
        except Rejected as err:
            return reply(err.status, err.message)


def reply(status: HTTPStatus, message: str) -> web.Response:
    """Return a reply as vendors' servers write it: a JSON object with a message."""
    return web.Response(
        status=status, body=_encoded(message), content_type=CONTENT_TYPE_JSON
    )


@lru_cache(maxsize=64)
def _encoded(message: str) -> bytes:
    """Return a reply's body; there are few different ones."""
    return json_bytes({"message": message})


async def async_read_json(request: web.Request) -> Any:
    """Read a request's body as JSON.

    Raises:
        Rejected: it is too long, too slow, broken, or not JSON of reasonable depth.

    """
    try:
        return wire.parse_json(await async_read_body(request))
    except wire.UnexpectedReply as err:
        raise Rejected(HTTPStatus.BAD_REQUEST, "not JSON") from err


async def async_read_body(request: web.Request) -> bytes:
    """Read a request's body.

    Raises:
        Rejected: it is too long, too slow, or broken.

    """
    content = request.content
    try:
        if content.is_eof():
            # What is here already needs no time limit, which would cost more than all
            # the reading.
            body = content.read_nowait()
        elif (request.content_length or 0) > MAX_BODY:
            raise _too_large()
        else:
            async with asyncio.timeout(BODY_TIMEOUT):
                body = await wire.read_bounded(content, MAX_BODY)
    except wire.TooLarge as err:
        raise _too_large() from err
    except web.RequestPayloadError as err:
        raise Rejected(HTTPStatus.BAD_REQUEST, "broken transfer") from err
    except TimeoutError as err:
        raise Rejected(HTTPStatus.REQUEST_TIMEOUT, "body too slow") from err
    if len(body) > MAX_BODY:
        raise _too_large()
    return body


def _too_large() -> Rejected:
    """Return the refusal of a body that is too long."""
    return Rejected(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body too large")
