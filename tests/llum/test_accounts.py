"""Accounts as the operator looks after them, on a real nats-server with a worker."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click
import pytest

from bus.as_app import new_id
from identity.accounts.events import events_of
from identity.accounts.joining import Joining
from identity.accounts.links import Links
from llum.cli.commands.options import _note_act
from llum.client import Client
from llum.people.accounts import accounts_of, claim_link, first_link, make_administrator, recovery_link
from llum.processes.edge import sign_up_of
from llum.settings import Settings
from schemas.commands import MakeModel
from schemas.errors import Code, Refusal
from tests.actors.serving import serving

URL = "https://llum.example/"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with serving(tmp_path) as llum:
        yield Client(llum.bus, llum.requests, "llum")


def joining(client: Client) -> Joining:
    return Joining(accounts_of(client), Links(client.bus), "closed")


def token_in(link: str) -> str:
    return parse_qs(urlsplit(link).query)["link"][0]


async def test_the_first_link_makes_the_administrator_and_then_there_is_none(client: Client) -> None:
    """An earlier one ends when another is printed."""
    earlier, link = (await first_link(client, URL)).link, (await first_link(client, URL)).link
    assert link.startswith("https://llum.example/sign-up?link=")
    doors = joining(client)
    with pytest.raises(Refusal):
        await doors.admission(token_in(earlier))
    assert (await doors.register(await doors.admission(token_in(link)), "alice")).admin
    with pytest.raises(Refusal) as caught:
        await first_link(client, URL)
    assert caught.value.code is Code.ALREADY_EXISTS
    assert "alice" in str(caught.value)


async def test_a_model_is_given_to_its_person_by_a_link(client: Client) -> None:
    """There must be one, and no account of it yet."""
    with pytest.raises(Refusal) as caught:
        await claim_link(client, "bob", URL)
    assert caught.value.code is Code.NO_SUCH_MODEL
    await client.requests.send("bob", "_admin", MakeModel(id=new_id()))
    doors = joining(client)
    admission = await doors.admission(token_in((await claim_link(client, "bob", URL)).link))
    assert (await doors.register(admission, "anything")).user == "bob"
    with pytest.raises(Refusal) as caught:
        await claim_link(client, "bob", URL)
    assert caught.value.code is Code.ALREADY_EXISTS


async def test_a_lost_person_gets_a_link_and_an_administrator_is_made(client: Client) -> None:
    """Of people who have an account alone."""
    for act in (lambda: recovery_link(client, "bob", URL), lambda: make_administrator(client, "bob")):
        with pytest.raises(Refusal) as caught:
            await act()  # type: ignore[no-untyped-call]
        assert (caught.value.code, caught.value.error.field) == (Code.BAD_FIELD, "user")
    await accounts_of(client).register("bob")
    made = await recovery_link(client, "bob", URL)
    assert made.link.startswith("https://llum.example/sign-in/by-link?link=")
    link = await Links(client.bus).find(token_in(made.link))
    assert link is not None
    assert (link.purpose, link.user) == ("recover", "bob")
    assert await make_administrator(client, "bob")
    assert not await make_administrator(client, "bob")
    account = await accounts_of(client).find("bob")
    assert account is not None
    assert account.admin


@pytest.mark.parametrize(
    ("words", "noted"),
    [
        ("admin account recover", ["admin_account_recover"]),
        ("admin app permit", ["admin_app_permit"]),
        ("admin person time-zone", ["admin_person_time_zone"]),
        ("sign-in", ["sign_in"]),
        ("admin person forget", []),
        ("ask", []),
    ],
)
async def test_what_the_operator_does_stands_in_the_persons_record(
    client: Client, words: str, noted: list[str]
) -> None:
    """By the words of the command. Of who is forgotten nothing is written, and what is asked is recorded as an ask."""
    context = click.Context(click.Group("llum"), info_name="llum")
    for word in words.split():
        context = click.Context(click.Group(word), info_name=word, parent=context)
    context.params = {"user": "alice"}
    with context:
        await _note_act(client)
    found = await events_of(client.bus, "alice")
    assert [one.verb for one in found] == noted
    assert {one.by for one in found} <= {"operator"}


@pytest.mark.parametrize(
    ("settings", "who"),
    [
        (Settings(), "open"),
        (Settings(http_host="0.0.0.0"), "invited"),
        (Settings(public_url="https://llum.example"), "invited"),
        (Settings(proxies="127.0.0.1"), "invited"),
        (Settings(public_url="https://llum.example", sign_up="open"), "open"),
        (Settings(sign_up="closed"), "closed"),
    ],
)
def test_sign_up_is_open_as_long_as_only_this_machine_reaches_llum(settings: Settings, who: str) -> None:
    """Unless the setting says otherwise."""
    assert sign_up_of(settings) == who
