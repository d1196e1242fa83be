"""What must hold of Home Assistant, whatever has come."""

import logging

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError
import pytest

from homeassistant.core import HomeAssistant


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what should not be in the log.

    The web server itself logs that something is no HTTP, before anybody is asked, and at
    any address that a body is broken which nobody wanted to read.
    """
    return [
        f"{record.name}: {record.getMessage()} {record.exc_text or ''}"
        for record in caplog.records
        # asyncio tells of senders who have left, when it is debugged.
        if record.levelno >= (logging.INFO if record.exc_info else logging.ERROR)
        and not (
            record.name == "aiohttp.server"
            and record.exc_info
            and isinstance(
                record.exc_info[1], HttpProcessingError | RequestPayloadError
            )
        )
    ]


def oddities(hass: HomeAssistant) -> list[str]:
    """Return what nobody could read of what the state machine shows."""
    return [
        f"{state.entity_id} {name}: {value[:100]!r}"
        for state in hass.states.async_all()
        for name, value in (("state", state.state), *state.attributes.items())
        if isinstance(value, str)
        and (len(value) > (255 if name == "state" else 600) or not value.isprintable())
    ]
