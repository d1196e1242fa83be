"""Setting up a gateway and its locks."""

from collections.abc import AsyncIterator
import socket
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    start_reauth_flow,
)

from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.vendors.the_keys import account as account_module
from custom_components.gatehouse.vendors.the_keys.flow import TheKeysFlow
from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntryState,
    ConfigFlowResult,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from simulators.the_keys import Fault, Gateway
from simulators.the_keys_account import (
    Account,
    AccountGateway,
    AccountLock,
    AccountShare,
)

from .conftest import CODE, FRONT, OTHER_CODE, SIDE

PHONE = "+33600000000"
TYPED_PHONE = "+33 (6) 00.00-00 00"
PASSWORD = "invented password"


async def form(hass: HomeAssistant) -> ConfigFlowResult:
    """Return the gateway's form, reached through the menu."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    return await hass.config_entries.flow.async_configure(
        menu["flow_id"], {"next_step_id": "the_keys"}
    )


async def answer(
    hass: HomeAssistant, shown: ConfigFlowResult, host: str
) -> ConfigFlowResult:
    """Send the gateway's form."""
    result = await hass.config_entries.flow.async_configure(
        shown["flow_id"], {"host": host}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


async def test_set_up(hass: HomeAssistant, gateway: Gateway) -> None:
    """A gateway that lists its locks is set up."""
    shown = await form(hass)
    assert shown["step_id"] == "the_keys"
    (field,) = shown["data_schema"].schema
    assert field.description == {"suggested_value": "thekeys.local"}
    created = await answer(hass, shown, f" http://{gateway.host}/ ")
    assert created["data"] == {"vendor": "the_keys", "host": gateway.host}
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert created["result"].state is ConfigEntryState.LOADED


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.hang(acted=False), "timeout"),
        (Fault.busy(), "timeout"),
        (Fault.reset(acted=False), "cannot_connect"),
        (Fault.code(37), "unexpected_reply"),
        (Fault.reply(b"<html>", content_type="text/html"), "unexpected_reply"),
        (Fault.reply(b'{"status": "ok"}'), "unexpected_reply"),
        (Fault.reply(b"", status=404), "unexpected_reply"),
        (Fault.reply(b"[]", status=302), "unexpected_reply"),
    ],
)
@pytest.mark.usefixtures("impatient")
async def test_errors(
    hass: HomeAssistant, gateway: Gateway, fault: Fault, error: str
) -> None:
    """What goes wrong is said in the form, which can be sent again."""
    # Twice, for the HTTP library asks again where asking does no harm.
    gateway.inject("/lockers", fault, times=2)
    shown = await form(hass)
    again = await answer(hass, shown, gateway.host)
    assert again["errors"] == {"base": error}
    gateway.clear_faults()
    created = await answer(hass, shown, gateway.host)
    assert created["type"] is FlowResultType.CREATE_ENTRY


async def test_nobody_there(hass: HomeAssistant, gateway: Gateway) -> None:
    """A refused connection is told from a wrong answer."""
    await gateway.stop()
    shown = await form(hass)
    again = await answer(hass, shown, gateway.host)
    assert again["errors"] == {"base": "cannot_connect"}
    await gateway.start()
    created = await answer(hass, shown, gateway.host)
    assert created["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    "host",
    ["", "a b", "host/path", "user@host", "host:port", "host:0", "host?x", "[::1"],
)
async def test_bad_host(hass: HomeAssistant, gateway: Gateway, host: str) -> None:
    """What is no address is refused before anything is sent."""
    shown = await form(hass)
    again = await answer(hass, shown, host)
    assert again["errors"] == {"host": "invalid_host"}
    created = await answer(hass, shown, gateway.host)
    assert created["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        ("::1", "[::1]"),
        ("[fe80::1]:8080", "[fe80::1]:8080"),
        ("192.0.2.1:8080", "192.0.2.1:8080"),
        ("TheKeys.local", "thekeys.local"),
        ("http://thekeys.local:80/", "thekeys.local"),
        ("HTTP://TheKeys.local", "thekeys.local"),
        ("clés.local", "xn--cls-cma.local"),
    ],
)
def test_spellings(host: str, authority: str) -> None:
    """An address is written in one way, however it was typed."""
    assert TheKeysFlow().clean({"host": host}) == {"host": authority}


async def test_no_locks(hass: HomeAssistant, gateway: Gateway) -> None:
    """A gateway without locks can be set up; they may come later."""
    for lock in gateway.locks.values():
        lock.visible = False
    created = await answer(hass, await form(hass), gateway.host)
    assert created["type"] is FlowResultType.CREATE_ENTRY


async def test_duplicates(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """No gateway is set up twice, by whatever name of the same address."""
    port = gateway.host.rpartition(":")[2]
    for host in (gateway.host, f"HTTP://{gateway.host}/", f"localhost:{port}"):
        aborted = await answer(hass, await form(hass), host)
        assert aborted["reason"] == "already_configured"


async def test_unknown_name(
    hass: HomeAssistant,
    gateway: Gateway,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A gateway whose name nobody knows any more hinders no other."""

    async def getaddrinfo(host: str, *_: object, **__: object) -> list[Any]:
        if host == "gone.local":
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0))]

    monkeypatch.setattr(hass.loop, "getaddrinfo", getaddrinfo)
    entry.add_to_hass(hass)
    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "host": "gone.local"}
    )
    created = await answer(hass, await form(hass), gateway.host)
    assert created["type"] is FlowResultType.CREATE_ENTRY


async def test_two_gateways_with_the_same_locks(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """A second gateway may see the locks of the first; each is set up at one of them."""
    async with Gateway(gateway.locks.values()) as second:
        created = await answer(hass, await form(hass), second.host)
        assert created["type"] is FlowResultType.CREATE_ENTRY
        shown = await choose(
            hass, await add_lock(hass, created["result"]), {"next_step_id": "manual"}
        )
        selector = next(iter(shown["data_schema"].schema.values()))
        assert selector.config["options"] == [str(SIDE)]
        added = await choose(hass, shown, MANUAL)
        assert added["type"] is FlowResultType.CREATE_ENTRY
        await hass.config_entries.async_unload(created["result"].entry_id)
    assert hass.states.get("lock.front_door_door").state == "locked"


async def test_moved_gateway(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """A gateway whose locks another had, which is gone, is that one and no second."""
    locks = list(gateway.locks.values())
    await gateway.stop()
    async with Gateway(locks) as moved:
        aborted = await answer(hass, await form(hass), moved.host)
        assert aborted["reason"] == "already_configured"
        done = await answer(hass, await home.start_reconfigure_flow(hass), moved.host)
        assert done["reason"] == "reconfigure_successful"
        created = await answer(hass, await form(hass), moved.host)
        assert created["reason"] == "already_configured"


async def test_reconfigure(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """The address can be changed; the new one must belong to the same gateway."""
    shown = await home.start_reconfigure_flow(hass)
    (field,) = shown["data_schema"].schema
    assert field.description == {"suggested_value": gateway.host}
    async with Gateway([]) as stranger:
        again = await answer(hass, shown, stranger.host)
    assert again["errors"] == {"host": "wrong_gateway"}
    async with Gateway(gateway.locks.values()) as moved:
        done = await answer(hass, shown, moved.host)
        assert done["reason"] == "reconfigure_successful"
        assert home.data["host"] == moved.host
        assert home.state is ConfigEntryState.LOADED


async def test_reconfigure_same_address(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """The running hub's own queue is used, so that the gateway is not overrun."""
    done = await answer(hass, await home.start_reconfigure_flow(hass), gateway.host)
    assert done["reason"] == "reconfigure_successful"
    assert gateway.max_concurrent == 1


async def add_lock(hass: HomeAssistant, home: MockConfigEntry) -> SubentryFlowResult:
    """Begin to add a lock."""
    return await hass.config_entries.subentries.async_init(
        (home.entry_id, "lock"), context={"source": SOURCE_USER}
    )


async def choose(
    hass: HomeAssistant, shown: SubentryFlowResult, answers: dict[str, Any]
) -> SubentryFlowResult:
    """Send a form of a sub-entry."""
    result = await hass.config_entries.subentries.async_configure(
        shown["flow_id"], answers
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


MANUAL = {
    "identifier": str(SIDE),
    "name": "Side gate",
    "share_code": OTHER_CODE,
}


async def test_manual(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """A lock is offered, proven by reading it, and there."""
    menu = await add_lock(hass, home)
    assert menu["menu_options"] == ["manual", "account"]
    shown = await choose(hass, menu, {"next_step_id": "manual"})
    selector = next(iter(shown["data_schema"].schema.values()))
    assert selector.config["options"] == [str(SIDE)]
    # Who copies takes blanks along.
    blanks = {"name": " Side gate ", "share_code": f" {OTHER_CODE}\n"}
    created = await choose(hass, shown, MANUAL | blanks)
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert created["title"] == "Side gate"
    assert created["data"]["share_code"] == OTHER_CODE
    assert hass.states.get("lock.side_gate_door").state == "locked"


@pytest.mark.parametrize(
    ("answers", "faults", "errors"),
    [
        ({"identifier": "front"}, [], {"identifier": "invalid_identifier"}),
        ({"name": " "}, [], {"name": "name_empty"}),
        ({"share_code": "schlüssel"}, [], {"share_code": "invalid_share_code"}),
        ({"share_code": "wrong"}, [], {"base": "invalid_auth"}),
        ({}, [Fault.code(32)], {"base": "share_missing"}),
        ({}, [Fault.code(34)], {"base": "lock_not_reachable"}),
        ({}, [Fault.code(35)], {"base": "lock_not_compatible"}),
        ({}, [Fault.code(36)] * 2, {"base": "share_not_synchronized"}),
        ({}, [Fault.code(38)] * 2, {"base": "clock_invalid"}),
        ({}, [Fault.busy()] * 4, {"base": "gateway_busy"}),
        ({}, [Fault.hang(acted=False)], {"base": "timeout"}),
    ],
)
@pytest.mark.usefixtures("impatient")
async def test_manual_errors(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    answers: dict[str, str],
    faults: list[Fault],
    errors: dict[str, str],
) -> None:
    """What cannot be proven is not set up; the form can be sent again."""
    for fault in faults:
        gateway.inject("/locker_status", fault)
    shown = await choose(hass, await add_lock(hass, home), {"next_step_id": "manual"})
    again = await choose(hass, shown, MANUAL | answers)
    assert again["errors"] == errors
    created = await choose(hass, shown, MANUAL)
    assert created["type"] is FlowResultType.CREATE_ENTRY


async def test_lock_twice(hass: HomeAssistant, home: MockConfigEntry) -> None:
    """A lock is set up once, at one gateway."""
    shown = await choose(hass, await add_lock(hass, home), {"next_step_id": "manual"})
    aborted = await choose(hass, shown, MANUAL | {"identifier": str(FRONT)})
    assert aborted["reason"] == "already_configured"


async def test_entry_not_loaded(hass: HomeAssistant, home: MockConfigEntry) -> None:
    """Without its gateway a lock can be neither added nor changed."""
    await hass.config_entries.async_unload(home.entry_id)
    assert (await add_lock(hass, home))["reason"] == "entry_not_loaded"
    shown = await home.start_subentry_reconfigure_flow(
        hass, next(iter(home.subentries))
    )
    assert shown["reason"] == "entry_not_loaded"


async def test_entry_lost_while_the_form_is_open(
    hass: HomeAssistant, home: MockConfigEntry
) -> None:
    """A gateway that goes while the form is open ends the form, and says why."""
    shown = await choose(hass, await add_lock(hass, home), {"next_step_id": "manual"})
    await hass.config_entries.async_unload(home.entry_id)
    aborted = await choose(hass, shown, MANUAL)
    assert aborted["reason"] == "entry_not_loaded"


async def test_reconfigure_lock(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """Name and code can be changed; the present code is not shown and may stay."""
    subentry_id = next(iter(home.subentries))
    shown = await home.start_subentry_reconfigure_flow(hass, subentry_id)
    assert CODE not in str(shown["data_schema"].schema)
    done = await choose(hass, shown, {"name": "Main door"})
    assert done["reason"] == "reconfigure_successful"
    assert home.subentries[subentry_id].title == "Main door"
    assert home.subentries[subentry_id].data["share_code"] == CODE

    gateway.locks[FRONT].code = "NewInventedCode1"
    shown = await home.start_subentry_reconfigure_flow(hass, subentry_id)
    again = await choose(hass, shown, {"name": "Main door", "share_code": "wrong"})
    assert again["errors"] == {"base": "invalid_auth"}
    done = await choose(
        hass, shown, {"name": "Main door", "share_code": "NewInventedCode1"}
    )
    assert done["reason"] == "reconfigure_successful"
    assert home.subentries[subentry_id].data["share_code"] == "NewInventedCode1"


async def reauth(hass: HomeAssistant, home: MockConfigEntry) -> ConfigFlowResult:
    """Begin to re-authenticate the lock."""
    home.async_start_reauth(hass, data={"subentry_id": next(iter(home.subentries))})
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    return flow


async def test_reauth(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry
) -> None:
    """A refused code is asked for, with the lock's name."""
    gateway.locks[FRONT].code = "NewInventedCode1"
    flow = await reauth(hass, home)
    shown = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"share_code": CODE}
    )
    assert shown["errors"] == {"base": "invalid_auth"}
    assert shown["description_placeholders"] == {"name": "Front door"}
    done = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"share_code": "NewInventedCode1 "}
    )
    assert done["reason"] == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    (subentry,) = home.subentries.values()
    assert subentry.data["share_code"] == "NewInventedCode1"


async def test_reauth_without_gateway(
    hass: HomeAssistant, home: MockConfigEntry
) -> None:
    """Without the gateway a code cannot be proven."""
    flow = await reauth(hass, home)
    await hass.config_entries.async_unload(home.entry_id)
    aborted = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"share_code": CODE}
    )
    assert aborted["reason"] == "entry_not_loaded"


async def test_reauth_without_lock(hass: HomeAssistant, home: MockConfigEntry) -> None:
    """A lock that has been removed meanwhile needs no code."""
    aborted = await start_reauth_flow(hass, home)
    assert aborted["reason"] == "lock_removed"


@pytest.fixture
async def account(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Account]:
    """Return an account with the gateway's locks, and one of another house."""
    gateways = [AccountGateway(71, "GW-0000071", ip="127.0.0.1")]
    async with Account(
        PHONE,
        PASSWORD,
        [
            AccountLock(FRONT, "Front door", 501, gateways),
            AccountLock(SIDE, "Side gate", 502, gateways),
            AccountLock(19999999, "Elsewhere", 503, []),
        ],
    ) as account:
        monkeypatch.setattr(account_module, "ACCOUNT_URL", account.url)
        yield account


async def log_in(
    hass: HomeAssistant, home: MockConfigEntry, password: str = PASSWORD
) -> SubentryFlowResult:
    """Begin to add a lock through the account."""
    shown = await choose(hass, await add_lock(hass, home), {"next_step_id": "account"})
    assert shown["step_id"] == "account"
    return await choose(hass, shown, {"phone": TYPED_PHONE, "password": password})


async def test_account(
    hass: HomeAssistant, gateway: Gateway, home: MockConfigEntry, account: Account
) -> None:
    """A share is made, learnt by gateway and lock, proven, and its code alone kept."""
    shown = await log_in(hass, home)
    assert shown["step_id"] == "account_lock"
    selector = next(iter(shown["data_schema"].schema.values()))
    # What is set up, and what this gateway does not see, is not offered.
    assert selector.config["options"] == [{"value": str(SIDE), "label": "Side gate"}]
    # The gateway does not know the new share before it has synchronised.
    again = await choose(hass, shown, {"identifier": str(SIDE)})
    assert again["errors"] == {"base": "share_not_synchronized"}
    (share,) = account.shares
    assert (share.name, share.accessory) == ("Home Assistant", "GW-0000071")
    assert [request.path for request in gateway.requests[-4:]] == [
        "/synchronize",
        "/locker/synchronize",
        "/locker_status",
        "/locker_status",
    ]
    gateway.locks[SIDE].code = share.code
    created = await choose(hass, shown, {"identifier": str(SIDE)})
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert len(account.shares) == 1
    (subentry,) = (
        each for each in home.subentries.values() if each.unique_id == str(SIDE)
    )
    assert subentry.title == "Side gate"
    assert subentry.data == {"identifier": str(SIDE), "share_code": share.code}
    assert hass.states.get("lock.side_gate_door").state == "locked"


@pytest.mark.parametrize(
    ("share", "reused"),
    [
        (AccountShare(9, 502, "GW-0000071", "Home Assistant", OTHER_CODE), True),
        (AccountShare(9, 502, "GW-0000071", "Somebody", OTHER_CODE), False),
        (AccountShare(9, 502, "GW-0000071", "Home Assistant", "", False), False),
    ],
)
async def test_account_reuses_share(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    account: Account,
    share: AccountShare,
    reused: bool,
) -> None:
    """Only an active share of our name is used again."""
    account.shares.append(share)
    shown = await log_in(hass, home)
    result = await choose(hass, shown, {"identifier": str(SIDE)})
    assert (result["type"] is FlowResultType.CREATE_ENTRY) is reused
    assert len(account.shares) == (1 if reused else 2)


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_account_wrong_password(
    hass: HomeAssistant, home: MockConfigEntry, account: Account, status: int
) -> None:
    """A wrong password is said, not shown again, and can be corrected."""
    account.refused_login_status = status
    shown = await log_in(hass, home, "wrong")
    assert shown["errors"] == {"base": "invalid_auth"}
    assert "wrong" not in str(shown["data_schema"].schema)
    shown = await choose(hass, shown, {"phone": PHONE, "password": PASSWORD})
    assert shown["step_id"] == "account_lock"


async def test_account_without_locks(
    hass: HomeAssistant, home: MockConfigEntry, account: Account
) -> None:
    """An account that has no lock of this gateway is said to have none."""
    locks, account.locks = account.locks, account.locks[2:]
    shown = await log_in(hass, home)
    assert shown["errors"] == {"base": "no_lock_found"}
    account.locks = locks
    shown = await choose(hass, shown, {"phone": PHONE, "password": PASSWORD})
    assert shown["step_id"] == "account_lock"


async def test_account_unknown_user(
    hass: HomeAssistant, home: MockConfigEntry, account: Account
) -> None:
    """A server that knows the login but not the user is not understood."""
    account.user_found = False
    shown = await log_in(hass, home)
    assert shown["errors"] == {"base": "unexpected_reply"}


async def test_account_not_reachable(
    hass: HomeAssistant, home: MockConfigEntry, account: Account
) -> None:
    """Without the vendor's server there is no share code."""
    await account.stop()
    shown = await log_in(hass, home)
    assert shown["errors"] == {"base": "cannot_connect"}


@pytest.mark.parametrize(
    ("gateways", "error"),
    [
        ([], "gateway_not_found"),
        (
            [AccountGateway(81, "GW-1"), AccountGateway(82, "GW-2", ip="192.0.2.1")],
            "gateway_not_found",
        ),
        (
            [
                AccountGateway(81, "GW-1", ip="192.0.2.1"),
                AccountGateway(82, "GW-2", ip="127.0.0.1"),
            ],
            # Found; but the gateway does not know the share yet.
            "share_not_synchronized",
        ),
        # A keypad is no gateway.
        ([AccountGateway(73, "KP-1", accessory_type=2)], "gateway_not_found"),
    ],
)
async def test_account_gateways(
    hass: HomeAssistant,
    home: MockConfigEntry,
    account: Account,
    gateways: list[AccountGateway],
    error: str,
) -> None:
    """Of several gateways, the one with this entry's address is taken."""
    account.locks[1].gateways = gateways
    shown = await log_in(hass, home)
    again = await choose(hass, shown, {"identifier": str(SIDE)})
    assert again["errors"] == {"base": error}


@pytest.mark.parametrize(
    ("path", "faults", "error"),
    [
        ("/synchronize", [Fault.busy()] * 4, "share_not_synchronized"),
        ("/locker/synchronize", [Fault.code(2)], "share_not_synchronized"),
        ("/locker_status", [Fault.code(32)], "share_not_synchronized"),
        ("/locker_status", [Fault.code(33)] * 2, "share_not_synchronized"),
        ("/locker_status", [Fault.code(36)] * 2, "share_not_synchronized"),
        ("/locker_status", [Fault.code(34)], "lock_not_reachable"),
    ],
)
async def test_account_gateway_does_not_learn(
    hass: HomeAssistant,
    gateway: Gateway,
    home: MockConfigEntry,
    account: Account,
    path: str,
    faults: list[Fault],
    error: str,
) -> None:
    """A gateway that does not learn of the share can be asked again."""
    account.shares.append(
        AccountShare(9, 502, "GW-0000071", "Home Assistant", OTHER_CODE)
    )
    for fault in faults:
        gateway.inject(path, fault)
    shown = await log_in(hass, home)
    again = await choose(hass, shown, {"identifier": str(SIDE)})
    assert again["errors"] == {"base": error}
    created = await choose(hass, shown, {"identifier": str(SIDE)})
    assert created["type"] is FlowResultType.CREATE_ENTRY


async def test_account_failures(
    hass: HomeAssistant, home: MockConfigEntry, account: Account
) -> None:
    """A share that cannot be made, and a login that has expired, are said."""
    shown = await log_in(hass, home)
    account.share_creation_fails = True
    again = await choose(hass, shown, {"identifier": str(SIDE)})
    assert again["errors"] == {"base": "unexpected_reply"}
    account.expire_tokens()
    again = await choose(hass, shown, {"identifier": str(SIDE)})
    assert again["errors"] == {"base": "invalid_auth"}
