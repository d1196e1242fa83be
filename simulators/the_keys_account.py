"""The Keys' cloud, as far as it tells of an account's locks and their shares.

Written from what public clients of `api.the-keys.fr` send and read. Answers come in an
envelope of `status`, `data` and `message`; `data` is null for what is not found.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
import itertools
import secrets
import string
import time
from typing import Any, override

from aiohttp import web

from .loopback import LoopbackServer, make_app_runner

GATEWAY_TYPE = 1
KEYPAD_TYPE = 2


def wall_clock() -> float:
    """Return the seconds since 1970, also when a test has frozen them."""
    return time.time()


@dataclass
class AccountGateway:
    """An accessory of an account: a gateway, unless it is of another type.

    Attributes:
        identifier: The cloud's number of it.
        accessory: The text that is printed on its leaflet and names it in shares.
        ip: Its address on the local network, or None where the cloud hides it.
        name: Shown in the app.
        accessory_type: 1 for a gateway, 2 for a keypad.
        version: Of its firmware.
    """

    identifier: int
    accessory: str
    ip: str | None = None
    name: str = "TK Gateway"
    accessory_type: int = GATEWAY_TYPE
    version: int = 65


@dataclass
class AccountLock:
    """A lock of an account.

    Attributes:
        identifier: What the gateway calls it by (`id_serrure`).
        name: Shown in the app.
        cloud_id: The cloud's own number of it, used in addresses.
        gateways: Accessories that know the lock.
        battery: In millivolts.
    """

    identifier: int
    name: str
    cloud_id: int
    gateways: list[AccountGateway] = field(default_factory=list)
    battery: int = 7783


@dataclass
class AccountShare:
    """The right of an accessory to move a lock.

    Attributes:
        identifier: The cloud's number of it.
        lock: The cloud's own number of the lock.
        accessory: The text that names the accessory.
        name: Shown in the app.
        code: The secret that signs requests.
        active: Whether it holds.
    """

    identifier: int
    lock: int
    accessory: str
    name: str
    code: str
    active: bool = True


@dataclass(frozen=True)
class AccountRequest:
    """A request that the cloud has received.

    Attributes:
        method: GET or POST.
        path: Decoded.
        form: The fields of its body.
        headers: By their names in lower case.
    """

    method: str
    path: str
    form: dict[str, str]
    headers: dict[str, str]


class Account(LoopbackServer):
    """The cloud with one account, on a loopback port.

    Attributes:
        phone: The account's user name, in international form.
        password: The account's password.
        locks: The account's locks.
        shares: Shares of these locks, oldest first.
        requests: All that was received, oldest first.
        token_lifetime: How long a token is good for, in seconds.
        user_found: Whether the user is; if not, `data` is null.
        share_creation_fails: Whether a new share is refused.
        refused_login_status: The HTTP status of a wrong password.
    """

    def __init__(
        self,
        phone: str,
        password: str,
        locks: Iterable[AccountLock] = (),
        *,
        shares: Iterable[AccountShare] = (),
        token_lifetime: int = 3600,
        clock: Callable[[], float] = wall_clock,
    ) -> None:
        """Take the account's user and locks; it is served once started."""
        super().__init__()
        self.phone = phone
        self.password = password
        self.locks = list(locks)
        self.shares = list(shares)
        self.requests: list[AccountRequest] = []
        self.token_lifetime = token_lifetime
        self.user_found = True
        self.share_creation_fails = False
        self.refused_login_status = 400
        self._clock = clock
        self._tokens: dict[str, float] = {}
        self._numbers = itertools.count(5001)

    @override
    def _make_runner(self) -> web.AppRunner:
        app = web.Application(middlewares=[self._record])
        app.add_routes(
            [
                web.post("/api/login_check", self._log_in),
                web.get("/fr/api/v2/utilisateur/get/{phone}", self._get_user),
                web.get("/fr/api/v2/accessoire/get/{identifier}", self._get_accessory),
                web.get("/fr/api/v2/partage/all/serrure/{lock}", self._get_shares),
                web.post(
                    "/fr/api/v2/partage/create/{lock}/accessoire/{accessory}",
                    self._create_share,
                ),
            ]
        )
        return make_app_runner(app)

    def expire_tokens(self) -> None:
        """Let all tokens that were given out be too old."""
        self._tokens = dict.fromkeys(self._tokens, -1.0)

    @web.middleware
    async def _record(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Any],
    ) -> web.StreamResponse:
        """Record a request, and refuse it without a good token."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.requests.append(
            AccountRequest(
                request.method,
                request.path,
                form,
                {name.lower(): value for name, value in request.headers.items()},
            )
        )
        if request.path != "/api/login_check":
            kind, _, token = request.headers.get("Authorization", "").partition(" ")
            if kind != "Bearer" or token not in self._tokens:
                return _refuse("access_denied", "OAuth2 authentication required", 401)
            if self._tokens[token] < self._clock():
                return _refuse(
                    "invalid_grant", "The access token provided has expired.", 401
                )
        response: web.StreamResponse = await handler(request)
        return response

    async def _log_in(self, request: web.Request) -> web.Response:
        """Give out a token for phone and password."""
        form = await request.post()
        if (form.get("_username"), form.get("_password")) != (
            self.phone,
            self.password,
        ):
            return _refuse(
                "invalid_grant",
                "Invalid username and password combination",
                self.refused_login_status,
            )
        token = secrets.token_hex(20)
        self._tokens[token] = self._clock() + self.token_lifetime
        return web.json_response(
            {
                "access_token": token,
                "expires_in": self.token_lifetime,
                "token_type": "bearer",
                "scope": None,
                "refresh_token": secrets.token_hex(20),
                # Some clients use this name instead of the first.
                "token": token,
            }
        )

    async def _get_user(self, request: web.Request) -> web.Response:
        """Tell of the account's locks and their accessories."""
        if not self.user_found or request.match_info["phone"] != self.phone:
            return _envelope(None)
        return _envelope({"serrures": [self._lock(lock) for lock in self.locks]})

    async def _get_accessory(self, request: web.Request) -> web.Response:
        """Tell of an accessory by the cloud's number of it."""
        for gateway in self._accessories():
            if str(gateway.identifier) == request.match_info["identifier"]:
                return _envelope(
                    {
                        "id": gateway.identifier,
                        "id_accessoire": gateway.accessory,
                        "nom": gateway.name,
                        "type": gateway.accessory_type,
                        "version": gateway.version,
                        "public_key": None,
                        "info": self._info(gateway),
                    }
                )
        return _envelope(None)

    async def _get_shares(self, request: web.Request) -> web.Response:
        """Tell of a lock's shares."""
        lock = self._find(request.match_info["lock"])
        if lock is None:
            return _envelope(None)
        return _envelope(
            {
                "partages_utilisateur": [],
                "partages_accessoire": [
                    self._share(share)
                    for share in self.shares
                    if share.lock == lock.cloud_id
                ],
                "partages_demande": [],
            }
        )

    async def _create_share(self, request: web.Request) -> web.Response:
        """Share a lock with an accessory, which its text names, not its number."""
        lock = self._find(request.match_info["lock"])
        accessory = request.match_info["accessory"]
        if lock is None or accessory not in {
            known.accessory for known in self._accessories()
        }:
            return _envelope(None)
        name = str((await request.post()).get("partage_accessoire[nom]", ""))
        if self.share_creation_fails or not name:
            return _envelope(None, 400, "Le formulaire n'est pas valide.")
        share = AccountShare(
            next(self._numbers),
            lock.cloud_id,
            accessory,
            name,
            "".join(
                secrets.choice(string.ascii_letters + string.digits) for _ in range(16)
            ),
        )
        self.shares.append(share)
        return _envelope({"id": share.identifier, "code": share.code})

    def _accessories(self) -> list[AccountGateway]:
        return [gateway for lock in self.locks for gateway in lock.gateways]

    def _find(self, cloud_id: str) -> AccountLock | None:
        """Return a lock by the text of the cloud's number of it."""
        return next(
            (lock for lock in self.locks if str(lock.cloud_id) == cloud_id), None
        )

    def _lock(self, lock: AccountLock) -> dict[str, Any]:
        """Return a lock in the cloud's words."""
        return {
            "id": lock.cloud_id,
            "id_serrure": lock.identifier,
            "nom": lock.name,
            "etat": "closed",
            "version": 81,
            "version_cible": 81,
            "battery": lock.battery,
            "timezone": "Europe/Paris",
            "produit": {"nom": "TK 1.5.1"},
            "accessoires": [
                {
                    "accessoire": {
                        "id": gateway.identifier,
                        "id_accessoire": gateway.accessory,
                        "nom": gateway.name,
                        "type": gateway.accessory_type,
                    },
                    "info": self._info(gateway),
                }
                for gateway in lock.gateways
            ],
        }

    def _info(self, gateway: AccountGateway) -> dict[str, str]:
        """Return where a gateway was seen; the time has no zone, as in the cloud."""
        seen = datetime.fromtimestamp(self._clock(), UTC)
        info = {"last_seen": seen.strftime("%Y-%m-%d %H:%M:%S")}
        if gateway.ip is not None:
            info["ip"] = gateway.ip
        return info

    def _share(self, share: AccountShare) -> dict[str, Any]:
        """Return a share in the cloud's words."""
        accessory = next(
            (
                known
                for known in self._accessories()
                if known.accessory == share.accessory
            ),
            # One that has been taken down since.
            AccountGateway(0, share.accessory),
        )
        return {
            "id": share.identifier,
            "nom": share.name,
            "actif": share.active,
            "code": share.code,
            "date_debut": None,
            "date_fin": None,
            "accessoire": {
                "id": accessory.identifier,
                "id_accessoire": accessory.accessory,
                "type": accessory.accessory_type,
            },
        }


def _envelope(data: Any, status: int = 200, error: str = "") -> web.Response:
    """Return an answer in the cloud's envelope."""
    return web.json_response(
        {
            "status": status,
            "data": data,
            "message": {"global": [], "form": [error] if error else []},
        },
        status=status,
    )


def _refuse(error: str, description: str, status: int) -> web.Response:
    """Return the refusal of a login or a token."""
    return web.json_response(
        {"error": error, "error_description": description}, status=status
    )
