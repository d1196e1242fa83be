"""The forms of SenseLink: how it delivers, and what to type into its screen."""

from collections.abc import Mapping
import secrets
from typing import Any, override

import voluptuous as vol
from yarl import URL

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from ...flow import PASSWORD, FormError, Proven, VendorFlow, base_url, says_https
from .hub import (
    CONF_APP_KEY,
    CONF_APP_SECRET,
    CONF_DELIVERY,
    CONF_PHOTOS,
    CONF_SECRET,
    CONF_TLS,
    CONF_VERIFY_TLS,
    CONF_WEB_URL,
    KEY,
    Delivery,
    make_client,
)
from .view import URL as PATH

DEFAULT_PORT = 9000

_CREDENTIALS = (CONF_APP_KEY, CONF_APP_SECRET)


class SenseLinkFlow(VendorFlow):
    """Ask for the server, and prove the key at its websocket."""

    options = vol.Schema({vol.Required(CONF_PHOTOS, default=False): BooleanSelector()})

    @override
    def schema(self, entry: ConfigEntry | None) -> vol.Schema:
        """Return the form; what a subscription can do without is not demanded."""
        return vol.Schema(
            {
                vol.Required(CONF_DELIVERY, default=Delivery.WEBSOCKET): SelectSelector(
                    SelectSelectorConfig(
                        options=list(Delivery), translation_key=CONF_DELIVERY
                    )
                ),
                vol.Optional(CONF_HOST): TextSelector(),
                vol.Required(CONF_PORT, default=DEFAULT_PORT): NumberSelector(
                    NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)
                ),
                vol.Optional(CONF_APP_KEY): TextSelector(),
                vol.Optional(CONF_APP_SECRET): PASSWORD,
                vol.Required(CONF_TLS, default=False): BooleanSelector(),
                vol.Required(CONF_VERIFY_TLS, default=True): BooleanSelector(),
                vol.Required(CONF_PHOTOS, default=False): BooleanSelector(),
                vol.Optional(CONF_WEB_URL): TextSelector(
                    TextSelectorConfig(type=TextSelectorType.URL)
                ),
            }
        )

    @override
    def clean(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Write addresses in one way, and leave out what was left empty."""
        cleaned = {
            key: value
            for key, answer in answers.items()
            if (value := answer.strip() if isinstance(answer, str) else answer) != ""
        }
        if CONF_PORT in cleaned:
            cleaned[CONF_PORT] = int(cleaned[CONF_PORT])
        if host := cleaned.get(CONF_HOST):
            https = says_https(host)
            url = base_url(host, scheme="https" if https else "http")
            cleaned[CONF_HOST] = url.host
            # Who types it there means it.
            cleaned[CONF_PORT] = url.explicit_port or cleaned[CONF_PORT]
            cleaned[CONF_TLS] = cleaned[CONF_TLS] or https
        if web_url := cleaned.get(CONF_WEB_URL):
            cleaned[CONF_WEB_URL] = _clean_web_url(web_url)
        return cleaned

    @override
    async def prove(
        self, hass: HomeAssistant, answers: Mapping[str, Any], entry: ConfigEntry | None
    ) -> Proven:
        """Connect, and hear that the key is accepted.

        A subscription proves itself by the first event; there is nothing to call.
        """
        kept = {} if entry is None else entry.data
        options = {CONF_PHOTOS: answers[CONF_PHOTOS]}
        data = {
            **{key: kept[key] for key in (*_CREDENTIALS, CONF_SECRET) if key in kept},
            **{key: value for key, value in answers.items() if key not in options},
        }
        host = data.get(CONF_HOST)
        if data[CONF_DELIVERY] == Delivery.WEBSOCKET:
            for key in (CONF_HOST, *_CREDENTIALS):
                if key not in data:
                    raise FormError("needed_for_websocket", key)
            await _async_prove(hass, data)
        else:
            data.setdefault(CONF_SECRET, secrets.token_hex(16))
        if options[CONF_PHOTOS] and host is None and CONF_WEB_URL not in data:
            raise FormError("needed_for_photos", CONF_HOST)
        return Proven(
            title="SenseLink" if host is None else f"SenseLink {host}",
            data=data,
            unique_id=None if host is None else f"{KEY}:{host}:{data[CONF_PORT]}",
            options=options,
        )

    @override
    def clean_options(
        self, entry: ConfigEntry, options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the options; photos must be fetched from somewhere."""
        if options[CONF_PHOTOS] and not entry.data.keys() & {CONF_HOST, CONF_WEB_URL}:
            raise FormError("needed_for_photos", CONF_PHOTOS)
        return options

    @override
    def page(self, hass: HomeAssistant, data: Mapping[str, Any]) -> dict[str, str]:
        """Return the address to type into SenseLink's screen."""
        if data[CONF_DELIVERY] == Delivery.WEBSOCKET:
            return {}
        try:
            # The server is in the same network, if it is not the cloud.
            base = get_url(hass)
        except NoURLAvailableError:
            base = ""
        return {"url": f"{base}{PATH.format(secret=data[CONF_SECRET])}"}

    @override
    def reauth_schema(self) -> vol.Schema:
        """Ask for another key."""
        return vol.Schema(
            {
                vol.Required(CONF_APP_KEY): TextSelector(),
                vol.Required(CONF_APP_SECRET): PASSWORD,
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
        """Prove another key, and keep it."""
        data = {**entry.data, **answers}
        await _async_prove(hass, data)
        hass.config_entries.async_update_entry(entry, data=data)


async def _async_prove(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Connect, and end the connection as soon as the key has been accepted."""
    link = await make_client(hass, data).connect()
    await link.close()


def _clean_web_url(text: str) -> str:
    """Return the base of the pictures' addresses.

    Raises:
        FormError: it cannot be one.

    """
    try:
        url = URL(text.removesuffix("/"))
        # An international name is only read now.
        host = url.host
    except ValueError as err:
        raise FormError("invalid_url", CONF_WEB_URL) from err
    if (
        url.scheme not in ("http", "https")
        or not host
        or url.user
        or url.password
        or url.query_string
        or url.fragment
    ):
        raise FormError("invalid_url", CONF_WEB_URL)
    return str(url)
