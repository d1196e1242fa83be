"""What all stand-ins that serve HTTP have in common."""

from abc import abstractmethod
import asyncio
from collections.abc import Iterable
from typing import override

from aiohttp import web

from .certificate import HOST, make_server_context
from .startable import Startable


class LoopbackServer(Startable):
    """A server on a loopback port, which can leave the network and come back to it."""

    def __init__(self, port: int = 0, *, tls: bool = False) -> None:
        """Choose the port; 0 is any free one, and the same one after a stop.

        Args:
            port: The port.
            tls: Whether it speaks TLS, with a certificate that nobody has signed.
        """
        self._port = port
        self._tls = tls
        self._runner: web.BaseRunner | None = None

    @property
    def host(self) -> str:
        """Return address and port, also while it is stopped."""
        return f"{HOST}:{self._port}"

    @property
    def url(self) -> str:
        """Return the base of all addresses, without a slash at its end."""
        return f"{'https' if self._tls else 'http'}://{self.host}"

    @property
    def running(self) -> bool:
        """Return whether it is in the network."""
        return self._runner is not None

    @override
    async def start(self) -> None:
        """Enter the network.

        Raises:
            OSError: The port is taken.
        """
        if self._runner is not None:
            return
        runner = self._make_runner()
        await runner.setup()
        context = make_server_context() if self._tls else None
        try:
            await web.TCPSite(runner, HOST, self._port, ssl_context=context).start()
        except OSError:
            await runner.cleanup()
            raise
        self._port = runner.addresses[0][1]
        self._runner = runner

    @override
    async def stop(self) -> None:
        """Leave the network: new connections are refused, and old ones end."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        for site in list(runner.sites):
            await site.stop()
        for transport in self._to_break():
            transport.abort()
        await runner.cleanup()

    @abstractmethod
    def _make_runner(self) -> web.BaseRunner:
        """Return what serves the requests; made anew for each start."""

    def _to_break(self) -> Iterable[asyncio.Transport]:
        """Return the connections that break at a stop; the others end in good order."""
        return ()


def make_app_runner(app: web.Application) -> web.AppRunner:
    """Return what serves an application, quietly and without waiting at its end."""
    return web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
