"""What a vendor's devices can be asked to do beyond what entities offer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import voluptuous as vol

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import Context, ServiceResponse, SupportsResponse

from .hub import Device

type Run = Callable[
    [Any, Device | None, Mapping[str, Any], Context], Awaitable[ServiceResponse]
]
"""Carries out an action: the vendor's hub, the device if it is one's, the fields, and
on whose behalf."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """An action of the integration, `gatehouse.<name>`."""

    name: str

    target: Literal["device", "entry"]
    """Whether the field `device_id` or the field `config_entry_id` says who is asked."""

    kind: str | None = None
    """The kind that a device must have."""

    fields: Mapping[vol.Marker, Any]
    """The other fields, as in a schema."""

    run: Run

    response: SupportsResponse = SupportsResponse.NONE

    admin: bool = False
    """Whether only administrators may ask."""

    policy: str = POLICY_CONTROL
    """What others must be allowed to do with all entities of who is asked."""
