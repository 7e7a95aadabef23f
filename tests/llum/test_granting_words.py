"""What `llum grants` says: each app, what it may do within which limits, and what was decided."""

import click

from llum.cli.granting import in_words
from schemas.grants import ConsentDecision, GrantedApp, GrantsReply
from schemas.slices import Slice


def said(*apps: GrantedApp, more: int = 0) -> list[str]:
    return click.unstyle(in_words(GrantsReply(seq=1, apps=list(apps), more=more), None)).splitlines()


def test_a_grant_is_said_slice_by_slice() -> None:
    """With its limits, and the rules that do not work."""
    lines = said(
        GrantedApp(
            app="lamp",
            registration=4,
            slices=[
                Slice(paths=["Home", ""], actions=["ask", "tell"], resolver="count", past=60.0, purpose="to dim"),
                Slice(components=["Home/lux"], actions=["tell"], denied=["make"], whose_rules="bob"),
            ],
            rules=2,
            suspended=1,
        ),
        more=3,
    )
    assert lines == [
        "lamp",
        "  may ask, tell at /Home and below, the whole model; only count; 60 s back; for: to dim",
        "  may tell, not make at Home/lux for its rules in the model of bob",
        "  has 2 rules, 1 of them suspended",
        "",
        "3 earlier decisions are not shown",
    ]


def test_what_an_app_says_of_itself_stays_in_its_line() -> None:
    """It cannot pretend to be another line of llum's."""
    refused = ConsentDecision(
        app="x", decision="refused", time=0.0, by="llum", refused=[Slice(paths=["a"], actions=["ask"])], imported=True
    )
    lines = said(GrantedApp(app="x", name="A\nllum: may do nothing", host="h.example", decisions=[refused]))
    assert lines[0] == "x: not registered, calls itself A llum: may do nothing, from h.example"
    assert lines[1].endswith(" refused ask at /a and below (through llum, elsewhere)")
    assert len(lines) == 2


def test_an_owners_app_may_do_everything() -> None:
    """And one without a setting nothing."""
    assert said(GrantedApp(app="llum", registration=1, role="owner")) == ["llum: an owner's app", "  may do everything"]
    assert said(GrantedApp(app="lamp", registration=1)) == ["lamp", "  may do nothing"]
