"""A Home Assistant to measure, with Gatehouse and with the yardsticks."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
import tempfile
from typing import Any

import aiohttp

from demo.home_assistant import Api, HomeAssistant
from demo.process import free_ports

YARDSTICK = Path(__file__).parent / "gatehouse_yardstick"

# Without the recorder, which writes what both sides tell in bursts of its own.
_CONFIGURATION = """\
api:
automation: !include automations.yaml
config:
frontend:
gatehouse_yardstick:
logger:
  default: {{level}}
{more}
"""

FLOWS = "/api/config/config_entries/flow"


@asynccontextmanager
async def running(more: str = "") -> AsyncIterator[tuple[HomeAssistant, Api]]:
    """Run a new Home Assistant, `more` being added to its configuration."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "automations.yaml").touch()
        home_assistant = HomeAssistant(
            Path(folder),
            free_ports(1)[0],
            log_level="warning",
            integrations=(YARDSTICK,),
            configuration=_CONFIGURATION.format(more=more),
        )
        async with aiohttp.ClientSession() as session:
            await home_assistant.start(session)
            try:
                api = Api(session, home_assistant.url)
                # Its websocket would be told of every state: log in, and hang up.
                async with api:
                    pass
                yield home_assistant, api
            finally:
                await home_assistant.program.stop()


async def add_entry(api: Api, vendor: str, answers: Mapping[str, Any]) -> Any:
    """Go through a vendor's flow as a person does, and return its last page.

    Args:
        api: of the Home Assistant.
        vendor: what to choose from the menu.
        answers: to the form.

    """
    menu = await api.post(FLOWS, {"handler": "gatehouse"})
    flow = f"{FLOWS}/{menu['flow_id']}"
    await api.post(flow, {"next_step_id": vendor})
    page = await api.post(flow, answers)
    # A page that only says what to type at the vendor.
    return await api.post(flow, {}) if page["type"] == "form" else page


async def add_automation(
    api: Api, name: str, trigger: Mapping[str, Any], action: Mapping[str, Any]
) -> None:
    """Write an automation as the editor does; it is loaded at once."""
    await api.post(
        f"/api/config/automation/config/{name}",
        {"alias": name, "triggers": [trigger], "actions": [action]},
    )
