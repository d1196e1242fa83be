"""What the Tellicon address is measured against.

`POST /gatehouse_yardstick` checks a token, parses the same JSON with the standard
library, and writes as many plain event entities: one of the account, one of the unit.
"""

from typing import Any

from aiohttp import web

from homeassistant.components.http import HomeAssistantView

TOKEN = "yardstick-token-24-chars"


class YardstickView(HomeAssistantView):
    """A bare view."""

    url = "/gatehouse_yardstick"
    name = "gatehouse_yardstick"
    requires_auth = False

    def __init__(self, entities: dict[Any, Any]) -> None:
        """Know the entities by account and unit."""
        self._entities = entities

    async def post(self, request: web.Request) -> web.Response:
        """Write what has been called."""
        if request.headers.get("authTokenTellicon") != TOKEN:
            return self.json_message("wrong token", 401)
        event = (await request.json())["eventTellicon"]
        for key in ("account", event["apt"]):
            entity = self._entities[key]
            entity.ring(
                {
                    "caller": event["src"],
                    "unit": f"{event['client']}/{event['building']}/{event['apt']}",
                    "occurred_at": event["eventDateTime"],
                }
            )
        return self.json({"message": "accepted"})
