"""Loading documents into an installation. The same load again changes nothing.

First all is checked. Then each document is stored by itself: programs, credentials, safes, keys, tokens, as none names
one that comes after it. So whatever interrupts a load, the same again goes on with what is missing.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from llum.preferences.files import raise_for
from llum.preferences.many import for_each
from llum.preferences.putting import Putting, command_of
from model.commands.preferences import make_safe
from model.preferences.documents import AUTHORIZATION, CLIENT, CREDENTIAL, KEY, SAFE, TYPES, Document, Mistake
from model.stamp import Stamp
from schemas.apps import PREFERENCES_APP
from schemas.codec import encode
from schemas.errors import Code, Refusal
from schemas.limits import MAX_COMMAND_BYTES
from schemas.preferences import PutPreferences

if TYPE_CHECKING:
    from llum.client import Client

OnDocument = Callable[[str], None]


class LoadReport(msgspec.Struct):
    """What a load has done, by type of document."""

    stored: Counter[str]
    there: Counter[str]
    """What was there before, and stays as it is."""

    @property
    def count(self) -> int:
        """Documents that are dealt with."""
        return self.stored.total() + self.there.total()


def check_safes(documents: Sequence[Document], on_progress: OnDocument = lambda _: None) -> None:
    """Check each safe as the model will that is made for it. Raises a `Fault` that names what no model takes."""
    mistakes: list[Mistake] = []
    for number, document in enumerate(documents, 1):
        mistakes += _untakeable(document)
        on_progress(f"checked {number:,} of {len(documents):,} documents")
    raise_for(mistakes)


async def load(
    client: "Client", documents: Sequence[Document], report: LoadReport, on_progress: OnDocument = lambda _: None
) -> None:
    """Store what is not there yet, and count it in `report`. Raises `Transient`, `ApiError`, `Refusal`."""
    by_type: dict[str, list[Document]] = {kind: [] for kind in TYPES}
    for document in documents:
        by_type[document.type].append(document)
    putting = await Putting.beside(client, by_type[KEY])
    shown = _Shown(len(documents), report, on_progress)
    put: dict[str, Callable[[Document], Awaitable[bool]]] = {
        CLIENT: putting.put_client,
        CREDENTIAL: putting.put_credential,
        SAFE: putting.make_safe,
        KEY: putting.put_key,
        AUTHORIZATION: putting.put_token,
    }
    for kind in TYPES:
        await for_each(by_type[kind], lambda one, kind=kind: shown.count(kind, put[kind](one)))  # type: ignore[misc]


class _Shown:
    """Counts what is dealt with, and shows how fast that goes."""

    def __init__(self, total: int, report: LoadReport, on_progress: OnDocument) -> None:
        self._total = total
        self._report = report
        self._on_progress = on_progress
        self._since = time.monotonic()

    async def count(self, kind: str, putting: Awaitable[bool]) -> None:
        counter = self._report.stored if await putting else self._report.there
        counter[kind] += 1
        done = self._report.count
        rate = done / max(0.001, time.monotonic() - self._since)
        self._on_progress(f"loaded {done:,} of {self._total:,} documents, {rate:,.0f}/s")


def _untakeable(document: Document) -> Iterator[Mistake]:
    if document.type == SAFE:
        command = command_of(document)
        try:
            _check(command)
        except Refusal as refusal:
            yield _mistake(document, command, refusal)


def _check(command: PutPreferences) -> None:
    """Make the model here, with what will make it."""
    size = len(encode(command))
    if size > MAX_COMMAND_BYTES:
        raise Refusal(Code.TOO_LARGE, f"the safe takes {size:,} bytes, at most {MAX_COMMAND_BYTES:,}")
    make_safe(command, Stamp("_safe-checked", PREFERENCES_APP, 1, 0))


def _mistake(document: Document, command: PutPreferences, refusal: Refusal) -> Mistake:
    member = _member(command.view, refusal.error.field or "")
    message = refusal.message + (f" ({refusal.hint})" if refusal.hint else "")
    return Mistake(document.file, document.number, document.id, member, message)


def _member(view: str, field: str) -> str | None:
    """Name the member of the document that is a field of the command."""
    if field == "view":
        return f"preferences.{view[:80]}"
    if field.partition(".")[0] == "body":
        return f"preferences.{view}{field.removeprefix('body')}"
    return field.replace("make.sets.", "preferences.", 1).removeprefix("make.") or None
