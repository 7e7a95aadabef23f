"""Writing all documents of an installation: a JSON list, one document a line, always in the same order.

By type, as they are loaded, and by id. What is in memory at once is little: the ids of safes and the records of keys.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from identity.preferences.credentials import ClientCredentials
from identity.preferences.key_tokens import KeyTokens
from identity.preferences.keys import PreferenceKeys, StoredKey
from llum.preferences.many import AT_ONCE, for_each, results
from llum.preferences.safes import Safes
from llum.preferences.stored import Safe, client_document, credential_document, is_joined, key_document, token_document

if TYPE_CHECKING:
    from llum.client import Client


class DumpReport(msgspec.Struct):
    """What a dump has written."""

    written: Counter[str]
    """Documents by type."""
    joined: int = 0
    """Keys whose preferences are in the models of people: they stay there."""


Write = Callable[[bytes], object]


async def dump(client: "Client", write: Write, on_progress: Callable[[str], None] = lambda _: None) -> DumpReport:
    """Write all documents. Raises `Transient`, `ApiError`, and what `write` raises."""
    report = DumpReport(Counter())
    async for document in _documents(client, report, on_progress):
        write(b",\n" if report.written.total() else b"[\n")
        write(msgspec.json.encode(document))
        report.written[document["type"]] += 1
        on_progress(f"dumped {report.written.total():,} documents")
    write(b"\n]\n" if report.written.total() else b"[]\n")
    return report


async def _documents(
    client: "Client", report: DumpReport, on_progress: Callable[[str], None]
) -> AsyncIterator[dict[str, Any]]:
    keys = PreferenceKeys(client.bus)
    credentials, safes = ClientCredentials(keys.store), Safes(client, keys)
    for program in await credentials.clients():
        yield client_document(program)
    for credential in await credentials.list():
        yield credential_document(credential)
    found = await _found(safes, on_progress)
    async for document in _of_safes(safes, found):
        yield document
    for document in _of_keys(await keys.list(), found, report):
        yield document
    tokens = [token_document(token) for token in await KeyTokens(keys, credentials).list()]
    for document in sorted(tokens, key=_id_of):
        yield document


async def _found(safes: Safes, on_progress: Callable[[str], None]) -> list[Safe]:
    """Give what is known of all safes, by id."""
    found: list[Safe] = []

    async def find(user: str) -> None:
        safe = await safes.find(user)
        if safe is not None:
            found.append(safe)
            on_progress(f"found {len(found):,} safes")

    await for_each(await safes.users(), find)
    return sorted(found, key=lambda safe: safe.id)


async def _of_safes(safes: Safes, found: Sequence[Safe]) -> AsyncIterator[dict[str, Any]]:
    """Give the documents of safes in their order, some being fetched at a time."""
    for start in range(0, len(found), AT_ONCE):
        for document in await results(found[start : start + AT_ONCE], safes.document):
            if document is not None:
                yield document


def _of_keys(records: Sequence[StoredKey], safes: Sequence[Safe], report: DumpReport) -> Iterator[dict[str, Any]]:
    """Give the documents of keys that have a record, and of those by which safes were made here."""
    by_user = {safe.user: safe for safe in safes}
    recorded = {record.key for record in records}
    made_here = [StoredKey(safe.key, safe.user) for safe in safes if safe.key is not None and safe.key not in recorded]
    for record in sorted([*records, *made_here], key=lambda one: one.key):
        report.joined += is_joined(record)
        yield key_document(record, by_user.get(record.user))


def _id_of(document: dict[str, Any]) -> str:
    return str(document["_id"])
