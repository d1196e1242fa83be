"""The stand-in of SenseLink."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta, timezone
import io
import json
import ssl
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from freezegun.api import FrozenDateTimeFactory
from PIL import Image
import pytest

from simulators import senselink_frames as frames
from simulators.certificate import make_certificate
from simulators.senselink import Attempt, Delivery, Fetch, Refusal, SenseLink
from simulators.senselink_frames import (
    AIKO,
    ALERTS,
    BRUNO,
    DENY_LIST,
    VERA,
    Group,
    Person,
    Photos,
    Terminal,
    sign,
)

from ..conftest import until

KEY = "00112233aabbccdd"
SECRET = "0123456789abcdef0123456789abcdef"
NOW = 1700000000
TIMESTAMP = "1700000000000"
SIGN = "052fdc4ab9fafb098467432ccdef7f0e"
PATH = f"/websocket/record/{KEY}/{TIMESTAMP}/{SIGN}"

# The frames of the document, the record's and the alert's made valid JSON.
CONNECTED = '{"code": 20000, "message": " Connected!", "desc": "Connected!"}'
DENIED = '{"code": 20002, "message": "Permission Denied!", "desc": "app key not exist"}'
HEARTBEAT = '{"code": 10000, "desc": "heart beat", "message": "heart beat"}'
RECORD = """{
 "code":30000,
 "message":"push record",
 "data":{
 "id":1364591,
 "userId":0,
 "name":"",
 "type":3,
 "avatar":"",
 "direction":0,
 "verifyScore":0,
  "receptionUserId":0,
 "receptionUserName":"",
 "groups": [
 {
 "id": 1,
 "name": "Default group",
 "type": 1
 }
 ],
 "deviceName":"bella pro",
 "sn":"SPSP-f26131cf5301be29b3a6f7be150ed330",
 "signDate":"2019-09-29",
 "signTime":1569725174,
 "signAvatar":"5d901af663cdaf0001252bb9",
 "signBgAvatar":"5d901af663cdaf0001252bba",
 "mobile":"",
 "icNumber":"",
 "idNumber":"",
 "jobNumber":"",
 "remark":"",
 "entryMode":1,
 "signTimeZone":"+08:00",
 "docPhoto":"",
 "location":"306",
 "abnormalType":0
 }
}"""
ALERT = """{
 "code": 30100,
 "desc": "",
 "message": "push alarm",
    "data": {
        "id": 0,
        "level": 0,
        "code": 0,
        "description": "",
        "status": 0,
        "traceId": "",
        "deviceId": 0,
        "deviceName": "",
        "deviceSn": "",
        "deviceLocation": "",
        "alarmTime": "",
        "releaseTime": "",
        "alarmPhoto": "",
        "resloveOption": 0
    }
}"""
BELLA = Terminal("SPSP-f26131cf5301be29b3a6f7be150ed330", "bella pro", "306", id=7)
CHINA = timezone(timedelta(hours=8))

type Socket = aiohttp.ClientWebSocketResponse
type Connect = Callable[..., Awaitable[Socket]]


@pytest.fixture
async def server() -> AsyncIterator[SenseLink]:
    """Return a server whose clock stands still."""
    async with SenseLink(heartbeat=None, clock=lambda: NOW) as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a client, without the timer that a websocket would leave running."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout()) as session:
        yield session


@pytest.fixture
async def connect(
    server: SenseLink, session: aiohttp.ClientSession
) -> AsyncIterator[Connect]:
    """Return what opens a websocket, which is closed at the end."""
    sockets: list[Socket] = []

    async def connect(
        path: str = PATH, *, to: SenseLink = server, **options: Any
    ) -> Socket:
        sockets.append(await session.ws_connect(f"{to.url}{path}", **options))
        return sockets[-1]

    yield connect
    for socket in sockets:
        await socket.close()


@pytest.fixture
async def socket(connect: Connect) -> Socket:
    """Return a websocket that was greeted."""
    socket = await connect()
    assert (await hear(socket))["code"] == 20000
    return socket


async def hear(socket: Socket) -> Any:
    """Return the next frame."""
    return await socket.receive_json(timeout=5)


@pytest.mark.parametrize(
    ("timestamp", "secret", "signature"),
    [
        (TIMESTAMP, SECRET, SIGN),
        ("1569725174000", SECRET, "af6b77717aa854102e924e839bd1b0be"),
        # Seconds, and the wrong order; both are wrong at the server.
        ("1700000000", SECRET, "ce97c4469f4fbdf0879c7055981c8e66"),
        (SECRET, TIMESTAMP, "c263ff08678f13ed4ea77b5352325f62"),
    ],
)
def test_signature(timestamp: str, secret: str, signature: str) -> None:
    """The worked vectors hold."""
    assert sign(timestamp, secret) == signature


def test_document_frames() -> None:
    """What is sent is what the document shows."""
    assert frames.connected(" Connected!") == json.loads(CONNECTED)
    assert frames.denied("app key not exist") == json.loads(DENIED)
    assert frames.heartbeat() == json.loads(HEARTBEAT)
    record = frames.record(
        record_id=1364591,
        terminal=BELLA,
        person=None,
        at=1569725174,
        zone=CHINA,
        photos=Photos("5d901af663cdaf0001252bb9", "5d901af663cdaf0001252bba"),
    )
    shown = json.loads(RECORD)
    assert frames.push(30000, record) == shown
    assert list(record) == list(shown["data"])
    alert = frames.alert(
        alert_id=0, code=0, terminal=BELLA, trace_id="", status=0, level=0
    )
    blank = dict.fromkeys(("description", "deviceName", "deviceSn"), "")
    frame = frames.push(30100, {**alert, **blank, "deviceId": 0, "deviceLocation": ""})
    assert frame == json.loads(ALERT)
    assert list(alert) == list(frame["data"])


async def test_document_record(connect: Connect) -> None:
    """The document's record comes through a websocket, but for its pictures."""
    async with SenseLink(
        terminals=[BELLA], zone=CHINA, clock=lambda: 1569725174, heartbeat=None
    ) as server:
        server.greeting = " Connected!"
        server.extras = False
        socket = await connect(
            f"/websocket/record/{KEY}/1569725174000/af6b77717aa854102e924e839bd1b0be",
            to=server,
        )
        assert await hear(socket) == json.loads(CONNECTED)
        await server.beat()
        assert await hear(socket) == json.loads(HEARTBEAT)
        frame = await server.recognise(person=None, record_id=1364591)
        shown = json.loads(RECORD)
        shown["data"] |= {"signAvatar": "", "signBgAvatar": ""}
        assert await hear(socket) == frame == shown


async def test_upgrade(server: SenseLink) -> None:
    """The handshake is the plain one of RFC 6455, and the greeting comes unasked."""
    host, _, port = server.host.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET {PATH} HTTP/1.1\r\nHost: {server.host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 101 ")
    assert b"sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in head
    assert b"sec-websocket-protocol" not in head
    assert b"sec-websocket-extensions" not in head
    frame = frames.connected("Connected!")
    text = json.dumps(frame).encode()
    assert await reader.readexactly(2 + len(text)) == bytes([0x81, len(text)]) + text
    writer.close()
    await until(lambda: not server.connections)


async def test_connections(server: SenseLink, connect: Connect) -> None:
    """Everything goes to everybody who is connected."""
    sockets = [await connect(), await connect()]
    for socket in sockets:
        assert (await hear(socket))["message"] == "Connected!"
    await until(lambda: len(server.connections) == 2)
    assert server.attempts == [Attempt(PATH, accepted=True, at=NOW)] * 2
    frame = await server.recognise()
    for socket in sockets:
        assert await hear(socket) == frame
    await sockets[0].close()
    await until(lambda: len(server.connections) == 1)
    frame = await server.recognise()
    assert await hear(sockets[1]) == frame


async def test_no_greeting(server: SenseLink, connect: Connect) -> None:
    """The greeting can be kept back; the rest comes all the same."""
    server.greeting = None
    socket = await connect()
    await until(lambda: server.connections)
    await server.beat()
    assert (await hear(socket))["code"] == 10000


async def test_heartbeat(connect: Connect) -> None:
    """Heartbeats come every so often."""
    async with SenseLink(heartbeat=0.001, clock=lambda: NOW) as server:
        socket = await connect(to=server)
        assert (await hear(socket))["code"] == 20000
        for _ in range(3):
            assert await hear(socket) == json.loads(HEARTBEAT)


def path_of(key: str = KEY, timestamp: object = TIMESTAMP, secret: str = SECRET) -> str:
    """Return the path with a right signature."""
    return f"/websocket/record/{key}/{timestamp}/{sign(str(timestamp), secret)}"


@pytest.mark.parametrize(
    ("path", "desc"),
    [
        (path_of(key="ffeeddccbbaa9988"), "app key not exist"),
        (path_of(secret="another"), "sign error"),
        (
            PATH.upper().replace(
                f"/WEBSOCKET/RECORD/{KEY.upper()}", f"/websocket/record/{KEY}"
            ),
            "sign error",
        ),
        # In the wrong order.
        (PATH.replace(SIGN, "c263ff08678f13ed4ea77b5352325f62"), "sign error"),
        (path_of(timestamp=1700000000), "timestamp expired"),
        (path_of(timestamp="soon"), "timestamp expired"),
        (path_of(timestamp=(NOW - 1801) * 1000), "timestamp expired"),
        (path_of(timestamp=(NOW + 1801) * 1000), "timestamp expired"),
    ],
)
async def test_refused(
    server: SenseLink, connect: Connect, path: str, desc: str
) -> None:
    """Who is not known is refused, after the upgrade."""
    socket = await connect(path)
    assert await hear(socket) == {**json.loads(DENIED), "desc": desc}
    assert (await socket.receive()).type is WSMsgType.CLOSE
    assert server.attempts == [Attempt(path, accepted=False, at=NOW)]
    assert not server.connections


@pytest.mark.parametrize("ahead", [-1800, 1800])
async def test_clocks_apart(server: SenseLink, connect: Connect, ahead: int) -> None:
    """A client's clock may go wrong by half an hour."""
    socket = await connect(path_of(timestamp=(NOW + ahead) * 1000))
    assert (await hear(socket))["code"] == 20000


@pytest.mark.parametrize(
    ("refusal", "desc"),
    [
        ("app_key", "app key not exist"),
        ("sign", "sign error"),
        ("timestamp", "timestamp expired"),
    ],
)
async def test_refuse(
    server: SenseLink, connect: Connect, socket: Socket, refusal: Refusal, desc: str
) -> None:
    """Whoever connects can be refused; the link need not be closed then."""
    server.refuse = refusal
    server.closes_refused = False
    refused = await connect()
    assert (await hear(refused))["desc"] == desc
    frame = await server.recognise()
    # Who was there before is still served, the other is not.
    assert await hear(socket) == frame
    assert [attempt.accepted for attempt in server.attempts] == [True, False]
    await refused.ping()
    await until(lambda: server.pings)
    await server.drop()
    assert (await refused.receive()).type is WSMsgType.CLOSED


async def test_refuse_without_words(server: SenseLink, connect: Connect) -> None:
    """A link may end without a reason, or not be given at all."""
    server.refuse = "close"
    socket = await connect()
    assert (await socket.receive()).type is WSMsgType.CLOSE
    server.refuse = "forbidden"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connect()
    assert refused.value.status == 403
    server.refuse = None
    assert (await hear(await connect()))["code"] == 20000


async def test_other_requests(
    server: SenseLink, session: aiohttp.ClientSession
) -> None:
    """What is no websocket is refused by HTTP."""
    for path, status in ((PATH, 400), ("/", 404), ("/websocket/record/", 404)):
        async with session.get(f"{server.url}{path}") as response:
            assert response.status == status
    assert not server.attempts


async def test_what_clients_say(server: SenseLink, socket: Socket) -> None:
    """Pings are answered, or not; words never are."""
    await socket.send_str('{"code": 10000}')
    await until(lambda: server.received)
    assert server.received == ['{"code": 10000}']
    await socket.ping(b"1")
    await server.beat()
    assert await hear(socket) == frames.heartbeat()
    server.answers_pings = False
    await socket.ping()
    await until(lambda: server.pings == 2)


async def test_pong(connect: Connect) -> None:
    """A pong carries what the ping carried."""
    socket = await connect(autoping=False)
    await hear(socket)
    await socket.ping(b"1")
    message = await socket.receive(timeout=5)
    assert (message.type, message.data) == (WSMsgType.PONG, b"1")


async def test_record(server: SenseLink, socket: Socket) -> None:
    """A record has all that the document lists, the personal parts too."""
    await server.recognise(
        terminal=1,
        person=VERA,
        entry_mode=6,
        abnormal_type=20001,
        score=0.5,
        temperature=36.5,
        mask=2,
        at=NOW + 5.5,
        record_id=77,
        photo=True,
    )
    data = (await hear(socket))["data"]
    assert set(json.loads(RECORD)["data"]) | {"bodyTemperature", "mask"} <= set(data)
    assert {name: data[name] for name in data if name not in frames.extras(None)} == {
        "id": 77,
        "userId": 1003,
        "name": "Vera Visser",
        "type": 2,
        "avatar": VERA.avatar,
        "direction": 2,
        "verifyScore": 0.5,
        "receptionUserId": 1001,
        "receptionUserName": "Aiko Aoyama",
        "groups": [{"id": 3, "name": "Visitors", "type": 2}],
        "deviceName": "Car park",
        "sn": "SPSP-0123456789abcdef0123456789abcd02",
        "signDate": "2023-11-15",
        "signTime": NOW + 5,
        "signAvatar": data["signAvatar"],
        "signBgAvatar": data["signBgAvatar"],
        "mobile": "08000000003",
        "icNumber": "IC-INVENTED-1003",
        "idNumber": data["userIdNumber"],
        "jobNumber": "",
        "remark": "Invented remark on Vera",
        "entryMode": 6,
        "signTimeZone": "+09:00",
        "docPhoto": data["docPhoto"],
        "location": "Basement",
        "abnormalType": 20001,
        "bodyTemperature": 36.5,
        "mask": 2,
    }
    photos = {data[name] for name in ("signAvatar", "signBgAvatar", "docPhoto")}
    assert len(photos) == 3
    assert all(len(photo) == 24 and int(photo, 16) for photo in photos)


async def test_ordinary_record(server: SenseLink, socket: Socket) -> None:
    """What was not measured is left out, and numbers go up."""
    first = (await server.recognise(person=BRUNO))["data"]
    second = (await server.recognise())["data"]
    assert second["id"] == first["id"] + 1
    assert first["name"] == "Bruno Brück"
    assert (first["verifyScore"], first["abnormalType"]) == (0.963, 0)
    assert (first["signAvatar"], first["signBgAvatar"], first["docPhoto"]) == ("",) * 3
    assert not {"bodyTemperature", "mask"} & set(first)
    assert first["signTime"] == NOW
    # As it came: the server does not escape what is not ASCII.
    assert "Brück" in (await socket.receive_str())
    server.extras = False
    assert "address" not in (await server.recognise())["data"]


async def test_stranger(server: SenseLink) -> None:
    """A stranger has neither a name nor a portrait."""
    data = (await server.recognise(person=None, photo=True))["data"]
    assert (data["userId"], data["name"], data["type"], data["avatar"]) == (
        0,
        "",
        3,
        "",
    )
    assert data["verifyScore"] == 0
    assert set(server.pictures) == {data["signAvatar"], data["signBgAvatar"]}
    assert (await server.recognise(person=None, score=0.4))["data"][
        "verifyScore"
    ] == 0.4


async def test_older_layout(server: SenseLink, socket: Socket) -> None:
    """Older servers call some fields otherwise."""
    server.layout = "2.2"
    await server.recognise(person=VERA)
    data = (await hear(socket))["data"]
    assert not {"sn", "groups", "avatar", "name", "type", "abnormalType"} & set(data)
    assert (data["deviceSN"], data["groupId"], data["groupName"]) == (
        "SPSP-0123456789abcdef0123456789abcd01",
        3,
        "Visitors",
    )
    assert (data["originAvatar"], data["userName"], data["userType"]) == (
        VERA.avatar,
        "Vera Visser",
        2,
    )
    data = (await server.recognise(person=Person(5, "X"), abnormal_type=50001))["data"]
    assert (data["groupId"], data["groupName"]) == (0, "")
    assert data["abnormalType"] == 50001


async def test_more_terminals(server: SenseLink) -> None:
    """Terminals and people can be added."""
    server.terminals.append(BELLA)
    unwanted = Person(9, "Walter", groups=(Group(5, "Unwanted", DENY_LIST),))
    data = (await server.recognise(terminal=2, person=unwanted))["data"]
    assert (data["sn"], data["groups"][0]["type"], data["avatar"]) == (
        BELLA.ldid,
        5,
        "",
    )
    assert not server.pictures


@pytest.mark.parametrize(
    ("code", "option"),
    [
        (10001, 3),
        (10002, 3),
        (10003, 1),
        (10004, 0),
        (10005, 1),
        (10006, 1),
        (20001, 1),
        (20002, 0),
        (20003, 3),
        (30001, 0),
        (40001, 0),
        (99999, 0),
    ],
)
async def test_alert(server: SenseLink, socket: Socket, code: int, option: int) -> None:
    """Every alert of the document can be raised, and others too."""
    frame = await server.alert(code, terminal=1, level=2)
    assert await hear(socket) == frame
    data = frame["data"]
    assert list(data) == list(json.loads(ALERT)["data"])
    assert (data["code"], data["resloveOption"]) == (code, option)
    assert (data["status"], data["level"]) == (1, 2)
    assert (data["deviceId"], data["deviceName"], data["deviceLocation"]) == (
        102,
        "Car park",
        "Basement",
    )
    assert data["deviceSn"] == "SPSP-0123456789abcdef0123456789abcd02"
    assert (data["alarmTime"], data["releaseTime"]) == (TIMESTAMP, "")
    assert data["description"]
    assert len(ALERTS) == 11


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("ms", TIMESTAMP),
        ("s", "1700000000"),
        ("text", "2023-11-15 07:13:20"),
        ("empty", ""),
    ],
)
async def test_alarm_time(server: SenseLink, form: Any, text: str) -> None:
    """Nobody knows how an alert's time is written."""
    frame = await server.alert(10001, alarm_time_form=form)
    assert frame["data"]["alarmTime"] == text
    frame = await server.release(frame["data"]["traceId"], alarm_time_form=form)
    assert frame["data"]["releaseTime"] == text


async def test_release(socket: Socket, server: SenseLink) -> None:
    """An alert keeps its numbers until it is released."""
    raised = (await server.alert(20003, trace_id="T1", photo=True))["data"]
    assert raised["traceId"] == "T1"
    assert set(server.pictures) == {raised["alarmPhoto"]}
    releasing = (await server.alert(20003, trace_id="T1", status=2))["data"]
    assert server.alerts == {"T1": releasing}
    assert releasing == {**raised, "status": 2}
    released = (await server.release("T1"))["data"]
    assert released == {**raised, "status": 3, "releaseTime": TIMESTAMP}
    assert [(await hear(socket))["data"]["status"] for _ in range(3)] == [1, 2, 3]
    assert not server.alerts
    with pytest.raises(ValueError, match="no such alert"):
        await server.release("T1")
    again = (await server.alert(20003, trace_id="T1"))["data"]
    assert again["id"] != raised["id"]
    gone = (await server.alert(20003, trace_id="T1", status=3))["data"]
    assert (gone["id"], gone["releaseTime"]) == (again["id"], TIMESTAMP)
    assert not server.alerts


async def test_raw(server: SenseLink, socket: Socket) -> None:
    """Anything can be sent, also what is no text."""
    await server.push_raw('{"code":')
    assert await socket.receive_str() == '{"code":'
    await server.push_raw(b"\x00\xff")
    assert await socket.receive_bytes() == b"\x00\xff"
    await server.push_raw(b"\xff", as_text=True)
    assert (await socket.receive()).type is WSMsgType.ERROR


async def test_drop(server: SenseLink, connect: Connect, socket: Socket) -> None:
    """A link breaks, or ends in good order."""
    await server.drop()
    assert (await socket.receive()).type is WSMsgType.CLOSED
    await until(lambda: not server.connections)
    socket = await connect()
    await hear(socket)
    closed, _ = await asyncio.gather(socket.receive(), server.drop(abort=False))
    assert (closed.type, closed.data) == (WSMsgType.CLOSE, 1001)
    await until(lambda: not server.connections)
    # Nobody listens any more.
    await server.recognise()


async def test_broken_off(server: SenseLink, connect: Connect, socket: Socket) -> None:
    """A link that has just broken disturbs no other."""
    other = await connect()
    await hear(other)
    await until(lambda: len(server.connections) == 2)
    broken = server._open.pop()
    broken.abort()
    frame = await server.recognise()
    done, waiting = await asyncio.wait(
        [asyncio.create_task(each.receive()) for each in (socket, other)], timeout=5
    )
    assert not waiting
    texts = [each.result() for each in done]
    assert {each.type for each in texts} == {WSMsgType.CLOSED, WSMsgType.TEXT}
    assert [json.loads(each.data) for each in texts if each.data] == [frame]


async def test_quiet(server: SenseLink, connect: Connect, socket: Socket) -> None:
    """A quiet link is open and says nothing, and what was to be said is lost."""
    await server.quiet(True)
    assert server.is_quiet
    await server.recognise()
    await server.beat()
    await socket.ping()
    await until(lambda: server.pings)
    late = await connect()
    await until(lambda: len(server.connections) == 2)
    await server.quiet(False)
    frame = await server.recognise()
    assert await hear(socket) == frame
    assert await hear(late) == frame


async def test_stop(server: SenseLink, connect: Connect, socket: Socket) -> None:
    """A server that leaves breaks all links, and comes back where it was."""
    host = server.host
    await server.stop()
    assert (await socket.receive()).type is WSMsgType.CLOSED
    assert not server.connections
    with pytest.raises(aiohttp.ClientConnectorError):
        await connect()
    server.subscribe("http://127.0.0.1:1/")
    await server.recognise()
    assert server.subscription is not None
    assert not server.subscription.deliveries
    for _ in range(2):
        await server.start()
    assert server.host == host
    assert (await hear(await connect()))["code"] == 20000


async def test_clock(connect: Connect, freezer: FrozenDateTimeFactory) -> None:
    """A test can set the clock."""
    async with SenseLink(heartbeat=None) as server:
        freezer.move_to("2023-11-14T22:13:20Z")
        socket = await connect(to=server)
        assert (await hear(socket))["code"] == 20000
        freezer.tick(1801)
        assert (await server.recognise())["data"]["signTime"] == NOW + 1801
        # Who is in stays in, but the same address does not let anybody in again.
        assert (await hear(socket))["code"] == 30000
        socket = await connect(to=server)
        assert (await hear(socket))["desc"] == "timestamp expired"


async def test_tls() -> None:
    """It speaks TLS, and clients that verify refuse its certificate."""
    certificate, _ = make_certificate()
    trusting = ssl.create_default_context(cadata=certificate)
    async with (
        SenseLink(tls=True, heartbeat=None, clock=lambda: NOW) as server,
        aiohttp.ClientSession() as session,
    ):
        assert server.url == f"https://{server.host}"
        address = f"wss://{server.host}{PATH}"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.ws_connect(address)
        for context in (trusting, False):
            async with session.ws_connect(address, ssl=context) as socket:
                assert (await hear(socket))["code"] == 20000
        url = server.url
        await server.stop()
        await server.start()
        assert server.url == url


async def test_pictures(server: SenseLink, session: aiohttp.ClientSession) -> None:
    """Pictures are shown to anybody: portraits as 1, others as 2."""
    record = (await server.recognise(mask=2, photo=True))["data"]
    alert = (await server.alert(10002, photo=True))["data"]
    shown = {
        f"/v1/image/1/{record['avatar']}": (240, 300),
        f"/v1/image/2/{record['signAvatar']}": (240, 300),
        f"/v1/image/2/{record['signBgAvatar']}": (640, 480),
        f"/v1/image/2/{alert['alarmPhoto']}": (640, 480),
    }
    for path, size in shown.items():
        async with session.get(f"{server.url}{path}") as response:
            assert (response.status, response.content_type) == (200, "image/jpeg")
            body = await response.read()
        assert body == server.pictures[path.rpartition("/")[2]]
        assert Image.open(io.BytesIO(body)).size == size
    for path in (
        f"/v1/image/2/{record['avatar']}",
        f"/v1/image/1/{record['signAvatar']}",
        "/v1/image/2/0",
    ):
        async with session.get(f"{server.url}{path}") as response:
            assert response.status == 404
    assert [fetch.path for fetch in server.fetches][:4] == list(shown)
    assert [fetch.status for fetch in server.fetches] == [200] * 4 + [404] * 3


async def test_guarded_pictures(
    server: SenseLink, session: aiohttp.ClientSession
) -> None:
    """A newer server may show pictures to signed requests only."""
    server.guards_pictures = True
    image = (await server.recognise(photo=True))["data"]["signAvatar"]
    path = f"/v1/image/2/{image}"
    right = {"app_key": KEY, "timestamp": TIMESTAMP, "sign": SIGN}
    for query, status in (
        ({}, 401),
        ({**right, "sign": "0"}, 401),
        ({**right, "app_key": "0"}, 401),
        (right, 200),
    ):
        async with session.get(f"{server.url}{path}", params=query) as response:
            assert response.status == status
        assert server.fetches[-1] == Fetch(path, query, status)


type Reply = Callable[[], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def subscriber(*replies: Reply) -> AsyncIterator[tuple[str, list[Any]]]:
    """Run a subscriber: its address and what it gets; the last reply is repeated."""
    events: list[Any] = []

    async def take(request: web.Request) -> web.StreamResponse:
        assert request.content_type == "application/json"
        events.append(await request.text())
        return await replies[min(len(events), len(replies)) - 1]()

    app = web.Application()
    app.add_routes([web.post("/events", take)])
    async with TestServer(app, handler_cancellation=True) as server:
        yield str(server.make_url("/events")), events


def reply(status: int = 200, **fields: Any) -> Reply:
    """Return an answer of a subscriber."""

    async def reply() -> web.StreamResponse:
        return web.Response(status=status, **fields)

    return reply


async def never() -> web.StreamResponse:
    """Do not answer."""
    return await asyncio.get_running_loop().create_future()


async def test_event(server: SenseLink, socket: Socket) -> None:
    """Records and alerts are posted too, in an envelope of their own."""
    ok = reply(text='{"code":200,"message":"OK"}', content_type="application/json")
    async with subscriber(ok) as (url, events):
        server.subscribe(url)
        for push in (server.recognise(person=BRUNO, at=NOW - 1), server.alert(10003)):
            frame = await push
            assert await hear(socket) == frame
            event = json.loads(events[-1])
            assert list(event) == ["eventType", "messageId", "sendTime", "data"]
            assert event["eventType"] == frame["code"]
            assert len(event["messageId"]) == 36
            assert event["sendTime"] == NOW * 1000
            assert event["data"] == frame["data"]
        assert json.loads(events[0])["messageId"] != event["messageId"]
        server.envelope = "documented"
        await server.alert(10003)
        event = json.loads(events[-1])
        assert (event["eventType"], event["sendTime"]) == ("30100", TIMESTAMP)
        subscription = server.subscription
        assert subscription is not None
        assert (subscription.url, subscription.status) == (url, "normal")
        last = subscription.deliveries[-1]
        assert (last.status, last.body) == (200, b'{"code":200,"message":"OK"}')
        assert last.sent.decode() == events[-1]
        assert 0 < last.elapsed < 5
        server.unsubscribe()
        await server.recognise()
        assert len(events) == 3


async def test_resend(server: SenseLink, socket: Socket) -> None:
    """The last event comes again, and is the same."""
    with pytest.raises(ValueError, match="nothing"):
        await server.resend()
    async with subscriber(reply()) as (url, events):
        server.subscribe(url)
        frame = await server.recognise()
        assert await server.resend() == frame
        assert events[0] == events[1]
    assert await hear(socket) == await hear(socket) == frame


async def test_kinds(server: SenseLink) -> None:
    """A subscriber may want records or alerts only."""
    async with subscriber(reply()) as (url, events):
        server.subscribe(url, alerts=False)
        await server.alert(10001)
        await server.recognise()
        server.subscribe(url, records=False)
        await server.recognise()
        await server.alert(10001)
    assert [json.loads(event)["eventType"] for event in events] == [30000, 30100]


@pytest.mark.parametrize(
    "failure",
    [
        reply(500),
        reply(204),
        reply(302, headers={"Location": "/events"}),
        reply(text='{"code": 400}'),
    ],
)
async def test_retries(server: SenseLink, failure: Reply) -> None:
    """An event comes again until it is taken."""
    async with subscriber(failure, failure, reply(text="{}")) as (url, events):
        server.subscribe(url)
        await server.recognise()
        assert len(events) == 3
        assert len(set(events)) == 1
        assert server.subscription is not None
        assert server.subscription.status == "normal"


async def test_abnormal(server: SenseLink, socket: Socket) -> None:
    """A subscriber that fails gets nothing more until somebody sets it anew."""
    async with subscriber(reply(503), reply(503), reply()) as (url, events):
        server.subscribe(url, attempts=2)
        await server.recognise()
        assert server.subscription is not None
        assert server.subscription.status == "abnormal"
        assert [each.status for each in server.subscription.deliveries] == [503] * 2
        await server.alert(10001)
        await server.resend()
        assert len(events) == 2
        # The websocket does not mind.
        assert [(await hear(socket))["code"] for _ in range(3)] == [
            30000,
            30100,
            30100,
        ]
        server.subscribe(url)
        await server.alert(10001)
        assert len(events) == 3
        assert server.subscription.status == "normal"


async def test_no_answer(server: SenseLink) -> None:
    """A subscriber that takes too long has failed."""
    assert server.reply_timeout == 5
    server.reply_timeout = 0.01
    async with subscriber(never) as (url, _):
        server.subscribe(url)
        await server.recognise()
        assert server.subscription is not None
        assert server.subscription.status == "abnormal"
        deliveries = server.subscription.deliveries
    assert [each.status for each in deliveries] == [None] * 3
    assert all(each.elapsed > 0.005 for each in deliveries)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "ftp://192.0.2.1/", "http://["])
async def test_no_subscriber(server: SenseLink, url: str) -> None:
    """An address where nobody is fails as well."""
    server.subscribe(url)
    await server.recognise()
    assert server.subscription is not None
    assert server.subscription.status == "abnormal"
    assert [each.status for each in server.subscription.deliveries] == [None] * 3


async def test_post_raw(server: SenseLink) -> None:
    """Anything can be posted, however it is answered."""
    with pytest.raises(ValueError, match="no subscriber"):
        await server.post_raw(b"")
    async with subscriber(reply(400)) as (url, events):
        server.subscribe(url)
        delivery = await server.post_raw(b'{"eventType":')
        assert isinstance(delivery, Delivery)
        assert (delivery.status, delivery.sent) == (400, b'{"eventType":')
        assert events == ['{"eventType":']
        assert server.subscription is not None
        assert server.subscription.status == "normal"


async def test_people() -> None:
    """Nobody shares a number or a word of what must stay private."""
    for one, other in ((AIKO, BRUNO), (BRUNO, VERA), (VERA, AIKO)):
        for name in ("id", "avatar", "mobile", "ic_number", "id_number", "remark"):
            assert getattr(one, name)
            assert getattr(one, name) != getattr(other, name)
