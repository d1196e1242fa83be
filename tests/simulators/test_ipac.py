"""The stand-in of the IPAC 500."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
import contextlib
import io
import json
import os
from pathlib import Path
import time
from typing import Any
import wave

import aiohttp
from freezegun.api import FrozenDateTimeFactory
import pytest

from simulators.certificate import make_server_context
from simulators.ipac import LARGEST_BODY, LARGEST_WAV, Fault, Ipac, parse_form
from simulators.ipac_asm import LONGEST_QUEUE, AsmReply, parse_reply

from .conftest import Curl

type Shell = Callable[[Ipac, str], Awaitable[tuple[int, int]]]
type Ask = Callable[..., Awaitable[int]]

# The exchanges of the release note are of this moment by the station's clock.
NOTED = 1542289092
AHEAD = 3541

ADMIN = {"Authorization": "Basic YWRtaW46YWRtaW4="}

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)


def make_wav(frames: int = 8000) -> bytes:
    """Return a second of silence, or another number of frames."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(1)
        written.setframerate(8000)
        written.writeframes(b"\x80" * frames)
    return file.getvalue()


def text_of(data: bytes) -> str:
    """Return Base64 text."""
    return base64.b64encode(data).decode()


@pytest.fixture
async def station() -> AsyncIterator[Ipac]:
    """Return a station as it leaves the factory, with a code for each relay."""
    async with Ipac() as station:
        yield station


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a client that knows the factory's user and password."""
    async with aiohttp.ClientSession(headers=ADMIN) as session:
        yield session


@pytest.fixture
def get(station: Ipac, session: aiohttp.ClientSession) -> Ask:
    """Return what sends a station with basic authentication a query."""
    station.auth = "basic"

    async def get(path: str, **fields: str) -> int:
        async with session.get(f"{station.url}{path}", params=fields) as response:
            return response.status

    return get


@pytest.fixture
def post(station: Ipac, session: aiohttp.ClientSession) -> Ask:
    """Return what sends a station with basic authentication a form."""
    station.auth = "basic"

    async def post(path: str, **fields: str) -> int:
        async with session.post(f"{station.url}{path}", data=fields) as response:
            return response.status

    return post


@pytest.fixture
def post_json(station: Ipac, session: aiohttp.ClientSession) -> Ask:
    """Return what sends a station with basic authentication JSON."""
    station.auth = "basic"

    async def post_json(path: str, **fields: Any) -> int:
        async with session.post(f"{station.url}{path}", json=fields) as response:
            return response.status

    return post_json


@pytest.fixture
def shell(curl: Curl, tmp_path: Path) -> Shell:
    """Return what runs the release note's lines to the letter, but for the address.

    It tells how curl ended, and the status of its last answer.
    """
    (tmp_path / ".curlrc").write_text(
        'silent\nnoproxy = "*"\noutput = "/dev/null"\nwrite-out = "%{http_code} "\n'
    )

    async def run(station: Ipac, line: str) -> tuple[int, int]:
        for address in ("adresse_IP_IPAC", "192.168.0.30", "192.168.0.48"):
            line = line.replace(f"{address}/", f"{station.host}/")
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            line,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=tmp_path,
            env={**os.environ, "CURL_HOME": str(tmp_path)},
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, int(output.split()[-1])

    return run


# The release note's lines for the door, with its placeholders filled in as it says.
DOOR_LINES = [
    tuple(line.split(maxsplit=1))
    for line in """\
none   curl 'http://adresse_IP_IPAC/api/remote/?login=toto&password=titi&code=1234&relay=1'
none   curl -d "code=1234&relay=1&login=toto&password=titi" -X POST http://adresse_IP_IPAC/api/remote
basic  curl 'http://toto:titi@adresse_IP_IPAC/api/remote/?code=1234&relay=1'
basic  curl -d "code=1234&relay=1" -X POST http://toto:titi@adresse_IP_IPAC/api/remote
digest curl 'http://toto:titi@adresse_IP_IPAC/api/remote/?code=1234&relay=1' --digest
digest curl -d "code=1234&relay=1" -X POST http://toto:titi@adresse_IP_IPAC/api/remote --digest
""".splitlines()
]


@pytest.mark.parametrize(("auth", "line"), DOOR_LINES)
async def test_door_lines(station: Ipac, shell: Shell, auth: Any, line: str) -> None:
    """The note's lines open the door in all three modes, and in no other."""
    station.username, station.password, station.auth = "toto", "titi", auth
    station.relays[1].codes = ["1234"]
    assert await shell(station, line) == (0, 200)
    assert station.relays[1].active
    assert not station.relays[2].active
    last = station.requests[-1]
    assert (last.fields["code"], last.fields["relay"]) == ("1234", "1")
    assert (last.authorized, last.status) == (True, 200)
    # What curl does not know at first costs a request of its own.
    assert [request.status for request in station.requests[:-1]] == (
        [401] if auth == "digest" else []
    )
    station.password = "tata"
    assert await shell(station, line) == (0, 401)
    assert not station.requests[-1].authorized


@pytest.mark.parametrize(("auth", "line"), DOOR_LINES)
async def test_door_lines_https(shell: Shell, auth: Any, line: str) -> None:
    """They do so by https too, if curl is not to check the certificate."""
    line = line.replace("http:", "https:")
    async with Ipac(
        username="toto", password="titi", auth=auth, tls=True, codes={1: ["1234"]}
    ) as station:
        assert station.url == f"https://{station.host}"
        assert await shell(station, f"{line} --insecure") == (0, 200)
        assert station.relays[1].active
        # Exit code 60: the certificate is not signed by anyone.
        assert await shell(station, line) == (60, 0)
        assert (await shell(station, line.replace("https:", "http:")))[1] != 200
        assert station.relays[1].openings == 1


async def test_door_examples(station: Ipac, shell: Shell) -> None:
    """The note's examples for the door: one of them cannot have been tried."""
    line = (
        """curl -X POST -d '{"code":"1111","relay":"1"}' """
        "http://admin:admin@192.168.0.30/api/remote/ --digest "
        '--header "Content-Type: application/json"'
    )
    assert await shell(station, line) == (0, 200)
    assert station.requests[-1].content_type == "application/json"
    await station.restart()
    line = (
        'curl -d "code=1111,relay=1" '
        '-H "Content-Type: application/x-www-form-urlencoded" '
        "-X POST http://admin:admin@192.168.0.30/api/remote/ --digest"
    )
    assert await shell(station, line) == (0, 400)
    assert station.requests[-1].fields == {"code": "1111,relay=1"}
    station.strict_form = False
    assert await shell(station, line) == (0, 200)
    assert await shell(station, line) == (0, 480)
    await station.restart()
    station.strict_form = True
    assert await shell(station, line.replace(",", "&")) == (0, 200)
    assert station.relays[1].openings == 3


@pytest.mark.parametrize("auth", ["none", "basic"])
async def test_door_get_example(station: Ipac, shell: Shell, auth: Any) -> None:
    """The note's GET lines lack quotes: the shell ends them at the ampersand."""
    station.auth = auth
    line = (
        'curl -H "Content-Type: application/x-www-form-urlencoded" '
        "{quote}http://admin:admin@192.168.0.30/api/remote/?code=1111&relay=1{quote}"
    )
    assert await shell(station, line.format(quote="")) == (0, 400)
    assert station.requests[-1].fields == {"code": "1111"}
    assert await shell(station, line.format(quote="'")) == (0, 200)
    assert station.relays[1].active


async def test_call_lines(station: Ipac, shell: Shell) -> None:
    """The note's lines answer, end and make calls."""
    form = '-H "Content-Type: application/x-www-form-urlencoded"'
    url = "http://admin:admin@192.168.0.30/api/voip/"
    post = f"curl -d '{{}}' {form} -X POST {url} --digest"
    get = f"curl {form} '{url}?{{}}'"
    for auth, line in (("digest", post), ("basic", get), ("none", get)):
        station.auth = auth
        await station.receive_call()
        assert station.call is not None
        assert await shell(station, line.format("type=answer")) == (0, 200)
        assert station.call.answered
        assert await shell(station, line.format("type=terminate_all")) == (0, 200)
        assert station.call is None
        libre = "type=call&table=libre&id=sip:192.168.0.22"
        assert await shell(station, line.format(libre)) == (0, 200)
        assert station.call.number == "sip:192.168.0.22"
        await station.hang_up()
    station.auth = "digest"
    for fields, number in (
        ({"table": "libre", "id": "sip:192.168.0.22"}, "sip:192.168.0.22"),
        ({"table": "liste", "id": "4"}, "sip:192.0.2.24"),
    ):
        body = json.dumps({"type": "call", **fields}, separators=(",", ":"))
        line = f"""curl -d '{body}' -H "Content-Type: application/json" -X POST {url}"""
        assert await shell(station, f"{line} --digest") == (0, 200)
        assert station.call.direction == "outgoing"
        assert station.call.number == number
        await station.hang_up()
    station.auth = "none"
    line = f"{url}?type=call&table=libre&id=192.168.0.22"
    assert await shell(station, f"curl {form} {line}") == (0, 400)
    assert await shell(station, f"curl {form} '{line}'") == (0, 200)
    assert station.call.number == "sip:192.168.0.22"


async def test_audio_lines(station: Ipac, shell: Shell, tmp_path: Path) -> None:
    """The note's lines play a file, if it has no blanks as the note's own file has."""
    payload = tmp_path / "payload.txt"
    fields = {"type": "wav", "loop": "2", "data": text_of(make_wav())}
    for words in ("`cat payload.txt`", "$(cat payload.txt)"):
        line = (
            f"curl -X POST -d {words} http://admin:admin@192.168.0.30/api/audio/ "
            '--digest --header "Content-Type: application/json" --header "Expect:"'
        )
        payload.write_text(json.dumps(fields))
        assert (await shell(station, line))[1] != 200
        assert station.sound is None
        payload.write_text(json.dumps(fields, separators=(",", ":")))
        assert await shell(station, line) == (0, 200)
        assert station.sound is not None
        assert (station.sound.wav, station.sound.loop) == (make_wav(), 2)
        assert station.sound.seconds == 1
        line = (
            'curl -d "type=wav&data=stop" '
            '-H "Content-Type: application/x-www-form-urlencoded" -X POST '
            "http://admin:admin@192.168.0.30/api/audio/ --digest"
        )
        assert await shell(station, line) == (0, 200)
        assert station.sound is None
    assert len(station.sounds) == 2


@pytest.mark.parametrize("path", ["voip", "audio"])
async def test_stop_audio_get_line(station: Ipac, shell: Shell, path: str) -> None:
    """The note's GET to stop a sound has the path of another interface."""
    station.auth = "basic"
    async with aiohttp.ClientSession() as session:
        await session.post(
            f"{station.url}/api/audio/",
            json={"type": "wav", "data": text_of(make_wav())},
            headers=ADMIN,
        )
    assert station.sound is not None
    line = (
        'curl -H "Content-Type: application/x-www-form-urlencoded" '
        f"{{quote}}http://admin:admin@192.168.0.30/api/{path}/?type=wav&data=stop"
        "{quote}"
    )
    assert await shell(station, line.format(quote="")) == (0, 400)
    assert station.sound is not None
    assert await shell(station, line.format(quote="'")) == (0, 200)
    assert station.sound is None


async def test_video_lines(station: Ipac, shell: Shell, tmp_path: Path) -> None:
    """The note's lines show a picture and take it away."""
    (tmp_path / "image.b64").write_text(
        f'{{"type":"img","tempo":"60","data":"{text_of(PNG)}"}}'
    )
    (tmp_path / "stop.txt").write_text('{"type":"img","tempo":"60","data":"stop"}')
    line = (
        "curl -X POST -d $(cat {}) http://admin:admin@192.168.0.48/api/video/ "
        '--digest --header "content-type: application/json" --header "Expect:"'
    )
    assert await shell(station, line.format("image.b64")) == (0, 200)
    assert station.picture is not None
    assert station.picture.data == PNG
    assert (station.picture.tempo, station.picture.media_type) == (60, "image/png")
    assert await shell(station, line.format("stop.txt")) == (0, 200)
    assert station.picture is None
    assert len(station.pictures) == 1


async def test_expect(station: Ipac, curl: Curl, tmp_path: Path) -> None:
    """A client that asks first whether it may send a large body is told so at once."""
    body = tmp_path / "body.json"
    wav = make_wav(LARGEST_WAV - 44)
    body.write_text(json.dumps({"type": "wav", "data": text_of(wav)}))
    code, output = await curl(
        "--digest",
        "--header",
        "Content-Type: application/json",
        "--header",
        "Expect: 100-continue",
        "--expect100-timeout",
        "30",
        "--max-time",
        "20",
        "--data-binary",
        f"@{body}",
        f"http://admin:admin@{station.host}/api/audio/",
    )
    assert (code, output) == (0, "OK")
    assert len(station.sounds[0].wav) == LARGEST_WAV


async def test_challenges(station: Ipac) -> None:
    """Each mode asks in its own way, and the one without a mode does not ask."""
    async with aiohttp.ClientSession() as session:
        for auth, beginning in (
            ("digest", "Digest "),
            ("basic", "Basic "),
            ("none", ""),
        ):
            station.auth = auth
            async with session.get(f"{station.url}/api/remote/") as response:
                assert response.status == 401
                challenge = response.headers.get("WWW-Authenticate", "")
                assert challenge.startswith(beginning)
                assert bool(challenge) is bool(beginning)
        station.auth = "basic"
        for header in ("Basic %%%", "Basic YQ", "Basic YWRtaW46eA==", "Bearer x"):
            async with session.get(
                f"{station.url}/api/remote/", headers={"Authorization": header}
            ) as response:
                assert response.status == 401


async def test_digest(station: Ipac) -> None:
    """One challenge is enough for many requests, until the station forgets it."""
    middleware = aiohttp.DigestAuthMiddleware("admin", "admin")
    async with aiohttp.ClientSession(middlewares=(middleware,)) as session:

        async def stop_audio() -> int:
            async with session.post(
                f"{station.url}/api/audio/", data={"type": "wav", "data": "stop"}
            ) as response:
                return response.status

        assert [await stop_audio() for _ in range(3)] == [200] * 3
        assert [request.status for request in station.requests] == [401, 200, 200, 200]
        station.requests.clear()
        station.forget_nonces()
        assert await stop_audio() == 200
        assert [request.status for request in station.requests] == [401, 200]
        station.password = "other"
        assert await stop_audio() == 401


async def test_digest_replay(station: Ipac) -> None:
    """A request that is sent a second time is asked for a new proof."""
    seen: list[str] = []

    async def watch(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        seen.append(request.headers.get("Authorization", ""))
        return await handler(request)

    middleware = aiohttp.DigestAuthMiddleware("admin", "admin")
    url = f"{station.url}/api/voip/?type=answer"
    async with aiohttp.ClientSession(middlewares=(middleware, watch)) as client:
        assert (await client.get(url)).status == 200
    async with (
        aiohttp.ClientSession() as client,
        client.get(url, headers={"Authorization": seen[-1]}) as response,
    ):
        assert response.status == 401
        assert "stale=true" in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/remote", 400),
        ("/api/remote/", 400),
        ("/api/voip/", 400),
        ("/api/voip", 301),
        ("/api/audio", 301),
        ("/api/video", 301),
        ("/api/video/", 405),
        ("/api/remote//", 404),
        ("/api/", 404),
        ("/", 404),
    ],
)
async def test_paths(
    station: Ipac, session: aiohttp.ClientSession, path: str, status: int
) -> None:
    """The door has two paths, the others send those without a slash elsewhere."""
    station.auth = "basic"
    async with session.get(
        f"{station.url}{path}?a=b", allow_redirects=False
    ) as response:
        assert response.status == status
        if status == 301:
            assert response.headers["Location"] == f"{path}/?a=b"
        if status == 405:
            assert response.headers["Allow"] == "POST"
    assert [request.status for request in station.requests] == [status]


async def test_redirect_loses_the_body(post: Ask, station: Ipac) -> None:
    """Who leaves the slash out comes back with GET and without a body."""
    await station.receive_call()
    assert await post("/api/voip", type="terminate_all") == 400
    assert [request.method for request in station.requests] == ["POST", "GET"]
    assert station.call is not None


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/api/remote/", {"code": "1111"}),
        ("/api/remote/", {"relay": "1"}),
        ("/api/remote/", {"code": "1111", "relay": "4"}),
        ("/api/remote/", {"code": "1111", "relay": "0"}),
        ("/api/remote/", {"code": "1111", "relay": 1}),
        ("/api/remote/", {"code": 1111, "relay": "1"}),
        ("/api/voip/", {}),
        ("/api/voip/", {"type": "answer"}),
        ("/api/voip/", {"type": "terminate_all"}),
        ("/api/voip/", {"type": "call", "table": "libre"}),
        ("/api/voip/", {"type": "call", "table": "other", "id": "1"}),
        ("/api/voip/", {"type": "call", "table": "liste", "id": "99"}),
        ("/api/voip/", {"type": "wav", "data": "stop"}),
        ("/api/audio/", {"type": "wav"}),
        ("/api/audio/", {"type": "wav", "data": "stop"}),
        ("/api/audio/", {"type": "wav", "data": "%"}),
        ("/api/audio/", {"type": "wav", "data": text_of(PNG)}),
        ("/api/audio/", {"type": "wav", "data": text_of(make_wav(0))}),
        ("/api/audio/", {"type": "wav", "data": text_of(make_wav()[:-1])}),
        ("/api/audio/", {"type": "wav", "data": text_of(make_wav()[:40])}),
        ("/api/audio/", {"type": "wav", "data": text_of(b"RIFF\4\0\0\0WAVEfmt ")}),
        (
            "/api/audio/",
            {
                "type": "wav",
                "data": text_of(make_wav().replace(b"fmt \x10", b"fmt \xff")),
            },
        ),
        ("/api/audio/", {"type": "wav", "data": text_of(make_wav(LARGEST_WAV))}),
        ("/api/audio/", {"type": "wav", "loop": "10000", "data": text_of(make_wav())}),
        ("/api/audio/", {"type": "wav", "loop": "-1", "data": text_of(make_wav())}),
        ("/api/audio/", {"type": "wav", "loop": 1, "data": text_of(make_wav())}),
        ("/api/video/", {"type": "img", "data": text_of(b"BM bitmap")}),
        ("/api/video/", {"type": "img", "tempo": "", "data": text_of(PNG)}),
        ("/api/video/", {"type": "img", "tempo": "10000", "data": text_of(PNG)}),
        ("/api/video/", {"type": "wav", "data": "stop"}),
    ],
)
async def test_bad_json(
    station: Ipac, post_json: Ask, path: str, fields: dict[str, Any]
) -> None:
    """What the note does not print is not understood."""
    assert await post_json(path, **fields) == 400
    assert not station.sounds
    assert not station.pictures
    assert station.call is None
    assert not station.relays[1].openings


async def test_bad_forms(station: Ipac, post: Ask) -> None:
    """Files come in JSON only, whatever the note says of addresses."""
    data = text_of(make_wav())
    assert await post("/api/audio/", type="wav", data=data) == 400
    assert await post("/api/video/", type="img", data=text_of(PNG)) == 400
    assert await post("/api/video/", type="img", data="stop") == 400
    assert await post("/api/voip/", type="wav", data="stop") == 400
    assert await post("/api/audio/", type="wav", data="stop") == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"\xff", "application/json"),
        pytest.param(b"[" * 100_000, "application/json", id="deep"),
        (b'["code"]', "application/json"),
        (b"code=1111&relay=1", "text/plain"),
        (b"\xff=&&=%", "application/x-www-form-urlencoded"),
    ],
)
async def test_bad_bodies(
    station: Ipac, session: aiohttp.ClientSession, body: bytes, content_type: str
) -> None:
    """What is neither a form nor a JSON object is not understood."""
    station.auth = "basic"
    async with session.post(
        f"{station.url}/api/remote/",
        data=body,
        headers={"Content-Type": content_type},
    ) as response:
        assert response.status == 400


async def test_too_large(station: Ipac, session: aiohttp.ClientSession) -> None:
    """A body of two megabytes is read, a larger one is not."""
    station.auth = "basic"
    for size, status in ((LARGEST_BODY, 400), (LARGEST_BODY + 1, 413)):
        async with session.post(
            f"{station.url}/api/video/",
            data=b" " * size,
            headers={"Content-Type": "application/json"},
        ) as response:
            assert response.status == status
        assert station.requests[-1].status == status


def test_form() -> None:
    """Forms are decoded; commas are taken only on request."""
    assert parse_form(b"a=b+c%26&d=&e") == {"a": "b c&", "d": "", "e": ""}
    assert parse_form(b"a=b,c=d") == {"a": "b,c=d"}
    assert parse_form(b"a=b,c=d", strict=False) == {"a": "b", "c": "d"}


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({}, "1111", 200),
        ({}, "2222", 403),
        ({"remote": False}, "1111", 403),
        ({"in_time_slot": False}, "1111", 401),
        ({"mode": "pdl"}, "1111", 423),
        ({"mode": "netcut"}, "1111", 423),
        ({"mode": "pdl", "in_time_slot": False}, "1111", 423),
        ({"mode": "pdl"}, "2222", 403),
    ],
)
async def test_door(
    station: Ipac, post: Ask, changes: dict[str, Any], code: str, status: int
) -> None:
    """The relay's settings decide, as the note's table says."""
    for name, value in changes.items():
        setattr(station.relays[1], name, value)
    assert await post("/api/remote/", code=code, relay="1") == status
    assert station.relays[1].active is (status == 200)
    assert station.relays[1].openings == (status == 200)
    assert not station.relays[2].active


async def test_door_busy(
    station: Ipac, get: Ask, freezer: FrozenDateTimeFactory
) -> None:
    """An open door is busy until it closes, and so is one with someone at its keys."""
    assert await get("/api/remote/", code="1111", relay="1") == 200
    freezer.tick(4.9)
    assert await get("/api/remote", code="1111", relay="1") == 480
    assert await get("/api/remote/", code="2222", relay="2") == 200
    freezer.tick(0.2)
    assert not station.relays[1].active
    assert station.relays[2].active
    assert await get("/api/remote/", code="1111", relay="1") == 200
    freezer.tick(6)
    station.typing = True
    assert await get("/api/remote/", code="1111", relay="1") == 480
    assert station.relays[1].openings == 2


async def test_both_doors(
    station: Ipac, get: Ask, freezer: FrozenDateTimeFactory
) -> None:
    """Relay 3 is both, of which each looks at the code by itself."""
    station.relays[2].codes.append("1111")
    assert await get("/api/remote/", code="1111", relay="3") == 200
    assert [relay.openings for relay in station.relays.values()] == [1, 1]
    freezer.tick(6)
    assert await get("/api/remote/", code="2222", relay="3") == 200
    assert [relay.openings for relay in station.relays.values()] == [1, 2]
    assert await get("/api/remote/", code="2222", relay="3") == 480
    assert await get("/api/remote/", code="3333", relay="3") == 403


async def test_slot_challenge(station: Ipac, session: aiohttp.ClientSession) -> None:
    """401 means the time slot too, with or without asking for a password."""
    station.auth = "basic"
    station.relays[1].in_time_slot = False
    for auth in ("basic", "digest"):
        station.slot_challenge = auth == "digest"
        async with session.post(
            f"{station.url}/api/remote/", data={"code": "1111", "relay": "1"}
        ) as response:
            assert (response.status, response.reason) == (401, "Unauthorized")
            assert ("WWW-Authenticate" in response.headers) is station.slot_challenge
        assert station.requests[-1].authorized
    station.auth = "digest"
    middleware = aiohttp.DigestAuthMiddleware("admin", "admin")
    async with (
        aiohttp.ClientSession(middlewares=(middleware,)) as client,
        client.post(
            f"{station.url}/api/remote/", data={"code": "1111", "relay": "1"}
        ) as response,
    ):
        assert response.headers["WWW-Authenticate"].startswith("Digest ")


def test_codes() -> None:
    """A relay has place for four codes, and may have none."""
    assert Ipac(codes={1: ["1", "2", "3", "4"]}).relays[2].codes == []
    with pytest.raises(ValueError, match="four"):
        Ipac(codes={1: ["1", "2", "3", "4", "5"]})


async def test_sound(
    station: Ipac, post_json: Ask, freezer: FrozenDateTimeFactory
) -> None:
    """A sound is over after its passes; an endless one waits while it is not idle."""
    data = text_of(make_wav())
    assert await post_json("/api/audio/", type="wav", loop="3", data=data) == 200
    await station.press_button()
    freezer.tick(2.9)
    assert station.sound is not None
    freezer.tick(0.2)
    assert station.sound is None
    for fields in ({"loop": "0"}, {}):
        assert await post_json("/api/audio/", type="wav", data=data, **fields) == 200
        assert station.sound is None
        await station.hang_up()
        freezer.tick(100_000)
        assert station.sound is not None
        assert station.sound.loop == 0
        await station.open_locally(1)
        assert station.sound is None
        await station.press_button()
    assert len(station.sounds) == 3


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"GIF87a", "image/gif"),
    ],
)
async def test_picture(
    station: Ipac,
    post_json: Ask,
    freezer: FrozenDateTimeFactory,
    data: bytes,
    media_type: str,
) -> None:
    """A picture is seen for its time, unless the station is not idle."""
    await station.receive_call()
    text = text_of(data)
    assert await post_json("/api/video/", type="img", tempo="60", data=text) == 200
    assert station.pictures[0].media_type == media_type
    assert station.picture is None
    await station.hang_up()
    assert station.picture is station.pictures[0]
    freezer.tick(61)
    assert station.picture is None
    assert await post_json("/api/video/", type="img", data=text) == 200
    freezer.tick(100_000)
    assert station.picture is station.pictures[1]
    await station.open_locally(2)
    assert station.picture is None
    freezer.tick(6)
    assert station.picture is not None


async def test_nothing_to_do(station: Ipac, get: Ask) -> None:
    """Nothing to answer or end is no error; a second call is."""
    assert await get("/api/voip/", type="answer") == 200
    assert await get("/api/voip/", type="terminate_all") == 200
    assert await get("/api/voip/", type="call", table="ldap", id="1000@proxy") == 200
    assert station.call is not None
    assert station.call.number == "sip:1000@proxy"
    assert await get("/api/voip/", type="answer") == 200
    assert not station.call.answered
    assert await get("/api/voip/", type="call", table="liste", id="1") == 480
    await station.press_button("sip:192.0.2.1")
    await station.receive_call("sip:192.0.2.2")
    assert station.call.number == "sip:1000@proxy"


@pytest.mark.parametrize("acted", [True, False])
async def test_reset(station: Ipac, acted: bool) -> None:
    """A connection breaks before or after the deed, and never at the challenge."""
    station.inject("/api/remote", Fault.reset(acted=acted))
    middleware = aiohttp.DigestAuthMiddleware("admin", "admin")
    async with aiohttp.ClientSession(middlewares=(middleware,)) as session:
        with pytest.raises(aiohttp.ClientOSError):
            await session.post(
                f"{station.url}/api/remote/", data={"code": "1111", "relay": "1"}
            )
    assert [request.status for request in station.requests] == [401, 0]
    assert station.relays[1].active is acted


@pytest.mark.parametrize("acted", [True, False])
async def test_hang(station: Ipac, post: Ask, acted: bool) -> None:
    """No answer comes until the client gives up or the station stops."""
    station.inject("/api/remote/", Fault.hang(acted=acted), times=2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await post("/api/remote/", code="1111", relay="1")
    assert station.relays[1].active is acted
    waiting = asyncio.create_task(post("/api/remote/", code="1111", relay="1"))
    while len(station.requests) < 2:
        await asyncio.sleep(0.001)
    await station.stop()
    with pytest.raises(aiohttp.ClientError):
        await waiting


async def test_late(station: Ipac, post: Ask) -> None:
    """A request can be dealt with after one that came later."""
    go_on = asyncio.Event()
    station.inject("/api/voip/", Fault.late(go_on))
    calling = asyncio.create_task(
        post("/api/voip/", type="call", table="libre", id="1")
    )
    while not station.requests:
        await asyncio.sleep(0.001)
    await post("/api/voip/", type="terminate_all")
    assert station.call is None
    go_on.set()
    await calling
    assert station.call is not None


async def test_other_faults(
    station: Ipac, post: Ask, session: aiohttp.ClientSession
) -> None:
    """Any answer can be had, in the station's words or in others."""
    station.inject("/api/voip/", Fault.busy())
    station.inject("/api/voip/", Fault.code(423))
    station.inject("/api/voip/", Fault.code(503, "reboot"))
    station.inject("/api/voip/", Fault.empty())
    station.inject("/api/voip/", Fault.reply(b"<html>", status=502))
    station.inject("/api/voip/", Fault.trickle(0.0001))
    for status, text in (
        (480, "Temporarily Unavailable"),
        (423, "LOCKED"),
        (503, "reboot"),
        (200, ""),
        (502, "<html>"),
        (200, "OK"),
    ):
        async with session.post(
            f"{station.url}/api/voip/", data={"type": "terminate_all"}
        ) as response:
            assert (response.status, await response.text()) == (status, text)
    station.inject("/api/voip/", Fault.busy())
    station.clear_faults()
    assert await post("/api/voip/", type="terminate_all") == 200


async def test_leaves_and_returns(station: Ipac, get: Ask) -> None:
    """The station comes back to the network at the same address."""
    host = station.host
    await station.start()
    await station.stop()
    await station.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await get("/api/voip/", type="answer")
    await station.start()
    assert station.host == host
    assert await get("/api/voip/", type="answer") == 200


async def test_certificate() -> None:
    """With TLS, the station is at the same address after a stop too."""
    async with Ipac(tls=True, auth="none") as station:
        url = station.url
        await station.stop()
        await station.start()
        assert station.url == url
        async with aiohttp.ClientSession() as session:
            for ssl in (False, True):
                request = session.get(
                    f"{url}/api/voip/?type=answer&login=admin&password=admin", ssl=ssl
                )
                if ssl:
                    with pytest.raises(aiohttp.ClientConnectorCertificateError):
                        await request
                else:
                    assert (await request).status == 200


def printed(status: str, length: int, body: str) -> bytes:
    """Return an answer as the note prints them, with lengths that do not match."""
    return (
        f"HTTP/1.1 {status}\r\n"
        "Server: nginx/1.12.2\r\n"
        "Date: Thu, 15 Nov 2018 12:39:10 GMT\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {length}\r\n"
        "Connection: close\r\n"
        "Vary: Accept-Encoding\r\n"
        "Vary: Accept\r\n"
        "Allow: POST, OPTIONS\r\n"
        "X-Frame-Options: SAMEORIGIN\r\n"
        "\r\n"
        f"{body}"
    ).encode()


UNKNOWN = printed("404 ERROR", 37, '{"message":"unkown_objectid"}')
INVALID = printed("404 ERROR", 27, '{"message":"invalid_token"}')
UPDATED = printed(
    "200 OK",
    73,
    '{"message": "conf_updated", "request": "conf", "time": "15664599", '
    '"objectid": "0000"}}',
)
TASK = printed(
    "200 OK",
    8442,
    '{"task_id":0,"token":"administrator","objectid":"0000","request":"remote",'
    '"type":"open","relay":"1","code":"1234","time":15658999}',
)
FINISHED = printed(
    "200 OK",
    28,
    '{"code":"event_rl_finished","task_id":0,"message":"event_rl_finalise"}',
)
RECORDED = printed("200 OK", 28, '{"message": "event_recorded"}')
# What is answered when nothing is to be done is not printed.
NOTHING = printed("200 OK", 23, '{"message":"notify_ok"}')
EVENT_PATH = "/api/v2/event/"


def json_of(message: bytes) -> Any:
    """Return what a request or a reply carries."""
    return json.loads(message.partition(b"\r\n\r\n")[2])


class AsmServer:
    """A server that answers what it is told to, and keeps what it gets."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.replies: list[bytes] = []
        self.url = ""
        self._server: asyncio.Server | None = None

    async def start(self, *, tls: bool = False) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, ssl=make_server_context() if tls else None
        )
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """Return the JSON bodies of all requests."""
        return [json_of(request) for request in self.received]

    @property
    def events(self) -> list[tuple[str, str, str]]:
        """Return code, value and request of all events."""
        return [
            (body["code"], body["value"], body["request"])
            for body in self.bodies
            if "code" in body
        ]

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        lengths = [line for line in lines if line.startswith("Content-Length: ")]
        body = await reader.readexactly(int(lengths[0].partition(": ")[2]))
        self.received.append(head + body)
        default = RECORDED if f"POST {EVENT_PATH}" in lines[0] else NOTHING
        writer.write(self.replies.pop(0) if self.replies else default)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
async def asm() -> AsyncIterator[AsmServer]:
    """Return a server that expects the station."""
    server = AsmServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def tied(asm: AsmServer) -> AsyncIterator[Ipac]:
    """Return the note's station, which is tied to the server."""
    async with Ipac(object_id="0000", codes={1: ["1234"], 2: ["2222"]}) as station:
        # When a test freezes the time, all clocks jump: nothing may wait for them.
        station.connect_asm(
            uri=asm.url, path="/api/v2/", token="administrator", notify_every=0
        )
        yield station


@pytest.fixture
def noted(freezer: FrozenDateTimeFactory) -> None:
    """Let it be the moment of the note's exchanges."""
    freezer.move_to(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(NOTED - AHEAD)))


@pytest.mark.usefixtures("noted")
async def test_first_notify(tied: Ipac, asm: AsmServer) -> None:
    """The first message is the note's, byte by byte, and its answers lead on."""
    asm.replies = [UNKNOWN, UPDATED]
    reply = await tied.notify()
    assert (reply.status, reply.fields) == (404, {"message": "unkown_objectid"})
    host = asm.url.removeprefix("http://")
    assert asm.received[0].decode() == (
        "POST /api/v2/notify/ HTTP/1.1\r\n"
        "Accept-Encoding: identity\r\n"
        "Content-Length: 66\r\n"
        f"Host: {host}\r\n"
        "Content-Type: application/json\r\n"
        "Connection: close\r\n"
        "User-Agent: STS-Embedded\r\n"
        "\r\n"
        '{"token": "administrator", "objectid": "0000", "time": 1542289092}'
    )
    settings = asm.bodies[1]
    assert asm.received[1].startswith(b"POST /api/v2/settings/ HTTP/1.1\r\n")
    assert list(settings) == [
        "conf_user",
        "token",
        "objectid",
        "time",
        "conf_sip",
        "request",
    ]
    assert settings["request"] == "conf"
    # As the note's blobs begin.
    assert settings["conf_user"].startswith("W0Zpcm13YXJ")
    assert settings["conf_sip"].startswith("W2F1ZGlv")
    assert 7800 < len(asm.received[1]) < 8900
    user = base64.b64decode(settings["conf_user"]).decode()
    assert "version=1.72" in user
    assert "product=IPAC50021" in user
    assert "1234" in user
    assert [sent.endpoint for sent in tied.sent] == ["notify", "settings"]
    assert tied.sent[1].reply.fields["message"] == "conf_updated"
    # The product waits for its customer's consent.
    assert tied.led == "orange"
    assert tied.asm is not None
    assert tied.asm.last_update == "Success,Thu Nov 15 13:38:12 2018"
    await tied.notify()
    assert tied.led == "green"
    assert len(asm.received) == 3


@pytest.mark.usefixtures("noted")
async def test_http_1_0(tied: Ipac, asm: AsmServer) -> None:
    """The other messages are the note's too, without what the server's proxy added."""
    tied.connect_asm(
        uri=asm.url,
        path="/api/v2/",
        token="administrator",
        notify_every=0,
        http_version="1.0",
    )
    tied.call_value_form = "spaced"
    await tied.press_button("sip:00143674252@192.168.0.252")
    host = asm.url.removeprefix("http://")
    assert asm.received[0].decode() == (
        "POST /api/v2/event/ HTTP/1.0\r\n"
        f"Host: {host}\r\n"
        "Connection: close\r\n"
        "Content-Length: 152\r\n"
        "Accept-Encoding: identity\r\n"
        "Content-Type: application/json\r\n"
        "User-Agent: STS-Embedded\r\n"
        "\r\n"
        '{"value": "outgoing ;sip:00143674252@192.168.0.252", '
        '"token": "administrator", "code": "01", "objectid": "0000", '
        '"request": "vocal", "time": 1542289092}'
    )
    assert tied.sent[0].reply.fields == {"message": "event_recorded"}


@pytest.mark.usefixtures("noted")
async def test_task(tied: Ipac, asm: AsmServer) -> None:
    """A task opens the door, and is told of as printed, which is not JSON."""
    asm.replies = [TASK, FINISHED]
    await tied.notify()
    assert tied.relays[1].active
    assert asm.received[1].endswith(
        b'\r\n\r\n{"task_id":0, "value": {1 :200, 2 :403}, "token": "administrator", '
        b'"code": "RL", "objectid": "0000", "time": 1542289092}'
    )
    assert tied.sent[1].reply.fields["message"] == "event_rl_finalise"
    tied.task_value_form = "json"
    asm.replies = [TASK, FINISHED]
    await tied.notify()
    assert json_of(asm.received[-1]) == {
        "task_id": 0,
        "value": {"1": 480, "2": 403},
        "token": "administrator",
        "code": "RL",
        "objectid": "0000",
        "time": 1542289092,
    }
    assert tied.relays[1].openings == 1


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({}, {"1": 200, "2": 403}),
        ({"relay": "2"}, {"1": 403, "2": 403}),
        ({"relay": "2", "code": "2222"}, {"1": 403, "2": 200}),
        ({"relay": "3", "code": "2222"}, {"1": 403, "2": 200}),
        ({"relay": "3", "code": "1234"}, {"1": 200, "2": 403}),
        ({"relay": "4"}, {"1": 400, "2": 400}),
        ({"relay": None}, {"1": 400, "2": 400}),
        ({"code": 1234}, {"1": 400, "2": 400}),
        ({"type": "close"}, {"1": 400, "2": 400}),
        ({"token": "other"}, {"1": 400, "2": 400}),
        ({"objectid": "1"}, {"1": 400, "2": 400}),
        ({"task_id": 17}, {"1": 200, "2": 403}),
    ],
)
async def test_tasks(
    tied: Ipac, asm: AsmServer, changes: dict[str, Any], value: dict[str, int]
) -> None:
    """Each relay says what became of a task."""
    tied.task_value_form = "json"
    task = {**json_of(TASK), **changes}
    asm.replies = [printed("200 OK", 0, json.dumps(task))]
    await tied.notify()
    assert asm.bodies[-1]["task_id"] == task["task_id"]
    assert asm.bodies[-1]["value"] == value
    for relay in tied.relays.values():
        assert relay.active is (value[str(relay.number)] == 200)


async def test_task_refused(tied: Ipac, asm: AsmServer) -> None:
    """A task obeys the relay's settings like anybody else."""
    tied.task_value_form = "json"
    for changes, status in (
        ({"in_time_slot": False}, 401),
        ({"mode": "netcut"}, 423),
        ({"remote": False}, 403),
    ):
        for name, value in changes.items():
            setattr(tied.relays[1], name, value)
        asm.replies = [TASK]
        await tied.notify()
        assert asm.bodies[-1]["value"] == {"1": status, "2": 403}
    asm.replies = [printed("200 OK", 0, '{"task_id":1,"request":"conf"}')]
    await tied.notify()
    assert "code" not in asm.bodies[-1]
    assert not tied.relays[1].openings


async def test_invalid_token(tied: Ipac, asm: AsmServer) -> None:
    """A wrong key turns the light red, and nothing more is sent."""
    await tied.notify()
    assert tied.led == "green"
    asm.replies = [INVALID]
    await tied.notify()
    assert tied.led == "red"
    assert len(asm.received) == 2


async def test_events(tied: Ipac, asm: AsmServer) -> None:
    """What happens at the station is told."""
    await tied.press_button()
    await tied.hang_up()
    await tied.hang_up()
    await tied.receive_call()
    await tied.hang_up()
    await tied.type_code("0000")
    await tied.type_code("1234")
    await tied.type_code("1234")
    await tied.open_locally(2)
    await tied.start_stream()
    await tied.end_stream()
    await tied.end_stream()
    await tied.restart()
    assert asm.events == [
        ("01", "outgoing:sip:192.0.2.23", "vocal"),
        ("FA", "outgoing:sip:192.0.2.23", "vocal"),
        ("01", "incoming:sip:192.0.2.40", "vocal"),
        ("FA", "incoming:sip:192.0.2.40", "vocal"),
        ("CL", "0000", "KeyBoard"),
        ("CL", "1234", "KeyBoard"),
        ("RL", "1234;1", "open"),
        ("CL", "1234", "KeyBoard"),
        ("RL", ";2", "open"),
        ("ST", "192.0.2.40 sip:192.0.2.23", "Stream"),
        ("FS", "outgoing:sip:192.0.2.23", "Stream"),
        ("OE", "restarted", "application"),
    ]
    assert asm.bodies[-1]["request"] == "conf"
    assert all(abs(body["time"] - time.time() - AHEAD) < 5 for body in asm.bodies[:-1])


@pytest.mark.parametrize(
    ("form", "outgoing", "incoming", "request_word"),
    [
        ("spaced", "outgoing ;sip:192.0.2.23", "incoming ;sip:192.0.2.40", "vocal"),
        ("colon", "outgoing:sip:192.0.2.23", "incoming:sip:192.0.2.40", "vocal"),
        ("titled", "Outgoing ; sip:192.0.2.23", "incoming ; sip:192.0.2.40", "Vocal"),
    ],
)
async def test_call_values(
    tied: Ipac,
    asm: AsmServer,
    form: Any,
    outgoing: str,
    incoming: str,
    request_word: str,
) -> None:
    """Calls are written in the note's three ways; an end like its beginning."""
    tied.call_value_form = form
    await tied.press_button()
    tied.call_value_form = "colon"
    await tied.hang_up()
    tied.call_value_form = form
    await tied.receive_call()
    assert asm.events == [
        ("01", outgoing, request_word),
        ("FA", outgoing, request_word),
        ("01", incoming, request_word),
    ]


async def test_local_settings(tied: Ipac, asm: AsmServer) -> None:
    """Codes typed at the door need not be remote, but the rest holds for them too."""
    tied.relays[1].remote = False
    tied.relays[1].in_time_slot = False
    await tied.type_code("1234")
    tied.relays[1].mode = "pdl"
    await tied.open_locally(1)
    assert not tied.relays[1].openings
    tied.relays[1].mode = "normal"
    await tied.open_locally(1, "1234")
    tied.relays[1].release()
    tied.relays[1].in_time_slot = True
    await tied.type_code("1234")
    assert tied.relays[1].openings == 2
    assert [code for code, _, _ in asm.events] == ["CL", "RL", "CL", "RL"]


async def test_local_requests_are_told(tied: Ipac, asm: AsmServer) -> None:
    """What local requests do is told too, but not waited for."""
    tied.auth = "none"
    tied.relays[2].codes = ["1234"]
    async with aiohttp.ClientSession() as session:
        for path, fields in (
            ("remote", {"code": "1234", "relay": "3"}),
            ("remote", {"code": "1234", "relay": "3"}),
            ("voip", {"type": "call", "table": "libre", "id": "192.0.2.9"}),
            ("voip", {"type": "terminate_all"}),
        ):
            form = {**fields, "login": "admin", "password": "admin"}
            await session.post(f"{tied.url}/api/{path}/", data=form)
    async with asyncio.timeout(60):
        while len(asm.received) < 4:
            await asyncio.sleep(0.001)
    assert asm.events == [
        ("RL", "1234;1", "open"),
        ("RL", "1234;2", "open"),
        ("01", "outgoing:sip:192.0.2.9", "vocal"),
        ("FA", "outgoing:sip:192.0.2.9", "vocal"),
    ]


async def test_restart(tied: Ipac, asm: AsmServer) -> None:
    """A restart ends all that was going on."""
    tied.auth = "basic"
    async with aiohttp.ClientSession(headers=ADMIN) as session:
        for path, fields in (
            ("audio", {"type": "wav", "loop": "99", "data": text_of(make_wav())}),
            ("video", {"type": "img", "data": text_of(PNG)}),
        ):
            await session.post(f"{tied.url}/api/{path}/", json=fields)
    await tied.open_locally(1)
    await tied.press_button()
    await tied.start_stream()
    tied.typing = True
    await tied.restart()
    assert tied.idle
    assert tied.call is tied.sound is tied.picture is None
    assert not tied.typing
    assert [code for code, _, _ in asm.events] == ["RL", "01", "ST", "OE"]


async def test_events_wait(
    tied: Ipac, asm: AsmServer, freezer: FrozenDateTimeFactory
) -> None:
    """Events that nobody took come again with the next notify, as they were."""
    assert tied.asm is not None
    asm.replies = [INVALID, printed("500 Internal Server Error", 0, "")]
    await tied.press_button()
    assert tied.led == "red"
    freezer.tick(3)
    await tied.hang_up()
    assert len(tied.asm.waiting) == 2
    # Those that happen meanwhile do not wait.
    await tied.type_code("0000")
    assert tied.led == "green"
    bodies = [sent.body for sent in tied.sent]
    asm.replies = [NOTHING, RECORDED, INVALID]
    await tied.notify()
    assert tied.asm.waiting == (bodies[1],)
    asm.replies = [INVALID]
    await tied.notify()
    assert len(tied.asm.waiting) == 1
    await tied.notify()
    assert not tied.asm.waiting
    assert [sent.body for sent in tied.sent[3:] if sent.endpoint == "event"] == [
        bodies[0],
        bodies[1],
        bodies[1],
    ]


async def test_outcome_waits(tied: Ipac, asm: AsmServer) -> None:
    """The outcome of a task is not lost either."""
    asm.replies = [TASK, INVALID]
    await tied.notify()
    await tied.notify()
    assert asm.received[1].endswith(tied.sent[-1].body)
    assert tied.relays[1].openings == 1


async def test_queue_is_bounded(tied: Ipac) -> None:
    """Not more events wait than there is place for; the oldest go."""
    tied.silent = True
    for number in range(LONGEST_QUEUE + 1):
        await tied.type_code(str(number))
    assert tied.asm is not None
    assert len(tied.asm.waiting) == LONGEST_QUEUE
    assert json.loads(tied.asm.waiting[0])["value"] == "1"


async def test_silence(tied: Ipac, asm: AsmServer) -> None:
    """A silent station is alive, and tells later what happened."""
    await tied.notify()
    tied.silent = True
    assert (await tied.notify()).status is None
    await tied.press_button()
    assert len(tied.sent) == len(asm.received) == 1
    assert tied.led == "green"
    assert tied.call is not None
    tied.silent = False
    await tied.notify()
    assert [sent.endpoint for sent in tied.sent] == ["notify", "notify", "event"]


async def test_out_of_the_network(tied: Ipac, asm: AsmServer) -> None:
    """A station without a network rings all the same, and tells later."""
    await tied.stop()
    await tied.press_button()
    assert tied.call is not None
    assert not asm.received
    await tied.start()
    await tied.notify()
    assert asm.events == [("01", "outgoing:sip:192.0.2.23", "vocal")]


async def test_nobody_answers(tied: Ipac, asm: AsmServer) -> None:
    """A server that is not there, or speaks no HTTP, is noted as such."""
    asm.replies = [b"SSH-2.0-OpenSSH\r\n", b""]
    for _ in range(2):
        assert (await tied.notify()).status is None
        assert tied.led == "red"
    tied.connect_asm(uri="http://127.0.0.1:1", path="/", token="x")
    await tied.press_button()
    assert tied.sent[-1].reply == AsmReply(None)


async def test_server_takes_too_long(
    tied: Ipac, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The station does not wait for ever."""
    monkeypatch.setattr("simulators.ipac_asm.TIMEOUT", 0)
    assert (await tied.notify()).status is None
    assert tied.led == "red"


async def test_endless_reply(
    tied: Ipac, asm: AsmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The station does not read for ever."""
    monkeypatch.setattr("simulators.ipac_asm.LARGEST_REPLY", 1000)
    asm.replies = [printed("200 OK", 0, " " * 2_000_000)]
    reply = await tied.notify()
    assert (reply.status, reply.fields) == (200, {})
    assert len(reply.body) < 2_000_000


async def test_stop_interrupts_telling(tied: Ipac, asm: AsmServer) -> None:
    """An event that is under way when the network goes is told later."""
    tied.auth = "none"
    assert tied.asm is not None
    url = f"{tied.url}/api/remote/?login=admin&password=admin&code=1234&relay=1"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
    await tied.stop()
    await tied.start()
    await tied.notify()
    assert set(asm.events) == {("RL", "1234;1", "open")}


async def test_https(tied: Ipac) -> None:
    """The server may have any certificate."""
    server = AsmServer()
    await server.start(tls=True)
    tied.connect_asm(uri=server.url, path="/api/v2/", token="administrator")
    assert (await tied.notify()).status == 200
    assert tied.led == "green"
    await server.stop()


async def test_cycle(tied: Ipac, asm: AsmServer) -> None:
    """The station notifies by itself, while it is in the network and has a server."""
    tied.connect_asm(
        uri=asm.url, path="/any/", token="administrator", notify_every=0.005
    )
    async with asyncio.timeout(60):
        while len(asm.received) < 3:
            await asyncio.sleep(0.001)
    assert asm.received[0].startswith(b"POST /any/notify/ HTTP/1.1\r\n")
    await tied.stop()
    sent = len(tied.sent)
    await asyncio.sleep(0.02)
    assert len(tied.sent) == sent
    await tied.start()
    async with asyncio.timeout(60):
        while len(tied.sent) < sent + 2:
            await asyncio.sleep(0.001)
    tied.disconnect_asm()
    tied.disconnect_asm()
    sent = len(tied.sent)
    await asyncio.sleep(0.02)
    assert len(tied.sent) == sent
    assert tied.led == "red"


async def test_without_server(station: Ipac) -> None:
    """Without a server, everything works but telling."""
    await station.press_button()
    await station.hang_up()
    await station.restart()
    assert station.led == "red"
    assert not station.sent
    with pytest.raises(ValueError, match="server"):
        await station.notify()
    with pytest.raises(ValueError, match="server"):
        await station.send_raw("event", b"{}")


@pytest.mark.parametrize(
    "uri", ["", "amphitech.example", "ftp://x", "http://", "http://["]
)
async def test_bad_address(station: Ipac, uri: str) -> None:
    """An address that is none is refused."""
    with pytest.raises(ValueError, match=r"address|IPv6"):
        station.connect_asm(uri=uri, path="/", token="x")
    assert station.asm is None


async def test_raw(tied: Ipac, asm: AsmServer) -> None:
    """Any body can be sent; it is not sent again."""
    asm.replies = [UNKNOWN]
    reply = await tied.send_raw("event", b"\xff{")
    assert reply.fields == {"message": "unkown_objectid"}
    assert asm.received[0].startswith(b"POST /api/v2/event/ HTTP/1.1\r\n")
    assert asm.received[0].endswith(b"\r\n\r\n\xff{")
    await tied.notify()
    assert len(asm.received) == 2


@pytest.mark.parametrize(
    ("received", "status", "fields"),
    [
        (UPDATED, 200, {"message": "conf_updated"}),
        (b"HTTP/1.0 204 \r\n\r\n", 204, {}),
        (b"HTTP/1.1 200\r\n\r\n[]", 200, {}),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n<html>", 200, {}),
        (b"HTTP/1.1 200 OK\r\n\r\n\xff", 200, {}),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000, 200, {}, id="deep"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", None, {}),
        (b"HTTP/2 200\r\n\r\n", None, {}),
    ],
)
def test_replies(received: bytes, status: int | None, fields: dict[str, Any]) -> None:
    """Replies are read for better or worse."""
    reply = parse_reply(received)
    assert reply.status == status
    assert {**reply.fields, **fields} == dict(reply.fields)
