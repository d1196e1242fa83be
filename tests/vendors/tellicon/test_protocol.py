"""Tellicon's events as the manual prints them, in all its states."""

import contextlib
from datetime import UTC, datetime
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.gatehouse.vendors.tellicon.protocol import (
    Event,
    EventType,
    MalformedEventError,
    parse_event,
)

# The examples of the manual; A, C and D are other states of it than the one of January
# 2024 (B).
PUSH_A = (
    '{"eventTellicon":{"type":"pushCall","src":"9001","client":505,"building":121,'
    '"apt":1001,"dateTime":1705338959}}'
)
PUSH_B = PUSH_A.replace("dateTime", "eventDateTime")
ANSWER_B = (
    '{"eventTellicon":{"type":"answerCall","src":"9001","dst":"018988776655",'
    '"client":505,"building":121,"apt":1001,"eventDateTime":1705338959,'
    '"answerDateTime":1705338959,"hangupDateTime":1705338969,"callDurationTime":10}}'
)
DTMF_B = (
    '{"eventTellicon":{"type":"dtmfCommand","src":"018988776655","dst":"9001",'
    '"client":505,"building":121,"apt":1001,"dtmfCommand":"*2",'
    '"eventDateTime":1705338965}}'
)
PUSH_C = (
    '{"eventTellicon":{"type":"pushCall","src":"00000000009001","company":11,'
    '"client":505,"building":121,"apt":1001,"eventDateTime":1705338959}}'
)
PUSH_D = (
    '{"eventTellicon":{"tipo":"pushCall","parceiro":11,"contrato":2222,'
    '"licenca":333333,"bloco":555,"unidade":6666,"ramal":"9001",'
    '"dataHoraEvento":1705338959}}'
)
ANSWER_D = (
    '{"eventTellicon":{"tipo":"answerCall","parceiro":11,"contrato":2222,'
    '"licenca":333333,"bloco":555,"unidade":6666,"ramal":"9001",'
    '"telefone":"77988888888","dataHoraEvento":1705338900,'
    '"dataHoraAtendido":1705338910,"dataHoraEncerrado":17053389625,'
    '"tempoEspera":10,"tempoConversa":15}}'
)
DTMF_D = (
    '{"eventTellicon":{"type":"dtmfCommand","parceiro":11,"contrato":2222,'
    '"licenca":333333,"bloco":555,"unidade":6666,"ramal":"9001",'
    '"telefone":"77988888888","dtmfComando":"*2","dataHoraEvento":1705338965}}'
)


def at(epoch: int) -> datetime:
    """Return a moment."""
    return datetime.fromtimestamp(epoch, UTC)


def event(**fields: Any) -> Event:
    """Return the event of the examples, with some fields of its own."""
    return Event(
        **(
            {
                "type": EventType.PUSH_CALL,
                "client": "505",
                "building": "121",
                "apt": "1001",
                "panel": "9001",
                "resident": None,
                "command": None,
                "duration": None,
                "epoch": 1705338959,
            }
            | fields
        )
    )


D_UNIT = {"client": "333333", "building": "555", "apt": "6666"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (PUSH_A, event()),
        (PUSH_B, event()),
        (PUSH_C, event(panel="00000000009001")),
        (PUSH_D, event(**D_UNIT)),
        (
            ANSWER_B,
            event(type=EventType.ANSWER_CALL, resident="018988776655", duration=10),
        ),
        (
            ANSWER_D,
            event(
                **D_UNIT,
                type=EventType.ANSWER_CALL,
                resident="77988888888",
                duration=15,
                epoch=1705338900,
            ),
        ),
        (
            DTMF_B,
            event(
                type=EventType.DTMF_COMMAND,
                resident="018988776655",
                command="*2",
                epoch=1705338965,
            ),
        ),
        (
            DTMF_D,
            event(
                **D_UNIT,
                type=EventType.DTMF_COMMAND,
                resident="77988888888",
                command="*2",
                epoch=1705338965,
            ),
        ),
        (DTMF_D.replace('"type"', '"tipo"'), None),
        (PUSH_B.replace("121", "0"), event(building="0")),
        (PUSH_B.replace('"building":121,', ""), event(building="0")),
        (PUSH_B.replace("121", '"121"').replace("505", '"505"'), event()),
        (PUSH_B.replace(',"eventDateTime":1705338959', ""), event(epoch=None)),
        # An absurd time costs nobody the ring.
        (PUSH_B.replace("1705338959", "17053389590"), event(epoch=None)),
        (PUSH_B.replace("1705338959", "-1"), event(epoch=None)),
        (PUSH_B.replace('"apt":1001,', ""), event(apt=None)),
        # Without the envelope.
        (PUSH_B.removeprefix('{"eventTellicon":').removesuffix("}"), event()),
    ],
)
def test_examples(body: str, expected: Event | None) -> None:
    """The same call reads the same in every dialect."""
    parsed = parse_event(json.loads(body))
    assert parsed == (expected or parse_event(json.loads(DTMF_D)))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("[]", "not an object"),
        ("null", "not an object"),
        ('"pushCall"', "not an object"),
        ('{"eventTellicon":[]}', "is not an object"),
        ("{}", "unknown type"),
        (PUSH_B.replace("pushCall", "hangup"), "unknown type"),
        (PUSH_B.replace('"pushCall"', '["pushCall"]'), "type is neither text"),
        (PUSH_B.replace('"pushCall"', "1"), "unknown type"),
        (PUSH_B.replace('"client":505,', ""), "client is missing"),
        (PUSH_B.replace("505", "[505]"), "client"),
        (PUSH_B.replace("505", "true"), "client"),
        (PUSH_B.replace("505", "5.5"), "client"),
        (PUSH_B.replace("505", '"5/5"'), "slash"),
        (PUSH_B.replace('"9001"', '{"a":1}'), "source"),
        (PUSH_B.replace('"9001"', '"90\\n01"'), "not printable"),
        (PUSH_B.replace('"9001"', f'"{"9" * 65}"'), "too long"),
        (DTMF_B.replace('"dtmfCommand":"*2",', ""), "command is missing"),
        (ANSWER_B.replace(":10}", ":-1}"), "duration"),
        (ANSWER_B.replace(":10}", ":90000}"), "duration"),
        (PUSH_B.replace("1705338959", '"soon"'), "whole number"),
    ],
)
def test_malformed(body: str, why: str) -> None:
    """What cannot be one of Tellicon's events is refused with a reason."""
    with pytest.raises(MalformedEventError, match=why):
        parse_event(json.loads(body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            *("type", "tipo", "client", "licenca", "building", "bloco", "apt"),
            *("unidade", "src", "dst", "ramal", "telefone", "eventDateTime"),
            *("dateTime", "dataHoraEvento", "callDurationTime", "tempoConversa"),
            *("dtmfCommand", "dtmfComando"),
        ]
    ),
    st.sampled_from(["pushCall", "answerCall", "dtmfCommand", 505, 1705338959]) | JSON,
)


@given(JSON | FIELDS | st.fixed_dictionaries({"eventTellicon": FIELDS}))
def test_any_json(body: Any) -> None:
    """Whatever comes is an event or is refused; nothing else happens."""
    with contextlib.suppress(MalformedEventError):
        assert isinstance(parse_event(body), Event)
