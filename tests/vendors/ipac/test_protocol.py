"""The words of the IPAC 500, without a network."""

import base64
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.gatehouse.vendors.ipac.protocol import (
    CallValue,
    Event,
    KeypadValue,
    MalformedMessageError,
    RelayValue,
    TaskResult,
    open_relay,
    open_task,
    parse_body,
    parse_event,
    parse_notify,
    parse_settings,
)
from custom_components.gatehouse.wire import Secret


def event(code: Any, value: Any, **more: Any) -> Event:
    """Return a parsed event."""
    return parse_event({"code": code, "value": value, "time": 1, **more})


@pytest.mark.parametrize(
    ("text", "outgoing", "number"),
    [
        ("outgoing ;sip:00143674252@192.0.2.252", True, "sip:00143674252@192.0.2.252"),
        ("outgoing:sip:192.0.2.23", True, "sip:192.0.2.23"),
        ("outgoing:sip:192.0.2.23:5060", True, "sip:192.0.2.23:5060"),
        ("Outgoing/incoming ; Numéro", True, "/incoming ; Numéro"),
        ("incoming ; 1000", False, "1000"),
        ("INCOMING:sip:1000@1", False, "sip:1000@1"),
        ("outgoing", True, None),
        ("incoming ;", False, None),
        ("sip:192.0.2.23:5060", True, "sip:192.0.2.23:5060"),
        ("", True, None),
        ("outgoings", True, "outgoings"),
        ("a\nb", True, "ab"),
    ],
)
def test_call_values(text: str, outgoing: bool, number: str | None) -> None:
    assert event("01", text).value == CallValue(outgoing, number)
    assert event("FA", text).value == CallValue(outgoing, number)


@pytest.mark.parametrize("code", ["01", "1", 1])
def test_call_codes(code: Any) -> None:
    assert event(code, "outgoing").code == "01"


@pytest.mark.parametrize("code", ["OE", "oe", "0E"])
def test_restart_codes(code: str) -> None:
    parsed = event(code, "restarted")
    assert (parsed.code, parsed.value) == ("OE", "restarted")


@pytest.mark.parametrize(
    ("value", "code", "relay"),
    [
        ("1111;1", "1111", 1),
        (" 1111 ; 2 ", "1111", 2),
        (";1", None, 1),
        ("3", None, 3),
        (3, None, 3),
        ("1111;RL1", "1111", 1),
        (" 1111 ; rl 2 ", "1111", 2),
        ("1111;RL1 et RL2", "1111", 3),
        ("RL2", None, 2),
    ],
)
def test_relay_values(value: str, code: str | None, relay: int) -> None:
    parsed = event("RL", value).value
    assert isinstance(parsed, RelayValue)
    assert parsed.relay == relay
    assert (None if parsed.code is None else parsed.code.reveal()) == code


@pytest.mark.parametrize(
    "value",
    ["", "door", "1111;", "1111;RL", "1111;RL3", "1111;RL11", "1111;4", None, [], True],
)
def test_no_relay_values(value: Any) -> None:
    assert event("RL", value).value is None


@pytest.mark.parametrize(
    "text",
    [
        "{1 :200, 2 :403}",
        '{"1": 200, "2": 403}',
        '{"1":"200","2":"403"}',
        '{"RL1": 200, "RL2": 403, "RL3": 200}',
    ],
)
def test_task_results(text: str) -> None:
    """Also the printed form, which is not JSON."""
    body = f'{{"task_id":0, "value": {text}, "token": "t", "code": "RL"}}'
    parsed = parse_event(parse_body(body.encode()))
    assert parsed.task_id == 0
    assert parsed.value == TaskResult({1: 200, 2: 403})


def test_typed_code() -> None:
    parsed = event("CL", 4711)
    assert isinstance(parsed.value, KeypadValue)
    assert parsed.value.code.matches("4711")
    assert "4711" not in repr(parsed)


@pytest.mark.parametrize(
    ("given_time", "time"),
    [
        (1542289092, 1542289092),
        ("15664599", 15664599),
        (15658999.0, 15658999),
        (-5, -5),
        ("soon", None),
        (True, None),
        (1.5, None),
        (None, None),
        ("9" * 30, None),
    ],
)
def test_times(given_time: Any, time: int | None) -> None:
    assert parse_notify({"time": given_time}).time == time


def test_repetition() -> None:
    """The same event has the same fingerprint; any difference makes another."""
    first = event("RL", "1111;1")
    assert first.fingerprint == event("RL", "1111;1", token="other").fingerprint
    for other in (
        event("RL", "1111;2"),
        event("CL", "1111;1"),
        event("RL", "1111;1", task_id=0),
        parse_event({"code": "RL", "value": "1111;1", "time": 2}),
    ):
        assert first.fingerprint != other.fingerprint


def test_nothing_secret_prints() -> None:
    for printed in (
        repr(open_relay(1, Secret("1111"))),
        repr(event("RL", "1111;1", token="token")),
    ):
        assert "1111" not in printed
        assert "token='" not in printed


def settings(*texts: str | bytes) -> Any:
    """Return parsed settings with INI texts."""
    return parse_settings(
        {
            f"conf_{number}": base64.b64encode(
                text if isinstance(text, bytes) else text.encode()
            ).decode()
            for number, text in enumerate(texts)
        }
    )


@pytest.mark.parametrize(
    ("texts", "firmware", "product"),
    [
        (("[Firmware]\nversion=1.72\nproduct=IPAC50021\n",), "1.72", "IPAC50021"),
        (("[audio]\nvolume=5", "[Firmw]\nFirmware = V1.71b"), "V1.71b", None),
        (("[Firmware]\nsoft_version = 1.72\n[x]\ncode=ipac500",), "1.72", "ipac500"),
        (("[audio]\nversion=9.9\nalone\n",), None, None),
        (("no section",), None, None),
        (("[Firmware]\nversion=latest\nproduct=IPAC 500 hall",), None, None),
        ((b"[Firmware]\nname=\xe9\xff\nversion=1.72",), "1.72", None),
        ((b"\x00\x01",), None, None),
        ((), None, None),
    ],
)
def test_settings(
    texts: tuple[str, ...], firmware: str | None, product: str | None
) -> None:
    parsed = settings(*texts)
    assert (parsed.firmware, parsed.product) == (firmware, product)


@pytest.mark.parametrize("value", ["***", 5, None, "W0Zpcm13YXJlXQo"])
def test_settings_that_are_none(value: Any) -> None:
    assert parse_settings({"conf_user": value}).firmware is None


def test_task() -> None:
    """The keys come in the printed order."""
    task = open_task(
        0, token=Secret("t"), object_id="0000", relay=3, code=Secret("1"), now=5
    )
    assert json.dumps(task) == (
        '{"task_id": 0, "token": "t", "objectid": "0000", "request": "remote",'
        ' "type": "open", "relay": "3", "code": "1", "time": 5}'
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b'"{1:2}"', b"\xff", b"{1:}"])
def test_no_message(body: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        parse_body(body)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
_messages = st.dictionaries(
    st.sampled_from(
        [
            "token",
            "objectid",
            "time",
            "code",
            "value",
            "task_id",
            "request",
            "conf_user",
        ]
    ),
    _json
    | st.sampled_from(
        ["01", "FA", "RL", "CL", "OE", "ST", "FS", "1111;1", "outgoing ;x"]
    ),
)


@given(_messages)
def test_any_json(message: dict[str, Any]) -> None:
    """No JSON whatever breaks a parser in another way than it may."""
    parse_notify(message)
    parse_settings(message)
    try:
        parse_event(message)
    except MalformedMessageError:
        code = message.get("code")
        assert not isinstance(code, str) or not any(
            sign.isprintable() and not sign.isspace() for sign in code
        )


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    """Nor do any bytes."""
    try:
        message = parse_body(body)
    except MalformedMessageError:
        return
    assert isinstance(message, dict)
