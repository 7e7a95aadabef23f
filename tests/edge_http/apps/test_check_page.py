"""`/check`: may an app do something, and which setting decides? In plain words, and as JSON."""

from typing import Any

import pytest

from schemas.slices import Slice
from tests.edge_http.apps.conftest import APP, PERSONAL, Alice

JSON = "application/json"


async def said(alice: Alice, address: str) -> str:
    page = await alice.open(f"/check?{address}")
    assert page.status == 200, page.text
    return page.text


async def members(alice: Alice, address: str, accept: str = JSON) -> Any:
    return await (await alice.get(address, accept)).json()


async def test_it_says_what_decides(alice: Alice) -> None:
    """For a component and a context: yes or no, by which setting, with a link to change it."""
    await alice.let_in(PERSONAL, Slice(components=["Personal/email"], denied=["ask"]))
    yes = await said(alice, f"app={APP}&verb=ask&place=Personal/firstname")
    assert "coach may see what is there: Personal / firstname." in yes
    assert "What is set for Personal decides that." in yes
    assert f'href="/list_apps/{APP}"' in yes
    no = await said(alice, f"app={APP}&verb=ask&place=Personal/email")
    assert "coach may not see what is there: Personal / email." in no
    assert "What is set for Personal / email forbids it." in no
    nothing = await said(alice, f"app={APP}&verb=delete&place=Personal")
    assert "coach may not delete parts: all of Personal." in nothing


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("app=nobody&verb=ask&place=Personal", "Your model does not know this app."),
        ("app=My%20Health&verb=ask", "My Health may not see what is there: your whole model."),
        (f"app={APP}&verb=tell&place=Nowhere/at/all", "There is nothing of this name in your model."),
        ("app=llum&verb=delete&place=Personal", "It is an app of yours"),
        (f"app={APP}&rules_in=bob&place=Personal", "coach, for its rules in the model of bob, may not see"),
    ],
)
async def test_neither_app_nor_place_need_be_there(alice: Alice, address: str, words: str) -> None:
    """And no question changes anything."""
    await alice.let_in(PERSONAL)
    before = await alice.grant()
    assert words in await said(alice, address)
    assert await alice.grant() == before


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("app=%00&verb=ask", "app"), (f"app={APP}&verb=eat", "verb"),
        (f"app={APP}&place=a//b", "place"), (f"app={APP}&rules_in=A.B", "rules_in"),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_is_said_at_its_field(alice: Alice, address: str, field: str) -> None:
    """In the form, with what was typed; to a program as an error."""
    page = await alice.open(f"/check?{address}")
    assert page.status == 400
    assert page.error(field)
    assert (await members(alice, f"/check.json?{address}"))["error"]["field"] == field


async def test_a_program_gets_json(alice: Alice) -> None:
    """By what it accepts, or by the address; markup in what was asked is text."""
    await alice.let_in(PERSONAL)
    for path, accept in (("/check", JSON), ("/check.json", "text/html")):
        found = await members(alice, f"{path}?app={APP}&verb=tell&place=Personal/firstname", accept)
        assert (found["allowed"], found["reason"], found["component"]) == (True, "setting", True)
        assert found["parts"][0]["place"] == "/Personal"
    missing = await members(alice, f"/check.json?app={APP}&place=Work")
    assert (missing["allowed"], missing["missing"]["actions"]) == (False, ["ask"])
    page = await alice.open("/check?app=%3Cscript%3E&place=x")
    assert "<script>" not in page.raw


async def test_it_is_for_the_owner(alice: Alice) -> None:
    """Whoever is not signed in is sent to sign in; somebody else asks about their own model."""
    await alice.let_in(PERSONAL)
    assert (await Alice(alice.site).open("/check")).status == 303
    bob = Alice(alice.site)
    await bob.sign_up("bob")
    assert "Your model does not know this app." in await said(bob, f"app={APP}&place=Personal")
