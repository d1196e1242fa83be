"""The words that all vendors speak: what happened, and how a door stands.

Times are aware `datetime`s in UTC. A field that the source did not give is None. The
names of event types and attributes are what users build their automations on.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol


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
    ANSWERED = "answered"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call between a door and somebody inside."""

    event_type: CallEvent
    caller: str | None = None
    callee: str | None = None
    unit: str | None = None
    duration: float | None = None
    """Seconds of conversation."""
    occurred_at: datetime | None = None

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Return the event's attributes, the same object to all who are told."""
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


@dataclass(frozen=True, kw_only=True)
class Dtmf:
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

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Return the event's attributes, the same object to all who are told."""
        return {
            "command": self.command,
            "caller": self.caller,
            "callee": self.callee,
            "unit": self.unit,
            "occurred_at": _iso(self.occurred_at),
        }


class BoltState(StrEnum):
    """How a lock stands, or what it is doing; a state not known is None."""

    LOCKED = "locked"
    LOCKING = "locking"
    UNLOCKED = "unlocked"
    UNLOCKING = "unlocking"


def _iso(moment: datetime | None) -> str | None:
    """Return ISO 8601, or None for a time that is not known."""
    return None if moment is None else moment.isoformat()
