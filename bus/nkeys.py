"""The keys of NATS ("nkeys"): Ed25519 keys that sign, curve keys that seal, and how both are written as text.

A key's text is base32 of a byte that tells its kind, the 32 bytes of the key, and a CRC-16 (XMODEM) of these, least
byte first; see nats-io/nkeys. Only the texts of public keys are needed: seeds are kept as bytes.
"""

import base64
import binascii
from typing import Final, Literal

import nacl.exceptions
import nacl.public
import nacl.signing
import nacl.utils

KEY_BYTES: Final = 32

KeyKind = Literal["account", "server", "user", "curve"]

_KINDS: Final[dict[KeyKind, int]] = {"account": 0, "server": 13 << 3, "user": 20 << 3, "curve": 23 << 3}
"""The first byte: it makes the text begin with A, N, U or X."""

_SEALED: Final = b"xkv1"
"""What a sealed message begins with; a nonce follows, then the box."""


class KeyTextError(ValueError):
    """A text that is not the public key of the kind that is expected."""


class SealError(ValueError):
    """A message that was not sealed for this key by that sender."""


def public_text(kind: KeyKind, key: bytes) -> str:
    """Write a public key of 32 bytes."""
    body = bytes([_KINDS[kind]]) + key
    return base64.b32encode(body + _checksum(body)).decode().rstrip("=")


def public_bytes(kind: KeyKind, text: str) -> bytes:
    """Read a public key of this kind, or raise `KeyTextError`."""
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (ValueError, binascii.Error) as error:
        raise KeyTextError("not base32") from error
    if len(raw) != KEY_BYTES + 3 or raw[0] != _KINDS[kind] or raw[-2:] != _checksum(raw[:-2]):
        raise KeyTextError(f"not the public key of a NATS {kind}")
    return raw[1:-2]


def _checksum(body: bytes) -> bytes:
    return binascii.crc_hqx(body, 0).to_bytes(2, "little")


class SigningKey:
    """Signs as an account of NATS. `seed` has 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        self._key = nacl.signing.SigningKey(seed)
        self.public = public_text("account", bytes(self._key.verify_key))

    def sign(self, data: bytes) -> bytes:
        """Give the signature, 64 bytes."""
        return bytes(self._key.sign(data).signature)


class CurveKey:
    """Seals and opens messages ("xkey"). `seed` has 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        self._key = nacl.public.PrivateKey(seed)
        self.public = public_text("curve", bytes(self._key.public_key))

    def seal(self, data: bytes, to: str) -> bytes:
        """Seal for the public key `to`. Raises `KeyTextError`."""
        nonce = nacl.utils.random(nacl.public.Box.NONCE_SIZE)
        return _SEALED + bytes(self._box(to).encrypt(data, nonce))

    def open(self, sealed: bytes, sender: str) -> bytes:
        """Open what `sender` has sealed for this key. Raises `KeyTextError`, `SealError`."""
        if not sealed.startswith(_SEALED):
            raise SealError("the message is not sealed")
        try:
            return bytes(self._box(sender).decrypt(sealed[len(_SEALED) :]))
        except (nacl.exceptions.CryptoError, ValueError) as error:
            raise SealError("the message was not sealed for this key") from error

    def _box(self, other: str) -> nacl.public.Box:
        return nacl.public.Box(self._key, nacl.public.PublicKey(public_bytes("curve", other)))


def verify(public: str, data: bytes, signature: bytes, kind: KeyKind = "account") -> bool:
    """Tell whether the holder of a public key has signed this. Raises `KeyTextError`."""
    try:
        nacl.signing.VerifyKey(public_bytes(kind, public)).verify(data, signature)
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False
    return True
