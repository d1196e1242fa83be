"""How a client logs in to an app service of innovaphone, and what follows from it.

The digest is that of the vendor's page about the AppWebsocket protocol. That page only
names the session key and the encryption; they are as the vendor's own clients have them.
"""

from collections.abc import Mapping
import hashlib
import json
import secrets
from typing import Any


def random_digits() -> str:
    """Return a challenge as the document describes it: up to 16 digits."""
    return "".join(secrets.choice("0123456789") for _ in range(16))


def random_hex() -> str:
    """Return a challenge as the document's samples and captures show it."""
    return secrets.token_hex(8)


def random_number() -> int:
    """Return a challenge as old builds sent it: no text, but a number."""
    return secrets.randbelow(2**31)


def login_digest(
    message: Mapping[str, Any], challenge: str, password: str, *, info: bool = True
) -> str:
    """Return the digest that a login must carry.

    Args:
        message: The `AppLogin`; texts that it lacks count as empty.
        challenge: What the service asked with.
        password: The shared secret.
        info: Whether the message's `info`, if it has one, is part of the digest.
    """
    parts = [
        str(message.get(name) or "") for name in ("app", "domain", "sip", "guid", "dn")
    ]
    if info and message.get("info") is not None:
        parts.append(compact(message["info"]))
    return _sha256(":".join([*parts, challenge, password]))


def session_key(challenge: str, password: str) -> str:
    """Return the secret that both sides share once a login has been accepted."""
    return _sha256(f"innovaphoneAppSessionKey:{challenge}:{password}")


def encrypt(key: str, seed: str, text: str) -> str:
    """Return a text as a session with this key transfers it, in hexadecimal digits."""
    return rc4(f"{seed}:{key}".encode(), text.encode()).hex()


def rc4(key: bytes, data: bytes) -> bytes:
    """Encrypt or decrypt with RC4. Libraries allow no key as long as these."""
    state = list(range(256))
    swap = 0
    for index in range(256):
        swap = (swap + state[index] + key[index % len(key)]) % 256
        state[index], state[swap] = state[swap], state[index]
    swap = 0
    result = bytearray()
    for count, byte in enumerate(data, 1):
        index = count % 256
        swap = (swap + state[index]) % 256
        state[index], state[swap] = state[swap], state[index]
        result.append(byte ^ state[(state[index] + state[swap]) % 256])
    return bytes(result)


def compact(value: object) -> str:
    """Return JSON without white space and without needless escapes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
