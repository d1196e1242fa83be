"""Amphitech IPAC 500: door stations, for which Home Assistant is the ASM server, too."""

from homeassistant.const import CONF_CODE, CONF_PASSWORD

from ...model import CHANGED_BY
from ...vendor import Vendor
from .actions import ACTIONS
from .entities import ENTITIES
from .flow import IpacFlow
from .hub import CONF_ASM_SECRET, CONF_ASM_TOKEN, KEY, IpacHub
from .view import AsmView

VENDOR = Vendor(
    key=KEY,
    hub=IpacHub,
    flow=IpacFlow(),
    entities=ENTITIES,
    view=AsmView,
    actions=ACTIONS,
    secrets=frozenset({CONF_ASM_SECRET, CONF_ASM_TOKEN, CONF_CODE, CONF_PASSWORD}),
    personal=frozenset({CHANGED_BY}),
)
