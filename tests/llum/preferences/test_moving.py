"""Moving an installation in and out: what was loaded is dumped as it was, and loading it again changes nothing."""

import io
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bus.as_app import AsApp, LastWrites, new_id
from identity.preferences.credentials import ClientCredentials
from identity.preferences.key_tokens import KeyTokens
from identity.preferences.keys import PreferenceKeys, StoredKey
from llum.client import Client
from llum.failures import Fault
from llum.people.people import list_people
from llum.preferences.dumping import DumpReport, dump
from llum.preferences.files import good, read_files
from llum.preferences.keys import look_up, revoke
from llum.preferences.loading import LoadReport, check_safes, load
from model.preferences.documents import Document, read_documents
from schemas.apps import PREFERENCES_APP
from schemas.errors import Code, Refusal
from schemas.preferences import PutPreferences, SafeFacts
from tests.actors.serving import serving
from tests.shared_data import shared_json

TOKEN = "0123456789abcdef0123456789abcdef"
SECRET = "a secret of a kiosk"
PROGRAM: list[dict[str, Any]] = [
    {
        "_id": "authorization-1",
        "type": "gpiiAppInstallationAuthorization",
        "schemaVersion": "0.2",
        "clientId": "client-1",
        "gpiiKey": "key-1",
        "clientCredentialId": "credential-1",
        "accessToken": TOKEN,
        "revoked": False,
        "revokedReason": None,
        "timestampCreated": "2099-11-23T10:00:00.000Z",
        "timestampRevoked": None,
        "timestampExpires": "2099-11-23T11:00:00.000Z",
    },
    {
        "_id": "credential-1",
        "type": "clientCredential",
        "schemaVersion": "0.1",
        "clientId": "client-1",
        "oauth2ClientId": "kiosk",
        "oauth2ClientSecret": SECRET,
        "revoked": False,
    },
    {
        "_id": "client-1",
        "type": "gpiiAppInstallationClient",
        "schemaVersion": "0.1",
        "name": "Kiosk",
        "computerType": "public",
        "timestampCreated": "2017-11-21T18:11:22.101Z",
    },
]
KEYS: list[dict[str, Any]] = [
    {"_id": "key-1", "type": "gpiiKey", "schemaVersion": "0.1", "prefsSafeId": "safe-1", "colour": "red"},
    {"_id": "key-2", "type": "gpiiKey", "prefsSafeId": None, "revoked": True, "revokedReason": "lost"},
]


def safe(safe_id: str, preferences: Any, **members: Any) -> dict[str, Any]:
    """Give the document of a safe."""
    return {
        "_id": safe_id,
        "type": "prefsSafe",
        "schemaVersion": "0.2",
        "prefsSafeType": "user",
        "name": None,
        "password": None,
        "email": None,
        "preferences": preferences,
        "timestampCreated": "2017-12-14T19:55:11.640Z",
        "timestampUpdated": None,
        **members,
    }


def body(**preferences: Any) -> dict[str, Any]:
    return {"contexts": {"gpii-default": {"preferences": preferences}}}


ODD: list[dict[str, Any]] = [
    safe("safe-1", {"flat": body(b=1, a={"d": [], "c": {}})}, schemaVersion="0.1", name="Al", note={"deep": [1]}),
    safe("with another member", {"flat": {"contexts": {"gpii-default": {"preferences": {"a": 1}, "colour": "red"}}}}),
    safe("with no contexts", {"flat": {"contexts": None}}),
    safe("with lists", {"ISO24751": {"contexts": []}, "flat": []}),
    safe("with an app that is null", {"ISO24751": body(applications={"x": None})}),
    safe("with scopes in each other", {"flat": {**body(a=1), "metadata": [{"type": "x", "scope": ["a", "a.b"]}]}}),
    safe("with nothing", {}),
    safe("with null", None),
    safe("in two ontologies", {"z": body(q=None, b=False), "a": {"name": "N", **body(x="")}}, timestampUpdated="x"),
    {"_id": "short", "type": "prefsSafe", "prefsSafeType": "snapset", "preferences": {"flat": body(a=1.0)}},
    {"_id": "shortest", "type": "prefsSafe", "prefsSafeType": "user"},
]


@asynccontextmanager
async def installation(folder: Path) -> AsyncIterator[Client]:
    """Run an installation of its own."""
    async with serving(folder) as llum:
        yield Client(llum.bus, llum.requests, "llum")


def documents_of(*members: dict[str, Any]) -> list[Document]:
    return good(read_documents("given.json", list(members)))


async def loaded(client: Client, *members: dict[str, Any]) -> LoadReport:
    documents, report = documents_of(*members), LoadReport(Counter(), Counter())
    check_safes(documents)
    await load(client, documents, report)
    return report


async def dumped(client: Client) -> tuple[list[dict[str, Any]], DumpReport]:
    output = io.BytesIO()
    report = await dump(client, output.write)
    return json.loads(output.getvalue()), report


def ordered(documents: Any) -> dict[str, str]:
    """Give documents by id, as texts: the order of members counts."""
    return {one["_id"]: json.dumps(one) for one in documents}


def but_for_hashes(documents: Any) -> dict[str, str]:
    """Leave out what a dump has only hashes of."""
    secrets = ("oauth2ClientSecret", "accessToken")
    return ordered({name: value for name, value in one.items() if name not in secrets} for one in documents)


async def stored_here(client: Client, key: str, settings: dict[str, Any]) -> None:
    """Put preferences as a program does that has a key which nobody has used."""
    user = await PreferenceKeys(client.bus).safe_user(key)
    command = PutPreferences(id=new_id(), view="flat", body=body(**settings), make=SafeFacts(key=key))
    await AsApp(client.requests, user, PREFERENCES_APP, LastWrites()).send(command)


def examples() -> list[dict[str, Any]]:
    return [one for name in ("gpiiKeys", "prefsSafes") for one in shared_json(f"preferences/documents/{name}.json")]


async def test_the_examples_move_in_out_and_in_elsewhere(tmp_path: Path) -> None:
    """All documents come back as they were, and from the dump as they were there."""
    async with installation(tmp_path / "a") as here, installation(tmp_path / "b") as there:
        await loaded(here, *examples())
        first, _ = await dumped(here)
        assert ordered(first) == ordered(examples())
        await loaded(there, *first)
        assert (await dumped(there))[0] == first


async def test_what_was_loaded_is_dumped_and_loading_it_again_changes_nothing(tmp_path: Path) -> None:
    """Whatever the documents hold: other members and orders, missing ones, and what the original cannot read itself."""
    given = [*PROGRAM, *ODD, *KEYS]
    async with installation(tmp_path / "a") as here, installation(tmp_path / "b") as there:
        report = await loaded(here, *given)
        assert report.stored.total() == len(given)
        first, _ = await dumped(here)
        assert but_for_hashes(first) == but_for_hashes(given)
        again = await loaded(here, *given)
        assert (again.stored.total(), again.there) == (0, report.stored)
        assert (await dumped(here))[0] == first
        await loaded(there, *first)
        assert (await dumped(there))[0] == first
        await secrets_work(there)
        assert await list_people(here) == []


async def secrets_work(client: Client) -> None:
    """The hashes of a dump let in whoever has what they are of."""
    keys = PreferenceKeys(client.bus)
    credentials = ClientCredentials(keys.store)
    assert await credentials.proven("kiosk", SECRET) is not None
    assert await credentials.proven("kiosk", "another") is None
    grant = await KeyTokens(keys, credentials).grant(TOKEN)
    assert grant is not None
    assert grant.key == "key-1"


async def test_a_load_undoes_nothing_that_has_happened_here(tmp_path: Path) -> None:
    """What was put, revoked or joined since stays; a dump says it."""
    async with installation(tmp_path) as here:
        given = [safe("safe-1", {"flat": body(a=1)}), safe("safe-2", {"flat": body(a=2)}), *KEYS]
        joined = {**KEYS[0], "_id": "joined", "prefsSafeId": "safe-2"}
        keys = PreferenceKeys(here.bus)
        await loaded(here, given[0], *KEYS)
        await keys.put_record(StoredKey("joined", "alice", ("Preferences", "_joined", "x"), "key-1", document=joined))
        await revoke(here, "key-1", "lost")
        user = await keys.user_of_safe("safe-1")
        put = PutPreferences(id=new_id(), view="flat", body=body(a=7))
        await AsApp(here.requests, user, PREFERENCES_APP, LastWrites()).send(put)

        assert (await loaded(here, *given, joined)).stored == {}
        assert (await loaded(here, *given[:2])).stored == {}, "no key need come along that says where its safe is"
        documents, report = await dumped(here)
        found = {one["_id"]: one for one in documents}
        assert sorted(found) == ["joined", "key-1", "key-2", "safe-1"]
        assert found["safe-1"]["preferences"] == {"flat": body(a=7)}
        assert found["safe-1"]["timestampUpdated"] is not None
        assert found["key-1"] == {**KEYS[0], "revoked": True, "revokedReason": "lost"}
        assert (found["joined"]["prefsSafeId"], report.joined) == (None, 1)


async def test_a_safe_made_here_is_a_document_with_its_key(tmp_path: Path) -> None:
    """Loaded where it was made it is what is there; loaded elsewhere it is dumped as it was."""
    async with installation(tmp_path / "a") as here, installation(tmp_path / "b") as there:
        await stored_here(here, "made here", {"a": 1})
        await loaded(here, {"_id": "empty", "type": "gpiiKey", "prefsSafeId": None})
        await stored_here(here, "empty", {"a": 2})
        first, _ = await dumped(here)
        kinds = [(one["type"], one["schemaVersion"]) for one in first if one["_id"] != "empty"]
        assert kinds == [("prefsSafe", "0.2"), ("prefsSafe", "0.2"), ("gpiiKey", "0.2")]
        safes = {one["_id"]: one["preferences"] for one in first if one["type"] == "prefsSafe"}
        opened = {one["_id"]: safes[one["prefsSafeId"]] for one in first if one["type"] == "gpiiKey"}
        assert opened == {"made here": {"flat": body(a=1)}, "empty": {"flat": body(a=2)}}

        assert (await loaded(here, *first)).stored == {}
        taken = {"_id": "made here", "type": "gpiiKey", "prefsSafeId": "another"}
        assert (await loaded(here, safe("another", {}), taken)).there == {"gpiiKey": 1}
        await loaded(there, *first)
        assert (await dumped(there))[0] == first


async def test_a_key_is_shown_and_revoked(tmp_path: Path) -> None:
    """Only one that is there: nobody revokes a key by a slip of the finger that another person may get."""
    async with installation(tmp_path) as here:
        await loaded(here, safe("safe-1", {"flat": body(a=1, b={"c": 2})}), *KEYS)
        shown = await look_up(here, "key-1")
        assert shown.safe is not None
        assert (shown.safe.id, shown.safe.settings, shown.revoked) == ("safe-1", {"flat": 2}, False)
        assert (await look_up(here, "key-2")).safe is None
        assert (await revoke(here, "key-1", "lost")).reason == "lost"
        assert (await look_up(here, "key-1")).revoked
        for act in (look_up(here, "Key-1"), revoke(here, "Key-1", None)):
            with pytest.raises(Refusal) as refused:
                await act
            assert refused.value.code is Code.NO_SUCH_KEY


UNTAKEABLE: list[tuple[dict[str, Any], str]] = [
    ({"_private": body()}, "preferences._private: names with a _ in front are llum's own here"),
    ({"flat": {"contexts": {"_x": body()["contexts"]["gpii-default"]}}}, "preferences.flat.contexts._x: names with"),
    ({"flat": body(**{"": 1})}, "preferences.flat.contexts.gpii-default.preferences.: "),
    ({"a": body(), "flat": body(**{"x" * 300: 1})}, "preferences.flat.contexts.gpii-default.preferences.xxx"),
    ({"flat": body(a="x" * 2_000_000)}, "the safe takes 2,000,"),
]


@pytest.mark.parametrize(("preferences", "said"), UNTAKEABLE)
def test_what_no_model_takes_is_named_before_anything_is_stored(preferences: Any, said: str) -> None:
    """With the member of the document, as whoever mends it sees it."""
    with pytest.raises(Fault) as fault:
        check_safes(documents_of(safe("one", preferences)))
    assert fault.value.details[0].startswith("given.json: document 1 ('one'): ")
    assert said in fault.value.details[0]


FILES: list[tuple[bytes | None, str]] = [
    (None, "cannot read {file}: No such file or directory"),
    (b'[{"_id": 1},\n {]', "{file}:2:3 is not JSON: "),
    (b"\xff", "{file} is not JSON: "),
    (b"[" * 100_000, "{file} is not JSON: "),
    (b"7", "a mistake in the documents; nothing is loaded"),
    (b'[{"_id": "a"}, {"_id": "b"}]', "2 mistakes in the documents; nothing is loaded"),
]


@pytest.mark.parametrize(("content", "said"), FILES)
def test_a_file_that_cannot_be_loaded_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    """With line and column, if it is no JSON."""
    file = tmp_path / "given.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Fault) as fault:
        read_files([file])
    assert fault.value.message.startswith(said.format(file=file))


def test_many_mistakes_are_counted(tmp_path: Path) -> None:
    """Whoever has ten thousand of them sees the first."""
    (tmp_path / "a.json").write_text(json.dumps([{"_id": str(number)} for number in range(50)]))
    with pytest.raises(Fault) as fault:
        read_files([tmp_path / "a.json"])
    assert (len(fault.value.details), fault.value.details[-1]) == (21, "and 30 more")
