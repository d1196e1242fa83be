"""What can go wrong with one request to any stand-in that serves HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import socket
import struct

from aiohttp import web


class Fault:
    """Something that goes wrong with one request, to be given to an `inject`."""

    @staticmethod
    def code(number: int, cause: str = "") -> Failure:
        """Return a failure with one of the stand-in's numbers; nothing is done."""
        return Failure(number, cause)

    @staticmethod
    def busy() -> Busy:
        """Return the refusal of a stand-in that is at work; nothing is done."""
        return Busy()

    @staticmethod
    def empty() -> OtherReply:
        """Return an answer without a body; what was asked for is done."""
        return OtherReply(b"", acted=True)

    @staticmethod
    def reset(acted: bool) -> Reset:
        """Return a connection that breaks before or after the deed."""
        return Reset(acted)

    @staticmethod
    def hang(acted: bool) -> Hang:
        """Return silence until the client gives up or the server stops."""
        return Hang(acted)

    @staticmethod
    def late(go_on: asyncio.Event) -> Late:
        """Return a deed that is done, and answered, when somebody says so."""
        return Late(go_on)

    @staticmethod
    def reply(
        body: bytes,
        *,
        status: int = 200,
        content_type: str = "application/json",
        acted: bool = False,
        location: str | None = None,
    ) -> OtherReply:
        """Return any other answer, perhaps one that leads to another address."""
        return OtherReply(body, status, content_type, acted, location)

    @staticmethod
    def trickle(seconds_per_byte: float) -> Trickle:
        """Return the right answer, byte by byte."""
        return Trickle(seconds_per_byte)


@dataclass(frozen=True)
class Failure(Fault):
    """A failure, which the stand-in puts into its own words."""

    number: int
    cause: str = ""


@dataclass(frozen=True)
class Busy(Fault):
    """A refusal for now, which the stand-in puts into its own words."""


@dataclass(frozen=True)
class Reset(Fault):
    """A connection that is reset without an answer."""

    acted: bool


@dataclass(frozen=True)
class Hang(Fault):
    """A request that is never answered."""

    acted: bool


@dataclass(frozen=True)
class Late(Fault):
    """A request that is dealt with after others that came later."""

    go_on: asyncio.Event


@dataclass(frozen=True)
class OtherReply(Fault):
    """An answer that the stand-in would not give."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    acted: bool = False
    location: str | None = None


@dataclass(frozen=True)
class Trickle(Fault):
    """An answer that comes slowly."""

    seconds_per_byte: float


async def suffer(
    fault: Fault | None,
    request: web.BaseRequest,
    answer: Callable[[], Awaitable[web.Response]],
) -> web.StreamResponse:
    """Return what becomes of a request.

    Args:
        fault: What goes wrong, or None. Not one that needs the stand-in's own words.
        request: Whose handler must end when its connection does.
        answer: Does what is asked for and returns the right answer.
    """
    match fault:
        case Reset():
            if fault.acted:
                await answer()
            return await break_off(request)
        case Hang():
            if fault.acted:
                await answer()
            return await _until_connection_lost()
        case Late():
            await fault.go_on.wait()
        case OtherReply():
            if fault.acted:
                await answer()
            response = web.Response(
                body=fault.body,
                status=fault.status,
                content_type=fault.content_type,
                headers={"Location": fault.location} if fault.location else None,
            )
            response.force_close()
            return response
        case Trickle():
            return await _send_slowly(request, await answer(), fault.seconds_per_byte)
    return await answer()


async def break_off(request: web.BaseRequest) -> web.Response:
    """Reset a request's connection."""
    assert request.transport is not None
    # Without lingering, closing is a reset instead of an orderly end.
    request.transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    request.transport.abort()
    return await _until_connection_lost()


async def _until_connection_lost() -> web.Response:
    """Wait for the end of the connection, which cancels the request's handler."""
    never: asyncio.Future[web.Response] = asyncio.get_running_loop().create_future()
    return await never


async def _send_slowly(
    request: web.BaseRequest, answer: web.Response, seconds_per_byte: float
) -> web.StreamResponse:
    """Send an answer's body byte by byte."""
    assert isinstance(answer.body, bytes)
    response = web.StreamResponse(status=answer.status, reason=answer.reason)
    response.content_type = answer.content_type
    response.content_length = len(answer.body)
    response.force_close()
    await response.prepare(request)
    for byte in answer.body:
        await asyncio.sleep(seconds_per_byte)
        await response.write(bytes([byte]))
    await response.write_eof()
    return response
