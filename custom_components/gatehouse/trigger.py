"""Triggers of automations: what happens at a door, whoever made it."""

from collections import deque
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, ClassVar, override

import voluptuous as vol

from homeassistant.components.event import (
    DOMAIN as EVENT_DOMAIN,
    EventEntityStateAttribute,
)
from homeassistant.const import CONF_OPTIONS
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.trigger import (
    ENTITY_STATE_TRIGGER_SCHEMA,
    NotTriggeredReasonReporter,
    StatelessEntityTriggerBase,
    Trigger,
    TriggerConfig,
)

from .const import DOMAIN
from .model import (
    AccessEvent,
    AlertEvent,
    AlertStatus,
    CallEvent,
    DtmfEvent,
    KeypadEvent,
    Method,
    Reason,
)
from .people import plain

_DOMAIN_SPECS = {EVENT_DOMAIN: DomainSpec()}
_EVENT_TYPE = EventEntityStateAttribute.EVENT_TYPE

# What an option is compared with, where that is not the attribute of the same name.
_COMPARED: Mapping[str, tuple[str, ...]] = {
    "alert": (_EVENT_TYPE,),
    "person": ("person", "person_id", "person_entity"),
}

# What two entities say alike that tell the same event.
_ALIKE = (
    _EVENT_TYPE,
    "caller",
    "callee",
    "unit",
    "command",
    "duration",
    "occurred_at",
)

REMEMBERED_EVENTS = 32


def _some(of: Any) -> Any:
    """Return what takes one or more values; none at all would let everything pass."""
    return vol.All(cv.ensure_list, vol.Length(min=1), [of])


def _one_of(words: type[StrEnum]) -> Any:
    return _some(vol.In([str(word) for word in words]))


_TEXTS = _some(vol.All(cv.string, vol.Strip, vol.Length(min=1)))


class EventTrigger(StatelessEntityTriggerBase):
    """Triggers when event entities of Gatehouse tell certain events."""

    _domain_specs = _DOMAIN_SPECS

    _tells: ClassVar[Mapping[str, Collection[str]]]
    """Attributes of these events, each with the values that it may have."""

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take the options, each of which narrows the events down."""
        super().__init__(hass, config)
        self._wanted = {
            _COMPARED.get(name, (name,)): {plain(value) for value in values}
            for name, values in self._options.items()
        }
        self._told: deque[tuple[str, list[Any]]] = deque(maxlen=REMEMBERED_EVENTS)

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Leave out the event entities of other integrations."""
        registry = er.async_get(self._hass)
        return {
            entity_id
            for entity_id in super().entity_filter(entities)
            if (entry := registry.async_get(entity_id)) and entry.platform == DOMAIN
        }

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        """Tell whether an entity shows such an event, and all options fit it."""
        attributes = state.attributes
        return all(
            attributes.get(name) in values for name, values in self._tells.items()
        ) and all(
            any(
                plain(str(value)) in wanted
                for name in names
                if (value := attributes.get(name)) is not None
            )
            for names, wanted in self._wanted.items()
        )

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Tell whether an event is new, and not that of another entity once more."""
        return super().is_valid_transition(from_state, to_state) and not self._is_echo(
            to_state
        )

    def _is_echo(self, state: State) -> bool:
        """Tell whether another entity has told this event already.

        The event of a unit is told on its account, too. Who targets the area of both
        has one visitor nevertheless, and a door that must not open twice.
        """
        if state.attributes.get("unit") is None:
            return False
        event = [state.attributes.get(name) for name in _ALIKE]
        if any(
            entity_id != state.entity_id and told == event
            for entity_id, told in self._told
        ):
            return True
        self._told.append((state.entity_id, event))
        return False


def _make_trigger(
    tells: Mapping[str, Collection[str]], **options: Any
) -> type[EventTrigger]:
    """Return a trigger for certain events, with options that narrow them down."""

    class CustomTrigger(EventTrigger):
        """Trigger for certain events."""

        _tells = tells
        _schema = ENTITY_STATE_TRIGGER_SCHEMA.extend(
            {
                vol.Required(CONF_OPTIONS, default={}): {
                    vol.Optional(name): values for name, values in options.items()
                }
            }
        )

    return CustomTrigger


TRIGGERS: dict[str, type[Trigger]] = {
    "access_denied": _make_trigger(
        {_EVENT_TYPE: [AccessEvent.DENIED]},
        person=_TEXTS,
        method=_one_of(Method),
        reason=_one_of(Reason),
    ),
    "access_granted": _make_trigger(
        {_EVENT_TYPE: [AccessEvent.GRANTED]}, person=_TEXTS, method=_one_of(Method)
    ),
    "alert_raised": _make_trigger(
        {_EVENT_TYPE: list(AlertEvent), "status": [AlertStatus.ACTIVE]},
        alert=_one_of(AlertEvent),
    ),
    "call_answered": _make_trigger({_EVENT_TYPE: [CallEvent.ANSWERED]}),
    "call_ended": _make_trigger({_EVENT_TYPE: [CallEvent.ENDED]}),
    "code_entered": _make_trigger(
        {_EVENT_TYPE: [KeypadEvent.ENTERED]}, code_name=_TEXTS
    ),
    "dtmf_received": _make_trigger({_EVENT_TYPE: [DtmfEvent.RECEIVED]}, command=_TEXTS),
    "visitor_called": _make_trigger({_EVENT_TYPE: [CallEvent.RING]}),
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers of Gatehouse."""
    return TRIGGERS
