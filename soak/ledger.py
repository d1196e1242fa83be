"""What was taken and what was seen of it; what was ordered and what opened."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from demo.home_assistant import Change

_NOTHING = {"unavailable", "unknown"}


@dataclass(frozen=True, slots=True)
class Expected:
    """An event that Home Assistant has accepted, and must tell exactly once."""

    vendor: str
    entity_id: str
    marker: str
    """A value that no other event of the entity has."""
    attributes: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Account:
    """What became of a vendor's events."""

    accepted: int
    lost: tuple[Expected, ...]
    doubled: tuple[Expected, ...]

    @property
    def balanced(self) -> bool:
        """Tell whether each was told exactly once."""
        return not self.lost and not self.doubled


class Outcome(StrEnum):
    """What whoever ordered something was told."""

    DONE = "done"
    FAILED = "failed"
    """Refused, or nobody knows."""


@dataclass(frozen=True, slots=True)
class Order:
    """A door that was to move."""

    door: str
    outcome: Outcome
    moved: int
    """How often the simulated door was moved by it."""

    @property
    def wrong(self) -> bool:
        """Tell whether it moved the door twice, or did not although that was said."""
        return self.moved > 1 or (self.outcome is Outcome.DONE and self.moved != 1)


class Ledger:
    """Notes of what came and went."""

    def __init__(self) -> None:
        """Begin empty."""
        self.expected: list[Expected] = []
        self.orders: list[Order] = []
        self.sent: Counter[str] = Counter()
        """Events by vendor, also those that nobody had to take."""
        self.refused: Counter[str] = Counter()
        """Bad input by vendor that was turned away as it should be."""

    def accept(
        self, vendor: str, entity_id: str, marker: str, **attributes: Any
    ) -> None:
        """Note an event that Home Assistant has accepted."""
        self.expected.append(Expected(vendor, entity_id, marker, attributes))

    def accounts(self, changes: Iterable[Change]) -> dict[str, Account]:
        """Return by vendor what became of the events."""
        seen = told_by_marker(changes, {one.marker for one in self.expected})
        expected: dict[str, list[Expected]] = defaultdict(list)
        for one in self.expected:
            expected[one.vendor].append(one)

        def times(one: Expected) -> int:
            return sum(
                one.attributes.items() <= attributes.items()
                for attributes in seen[one.entity_id, one.marker]
            )

        return {
            vendor: Account(
                len(some),
                tuple(one for one in some if times(one) == 0),
                tuple(one for one in some if times(one) > 1),
            )
            for vendor, some in expected.items()
        }


def told_by_marker(
    changes: Iterable[Change], markers: set[str]
) -> defaultdict[tuple[str, str], list[Mapping[str, Any]]]:
    """Return the attributes of events by entity and marker, once for each telling.

    An entity that was unavailable shows its last event again, with the same time.
    """
    told: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    shown: set[tuple[str, str, str]] = set()
    for change in changes:
        if change.state in _NOTHING or "event_type" not in change.attributes:
            continue
        for value in change.attributes.values():
            if not isinstance(value, str) or value not in markers:
                continue
            key = (change.entity_id, change.state, value)
            if key not in shown:
                shown.add(key)
                told[change.entity_id, value].append(change.attributes)
    return told
