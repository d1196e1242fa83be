"""The IPAC 500 in both directions: its local API, and what it tells an ASM server.

Source: Amphitech's firmware release note for V1.72. It contradicts itself in places;
what is sent is what its curl lines print, and every form that it shows is understood.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from hashlib import sha256
import re
from typing import Any, NamedTuple

import orjson

from ...wire import Secret, UnexpectedReply, parse_json, printable

# POST without the final slash is redirected by some servers, which loses the body.
PATH_REMOTE = "/api/remote/"
PATH_VOIP = "/api/voip/"
PATH_AUDIO = "/api/audio/"
PATH_VIDEO = "/api/video/"

BOTH_RELAYS = 3
"""The number that means relays 1 and 2 together."""

MAX_WAV = 1_000_000
"""Bytes of a sound; the release note says 1 Mo."""

MAX_REPEAT = 9999
"""Repetitions of a sound, and seconds of a picture; 0 is without end."""

MAX_SHOWN = 64
"""Characters of what a station calls itself, or an event, at most."""

DISPLAY_SIZE = (356, 256)
"""Pixels of the display, as the sample picture of the release note has them."""


class RelayReply(IntEnum):
    """What the station answers to an order for a relay."""

    GRANTED = 200
    BAD_REQUEST = 400
    OUTSIDE_HOURS = 401
    """The code's time slot is over. A login that is refused has the same number."""
    WRONG_CODE = 403
    """Or the code may not be used from afar, or not for this relay."""
    LOCKED_OUT = 423
    """The relay is switched to PDL or NETCUT."""
    BUSY = 480
    """A code is being used just now, or the relay is active."""


class Table(StrEnum):
    """Where the station looks up whom to call."""

    LISTE = "liste"
    LDAP = "ldap"
    LIBRE = "libre"


@dataclass(frozen=True, slots=True)
class Order:
    """A request to the station; fields are texts, as the printed examples have them."""

    path: str
    fields: Mapping[str, str] = field(repr=False)
    """These may hold a code, or a million bytes."""
    as_json: bool = False
    """As JSON; a form otherwise."""


ANSWER = Order(PATH_VOIP, {"type": "answer"})
HANG_UP = Order(PATH_VOIP, {"type": "terminate_all"})
STOP_SOUND = Order(PATH_AUDIO, {"type": "wav", "data": "stop"})
# The tempo has no meaning here, but the printed example has one.
CLEAR_DISPLAY = Order(
    PATH_VIDEO, {"type": "img", "tempo": "60", "data": "stop"}, as_json=True
)


def open_relay(relay: int, code: Secret) -> Order:
    """Return the order to fire a relay, or both, with one of its common codes."""
    return Order(PATH_REMOTE, {"code": code.reveal(), "relay": str(relay)})


def place_call(table: Table, number: str) -> Order:
    """Return the order to call a contact by its index, or an address."""
    return Order(
        PATH_VOIP, {"type": "call", "table": table, "id": number}, as_json=True
    )


def play_sound(wav: bytes, loop: int) -> Order:
    """Return the order to play a WAV file as many times as `loop` says."""
    return Order(
        PATH_AUDIO,
        {"type": "wav", "loop": str(loop), "data": base64.b64encode(wav).decode()},
        as_json=True,
    )


def show_picture(picture: bytes, seconds: int) -> Order:
    """Return the order to show a PNG, JPEG or GIF; 0 seconds is until it is cleared."""
    return Order(
        PATH_VIDEO,
        {
            "type": "img",
            "tempo": str(seconds),
            "data": base64.b64encode(picture).decode(),
        },
        as_json=True,
    )


class EventCode(StrEnum):
    """What an event is about."""

    RESTARTED = "OE"
    CALL = "01"
    CALL_ENDED = "FA"
    STREAM = "ST"
    STREAM_ENDED = "FS"
    RELAY = "RL"
    KEYPAD = "CL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What every message of a station has."""

    object_id: str | None
    time: int | None
    """Seconds since 1970 by the station's own clock, which shows local time as UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Message):
    """The station's configuration, of which nothing else is kept."""

    firmware: str | None
    product: str | None


class CallValue(NamedTuple):
    """Who is called, or calls."""

    outgoing: bool
    number: str | None


class RelayValue(NamedTuple):
    """Which relay fired, and by which code."""

    code: Secret | None
    relay: int


class TaskResult(NamedTuple):
    """What became of an order that the station had fetched, for each relay."""

    replies: Mapping[int, int]


class KeypadValue(NamedTuple):
    """What was typed."""

    code: Secret


type Value = CallValue | RelayValue | TaskResult | KeypadValue | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Message):
    """Something that has happened at the station."""

    code: str
    """An `EventCode`, or one that the release note does not have."""
    value: Value
    task_id: int | None
    fingerprint: bytes = field(repr=False)
    """Equal for an event that is sent again. A short code could be guessed from it."""


class MalformedMessageError(ValueError):
    """A message that cannot be understood."""


# Python's own writer would have quoted the keys, so the printed one was typed by hand.
_BARE_KEY = re.compile(rb"([{,]\s*)(\d{1,4})(\s*:)")


def parse_body(body: bytes) -> Mapping[str, Any]:
    """Read a message's body, also in the printed form `{1 :200, 2 :403}`, or in Latin-1.

    Raises:
        MalformedMessageError: it is no JSON object.

    """
    try:
        message = parse_json(body)
    except UnexpectedReply:
        try:
            message = parse_json(_BARE_KEY.sub(rb'\1"\2"\3', _as_utf_8(body)))
        except UnexpectedReply as err:
            raise MalformedMessageError("not JSON") from err
    if not isinstance(message, dict):
        raise MalformedMessageError("not a JSON object")
    return message


def _as_utf_8(body: bytes) -> bytes:
    """Return a text in UTF-8 that may be in Latin-1, as a name with an accent."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1").encode()
    return body


def token_of(body: Mapping[str, Any]) -> str | None:
    """Return by what a message proves whose it is."""
    return _text(body.get("token"))


def parse_notify(body: Mapping[str, Any]) -> Message:
    """Read a sign of life."""
    return Message(**_common(body))


def parse_settings(body: Mapping[str, Any]) -> Settings:
    """Read from a configuration what a device is told by: firmware and product."""
    firmware = product = None
    for key, value in body.items():
        if key.startswith("conf_") and isinstance(value, str):
            found_firmware, found_product = _identity(value)
            firmware = firmware or found_firmware
            product = product or found_product
    return Settings(**_common(body), firmware=firmware, product=product)


def parse_event(body: Mapping[str, Any]) -> Event:
    """Read an event. What has an unknown code or shape keeps neither code nor digits.

    Raises:
        MalformedMessageError: it does not say what it is about.

    """
    code = printable(_text(body.get("code")) or "", MAX_SHOWN)
    if code is None:
        raise MalformedMessageError("no code")
    # "OE" is a letter and a letter; print makes them look alike.
    code = {"1": EventCode.CALL, "0E": EventCode.RESTARTED}.get(
        code.upper(), code.upper()
    )
    raw = body.get("value")
    common = _common(body)
    return Event(
        **common,
        code=code,
        value=_value(code, raw),
        task_id=_integer(body.get("task_id")),
        fingerprint=sha256(
            orjson.dumps([code, common["time"], raw, body.get("task_id")])
        ).digest(),
    )


def _common(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "object_id": printable(_text(body.get("objectid")) or "", MAX_SHOWN),
        "time": _integer(body.get("time")),
    }


def _value(code: str, raw: Any) -> Value:
    """Return what an event is about, in whichever form it came."""
    match code:
        case EventCode.CALL | EventCode.CALL_ENDED:
            return _call_value(printable(_text(raw) or "") or "")
        case EventCode.RELAY:
            return _relay_value(raw)
        case EventCode.KEYPAD:
            return None if (typed := _text(raw)) is None else KeypadValue(Secret(typed))
        case EventCode.RESTARTED | EventCode.STREAM | EventCode.STREAM_ENDED:
            return printable(_text(raw) or "")
    return None


_DIRECTION = re.compile(r"(outgoing|incoming)\b\s*[;:]?", re.IGNORECASE)


def _call_value(text: str) -> CallValue:
    """Read `outgoing ;sip:…`, `outgoing:sip:…` or `Outgoing ; …`.

    The number keeps its own colon. Code 01 is titled "outgoing call", so that is what a
    call without a direction is.
    """
    found = _DIRECTION.match(text)
    number = text if found is None else text[found.end() :].strip()
    return CallValue(
        outgoing=found is None or found[1].lower() == "outgoing", number=number or None
    )


_RELAYS = (1, 2, BOTH_RELAYS)

# All examples of reports and results have numbers. But the release note calls relay 1
# "RL1", too, and its table of events does not show what a "num relais" looks like.
_RELAY_NAMES = {"RL1": 1, "RL2": 2, "RL1ETRL2": BOTH_RELAYS}


def _relay(text: str) -> int | None:
    """Return the relay that a number or a name such as `RL1` stands for, or None."""
    text = "".join(text.split()).upper()
    relay = _RELAY_NAMES.get(text, _integer(text))
    return relay if relay in _RELAYS else None


def _relay_value(raw: Any) -> RelayValue | TaskResult | None:
    """Read `code;relay`, or the result of a task by relay."""
    if isinstance(raw, dict):
        replies = {_relay(relay): _integer(reply) for relay, reply in raw.items()}
        return TaskResult(
            {
                relay: reply
                for relay, reply in replies.items()
                if relay is not None and reply is not None
            }
        )
    code, separator, relay_text = (_text(raw) or "").rpartition(";")
    if (relay := _relay(relay_text)) is None:
        return None
    code = code.strip()
    return RelayValue(Secret(code) if separator and code else None, relay)


def _identity(encoded: str) -> tuple[str | None, str | None]:
    """Return firmware version and product code, as far as an INI text names them.

    The release note shows only the beginnings of such texts; `[Firmware]` is one.
    """
    try:
        text = base64.b64decode(encoded, validate=True).decode("latin-1")
    except ValueError:
        return None, None
    firmware = product = None
    section = ""
    # Python's own reader takes minutes for texts that are made for it.
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip().lower()
            continue
        key, *rest = _ASSIGNMENT.split(line, maxsplit=1)
        if not section or not rest:
            continue
        key, value = key.strip().lower(), rest[0].strip()
        if product is None and _PRODUCT.fullmatch(value):
            product = value
        if (
            firmware is None
            and section.startswith("firmw")
            and (key.startswith(("vers", "firmw")) or key.endswith("version"))
            and _VERSION.fullmatch(value)
        ):
            firmware = value
    return firmware, product


_ASSIGNMENT = re.compile("[=:]")
_PRODUCT = re.compile(r"IPAC[\w-]{0,28}", re.IGNORECASE | re.ASCII)
_VERSION = re.compile(r"[Vv]?\d{1,4}(\.\d{1,4}){1,3}[a-z]?", re.ASCII)


def _text(value: Any) -> str | None:
    """Return a text that may have come as a number."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _integer(value: Any) -> int | None:
    """Return an integer that may have come as text; the printed times are both."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value, re.ASCII):
        value = int(value)
    return value if isinstance(value, int) and abs(value) < 10**18 else None


# --- What an ASM server answers

INVALID_TOKEN = {"message": "invalid_token"}
# Spelt like this by the station's own server.
UNKNOWN_OBJECT_ID = {"message": "unkown_objectid"}
EVENT_RECORDED = {"message": "event_recorded"}
# Not written in the release note: what a server says that has nothing to ask for.
NOTHING_TO_DO = {"message": "notify_ok"}


def configuration_updated(object_id: str | None, now: int) -> dict[str, Any]:
    """Return the answer to settings; the printed one has a brace too many."""
    return {
        "message": "conf_updated",
        "request": "conf",
        "time": str(now),
        "objectid": object_id or "",
    }


def task_finished(task_id: int) -> dict[str, Any]:
    """Return the answer to the result of a task."""
    return {
        "code": "event_rl_finished",
        "task_id": task_id,
        "message": "event_rl_finalise",
    }


def open_task(
    task_id: int, *, token: Secret, object_id: str, relay: int, code: Secret, now: int
) -> dict[str, Any]:
    """Return the answer to a sign of life that has the station fire a relay."""
    return {
        "task_id": task_id,
        "token": token.reveal(),
        "objectid": object_id,
        "request": "remote",
        "type": "open",
        "relay": str(relay),
        "code": code.reveal(),
        "time": now,
    }
