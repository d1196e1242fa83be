"""The registry of vendors: a new one is a folder, its strings, and a line here."""

from . import tellicon, the_keys

VENDORS = {module.VENDOR.key: module.VENDOR for module in (the_keys, tellicon)}
