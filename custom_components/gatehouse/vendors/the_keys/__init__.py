"""The Keys: smart locks behind a gateway in the home."""

from ...model import CHANGED_BY
from ...vendor import Vendor
from .entities import ENTITIES
from .flow import TheKeysFlow
from .hub import CONF_SHARE_CODE, KEY, TheKeysHub

VENDOR = Vendor(
    key=KEY,
    hub=TheKeysHub,
    flow=TheKeysFlow(),
    entities=ENTITIES,
    secrets=frozenset({CONF_SHARE_CODE}),
    personal=frozenset({CHANGED_BY}),
)
