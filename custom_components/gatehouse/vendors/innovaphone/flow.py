"""The form of innovaphone: where the service is, and a password that it knows."""

from collections.abc import Mapping
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_DOMAIN, CONF_PASSWORD, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from ...flow import PASSWORD, FormError, Proven, VendorFlow
from ...wire import UnexpectedReply
from .hub import CONF_APP, CONF_TYPES, CONF_VERIFY_TLS, KEY, make_client
from .protocol import DEFAULT_APP, DeviceType, Refusal, service_url


class InnovaphoneFlow(VendorFlow):
    """Ask for the App URL and a login."""

    options = vol.Schema(
        {
            vol.Optional(CONF_TYPES, default=[]): SelectSelector(
                SelectSelectorConfig(
                    # Translations know lower case only.
                    options=[one.lower() for one in DeviceType],
                    multiple=True,
                    translation_key="device_types",
                )
            )
        }
    )

    @override
    def schema(self, entry: ConfigEntry | None) -> vol.Schema:
        """Return the form; of an entry the password may be left empty."""
        password = vol.Required if entry is None else vol.Optional
        return vol.Schema(
            {
                vol.Required(CONF_URL): TextSelector(
                    TextSelectorConfig(type=TextSelectorType.URL)
                ),
                vol.Required(CONF_APP, default=DEFAULT_APP): TextSelector(),
                vol.Required(CONF_DOMAIN): TextSelector(),
                password(CONF_PASSWORD): PASSWORD,
                vol.Required(CONF_VERIFY_TLS, default=True): BooleanSelector(),
            }
        )

    @override
    def clean(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Write the address in one way, for it has several spellings."""
        cleaned = dict(answers)
        for field in (CONF_APP, CONF_DOMAIN):
            if field in cleaned:
                cleaned[field] = cleaned[field].strip()
        if CONF_URL in cleaned:
            try:
                cleaned[CONF_URL] = str(service_url(cleaned[CONF_URL]))
            except ValueError as err:
                raise FormError("invalid_app_url", CONF_URL) from err
        return cleaned

    @override
    async def prove(
        self, hass: HomeAssistant, answers: Mapping[str, Any], entry: ConfigEntry | None
    ) -> Proven:
        """Log in, and ask for the session's rights."""
        kept = {} if entry is None else entry.data
        data = {
            **answers,
            CONF_PASSWORD: answers.get(CONF_PASSWORD) or kept[CONF_PASSWORD],
        }
        await _async_prove(hass, data)
        address = data[CONF_URL].partition("://")[2]
        return Proven(
            title=f"innovaphone {data[CONF_DOMAIN]}",
            data=data,
            # Each domain's password shows other devices of the same service.
            unique_id=f"{KEY}:{address}:{data[CONF_DOMAIN]}".lower(),
        )

    @override
    def reauth_schema(self) -> vol.Schema:
        """Ask for the password that the service has refused."""
        return vol.Schema({vol.Required(CONF_PASSWORD): PASSWORD})

    @override
    async def reauth(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        about: Mapping[str, Any],
        answers: Mapping[str, Any],
    ) -> None:
        """Prove the new password, and keep it."""
        data = {**entry.data, CONF_PASSWORD: answers[CONF_PASSWORD]}
        await _async_prove(hass, data)
        hass.config_entries.async_update_entry(entry, data=data)


async def _async_prove(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Log in, ask one thing, and leave.

    Raises:
        WireError: the login is refused, or it is not the service that answers.

    """
    async with make_client(hass, data).connected() as connection:
        try:
            await connection.user_info()
        except Refusal as err:
            raise UnexpectedReply from err
