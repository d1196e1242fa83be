"""Who came to the doors: read from the recorder, as event entities have told it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from homeassistant.components.event import EventEntityStateAttribute
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.history import state_changes_during_period
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .model import CallEvent
from .telling import Telling

# Of one entity no more states are read, and of all no more events are told.
MAX_STATES = 500
MAX_VISITS = 20

# What a door reports late, after it was cut off, still belongs to when it happened.
LATEST_REPORT = timedelta(days=1)

# A call that is answered later than this is another one.
ANSWER_WITHIN = timedelta(minutes=3)


class Period(StrEnum):
    """When somebody came; days are those of the instance's time zone."""

    HOUR = "hour"
    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "week"

    def span(self) -> tuple[datetime, datetime]:
        """Return the first moment that belongs to it, and the first that no longer does."""
        now = dt_util.now()
        today = dt_util.start_of_local_day()
        match self:
            case Period.HOUR:
                return now - timedelta(hours=1), now
            case Period.TODAY:
                return today, now
            case Period.YESTERDAY:
                # From noon, so that a day of 23 or 25 hours does not lead astray.
                noon = today - timedelta(hours=12)
                return dt_util.start_of_local_day(noon), today
            case Period.WEEK:
                return now - timedelta(days=7), now


@dataclass(frozen=True)
class Visit:
    """Something that an event entity has told."""

    entity_id: str
    event_type: str
    at: datetime
    attributes: dict[str, Any]
    telling: Telling
    answered: bool = False

    @property
    def sentence(self) -> str:
        """Return what happened."""
        return self.telling.sentence()

    @property
    def data(self) -> dict[str, Any]:
        """Return what a language model is told, with local time."""
        told = {
            "time": dt_util.as_local(self.at).isoformat(timespec="seconds"),
            "door": self.telling.device,
            "event": self.event_type,
            "person": self.telling.person,
            "text": self.sentence,
            **{key: self.attributes.get(key) for key in ("method", "reason")},
            "direction": self.attributes.get("direction"),
            "caller": self.attributes.get("caller"),
        }
        if self.event_type == CallEvent.RING:
            told["answered"] = self.answered
        return {key: value for key, value in told.items() if value is not None}


async def async_visits(
    hass: HomeAssistant,
    entities: Collection[State],
    period: Period,
    event_types: Collection[str],
    language: str,
) -> list[Visit]:
    """Return what event entities have told of a period, the oldest first.

    Without the recorder only the last event of each entity is known.

    Args:
        hass: Home Assistant.
        entities: the event entities, as they are now.
        period: when it happened.
        event_types: what is asked for.
        language: one whose texts are loaded.

    """
    start, end = period.span()
    visits: dict[tuple[Any, ...], Visit] = {}
    for entity in entities:
        registered = er.async_get(hass).async_get(entity.entity_id)
        told = list(_tellings(await _async_states(hass, entity, start, end)))
        for at, event_type, attributes in told:
            if event_type not in event_types or not start <= at <= end:
                continue
            visit = Visit(
                entity.entity_id,
                event_type,
                at,
                attributes,
                Telling(
                    hass,
                    {
                        **attributes,
                        ATTR_ENTITY_ID: entity.entity_id,
                        ATTR_DEVICE_ID: registered and registered.device_id,
                    },
                    language,
                ),
                _answered(at, told),
            )
            # Two entities may tell of one call: an account's and its unit's.
            caller, unit = attributes.get("caller"), attributes.get("unit")
            whose = (caller, unit) if unit else entity.entity_id
            visits.setdefault((at, event_type, whose), visit)
    return sorted(visits.values(), key=lambda visit: visit.at)


async def _async_states(
    hass: HomeAssistant, entity: State, start: datetime, end: datetime
) -> list[State]:
    """Return the states in which an entity told of a period."""
    states: list[State] = []
    if "recorder" in hass.config.components:
        found = await get_instance(hass).async_add_executor_job(
            lambda: state_changes_during_period(
                hass,
                dt_util.as_utc(start),
                dt_util.as_utc(min(end + LATEST_REPORT, dt_util.now())),
                entity.entity_id,
                descending=True,
                limit=MAX_STATES,
                include_start_time_state=False,
            )
        )
        states.extend(found.get(entity.entity_id, ()))
    # The newest may not have been written yet.
    return [*states, entity]


def _tellings(
    states: list[State],
) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
    """Yield when, which and what was told; once, though a restart writes it again."""
    seen: set[str] = set()
    for state in states:
        event_type = state.attributes.get(EventEntityStateAttribute.EVENT_TYPE)
        told_at = dt_util.parse_datetime(state.state)
        if event_type is None or told_at is None or state.state in seen:
            continue
        seen.add(state.state)
        occurred_at = dt_util.parse_datetime(state.attributes.get("occurred_at") or "")
        yield occurred_at or told_at, event_type, dict(state.attributes)


def _answered(at: datetime, told: list[tuple[datetime, str, dict[str, Any]]]) -> bool:
    """Tell whether a call was answered soon, and before the next one came."""
    later = sorted(
        (when, event_type)
        for when, event_type, _ in told
        if at < when <= at + ANSWER_WITHIN
        and event_type in (CallEvent.RING, CallEvent.ANSWERED)
    )
    return bool(later) and later[0][1] == CallEvent.ANSWERED
