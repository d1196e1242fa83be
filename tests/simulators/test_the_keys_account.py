"""The stand-in of The Keys' cloud."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from freezegun.api import FrozenDateTimeFactory
import pytest

from simulators.the_keys_account import (
    KEYPAD_TYPE,
    Account,
    AccountGateway,
    AccountLock,
    AccountShare,
)

PHONE = "+33600000000"
PASSWORD = "invented password"
NOW = 1700000000

GATEWAY = AccountGateway(31, "TK-INVENTED-1", "192.0.2.31")
HIDDEN = AccountGateway(32, "TK-INVENTED-2")
KEYPAD = AccountGateway(33, "KP-INVENTED-1", name="Pad", accessory_type=KEYPAD_TYPE)


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    """Return an account with two locks."""
    async with Account(
        PHONE,
        PASSWORD,
        [
            AccountLock(10000001, "Front door", 71, [GATEWAY, KEYPAD]),
            AccountLock(10000002, "Side gate", 72, [GATEWAY, HIDDEN]),
        ],
        shares=[AccountShare(1, 71, KEYPAD.accessory, "Pad", "InventedCode0009")],
        clock=lambda: NOW,
    ) as account:
        yield account


@pytest.fixture
async def ask(account: Account) -> AsyncIterator[Any]:
    """Return what sends the cloud a request: status and answer."""
    async with aiohttp.ClientSession() as session:

        async def ask(
            method: str, path: str, form: dict[str, str] | None = None, token: str = ""
        ) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with session.request(
                method, f"{account.url}{path}", data=form, headers=headers
            ) as response:
                return response.status, await response.json()

        yield ask


@pytest.fixture
async def token(ask: Any) -> str:
    """Return the token of a login."""
    status, told = await ask(
        "POST", "/api/login_check", {"_username": PHONE, "_password": PASSWORD}
    )
    assert status == 200
    assert told["token"] == told["access_token"]
    assert told["expires_in"] == 3600
    return str(told["access_token"])


def envelope(data: Any) -> dict[str, Any]:
    """Return the cloud's envelope around data."""
    return {"status": 200, "data": data, "message": {"global": [], "form": []}}


async def test_wrong_password(account: Account, ask: Any) -> None:
    """A wrong password is refused; with which status is not known."""
    wrong = {"_username": PHONE, "_password": "wrong"}
    status, told = await ask("POST", "/api/login_check", wrong)
    assert (status, told["error"]) == (400, "invalid_grant")
    account.refused_login_status = 401
    assert (await ask("POST", "/api/login_check", wrong))[0] == 401
    assert account.requests[0].form == wrong


async def test_token(account: Account, ask: Any, token: str) -> None:
    """Nothing is told without a good token."""
    path = f"/fr/api/v2/utilisateur/get/{PHONE}"
    status, told = await ask("GET", path)
    assert (status, told["error"]) == (401, "access_denied")
    assert (await ask("GET", path, token="invented"))[0] == 401
    assert (await ask("GET", path, token=token))[0] == 200
    account.expire_tokens()
    status, told = await ask("GET", path, token=token)
    assert (status, told["error"]) == (401, "invalid_grant")


@pytest.mark.parametrize("phone", [PHONE, "%2B33600000000"])
async def test_user(ask: Any, token: str, phone: str) -> None:
    """The user has locks, and these have accessories."""
    status, told = await ask(
        "GET", f"/fr/api/v2/utilisateur/get/{phone}?_format=json", token=token
    )
    assert status == told["status"] == 200
    front, side = told["data"]["serrures"]
    assert (front["id"], front["id_serrure"], front["nom"]) == (
        71,
        10000001,
        "Front door",
    )
    assert front["accessoires"][0] == {
        "accessoire": {
            "id": 31,
            "id_accessoire": "TK-INVENTED-1",
            "nom": "TK Gateway",
            "type": 1,
        },
        "info": {"last_seen": "2023-11-14 22:13:20", "ip": "192.0.2.31"},
    }
    assert [known["accessoire"]["type"] for known in front["accessoires"]] == [1, 2]
    assert side["accessoires"][1]["info"] == {"last_seen": "2023-11-14 22:13:20"}


async def test_not_found(account: Account, ask: Any, token: str) -> None:
    """What is not found is null."""
    account.user_found = False
    for method, path in (
        ("GET", f"/fr/api/v2/utilisateur/get/{PHONE}"),
        ("GET", "/fr/api/v2/accessoire/get/99"),
        ("GET", "/fr/api/v2/partage/all/serrure/99"),
        ("POST", "/fr/api/v2/partage/create/99/accessoire/TK-INVENTED-1"),
        # The number does not name the accessory here, its text does.
        ("POST", "/fr/api/v2/partage/create/71/accessoire/31"),
    ):
        form = {"partage_accessoire[nom]": "x"} if method == "POST" else None
        assert await ask(method, path, form, token) == (200, envelope(None))
    account.user_found = True
    assert await ask("GET", "/fr/api/v2/utilisateur/get/+33611111111", None, token) == (
        200,
        envelope(None),
    )


async def test_accessory(ask: Any, token: str) -> None:
    """A gateway tells its address on the local network, unless that is hidden."""
    _, told = await ask("GET", "/fr/api/v2/accessoire/get/31", token=token)
    assert told["data"]["info"]["ip"] == "192.0.2.31"
    assert told["data"]["id_accessoire"] == "TK-INVENTED-1"
    _, told = await ask("GET", "/fr/api/v2/accessoire/get/32", token=token)
    assert "ip" not in told["data"]["info"]


async def test_shares(account: Account, ask: Any, token: str) -> None:
    """A share is created with a code of its own and then listed."""
    create = "/fr/api/v2/partage/create/71/accessoire/TK-INVENTED-1"
    form = {
        "partage_accessoire[nom]": "Home Assistant",
        "partage_accessoire[description]": "",
    }
    status, told = await ask("POST", create, form, token)
    made = account.shares[-1]
    assert status == 200
    assert told == envelope({"id": made.identifier, "code": made.code})
    assert (made.lock, made.accessory, made.name) == (
        71,
        "TK-INVENTED-1",
        "Home Assistant",
    )
    assert len(made.code) == 16
    _, told = await ask("GET", "/fr/api/v2/partage/all/serrure/71", token=token)
    assert told["data"]["partages_utilisateur"] == []
    pad, listed = told["data"]["partages_accessoire"]
    assert pad["accessoire"]["type"] == KEYPAD_TYPE
    assert listed["code"] == made.code
    assert listed["actif"] is True
    assert listed["accessoire"] == {
        "id": 31,
        "id_accessoire": "TK-INVENTED-1",
        "type": 1,
    }
    _, told = await ask("GET", "/fr/api/v2/partage/all/serrure/72", token=token)
    assert told["data"]["partages_accessoire"] == []


async def test_share_creation_fails(account: Account, ask: Any, token: str) -> None:
    """A share without a name is refused, and any, if so wished."""
    create = "/fr/api/v2/partage/create/71/accessoire/TK-INVENTED-1"
    status, told = await ask("POST", create, {}, token)
    assert (status, told["status"], told["data"]) == (400, 400, None)
    assert told["message"]["form"]
    account.share_creation_fails = True
    form = {"partage_accessoire[nom]": "Home Assistant"}
    assert (await ask("POST", create, form, token))[0] == 400
    assert len(account.shares) == 1


async def test_share_of_a_lost_accessory(
    account: Account, ask: Any, token: str
) -> None:
    """A share stays when its accessory has been taken down."""
    account.shares.append(AccountShare(2, 72, "TK-GONE", "Old", "InventedCode0008"))
    _, told = await ask("GET", "/fr/api/v2/partage/all/serrure/72", token=token)
    assert told["data"]["partages_accessoire"][0]["accessoire"] == {
        "id": 0,
        "id_accessoire": "TK-GONE",
        "type": 1,
    }


async def test_restart(account: Account) -> None:
    """The cloud comes back at the same address."""
    url = account.url
    await account.stop()
    await account.stop()
    await account.start()
    assert account.url == url


async def test_clock(freezer: FrozenDateTimeFactory) -> None:
    """A token ages with frozen time."""
    async with Account(PHONE, PASSWORD) as account, aiohttp.ClientSession() as session:
        async with session.post(
            f"{account.url}/api/login_check",
            data={"_username": PHONE, "_password": PASSWORD},
        ) as response:
            token = (await response.json())["token"]
        for seconds, status in ((3599, 200), (3, 401)):
            freezer.tick(seconds)
            async with session.get(
                f"{account.url}/fr/api/v2/utilisateur/get/{PHONE}",
                headers={"Authorization": f"Bearer {token}"},
            ) as response:
                assert response.status == status
