"""Home Assistant wants a flow wherever there are entries; nobody goes through this one."""

from homeassistant.config_entries import ConfigFlow

from . import DOMAIN


class PlainConfigFlow(ConfigFlow, domain=DOMAIN):
    """A flow without steps."""
