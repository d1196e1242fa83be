"""Puts what event entities tell into sentences, for the logbook and for Assist."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.event import (
    DOMAIN as EVENT_DOMAIN,
    EventEntityStateAttribute,
)
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.translation import async_get_cached_translations

from .const import DOMAIN
from .model import (
    AccessEvent,
    AlertEvent,
    AlertStatus,
    CallEvent,
    Direction,
    DtmfEvent,
    InventoryEvent,
    KeypadEvent,
    Method,
    Reason,
    StationEvent,
)

# The texts for each event, those first that tell most. The first one is taken of whose
# placeholders all are known.
_SENTENCES: Mapping[str, tuple[str, ...]] = {
    AccessEvent.GRANTED: (
        "let_in_by",
        "let_in",
        "somebody_let_in_by",
        "somebody_let_in",
    ),
    AccessEvent.DENIED: (
        "refused_because",
        "refused",
        "somebody_refused_because",
        "somebody_refused",
    ),
    **dict.fromkeys(AlertEvent, ("alert",)),
    CallEvent.RING: ("called_from", "called", "rung_from", "rung"),
    CallEvent.INCOMING: ("station_called_by", "station_called"),
    CallEvent.ANSWERED: (
        "answered_by_from",
        "answered_by",
        "answered_from",
        "answered",
    ),
    CallEvent.ENDED: ("call_ended_after", "call_ended"),
    DtmfEvent.RECEIVED: ("keys_pressed_by", "keys_pressed"),
    InventoryEvent.ADDED: ("device_added",),
    InventoryEvent.REMOVED: ("device_removed",),
    InventoryEvent.PROVISIONED: ("device_provisioned",),
    KeypadEvent.ENTERED: ("code_entered_by", "code_entered", "unnamed_code_entered"),
    StationEvent.RESTARTED: ("station_restarted",),
    StationEvent.STREAM_STARTED: ("stream_started",),
    StationEvent.STREAM_ENDED: ("stream_ended",),
}

# By what somebody was let in, as the sentences say it.
_METHODS: Mapping[str, str] = {
    Method.FACE: "by_face",
    Method.QR_CODE: "by_qr_code",
    Method.CARD: "by_card",
    Method.FACE_AND_CARD: "by_face_and_card",
    Method.ID_CARD: "by_id_card",
    Method.FACE_AND_ID_CARD: "by_face_and_id_card",
    Method.CODE: "by_code",
}

# Whose labels stand for themselves in a sentence, and on which channel they are said.
_LABELLED: Mapping[str, str] = {
    **dict.fromkeys(AccessEvent, "access"),
    **dict.fromkeys(AlertEvent, "alert"),
}


class Telling:
    """Puts one event into words."""

    def __init__(
        self, hass: HomeAssistant, data: Mapping[str, Any], language: str | None = None
    ) -> None:
        """Prepare to tell of an event.

        Args:
            hass: Home Assistant.
            data: what the event of the bus holds.
            language: one whose texts are loaded; that of the instance if None.

        """
        self._hass = hass
        self._language = language or hass.config.language
        self._data = data
        self._event_type: str = data[EventEntityStateAttribute.EVENT_TYPE]

    def sentence(self) -> str:
        """Return what happened."""
        facts = {key: fact for key, fact in self._facts().items() if fact is not None}
        for key in self._choices():
            if (sentence := self._text(key, facts)) is not None:
                return sentence
        # A new vendor may tell of something that there is no sentence for.
        return self._label(EventEntityStateAttribute.EVENT_TYPE) or self._event_type

    @property
    def device(self) -> str:
        """Return what the user calls the device, which may be gone by now."""
        device = dr.async_get(self._hass).async_get(self._data[ATTR_DEVICE_ID])
        name = None if device is None else device.name_by_user or device.name
        return name or "Gatehouse"

    def _choices(self) -> tuple[str, ...]:
        """Return the texts that fit, those first that tell most."""
        match self._data:
            case {"event_type": AccessEvent.GRANTED, "method": Method.REMOTE}:
                return ("opened_by", "opened")
            case {"event_type": AccessEvent.DENIED, "method": Method.REMOTE}:
                return ("not_opened_because", "not_opened")
            case {"event_type": AccessEvent.GRANTED, "direction": Direction.OUT}:
                return (
                    "let_out_by",
                    "let_out",
                    "somebody_let_out_by",
                    "somebody_let_out",
                )
            case {"status": AlertStatus.RELEASING}:
                return ("alert_ending",)
            case {"status": AlertStatus.RELEASED}:
                return ("alert_over",)
        return _SENTENCES.get(self._event_type, ())

    def _facts(self) -> Mapping[str, str | None]:
        """Return what placeholders stand for, None for what is not known."""
        told = self._data.get
        duration: float | None = told("duration")
        unit: str | None = told("unit")
        return {
            "alert": self._label(EventEntityStateAttribute.EVENT_TYPE),
            "called": told("callee")
            if unit is None
            else self._text("unit", {"unit": unit}),
            "caller": told("caller"),
            "code_name": told("code_name"),
            "command": told("command"),
            "device": told("name") or told("product") or told("hardware_id"),
            "door": self.device,
            "duration": None if duration is None else f"{duration:.0f}",
            "method": self._text(_METHODS.get(told("method", ""), ""), {}),
            "person": self.person,
            "reason": None
            if told("reason") == Reason.UNKNOWN
            else self._label("reason"),
        }

    @property
    def person(self) -> str | None:
        """Return who it was: as Home Assistant knows them, or as the vendor does."""
        entity_id = self._data.get("person_entity")
        if entity_id and (state := self._hass.states.get(entity_id)) is not None:
            return state.name
        return self._data.get("person") or self._data.get("person_id")

    def _label(self, attribute: str) -> str | None:
        """Return what the entity shows of one of its attributes."""
        value: str | None = self._data.get(attribute)
        if value is None:
            return None
        # It may be gone, or have another id by now.
        entity = er.async_get(self._hass).async_get(self._data[ATTR_ENTITY_ID])
        channel = (
            _LABELLED.get(self._event_type)
            if entity is None
            else entity.translation_key
        )
        texts = async_get_cached_translations(
            self._hass, self._language, "entity", DOMAIN
        )
        key = f"{EVENT_DOMAIN}.{channel}.state_attributes.{attribute}"
        return texts.get(f"component.{DOMAIN}.entity.{key}.state.{value}", value)

    def _text(self, key: str, facts: Mapping[str, str]) -> str | None:
        """Return a text; None if there is none, or not all that it tells is known."""
        texts = async_get_cached_translations(
            self._hass, self._language, "common", DOMAIN
        )
        try:
            return texts[f"component.{DOMAIN}.common.logbook_{key}"].format_map(facts)
        except KeyError:
            return None
