"""SenseLink: a server of face terminals, which pushes what they see and report."""

from ...vendor import Vendor
from .entities import ENTITIES
from .flow import SenseLinkFlow
from .hub import (
    BODY_TEMPERATURE,
    CONF_APP_KEY,
    CONF_APP_SECRET,
    CONF_SECRET,
    KEY,
    LAST_PERSON,
    SenseLinkHub,
)
from .photos import LAST_PHOTO
from .view import SenseLinkView

VENDOR = Vendor(
    key=KEY,
    hub=SenseLinkHub,
    flow=SenseLinkFlow(),
    entities=ENTITIES,
    view=SenseLinkView,
    secrets=frozenset({CONF_APP_KEY, CONF_APP_SECRET, CONF_SECRET}),
    personal=frozenset({BODY_TEMPERATURE, LAST_PERSON, LAST_PHOTO}),
)
