"""The gateway's dialects, its hash and its batteries."""

import contextlib
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.gatehouse.vendors.the_keys.protocol import (
    Bolt,
    GatewayStatus,
    Locker,
    LockerStatus,
    MalformedReplyError,
    Refusal,
    battery_percent,
    battery_volts,
    check,
    parse_locker_status,
    parse_lockers,
    parse_status,
    sign,
)


@pytest.mark.parametrize(
    ("code", "timestamp", "expected"),
    [
        # Checked with openssl; between them they hold each of + and / and neither.
        (
            "Zmo1sps2OVyCFtl1",
            1700000000,
            "s7VR2V5Q+jYmOmJM8CL0aOQri6PF5Hfw8euVJ93EAJI=",
        ),
        (
            "Zmo1sps2OVyCFtl1",
            1700000004,
            "MCB3T/E+AjWWTXjHSeHlFwoWdfjw1OVbhbxwDM9RmXs=",
        ),
        (
            "Zmo1sps2OVyCFtl1",
            1700000011,
            "v2a5aOg3QFFVZHDcTNkJZ3Wc9FKesPnPm7niAootDAA=",
        ),
        # The unit test of another client.
        ("sEcReT", 1647349435, "jejmupCqAu5wOsraszmzcl3UyCi0hgsIdxWvfcvdzBg="),
    ],
)
def test_sign(code: str, timestamp: int, expected: str) -> None:
    """The published vectors hold."""
    assert sign(code, timestamp) == expected


def test_lockers_as_documented() -> None:
    """The document's example, which has no log."""
    reply = (
        '{"status": "ok", "devices": [{"identifier": 45961123, "rssi": -71,'
        ' "battery":4065}]}'
    )
    assert parse_lockers(json.loads(reply)) == [
        Locker(identifier="45961123", rssi=-71, battery=4065, last_log=None)
    ]


def test_lockers_in_the_field() -> None:
    """Numbers may be text; what is missing is unknown."""
    reply = {"status": "ok", "devices": [{"identifier": "123456", "last_log": 7}]}
    assert parse_lockers(reply) == [
        Locker(identifier="123456", rssi=None, battery=None, last_log=7)
    ]


@pytest.mark.parametrize(
    "reply",
    [
        None,
        [],
        {},
        {"status": "ok"},
        {"status": "ok", "devices": {}},
        {"status": "ok", "devices": [1]},
        {"status": "ok", "devices": [{"rssi": 1}]},
        {"status": "ko"},
        {"status": "ko", "code": "?"},
    ],
)
def test_malformed_lockers(reply: Any) -> None:
    """What is no list of locks is refused."""
    with pytest.raises(MalformedReplyError):
        parse_lockers(reply)


@pytest.mark.parametrize(
    "reply",
    [
        {"status": "ok", "code": 0},
        {"status": "0", "code": "ok"},
        {"status": 0, "code": "ok"},
        {"status": "ok"},
        {"code": 0},
        {"code": "ok"},
    ],
)
def test_done(reply: dict[str, Any]) -> None:
    """Both dialects of success, and halves of them."""
    check(reply)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ({"status": "ko", "code": 33, "cause": "Invalid"}, 33),
        ({"status": "ko", "code": "33"}, 33),
        ({"status": "33"}, 33),
        ({"status": 33, "code": "?"}, 33),
        ({"status": "500", "message": "busy"}, 500),
        ({"status": "busy", "message": "busy"}, 500),
        ({"status": "400", "code": "missing hash"}, 400),
        ({"status": "0x21"}, 33),
    ],
)
def test_refused(reply: dict[str, Any], code: int) -> None:
    """Both dialects of refusal, for what has a result and for what has not."""
    for parse in (check, parse_lockers, parse_status, parse_locker_status):
        with pytest.raises(Refusal) as refused:
            parse(reply)
        assert refused.value.code == code


@pytest.mark.parametrize(
    "reply", [None, [], "ok", {}, {"status": "?"}, {"status": True, "code": False}]
)
def test_neither(reply: Any) -> None:
    """What says neither is not taken for either."""
    for parse in (check, parse_status, parse_locker_status):
        with pytest.raises(MalformedReplyError):
            parse(reply)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            {"version": "16", "current_status": "Scanning..."},
            GatewayStatus(version="16", text="Scanning..."),
        ),
        (
            {"version": 65, "current_status": "Synchronizing gw"},
            GatewayStatus(version="65", text="Synchronizing gw"),
        ),
        ({"current_status": ""}, GatewayStatus(version=None, text="")),
    ],
)
def test_status(reply: dict[str, Any], expected: GatewayStatus) -> None:
    """The version comes as text or number."""
    assert parse_status(reply) == expected


def test_done_is_no_status() -> None:
    """A reply that only says that all is done tells nothing of the gateway or lock."""
    for parse in (parse_status, parse_locker_status):
        with pytest.raises(MalformedReplyError):
            parse({"status": "ok", "code": 0})


@pytest.mark.parametrize(
    ("reply", "bolt"),
    [
        ({"status": "Door closed", "code": 49}, Bolt.CLOSED),
        ({"status": "Door open", "code": 50}, Bolt.OPEN),
        ({"status": "Door closed", "code": 50}, Bolt.OPEN),
        ({"status": "?", "code": 48}, Bolt.UNKNOWN),
        ({"status": "ok", "code": "0x31"}, Bolt.CLOSED),
        ({"status": "50", "code": "ok"}, Bolt.OPEN),
    ],
)
def test_bolt(reply: dict[str, Any], bolt: Bolt) -> None:
    """The code counts, never the text."""
    assert parse_locker_status(reply).bolt is bolt


def test_locker_status_in_the_field() -> None:
    """The other fields are numbers."""
    reply = {"status": "Door open", "code": 50, "version": 59, "battery": 7044}
    assert parse_locker_status(reply) == LockerStatus(
        bolt=Bolt.OPEN, version="59", battery=7044
    )


@pytest.mark.parametrize(
    ("millivolts", "percent", "shown_by_app"),
    [
        # Five points that others have compared with the vendor's app.
        (7235, 46, 45),
        (7783, 77, 76),
        (7951, 86, 87),
        (8030, 91, 91),
        (8131, 96, 95),
    ],
)
def test_battery_like_the_app(millivolts: int, percent: int, shown_by_app: int) -> None:
    """The percentage is within 1.5 points of what the vendor's app shows."""
    assert battery_percent(millivolts) == percent
    assert abs((millivolts - 6400) / 18 - shown_by_app) <= 1.5


@pytest.mark.parametrize(
    ("millivolts", "percent", "volts"),
    [
        (4065, 100, 4.065),
        (3550, 50, 3.55),
        (3000, 0, 3.0),
        (8900, 100, 8.9),
        (6000, 0, 6.0),
        (0, None, None),
        (2499, None, None),
        (9001, None, None),
        (None, None, None),
    ],
)
def test_battery(
    millivolts: int | None, percent: int | None, volts: float | None
) -> None:
    """Both generations; what no pack can have is unknown."""
    assert battery_percent(millivolts) == percent
    assert battery_volts(millivolts) == volts


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["status", "code", "devices", "identifier", "message"])
            | st.text(),
            inner,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json(reply: Any) -> None:
    """Whatever comes is understood, a refusal, or refused; nothing else happens."""
    for parse in (check, parse_lockers, parse_status, parse_locker_status):
        with contextlib.suppress(Refusal, MalformedReplyError):
            parse(reply)
