"""The stand-in of Tellicon."""

from collections.abc import AsyncIterator
import json
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from freezegun.api import FrozenDateTimeFactory
import pytest

from simulators.tellicon import (
    Tellicon,
    Unit,
    answer_call,
    dtmf_command,
    push_call,
    wall_clock,
)

TOKEN = "invented-token-of-24-chr"
NOW = 1705338959
UNIT = Unit(505, 121, 1001)


class Partner:
    """A partner's server that keeps what it receives.

    Attributes:
        url: Its address.
        received: Headers and body of each request.
    """

    def __init__(self, url: str, received: list[tuple[Any, bytes]]) -> None:
        self.url = url
        self.received = received

    @property
    def event(self) -> Any:
        """Return the newest event."""
        return json.loads(self.received[-1][1])["eventTellicon"]


@pytest.fixture
async def partner() -> AsyncIterator[Partner]:
    """Return a partner who accepts everything."""
    received: list[tuple[Any, bytes]] = []

    async def accept(request: web.Request) -> web.Response:
        received.append((request.headers, await request.read()))
        return web.Response(text="accepted", headers={"X-Partner": "yes"})

    app = web.Application()
    app.add_routes([web.post("/eventTellicon", accept)])
    async with TestServer(app) as server:
        yield Partner(str(server.make_url("/eventTellicon")), received)


@pytest.fixture
async def tellicon(partner: Partner) -> AsyncIterator[Tellicon]:
    """Return Tellicon at the moment of the manual's examples."""
    async with Tellicon(partner.url, TOKEN, clock=lambda: NOW) as tellicon:
        yield tellicon


async def test_manual(partner: Partner, tellicon: Tellicon) -> None:
    """Events are those of the manual's examples."""
    reply = await tellicon.ring(UNIT, src="9001")
    assert (reply.status, reply.body) == (200, b"accepted")
    assert reply.headers["x-partner"] == "yes"
    headers, body = partner.received[0]
    assert headers["authTokenTellicon"] == TOKEN
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {
        "eventTellicon": {
            "type": "pushCall",
            "src": "9001",
            "client": 505,
            "building": 121,
            "apt": 1001,
            "eventDateTime": 1705338959,
        }
    }
    await tellicon.answer(UNIT, dst="018988776655", duration=10, wait=4)
    assert partner.event == {
        "type": "answerCall",
        "src": "9001",
        "dst": "018988776655",
        "client": 505,
        "building": 121,
        "apt": 1001,
        "eventDateTime": NOW - 14,
        "answerDateTime": NOW - 10,
        "hangupDateTime": NOW,
        "callDurationTime": 10,
    }
    await tellicon.dtmf(UNIT, command="*2", src="018988776655")
    assert partner.event == {
        "type": "dtmfCommand",
        "src": "018988776655",
        "dst": "9001",
        "client": 505,
        "building": 121,
        "apt": 1001,
        "dtmfCommand": "*2",
        "eventDateTime": NOW,
    }


async def test_dialect_a(partner: Partner, tellicon: Tellicon) -> None:
    """The first dialect knows calls only."""
    tellicon.dialect = "A"
    await tellicon.ring(UNIT)
    assert partner.event == {
        "type": "pushCall",
        "src": "9001",
        "client": 505,
        "building": 121,
        "apt": 1001,
        "dateTime": NOW,
    }
    with pytest.raises(ValueError, match="pushCall only"):
        await tellicon.answer(UNIT)
    with pytest.raises(ValueError, match="pushCall only"):
        await tellicon.dtmf(UNIT)


def test_dialect_c() -> None:
    """The third dialect has a company and long numbers of panels."""
    ring = push_call(UNIT, dialect="C", src="9001", at=NOW)
    assert ring == {
        "type": "pushCall",
        "src": "00000000009001",
        "company": 7,
        "client": 505,
        "building": 121,
        "apt": 1001,
        "eventDateTime": NOW,
    }
    answered = answer_call(
        UNIT, dialect="C", src="9001", dst="01", at=1, answered=2, ended=5
    )
    assert (answered["company"], answered["src"]) == (7, "00000000009001")
    assert answered["callDurationTime"] == 3
    pressed = dtmf_command(
        UNIT, dialect="C", src="01", dst="9001", command="*2", at=NOW
    )
    assert (pressed["src"], pressed["dst"]) == ("01", "00000000009001")


async def test_dialect_d(partner: Partner, tellicon: Tellicon) -> None:
    """The newest dialect is in Portuguese, with a slip in one example."""
    tellicon.dialect = "D"
    await tellicon.ring(UNIT, src="9001")
    place = {
        "parceiro": 3,
        "contrato": 7,
        "licenca": 505,
        "bloco": 121,
        "unidade": 1001,
        "ramal": "9001",
    }
    assert partner.event == {"tipo": "pushCall", **place, "dataHoraEvento": NOW}
    await tellicon.answer(UNIT, dst="01", duration=10, wait=3)
    assert partner.event == {
        "tipo": "answerCall",
        **place,
        "telefone": "01",
        "dataHoraEvento": NOW - 13,
        "dataHoraAtendido": NOW - 10,
        "dataHoraEncerrado": NOW,
        "tempoEspera": 3,
        "tempoConversa": 10,
    }
    pressed = {
        **place,
        "telefone": "01",
        "dtmfComando": "*2",
        "dataHoraEvento": NOW,
    }
    await tellicon.dtmf(UNIT, "*2", src="01")
    assert partner.event == {"tipo": "dtmfCommand", **pressed}
    await tellicon.dtmf(UNIT, "*2", src="01", type_key="type")
    assert partner.event == {"type": "dtmfCommand", **pressed}


async def test_incomplete_unit(partner: Partner, tellicon: Tellicon) -> None:
    """A block of 0 is sent, one of None is not."""
    await tellicon.ring(Unit(505, 0, 3))
    assert partner.event["building"] == 0
    await tellicon.ring(Unit(505, None, None))
    assert not {"building", "apt"} & partner.event.keys()


async def test_repetition(partner: Partner, tellicon: Tellicon) -> None:
    """The last event can be sent again, byte for byte."""
    with pytest.raises(ValueError, match="nothing has been sent"):
        await tellicon.resend_last()
    await tellicon.ring(UNIT)
    await tellicon.aclose()
    await tellicon.not_json()
    await tellicon.resend_last()
    assert partner.received[0][1] == partner.received[2][1]


async def test_faults(partner: Partner, tellicon: Tellicon) -> None:
    """What should be refused is as wrong as it claims to be."""
    await tellicon.wrong_token()
    wrong = partner.received[-1][0]["authTokenTellicon"]
    assert wrong != TOKEN
    assert len(wrong) == 24
    await tellicon.no_token()
    assert "authTokenTellicon" not in partner.received[-1][0]
    await tellicon.not_json()
    with pytest.raises(json.JSONDecodeError):
        json.loads(partner.received[-1][1])
    await tellicon.too_deep(levels=3)
    assert partner.received[-1][1] == b'{"eventTellicon":[[[]]]}'
    await tellicon.too_large()
    assert len(partner.received[-1][1]) == 65537
    assert partner.event["type"] == "pushCall"
    await tellicon.absurd_time()
    assert partner.event["eventDateTime"] == 17053389625
    await tellicon.slow_body(0)
    headers, body = partner.received[-1]
    assert headers["Content-Length"] == str(len(body))
    assert partner.event["client"] == 505
    await tellicon.send_raw(b"?", {"X-Other": "1"})
    headers, body = partner.received[-1]
    assert (body, headers["X-Other"]) == (b"?", "1")
    assert "authTokenTellicon" not in headers


def test_clock(freezer: FrozenDateTimeFactory) -> None:
    """Frozen time is Tellicon's time too."""
    freezer.move_to("2027-01-15T08:00:00+00:00")
    assert wall_clock() == 1800000000
