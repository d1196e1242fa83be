"""The server's side of digest authentication."""

import pytest

from simulators.digest import (
    REMEMBERED,
    DigestGuard,
    Verdict,
    digest_response,
    parse_digest,
)

# The example of RFC 2617; RFC 7616 has one with the same names.
MUFASA = {
    "username": "Mufasa",
    "password": "Circle Of Life",
    "realm": "testrealm@host.com",
    "method": "GET",
    "uri": "/dir/index.html",
    "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
    "nc": "00000001",
    "cnonce": "0a4f113b",
}


def test_rfc() -> None:
    """The example of the RFC holds."""
    assert digest_response(**MUFASA) == "6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize(
    ("header", "parameters"),
    [
        ('Digest a="b", C=d', {"a": "b", "c": "d"}),
        ('digest  a = "b \\"c\\", d=e" ,f=g', {"a": 'b "c", d=e', "f": "g"}),
        ('Digest a=""', {"a": ""}),
        ("Digest", None),
        ("Basic YWRtaW46YWRtaW4=", None),
        ('Digest a="b', None),
        ("Digest a=b c=d", None),
        ("", None),
    ],
)
def test_parse(header: str, parameters: dict[str, str] | None) -> None:
    """Parameters are quoted or not, and come with blanks or without."""
    assert parse_digest(header) == parameters


@pytest.fixture
def guard() -> DigestGuard:
    """Return a guard."""
    return DigestGuard("here")


def judge(guard: DigestGuard, nonce: str, **changes: str) -> Verdict:
    """Return a guard's verdict on a request with some parameters changed."""
    uri = "/door/?a=b"
    given = {
        "username": "admin",
        "realm": "here",
        "uri": uri,
        "qop": "auth",
        "nonce": nonce,
        "nc": "00000001",
        "cnonce": "abc",
        **changes,
    }
    given.setdefault(
        "response",
        digest_response(
            method="POST",
            password="secret",
            **{name: text for name, text in given.items() if name in set(MUFASA)},
        ),
    )
    header = ", ".join(f'{name}="{text}"' for name, text in given.items())
    return guard.judge(
        f"Digest {header}",
        method="POST",
        uri=uri,
        username="admin",
        password="secret",
    )


def nonce_of(challenge: str) -> str:
    """Return the nonce of a challenge."""
    parameters = parse_digest(challenge)
    assert parameters is not None
    assert parameters["realm"] == "here"
    assert parameters["qop"] == "auth"
    assert parameters["algorithm"] == "MD5"
    return parameters["nonce"]


def test_counts(guard: DigestGuard) -> None:
    """A nonce is good as long as its count grows."""
    nonce = nonce_of(guard.challenge())
    assert judge(guard, nonce) == "right"
    assert judge(guard, nonce) == "stale"
    assert judge(guard, nonce, nc="00000002") == "right"
    assert judge(guard, nonce, nc="0000000F") == "right"
    assert judge(guard, nonce, nc="0000000e") == "stale"


def test_stale(guard: DigestGuard) -> None:
    """Only who knows the password is told that the nonce alone is wrong."""
    nonce = nonce_of(guard.challenge())
    guard.forget_nonces()
    assert judge(guard, nonce) == "stale"
    assert judge(guard, nonce, response="0" * 32) == "wrong"
    assert judge(guard, "invented") == "stale"
    assert guard.challenge(stale=True).endswith(", stale=true")


@pytest.mark.parametrize(
    "changes",
    [
        {"username": "toto"},
        {"realm": "there"},
        {"uri": "/door/"},
        {"qop": "auth-int"},
        {"algorithm": "SHA-256"},
        {"cnonce": ""},
        {"nc": "1"},
        {"nc": "0000000g"},
        {"response": "é"},
    ],
)
def test_wrong(guard: DigestGuard, changes: dict[str, str]) -> None:
    """What is not as it was asked for is wrong, and costs no count."""
    nonce = nonce_of(guard.challenge())
    assert judge(guard, nonce, **changes) == "wrong"
    assert judge(guard, nonce, algorithm="md5") == "right"


def test_oldest_is_forgotten(guard: DigestGuard) -> None:
    """Not all nonces are remembered for ever."""
    first = nonce_of(guard.challenge())
    second = nonce_of(guard.challenge())
    for _ in range(REMEMBERED - 1):
        guard.challenge()
    assert judge(guard, first) == "stale"
    assert judge(guard, second) == "right"
