"""SenseLink's push: signatures, and JSON in, frozen messages out.

Sources: the manual is Japan Computer Vision's "3 Push通知" of SenseLink GE, its chapters
on event subscription and on devices included; in the field is what public clients show
of real frames. Where a field has another name in the field, both are understood.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, IntEnum
from functools import lru_cache
import hashlib
import re
from typing import Any, NamedTuple
from urllib.parse import quote

from ...wire import MAX_TEXT, printable

_MAX_ID = 64
_MAX_NUMBER = 2**64

# JSON has no other kinds of text and number; its truth values are of a kind of their own.
_TEXTS = frozenset({str, int})
_REALS = frozenset({float, int, str})
_MAX_GROUPS = 32

# A plausible time lies in this century.
_EARLIEST = 946_684_800
_LATEST = 4_102_444_800

_ZONE = re.compile(r"(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})?", re.ASCII)
_PICTURE_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)

DENY_LIST = 5
"""Kind of a group whose people are not let in. For the kind of a person itself it is
not documented, but who has that one is no better."""

_PICTURE_TYPES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"BM", "image/bmp"),
)


class MalformedFrameError(ValueError):
    """A frame that is not one of SenseLink's; the text says why, not what."""


class Code(IntEnum):
    """What a frame is about."""

    HEARTBEAT = 10000
    CONNECTED = 20000
    DENIED = 20002
    RECORD = 30000
    ALERT = 30100


class Signal(Enum):
    """A frame that says all by its code."""

    HEARTBEAT = Code.HEARTBEAT
    CONNECTED = Code.CONNECTED
    DENIED = Code.DENIED


class EntryMode(IntEnum):
    """By what somebody was recognised."""

    FACE = 1
    QR_CODE = 2
    CARD = 3
    FACE_AND_CARD = 4
    ID_CARD = 5
    FACE_AND_ID_CARD = 6


class Abnormality(IntEnum):
    """What was wrong with somebody; the text of the manual in English."""

    NONE = 0
    ID_CARD_MISMATCH = 10001
    CARD_MISMATCH = 10002
    CODE_MISMATCH = 10003
    VISITOR_EXPIRED = 20001
    OUTSIDE_HOURS = 20002
    INVALID_ID_CARD = 30001
    INVALID_CARD = 30002
    INVALID_QR_CODE = 30003
    ABNORMAL_TEMPERATURE = 40001
    NO_MASK = 50001


class MaskState(IntEnum):
    """Whether a mask was seen. The manual gives 0 to "not worn", too, by mistake."""

    UNKNOWN = 0
    NOT_WORN = 1
    WORN = 2


class Passage(IntEnum):
    """Which way a terminal's door leads; 0 is not set."""

    IN = 1
    OUT = 2


class AlertKind(IntEnum):
    """What an alert is about. 10005 is reserved."""

    TAMPER = 10001
    DOOR_FORCED = 10002
    DOOR_HELD_OPEN = 10003
    PASSWORD_CRACKING = 10004
    THERMAL_CAMERA_FAULT = 10006
    CAMERA_DIRTY = 20001
    SPOOFING = 20002
    FIRE = 20003
    DEVICE_OFFLINE = 30001
    FEATURE_EXTRACTION_ERROR = 40001


class AlertState(IntEnum):
    """How an alert stands."""

    ACTIVE = 1
    RELEASING = 2
    RELEASED = 3


class AlertLevel(IntEnum):
    """How grave an alert is."""

    ALERT = 1
    ABNORMALITY = 2


class Terminal(NamedTuple):
    """The terminal that a message comes from."""

    ldid: str
    """The server's own id of it: a prefix for the model and 32 hexadecimal digits."""
    name: str | None
    location: str | None


class Record(NamedTuple):
    """Somebody stood before a terminal.

    Telephone, identity and card numbers are not read: no automation needs them. Numbers
    whose meaning is not known are kept, for they mean something to newer servers.
    """

    terminal: Terminal
    id: int | None
    """Unique on the server."""
    person_id: str | None
    """None if nobody was recognised."""
    person: str | None
    entry_mode: int | None
    abnormality: int
    direction: int | None
    score: float | None
    """From 0 to 1."""
    temperature: float | None
    """In degrees Celsius."""
    mask: int | None
    groups: tuple[str, ...] | None
    denied: bool
    """Whether the person stands on a deny list."""
    occurred_at: datetime | None
    """Without a zone if the server gave none."""
    zone: timezone | None
    """The terminal's."""
    picture: str | None
    """Id of the picture that was taken."""


class AlertRecord(NamedTuple):
    """A terminal raised the alarm, or took it back."""

    terminal: Terminal
    id: int | None
    trace_id: str | None
    """The terminal's own number of the alert, the same from its start to its end."""
    kind: int | None
    state: int | None
    level: int | None
    description: str | None
    occurred_at: datetime | None
    """Without a zone if the server gave none."""
    released_at: datetime | None
    """Without a zone if the server gave none."""
    picture: str | None
    """Id of the picture that was taken."""

    @property
    def key(self) -> str | None:
        """Return what tells the alert from others of the same terminal."""
        if self.trace_id is not None:
            return self.trace_id
        return None if self.id is None else str(self.id)


type Content = Record | AlertRecord
type Message = Signal | Content


class Event(NamedTuple):
    """What the subscription service posts."""

    id: str | None
    """The same when the event is posted again."""
    content: Content


def sign(app_secret: str, timestamp: str) -> str:
    """Return the signature of a moment, given as milliseconds since 1970.

    It covers neither path nor body. Seconds are refused.
    """
    text = f"{timestamp}#{app_secret}"
    # The vendor's choice; the moment is what makes it hold for half an hour only.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def websocket_path(app_key: str, app_secret: str, timestamp: str) -> str:
    """Return the encoded path of the websocket, signed for a moment."""
    key = quote(app_key, safe="")
    return f"/websocket/record/{key}/{timestamp}/{sign(app_secret, timestamp)}"


def picture_path(picture: str) -> str:
    """Return the path of a picture that was taken; 1 instead of 2 is for portraits.

    Not in the manual: in the field.
    """
    return f"/v1/image/2/{picture}"


def picture_type(content: bytes) -> str | None:
    """Return the content type of a picture by its first bytes, None if it is none."""
    for beginning, content_type in _PICTURE_TYPES:
        if content.startswith(beginning):
            return content_type
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def parse_frame(frame: Any) -> Message | None:
    """Read a frame of the websocket out of parsed JSON; None is a code not known.

    Real frames may lack `desc`, so the code is all that is required.

    Raises:
        MalformedFrameError: it has no code, or lacks what its code needs.

    """
    if not isinstance(frame, dict):
        raise MalformedFrameError("not an object")
    code = _number(frame.get("code"))
    if code is None:
        raise MalformedFrameError("no code")
    if code in (Code.RECORD, Code.ALERT):
        return _content(code, frame.get("data"))
    try:
        return Signal(code)
    except ValueError:
        return None


def parse_event(body: Any) -> Event:
    """Read what the subscription service posts out of parsed JSON.

    Raises:
        MalformedFrameError: it is of an unknown type, or lacks what that needs.

    """
    if not isinstance(body, dict):
        raise MalformedFrameError("not an object")
    # Text in the manual, a number in the field.
    code = _number(body.get("eventType"))
    if code not in (Code.RECORD, Code.ALERT):
        raise MalformedFrameError("unknown type")
    return Event(_id(body.get("messageId")), _content(code, body.get("data")))


def _content(code: int, data: Any) -> Content:
    """Return the record or alert of a frame or event."""
    if not isinstance(data, dict):
        raise MalformedFrameError("no data")
    return _record(data) if code == Code.RECORD else _alert(data)


def _record(data: Mapping[str, Any]) -> Record:
    """Read a record; servers of 2019 have other names for some fields."""
    get = data.get
    zone = _zone(get("signTimeZone"))
    person_id, person = _id(get("userId")), None
    if person_id == "0":
        # Nobody, whatever is said of him.
        person_id = None
    else:
        person = _text(get("name") or get("userName"))
    denied = _number(get("type") or get("userType")) == DENY_LIST
    groups: tuple[str, ...] | None = None
    if isinstance(given := get("groups"), list):
        names: list[str] = []
        for group in given[:_MAX_GROUPS]:
            if isinstance(group, dict):
                denied |= _number(group.get("type")) == DENY_LIST
                if (name := _text(group.get("name"))) is not None:
                    names.append(name)
        groups = tuple(names)
    elif (name := _text(get("groupName"))) is not None:
        groups = (name,)
    # Absent in 2019. What cannot be read is not nothing.
    abnormality: int | None = Abnormality.NONE
    if (abnormal := get("abnormalType")) is not None and abnormal != "":
        abnormality = _number(abnormal)
    # By place, for hundreds come at once, and names take twice as long.
    return Record(
        _terminal(
            get("sn") or _first(data, "deviceSN", "deviceSn", "ldid"),
            get("deviceName"),
            get("location"),
        ),
        _number(get("id")),
        person_id,
        person,
        _number(get("entryMode")),
        -1 if abnormality is None else abnormality,
        _number(get("direction")),
        _real(get("verifyScore"), 0, 1),
        # 0 where nothing was measured.
        _real(get("bodyTemperature"), 0, 100) or None,
        _number(get("mask")),
        groups,
        denied,
        _moment(get("signTime"), zone),
        zone,
        # The whole scene; the other one is its thumbnail.
        _picture(get("signBgAvatar") or get("signAvatar")),
    )


def _alert(data: Mapping[str, Any]) -> AlertRecord:
    """Read an alert."""
    return AlertRecord(
        terminal=_terminal(
            _first(data, "deviceSn", "deviceSN", "sn", "ldid"),
            data.get("deviceName"),
            _first(data, "deviceLocation", "location"),
        ),
        id=_number(data.get("id")),
        trace_id=_id(data.get("traceId")),
        kind=_number(data.get("code")),
        state=_number(data.get("status")),
        level=_number(data.get("level")),
        description=_text(data.get("description")),
        occurred_at=_moment(data.get("alarmTime")),
        released_at=_moment(data.get("releaseTime")),
        picture=_picture(data.get("alarmPhoto")),
    )


def _terminal(ldid: Any, name: Any, location: Any) -> Terminal:
    """Return the terminal that a message comes from."""
    # It is named in the same words in each of its records.
    if (
        type(ldid) is type(name) is type(location) is str
        and len(ldid) + len(name) + len(location) <= MAX_TEXT
    ):
        return _remembered_terminal(ldid, name, location)
    return _read_terminal(ldid, name, location)


def _read_terminal(ldid: Any, name: Any, location: Any) -> Terminal:
    """Return the terminal that has these names, if one of them is an id."""
    if (known := _id(ldid)) is None:
        raise MalformedFrameError("no terminal")
    return Terminal(known, _text(name), _text(location))


_remembered_terminal = lru_cache(maxsize=1024)(_read_terminal)


def _first(data: Mapping[str, Any], *names: str) -> Any:
    """Return the first of several fields that holds something."""
    for name in names:
        value = data.get(name)
        if value is not None and value != "":
            return value
    return None


def _text(value: Any) -> str | None:
    """Return a text in the length that can be shown; None if it is empty or no text."""
    if value == "" or type(value) not in _TEXTS:
        return None
    return printable(str(value))


def _id(value: Any) -> str | None:
    """Return an id, which must be whole to be one."""
    if type(value) not in _TEXTS:
        return None
    text = str(value).strip()
    return text if text.isprintable() and 0 < len(text) <= _MAX_ID else None


def _picture(value: Any) -> str | None:
    """Return the id of a picture, which becomes a part of its address."""
    if value and isinstance(value, str) and _PICTURE_ID.fullmatch(value):
        return value
    return None


def _number(value: Any) -> int | None:
    """Return a whole number, which may be written as text."""
    # JSON's own numbers are bounded where they are parsed.
    if value is None or type(value) is int:
        return value
    number = None
    if type(value) is str:
        text = value.strip()
        if text.isascii() and text.isdecimal() and len(text) <= _MAX_ID:
            number = int(text)
    elif type(value) is float and value.is_integer():
        number = int(value)
    return None if number is None or abs(number) >= _MAX_NUMBER else number


def _real(value: Any, least: float, most: float) -> float | None:
    """Return a number within bounds, which may be written as text."""
    if type(value) not in _REALS:
        return None
    try:
        number = float(value)
    except ValueError, OverflowError:
        return None
    # What is not a number lies within no bounds.
    return number if least <= number <= most else None


def _zone(value: Any) -> timezone | None:
    """Return a time zone, written as +09:00 or GMT+09:00."""
    return _read_zone(value) if isinstance(value, str) else None


@lru_cache(maxsize=64)
def _read_zone(text: str) -> timezone | None:
    """Return what a text says; the terminals of a server name few different ones."""
    if not (match := _ZONE.fullmatch(text.strip())):
        return None
    side, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if offset >= timedelta(days=1):
        return None
    return timezone(-offset if side == "-" else offset)


def _moment(value: Any, zone: timezone | None = None) -> datetime | None:
    """Return a time, given as seconds or milliseconds since 1970 or as local text.

    The manual shows neither form for alerts; all three are in use between SenseLink's
    parts. None if it is not of this century.
    """
    if value is None:
        return None
    if (epoch := _number(value)) is not None:
        if epoch >= _LATEST:
            epoch //= 1000
        if _EARLIEST <= epoch < _LATEST:
            return datetime.fromtimestamp(epoch, UTC)
        return None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is None and zone is not None:
            moment = moment.replace(tzinfo=zone)
        known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment if _EARLIEST <= known.timestamp() < _LATEST else None
    except ValueError, OverflowError:
        return None
