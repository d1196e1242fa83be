"""An app service of innovaphone, up to what is special to one of them.

Written from the vendor's page about the AppWebsocket protocol, and from what public
clients tell of the rest. Where these leave room, the choice is an attribute of
`AppService`.
"""

from abc import abstractmethod
import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
import contextlib
from dataclasses import dataclass, field
import hmac
import json
from typing import Any, Literal, override

from aiohttp import WSCloseCode, WSMsgType, web

from .innovaphone_devices import DomainRecord
from .innovaphone_login import compact, login_digest, random_digits, session_key
from .loopback import LoopbackServer

# What a JSON message may have at most, in bytes.
MESSAGE_LIMIT = 65_535

type KeepAlive = Literal["echo", "error", "silent"]
type Message = dict[str, Any]
type Answer = Callable[[Connection, Message], Awaitable[None]]


class Refusal(Exception):
    """What ends a request with an error. Codes are not documented, so it is a text."""


@dataclass(frozen=True)
class Subscription:
    """The wish to be told of changes.

    Attributes:
        wants: Whether it is about some subject.
        src: Of the request, or None.
    """

    wants: Callable[[Any], bool]
    src: str | None


@dataclass(eq=False)
class Connection:
    """A client's websocket.

    Attributes:
        login: The `AppLogin` that was accepted.
        admin: Whether it has access to all domains.
        domain_id: The domain of its login, or None for one that there is not.
        domain_ids: The domains that it has access to, unless it is admin.
        session_key: The secret that encrypts passwords.
        keys: What it was told to reach devices with, oldest first.
        subscriptions: By what they are about.
        ended: Whether it is over.
    """

    socket: web.WebSocketResponse = field(repr=False)
    transport: asyncio.Transport = field(repr=False)
    challenge: str | None = field(default=None, repr=False)
    login: Message | None = None
    admin: bool = False
    domain_id: int | None = None
    domain_ids: frozenset[int] = frozenset()
    session_key: str = field(default="", repr=False)
    keys: list[str] = field(default_factory=list, repr=False)
    subscriptions: defaultdict[str, list[Subscription]] = field(
        default_factory=lambda: defaultdict(list), repr=False
    )
    ended: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _outgoing: asyncio.Queue[str | None] = field(
        default_factory=asyncio.Queue, repr=False
    )
    _closing: bool = False

    def may_see(self, domain_id: int) -> bool:
        """Return whether it has access to a domain; to what has none, admins have."""
        return self.admin or domain_id in self.domain_ids

    def send(self, text: str, src: object = None) -> None:
        """Send a message's text after those before it, with a `src` added."""
        if src is not None:
            text = f'{text[:-1]},"src":{compact(src)}}}'
        self._outgoing.put_nowait(text)

    def close(self) -> None:
        """Close in good order, once everything is sent."""
        self._outgoing.put_nowait(None)

    async def write(self) -> None:
        """Send what there is to send, until the end."""
        with contextlib.suppress(ConnectionError):
            while (text := await self._outgoing.get()) is not None:
                await self.socket.send_str(text)
            self._closing = True
            await self.socket.close(code=WSCloseCode.GOING_AWAY)

    async def serve(
        self, receive: Callable[[str | bytes], Coroutine[Any, Any, None]]
    ) -> None:
        """Hand on what comes, and send what there is to send, until the end.

        One message does not wait for the answer to another.
        """
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(self.write())
            answers: set[asyncio.Task[None]] = set()
            async for message in self.socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    answer = tasks.create_task(receive(message.data))
                    answers.add(answer)
                    answer.add_done_callback(answers.discard)
            for answer in answers:
                answer.cancel()
            if not self._closing:
                writer.cancel()


class AppService(LoopbackServer):
    """An app service on an App Platform, on a loopback port.

    A message of more than 65535 bytes closes its connection with code 1009. What is no
    JSON object with a type is kept, but not answered. Before the login that is so for
    everything else.

    Attributes:
        path: Of the app object's URL: domain, instance and app.
        domain: Name of the instance's domain.
        password: Of the instance.
        domains: By their numbers.
        apps: The names that can log in, or None for any.
        info: Whether a login's `info` is part of the digest.
        challenge: Makes challenges.
        refuse_login: Whether logins are refused, whatever they are.
        refusal: What `ok` is in the result of a refused login; or an `error` is there.
        closes_after_refusal: Whether a refused login ends the connection.
        tells_domain: Whether the result of a login has the instance's domain.
        keepalive: What KeepAlive is answered with.
        answers_unknown: Whether messages of an unknown type get an error.
        upgrade_status: The HTTP status of an answer instead of a websocket.
        connections: Open websockets.
        attempts: All logins, oldest first.
        logins: Those that were accepted.
        requests: All messages that were received, logins too, oldest first.
        not_understood: What was no message, oldest first.
    """

    def __init__(
        self,
        port: int,
        *,
        path: str,
        domain: str,
        password: str,
        domains: Iterable[DomainRecord],
        apps: Sequence[str],
        tls: bool,
    ) -> None:
        """Take where it is and who can log in; it serves once started."""
        super().__init__(port, tls=tls)
        self.path = path
        self.domain = domain
        self.password = password
        self.domains = {record.id: record for record in domains}
        self.apps: Sequence[str] | None = apps
        self.info = True
        self.challenge: Callable[[], str | int] = random_digits
        self.refuse_login = False
        self.refusal: Literal["absent", "false", "error"] = "absent"
        self.closes_after_refusal = False
        self.tells_domain = True
        self.keepalive: KeepAlive = "silent"
        self.answers_unknown = False
        self.upgrade_status: int | None = None
        self.connections: list[Connection] = []
        self.attempts: list[Message] = []
        self.logins: list[Message] = []
        self.requests: list[Message] = []
        self.not_understood: list[str | bytes] = []
        # Per type of message; None is for no answer at all.
        self._failures: defaultdict[str, deque[str | None]] = defaultdict(deque)

    @property
    def app_url(self) -> str:
        """Return the URL of the app object, as an administrator knows it."""
        return f"{self.url}{self.path}"

    @property
    def base(self) -> str:
        """Return the path of the instance, which is that of the app without its name."""
        return self.path.rpartition("/")[0]

    @override
    def _make_runner(self) -> web.AppRunner:
        app = web.Application()
        # Clients connect to the app's URL, or to the instance's, with a slash or not.
        paths = {self.base, self.path}
        paths.update(f"{self.base}/{name}" for name in self.apps or ())
        for path in sorted(paths):
            app.router.add_get(path, self._serve)
            app.router.add_get(f"{path}/", self._serve)
        self._add_routes(app.router)
        return web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )

    @override
    def _to_break(self) -> Iterable[asyncio.Transport]:
        return [connection.transport for connection in self.connections]

    async def push_raw(self, text: str) -> None:
        """Send a text to all connections, whatever it is."""
        for connection in self.connections:
            connection.send(text)

    async def drop(self, abort: bool = True) -> None:
        """End all connections, and wait until they have ended.

        Args:
            abort: Whether they break; else they are closed, after all was sent.
        """
        connections = list(self.connections)
        for connection in connections:
            if abort:
                connection.transport.abort()
            else:
                connection.close()
        for connection in connections:
            await connection.ended.wait()

    async def freeze(self) -> None:
        """Read no more from the connections that there are, which stay open."""
        for connection in self.connections:
            connection.transport.pause_reading()

    def fail(self, mt: str, error: str, times: int = 1) -> None:
        """Let the next messages of a type be answered with an error."""
        self._failures[mt].extend([error] * times)

    def ignore(self, mt: str, times: int = 1) -> None:
        """Let the next messages of a type go unanswered."""
        self._failures[mt].extend([None] * times)

    @property
    @abstractmethod
    def _answers(self) -> Mapping[str, Answer]:
        """Return what answers the requests of this service, by their types."""

    @abstractmethod
    def _add_routes(self, router: web.UrlDispatcher) -> None:
        """Add what is served beside the websocket."""

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        """Speak with a client until one of both ends it."""
        if self.upgrade_status is not None:
            return web.Response(status=self.upgrade_status)
        socket = web.WebSocketResponse(
            timeout=1, compress=False, max_msg_size=MESSAGE_LIMIT + 1
        )
        await socket.prepare(request)
        assert request.transport is not None
        connection = Connection(socket, request.transport)
        self.connections.append(connection)
        try:
            await connection.serve(lambda data: self._receive(connection, data))
        finally:
            self.connections.remove(connection)
            connection.ended.set()
        return socket

    async def _receive(self, connection: Connection, data: str | bytes) -> None:
        """Record a message and answer it."""
        request = None
        if isinstance(data, str):
            with contextlib.suppress(ValueError, RecursionError):
                request = json.loads(data)
        if not isinstance(request, dict) or not isinstance(request.get("mt"), str):
            self.not_understood.append(data)
            return
        self.requests.append(request)
        mt = request["mt"]
        if self._failures[mt]:
            error = self._failures[mt].popleft()
            if error is not None:
                self._reply(connection, request, {"error": error})
        elif mt == "AppChallenge":
            challenge = self.challenge()
            connection.challenge = str(challenge)
            self._reply(connection, request, {"challenge": challenge})
        elif mt == "AppLogin":
            self._log_in(connection, request)
        elif mt == "KeepAlive":
            self._keep_alive(connection, request)
        elif connection.login is not None:
            await self._answer(connection, request)

    async def _answer(self, connection: Connection, request: Message) -> None:
        """Answer a request of someone who is logged in."""
        answer = self._answers.get(request["mt"])
        if answer is None:
            if self.answers_unknown:
                self._send_error(connection, request)
            return
        try:
            await answer(connection, request)
        except Refusal as refusal:
            self._reply(connection, request, {"error": str(refusal)})

    def _log_in(self, connection: Connection, request: Message) -> None:
        """Accept a login or refuse it."""
        self.attempts.append(request)
        # Each challenge is good for one login.
        challenge, connection.challenge = connection.challenge, None
        password = self._password_of(request, challenge)
        if challenge is None or password is None or self.refuse_login:
            self._refuse(connection, request)
            return
        domain = self._domain_named(request.get("domain"))
        connection.login = request
        connection.session_key = session_key(challenge, password)
        # The instance's password opens all domains only along with its domain.
        connection.admin = (password, request.get("domain")) == (
            self.password,
            self.domain,
        )
        if domain is not None:
            connection.domain_id = domain.id
            connection.domain_ids = frozenset({domain.id, *domain.granted})
        self.logins.append(request)
        result: Message = {"ok": True}
        if self.tells_domain:
            result["domain"] = self.domain
        self._reply(connection, request, result)

    def _refuse(self, connection: Connection, request: Message) -> None:
        """Refuse a login."""
        result: Message = {}
        if self.refusal == "false":
            result = {"ok": False}
        elif self.refusal == "error":
            result = {"error": "login failed"}
        self._reply(connection, request, result)
        if self.closes_after_refusal:
            connection.close()

    def _password_of(self, request: Message, challenge: str | None) -> str | None:
        """Return the password that a login proves to know, or None."""
        if self.apps is not None and request.get("app") not in self.apps:
            return None
        digest = str(request.get("digest")).encode("utf-8", "surrogatepass")
        domain = self._domain_named(request.get("domain"))
        for password in (self.password, domain.password if domain else None):
            if password is None:
                continue
            right = login_digest(request, challenge or "", password, info=self.info)
            if hmac.compare_digest(right.encode(), digest):
                return password
        return None

    def _domain_named(self, name: object) -> DomainRecord | None:
        """Return the domain of a name."""
        return next(
            (domain for domain in self.domains.values() if domain.name == name), None
        )

    def _keep_alive(self, connection: Connection, request: Message) -> None:
        """Answer a KeepAlive as it is wished."""
        if self.keepalive == "echo":
            connection.send(compact(request))
        elif self.keepalive == "error":
            self._send_error(connection, request)

    def _reply(
        self,
        connection: Connection,
        request: Message,
        result: Message,
        *,
        mt: str | None = None,
    ) -> None:
        """Send a request's result, of another type if one is given, with its `src`."""
        message = {"mt": mt or f"{request['mt']}Result", **result}
        connection.send(compact(message), request.get("src"))

    def _send_error(self, connection: Connection, request: Message) -> None:
        """Send what tells that a message is of an unknown type."""
        connection.send(
            compact({"mt": "Error", "error": f"{request['mt']} is not known"}),
            request.get("src"),
        )
