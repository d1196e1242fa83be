"""Marked secrets are planted, everything is driven, and they are searched for."""

import asyncio
import json
import logging

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.const import MATCH_ALL
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from simulators.faults import Fault
from simulators.innovaphone import Innovaphone

from ...conftest import Advance
from ...diagnostics import entry_diagnostics
from .conftest import CONNECTION, RECEPTION, call, make_entry, shown, until

MARKED = "MARKEDpassword"


@pytest.mark.usefixtures("entity_registry_enabled_by_default", "impatient")
async def test_secrets_appear_nowhere(
    hass: HomeAssistant,
    socket_enabled: None,
    advance: Advance,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
    device_registry: dr.DeviceRegistry,
    issue_registry: ir.IssueRegistry,
) -> None:
    """No log, state, attribute, event, diagnostics or error holds password or key."""
    caplog.set_level(logging.DEBUG)
    for name in ("aiohttp", "websockets", "websockets.client"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    events = async_capture_events(hass, MATCH_ALL)
    texts: list[str] = []
    async with Innovaphone(password=MARKED) as service:
        service.configs[1].values["logPassword"] = MARKED
        service.configs[4].values["turnPassword"] = MARKED
        service.configs[2].long_values = {
            "script": f"config change CMD0 USER /user admin,{MARKED}"
        }
        entry: MockConfigEntry = make_entry(service, password=MARKED)
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        keys = [key for one in service.connections for key in one.keys]

        for fault in (
            None,
            Fault.reset(acted=False),
            Fault.hang(acted=False),
            Fault.reply(b"<html>", status=500),
            Fault.reply(f"/passthrough/{keys[0]}/x".encode()),
            Fault.reply(b"x" * 300_000),
        ):
            for path in ("log.txt", "!ireset"):
                if fault is not None:
                    service.passthrough.inject(path, fault)
            for ask in (
                call(hass, "device_request", hw_id=RECEPTION, path="log.txt"),
                hass.services.async_call(
                    "button",
                    "press",
                    {"entity_id": "button.reception_restart_when_idle"},
                    blocking=True,
                ),
            ):
                try:
                    texts.append(str(await ask))
                except HomeAssistantError as err:
                    texts.append(
                        f"{err!r} {err} {err.__cause__!r} {err.__context__!r}"
                        f" {err.__cause__ and err.__cause__.__context__!r}"
                    )
        for config_id in service.configs:
            reply = await call(hass, "get_device_configs", config_id=config_id)
            texts.append(json.dumps(reply))

        await service.push_raw(f'{{"mt":"AppLoginResult","key":"{keys[0]}"')
        await service.drop()
        await until(lambda: shown(hass, CONNECTION) == "off")
        service.refuse_login = True
        for _ in range(5):
            await advance(2)
            await asyncio.sleep(0.02)
        texts.append(json.dumps(await entry_diagnostics(hass, hass_client, entry)))
        texts.append(str(hass.config_entries.flow.async_progress()))
        await hass.config_entries.async_unload(entry.entry_id)

    texts += [f"{state.as_dict()}" for state in hass.states.async_all()]
    texts += [f"{event.as_dict()}" for event in events]
    texts += [
        f"{device.dict_repr}"
        for device in dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    ]
    texts += [f"{issue}" for issue in issue_registry.issues.values()]
    texts.append(caplog.text)
    digests = [login["digest"] for login in service.attempts]
    assert len(keys) == 1
    assert len(digests) == 2
    assert len(texts) > 30
    for secret in (MARKED, "MARKED", *keys, *digests):
        for text in texts:
            assert secret not in text
