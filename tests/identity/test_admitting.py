"""Whom the callout lets in before it looks at what they may: by which way, and how often a stranger may try."""

import itertools
from typing import Any

import pytest

from bus.nkeys import SigningKey
from identity.callout.claims import ClientInfo, ConnectOptions, ConnectRequest, ServerId, Subjects, user_token
from identity.callout.deciding import STRANGER_EVERY_S, STRANGERS, Admitting, kinds_of
from identity.callout.subjects import subjects_of
from identity.inboxes import Inboxes
from identity.principal import Principal
from schemas.errors import Code, Refusal, Transient
from schemas.permissions import VERBS
from schemas.queries import Query
from schemas.replies import AccessReply, Reply

LAMP = Principal("alice", "lamp", 7, "token", "0" * 16, "abcd", 2e9)


class Known:
    """Knows the token `good`, and `cached` without looking it up."""

    looked_up = 0

    def at_hand(self, token: str) -> Principal | None:
        return LAMP if token == "cached" else None

    async def by_token(self, token: str) -> Principal | None:
        self.looked_up += 1
        if token == "not now":
            raise Transient(Code.UNAVAILABLE, "the bucket does not answer")
        return LAMP if token == "good" else None


class Worker:
    async def ask(self, _user: str, _app: str, _query: Query) -> Reply:
        return AccessReply(registration=7, role="app", rights=["ask"], seq=7)


def request(token: str, host: str = "192.0.2.1", kind: str = "nats") -> ConnectRequest:
    return ConnectRequest(
        user_nkey="U", server_id=ServerId("N"), client_info=ClientInfo(id=1, host=host, type=kind, mqtt_id="a"),
        connect_opts=ConnectOptions(auth_token=token),
    )  # fmt: skip


def admitting(known: Any, now: list[float], clients: str = "nats") -> Admitting:
    return Admitting(known, Worker(), Inboxes(b"key"), kinds_of(clients), lambda: now[0])


async def test_an_address_has_so_many_attempts_with_tokens_that_are_none() -> None:
    """They come back one by one. Others are not kept out, nor who is known already.

    Good tokens count for none, nor those that nobody can look up now.
    """
    known, now = Known(), [0.0]
    decide = admitting(known, now).decide
    for _ in range(3 * STRANGERS):
        assert (await decide(request("good"))).name == "alice/lamp/abcd/7/ask"
        with pytest.raises(Transient, match="does not answer"):
            await decide(request("not now"))
    for _ in range(STRANGERS):
        with pytest.raises(Refusal) as refused:
            await decide(request("bad"))
        assert refused.value.code is Code.NOT_AUTHENTICATED
    before = known.looked_up
    for token in ("bad", "good"):
        with pytest.raises(Transient) as caught:
            await decide(request(token))
        assert caught.value.code is Code.RATE_LIMITED
        assert "too many wrong tokens from this address" in str(caught.value)
    assert known.looked_up == before
    assert await decide(request("good", host="192.0.2.2"))
    assert await decide(request("cached"))
    now[0] += STRANGER_EVERY_S
    assert await decide(request("good"))


@pytest.mark.parametrize(
    ("kind", "clients", "is_let_in"),
    [("nats", "nats", True), ("websocket", "nats", False), ("websocket", "nats+websocket", True),
     ("mqtt", "nats", False), ("mqtt", "nats+websocket", False), ("", "nats", False), ("leafnode", "nats", False)],
)  # fmt: skip
async def test_clients_come_only_by_the_ways_that_the_operator_allows(kind: str, clients: str, is_let_in: bool) -> None:
    """By MQTT never: whoever chooses another's client id there would end that one's connection."""
    decide = admitting(Known(), [0.0], clients).decide
    if is_let_in:
        assert await decide(request("good", kind=kind))
        return
    with pytest.raises(Refusal) as caught:
        await decide(request("good", kind=kind))
    assert caught.value.code is Code.PERMISSION_DENIED


def test_no_connection_is_let_in_without_permissions() -> None:
    """Whatever an app may, its lists name whole subjects of its own: an empty list would allow everything."""
    for held in itertools.chain.from_iterable(
        itertools.combinations(VERBS, number) for number in range(len(VERBS) + 1)
    ):
        for owner in (False, True):
            allowed = subjects_of("alice", "lamp", held, owner=owner, inboxes=["_INBOX_APP.a.b"])
            assert allowed.subscribe == ("_INBOX_APP.a.b.>",)
            assert allowed.publish
            for subject in allowed.publish:
                assert subject.split(".")[0] == "llum"
                assert subject.split(".")[2:4] == ["alice", "lamp"]
                assert not {"*", ">"} & set(subject)


@pytest.mark.parametrize("allowed", [Subjects((), ("a",)), Subjects(("a",), ()), Subjects((), ())])
def test_no_token_of_a_connection_is_written_without_them(allowed: Subjects) -> None:
    """Also if whoever decides were wrong."""
    with pytest.raises(ValueError, match="allowed everything"):
        user_token(SigningKey(bytes(32)), request("good"), "a", allowed, 0, 1)
