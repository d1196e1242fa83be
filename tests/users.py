"""Users with the rights of a policy."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockUser

from homeassistant.auth.permissions import PermissionLookup
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er


def make_user(hass: HomeAssistant, policy: Any = None) -> MockUser:
    """Return a user who may do with entities what a policy says, by default nothing."""
    user = MockUser().add_to_hass(hass)
    user.perm_lookup = PermissionLookup(er.async_get(hass), dr.async_get(hass))
    user.mock_policy({} if policy is None else {"entities": policy})
    return user
