"""The keys that the callout answers with. nats-server goes by one pair of them, and its request tells which."""

from pathlib import Path
from typing import NamedTuple

from bus import credentials
from bus.credentials import Credentials
from bus.errors import InstallationError
from bus.nkeys import CurveKey, SealError, SigningKey


class KeyPair(NamedTuple):
    """The key that answers are signed with, and the one that they are sealed with."""

    issuer: SigningKey
    xkey: CurveKey


class CalloutKeys:
    """The pairs of a file of credentials. The file is read again when nats-server asks with another one."""

    def __init__(self, file: Path) -> None:
        """Read the file. Raises as `bus.credentials.load`."""
        self._file = file
        self._take(credentials.load(file))

    def open(self, sealed: bytes, server: str) -> tuple[bytes, KeyPair]:
        """Open what a nats-server has sealed, and give the pair that it goes by. Raises `SealError`, `KeyTextError`."""
        opened = self._opened(sealed, server)
        if opened is None and self._is_read_again():
            opened = self._opened(sealed, server)
        if opened is None:
            raise SealError("nats-server has other keys than the file of credentials")
        return opened

    def _opened(self, sealed: bytes, server: str) -> tuple[bytes, KeyPair] | None:
        for pair in self._pairs:
            try:
                return pair.xkey.open(sealed, server), pair
            except SealError:
                continue
        return None

    def _is_read_again(self) -> bool:
        try:
            self._take(credentials.load(self._file))
        except InstallationError:
            return False
        return True

    def _take(self, found: Credentials) -> None:
        self._pairs = [
            KeyPair(SigningKey(bytes.fromhex(one.issuer)), CurveKey(bytes.fromhex(one.xkey))) for one in found.both
        ]
