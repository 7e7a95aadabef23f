"""Sign-ins that are kept on this machine: what is known of each in a file of its own, that only its user can read.

Its tokens are in the keyring of the system where there is one, else in the same file. Several processes may share a
sign-in: whoever changes it holds its lock, and reads it anew first.
"""

import asyncio
import contextlib
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from llum.failures import Fault
from llum.oauth.keyrings import Keyring, find_keyring
from llum.oauth.servers import Server, place_of
from llum.oauth.wishes import GrantedSlices, KeptTokens

FOLDER: Final = Path("llum") / "programs"

_MODE: Final = 0o600
_NAME_CHARACTERS: Final = 32

T = TypeVar("T")


class KeptSignIn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sign-in as it is kept. Without `tokens` they are in the keyring."""

    server: Server
    client_id: str
    account: str
    """By which the program tells several people apart; may be empty."""
    user: str
    """Who has signed in, as llum knows them."""
    granted: GrantedSlices
    tokens: KeptTokens | None = None

    @property
    def name(self) -> str:
        return name_of(self.server.url, self.client_id, self.account)


def name_of(url: str, client_id: str, account: str) -> str:
    """Name a sign-in by what it is for."""
    return hashlib.sha256("\0".join((place_of(url), client_id, account)).encode()).hexdigest()[:_NAME_CHARACTERS]


class Kept:
    """All that are kept, in one folder. Its methods block, but for `locked`: the file is small, a keyring may ask."""

    def __init__(self, folder: Path | None = None, keyring: Callable[[], Keyring | None] = find_keyring) -> None:
        self._folder = folder or _default_folder()
        self._find_keyring = keyring

    def find(self, name: str) -> KeptSignIn | None:
        """Give a sign-in without its tokens, where those are in the keyring. None: there is none. Raises `Fault`."""
        return self._read(self._file(name))

    def all(self) -> Iterator[KeptSignIn]:
        """Give all, as `find` does."""
        for file in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            found = self._read(file)
            if found is not None:
                yield found

    def tokens(self, kept: KeptSignIn) -> KeptTokens | None:
        """Give the tokens of a sign-in; None: somebody has taken them out of the keyring. Raises `Fault`."""
        if kept.tokens is not None:
            return kept.tokens
        keyring = self._find_keyring()
        found = None if keyring is None else _guarded(lambda: keyring.get(kept.name))
        return None if found is None else msgspec.json.decode(found, type=KeptTokens)

    def keep(self, kept: KeptSignIn, tokens: KeptTokens) -> None:
        """Keep a sign-in in place of an earlier one. Raises `Fault`."""
        keyring = self._find_keyring()
        if keyring is None:
            self._write(msgspec.structs.replace(kept, tokens=tokens))
            return
        _guarded(lambda: keyring.set(kept.name, msgspec.json.encode(tokens).decode()))
        self._write(msgspec.structs.replace(kept, tokens=None))

    def drop(self, kept: KeptSignIn) -> None:
        """Forget a sign-in. Raises `Fault`."""
        self._file(kept.name).unlink(missing_ok=True)
        keyring = self._find_keyring() if kept.tokens is None else None
        if keyring is not None:
            _guarded(lambda: keyring.delete(kept.name))

    @contextlib.asynccontextmanager
    async def locked(self, name: str) -> AsyncIterator[None]:
        """Be the only process that changes a sign-in. Who has the lock keeps it for seconds at most."""
        self._prepare()
        handle = os.open(self._folder / f"{name}.lock", os.O_CREAT | os.O_RDWR, _MODE)
        try:
            while not _lock(handle):  # noqa: ASYNC110 - no event tells when another process has done
                await asyncio.sleep(_LOOK_AGAIN_S)
            yield
        finally:
            os.close(handle)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _read(self, file: Path) -> KeptSignIn | None:
        try:
            return msgspec.json.decode(file.read_bytes(), type=KeptSignIn)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise Fault(f"cannot read {file}: {error}", "Delete it, and sign in anew.") from error

    def _write(self, kept: KeptSignIn) -> None:
        self._prepare()
        file = self._file(kept.name)
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            fresh.unlink(missing_ok=True)
            fresh.touch(mode=_MODE)
            fresh.write_bytes(msgspec.json.encode(kept) + b"\n")
            fresh.replace(file)
        except OSError as error:
            raise Fault(f"cannot write {file}: {error.strerror}", "See who may write there.") from error

    def _prepare(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Fault(f"cannot make {self._folder}: {error.strerror}", "See who may write there.") from error


_LOOK_AGAIN_S: Final = 0.05
"""Seconds until it is looked again whether another process has done with a sign-in."""


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _guarded(use: Callable[[], T]) -> T:
    from keyring.errors import KeyringError

    try:
        return use()
    except KeyringError as error:
        hint = "Unlock it, and try again."
        raise Fault(f"the keyring of this system does not give what is kept in it: {error}", hint) from error


def _default_folder() -> Path:
    """Name the folder where the user's programs keep what they are set to (XDG Base Directory)."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / FOLDER
