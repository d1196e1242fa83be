"""innovaphone: telephones and gateways, as the Devices service of an App Platform has them."""

from homeassistant.const import CONF_PASSWORD

from ...vendor import Vendor
from .actions import ACTIONS
from .entities import ENTITIES
from .flow import InnovaphoneFlow
from .hub import KEY, InnovaphoneHub

VENDOR = Vendor(
    key=KEY,
    hub=InnovaphoneHub,
    flow=InnovaphoneFlow(),
    entities=ENTITIES,
    actions=ACTIONS,
    secrets=frozenset({CONF_PASSWORD}),
)
