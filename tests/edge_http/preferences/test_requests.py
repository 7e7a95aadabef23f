"""What a request may look like, and how its faults are answered: in JSON, each with its place and what to do."""

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest
from aiohttp import ClientResponse
from yarl import URL

from schemas.errors import Code, Error
from schemas.preferences import PreferencesReply
from schemas.replies import Accepted, Refused
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import key_record
from tests.edge_http.preferences.test_reaching import GOOD, SET, edge_with

HINTLESS = ("unknown_verb",)
VIEWS = {"flat": SET, "ISO24751": {"contexts": {}}, "\u00e9": SET}


@pytest.fixture
async def opened() -> AsyncIterator[Edge]:
    edge = edge_with("here")
    async with edge.http:
        yield edge


def accept(edge: Edge, *, made: bool = False) -> None:
    edge.requests.outcomes.append(lambda command: Accepted(id=command.id, seq=1, result={"made": made}))


async def put(edge: Edge, body: bytes, kind: str = "application/json", query: str = "", **more: Any) -> ClientResponse:
    accept(edge)
    headers = {"Content-Type": kind} if kind else {}
    return await edge.http.put(f"/preferences/carla{query}", data=body, headers=headers | more.pop("headers", {}))


async def refusal(response: ClientResponse) -> tuple[int, str]:
    """Give status and code, having looked at what every error has."""
    body = await response.json()
    assert response.content_type == "application/json"
    assert (body["isError"], bool(body["message"])) == (True, True)
    assert body["hint"] or body["code"] in HINTLESS, "what to do is said"
    return response.status, body["code"]


@pytest.mark.parametrize("path", ["/preferences/carla", "/preferences/carla/"])
@pytest.mark.parametrize(
    ("query", "view"),
    [("", "flat"), ("?view=", "flat"), ("?view=ISO24751", "ISO24751"), ("?view=e%CC%81", "\u00e9")],
)
async def test_without_a_view_it_is_flat(opened: Edge, path: str, query: str, view: str) -> None:
    """A slash at the end changes nothing, nor how a letter is composed. One request on the bus is all it takes."""
    opened.requests.replies.append(PreferencesReply(seq=1, sets=VIEWS))
    async with opened.http.get(path + query) as response:
        assert (response.status, await response.json()) == (200, VIEWS[view])
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert len(opened.requests.asked) == 1


@pytest.mark.parametrize(
    ("query", "mode"),
    [("?merge=true", "merge"), ("?merge=TRUE", "replace"), ("?merge=1", "replace"), ("?merge=undefined", "replace")],
)
async def test_only_the_word_true_merges(opened: Edge, query: str, mode: str) -> None:
    """As in the original service."""
    await put(opened, json.dumps(SET).encode(), query=query)
    [command] = opened.requests.commands
    assert command.mode == mode  # type: ignore[union-attr]


async def test_a_form_is_taken(opened: Edge) -> None:
    """With brackets for what is inside."""
    response = await put(opened, b"contexts[gpii-default][preferences][a]=1", "application/x-www-form-urlencoded")
    sent = {"contexts": {"gpii-default": {"preferences": {"a": "1"}}}}
    assert await response.json() == {"gpiiKey": "carla", "preferences": sent}


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", ""), (b"", "application/json"), (b"{}", "application/json"), (json.dumps(SET).encode(), "text/plain")],
)
async def test_no_body_and_other_types_count_as_an_empty_object(opened: Edge, body: bytes, kind: str) -> None:
    """Which is no preferences: the answer says so as the original does."""
    response = await put(opened, body, kind)
    found = await response.json()
    assert (response.status, found["isValid"], found["isError"]) == (400, False, True)
    assert found["message"] == "Your request was invalid.  See the errors for details."
    assert found["errors"]
    assert opened.requests.sent == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed"),
        (b"3", 400, "bad_field"),
        (b"null", 400, "bad_field"),
        (b"[]", 400, "bad_field"),
        (b'{"contexts": NaN}', 400, "malformed"),
        (b'{"contexts": {"a": 1e400}}', 400, "bad_field"),
        (b'{"contexts": {"a": "\xff"}}', 400, "malformed"),
        (b'{"contexts": {"a": "\\ud800"}}', 400, "malformed"),
        (b"\xff\xfe{\x00}\x00", 400, "malformed"),
        (b'{"contexts": ' + b"[" * 70 + b"]" * 70 + b"}", 400, "too_deep"),
        (b'{"contexts": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400, "too_deep"),
        (b'{"contexts": {}, "x": "' + b"x" * 102_400 + b'"}', 413, "too_large"),
    ],
)
async def test_what_cannot_be_read_is_refused(opened: Edge, body: bytes, status: int, code: str) -> None:
    """In JSON, and not as a page; nothing is sent on."""
    assert await refusal(await put(opened, body, headers={"Accept": "text/html"})) == (status, code)
    assert opened.requests.sent == []


async def test_a_byte_order_mark_is_passed_over(opened: Edge) -> None:
    """Programs on Windows send one, and the original takes it."""
    response = await put(opened, b"\xef\xbb\xbf" + json.dumps(SET).encode())
    assert (response.status, (await response.json())["preferences"]) == (200, SET)


async def test_a_body_has_100_kib(opened: Edge) -> None:
    """Exactly; one byte more is too large, in the original's words."""
    space = b" " * (102_400 - len(json.dumps(SET)))
    assert (await put(opened, json.dumps(SET).encode() + space)).status == HTTPStatus.OK
    response = await put(opened, json.dumps(SET).encode() + space + b" ")
    assert (response.status, (await response.json())["message"]) == (413, "request entity too large")


@pytest.mark.parametrize(
    ("refused", "status", "members"),
    [
        (
            Error(Code.NO_SUCH_MODEL, "x"),
            404,
            {"message": "GPII key does not exist", "errorCode": "GPII_ERR_NO_GPIIKEY", "code": "no_such_model"},
        ),
        (
            Error(Code.READ_ONLY, "x"),
            404,
            {
                "message": 'Can\'t update preferences for readOnly GPII key "carla" (perhaps it is a snapset)',
                "errorCode": "GPII_ERR_READONLY",
                "code": "read_only",
            },
        ),
        (
            Error(Code.BAD_PATH, "no name", "body.contexts.gpii-default.preferences.."),
            400,
            {"message": "no name", "field": "contexts.gpii-default.preferences..", "code": "bad_path"},
        ),
    ],
)
async def test_errors_are_as_the_original_s_clients_know_them(
    opened: Edge, refused: Error, status: int, members: dict[str, str]
) -> None:
    """With llum's stable code beside, and places as the body has them."""
    opened.requests.replies.append(refused)
    opened.requests.outcomes.append(Refused(id="x", seq=1, error=refused))
    is_read = refused.code is Code.NO_SUCH_MODEL
    response = await opened.http.request("GET" if is_read else "PUT", "/preferences/carla", json=SET)
    body = await response.json()
    assert (response.status, {name: body.get(name) for name in members}) == (status, members)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/preferences/carla", 405),
        ("POST", "/preferences/carla/", 405),
        ("GET", "/preferences/carla/nothing", 404),
        ("GET", "/preferences//", 404),
        ("PUT", "/preferences/", 405),
        ("GET", "/preferences", 405),
        ("OPTIONS", "/preferences", 405),
    ],
)
async def test_what_there_is_not_is_said_in_json(opened: Edge, method: str, path: str, status: int) -> None:
    """Also to a browser."""
    response = await opened.http.request(method, path, headers={"Accept": "text/html"})
    assert await refusal(response) == (status, "unknown_verb")
    assert (status == HTTPStatus.METHOD_NOT_ALLOWED) == ("Allow" in response.headers)


async def test_allow_names_the_methods_that_there_are(opened: Edge) -> None:
    """HEAD among them, where there is GET."""
    for path, allowed in (("/preferences", "POST"), ("/preferences/carla", "GET, PUT, PATCH, HEAD")):
        assert (await opened.http.delete(path)).headers["Allow"] == allowed


async def test_what_makes_a_safe_is_said_where_it_would(opened: Edge) -> None:
    """A PUT does for a key in its own safe; not for the person of a token, nor before the safe was made."""
    opened.authenticator.preference_keys.records["joined"] = key_record(
        "joined", user="alice", place=("Preferences", "_joined", "kiosk"), app="key-7"
    )
    llums = {"Authorization": f"Bearer {GOOD}"}
    error = Error(Code.NO_SUCH_MODEL, "x", hint="ask the operator")
    for path, headers, hint in (
        ("carla", {}, "look for a typing error; a PUT to this key makes it"),
        ("me", llums, "ask the operator"),
        ("joined", {}, "ask the operator"),
    ):
        opened.requests.replies.append(error)
        async with opened.http.get(f"/preferences/{path}", headers=headers) as response:
            body = await response.json()
            assert (response.status, body["errorCode"], body["hint"]) == (404, "GPII_ERR_NO_GPIIKEY", hint)
    opened.requests.replies.append(Error(Code.NO_SUCH_MODEL, "not then", "as_of"))
    async with opened.http.get("/preferences/carla?at=1") as response:
        body = await response.json()
        assert (response.status, body["field"], body["hint"]) == (404, "at", None)


async def test_a_key_without_a_safe_is_answered_with_nothing(opened: Edge) -> None:
    """If it is known to be one."""
    opened.authenticator.preference_keys.records["carla"] = key_record("carla", known=True, has_safe=False)
    opened.requests.replies.append(Error(Code.NO_SUCH_MODEL, "x"))
    async with opened.http.get("/preferences/carla") as response:
        assert (response.status, await response.read()) == (200, b"")
        assert response.content_type == "application/json"


async def test_a_key_is_any_text_of_an_address(opened: Edge) -> None:
    """It may have escaped characters, a slash too."""
    for key, written in (("a b/c", "a%20b%2Fc"), ("é", "%C3%A9"), ("history", "history"), ("a.b~c", "a.b~c")):
        opened.requests.replies.append(PreferencesReply(seq=1, sets=VIEWS))
        async with opened.http.get(f"/preferences/{written}") as response:
            assert response.status == HTTPStatus.OK
        assert opened.requests.asked[-1][0] == key_record(key).user


@pytest.mark.parametrize("written", ["%00", "%FF", "%ED%A0%80", "a" * 1025])
async def test_what_can_be_no_key_is_said(opened: Edge, written: str) -> None:
    """Two that are not UTF-8 are not taken for one."""
    async with opened.http.get(URL(f"/preferences/{written}", encoded=True)) as response:
        assert await refusal(response) == (400, "bad_field")
    assert opened.requests.asked == []


async def test_who_has_an_answer_is_not_sent_it_again(opened: Edge) -> None:
    """The tag is that of the answer, so it changes with what is answered alone."""
    tags = []
    for seq, sets in ((1, VIEWS), (2, VIEWS), (3, {"flat": {"contexts": {}}})):
        opened.requests.replies.append(PreferencesReply(seq=seq, sets=sets))
        async with opened.http.get("/preferences/carla") as response:
            tags.append(response.headers["ETag"])
    assert tags[0] == tags[1] != tags[2]
    for known, status in ((tags[0], 304), (f'"x", W/{tags[0]}', 304), (tags[2], 200)):
        opened.requests.replies.append(PreferencesReply(seq=4, sets=VIEWS))
        async with opened.http.get("/preferences/carla", headers={"If-None-Match": known}) as response:
            assert (response.status, response.headers["ETag"]) == (status, tags[0])


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        ("2026-11-27T10:00:00Z", 1795773600.0),
        ("2026-11-27T11:00:00%2B01:00", 1795773600.0),
        ("2026-11-27T11:00:00+01:00", 1795773600.0),
        ("2026-11-27T10:00:00.5", 1795773600.5),
        ("2026-11-27", 1795737600.0),
        ("1795773600", 1795773600.0),
        ("1795773600.25", 1795773600.25),
    ],
)
async def test_a_time_is_iso_8601_or_seconds(opened: Edge, at: str, seconds: float) -> None:
    """Without a zone it is UTC."""
    opened.requests.replies.append(PreferencesReply(seq=1, sets=VIEWS))
    async with opened.http.get(f"/preferences/carla?at={at}") as response:
        assert response.status == HTTPStatus.OK
    assert opened.requests.queries[0].as_of_time == seconds  # type: ignore[union-attr]


@pytest.mark.parametrize("at", ["yesterday", "inf", "1e9", "2026-13-01", "9" * 13])
async def test_what_is_no_time_is_refused(opened: Edge, at: str) -> None:
    """With its place."""
    async with opened.http.get(f"/preferences/carla?at={at}") as response:
        body = await response.json()
        assert (response.status, body["code"], body["field"]) == (400, "bad_field", "at")
