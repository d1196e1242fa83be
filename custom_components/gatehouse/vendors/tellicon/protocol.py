"""Tellicon's events: JSON in, one message out.

Sources: B is the vendor's manual "Eventos que são enviados para o parceiro" of January
2024; A (earlier), C and D (later) are the other states of the manual in the vendor's
public repository. All four are understood, keys of different dialects in one body
included, for the manual itself mixes them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
import re
from typing import Any, NamedTuple

ENVELOPE = "eventTellicon"
TOKEN_LENGTH = 24

_MAX_TEXT = 64
"""Characters of a number, extension or command at most."""

# A plausible time lies in this century. In the manual's own example of dialect D the
# end of a call has eleven digits.
_EARLIEST = 946_684_800
_LATEST = 4_102_444_800

_WHOLE = re.compile(r"-?\d{1,20}", re.ASCII)

# What each field is called here, by its names in all dialects.
_NAMES = {
    "type": "type",
    "tipo": "type",
    "client": "client",
    "licenca": "client",
    "building": "building",
    "bloco": "building",
    "apt": "apt",
    "unidade": "apt",
    # In A to C the source is who acts: the panel that calls, but the resident who types.
    "src": "source",
    "dst": "destination",
    # D names the two by what they are.
    "ramal": "panel",
    "telefone": "resident",
    "eventDateTime": "time",
    "dateTime": "time",
    "dataHoraEvento": "time",
    "callDurationTime": "duration",
    "tempoConversa": "duration",
    "dtmfCommand": "command",
    "dtmfComando": "command",
}


class MalformedEventError(ValueError):
    """A body that is not one of Tellicon's events; the text says why, not what."""


class EventType(StrEnum):
    """The kinds of events."""

    PUSH_CALL = "pushCall"
    ANSWER_CALL = "answerCall"
    DTMF_COMMAND = "dtmfCommand"


_TYPES: Mapping[str, EventType] = {str(known): known for known in EventType}


class Event(NamedTuple):
    """One event; hashable, so that a repetition can be recognised."""

    type: EventType
    client: str
    building: str
    """"0" where the site has no buildings."""
    apt: str | None
    panel: str | None
    """Extension of the street panel, which placed the call."""
    resident: str | None
    """Telephone that was called, answered, or typed the command."""
    command: str | None
    duration: int | None
    """Seconds of conversation."""
    epoch: int | None
    """When it happened, in seconds since 1970."""

    @property
    def occurred_at(self) -> datetime | None:
        """Return when it happened."""
        return None if self.epoch is None else datetime.fromtimestamp(self.epoch, UTC)


def parse_event(body: Any) -> Event:
    """Read an event out of parsed JSON.

    Raises:
        MalformedEventError: it is of an unknown type, lacks what the type needs, or
            holds something that cannot be what it says.

    """
    if not isinstance(body, dict):
        raise MalformedEventError("not an object")
    given = body.get(ENVELOPE, body)
    if not isinstance(given, dict):
        raise MalformedEventError(f"{ENVELOPE} is not an object")
    fields = {
        name: value
        for key, value in given.items()
        if value is not None and (name := _NAMES.get(key)) is not None
    }
    kind = fields.get("type")
    event_type = _TYPES.get(kind) if isinstance(kind, str) else None
    if event_type is None:
        raise MalformedEventError("unknown type")
    client = _code(fields, "client")
    if client is None:
        raise MalformedEventError("client is missing")
    command = _text(fields, "command")
    source, destination = _text(fields, "source"), _text(fields, "destination")
    if event_type is EventType.DTMF_COMMAND:
        if command is None:
            raise MalformedEventError("command is missing")
        source, destination = destination, source
    return Event(
        type=event_type,
        client=client,
        # The manual of dialect A gives 0 the meaning "no building".
        building=_code(fields, "building") or "0",
        apt=_code(fields, "apt"),
        panel=_text(fields, "panel") or source,
        resident=_text(fields, "resident") or destination,
        command=command,
        duration=_duration(fields),
        epoch=_epoch(fields),
    )


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    """Return a field as text; numbers are written with and without quotes."""
    value = fields.get(name)
    # JSON has no other kinds of text and number, and its truth values are none.
    if value is None:
        return None
    if type(value) is int:
        text = str(value)
    elif type(value) is str:
        text = value.strip()
    else:
        raise MalformedEventError(f"{name} is neither text nor a whole number")
    if len(text) > _MAX_TEXT or not text.isprintable():
        raise MalformedEventError(f"{name} is too long or not printable")
    return text or None


def _code(fields: Mapping[str, Any], name: str) -> str | None:
    """Return a part of a unit's name, whose parts are told apart by slashes."""
    text = _text(fields, name)
    if text is not None and "/" in text:
        raise MalformedEventError(f"{name} holds a slash")
    return text


def _number(fields: Mapping[str, Any], name: str) -> int | None:
    """Return a whole number, which may be written as text."""
    value = fields.get(name)
    if value is None or type(value) is int:
        return value
    if (text := _text(fields, name)) is None:
        return None
    if not _WHOLE.fullmatch(text):
        raise MalformedEventError(f"{name} is not a whole number")
    return int(text)


def _duration(fields: Mapping[str, Any]) -> int | None:
    """Return the seconds of conversation."""
    duration = _number(fields, "duration")
    if duration is not None and not 0 <= duration <= 86_400:
        raise MalformedEventError("duration is not within a day")
    return duration


def _epoch(fields: Mapping[str, Any]) -> int | None:
    """Return when it happened. Answer and end times are not read: nobody needs them."""
    epoch = _number(fields, "time")
    if epoch is not None and not _EARLIEST <= epoch < _LATEST:
        raise MalformedEventError("the time of the event is not in this century")
    return epoch
