"""The address at which Tellicon reports calls, answers and DTMF."""

from http import HTTPStatus
from typing import override

from aiohttp import web

from ...const import CONF_VENDOR, DOMAIN
from ...hub import GatehouseConfigEntry
from ...inbound import InboundView, Rejected, async_read_json, reply
from ...wire import Secret
from .hub import CONF_TOKEN, KEY, TelliconHub
from .protocol import MalformedEventError, parse_event

URL = "/eventTellicon"
HEADER = "authTokenTellicon"


class TelliconView(InboundView[TelliconHub]):
    """Takes events for all accounts; the token tells whose they are."""

    url = URL
    extra_urls = [f"{URL}/"]  # noqa: RUF012  # as Home Assistant declares it
    name = "gatehouse:tellicon"

    @override
    async def receive(self, request: web.Request) -> web.Response:
        """Hand an event to the account whose token it bears.

        The manual asks for 200, 400, 401 and 500, and tells nothing of repetitions, so a
        repeated event is accepted like the first.
        """
        entry = self._entry_with(request.headers.get(HEADER, ""))
        try:
            event = parse_event(await async_read_json(request))
        except MalformedEventError as err:
            raise Rejected(HTTPStatus.BAD_REQUEST, str(err)) from err
        accepted = (await self.async_hub_of(entry)).receive(event)
        return reply(HTTPStatus.OK, "accepted" if accepted else "duplicate")

    def _entry_with(self, token: str) -> GatehouseConfigEntry:
        """Return the entry that a token belongs to, running or not.

        An entry that is just being reloaded must not get its sender banned, so only a
        token that nobody has counts as a failed login.

        Raises:
            HTTPUnauthorized: nobody has it.

        """
        # All are compared, so that the time taken tells nothing.
        if running := [hub.entry for hub in self.hubs if hub.token.matches(token)]:
            return running[0]
        if configured := [
            entry
            for entry in self.hass.config_entries.async_entries(
                DOMAIN, include_ignore=False
            )
            if entry.data[CONF_VENDOR] == KEY
            and Secret(entry.data[CONF_TOKEN]).matches(token)
        ]:
            return configured[0]
        for hub in self.hubs:
            hub.refused += 1
        # Home Assistant's ban list counts what is raised, not what is returned.
        raise web.HTTPUnauthorized(
            text='{"message":"wrong or no token"}', content_type="application/json"
        )
