"""The words that all vendors speak: what happened, and how a door stands.

Times are aware `datetime`s in UTC. A field that the source did not give is None. The
names of event types and attributes are what users build their automations on.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from homeassistant.core import Context


class Word(Protocol):
    """Something that happened, in the form in which an event entity tells it."""

    @property
    def event_type(self) -> str:
        """Return one of the event types of the entity's description."""

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the event's attributes, JSON-serialisable."""


class CallEvent(StrEnum):
    """What can happen to a call from a door."""

    RING = "ring"
    INCOMING = "incoming"
    """Somebody calls the door."""
    ANSWERED = "answered"
    ENDED = "ended"


class Call(NamedTuple):
    """A call between a door and somebody inside."""

    event_type: CallEvent
    caller: str | None = None
    callee: str | None = None
    unit: str | None = None
    duration: float | None = None
    """Seconds of conversation; of the whole call, where nobody tells when it began."""
    occurred_at: datetime | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the event's attributes, JSON-serialisable."""
        return {
            "caller": self.caller,
            "callee": self.callee,
            "unit": self.unit,
            "duration": self.duration,
            "occurred_at": _iso(self.occurred_at),
        }


class DtmfEvent(StrEnum):
    """What can happen on a telephone's keypad during a call."""

    RECEIVED = "dtmf_received"


class Dtmf(NamedTuple):
    """Keys pressed on a telephone during a call; caller and callee are the call's."""

    command: str
    caller: str | None = None
    callee: str | None = None
    unit: str | None = None
    occurred_at: datetime | None = None

    @property
    def event_type(self) -> DtmfEvent:
        """Return the only type there is."""
        return DtmfEvent.RECEIVED

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the event's attributes, JSON-serialisable."""
        return {
            "command": self.command,
            "caller": self.caller,
            "callee": self.callee,
            "unit": self.unit,
            "occurred_at": _iso(self.occurred_at),
        }


class AccessEvent(StrEnum):
    """Whether somebody was let in."""

    GRANTED = "access_granted"
    DENIED = "access_denied"


class Method(StrEnum):
    """By what somebody asked to be let in."""

    FACE = "face"
    QR_CODE = "qr_code"
    CARD = "card"
    FACE_AND_CARD = "face_and_card"
    ID_CARD = "id_card"
    FACE_AND_ID_CARD = "face_and_id_card"
    CODE = "code"
    REMOTE = "remote"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why somebody was not let in."""

    WRONG_CODE = "wrong_code"
    OUTSIDE_HOURS = "outside_hours"
    LOCKED_OUT = "locked_out"
    BUSY = "busy"
    BAD_REQUEST = "bad_request"
    ID_CARD_MISMATCH = "id_card_mismatch"
    CARD_MISMATCH = "card_mismatch"
    CODE_MISMATCH = "code_mismatch"
    VISITOR_EXPIRED = "visitor_expired"
    INVALID_ID_CARD = "invalid_id_card"
    INVALID_CARD = "invalid_card"
    INVALID_QR_CODE = "invalid_qr_code"
    ABNORMAL_TEMPERATURE = "abnormal_temperature"
    NO_MASK = "no_mask"
    UNRECOGNIZED = "unrecognized"
    UNKNOWN = "unknown"


class Direction(StrEnum):
    """Which way somebody went."""

    IN = "in"
    OUT = "out"


class Mask(StrEnum):
    """Whether somebody wore a mask."""

    WORN = "worn"
    NOT_WORN = "not_worn"


class Access(NamedTuple):
    """Somebody asked to be let in, and was or was not."""

    event_type: AccessEvent
    person: str | None = None
    person_id: str | None = None
    method: Method | None = None
    reason: Reason | None = None
    direction: Direction | None = None
    score: float | None = None
    """How sure the terminal is of the face, from 0 to 1."""
    temperature: float | None = None
    """Of the body, in degrees Celsius."""
    mask: Mask | None = None
    groups: tuple[str, ...] | None = None
    record_id: str | None = None
    occurred_at: datetime | None = None
    person_entity: str | None = None
    """The person in Home Assistant, where the user has said who it is."""
    context: Context | None = None
    """Of the action that has asked for it, where that was one of Home Assistant."""

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the event's attributes, JSON-serialisable."""
        return {
            "person": self.person,
            "person_id": self.person_id,
            "person_entity": self.person_entity,
            "method": self.method,
            "reason": self.reason,
            "direction": self.direction,
            "score": self.score,
            "temperature": self.temperature,
            "mask": self.mask,
            "groups": None if self.groups is None else list(self.groups),
            "record_id": self.record_id,
            "occurred_at": _iso(self.occurred_at),
        }


class KeypadEvent(StrEnum):
    """What can happen at a door's keypad."""

    ENTERED = "code_entered"


class Keypad(NamedTuple):
    """A code typed at a door. Its digits go no further than the vendor's hub."""

    known: bool
    """Whether the code has a name in Gatehouse; the door may know more codes."""
    code_name: str | None = None
    occurred_at: datetime | None = None
    person_entity: str | None = None
    """The person in Home Assistant, where the user has said whose code it is."""

    @property
    def event_type(self) -> KeypadEvent:
        """Return the only type there is."""
        return KeypadEvent.ENTERED

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the event's attributes, JSON-serialisable."""
        return {
            "code_name": self.code_name,
            "known": self.known,
            "person_entity": self.person_entity,
            "occurred_at": _iso(self.occurred_at),
        }


class StationEvent(StrEnum):
    """What can happen to a door station itself."""

    RESTARTED = "restarted"
    STREAM_STARTED = "stream_started"
    STREAM_ENDED = "stream_ended"


class Station(NamedTuple):
    """Something that a door station tells of itself."""

    event_type: StationEvent
    detail: str | None = None
    occurred_at: datetime | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the event's attributes, JSON-serialisable."""
        return {"detail": self.detail, "occurred_at": _iso(self.occurred_at)}


class AlertEvent(StrEnum):
    """What a terminal can raise the alarm about."""

    TAMPER = "tamper"
    DOOR_FORCED = "door_forced"
    DOOR_HELD_OPEN = "door_held_open"
    PASSWORD_CRACKING = "password_cracking"
    THERMAL_CAMERA_FAULT = "thermal_camera_fault"
    CAMERA_DIRTY = "camera_dirty"
    SPOOFING = "spoofing"
    FIRE = "fire"
    DEVICE_OFFLINE = "device_offline"
    FEATURE_EXTRACTION_ERROR = "feature_extraction_error"
    UNKNOWN = "unknown_alert"


class AlertStatus(StrEnum):
    """How an alert stands."""

    ACTIVE = "active"
    RELEASING = "releasing"
    RELEASED = "released"


class Alert(NamedTuple):
    """A terminal raised the alarm, or took it back."""

    event_type: AlertEvent
    status: AlertStatus | None = None
    level: str | None = None
    description: str | None = None
    alert_id: str | None = None
    occurred_at: datetime | None = None
    released_at: datetime | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the event's attributes, JSON-serialisable."""
        return {
            "status": self.status,
            "level": self.level,
            "description": self.description,
            "alert_id": self.alert_id,
            "occurred_at": _iso(self.occurred_at),
            "released_at": _iso(self.released_at),
        }


class InventoryEvent(StrEnum):
    """What can happen to the list of a service's devices."""

    ADDED = "device_added"
    REMOVED = "device_removed"
    PROVISIONED = "device_provisioned"


class Inventory(NamedTuple):
    """A device came to a service, or left it."""

    event_type: InventoryEvent
    hardware_id: str | None = None
    name: str | None = None
    product: str | None = None
    device_type: str | None = None
    code_used: str | None = None
    """The provisioning code that brought it, which is spent with that."""

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the event's attributes, JSON-serialisable."""
        return {
            "hardware_id": self.hardware_id,
            "name": self.name,
            "product": self.product,
            "device_type": self.device_type,
            "code_used": self.code_used,
        }


CHANGED_BY = "changed_by"
"""The channel that tells who has moved the bolt of a device last; None is unknown."""


class BoltState(StrEnum):
    """How a lock stands, or what it is doing; a state not known is None."""

    LOCKED = "locked"
    LOCKING = "locking"
    UNLOCKED = "unlocked"
    UNLOCKING = "unlocking"


def _iso(moment: datetime | None) -> str | None:
    """Return ISO 8601, or None for a time that is not known."""
    return None if moment is None else moment.isoformat()
