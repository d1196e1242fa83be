"""The forms of The Keys: the gateway's address, and a share code for each lock."""

from collections.abc import Mapping
import re
from typing import Any, override

import voluptuous as vol
from yarl import URL

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentry,
    SubentryFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PASSWORD
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from ...const import CONF_VENDOR, DOMAIN
from ...flow import (
    PASSWORD,
    DeviceSubentryFlow,
    FormError,
    Proven,
    VendorFlow,
    base_url,
    form_errors,
)
from ...wire import CannotConnect, Secret, TimedOut, UnexpectedReply
from . import account
from .client import Share
from .hub import (
    CONF_IDENTIFIER,
    CONF_SHARE_CODE,
    CONF_SUBENTRY_ID,
    KEY,
    LOCK,
    TheKeysHub,
    make_client,
)
from .protocol import Code, Locker, Refusal

SUGGESTED_HOST = "thekeys.local"

CONF_PHONE = "phone"

_NOT_IN_PHONE = re.compile(r"[\s().-]")

# What the form says when the gateway refuses to read the lock.
_REFUSALS: dict[int, str] = {
    Code.INVALID_HMAC: "invalid_auth",
    Code.NOT_SHARED: "share_missing",
    Code.KEY_REFUSED: "share_not_synchronized",
    Code.NOT_COMPATIBLE: "lock_not_compatible",
    Code.CLOCK_INVALID: "clock_invalid",
    Code.BUSY: "gateway_busy",
}

_UNLEARNT = frozenset({"invalid_auth", "share_missing"})
"""What it says of a share that the gateway has not heard of yet, though it exists."""


class LockFlow(DeviceSubentryFlow):
    """Add a lock by its share code, typed or fetched from the user's account."""

    def __init__(self) -> None:
        """Begin without an account."""
        self._account: account.AccountClient | None = None
        self._account_locks: dict[str, account.AccountLock] = {}

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask where the share code is to come from."""
        _hub_of(self._get_entry())
        return self.async_show_menu(step_id="user", menu_options=["manual", "account"])

    async def async_step_manual(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the share code."""
        return await self.async_form("manual", user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a lock's name or share code."""
        _hub_of(self._get_entry())
        return await self.async_form("reconfigure", user_input)

    async def async_step_account(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Log in to the account; the login is not kept."""
        errors: dict[str, str] = {}
        if user_input is not None:
            # People write it as it is printed: +33 6 12 34 56 78.
            phone = _NOT_IN_PHONE.sub("", user_input[CONF_PHONE])
            client = account.AccountClient(
                async_get_clientsession(self.hass), URL(account.ACCOUNT_URL)
            )
            try:
                await client.login(phone, Secret(user_input[CONF_PASSWORD]))
                locks = await client.locks(phone)
            except Exception as err:  # noqa: BLE001  # shown and, if unknown, logged
                errors = form_errors(err)
            else:
                offered = set(self._offered())
                self._account = client
                self._account_locks = {
                    lock.identifier: lock
                    for lock in locks
                    if lock.identifier in offered
                }
                if self._account_locks:
                    return await self.async_step_account_lock()
                errors = {"base": "no_lock_found"}
        return self.async_show_form(
            step_id="account",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(
                    {
                        vol.Required(CONF_PHONE): TextSelector(
                            TextSelectorConfig(type=TextSelectorType.TEL)
                        ),
                        vol.Required(CONF_PASSWORD): PASSWORD,
                    }
                ),
                {CONF_PHONE: user_input[CONF_PHONE]} if user_input else None,
            ),
            errors=errors,
        )

    async def async_step_account_lock(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Choose one of the account's locks, and fetch or make its share."""
        errors: dict[str, str] = {}
        if user_input is not None:
            lock = self._account_locks[user_input[CONF_IDENTIFIER]]
            try:
                code = await self._async_share_code(lock)
                proven = await self.async_prove(
                    {
                        CONF_IDENTIFIER: lock.identifier,
                        CONF_NAME: lock.name,
                        CONF_SHARE_CODE: code.reveal(),
                    }
                )
            except Exception as err:  # noqa: BLE001  # shown and, if unknown, logged
                errors = form_errors(err)
                if isinstance(err, FormError) and err.key in _UNLEARNT:
                    # The code is right, for it comes from the account.
                    errors = {"base": "share_not_synchronized"}
            else:
                return self.async_finish(proven)
        return self.async_show_form(
            step_id="account_lock",
            data_schema=vol.Schema(
                {
                    vol.Required(
                        CONF_IDENTIFIER, default=next(iter(self._account_locks))
                    ): SelectSelector(
                        SelectSelectorConfig(
                            options=[
                                SelectOptionDict(value=identifier, label=lock.name)
                                for identifier, lock in self._account_locks.items()
                            ]
                        )
                    )
                }
            ),
            errors=errors,
        )

    @override
    async def async_schema(self) -> vol.Schema:
        """Return the form; of a lock that is there the code may be left empty."""
        if self.reconfigured is not None:
            return vol.Schema(
                {
                    vol.Required(CONF_NAME): TextSelector(),
                    vol.Optional(CONF_SHARE_CODE): PASSWORD,
                }
            )
        return vol.Schema(
            {
                vol.Required(CONF_IDENTIFIER): SelectSelector(
                    SelectSelectorConfig(options=self._offered(), custom_value=True)
                ),
                vol.Required(CONF_NAME): TextSelector(),
                vol.Required(CONF_SHARE_CODE): PASSWORD,
            }
        )

    @override
    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Do not show the code again."""
        return {key: value for key, value in data.items() if key != CONF_SHARE_CODE}

    @override
    async def async_prove(self, answers: Mapping[str, Any]) -> Proven:
        """Read the lock with its code."""
        kept: Mapping[str, Any] = {}
        if self.reconfigured is not None:
            kept = self.reconfigured.data
        identifier = answers.get(CONF_IDENTIFIER) or kept[CONF_IDENTIFIER]
        identifier = identifier.strip()
        if not identifier.isdecimal() or not identifier.isascii():
            raise FormError("invalid_identifier", CONF_IDENTIFIER)
        if not kept and identifier in _configured_locks(self.hass):
            raise AbortFlow("already_configured")
        if code := (answers.get(CONF_SHARE_CODE) or "").strip():
            await _async_prove_code(self._hub, identifier, code)
        return Proven(
            title=answers[CONF_NAME],
            data={
                CONF_IDENTIFIER: identifier,
                CONF_SHARE_CODE: code or kept[CONF_SHARE_CODE],
            },
            unique_id=identifier,
        )

    async def _async_share_code(self, lock: account.AccountLock) -> Secret:
        """Return the code of the share between a lock and this entry's gateway."""
        assert self._account is not None
        gateway = await self._async_gateway(self._account, lock)
        code = await self._account.share_code(lock, gateway)
        try:
            # Gateway and lock learn of a new share by synchronising.
            await self._hub.client.synchronize()
            await self._hub.client.locker_synchronize(lock.identifier)
        except Refusal as err:
            raise FormError("share_not_synchronized") from err
        return code

    async def _async_gateway(
        self, client: account.AccountClient, lock: account.AccountLock
    ) -> account.AccountGateway:
        """Return this entry's gateway among those that a lock is paired with."""
        if len(lock.gateways) == 1:
            return lock.gateways[0]
        host = base_url(self._get_entry().data[CONF_HOST]).host
        for gateway in lock.gateways:
            if await client.address(gateway) == host:
                return gateway
        raise FormError("gateway_not_found")

    def _offered(self) -> list[str]:
        """Return the locks that the gateway sees and that are not set up yet."""
        configured = _configured_locks(self.hass)
        return [
            identifier
            for identifier in self._hub.lockers
            if identifier not in configured
        ]

    @property
    def _hub(self) -> TheKeysHub:
        return _hub_of(self._get_entry())


class TheKeysFlow(VendorFlow):
    """Ask for the gateway's address."""

    duplicates_by = (CONF_HOST,)
    subentries = {LOCK: LockFlow}  # noqa: RUF012  # the base declares it a ClassVar

    @override
    def schema(self, entry: ConfigEntry | None) -> vol.Schema:
        """Suggest the name that gateways are known to answer to."""
        return vol.Schema(
            {
                vol.Required(
                    CONF_HOST, description={"suggested_value": SUGGESTED_HOST}
                ): TextSelector()
            }
        )

    @override
    def clean(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Write the address in one way, for people write it in several."""
        if CONF_SHARE_CODE in answers:
            return {CONF_SHARE_CODE: answers[CONF_SHARE_CODE].strip()}
        url = base_url(answers[CONF_HOST])
        return {CONF_HOST: str(url).removeprefix(f"{url.scheme}://")}

    @override
    async def prove(
        self, hass: HomeAssistant, answers: Mapping[str, Any], entry: ConfigEntry | None
    ) -> Proven:
        """List the gateway's locks.

        A gateway has neither serial number nor name, and several may see the same
        locks, so nothing but its address tells it from another. One that sees locks of
        a gateway that does not answer is taken for that one, which has moved.
        """
        host = answers[CONF_HOST]
        lockers = await _async_lockers(hass, host)
        identifiers = {locker.identifier for locker in lockers}
        if entry is not None:
            configured = _locks_of(entry)
            if configured and configured.isdisjoint(identifiers):
                raise FormError("wrong_gateway", CONF_HOST)
        else:
            for other in _entries(hass):
                if not _locks_of(other).isdisjoint(identifiers):
                    try:
                        await _async_lockers(hass, other.data[CONF_HOST])
                    except (CannotConnect, UnexpectedReply) as err:
                        raise AbortFlow("already_configured") from err
        return Proven(title=f"The Keys {host}", data={CONF_HOST: host})

    @override
    def reauth_schema(self) -> vol.Schema:
        """Ask for the share code that a lock's signature was refused for."""
        return vol.Schema({vol.Required(CONF_SHARE_CODE): PASSWORD})

    @override
    def reauth_placeholders(
        self, entry: ConfigEntry, about: Mapping[str, Any]
    ) -> dict[str, str]:
        """Name the lock."""
        return {"name": _subentry_of(entry, about).title}

    @override
    async def reauth(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        about: Mapping[str, Any],
        answers: Mapping[str, Any],
    ) -> None:
        """Read the lock with the new code, and keep it."""
        subentry = _subentry_of(entry, about)
        code = answers[CONF_SHARE_CODE]
        await _async_prove_code(_hub_of(entry), subentry.data[CONF_IDENTIFIER], code)
        hass.config_entries.async_update_subentry(
            entry, subentry, data={**subentry.data, CONF_SHARE_CODE: code}
        )


def _hub_of(entry: ConfigEntry) -> TheKeysHub:
    """Return the hub of an entry, without which no lock can be read.

    Raises:
        AbortFlow: it is not running, or not any more.

    """
    if entry.state is not ConfigEntryState.LOADED:
        raise AbortFlow("entry_not_loaded")
    hub: TheKeysHub = entry.runtime_data
    return hub


def _subentry_of(entry: ConfigEntry, about: Mapping[str, Any]) -> ConfigSubentry:
    """Return the lock that re-authentication is about.

    Raises:
        AbortFlow: it has been removed meanwhile.

    """
    if (subentry := entry.subentries.get(about.get(CONF_SUBENTRY_ID, ""))) is None:
        raise AbortFlow("lock_removed")
    return subentry


async def _async_lockers(hass: HomeAssistant, host: str) -> list[Locker]:
    """Return a gateway's locks; one that is busy is asked to be tried again."""
    try:
        return await make_client(hass, host).lockers()
    except Refusal as err:
        raise TimedOut if err.code == Code.BUSY else UnexpectedReply from err


async def _async_prove_code(hub: TheKeysHub, identifier: str, code: str) -> None:
    """Read a lock with a share code.

    Raises:
        FormError: the gateway refuses, for a reason that the form tells.

    """
    if not code.isascii() or not code.isprintable():
        raise FormError("invalid_share_code", CONF_SHARE_CODE)
    try:
        await hub.client.locker_status(Share(identifier, Secret(code)))
    except Refusal as err:
        # All else means that the lock cannot be reached at the moment.
        raise FormError(_REFUSALS.get(err.code, "lock_not_reachable")) from err


def _configured_locks(hass: HomeAssistant) -> set[str]:
    """Return the locks that are set up at any gateway; none may be set up twice."""
    return {lock for entry in _entries(hass) for lock in _locks_of(entry)}


def _entries(hass: HomeAssistant) -> list[ConfigEntry]:
    """Return the entries of all gateways."""
    return [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        if entry.data[CONF_VENDOR] == KEY
    ]


def _locks_of(entry: ConfigEntry) -> set[str]:
    """Return the locks that are set up at a gateway."""
    return {subentry.data[CONF_IDENTIFIER] for subentry in entry.subentries.values()}
