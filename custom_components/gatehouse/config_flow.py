"""Config flow: a menu of vendors, and behind each its own form."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_HOST
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow

from .const import CONF_VENDOR, DOMAIN
from .flow import (
    FormError,
    Proven,
    async_addresses,
    clean_people,
    form_errors,
    people_selector,
)
from .hub import configuration
from .people import CONF_PEOPLE
from .vendor import Vendor
from .vendors import VENDORS, vendor_of

type Step = Callable[[dict[str, Any] | None], Awaitable[ConfigFlowResult]]


class GatehouseConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up, reconfigure and re-authenticate any vendor.

    A vendor `x` has the steps `x` (its form), `x_reconfigure` (the same for an entry),
    `x_page` (what to type at the vendor) and `x_reauth`; they are found by name, so that
    the registry alone decides which exist.
    """

    VERSION = 1

    def __init__(self) -> None:
        """Begin with nothing proven."""
        self._proven: Proven | None = None
        self._reauth_about: Mapping[str, Any] = {}

    def __getattr__(self, name: str) -> Step:
        """Return the step of a vendor."""
        for key, vendor in VENDORS.items():
            for step_name, step in (
                (f"async_step_{key}", self._async_form),
                (f"async_step_{key}_reconfigure", self._async_form),
                (f"async_step_{key}_page", self._async_page),
                (f"async_step_{key}_reauth", self._async_reauth),
            ):
                if name == step_name:
                    return partial(step, vendor)
        raise AttributeError(name)

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the vendor."""
        return self.async_show_menu(
            step_id="user", menu_options=list(VENDORS), sort=True
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the vendor's form again."""
        return await self._async_form(vendor_of(self._get_reconfigure_entry()), None)

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Ask for a credential that the vendor has refused."""
        self._reauth_about = entry_data
        return await self._async_reauth(vendor_of(self._get_reauth_entry()), None)

    async def _async_form(
        self, vendor: Vendor, answers: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Show a vendor's form until its answers are proven."""
        entry = self._reconfigured
        errors: dict[str, str] = {}
        if answers is not None:
            try:
                cleaned = await self._async_cleaned(vendor, answers)
                self._proven = await vendor.flow.prove(self.hass, cleaned, entry)
            except Exception as err:  # noqa: BLE001  # shown and, if unknown, logged
                errors = form_errors(err)
            else:
                return await self._async_proven(vendor)
        return self.async_show_form(
            step_id=vendor.key if entry is None else f"{vendor.key}_reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                vendor.flow.schema(entry),
                answers or (self._shown_of(vendor, entry) if entry else None),
            ),
            errors=errors,
        )

    async def _async_cleaned(
        self, vendor: Vendor, answers: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the answers, cleaned.

        Raises:
            AbortFlow: another entry has the same.
            FormError: an answer cannot stand.

        """
        cleaned = vendor.flow.clean(answers)
        for field in vendor.flow.duplicates_by:
            if field in cleaned:
                self._async_abort_entries_match(
                    {CONF_VENDOR: vendor.key, field: cleaned[field]}
                )
                if field == CONF_HOST:
                    await self._async_abort_same_address(vendor, cleaned[field])
        return cleaned

    async def _async_abort_same_address(self, vendor: Vendor, host: str) -> None:
        """End the flow if another entry has the same device under another name.

        Raises:
            AbortFlow: it has.

        """
        others = {
            entry.data[CONF_HOST]
            for entry in self._async_current_entries(include_ignore=False)
            if entry.data[CONF_VENDOR] == vendor.key and entry is not self._reconfigured
        }
        if not others:
            return
        addresses = await async_addresses(self.hass, host)
        for other in others:
            if addresses & await async_addresses(self.hass, other):
                raise AbortFlow("already_configured")

    async def _async_proven(self, vendor: Vendor) -> ConfigFlowResult:
        """Go on with proven answers: to the page that an inbound vendor has, or home."""
        assert self._proven is not None
        if self._proven.unique_id is not None:
            await self.async_set_unique_id(self._proven.unique_id)
            entry = self._reconfigured
            if entry is None or entry.unique_id != self._proven.unique_id:
                self._abort_if_unique_id_configured()
        if vendor.flow.page(self.hass, self._proven.data):
            return await self._async_page(vendor, None)
        return self._finish(vendor)

    async def _async_page(
        self, vendor: Vendor, answers: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Show what to type into the vendor's screen."""
        assert self._proven is not None
        if answers is not None:
            return self._finish(vendor)
        return self.async_show_form(
            step_id=f"{vendor.key}_page",
            description_placeholders=vendor.flow.page(self.hass, self._proven.data),
        )

    def _finish(self, vendor: Vendor) -> ConfigFlowResult:
        """Create the entry, or update the one that is reconfigured."""
        assert self._proven is not None
        data = {CONF_VENDOR: vendor.key, **self._proven.data}
        if (entry := self._reconfigured) is not None:
            loaded = entry.state is ConfigEntryState.LOADED
            done = self.async_update_and_abort(
                entry,
                unique_id=self._proven.unique_id,
                data=data,
                options={**entry.options, **self._proven.options},
            )
            # A running one notices a change by itself, and is not to be interrupted
            # by nothing more than a look at the page.
            if not loaded:
                self.hass.config_entries.async_schedule_reload(entry.entry_id)
            return done
        return self.async_create_entry(
            title=self._proven.title, data=data, options=self._proven.options
        )

    async def _async_reauth(
        self, vendor: Vendor, answers: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Ask for a credential until it is proven."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if answers is not None:
            loaded = entry.state is ConfigEntryState.LOADED
            before = configuration(entry)
            try:
                cleaned = await self._async_cleaned(vendor, answers)
                await vendor.flow.reauth(self.hass, entry, self._reauth_about, cleaned)
            except Exception as err:  # noqa: BLE001  # shown and, if unknown, logged
                errors = form_errors(err)
            else:
                # What has been refused, though it is right now, is tried again at once.
                # A running one notices a change by itself.
                if not loaded or configuration(entry) == before:
                    self.hass.config_entries.async_schedule_reload(entry.entry_id)
                return self.async_update_and_abort(entry)
        return self.async_show_form(
            step_id=f"{vendor.key}_reauth",
            data_schema=self.add_suggested_values_to_schema(
                vendor.flow.reauth_schema(), answers or self._shown_of(vendor, entry)
            ),
            errors=errors,
            description_placeholders=vendor.flow.reauth_placeholders(
                entry, self._reauth_about
            ),
        )

    @property
    def _reconfigured(self) -> ConfigEntry | None:
        """Return the entry that is reconfigured, if any."""
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_entry()
        return None

    @staticmethod
    def _shown_of(vendor: Vendor, entry: ConfigEntry) -> dict[str, Any]:
        """Return what the form may show of an entry."""
        return {
            key: value
            for key, value in {**entry.data, **entry.options}.items()
            if key not in vendor.secrets
        }

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to an entry."""
        return dict(vendor_of(config_entry).flow.subentries)

    @classmethod
    @callback
    @override
    def async_supports_options_flow(cls, config_entry: ConfigEntry) -> bool:
        """Tell whether the vendor has options."""
        return _options_schema(config_entry) is not None

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the flow of the vendor's options."""
        return GatehouseOptionsFlow()


class GatehouseOptionsFlow(OptionsFlow):
    """Choose a vendor's options. The entry notices by itself that they have changed."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the options until the answers can stand."""
        if vendor_of(self.config_entry).names_people:
            return await self.async_step_people(user_input)
        return await self._async_form("init", user_input)

    async def async_step_people(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show them with who is who, which the frontend explains in the form's text."""
        return await self._async_form("people", user_input)

    async def _async_form(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Show a form until its answers can stand."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                options = vendor_of(self.config_entry).flow.clean_options(
                    self.config_entry, clean_people(user_input)
                )
            except FormError as err:
                errors = form_errors(err)
            else:
                return self.async_create_entry(data=options)
        schema = _options_schema(self.config_entry)
        assert schema is not None
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                schema, user_input or self.config_entry.options
            ),
            errors=errors,
        )


def _options_schema(entry: ConfigEntry) -> vol.Schema | None:
    """Return what can be chosen on an entry: the vendor's options, and who is who."""
    vendor = vendor_of(entry)
    if not vendor.names_people:
        return vendor.flow.options
    loaded = entry.state is ConfigEntryState.LOADED
    strangers = entry.runtime_data.people.strangers if loaded else ()
    return (vendor.flow.options or vol.Schema({})).extend(
        {vol.Optional(CONF_PEOPLE): people_selector(strangers)}
    )
