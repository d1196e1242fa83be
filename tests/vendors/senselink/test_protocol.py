"""Signatures, and frames of the manual and of the field."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.gatehouse.vendors.senselink.protocol import (
    Abnormality,
    AlertKind,
    AlertRecord,
    AlertState,
    EntryMode,
    Event,
    MalformedFrameError,
    Record,
    Signal,
    Terminal,
    parse_event,
    parse_frame,
    picture_path,
    picture_type,
    sign,
    websocket_path,
)
from custom_components.gatehouse.wire import UnexpectedReply, parse_json

from . import manual

KEY = "00112233aabbccdd"
SECRET = "0123456789abcdef0123456789abcdef"
LDID = "SPSP-0123456789abcdef0123456789abcdef"
CHINA = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("timestamp", "signature"),
    [
        ("1700000000000", "052fdc4ab9fafb098467432ccdef7f0e"),
        ("1569725174000", "af6b77717aa854102e924e839bd1b0be"),
        # Seconds, which servers refuse.
        ("1700000000", "ce97c4469f4fbdf0879c7055981c8e66"),
    ],
)
def test_sign(timestamp: str, signature: str) -> None:
    """The signature is the MD5 of time, hash sign and secret, in this order."""
    assert sign(SECRET, timestamp) == signature


def test_websocket_path() -> None:
    """Key, time and signature are parts of the path, and can be nothing else."""
    assert websocket_path(KEY, SECRET, "1700000000000") == (
        "/websocket/record/00112233aabbccdd/1700000000000/"
        "052fdc4ab9fafb098467432ccdef7f0e"
    )
    assert websocket_path("a/b?c é", SECRET, "1").startswith(
        "/websocket/record/a%2Fb%3Fc%20%C3%A9/1/"
    )


@pytest.mark.parametrize(
    ("frame", "signal"),
    [
        (manual.CONNECTED, Signal.CONNECTED),
        (manual.CONNECTED_2, Signal.CONNECTED),
        (manual.DENIED, Signal.DENIED),
        (manual.DENIED_2, Signal.DENIED),
        (manual.HEARTBEAT, Signal.HEARTBEAT),
        (manual.HEARTBEAT_2, Signal.HEARTBEAT),
        # In the field.
        ('{"code": 10000}', Signal.HEARTBEAT),
        ('{"code": "10000"}', Signal.HEARTBEAT),
        ('{"code": 10000.0}', Signal.HEARTBEAT),
        # Codes that are not documented.
        ('{"code": 20003, "data": {}}', None),
        ('{"code": 200}', None),
    ],
)
def test_signals(frame: str, signal: Signal | None) -> None:
    """The manual's own frames that say all by their code."""
    assert parse_frame(parse_json(frame.encode())) is signal


def test_manual_record() -> None:
    """The manual's own record, of somebody who was not recognised."""
    assert parse_frame(parse_json(manual.RECORD.encode())) == Record(
        terminal=Terminal("SPSP-f26131cf5301be29b3a6f7be150ed330", "bella pro", "306"),
        id=1364591,
        person_id=None,
        person=None,
        entry_mode=EntryMode.FACE,
        abnormality=Abnormality.NONE,
        direction=0,
        score=0,
        temperature=None,
        mask=None,
        groups=("Default group",),
        denied=False,
        occurred_at=datetime(2019, 9, 29, 2, 46, 14, tzinfo=UTC),
        zone=CHINA,
        picture="5d901af663cdaf0001252bba",
    )


@pytest.mark.parametrize("frame", [manual.SHAPE, manual.ALERT])
def test_manual_slips(frame: str) -> None:
    """The manual's alert is no JSON; nothing worse follows."""
    with pytest.raises(UnexpectedReply):
        parse_json(frame.encode())


def test_mended_alert() -> None:
    """Made valid, it still names no terminal."""
    mended = manual.ALERT.replace("// アラートレコード", "").replace(
        '"message""', '"message":"'
    )
    frame = json.loads(mended)
    with pytest.raises(MalformedFrameError, match="no terminal"):
        parse_frame(frame)
    frame["data"]["deviceSn"] = LDID
    assert parse_frame(frame) == AlertRecord(
        terminal=Terminal(LDID, None, None),
        id=0,
        trace_id=None,
        kind=0,
        state=0,
        level=0,
        description=None,
        occurred_at=None,
        released_at=None,
        picture=None,
    )


def record(**data: Any) -> Record:
    """Return a record with some fields."""
    message = parse_frame({"code": 30000, "data": {"sn": LDID} | data})
    assert isinstance(message, Record)
    return message


def alert(**data: Any) -> AlertRecord:
    """Return an alert with some fields."""
    message = parse_frame({"code": 30100, "data": {"deviceSn": LDID} | data})
    assert isinstance(message, AlertRecord)
    return message


def test_least_record() -> None:
    """The terminal is all that a record needs."""
    found = record()
    assert found.terminal == Terminal(LDID, None, None)
    assert found.abnormality == Abnormality.NONE
    assert set(found) == {found.terminal, None, Abnormality.NONE, False}


def test_older_layout() -> None:
    """Records of 2019 call some fields otherwise."""
    message = parse_frame(
        {
            "code": 30000,
            "data": {
                "id": 7,
                "userId": 12,
                "userName": "Aiko",
                "userType": 1,
                "groupId": 3,
                "groupName": "Staff",
                "deviceSN": LDID,
                "deviceName": "Door",
                "signTime": 1569725174,
                "originAvatar": "a1",
            },
        }
    )
    assert isinstance(message, Record)
    assert message.terminal == Terminal(LDID, "Door", None)
    assert (message.person_id, message.person) == ("12", "Aiko")
    assert message.groups == ("Staff",)
    assert message.picture is None


@pytest.mark.parametrize("name", ["sn", "deviceSN", "deviceSn", "ldid"])
def test_names_of_the_terminal(name: str) -> None:
    """Its id has four names."""
    for code in (30000, 30100):
        message = parse_frame({"code": code, "data": {name: LDID}})
        assert isinstance(message, Record | AlertRecord)
        assert message.terminal.ldid == LDID


@pytest.mark.parametrize(
    ("user", "person_id", "person"),
    [
        ({"userId": 12, "name": "Aiko"}, "12", "Aiko"),
        ({"userId": "12", "name": "Aiko"}, "12", "Aiko"),
        ({"userId": 12, "name": ""}, "12", None),
        ({"name": "Aiko"}, None, "Aiko"),
        # Nobody, whatever the name says.
        ({"userId": 0, "name": "Aiko"}, None, None),
        ({"userId": "0", "name": ""}, None, None),
        ({"userId": None, "name": None}, None, None),
        (
            {"userId": 12, "name": " Ai\nko\u0000 " + "o" * 300},
            "12",
            "Aiko " + "o" * 250,
        ),
        ({"userId": [12], "name": {"a": 1}}, None, None),
        ({"userId": True, "name": True}, None, None),
    ],
)
def test_person(
    user: dict[str, Any], person_id: str | None, person: str | None
) -> None:
    """Who it was, in the length that can be shown."""
    found = record(**user)
    assert (found.person_id, found.person) == (person_id, person)


@pytest.mark.parametrize(
    ("given", "groups", "denied"),
    [
        (None, None, False),
        ([], (), False),
        ([{"id": 1, "name": "Staff", "type": 1}], ("Staff",), False),
        ([{"name": "Staff"}, {"name": ""}, "x", {"id": 2}], ("Staff",), False),
        ([{"id": 9, "name": "Barred", "type": 5}], ("Barred",), True),
        (
            [{"name": f"G{n}"} for n in range(99)],
            tuple(f"G{n}" for n in range(32)),
            False,
        ),
        ("Staff", None, False),
    ],
)
def test_groups(given: Any, groups: tuple[str, ...] | None, denied: bool) -> None:
    """Groups are told by their names; one kind of them is a deny list."""
    found = record(groups=given)
    assert (found.groups, found.denied) == (groups, denied)


def test_denied_person() -> None:
    """So is one kind of people, where that is sent."""
    assert record(type=5).denied
    assert not record(type=1).denied


@pytest.mark.parametrize(
    ("fields", "score", "temperature"),
    [
        ({"verifyScore": 0.963, "bodyTemperature": 36.5}, 0.963, 36.5),
        ({"verifyScore": "0.963", "bodyTemperature": "36.5"}, 0.963, 36.5),
        ({"verifyScore": 0, "bodyTemperature": 0}, 0, None),
        ({"verifyScore": 96.3, "bodyTemperature": 999}, None, None),
        ({"verifyScore": "high", "bodyTemperature": True}, None, None),
        ({"verifyScore": "nan", "bodyTemperature": "inf"}, None, None),
        ({"verifyScore": 10**400}, None, None),
    ],
)
def test_measurements(
    fields: dict[str, Any], score: float | None, temperature: float | None
) -> None:
    """What cannot be a score or a temperature is not known."""
    found = record(**fields)
    assert (found.score, found.temperature) == (score, temperature)


@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        ("+09:00", 9),
        ("GMT+09:00", 9),
        ("UTC+9", 9),
        ("-0330", -3.5),
        ("+99:00", None),
        ("Asia/Tokyo", None),
        (9, None),
    ],
)
def test_zone(zone: Any, hours: float | None) -> None:
    """A time zone is written in two ways."""
    expected = None if hours is None else timezone(timedelta(hours=hours))
    assert record(signTimeZone=zone).zone == expected


MOMENT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        (1700000000, MOMENT),
        ("1700000000", MOMENT),
        (1700000000123, MOMENT),
        ("1700000000123", MOMENT),
        ("2023-11-14 22:13:20", MOMENT.replace(tzinfo=None)),
        ("2023-11-14T22:13:20+00:00", MOMENT),
        ("2023-11-15T07:13:20+09:00", MOMENT),
        ("", None),
        (0, None),
        (-1, None),
        (1, None),
        (10**20, None),
        ("1969-01-01 00:00:00", None),
        ("9999-12-31 23:59:59", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("soon", None),
        ([], None),
    ],
)
def test_alarm_time(given: Any, moment: datetime | None) -> None:
    """Times of alerts come in any form; the manual shows none."""
    found = alert(alarmTime=given, releaseTime=given)
    assert found.occurred_at == moment
    assert found.released_at == moment


def test_sign_time_with_zone() -> None:
    """A time in words belongs to the zone beside it."""
    found = record(signTime="2023-11-15 07:13:20", signTimeZone="GMT+09:00")
    assert found.occurred_at == MOMENT


def test_alert() -> None:
    """An alert, as the manual's table has it."""
    assert alert(
        id=5,
        level=1,
        code=10002,
        description="Forced",
        status=3,
        traceId="t-1",
        deviceId=7,
        deviceName="Door",
        deviceLocation="Lobby",
        alarmTime="1700000000000",
        releaseTime="1700000060000",
        alarmPhoto="5d901af663cdaf0001252bb9",
        resloveOption=3,
    ) == AlertRecord(
        terminal=Terminal(LDID, "Door", "Lobby"),
        id=5,
        trace_id="t-1",
        kind=AlertKind.DOOR_FORCED,
        state=AlertState.RELEASED,
        level=1,
        description="Forced",
        occurred_at=MOMENT,
        released_at=MOMENT + timedelta(seconds=60),
        picture="5d901af663cdaf0001252bb9",
    )


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"traceId": "t-1", "id": 5}, "t-1"),
        ({"traceId": "", "id": 5}, "5"),
        ({"traceId": 17}, "17"),
        ({"traceId": "x" * 65}, None),
        ({}, None),
    ],
)
def test_alert_key(fields: dict[str, Any], key: str | None) -> None:
    """The terminal's number tells alerts apart, else the server's."""
    assert alert(**fields).key == key


@pytest.mark.parametrize(
    ("given", "picture"),
    [
        ("5d901af663cdaf0001252bb9", "5d901af663cdaf0001252bb9"),
        ("", None),
        ("../../etc/passwd", None),
        ("a?b", None),
        ("é", None),
        (5, None),
    ],
)
def test_picture_id(given: Any, picture: str | None) -> None:
    """What becomes a part of an address has no signs that mean something there."""
    assert record(signBgAvatar=given).picture == picture
    assert alert(alarmPhoto=given).picture == picture


def test_thumbnail() -> None:
    """Where there is no picture of the scene, the face will do."""
    assert record(signBgAvatar="", signAvatar="abc").picture == "abc"
    assert picture_path("abc") == "/v1/image/2/abc"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"BMrest", "image/bmp"),
        (b"RIFF\x00\x00\x00\x00WEBPrest", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVErest", None),
        (b"<svg onload=alert(1)>", None),
        (b'{"code": 200}', None),
        (b"", None),
    ],
)
def test_picture_type(content: bytes, content_type: str | None) -> None:
    """A picture is known by its content."""
    assert picture_type(content) == content_type


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ([], "not an object"),
        (None, "not an object"),
        ({}, "no code"),
        ({"code": None}, "no code"),
        ({"code": True}, "no code"),
        ({"code": "abc"}, "no code"),
        ({"code": 1.5}, "no code"),
        ({"code": 30000}, "no data"),
        ({"code": 30000, "data": []}, "no data"),
        ({"code": 30000, "data": {}}, "no terminal"),
        ({"code": 30100, "data": {"deviceSn": ""}}, "no terminal"),
        ({"code": 30100, "data": {"deviceSn": "a\nb"}}, "no terminal"),
        ({"code": 30100, "data": {"deviceSn": "x" * 65}}, "no terminal"),
        ({"code": 30100, "data": {"deviceSn": False}}, "no terminal"),
    ],
)
def test_malformed_frames(frame: Any, why: str) -> None:
    """What cannot be a frame is refused with a reason that quotes nothing."""
    with pytest.raises(MalformedFrameError, match=why):
        parse_frame(frame)


@pytest.mark.parametrize("event_type", [30000, "30000"])
def test_event(event_type: Any) -> None:
    """A posted event holds the same as a frame."""
    event = parse_event(
        {
            "eventType": event_type,
            "messageId": "8c2e5e5c-0000-4000-8000-000000000000",
            "sendTime": 1700000001000,
            "data": {"sn": LDID, "id": 5},
        }
    )
    assert event == Event("8c2e5e5c-0000-4000-8000-000000000000", record(id=5))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ([], "not an object"),
        ({}, "unknown type"),
        ({"eventType": 10000}, "unknown type"),
        ({"eventType": 30000}, "no data"),
        ({"eventType": 30100, "data": {"id": 5}}, "no terminal"),
    ],
)
def test_malformed_events(body: Any, why: str) -> None:
    """What cannot be an event is refused with a reason."""
    with pytest.raises(MalformedFrameError, match=why):
        parse_event(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
DATA = st.dictionaries(
    st.sampled_from(
        [
            *("id", "userId", "name", "userName", "type", "groups", "groupName"),
            *("sn", "deviceSn", "deviceName", "location", "signTime", "signTimeZone"),
            *("verifyScore", "bodyTemperature", "mask", "direction", "entryMode"),
            *("abnormalType", "signAvatar", "signBgAvatar", "alarmPhoto", "code"),
            *("status", "level", "traceId", "description", "alarmTime", "releaseTime"),
        ]
    ),
    st.sampled_from([LDID, 1700000000, "+09:00", 10001]) | JSON,
)
CODES = st.sampled_from([30000, 30100, "30000", 20000, 1]) | JSON


@given(JSON | st.fixed_dictionaries({"code": CODES, "data": DATA | JSON}))
def test_any_frame(frame: Any) -> None:
    """Whatever comes is a message, or is refused; nothing else happens."""
    with contextlib.suppress(MalformedFrameError):
        parse_frame(frame)


@given(
    st.fixed_dictionaries({"eventType": CODES, "messageId": JSON, "data": DATA | JSON})
)
def test_any_event(body: Any) -> None:
    """Nor does anything else happen with whatever is posted."""
    with contextlib.suppress(MalformedFrameError):
        assert isinstance(parse_event(body), Event)
