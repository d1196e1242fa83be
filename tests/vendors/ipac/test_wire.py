"""The printed exchanges of the release note, as raw bytes against Home Assistant."""

import asyncio
import json

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from simulators.ipac import Ipac

from .conftest import SECRET, TOKEN, Told, order

NOTIFY_11 = """\
POST {path}notify/ HTTP/1.1
Accept-Encoding: identity
Content-Length: {length}
Host: {host}
Content-Type: application/json
Connection: close
User-Agent: STS-Embedded
"""
# The forwarding headers were added by the vendor's own proxy.
POST_10 = """\
POST {path}{endpoint} HTTP/1.0
Host: {host}
Connection: close
Content-Length: {length}
Accept-Encoding: identity
Content-Type: application/json
User-Agent: STS-Embedded
"""

NOTIFY = f'{{"token": "{TOKEN}", "objectid": "0000", "time": 1542289092}}'
SETTINGS = (
    f'{{"conf_user": "W0Zpcm13YXJlXQp2ZXJzaW9uPTEuNzIKcHJvZHVjdD1JUEFDNTAwMjEK",'
    f' "token": "{TOKEN}", "objectid": "0000", "time": 1542289103,'
    f' "conf_sip": "W2F1ZGlvXQo=", "request": "conf"}}'
)
CALL = (
    f'{{"value": "outgoing ;sip:00143674252@192.168.0.252", "token": "{TOKEN}",'
    ' "code": "01", "objectid": "0000", "request": "vocal", "time": 1542289074}'
)
RESULT = (
    f'{{"task_id":0, "value": {{1 :200, 2 :403}}, "token": "{TOKEN}",'
    ' "code": "RL", "objectid": "0000", "time": 1542289074}'
)


@pytest.fixture
def home_at(home: MockConfigEntry, served_at: str) -> URL:
    """Return where Home Assistant plays the ASM server."""
    return URL(f"{served_at}/api/gatehouse/asm/{SECRET}/")


async def exchange(
    url: URL, head: str, body: str, endpoint: str = "", *, slash: bool = True
) -> tuple[str, dict[str, str], bytes]:
    """Send a printed request; return status line, headers and body of the answer."""
    head = head.format(
        path=url.path,
        host=url.authority,
        endpoint=f"{endpoint}/" if slash else endpoint,
        length=len(body.encode()),
    )
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"{head}\n{body}".replace("\n", "\r\n", head.count("\n") + 1).encode())
    # The server ends the connection, as it is asked to.
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    answer_head, _, answer_body = answer.partition(b"\r\n\r\n")
    status, *lines = answer_head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert int(headers["Content-Length"]) == len(answer_body)
    assert headers["Content-Type"] == "application/json"
    return status, headers, answer_body


async def test_registration(hass: HomeAssistant, home_at: URL) -> None:
    """Case 1: a station that is not known yet is asked for its settings."""
    status, headers, body = await exchange(home_at, NOTIFY_11, NOTIFY)
    assert status == "HTTP/1.1 404 ERROR"
    assert headers["Connection"] == "close"
    assert body == b'{"message":"unkown_objectid"}'
    status, _, body = await exchange(home_at, POST_10, SETTINGS, "settings")
    assert status == "HTTP/1.0 200 OK"
    updated = json.loads(body)
    assert list(updated) == ["message", "request", "time", "objectid"]
    assert updated | {"time": ""} == {
        "message": "conf_updated",
        "request": "conf",
        "time": "",
        "objectid": "0000",
    }
    status, _, body = await exchange(home_at, POST_10, NOTIFY, "notify")
    assert (status, body) == ("HTTP/1.0 200 OK", b'{"message":"notify_ok"}')


async def test_invalid_token(hass: HomeAssistant, home_at: URL) -> None:
    """Case 2: a token that nobody has."""
    for endpoint, body in (("notify", NOTIFY), ("settings", SETTINGS), ("event", CALL)):
        status, _, answer = await exchange(
            home_at, POST_10, body.replace(TOKEN, "administrator"), endpoint
        )
        assert status == "HTTP/1.0 404 ERROR"
        assert answer == b'{"message":"invalid_token"}'


@pytest.mark.parametrize("slash", [True, False])
async def test_call(hass: HomeAssistant, home_at: URL, told: Told, slash: bool) -> None:
    """Code 01; the answer has the 28 bytes that the release note prints."""
    status, headers, body = await exchange(home_at, POST_10, CALL, "event", slash=slash)
    assert status == "HTTP/1.0 200 OK"
    assert headers["Content-Length"] == "28"
    assert body == b'{"message":"event_recorded"}'
    ((event, attributes),) = told("event.ipac_doorbell")
    assert event == "ring"
    assert attributes["callee"] == "sip:00143674252@192.168.0.252"


async def test_remote(
    hass: HomeAssistant, home_at: URL, home: MockConfigEntry, station: Ipac, told: Told
) -> None:
    """The whole remote task, with the result as it is printed."""
    await exchange(home_at, NOTIFY_11, NOTIFY)
    await exchange(home_at, POST_10, SETTINGS, "settings")
    await station.stop()
    opening = hass.async_create_task(order(hass, "unlock"))
    while not home.runtime_data.diagnostics()["tasks_waiting"]:
        await asyncio.sleep(0.01)
    _, _, body = await exchange(home_at, POST_10, NOTIFY, "notify")
    task = json.loads(body)
    assert list(task) == [
        "task_id",
        "token",
        "objectid",
        "request",
        "type",
        "relay",
        "code",
        "time",
    ]
    assert task | {"time": 0} == {
        "task_id": 0,
        "token": TOKEN,
        "objectid": "0000",
        "request": "remote",
        "type": "open",
        "relay": "1",
        "code": "1111",
        "time": 0,
    }
    status, _, body = await exchange(home_at, POST_10, RESULT, "event")
    assert status == "HTTP/1.0 200 OK"
    assert body == (
        b'{"code":"event_rl_finished","task_id":0,"message":"event_rl_finalise"}'
    )
    await opening
    ((event, attributes),) = told("event.front_gate_access")
    assert (event, attributes["method"]) == ("access_granted", "remote")


async def test_refused_remote(
    hass: HomeAssistant, home_at: URL, home: MockConfigEntry, station: Ipac
) -> None:
    """A printed result in which the relay that was meant is refused."""
    await exchange(home_at, NOTIFY_11, NOTIFY)
    await exchange(home_at, POST_10, SETTINGS, "settings")
    await station.stop()
    opening = hass.async_create_task(order(hass, "unlock"))
    while not home.runtime_data.diagnostics()["tasks_waiting"]:
        await asyncio.sleep(0.01)
    await exchange(home_at, POST_10, NOTIFY, "notify")
    await exchange(home_at, POST_10, RESULT.replace("1 :200", "1 :423"), "event")
    with pytest.raises(HomeAssistantError) as error:
        await opening
    assert error.value.translation_key == "door_locked_out"
