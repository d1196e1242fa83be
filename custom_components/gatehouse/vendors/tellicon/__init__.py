"""Tellicon: intercom telephony that reports calls, answers and DTMF by webhook."""

from ...vendor import Vendor
from .entities import ENTITIES
from .flow import TelliconFlow
from .hub import CONF_TOKEN, KEY, TelliconHub
from .view import TelliconView

VENDOR = Vendor(
    key=KEY,
    hub=TelliconHub,
    flow=TelliconFlow(),
    entities=ENTITIES,
    view=TelliconView,
    secrets=frozenset({CONF_TOKEN}),
)
