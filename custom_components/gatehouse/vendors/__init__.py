"""The registry of vendors: a new one is a folder, its strings, and a line here."""

from homeassistant.config_entries import ConfigEntry

from ..const import CONF_VENDOR
from ..vendor import Vendor
from . import innovaphone, ipac, senselink, tellicon, the_keys

VENDORS: dict[str, Vendor] = {
    module.VENDOR.key: module.VENDOR
    for module in (ipac, the_keys, innovaphone, senselink, tellicon)
}


def vendor_of(entry: ConfigEntry) -> Vendor:
    """Return the vendor of an entry."""
    return VENDORS[entry.data[CONF_VENDOR]]
