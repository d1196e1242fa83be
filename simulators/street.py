"""The control server: a page and a small API to steer the stand-ins.

`GET /` is the page, `GET /api/state` tells of all stand-ins, and
`POST /api/{stand-in}/{action}` asks one for something, with a JSON object as its body.
Bad input is answered with 400, an unreachable Home Assistant with 502, both with
`{"error": text}`.
"""

from collections.abc import Iterable
import json
from pathlib import Path
from typing import override

from aiohttp import web

from .loopback import LoopbackServer, make_app_runner
from .neighbour import BadInput, Input, Neighbour, Unreachable

PAGE = Path(__file__).with_name("street.html")


class Street(LoopbackServer):
    """The neighbourhood's control server, on a loopback port."""

    def __init__(self, neighbours: Iterable[Neighbour], port: int = 8300) -> None:
        """Take the stand-ins, which start and stop with the street.

        Args:
            neighbours: The stand-ins.
            port: Where to serve; 0 is any free one.
        """
        self.neighbours = {neighbour.name: neighbour for neighbour in neighbours}
        super().__init__(port)

    @override
    async def start(self) -> None:
        """Start the stand-ins and serve the page.

        Raises:
            OSError: A port is taken.
        """
        try:
            for neighbour in self.neighbours.values():
                await neighbour.start()
            await super().start()
        except OSError:
            await self.stop()
            raise

    @override
    async def stop(self) -> None:
        """Stop serving and stop the stand-ins."""
        await super().stop()
        for neighbour in self.neighbours.values():
            await neighbour.stop()

    @override
    def _make_runner(self) -> web.AppRunner:
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self._show_page),
                web.get("/api/state", self._tell_state),
                web.post("/api/{neighbour}/{action}", self._act),
            ]
        )
        return make_app_runner(app)

    def describe(self) -> str:
        """Return the lines that say what runs where."""
        lines = [neighbour.describe() for neighbour in self.neighbours.values()]
        return "\n".join([*lines, f"Control page: {self.url}"])

    async def _show_page(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE, headers={"Cache-Control": "no-cache"})

    async def _tell_state(self, _: web.Request) -> web.Response:
        return web.json_response(
            {name: neighbour.state() for name, neighbour in self.neighbours.items()}
        )

    async def _act(self, request: web.Request) -> web.Response:
        """Let a stand-in do something."""
        neighbour = self.neighbours.get(request.match_info["neighbour"])
        if neighbour is None:
            return _error(404, "there is no such stand-in")
        action = neighbour.actions.get(request.match_info["action"])
        if action is None:
            return _error(404, f"{neighbour.name} has no such action")
        # Other sites' pages cannot send this type without being asked back first.
        if request.content_type != "application/json":
            return _error(400, "the body must be of type application/json")
        try:
            return web.json_response(await action(Input(await request.json())))
        except json.JSONDecodeError, UnicodeDecodeError, RecursionError:
            return _error(400, "the body must be JSON")
        except BadInput as error:
            return _error(400, str(error))
        except Unreachable as error:
            return _error(502, str(error))


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
