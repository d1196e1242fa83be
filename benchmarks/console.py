"""A UniFi Access console, as far as core's `unifi_access` needs one to set up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from simulators.certificate import make_server_context

API = "/api/v1/developer"


@asynccontextmanager
async def console(doors: int) -> AsyncIterator[int]:
    """Serve so many doors on a loopback port, and return which."""
    app = web.Application()
    listed = [
        {"id": f"door-{number}", "name": f"Door {number}", "type": "door"}
        for number in range(doors)
    ]
    app.router.add_get(f"{API}/doors", _answer(listed))
    app.router.add_get(
        f"{API}/doors/settings/emergency",
        _answer({"evacuation": False, "lockdown": False}),
    )
    app.router.add_get(
        f"{API}/doors/{{door}}/lock_rule", _answer({"type": "", "ended_time": 0})
    )
    app.router.add_get(f"{API}/devices", _answer([]))
    app.router.add_get(f"{API}/devices/notifications", _notify)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=make_server_context())
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _answer(data: object) -> web.Handler:
    """Return what answers with these data."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"code": "SUCCESS", "msg": "success", "data": data})

    return answer


async def _notify(request: web.Request) -> web.WebSocketResponse:
    """Keep a websocket open, on which nothing happens."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for _ in socket:
        pass
    return socket
