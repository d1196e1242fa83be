"""Tellicon: the calls of street panels, told to a partner's address.

Written from the vendor's manual of the events for partners and the public history of
that manual, which has four dialects: A (2024-01-17), B (2024-01-23), C (2024-03-01),
D (2024-08-01).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
import json
import time
from typing import Literal, Self

import aiohttp

DIALECTS = ("A", "B", "C", "D")
TOKEN_HEADER = "authTokenTellicon"

# In dialects C and D a condominium also has a company, which sells the service.
COMPANY = 7
PARTNER = 3

type Dialect = Literal["A", "B", "C", "D"]
type TypeKey = Literal["tipo", "type"]
type Event = dict[str, str | int]


def wall_clock() -> float:
    """Return the seconds since 1970, also when a test has frozen them."""
    return time.time()


@dataclass(frozen=True)
class Unit:
    """Who is called: an apartment, plot or room of a client.

    Attributes:
        client: Number of the condominium or company.
        building: Block, or None for a body without one.
        apt: Apartment, or None for a body without one.
    """

    client: int
    building: int | None
    apt: int | None


@dataclass(frozen=True)
class Reply:
    """What the partner answered.

    Attributes:
        status: Of HTTP.
        body: As it came.
        headers: By their names in lower case.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]


def push_call(unit: Unit, *, dialect: Dialect, src: str, at: int) -> Event:
    """Return the event of a call that a panel makes.

    Args:
        unit: Who is called.
        dialect: How it is written.
        src: The panel's extension.
        at: When, in seconds since 1970.
    """
    if dialect == "A":
        return {"type": "pushCall", "src": src, **_place(unit, "A"), "dateTime": at}
    if dialect == "D":
        return {
            "tipo": "pushCall",
            **_place(unit, "D"),
            "ramal": src,
            "dataHoraEvento": at,
        }
    return {
        "type": "pushCall",
        "src": _panel(src, dialect),
        **_place(unit, dialect),
        "eventDateTime": at,
    }


def answer_call(
    unit: Unit,
    *,
    dialect: Dialect,
    src: str,
    dst: str,
    at: int,
    answered: int,
    ended: int,
) -> Event:
    """Return the event of a call that was answered and is over.

    Args:
        unit: Who was called.
        dialect: How it is written.
        src: The panel's extension.
        dst: The resident's telephone.
        at: When the panel called, in seconds since 1970.
        answered: When the resident answered.
        ended: When one of them hung up.

    Raises:
        ValueError: Dialect A does not have this event.
    """
    _beyond_a(dialect)
    if dialect == "D":
        return {
            "tipo": "answerCall",
            **_place(unit, "D"),
            "ramal": src,
            "telefone": dst,
            "dataHoraEvento": at,
            "dataHoraAtendido": answered,
            "dataHoraEncerrado": ended,
            "tempoEspera": answered - at,
            "tempoConversa": ended - answered,
        }
    return {
        "type": "answerCall",
        "src": _panel(src, dialect),
        "dst": dst,
        **_place(unit, dialect),
        "eventDateTime": at,
        "answerDateTime": answered,
        "hangupDateTime": ended,
        "callDurationTime": ended - answered,
    }


def dtmf_command(
    unit: Unit,
    *,
    dialect: Dialect,
    src: str,
    dst: str,
    command: str,
    at: int,
    type_key: TypeKey = "tipo",
) -> Event:
    """Return the event of keys that a resident presses during a call.

    Args:
        unit: Who was called.
        dialect: How it is written.
        src: The resident's telephone: here the resident is the source.
        dst: The panel's extension.
        command: The keys.
        at: When, in seconds since 1970.
        type_key: Of dialect D: its table says `tipo`, its example `type`.

    Raises:
        ValueError: Dialect A does not have this event.
    """
    _beyond_a(dialect)
    if dialect == "D":
        return {
            type_key: "dtmfCommand",
            **_place(unit, "D"),
            "ramal": dst,
            "telefone": src,
            "dtmfComando": command,
            "dataHoraEvento": at,
        }
    return {
        "type": "dtmfCommand",
        "src": src,
        "dst": _panel(dst, dialect),
        **_place(unit, dialect),
        "dtmfCommand": command,
        "eventDateTime": at,
    }


def body_of(event: Event) -> bytes:
    """Return the JSON text that carries an event."""
    return json.dumps({"eventTellicon": event}).encode()


def _beyond_a(dialect: Dialect) -> None:
    if dialect == "A":
        raise ValueError("dialect A knows pushCall only")


def _panel(extension: str, dialect: Dialect) -> str:
    """Return a panel's number; in dialect C it has 14 digits."""
    return extension.rjust(14, "0") if dialect == "C" else extension


def _place(unit: Unit, dialect: Dialect) -> Event:
    """Return the keys that say who is called; what is None is left out."""
    keys = ("licenca", "bloco", "unidade")
    if dialect != "D":
        keys = ("client", "building", "apt")
    numbers = (unit.client, unit.building, unit.apt)
    place: Event = {
        key: number
        for key, number in zip(keys, numbers, strict=True)
        if number is not None
    }
    if dialect == "C":
        return {"company": COMPANY, **place}
    if dialect == "D":
        return {"parceiro": PARTNER, "contrato": COMPANY, **place}
    return place


class Tellicon:
    """The sender of events to one partner.

    Every method that sends raises `aiohttp.ClientError` if nobody answers.

    Attributes:
        url: The partner's address, with its path `/eventTellicon`.
        token: What the partner expects in the header `authTokenTellicon`.
        dialect: How events are written.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        dialect: Dialect = "B",
        clock: Callable[[], float] = wall_clock,
    ) -> None:
        """Take the partner's address and token; nothing is sent yet."""
        self.url = url
        self.token = token
        self.dialect: Dialect = dialect
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._last: bytes | None = None

    async def __aenter__(self) -> Self:
        """Return the sender."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the sender's connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections; the next event opens one again."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def ring(self, unit: Unit, src: str = "9001") -> Reply:
        """Tell of a call from the panel with the extension `src`."""
        return await self.send(
            push_call(unit, dialect=self.dialect, src=src, at=self._now())
        )

    async def answer(
        self,
        unit: Unit,
        *,
        src: str = "9001",
        dst: str = "018900000001",
        duration: int = 10,
        wait: int = 0,
    ) -> Reply:
        """Tell of a call that ends now.

        It was answered `duration` seconds ago, `wait` seconds after it began.

        Raises:
            ValueError: Dialect A does not have this event.
        """
        ended = self._now()
        answered = ended - duration
        return await self.send(
            answer_call(
                unit,
                dialect=self.dialect,
                src=src,
                dst=dst,
                at=answered - wait,
                answered=answered,
                ended=ended,
            )
        )

    async def dtmf(
        self,
        unit: Unit,
        command: str = "*2",
        *,
        src: str = "018900000001",
        dst: str = "9001",
        type_key: TypeKey = "tipo",
    ) -> Reply:
        """Tell of keys that the resident `src` presses.

        Raises:
            ValueError: Dialect A does not have this event.
        """
        return await self.send(
            dtmf_command(
                unit,
                dialect=self.dialect,
                src=src,
                dst=dst,
                command=command,
                at=self._now(),
                type_key=type_key,
            )
        )

    async def send(self, event: Event) -> Reply:
        """Send an event, which need not be a valid one."""
        self._last = body_of(event)
        return await self.send_raw(self._last)

    async def resend_last(self) -> Reply:
        """Send the same bytes as the last time.

        Raises:
            ValueError: Nothing has been sent yet.
        """
        if self._last is None:
            raise ValueError("nothing has been sent yet")
        return await self.send_raw(self._last)

    async def send_raw(
        self,
        body: bytes | AsyncIterator[bytes],
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send any body, with these headers instead of the token and the JSON type."""
        if headers is None:
            headers = self._headers()
        if self._session is None:
            # Each event comes on a connection of its own, and no proxy is asked.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True)
            )
        async with self._session.post(
            self.url, data=body, headers=headers, allow_redirects=False
        ) as response:
            return Reply(
                response.status,
                await response.read(),
                {name.lower(): value for name, value in response.headers.items()},
            )

    async def wrong_token(self, token: str = "wrong-token-of-24-chars!") -> Reply:
        """Send a call with a token that is not the partner's."""
        return await self.send_raw(
            self._call(), {**self._headers(), TOKEN_HEADER: token}
        )

    async def no_token(self) -> Reply:
        """Send a call without the header of the token."""
        return await self.send_raw(self._call(), {"Content-Type": "application/json"})

    async def not_json(self) -> Reply:
        """Send a body that breaks off."""
        return await self.send_raw(self._call()[:-9])

    async def too_deep(self, levels: int = 10_000) -> Reply:
        """Send JSON of so many lists inside each other."""
        return await self.send_raw(
            b'{"eventTellicon":' + b"[" * levels + b"]" * levels + b"}"
        )

    async def too_large(self, size: int = 64 * 1024 + 1) -> Reply:
        """Send a valid call that spaces make this many bytes long."""
        return await self.send_raw(self._call().ljust(size))

    async def slow_body(self, seconds_per_byte: float = 1) -> Reply:
        """Send a call byte by byte."""
        body = self._call()

        async def trickle() -> AsyncIterator[bytes]:
            for byte in body:
                await asyncio.sleep(seconds_per_byte)
                yield bytes([byte])

        return await self.send_raw(
            trickle(), {**self._headers(), "Content-Length": str(len(body))}
        )

    async def absurd_time(self, at: int = 17053389625) -> Reply:
        """Send a call at an impossible time, by default the manual's slip."""
        return await self.send(
            push_call(Unit(505, 121, 1001), dialect=self.dialect, src="9001", at=at)
        )

    def _headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json", TOKEN_HEADER: self.token}

    def _now(self) -> int:
        return int(self._clock())

    def _call(self) -> bytes:
        """Return the body of a call that the faults spoil."""
        return body_of(
            push_call(
                Unit(505, 121, 1001), dialect=self.dialect, src="9001", at=self._now()
            )
        )
