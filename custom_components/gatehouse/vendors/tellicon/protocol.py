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

# The whole numbers, and between what they lie. A plausible time lies in this century: in
# the manual's own example of dialect D the end of a call has eleven digits.
_BOUNDS: Mapping[str, tuple[int, int]] = {
    "time": (946_684_800, 4_102_444_799),
    "duration": (0, 86_400),
}

# The parts of a unit's name, which are told apart by slashes.
_CODES = frozenset({"client", "building", "apt"})

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


_TYPES: Mapping[str | None, EventType] = {str(known): known for known in EventType}


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
    fields = _read_fields(given)
    event_type = _TYPES.get(fields.get("type"))
    if event_type is None:
        raise MalformedEventError("unknown type")
    if "client" not in fields:
        raise MalformedEventError("client is missing")
    source, destination = fields.get("source"), fields.get("destination")
    if event_type is EventType.DTMF_COMMAND:
        if "command" not in fields:
            raise MalformedEventError("command is missing")
        source, destination = destination, source
    return Event(
        type=event_type,
        client=fields["client"],
        # The manual of dialect A gives 0 the meaning "no building".
        building=fields.get("building", "0"),
        apt=fields.get("apt"),
        panel=fields.get("panel", source),
        resident=fields.get("resident", destination),
        command=fields.get("command"),
        duration=fields.get("duration"),
        # Answer and end times are not read: nobody needs them.
        epoch=fields.get("time"),
    )


def _read_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that hold something, as texts and whole numbers.

    All are read in one go: somebody stands at the door.
    """
    fields: dict[str, Any] = {}
    for key, value in given.items():
        if value is None or (name := _NAMES.get(key)) is None:
            continue
        # Numbers are written with and without quotes. JSON has no other kinds of text
        # and number, and its truth values are none.
        if type(value) is str:
            value = value.strip()
            if not value:
                continue
            if len(value) > _MAX_TEXT or not value.isprintable():
                raise MalformedEventError(f"{name} is too long or not printable")
            if "/" in value and name in _CODES:
                raise MalformedEventError(f"{name} holds a slash")
        elif type(value) is not int:
            raise MalformedEventError(f"{name} is neither text nor a whole number")
        if name not in _BOUNDS:
            fields[name] = str(value)
        elif (number := _number(name, value)) is not None:
            fields[name] = number
    return fields


def _number(name: str, value: str | int) -> int | None:
    """Return a whole number within its bounds, which may be written as text.

    An absurd time counts as not given: somebody rings nevertheless.
    """
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise MalformedEventError(f"{name} is not a whole number")
        value = int(value)
    least, most = _BOUNDS[name]
    if not least <= value <= most:
        if name == "time":
            return None
        raise MalformedEventError(f"{name} is not between {least} and {most}")
    return value
