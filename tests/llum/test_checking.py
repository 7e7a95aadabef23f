"""What `llum check` says: the verdict, the settings that decide, and what is missing."""

import click
import pytest

from llum.cli.checking import in_words
from schemas.granting import CheckedPart, CheckReply, CheckVerdict
from schemas.slices import Slice

ASK = CheckedPart(part="ask", value=True, place="/Personal")
AGE = Slice(components=["Personal/age"], actions=["ask"])


def said(reason: CheckVerdict, *parts: CheckedPart, **more: object) -> str:
    reply = CheckReply(seq=1, time=2.0, allowed=reason in ("owner", "setting"), reason=reason, parts=list(parts))
    for name, value in more.items():
        setattr(reply, name, value)
    return click.unstyle(in_words(reply, "lamp", "ask", None))


def test_parts_that_something_is_said_of_are_listed() -> None:
    """With their places; a limit that a setting takes away is said too."""
    lines = said(
        "setting",
        ASK,
        CheckedPart(part="past"),
        CheckedPart(part="bind_resolver", place="/Personal/age", is_component=True),
        CheckedPart(part="make", value=True, place="/", said_as="tell", expired="/Personal"),
    ).splitlines()
    assert lines == [
        "lamp may ask here.",
        "",
        "part           value     set at",
        "ask            yes       /Personal",
        "bind_resolver  no limit  /Personal/age",
        "make           yes       /              as tell, expired at /Personal",
    ]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("owner", "lamp is an app of the owner's, and may do everything."),
        ("not_said", "lamp may not ask here: nothing is set that says so."),
        ("forbidden", "lamp may not ask here: the setting at /Personal forbids it."),
        ("not_registered", "lamp may not ask here: no app of that name is registered."),
        ("needs", "lamp may not ask here: for that it also needs rules and ask."),
    ],
)
def test_the_verdict_stands_first(reason: CheckVerdict, words: str) -> None:
    """In one sentence."""
    assert said(reason, ASK, needs=["rules", "ask"]).splitlines()[0] == words


def test_an_expired_setting_and_a_view_are_named() -> None:
    """They are why not."""
    assert "the setting at /Here has expired" in said("expired", CheckedPart(part="ask", expired="/Here"))
    view = CheckedPart(part="bind_view", value="fullname", place="/Personal")
    assert "it sees only what the view fullname lists" in said("outside_view", ASK, view)


def test_what_is_missing_is_said() -> None:
    """In words; also that there is nothing at the place."""
    text = said("not_said", missing=AGE, exists=False)
    assert text.splitlines()[0].endswith("There is nothing here yet.")
    assert text.splitlines()[-1] == "To be granted: ask in Personal/age"
    rules = Slice(paths=[""], actions=["ask"], whose_rules="bob")
    assert said("not_said", missing=rules).endswith("ask in / and all below, for its rules in the model of bob")
