"""Actions: finds whom one is for, and hands it to the vendor that declares it."""

from functools import partial
from typing import Any

import voluptuous as vol

from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.service import (
    async_get_config_entry,
    async_register_admin_service,
)

from .action import Action
from .const import CONF_VENDOR, DOMAIN
from .hub import Device, GatehouseConfigEntry, Hub
from .permission import async_check
from .vendor import Vendor
from .vendors import VENDORS

_TARGETS: dict[str, dict[vol.Marker, Any]] = {
    # A target that was chosen in the user interface comes as a list.
    "device": {
        vol.Required(ATTR_DEVICE_ID): vol.All(
            cv.ensure_list, vol.Length(min=1, max=1), [cv.string]
        )
    },
    "entry": {vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string},
}


@callback
def async_setup_actions(hass: HomeAssistant) -> None:
    """Register the actions of all vendors."""
    for vendor in VENDORS.values():
        for action in vendor.actions:
            run = partial(_async_run, hass, vendor, action)
            schema = vol.Schema({**_TARGETS[action.target], **action.fields})
            if action.admin:
                async_register_admin_service(
                    hass, DOMAIN, action.name, run, schema, action.response
                )
            else:
                hass.services.async_register(
                    DOMAIN, action.name, run, schema, action.response
                )


async def _async_run(
    hass: HomeAssistant, vendor: Vendor, action: Action, call: ServiceCall
) -> ServiceResponse:
    """Carry out an action.

    Raises:
        ServiceValidationError: it is meant for something that cannot do it.
        Unauthorized: the user may not ask for it.

    """
    fields = dict(call.data)
    device: Device | None = None
    if action.target == "device":
        hub, device = _device_of(hass, action, fields.pop(ATTR_DEVICE_ID)[0])
    else:
        entry: GatehouseConfigEntry = async_get_config_entry(
            hass, DOMAIN, fields.pop(ATTR_CONFIG_ENTRY_ID)
        )
        hub = entry.runtime_data
    if hub.entry.data[CONF_VENDOR] != vendor.key:
        raise _wrong_target(action)
    await async_check(
        hass, call.context, _entities_of(hass, hub, device), action.policy
    )
    return await action.run(hub, device, fields, call.context)


def _device_of(
    hass: HomeAssistant, action: Action, device_id: str
) -> tuple[Hub, Device]:
    """Return a device and its hub.

    Raises:
        ServiceValidationError: it is not a device that the action is for, or its entry
            is not running.

    """
    registered = dr.async_get(hass).async_get(device_id)
    if isinstance(registered, dr.DeviceEntry):
        for entry in hass.config_entries.async_loaded_entries(DOMAIN):
            hub: Hub = entry.runtime_data
            device = hub.device_of(registered)
            if device is not None and device.kind == action.kind:
                return hub, device
    raise _wrong_target(action)


def _entities_of(hass: HomeAssistant, hub: Hub, device: Device | None) -> list[str]:
    """Return the entities of a device or, without one, of the whole entry."""
    registry = er.async_get(hass)
    entities = (
        er.async_entries_for_config_entry(registry, hub.entry.entry_id)
        if device is None
        else er.async_entries_for_device(
            registry, device.entry.id, include_disabled_entities=True
        )
    )
    return [entity.entity_id for entity in entities]


def _wrong_target(action: Action) -> ServiceValidationError:
    """Return what the caller is told who has chosen the wrong device or entry."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="wrong_target",
        translation_placeholders={"action": f"{DOMAIN}.{action.name}"},
    )
