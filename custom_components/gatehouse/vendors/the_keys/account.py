"""The Keys' account on the vendor's server: finds a lock's share code, once.

Source: what public clients of the vendor's server have seen of it. It is asked only
while a lock is being set up, and neither login nor token is kept.
"""

from collections.abc import Mapping
from http import HTTPMethod, HTTPStatus
import re
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

from ...wire import (
    InvalidAuth,
    Secret,
    UnexpectedReply,
    http_errors,
    parse_json,
    printable,
    read_bounded,
)

ACCOUNT_URL = "https://api.the-keys.fr"

SHARE_NAME = "Home Assistant"

_GATEWAY_TYPE = 1
_TIMEOUT = aiohttp.ClientTimeout(total=20)
_MAX_ID = 64
_ID = re.compile(rf"[\w-]{{1,{_MAX_ID}}}", re.ASCII)

_MAX_REPLY = 1024 * 1024
"""Bytes of a reply at most; what an account knows of a lock is a few KiB."""


class AccountGateway(NamedTuple):
    """A gateway as the account knows it."""

    id: int
    accessory_id: str
    """Printed on the gateway's leaflet."""


class AccountLock(NamedTuple):
    """A lock as the account knows it."""

    id: int
    identifier: str
    name: str
    gateways: tuple[AccountGateway, ...]


class AccountClient:
    """An account.

    Every method may raise `CannotConnect`, `TimedOut`, `InvalidAuth` or
    `UnexpectedReply`.
    """

    def __init__(self, session: aiohttp.ClientSession, url: URL) -> None:
        """Prepare to talk to the vendor's server; nothing is sent."""
        self._session = session
        self._url = url
        self._token: Secret | None = None

    async def login(self, phone: str, password: Secret) -> None:
        """Log in with a telephone number in international form."""
        reply = await self._request(
            HTTPMethod.POST,
            "api/login_check",
            {"_username": phone, "_password": password.reveal()},
        )
        token = reply.get("access_token") or reply.get("token")
        if not isinstance(token, str):
            raise UnexpectedReply("no token")
        self._token = Secret(token)

    async def locks(self, phone: str) -> list[AccountLock]:
        """Return the account's locks, each with the gateways it is paired with."""
        user = await self._data(f"fr/api/v2/utilisateur/get/{phone}")
        try:
            return [
                AccountLock(
                    id=_number(lock["id"]),
                    identifier=_id(lock["id_serrure"]),
                    name=_name(lock.get("nom")) or _id(lock["id_serrure"]),
                    gateways=tuple(
                        AccountGateway(
                            id=_number(accessory["id"]),
                            accessory_id=_id(accessory["id_accessoire"]),
                        )
                        for link in lock.get("accessoires") or ()
                        if _number((accessory := link["accessoire"])["type"])
                        == _GATEWAY_TYPE
                    ),
                )
                for lock in user["serrures"]
            ]
        except (KeyError, TypeError, ValueError) as err:
            raise UnexpectedReply("the account's locks") from err

    async def address(self, gateway: AccountGateway) -> str | None:
        """Return the gateway's address in the home, where the account knows it."""
        data = await self._data(f"fr/api/v2/accessoire/get/{gateway.id}")
        info = data.get("info")
        ip = info.get("ip") if isinstance(info, dict) else None
        return ip if isinstance(ip, str) else None

    async def share_code(self, lock: AccountLock, gateway: AccountGateway) -> Secret:
        """Return the code of the share named "Home Assistant", made if there is none."""
        shares = await self._data(f"fr/api/v2/partage/all/serrure/{lock.id}")
        try:
            for share in shares.get("partages_accessoire") or ():
                if (
                    share["nom"] == SHARE_NAME
                    and share.get("actif", True)
                    and _id(share["accessoire"]["id_accessoire"])
                    == gateway.accessory_id
                    and share.get("code")
                ):
                    return _code(share["code"])
            created = await self._data(
                f"fr/api/v2/partage/create/{lock.id}/accessoire/{gateway.accessory_id}",
                {
                    "partage_accessoire[nom]": SHARE_NAME,
                    "partage_accessoire[description]": "",
                },
            )
            return _code(created["code"])
        except (KeyError, TypeError, ValueError) as err:
            raise UnexpectedReply("the lock's shares") from err

    async def _data(
        self, path: str, form: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Ask as the user who has logged in, and open the reply's envelope."""
        method = HTTPMethod.GET if form is None else HTTPMethod.POST
        data = (await self._request(method, path, form)).get("data")
        if not isinstance(data, dict):
            raise UnexpectedReply("no data")
        return data

    async def _request(
        self, method: HTTPMethod, path: str, form: Mapping[str, str] | None
    ) -> dict[str, Any]:
        """Send one request and return the reply, an object."""
        headers = {}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.reveal()}"
        with http_errors():
            async with self._session.request(
                method,
                self._url.joinpath(*path.split("/")),
                data=form,
                headers=headers,
                allow_redirects=False,
                timeout=_TIMEOUT,
            ) as response:
                if response.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                    raise InvalidAuth
                body = await read_bounded(response.content, _MAX_REPLY)
        reply = parse_json(body)
        if not isinstance(reply, dict):
            raise UnexpectedReply("not an object")
        if reply.get("error") == "invalid_grant":
            raise InvalidAuth
        if response.status != HTTPStatus.OK:
            raise UnexpectedReply(f"HTTP {response.status}")
        return reply


def _number(value: Any) -> int:
    """Return a number of the account's own; it may come as text.

    Raises:
        ValueError: it is none.

    """
    text = _id(value)
    if not text.isdecimal():
        raise ValueError("no number")
    return int(text)


def _id(value: Any) -> str:
    """Return what something is called, which becomes a part of addresses.

    Raises:
        ValueError: it cannot be one.

    """
    if isinstance(value, str | int):
        text = str(value)
        if _ID.fullmatch(text):
            return text
    raise ValueError("no id")


def _name(value: Any) -> str | None:
    """Return what the user has called something, if it can be shown."""
    return printable(value) if isinstance(value, str) else None


def _code(value: Any) -> Secret:
    """Return a share code.

    Raises:
        ValueError: it cannot be one.

    """
    text = str(value)
    if (
        isinstance(value, bool)
        or not isinstance(value, str | int)
        or not (text.isascii() and text.isprintable())
        or not 0 < len(text) <= _MAX_ID
    ):
        raise ValueError("no code")
    return Secret(text)
