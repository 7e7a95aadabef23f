"""What was before preferences were applied here, kept in a file of the user's until it is put back."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from llum.failures import Fault
from llum.preferences_targets.planning import SettingChange

_MODE: Final = 0o600


class _Kept(msgspec.Struct):
    changes: list[SettingChange]


class BeforeApply:
    """What was before, for one target."""

    def __init__(self, target: str) -> None:
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        self.file = Path(home) / "llum" / "preferences" / f"{target}.json"

    def read(self) -> list[SettingChange]:
        """Give it; empty: nothing has been applied. Raises a `Fault` if it cannot be read."""
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=_Kept).changes
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError) as error:
            hint = "Mend or delete it: without it the settings stay as they are."
            raise Fault(f"cannot read {self.file}: {error}", hint) from error

    def keep(self, changes: Sequence[SettingChange]) -> None:
        """Keep this in place of what was kept; nothing: the file goes. Raises a `Fault` if it cannot be written."""
        fresh = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        try:
            if not changes:
                self.file.unlink(missing_ok=True)
                return
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.touch(mode=_MODE)
            fresh.write_bytes(msgspec.json.encode(_Kept([*changes])) + b"\n")
            fresh.replace(self.file)
        except OSError as error:
            raise Fault(f"cannot write {self.file}: {error.strerror}", "See who may write there.") from error
