"""What a device or service answers sends Home Assistant nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest
from yarl import URL

from custom_components.gatehouse.vendors.innovaphone.client import DevicesClient, Login
from custom_components.gatehouse.vendors.ipac.client import Auth, IpacClient
from custom_components.gatehouse.vendors.senselink.client import (
    Credentials,
    PictureClient,
    SenseLinkClient,
)
from custom_components.gatehouse.vendors.the_keys.account import AccountClient
from custom_components.gatehouse.vendors.the_keys.client import GatewayClient, Share
from custom_components.gatehouse.wire import Secret, WireError
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

PASSWORD = Secret("invented")
CREDENTIALS = Credentials(app_key=Secret("key"), app_secret=Secret("secret"))

type Call = Callable[[HomeAssistant, URL], Awaitable[object]]


def station(auth: Auth) -> Call:
    """Return what has a station with a login open a door."""
    return lambda hass, url: IpacClient(
        async_get_clientsession(hass), url, auth=auth, username="a", password=PASSWORD
    ).open_relay(1, Secret("1234"))


async def picture(hass: HomeAssistant, url: URL) -> None:
    """Fetch a picture, signed if it is refused without."""
    await PictureClient(async_get_clientsession(hass), url, CREDENTIALS).fetch("abc")


# All that holds a credential, an order, or the way to one.
CALLS: Mapping[str, Call] = {
    "the_keys": lambda hass, url: GatewayClient(
        async_get_clientsession(hass), url
    ).open(Share("1", Secret("code"))),
    "the_keys account": lambda hass, url: AccountClient(
        async_get_clientsession(hass), url
    ).login("+33600000000", PASSWORD),
    **{f"ipac {auth}": station(auth) for auth in Auth},
    "senselink": lambda _, url: SenseLinkClient(
        str(url.host), int(url.port or 0), CREDENTIALS
    ).connect(),
    "senselink photo": picture,
    "innovaphone": lambda hass, url: DevicesClient(
        url / "example.com/devices",
        Login(app="app", domain="example.com", password=PASSWORD),
        session=async_get_clientsession(hass),
    ).connect(),
}


class Elsewhere:
    """A server to which nobody has any business to come."""

    def __init__(self) -> None:
        """Begin without visitors."""
        self.visitors = 0

    async def _visit(
        self, _: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.visitors += 1
        writer.close()

    async def serve(self) -> asyncio.Server:
        """Wait for visitors on a port of its own."""
        return await asyncio.start_server(self._visit, "127.0.0.1", 0)


@pytest.fixture
async def elsewhere(socket_enabled: None) -> AsyncIterator[tuple[Elsewhere, str]]:
    """Return a server and its address."""
    other = Elsewhere()
    async with await other.serve() as server:
        port = server.sockets[0].getsockname()[1]
        yield other, f"127.0.0.1:{port}"


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 401, 404])
async def test_nothing_goes_elsewhere(
    hass: HomeAssistant, elsewhere: tuple[Elsewhere, str], call: Call, status: int
) -> None:
    """Neither a redirect nor the range of a login is followed to another server."""
    other, address = elsewhere
    hosts: set[str] = set()

    async def mislead(request: web.Request) -> web.Response:
        hosts.add(request.host)
        # A websocket goes only where one is promised.
        scheme = request.headers.get("Upgrade", "http").replace("websocket", "ws")
        return web.Response(
            status=status,
            headers={
                "Location": f"{scheme}://{address}{request.path}",
                "Refresh": f"0; url=http://{address}",
                "WWW-Authenticate": (
                    f'Digest realm="x", nonce="y", qop="auth",'
                    f' domain="http://{address}/"'
                ),
            },
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", mislead)
    async with TestServer(app) as server:
        url = URL(f"http://127.0.0.1:{server.port}")
        with suppress(WireError):
            await call(hass, url)
    assert hosts == {url.authority}
    assert other.visitors == 0
