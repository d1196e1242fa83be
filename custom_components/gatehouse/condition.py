"""Conditions of automations."""

from typing import override

from homeassistant.components.binary_sensor import DOMAIN as BINARY_SENSOR_DOMAIN
from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import Condition, EntityStateConditionBase

from .const import DOMAIN

_DOMAIN_SPECS = {BINARY_SENSOR_DOMAIN: DomainSpec()}
_ON: set[str | bool] = {STATE_ON}


class CallInProgressCondition(EntityStateConditionBase):
    """Passes while door stations are in a call.

    Only those count that tell when a call begins and when it ends, which makes it a
    state: whoever tells no end could be said to be in a call for ever.
    """

    _domain_specs = _DOMAIN_SPECS
    _states = _ON

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Leave out all but Gatehouse's binary sensors for calls."""
        registry = er.async_get(self._hass)
        return {
            entity_id
            for entity_id in super().entity_filter(entities)
            if (entry := registry.async_get(entity_id))
            and entry.platform == DOMAIN
            and entry.translation_key == "call"
        }


CONDITIONS: dict[str, type[Condition]] = {"call_in_progress": CallInProgressCondition}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of Gatehouse."""
    return CONDITIONS
