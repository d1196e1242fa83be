"""Talks to innovaphone's Devices: asks, hears what has changed, and reaches devices."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import count
import logging
import ssl
from typing import Any, NamedTuple

import aiohttp
import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from yarl import URL

from ...wire import (
    Breather,
    CannotConnect,
    InvalidAuth,
    LostReply,
    Secret,
    TimedOut,
    TooLarge,
    UnexpectedReply,
    WireError,
    http_errors,
    open_websocket,
    parse_json,
    read_bounded,
)
from .protocol import (
    MAX_REQUEST,
    Category,
    DeviceConfig,
    DeviceNews,
    DeviceObject,
    Domain,
    Indication,
    MalformedMessageError,
    Message,
    ProvisioningCode,
    Refusal,
    UserInfo,
    app_login,
    message_type,
    parse_categories,
    parse_challenge,
    parse_config,
    parse_config_value,
    parse_configs,
    parse_devices,
    parse_domains,
    parse_indication,
    parse_provisioned,
    parse_provisioning_code,
    parse_user_info,
    passthrough_path,
    path_component,
    refusal_of,
)

_LOGGER = logging.getLogger(__name__)

MAX_MESSAGE = 1024 * 1024
"""Bytes of a message at most. The vendor's services send 65,535, about 200 devices; what
newer ones send is not known."""

MAX_PASSTHROUGH_REPLY = 256 * 1024
"""Bytes of the reply of a device's web server at most."""

MAX_RESULTS = 100_000
"""Messages that one request is answered with at most."""

MAX_RESULT_BYTES = 32 * 1024 * 1024
"""Bytes of all the messages that one request is answered with."""

MAX_CONFIG_BYTES = 256 * 1024
"""The same where they are the values of one configuration, which are put together."""

# What else an answer claims to be written in can take for ever to read, or be no text.
_CHARSETS = frozenset({"utf-8", "utf8", "iso-8859-1", "windows-1252", "us-ascii"})

REDACTED = "**REDACTED**"

_CONFIG_VALUE = "GetDeviceConfigValueResult"


class Pace(NamedTuple):
    """How long to wait for what, in seconds."""

    connect: float = 10.0
    login: float = 10.0
    """For each of the two answers that a login needs."""
    reply: float = 30.0
    """For a result, or for the next part of it; and until a request is on its way."""
    user_info: float = 10.0
    """For an answer to either name of that request."""
    idle: float = 45.0
    """Without traffic, until a sign of life is given. The vendor's own clients wait 60
    seconds, or as long as they are told to."""
    doubt: float = 120.0
    """Without a word from the service, until it is asked whether it is still there."""
    close: float = 0.5
    """For the other side's half of an orderly end."""
    passthrough_connect: float = 5.0
    passthrough: float = 30.0
    """Both as in the vendor's own client."""


PACE = Pace()


class Login(NamedTuple):
    """What proves to the service who asks."""

    app: str
    domain: str
    password: Secret


class PassthroughReply(NamedTuple):
    """What the web server of a device has answered."""

    status: int
    content_type: str
    body: str


class _Question:
    """A request that waits for its results."""

    def __init__(self, types: frozenset[str], room: int) -> None:
        """Begin to wait for messages of these types."""
        self.types = types
        self.results: asyncio.Queue[Message] = asyncio.Queue()
        self.room = room
        """Bytes of results that may still come."""


class DevicesClient:
    """The service Devices of an App Platform, and the way to log in to it."""

    def __init__(
        self,
        url: URL,
        login: Login,
        *,
        session: aiohttp.ClientSession,
        tls: ssl.SSLContext | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Prepare to connect; nothing is sent.

        Args:
            url: the service's address, with http or https.
            login: what to log in with.
            session: for the web servers of devices, which are reached through the
                service; it must verify certificates, or not, as `tls` does.
            tls: for https.
            pace: how long to wait for what.

        """
        self.url = url
        self.session = session
        self.pace = pace or PACE
        self._login = login
        self._tls = tls if url.scheme == "https" else None
        # The second is that of 13r1. What was understood stands first.
        self.user_info_names = deque(("GetUserInfo", "GetLoginInfo"))

    async def connect(
        self, hear: Callable[[Indication], None] | None = None
    ) -> Connection:
        """Connect and log in; `hear` is told what the service says unasked.

        Raises:
            CannotConnect: nobody is there, or the websocket ended before the login.
            InvalidAuth: the login is refused.
            TimedOut: no answer came in time.
            UnexpectedReply: something answered that is no app service.

        """
        websocket = await self._open()
        try:
            await self._log_in(websocket)
        except BaseException:
            await _close(websocket)
            raise
        return Connection(self, websocket, hear)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """Connect, log in, and end the connection afterwards; raises as `connect`."""
        connection = await self.connect()
        try:
            yield connection
        finally:
            await connection.close()

    async def _open(self) -> ClientConnection:
        """Open the websocket."""
        scheme = "wss" if self.url.scheme == "https" else "ws"
        return await open_websocket(
            self.url.with_scheme(scheme),
            tls=self._tls,
            open_timeout=self.pace.connect,
            close_timeout=self.pace.close,
            max_size=MAX_MESSAGE,
        )

    async def _log_in(self, websocket: ClientConnection) -> None:
        """Prove the password; the client speaks first."""
        try:
            await websocket.send(_encoded({"mt": "AppChallenge"}))
            challenge = parse_challenge(
                await self._reply(websocket, "AppChallengeResult")
            )
            await websocket.send(
                _encoded(
                    app_login(
                        self._login.app,
                        self._login.domain,
                        challenge,
                        self._login.password,
                    )
                )
            )
            result = await self._reply(websocket, "AppLoginResult")
        except MalformedMessageError as err:
            raise UnexpectedReply(str(err)) from err
        except TimeoutError as err:
            raise TimedOut from err
        except ConnectionClosed as err:
            raise CannotConnect from err
        # A refusal is a result without the word; no reason is documented.
        if result.get("ok") is not True:
            raise InvalidAuth

    async def _reply(self, websocket: ClientConnection, mt: str) -> Message:
        """Return the next message of a type; others do not count before the login."""
        async with asyncio.timeout(self.pace.login):
            while True:
                message: Message = parse_json(
                    _bytes(await websocket.recv(decode=False))
                )
                if message_type(message) == mt:
                    return message


class Connection:
    """A websocket to the service, logged in.

    Every request may raise `Refusal` (the service's own word) or one of `LostReply`,
    `TimedOut`, `TooLarge` and `UnexpectedReply`.
    """

    def __init__(
        self,
        client: DevicesClient,
        websocket: ClientConnection,
        hear: Callable[[Indication], None] | None,
    ) -> None:
        """Begin to read, and to give signs of life."""
        self._client = client
        self._pace = client.pace
        self._websocket = websocket
        self._hear = hear
        self._numbers = count(1)
        self._questions: dict[str, _Question] = {}
        self._key: Secret | None = None
        self._lost = asyncio.Event()
        self._heard_at = self._sent_at = _now()
        self._reading = asyncio.create_task(self._read())
        self._keeping_alive = asyncio.create_task(self._keep_alive())

    async def wait_closed(self) -> None:
        """Wait until the websocket has ended, by whomever."""
        await self._lost.wait()

    async def close(self) -> None:
        """End the websocket in good order, or without it if that takes too long."""
        self._keeping_alive.cancel()
        await _close(self._websocket)
        await asyncio.gather(self._reading, self._keeping_alive, return_exceptions=True)

    # --- Requests

    async def user_info(self) -> UserInfo:
        """Return the session's key and rights; requests to devices use this key."""
        names = self._client.user_info_names
        try:
            return await self._user_info(names[0])
        except LostReply:
            # How an unknown request is answered is not documented: if by the end of the
            # connection, then the other name is for the next one.
            names.rotate()
            raise
        except Refusal, WireError:
            names.rotate()
        try:
            return await self._user_info(names[0])
        except Refusal, WireError:
            names.rotate()
            raise

    async def _user_info(self, name: str) -> UserInfo:
        """Ask for the session's key by one of the names of the request."""
        (result,) = await self._ask(name, patience=self._pace.user_info)
        info = _parsed(parse_user_info, result)
        self._key = info.key
        return info

    async def domains(self, *, recv_updates: bool = False) -> list[Domain]:
        """Return the domains that the login may see."""
        results = await self._ask_for_list(
            "GetDomains", recvUpdates=recv_updates or None
        )
        return await _gathered(results, parse_domains)

    async def devices(
        self,
        *,
        recv_updates: bool = False,
        unassigned: bool | None = None,
        domain_ids: tuple[int, ...] = (),
        categories: tuple[str, ...] = (),
        subcategories: tuple[str, ...] = (),
    ) -> list[DeviceObject]:
        """Return the devices that a filter lets through; without a filter, all.

        Args:
            recv_updates: whether changes are to be told from now on. What was told
                before by another list may then be told no more; nothing is documented.
            unassigned: those without a domain, with those of `domain_ids` if given.
            domain_ids: those of these domains.
            categories: those with one of these.
            subcategories: those that also have one of these.

        """
        results = await self._ask_for_list(
            "GetDevices",
            recvUpdates=recv_updates or None,
            unassigned=unassigned,
            domainIds=",".join(map(str, domain_ids)) or None,
            categories=",".join(categories) or None,
            subcategories=",".join(subcategories) or None,
        )
        return await _gathered(results, parse_devices)

    async def filtered_devices(
        self,
        *,
        domain_id: int | None = None,
        only_fxs: bool = False,
        types: tuple[str, ...] = (),
        hw_ids: tuple[str, ...] = (),
    ) -> list[DeviceObject]:
        """Return the devices of one domain, that of the login if none is given."""
        results = await self._ask_for_list(
            "GetFilteredDevices",
            # The document's table names the other list's result here and there.
            results=("GetDevicesResult",),
            domainId=domain_id,
            justFxs=only_fxs or None,
            types=list(types) or None,
            hwIds=",".join(hw_ids) or None,
        )
        return await _gathered(results, parse_devices)

    async def provisioning_categories(
        self, device_type: str | None = None, *, domain_id: int | None = None
    ) -> list[Category]:
        """Return the categories of a domain that fit a type of devices."""
        results = await self._ask_for_list(
            "GetProvisioningCategories", type=device_type, domainId=domain_id
        )
        return await _gathered(results, parse_categories)

    async def provisioning_code(
        self,
        category: str,
        *,
        domain_id: int | None = None,
        sip: str | None = None,
        rollout: bool = False,
        administrative: bool = False,
    ) -> ProvisioningCode:
        """Have a code made; that it was used is told unasked.

        Args:
            category: the category that the device gets.
            domain_id: the domain that it gets into, that of the login if not given.
            sip: SIP name of the user whose device it will be.
            rollout: whether the code is valid for seven days, not for 15 minutes.
            administrative: whether the device gets the domain's password.

        """
        (result,) = await self._ask(
            "GetProvisioningCode",
            category=category,
            domainId=domain_id,
            sip=sip,
            rollout=rollout or None,
            administrative=administrative or None,
        )
        return _parsed(parse_provisioning_code, result)

    async def provisioned_device(
        self, code: str, *, domain_id: int | None = None
    ) -> DeviceNews | None:
        """Return the device at which a code was typed; if none, that is told later."""
        (result,) = await self._ask(
            "GetProvisionedDevice", code=code, domainId=domain_id
        )
        return _parsed(parse_provisioned, result)

    async def device_configs(
        self, *, domain_id: int | None = None, recv_updates: bool = False
    ) -> list[DeviceConfig]:
        """Return the configurations of a domain, without their values."""
        results = await self._ask_for_list(
            "GetDeviceConfigs",
            # The document's contents name it so.
            results=("GetDevicesConfigsResult",),
            domainId=domain_id,
            recvUpdates=recv_updates or None,
        )
        # To look for passwords takes its time.
        return await asyncio.to_thread(
            lambda: [one for result in results for one in parse_configs(result)]
        )

    async def device_config(
        self, config_id: int, *, domain_id: int | None = None
    ) -> DeviceConfig:
        """Return a configuration with its values, the long ones put together."""
        *pieces, result = await self._ask(
            "GetDeviceConfig",
            results=("GetDevicesConfigResult", _CONFIG_VALUE),
            ends=lambda message: message.get("mt") != _CONFIG_VALUE,
            room=MAX_CONFIG_BYTES,
            id=config_id,
            domainId=domain_id,
        )
        values: dict[str, list[str]] = {}
        for piece in pieces:
            name, value = _parsed(parse_config_value, piece)
            values.setdefault(name, []).append(value)
        return await asyncio.to_thread(
            _parsed,
            lambda message: parse_config(
                message.get("config"),
                {name: "".join(parts) for name, parts in values.items()},
            ),
            result,
        )

    async def pass_through(
        self, hw_id: str, method: str, path: str, body: str | None = None
    ) -> PassthroughReply:
        """Have a device's own web server answer a request.

        The address is the credential, so nothing that is raised quotes it.

        Raises:
            CannotConnect: the service was not reached.
            LostReply: the request may have arrived.
            TimedOut: no answer came in time.
            TooLarge: the answer is.
            UnexpectedReply: the answer is none of a web server.
            ValueError: the path, or the hardware id, leads elsewhere.

        """
        rest = passthrough_path(path)
        try:
            return await self._pass_through(hw_id, method, rest, body)
        except WireError as err:
            failure = type(err)
        # Outside of the handler, for the address would hang on to it as its context.
        raise failure

    async def _pass_through(
        self, hw_id: str, method: str, path: str, body: str | None
    ) -> PassthroughReply:
        if self._key is None:
            raise CannotConnect
        key = self._key.reveal()
        quoted_key = path_component(key)
        # A device's `uri` would be the same, but it comes only now and then.
        url = URL(
            f"{self._client.url}/passthrough/{path_component(hw_id)}"
            f"/{quoted_key}/{path}",
            encoded=True,
        )
        content: bytes | None
        with http_errors():
            async with self._client.session.request(
                method,
                url,
                data=body,
                # Home Assistant's own guard against redirects is not needed where none
                # is followed.
                middlewares=(_once,),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=self._pace.passthrough,
                    sock_connect=self._pace.passthrough_connect,
                ),
            ) as response:
                try:
                    content = await read_bounded(
                        response.content, MAX_PASSTHROUGH_REPLY
                    )
                except TooLarge:
                    content = None
        if content is None:
            raise TooLarge
        charset = (response.charset or "").lower()
        text = content.decode(charset if charset in _CHARSETS else "utf-8", "replace")
        return PassthroughReply(
            status=response.status,
            content_type=response.content_type,
            # Some servers quote the address that was asked for.
            body=text.replace(quoted_key, REDACTED).replace(key, REDACTED),
        )

    # --- Traffic

    async def _ask_for_list(
        self, mt: str, *, results: tuple[str, ...] = (), **fields: Any
    ) -> list[Message]:
        """Ask for a list, which comes in parts until one says that it is the last."""
        return await self._ask(
            mt,
            results=results,
            ends=lambda message: message.get("last") is True,
            **fields,
        )

    async def _ask(
        self,
        mt: str,
        *,
        results: tuple[str, ...] = (),
        ends: Callable[[Message], bool] = lambda _: True,
        room: int | None = None,
        patience: float | None = None,
        **fields: Any,
    ) -> list[Message]:
        """Send a request and return its results.

        Args:
            mt: its type.
            results: types of results beside the usual one.
            ends: tells whether a result is the last one.
            room: bytes of all results at most, if fewer than usual.
            patience: seconds to wait for each result.
            fields: what it says; None is left out.

        """
        src = str(next(self._numbers))
        # The document's example of one result has the type of its request.
        question = _Question(
            frozenset({mt, f"{mt}Result", "Error", *results}), room or MAX_RESULT_BYTES
        )
        self._questions[src] = question
        try:
            await self._send({"mt": mt, "src": src, **fields})
            gathered: list[Message] = []
            while len(gathered) < MAX_RESULTS:
                async with asyncio.timeout(patience or self._pace.reply):
                    result = await question.results.get()
                if (refusal := refusal_of(result)) is not None:
                    raise refusal
                if result["mt"] == "Error":
                    raise Refusal("Error")
                gathered.append(result)
                if ends(result):
                    return gathered
        except TimeoutError as err:
            raise TimedOut from err
        except asyncio.QueueShutDown as err:
            if question.room < 0:
                raise UnexpectedReply("results too large") from err
            raise LostReply from err
        finally:
            del self._questions[src]
        raise UnexpectedReply("a result without an end")

    async def _send(self, message: Mapping[str, Any]) -> None:
        """Send a message.

        Raises:
            LostReply: the websocket has ended.
            TimedOut: the service takes nothing more.
            TooLarge: the service would not take it, so it was not sent.

        """
        text = _encoded(
            {key: value for key, value in message.items() if value is not None}
        )
        try:
            async with asyncio.timeout(self._pace.reply):
                await self._websocket.send(text)
        except TimeoutError as err:
            raise TimedOut from err
        except ConnectionClosed as err:
            raise LostReply from err
        self._sent_at = _now()

    async def _read(self) -> None:
        """Hand out what comes, as long as the websocket is open."""
        breather = Breather()
        try:
            with suppress(ConnectionClosed):
                while True:
                    self._take(_bytes(await self._websocket.recv(decode=False)))
                    # In a burst the next message is there already.
                    await breather.breathe()
        finally:
            self._key = None
            self._keeping_alive.cancel()
            self._lost.set()
            for question in self._questions.values():
                question.results.shutdown()

    def _take(self, data: bytes) -> None:
        """Hand a message to whom it is for."""
        self._heard_at = _now()
        try:
            message = parse_json(data)
            # Before anything else: some servers repeat the `src` of the request that
            # subscribed to it, others do not.
            indication = parse_indication(message)
        except (UnexpectedReply, MalformedMessageError) as err:
            _LOGGER.debug("A message cannot be understood: %s", err)
            return
        if indication is None:
            question = self._question_for(message)
            if question is not None:
                question.room -= len(data)
                if question.room >= 0:
                    question.results.put_nowait(message)
                else:
                    question.results.shutdown(immediate=True)
        elif self._hear is not None:
            try:
                self._hear(indication)
            except Exception:
                _LOGGER.exception("A message could not be worked with")

    def _question_for(self, message: Message) -> _Question | None:
        """Return the request that a message answers."""
        mt = message["mt"]
        src = message.get("src")
        if src is None:
            # Not echoed. An error without it may be about a sign of life.
            return next(
                (
                    question
                    for question in self._questions.values()
                    if mt in question.types and mt != "Error"
                ),
                None,
            )
        question = self._questions.get(str(src))
        return question if question is not None and mt in question.types else None

    async def _keep_alive(self) -> None:
        """Give a sign of life when nothing else is said.

        Whether it is answered is not documented, so silence alone means nothing. After
        long silence the service is asked something that it must answer.
        """
        with suppress(LostReply):
            while True:
                quiet_since = max(self._heard_at, self._sent_at)
                if (rest := quiet_since + self._pace.idle - _now()) > 0:
                    await asyncio.sleep(rest)
                elif _now() < self._heard_at + self._pace.doubt:
                    with suppress(TimedOut):
                        await self._send({"mt": "KeepAlive"})
                elif not await self._is_there():
                    self._websocket.transport.abort()
                    return

    async def _is_there(self) -> bool:
        """Tell whether the service answers at all. The answer may bring a new key."""
        with suppress(Refusal, UnexpectedReply):
            try:
                await self._user_info(self._client.user_info_names[0])
            except TimedOut:
                return False
        return True


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Send a request once.

    The HTTP library would repeat a GET whose reply was lost, but devices take orders so.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as err:
        raise LostReply from err


async def _gathered[ObjectT](
    results: list[Message], parse: Callable[[Message], list[ObjectT]]
) -> list[ObjectT]:
    """Return what all parts of a list hold, of which there may be thousands."""
    breather = Breather()
    objects: list[ObjectT] = []
    for result in results:
        objects += parse(result)
        await breather.breathe()
    return objects


async def _close(websocket: ClientConnection) -> None:
    """End a websocket, the other side willing or not."""
    try:
        await websocket.close()
    finally:
        websocket.transport.abort()


def _encoded(message: Mapping[str, Any]) -> str:
    """Return a message as it is sent.

    Raises:
        TooLarge: it is longer than an app service takes.

    """
    encoded = orjson.dumps(message)
    if len(encoded) > MAX_REQUEST:
        raise TooLarge
    return encoded.decode()


def _parsed[ResultT](parse: Callable[[Message], ResultT], message: Message) -> ResultT:
    """Read a result.

    Raises:
        UnexpectedReply: it is not as documented.

    """
    try:
        return parse(message)
    except MalformedMessageError as err:
        raise UnexpectedReply(str(err)) from err


def _bytes(data: str | bytes | bytearray | memoryview) -> bytes:
    """Return a message as bytes, in which form it was asked for."""
    return data.encode() if isinstance(data, str) else bytes(data)


def _now() -> float:
    """Return the time of the event loop, in seconds."""
    return asyncio.get_running_loop().time()
