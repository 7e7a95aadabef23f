"""Sign-ins of this machine's command line: tokens of people's apps, in a file that only its user can read.

Each llum has its own people, so they are kept by the address of an external nats-server, or else by the data folder.
"""

import os
import shlex
import time
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from bus.showing import ExpiringToken
from llum.failures import Fault
from llum.settings import Settings
from llum.settings_loading import load

FOLDER: Final = "llum"
FILE: Final = "sign-ins.json"
PROGRAMS: Final = "programs"
"""The folder beside it, of sign-ins by OAuth 2."""

_MODE: Final = 0o600


class SignIn(msgspec.Struct, frozen=True):
    """That an app speaks for a person from this machine."""

    user: str
    app: str
    token: str
    expires: float
    """Seconds since 1970."""

    @property
    def shown(self) -> ExpiringToken:
        """The token, as it is shown to the bus."""
        return ExpiringToken(self.token, self.expires)


class _Kept(msgspec.Struct):
    of: dict[str, list[SignIn]] = {}
    """By which llum it is."""


class SignIns:
    """Those that this machine's user has."""

    def __init__(self, settings: Settings, file: Path | None = None) -> None:
        self._which = settings.nats_url or str(settings.data_dir.absolute())
        self._file = file or _default_file()
        self._command = partial(sign_in_command, settings)

    @property
    def has_remote(self) -> bool:
        """Tell whether programs here have signed in to an llum that somebody else runs."""
        return (self._file.parent / PROGRAMS).is_dir()

    def find(self, user: str, app: str) -> SignIn | None:
        """Give the sign-in of an app of a person; None if there is none, or none that is still good."""
        found = self._find(user, app)
        return found if found is not None and found.expires > time.time() else None

    def good(self, user: str, app: str) -> SignIn:
        """Give the same, or raise a `Fault` that says how to sign in."""
        found = self._find(user, app)
        if found is None:
            raise Fault(f"this command line has not signed in as {user}", f"Sign in with `{self._command(user)}`.")
        if found.expires <= time.time():
            raise Fault(f"the sign-in as {user} has expired", f"Sign in again with `{self._command(user)}`.")
        return found

    def keep(self, sign_in: SignIn) -> None:
        """Remember a sign-in in place of an earlier one. Raises a `Fault` when the file cannot be written."""
        kept = self._without(sign_in.user, sign_in.app)
        kept.of.setdefault(self._which, []).append(sign_in)
        self._write(kept)

    def drop(self, user: str, app: str) -> SignIn | None:
        """Forget a sign-in, and give it if there was one. Raises a `Fault` when the file cannot be written."""
        dropped = self._find(user, app)
        if dropped is not None:
            self._write(self._without(user, app))
        return dropped

    def _find(self, user: str, app: str) -> SignIn | None:
        there = self._read().of.get(self._which, [])
        return next((one for one in there if (one.user, one.app) == (user, app)), None)

    def _without(self, user: str, app: str) -> _Kept:
        kept, now = self._read(), time.time()
        for which, there in kept.of.items():
            kept.of[which] = [
                one for one in there
                if one.expires > now and (which != self._which or (one.user, one.app) != (user, app))
            ]  # fmt: skip
        kept.of = {which: there for which, there in kept.of.items() if there}
        return kept

    def _read(self) -> _Kept:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return _Kept()
        except (OSError, msgspec.DecodeError) as error:
            raise Fault(f"cannot read {self._file}: {error}", "Mend or delete it, and sign in anew.") from error

    def _write(self, kept: _Kept) -> None:
        fresh = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.touch(mode=_MODE)
            fresh.chmod(_MODE)
            fresh.write_bytes(msgspec.json.encode(kept) + b"\n")
            fresh.replace(self._file)
        except OSError as error:
            raise Fault(f"cannot write {self._file}: {error.strerror}", "See who may write there.") from error


def sign_in_command(settings: Settings, user: str) -> str:
    """Write the command that signs in to the llum that the settings name."""
    ordinary = settings.nats_url is not None or settings.data_dir == load({}).data_dir
    return shlex.join(["llum", "sign-in", user, *([] if ordinary else ["--data-dir", str(settings.data_dir)])])


def no_longer_good(settings: Settings, user: str) -> Fault:
    """Say that nats-server does not let a sign-in in. Its words are the same where nobody can decide on it now."""
    hint = f"If llum has been ready for a moment, sign in again with `{sign_in_command(settings, user)}`."
    return Fault(f"llum does not take the sign-in as {user}: it was revoked, or llum is just starting", hint)


def _default_file() -> Path:
    """Name the file where the user's programs keep what they are set to (XDG Base Directory)."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / FOLDER / FILE
