"""SHA-256 by Python's own code: OpenSSL's, behind hashlib, is long to load and to run with cold caches."""

# Hooks start with every event: typing alone would double their time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def sha256(content: bytes) -> bytes:
    """The digest of a content, the one that hashlib gives.

    >>> sha256(b"unit").hex()[:16]
    '385cfdbc00ec3203'
    """
    digest: bytes = _hash(content).digest()
    return digest


def hasher(content: bytes = b"") -> "Any":
    """A hash object of the same, for what is built on one, such as hmac: told so, it leaves OpenSSL alone.

    >>> import hmac
    >>> hmac.digest(b"key", b"unit", hasher) == hmac.digest(b"key", b"unit", "sha256")
    True
    """
    return _hash(content)


def _own() -> "Callable[[bytes], Any]":
    """What is built into this Python; hashlib's where that is kept elsewhere."""
    for name in ("_sha2", "_sha256"):
        try:
            found: Callable[[bytes], Any] = __import__(name).sha256
        except (ImportError, AttributeError):
            continue
        return found
    import hashlib

    return hashlib.sha256


_hash = _own()
