"""The server's side of HTTP's digest authentication.

RFC 7616, with the algorithm MD5 and the quality of protection "auth", which RFC 2617
writes in the same way.
"""

import hashlib
import hmac
import re
import secrets
from typing import Literal

type Verdict = Literal["right", "wrong", "stale"]

# As many clients as one device will have; the oldest nonce is forgotten first.
REMEMBERED = 256

_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,\s*|$)')


def parse_digest(header: str) -> dict[str, str] | None:
    """Return the parameters of an Authorization header, or None if it is no digest."""
    scheme, _, rest = header.strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() != "digest" or not rest:
        return None
    parameters: dict[str, str] = {}
    end = 0
    while end < len(rest):
        found = _PARAMETER.match(rest, end)
        if found is None:
            return None
        name, quoted, bare = found.groups()
        parameters[name.lower()] = (
            bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        )
        end = found.end()
    return parameters


def digest_response(
    *,
    username: str,
    password: str,
    realm: str,
    method: str,
    uri: str,
    nonce: str,
    nc: str,
    cnonce: str,
) -> str:
    """Return the text that proves knowledge of a password, in hexadecimal digits."""
    known = _md5(f"{username}:{realm}:{password}")
    asked = _md5(f"{method}:{uri}")
    return _md5(f"{known}:{nonce}:{nc}:{cnonce}:auth:{asked}")


class DigestGuard:
    """Issues nonces and judges what comes back.

    Attributes:
        realm: What the password is for.
    """

    def __init__(self, realm: str) -> None:
        """Take the realm; no nonce has been issued yet."""
        self.realm = realm
        self._counts: dict[str, int] = {}

    def challenge(self, *, stale: bool = False) -> str:
        """Return a WWW-Authenticate header with a new nonce.

        Args:
            stale: Whether only the nonce was wrong, so that nobody need be asked again.
        """
        nonce = secrets.token_hex(16)
        self._counts[nonce] = 0
        if len(self._counts) > REMEMBERED:
            del self._counts[next(iter(self._counts))]
        challenge = (
            f'Digest realm="{self.realm}", nonce="{nonce}", algorithm=MD5, qop="auth"'
        )
        return f"{challenge}, stale=true" if stale else challenge

    def judge(
        self, header: str, *, method: str, uri: str, username: str, password: str
    ) -> Verdict:
        """Judge a request.

        Args:
            header: Its Authorization.
            method: Of the request.
            uri: Its target as it stands in the request line.
            username: Who may come in.
            password: Who may come in.

        Returns:
            "stale" if the password is right, but the nonce is not one of ours, or has
            been used with this count or a later one.
        """
        given = parse_digest(header)
        if given is None:
            return "wrong"
        count = given.get("nc", "")
        if (
            given.get("username") != username
            or given.get("realm") != self.realm
            or given.get("uri") != uri
            or given.get("qop") != "auth"
            or given.get("algorithm", "MD5").upper() != "MD5"
            or not given.get("cnonce")
            or re.fullmatch(r"[0-9a-fA-F]{8}", count) is None
        ):
            return "wrong"
        nonce = given.get("nonce", "")
        right = digest_response(
            username=username,
            password=password,
            realm=self.realm,
            method=method,
            uri=uri,
            nonce=nonce,
            nc=count,
            cnonce=given["cnonce"],
        )
        if not hmac.compare_digest(right.encode(), given.get("response", "").encode()):
            return "wrong"
        if int(count, 16) <= self._counts.get(nonce, 0xFFFFFFFF):
            return "stale"
        self._counts[nonce] = int(count, 16)
        return "right"

    def forget_nonces(self) -> None:
        """Take all nonces for stale, as after a restart."""
        self._counts.clear()


def _md5(text: str) -> str:
    # The algorithm that the device speaks; nothing secret is kept with it.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
