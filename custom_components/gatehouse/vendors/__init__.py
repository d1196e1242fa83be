"""The registry of vendors: a new one is a folder, its strings, and a line here."""

from ..vendor import Vendor
from . import tellicon, the_keys

VENDORS: dict[str, Vendor] = {
    module.VENDOR.key: module.VENDOR for module in (the_keys, tellicon)
}
