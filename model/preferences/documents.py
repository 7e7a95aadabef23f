"""The documents in which installations of GPII keep keys, safes and programs: read, checked, and written again.

Of five types, in schema 0.1 and 0.2. What a type does not know is kept and given back; only `_rev`, which is CouchDB's,
is dropped. They come as a list, as one document, or as CouchDB gives and takes many: `{"docs": […]}` or
`{"rows": [{"doc": …}]}`. Each mistake is named with its place; what reads them writes nothing as long as there is one.
"""

import calendar
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

KEY: Final = "gpiiKey"
SAFE: Final = "prefsSafe"
CLIENT: Final = "gpiiAppInstallationClient"
CREDENTIAL: Final = "clientCredential"
AUTHORIZATION: Final = "gpiiAppInstallationAuthorization"

TYPES: Final = (CLIENT, CREDENTIAL, SAFE, KEY, AUTHORIZATION)
"""In the order in which they are stored: none names one that comes after it."""

SCHEMA_VERSIONS: Final = ("0.1", "0.2")

MAX_ID_CHARACTERS: Final = 1024

_TIMESTAMP: Final = re.compile(
    r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,9}))?Z",
    re.ASCII,
)

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")

_COUCHDB: Final = ("_rev", "_revisions", "_attachments")
"""Members that belong to the database."""

_DESIGN: Final = "_design/"
"""What the ids of documents begin with that are programs of the database."""


class Document(NamedTuple):
    """A document without mistakes, and where it was found."""

    file: str
    number: int
    """Its place in the file, from 1."""
    type: str
    id: str
    members: dict[str, Any]
    """All but those of the database."""

    @property
    def place(self) -> str:
        """Name it in a sentence."""
        return f"{self.file}: document {self.number} ({self.id[:80]!r})"


class Mistake(NamedTuple):
    """Something in a file that keeps all of it from being stored."""

    file: str
    number: int
    """Of the document; 0: it is in the file as a whole."""
    id: str | None
    member: str | None
    """Such as `prefsSafeType`, or a path: `preferences.flat.contexts`."""
    message: str

    def __str__(self) -> str:
        document = f"document {self.number}" + (f" ({self.id[:80]!r})" if self.id is not None else "")
        parts = [self.file, document if self.number else None, self.member, self.message]
        return ": ".join(part for part in parts if part)


class MemberRule(NamedTuple):
    """What a member must be."""

    says: str
    holds: Callable[[Any], bool]
    is_required: bool = False


def read_documents(file: str, content: Any) -> Iterator[Document | Mistake]:
    """Read the content of one file, decoded JSON: each document that is kept, or what is wrong with it."""
    listed = _listed(content)
    if isinstance(listed, str):
        yield Mistake(file, 0, None, None, listed)
        return
    for number, one in enumerate(listed, 1):
        if not _is_the_databases(one):
            yield from _read(file, number, one)


def unlike(documents: Iterable[Document]) -> tuple[list[Document], list[Mistake]]:
    """Give each document once, and as mistakes those whose id another one has that says something else."""
    kept: dict[str, Document] = {}
    mistakes = []
    for document in documents:
        known = kept.setdefault(document.id, document)
        if known.members != document.members:
            message = f"{known.file}, document {known.number}, has this id and says something else"
            mistakes.append(Mistake(document.file, document.number, document.id, "_id", message))
    return list(kept.values()), mistakes


def unkept(members: dict[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Give the members that llum has no place of its own for."""
    names = frozenset(known)
    return {name: value for name, value in members.items() if name not in names}


def seconds_of(timestamp: str) -> float:
    """Read a time as the documents have it, in seconds since 1970. Raises `ValueError`."""
    match = _TIMESTAMP.fullmatch(timestamp)
    if match is None:
        raise ValueError("this is no time in UTC")
    *whole, fraction = match.groups()
    return calendar.timegm(tuple(map(int, whole))) + float(f"0.{fraction or 0}")


def _listed(content: Any) -> list[Any] | str:
    """Give the documents of a file in any of the forms; a text says what is wrong."""
    if isinstance(content, list):
        return content
    if not isinstance(content, dict):
        return "this is no document, and no list of documents"
    if isinstance(content.get("docs"), list) and "type" not in content:
        listed: list[Any] = content["docs"]
        return listed
    if isinstance(content.get("rows"), list) and "type" not in content:
        return _of_rows(content["rows"])
    return [content]


def _of_rows(rows: list[Any]) -> list[Any] | str:
    """Take the documents out of the rows of a view."""
    if any(not isinstance(row, dict) or "doc" not in row for row in rows):
        return "its rows have no documents: fetch them with _all_docs?include_docs=true"
    return [row["doc"] for row in rows if row["doc"] is not None]


def _is_the_databases(document: Any) -> bool:
    """Tell whether it is a program of the database, or what is left of a document that was deleted."""
    if not isinstance(document, dict):
        return False
    return document.get("_deleted") is True or str(document.get("_id", "")).startswith(_DESIGN)


def _read(file: str, number: int, document: Any) -> Iterator[Document | Mistake]:
    if not isinstance(document, dict):
        yield Mistake(file, number, None, None, "a document is a JSON object")
        return
    given = document.get("_id")
    name = given if isinstance(given, str) else None
    kind = document.get("type")
    if kind not in TYPES:
        message = "is missing" if kind is None else f"{str(kind)[:80]!r} is not known"
        yield Mistake(file, number, name, "type", f"{message}; it is one of {', '.join(sorted(TYPES))}")
        return
    mistakes = [
        Mistake(file, number, name, member, message) for member, message in _wrong_members(document, _RULES[kind])
    ]
    yield from mistakes
    if not mistakes:
        yield Document(file, number, kind, document["_id"], unkept(document, _COUCHDB))


def _wrong_members(document: dict[str, Any], rules: dict[str, MemberRule]) -> Iterator[tuple[str, str]]:
    for member, rule in rules.items():
        if member not in document:
            if rule.is_required:
                yield member, f"is missing; it is {rule.says}"
        elif not rule.holds(document[member]):
            yield member, f"is to be {rule.says}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARACTERS and _CONTROL.search(value) is None


def _is_time(value: Any) -> bool:
    try:
        seconds_of(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


_ID: Final = MemberRule(f"a text of 1 to {MAX_ID_CHARACTERS} characters, none a control character", _is_text, True)
_ID_OR_NULL: Final = MemberRule(
    f"null or a text of 1 to {MAX_ID_CHARACTERS} characters", lambda one: one is None or _is_text(one)
)
_TEXT_OR_NULL: Final = MemberRule("a text or null", lambda one: one is None or isinstance(one, str))
_FLAG: Final = MemberRule("true or false", lambda one: isinstance(one, bool))
_TIME: Final = MemberRule("a time such as 2020-11-23T10:00:00.000Z", _is_time, True)
_VERSION: Final = MemberRule(f"one of {', '.join(SCHEMA_VERSIONS)}", lambda one: one in SCHEMA_VERSIONS)
_SAFE_TYPE: Final = MemberRule("user or snapset", lambda one: one in ("user", "snapset"), True)
_SETS: Final = MemberRule(
    "an object, of a set of preferences for each ontology", lambda one: one is None or isinstance(one, dict)
)
_BLOCKS: Final = MemberRule(
    "null, a text, or a list of texts",
    lambda one: one is None or isinstance(one, str) or _is_list_of_texts(one),
)
_NAMES: Final = MemberRule("null, or a list of names of settings", lambda one: one is None or _is_list_of_texts(one))


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_COMMON: Final = {"_id": _ID, "schemaVersion": _VERSION, "timestampCreated": _TEXT_OR_NULL}
_REVOKED: Final = {"revoked": _FLAG, "revokedReason": _TEXT_OR_NULL, "timestampRevoked": _TEXT_OR_NULL}

_RULES: Final[dict[str, dict[str, MemberRule]]] = {
    KEY: {**_COMMON, **_REVOKED, "prefsSafeId": _ID_OR_NULL, "prefsSetId": _TEXT_OR_NULL},
    SAFE: {
        **_COMMON,
        "prefsSafeType": _SAFE_TYPE,
        "name": _TEXT_OR_NULL,
        "password": _TEXT_OR_NULL,
        "email": _TEXT_OR_NULL,
        "preferences": _SETS,
        "timestampUpdated": _TEXT_OR_NULL,
    },
    CLIENT: {**_COMMON, "name": _TEXT_OR_NULL},
    CREDENTIAL: {
        **_COMMON,
        **_REVOKED,
        "clientId": _ID,
        "oauth2ClientId": _ID,
        "oauth2ClientSecret": _TEXT_OR_NULL,
        "allowedIPBlocks": _BLOCKS,
        "allowedPrefsToWrite": _NAMES,
        "isCreateGpiiKeyAllowed": _FLAG,
        "isCreatePrefsSafeAllowed": _FLAG,
    },
    AUTHORIZATION: {
        **_COMMON,
        **_REVOKED,
        "clientId": _ID,
        "gpiiKey": _ID,
        "clientCredentialId": _ID,
        "accessToken": _ID,
        "timestampExpires": _TIME,
    },
}
"""By type: what its members must be, where they are there."""
