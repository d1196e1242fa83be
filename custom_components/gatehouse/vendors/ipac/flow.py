"""The forms of IPAC stations: the local API, the ASM page, doors and named codes."""

from collections.abc import Mapping
import re
import secrets
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import ConfigEntry, SubentryFlowResult
from homeassistant.const import (
    CONF_CODE,
    CONF_HOST,
    CONF_NAME,
    CONF_PASSWORD,
    CONF_USERNAME,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from ...flow import (
    PASSWORD,
    DeviceSubentryFlow,
    FormError,
    Proven,
    VendorFlow,
    base_url,
    says_https,
)
from .client import Auth, Refused
from .hub import (
    CONF_ASM_SECRET,
    CONF_ASM_TOKEN,
    CONF_AUTH,
    CONF_OPEN_TIME,
    CONF_RELAY,
    CONF_TLS,
    CONF_VERIFY_TLS,
    KEYPAD_CODE,
    RELAY,
    make_client,
)
from .view import PATH

DEFAULT_USERNAME = "admin"
DEFAULT_OPEN_TIME = 5
MAX_OPEN_TIME = 600

# What keypads have; the release note's examples have four digits.
_CODE = re.compile(r"[0-9A-Za-z*#]{1,16}", re.ASCII)


class _CodeFlow(DeviceSubentryFlow):
    """What is added under a name, with a code that is not shown again."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Add it."""
        return await self.async_form("user", user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change it."""
        return await self.async_form("reconfigure", user_input)

    @override
    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Do not show the code again."""
        return {key: value for key, value in data.items() if key != CONF_CODE}

    def code_field(self) -> vol.Marker:
        """Return the field of the code, which may be left empty if there is one."""
        return (
            vol.Optional(CONF_CODE)
            if self.reconfigured is not None
            else vol.Required(CONF_CODE)
        )

    def code_of(self, answers: Mapping[str, Any]) -> str:
        """Return the code that was typed, or the one that is kept.

        Raises:
            FormError: no keypad could have it.

        """
        code = str(answers.get(CONF_CODE) or "").strip()
        if not code and self.reconfigured is not None:
            return str(self.reconfigured.data[CONF_CODE])
        if not _CODE.fullmatch(code):
            raise FormError("invalid_code", CONF_CODE)
        return code


class RelayFlow(_CodeFlow):
    """Make a door of a relay. The station cannot be asked without opening it."""

    @override
    async def async_schema(self) -> vol.Schema:
        """Return the form."""
        return vol.Schema(
            {
                vol.Required(CONF_NAME): TextSelector(),
                vol.Required(CONF_RELAY, default="1"): SelectSelector(
                    SelectSelectorConfig(
                        options=["1", "2", "3"],
                        translation_key=CONF_RELAY,
                        mode=SelectSelectorMode.DROPDOWN,
                    )
                ),
                self.code_field(): PASSWORD,
                vol.Required(CONF_OPEN_TIME, default=DEFAULT_OPEN_TIME): NumberSelector(
                    NumberSelectorConfig(
                        min=1,
                        max=MAX_OPEN_TIME,
                        mode=NumberSelectorMode.BOX,
                        unit_of_measurement="s",
                    )
                ),
            }
        )

    @override
    async def async_prove(self, answers: Mapping[str, Any]) -> Proven:
        """Check the answers."""
        relay = answers[CONF_RELAY]
        if any(other.data[CONF_RELAY] == relay for other in self.others):
            raise AbortFlow("already_configured")
        return Proven(
            title=answers[CONF_NAME],
            data={
                CONF_RELAY: relay,
                CONF_CODE: self.code_of(answers),
                CONF_OPEN_TIME: answers[CONF_OPEN_TIME],
            },
            unique_id=f"{RELAY}_{relay}",
        )


class KeypadCodeFlow(_CodeFlow):
    """Give a name to a code that is typed at the keypad."""

    @override
    async def async_schema(self) -> vol.Schema:
        """Return the form."""
        return vol.Schema(
            {vol.Required(CONF_NAME): TextSelector(), self.code_field(): PASSWORD}
        )

    @override
    async def async_prove(self, answers: Mapping[str, Any]) -> Proven:
        """Check that the code has no name yet."""
        code = self.code_of(answers)
        if any(other.data[CONF_CODE] == code for other in self.others):
            raise FormError("code_has_name", CONF_CODE)
        return Proven(title=answers[CONF_NAME], data={CONF_CODE: code})


class IpacFlow(VendorFlow):
    """Ask for the station's local API, and show what to type into its ASM page."""

    duplicates_by = (CONF_HOST,)
    subentries = {RELAY: RelayFlow, KEYPAD_CODE: KeypadCodeFlow}  # noqa: RUF012  # the base declares it a ClassVar

    @override
    def schema(self, entry: ConfigEntry | None) -> vol.Schema:
        """Return the form; of an entry the password may be left empty."""
        password = vol.Required if entry is None else vol.Optional
        return vol.Schema(
            {
                vol.Required(CONF_HOST): TextSelector(),
                vol.Required(CONF_USERNAME, default=DEFAULT_USERNAME): TextSelector(),
                password(CONF_PASSWORD): PASSWORD,
                vol.Required(CONF_AUTH, default=Auth.DIGEST): SelectSelector(
                    SelectSelectorConfig(
                        options=list(Auth),
                        translation_key=CONF_AUTH,
                        mode=SelectSelectorMode.DROPDOWN,
                    )
                ),
                vol.Required(CONF_TLS, default=False): BooleanSelector(),
                vol.Required(CONF_VERIFY_TLS, default=False): BooleanSelector(),
            }
        )

    @override
    def clean(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Write the address in one way, and believe it if it says https."""
        cleaned = dict(answers)
        if CONF_USERNAME in cleaned:
            cleaned[CONF_USERNAME] = cleaned[CONF_USERNAME].strip()
            if ":" in cleaned[CONF_USERNAME]:
                # Neither basic nor digest authentication can carry it.
                raise FormError("invalid_username", CONF_USERNAME)
        if CONF_HOST in cleaned:
            host = cleaned[CONF_HOST]
            cleaned[CONF_TLS] = cleaned[CONF_TLS] or says_https(host)
            scheme = "https" if cleaned[CONF_TLS] else "http"
            url = base_url(host, scheme=scheme)
            cleaned[CONF_HOST] = str(url).removeprefix(f"{scheme}://")
        return cleaned

    @override
    async def prove(
        self, hass: HomeAssistant, answers: Mapping[str, Any], entry: ConfigEntry | None
    ) -> Proven:
        """Have the station stop a sound, which does no harm if none is playing."""
        kept = {} if entry is None else entry.data
        data = {
            **answers,
            CONF_PASSWORD: answers.get(CONF_PASSWORD) or kept[CONF_PASSWORD],
            CONF_ASM_SECRET: kept.get(CONF_ASM_SECRET) or secrets.token_hex(16),
            CONF_ASM_TOKEN: kept.get(CONF_ASM_TOKEN) or secrets.token_hex(8),
        }
        if any(kept.get(key) != value for key, value in data.items()):
            # Who only wants to see the page again need not have the station answer.
            await _async_prove(hass, data)
        return Proven(title=f"IPAC {data[CONF_HOST]}", data=data)

    @override
    def page(self, hass: HomeAssistant, data: Mapping[str, Any]) -> dict[str, str]:
        """Return what to type into the station's ASM screen."""
        try:
            # The station is in the same network.
            uri = get_url(hass, allow_external=False)
        except NoURLAvailableError:
            uri = ""
        return {
            "uri": uri,
            "path": PATH.format(secret=data[CONF_ASM_SECRET]),
            "token": data[CONF_ASM_TOKEN],
        }

    @override
    def reauth_schema(self) -> vol.Schema:
        """Ask for the login that the station has refused."""
        return vol.Schema(
            {
                vol.Optional(CONF_USERNAME): TextSelector(),
                vol.Required(CONF_PASSWORD): PASSWORD,
            }
        )

    @override
    async def reauth(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        about: Mapping[str, Any],
        answers: Mapping[str, Any],
    ) -> None:
        """Prove the new login, and keep it."""
        data = {
            **entry.data,
            CONF_USERNAME: answers.get(CONF_USERNAME) or entry.data[CONF_USERNAME],
            CONF_PASSWORD: answers[CONF_PASSWORD],
        }
        await _async_prove(hass, data)
        hass.config_entries.async_update_entry(entry, data=data)


async def _async_prove(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Make the one call that changes nothing at the door.

    Raises:
        FormError: the station answers, but refuses.
        WireError: it does not answer as a station does.

    """
    try:
        await make_client(hass, data).stop_sound()
    except Refused as err:
        raise FormError("unexpected_reply") from err
