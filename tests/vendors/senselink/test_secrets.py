"""Neither keys nor what is personal beyond the contract get anywhere."""

import json
import logging

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.const import MATCH_ALL
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from simulators.senselink import SenseLink
from simulators.senselink_frames import AIKO, VERA

from ...conftest import Advance
from ...diagnostics import entry_diagnostics
from .conftest import (
    ACCESS,
    APP_KEY,
    APP_SECRET,
    CONNECTION,
    SetUp,
    Told,
    make_entry,
    shown,
    until,
)


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_secrets_appear_nowhere(
    hass: HomeAssistant,
    server: SenseLink,
    set_up: SetUp,
    told: Told,
    advance: Advance,
    hass_client: ClientSessionGenerator,
    issue_registry: ir.IssueRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No log, state, attribute, event, diagnostics or issue holds any of it."""
    caplog.set_level(logging.DEBUG)
    for name in ("aiohttp", "websockets", "websockets.client"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    events = async_capture_events(hass, MATCH_ALL)
    entry = make_entry(server, photos=True)
    await set_up(entry)
    for person in (AIKO, VERA, None):
        count = len(told(ACCESS))
        await server.recognise(person=person, photo=True)
        await until(lambda count=count: len(told(ACCESS)) > count)
    await server.alert(10002, photo=True)
    for text in (APP_SECRET, f'{{"code": "{APP_KEY}"}}', "{"):
        await server.push_raw(text)
    await server.drop()
    await until(lambda: shown(hass, CONNECTION) == "off")
    server.refuse = "sign"
    await advance(5)
    server.refuse = None
    texts = [
        json.dumps(await entry_diagnostics(hass, hass_client, entry)),
        *(f"{state.as_dict()}" for state in hass.states.async_all()),
        *(f"{event.as_dict()}" for event in events),
        *(f"{issue}" for issue in issue_registry.issues.values()),
        # At debug, asyncio and the simulated server tell of the server's own side.
        *(
            f"{record.getMessage()} {record.exc_text}"
            for record in caplog.records
            if record.name not in ("aiohttp.access", "asyncio")
        ),
    ]
    signatures = [attempt.path.rpartition("/")[2] for attempt in server.attempts]
    assert signatures
    personal = [
        value
        for person in (AIKO, VERA)
        for value in (person.mobile, person.ic_number, person.id_number)
        if value
    ]
    assert personal
    for secret in (APP_KEY, APP_SECRET, *signatures, *personal):
        for text in texts:
            assert secret not in text
    assert await hass.config_entries.async_unload(entry.entry_id)
