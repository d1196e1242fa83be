"""What language models are given: tools, rules, and no way around a confirmation."""

from datetime import timedelta
import logging

import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.gatehouse import visits
from custom_components.gatehouse.const import DOMAIN
from homeassistant.components.conversation import (
    AssistantContent,
    ConversationInput,
    async_get_chat_log,
)
from homeassistant.components.recorder import Recorder
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import llm
from homeassistant.helpers.chat_session import async_get_chat_session
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from simulators.ipac import Ipac

from .test_intent import PorchHub, expose, gate, porch, station, tell

__all__ = ["gate", "porch", "station"]

if not hasattr(llm, "ToolAnnotations"):
    pytest.skip(
        "This Home Assistant cannot be told what a tool does", allow_module_level=True
    )

OPEN = f"{DOMAIN}__GatehouseOpenDoor"
CONFIRM = f"{DOMAIN}__GatehouseConfirmOpening"
WHO = f"{DOMAIN}__GatehouseGetAccess"


@pytest.fixture
def quiet_database(caplog: pytest.LogCaptureFixture) -> None:
    """Spare the log all that a database has to say."""
    for name in ("homeassistant.components.recorder", "sqlalchemy.engine"):
        caplog.set_level(logging.WARNING, name)


@pytest.fixture(autouse=True)
def custom_integrations(
    quiet_database: None, recorder_mock: Recorder, enable_custom_integrations: None
) -> None:
    """Let Home Assistant load Gatehouse, and record what happens."""


@pytest.fixture(autouse=True)
async def assist(hass: HomeAssistant) -> None:
    """Set Home Assistant up for language models."""
    for component in ("homeassistant", "conversation", "intent", "llm", DOMAIN):
        assert await async_setup_component(hass, component, {})


def asking() -> llm.LLMContext:
    """Return who asks."""
    return llm.LLMContext(
        platform="test",
        context=Context(),
        language="en",
        assistant="conversation",
        device_id=None,
    )


async def turn(hass: HomeAssistant, text: str, *calls: str) -> list[str]:
    """Say something to a model, which calls tools; return what these answer."""
    with (
        async_get_chat_session(hass, "ours") as session,
        async_get_chat_log(
            hass,
            session,
            ConversationInput(
                text=text,
                context=Context(),
                conversation_id="ours",
                device_id=None,
                satellite_id=None,
                language="en",
                agent_id="test",
            ),
        ) as log,
    ):
        api = await llm.async_get_api(hass, DOMAIN, asking())
        answers = []
        for call in calls:
            result = await api.async_call_tool(llm.ToolInput(call, {}))
            answers.append(result.data["speech"]["plain"]["speech"])
        # A log to which nothing was answered is not kept.
        log.async_add_assistant_content_without_tools(
            AssistantContent(agent_id="test", content="…")
        )
    await hass.async_block_till_done(wait_background_tasks=True)
    return answers


async def test_model_cannot_confirm(hass: HomeAssistant, gate: Ipac) -> None:
    """A model that confirms for the user opens nothing; the user's word does."""
    asked, confirmed = await turn(hass, "Open the gate", OPEN, CONFIRM)
    assert "Shall I open" in asked
    assert "nothing to confirm" in confirmed
    assert not gate.relays[1].active
    await turn(hass, "Open the gate", OPEN)
    assert await turn(hass, "Yes", CONFIRM, CONFIRM) == [
        "Front gate Door is being opened.",
        "There is nothing to confirm. Ask me to open the door first.",
    ]
    assert gate.relays[1].active


async def test_tools(hass: HomeAssistant, gate: Ipac) -> None:
    """Both APIs have the tools and the rules, until the entry is unloaded."""
    assist = await llm.async_get_api(hass, llm.LLM_API_ASSIST, asking())
    ours = await llm.async_get_api(hass, DOMAIN, asking())
    names = {tool.name for tool in ours.tools}
    assert {OPEN, CONFIRM, WHO} < names <= {tool.name for tool in assist.tools}
    assert "Never open a door in another way" in ours.api_prompt
    assert ours.api_prompt in assist.api_prompt
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert DOMAIN not in {api.id for api in llm.async_get_apis(hass)}
    assist = await llm.async_get_api(hass, llm.LLM_API_ASSIST, asking())
    assert WHO not in {tool.name for tool in assist.tools}


async def test_history(
    hass: HomeAssistant, porch: PorchHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All who came are told, the last ones if there were many; none that is hidden."""
    now = dt_util.utcnow()
    for number in range(25):
        tell(porch, f"Visitor {number}", now - timedelta(seconds=60 - number))
        await hass.async_block_till_done()
    await async_wait_recording_done(hass)
    api = await llm.async_get_api(hass, DOMAIN, asking())
    result = await api.async_call_tool(llm.ToolInput(WHO, {"period": "hour"}))
    told = result.data["speech_slots"]
    assert told["found"] == 25
    assert [event["person"] for event in told["events"]] == [
        f"Visitor {number}" for number in range(5, 25)
    ]
    # Not even the recorder is asked for more than so many.
    monkeypatch.setattr(visits, "MAX_STATES", 10)
    result = await api.async_call_tool(llm.ToolInput(WHO, {"period": "hour"}))
    assert result.data["speech_slots"]["found"] == 10
    assert result.data["speech_slots"]["events"][-1]["person"] == "Visitor 24"
    expose(hass, "event.front_door_access", exposed=False)
    result = await api.async_call_tool(llm.ToolInput(WHO, {"period": "hour"}))
    assert result.data["speech_slots"] == {"events": [], "found": 0}


async def test_fault(
    hass: HomeAssistant,
    porch: PorchHub,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Doors work also where the tools cannot be offered."""

    def fail(hass: HomeAssistant, entry_id: str) -> None:
        raise RuntimeError("full")

    monkeypatch.setattr("custom_components.gatehouse.llm.async_offer_api", fail)
    assert await hass.config_entries.async_reload(porch.entry.entry_id)
    assert porch.entry.state is ConfigEntryState.LOADED
    assert "are not offered the tools" in caplog.text
    assert "RuntimeError: full" in caplog.text
