"""The document's own examples, published vectors, and what may come instead."""

import contextlib
from datetime import UTC, datetime
from hashlib import sha256
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.gatehouse.vendors.innovaphone.protocol import (
    Category,
    ConfigTold,
    DeviceConfig,
    DeviceObject,
    DeviceProvisioned,
    DeviceRemoved,
    DeviceTold,
    Domain,
    DomainDeleted,
    DomainTold,
    Interface,
    MalformedMessageError,
    Refusal,
    app_login,
    login_digest,
    message_type,
    parse_categories,
    parse_challenge,
    parse_config,
    parse_config_value,
    parse_configs,
    parse_device,
    parse_devices,
    parse_domains,
    parse_indication,
    parse_provisioned,
    parse_provisioning_code,
    parse_user_info,
    passthrough_path,
    refusal_of,
    service_url,
)
from custom_components.gatehouse.wire import Secret

# --- The examples of the document, as they are printed there

CATEGORIES = """
{
"mt":"GetProvisioningCategories",
"last":true,
"categories":[
{
"id":1,
"name":"Cat1",
"domainId":2,
"config":true
}
]
}
"""

PROVISIONED = """
{
"mt":"GetProvisionedDeviceResult",
"code": "123123123123",
"device":[
{
"id":1,
"hwId":"0090334100be",
"name":"Kari2",
"domainId":2,
"product":"IP811",
"version":"13r1 dvl [13.A110/13A146/200]",
"type":"GW",
"pbxActive":true,
"online":true
}
]
}
"""

DOMAINS = """
{
"mt": "GetDomainsResult",
"last": true,
"domains": [{
"id": 1,
"name": "domain.com",
"hasRentalProducts": true,
"deployAdminPasswords": true,
"isInstanceDomain": true,
"categories": [{
"id": 1,
"name": "Test",
"config": false
}, {
"id": 2,
"name": "Test2",
"config": false
}
]
}
]
}
"""

DEVICES = """
{
"mt": "GetDevicesResult",
"devices": [{
"id": 0,
"hwId": "009033280177",
"domainId": 0,
"product": "IP111",
"version": "13r2 sr2 [13.6146/136146/400]",
"type": "PHONE",
"pbxActive": false,
"online": true,
"ethIfs": [{
"if": "ETH0",
"ipv4": "172.16.136.105",
"ipv6": "2002:91fd:9d07:136:290:33ff:fe28:177"
}
]
}
],
"last": true
}
"""

KARI = DeviceObject(
    hw_id="0090334100be",
    id=1,
    name="Kari2",
    domain_id=2,
    product="IP811",
    version="13r1 dvl [13.A110/13A146/200]",
    type="GW",
    pbx_active=True,
    online=True,
)


def test_categories_as_documented() -> None:
    """The example, whose type is that of the request."""
    message = json.loads(CATEGORIES)
    assert message_type(message) == "GetProvisioningCategories"
    assert parse_indication(message) is None
    assert parse_categories(message) == [
        Category(id=1, domain_id=2, name="Cat1", config=True)
    ]


@pytest.mark.parametrize("in_array", [True, False])
def test_provisioned_device_as_documented(in_array: bool) -> None:
    """The example has an array, the table an object."""
    message = json.loads(PROVISIONED)
    if not in_array:
        (message["device"],) = message["device"]
    assert parse_provisioned(message).alone() == KARI


@pytest.mark.parametrize("message", [{}, {"device": None}, {"device": []}])
def test_nothing_provisioned_yet(message: dict[str, Any]) -> None:
    """The device is just given if the code was used."""
    assert parse_provisioned(message) is None


def test_domains_as_documented() -> None:
    """The example."""
    assert parse_domains(json.loads(DOMAINS)) == [
        Domain(
            id=1,
            name="domain.com",
            rental_products=True,
            deploys_passwords=True,
            instance_domain=True,
            categories=(
                Category(id=1, name="Test", config=False),
                Category(id=2, name="Test2", config=False),
            ),
        )
    ]


def test_devices_as_documented() -> None:
    """The example, of a device that is assigned to no domain."""
    (device,) = parse_devices(json.loads(DEVICES))
    assert device == DeviceObject(
        hw_id="009033280177",
        id=0,
        domain_id=0,
        product="IP111",
        version="13r2 sr2 [13.6146/136146/400]",
        type="PHONE",
        pbx_active=False,
        online=True,
        interfaces=(
            Interface("ETH0", "172.16.136.105", "2002:91fd:9d07:136:290:33ff:fe28:177"),
        ),
    )
    assert device.mac == "009033280177"
    assert device.address == "172.16.136.105"


# --- Devices


@pytest.mark.parametrize(
    ("hw_id", "mac"),
    [("009033ABCDEF", "009033ABCDEF"), ("docker0", None), ("00903328017", None)],
)
def test_mac(hw_id: str, mac: str | None) -> None:
    """Only twelve hexadecimal digits are a MAC address."""
    assert DeviceObject(hw_id=hw_id).mac == mac


@pytest.mark.parametrize(
    ("interfaces", "address"),
    [
        ([], None),
        ([{"if": "ETH0"}, {"if": "ETH1", "ipv4": "192.0.2.7"}], "192.0.2.7"),
        (
            [{"ipv6": "2001:db8::1"}, {"ipv4": "192.0.2.7", "ipv6": "2001:db8::2"}],
            "192.0.2.7",
        ),
        ([{"if": "ETH0", "ipv6": "2001:db8::1"}], "2001:db8::1"),
        ("ETH0", None),
        (["ETH0", {"if": 0, "ipv4": False}], None),
    ],
)
def test_address(interfaces: Any, address: str | None) -> None:
    """Version 4 is shown where there is one."""
    news = parse_device({"hwId": "docker0", "ethIfs": interfaces})
    assert news.alone().address == address


def test_partial_update() -> None:
    """What is not in an update stays as it was; what is empty is gone."""
    full = parse_device({"hwId": "a", "id": 7, "name": "Hall", "product": "IP112"})
    partial = parse_device({"hwId": "a", "online": False, "name": ""})
    device = partial.onto(full.alone())
    assert (device.id, device.product) == (7, "IP112")
    assert (device.name, device.online) == (None, False)


def test_unknown_members() -> None:
    """Further members and types do no harm; the session's address is not kept."""
    uri = "https://192.0.2.1/example.com/devices/passthrough/a/key/"
    news = parse_device({"hwId": "a", "type": "TOASTER", "rented": 1, "uri": uri})
    assert news.alone().type == "TOASTER"
    assert "key" not in repr(news)


def test_texts() -> None:
    """Texts are such as can be shown; numbers may stand for them."""
    news = parse_device({"hwId": 17, "name": "a\nb\0" + "c" * 999, "product": True})
    device = news.alone()
    assert device.hw_id == "17"
    assert device.name is not None
    assert device.name.startswith("abc")
    assert len(device.name) == 255
    assert device.product is None


@pytest.mark.parametrize(
    ("given", "number"),
    [(2**64 - 1, 2**64 - 1), ("12", 12), (2**64, 0), (-1, 0), ("x", 0), (True, 0)],
)
def test_numbers(given: Any, number: int) -> None:
    """Numbers have 64 bits."""
    assert parse_device({"hwId": "a", "id": given}).id == number


def test_one_that_is_none_spoils_nothing() -> None:
    """Of a list that counts which can be understood."""
    message = {"devices": [{"hwId": "a"}, {"id": 3}, None, {"hwId": ""}, {"hwId": "b"}]}
    assert [device.hw_id for device in parse_devices(message)] == ["a", "b"]
    for parse in (parse_devices, parse_domains, parse_categories, parse_configs):
        assert parse({}) == []


# --- Other results


def test_user_info() -> None:
    """The key is a secret."""
    info = parse_user_info({"key": "0e6ff4c7-invented", "admin": True})
    assert info.key.reveal() == "0e6ff4c7-invented"
    assert info.admin is True
    assert "0e6ff4c7" not in repr(info)
    with pytest.raises(MalformedMessageError):
        parse_user_info({"admin": True})


@pytest.mark.parametrize(
    ("until", "moment"),
    [
        (1800000000, datetime(2027, 1, 15, 8, tzinfo=UTC)),
        ("1800000000", datetime(2027, 1, 15, 8, tzinfo=UTC)),
        (None, None),
        (2**63, None),
    ],
)
def test_provisioning_code(until: Any, moment: datetime | None) -> None:
    """The end of its validity is in seconds since 1970."""
    code = parse_provisioning_code({"code": 123123123123, "validUntil": until})
    assert (code.code, code.valid_until) == ("123123123123", moment)
    with pytest.raises(MalformedMessageError):
        parse_provisioning_code({"validUntil": until})


@pytest.mark.parametrize(
    ("error", "reason"), [("Not allowed", "Not allowed"), (5, "5"), ([1], "?")]
)
def test_refusal(error: Any, reason: str) -> None:
    """An error is the service's own word."""
    refusal = refusal_of({"mt": "GetDevicesResult", "error": error})
    assert isinstance(refusal, Refusal)
    assert refusal.reason == reason


@pytest.mark.parametrize("message", [{}, {"error": ""}, {"error": None}])
def test_no_refusal(message: dict[str, Any]) -> None:
    """No word is no refusal."""
    assert refusal_of(message) is None


# --- Configurations


def test_config() -> None:
    """Common members are named here, the others as in the document."""
    config = parse_config(
        {
            "id": 3,
            "domainId": 1,
            "desc": "Office",
            "type": "PHONE",
            "categories": [{"id": 1, "name": "Offices", "config": True}],
            "gk1": "192.0.2.2",
            "frameSize": 20,
            "srtpKey": "0",
            "protectCfg": True,
        }
    )
    assert config == DeviceConfig(
        id=3,
        domain_id=1,
        description="Office",
        type="PHONE",
        categories=(Category(id=1, name="Offices", config=True),),
        settings={
            "gk1": "192.0.2.2",
            "frameSize": 20,
            "srtpKey": "0",
            "protectCfg": True,
        },
    )


@pytest.mark.parametrize(
    "members",
    [
        {"logPassword": "46663c658d1c2178", "seed": "x", "logUrl": "http://a/"},
        {"turnPassword": "46663c658d1c2178", "turnServer": "turn.example.com"},
        {"nested": [{"adminPwd": "46663c658d1c2178"}], "kept": [1, {"a": 2}]},
        {"recordingUrl": "https://ana:46663c658d1c2178@example.com/"},
        {"script": "config change CMD0 USER /user admin,46663c658d1c2178 /ok 1"},
        {"script": "config add X /password 46663c658d1c2178\r\nconfig write"},
        {"script": 'mod cmd UP0 pw="46663c658d1c2178"'},
        {"script": "config add LDAP /base a /pw 46663c658d1c2178 /port 389"},
    ],
)
def test_passwords_are_left_out(members: dict[str, Any]) -> None:
    """Not even the encrypted form of one is handed on."""
    config = parse_config({"id": 1, **members})
    assert "46663c658d1c2178" not in repr(config)
    config = parse_config({"id": 1}, {"turnPassword": "46663c658d1c2178"})
    assert config.settings == {}


def test_scripts_are_kept() -> None:
    """What is no password in a script is as it was."""
    script = "mod cmd UP0 /step 1 /note Grüße\r\nconfig write\r\n"
    assert parse_config({"id": 2}, {"script": script}).settings == {"script": script}


def test_config_value() -> None:
    """A piece has a name and a text."""
    message = {"mt": "GetDeviceConfigValueResult", "name": "script", "value": "a"}
    assert parse_config_value(message) == ("script", "a")
    for broken in ({}, {"name": "a"}, {"name": "a", "value": 1}):
        with pytest.raises(MalformedMessageError):
            parse_config_value(broken)


# --- Indications

HALL = {"hwId": "a", "id": 3, "online": False}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            {"mt": "DeviceAdded", "device": HALL},
            DeviceTold(parse_device(HALL), added=True),
        ),
        (
            {"mt": "DeviceUpdate", "device": HALL, "src": "3"},
            DeviceTold(parse_device(HALL), added=False),
        ),
        ({"mt": "DeviceRemoved", "device": HALL}, DeviceRemoved(parse_device(HALL))),
        (
            {"mt": "DeviceProvisioned", "device": HALL, "code": "123123123123"},
            DeviceProvisioned(parse_device(HALL), "123123123123"),
        ),
        (
            {"mt": "DeviceProvisioned", "device": [HALL], "code": 123123123123},
            DeviceProvisioned(parse_device(HALL), "123123123123"),
        ),
        ({"mt": "DeviceProvisioned"}, DeviceProvisioned(None, None)),
        ({"mt": "DomainAdded", "domain": {"id": 2}}, DomainTold(Domain(id=2))),
        ({"mt": "DomainEdited", "domain": {"id": 2}}, DomainTold(Domain(id=2))),
        ({"mt": "DomainDeleted", "id": 2}, DomainDeleted(2)),
        ({"mt": "GetDevicesResult"}, None),
        ({"mt": "KeepAlive"}, None),
    ],
)
def test_indications(message: dict[str, Any], expected: Any) -> None:
    """Every indication is known, with and without `src`."""
    indication = parse_indication(message)
    # Those of different types can be equal.
    assert (type(indication), indication) == (type(expected), expected)


@pytest.mark.parametrize("event", ["Added", "Edited", "Deleted"])
def test_configs_are_told_of(event: str) -> None:
    """Of configurations that is all there is to know."""
    message = {"mt": f"DeviceConfig{event}", "anything": 1}
    assert isinstance(parse_indication(message), ConfigTold)


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        {},
        {"mt": 1},
        {"mt": "DeviceAdded"},
        {"mt": "DeviceUpdate", "device": []},
        {"mt": "DomainAdded", "domain": {"name": "a"}},
        {"mt": "DomainDeleted"},
    ],
)
def test_malformed_indications(message: Any) -> None:
    """An indication without what belongs to it is none."""
    with pytest.raises(MalformedMessageError):
        parse_indication(message)


# --- Login

PBX = {"app": "pbxadminapi"}
CHALLENGE = "0123456789abcdef"


@pytest.mark.parametrize(
    ("fields", "info", "challenge", "password", "digest"),
    [
        # The vendor's own vectors.
        (
            PBX,
            None,
            CHALLENGE,
            "pwd",
            "a205299ed2ef2786c311e0be1b14db343f2cadd906a6ae7b564eee34bda5e9a1",
        ),
        (
            PBX,
            {},
            CHALLENGE,
            "pwd",
            "57b23fe824b9222a7ac879597cb509bcdc865a1bfeb057d9d12118cef0c3ba34",
        ),
        (
            PBX,
            {"cn": "Test User"},
            CHALLENGE,
            "pwd",
            "96db3c3f657230c2b68194becc6d2a77f05de9f79f01fc81e9ca0fb196b10d9d",
        ),
        (
            {
                "app": "innovaphone-users",
                "domain": "example.com",
                "sip": "administrator",
                "guid": "0123456789abcdef0123456789abcdef",
                "dn": "Administrator User",
            },
            {
                "appobj": "users",
                "apps": [{"name": "users"}, {"name": "profile"}],
                "appurl": "https://1.2.3.4/example.com/usersapp/innovaphone-users",
                "unlicensed": True,
            },
            CHALLENGE,
            "pwd",
            "ef1b811ffaa8f9255c39c653d8fb26b4687b2d8c4d9ac91b4821bff6bae3ff44",
        ),
        (
            {"app": "test", "domain": "test.com"},
            None,
            "0",
            "secret",
            "66ee3f52256a8eed034603b98cbaf98890bab6f42adb4a34de928e1885d68293",
        ),
        # Captures of another client; two more have a person's name in them.
        (
            {
                "app": "searchapi",
                "domain": "fritz.box",
                "sip": "go-search",
                "guid": "3954ae7854c96301c9dd009033400109",
                "dn": "go-search",
            },
            {
                "appobj": "go-search",
                "appdn": "go-search",
                "appurl": "http://192.168.178.29:5000/fritz.box/go/instance/searchapi",
                "pbx": "pbx-main",
                "cn": "go-search",
                "unlicensed": True,
                "apps": [],
            },
            "16d7dbbcccb63612",
            "go",
            "130f168773ff760701b74e629eca2544c6e62d5354e92e6f821001a982eb8951",
        ),
        (
            {
                "app": "admin",
                "domain": "fritz.box",
                "sip": "go",
                "guid": "8e7ca6fabbc5630170e9009033400109",
                "dn": "go",
            },
            {
                "appobj": "go",
                "appdn": "go",
                "appurl": "http://192.168.178.29:5000/fritz.box/go/instance/admin",
                "pbx": "pbx-main",
                "cn": "go",
                "unlicensed": True,
                "apps": [],
            },
            "aeaaebe781e80289",
            "go",
            "8f802873dcdee7cef6144017a6112289298ad69e77474a4c37cfdb68a83640c0",
        ),
    ],
)
def test_digest(
    fields: dict[str, str],
    info: dict[str, Any] | None,
    challenge: str,
    password: str,
    digest: str,
) -> None:
    """The published vectors hold, with and without `info`."""
    assert login_digest(fields, challenge, password, info) == digest


def test_digest_of_other_letters() -> None:
    """`info` is hashed as JSON.stringify writes it: UTF-8, and slashes as they are."""
    info = {"cn": "Grüße/ü"}
    text = 'a:::::{"cn":"Grüße/ü"}:1:pässword'
    assert (
        login_digest({"app": "a"}, "1", "pässword", info)
        == sha256(text.encode()).hexdigest()
    )


def test_login() -> None:
    """The message says who asks, and the digest counts just that."""
    message = app_login(
        "innovaphone-devices-api", "example.com", CHALLENGE, Secret("pwd")
    )
    assert message["mt"] == "AppLogin"
    assert message["digest"] == login_digest(message, CHALLENGE, "pwd")
    assert "info" not in message
    assert "pwd" not in str(message)


def test_challenge() -> None:
    """Old builds have sent a number."""
    assert parse_challenge({"challenge": "0042"}) == "0042"
    assert parse_challenge({"challenge": 42}) == "42"
    for broken in ({}, {"challenge": True}, {"challenge": None}):
        with pytest.raises(MalformedMessageError):
            parse_challenge(broken)


# --- Addresses


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        (
            "https://ap.example.com/example.com/devices/innovaphone-devices",
            "https://ap.example.com/example.com/devices",
        ),
        (
            " wss://ap.example.com/example.com/devices/innovaphone-devices-api ",
            "https://ap.example.com/example.com/devices",
        ),
        (
            "https://ap.example.com/example.com/devices/",
            "https://ap.example.com/example.com/devices",
        ),
        (
            "https://ap.example.com/example.com/devices",
            "https://ap.example.com/example.com/devices",
        ),
        (
            "https://ap.example.com/example.com/devices/innovaphone-devices/",
            "https://ap.example.com/example.com/devices",
        ),
        (
            "https://ap.example.com/example.com/devices/innovaphone-devices.htm?x=1#y",
            "https://ap.example.com/example.com/devices",
        ),
        (
            "ws://192.0.2.1:8080/example.com/phones/another-name",
            "http://192.0.2.1:8080/example.com/phones",
        ),
        (
            "https://proxy.example.com/ap/example.com/devices/innovaphone-devices",
            "https://proxy.example.com/ap/example.com/devices",
        ),
        (
            "wss://ap.example.com/example.com/devices/sysclients",
            "https://ap.example.com/example.com/devices",
        ),
    ],
)
def test_service_url(typed: str, url: str) -> None:
    """All spellings that are in use lead to the service."""
    assert str(service_url(typed)) == url


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ap.example.com",
        "https://",
        "ftp://ap.example.com/example.com/devices/innovaphone-devices",
        "https://ap.example.com",
        "https://ap.example.com/devices",
        "https://ap.example.com/devices/innovaphone-devices",
        "https://ana:secret@ap.example.com/example.com/devices/innovaphone-devices",
        "https://ap.example.com:port/example.com/devices/innovaphone-devices",
    ],
)
def test_no_service_url(typed: str) -> None:
    """What cannot be one is refused."""
    with pytest.raises(ValueError, match=r".*"):
        service_url(typed)


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("cfg.txt", "cfg.txt"),
        ("/log.txt", "log.txt"),
        ("CMD0/box_info.xml", "CMD0/box_info.xml"),
        ("LOG0/CNT/mod_cmd.xml?cmd=xml-counts", "LOG0/CNT/mod_cmd.xml?cmd=xml-counts"),
        ("PBX0/ADMIN/mod_cmd_login.xml?cmd=show&reg=*",) * 2,
        (
            "!config change PHONE SIG /prot H.323/TCP",
            "!config%20change%20PHONE%20SIG%20/prot%20H.323/TCP",
        ),
        ("!config%20write", "!config%20write"),
        ("a/Grüße", "a/Gr%C3%BC%C3%9Fe"),
        ("..a/b..", "..a/b.."),
    ],
)
def test_path(path: str, quoted: str) -> None:
    """A path below the device is quoted once."""
    assert passthrough_path(path) == quoted


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//example.com/",
        "/%2fexample.com/",
        "http://example.com/",
        "http:%2f%2fexample.com",
        "%68ttp://example.com",
        "../cfg.txt",
        "a/../../b",
        "a/..",
        "./a",
        "%2e%2e/cfg.txt",
        "a/%2E./b",
        "a%2f..%2fb",
        "%252e%252e/b",
        "a%3f/%2e%2e/b",
        "..;/b",
        "a\\b",
        "a%5c..",
        "a#b",
        "a%23b",
        "a\r\nHost: example.com",
        "a%0d%0ab",
        "a%00",
        "a\x7f",
        "100%",
        "%zz",
        "?cmd=show",
    ],
)
def test_path_that_leads_elsewhere(path: str) -> None:
    """Scheme, host, dot segments and control characters are refused, quoted or not."""
    with pytest.raises(ValueError, match=r"quoted|elsewhere"):
        passthrough_path(path)


@given(st.text(max_size=40))
def test_any_path(path: str) -> None:
    """Whatever is let through stays below the device."""
    with contextlib.suppress(ValueError):
        quoted = passthrough_path(path)
        assert quoted.isascii()
        assert not quoted.startswith("/")
        assert not {" ", "\\", "#", "\r", "\n"} & set(quoted)
        assert not {".", ".."} & set(quoted.partition("?")[0].split("/"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                [
                    "mt",
                    "id",
                    "hwId",
                    "device",
                    "devices",
                    "domain",
                    "domains",
                    "categories",
                    "config",
                    "configs",
                    "ethIfs",
                    "code",
                    "error",
                    "name",
                ]
            )
            | st.text(),
            inner,
        )
    ),
    max_leaves=20,
)


@given(
    JSON, st.sampled_from(["DeviceUpdate", "DeviceProvisioned", "DomainEdited", "x"])
)
def test_any_json(value: Any, mt: str) -> None:
    """Whatever comes is understood or refused; nothing else happens."""
    for message in (value, {"mt": mt, "device": value, "domain": value}):
        with contextlib.suppress(MalformedMessageError):
            parse_indication(message)
    if isinstance(value, dict):
        refusal_of(value)
        for parse in (parse_devices, parse_domains, parse_categories, parse_configs):
            parse(value)
        for parse in (
            parse_user_info,
            parse_challenge,
            parse_provisioned,
            parse_provisioning_code,
            parse_config_value,
        ):
            with contextlib.suppress(MalformedMessageError):
                parse(value)
    with contextlib.suppress(MalformedMessageError):
        parse_config(value)
    with contextlib.suppress(MalformedMessageError):
        parse_device(value).alone()


# --- Limits


def test_long_lists() -> None:
    """What is beyond the limit is ignored, and what is within it is not."""
    devices = [{"id": number, "hwId": f"{number:012}"} for number in range(1, 4100)]
    assert len(parse_devices({"devices": devices})) == 4096
    interfaces = [{"if": f"ETH{number}"} for number in range(40)]
    (device,) = parse_devices(
        {"devices": [{"id": 1, "hwId": "1", "ethIfs": interfaces}]}
    )
    assert len(device.interfaces) == 32


@pytest.mark.parametrize(("length", "kept"), [(262_144, True), (262_145, False)])
def test_long_setting(length: int, kept: bool) -> None:
    """A text in which to look for passwords would take too long is left out."""
    config = parse_config({"id": 1, "type": "SCRIPT", "script": "x" * length})
    assert ("x" * length in str(config)) is kept
