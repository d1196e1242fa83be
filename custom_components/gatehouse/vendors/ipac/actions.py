"""What an IPAC station can be asked to do beyond what its entities offer."""

import re

import voluptuous as vol

from homeassistant.helpers import config_validation as cv

from ...action import Action
from .hub import STATION, IpacHub
from .protocol import MAX_REPEAT, Table

DEFAULT_SECONDS = 30

# An index, an address, `user@proxy` or `sip:…`; nothing that breaks a line.
_NUMBER = re.compile(r"[!-~]{1,128}")

ACTIONS = (
    Action(
        name="place_call",
        target="device",
        kind=STATION,
        fields={
            vol.Optional("table", default=Table.LIBRE): vol.In(list(Table)),
            vol.Required("number"): vol.All(
                cv.string, str.strip, vol.Match(_NUMBER, "not a number or address")
            ),
        },
        run=IpacHub.async_place_call,
    ),
    Action(
        name="show_image",
        target="device",
        kind=STATION,
        fields={
            vol.Required("image"): vol.Any(
                vol.All(cv.string, vol.Length(min=1)),
                vol.Schema(
                    {vol.Required("media_content_id"): cv.string},
                    extra=vol.ALLOW_EXTRA,
                ),
            ),
            vol.Optional("duration", default=DEFAULT_SECONDS): vol.All(
                vol.Coerce(int), vol.Range(0, MAX_REPEAT)
            ),
        },
        run=IpacHub.async_show_image,
    ),
)
