"""What SenseLink sends: signatures, frames of records and alerts, and events.

Written from the vendor's chapter "3 Push通知" ("the document" below), its chapters on
event subscription, and what public clients tell of real frames ("in the field").
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timezone
import hashlib
from typing import Any, Literal

CONNECTED = 20000
DENIED = 20002
HEARTBEAT = 10000
RECORD = 30000
ALERT = 30100

EMPLOYEE = 1
VISITOR = 2
STRANGER = 3
# Of groups; the document has no such kind of person.
DENY_LIST = 5

ACTIVE = 1
RELEASING = 2
RELEASED = 3

type Frame = dict[str, Any]
type Layout = Literal["2.3", "2.2"]
type Envelope = Literal["field", "documented"]
type AlarmTimeForm = Literal["ms", "s", "text", "empty"]

# What the document calls each alert, and where it can be released: 0 no need to, 1 at
# the device, 3 there or remotely. It leaves the option of the last one out.
ALERTS = {
    10001: ("Device theft alert", 3),
    10002: ("Door forced open", 3),
    10003: ("Door sensor timeout", 1),
    10004: ("Password cracking", 0),
    10005: ("Not supported", 1),
    10006: ("Thermographic camera connection abnormal", 1),
    20001: ("Camera dirty", 1),
    20002: ("Non-living attack", 0),
    20003: ("Fire alarm", 3),
    30001: ("Device offline", 0),
    40001: ("Feature extraction error", 0),
}

# The older layout's names of the same fields, which public clients of 2019 read.
OLDER_NAMES = {
    "name": "userName",
    "type": "userType",
    "avatar": "originAvatar",
    "sn": "deviceSN",
}


@dataclass(frozen=True)
class Terminal:
    """A terminal that reads faces at a door.

    Attributes:
        ldid: The server's name for it: a prefix for the model and 32 hex digits.
        name: Shown on the server.
        location: Where it hangs.
        direction: 0 not set, 1 in, 2 out.
        id: The server's number of it.
    """

    ldid: str
    name: str
    location: str = ""
    direction: int = 0
    id: int = 1


@dataclass(frozen=True)
class Group:
    """A group of people.

    Attributes:
        id: The server's number of it.
        name: Shown on the server.
        type: 1 employees, 2 visitors, 5 deny list.
    """

    id: int
    name: str
    type: int = EMPLOYEE


@dataclass(frozen=True)
class Person:
    """Someone whom the server knows.

    Attributes:
        id: The server's number of the person.
        name: Shown on the server.
        type: 1 employee, 2 visitor.
        groups: That the person is in.
        avatar: Identifier of the registered portrait, or empty without one.
        mobile: Telephone number.
        ic_number: Number of the person's card.
        id_number: Number of the person's identity document.
        job_number: Number as an employee.
        remark: Free text.
        host: Whom a visitor comes to see.
    """

    id: int
    name: str
    type: int = EMPLOYEE
    groups: tuple[Group, ...] = ()
    avatar: str = ""
    mobile: str = ""
    ic_number: str = ""
    id_number: str = ""
    job_number: str = ""
    remark: str = ""
    host: Person | None = None


# The document's example has strangers in it too.
DEFAULT_GROUP = Group(1, "Default group")

TERMINALS = (
    Terminal(
        "SPSP-0123456789abcdef0123456789abcd01", "Main entrance", "Ground floor", 1, 101
    ),
    Terminal("SPSP-0123456789abcdef0123456789abcd02", "Car park", "Basement", 2, 102),
)

AIKO = Person(
    1001,
    "Aiko Aoyama",
    groups=(DEFAULT_GROUP, Group(2, "Engineering")),
    avatar="a1000000000000000000a001",
    mobile="08000000001",
    ic_number="IC-INVENTED-1001",
    id_number="ID-INVENTED-1001",
    job_number="JOB-INVENTED-1001",
    remark="Invented remark on Aiko",
)
BRUNO = Person(
    1002,
    "Bruno Brück",
    groups=(DEFAULT_GROUP,),
    avatar="a1000000000000000000a002",
    mobile="08000000002",
    ic_number="IC-INVENTED-1002",
    id_number="ID-INVENTED-1002",
    job_number="JOB-INVENTED-1002",
    remark="Invented remark on Bruno",
)
VERA = Person(
    1003,
    "Vera Visser",
    VISITOR,
    (Group(3, "Visitors", VISITOR),),
    avatar="a1000000000000000000a003",
    mobile="08000000003",
    ic_number="IC-INVENTED-1003",
    id_number="ID-INVENTED-1003",
    remark="Invented remark on Vera",
    host=AIKO,
)

NOBODY = Person(0, "", STRANGER, (DEFAULT_GROUP,))


@dataclass(frozen=True)
class Photos:
    """Identifiers of the pictures of one recognition; empty for those not taken.

    Attributes:
        face: The face, cut out.
        scene: All that the camera saw.
        document: The photo of an identity card.
    """

    face: str = ""
    scene: str = ""
    document: str = ""


def sign(timestamp: str, app_secret: str) -> str:
    """Return the text that proves knowledge of a secret at a time in milliseconds."""
    return hashlib.md5(
        f"{timestamp}#{app_secret}".encode(), usedforsecurity=False
    ).hexdigest()


def connected(message: str) -> Frame:
    """Return the first frame of a connection that was accepted."""
    return {"code": CONNECTED, "message": message, "desc": "Connected!"}


def denied(desc: str) -> Frame:
    """Return the frame that refuses a connection."""
    return {"code": DENIED, "message": "Permission Denied!", "desc": desc}


def heartbeat() -> Frame:
    """Return the frame that shows that the server is there."""
    return {"code": HEARTBEAT, "desc": "heart beat", "message": "heart beat"}


def push(code: int, data: Frame) -> Frame:
    """Return the frame of a record, without `desc` as in the field, or of an alert."""
    if code == RECORD:
        return {"code": RECORD, "message": "push record", "data": data}
    return {"code": ALERT, "desc": "", "message": "push alarm", "data": data}


def event(
    code: int, data: Frame, *, message_id: str, at: float, envelope: Envelope
) -> Frame:
    """Return the event that carries a record or an alert to a subscriber.

    Args:
        code: As in frames.
        data: As in frames.
        message_id: Stays the same when the event is sent again.
        at: When, in seconds since 1970.
        envelope: Whether type and time are numbers, as in the field, or texts, as the
            document has them.
    """
    sent = int(at * 1000)
    field = envelope == "field"
    return {
        "eventType": code if field else str(code),
        "messageId": message_id,
        "sendTime": sent if field else str(sent),
        "data": data,
    }


def record(
    *,
    record_id: int,
    terminal: Terminal,
    person: Person | None,
    at: float,
    zone: timezone,
    entry_mode: int = 1,
    abnormal_type: int = 0,
    score: float = 0,
    temperature: float | None = None,
    mask: int | None = None,
    photos: Photos = Photos(),
    layout: Layout = "2.3",
) -> Frame:
    """Return the record of somebody who stood before a terminal.

    Args:
        record_id: The server's number of it.
        terminal: Where that was.
        person: Who it was, or None for a stranger.
        at: When, in seconds since 1970.
        zone: The terminal's time zone.
        entry_mode: 1 face, 2 QR code, 3 card, 4 face and card, 5 identity card, 6 face
            and identity card.
        abnormal_type: Why the door stayed closed, or 0.
        score: How sure the terminal was, 0 to 1.
        temperature: In °C; left out if None.
        mask: 0 unknown, 1 not worn, 2 worn; left out if None.
        photos: What was taken.
        layout: Which names the fields have.
    """
    who = person or NOBODY
    host = who.host or NOBODY
    made: Frame = {
        "id": record_id,
        "userId": who.id,
        "name": who.name,
        "type": who.type,
        "avatar": who.avatar,
        "direction": terminal.direction,
        "verifyScore": score,
        "receptionUserId": host.id,
        "receptionUserName": host.name,
        "groups": [
            {"id": group.id, "name": group.name, "type": group.type}
            for group in who.groups
        ],
        "deviceName": terminal.name,
        "sn": terminal.ldid,
        "signDate": datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d"),
        "signTime": int(at),
        "signAvatar": photos.face,
        "signBgAvatar": photos.scene,
        "mobile": who.mobile,
        "icNumber": who.ic_number,
        "idNumber": _cipher(who.id_number),
        "jobNumber": who.job_number,
        "remark": who.remark,
        "entryMode": entry_mode,
        "signTimeZone": _offset(zone),
        "docPhoto": photos.document,
        "location": terminal.location,
        "abnormalType": abnormal_type,
    }
    if temperature is not None:
        made["bodyTemperature"] = temperature
    if mask is not None:
        made["mask"] = mask
    return made if layout == "2.3" else _older(made)


def extras(person: Person | None) -> Frame:
    """Return what records have in the field besides what the document lists."""
    who = person or NOBODY
    return {
        "companyId": 1,
        "latitude": 0.25,
        "longitude": 0.5,
        "address": "Invented address 1",
        "userIcNumber": who.ic_number,
        "userIdNumber": _cipher(who.id_number),
    }


def alert(
    *,
    alert_id: int,
    code: int,
    terminal: Terminal,
    trace_id: str,
    status: int = ACTIVE,
    level: int = 1,
    alarm_time: str = "",
    release_time: str = "",
    photo: str = "",
) -> Frame:
    """Return an alert.

    Args:
        alert_id: The server's number of it.
        code: What has happened; need not be one of the document's.
        terminal: Where.
        trace_id: The terminal's own number of it.
        status: 1 active, 2 releasing, 3 released.
        level: 1 alert, 2 abnormality.
        alarm_time: When it began, in any form.
        release_time: When it ended.
        photo: Identifier of a picture, or empty.
    """
    description, option = ALERTS.get(code, (f"Alert {code}", 0))
    return {
        "id": alert_id,
        "level": level,
        "code": code,
        "description": description,
        "status": status,
        "traceId": trace_id,
        "deviceId": terminal.id,
        "deviceName": terminal.name,
        "deviceSn": terminal.ldid,
        "deviceLocation": terminal.location,
        "alarmTime": alarm_time,
        "releaseTime": release_time,
        "alarmPhoto": photo,
        # The vendor's own spelling.
        "resloveOption": option,
    }


def write_time(at: float, form: AlarmTimeForm, zone: timezone = UTC) -> str:
    """Return an alert's time. The document says that it is a text, but not of what form.

    Args:
        at: In seconds since 1970.
        form: Milliseconds, as devices report to the server; seconds; date and time of
            the zone; or nothing, as in the document's example.
        zone: The terminal's time zone.
    """
    match form:
        case "ms":
            return str(int(at * 1000))
        case "s":
            return str(int(at))
        case "text":
            return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M:%S")
    return ""


def _older(made: Frame) -> Frame:
    """Return a record with the names of the older layout."""
    older = {OLDER_NAMES.get(name, name): value for name, value in made.items()}
    first = next(iter(older.pop("groups")), {"id": 0, "name": ""})
    older |= {"groupId": first["id"], "groupName": first["name"]}
    # Frames of that time do not say that nothing was abnormal.
    if not older["abnormalType"]:
        del older["abnormalType"]
    return older


def _cipher(text: str) -> str:
    """Return what looks like the Base64 of an encrypted text."""
    return base64.b64encode(text.encode()[::-1]).decode()


def _offset(zone: timezone) -> str:
    """Return a zone's distance from UTC, such as `+08:00`."""
    return datetime.fromtimestamp(0, zone).isoformat()[-6:]
