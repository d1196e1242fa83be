"""The addresses at which Home Assistant stands in for Amphitech's ASM server."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
import logging
from typing import Any, override

from aiohttp import web

from homeassistant.const import CONTENT_TYPE_JSON
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_bytes

from ...const import CONF_VENDOR, DOMAIN
from ...hub import GatehouseConfigEntry
from ...inbound import InboundView, async_read_body
from ...wire import Secret
from .hub import CONF_ASM_SECRET, CONF_ASM_TOKEN, KEY, IpacHub
from .protocol import (
    EVENT_RECORDED,
    INVALID_TOKEN,
    MalformedMessageError,
    Message,
    parse_body,
    parse_event,
    parse_notify,
    parse_settings,
    token_of,
)

_LOGGER = logging.getLogger(__name__)

PATH = "/api/gatehouse/asm/{secret}/"

_ENDPOINTS: dict[str, Callable[[Mapping[str, Any]], Message]] = {
    "notify": parse_notify,
    "settings": parse_settings,
    "event": parse_event,
}


class AsmView(InboundView[IpacHub]):
    """Takes what all stations report; the path tells which station it is."""

    url = PATH + "{endpoint}"
    extra_urls = [f"{url}/"]  # noqa: RUF012  # as Home Assistant declares it
    name = "gatehouse:asm"

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with everything understood."""
        super().__init__(hass)
        self._odd: set[tuple[str, str]] = set()

    @override
    async def receive(self, request: web.Request) -> web.Response:
        """Hand a message to the station's hub, and answer what that says.

        What cannot be understood is recorded, too: a station that gets another answer
        may send it for ever.
        """
        entry = self._entry_with(request.match_info["secret"])
        parse = _ENDPOINTS.get(request.match_info["endpoint"])
        if entry is None or parse is None:
            return self._refuse(request)
        body = await async_read_body(request)
        try:
            fields = parse_body(body)
            if not Secret(entry.data[CONF_ASM_TOKEN]).matches(token_of(fields) or ""):
                return self._refuse(request)
            message = parse(fields)
        except MalformedMessageError as err:
            self._log_odd(entry, str(err))
            return _reply(HTTPStatus.OK, EVENT_RECORDED)
        return _reply(*(await self.async_hub_of(entry)).receive(message))

    def _entry_with(self, secret: str) -> GatehouseConfigEntry | None:
        """Return the entry whose address this is, running or not."""
        # All are compared, so that the time taken tells nothing.
        found = [
            entry
            for entry in self.hass.config_entries.async_entries(
                DOMAIN, include_ignore=False
            )
            if entry.data[CONF_VENDOR] == KEY
            and Secret(entry.data[CONF_ASM_SECRET]).matches(secret)
        ]
        return found[0] if found else None

    def _log_odd(self, entry: GatehouseConfigEntry, why: str) -> None:
        """Log a message of no use, once for each station and reason, which are few."""
        if (entry.entry_id, why) not in self._odd:
            self._odd.add((entry.entry_id, why))
            _LOGGER.warning(
                "A message of %s cannot be understood: %s", entry.title, why
            )

    def _refuse(self, request: web.Request) -> web.Response:
        """Answer as the station's own server does to a client that it does not know."""
        self.log_refusal(request)
        return _reply(HTTPStatus.NOT_FOUND, INVALID_TOKEN)


def _reply(status: HTTPStatus, message: Mapping[str, Any]) -> web.Response:
    """Return a reply as printed in the release note, down to its phrase for 404."""
    return web.Response(
        status=status,
        reason="ERROR" if status is HTTPStatus.NOT_FOUND else None,
        body=json_bytes(message),
        content_type=CONTENT_TYPE_JSON,
    )
