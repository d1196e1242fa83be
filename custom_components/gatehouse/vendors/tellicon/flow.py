"""The forms of Tellicon: a token, and what to type into Tellicon's screen."""

from collections.abc import Mapping
import re
import secrets
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import ConfigEntry, SubentryFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
)

from ...flow import DeviceSubentryFlow, FormError, Proven, VendorFlow
from .hub import (
    CONF_APT,
    CONF_BUILDING,
    CONF_CLIENT,
    CONF_TOKEN,
    CONF_UNITS,
    UNIT,
    UNITS_ALL,
    UNITS_LISTED,
    unit_of,
)
from .protocol import TOKEN_LENGTH
from .view import HEADER, URL


class UnitFlow(DeviceSubentryFlow):
    """Give a unit a name, and in `listed` mode a device at all."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Add a unit."""
        return await self.async_form("user", user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a unit."""
        return await self.async_form("reconfigure", user_input)

    @override
    async def async_schema(self) -> vol.Schema:
        """Return the form."""
        return vol.Schema(
            {
                vol.Required(CONF_NAME): TextSelector(),
                vol.Required(CONF_CLIENT): TextSelector(),
                vol.Required(CONF_BUILDING, default="0"): TextSelector(),
                vol.Required(CONF_APT): TextSelector(),
            }
        )

    @override
    async def async_prove(self, answers: Mapping[str, Any]) -> Proven:
        """Check that the parts can be those of an event. Tellicon cannot be asked."""
        data = {
            field: answers[field].strip()
            for field in (CONF_CLIENT, CONF_BUILDING, CONF_APT)
        }
        for field, value in data.items():
            if not value or "/" in value:
                raise FormError("invalid_code", field)
        return Proven(title=answers[CONF_NAME], data=data, unique_id=unit_of(**data))


class TelliconFlow(VendorFlow):
    """Ask for the token that Tellicon is to send."""

    duplicates_by = (CONF_TOKEN,)
    subentries = {UNIT: UnitFlow}  # noqa: RUF012  # the base declares it a ClassVar
    options = vol.Schema(
        {
            vol.Required(CONF_UNITS, default=UNITS_ALL): SelectSelector(
                SelectSelectorConfig(
                    options=[UNITS_ALL, UNITS_LISTED], translation_key=CONF_UNITS
                )
            )
        }
    )

    @override
    def schema(self, entry: ConfigEntry | None) -> vol.Schema:
        """Offer a new token, or the chance to keep the present one."""
        if entry is not None:
            return vol.Schema({vol.Optional(CONF_TOKEN): TextSelector()})
        # 18 bytes make exactly 24 characters, all fit for a header.
        return vol.Schema(
            {
                vol.Required(
                    CONF_TOKEN, default=secrets.token_urlsafe(TOKEN_LENGTH * 3 // 4)
                ): TextSelector()
            }
        )

    @override
    def clean(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out the blanks that come with copying."""
        return {key: value.strip() for key, value in answers.items()}

    @override
    async def prove(
        self, hass: HomeAssistant, answers: Mapping[str, Any], entry: ConfigEntry | None
    ) -> Proven:
        """Check the token's form. Tellicon calls us, so there is nothing to call."""
        if entry is not None and not answers.get(CONF_TOKEN):
            return Proven(title=entry.title, data={CONF_TOKEN: entry.data[CONF_TOKEN]})
        return Proven(title="Tellicon", data={CONF_TOKEN: _valid_token(answers)})

    @override
    def page(self, hass: HomeAssistant, data: Mapping[str, Any]) -> dict[str, str]:
        """Return the address and header to type into Tellicon's screen."""
        try:
            # Tellicon is out on the internet.
            base = get_url(hass, prefer_external=True)
        except NoURLAvailableError:
            base = ""
        return {"url": f"{base}{URL}", "header": HEADER, "token": data[CONF_TOKEN]}

    @override
    def reauth_schema(self) -> vol.Schema:
        """Ask for another token."""
        return vol.Schema({vol.Required(CONF_TOKEN): TextSelector()})

    @override
    async def reauth(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        about: Mapping[str, Any],
        answers: Mapping[str, Any],
    ) -> None:
        """Take another token."""
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, CONF_TOKEN: _valid_token(answers)}
        )


def _valid_token(answers: Mapping[str, Any]) -> str:
    """Return the token if Tellicon can send it in a header."""
    token: str = answers[CONF_TOKEN]
    if len(token) != TOKEN_LENGTH or not re.fullmatch(r"[!-~]+", token):
        raise FormError("invalid_token", CONF_TOKEN)
    return token
