"""The address at which SenseLink's subscription service posts events."""

import logging
from typing import Any, override

from aiohttp import web

from homeassistant.const import CONTENT_TYPE_JSON

from ...const import CONF_VENDOR, DOMAIN
from ...hub import GatehouseConfigEntry
from ...inbound import InboundView, Rejected, async_read_json
from ...wire import Secret
from .hub import CONF_DELIVERY, CONF_SECRET, KEY, Delivery, SenseLinkHub
from .protocol import Event, MalformedFrameError, parse_event

_LOGGER = logging.getLogger(__name__)

URL = "/api/gatehouse/senselink/{secret}"

# The manual asks for the return code 200, and may mean that of HTTP or one in the body.
_ACKNOWLEDGEMENT = b'{"code":200,"message":"OK"}'


class SenseLinkView(InboundView[SenseLinkHub]):
    """Takes events for all servers; the path tells whose they are."""

    url = URL
    extra_urls = [f"{URL}/"]  # noqa: RUF012  # as Home Assistant declares it
    name = "gatehouse:senselink"

    @override
    async def receive(self, request: web.Request) -> web.Response:
        """Acknowledge whatever comes to the right address, and look at it afterwards.

        One answer that is late, or is another, and SenseLink sends nothing any more
        until somebody saves its settings anew.
        """
        entry = self._entry_with(request)
        try:
            body = await async_read_json(request)
        except Rejected as err:
            _LOGGER.debug("An event was of no use: %s", err.message)
        else:
            # Not the entry's own task: it may be just about to be reloaded.
            self.hass.async_create_background_task(
                self._async_take(entry, body),
                f"Take an event for {entry.title}",
                eager_start=False,
            )
        return web.Response(body=_ACKNOWLEDGEMENT, content_type=CONTENT_TYPE_JSON)

    async def _async_take(self, entry: GatehouseConfigEntry, body: Any) -> None:
        """Hand an event to its hub."""
        try:
            event: Event = parse_event(body)
            hub = await self.async_hub_of(entry)
        except (MalformedFrameError, Rejected) as err:
            _LOGGER.debug("An event was of no use: %s", err)
        else:
            hub.receive(event)

    def _entry_with(self, request: web.Request) -> GatehouseConfigEntry:
        """Return the entry whose address this is, running or not.

        Raises:
            HTTPNotFound: it is nobody's.

        """
        presented = request.match_info["secret"]
        # All are compared, so that the time taken tells nothing.
        found = [
            entry
            for entry in self.hass.config_entries.async_entries(
                DOMAIN, include_ignore=False
            )
            if entry.data[CONF_VENDOR] == KEY
            and entry.data[CONF_DELIVERY] == Delivery.SUBSCRIPTION
            and Secret(entry.data[CONF_SECRET]).matches(presented)
        ]
        if not found:
            self.log_refusal(request)
            # As Home Assistant answers at any address that it does not serve.
            raise web.HTTPNotFound
        return found[0]
