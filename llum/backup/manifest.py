"""What a backup says of itself: the file `manifest.json`, which is written last."""

import hashlib
from pathlib import Path
from typing import Any, Final

import msgspec

from bus.losses import Losses
from bus.snapshots import StreamCopy
from bus.subjects import is_log_stream
from llum.failures import Fault
from llum.places.files import MANIFEST_FILE

FORMAT: Final = 1
"""The form of a backup. One of another form is refused."""

STREAMS: Final = "streams"
"""The folder of the streams' copies, in nats-server's own form."""

FILES: Final = "files"
"""The folder of what lay in the data folder itself."""

_PIECE: Final = 1024 * 1024


class CopiedStream(msgspec.Struct, frozen=True):
    """One stream of a backup."""

    name: str
    copy: StreamCopy
    bytes: int
    sha256: str
    losses: Losses | None = None
    """Of a stream of the log: what it had lost when it was copied. A copy cannot tell that any more."""

    @property
    def is_whole(self) -> bool:
        return self.losses is None or self.losses.is_whole


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a backup."""

    format: int = FORMAT
    made_at: float
    """Seconds since 1970."""
    nats_server: str
    """The version of the nats-server that made the copies; an older one may not read them."""
    log_format: int
    partitions: int
    log_streams: int
    settings: dict[str, Any]
    """Those that were not the default, but for places of this machine."""
    files: dict[str, str]
    """Files of the data folder, each with its SHA-256."""
    streams: list[CopiedStream]

    @property
    def losses(self) -> list[Losses]:
        """What the log had lost when it was copied."""
        return [one.losses for one in self.streams if one.losses is not None and not one.is_whole]

    @property
    def size(self) -> int:
        return sum(stream.bytes for stream in self.streams)

    @property
    def commands(self) -> int:
        """Commands in the log."""
        return sum(int(one.copy.state["messages"]) for one in self.streams if is_log_stream(one.name))


def read_manifest(folder: Path) -> Manifest:
    """Read what a backup says of itself. Raises a `Fault` if it is none."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=Manifest)
    except OSError as error:
        hint = "Name a folder that `llum admin backup` has made."
        raise Fault(f"{folder} is no backup: {error.strerror} ({MANIFEST_FILE})", hint) from error
    except msgspec.DecodeError as error:
        raise Fault(f"{folder / MANIFEST_FILE} cannot be read: {error}", "Restore another backup.") from error
    if manifest.format != FORMAT:
        raise Fault(
            f"{folder} is a backup of form {manifest.format}, this llum reads form {FORMAT}",
            "Restore it with the llum that made it.",
        )
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raise a `Fault` unless each file is there as it was written."""
    wanted = {folder / STREAMS / one.name: one.sha256 for one in manifest.streams}
    wanted |= {folder / FILES / name: digest for name, digest in manifest.files.items()}
    for path, digest in wanted.items():
        try:
            found = digest_of(path)
        except OSError as error:
            raise Fault(f"cannot read {path}: {error.strerror}", "Restore another backup.") from error
        if found != digest:
            raise Fault(f"{path} has changed since the backup was made", "Restore another backup.")


def digest_of(path: Path) -> str:
    """Give the SHA-256 of a file. Raises `OSError`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
