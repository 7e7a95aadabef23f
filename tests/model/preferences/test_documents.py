"""The documents of installations of GPII: which are read, and what is said of those that have a mistake."""

from typing import Any

import pytest

from model.preferences.documents import AUTHORIZATION, CLIENT, CREDENTIAL, KEY, SAFE, Document, read_documents, unlike
from tests.shared_data import shared_json

GOOD: dict[str, dict[str, Any]] = {
    KEY: {"_id": "alice_key", "type": KEY, "schemaVersion": "0.2", "prefsSafeId": "safe-1", "revoked": False},
    SAFE: {"_id": "safe-1", "type": SAFE, "schemaVersion": "0.1", "prefsSafeType": "user", "preferences": {}},
    CLIENT: {"_id": "client-1", "type": CLIENT, "schemaVersion": "0.2", "name": "A kiosk", "computerType": "public"},
    CREDENTIAL: {
        "_id": "credential-1",
        "type": CREDENTIAL,
        "schemaVersion": "0.1",
        "clientId": "client-1",
        "oauth2ClientId": "kiosk",
        "oauth2ClientSecret": "a secret",
    },
    AUTHORIZATION: {
        "_id": "authorization-1",
        "type": AUTHORIZATION,
        "schemaVersion": "0.2",
        "clientId": "client-1",
        "gpiiKey": "alice_key",
        "clientCredentialId": "credential-1",
        "accessToken": "0123456789abcdef0123456789abcdef",
        "timestampExpires": "2020-11-23T11:00:00.000Z",
    },
}


@pytest.mark.parametrize("name", ["prefsSafes", "gpiiKeys"])
def test_each_example_is_read_as_it_is(name: str) -> None:
    """Nothing is lost of a document, and nothing is added."""
    given = shared_json(f"preferences/documents/{name}.json")
    read = list(read_documents("examples.json", given))
    assert [one.members for one in read if isinstance(one, Document)] == given


@pytest.mark.parametrize(
    "form",
    [
        lambda one: one,
        lambda one: [one],
        lambda one: {"docs": [one]},
        lambda one: {"total_rows": 1, "rows": [{"id": "x", "value": {"rev": "1-a"}, "doc": one}]},
    ],
)
def test_each_form_of_a_file_gives_the_document(form: Any) -> None:
    """One document, a list, and CouchDB's two ways to write many are the same; the revision is the database's own."""
    [read] = read_documents("a.json", form({**GOOD[KEY], "_rev": "3-abc", "colour": "red"}))
    assert isinstance(read, Document)
    assert read.members == {**GOOD[KEY], "colour": "red"}
    assert read.place == "a.json: document 1 ('alice_key')"


def test_what_is_the_databases_own_is_passed_over() -> None:
    """Design documents, and what is left of those that were deleted, are no documents of an installation."""
    content = [{"_id": "_design/views", "language": "javascript"}, {"_id": "x", "_deleted": True}, GOOD[SAFE]]
    assert [one.number for one in read_documents("a.json", content)] == [3]
    assert list(read_documents("a.json", {"rows": [{"id": "x", "value": {"deleted": True}, "doc": None}]})) == []


@pytest.mark.parametrize("kind", list(GOOD))
def test_a_document_of_either_schema_is_read(kind: str) -> None:
    """What schema 0.1 does not have may be missing."""
    for version in ("0.1", "0.2"):
        [read] = read_documents("a.json", {**GOOD[kind], "schemaVersion": version})
        assert isinstance(read, Document)


MISTAKES: list[tuple[Any, str]] = [
    ("text", "a.json: this is no document, and no list of documents"),
    ({"rows": [{"id": "x"}]}, "a.json: its rows have no documents: fetch them with _all_docs?include_docs=true"),
    ([7], "a.json: document 1: a document is a JSON object"),
    ([GOOD[KEY], {"_id": "x"}], "a.json: document 2 ('x'): type: is missing; it is one of "),
    ({"_id": "x", "type": "user"}, "a.json: document 1 ('x'): type: 'user' is not known; it is one of "),
    ({**GOOD[KEY], "_id": ""}, "a.json: document 1 (''): _id: is to be a text of 1 to 1024 characters"),
    ({**GOOD[KEY], "_id": "a\nb"}, "a.json: document 1 ('a\\nb'): _id: is to be a text of 1 to 1024 characters"),
    ({"type": KEY}, "a.json: document 1: _id: is missing; it is a text of 1 to 1024 characters"),
    ({**GOOD[KEY], "schemaVersion": "3"}, "schemaVersion: is to be one of 0.1, 0.2"),
    ({**GOOD[KEY], "prefsSafeId": 7}, "prefsSafeId: is to be null or a text"),
    ({**GOOD[KEY], "revoked": "no"}, "revoked: is to be true or false"),
    ({**GOOD[SAFE], "prefsSafeType": "team"}, "prefsSafeType: is to be user or snapset"),
    ({**GOOD[SAFE], "preferences": []}, "preferences: is to be an object, of a set of preferences for each ontology"),
    ({**GOOD[SAFE], "email": 7}, "email: is to be a text or null"),
    ({**GOOD[CREDENTIAL], "allowedIPBlocks": 7}, "allowedIPBlocks: is to be null, a text, or a list of texts"),
    ({**GOOD[CREDENTIAL], "allowedPrefsToWrite": [7]}, "allowedPrefsToWrite: is to be null, or a list of names"),
    ({**GOOD[CREDENTIAL], "clientId": None}, "clientId: is to be a text"),
    ({**GOOD[AUTHORIZATION], "timestampExpires": "soon"}, "timestampExpires: is to be a time such as 2020-11-23"),
]


@pytest.mark.parametrize(("content", "said"), MISTAKES)
def test_a_mistake_is_named_with_its_place(content: Any, said: str) -> None:
    """File, number and id of the document, and its member, so that whoever has written it finds it."""
    [mistake] = [str(one) for one in read_documents("a.json", content) if not isinstance(one, Document)]
    assert said in mistake


def test_each_mistake_of_a_document_is_named() -> None:
    """Whoever mends a document wants to mend it once."""
    read = list(read_documents("a.json", {"_id": 7, "type": SAFE, "name": 7}))
    assert [one.member for one in read if not isinstance(one, Document)] == ["_id", "prefsSafeType", "name"]


def test_a_document_may_be_there_twice_but_not_in_two_ways() -> None:
    """Two exports of one installation may overlap; nobody can tell which of two that differ is right."""
    documents = [
        one
        for name, members in (("a.json", GOOD[SAFE]), ("b.json", GOOD[SAFE]), ("c.json", {**GOOD[SAFE], "name": "x"}))
        for one in read_documents(name, members)
        if isinstance(one, Document)
    ]
    kept, mistakes = unlike(documents)
    assert [one.file for one in kept] == ["a.json"]
    assert [str(one) for one in mistakes] == [
        "c.json: document 1 ('safe-1'): _id: a.json, document 1, has this id and says something else"
    ]
