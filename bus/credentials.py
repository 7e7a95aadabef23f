"""llum's own credentials on the bus: a user and password for each kind of its processes, and the keys of the callout.

They are made at the first start, in a file that only llum's user can read. The nats-server's configuration holds
what it needs of them. They stand in no ready file, environment or command line.

When they are replaced, the file holds those before, too, until nats-server goes by the new ones: it cannot take them in
while it runs. Whoever connects tries both in turns, and the callout answers with the keys that nats-server asks with.
So it does not matter when nats-server is started anew, nor where a rotation breaks off.
"""

import contextlib
import os
import secrets
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final, Literal

import msgspec

from bus import addresses
from bus.errors import InstallationError
from bus.private_files import OTHERS

FILE: Final = "credentials.json"
"""Its name in the data folder."""

SECRET_BYTES: Final = 32

Role = Literal["worker", "edge", "callout", "operator", "auth", "system"]
"""`auth` answers nats-server in an account of its own, `system` ends connections; the others are in llum's own."""

ROLES: Final[tuple[Role, ...]] = ("worker", "edge", "callout", "operator", "auth", "system")

CredentialPart = Literal["passwords", "callout"]
"""What is replaced together: the passwords; or the issuer's seed and the xkey."""


class Credentials(msgspec.Struct, frozen=True, omit_defaults=True):
    """What llum's processes show to nats-server, and the secrets that they share. Secrets are hexadecimal text."""

    passwords: dict[Role, str]
    issuer: str
    """The seed of the key that signs what the callout answers."""
    issuer_public: str
    """Its public half, as nats-server wants it."""
    xkey: str
    """The seed of the key that what nats-server and the callout say is sealed with."""
    xkey_public: str
    routes: str = ""
    """The password of the servers of a cluster among each other. None is made before there is one."""
    made: dict[CredentialPart, float] = {}
    """When the parts were made, in seconds since 1970."""
    before: "Credentials | None" = None
    """Those that nats-server may still go by."""

    @property
    def both(self) -> "tuple[Credentials, ...]":
        """Those that nats-server goes by are among these, most likely the first."""
        return (self,) if self.before is None else (self, self.before)

    def at(self, url: str, role: Role) -> str:
        """Give the address of nats-server with the login of a role in it. It is to be shown to nobody."""
        return addresses.with_login(url, role, self.passwords[role])


def made() -> Credentials:
    """Make new credentials."""
    # Needed once in the life of an installation, and by the callout.
    from bus.nkeys import CurveKey, SigningKey

    issuer, xkey, now = _secret(), _secret(), time.time()
    return Credentials(
        passwords={role: _secret() for role in ROLES},
        issuer=issuer,
        issuer_public=SigningKey(bytes.fromhex(issuer)).public,
        xkey=xkey,
        xkey_public=CurveKey(bytes.fromhex(xkey)).public,
        made={"passwords": now, "callout": now},
    )


def replaced(current: Credentials, parts: Collection[CredentialPart]) -> Credentials:
    """Make new credentials in place of some, which are kept beside them. Nothing else may be under way."""
    assert current.before is None, "one rotation ends before the next one begins"
    fresh, kept = made(), current
    for part in parts:
        kept = msgspec.structs.replace(kept, **{name: getattr(fresh, name) for name in _FIELDS[part]})
    times = {**current.made, **{part: fresh.made[part] for part in parts}}
    return msgspec.structs.replace(kept, made=times, before=current)


def settled(current: Credentials) -> Credentials:
    """Give the credentials without those before: nats-server goes by the new ones."""
    return msgspec.structs.replace(current, before=None)


def ensure(data_dir: Path) -> Credentials:
    """Give the credentials of a data folder; they are made when they are first wanted. Raises as `load`."""
    return ensure_file(data_dir / FILE)


def ensure_file(file: Path) -> Credentials:
    """Give the credentials in a file; they are made when they are first wanted. Raises as `load`."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(file, made())
    return load(file)


def ensure_routes(file: Path) -> Credentials:
    """Give the credentials in a file, with a password of routes. Raises as `load` and `store`."""
    found = ensure_file(file)
    if found.routes:
        return found
    store(file, msgspec.structs.replace(found, routes=_secret()))
    return load(file)


def load(file: Path) -> Credentials:
    """Read a file of credentials. Raises `InstallationError`: it is not there, not readable, open to others, or
    none.
    """
    try:
        if file.stat().st_mode & OTHERS:
            raise InstallationError(f"{file} can be read by others", f"close it: chmod 600 {file}")
        return msgspec.json.decode(file.read_bytes(), type=Credentials)
    except OSError as error:
        raise _unreadable(file, error) from error
    except msgspec.DecodeError as error:
        raise InstallationError(f"{file} does not hold credentials: {error}", "restore it from a backup") from error


def _unreadable(file: Path, error: OSError) -> InstallationError:
    """Say who may act as one of llum's own: whoever runs llum, or has been given the file."""
    if isinstance(error, FileNotFoundError):
        hint = "`llum up` makes it, or `llum nats-config`; LLUM_CREDENTIALS names a copy of that of another machine"
        return InstallationError(f"llum's own credentials are not here: there is no {file}", hint)
    hint = "only the user that llum runs as may do this: become that user"
    return InstallationError(f"cannot read llum's own credentials in {file}: {error.strerror}", hint)


class OwnPassword:
    """The password of a role as the file holds it when it is asked for; with two that may be right, in turns."""

    def __init__(self, file: Path, role: Role) -> None:
        """Read the file. Raises as `load`."""
        self._file = file
        self._role = role
        self._known = load(file)
        self._asked = 0

    def __call__(self) -> str:
        """Give the one to try now."""
        # What was read before may still be right.
        with contextlib.suppress(InstallationError):
            self._known = load(self._file)
        both = self._known.both
        self._asked += 1
        return both[(self._asked - 1) % len(both)].passwords[self._role]


def store(file: Path, credentials: Credentials) -> None:
    """Write the file in place of the one that is there, whole also when the power fails. Raises `InstallationError`."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        _write_new(fresh, credentials)
        fresh.replace(file)
        _sync(file.parent)
    except OSError as error:
        raise InstallationError(f"cannot write {file}: {error.strerror}", "see who may write there") from error


def _secret() -> str:
    return secrets.token_hex(SECRET_BYTES)


def _write(file: Path, credentials: Credentials) -> None:
    """Write the file so that it is there whole or not at all; of two who do so at once, the first wins."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    _write_new(fresh, credentials)
    try:
        os.link(fresh, file)
    except FileExistsError:
        return
    finally:
        fresh.unlink()


def _write_new(fresh: Path, credentials: Credentials) -> None:
    fresh.touch(mode=0o600)
    with fresh.open("wb") as writing:
        writing.write(msgspec.json.encode(credentials) + b"\n")
        writing.flush()
        os.fsync(writing.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_FIELDS: Final[dict[CredentialPart, tuple[str, ...]]] = {
    "passwords": ("passwords",),
    "callout": ("issuer", "issuer_public", "xkey", "xkey_public"),
}
