"""The file that names the issuers at which people may sign in. It may hold secrets, so nobody else may read it."""

import os
from pathlib import Path

from bus.private_files import OTHERS
from identity.issuers.configured import Issuer, issuers_of
from llum.failures import Fault
from schemas.errors import Refusal


def read_issuers(path: Path | None) -> dict[str, Issuer]:
    """Read the file; without one there are no issuers. Raises a `Fault`."""
    if path is None:
        return {}
    import tomllib

    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = tomllib.load(file)
    except OSError as error:
        raise Fault(f"cannot read {path}: {error.strerror}", "The setting issuers names this file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Fault(f"{path} is not TOML: {error}", "The setting issuers names this file.") from error
    try:
        issuers = issuers_of(content)
    except Refusal as refusal:
        raise Fault(f"{path}: {refusal.message} ({refusal.error.field})", refusal.hint) from refusal
    if mode & OTHERS and any(one.client_secret for one in issuers.values()):
        raise Fault(f"{path} holds secrets, and others can read it", f"Close it: chmod 600 {path}")
    return issuers
