"""What SenseLink's numbers mean in the words that all vendors speak."""

from collections.abc import Mapping
from datetime import datetime
import logging

from ...model import (
    Access,
    AccessEvent,
    Alert,
    AlertEvent,
    AlertStatus,
    Direction,
    Mask,
    Method,
    Reason,
)
from .protocol import (
    Abnormality,
    AlertKind,
    AlertLevel,
    AlertRecord,
    AlertState,
    EntryMode,
    MaskState,
    Passage,
    Record,
)

_LOGGER = logging.getLogger(__name__)

MAX_UNKNOWN = 64
"""Numbers without a meaning that are logged."""

_METHODS: Mapping[int, Method] = {
    EntryMode.FACE: Method.FACE,
    EntryMode.QR_CODE: Method.QR_CODE,
    EntryMode.CARD: Method.CARD,
    EntryMode.FACE_AND_CARD: Method.FACE_AND_CARD,
    EntryMode.ID_CARD: Method.ID_CARD,
    EntryMode.FACE_AND_ID_CARD: Method.FACE_AND_ID_CARD,
}

_REASONS: Mapping[int, Reason] = {
    Abnormality.ID_CARD_MISMATCH: Reason.ID_CARD_MISMATCH,
    Abnormality.CARD_MISMATCH: Reason.CARD_MISMATCH,
    Abnormality.CODE_MISMATCH: Reason.CODE_MISMATCH,
    Abnormality.VISITOR_EXPIRED: Reason.VISITOR_EXPIRED,
    Abnormality.OUTSIDE_HOURS: Reason.OUTSIDE_HOURS,
    Abnormality.INVALID_ID_CARD: Reason.INVALID_ID_CARD,
    Abnormality.INVALID_CARD: Reason.INVALID_CARD,
    Abnormality.INVALID_QR_CODE: Reason.INVALID_QR_CODE,
    Abnormality.ABNORMAL_TEMPERATURE: Reason.ABNORMAL_TEMPERATURE,
    Abnormality.NO_MASK: Reason.NO_MASK,
}

_DIRECTIONS: Mapping[int, Direction | None] = {
    0: None,
    Passage.IN: Direction.IN,
    Passage.OUT: Direction.OUT,
}

_MASKS: Mapping[int, Mask | None] = {
    MaskState.UNKNOWN: None,
    MaskState.NOT_WORN: Mask.NOT_WORN,
    MaskState.WORN: Mask.WORN,
}

_ALERTS: Mapping[int, AlertEvent] = {
    AlertKind.TAMPER: AlertEvent.TAMPER,
    AlertKind.DOOR_FORCED: AlertEvent.DOOR_FORCED,
    AlertKind.DOOR_HELD_OPEN: AlertEvent.DOOR_HELD_OPEN,
    AlertKind.PASSWORD_CRACKING: AlertEvent.PASSWORD_CRACKING,
    AlertKind.THERMAL_CAMERA_FAULT: AlertEvent.THERMAL_CAMERA_FAULT,
    AlertKind.CAMERA_DIRTY: AlertEvent.CAMERA_DIRTY,
    AlertKind.SPOOFING: AlertEvent.SPOOFING,
    AlertKind.FIRE: AlertEvent.FIRE,
    AlertKind.DEVICE_OFFLINE: AlertEvent.DEVICE_OFFLINE,
    AlertKind.FEATURE_EXTRACTION_ERROR: AlertEvent.FEATURE_EXTRACTION_ERROR,
}

_STATUSES: Mapping[int, AlertStatus] = {
    AlertState.ACTIVE: AlertStatus.ACTIVE,
    AlertState.RELEASING: AlertStatus.RELEASING,
    AlertState.RELEASED: AlertStatus.RELEASED,
}

_LEVELS: Mapping[int, str] = {
    AlertLevel.ALERT: "alert",
    AlertLevel.ABNORMALITY: "abnormality",
}


class Words:
    """Finds the words, and logs each number that has none, once."""

    def __init__(self) -> None:
        """Begin with nothing logged."""
        self._unknown: set[tuple[str, int]] = set()

    def access(self, record: Record, occurred_at: datetime) -> Access:
        """Return what a record says. A deny list counts like an abnormality."""
        reason = None
        if record.abnormality != Abnormality.NONE:
            reason = self._word(
                _REASONS, record.abnormality, "abnormalType", Reason.UNKNOWN
            )
        elif record.person_id is None and record.person is None:
            reason = Reason.UNRECOGNIZED
        elif record.denied:
            reason = Reason.UNKNOWN
        return Access(
            event_type=AccessEvent.GRANTED if reason is None else AccessEvent.DENIED,
            person=record.person,
            person_id=record.person_id,
            method=self._word(_METHODS, record.entry_mode, "entryMode", Method.UNKNOWN),
            reason=reason,
            direction=self._word(_DIRECTIONS, record.direction, "direction"),
            score=record.score,
            temperature=record.temperature,
            mask=self._word(_MASKS, record.mask, "mask"),
            groups=record.groups,
            record_id=None if record.id is None else str(record.id),
            occurred_at=occurred_at,
        )

    def alert(
        self, alert: AlertRecord, occurred_at: datetime, released_at: datetime | None
    ) -> Alert:
        """Return what an alert says."""
        kind = self._word(_ALERTS, alert.kind, "code", AlertEvent.UNKNOWN)
        return Alert(
            event_type=kind or AlertEvent.UNKNOWN,
            status=self._word(_STATUSES, alert.state, "status"),
            level=self._word(_LEVELS, alert.level, "level"),
            description=alert.description,
            alert_id=alert.key,
            occurred_at=occurred_at,
            released_at=released_at,
        )

    def _word[WordT](
        self,
        words: Mapping[int, WordT],
        number: int | None,
        field: str,
        unknown: WordT | None = None,
    ) -> WordT | None:
        """Return the word for a number, which may not have been sent."""
        if number is None:
            return None
        if number in words:
            return words[number]
        if (field, number) not in self._unknown and len(self._unknown) < MAX_UNKNOWN:
            self._unknown.add((field, number))
            _LOGGER.info(
                "SenseLink sends %s %s, which is not documented", field, number
            )
        return unknown
