"""Whether what is chosen is what a blueprint's selectors offer."""

from collections.abc import Iterator, Mapping
from typing import Any

from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er


def misfits(
    hass: HomeAssistant, blueprint: Blueprint, inputs: Mapping[str, Any]
) -> Iterator[str]:
    """Tell which of the chosen entities and devices the selectors do not offer."""
    for name, chosen in inputs.items():
        selector = blueprint.inputs[name]["selector"]
        for one in chosen if isinstance(chosen, list) else [chosen]:
            if (
                one
                and (
                    "entity" in selector and not _offers(hass, selector["entity"], one)
                )
            ) or ("device" in selector and not _has(hass, selector["device"], one)):
                yield f"{name}: {one}"


def _offers(hass: HomeAssistant, selector: Mapping[str, Any], entity_id: str) -> bool:
    """Tell whether one of the filters lets an entity pass."""
    return any(_passes(hass, one, entity_id) for one in selector["filter"])


def _passes(hass: HomeAssistant, wanted: Mapping[str, Any], entity_id: str) -> bool:
    """Tell whether a filter lets an entity pass; of stand-ins, only the domain counts."""
    if entity_id.partition(".")[0] not in _listed(wanted["domain"]):
        return False
    entity = er.async_get(hass).async_get(entity_id)
    if entity is None:
        return True
    device = dr.async_get(hass).async_get(entity.device_id or "")
    of_device = wanted.get("device", {})
    return (
        wanted.get("integration", entity.platform) == entity.platform
        and (
            "device_class" not in wanted
            or entity.original_device_class in _listed(wanted["device_class"])
        )
        and (
            "manufacturer" not in of_device
            or (device is not None and device.manufacturer == of_device["manufacturer"])
        )
    )


def _has(hass: HomeAssistant, selector: Mapping[str, Any], device_id: str) -> bool:
    """Tell whether a device has an entity such as the selector wants."""
    return any(
        entity.domain in _listed(wanted["domain"])
        and entity.platform == wanted["integration"]
        for entity in er.async_entries_for_device(er.async_get(hass), device_id)
        for wanted in selector["entity"]
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
