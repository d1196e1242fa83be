"""What an IPAC station can be asked to do beyond what its entities offer."""

import re
from typing import Any

import voluptuous as vol

from homeassistant.helpers import config_validation as cv

from ...action import Action
from .hub import STATION, IpacHub
from .protocol import MAX_REPEAT, Table

DEFAULT_SECONDS = 30

# An index, an address, `user@proxy` or `sip:…`; nothing that breaks a line.
_NUMBER = re.compile(r"[!-~]{1,128}\Z")


def _picture(value: Any) -> str:
    """Return the source of a picture, chosen by a media selector or written as a text."""
    if isinstance(value, dict):
        value = value.get("media_content_id")
    source: str = vol.All(cv.string, vol.Length(min=1))(value)
    return source


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
            vol.Required("image"): _picture,
            vol.Optional("duration", default=DEFAULT_SECONDS): vol.All(
                vol.Coerce(int), vol.Range(0, MAX_REPEAT)
            ),
        },
        run=IpacHub.async_show_image,
    ),
)
