"""An account's server that answers otherwise than it should."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import ClientSession, ClientTimeout, web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.gatehouse.vendors.the_keys import account
from custom_components.gatehouse.vendors.the_keys.account import (
    AccountClient,
    AccountGateway,
    AccountLock,
)
from custom_components.gatehouse.wire import Secret, TimedOut, UnexpectedReply

GATEWAY = AccountGateway(id=71, accessory_id="GW-1")
LOCK = AccountLock(id=501, identifier="10000001", name="Front", gateways=(GATEWAY,))

type Ask = Callable[[AccountClient], Awaitable[object]]


@pytest.fixture
async def replies(socket_enabled: None) -> AsyncIterator[tuple[AccountClient, list]]:
    """Return a client, and the list of what its server will answer."""
    replies: list[web.Response] = []

    async def handle(request: web.Request) -> web.Response:
        return replies.pop(0)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server, ClientSession() as session:
        yield AccountClient(session, server.make_url("/")), replies


@pytest.mark.parametrize(
    ("body", "ask"),
    [
        (b"{}", lambda client: client.login("+33600000000", Secret("x"))),
        (b'{"token": 5}', lambda client: client.login("+33600000000", Secret("x"))),
        (b"[]", lambda client: client.locks("+33600000000")),
        (b"<html>", lambda client: client.locks("+33600000000")),
        (b'{"data": null}', lambda client: client.locks("+33600000000")),
        (b'{"data": {}}', lambda client: client.locks("+33600000000")),
        (b'{"data": {"serrures": 5}}', lambda client: client.locks("+33600000000")),
        (
            b'{"data": {"serrures": [{"id": "x"}]}}',
            lambda client: client.locks("+33600000000"),
        ),
        (
            b'{"data": {"partages_accessoire": [{}]}}',
            lambda client: client.share_code(LOCK, GATEWAY),
        ),
        (b" " * 5_000_000, lambda client: client.locks("+33600000000")),
    ],
)
async def test_unexpected_replies(
    replies: tuple[AccountClient, list[web.Response]], body: bytes, ask: Ask
) -> None:
    """What cannot be understood is said to be so, and nothing of it is quoted."""
    client, answers = replies
    answers.append(web.Response(body=body))
    with pytest.raises(UnexpectedReply):
        await ask(client)


async def test_long_replies(
    replies: tuple[AccountClient, list[web.Response]],
) -> None:
    """A reply of a MiB is read, and none that is longer."""
    client, answers = replies
    for length in (2**20, 2**20 + 1):
        answers.append(web.Response(body=b'{"access_token": "x"}'.ljust(length)))
    await client.login("+33600000000", Secret("x"))
    with pytest.raises(UnexpectedReply):
        await client.login("+33600000000", Secret("x"))


@pytest.mark.parametrize("accessory", ["../../x", "a/b", "a?b", "", "..", "a b"])
async def test_odd_accessory(
    replies: tuple[AccountClient, list[web.Response]], accessory: str
) -> None:
    """What becomes a part of the next address cannot make it another one."""
    client, answers = replies
    lock = {
        "id": 1,
        "id_serrure": 10000001,
        "nom": "Front door",
        "accessoires": [
            {"accessoire": {"id": 1, "id_accessoire": accessory, "type": 1}}
        ],
    }
    answers.append(web.json_response({"data": {"serrures": [lock]}}))
    with pytest.raises(UnexpectedReply):
        await client.locks("+33600000000")


@pytest.mark.parametrize("identifier", ["x", "٣", -1, 1.5, None, "1" * 65, 10**64])
async def test_odd_number(
    replies: tuple[AccountClient, list[web.Response]], identifier: object
) -> None:
    """A lock's number is one, and not longer than any the vendor would give."""
    client, answers = replies
    lock = {"id": identifier, "id_serrure": 10000001, "nom": "Front door"}
    answers.append(web.json_response({"data": {"serrures": [lock]}}))
    with pytest.raises(UnexpectedReply):
        await client.locks("+33600000000")


@pytest.mark.parametrize("name", [None, "", "\n", ["a"], 5])
async def test_odd_name(
    replies: tuple[AccountClient, list[web.Response]], name: object
) -> None:
    """A lock without a name that can be shown is called by its number."""
    client, answers = replies
    lock = {"id": 1, "id_serrure": 10000001, "nom": name}
    answers.append(web.json_response({"data": {"serrures": [lock]}}))
    (found,) = await client.locks("+33600000000")
    assert found.name == "10000001"


@pytest.mark.parametrize("code", [True, 1.5, ["a"], "é", "a\nb", "x" * 65])
@pytest.mark.parametrize("made", [False, True])
async def test_odd_share_code(
    replies: tuple[AccountClient, list[web.Response]], code: object, made: bool
) -> None:
    """What no gateway could be asked with is refused, old or just made."""
    client, answers = replies
    share = {
        "nom": account.SHARE_NAME,
        "accessoire": {"id_accessoire": "GW-1"},
        "code": None if made else code,
    }
    answers.append(web.json_response({"data": {"partages_accessoire": [share]}}))
    answers.append(web.json_response({"data": {"code": code}}))
    with pytest.raises(UnexpectedReply):
        await client.share_code(LOCK, GATEWAY)


@pytest.mark.parametrize("code", ["Invented-4711", 4711])
async def test_share_code(
    replies: tuple[AccountClient, list[web.Response]], code: object
) -> None:
    """A code may come as a number."""
    client, answers = replies
    answers.append(web.json_response({"data": {}}))
    answers.append(web.json_response({"data": {"code": code}}))
    assert (await client.share_code(LOCK, GATEWAY)).reveal() == str(code)


async def test_other_status(replies: tuple[AccountClient, list[web.Response]]) -> None:
    """A server in trouble is told from a wrong login."""
    client, answers = replies
    answers.append(web.json_response({}, status=502))
    with pytest.raises(UnexpectedReply):
        await client.locks("+33600000000")


async def test_unknown_address(
    replies: tuple[AccountClient, list[web.Response]],
) -> None:
    """A gateway whose address the account does not know has none."""
    client, answers = replies
    answers.append(web.json_response({"data": {"info": None}}))
    assert await client.address(GATEWAY) is None


async def test_silence(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer is not waited for."""
    monkeypatch.setattr(account, "_TIMEOUT", ClientTimeout(total=0.05))

    done = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        await done.wait()
        return web.Response()

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    async with TestServer(app) as server, ClientSession() as session:
        with pytest.raises(TimedOut):
            await AccountClient(session, server.make_url("/")).locks("+33600000000")
        done.set()
