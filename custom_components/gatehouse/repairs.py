"""Repairs that Gatehouse can carry out itself, once the user agrees."""

from typing import Any, override

from homeassistant.components.repairs import (
    ConfirmRepairFlow,
    RepairsFlow,
    RepairsFlowResult,
)
from homeassistant.core import HomeAssistant

from .const import DOMAIN


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the flow that carries out a repair."""
    return GatehouseRepairFlow()


class GatehouseRepairFlow(ConfirmRepairFlow):
    """Ask, and then have the hub that has raised the issue mend it."""

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask for agreement."""
        if user_input is not None:
            data = self.data or {}
            for entry in self.hass.config_entries.async_loaded_entries(DOMAIN):
                if entry.entry_id == data.get("entry_id"):
                    await entry.runtime_data.async_fix(data["key"], data)
        return await super().async_step_confirm(user_input)
