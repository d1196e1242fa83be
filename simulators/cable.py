"""A cable between a client and a stand-in, with which everything can be wrong.

It carries bytes and knows no protocol, so whatever speaks TCP can be laid through it.
"""

import asyncio
from contextlib import suppress
from enum import StrEnum
import socket
import struct
from typing import override

from .certificate import HOST
from .startable import Startable

# What a public hotspot answers instead of whom one has called.
PORTAL = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 31\r\n"
    b"Connection: close\r\n\r\n<html>Welcome, traveller</html>"
)
# A fatal alert, "unexpected message", with which TLS answers to what is none.
ALERT = b"\x15\x03\x03\x00\x02\x02\x0a"


class Trouble(StrEnum):
    """What is wrong with a cable."""

    REFUSED = "connection refused"
    SILENT = "half-open: accepted, and nothing goes either way"
    UNANSWERED = "what is sent arrives, and the answers do not"
    RESET = "reset in the middle of an answer"
    TRUNCATED = "orderly end in the middle of an answer"
    SLOW = "one byte of the answer a second"
    DOUBLED = "every piece of an answer comes twice"
    PORTAL = "somebody else answers, with a web page"
    TLS = "somebody answers with TLS"


# These take the place of the other side, so that links to it break.
_OTHERS = {Trouble.PORTAL: PORTAL, Trouble.TLS: ALERT}

BEFORE_CUT = 20
"""Bytes of an answer that come through before it is cut off."""


class Cable(Startable):
    """Carries connections on a port of its own to another one on loopback."""

    def __init__(self, port: int) -> None:
        """Lead to a port; it has to be started."""
        self._to = port
        self._port = 0
        self._server: asyncio.Server | None = None
        self._trouble: Trouble | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._spoilt: set[asyncio.StreamWriter] = set()
        self.accepted = 0
        """Connections that there have been."""

    @property
    def port(self) -> int:
        """Return its own port, the same one after a refusal."""
        return self._port

    @property
    def links(self) -> int:
        """Return how many connections there are."""
        return len(self._tasks)

    @override
    async def start(self) -> None:
        """Accept connections."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, HOST, self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    @override
    async def stop(self) -> None:
        """Break all connections, and refuse others."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break all connections there are, by a reset."""
        for end in tuple(self._ends):
            _reset(end)

    async def suffer(self, trouble: Trouble) -> None:
        """Let everything go wrong in one way from now on."""
        self._trouble = trouble
        if trouble is Trouble.REFUSED:
            await self.stop()
        elif trouble in _OTHERS:
            self.cut()

    async def mend(self) -> None:
        """Be a good cable again; connections that have lost bytes break."""
        self._trouble = None
        for end in tuple(self._spoilt):
            _reset(end)
        await self.start()

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry a connection until its end."""
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._ends.add(writer)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            self._forget(writer)
            self._tasks.discard(task)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if (answer := _OTHERS.get(self._trouble)) if self._trouble else None:
            await reader.read(1)
            writer.write(answer)
            await writer.drain()
            return
        if self._trouble is Trouble.SILENT:
            self._spoilt.add(writer)
            while await reader.read(65536):
                pass
            return
        there, back = await asyncio.open_connection(HOST, self._to)
        self._ends.add(back)
        try:
            asking = asyncio.create_task(self._ask(reader, back))
            answering = asyncio.create_task(self._answer(there, writer))
            try:
                await asyncio.wait(
                    {asking, answering}, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                for task in (asking, answering):
                    task.cancel()
                await asyncio.gather(asking, answering, return_exceptions=True)
        finally:
            self._forget(back)

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry what the client sends."""
        while data := await reader.read(65536):
            if self._trouble is Trouble.SILENT:
                self._spoilt.add(writer)
            else:
                writer.write(data)
                await writer.drain()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry what comes back."""
        while data := await reader.read(65536):
            match self._trouble:
                case Trouble.SILENT | Trouble.UNANSWERED:
                    self._spoilt.add(writer)
                case Trouble.RESET | Trouble.TRUNCATED:
                    writer.write(data[:BEFORE_CUT])
                    await writer.drain()
                    if self._trouble is Trouble.RESET:
                        _reset(writer)
                    return
                case Trouble.SLOW:
                    await self._trickle(data, writer)
                case Trouble.DOUBLED:
                    writer.write(data + data)
                    await writer.drain()
                case _:
                    writer.write(data)
                    await writer.drain()

    async def _trickle(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        """Send a byte a second until that is mended, and then the rest."""
        for position, byte in enumerate(data):
            if self._trouble is not Trouble.SLOW:
                writer.write(data[position:])
                break
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(1)

    def _forget(self, end: asyncio.StreamWriter) -> None:
        """End one end of a connection."""
        self._ends.discard(end)
        self._spoilt.discard(end)
        end.close()


def _reset(end: asyncio.StreamWriter) -> None:
    """Break one end of a connection."""
    transport = end.transport
    if not transport.is_closing():
        # Without lingering, closing is a reset instead of an orderly end.
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        transport.abort()
