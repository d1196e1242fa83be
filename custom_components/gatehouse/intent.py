"""What Assist can be asked: who came, who rang, which doors there are, and to open one.

Home Assistant's own agent recognizes these by the sentences under `custom_sentences`;
language models are given them as tools, see `llm.py`.
"""

from collections.abc import Mapping
from typing import Any, override

import voluptuous as vol

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers import (
    area_registry as ar,
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
    intent,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .model import AccessEvent, CallEvent
from .opening import CannotOpenError, ask, async_confirm, async_doors
from .places import async_may, at, is_placed
from .visits import MAX_VISITS, Period, Visit, async_visits

INTENT_GET_ACCESS = "GatehouseGetAccess"
INTENT_GET_RINGS = "GatehouseGetRings"
INTENT_GET_DOORS = "GatehouseGetDoors"
INTENT_OPEN_DOOR = "GatehouseOpenDoor"
INTENT_CONFIRM_OPENING = "GatehouseConfirmOpening"

MAX_DOORS = 50

_DOOR: dict[Any, Any] = {
    vol.Optional("name", description="Name of the door"): intent.non_empty_string
}
_PLACE: dict[Any, Any] = {
    **_DOOR,
    vol.Optional("area", description="Area of the door"): intent.non_empty_string,
    vol.Optional("floor", description="Floor of the door"): intent.non_empty_string,
}
_PERIOD: dict[Any, Any] = {
    vol.Optional("period", description="When; today unless said otherwise"): vol.In(
        [str(period) for period in Period]
    )
}


async def async_setup_intents(hass: HomeAssistant) -> None:
    """Register the intents of Gatehouse."""
    for handler in (
        GetAccessHandler(),
        GetRingsHandler(),
        GetDoorsHandler(),
        OpenDoorHandler(),
        ConfirmOpeningHandler(),
    ):
        intent.async_register(hass, handler)


class _Handler(intent.IntentHandler):
    """Answers in a sentence, and with data for language models."""

    @override
    async def async_handle(self, intent_obj: intent.Intent) -> intent.IntentResponse:
        """Handle the intent."""
        slots = {
            key: slot["value"]
            for key, slot in self.async_validate_slots(intent_obj.slots).items()
            if slot["value"]
        }
        hass, language = intent_obj.hass, intent_obj.language
        # What happened is told with the texts of the entities, too.
        await async_get_translations(hass, language, "entity", {DOMAIN})
        texts = await async_get_translations(hass, language, "common", {DOMAIN})
        return await self._async_answer(intent_obj, slots, _Answer(intent_obj, texts))

    async def _async_answer(
        self, request: intent.Intent, slots: dict[str, str], answer: _Answer
    ) -> intent.IntentResponse:
        """Answer the request."""
        raise NotImplementedError


class _Answer:
    """Makes responses in the language of the request."""

    def __init__(self, request: intent.Intent, texts: Mapping[str, str]) -> None:
        self._request = request
        self._texts = texts

    def text(self, key: str, **facts: str) -> str:
        """Return a sentence."""
        return self._texts[f"component.{DOMAIN}.common.assist_{key}"].format_map(facts)

    def told(self, speech: str, **data: Any) -> intent.IntentResponse:
        """Return the answer to a question."""
        response = self._request.create_response()
        response.response_type = intent.IntentResponseType.QUERY_ANSWER
        response.async_set_speech(speech)
        response.async_set_speech_slots(data)
        return response

    def done(self, speech: str, door: State) -> intent.IntentResponse:
        """Return that a door was opened."""
        response = self._request.create_response()
        response.async_set_speech(speech)
        response.async_set_results(
            [
                intent.IntentResponseTarget(
                    name=door.name,
                    type=intent.IntentResponseTargetType.ENTITY,
                    id=door.entity_id,
                )
            ]
        )
        return response

    def refused(
        self,
        speech: str,
        code: intent.IntentResponseErrorCode = (
            intent.IntentResponseErrorCode.NO_VALID_TARGETS
        ),
    ) -> intent.IntentResponse:
        """Return that a request is not met."""
        response = self._request.create_response()
        response.async_set_error(code, speech)
        return response


class _VisitsHandler(_Handler):
    """Tells what event entities on one channel have told."""

    channel: str
    nobody: str

    @override
    async def _async_answer(
        self, request: intent.Intent, slots: dict[str, str], answer: _Answer
    ) -> intent.IntentResponse:
        hass = request.hass
        entities = await self._async_entities(request)
        if not entities:
            return answer.refused(answer.text("nothing_exposed"))
        if is_placed(slots) and not (entities := at(hass, slots, entities)):
            return answer.refused(answer.text("no_such_door"))
        period = Period(slots.get("period", Period.TODAY))
        visits = self._choose(
            slots,
            await async_visits(
                hass, entities, period, self._event_types(slots), request.language
            ),
        )
        shown = visits[-MAX_VISITS:]
        when = answer.text(f"period_{period}")
        if not shown:
            speech = answer.text(self.nobody, period=when)
        else:
            speech = " ".join(_line(answer, period, visit) for visit in shown)
            if len(shown) < len(visits):
                speech = " ".join(
                    (
                        answer.text(
                            "last_ones", shown=str(len(shown)), all=str(len(visits))
                        ),
                        speech,
                    )
                )
        return answer.told(
            speech, events=[visit.data for visit in shown], found=len(visits)
        )

    async def _async_entities(self, request: intent.Intent) -> list[State]:
        """Return the entities that who asks may hear of."""
        return [
            state
            for entity in er.async_get(request.hass).entities.values()
            if entity.platform == DOMAIN
            and entity.domain == EVENT_DOMAIN
            and entity.translation_key == self.channel
            and (state := request.hass.states.get(entity.entity_id)) is not None
            and await async_may(request.hass, request, entity.entity_id, POLICY_READ)
        ]

    def _event_types(self, slots: Mapping[str, str]) -> tuple[str, ...]:
        """Return which events are asked for."""
        raise NotImplementedError

    def _choose(self, slots: Mapping[str, str], visits: list[Visit]) -> list[Visit]:
        """Return those that are asked for."""
        raise NotImplementedError


class GetAccessHandler(_VisitsHandler):
    """Tells who came in, or was refused."""

    intent_type = INTENT_GET_ACCESS
    description = "Tells who was let in at the doors, or refused, and when"
    channel = "access"
    nobody = "nobody_came"

    @property
    @override
    def slot_schema(self) -> dict[Any, Any]:
        """Return what can be said."""
        return {
            **_PLACE,
            **_PERIOD,
            vol.Optional("person", description="Name of a person"): (
                intent.non_empty_string
            ),
            vol.Optional(
                "result", description="Whether they were let in or refused"
            ): vol.In(["granted", "denied", "any"]),
        }

    @override
    def _event_types(self, slots: Mapping[str, str]) -> tuple[str, ...]:
        match slots.get("result"):
            case "denied":
                return (AccessEvent.DENIED,)
            case "any":
                return tuple(AccessEvent)
        return (AccessEvent.GRANTED,)

    @override
    def _choose(self, slots: Mapping[str, str], visits: list[Visit]) -> list[Visit]:
        wanted = slots.get("person", "").strip().casefold()
        return [
            visit
            for visit in visits
            if wanted in (visit.telling.person or "").casefold()
        ]


class GetRingsHandler(_VisitsHandler):
    """Tells who rang, and whether anybody answered."""

    intent_type = INTENT_GET_RINGS
    description = "Tells when the doorbells were rung, and which visitors were missed"
    channel = "doorbell"
    nobody = "nobody_rang"

    @property
    @override
    def slot_schema(self) -> dict[Any, Any]:
        """Return what can be said."""
        return {
            **_PLACE,
            **_PERIOD,
            vol.Optional("missed", description="true for missed visitors only"): (
                cv.boolean
            ),
        }

    @override
    def _event_types(self, slots: Mapping[str, str]) -> tuple[str, ...]:
        return (CallEvent.RING,)

    @override
    def _choose(self, slots: Mapping[str, str], visits: list[Visit]) -> list[Visit]:
        return [
            visit for visit in visits if not (slots.get("missed") and visit.answered)
        ]


class GetDoorsHandler(_Handler):
    """Tells how the doors stand."""

    intent_type = INTENT_GET_DOORS
    description = "Tells which doors can be opened, and how they stand"

    @override
    async def _async_answer(
        self, request: intent.Intent, slots: dict[str, str], answer: _Answer
    ) -> intent.IntentResponse:
        hass = request.hass
        doors = await async_doors(hass, request)
        if not doors:
            return answer.refused(answer.text("no_door"))
        return answer.told(
            answer.text("doors", doors=_names(doors)),
            doors=[
                {
                    "name": door.name,
                    "area": _area(hass, door.entity_id),
                    "state": door.state,
                }
                for door in doors[:MAX_DOORS]
            ],
        )


class OpenDoorHandler(_Handler):
    """Asks back whether to open a door."""

    intent_type = INTENT_OPEN_DOOR
    description = "First step of opening a door: asks the user to confirm. Opens nothing by itself"
    slot_schema = _PLACE

    @override
    async def _async_answer(
        self, request: intent.Intent, slots: dict[str, str], answer: _Answer
    ) -> intent.IntentResponse:
        doors = await async_doors(request.hass, request)
        if not doors:
            return answer.refused(answer.text("no_door"))
        if not (doors := at(request.hass, slots, doors)):
            return answer.refused(answer.text("no_such_door"))
        if len(doors) > 1:
            return answer.told(
                answer.text("which_door", doors=_names(doors)),
                doors=[door.name for door in doors[:MAX_DOORS]],
            )
        (door,) = doors
        try:
            ask(request.hass, request, door)
        except CannotOpenError as err:
            return answer.refused(answer.text(err.key, **err.facts))
        return answer.told(answer.text("confirm", door=door.name), confirm=door.name)


class ConfirmOpeningHandler(_Handler):
    """Opens the door that the user was asked about."""

    intent_type = INTENT_CONFIRM_OPENING
    description = (
        "Second step of opening a door: opens it after the user has agreed in a new "
        "message"
    )
    slot_schema = _DOOR

    @override
    async def _async_answer(
        self, request: intent.Intent, slots: dict[str, str], answer: _Answer
    ) -> intent.IntentResponse:
        try:
            door = await async_confirm(request.hass, request, slots.get("name"))
        except CannotOpenError as err:
            return answer.refused(answer.text(err.key, **err.facts))
        except Unauthorized:
            return answer.refused(answer.text("no_door"))
        except HomeAssistantError as err:
            return answer.refused(
                answer.text("not_opened", reason=str(err)),
                intent.IntentResponseErrorCode.FAILED_TO_HANDLE,
            )
        return answer.done(answer.text("opened", door=door.name), door)


def _line(answer: _Answer, period: Period, visit: Visit) -> str:
    """Return when, where and what."""
    at = dt_util.as_local(visit.at)
    long = period is Period.WEEK
    return answer.text(
        "line",
        time=f"{at:%Y-%m-%d %H:%M}" if long else f"{at:%H:%M}",
        door=visit.telling.device,
        sentence=visit.sentence,
    )


def _names(doors: list[State]) -> str:
    """Return the names of doors."""
    return ", ".join(sorted(door.name for door in doors[:MAX_DOORS]))


def _area(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return the name of the area of an entity, which may be that of its device."""
    entity = er.async_get(hass).async_get(entity_id)
    if entity is None:
        return None
    area_id = entity.area_id
    if area_id is None and entity.device_id is not None:
        device = dr.async_get(hass).async_get(entity.device_id)
        area_id = None if device is None else device.area_id
    area = ar.async_get(hass).async_get_area(area_id) if area_id else None
    return None if area is None else area.name
