"""The client on a real websocket: against the simulator, and against worse."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
import json
import logging
from random import Random
import threading
from typing import Any
from unittest.mock import Mock

import aiohttp
from aiohttp.test_utils import unused_port
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidURI
from yarl import URL

from custom_components.gatehouse import wire
from custom_components.gatehouse.vendors.innovaphone import client
from custom_components.gatehouse.vendors.innovaphone.client import (
    MAX_MESSAGE,
    MAX_PASSTHROUGH_REPLY,
    Connection,
    DevicesClient,
    Login,
    Pace,
)
from custom_components.gatehouse.vendors.innovaphone.protocol import (
    DEFAULT_APP,
    DeviceTold,
    DomainDeleted,
    DomainTold,
    Indication,
    Refusal,
    service_url,
)
from custom_components.gatehouse.wire import (
    CannotConnect,
    InvalidAuth,
    LostReply,
    Secret,
    TimedOut,
    TooLarge,
    UnexpectedReply,
    WireError,
)
from simulators.faults import Fault
from simulators.innovaphone import Innovaphone
from simulators.innovaphone_devices import DeviceRecord, DomainRecord

from ...conftest import until
from ...fuzz.mutation import Mutator
from ...fuzz.targets import make_reply
from .conftest import (
    ADAPTER,
    DOCKER,
    DOMAIN_PASSWORD,
    HALL,
    PASSWORD,
    RECEPTION,
    UNASSIGNED,
    asked,
)

QUICK = Pace(
    connect=2,
    login=1.5,
    reply=1.5,
    user_info=1,
    passthrough_connect=2,
    passthrough=1.5,
)

type Make = Callable[..., DevicesClient]


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session of its own."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def make(session: aiohttp.ClientSession) -> Make:
    """Return what makes a client of an address."""

    def make(
        url: str,
        *,
        app: str = DEFAULT_APP,
        domain: str = "example.com",
        password: str = PASSWORD,
        pace: Pace | None = None,
    ) -> DevicesClient:
        return DevicesClient(
            service_url(url),
            Login(app=app, domain=domain, password=Secret(password)),
            session=session,
            pace=pace,
        )

    return make


@pytest.fixture
async def heard() -> list[Indication]:
    """Return what will hold what is said unasked."""
    return []


@pytest.fixture
async def connection(
    service: Innovaphone, make: Make, heard: list[Indication]
) -> AsyncIterator[Connection]:
    """Return a connection to the simulated service."""
    connection = await make(service.app_url).connect(heard.append)
    yield connection
    await connection.close()


@asynccontextmanager
async def scripted(
    answer: Callable[[ServerConnection, dict[str, Any]], Awaitable[None]],
) -> AsyncIterator[str]:
    """Serve what lets everyone in, and leaves all further requests to `answer`."""

    async def talk(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            async for text in socket:
                request = json.loads(text)
                match request["mt"]:
                    case "AppChallenge":
                        await say(socket, "AppChallengeResult", challenge="1")
                    case "AppLogin":
                        await say(socket, "AppLoginResult", ok=True)
                    case _:
                        await answer(socket, request)

    async with serve(talk, "127.0.0.1", 0, close_timeout=0.2) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}/example.com/devices/"


async def say(socket: ServerConnection, mt: str, **members: Any) -> None:
    """Send a message."""
    await socket.send(json.dumps({"mt": mt, **members}))


# --- Coming in


@pytest.mark.parametrize(
    "spelling",
    ["{app}", "{app}/", "{base}", "{base}/", "{base}/innovaphone-devices", "ws"],
)
async def test_spellings(service: Innovaphone, make: Make, spelling: str) -> None:
    """Any spelling of the address leads in, and to the devices."""
    url = spelling.format(app=service.app_url, base=f"{service.url}{service.base}")
    if spelling == "ws":
        url = service.app_url.replace("http://", "ws://")
    async with make(url).connected() as connection:
        await connection.user_info()
        reply = await connection.pass_through(RECEPTION, "GET", "log.txt")
        assert "link up" in reply.body


async def test_login(service: Innovaphone, make: Make) -> None:
    """The login is a challenge and its answer, and nothing else."""
    async with make(service.app_url).connected():
        assert [request["mt"] for request in service.requests] == [
            "AppChallenge",
            "AppLogin",
        ]
    (login,) = service.logins
    assert login["app"] == "innovaphone-devices-api"
    assert login["domain"] == "example.com"
    assert "info" not in login
    assert PASSWORD not in str(service.requests)


async def test_number_as_challenge(service: Innovaphone, make: Make) -> None:
    """Old builds have sent a number."""
    service.challenge = lambda: 42
    async with make(service.app_url).connected():
        assert len(service.logins) == 1


async def test_other_app(service: Innovaphone, make: Make) -> None:
    """The app with the user interface lets in, too."""
    async with make(service.app_url, app="innovaphone-devices").connected():
        assert service.logins[0]["app"] == "innovaphone-devices"


async def test_domain(service: Innovaphone, make: Make) -> None:
    """A domain's password shows the domain's devices."""
    service.devices[HALL].domain_id = 2
    domain = make(
        service.app_url, domain="branch.example.com", password=DOMAIN_PASSWORD
    )
    async with domain.connected() as connection:
        assert not (await connection.user_info()).admin
        assert [one.hw_id for one in await connection.devices()] == [HALL]
        assert [one.id for one in await connection.domains()] == [2]


@pytest.mark.parametrize("refusal", ["absent", "false", "error"])
@pytest.mark.parametrize("closes", [True, False])
async def test_refused(
    service: Innovaphone, make: Make, refusal: Any, closes: bool
) -> None:
    """A refusal is a result without the word, in any form."""
    service.refusal, service.closes_after_refusal = refusal, closes
    for wrong in (
        {"password": "wrong"},
        {"domain": "other.example.com", "password": DOMAIN_PASSWORD},
        {"app": "innovaphone-users"},
    ):
        with pytest.raises(InvalidAuth):
            await make(service.app_url, **wrong).connect()
    assert not service.logins
    await until(lambda: not service.connections)


async def test_nobody_there(make: Make) -> None:
    """Nothing listens."""
    with pytest.raises(CannotConnect):
        await make(f"http://127.0.0.1:{unused_port()}/example.com/devices/").connect()


@pytest.mark.parametrize("error", [UnicodeError(), InvalidURI("ws://", "odd")])
async def test_address_that_cannot_be(
    make: Make, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A name that nobody can have is nobody's."""
    monkeypatch.setattr(wire, "_Connect", Mock(side_effect=error))
    with pytest.raises(CannotConnect):
        await make("http://127.0.0.1/example.com/devices/").connect()


async def test_nothing_said(make: Make, socket_enabled: None) -> None:
    """Something takes the connection, and never says a word."""

    async def listen(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/example.com/devices/"
        with pytest.raises(TimedOut):
            await make(url, pace=QUICK).connect()


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_no_websocket(service: Innovaphone, make: Make, status: int) -> None:
    """A web server answers, but not this service."""
    service.upgrade_status = status
    with pytest.raises(UnexpectedReply):
        await make(service.app_url).connect()


async def test_redirect(make: Make, socket_enabled: None) -> None:
    """A login is not taken elsewhere."""
    taken: list[str] = []

    async def redirect(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        taken.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
        )
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(redirect, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UnexpectedReply):
            await make(f"http://127.0.0.1:{port}/example.com/devices/").connect()
    assert len(taken) == 1
    assert "Origin" not in taken[0]
    assert "Sec-WebSocket-Protocol" not in taken[0]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("<html>", UnexpectedReply),
        ("[]", UnexpectedReply),
        ('{"mt":"AppChallengeResult"}', UnexpectedReply),
        ('{"mt":"PbxInfo"}', TimedOut),
        (None, TimedOut),
        ("", CannotConnect),
    ],
)
async def test_odd_challenge(
    make: Make, socket_enabled: None, text: str | None, error: type[WireError]
) -> None:
    """A websocket answers, but not this service; or it ends."""

    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        if text is not None:
            await (socket.send(text) if text else socket.close())
        await socket.wait_closed()

    async with serve(talk, "127.0.0.1", 0, close_timeout=0.2) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"http://127.0.0.1:{port}/example.com/devices/"
        with pytest.raises(error):
            await make(url, pace=QUICK).connect()


async def test_other_messages_before_the_login(
    make: Make, socket_enabled: None
) -> None:
    """What else is said before the login does not disturb it."""

    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await say(socket, "PbxInfo", domain="example.com")
        await say(socket, "AppChallengeResult", challenge="1")
        await socket.recv()
        await say(socket, "CheckBuildResult")
        await say(socket, "AppLoginResult", ok=True)
        await socket.wait_closed()

    async with serve(talk, "127.0.0.1", 0, close_timeout=0.2) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"http://127.0.0.1:{port}/example.com/devices/"
        async with make(url, pace=QUICK).connected():
            pass


# --- Asking


async def test_every_request(service: Innovaphone, connection: Connection) -> None:
    """Each request of the document is asked and understood."""
    assert (await connection.user_info()).admin
    assert [one.name for one in await connection.domains()] == [
        "example.com",
        "branch.example.com",
    ]
    assert {one.hw_id for one in await connection.devices()} == set(service.devices)
    assert [one.hw_id for one in await connection.devices(unassigned=True)] == [
        UNASSIGNED
    ]
    of_category = await connection.devices(
        domain_ids=(1, 2), categories=("Offices", "Doors")
    )
    assert [one.hw_id for one in of_category] == [RECEPTION, ADAPTER]
    assert not await connection.devices(categories=("Doors",), subcategories=("a",))
    with_fxs = await connection.filtered_devices(
        domain_id=1, only_fxs=True, types=("GW",), hw_ids=(ADAPTER, HALL)
    )
    assert [one.hw_id for one in with_fxs] == [ADAPTER]
    categories = await connection.provisioning_categories("PHONE", domain_id=1)
    assert "Offices" in [one.name for one in categories]
    code = await connection.provisioning_code(
        "Offices", domain_id=1, sip="ana", rollout=True, administrative=True
    )
    assert code.valid_until is not None
    provisioning = service.provisionings[code.code]
    assert (provisioning.sip, provisioning.administrative) == ("ana", True)
    assert await connection.provisioned_device(code.code, domain_id=1) is None
    await service.provision(code.code, DeviceRecord("029033abcdef"))
    news = await connection.provisioned_device(code.code, domain_id=1)
    assert news is not None
    assert news.hw_id == "029033abcdef"
    configs = await connection.device_configs(domain_id=1, recv_updates=True)
    assert {one.type for one in configs} >= {"EXPERT", "NTP", "MEDIA"}


async def test_only_what_is_given_is_sent(
    service: Innovaphone, connection: Connection
) -> None:
    """Optional fields are absent; the two that subscribe are the caller's choice."""
    await connection.devices()
    await connection.devices(recv_updates=True)
    assert [set(request) for request in asked(service, "GetDevices")] == [
        {"mt", "src"},
        {"mt", "src", "recvUpdates"},
    ]


async def test_config_of_many_pieces(
    service: Innovaphone, connection: Connection
) -> None:
    """The pieces of a value are put together, those of several values apart."""
    script = "".join(f"mod cmd UP0 /step {number}\r\n" for number in range(5000))
    service.configs[2].long_values = {"script": script, "other": "ü" * 10_000}
    config = await connection.device_config(2, domain_id=1)
    assert config.settings == {"script": script, "other": "ü" * 10_000}


async def test_config_without_end(
    service: Innovaphone, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value is put together only so far."""
    monkeypatch.setattr(client, "MAX_CONFIG_BYTES", 100_000)
    service.configs[2].long_values = {"script": "x" * 90_000}
    assert await connection.device_config(2, domain_id=1)
    service.configs[2].long_values = {"script": "x" * 100_000}
    with pytest.raises(UnexpectedReply, match="too large"):
        await connection.device_config(2, domain_id=1)


async def test_passwords_are_looked_for_elsewhere(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes its time holds up nobody."""
    threads: set[int] = set()

    def parse(reader: Callable[..., Any]) -> Callable[..., Any]:
        def note(*given: Any) -> Any:
            threads.add(threading.get_ident())
            return reader(*given)

        return note

    monkeypatch.setattr(client, "parse_config", parse(client.parse_config))
    monkeypatch.setattr(client, "parse_configs", parse(client.parse_configs))
    await connection.device_config(2, domain_id=1)
    await connection.device_configs(domain_id=1)
    assert threads
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("ask", ["devices", "domains"])
async def test_others_have_their_turn(
    service: Innovaphone,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    ask: str,
) -> None:
    """However many parts a list has, others wait for one of them at most."""
    service.page_size = 1
    parsed: list[int] = []
    breathed: list[int] = []

    class Counted(wire.Breather):
        async def breathe(self) -> None:
            breathed.append(len(parsed))

    reader = getattr(client, f"parse_{ask}")

    def parse(message: Any) -> Any:
        parsed.append(1)
        return reader(message)

    monkeypatch.setattr(client, f"parse_{ask}", parse)
    monkeypatch.setattr(client, "Breather", Counted)
    listed = await getattr(connection, ask)()
    assert len(listed) == len(parsed) > 1
    assert [count for count in breathed if count] == [
        *range(1, len(parsed) + 1),
    ]


@pytest.mark.parametrize("release", ["13r1", "13r2", "13r3", "14r1"])
async def test_passwords_of_configs(
    socket_enabled: None, make: Make, release: Any
) -> None:
    """No release's encrypted passwords are handed on."""
    async with (
        Innovaphone(password=PASSWORD, release=release) as service,
        make(service.app_url, pace=QUICK).connected() as connection,
    ):
        for number in (1, 4):
            config = await connection.device_config(number, domain_id=1)
            assert "logUrl" in config.settings or "turnServer" in config.settings
            assert not [
                key
                for key in config.settings
                if "assword" in key or "seed" in key.lower()
            ]


@pytest.mark.parametrize("page_size", [1, 10, 100])
@pytest.mark.parametrize("says_not_last", [True, False])
async def test_pages(
    service: Innovaphone, connection: Connection, page_size: int, says_not_last: bool
) -> None:
    """Results are gathered until one says that it is the last."""
    service.page_size, service.says_not_last = page_size, says_not_last
    for number in range(250):
        await service.add(DeviceRecord(f"0290330a{number:04x}"))
    assert [one.hw_id for one in await connection.devices()] == list(service.devices)


async def test_no_devices(socket_enabled: None, make: Make) -> None:
    """An empty list ends, too."""
    async with (
        Innovaphone(password=PASSWORD, devices=0) as service,
        make(service.app_url).connected() as connection,
    ):
        assert await connection.devices() == []


async def test_login_info(socket_enabled: None, make: Make) -> None:
    """13r1 has another name for the request, which is found and remembered."""
    async with Innovaphone(password=PASSWORD, release="13r1") as service:
        own = make(service.app_url, pace=QUICK)
        for _ in range(2):
            async with own.connected() as connection:
                assert (await connection.user_info()).admin
        assert [
            request["mt"] for request in service.requests if "Info" in request["mt"]
        ] == ["GetUserInfo", "GetLoginInfo", "GetLoginInfo"]


async def test_login_info_where_unknown_requests_are_errors(
    socket_enabled: None, make: Make
) -> None:
    """An error is as good as silence, and quicker."""
    async with Innovaphone(password=PASSWORD, release="13r1") as service:
        service.answers_unknown = True
        async with make(service.app_url).connected() as connection:
            assert (await connection.user_info()).key


async def test_login_info_where_unknown_requests_end_the_connection(
    make: Make, socket_enabled: None
) -> None:
    """The next connection begins with the other name."""

    async def answer(socket: ServerConnection, request: dict[str, Any]) -> None:
        if request["mt"] == "GetUserInfo":
            await socket.close()
        else:
            await say(socket, "GetLoginInfoResult", src=request["src"], key="k")

    async with scripted(answer) as url:
        own = make(url, pace=QUICK)
        async with own.connected() as connection:
            with pytest.raises(LostReply):
                await connection.user_info()
        async with own.connected() as connection:
            assert (await connection.user_info()).key.reveal() == "k"


async def test_refusal(service: Innovaphone, connection: Connection) -> None:
    """An error in a result reaches the caller, in the service's own words."""
    service.fail("GetDevices", "Not allowed")
    with pytest.raises(Refusal) as refused:
        await connection.devices()
    assert refused.value.reason == "Not allowed"
    assert await connection.devices()


async def test_error(make: Make, socket_enabled: None) -> None:
    """An error without a reason is a refusal, too."""

    async def answer(socket: ServerConnection, request: dict[str, Any]) -> None:
        await say(socket, "Error", src=request["src"])

    async with scripted(answer) as url, make(url, pace=QUICK).connected() as connection:
        with pytest.raises(Refusal):
            await connection.domains()


async def test_silence(service: Innovaphone, make: Make) -> None:
    """A request that is not answered times out, and its late answer does no harm."""
    service.ignore("GetDomains")
    async with make(service.app_url, pace=QUICK).connected() as connection:
        with pytest.raises(TimedOut):
            await connection.domains()
        await service.push_raw('{"mt":"GetDomainsResult","src":"1","last":true}')
        assert len(await connection.domains()) == 2


async def test_each_page_has_its_time(make: Make, socket_enabled: None) -> None:
    """A long list may take longer than one result may."""

    async def answer(socket: ServerConnection, request: dict[str, Any]) -> None:
        for number in range(3):
            await asyncio.sleep(1.2)
            await say(
                socket,
                "GetDevicesResult",
                src=request["src"],
                devices=[{"hwId": str(number)}],
                last=number == 2,
            )

    pace = QUICK._replace(reply=3)
    async with scripted(answer) as url, make(url, pace=pace).connected() as connection:
        assert len(await connection.devices()) == 3


async def test_answers_in_any_order(make: Make, socket_enabled: None) -> None:
    """Results are matched with their requests, whatever their order."""
    waiting: list[dict[str, Any]] = []

    async def answer(socket: ServerConnection, request: dict[str, Any]) -> None:
        waiting.append(request)
        if len(waiting) == 3:
            for one in reversed(waiting):
                await say(
                    socket,
                    "GetDeviceConfigResult",
                    src=one["src"],
                    config={"id": one["id"]},
                )

    async with scripted(answer) as url, make(url, pace=QUICK).connected() as connection:
        configs = await asyncio.gather(*map(connection.device_config, (5, 6, 7)))
        assert [one.id for one in configs] == [5, 6, 7]


async def test_answers_without_src(make: Make, socket_enabled: None) -> None:
    """A service that does not repeat `src` is understood by the types."""

    async def answer(socket: ServerConnection, request: dict[str, Any]) -> None:
        await say(socket, "Error", error="about something else")
        await say(socket, "GetSomethingElseResult")
        if request["mt"] == "GetDomains":
            await say(socket, "GetDomainsResult", domains=[{"id": 1}], last=True)
        else:
            await say(socket, request["mt"], categories=[{"id": 7}], last=True)

    async with scripted(answer) as url, make(url, pace=QUICK).connected() as connection:
        assert len(await connection.domains()) == 1
        assert len(await connection.provisioning_categories()) == 1


async def test_a_number_as_src(make: Make, socket_enabled: None) -> None:
    """A service that repeats `src` as a number is understood."""

    async def answer(socket: ServerConnection, request: dict[str, Any]) -> None:
        await say(socket, "GetDomainsResult", src=int(request["src"]), last=True)

    async with scripted(answer) as url, make(url, pace=QUICK).connected() as connection:
        assert await connection.domains() == []


async def test_mislabelled_categories(
    service: Innovaphone, connection: Connection
) -> None:
    """The document's example has the type of the request."""
    service.mislabelled_categories = True
    assert await connection.provisioning_categories("PHONE", domain_id=1)


async def test_other_messages_with_our_src(make: Make, socket_enabled: None) -> None:
    """What repeats our `src`, but is no result of the request, is none."""

    async def answer(socket: ServerConnection, request: dict[str, Any]) -> None:
        src = request["src"]
        await say(socket, "DevicesCountChanged", src=src, last=True)
        await say(socket, "DeviceUpdate", src=src, device={"hwId": "a"})
        await say(
            socket, "GetDevicesResult", src=src, devices=[{"hwId": "b"}], last=True
        )

    heard: list[Indication] = []
    async with scripted(answer) as url:
        connection = await make(url, pace=QUICK).connect(heard.append)
        assert [one.hw_id for one in await connection.devices()] == ["b"]
        assert len(heard) == 1
        await connection.close()


async def test_missing_key(make: Make, socket_enabled: None) -> None:
    """A result without what it is for is unexpected."""

    async def answer(socket: ServerConnection, request: dict[str, Any]) -> None:
        await say(socket, f"{request['mt']}Result", src=request["src"])

    async with scripted(answer) as url, make(url, pace=QUICK).connected() as connection:
        for ask in (
            connection.user_info,
            lambda: connection.provisioning_code("a"),
            lambda: connection.device_config(1),
        ):
            with pytest.raises(UnexpectedReply):
                await ask()


async def test_endless_list(
    make: Make, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list without an end is given up."""
    monkeypatch.setattr(client, "MAX_RESULTS", 20)

    async def answer(socket: ServerConnection, request: dict[str, Any]) -> None:
        for _ in range(30):
            await say(socket, "GetDevicesResult", src=request["src"], devices=[])

    async with scripted(answer) as url, make(url, pace=QUICK).connected() as connection:
        with pytest.raises(UnexpectedReply):
            await connection.devices()


async def test_endless_bytes(
    make: Make, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of few but large messages is given up, too."""
    monkeypatch.setattr(client, "MAX_RESULT_BYTES", 2000)

    async def answer(socket: ServerConnection, request: dict[str, Any]) -> None:
        for _ in range(3):
            await say(
                socket,
                "GetDevicesResult",
                src=request["src"],
                devices=[],
                further="x" * 1000,
            )

    async with scripted(answer) as url, make(url, pace=QUICK).connected() as connection:
        with pytest.raises(UnexpectedReply, match="too large"):
            await connection.devices()


# --- Hearing


@pytest.mark.parametrize("with_src", [True, False])
async def test_indications(
    service: Innovaphone,
    connection: Connection,
    heard: list[Indication],
    with_src: bool,
) -> None:
    """What is subscribed to is heard, with and without `src`."""
    service.indication_src = with_src
    await connection.domains(recv_updates=True)
    await connection.devices(recv_updates=True)
    await service.update(HALL, online=True)
    await service.add(DeviceRecord("029033abcdef"))
    await service.remove("029033abcdef")
    await service.add_domain(DomainRecord(7, "third.example.com"))
    await service.edit_domain(7, name="fourth.example.com")
    await service.delete_domain(7)
    await service.indicate({"mt": "DeviceConfigEdited"})
    await until(lambda: len(heard) >= 6)
    assert isinstance(heard[0], DeviceTold)
    assert heard[0].device.members["online"] is True
    assert isinstance(heard[4], DomainTold)
    assert heard[4].domain.name == "fourth.example.com"
    assert heard[5] == DomainDeleted(7)


async def test_indication_between_pages(
    service: Innovaphone, connection: Connection, heard: list[Indication]
) -> None:
    """What comes between two pages is not taken for one."""
    service.page_size, service.indication_src = 2, True
    service.between_pages(lambda: service.update(HALL, online=True))
    assert len(await connection.devices(recv_updates=True)) == 9
    assert len(heard) == 1


async def test_nobody_listens(service: Innovaphone, make: Make) -> None:
    """Who does not listen is not disturbed."""
    async with make(service.app_url).connected() as connection:
        await connection.devices(recv_updates=True)
        await service.update(HALL, online=True)
        assert await connection.domains()


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "1", '{"mt":1}', '{"mt":"DeviceUpdate"}', '{"mt":"New"}']
)
async def test_odd_messages(
    service: Innovaphone, connection: Connection, text: str
) -> None:
    """What cannot be understood is passed over."""
    await service.push_raw(text)
    assert len(await connection.domains()) == 2


async def test_fault_of_a_listener(
    service: Innovaphone, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever listens and fails does not end the connection."""

    def fail(_: Indication) -> None:
        raise ZeroDivisionError

    connection = await make(service.app_url).connect(fail)
    await connection.devices(recv_updates=True)
    await service.update(HALL, online=True)
    assert len(await connection.domains()) == 2
    assert "could not be worked with" in caplog.text
    caplog.clear()
    await connection.close()


async def test_large_message(make: Make, socket_enabled: None) -> None:
    """Messages of up to 256 KiB are read; a longer one ends the connection."""
    lengths = iter((MAX_MESSAGE - 200, MAX_MESSAGE))

    async def answer(socket: ServerConnection, request: dict[str, Any]) -> None:
        await say(
            socket,
            "GetDomainsResult",
            src=request["src"],
            last=True,
            further="x" * next(lengths),
        )

    async with scripted(answer) as url, make(url).connected() as connection:
        assert await connection.domains() == []
        with pytest.raises(LostReply):
            await connection.domains()


async def test_large_request(service: Innovaphone, connection: Connection) -> None:
    """A request that the service would not take is not sent."""
    with pytest.raises(TooLarge):
        await connection.devices(domain_ids=tuple(range(10_000, 22_000)))
    assert not asked(service, "GetDevices")
    assert await connection.devices(domain_ids=tuple(range(10_000, 20_000))) == []


# --- Going


@pytest.mark.parametrize("abort", [True, False])
async def test_lost(service: Innovaphone, connection: Connection, abort: bool) -> None:
    """A request whose connection ends is lost, and so is the key."""
    await connection.user_info()
    service.ignore("GetDomains")
    asking = asyncio.create_task(connection.domains())
    await until(lambda: asked(service, "GetDomains"))
    await service.drop(abort)
    with pytest.raises(LostReply):
        await asking
    await connection.wait_closed()
    with pytest.raises(LostReply):
        await connection.devices()
    with pytest.raises(CannotConnect):
        await connection.pass_through(RECEPTION, "GET", "log.txt")
    assert not service.passthrough.requests


async def test_close_takes_no_time(make: Make, service: Innovaphone) -> None:
    """A service that does not answer does not keep anyone waiting."""
    connection = await make(service.app_url).connect()
    await service.freeze()
    # Unless told otherwise, the library waits ten seconds.
    async with asyncio.timeout(8):
        await connection.close()
    await connection.wait_closed()
    await service.drop()


@pytest.mark.parametrize("answer", ["echo", "error", "silent"])
async def test_keep_alive(service: Innovaphone, make: Make, answer: Any) -> None:
    """A sign of life is given when nothing is said, and any answer to it will do."""
    service.keepalive = answer
    pace = QUICK._replace(idle=0.05, doubt=9)
    async with make(service.app_url, pace=pace).connected() as connection:
        await until(lambda: len(asked(service, "KeepAlive")) > 2)
        assert await connection.domains()
    assert not asked(service, "GetUserInfo")


async def test_proof_of_life(service: Innovaphone, make: Make) -> None:
    """A service that is silent for long is asked what it must answer."""
    pace = QUICK._replace(idle=0.05, doubt=0.2)
    async with make(service.app_url, pace=pace).connected() as connection:
        await until(lambda: len(asked(service, "GetUserInfo")) > 1)
        before = len(asked(service, "GetUserInfo"))
        service.fail("GetUserInfo", "Not now", times=99)
        await until(lambda: len(asked(service, "GetUserInfo")) > before + 1)
        # A refusal is an answer, too.
        assert await connection.domains()
    assert len(service.logins) == 1


async def test_half_open(service: Innovaphone, make: Make) -> None:
    """A connection over which nothing comes any more is given up."""
    pace = QUICK._replace(idle=0.05, doubt=0.1, user_info=0.1)
    async with make(service.app_url, pace=pace).connected() as connection:
        await service.freeze()
        async with asyncio.timeout(30):
            await connection.wait_closed()
    await service.drop()


async def ask_much(connection: Connection) -> set[type[BaseException] | None]:
    """Ask for more than fits into all buffers on the way; return what is raised."""
    hw_ids = ("0" * 250,) * 250
    outcomes = await asyncio.gather(
        *(connection.filtered_devices(hw_ids=hw_ids) for _ in range(300)),
        return_exceptions=True,
    )
    return {type(one) if isinstance(one, Exception) else None for one in outcomes}


async def test_nothing_is_taken(service: Innovaphone, make: Make) -> None:
    """Who takes nothing more keeps neither requests waiting for ever, nor the end."""
    connection = await make(
        service.app_url, pace=QUICK._replace(idle=99, reply=0.5)
    ).connect()
    await service.freeze()
    async with asyncio.timeout(60):
        assert await ask_much(connection) == {TimedOut}
        await connection.close()
        await connection.wait_closed()
    await service.drop()


async def test_nothing_is_taken_any_more(service: Innovaphone, make: Make) -> None:
    """That no sign of life can be given keeps nobody from giving up."""
    pace = QUICK._replace(idle=0.05, doubt=1, reply=0.5, user_info=0.1)
    connection = await make(service.app_url, pace=pace).connect()
    await service.freeze()
    async with asyncio.timeout(60):
        assert await ask_much(connection) <= {TimedOut, LostReply}
        await connection.wait_closed()
    await connection.close()
    await service.drop()


# --- Devices' own web servers


async def test_passthrough(service: Innovaphone, connection: Connection) -> None:
    """A device's web server is reached with the session's key."""
    with pytest.raises(CannotConnect):
        await connection.pass_through(RECEPTION, "GET", "log.txt")
    await connection.user_info()
    reply = await connection.pass_through(RECEPTION, "GET", "CMD0/box_info.xml")
    assert (reply.status, reply.content_type) == (200, "text/xml")
    assert 'temp="41"' in reply.body
    await connection.pass_through(
        DOCKER, "POST", "/!config change PHONE /a ü?x=1", "body ü"
    )
    request = service.passthrough.requests[-1]
    assert (request.hw_id, request.method) == (DOCKER, "POST")
    assert request.path == "!config change PHONE /a ü?x=1"
    assert request.body == "body ü".encode()


async def test_passthrough_uses_the_newest_key(
    service: Innovaphone, connection: Connection
) -> None:
    """An answer may bring a new key."""
    service.new_keys = True
    for _ in range(2):
        await connection.user_info()
        reply = await connection.pass_through(RECEPTION, "GET", "log.txt")
        assert reply.status == 200


@pytest.mark.parametrize("path", ["../x", "//example.com", "http://example.com", ""])
async def test_passthrough_leads_nowhere_else(
    service: Innovaphone, connection: Connection, path: str
) -> None:
    """Nothing is sent to such an address."""
    await connection.user_info()
    with pytest.raises(ValueError, match=r"quoted|elsewhere"):
        await connection.pass_through(RECEPTION, "GET", path)
    assert not service.passthrough.requests


@pytest.mark.parametrize("hw_id", [".", ".."])
async def test_passthrough_of_no_device(
    service: Innovaphone, connection: Connection, hw_id: str
) -> None:
    """A hardware id that is a step in a path leads nowhere."""
    await connection.user_info()
    with pytest.raises(ValueError, match="elsewhere"):
        await connection.pass_through(hw_id, "GET", "log.txt")
    assert not service.passthrough.requests


@pytest.mark.parametrize("chunked", [True, False])
async def test_passthrough_size(
    service: Innovaphone, connection: Connection, chunked: bool
) -> None:
    """A reply of up to 256 KiB is read, and not one byte more is kept."""
    service.passthrough.chunked = chunked
    await connection.user_info()
    service.passthrough.pages["big"] = b"x" * MAX_PASSTHROUGH_REPLY
    reply = await connection.pass_through(RECEPTION, "GET", "big")
    assert len(reply.body) == MAX_PASSTHROUGH_REPLY
    service.passthrough.pages["big"] += b"x"
    with pytest.raises(TooLarge):
        await connection.pass_through(RECEPTION, "GET", "big")


async def test_passthrough_redirect_and_echo(
    service: Innovaphone, connection: Connection
) -> None:
    """A redirect is not followed, and a quoted key is not handed on."""
    key = (await connection.user_info()).key.reveal()
    visitors: list[object] = []
    async with await asyncio.start_server(
        lambda _, writer: (visitors.append(writer), writer.close()), "127.0.0.1", 0
    ) as elsewhere:
        port = elsewhere.sockets[0].getsockname()[1]
        for location in (f"http://127.0.0.1:{port}/a", "b"):
            service.passthrough.inject(
                "a",
                Fault.reply(
                    f"moved from /passthrough/{key}/a".encode(),
                    status=302,
                    content_type="text/plain",
                    location=location,
                ),
            )
            reply = await connection.pass_through(RECEPTION, "GET", "a")
            assert reply.status == 302
            assert key not in reply.body
            assert "REDACTED" in reply.body
    assert not visitors
    assert [request.path for request in service.passthrough.requests] == ["a", "a"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.reset(acted=False), LostReply),
        (Fault.hang(acted=False), TimedOut),
        (Fault.trickle(0.2), TimedOut),
    ],
)
async def test_passthrough_failures(
    service: Innovaphone, make: Make, fault: Fault, error: type[WireError]
) -> None:
    """Whatever goes wrong, what is raised knows nothing of the address."""
    async with make(service.app_url, pace=QUICK).connected() as connection:
        key = (await connection.user_info()).key.reveal()
        service.passthrough.inject("log.txt", fault)
        with pytest.raises(error) as raised:
            await connection.pass_through(RECEPTION, "GET", "log.txt")
        # It may be an order: the HTTP library must not repeat it.
        assert len(service.passthrough.requests) == 1
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None
        assert key not in repr(raised.value)


@asynccontextmanager
async def passing_through(make: Make, reply: bytes) -> AsyncIterator[Connection]:
    """Return a connection through which every device answers with these bytes."""

    async def answer(socket: ServerConnection, request: dict[str, Any]) -> None:
        await say(socket, "GetUserInfoResult", src=request["src"], key="the-key")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        writer.close()

    async with (
        scripted(answer) as url,
        make(url, pace=QUICK).connected() as connection,
        await asyncio.start_server(talk, "127.0.0.1", 0) as server,
    ):
        await connection.user_info()
        port = server.sockets[0].getsockname()[1]
        connection._client.url = URL(f"http://127.0.0.1:{port}/example.com/devices")
        yield connection


async def test_passthrough_to_what_is_no_web_server(
    make: Make, socket_enabled: None
) -> None:
    """An answer that is no HTTP is unexpected; its error would quote the address."""
    async with passing_through(make, b"220 ready\r\n") as connection:
        with pytest.raises(UnexpectedReply) as raised:
            await connection.pass_through(RECEPTION, "GET", "log.txt")
        assert raised.value.__context__ is None


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-8859-1", "Ã¼"),
        ("utf-8", "ü"),
        ("unknown-8", "ü"),
        # Python knows these; one is no text, and one takes long.
        *((charset, "ü") for charset in ("zlib", "idna", "utf-7", "x" * 99)),
    ],
)
async def test_passthrough_charset(
    make: Make, socket_enabled: None, charset: str, text: str
) -> None:
    """The answer is read as it says it is, where web servers write so."""
    reply = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset={charset}\r\n"
        "Content-Length: 2\r\n\r\nü"
    )
    async with passing_through(make, reply.encode()) as connection:
        answer = await connection.pass_through(RECEPTION, "GET", "log.txt")
        assert (answer.content_type, answer.body) == ("text/plain", text)


async def test_bad_passthrough_replies(make: Make, socket_enabled: None) -> None:
    """Whatever a device answers is a reply of text, or an error of ours."""
    for number in range(25):
        bad = make_reply(Mutator(Random(number)))
        async with passing_through(make, bad) as connection:
            with suppress(WireError):
                answer = await connection.pass_through(RECEPTION, "GET", "log.txt")
                assert json.dumps([answer.status, answer.content_type, answer.body])


async def test_passthrough_to_nobody(make: Make, socket_enabled: None) -> None:
    """Where nothing listens, nothing has been sent."""
    async with passing_through(make, b"") as connection:
        port = unused_port()
        connection._client.url = URL(f"http://127.0.0.1:{port}/example.com/devices")
        with pytest.raises(CannotConnect) as raised:
            await connection.pass_through(RECEPTION, "GET", "log.txt")
        assert raised.value.__context__ is None


async def test_frames_are_not_logged(
    service: Innovaphone, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """The library would log the session's key, however loud it is turned."""
    caplog.set_level(logging.DEBUG)
    async with make(service.app_url).connected() as connection:
        key = (await connection.user_info()).key.reveal()
        await connection.pass_through(RECEPTION, "GET", "log.txt")
    assert key not in caplog.text
    assert service.logins[0]["digest"] not in caplog.text
