"""The part of the config flow that is the same for every vendor.

A vendor says what its form asks and proves the answers; the steps, the errors, and what
becomes of the entry are handled here and in `config_flow.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
import logging
import socket
from typing import Any, ClassVar

import voluptuous as vol
from yarl import URL

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigSubentry,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    ObjectSelector,
    ObjectSelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.util.network import is_host_valid

from . import wire
from .people import CONF_PEOPLE, CONF_PERSON, plain

_LOGGER = logging.getLogger(__name__)

PASSWORD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))

_ERRORS: dict[type[wire.WireError], str] = {
    wire.CannotConnect: "cannot_connect",
    wire.LostReply: "cannot_connect",
    wire.InvalidAuth: "invalid_auth",
    wire.TimedOut: "timeout",
    wire.UnexpectedReply: "unexpected_reply",
}


class FormError(Exception):
    """An answer that cannot stand; shown in the form, which stays open."""

    def __init__(self, key: str, field: str = "base") -> None:
        """Name the translated error and the field that it belongs to."""
        super().__init__(key)
        self.key = key
        self.field = field


def form_errors(err: Exception) -> dict[str, str]:
    """Return what a form shows for an error that came up while proving answers.

    Raises:
        AbortFlow: the answers end the flow instead, for instance as a duplicate.

    """
    if isinstance(err, AbortFlow):
        raise err
    if isinstance(err, FormError):
        return {err.field: err.key}
    for error_type, key in _ERRORS.items():
        if isinstance(err, error_type):
            return {"base": key}
    _LOGGER.error("Unexpected error in the config flow", exc_info=err)
    return {"base": "unknown"}


@dataclass(frozen=True, kw_only=True)
class Proven:
    """Answers that have been proven, and what they make of an entry or sub-entry."""

    title: str
    data: Mapping[str, Any]
    unique_id: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Answers that can be changed later without a new proof; of entries only."""


class VendorFlow(ABC):
    """What one vendor's forms ask, and how the answers prove themselves."""

    duplicates_by: ClassVar[tuple[str, ...]] = ()
    """Fields, none of which any two entries of the vendor may share.

    Hosts are the same also if they lead to the same address.
    """

    subentries: ClassVar[Mapping[str, type[ConfigSubentryFlow]]] = {}
    """The flow of each sub-entry type."""

    options: ClassVar[vol.Schema | None] = None
    """What can be chosen on the entry afterwards."""

    @abstractmethod
    def schema(self, entry: ConfigEntry | None) -> vol.Schema:
        """Return the form; `entry` is the one that is reconfigured, if any.

        Secrets are not shown again: of an entry they may be left empty.
        """

    def clean(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answers of a form as they are compared with those of other entries.

        The form of re-authentication has only some of the fields.

        Raises:
            FormError: an answer cannot stand.

        """
        return dict(answers)

    @abstractmethod
    async def prove(
        self, hass: HomeAssistant, answers: Mapping[str, Any], entry: ConfigEntry | None
    ) -> Proven:
        """Prove the cleaned answers against the vendor.

        Raises:
            FormError: an answer cannot stand.
            WireError: the vendor's side did not prove them.

        """

    def clean_options(
        self, entry: ConfigEntry, options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return what has been chosen on an entry as it is to be kept.

        Raises:
            FormError: it cannot stand.

        """
        return options

    def page(self, hass: HomeAssistant, data: Mapping[str, Any]) -> dict[str, str]:
        """Return the placeholders of the page that says what to type at the vendor.

        Empty where there is no such page.
        """
        return {}

    @abstractmethod
    def reauth_schema(self) -> vol.Schema:
        """Return the form that asks for a credential again."""

    def reauth_placeholders(
        self, entry: ConfigEntry, about: Mapping[str, Any]
    ) -> dict[str, str]:
        """Return what the form's text names; `about` is what reauth was started with."""
        return {"name": entry.title}

    @abstractmethod
    async def reauth(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        about: Mapping[str, Any],
        answers: Mapping[str, Any],
    ) -> None:
        """Prove the new credential and put it where it belongs.

        Raises:
            FormError: an answer cannot stand.
            WireError: the vendor's side did not prove it.

        """


class DeviceSubentryFlow(ConfigSubentryFlow, ABC):
    """The flow of a sub-entry that has a name, most often that of a device."""

    @property
    def reconfigured(self) -> ConfigSubentry | None:
        """Return the sub-entry that is reconfigured, if any."""
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_subentry()
        return None

    @property
    def others(self) -> list[ConfigSubentry]:
        """Return the other sub-entries of the same entry and type."""
        mine = self.reconfigured
        return [
            subentry
            for subentry in self._get_entry().subentries.values()
            if subentry.subentry_type == self._subentry_type
            and (mine is None or subentry.subentry_id != mine.subentry_id)
        ]

    @abstractmethod
    async def async_schema(self) -> vol.Schema:
        """Return the form."""

    @abstractmethod
    async def async_prove(self, answers: Mapping[str, Any]) -> Proven:
        """Prove the form's answers.

        Raises:
            FormError: an answer cannot stand.
            WireError: the vendor's side did not prove them.

        """

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return what of a sub-entry the form may show again."""
        return dict(data)

    async def async_form(
        self, step_id: str, answers: dict[str, Any] | None
    ) -> SubentryFlowResult:
        """Show the form until its answers are proven; then create or update."""
        errors: dict[str, str] = {}
        subentry = self.reconfigured
        if answers is not None:
            try:
                proven = await self.async_prove(_named(answers))
            except Exception as err:  # noqa: BLE001  # shown and, if unknown, logged
                errors = form_errors(err)
            else:
                return self.async_finish(proven)
        if answers is None and subentry is not None:
            answers = self.shown({**subentry.data, CONF_NAME: subentry.title})
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                await self.async_schema(), answers
            ),
            errors=errors,
        )

    def async_finish(self, proven: Proven) -> SubentryFlowResult:
        """Create the sub-entry, or update the one that is reconfigured."""
        if (subentry := self.reconfigured) is not None:
            return self.async_update_and_abort(
                self._get_entry(),
                subentry,
                title=proven.title,
                data=proven.data,
                unique_id=proven.unique_id,
            )
        return self.async_create_entry(
            title=proven.title, data=proven.data, unique_id=proven.unique_id
        )


def _named(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers of a sub-entry's form, with the name as it will be shown.

    Raises:
        FormError: there is none.

    """
    if not (name := answers[CONF_NAME].strip()):
        raise FormError("name_empty", CONF_NAME)
    return {**answers, CONF_NAME: name}


def people_selector(strangers: Iterable[str]) -> ObjectSelector:
    """Return what asks who is who; `strangers` are offered to be chosen from."""
    offered = sorted(strangers, key=plain)
    return ObjectSelector(
        ObjectSelectorConfig(
            fields={
                CONF_NAME: {
                    "required": True,
                    "selector": SelectSelector(
                        SelectSelectorConfig(
                            options=offered,
                            custom_value=True,
                            mode=SelectSelectorMode.DROPDOWN,
                        )
                    )
                    if offered
                    else TextSelector(),
                },
                CONF_PERSON: {
                    "required": True,
                    "selector": EntitySelector(EntitySelectorConfig(domain="person")),
                },
            },
            multiple=True,
            label_field=CONF_NAME,
            description_field=CONF_PERSON,
            translation_key=CONF_PEOPLE,
        )
    )


def clean_people(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options in which each name or number stands for one person.

    Raises:
        FormError: one is empty, or stands for two.

    """
    cleaned = dict(options)
    if CONF_PEOPLE in cleaned:
        cleaned[CONF_PEOPLE] = [
            {**one, CONF_NAME: one[CONF_NAME].strip()}
            for one in cv.ensure_list(cleaned[CONF_PEOPLE])
        ]
        names = [plain(one[CONF_NAME]) for one in cleaned[CONF_PEOPLE]]
        if "" in names:
            raise FormError("name_empty", CONF_PEOPLE)
        if len(set(names)) < len(names):
            raise FormError("name_twice", CONF_PEOPLE)
    return cleaned


def says_https(host: str) -> bool:
    """Tell whether a host was written as a URL of HTTPS."""
    return host.strip().lower().startswith("https://")


def base_url(host: str, *, scheme: str = "http") -> URL:
    """Return the URL of a device given as host, host:port, IPv4, IPv6, or a URL.

    Raises:
        FormError: it is none of these.

    """
    text = host.strip().removesuffix("/")
    if text.lower().startswith(f"{scheme}://"):
        text = text[len(scheme) + len("://") :]
    if text.count(":") > 1 and not text.startswith("["):
        text = f"[{text}]"
    try:
        url = URL(f"{scheme}://{text}")
        # An international name is only read now.
        found = url.host and url.raw_host
    except ValueError as err:
        raise FormError("invalid_host", "host") from err
    if (
        not found
        or not is_host_valid(found)
        or not url.port
        or url.user
        or url.raw_path != "/"
        or url.raw_query_string
    ):
        raise FormError("invalid_host", "host")
    return url.origin()


async def async_addresses(
    hass: HomeAssistant, host: str
) -> set[tuple[str, int | None]]:
    """Return to which addresses and port a host leads; none if nobody knows its name."""
    url = base_url(host)
    try:
        found = await hass.loop.getaddrinfo(url.host, None, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {(str(address[0]), url.explicit_port) for *_, address in found}
