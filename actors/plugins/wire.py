"""What a worker and the process of a plug-in say to each other. Each frame begins with its length in four bytes.

worker -> plug-in    PluginEntry, once
plug-in -> worker    PluginDeclaration
worker -> plug-in    Job, then the evidence as one JSON array: for each component
plug-in -> worker    JobResult, in the same order

What comes from the plug-in is read with distrust: its program can write to the socket whatever it likes.
"""

from typing import Any, Final

import msgspec

from model.resolvers.registry import Argument, Considered

LENGTH_BYTES: Final = 4


class PluginEntry(msgspec.Struct, frozen=True):
    """Which plug-in the process is for: an entry point."""

    name: str
    value: str
    group: str


class PluginDeclaration(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the resolver declares, or why there is none."""

    error: str | None = None
    description: str = ""
    newest_of: Considered | None = None
    considers: Considered = "any"
    arguments: dict[str, Argument] = {}


class Job(msgspec.Struct, frozen=True):
    """One component."""

    now: float
    arguments: dict[str, Any]
    explains: bool


class JobResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a job: a value and the places of the pieces that were used, or an error."""

    value: Any = None
    used: list[int] = []
    error: str | None = None


def framed(body: bytes) -> bytes:
    """Put the length in front."""
    return len(body).to_bytes(LENGTH_BYTES, "big") + body
